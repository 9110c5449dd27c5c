"""Interval of the hazard ratio by inverting the exact log-rank test.

Given who is at risk just before each death, the arm of the patient who dies is a coin with odds HR n1 : n0.
Followed from death to death this gives the exact distribution of observed less expected deaths for any
hazard ratio. At HR = 1, with censoring only after the last death, it is the permutation distribution of the
exact log-rank test.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any

import numpy as np

from helpers.stats.checks import Bools, Floats, Ints, confidence_level, event_flags, survival_data
from helpers.stats.result import Result, StatisticsError

# Paths of the arms of the deaths: 2^18 in the worst case.
_MAX_PATHS = 300_000
_SLACK = 1e-9
_LOG_LIMIT = 12.0


@dataclass(frozen=True)
class _Paths:
    """Every sequence of arms of the deaths: statistic, and what its probability needs for any hazard ratio.

    `treated_deaths` counts the deaths in the treated arm; `ways` is the log number of ways at the tied times;
    `one`, `none`, `tied` hold, for each death time, those at risk in the arms and the deaths then.
    """

    statistic: Floats
    treated_deaths: Ints
    log_ways: Floats
    one: Ints
    none: Ints
    tied: Ints

    @cached_property
    def normalisers(self) -> list[tuple[Floats, Ints]]:
        """At each death time: the log ways of each distinct pair at risk, and which pair each path has."""
        found = []
        for column, d in enumerate(self.tied.tolist()):
            pairs = np.column_stack([self.one[:, column], self.none[:, column]])
            distinct, where = np.unique(pairs, axis=0, return_inverse=True)
            found.append((_log_ways(distinct, d), where.ravel()))
        return found


def exact_logrank_interval(time: Any, event: Any, treated: Any, *, confidence: float = 0.95) -> Result:
    """Exact interval of the hazard ratio, treated v control, each limit at half of 1 - `confidence`.

    The limits are the hazard ratios at which the one-sided exact p-value of the log-rank statistic
    (observed less expected deaths under HR = 1) is (1 - confidence)/2; `value` is the one at which the two
    are equal (median unbiased), `p_value` twice the smaller one-sided p at HR = 1 (at most 1); `details`
    has the two. A limit is 0 or infinite where the observed statistic is the most extreme there is.
    Censored patients are taken as censored whatever the hazard ratio. Raises StatisticsError without events
    or with too many to enumerate (about 18 deaths), where the profile interval serves.
    """
    level = confidence_level(confidence)
    times, events = survival_data(time, event)
    arm = event_flags(treated, times.size, "treated")
    if arm.all() or not arm.any():
        raise StatisticsError("treated", "one arm is empty")
    if not events.any():
        raise StatisticsError("event", "no events")
    paths, observed = _enumerate(times, events, arm)
    tail = (1 - level) / 2

    def less(log_ratio: float) -> float:
        weight = _probability(paths, log_ratio)
        return float(weight[paths.statistic <= observed + _SLACK].sum())

    def greater(log_ratio: float) -> float:
        weight = _probability(paths, log_ratio)
        return float(weight[paths.statistic >= observed - _SLACK].sum())

    upper = _crossing(lambda b: less(b) - tail)
    lower = _crossing(lambda b: tail - greater(b))
    middle = _crossing(lambda b: less(b) - greater(b))
    at_one = less(0.0), greater(0.0)
    return Result(
        method="hazard ratio, interval by inverting the exact log-rank test, median unbiased estimate",
        value=middle,
        lower=lower,
        upper=upper,
        p_value=min(1.0, 2 * min(at_one)),
        statistic=observed,
        n=times.size,
        confidence=level,
        details={"p_less": at_one[0], "p_greater": at_one[1], "paths": int(paths.statistic.size)},
    )


def _crossing(function: Any) -> float:
    """Hazard ratio at which a falling function of the log hazard ratio is 0; 0 or infinity if it never is."""
    from scipy.optimize import brentq

    if function(-_LOG_LIMIT) <= 0:
        return 0.0
    if function(_LOG_LIMIT) >= 0:
        return inf
    return float(np.exp(brentq(function, -_LOG_LIMIT, _LOG_LIMIT, xtol=1e-12, rtol=1e-14)))


def _enumerate(times: Floats, events: Bools, arm: Bools) -> tuple[_Paths, float]:
    from scipy.special import gammaln

    at, tied = np.unique(times[events], return_counts=True)
    start = int(arm.sum()), int((~arm).sum())
    deaths = np.zeros(1, dtype=np.int64)
    statistic, log_ways = np.zeros(1), np.zeros(1)
    one, none = np.empty((1, 0), np.int64), np.empty((1, 0), np.int64)
    observed = 0.0
    for step, (day, d) in enumerate(zip(at.tolist(), tied.tolist(), strict=True)):
        gone = ~events & (times < day)
        before = int(tied[:step].sum())
        n1 = start[0] - int((gone & arm).sum()) - deaths
        n0 = start[1] - int((gone & ~arm).sum()) - (before - deaths)
        n1, n0 = np.maximum(n1, 0), np.maximum(n0, 0)
        own1, own0 = int((arm & (times >= day)).sum()), int((~arm & (times >= day)).sum())
        observed += int((arm & events & (times == day)).sum()) - d * own1 / (own1 + own0)
        branches = []
        for k in range(d + 1):
            fits = (k <= n1) & (d - k <= n0) & (n1 + n0 >= d)
            if not fits.any():
                continue
            a, b = n1[fits], n0[fits]
            ways = _log_choose(gammaln, a, k) + _log_choose(gammaln, b, d - k)
            branches.append(
                (
                    deaths[fits] + k,
                    statistic[fits] + k - d * a / (a + b),
                    log_ways[fits] + ways,
                    np.column_stack([one[fits], a]),
                    np.column_stack([none[fits], b]),
                )
            )
        deaths, statistic, log_ways, one, none = (
            np.concatenate(part) for part in zip(*branches, strict=True)
        )
        if deaths.size > _MAX_PATHS:
            raise StatisticsError("event", f"{int(events.sum())} events are too many to enumerate exactly")
    return _Paths(statistic, deaths, log_ways, one, none, tied), observed


def _log_choose(gammaln: Any, n: Ints, k: int) -> Floats:
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))


def _probability(paths: _Paths, log_ratio: float) -> Floats:
    """Probability of each path: at each death time the noncentral hypergeometric, given those at risk."""
    total = paths.log_ways + log_ratio * paths.treated_deaths
    for ways, where in paths.normalisers:
        terms = ways + log_ratio * np.arange(ways.shape[1])
        top = terms.max(axis=1)
        total = total - (top + np.log(np.exp(terms - top[:, None]).sum(axis=1)))[where]
    return np.asarray(np.exp(total))


def _log_ways(at_risk: Ints, d: int) -> Floats:
    """Log number of ways in which 0 to d of the deaths fall on the treated, by those at risk in the arms."""
    from scipy.special import gammaln

    n1, n0 = at_risk[:, 0], at_risk[:, 1]
    found = np.full((len(at_risk), d + 1), -np.inf)
    for k in range(d + 1):
        fits = (k <= n1) & (d - k <= n0)
        found[fits, k] = _log_choose(gammaln, n1[fits], k) + _log_choose(gammaln, n0[fits], d - k)
    return found
