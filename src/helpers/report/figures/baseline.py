"""Balance of the groups at baseline and the combinations of earlier therapies.

>>> labels = {"age": "Age, years", "platelets": "Platelets"}
>>> balance_height(statistics, labels) > 0
True
>>> draw_balance(container, statistics, labels)
>>> draw_therapy_overlaps(
...     container, statistics, config, {"etoposide": "Etoposide", "ivig": "Immunoglobulin"}
... )
>>> len(container.axes) > 1
True
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from helpers.report.figures.common import marks_legend, room_for_text, say_absent, wrapped
from helpers.report.figures.output.exhibits import figure
from helpers.report.figures.style import FAINT, GREY, INK, group_styles
from helpers.results.catalogue import BalanceRows, BaselineRows, PriorTherapyOverlapRows
from helpers.results.format import format_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistic, Statistics

_OUTCOMES = {"death", "died"}
_NAME = 34  # characters of a variable's name on one line
_LEAST = 1.0  # standardised difference that the axis reaches at the least
_SECOND_LINE = 0.75  # rows that each further line of a name takes
_DIGIT = 1.1  # width of a digit with its share of a gap, in mean characters
_EMPTY = "#e3e3e3"
ROW_MM, EDGE_MM = 4.2, 27.0
_ERRORS = 2  # standard errors on either side of 0 within which chance alone leaves most differences


def balance_height(statistics: Statistics, labels: Mapping[str, str]) -> float:
    """Return the height in millimetres at which the rows of all variables can be told apart."""
    rows = _differences(statistics)
    return EDGE_MM + ROW_MM * (_places(_names(rows, labels))[-1] + 1) if rows else 60.0


@figure(
    "figure_s3_balance",
    "one_and_a_half",
    balance_height,
    "Standardised differences at baseline",
    needs=BalanceRows,
)
def draw_balance(container: Figure | SubFigure, statistics: Statistics, labels: Mapping[str, str]) -> None:
    """Draw signed standardised differences of the baseline variables, the largest in size on top.

    A difference without a finite value (all of one group, none of the other) is an arrow at the edge. The
    band reaches two standard errors to either side of 0: what chance alone leaves.

    Args:
        container: where to draw.
        statistics: holds ``baseline.<variable>.both.baseline.standardized_difference`` and, for the band,
            ``balance.standardized_difference.both.baseline.standard_error``.
        labels: label of each variable.
    """
    rows = _differences(statistics)
    if not rows:
        say_absent(container, "There is one group only, so there is no balance to show.")
        return
    axes = container.subplots()
    names = _names(rows, labels)
    places = _places(names)
    finite = [abs(row.value) for row in rows if math.isfinite(row.value)]
    end = max(_LEAST, 1.06 * max(finite, default=0.0))
    error = statistics.find(
        BalanceRows.standard_error, "standardized_difference", group="both", timepoint="baseline"
    )
    if error is not None and error.value == error.value:
        axes.axvspan(-_ERRORS * error.value, _ERRORS * error.value, color=FAINT, alpha=0.3, linewidth=0)
    axes.axvline(0, color=GREY, linewidth=0.7)
    for y, row in zip(places, rows, strict=True):
        value = max(-end, min(end, row.value))
        axes.plot([0, value], [y, y], color=FAINT, linewidth=0.8)
        axes.plot(value, y, _marker(row.value), color=INK, markersize=4.5, clip_on=False, zorder=3)
        axes.annotate(
            format_number(row.value, 2) if math.isfinite(row.value) else "not finite", (1, y),
            xycoords=("axes fraction", "data"), xytext=(4, 0), textcoords="offset points", va="center",
        )  # fmt: skip
    axes.set_yticks(places, labels=names)
    axes.set_ylim(-0.7, places[-1] + 0.7)
    axes.set_xlim(-end, end)
    axes.set_xlabel("Standardised difference\n\u2190 lower in the treated    higher in the treated \u2192")
    axes.tick_params(axis="y", length=0, pad=6)
    marks_legend(container, _balance_legend(rows, error), columns=3)


def _differences(statistics: Statistics) -> list[Statistic]:
    """Return the stored differences, the smallest in size first; death is an outcome."""
    rows = statistics.select(BaselineRows.standardized_difference)
    known = [row for row in rows if row.value == row.value and row.variable not in _OUTCOMES]
    return sorted(known, key=lambda row: (abs(row.value), row.variable))


def _names(rows: Sequence[Statistic], labels: Mapping[str, str]) -> list[str]:
    return [wrapped(labels.get(row.variable, row.variable), _NAME) for row in rows]


def _places(names: Sequence[str]) -> list[float]:
    """Return where rows stand so that names of several lines do not touch their neighbours."""
    places: list[float] = []
    extra = [_SECOND_LINE * name.count("\n") for name in names]
    for i in range(len(names)):
        places.append(places[-1] + 1 + (extra[i - 1] + extra[i]) / 2 if i else extra[0] / 2)
    return places


def _marker(value: float) -> str:
    if math.isfinite(value):
        return "o"
    return ">" if value > 0 else "<"


def _balance_legend(rows: Sequence[Statistic], error: Statistic | None) -> list[Artist]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    look: dict[str, Any] = {"linestyle": "none", "color": INK, "markersize": 4.5}
    handles: list[Artist] = [Line2D([], [], marker="o", label="Difference", **look)]
    if not all(math.isfinite(row.value) for row in rows):
        handles.append(Line2D([], [], marker=">", label="No finite value", **look))
    if error is not None and error.value == error.value:
        words = f"Within {_ERRORS} standard errors of 0"
        handles.append(Patch(facecolor=FAINT, alpha=0.3, linewidth=0, label=words))
    return handles


@figure(
    "figure_s4_prior_therapies",
    "one_and_a_half",
    85,
    "Combinations of earlier therapies by group",
    needs=PriorTherapyOverlapRows,
)
def draw_therapy_overlaps(
    container: Figure | SubFigure, statistics: Statistics, config: CohortConfig, labels: Mapping[str, str]
) -> None:
    """Draw which earlier therapies were combined: a column a combination, a bar a group's patients.

    Args:
        container: where to draw.
        statistics: holds ``prior_therapy_overlap.<combination>.<group>.baseline.n``, the combination's
            therapies joined by ``_and_``.
        config: the cohort's configuration.
        labels: label of each therapy.
    """
    rows = statistics.select(PriorTherapyOverlapRows.n)
    combinations = list(dict.fromkeys(row.variable for row in rows))
    if not combinations:
        say_absent(container, "No earlier therapies are recorded in this cohort.")
        return
    members = {name: [] if name == "none" else name.split("_and_") for name in combinations}
    therapies = [name for name in labels if any(name in parts for parts in members.values())]
    bars, dots = container.subplots(2, 1, sharex=True, height_ratios=[2, max(1.0, 0.42 * len(therapies))])
    _overlap_bars(bars, statistics, combinations, config, room_for_text(container, 1))
    marks_legend(container, _overlap_legend(config))
    bars.tick_params(axis="x", length=0, labelbottom=False)
    dots.tick_params(axis="x", length=0, labelbottom=True, pad=1)
    for x, name in enumerate(combinations):
        marks = [therapies.index(part) for part in members[name] if part in therapies]
        dots.plot([x] * len(therapies), range(len(therapies)), "o", color=_EMPTY, markersize=6)
        dots.plot([x] * len(marks), marks, "-o", color=INK, markersize=6, linewidth=1.2)
    dots.set_yticks(range(len(therapies)), labels=[labels[name] for name in therapies])
    dots.set_ylim(len(therapies) - 0.4, -0.6)
    dots.set_xlim(-0.6, len(combinations) - 0.4)
    empty = [x for x, name in enumerate(combinations) if not members[name]]
    dots.set_xticks(empty, labels=["None of\nthese"] * len(empty))
    dots.tick_params(length=0)
    dots.spines[:].set_visible(False)


def _overlap_bars(
    bars: Axes, statistics: Statistics, combinations: Sequence[str], config: CohortConfig, room: float
) -> None:
    """Draw each group's patients of each combination, the counts upright where they do not fit beside
    each other."""
    from matplotlib.ticker import MaxNLocator

    def count(name: str, group: str) -> float:
        row = statistics.find(PriorTherapyOverlapRows.n, name, group=group, timepoint="baseline")
        return row.value if row else 0

    width = 0.8 / len(config.groups)
    counts = {group: [count(name, group) for name in combinations] for group in config.group_ids}
    digits = max(len(f"{value:.0f}") for values in counts.values() for value in values)
    upright = digits * _DIGIT > room * width / (len(combinations) + 0.2)
    for i, (group, values) in enumerate(counts.items()):
        style, offset = group_styles(config)[group], (i - (len(counts) - 1) / 2) * width
        for x, value in enumerate(values):
            bars.bar(
                x + offset, value, width * 0.92, color=style.colour, hatch=style.hatch, edgecolor="white",
                linewidth=0,
            )  # fmt: skip
            if value:
                bars.annotate(
                    f"{value:.0f}", (x + offset, value), xytext=(0, 1.5), textcoords="offset points",
                    ha="center", va="bottom", rotation=90 if upright else 0,
                )  # fmt: skip
    bars.set_ylabel("Patients")
    bars.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    bars.margins(y=0.3 if upright else 0.16)


def _overlap_legend(config: CohortConfig) -> list[Artist]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Artist] = []
    for group in config.groups:
        style = group_styles(config)[group.id]
        handles.append(
            Patch(
                facecolor=style.colour, hatch=style.hatch, edgecolor="white", linewidth=0,
                label=wrapped(group.label, _NAME),
            )
        )  # fmt: skip
    handles.append(
        Line2D([], [], marker="o", color=INK, markersize=6, linewidth=1.2, label="Received, together")
    )
    handles.append(
        Line2D([], [], linestyle="none", marker="o", color=_EMPTY, markersize=6, label="Not received")
    )
    return handles
