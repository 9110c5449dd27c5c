"""Forest figure: one effect by every method, estimates on their own scales beside all p-values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from helpers.report.figures.common import say_absent
from helpers.report.figures.output.drawings import drawing
from helpers.report.figures.style import FAINT, GREY, INK
from helpers.results.format import NOT_ESTIMABLE, format_number, format_p

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from helpers.results.store import Statistic, Statistics

LABELS = {
    "cox_efron": "Hazard ratio, Cox (Efron ties)",
    "cox_firth": "Hazard ratio, Cox (Firth)",
    "peto": "Hazard ratio, Peto one-step",
    "odds_ratio_exact": "Odds ratio of death, exact",
    "odds_ratio_firth": "Odds ratio of death, Firth",
    "rmst_ratio": "Ratio of restricted means",
    "rmst_difference": "Difference of restricted means",
    "survival_difference": "Difference of survival",
    "risk_difference_newcombe": "Risk difference, Newcombe",
    "risk_difference_miettinen_nurminen": "Risk difference, Miettinen-Nurminen",
    "test_logrank": "Log-rank, asymptotic",
    "test_logrank_exact": "Log-rank, exact",
    "test_logrank_monte_carlo": "Log-rank, Monte Carlo",
    "test_gehan": "Log-rank, Gehan weights",
    "test_fisher": "Fisher",
    "test_mid_p": "Fisher, mid-p",
    "test_boschloo": "Boschloo",
    "test_barnard": "Barnard",
    "test_pearson": "Pearson chi-square",
    "test_yates": "Yates chi-square",
}
_BLOCKS = {
    "ratio": ("Ratio, treated to reference", 1.0),
    "percentage points": ("Difference, percentage points", 0.0),
    "days": ("Difference, days", 0.0),
    "": ("Tests without an estimate", math.nan),
}
_CLIP = (1 / 128, 128.0)


@drawing
def draw_effects(container: Figure | SubFigure, statistics: Statistics, *, alpha: float = 0.05) -> None:
    """Draw every stored effect on survival: left the estimate with its interval, right the p-value.

    Ratios are on a log scale; an arrow marks a limit beyond the drawn range, ``NE`` one that cannot be
    estimated. The dotted line on the right is ``alpha``.
    """
    rows = statistics.select(analysis="effect")
    blocks = {unit: [row for row in rows if row.unit == unit] for unit in _BLOCKS}
    blocks = {unit: found for unit, found in blocks.items() if found}
    if not rows:
        say_absent(container, "There are not two groups with deaths to compare in this cohort.")
        return
    heights = [len(found) + 1.3 for found in blocks.values()]
    grid = container.subplots(len(blocks), 2, height_ratios=heights, width_ratios=[1.5, 1], squeeze=False)
    for (unit, found), (left, right) in zip(blocks.items(), grid, strict=True):
        _estimates(left, found, unit)
        _p_values(right, found, alpha)
    for axes in grid[:-1, 1]:
        axes.tick_params(labelbottom=False)
    grid[0, 1].set_title("P value")
    grid[-1, 1].set_xlabel("P value (log scale)")


# Ticks of a ratio's axis that spans less than the ratio _NARROW; wider ones go by powers of four.
_NARROW = 16
_NARROW_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10)
_SMALLEST_P = 0.001


def _rows_axis(axes: Axes, rows: Sequence[Statistic]) -> None:
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _estimates(axes: Axes, rows: Sequence[Statistic], unit: str) -> None:
    title, null = _BLOCKS[unit]
    axes.set_title(title, fontweight="bold")
    _rows_axis(axes, rows)
    axes.set_yticks(range(len(rows)), labels=[LABELS.get(row.statistic, row.statistic) for row in rows])
    if not unit:
        axes.spines["bottom"].set_visible(False)
        axes.set_xticks([])
        return
    axes.axvline(null, color=GREY, linewidth=0.7)
    for y, row in enumerate(rows):
        _interval(axes, y, row, log=unit == "ratio")
        digits = 2 if unit == "ratio" else 1
        limits = f"{format_number(row.lower, digits)} to {format_number(row.upper, digits)}"
        axes.annotate(
            f"{format_number(row.value, digits)} ({limits})", (1, y), xycoords=("axes fraction", "data"),
            xytext=(6, 0), textcoords="offset points", va="center",
        )  # fmt: skip
    if unit == "ratio":
        _ratio_scale(axes)


def _interval(axes: Axes, y: int, row: Statistic, *, log: bool) -> None:
    if math.isnan(row.value):
        axes.text(1.0 if log else 0.0, y, NOT_ESTIMABLE, ha="center", va="center", color=GREY)
        return
    low, high = (row.lower, row.upper) if row.lower == row.lower else (row.value, row.value)
    if log:
        for limit, bound, marker in ((low, _CLIP[0], "<"), (high, _CLIP[1], ">")):
            if not _CLIP[0] <= limit <= _CLIP[1]:
                axes.plot(bound, y, marker, color=INK, markersize=4, clip_on=False)
        low, high = max(low, _CLIP[0]), min(high, _CLIP[1])
    axes.plot([low, high], [y, y], color=INK, linewidth=1.1)
    axes.plot(min(max(row.value, low), high), y, "s", color=INK, markersize=4.5)


def _ratio_scale(axes: Axes) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

    axes.set_xscale("log")
    low, high = axes.get_xlim()
    low, high = min(low, 0.48), max(high, 2.1)  # room for a tick on either side of 1
    axes.set_xlim(low, high)
    narrow = high / low < _NARROW
    axes.xaxis.set_major_locator(FixedLocator(_NARROW_TICKS) if narrow else LogLocator(base=4, numticks=7))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.2g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def _p_values(axes: Axes, rows: Sequence[Statistic], alpha: float) -> None:
    _rows_axis(axes, rows)
    axes.set_yticks([])
    axes.set_xscale("log")
    axes.set_xlim(_SMALLEST_P / 1.5, 1.5)
    axes.axvline(alpha, color=GREY, linewidth=0.7, linestyle=(0, (2, 2)))
    for y, row in enumerate(rows):
        if math.isnan(row.p_value):
            if not row.unit:  # an estimate says so in its own panel
                axes.text(
                    0.5, y, NOT_ESTIMABLE, transform=axes.get_yaxis_transform(), ha="center", va="center"
                )
            continue
        beyond = row.p_value < _SMALLEST_P
        place = axes.get_xlim()[0] if beyond else row.p_value
        axes.plot([axes.get_xlim()[0], place], [y, y], color=FAINT, linewidth=0.7)
        axes.plot(place, y, "<" if beyond else "o", color=INK, markersize=4, clip_on=False)
        axes.annotate(
            format_p(row.p_value),
            (1, y),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
        )
    axes.set_xticks([0.001, 0.01, 0.1, 1], labels=["0.001", "0.01", "0.1", "1"])
