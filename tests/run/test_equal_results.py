"""The embedded cohort has the same bytes from ordinary and forked kernels and any number of workers."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

VARIABLES = {
    "JUPYTER_DEFAULT_PROVISIONER_NAME",
    "COMPENDIUM_FORK_SERVER",
    "COMPENDIUM_PROJECT",
    "COMPENDIUM_OUTPUT",
}
PRIVATE = {".compendium"}


def run(output: Path, workers: int, **variables: str) -> dict[str, str]:
    """Digests of all that a run of the embedded cohort writes, by path."""
    env = {name: value for name, value in os.environ.items() if name not in VARIABLES} | variables
    command = [sys.executable, "-m", "helpers.commands.cli", "run", "--output", str(output)]
    subprocess.run([*command, "--workers", str(workers)], env=env, check=True, capture_output=True)
    files = (path for path in sorted(output.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if not PRIVATE & set(path.relative_to(output).parts)
    }


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What ordinary kernels give, two at a time."""
    output = tmp_path_factory.mktemp("ordinary")
    found = run(output, 2, JUPYTER_DEFAULT_PROVISIONER_NAME="local-provisioner")
    assert sum(path.startswith("figures/") for path in found) > 50
    assert sum("/statistics/" in path for path in found) >= 7
    return found


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_forked_kernels_give_the_bytes_of_ordinary_ones(
    ordinary: dict[str, str], tmp_path: Path, workers: int
) -> None:
    found = run(tmp_path, workers)
    different = sorted(path for path in {*found, *ordinary} if found.get(path) != ordinary.get(path))
    assert different == []
