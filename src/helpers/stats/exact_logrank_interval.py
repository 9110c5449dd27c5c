"""Interval of the hazard ratio by inverting the exact log-rank test.

Given who is at risk just before each death, the arm of the patient who dies is a coin with odds HR n1 : n0.
Followed from death to death this gives the exact distribution of observed less expected deaths for any
hazard ratio. At HR = 1, with censoring only after the last death, it is the permutation distribution of the
exact log-rank test.

The paths are followed in two halves that meet at the number of treated deaths so far, which is all that the
later half needs to know of the earlier one: 18 deaths are some 3,000 halves instead of 262,144 paths.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

from helpers.stats.checks import Bools, Floats, Ints, confidence_level, event_flags, survival_data
from helpers.stats.result import Result, StatisticsError

# Half paths held at once: 26 deaths at distinct times, a second or two.
_MAX_PATHS = 100_000
_SLACK = 1e-9
_LOG_LIMIT = 12.0


@dataclass(frozen=True)
class _Deaths:
    """At each death time, `tied` deaths and the numbers at risk if no treated patient had died so far.

    A treated death so far moves one from `one` (treated at risk) to `none` (controls at risk). `log_ways` and
    `score` have shape (times, treated deaths so far, treated deaths now): the log number of ways, -inf where
    there is none, and observed less expected deaths.
    """

    tied: Ints
    log_ways: Floats
    score: Floats
    observed: float

    def probability(self, log_ratio: float) -> Floats:
        """Probability of each number of treated deaths now, given those so far; `log_ways` made flat."""
        terms = self.log_ways + log_ratio * np.arange(self.log_ways.shape[2])
        top = terms.max(axis=2, keepdims=True)
        raw = np.exp(terms - np.where(np.isfinite(top), top, 0.0))
        return np.asarray(raw / np.maximum(raw.sum(axis=2, keepdims=True), 1e-300)).ravel()


@dataclass(frozen=True)
class _Half:
    """Paths through some death times: treated deaths before and after, and the statistic.

    `steps` has, for each time, which path of the former time each path continues, and which cell it passes.
    """

    first: Ints
    last: Ints
    statistic: Floats
    steps: tuple[tuple[Ints, Ints], ...]

    def probability(self, table: Floats) -> Floats:
        """Probability of each path, given where it begins; `table` has those of the cells."""
        found = np.ones(1)
        for parent, cell in self.steps:
            found = found[parent] * table[cell]
        return found if self.steps else np.ones(self.first.size)


@dataclass(frozen=True)
class _Meeting:
    """Early and late paths that meet at one number of treated deaths, the late ones by rising statistic.

    `at_most` counts, for each early path, the late ones with which it reaches at most the observed statistic,
    `below` those with which it stays below it.
    """

    early: Ints
    late: Ints
    at_most: Ints
    below: Ints


def exact_logrank_interval(time: Any, event: Any, treated: Any, *, confidence: float = 0.95) -> Result:
    """Exact interval of the hazard ratio, treated v control, each limit at half of 1 - `confidence`.

    The limits are the hazard ratios at which the one-sided exact p-value of the log-rank statistic
    (observed less expected deaths under HR = 1) is (1 - confidence)/2; `value` is the one at which the two
    are equal (median unbiased), `p_value` twice the smaller one-sided p at HR = 1 (at most 1); `details`
    has the two. A limit is 0 or infinite where the observed statistic is the most extreme there is.
    Censored patients are taken as censored whatever the hazard ratio. Raises StatisticsError without events
    or with too many to enumerate (about 26 deaths), where the profile interval serves.

    >>> found = exact_logrank_interval([5, 6, 7, 30, 30, 30], [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1])
    >>> found.value, found.lower, found.p_value  # all deaths among controls: 2 of 20 relabellings
    (0.0, 0.0, 0.1)
    """
    level = confidence_level(confidence)
    times, events = survival_data(time, event)
    arm = event_flags(treated, times.size, "treated")
    if arm.all() or not arm.any():
        raise StatisticsError("treated", "one arm is empty")
    if not events.any():
        raise StatisticsError("event", "no events")
    tied = np.unique(times[events], return_counts=True)[1]
    split = _split(tied)
    deaths = _deaths(times, events, arm)
    early = _paths(deaths, np.zeros(1, dtype=np.int64), range(split))
    late = _paths(deaths, np.unique(early.last), range(split, tied.size))
    meetings = _meetings(early, late, deaths.observed)
    tail = (1 - level) / 2

    def tails(log_ratio: float) -> tuple[float, float]:
        """Probability of at most, and of at least, the observed statistic."""
        table = deaths.probability(log_ratio)
        before, after = early.probability(table), late.probability(table)
        less = greater = 0.0
        for one in meetings:
            upto = np.concatenate(([0.0], np.cumsum(after[one.late])))
            less += float(before[one.early] @ upto[one.at_most])
            greater += float(before[one.early] @ (upto[-1] - upto[one.below]))
        return less, greater

    upper = _crossing(lambda b: tails(b)[0] - tail)
    lower = _crossing(lambda b: tail - tails(b)[1])
    middle = _crossing(lambda b: np.subtract(*tails(b)))
    at_one = tails(0.0)
    return Result(
        method="hazard ratio, interval by inverting the exact log-rank test, median unbiased estimate",
        value=middle,
        lower=lower,
        upper=upper,
        p_value=min(1.0, 2 * min(at_one)),
        statistic=deaths.observed,
        n=times.size,
        confidence=level,
        details={"p_less": at_one[0], "p_greater": at_one[1]},
    )


def _crossing(function: Any) -> float:
    """Hazard ratio at which a falling function of the log hazard ratio is 0; 0 or infinity if it never is."""
    from scipy.optimize import brentq

    if function(-_LOG_LIMIT) <= 0:
        return 0.0
    if function(_LOG_LIMIT) >= 0:
        return inf
    return float(np.exp(brentq(function, -_LOG_LIMIT, _LOG_LIMIT, xtol=1e-12, rtol=1e-14)))


def _split(tied: Ints) -> int:
    """Death time at which the halves meet, so that the fewest half paths are held.

    Raises:
        StatisticsError: there are too many however they are cut.
    """
    branches = np.concatenate(([0.0], np.cumsum(np.log2(tied + 1.0))))
    starts = np.concatenate(([0], np.cumsum(tied))) + 1
    # Beyond 2^60 the count only has to be too large.
    held = 2 ** np.minimum(branches, 60) + starts * 2 ** np.minimum(branches[-1] - branches, 60)
    if held.min() > _MAX_PATHS:
        raise StatisticsError("event", f"{int(tied.sum())} events are too many to enumerate exactly")
    return int(np.argmin(held))


def _deaths(times: Floats, events: Bools, arm: Bools) -> _Deaths:
    from scipy.special import gammaln

    def log_choose(n: Ints, k: Ints) -> Floats:
        safe = np.maximum(n, k)
        return np.asarray(gammaln(safe + 1) - gammaln(k + 1) - gammaln(safe - k + 1))

    at, tied = np.unique(times[events], return_counts=True)
    before = np.cumsum(tied) - tied
    gone = ~events[:, None] & (times[:, None] < at)
    one = int(arm.sum()) - (gone & arm[:, None]).sum(0)
    none = int((~arm).sum()) - (gone & ~arm[:, None]).sum(0) - before
    so_far = np.arange(int(tied.sum()) + 1)
    n1 = np.maximum(one[:, None] - so_far, 0)[:, :, None]
    n0 = np.maximum(none[:, None] + so_far, 0)[:, :, None]
    now, d = np.arange(int(tied.max()) + 1), tied[:, None, None]
    fits = (now <= d) & (now <= n1) & (d - now <= n0) & (so_far[:, None] <= before[:, None, None])
    rest = np.maximum(d - now, 0)
    expected = d * n1 / np.maximum(n1 + n0, 1)
    risk = times[:, None] >= at
    own = (risk & arm[:, None]).sum(0)
    dead = (arm & events)[:, None] & (times[:, None] == at)
    return _Deaths(
        tied,
        np.where(fits, log_choose(n1, np.broadcast_to(now, fits.shape)) + log_choose(n0, rest), -inf),
        np.asarray(now - expected),
        float((dead.sum(0) - tied * own / risk.sum(0)).sum()),
    )


def _paths(deaths: _Deaths, starts: Ints, times: range) -> _Half:
    """Every path through `times` from each number of treated deaths in `starts`."""
    shape = deaths.log_ways.shape
    first, so_far, statistic = starts, starts, np.zeros(starts.size)
    steps: list[tuple[Ints, Ints]] = []
    for j in times:
        path, now = np.nonzero(np.isfinite(deaths.log_ways[j][so_far]))
        # Before the first step every start is as likely as any: there is one parent.
        parent = path if steps else np.zeros_like(path)
        steps.append((parent, np.ravel_multi_index((np.full_like(path, j), so_far[path], now), shape)))
        statistic = statistic[path] + deaths.score[j][so_far[path], now]
        first, so_far = first[path], so_far[path] + now
    return _Half(first, so_far, statistic, tuple(steps))


def _meetings(early: _Half, late: _Half, observed: float) -> list[_Meeting]:
    found = []
    for k in np.unique(early.last):
        before, after = np.flatnonzero(early.last == k), np.flatnonzero(late.first == k)
        after = after[np.argsort(late.statistic[after], kind="stable")]
        wanted, ranked = observed - early.statistic[before], late.statistic[after]
        at_most = np.searchsorted(ranked, wanted + _SLACK, side="right")
        found.append(_Meeting(before, after, at_most, np.searchsorted(ranked, wanted - _SLACK)))
    return found
