"""Null distribution of a two-sample linear statistic under all relabellings of the subjects.

The statistic is the sum of the scores of one arm. Two exact algorithms: the shift algorithm for integer
scores (Streitberg & Roehmel 1986) and, for real scores, the split-up of the tied-score network into two
halves that are enumerated and met in the middle (van de Wiel 2001). Both condition on the observed scores, so
ties are handled exactly. A seeded Monte Carlo version serves where neither is feasible.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import accumulate
from math import comb, fsum, prod

import numpy as np

from helpers.stats.checks import Bools, Floats, Ints
from helpers.stats.result import StatisticsError

# Relative slack when a permuted statistic is compared with the observed one: sums of the same scores in
# another order differ by rounding, and such sums must count as equal.
SLACK = 1e-9
# Largest work accepted: cell updates of the shift algorithm, and states of one half of the split-up.
_SHIFT_LIMIT = 3_000_000_000
_HALF_LIMIT = 6_000_000
# Work of one state beside that of one cell.
_PER_STATE = 300
# Work of taking up one row, and the most rows whose work is counted one by one.
_PER_ROW, _MOST_ROWS = 2000.0, 5_000_000
# Up to this many subjects every binomial coefficient fits into a double.
_COUNTABLE = 1000
# Logarithm of the largest number of choices that is counted as a number.
_LOG_COUNTABLE = 690.0


@dataclass(frozen=True)
class TailProbabilities:
    """Probabilities that the permuted sum is as large, as small, or as far from its mean as observed."""

    greater: float
    less: float
    two_sided: float


def exact_tails(scores: Floats, mask: Bools) -> TailProbabilities:
    """Exact tail probabilities of `scores[mask].sum()` over all choices of `mask.sum()` subjects.

    Raises `StatisticsError` naming `method` if the enumeration would be too large.

    >>> found = exact_tails(np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, False, True, True]))
    >>> round(found.greater, 4), round(found.two_sided, 4)  # 1 and 2 of 6
    (0.1667, 0.3333)
    """
    chosen = int(mask.sum())
    integer = _as_integers(scores)
    by_shift = np.inf if integer is None else shift_work(integer, chosen)
    if integer is not None and by_shift <= min(_SHIFT_LIMIT, _split_up_work(scores)):
        return _tails_by_shift(integer, mask)
    return _tails_by_split_up(scores, mask)


def _as_integers(scores: Floats) -> Ints | None:
    """Scores as non-negative integers if doubling makes them whole (mid-ranks), else None."""
    doubled = 2 * scores
    if not np.array_equal(doubled, np.round(doubled)):
        return None
    whole = doubled.astype(np.int64)
    whole -= whole.min()
    return np.asarray(whole // max(int(np.gcd.reduce(whole)), 1), dtype=np.int64)


def exact_work(scores: Floats, chosen: int) -> float:
    """Estimate the work of `exact_tails` in updates of one cell, half a nanosecond each; infinite if refused.

    What is counted is what the cheapest of the algorithms does with these very scores: how many subjects
    there are says little. Two against a hundred thousand, or five hundred against five hundred with three
    values among them, are a matter of milliseconds.

    >>> untied, tied = np.arange(1.0, 401.0), np.repeat([67.5, 200.5, 333.5], [134, 132, 134])
    >>> exact_work(untied, 200) < 2.5e7, exact_work(tied, 200) < 6e6
    (True, True)
    """
    integer = _as_integers(scores)
    return min(np.inf if integer is None else shift_work(integer, chosen), _split_up_work(scores))


def shift_work(scores: Ints, chosen: int) -> float:
    """Number of cells that `shift_distribution` updates for scores that are integers >= 0."""
    small = min(chosen, scores.size - chosen)
    ordered = np.sort(scores)
    if small == 0:
        return 0.0
    if _is_untied(ordered):
        # The smaller group's size times half the range of the rank sum, in several passes.
        return float(3 * small * small * (scores.size - small))
    if scores.size * small > _MOST_ROWS:
        return float(scores.size) * small * float(ordered[-1] + 1)
    step, rows = np.arange(scores.size)[:, None], np.arange(small)
    below = np.concatenate(([0], np.cumsum(ordered)))
    width = below[step] - below[np.maximum(step - rows, 0)] - below[rows] + 1.0
    updated = (rows <= step) & (rows >= small - scores.size + step)
    return float(((width + _PER_ROW) * updated).sum())


def _is_untied(ordered: Ints) -> bool:
    """Whether sorted scores are 0, 1, 2, ..."""
    return bool(ordered[0] == 0 and ordered[-1] == ordered.size - 1 and (np.diff(ordered) == 1).all())


def _split_up_work(scores: Floats) -> float:
    """Work of sorting and meeting the states of the two halves; infinite where they are too many."""
    halves = _balanced_halves(tied_scores(scores)[1])
    return _PER_STATE * sum(states for _, states in halves)


def shift_distribution(scores: Ints, chosen: int) -> Floats:
    """P(sum of `chosen` scores drawn without replacement = s) for s = 0, 1, ... (scores non-negative
    integers).

    Probabilities, not counts, are carried: entry [j, s] is scaled by 1/C(i, j) after i scores, which avoids
    overflow for any n.

    >>> shift_distribution(np.array([0, 1, 2]), 2).round(3).tolist()  # sums 1, 2 and 3
    [0.0, 0.333, 0.333, 0.333]
    """
    return _shift_distribution(np.sort(scores).tobytes(), chosen)


# Samples without ties share one distribution; interval inversion and simulations ask for it again and again.
@lru_cache(maxsize=64)
def _shift_distribution(sorted_scores: bytes, chosen: int) -> Floats:
    ordered = np.frombuffer(sorted_scores, dtype=np.int64)
    if chosen and _is_untied(ordered):
        return _untied_distribution(chosen, ordered.size - chosen)
    largest = int(ordered[-chosen:].sum()) if chosen else 0
    table = np.zeros((chosen + 1, largest + 1))
    table[0, 0] = 1.0
    fill = _fill_counts if _log_choices(ordered.size, chosen) < _LOG_COUNTABLE else _fill_probabilities
    fill(table, ordered.tolist(), chosen)
    found = table[chosen] / table[chosen].sum()
    found.setflags(write=False)
    return np.asarray(found)


def _untied_distribution(chosen: int, others: int) -> Floats:
    """P(sum of `chosen` of the numbers 0, 1, 2, ... = s): the coefficients of a Gaussian binomial.

    It is the product over i = 1, ..., chosen of (1 - q^(others + i)) / (1 - q^i). After each factor the
    coefficients count the sums of i numbers: they rise to their middle and are symmetric, so that half of
    them is kept, and on that half what is taken away is never more than what it is taken from.
    """
    half = np.ones(1)
    for i in range(1, chosen + 1):
        last = others * (i - 1)
        wanted = others * i // 2 + 1
        # The former coefficients as far as needed, the second half mirrored from the first.
        grown = np.zeros(-(-wanted // i) * i)
        grown[: half.size] = half[:wanted]
        mirrored = np.arange(half.size, min(wanted, last + 1))
        grown[mirrored] = half[last - mirrored]
        grown[others + i : wanted] -= grown[: max(wanted - others - i, 0)].copy()
        half = np.cumsum(grown.reshape(-1, i), axis=0).ravel()[:wanted] * (i / (others + i))
    range_ = chosen * others
    whole = np.concatenate([half, half[: range_ + 1 - half.size][::-1]])
    found = np.concatenate([np.zeros(chosen * (chosen - 1) // 2), whole / whole.sum()])
    found.setflags(write=False)
    return found


def _log_choices(size: int, chosen: int) -> float:
    """Logarithm of the largest number of ways to choose up to `chosen` of so many subjects."""
    from math import lgamma

    most = min(chosen, size // 2)
    return lgamma(size + 1) - lgamma(most + 1) - lgamma(size - most + 1)


def _fill_counts(table: Floats, ordered: list[int], chosen: int) -> None:
    """Number of ways to reach each sum; rows from which `chosen` can no longer be reached are left alone.

    Of each row only the sums between the smallest and the largest of so many scores are touched.
    """
    below = [0, *accumulate(ordered)]
    for i, score in enumerate(ordered):
        for j in range(min(i, chosen - 1), max(0, chosen - len(ordered) + i) - 1, -1):
            low, high = below[j], below[i] - below[i - j] + 1
            table[j + 1, low + score : high + score] += table[j, low:high]


def _fill_probabilities(table: Floats, ordered: list[int], chosen: int) -> None:
    """The same divided by C(i, j) after i scores, for samples whose counts exceed floating point."""
    top, last = 0, table.shape[1] - 1
    rows = np.arange(chosen + 1)[:, None]
    for i, score in enumerate(ordered, start=1):
        used = min(i, chosen)
        top = min(top + score, last)
        # C(i-1, j)/C(i, j) = (i-j)/i for a score left out, j/i for a score taken.
        taken = table[:used, : top + 1 - score] * (rows[1 : used + 1] / i)
        table[: used + 1, : top + 1] *= np.maximum(i - rows[: used + 1], 0) / i
        table[1 : used + 1, score : top + 1] += taken


def _tails_by_shift(scores: Ints, mask: Bools) -> TailProbabilities:
    total, size = int(scores.sum()), scores.size
    observed, chosen = int(scores[mask].sum()), int(mask.sum())
    flipped = chosen > size - chosen
    if flipped:
        observed, chosen = total - observed, size - chosen
    probability = shift_distribution(scores, chosen)
    sums = np.arange(probability.size)
    upper = float(probability[sums >= observed].sum())
    lower = float(probability[sums <= observed].sum())
    # Distance from the mean chosen*total/size in whole numbers, so that no tie is lost to rounding.
    distance = np.abs(sums * size - chosen * total)
    both = float(probability[distance >= abs(observed * size - chosen * total)].sum())
    if flipped:
        upper, lower = lower, upper
    return TailProbabilities(min(upper, 1.0), min(lower, 1.0), min(both, 1.0))


def tied_scores(scores: Floats) -> tuple[Floats, Ints]:
    """Distinct scores and their multiplicities; scores equal up to rounding are one.

    >>> found = tied_scores(np.array([0.3, 0.1 + 0.2, 1.0]))
    >>> found[0].round(3).tolist(), found[1].tolist()
    ([0.3, 1.0], [2, 1])
    """
    ordered = np.sort(scores)
    slack = SLACK * max(float(np.abs(ordered).max()), 1.0)
    first = np.concatenate(([True], np.diff(ordered) > slack))
    start = np.flatnonzero(first)
    return ordered[start], np.diff(np.append(start, ordered.size)).astype(np.int64)


def _tails_by_split_up(scores: Floats, mask: Bools) -> TailProbabilities:
    values, counts = tied_scores(scores)
    (left, few), (right, many) = _balanced_halves(counts)
    if not np.isfinite(few + many):
        raise StatisticsError(
            "method", f"exact enumeration of {scores.size} subjects is too large; use the permutation version"
        )
    chosen = int(mask.sum())
    # Counts of choices, or where they exceed floating point the chances of as many among independent ones:
    # given how many are chosen in all, the two are proportional.
    ways = _counted if scores.size <= _COUNTABLE else partial(_binomial, share=chosen / scores.size)
    first = _HalfStates(values[left], counts[left], chosen, ways)
    second = _HalfStates(values[right], counts[right], chosen, ways)
    observed, mean = fsum(scores[mask].tolist()), chosen * fsum(scores.tolist()) / scores.size
    slack = SLACK * max(float(np.abs(values) @ counts), 1.0)
    greater = less = both = 0.0
    far = abs(observed - mean)
    for j in range(chosen + 1):
        a_sums, a_weights = first.choices(j)
        b_sums, b_cumulative = _sorted_cumulative(*second.choices(chosen - j))
        if not (a_sums.size and b_sums.size):
            continue

        pairs = _Pairs(a_sums, a_weights, b_sums, b_cumulative, slack)
        greater += pairs.at_least(observed)
        less += pairs.at_most(observed)
        both += pairs.at_least(mean + far) + pairs.at_most(mean - far)
    total = float(ways(scores.size)[chosen])
    if far <= slack:
        both = total
    return TailProbabilities(min(greater / total, 1.0), min(less / total, 1.0), min(both / total, 1.0))


@dataclass(frozen=True)
class _Pairs:
    """Number of pairs of choices, one from each half, whose sums together pass a limit."""

    first: Floats
    weight: Floats
    second: Floats
    cumulative: Floats
    slack: float

    def at_least(self, limit: float) -> float:
        rank = np.searchsorted(self.second, limit - self.slack - self.first, side="left")
        return float(self.weight @ (self.cumulative[-1] - self.cumulative[rank]))

    def at_most(self, limit: float) -> float:
        rank = np.searchsorted(self.second, limit + self.slack - self.first, side="right")
        return float(self.weight @ self.cumulative[rank])


def _balanced_halves(counts: Ints) -> list[tuple[list[int], float]]:
    """Split classes of tied scores so that both halves have about equally many states; how many these are.

    The number is infinite where it is too large to enumerate.
    """
    halves: list[list[int]] = [[], []]
    load = [0.0, 0.0]
    # A class has two states at least.
    if counts.size > 2 * np.log2(_HALF_LIMIT) + 1:
        return [([], np.inf), ([], np.inf)]
    for index in np.argsort(-counts, kind="stable").tolist():
        lighter = 0 if load[0] <= load[1] else 1
        halves[lighter].append(index)
        load[lighter] += float(np.log(counts[index] + 1))
    found = []
    for half in halves:
        states = float(prod(int(counts[i]) + 1 for i in half))
        found.append((half, states if states <= _HALF_LIMIT else np.inf))
    return found


def _counted(size: int) -> Floats:
    """Number of ways to choose 0, 1, ... of so many subjects."""
    return np.array([float(comb(size, k)) for k in range(size + 1)])


def _binomial(size: int, share: float) -> Floats:
    """Chance that 0, 1, ... of so many subjects are chosen, each with the probability `share`."""
    from scipy.stats import binom

    return np.asarray(binom.pmf(np.arange(size + 1), size, share), dtype=float)


class _HalfStates:
    """All ways to choose from some classes of tied scores, looked up by the number chosen."""

    def __init__(self, values: Floats, counts: Ints, chosen: int, ways: Callable[[int], Floats]) -> None:
        number = np.zeros(1, dtype=np.int64)
        sums = np.zeros(1)
        weights = np.ones(1)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            take = np.arange(count + 1)
            number = (number[:, None] + take).ravel()
            sums = (sums[:, None] + value * take).ravel()
            weights = (weights[:, None] * ways(count)).ravel()
            fits = number <= chosen
            if not fits.all():
                number, sums, weights = number[fits], sums[fits], weights[fits]
        order = np.argsort(number, kind="stable")
        self._sums, self._weights = sums[order], weights[order]
        self._starts = np.searchsorted(number[order], np.arange(chosen + 2))

    def choices(self, number: int) -> tuple[Floats, Floats]:
        """Sums and multiplicities of the choices of `number` subjects, ordered by sum."""
        part = slice(self._starts[number], self._starts[number + 1])
        order = np.argsort(self._sums[part])
        return self._sums[part][order], self._weights[part][order]


def _sorted_cumulative(sums: Floats, weights: Floats) -> tuple[Floats, Floats]:
    return sums, np.concatenate(([0.0], np.cumsum(weights)))


def permutation_z(scores: Floats, mask: Bools) -> float:
    """Standardised sum of scores under relabelling (Strasser & Weber 1999); 0 if all scores are equal.

    >>> permutation_z(np.array([1.0, 2.0, 3.0]), np.array([False, True, False]))  # at the mean
    0.0
    """
    size, chosen = scores.size, int(mask.sum())
    centred = scores - fsum(scores.tolist()) / size
    if np.abs(centred).max() <= SLACK * np.abs(scores).max():
        return 0.0
    variance = chosen * (size - chosen) / (size * (size - 1)) * fsum((centred**2).tolist())
    return float(fsum(centred[mask].tolist()) / np.sqrt(variance))
