"""The map of exhibits names every figure and table of the plan, and statistics that are there."""

import re
from pathlib import Path

import pytest

from helpers.run.plan import load_plan

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "exhibits.md").read_text(encoding="utf-8")
ROWS = [line.split("|")[1:-1] for line in TEXT.split("\n") if re.match(r"\| .*\| `(figure|table)_", line)]
EXHIBITS = {cells[1].strip().strip("`"): [cell.strip() for cell in cells] for cells in ROWS}
PLAN = load_plan(ROOT / "notebooks" / "pipeline.toml")


def products():
    """Exhibits of the plan by name, with the step that writes each."""
    found = {}
    for step in PLAN:
        for path in step.writes:
            folder, _, name = path.partition("/")
            if folder in ("figures", "tables") and re.match(r"(figure|table)_", name):
                found[Path(name).stem] = step.name
    return found


def test_every_exhibit_of_the_plan_is_mapped_and_no_other():
    assert set(EXHIBITS) == set(products())


@pytest.mark.parametrize("name", sorted(EXHIBITS))
def test_the_notebook_named_is_the_one_that_writes_it(name):
    assert products()[name] in EXHIBITS[name][2]


@pytest.mark.parametrize("name", sorted(EXHIBITS))
def test_the_statistics_named_are_stored_by_the_package(name):
    stored = {
        line.partition(".")[0]
        for path in (ROOT / "results" / "rdmas_reconstructed" / "statistics").glob("*.csv")
        for line in path.read_text(encoding="utf-8").split("\n")[1:]
    }
    named = set(re.findall(r"`(\w+)\.`", EXHIBITS[name][3]))
    assert named <= stored, named - stored


def test_every_figure_has_a_recipe_in_the_plan():
    recipes = {Path(path).stem for step in PLAN for path in step.writes if path.startswith("data/recipes/")}
    assert recipes == {name for name in products() if name.startswith("figure_")}
