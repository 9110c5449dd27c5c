"""Forest figure: one effect by every method, estimates on their own scales beside all p-values.

>>> effects_height(statistics)
178.0
>>> draw_effects(container, statistics)
>>> len(container.axes)
12
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.report.figures.common import say_absent
from helpers.report.figures.output.exhibits import figure
from helpers.report.figures.scales import ratio_scale
from helpers.report.figures.style import FAINT, GREY, INK
from helpers.results.catalogue import EffectRows
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


@dataclass(frozen=True)
class Block:
    """Effects on one scale.

    Attributes:
        title: what they are, treated to reference.
        unit: of the rows that belong here.
        null: value of no effect; NaN for tests without an estimate.
        more_is_better: whether larger values favour the treated: survival and time against hazard and risk.
    """

    title: str
    unit: str
    null: float
    more_is_better: bool = False


_BETTER = {"rmst_ratio", "rmst_difference", "survival_difference"}
_BLOCKS = (
    Block("Ratio of hazards or odds of death", "ratio", 1.0),
    Block("Ratio of mean survival times", "ratio", 1.0, more_is_better=True),
    Block("Difference in risk of death, percentage points", "percentage points", 0.0),
    Block("Difference in survival, percentage points", "percentage points", 0.0, more_is_better=True),
    Block("Difference in mean survival time, days", "days", 0.0, more_is_better=True),
    Block("Tests without an estimate", "", math.nan),
)
_CLIP = (1 / 128, 128.0)
ROW_MM, BLOCK_MM, EDGE_MM = 4.2, 12.0, 22.0


def effects_height(statistics: Statistics) -> float:
    """Return the height in millimetres at which the rows of all methods can be told apart."""
    rows = statistics.select(EffectRows)
    blocks = [found for block in _BLOCKS if (found := effects_of(block, rows))]
    return EDGE_MM + sum(BLOCK_MM + ROW_MM * len(found) for found in blocks) if blocks else 60.0


@figure(
    "figure_s7_effects",
    "double",
    effects_height,
    "Effect on survival by every method",
    needs=EffectRows,
)
def draw_effects(container: Figure | SubFigure, statistics: Statistics, *, alpha: float = 0.05) -> None:
    """Draw every stored effect on survival: left the estimate with its interval, right the p-value.

    Left is always in favour of the treated: where more is better the axis runs backwards. Ratios are on a
    log scale; an arrow marks a limit beyond the drawn range, ``NE`` one that cannot be estimated. The dotted
    line on the right is ``alpha``.
    """
    rows = statistics.select(EffectRows)
    blocks = {block: effects_of(block, rows) for block in _BLOCKS}
    blocks = {block: found for block, found in blocks.items() if found}
    if not rows:
        say_absent(container, "There are not two groups with deaths to compare in this cohort.")
        return
    heights = [len(found) + 0.6 for found in blocks.values()]
    grid = container.subplots(len(blocks), 2, height_ratios=heights, width_ratios=[1.5, 1], squeeze=False)
    for (block, found), (left, right) in zip(blocks.items(), grid, strict=True):
        _estimates(left, found, block)
        _p_values(right, found, alpha)
    for axes in grid[:-1, 1]:
        axes.tick_params(labelbottom=False)
    grid[0, 1].set_title(f"P value (dotted: {alpha:g})")
    grid[-1, 1].set_xlabel("P value (log scale)")
    container.supxlabel(
        "Squares: estimates with confidence intervals; left of the line of no effect they favour the\n"
        "treated, right of it the reference. Arrows: limits beyond the axis, and p-values below 0.001."
    )


def effects_of(block: Block, rows: Sequence[Statistic]) -> list[Statistic]:
    """Return the rows that belong to a block, in their order.

    >>> from helpers.results.catalogue import EffectRows
    >>> rows = statistics.select(EffectRows)
    >>> [row.statistic for row in effects_of(Block("Hazard ratio", "hazard ratio", 1.0), rows)][:2]
    []
    >>> from helpers.results.catalogue import EffectRows
    >>> rows = statistics.select(EffectRows)
    >>> [row.statistic for row in effects_of(Block("Hazard ratio", rows[0].unit, 1.0), rows)][:2]
    ['cox_efron', 'cox_firth']
    """
    return [
        row for row in rows if row.unit == block.unit and (row.statistic in _BETTER) == block.more_is_better
    ]


_SMALLEST_P = 0.001


def _rows_axis(axes: Axes, rows: Sequence[Statistic]) -> None:
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _estimates(axes: Axes, rows: Sequence[Statistic], block: Block) -> None:
    axes.set_title(block.title, fontweight="bold")
    _rows_axis(axes, rows)
    axes.set_yticks(range(len(rows)), labels=[LABELS.get(row.statistic, row.statistic) for row in rows])
    if not block.unit:
        axes.spines["bottom"].set_visible(False)
        axes.set_xticks([])
        return
    log = block.unit == "ratio"
    axes.axvline(block.null, color=GREY, linewidth=0.7)
    for y, row in enumerate(rows):
        _interval(axes, y, row, log=log, backwards=block.more_is_better)
        digits = 2 if log else 1
        limits = f"{format_number(row.lower, digits)} to {format_number(row.upper, digits)}"
        axes.annotate(
            f"{format_number(row.value, digits)} ({limits})", (1, y), xycoords=("axes fraction", "data"),
            xytext=(6, 0), textcoords="offset points", va="center",
        )  # fmt: skip
    if log:
        ratio_scale(axes)
    else:
        low, high = axes.get_xlim()
        farthest = max(abs(low), abs(high))
        axes.set_xlim(-farthest, farthest)
    if block.more_is_better:
        axes.invert_xaxis()


def _interval(axes: Axes, y: int, row: Statistic, *, log: bool, backwards: bool) -> None:
    """Draw one estimate; an arrow points off the axes at a limit beyond the drawn range."""
    if math.isnan(row.value):
        axes.text(1.0 if log else 0.0, y, NOT_ESTIMABLE, ha="center", va="center", color=GREY)
        return
    low, high = (row.lower, row.upper) if row.lower == row.lower else (row.value, row.value)
    if log:
        outward = (">", "<") if backwards else ("<", ">")
        for limit, bound, marker in zip((low, high), _CLIP, outward, strict=True):
            if not _CLIP[0] <= limit <= _CLIP[1]:
                axes.plot(bound, y, marker, color=INK, markersize=4, clip_on=False)
        low, high = (min(max(limit, _CLIP[0]), _CLIP[1]) for limit in (low, high))
    axes.plot([low, high], [y, y], color=INK, linewidth=1.1)
    if not log or _CLIP[0] <= row.value <= _CLIP[1]:  # a ratio of exactly 0 has no place on a log scale
        axes.plot(row.value, y, "s", color=INK, markersize=4.5)


def _p_values(axes: Axes, rows: Sequence[Statistic], alpha: float) -> None:
    from matplotlib.ticker import NullLocator

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
    axes.xaxis.set_minor_locator(NullLocator())
