"""The command line, for tests that begin where the user does."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import IO

from helpers.kernels.fork_server.client import SOCKET_VARIABLE, ForkServer, available, fork

ROOT = Path(__file__).parents[1]


def compendium(
    *arguments: object, figures: str = "", project: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """The command, its kernels too, forked from a warm process of these tests: imports would take longer.

    Args:
        *arguments: what stands behind ``compendium``.
        figures: formats that figures are drawn in.
        project: the one that notebooks and cohorts are looked for in.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith("COMPENDIUM_")}
    env |= {"COMPENDIUM_FIGURE_FORMATS": figures} if figures else {}
    env |= {"COMPENDIUM_PROJECT": str(project)} if project != ROOT else {}
    words = list(map(str, arguments))
    if not available():
        command = [sys.executable, "-m", "helpers.commands.cli", *words]
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    address = str(warm_process().socket)
    called = {"args": words, "prog_name": "compendium"}
    order = {"function": "helpers.commands.cli:app", "arguments": called, "paths": []}
    env |= {SOCKET_VARIABLE: address}
    with tempfile.TemporaryFile("w+b") as out, tempfile.TemporaryFile("w+b") as err:
        status = fork(address, {"call": order}, env, str(ROOT), (out.fileno(), err.fileno())).wait()
        return subprocess.CompletedProcess(words, status, _text(out), _text(err))


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


@cache
def warm_process() -> ForkServer:
    """The process that commands and kernels of these tests are forked from."""
    process = ForkServer()
    atexit.register(process.close)
    return process
