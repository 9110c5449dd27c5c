"""All figures of the embedded cohort can be drawn for a journal, and the files have no fault."""

import os
from pathlib import Path

import pytest

from helpers.report.figures.output.redraw import chosen_figures, drawing_pool, redraw
from helpers.report.journals.requirements import journal_named

COHORT = "rdmas_reconstructed"
ROOT = Path(os.environ.get("COMPENDIUM_PRODUCED") or Path(__file__).parents[2])
RECIPES = ROOT / "results" / COHORT / "data" / "recipes"


@pytest.mark.parametrize("name", ["frontiers", "nature"])
def test_figures_of_the_embedded_cohort_have_no_fault(name, tmp_path):
    if not RECIPES.is_dir():
        pytest.skip("the embedded cohort has not been run here")
    names = chosen_figures(RECIPES, [])
    assert len(names) >= 16
    with drawing_pool(len(names)) as pool:
        drawn = redraw(RECIPES, names, tmp_path, journal_named(name), check=True, pool=pool)
    assert [str(fault) for figure in drawn for fault in figure.faults] == []
