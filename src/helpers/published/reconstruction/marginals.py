"""Values of one variable in both arms that meet medians, ranges, threshold counts and the printed p-value.

A seeded local search over order statistics. Each order statistic has an interval that the printed median,
range and counts leave it; values are moved inside these intervals, so all of that holds at every step,
and a move is kept when it brings the exact rank-sum p nearer to the printed one. A solver was not used
here because the exact p with ties is no linear function of the values, and because the search yields
values that look drawn, not chosen at bounds; that the constraints can be met at all is proved beforehand
in `feasibility`.

>>> round(exact_p_value(np.array([5, 6, 9]), np.array([1, 2, 3])), 3)
0.1
>>> from helpers.published.reconstruction.targets import Summary
>>> box = order_box(ArmSpec(3, Summary(5, 1, 9)), np.random.default_rng(1))
>>> box.low.tolist(), box.high.tolist()
([1, 5, 9], [1, 5, 9])
>>> specs = {"a": ArmSpec(3, Summary(6, 5, 9)), "b": ArmSpec(3, Summary(2, 1, 3))}
>>> found = two_samples(specs, Number(0.1, 1), np.random.default_rng(1))
>>> {arm: values.tolist() for arm, values in found.items()}
{'a': [5, 6, 9], 'b': [1, 2, 3]}
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers.errors import CompendiumError
from helpers.published.ledger import Number
from helpers.published.reconstruction.targets import Summary
from helpers.stats.two_group import rank_sum_test

Ints = NDArray[np.int64]


def exact_p_value(x: Ints, y: Ints) -> float:
    """Exact two-sided rank-sum p, conditional on the ties."""
    return rank_sum_test(x, y, method="exact").p_value


# More equal values than this in one arm would not look like a laboratory's.
_MOST_EQUAL = 3
# A range of fewer distinct values than this makes ties likelier.
_NARROW = 150


class InfeasibleError(CompendiumError):
    """No values were found; the message says which constraints were asked."""


@dataclass(frozen=True)
class ArmSpec:
    """What one arm's values must meet: `below` holds (cut, k): exactly k values are smaller than cut."""

    size: int
    summary: Summary
    below: tuple[tuple[int, int], ...] = ()
    ceiling: tuple[int, ...] | None = None  # largest value allowed at each order statistic
    pinned: tuple[tuple[int, int], ...] = ()  # (order statistic counted from 0, value)
    log: bool = True


@dataclass(frozen=True)
class Box:
    """Smallest and largest value allowed at each order statistic (both non-decreasing)."""

    low: Ints
    high: Ints


