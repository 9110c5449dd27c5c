"""The Fisher-Freeman-Halton p-value of a table of any shape, without a list of all tables.

Every table with the observed margins is a filling of some of the columns and one of the others, whose sums of
rows complement one another. Fillings with equal sums of rows and equal probability are counted together
(Mehta & Patel, J Am Stat Assoc 1983;78:427-434), those of either half are written out and meet in the middle:
the work grows like the square root of the number of tables.

>>> round(freeman_halton_p(np.array([[3, 0, 0], [0, 0, 3]])), 9)  # 2 of the 20 ways to choose 3 of 6
0.1
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np

from helpers.stats.checks import Floats, Ints, turns
from helpers.stats.fisher_tables import TIE

# Fillings that are looked at to add one column: half a second.
_MOST = 2_000_000
# Logarithms that agree to so many parts of one are equal; far finer than a tie.
_PARTS = 1e10


def freeman_halton_p(counts: Ints) -> float | None:
    """Probability, given the margins, of a table that is no more likely than the observed one.

    Args:
        counts: r x c table of counts, no row or column empty.

    Returns:
        The p-value, the same whatever the order of rows and columns; None if it would take too long.

    >>> round(freeman_halton_p(np.array([[1, 19], [8, 13]])), 4)
    0.0205
    >>> freeman_halton_p(np.full((6, 6), 9)) is None
    True
    """
    margins = sorted((np.sort(counts.sum(axis))[::-1] for axis in (0, 1)), key=lambda m: (len(m), m.tolist()))
    rows, columns = margins
    log_factorial = log_factorials(int(counts.sum()))
    halves = _halves(rows, columns)
    if halves is None or (first := _fillings(rows, halves[0], log_factorial)) is None:
        return None
    if (second := _fillings(rows, halves[1], log_factorial)) is None:
        return None
    observed = -float(log_factorial[np.sort(counts.ravel())].sum())
    return _share(first, second, observed + np.log(TIE))


def log_factorials(n: int) -> Floats:
    """Logarithms of the factorials from 0 to `n`."""
    return np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, n + 1)))))


@dataclass(frozen=True)
class _Fillings:
    """Fillings of some columns, in order of their sums of rows and then of their weights.

    Attributes:
        place: a number for the sums of rows; places add as the sums do.
        weight: logarithm of the product of 1/count!.
        number: how many fillings have these.
        last: place of the sums of whole rows.
    """

    place: Ints
    weight: Floats
    number: Floats
    last: int


def _halves(rows: Ints, columns: Ints) -> tuple[Ints, Ints] | None:
    """The columns in two parts with about equally many fillings; None where one column has too many."""
    ways = [comb(int(total) + len(rows) - 1, len(rows) - 1) for total in columns]
    if max(ways) > _MOST:
        return None
    so_far = np.cumsum(np.log(ways))
    parted = 1 + int(np.argmin(np.maximum(so_far, so_far[-1] - so_far)[:-1]))
    return columns[:parted], columns[parted:]


def _fillings(rows: Ints, columns: Ints, log_factorial: Floats) -> _Fillings | None:
    """All fillings of these columns that no row is too short for; None if there are too many."""
    # A place is the sums of all rows but the last, which takes what the others leave of the columns.
    steps = np.cumprod([1, *(rows[:-1] + 1).tolist()], dtype=object)
    if steps[-1] > np.iinfo(np.int64).max:
        return None
    step = steps[:-1].astype(np.int64)
    found = _Fillings(np.zeros(1, np.int64), np.zeros(1), np.ones(1), int(rows[:-1] @ step))
    filled = 0
    for total in columns.tolist():
        ways = _compositions(total, rows)
        nodes, node = np.unique(found.place, return_inverse=True)
        if len(nodes) * len(ways) > 4 * _MOST:
            return None
        sums = nodes[:, None] // step % (rows[:-1] + 1)
        sums = np.column_stack([sums, filled - sums.sum(axis=1)])
        fits = np.ones((len(nodes), len(ways)), dtype=bool)
        for row, most in enumerate(rows.tolist()):
            fits &= sums[:, row, None] + ways[:, row] <= most
        if fits.sum(axis=1)[node].sum() > _MOST:
            return None
        grown, way = _each_with_its_own(node, fits)
        gain = -log_factorial[np.sort(ways, axis=1)].sum(axis=1)
        found = _together(
            found.place[grown] + (ways[:, :-1] @ step)[way],
            found.weight[grown] + gain[way],
            found.number[grown],
            found.last,
        )
        filled += total
    return found


def _each_with_its_own(node: Ints, fits: Any) -> tuple[Ints, Ints]:
    """Each filling, by its number, with each way that fits its node."""
    many, fitting = fits.sum(axis=1), np.nonzero(fits)[1]
    begin, own = np.cumsum(many) - many, many[node]
    return np.repeat(np.arange(len(node)), own), fitting[np.repeat(begin[node], own) + turns(own)]


def _together(place: Ints, weight: Floats, number: Floats, last: int) -> _Fillings:
    """Fillings with the same sums of rows and the same weight counted together."""
    rounded = np.rint(weight * _PARTS)
    order = np.lexsort((rounded, place))  # few places, many fillings in each: faster than `sorted_rows`
    place, rounded, weight, number = place[order], rounded[order], weight[order], number[order]
    new = np.concatenate(([True], (np.diff(place) != 0) | (np.diff(rounded) != 0)))
    return _Fillings(place[new], weight[new], np.add.reduceat(number, np.flatnonzero(new)), last)


def _share(first: _Fillings, second: _Fillings, most: float) -> float:
    """Share of whole tables whose weight is at most `most` in the weight of all."""
    total = counted = -np.inf
    tables, others = (half.weight + np.log(half.number) for half in (first, second))
    begins = np.flatnonzero(np.concatenate(([True], np.diff(first.place) != 0)))
    for begin, end in zip(begins, [*begins[1:], len(first.place)], strict=True):
        complement = first.last - first.place[begin]
        low, high = np.searchsorted(second.place, [complement, complement + 1])
        below = np.logaddexp.accumulate(np.concatenate(([-np.inf], others[low:high])))
        reached = np.searchsorted(second.weight[low:high], most - first.weight[begin:end], side="right")
        own = tables[begin:end]
        counted = np.logaddexp(counted, np.logaddexp.reduce(own + below[reached]))
        total = np.logaddexp(total, np.logaddexp.reduce(own + below[-1]))
    return float(np.exp(counted - total))


def _compositions(total: int, most: Ints) -> Ints:
    """All ways to write `total` as an ordered sum of counts that are at most as large as given."""
    made, left = np.zeros((1, 0), dtype=np.int64), np.array([total], dtype=np.int64)
    for limit in most[:-1].tolist():
        repeat = np.minimum(left, limit) + 1
        index = np.repeat(np.arange(left.size), repeat)
        value = turns(repeat)
        made, left = np.column_stack([made[index], value]), left[index] - value
    ways: Ints = np.column_stack([made, left])[left <= most[-1]]
    return ways
