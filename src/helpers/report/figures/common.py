"""Marks that several figures share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.report.figures.output.drawings import drawing
from helpers.report.figures.style import GREY, INK, MM_PER_INCH, character_mm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.patheffects import AbstractPathEffect

    from helpers.cohort.config import CohortConfig

_SHARE_OF_AXES = 0.75  # of a panel's width; the rest is its vertical axis
_BETWEEN_COUNTS = 0.8  # of a character: digits are as wide as the mean
_GAP_CHARACTERS = 0.5  # a little less than a space between words
_NARROW = 0.9  # words of a legend have more narrow letters than the mean
_SIGN = 4  # characters that the sign of a legend takes
LONG_NAME = 18  # characters of the longest name that stands beside counts
_NAME = 22  # characters of a group's name on one line


def wrapped(name: str, width: int = _NAME) -> str:
    """Return a name on as many lines as it needs, of at most `width` characters unless a word is longer.

    >>> wrapped("Ruxolitinib and etoposide", 12).splitlines()
    ['Ruxolitinib', 'and', 'etoposide']
    """
    import textwrap

    return "\n".join(textwrap.wrap(name, max(1, width), break_long_words=False)) or name


def long_names(config: CohortConfig, groups: Sequence[str]) -> bool:
    """Return whether the short names of these groups are too long to stand beside something.

    >>> long_names(config, config.group_ids)
    False
    """
    return any(len(config.group(group).short_label) > LONG_NAME for group in groups)


def day_0_title(unit: str, config: CohortConfig, groups: Sequence[str], width: float = 2 * _NAME) -> str:
    """Return the title of a time axis: the unit and what day 0 is in each group, long names by their roles.

    >>> from types import SimpleNamespace as S
    >>> day_0_title("Days", S(group=lambda name: S(short_label=name, day0="diagnosis")), ["a", "b"])
    'Days since diagnosis'
    """
    found = {group: config.group(group) for group in groups}
    starts = {group.day0 for group in found.values()}
    if len(starts) == 1:
        return wrapped(f"{unit} since {starts.pop()}", int(width))
    long = long_names(config, groups)
    lines = [f"{group.role if long else group.short_label}: {group.day0}" for group in found.values()]
    return "\n".join([f"{unit} since day 0", *(wrapped(line, int(width)) for line in lines)])


def marks_legend(
    container: Figure | SubFigure, handles: Sequence[Artist], *, columns: int = 2, title: str = ""
) -> None:
    """Put a legend below everything else: each kind of mark that is drawn, once.

    Args:
        container: what it belongs to.
        handles: artists with labels, as they are drawn.
        columns: the most that stand side by side; fewer where they have no room.
        title: stands above, in the middle; the title of the axes above where they share one.

    >>> marks_legend(container, [interval_handle()])
    >>> len(container.legends), len(halo())
    (1, 1)
    """
    if not handles and not title:
        return
    longest = max((len(str(handle.get_label())) for handle in handles), default=0) + _SIGN
    fitting = int(size_mm(container)[0] / (_NARROW * character_mm() * longest))
    container.legend(
        handles=handles, loc="outside lower center", ncols=max(1, min(columns, fitting, len(handles))),
        handlelength=1.8, columnspacing=1.4, title=title or None,
    )  # fmt: skip


def interval_handle(colour: str = GREY) -> Artist:
    """Return the sign of a shaded confidence interval for a legend."""
    from matplotlib.patches import Patch

    return Patch(facecolor=colour, alpha=0.25, linewidth=0, label="Confidence interval")


def halo() -> list[AbstractPathEffect]:
    """Return a white edge around letters that stand on something drawn."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=1.6, foreground="white")]


def size_mm(container: Figure | SubFigure) -> tuple[float, float]:
    """Return width and height of a figure or a part of one.

    >>> [round(side, 1) for side in size_mm(container)], room_for_text(container, 2) > 20
    ([177.8, 127.0], True)
    """
    figure = container.get_figure(root=True)
    assert figure is not None
    width, height = container.bbox.width, container.bbox.height
    return float(width / figure.dpi * MM_PER_INCH), float(height / figure.dpi * MM_PER_INCH)


def room_for_text(container: Figure | SubFigure, panels: int) -> float:
    """Return how many characters fit side by side under one of `panels` equal panels."""
    return _SHARE_OF_AXES * size_mm(container)[0] / panels / character_mm()


def label_every(labels: Sequence[str], places: int, room: float) -> int:
    """Return 1 if labels at all places fit, 2 if those at every second one do, and so on.

    Args:
        labels: those to be written; the longest decides.
        places: how many places stand at equal distances, the first and the last at the ends of the axis.
        room: characters that fit along the axis.

    >>> label_every(["week 1"] * 9, 9, 70), label_every(["week 1"] * 9, 9, 30)
    (1, 2)
    """
    longest = max((len(label) for label in labels), default=0)
    return max(1, math.ceil((longest + _BETWEEN_COUNTS) * (places - 1) / room))


