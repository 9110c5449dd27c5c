"""Balance of the groups at baseline and the combinations of earlier therapies."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from helpers.report.figures.common import say_absent, wrapped
from helpers.report.figures.style import FAINT, GREY, INK, group_styles
from helpers.results.format import format_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure, SubFigure

    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics

_NAME = 34  # characters of a variable's name on one line
_LEAST = 1.0  # standardised difference that the axis reaches at the least


def draw_balance(container: Figure | SubFigure, statistics: Statistics, labels: Mapping[str, str]) -> None:
    """Draw signed standardised differences of the baseline variables, the largest in size on top.

    Args:
        container: where to draw.
        statistics: holds ``baseline.<variable>.both.baseline.standardized_difference``.
        labels: label of each variable.
    """
    rows = [
        row
        for row in statistics.select(analysis="baseline", statistic="standardized_difference")
        if row.value == row.value and row.variable != "death"
    ]
    if not rows:
        say_absent(container, "There is one group only, so there is no balance to show.")
        return
    rows.sort(key=lambda row: (abs(row.value), row.variable))
    axes = container.subplots()
    values = [row.value for row in rows]
    axes.axvline(0, color=GREY, linewidth=0.7)
    axes.hlines(range(len(rows)), 0, values, color=FAINT, linewidth=0.8)
    axes.plot(values, range(len(rows)), "o", color=INK, markersize=4.5, clip_on=False, zorder=3)
    for y, row in enumerate(rows):
        axes.annotate(
            format_number(row.value, 2), (1, y), xycoords=("axes fraction", "data"), xytext=(4, 0),
            textcoords="offset points", va="center",
        )  # fmt: skip
    names = [wrapped(labels.get(row.variable, row.variable), _NAME) for row in rows]
    axes.set_yticks(range(len(rows)), labels=names)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    farthest = max(_LEAST, 1.06 * max(abs(value) for value in values))
    axes.set_xlim(-farthest, farthest)
    axes.set_xlabel("Standardised difference\n\u2190 lower in the treated    higher in the treated \u2192")
    axes.tick_params(axis="y", length=0, pad=6)


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
    rows = statistics.select(analysis="prior_therapy_overlap", statistic="n")
    combinations = list(dict.fromkeys(row.variable for row in rows))
    if not combinations:
        say_absent(container, "No earlier therapies are recorded in this cohort.")
        return
    members = {name: [] if name == "none" else name.split("_and_") for name in combinations}
    therapies = [name for name in labels if any(name in parts for parts in members.values())]
    styles = group_styles(config)
    bars, dots = container.subplots(2, 1, sharex=True, height_ratios=[2, max(1.0, 0.42 * len(therapies))])
    width = 0.8 / len(config.groups)
    for i, group in enumerate(config.groups):
        offset = (i - (len(config.groups) - 1) / 2) * width
        for x, name in enumerate(combinations):
            row = statistics.find("prior_therapy_overlap", name, "n", group=group.id, timepoint="baseline")
            count = row.value if row else 0
            bars.bar(
                x + offset,
                count,
                width * 0.92,
                color=styles[group.id].colour,
                hatch=styles[group.id].hatch,
                edgecolor="white",
                linewidth=0,
                label=group.label if x == 0 else None,
            )
            if count:
                bars.text(x + offset, count, f"{count:.0f}", ha="center", va="bottom")
    bars.set_ylabel("Patients")
    bars.margins(y=0.16)
    container.legend(loc="outside upper right", ncols=2, handlelength=1.2)
    bars.tick_params(axis="x", length=0, labelbottom=False)
    dots.tick_params(axis="x", length=0, labelbottom=True)
    for x, name in enumerate(combinations):
        marks = [therapies.index(part) for part in members[name] if part in therapies]
        dots.plot([x] * len(therapies), range(len(therapies)), "o", color="#e3e3e3", markersize=6)
        dots.plot([x] * len(marks), marks, "-o", color=INK, markersize=6, linewidth=1.2)
    dots.set_yticks(range(len(therapies)), labels=[labels[name] for name in therapies])
    dots.set_ylim(len(therapies) - 0.4, -0.6)
    dots.set_xlim(-0.6, len(combinations) - 0.4)
    empty = [x for x, name in enumerate(combinations) if not members[name]]
    dots.set_xticks(empty, labels=["None of\nthese"] * len(empty))
    dots.tick_params(length=0)
    dots.spines[:].set_visible(False)
