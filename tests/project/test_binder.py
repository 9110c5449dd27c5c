"""What Binder installs is what the lock says, and its start-up finds the project's settings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.commands.lab import JUPYTER

ROOT = Path(__file__).parents[2]
BINDER = ROOT / ".binder"
UV = Path(sys.executable).with_name("uv")


def test_the_requirements_are_those_of_the_lock() -> None:
    if not UV.exists():
        pytest.skip("uv is not in this environment")
    options = re.search(r"^BINDER := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert options
    command = [str(UV), *options[1].split()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    committed = (BINDER / "requirements.txt").read_text(encoding="utf-8")
    assert committed.splitlines() == done.stdout.splitlines(), "run `make binder`"
    assert all("==" in line for line in committed.splitlines() if line[0] not in " #")


def test_python_is_one_that_the_project_runs_on() -> None:
    assert (BINDER / "runtime.txt").read_text(encoding="utf-8").strip() in {
        "python-3.11", "python-3.12", "python-3.13",
    }  # fmt: skip


def test_what_is_started_finds_the_settings() -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER_")}
    shown = 'echo "$JUPYTER_PATH|$JUPYTER_CONFIG_PATH"'
    done = subprocess.run(
        [str(BINDER / "start"), "bash", "-c", shown], cwd=ROOT, capture_output=True, text=True, check=True,
        env=kept | {"JUPYTER_PATH": "/elsewhere"},
    )  # fmt: skip
    assert done.stdout.strip() == f"{JUPYTER}:/elsewhere|{JUPYTER}"
    assert os.access(BINDER / "postBuild", os.X_OK)
