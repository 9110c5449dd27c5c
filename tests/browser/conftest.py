"""A browser, JupyterLab and the explorer's own page, started as users start them."""

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

ROOT = Path(__file__).parents[2]
COMPENDIUM = Path(sys.executable).with_name("compendium")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 300.0  # seconds; a busy machine is slow, not broken


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
def served(arguments: list[str], output: Path, ready: str) -> Iterator[str]:
    """Start a server of the project and yield its address; it ends with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"COMPENDIUM_OUTPUT": str(output), "COMPENDIUM_PROJECT": str(ROOT)}
    log = output / f"server-{port}.log"
    with log.open("w") as told:
        process = subprocess.Popen(
            [str(COMPENDIUM), "lab", *arguments, "--no-browser", f"--port={port}"],
            cwd=ROOT, env=environment, stdout=told, stderr=subprocess.STDOUT, start_new_session=True,
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
def lab_address(output: Path) -> Iterator[str]:
    arguments = ["--ServerApp.token=", "--ServerApp.password=", "--ServerApp.allow_root=True"]
    with served(arguments, output, "/api") as address:
        yield address


@pytest.fixture(scope="session")
def page_address(output: Path) -> Iterator[str]:
    with served(["--page", "--Voila.ip=127.0.0.1"], output, "/static/favicon.ico") as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def requests_elsewhere() -> list[str]:
    """Addresses outside this machine that a page has asked for."""
    return []


@pytest.fixture
def faults() -> list[str]:
    """What went wrong in a page."""
    return []


@pytest.fixture
def page(browser: Any, requests_elsewhere: list[str], faults: list[str]) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE * 1000)
    made = context.new_page()

    def asked(request: Any) -> None:
        if request.url.startswith(("http", "ws")) and "127.0.0.1" not in request.url:
            requests_elsewhere.append(request.url)

    made.on("request", asked)
    made.on("pageerror", lambda error: faults.append(str(error)))
    yield made
    context.close()