def order_box(spec: ArmSpec, rng: np.random.Generator) -> Box:
    """Bounds of the order statistics. Raises InfeasibleError if they cross."""
    n, s = spec.size, spec.summary
    low, high = np.full(n, s.minimum, dtype=np.int64), np.full(n, s.maximum, dtype=np.int64)
    for cut, k in spec.below:
        high[:k] = np.minimum(high[:k], cut - 1)
        low[k:] = np.maximum(low[k:], cut)
    if spec.ceiling is not None:
        high = np.minimum(high, np.array(spec.ceiling, dtype=np.int64))
    high[0], low[n - 1] = s.minimum, s.maximum
    for index, value in spec.pinned:
        low[index], high[index] = max(low[index], value), min(high[index], value)
    low, high = np.maximum.accumulate(low), np.minimum.accumulate(high[::-1])[::-1]
    half = n // 2
    if n % 2:
        low[half], high[half] = max(low[half], s.median), min(high[half], s.median)
    else:
        # The two middle values straddle the median at equal distance, so that their mean is the printed
        # one exactly.
        reach = min(s.median - low[half - 1], high[half] - s.median)
        least = max(0, s.median - high[half - 1], low[half] - s.median)
        if reach < least:
            raise InfeasibleError(f"no two middle values average {s.median}")
        gap = least + int(rng.integers(0, max(1, min(reach - least, max(1, s.median // 12)) + 1)))
        low[half - 1] = high[half - 1] = s.median - gap
        low[half] = high[half] = s.median + gap
    low, high = np.maximum.accumulate(low), np.minimum.accumulate(high[::-1])[::-1]
    if (low > high).any():
        k = int(np.flatnonzero(low > high)[0])
        raise InfeasibleError(f"order statistic {k + 1} of {n} would have to lie in [{low[k]}, {high[k]}]")
    return Box(low, high)


def _propose(spec: ArmSpec, box: Box, index: int, rng: np.random.Generator) -> int:
    """A plausible value for one order statistic: nearer to the middle of the sample than to its extremes."""
    low, high = float(box.low[index]), float(box.high[index])
    u = float(rng.beta(1.2, 1.9))  # small: near the middle
    inner, outer = (high, low) if index < spec.size / 2 else (low, high)
    if spec.log:
        value = np.exp((1 - u) * np.log(inner + 1) + u * np.log(outer + 1)) - 1
    else:
        value = (1 - u) * inner + u * outer
    return int(np.clip(round(value), low, high))


def _draw(spec: ArmSpec, box: Box, rng: np.random.Generator) -> Ints:
    values = np.array([_propose(spec, box, i, rng) for i in range(spec.size)], dtype=np.int64)
    # Sorting keeps every order statistic in its interval because the bounds are monotone.
    return np.sort(values)


def _move(values: Ints, other: Ints, spec: ArmSpec, box: Box, rng: np.random.Generator, near: bool) -> Ints:
    moved = values.copy()
    index = int(rng.integers(spec.size))
    kind = rng.random()
    if not near:
        value = _propose(spec, box, index, rng)
    elif kind < 0.4:
        # A tie between the arms moves the statistic by half a step, which a p printed to three decimals
        # may need.
        nearest = np.argsort(np.abs(other - moved[index]), kind="stable")
        value = int(other[nearest[int(rng.integers(0, 3))]])
    elif kind < 0.7:
        # One unit breaks such a tie again.
        value = int(moved[index] + (1 if rng.random() < 0.5 else -1))
    else:
        value = round(moved[index] * (1 + 0.06 * rng.standard_normal()) + rng.integers(-2, 3))
    moved[index] = np.clip(value, box.low[index], box.high[index])
    moved = np.sort(moved)
    free = box.low < box.high
    pile = _most_equal(moved[free])
    most = _MOST_EQUAL if spec.summary.maximum - spec.summary.minimum < _NARROW else _MOST_EQUAL - 1
    return values if pile > most and pile >= _most_equal(values[free]) else moved


def _most_equal(values: Ints) -> int:
    return int(np.unique(values, return_counts=True)[1].max(initial=0))


def two_samples(
    specs: dict[str, ArmSpec],
    p_value: Number,
    rng: np.random.Generator,
    *,
    attempts: int = 40,
    steps: int = 500,
) -> dict[str, Ints]:
    """Sorted integer values per arm that meet `specs` and whose exact rank-sum p prints as `p_value`.

    Raises:
        InfeasibleError: the bounds cross, or the search ends without values that give the printed p.
    """
    first, second = specs
    best = np.inf
    for _ in range(attempts):
        boxes = {arm: order_box(spec, rng) for arm, spec in specs.items()}
        state = {arm: _draw(spec, boxes[arm], rng) for arm, spec in specs.items()}
        p = exact_p_value(state[first], state[second])
        for _ in range(steps):
            if p_value.agrees_with(p):
                return state
            arm, other = (first, second) if rng.random() < 0.5 else (second, first)
            moved = _move(
                state[arm], state[other], specs[arm], boxes[arm], rng, abs(p - p_value.value) < 0.01
            )
            trial = {first: state[first], second: state[second], arm: moved}
            q = exact_p_value(trial[first], trial[second])
            # A little worse is taken now and then: near the aim a single step may lead nowhere.
            if abs(q - p_value.value) <= max(abs(p - p_value.value), 0.006 * rng.random()):
                state, p = trial, q
        best = min(best, abs(p - p_value.value))
    raise InfeasibleError(
        f"no values found whose exact rank-sum p prints as {p_value.sign}{p_value.value}; "
        f"nearest by {best:.4f}"
    )
