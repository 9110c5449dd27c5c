"""Hodges-Lehmann shift between two samples, with an interval by inverting the rank-sum test."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any

import numpy as np

from helpers.stats.checks import Floats, confidence_level, observed_values, tied_values
from helpers.stats.permutation import exact_tails, shift_cost
from helpers.stats.possible import possible_values, spanning
from helpers.stats.result import Result
from helpers.stats.two_group import midranks, normal_tails

# Up to this many pairs all differences are built and sorted, beyond it they are selected.
_MOST_PAIRS = 4_000_000
# Up to this work of one exact distribution the exact test is inverted, beyond it the normal approximation.
_EXACT_WORK = 40_000_000


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
    for the level; there is none where all values are equal. Units are those of the data. Beyond 4e6 pairs the
    differences are not built: median and limits are found by counting how many pairs lie below a trial value,
    in O(n log n) a trial.

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


def _ordinal_ranks(values: Floats) -> Floats:
    ranks = np.empty(values.size)
    ranks[np.argsort(values, kind="stable")] = np.arange(1.0, values.size + 1)
    return ranks


def _shift(x: Floats, y: Floats, level: float, known: bool) -> Result:
    first, missing_x = observed_values(x, "x")
    second, missing_y = observed_values(y, "y")
    pooled = tied_values(np.concatenate([first, second]))
    first, second = np.sort(pooled[: first.size]), np.sort(pooled[first.size :])
    total, tail = pooled.size, (1 - level) / 2
    ranked = midranks if known else _ordinal_ranks
    exact = shift_cost(np.arange(2, 2 * total + 2, 2), first.size) <= _EXACT_WORK

    def accepted(shift: float, sign: float) -> bool:
        """Whether the one-sided test of sign * (x - y) > sign * shift does not reject."""
        ranks = ranked(np.concatenate([sign * (first - shift), sign * second]))
        if exact:
            return exact_tails(ranks, np.arange(total) < first.size).greater >= tail
        return normal_tails(ranks, first.size, True).greater >= tail

    pairs = _built if first.size * second.size <= _MOST_PAIRS else _selected
    note = ""
    if np.ptp(pooled) == 0:  # a difference that nobody could have had otherwise: no limits of 0
        value, lower, upper, note = 0.0, nan, nan, "all values are equal: no interval"
    else:
        value, lower, upper = pairs(first, second, accepted)
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


Accepted = Callable[[float, float], bool]


def _built(first: Floats, second: Floats, accepted: Accepted) -> tuple[float, float, float]:
    """Median and limits from all differences."""
    differences = np.sort((first[:, None] - second[None, :]).ravel())
    distinct = np.unique(tied_values(differences))
    lower = _first_accepted(distinct, lambda shift: accepted(shift, 1.0))
    upper = -_first_accepted(-distinct[::-1], lambda shift: accepted(-shift, -1.0))
    return float(np.median(differences)), lower, upper


def _first_accepted(distinct: Floats, accepted: Callable[[float], bool]) -> float:
    """Smallest shift that is not rejected, by bisection over the distinct differences.

    The test changes only at them, so each open gap between two of them is one verdict.
    """
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


def _selected(first: Floats, second: Floats, accepted: Accepted) -> tuple[float, float, float]:
    """Median and limits without the differences: bisection on the value, then the nearest difference."""
    pairs = first.size * second.size
    bottom, top = float(first[0] - second[-1]) - 1.0, float(first[-1] - second[0]) + 1.0

    def order_statistic(rank: int) -> float:
        def reached(value: float) -> bool:
            below = np.searchsorted(second, first - value, side="left")
            return int((second.size - below).sum()) >= rank

        return _nearest(first, second, turning_point(reached, bottom, top))

    value = (order_statistic((pairs + 1) // 2) + order_statistic(pairs // 2 + 1)) / 2
    lower = -inf if accepted(bottom, 1.0) else turning_point(lambda s: accepted(s, 1.0), bottom, top)
    upper = inf if accepted(top, -1.0) else turning_point(lambda s: not accepted(s, -1.0), bottom, top)
    lower, upper = (_nearest(first, second, v) if np.isfinite(v) else v for v in (lower, upper))
    return value, lower, upper


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


def _nearest(first: Floats, second: Floats, value: float) -> float:
    """The difference of a pair that lies nearest to `value`."""
    place = np.clip(np.searchsorted(second, first - value), 1, second.size - 1) if second.size > 1 else None
    if place is None:
        candidates = first - second[0]
    else:
        candidates = np.concatenate([first - second[place - 1], first - second[place]])
    return float(candidates[np.argmin(np.abs(candidates - value))])
