"""Nothing of another cohort than the shipped one gets into the repository."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from helpers.project.private import foreign_cohorts, private_content

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "04_survival.ipynb"


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name]


def test_the_repository_holds_no_private_content() -> None:
    assert private_content(tracked()) == []


def bound(tmp_path: Path, *, source: str = "", output: str = "") -> Path:
    """The survival notebook with other parameters, or with an output printed."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    if source:
        cells[0]["source"] = source
    if output:
        cells[1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": [output]}]
    path = tmp_path / "04_survival.ipynb"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("source", "output", "found"),
    [
        ("", "", []),
        ('cohort = "rdmas_reconstructed@horizon_days=28"', "", []),
        ('cohort = "my_hospital"', "", ["my_hospital"]),
        ('cohort: str = "../patients/my_hospital"', "", ["../patients/my_hospital"]),
        ('cohort = home / "x"', "", ["home / 'x'"]),
        ('study = open_cohort("my_hospital", "04_survival")', "", ["my_hospital"]),
        ("", "what this notebook writes goes to scratch/results/my_hospital@seed=1; the", ["my_hospital"]),
        ("", "what this notebook writes goes to scratch/results/rdmas_reconstructed; the", []),
    ],
)
def test_notebooks_bound_to_another_cohort_are_seen(tmp_path, source, output, found) -> None:
    path = bound(tmp_path, source=source, output=output)
    assert foreign_cohorts(path) == found
    assert len(private_content([path])) == bool(found)


def test_the_hook_refuses_a_commit_and_lets_others_pass(tmp_path) -> None:
    """The hook as configured, called as git calls it, in a repository of its own."""
    configured = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (repository,) = configured["repos"]
    entry = next(hook["entry"] for hook in repository["hooks"] if hook["id"] == "private")
    assert entry.startswith(".venv/bin/python -m ")
    command = [sys.executable, *entry.split()[1:]]
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "rdmas-compendium"\n', encoding="utf-8")
    (tmp_path / "notebooks").mkdir()

    def hook(*names: str) -> tuple[int, str]:
        done = subprocess.run([*command, *names], cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    shutil.copy(NOTEBOOK, tmp_path / "notebooks")
    assert hook("notebooks/04_survival.ipynb", "pyproject.toml", "gone.txt") == (0, "")
    bound(tmp_path / "notebooks", source='cohort = "my_hospital"\nhorizon_days = None')
    for name in ("results/my_hospital/statistics/02.csv", "scratch/x.csv", "data/own/cohort.toml"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("", encoding="utf-8")
        status, said = hook(name)
        assert status == 1
        assert f"leave the file out of the commit: git rm --cached {name}" in said
    status, said = hook("notebooks/04_survival.ipynb")
    assert status == 1
    assert "found the cohort my_hospital, expected rdmas_reconstructed alone" in said
    assert "make refresh" in said
    (tmp_path / "notebooks" / "half.ipynb").write_text('{"cells": [', encoding="utf-8")
    assert "half.ipynb cannot be read as a notebook" in hook("notebooks/half.ipynb")[1]
