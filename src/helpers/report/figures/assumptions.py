"""Dose thresholds, and what every assumption makes of the p-value.

>>> assumptions_height([("test_logrank", 0.01)], [("lag of 7 days", 0.04)])
41.756
>>> draw_assumptions(container, [("test_logrank", 0.01)], [("lag of 7 days", 0.04)])
>>> len(container.axes)
2
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from helpers.report.figures.common import interval_handle, marks_legend, name_rows, say_absent
from helpers.report.figures.forest import LABELS
from helpers.report.figures.historical_control import DOTS, ESTIMATE
from helpers.report.figures.output.exhibits import figure
from helpers.report.figures.style import FAINT, GREY, INK, group_styles
from helpers.results.catalogue import DoseThresholdCurveRows, EffectRows
from helpers.results.format import ALPHA, format_p

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from helpers.cohort.config import CohortConfig


@figure(
    "figure_s17_low_dose",
    "one_and_a_half",
    95,
    "Share alive at or below each dose by group, and the difference",
    needs=DoseThresholdCurveRows.named("at_most_0_5"),
)
def draw_thresholds(container: Figure | SubFigure, config: CohortConfig, curve: pd.DataFrame) -> None:
    """Draw the share of each arm alive at or below each glucocorticoid dose, and their difference.

    `curve` has threshold, treated, control, n_treated, n_control, difference, lower and upper.

    >>> from helpers.analysis.historical_control_questions import ask_about_low_dose
    >>> draw_thresholds(container, config, ask_about_low_dose(recorded, store))
    >>> len(container.axes)
    2
    """
    if curve.empty:
        say_absent(container, f"No {config.spared_in_text} doses are recorded in two groups of this cohort.")
        return
    styles = group_styles(config)
    upper, lower = container.subplots(2, 1, sharex=True, height_ratios=[1.2, 1])
    for arm, role in (("treated", "treated"), ("control", "reference")):
        group = next(group for group in config.groups if group.role == role)
        share = 100 * curve[arm] / curve[f"n_{arm}"]
        upper.step(curve["threshold"], share, where="post", color=styles[group.id].colour,
                   linestyle=styles[group.id].line, label=group.label)  # fmt: skip
    upper.set_ylabel("Alive at or below, %")
    upper.set_ylim(0, 102)
    lower.fill_between(curve["threshold"], 100 * curve["lower"], 100 * curve["upper"], color=INK, alpha=0.12,
                       linewidth=0, step="post")  # fmt: skip
    lower.step(curve["threshold"], 100 * curve["difference"], where="post", color=INK)
    lower.axhline(0, color=GREY, linewidth=0.7)
    lower.set_ylabel("Difference, points")
    kind = " of prednisone equivalent" if config.steroids.converted else ""
    lower.set_xlabel(f"{config.spared_label} dose, mg/kg/d{kind}")
    marks_legend(container, [*upper.get_legend_handles_labels()[0], interval_handle()], columns=3)


_ROW_MM, _TITLE_ROWS, _EDGE_MM = 3.86, 1.3, 24.0


def assumptions_height(analytic: Sequence[tuple[str, float]], design: Sequence[tuple[str, float]]) -> float:
    """Return the height in millimetres at which every row has its line."""
    shown = [found for found in (analytic, design) if _any_known(found)]
    return _EDGE_MM + _ROW_MM * sum(len(found) + _TITLE_ROWS for found in shown) if shown else 50.0


def _any_known(found: Sequence[tuple[str, float]]) -> bool:
    return any(not math.isnan(p) for _, p in found)


@figure(
    "figure_s18_assumptions",
    "double",
    assumptions_height,
    "P-values under every choice of the test and under every assumption about the design",
    needs=EffectRows,
)
def draw_assumptions(
    container: Figure | SubFigure,
    analytic: Sequence[tuple[str, float]],
    design: Sequence[tuple[str, float]],
) -> None:
    """Draw the p-value under every choice of analysis (top) and every assumption of design (below).

    Pairs of name (of an effect) or label and p, NaN where there is none. The dotted line is 0.05.
    """
    blocks = [("Choice of the test", analytic), ("Assumption about the design", design)]
    blocks = [(title, [*found]) for title, found in blocks if _any_known(found)]
    if not blocks:
        say_absent(container, "Nothing was tested in this cohort.")
        return
    heights = [len(found) + _TITLE_ROWS for _, found in blocks]
    grid = container.subplots(len(blocks), 1, height_ratios=heights, sharex=True, squeeze=False)[:, 0]
    for axes, (title, found) in zip(grid, blocks, strict=True):
        _p_values(axes, found)
        axes.set_title(title, fontweight="bold")
    grid[-1].set_xlabel("P value (log scale)")
    marks_legend(container, _p_handles([p for _, found in blocks for _, p in found]), columns=3)


# How a p-value below the level is shown, and one that is not.
_KINDS = {False: ("o", ESTIMATE, f"P below {ALPHA:g}"), True: ("D", "#D55E00", f"P not below {ALPHA:g}")}
_SMALLEST = 0.001


def _p_handles(values: Sequence[float]) -> list[Artist]:
    """Return the signs of p-values on either side of the level, and of the level."""
    from matplotlib.lines import Line2D

    there = {p >= ALPHA for p in values if not math.isnan(p)}
    handles: list[Artist] = [
        Line2D([], [], linestyle="none", marker=marker, color=colour, markersize=4.5, label=label)
        for lost, (marker, colour, label) in _KINDS.items()
        if lost in there
    ]
    look: Any = {"color": GREY, "linewidth": 0.7, "linestyle": DOTS}
    return [*handles, Line2D([], [], label=f"{ALPHA:g}", **look)]


def _p_values(axes: Axes, found: Sequence[tuple[str, float]]) -> None:
    from matplotlib.transforms import ScaledTranslation

    axes.set_xscale("log")
    axes.set_xlim(0.7 * _SMALLEST, 1.4)
    axes.minorticks_off()
    axes.axvline(ALPHA, color=GREY, linewidth=0.7, linestyle=DOTS)
    known = [(y, p) for y, (_, p) in enumerate(found) if not math.isnan(p)]
    axes.hlines([y for y, _ in known], 0.7 * _SMALLEST, [max(p, _SMALLEST) for _, p in known], color=FAINT,
                linewidth=0.7)  # fmt: skip
    for lost, (marker, colour, _) in _KINDS.items():
        points = [(max(p, _SMALLEST), y) for y, p in known if (p >= ALPHA) == lost]
        if points:
            axes.plot(*zip(*points, strict=True), marker, color=colour, markersize=4.5, linestyle="none")
    figure = axes.get_figure(root=True)
    assert figure is not None
    right = axes.get_yaxis_transform() + ScaledTranslation(6 / 72, 0, figure.dpi_scale_trans)
    for y, p in known:
        axes.text(1, y, format_p(p), va="center", transform=right)
    for y in sorted(set(range(len(found))) - {y for y, _ in known}):
        axes.text(0.8 * _SMALLEST, y, "not estimated", va="center", color=GREY)
    name_rows(axes, [LABELS.get(label, label) for label, _ in found])
    axes.set_ylim(len(found) - 0.4, -0.6)
    axes.spines["left"].set_visible(False)
    axes.set_xticks([0.001, 0.01, 0.1, 1], labels=["0.001", "0.01", "0.1", "1"])
