"""Marks that several figures share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.figures.output.drawings import drawing
from helpers.report.figures.style import GREY, INK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure


@drawing
def say_absent(container: Figure | SubFigure, message: str) -> None:
    """Fill the figure with a sentence that says why there is nothing to draw."""
    import textwrap

    container.text(
        0.5, 0.5, textwrap.fill(message, 44), ha="center", va="center", color=GREY, linespacing=1.5
    )


def count_rows(
    axes: Axes,
    positions: Sequence[float],
    rows: Sequence[tuple[str, Sequence[object]]],
    colours: Sequence[str],
    *,
    title: str,
) -> None:
    """Turn ``axes`` into a table of counts under a plot: one column a position.

    Args:
        axes: an axes below the plot that shares its horizontal axis.
        positions: where the columns stand, in data units.
        rows: label and counts of each row, from above.
        colours: colour of each row.
        title: what is counted.
    """
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), labels=[label for label, _ in rows])
    for colour, tick in zip(colours, axes.get_yticklabels(), strict=True):
        tick.set_color(colour)
    axes.tick_params(axis="both", length=0, labelbottom=False)
    widest = max((len(str(counts[0])) for _, counts in rows if len(counts)), default=1)
    axes.tick_params(axis="y", pad=4 + 2.5 * widest)  # the first count reaches half its width to the left
    axes.spines[:].set_visible(False)
    axes.patch.set_alpha(0)
    axes.set_title(title, fontweight="normal", color=INK, pad=2)
    for line, (_, counts) in enumerate(rows):
        for position, count in zip(positions, counts, strict=True):
            axes.text(position, line, str(count), ha="center", va="center")
