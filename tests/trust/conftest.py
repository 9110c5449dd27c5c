"""Made once: results of a cohort that means harm, a server that remembers who asks it, results to share."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from command import compendium
from harm import hostile_cohort

NAME = "rdmas_reconstructed"


@dataclass
class Canary:
    """A server on this machine.

    Attributes:
        address: where it is.
        asked: paths that somebody asked for.
    """

    address: str
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def canary() -> Iterator[Canary]:
    """A server that nothing may ask; tests look whether something did."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def send_error(self, *_: object) -> None:
            told.asked.append(self.requestline)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told = Canary(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield told
    server.shutdown()


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory, canary: Canary) -> Path:
    """Output folder of the embedded cohort with words that mean harm."""
    folder = tmp_path_factory.mktemp("hostile")
    hostile_cohort(folder / "cohort", canary.address)
    done = compendium("run", folder / "cohort", "--output", folder / "output")
    assert done.returncode == 0, done.stderr
    assert canary.asked == []
    return folder / "output"


@contextlib.contextmanager
def once(tmp_path_factory: pytest.TempPathFactory, name: str) -> Iterator[tuple[Path, bool]]:
    """A folder that all workers of a session share, and whether it has still to be filled."""
    base = tmp_path_factory.getbasetemp()
    place = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    with (place / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        filled = place / f"{name}.filled"
        yield place / name, not filled.exists()
        filled.touch()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder as a run of the embedded cohort leaves it; nobody changes it."""
    with once(tmp_path_factory, "made") as (output, empty):
        if empty:
            done = compendium("run", NAME, "--output", output)
            assert done.returncode == 0, done.stderr
    return output


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, made: Path) -> Path:
    """What may be shared of it, made by the command."""
    folder = made / "shared"
    with once(tmp_path_factory, "shared") as (_, empty):
        if empty:
            done = compendium("share", NAME, "--to", folder, "--output", made)
            assert done.returncode == 0, done.stdout + done.stderr
    return folder
