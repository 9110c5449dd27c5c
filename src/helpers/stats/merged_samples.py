"""Ranks of values, and of two samples together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from helpers.stats.checks import SAME_VALUE, Bools, Floats, Ints, tied_values


def midranks(values: Floats) -> Floats:
    """Ranks 1..n, tied values sharing the mean of their ranks; values equal up to rounding are tied.

    >>> midranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    values = tied_values(values)
    ordered = np.sort(values)
    low = np.searchsorted(ordered, values, side="left")
    high = np.searchsorted(ordered, values, side="right")
    return np.asarray((low + high + 1) / 2)


@dataclass(frozen=True)
class MergedSamples:
    """Two samples by distinct value, the smallest first; values equal up to rounding are one.

    Attributes:
        both: subjects with each value.
        first: those of them who belong to the first sample.
    """

    both: Ints
    first: Ints

    @property
    def midranks(self) -> Floats:
        """Rank of each distinct value, those who share it sharing the mean of their ranks."""
        return np.asarray(np.cumsum(self.both) - (self.both - 1) / 2)

    @cached_property
    def rank_sum(self) -> float:
        """Sum of the ranks of the first sample."""
        return float(self.midranks @ self.first)

    def ranked(self) -> tuple[Floats, Bools]:
        """Rank of each subject, those of the first sample first, and whether it belongs to it."""
        ranks, second = self.midranks, self.both - self.first
        mask = np.arange(int(self.both.sum())) < int(self.first.sum())
        return np.concatenate([np.repeat(ranks, self.first), np.repeat(ranks, second)]), mask


def merged(first: Floats, second: Floats) -> MergedSamples:
    """Count two samples by distinct value, in the time of sorting them.

    >>> merged(np.array([2.0, 1.0]), np.array([2.0])).both.tolist()
    [1, 2]
    """
    pooled, of_first = _sorted_with_membership(first, second)
    # As in `tied_values`.
    apart = np.diff(pooled) > SAME_VALUE * max(abs(float(pooled[0])), abs(float(pooled[-1])))
    start = np.concatenate(([0], np.flatnonzero(apart) + 1))
    below = np.cumsum(of_first)[start] - of_first[start]
    both, own = np.diff(start, append=pooled.size), np.diff(below, append=first.size)
    return MergedSamples(both.astype(np.int64), own.astype(np.int64))


def _sorted_with_membership(first: Floats, second: Floats) -> tuple[Floats, Ints]:
    """All values in order, and 1 for each of the first sample, 0 for each of the second."""
    pooled = np.concatenate([first, second])
    # As in `life_table`: without its sign the bits of a float order as an integer, which leaves room for the
    # membership, so that one plain sort does the work of an indirect one.
    negative = pooled < 0
    keys = np.abs(pooled).view(np.uint64)
    keys <<= np.uint64(1)
    keys[: first.size] |= np.uint64(1)
    count = int(negative.sum())
    if count:
        keys = np.concatenate([keys[negative], keys[~negative]])
    keys[:count].sort()
    keys[:count] = keys[:count][::-1].copy()
    keys[count:].sort()
    member = (keys & np.uint64(1)).view(np.int64)
    keys >>= np.uint64(1)
    values = keys.view(np.float64)
    values[:count] *= -1
    return values, member
