"""Hodges-Lehmann estimate of a paired change, with the interval of the signed-rank test."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any

import numpy as np

from helpers.stats.checks import Floats, confidence_level
from helpers.stats.possible import possible_values, spanning
from helpers.stats.repeated import EXACT_PAIRS, complete_differences, rank_sum_chances
from helpers.stats.result import Result
from helpers.stats.shift import turning_point

# Up to this many pairs all means of two differences are built and sorted, beyond it they are selected.
_BUILT = 2_000


def paired_shift(
    before: Any,
    after: Any,
    *,
    before_qualifiers: Any = None,
    after_qualifiers: Any = None,
    smallest: float = -inf,
    confidence: float = 0.95,
) -> Result:
    """Hodges-Lehmann estimate of `after - before`: the median of the means of any two of the differences.

    Its interval inverts the exact signed-rank test (Hollander, Wolfe & Chicken 2014, 3.2 and 3.3), as R's
    `wilcox.test(..., conf.int = TRUE)` does; with ties and zero differences it covers at least as often as
    it says (Noether 1967). Beyond 500 pairs the normal approximation places the limits. Units are those of
    the data; pairs with a missing member are left out and counted. There are no limits, said in `note`, where
    the pairs are too few for the level or all differences are equal.

    Where qualifiers are "<" or ">" the number is only a limit: the result then spans what the values may be,
    none below `smallest`; see `helpers.stats.possible.spanning`.
    Raises StatisticsError for unequal lengths or where no pair is complete.

    Example:
        >>> found = paired_shift([5, 6, 7, 8, 9, 10], [4, 4, 4, 4, 4, 4])
        >>> found.value, found.lower, found.upper
        (-3.5, -6.0, -1.0)
        >>> limited = paired_shift([5, 6, 7], [0.5, 0.5, 0.5], after_qualifiers=["<"] * 3, smallest=0.0)
        >>> limited.note
        'too few pairs for an interval at this level; known only to lie between -6 and -5.5'
    """
    level = confidence_level(confidence)
    first = possible_values(before, before_qualifiers, "before", smallest=smallest)
    second = possible_values(after, after_qualifiers, "after", smallest=smallest)
    return spanning(lambda late, early, known: _paired(late, early, level, known), second, first)


def _paired(after: Floats, before: Floats, level: float, known: bool) -> Result:
    difference, missing = complete_differences(before, after)
    difference = np.sort(difference)
    n = difference.size
    count = n * (n + 1) // 2
    mean_of_rank = _means_built(difference) if n <= _BUILT else _means_selected(difference)
    exact = n <= EXACT_PAIRS
    outside = _outside(n, (1 - level) / 2, exact)
    lower = upper = nan
    note = ""
    if np.ptp(difference) == 0 and n > 1 and known:
        note = "all differences are equal: no interval"
    elif outside < 0:
        note = "too few pairs for an interval at this level"
    else:
        lower, upper = mean_of_rank(outside + 1), mean_of_rank(count - outside)
    kind = "exact signed-rank test" if exact else "signed-rank test, normal approximation"
    return Result(
        method=f"Hodges-Lehmann estimate of the paired differences, interval by inversion of the {kind}",
        value=(mean_of_rank((count + 1) // 2) + mean_of_rank(count // 2 + 1)) / 2,
        lower=lower,
        upper=upper,
        n=n,
        n_missing=missing,
        confidence=level,
        note=note,
        options={"confidence": level},
    )


def _means_built(difference: Floats) -> Callable[[int], float]:
    """By rank from 1 on the means of any two of sorted differences, one with itself included."""
    row, column = np.triu_indices(difference.size)
    means = np.sort((difference[row] + difference[column]) / 2)
    return lambda rank: float(means[rank - 1])


def _means_selected(difference: Floats) -> Callable[[int], float]:
    """The same without building them: by bisection on the value, then the nearest mean."""
    n = difference.size

    def mean_of_rank(rank: int) -> float:
        def reached(value: float) -> bool:
            below = np.searchsorted(difference, 2 * value - difference, side="right")
            return int((below - np.arange(n)).clip(0).sum()) >= rank

        near = turning_point(reached, float(difference[0]) - 1.0, float(difference[-1]) + 1.0)
        place = np.searchsorted(difference, 2 * near - difference).clip(1, n - 1)
        means = np.concatenate([difference + difference[place - 1], difference + difference[place]]) / 2
        return float(means[np.argmin(np.abs(means - near))])

    return mean_of_rank


def _outside(n: int, tail: float, exact: bool) -> int:
    """How many of the sorted means lie outside the interval at either end; -1 if there is no interval."""
    if not exact:
        from scipy.stats import norm

        spread = np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        return int(np.floor(n * (n + 1) / 4 - norm.isf(tail) * spread - 0.5))
    return int(np.searchsorted(np.cumsum(rank_sum_chances(np.arange(1, n + 1))), tail, side="right")) - 1
