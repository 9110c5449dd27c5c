"""Every mark that a figure draws stands in its legend, and every mark of a legend is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from command import ROOT, compendium
from matplotlib.axis import Tick
from matplotlib.colors import to_hex
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from variants import write_variant

from helpers.report.figures.output.publish import drawn
from helpers.report.figures.output.recipes import read_recipe, recipe_names
from helpers.report.figures.style import GREY
from helpers.report.journals.requirements import journal_named

NAME = "rdmas_reconstructed"
# Marks that are named elsewhere than in a legend: at their panel, at their row of the axis, in the heading.
AT_THEIR_PLACE = {
    "figure_2": {"o", "s"},  # a panel a group
    "figure_s7_effects": {"o", "s", "<", ">"},  # a row an effect; arrows point off the axis
    "figure_s13_lag": {"o", "s"},  # a row a group
    "figure_s14_era": {"o", "s"},  # a row a group
}
# Grey stands for bands in the colour of any group. Verdicts are counted in the legend, also where none is so.
NONE_OF = {"figure_3_published": "#8b1a1a"}


def artists(artist, inside=False):
    """Visible artists with whether they belong to a legend; ticks of axes are left out."""
    inside = inside or isinstance(artist, Legend)
    if isinstance(artist, Tick) or not artist.get_visible():
        return
    yield artist, inside
    for child in artist.get_children():
        yield from artists(child, inside)


def markers(figure, inside):
    """Signs of markers that stand in legends, or outside of them."""
    lines = [one for one, of_legend in artists(figure) if of_legend == inside and isinstance(one, Line2D)]
    signs = {str(line.get_marker()) for line in lines if np.size(line.get_xdata())}
    return signs - {"None", "none", "", " "}


def colours(figure, inside):
    """Colours of lines and areas that stand in legends, or outside of them."""
    found = set()
    for one, of_legend in artists(figure):
        if of_legend != inside:
            continue
        if isinstance(one, Line2D):
            found |= {to_hex(one.get_color()), to_hex(one.get_markerfacecolor())}
        elif isinstance(one, Patch):
            found |= {to_hex(one.get_facecolor()), to_hex(one.get_edgecolor())}
        elif hasattr(one, "get_facecolor") and hasattr(one, "get_edgecolor"):
            both = [*np.atleast_2d(one.get_facecolor()), *np.atleast_2d(one.get_edgecolor())]
            found |= {to_hex(colour) for colour in both if len(colour)}
    return found


@pytest.fixture(scope="module", params=[NAME, "one_group", "nobody_dies"])
def folder(request, tmp_path_factory):
    """Recipes of a cohort's figures, as a run writes them."""
    place = tmp_path_factory.mktemp("recipes")
    cohort = ROOT / "data" / "cohorts" / NAME
    if request.param != NAME:
        cohort = write_variant(request.param, place)
    done = compendium("run", cohort, "--output", place / "output")
    assert done.returncode == 0, done.stderr
    return place / "output" / "results" / cohort.name / "data" / "recipes"


@pytest.mark.slow
def test_marks_are_named_and_what_is_named_is_drawn(folder):
    names = recipe_names(folder)
    assert len(names) > 15
    unnamed, absent = {}, {}
    for name in names:
        with drawn(read_recipe(folder / f"{name}.json"), journal_named("generic")) as figure:
            shown, named = markers(figure, inside=False), markers(figure, inside=True)
            if left := shown - named - AT_THEIR_PLACE.get(name, set()):
                unnamed[name] = left
            fills = colours(figure, inside=True) - colours(figure, inside=False) - {GREY, NONE_OF.get(name)}
            signs = named - shown
            if signs or fills:
                absent[name] = signs | fills
    assert (unnamed, absent) == ({}, {})
