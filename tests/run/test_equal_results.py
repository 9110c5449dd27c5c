"""A clean run gives the same bytes for every user, path, locale, time zone, disk and number of workers."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import ROOT

pytestmark = pytest.mark.slow

PRIVATE = {".compendium"}
REVERSED = Path(__file__).parent / "reversed_folders"


def project(folder: Path) -> Path:
    """The project without a repository, so that the record of provenance says the same of every copy."""
    for part in ("notebooks", "data"):
        shutil.copytree(ROOT / part, folder / part)
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, folder)
    return folder


def run(root: Path, output: Path, workers: int, **variables: str) -> dict[str, str]:
    """Digests of all that a run of the embedded cohort writes, by path.

    Nothing of the environment of the tests goes along but the way to programs.
    """
    env = {"PATH": os.environ["PATH"], "COMPENDIUM_PROJECT": str(root)} | variables
    command = [sys.executable, "-m", "helpers.commands.cli", "run", "--output", str(output)]
    command += ["--workers", str(workers)]
    done = subprocess.run(command, env=env, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    files = (path for path in sorted(output.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if not PRIVATE & set(path.relative_to(output).parts)
    }


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What ordinary kernels give, two at a time."""
    folder = tmp_path_factory.mktemp("ordinary")
    output, home = folder / "output", folder / "home"
    home.mkdir()
    found = run(
        project(folder / "project"), output, 2, JUPYTER_DEFAULT_PROVISIONER_NAME="local-provisioner",
        HOME=str(home), USER="anna", LOGNAME="anna", USERNAME="anna", LC_ALL="C.UTF-8", TZ="UTC",
        PYTHONHASHSEED="0",
    )  # fmt: skip
    assert sum(path.startswith("figures/") for path in found) > 50
    assert sum("/statistics/" in path for path in found) >= 7
    assert "results/rdmas_reconstructed/ro-crate-metadata.json" in found
    return found


@pytest.mark.parametrize(
    ("workers", "user", "locale", "zone", "seed", "backwards"),
    [
        (1, "Zoë Müller", "C", "Asia/Kathmandu", "1", True),
        (2, "李 雷", "POSIX", "America/St_Johns", "4242", False),
        (4, "root", "C.UTF-8", "Pacific/Kiritimati", "random", True),
    ],
)
def test_another_user_elsewhere_gets_the_same_bytes(
    ordinary: dict[str, str],
    tmp_path: Path,
    workers: int,
    user: str,
    locale: str,
    zone: str,
    seed: str,
    backwards: bool,
) -> None:
    home = tmp_path / f"home of {user}"
    home.mkdir()
    elsewhere = {"PYTHONPATH": str(REVERSED)} if backwards else {}
    root = project(tmp_path / f"Eigene Dateien {workers}" / "巨噬细胞 研究")
    found = run(
        root, tmp_path / "结果 und mehr", workers,
        HOME=str(home), USER=user, LOGNAME=user, USERNAME=user, LC_ALL=locale, LANG=locale, TZ=zone,
        PYTHONHASHSEED=seed, **elsewhere,
    )  # fmt: skip
    different = sorted(path for path in {*found, *ordinary} if found.get(path) != ordinary.get(path))
    assert different == []
