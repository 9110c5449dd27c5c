"""`compendium figures`: brings results up to date, draws from recipes, checks the files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner

from helpers.cohort.report_settings import Report
from helpers.commands.cli import app
from helpers.project.paths import CohortPaths
from helpers.report.figures.common import say_absent
from helpers.report.figures.output.export import FORMATS
from helpers.report.figures.output.publish import publish_figure


@dataclass
class Place:
    paths: CohortPaths
    watermark: str = ""
    report: Report = field(default_factory=Report)
    figure_formats: tuple[str, ...] = FORMATS

    @property
    def figures(self) -> Path:
        return self.paths.figures

    @property
    def recipes(self) -> Path:
        return self.paths.recipes


def figures(*arguments: str):
    return CliRunner().invoke(app, ["figures", "small", *arguments])


@pytest.fixture
def recipe(project, fake_kernels):
    def write(name: str, column="single", message="Nothing here") -> CohortPaths:
        paths = CohortPaths.of("small")
        publish_figure(Place(paths), name, column, 50, "Plain", say_absent, message)
        return paths

    return write


def test_figures_are_drawn_for_the_journal_after_the_run(recipe, fake_kernels) -> None:
    paths = recipe("plain")
    answer = figures("--journal", "nature", "--check")
    assert answer.exit_code == 0, answer.stderr
    assert fake_kernels, "the results were brought up to date"
    assert "1 figure for Nature in figures/small/nature/ (pdf)" in answer.stdout
    assert "1 files checked: no faults" in answer.stdout
    assert "Not checked at the journal's page: one_and_a_half" in answer.stdout
    assert [path.name for path in (paths.figures / "nature").iterdir()] == ["plain.pdf"]
    fake_kernels.clear()
    assert figures("--journal", "nature").exit_code == 0
    assert fake_kernels == [], "a second time nothing is analysed"


def test_many_figures_are_drawn_by_two_processes(recipe) -> None:
    for name in ("one", "two", "three", "four", "five"):
        paths = recipe(name)
    assert figures("--journal", "plos").exit_code == 0
    assert len(list((paths.figures / "plos").glob("*.tiff"))) == 5


def test_only_the_figures_asked_for_are_drawn(recipe) -> None:
    recipe("one")
    paths = recipe("two")
    assert figures("--journal", "plos", "--figure", "two").exit_code == 0
    assert [path.name for path in (paths.figures / "plos").iterdir()] == ["two.tiff"]


def test_faults_are_listed_and_leave_with_one(recipe) -> None:
    recipe("wide", message="Wide enough " * 4)
    recipe("long", message="W" * 90)
    answer = figures("--journal", "nature", "--check")
    assert answer.exit_code == 1
    assert "long.pdf: text cut off: found 'WWW" in answer.stderr
    assert "wide.pdf" not in answer.stderr


def test_what_cannot_be_drawn_is_said_in_one_line(recipe) -> None:
    recipe("plain")
    answer = figures("--journal", "plos", "--figure", "figure_9")
    assert answer.exit_code == 1
    assert answer.stderr.startswith("No recipe of figure_9. Figures that can be drawn: plain.")
    answer = figures("--journal", "natur")
    assert answer.exit_code == 1
    assert "No journal 'natur'" in answer.stderr
    assert CliRunner().invoke(app, ["figures", "none", "--journal", "plos"]).exit_code == 1
