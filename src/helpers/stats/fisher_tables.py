"""Fisher's exact test of many 2 x 2 tables at once: tables with one total of events are one distribution."""

from __future__ import annotations

import numpy as np

from helpers.stats.checks import Floats, Ints

# Probabilities equal up to rounding are equal, as in R's fisher.test.
TIE = 1 + 1e-7


def fisher_p_of_total(total: int, n1: int, n2: int) -> tuple[int, Floats]:
    """Two-sided Fisher p of every table of two arms of `n1` and `n2` with `total` events in both together.

    Returns the smallest number of events that the first arm can have, and p by that number from there on: the
    sum of the probabilities that do not exceed the table's own. Probabilities follow from their neighbours'
    by the ratio of two hypergeometric terms, from the mode outwards, so that nothing overflows.

    >>> first, p = fisher_p_of_total(9, 20, 21)
    >>> first, round(float(p[1]), 4)
    (0, 0.0205)
    """
    low, high = max(0, total - n2), min(n1, total)
    a = np.arange(low, high, dtype=float)
    rise = (n1 - a) * (total - a) / ((a + 1) * (n2 - total + a + 1))
    mode = int(np.clip((total + 1) * (n1 + 1) // (n1 + n2 + 2), low, high)) - low
    weight = np.ones(high - low + 1)
    weight[mode + 1 :] = np.cumprod(rise[mode:])
    weight[:mode] = np.cumprod(1 / rise[:mode][::-1])[::-1]
    probability = weight / weight.sum()
    rising = np.sort(probability)
    upto = np.searchsorted(rising, probability * TIE, side="right")
    return low, np.minimum(np.cumsum(rising)[upto - 1], 1.0)


def fisher_p_values(e1: Ints, n1: int, e2: Ints, n2: int) -> Floats:
    """Two-sided Fisher p of tables with `e1` of `n1` and `e2` of `n2` events, one a pair of the arrays.

    >>> fisher_p_values(np.array([1, 2]), 20, np.array([8, 8]), 21).round(4).tolist()
    [0.0205, 0.067]
    """
    found = np.empty(e1.size)
    total = e1 + e2
    order = np.argsort(total, kind="stable")
    ends = np.flatnonzero(np.diff(total[order], append=-1)) + 1
    for rows in np.split(order, ends[:-1]):
        if rows.size:
            low, p = fisher_p_of_total(int(total[rows[0]]), n1, n2)
            found[rows] = p[e1[rows] - low]
    return found


def every_fisher_p(
    n1: int, n2: int, events1: tuple[int, int] | None = None, events2: tuple[int, int] | None = None
) -> Floats:
    """Two-sided Fisher p of every table of two arms, shape (n1 + 1, n2 + 1), by the events of each arm.

    `events1` and `events2` are the fewest and the most events that are looked at, all if not given.

    >>> every_fisher_p(3, 3).round(2)[0].tolist()  # 0 of 3 v 0, 1, 2, 3 of 3
    [1.0, 1.0, 0.4, 0.1]
    >>> every_fisher_p(3, 3, (0, 0), (2, 3)).round(2).tolist()
    [[0.4, 0.1]]
    """
    (least1, most1), (least2, most2) = events1 or (0, n1), events2 or (0, n2)
    found = np.empty((most1 - least1 + 1, most2 - least2 + 1))
    for total in range(least1 + least2, most1 + most2 + 1):
        low, p = fisher_p_of_total(total, n1, n2)
        a = np.arange(max(low, least1, total - most2), min(low + p.size - 1, most1, total - least2) + 1)
        found[a - least1, total - a - least2] = p[a - low]
    return found
