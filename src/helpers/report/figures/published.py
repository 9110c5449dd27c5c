"""One tile for every printed number of a publication, coloured by what became of it.

>>> ledger = pd.DataFrame(
...     {"section": ["Table 1"] * 2, "verdict": ["follows", "differs"], "mark": ["", ""]}
... )
>>> verdicts_height(ledger) > 0
True
>>> draw_verdicts(container, ledger, statistics)
>>> len(container.axes) > 0
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.figures.common import say_absent
from helpers.report.figures.output.exhibits import figure
from helpers.report.figures.style import GREY, INK
from helpers.results.catalogue import PublishedRows
from helpers.results.store import slug

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from helpers.results.store import Statistics

ABSENT = "This cohort names no publication to be compared with."
PER_LINE = 40
TILE_MM, EDGE_MM = 3.4, 34.0
# Colour, mark and words of each verdict; what needs a look carries a mark as well as a colour.
LOOKS = {
    "constrained": ("#0072B2", "", "Given by the data, which were made to meet it"),
    "follows": ("#009E73", "", "Follows from the data"),
    "declared": ("#9ccbe8", "", "Declared in the settings"),
    "contradicted": ("#E69F00", "≠", "Contradicted by the publication itself"),
    "not computable": ("#d9d9d9", "", "Blank in print, or not computable"),
    "differs": ("#8b1a1a", "×", "Differs"),
}
# Signs of answers that are not quite to what is printed.
MARKS = {
    "by a proxy": ("~", "answered by a proxy"),
    "under an assumed cut-off": ("?", "under an assumed cut-off"),
}
_GAP = 0.12


def verdicts_height(comparison: pd.DataFrame) -> float:
    """Return the height in millimetres of the figure of so many printed values."""
    lines = sum(1.6 + (size - 1) // PER_LINE for size in comparison["section"].value_counts())
    return EDGE_MM + TILE_MM * lines if len(comparison) else 60.0


@figure(
    "figure_3_published",
    "double",
    lambda comparison, _statistics: verdicts_height(comparison),
    "Every printed number of the publication by what became of it",
)
def draw_verdicts(container: Figure | SubFigure, comparison: pd.DataFrame, statistics: Statistics) -> None:
    """Draw a tile a printed value, by section in the order of the ledger, with the stored counts.

    Args:
        container: the figure, or part of one, to draw into.
        comparison: one row a printed value with section and verdict.
        statistics: holds the counts by verdict and section.
    """
    if comparison.empty:
        say_absent(container, ABSENT)
        return
    axes = container.subplots()
    axes.set_axis_off()
    axes.set_aspect("equal")
    top = 0.0
    for section, part in comparison.groupby("section", sort=False):
        total = statistics[PublishedRows.count.id(f"{slug(section)}_all")].value
        axes.text(-0.8, top + 0.5, str(section), ha="right", va="center")
        _tiles(axes, list(zip(part["verdict"], part["mark"], strict=True)), top)
        last = top + (len(part) - 1) // PER_LINE
        axes.text(PER_LINE + 0.8, last + 0.5, f"{total:.0f}", ha="left", va="center", color=GREY)
        top = last + 1.6
    axes.set_xlim(-7.5, PER_LINE + 3.5)
    axes.set_ylim(top, -0.3)
    _legend(container, statistics)


def _tiles(axes: Axes, answers: list[tuple[str, str]], top: float) -> None:
    from matplotlib.patches import Rectangle

    for place, (verdict, told) in enumerate(answers):
        x, y = place % PER_LINE, top + place // PER_LINE
        colour, mark, _ = LOOKS[verdict]
        mark = mark or (MARKS[told][0] if told in MARKS else "")
        size = 1 - 2 * _GAP
        axes.add_patch(Rectangle((x + _GAP, y + _GAP), size, size, facecolor=colour, edgecolor="none"))
        if mark:
            ink = INK if verdict in ("declared", "contradicted", "not computable") else "white"
            axes.text(x + 0.5, y + 0.52, mark, ha="center", va="center", color=ink)


def _legend(container: Figure | SubFigure, statistics: Statistics) -> None:
    from matplotlib.patches import Patch

    handles = []
    for verdict, (colour, mark, words) in LOOKS.items():
        count = statistics[PublishedRows.count.id(slug(verdict))].value
        sign = f" {mark}" if mark else ""
        if count or verdict != "constrained":  # of patients' own data none is
            handles.append(Patch(facecolor=colour, label=f"{words}{sign}: {count:.0f}"))
    for told, (mark, words) in MARKS.items():
        count = statistics[PublishedRows.count.id(slug(told))].value
        if count:
            handles.append(Patch(facecolor="none", label=f"{mark} {words}: {count:.0f}"))
    container.legend(handles=handles, loc="outside lower center", ncols=2, handlelength=1, handleheight=1)
