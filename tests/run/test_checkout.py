"""A repository never takes in a cohort or its results, wherever they lie in it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from helpers.commands.cli import app
from helpers.project.checkout import commit, keep_out

RULES = Path(__file__).parents[2] / ".gitignore"


@pytest.fixture
def git(project):
    """Git in the small project, whose files are committed, the cohort with them."""

    def git(*arguments: str) -> str:
        who = ("-c", "user.name=x", "-c", "user.email=x@y.z")
        command = ["git", "-C", str(project.root), *who, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    shutil.copy(RULES, project.root)
    (project.root / "docs").mkdir()
    (project.root / "docs" / "page.md").write_text("text\n")
    git("init", "-q")
    git("add", "-A", "-f")
    git("commit", "-qm", "all")
    return git


@pytest.mark.parametrize("output", ["", "elsewhere", "deep/er/elsewhere", "docs", "notebooks/own"])
@pytest.mark.parametrize("place", ["data/cohorts", "data/hospital", "docs", "."])
def test_a_run_leaves_the_repository_clean(project, git, fake_kernels, place, output) -> None:
    folder = project.cohort("own", project.root / place / "own")
    arguments = ["--output", str(project.root / output)] if output else []
    done = CliRunner().invoke(app, ["run", str(folder), *arguments])
    assert done.exit_code == 0, done.output
    assert len(fake_kernels) == 3
    assert git("status", "--porcelain") == ""
    assert (project.root / output / "results" / "own" / "provenance.json").is_file()


def test_rules_of_the_cohort_s_folder_are_kept_and_added_to_once(project, git, fake_kernels) -> None:
    folder = project.cohort("own", project.root / "data" / "own")
    (folder / ".gitignore").write_text("*.tmp")
    for _ in range(2):
        assert CliRunner().invoke(app, ["run", str(folder), "--force"]).exit_code == 0
    text = (folder / ".gitignore").read_text()
    assert text.startswith("*.tmp\n# Written by compendium")
    assert text.endswith("*\n")
    assert text.count("compendium") == 1
    assert git("status", "--porcelain") == ""


def test_what_is_shipped_is_left_as_it_is(project, git, fake_kernels) -> None:
    assert CliRunner().invoke(app, ["run", "small"]).exit_code == 0
    assert list(project.root.rglob(".gitignore")) == [project.root / ".gitignore"]


def test_outside_of_a_repository_nothing_is_written(tmp_path) -> None:
    folder = tmp_path / "cohort"
    folder.mkdir()
    keep_out(folder)
    assert list(folder.iterdir()) == []
    assert commit(folder) == {}


def test_git_of_a_hook_is_asked_about_the_folder_and_not_about_the_hook_s_repository(
    project, git, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    assert commit(project.root)["clean"] is True
    (project.root / "docs" / "page.md").write_text("edited\n")
    assert commit(project.root)["clean"] is False
