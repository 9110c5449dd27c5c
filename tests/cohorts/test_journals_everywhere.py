"""Figures of cohorts of other origin, as four journals get them in both languages, have no fault."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pbc import write_cohort

from helpers.report.figures.fonts.chinese import chinese_fonts
from helpers.report.figures.output.recipes import read_recipe, recipe_names
from helpers.report.figures.output.redraw import redraw_recipe
from helpers.report.journals.requirements import journal_named

sys.path.insert(0, str(Path(__file__).parents[1] / "studies"))
from studies import STUDIES, write_study

pytestmark = pytest.mark.slow

JOURNALS = ("frontiers", "lancet", "nature", "plos")
FEWEST = 22  # figures of a run


@pytest.fixture(scope="module")
def recipes_of(tmp_path_factory, analysed):
    """Folder of the recipes of a cohort, by its name; each is analysed once."""
    kept: dict[str, Path] = {}

    def recipes(name: str) -> Path:
        if name not in kept:
            folder = tmp_path_factory.mktemp("cohorts") / name
            written = write_cohort(folder) if name == "pbc" else write_study(name, folder)
            kept[name] = analysed(written).results / "data" / "recipes"
        return kept[name]

    return recipes


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", ["pbc", *STUDIES])
def test_no_figure_has_a_fault(name, language, recipes_of, tmp_path):
    if language == "zh" and not chinese_fonts():
        pytest.skip("no Chinese font is installed: make chinese-font")
    recipes = recipes_of(name)
    names = recipe_names(recipes)
    assert len(names) >= FEWEST
    faults = [
        (journal, str(fault))
        for figure in names
        for journal in JOURNALS
        for fault in redraw_recipe(
            replace(read_recipe(recipes / f"{figure}.json"), language=language),
            tmp_path / journal,
            journal_named(journal),
            check=True,
        ).faults
    ]
    assert faults == []
