"""Hodges-Lehmann shift between two samples, with an interval by inverting the rank-sum test."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any

import numpy as np

from helpers.stats.checks import Floats, confidence_level, observed_values, tied_values
from helpers.stats.differences import Differences
from helpers.stats.merged_samples import midranks
from helpers.stats.permutation import exact_tails, shift_distribution, shift_work
from helpers.stats.possible import possible_values, spanning
from helpers.stats.result import Result
from helpers.stats.two_group import normal_deviation

# Up to this work of one exact distribution the exact test is inverted, beyond it the normal approximation.
_EXACT_WORK = 80_000_000


def hodges_lehmann(
    x: Any,
    y: Any,
    *,
    x_qualifiers: Any = None,
    y_qualifiers: Any = None,
    smallest: float = -inf,
    confidence: float = 0.95,
) -> Result:
    """Hodges-Lehmann shift: median of all differences x - y, with an interval by inverting the rank-sum test.

    The interval inverts the exact conditional test (ties inside a sample included) when feasible, else the
    tie-corrected normal approximation. A limit is infinite, said in `note`, when the samples are too small
    for the level; there is none where all values are equal. Units are those of the data.

    Unless a sample has ties and the test is exact, the test's verdict on a shift hangs on nothing but the
    number of differences above it, so that the limits are order statistics of the differences (Hollander,
    Wolfe & Chicken 2014, 4.3). Of large samples the differences are not built: order statistics are found by
    counting how many lie below a trial value, in O(n log n) a trial, until few are left to choose from.

    Where qualifiers are "<" or ">" the number is only a limit: the result then spans what the values may be,
    none below `smallest`; see `helpers.stats.possible.spanning`. Its limits are those of the test without
    ties, which are order statistics of the differences and so move with the values (Hollander, Wolfe &
    Chicken 2014, 4.3).
    Raises StatisticsError for empty samples.

    Example:
        >>> found = hodges_lehmann([900, 40000, 40000], [1, 2, 3], x_qualifiers=["", ">", ">"])
        >>> found.details["qualifier"], found.value
        ('>', 39997.0)
    """
    level = confidence_level(confidence)
    first = possible_values(x, x_qualifiers, "x", smallest=smallest)
    second = possible_values(y, y_qualifiers, "y", smallest=smallest)
    return spanning(lambda low, high, known: _shift(low, high, level, known), first, second)


def _shift(x: Floats, y: Floats, level: float, known: bool) -> Result:
    first, missing_x = observed_values(x, "x")
    second, missing_y = observed_values(y, "y")
    pooled = tied_values(np.concatenate([first, second]))
    first, second = np.sort(pooled[: first.size]), np.sort(pooled[first.size :])
    total, tail = pooled.size, (1 - level) / 2
    tied = known and bool((np.diff(first) == 0).any() or (np.diff(second) == 0).any())
    # With ties every shift has a distribution of its own, which at worst has all doubled ranks.
    exact = shift_work(np.arange(total) * (2 if tied else 1), first.size) <= _EXACT_WORK
    note = ""
    if np.ptp(pooled) == 0:  # a difference that nobody could have had otherwise: no limits of 0
        value, lower, upper, note = 0.0, nan, nan, "all values are equal: no interval"
    else:
        differences = Differences(first, second)
        value = differences.median()
        if exact and tied:
            lower, upper = _inverted(first, second, tail)
        else:
            most = _most_accepted(first, second, tail, exact=exact, tied=tied)
            lower, upper = differences.at(differences.count - most), differences.at(most + 1)
        if not np.isfinite([lower, upper]).all():
            note = "samples too small for a finite limit at this level"
    kind = "exact rank-sum test" if exact else "rank-sum test, normal approximation"
    return Result(
        method=f"Hodges-Lehmann shift, interval by inversion of the {kind}",
        value=value,
        lower=lower,
        upper=upper,
        n=total,
        n_missing=missing_x + missing_y,
        confidence=level,
        note=note,
        options={"confidence": level},
    )


def _most_accepted(first: Floats, second: Floats, tail: float, *, exact: bool, tied: bool) -> int:
    """Largest number of differences above a shift with which a larger one is not proven (one-sided)."""
    from scipy.special import ndtr, ndtri

    size, other = first.size, second.size
    if exact:
        small = min(size, other)
        chances = shift_distribution(np.arange(size + other), small)[small * (small - 1) // 2 :]
        return int(np.flatnonzero(np.cumsum(chances[::-1])[::-1] >= tail)[-1])
    both = np.ones(size + other, dtype=np.int64)
    if tied:
        both = np.concatenate([np.unique(part, return_counts=True)[1] for part in (first, second)])
    deviation = normal_deviation(both, size)

    def p_greater(number: int) -> float:
        return float(ndtr(-(number - size * other / 2 - 0.5) / deviation))

    most = int(size * other / 2 + 0.5 - float(ndtri(tail)) * deviation)
    while p_greater(most + 1) >= tail:
        most += 1
    while p_greater(most) < tail:
        most -= 1
    return most


def _inverted(first: Floats, second: Floats, tail: float) -> tuple[float, float]:
    """Limits by inversion of the exact test of samples with ties, over the distinct differences.

    Between two of them every shift has the same verdict.
    """
    distinct = np.unique(tied_values((first[:, None] - second[None, :]).ravel()))
    mask = np.arange(first.size + second.size) < first.size

    def accepted(shift: float, sign: float) -> bool:
        ranks = midranks(np.concatenate([sign * (first - shift), sign * second]))
        return exact_tails(ranks, mask).greater >= tail

    lower = _first_accepted(distinct, lambda shift: accepted(shift, 1.0))
    upper = -_first_accepted(-distinct[::-1], lambda shift: accepted(-shift, -1.0))
    return lower, upper


def _first_accepted(distinct: Floats, accepted: Callable[[float], bool]) -> float:
    """Smallest shift that is not rejected, by bisection over the gaps between the distinct differences."""
    inner = (distinct[1:] + distinct[:-1]) / 2
    gaps = np.concatenate(([distinct[0] - 1.0], inner, [distinct[-1] + 1.0]))
    if accepted(float(gaps[0])):
        return -inf
    low, high = 0, gaps.size - 1
    if not accepted(float(gaps[high])):
        return inf
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if accepted(float(gaps[middle])) else (middle, high)
    return float(distinct[high - 1])


def turning_point(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Where a condition that fails at `low` and holds at `high` begins to hold, to the last bits.

    >>> round(turning_point(lambda x: x * x >= 2, 0.0, 2.0), 6)
    1.414214
    """
    width = 1e-14 * max(abs(low), abs(high))
    while high - low > width:
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
