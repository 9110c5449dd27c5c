"""One value a patient by group: a mark for each patient, or bars where marks would lie on one another.

>>> patients = pd.DataFrame({"treated": [1, 0], "event": [False, True], "lag": [3.0, 5.0]})
>>> draw_strip(axes, config, patients, "lag")
>>> len(axes.collections) + len(axes.lines) > 0, len(strip_handles())
(True, 2)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from helpers.report.figures.style import INK, group_styles

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from helpers.cohort.config import CohortConfig
    from helpers.report.figures.style import GroupStyle

_HEIGHT = 0.62  # of the highest stack, where groups stand 1 apart
_STEP = 0.12  # between the marks of patients with one value
_MOST_MARKS = 9  # in a stack of that height, without touching
_BINS = 30


def draw_strip(axes: Axes, config: CohortConfig, patients: pd.DataFrame, column: str) -> None:
    """Draw one value a patient, a row a group; filled where the patient died.

    `patients` has treated (1 or 0), event (whether they died) and `column`, missing where unknown. Equal
    values are stacked. Where a stack would be too high, all groups are drawn as bars on one scale, and the
    height of the tallest is said.
    """
    styles = group_styles(config)
    rows: dict[str, pd.DataFrame] = {}
    for group in config.groups:
        code = 1.0 if group.role == "treated" else 0.0
        rows[group.id] = patients[(patients["treated"] == code) & patients[column].notna()]
    tallest = max((int(rows[name][column].round(2).value_counts().max()) for name in rows if len(rows[name])),
                  default=0)  # fmt: skip
    if tallest <= _MOST_MARKS:
        step = min(_STEP, _HEIGHT / max(1, tallest - 1))
        for y, name in enumerate(rows):
            _marks(axes, -y, rows[name], column, styles[name], step)
    else:
        _bars(axes, rows, column, styles)
    axes.set_yticks([-y for y in range(len(rows))], labels=[group.short_label for group in config.groups])
    axes.set_ylim(0.75 - len(rows), 0.85)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def strip_handles() -> list[Artist]:
    """Return the signs of those who died and of those who did not, for a legend."""
    from matplotlib.lines import Line2D

    return [
        Line2D(
            [], [], marker="o", color=INK, markersize=4, markerfacecolor=face, linestyle="none", label=label
        )
        for face, label in ((INK, "Died"), ("white", "Alive"))
    ]


def _marks(axes: Axes, y: float, mine: pd.DataFrame, column: str, style: GroupStyle, step: float) -> None:
    # The dead first: where the rows stand in the table does not say who lies above.
    mine = mine.sort_values([column, "event"], ascending=[True, False], kind="stable")
    height = mine.groupby(mine[column].round(2)).cumcount() * step
    for died in (False, True):
        part = mine["event"].astype(bool) == died
        axes.plot(
            mine.loc[part, column], y + height[part], style.marker, color=style.colour, markersize=4,
            markerfacecolor=style.colour if died else "white", markeredgewidth=0.8, linestyle="none",
        )  # fmt: skip


def _bars(axes: Axes, rows: dict[str, pd.DataFrame], column: str, styles: dict[str, GroupStyle]) -> None:
    edges = _edges([mine[column].to_numpy(dtype=float) for mine in rows.values()])
    counts = {
        name: [
            np.histogram(mine.loc[mine["event"].astype(bool) == died, column], edges)[0]
            for died in (True, False)
        ]
        for name, mine in rows.items()
    }
    highest = max(int((dead + alive).max()) for dead, alive in counts.values())
    scale = _HEIGHT / highest
    for y, (name, (dead, alive)) in enumerate(counts.items()):
        for count, below, face in ((dead, 0 * dead, styles[name].colour), (alive, dead, "white")):
            there = count > 0
            axes.bar(
                edges[:-1][there], scale * count[there], np.diff(edges)[there], scale * below[there] - y,
                align="edge", facecolor=face, edgecolor=styles[name].colour, linewidth=0.6,
            )  # fmt: skip
    axes.text(0, 1, f"Tallest bar: {highest} patients", transform=axes.transAxes, va="top")


def _edges(values: Sequence[np.ndarray]) -> np.ndarray:
    """Edges of some thirty bins; bins of whole numbers are centred on them."""
    known = np.concatenate(values)
    low, high = known.min(), known.max()
    width = max((high - low) / _BINS, 1e-9)
    if (known == np.round(known)).all():
        width = math.ceil(width)
        low, high = low - 0.5, high + 0.5
    return np.asarray(low + width * np.arange(math.ceil((high - low) / width) + 1))
