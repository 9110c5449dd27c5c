"""Balance of the groups at baseline and the combinations of earlier therapies."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from helpers.report.figures.common import say_absent
from helpers.report.figures.output.drawings import drawing
from helpers.report.figures.style import FAINT, GREY, INK, group_styles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure, SubFigure

    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics


@drawing
def draw_balance(container: Figure | SubFigure, statistics: Statistics, labels: Mapping[str, str]) -> None:
    """Draw absolute standardised differences of the baseline variables, largest on top.

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
    axes.axvspan(0, 0.1, color="#009E73", alpha=0.10, linewidth=0)
    axes.axvline(0.1, color=GREY, linewidth=0.6, linestyle=(0, (2, 2)))
    finite = [abs(row.value) for row in rows if math.isfinite(row.value)]
    end = max(1.0, max(finite, default=0.0) * 1.06)
    # A difference without a finite value (all of one group, none of the other) is an arrow at the edge.
    values = [min(abs(row.value), end) for row in rows]
    axes.hlines(range(len(rows)), 0, values, color=FAINT, linewidth=0.8)
    for y, (row, value) in enumerate(zip(rows, values, strict=True)):
        axes.plot(
            value,
            y,
            "o" if math.isfinite(row.value) else ">",
            color=INK,
            markersize=4.5,
            markerfacecolor=_face(row.value),
            clip_on=False,
            zorder=3,
        )
    axes.set_yticks(range(len(rows)), labels=[labels.get(row.variable, row.variable) for row in rows])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_xlim(0, end)
    axes.set_xlabel("Absolute standardised difference")
    names = {_face(1): "Higher in the treated", _face(-1): "Lower in the treated", _face(0): "Equal"}
    there = {_face(row.value) for row in rows}
    for face, label in names.items():
        if face in there:
            axes.plot([], [], "o", color=INK, markersize=4.5, markerfacecolor=face, label=label)
    if len(finite) < len(rows):
        axes.plot([], [], ">", color=INK, markersize=4.5, markerfacecolor=INK, label="No finite value")
    axes.legend(loc="lower right")
    axes.tick_params(axis="y", length=0, pad=6)


def _face(difference: float) -> str:
    """Return the filling of a mark: full for higher, empty for lower, grey for neither."""
    return INK if difference > 0 else "white" if difference < 0 else FAINT


@drawing
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
    for x, name in enumerate(combinations):
        marks = [therapies.index(part) for part in members[name] if part in therapies]
        dots.plot([x] * len(therapies), range(len(therapies)), "o", color="#e3e3e3", markersize=6)
        dots.plot([x] * len(marks), marks, "-o", color=INK, markersize=6, linewidth=1.2)
    dots.set_yticks(range(len(therapies)), labels=[labels[name] for name in therapies])
    dots.set_ylim(len(therapies) - 0.4, -0.6)
    dots.set_xlim(-0.6, len(combinations) - 0.4)
    dots.set_xticks([])
    dots.tick_params(length=0)
    dots.spines[:].set_visible(False)
