"""A browser, JupyterLab and the explorer's own page, started once as users start them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from driving import EMBEDDED, ONE_ARM, OTHER, Driven

ROOT = Path(__file__).parents[2]
COMPENDIUM = Path(sys.executable).with_name("compendium")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 180.0  # seconds; a busy machine is slow, not broken


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies here, and leave it out where there is no browser to drive."""
    try:
        import playwright  # noqa: F401
    except ImportError:
        missing = "playwright is not installed: make browser-test"
    else:
        missing = "" if CHROMIUM else "no Chromium is installed: apt install chromium"
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")
            item.add_marker("slow")
            if missing:
                item.add_marker(pytest.mark.skip(reason=missing))


@contextmanager
def served(arguments: list[str], project: Path, output: Path, ready: str) -> Iterator[str]:
    """Start a server of the project and yield its address; it ends with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "COMPENDIUM_OUTPUT": str(output),
        "COMPENDIUM_PROJECT": str(project),
        "JUPYTER_CONFIG_DIR": str(output / "config"),  # nothing of the user's, and nothing into it
        "JUPYTERLAB_SETTINGS_DIR": str(output / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(output / "workspaces"),
    }
    log = output / f"server-{port}.log"
    with log.open("w") as told:
        process = subprocess.Popen(
            [str(COMPENDIUM), "lab", *arguments, "--no-browser", f"--port={port}"],
            cwd=project, env=environment, stdout=told, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            _wait(f"http://127.0.0.1:{port}{ready}", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"the server ended: {log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"no answer at {address}: {log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("output")


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with three cohorts: the embedded one, a trial of 312 patients, and one arm alone."""
    sys.path += [str(ROOT / "tests" / "cohorts"), str(ROOT / "tests" / "explore")]
    import made
    import pbc

    folder = tmp_path_factory.mktemp("project")
    for path in ROOT.iterdir():
        if path.name not in ("data", "scratch", ".git"):
            (folder / path.name).symlink_to(path)
    cohorts = folder / "data" / "cohorts"
    cohorts.mkdir(parents=True)
    for path in (ROOT / "data").iterdir():
        if path.name != "cohorts":
            (folder / "data" / path.name).symlink_to(path)
    (cohorts / EMBEDDED).symlink_to(ROOT / "data" / "cohorts" / EMBEDDED)
    pbc.write_cohort(cohorts / OTHER)
    made.cohort_folder(ONE_ARM, cohorts)
    return folder


@pytest.fixture(scope="session")
def lab_address(output: Path) -> Iterator[str]:
    arguments = ["--ServerApp.token=", "--ServerApp.password=", "--ServerApp.allow_root=True"]
    with served(arguments, ROOT, output, "/api") as address:
        yield address


@pytest.fixture(scope="session")
def page_address(project: Path, output: Path) -> Iterator[str]:
    with served(["--page", "--Voila.ip=127.0.0.1"], project, output, "/static/favicon.ico") as address:
        yield address


@pytest.fixture(scope="session")
def context(request: pytest.FixtureRequest) -> Iterator[Any]:
    """One window for all tests, which fetches the code of a page once."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = started.new_context(viewport={"width": 1280, "height": 900})
        opened.set_default_timeout(PATIENCE * 1000)
        yield opened
        started.close()


@pytest.fixture(scope="session")
def requests_elsewhere(context: Any) -> list[str]:
    """Addresses outside this machine that any page has asked for."""
    found: list[str] = []

    def asked(request: Any) -> None:
        if request.url.startswith(("http", "ws")) and "127.0.0.1" not in request.url:
            found.append(request.url)

    context.on("request", asked)
    return found


@pytest.fixture(scope="session")
def faults(context: Any) -> list[str]:
    """What went wrong in any page."""
    found: list[str] = []
    context.on("weberror", lambda error: found.append(str(error.error)))
    return found


@pytest.fixture
def page(context: Any, requests_elsewhere: list[str], faults: list[str]) -> Iterator[Any]:
    """A page of its own."""
    made = context.new_page()
    yield made
    made.close()
    assert faults == []
    assert requests_elsewhere == []


@pytest.fixture(scope="session")
def explorer(
    context: Any, page_address: str, requests_elsewhere: list[str], faults: list[str]
) -> Iterator[Driven]:
    """The explorer's page, opened once."""
    opened = context.new_page()
    opened.goto(page_address, wait_until="commit")
    driven = Driven(opened)
    driven.wait_until_shown()
    yield driven
    opened.close()


@pytest.fixture
def driven(explorer: Driven, requests_elsewhere: list[str], faults: list[str]) -> Iterator[Driven]:
    """The explorer's page as it is at first; a panel that a test turns to starts over, too."""
    explorer.open_cohort(EMBEDDED)
    explorer.page.set_viewport_size({"width": 1280, "height": 900})
    explorer.start("Survival")
    yield explorer
    assert faults == []
    assert requests_elsewhere == []
    assert explorer.faults == []
