"""Who did better of every two patients, worked out some patients at a time, since pairs grow with the square.

>>> x = np.array([3.0, 1.0, 2.0])
>>> scores = Pairs(3, lambda rows: np.sign(x[rows][:, None] - x[None, :]).astype(np.int8))
>>> scores[0].tolist(), len(scores)
([0, 1, 1], 3)
>>> totals_of(scores, np.array([True, False, False]))[0].tolist()
[2, -2, 0]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from helpers.stats.checks import Bools, Floats, Ints
from helpers.stats.result import StatisticsError

Signs = NDArray[np.int8]
_CELLS = 4_000_000  # pairs that are held at once


@dataclass(frozen=True)
class Pairs:
    """Scores of all pairs: 1 if the patient of the row did better than that of the column, -1 if worse.

    Attributes:
        size: number of patients.
        of: scores of some patients, named by their numbers, against everybody; shape (patients, size).
    """

    size: int
    of: Callable[[Ints], Signs]

    def __len__(self) -> int:
        """Return the number of patients."""
        return self.size

    def __getitem__(self, key: Any) -> Any:
        """Return part of the whole square of scores."""
        return self.of(np.arange(self.size))[key]

    def blocks(self, patients: Bools) -> Iterator[tuple[Ints, Signs]]:
        """Yield some of the patients asked for and their scores against everybody, until all had a turn."""
        rows = np.flatnonzero(patients)
        step = max(1, _CELLS // max(self.size, 1))
        for start in range(0, rows.size, step):
            part = rows[start : start + step]
            yield part, self.of(part)


def pairs_of(scores: Pairs | Signs) -> Pairs:
    """Return scores as pairs.

    Args:
        scores: pairs, or a square with scores[i, j] = -scores[j, i].

    Raises:
        StatisticsError: a square that is not like that.
    """
    if isinstance(scores, Pairs):
        return scores
    matrix = np.asarray(scores)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or (matrix != -matrix.T).any():
        raise StatisticsError("scores", "must be square with scores[i, j] = -scores[j, i]")
    return Pairs(len(matrix), lambda rows: matrix[rows])


@dataclass(frozen=True)
class Won:
    """Comparisons of the treated with the controls that the treated won, or lost.

    Attributes:
        of_treated, of_controls: how many of each patient's comparisons.
    """

    of_treated: Ints
    of_controls: Ints

    @property
    def share(self) -> float:
        """Share of all comparisons."""
        return int(self.of_treated.sum()) / (self.of_treated.size * self.of_controls.size)

    def shares(self) -> tuple[Floats, Floats]:
        """Shares of each treated patient's comparisons, and of each control's."""
        return self.of_treated / self.of_controls.size, self.of_controls / self.of_treated.size


def totals_of(scores: Pairs, arm: Bools) -> tuple[Ints, Won, Won]:
    """Return each patient's sum of scores against everybody, and the wins and losses of the treated.

    Args:
        scores: of all pairs.
        arm: who is treated.
    """
    sums = np.zeros(scores.size, dtype=np.int64)
    by_row = np.zeros((2, scores.size), dtype=np.int64)
    by_column = np.zeros((2, int((~arm).sum())), dtype=np.int64)
    for rows, part in scores.blocks(np.ones(scores.size, dtype=bool)):
        sums[rows] = part.sum(1, dtype=np.int64)
        mine = arm[rows]
        against = part[np.ix_(mine, ~arm)]
        for place, counted in enumerate((against > 0, against < 0)):
            by_row[place, rows[mine]] = counted.sum(1)
            by_column[place] += counted.sum(0)
    won, lost = (Won(by_row[place, arm], by_column[place]) for place in (0, 1))
    return sums, won, lost
