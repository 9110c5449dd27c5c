"""Order statistics of all differences between two samples, without building them where they are many."""

from __future__ import annotations

from math import inf

import numpy as np

from helpers.stats.checks import Floats, Ints

# Up to this many differences of distinct values are built and sorted at once.
_MOST_PAIRS = 400_000
# Values of each sample whose differences tell where among all of them an order statistic lies.
_GRID = 256


class Differences:
    """All differences x - y of two sorted samples, looked up by their rank.

    Of large samples the rank of a trial value is counted: for each distinct x those y that are at least x
    less the trial, found in the sorted y. The search starts from the differences of some hundred quantiles,
    interpolates until few pairs are left between two trials, and sorts those.

    >>> found = Differences(np.array([3.0, 7.0]), np.array([1.0, 2.0]))
    >>> found.median(), found.at(1), found.at(5)
    (3.5, 1.0, inf)
    """

    def __init__(self, first: Floats, second: Floats) -> None:
        self.count = int(first.size) * int(second.size)
        self._x, self._x_count = np.unique(first, return_counts=True)
        self._y, self._y_count = np.unique(second, return_counts=True)
        self._y_below = np.concatenate(([0], np.cumsum(self._y_count)))
        self._scale = max(abs(float(v)) for v in (first[0], first[-1], second[0], second[-1]))
        # Number of differences below those known, those known in order, and number up to each of them.
        self._known: tuple[int, Floats, Ints] = (0, np.empty(0), np.empty(0, dtype=np.int64))
        self._guesses = np.empty(0)
        if self._x.size * self._y.size <= _MOST_PAIRS:
            self._keep(0, np.zeros(self._x.size, dtype=np.int64), np.full(self._x.size, self._y.size))
        else:
            share = (np.arange(_GRID) + 0.5) / _GRID
            x, y = (part[(share * part.size).astype(np.int64)] for part in (first, second))
            self._guesses = np.sort((x[:, None] - y[None, :]).ravel())

    def at(self, rank: int) -> float:
        """Difference of a rank, from 1 for the smallest; infinite beyond the smallest and the largest."""
        if not 1 <= rank <= self.count:
            return -inf if rank < 1 else inf
        below, values, upto = self._known
        if not (upto.size and below < rank <= upto[-1]):
            near = self._search(rank)
            if near is not None:
                return near
            _, values, upto = self._known
        return float(values[np.searchsorted(upto, rank)]) + 0.0  # no minus zero

    def median(self) -> float:
        """Middle difference, or the mean of the two in the middle."""
        return (self.at((self.count + 1) // 2) + self.at(self.count // 2 + 1)) / 2 + 0.0

    def _keep(self, below: int, start: Ints, stop: Ints) -> None:
        """Build and sort the differences of each distinct x and the distinct y from `start` to `stop`."""
        length = stop - start
        row = np.repeat(np.arange(self._x.size), length)
        column = np.arange(row.size) - np.repeat(np.cumsum(length) - length - start, length)
        values = self._x[row] - self._y[column]
        order = np.argsort(values, kind="stable")
        upto = below + np.cumsum((self._x_count[row] * self._y_count[column])[order])
        self._known = (below, values[order], upto)

    def _through(self, value: float) -> tuple[Ints, int]:
        """For each distinct x the first y whose difference is at most `value`, and how many such pairs."""
        place = np.searchsorted(self._y, self._x - value)
        return place, self.count - int(self._x_count @ self._y_below[place])

    def _search(self, rank: int) -> float | None:
        """Know the differences around a rank; their value where more pairs than can be built share it."""
        low, high = float(self._x[0] - self._y[-1]) - self._scale - 1.0, float(self._x[-1] - self._y[0])
        start, stop = np.zeros(self._x.size, dtype=np.int64), np.full(self._x.size, self._y.size)
        below, upto = 0, self.count
        turn = 0
        while int((stop - start).sum()) > _MOST_PAIRS:
            if high - low <= 1e-14 * self._scale:
                return self._nearest(high)
            value = self._trial(turn, rank, (low, below), (high, upto))
            turn += 1
            place, number = self._through(value)
            if number < rank:
                low, stop, below = value, place, number
            else:
                high, start, upto = value, place, number
        self._keep(below, start, stop)
        return None

    def _trial(self, turn: int, rank: int, lower: tuple[float, int], upper: tuple[float, int]) -> float:
        """A value between two others whose ranks are known, where the rank asked for may lie."""
        (low, below), (high, upto) = lower, upper
        if turn < 2:
            step = (self._guesses.size // 500) * (1 if turn else -1)
            place = rank * self._guesses.size // self.count + step
            value = float(self._guesses[min(max(place, 0), self._guesses.size - 1)])
        elif turn % 3:
            # A little to the far side of where the rank should be, so that both ends close in.
            share = (rank - below) / (upto - below)
            value = low + (high - low) * (share + (0.02 if turn % 2 else -0.02))
        else:
            value = (low + high) / 2
        return value if low < value < high else (low + high) / 2

    def _nearest(self, value: float) -> float:
        """The difference of a pair that lies nearest to `value`."""
        place = np.clip(np.searchsorted(self._y, self._x - value), 1, max(self._y.size - 1, 1))
        beside = np.minimum(place, self._y.size - 1)
        candidates = np.concatenate([self._x - self._y[place - 1], self._x - self._y[beside]])
        return float(candidates[np.argmin(np.abs(candidates - value))])
