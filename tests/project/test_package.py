"""The package alone: what a wheel holds, and a project folder made of it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from command import ROOT, compendium

from helpers.project.template import TemplateError, make_project, template_files

UV = Path(sys.executable).with_name("uv")


def tracked(*places: str) -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", *places], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return set(listed.stdout.split())


def test_a_new_project_has_the_files_of_the_repository_and_no_cohort_beside_them(tmp_path):
    wanted = tracked("notebooks", "data", "pyproject.toml", "uv.lock", ".gitignore", "LICENSE", "LICENSES.md")
    if not wanted:
        pytest.skip("no repository")
    assert set(template_files()) == wanted
    made = make_project(tmp_path / "study")
    assert {path.relative_to(tmp_path / "study").as_posix() for path in made} == wanted
    assert (tmp_path / "study" / "notebooks" / "pipeline.toml").read_bytes() == (
        ROOT / "notebooks" / "pipeline.toml"
    ).read_bytes()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(TemplateError, match="is not empty"):
        make_project(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    done = compendium("init", tmp_path)
    assert done.returncode == 1
    assert "Name a new folder" in done.stderr


def test_the_version_is_said_in_both_ways():
    said = f"compendium {version('rdmas-compendium')}\n"
    assert compendium("--version").stdout == said
    done = subprocess.run(
        [sys.executable, "-m", "helpers", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == said


@pytest.mark.slow
def test_a_wheel_in_an_empty_folder_becomes_a_project_whose_run_ends(tmp_path):
    """Install, init, run, a cohort from the template, report: with nothing of the checkout at hand."""
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("COMPENDIUM_", "PYTHON", "VIRTUAL_ENV", "UV_"))}  # fmt: skip

    def run(*command: object, cwd: Path = tmp_path) -> str:
        done = subprocess.run(
            list(map(str, command)), cwd=cwd, env=clean, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(UV, "build", "--quiet", "--wheel", "--out-dir", tmp_path / "dist", ROOT, cwd=ROOT)
    [wheel] = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "helpers/py.typed" in names
    assert len([name for name in names if name.startswith("helpers/project_template/")]) == len(
        template_files()
    )
    locked = run(
        UV, "export", "--frozen", "--no-dev", "--no-hashes", "--no-emit-project", "--quiet", cwd=ROOT
    )
    (tmp_path / "locked.txt").write_text(locked, encoding="utf-8")
    run(UV, "venv", "--quiet", "--python", sys.executable, tmp_path / "env")
    python = tmp_path / "env" / "bin" / "python"
    run(UV, "pip", "install", "--quiet", "--python", python, wheel, "-c", tmp_path / "locked.txt")
    program, study = python.with_name("compendium"), tmp_path / "study"
    run(program, "init", study)
    said = run(program, "run", cwd=study)
    assert "15 steps: 15 executed" in said
    report = study / "results" / "rdmas_reconstructed" / "report.html"
    assert "Survival at day 56" in report.read_text(encoding="utf-8")
    assert "as recorded" in run(program, "verify", "results/rdmas_reconstructed", cwd=study)
    run(program, "new", "own", "--template", cwd=study)
    assert list((study / "data" / "cohorts" / "own").glob("*.xlsx"))
    ours = ROOT / "results" / "rdmas_reconstructed" / "statistics"
    for path in sorted(ours.glob("*.csv")):
        assert (
            study / "results" / "rdmas_reconstructed" / "statistics" / path.name
        ).read_bytes() == path.read_bytes()
