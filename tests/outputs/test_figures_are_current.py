"""The committed figures are those that the notebooks draw now."""

import math
import os
import re
from pathlib import Path

import pytest

from helpers.cohort.config import load_config
from helpers.report.figures.compose import compose_figure_1
from helpers.report.figures.output.export import encoded
from helpers.report.figures.output.publish import drawn
from helpers.report.figures.output.recipes import SUFFIX, read_recipe, recipe_names
from helpers.report.journals.requirements import journal_named

ROOT = Path(__file__).parents[2]
COHORT = "rdmas_reconstructed"
FOLDER = ROOT / "data" / "cohorts" / COHORT
PRODUCED = os.environ.get("COMPENDIUM_PRODUCED")
COMMITTED = sorted((ROOT / "figures" / COHORT).glob("*.svg"))
COMPOSED = "figure_1"  # of panels, by a step of its own
NUMBER = re.compile(r"-?\d+\.\d+|-?\d+")

fresh = pytest.mark.skipif(not PRODUCED, reason="COMPENDIUM_PRODUCED names no folder of fresh results")


def _same(stored: str, drawing: str) -> bool:
    """Compare two SVG files; coordinates may differ by a hundredth of a point between machines."""
    if NUMBER.split(stored) != NUMBER.split(drawing):
        return False
    pairs = zip(NUMBER.findall(stored), NUMBER.findall(drawing), strict=True)
    return all(old == new or math.isclose(float(old), float(new), abs_tol=0.01) for old, new in pairs)


def _drawing(name: str, folder: Path) -> str:
    """A figure as SVG, drawn from the recipe that a notebook has kept."""
    results = Path(str(PRODUCED)) / "results" / COHORT
    if name == COMPOSED:
        compose_figure_1(FOLDER, results, folder)
        return (folder / f"{name}.svg").read_text(encoding="utf-8")
    recipe = read_recipe(results / "data" / "recipes" / f"{name}{SUFFIX}")
    journal = journal_named(load_config(FOLDER).report.journal)
    with drawn(recipe, journal) as figure:
        contents, _ = encoded(figure, recipe.description, formats=("svg",), dpi=journal.dpi)
    return contents["svg"].decode()


@fresh
@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_a_committed_figure_is_drawn_alike_now(path, tmp_path):
    assert _same(path.read_text(encoding="utf-8"), _drawing(path.stem, tmp_path)), (
        "run `make refresh`, commit"
    )


@fresh
def test_every_figure_of_the_notebooks_is_committed():
    names = recipe_names(Path(str(PRODUCED)) / "results" / COHORT / "data" / "recipes")
    assert {*names, COMPOSED} == {path.stem for path in COMMITTED}
    assert len(names) >= 16


def test_a_moved_mark_and_a_changed_word_are_differences():
    stored = '<text x="10.25">HR 0.31</text>'
    assert _same(stored, '<text x="10.254">HR 0.31</text>')
    assert not _same(stored, '<text x="10.35">HR 0.31</text>')
    assert not _same(stored, '<text x="10.25">RR 0.31</text>')