def spaced(places: Sequence[float], labels: Sequence[str], room: float) -> list[int]:
    """Return which of the labels at these places can stand side by side: the first, the last, and between
    them from the left those that touch neither their neighbour nor the last.

    Args:
        places: in order, in data units of an axis that they span.
        labels: one a place.
        room: characters that fit along the axis.

    >>> spaced([0, 7, 14, 21, 56], ["0", "1w", "2w", "3w", "8w"], 40)
    [0, 1, 2, 3, 4]
    >>> spaced([0, 1, 2, 100], ["0", "1d", "2d", "100d"], 20)
    [0, 3]
    """
    if len(places) < 2 or places[-1] == places[0]:
        return list(range(min(1, len(places))))
    scale = room / (places[-1] - places[0])

    def clear(left: int, right: int) -> bool:
        wide = (len(labels[left]) + len(labels[right])) / 2 + _GAP_CHARACTERS
        return (places[right] - places[left]) * scale >= wide

    last, kept = len(places) - 1, [0]
    for place in range(1, last):
        if clear(kept[-1], place) and clear(place, last):
            kept.append(place)
    return [*kept, last] if clear(kept[-1], last) else kept


def name_places(axes: Axes, places: Sequence[float], labels: Sequence[str], width: float) -> None:
    """Put names at places of the horizontal axis: in lines of `width` characters, or slanted.

    Names slant where a word of theirs is longer than a line.

    >>> name_places(axes, [0, 1], ["Week 1", "Week 8"], 12)
    >>> [label.get_text() for label in axes.get_xticklabels()]
    ['Week 1', 'Week 8']
    """
    words = max((len(word) for label in labels for word in label.split()), default=0)
    if words <= width:
        axes.set_xticks(places, labels=[wrapped(label, int(width)) for label in labels])
        return
    axes.set_xticks(places, labels=labels, rotation=45, ha="right", rotation_mode="anchor")


def name_rows(axes: Axes, names: Sequence[str], bold: Sequence[bool] = ()) -> None:
    """Name the rows 0, 1, ... of an axes at its left edge; those that `bold` says are set in bold.

    Ticks would do the same, but each has two marks and a line besides, and the layout asks all of them for
    their place time and again: a third of the time of drawing.

    >>> name_rows(axes, ["Age", "Sex"])
    >>> [text.get_text() for text in axes.texts]
    ['Age', 'Sex']
    """
    from matplotlib.transforms import ScaledTranslation

    figure = axes.get_figure(root=True)
    assert figure is not None
    axes.set_yticks([])
    left = axes.get_yaxis_transform() + ScaledTranslation(-4 / 72, 0, figure.dpi_scale_trans)
    for y, name in enumerate(names):
        weight = "bold" if bold and bold[y] else "normal"
        axes.text(0, y, name, ha="right", va="center_baseline", fontweight=weight, transform=left)


@drawing
def say_absent(container: Figure | SubFigure, message: str) -> None:
    """Fill the figure with a sentence that says why there is nothing to draw.

    >>> say_absent(container, "No response was recorded.")
    >>> container.texts[0].get_text()
    'No response was recorded.'
    """
    import textwrap

    container.text(
        0.5, 0.5, textwrap.fill(message, 44), ha="center", va="center", color=GREY, linespacing=1.5
    )


@dataclass(frozen=True)
class CountRow:
    """One row of counts below a plot.

    Attributes:
        label: stands left of the counts.
        group: whose counts they are.
        texts: one a column.
        header: stands above the row, over the plot's whole width; for names that are too long for the side.
    """

    label: str
    group: str
    texts: list[str]
    header: str = ""

    @property
    def lines(self) -> int:
        """Lines of text that the row takes with its header."""
        return 1 + (self.header.count("\n") + 1 if self.header else 0)


def count_rows(
    axes: Axes,
    positions: Sequence[float],
    rows: Sequence[CountRow],
    colours: Sequence[str],
    *,
    title: str,
) -> None:
    """Turn ``axes`` into a table of counts under a plot: one column a position.

    Args:
        axes: an axes below the plot that shares its horizontal axis.
        positions: where the columns stand, in data units.
        rows: from above.
        colours: colour of each row.
        title: what is counted.

    >>> count_rows(
    ...     axes,
    ...     [0, 56],
    ...     [CountRow("Treated", "treated", ["20", "19"])],
    ...     ["black"],
    ...     title="Number at risk",
    ... )
    >>> "19" in [text.get_text() for text in axes.texts]
    True
    """
    total = sum(row.lines for row in rows)
    axes.set_ylim(total - 0.5, -0.5)
    axes.tick_params(axis="both", length=0, labelbottom=False)
    widest = max((len(row.texts[0]) for row in rows if row.texts), default=1)
    axes.tick_params(axis="y", pad=4 + 2.5 * widest)  # the first count reaches half its width to the left
    axes.spines[:].set_visible(False)
    axes.patch.set_alpha(0)
    axes.set_title(title, fontweight="normal", color=INK, pad=2)
    line, ticks = 0, []
    for row, colour in zip(rows, colours, strict=True):
        if row.header:
            height = row.lines - 1
            axes.text(
                0, line + (height - 1) / 2, row.header, transform=axes.get_yaxis_transform(), color=colour,
                va="center", linespacing=1.1,
            )  # fmt: skip
        line += row.lines
        ticks.append(line - 1)
        for position, count in zip(positions, row.texts, strict=True):
            axes.text(position, line - 1, count, ha="center", va="center")
    axes.set_yticks(ticks, labels=[row.label for row in rows])
    for colour, tick in zip(colours, axes.get_yticklabels(), strict=True):
        tick.set_color(colour)
