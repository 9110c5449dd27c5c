"""Competing risks: cumulative incidence (Aalen-Johansen) and Gray's test."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.stats.checks import (
    SAME_TIME,
    Floats,
    Ints,
    confidence_level,
    float_array,
    group_codes,
    survival_times,
)
from helpers.stats.result import Result, StatisticsError
from helpers.stats.survival_intervals import beta_product_limits

if TYPE_CHECKING:
    import pandas as pd


def _statuses(time: Any, status: Any, cause: int) -> tuple[Floats, Ints]:
    """Times and status recoded: 0 censored, 1 the cause of interest, 2 any other cause."""
    times = survival_times(time)
    raw = float_array(status, "status")
    if raw.size != times.size:
        raise StatisticsError("status", f"has {raw.size} entries, time has {times.size}")
    bad = np.isnan(raw) | (raw < 0) | (raw != np.round(raw))
    if bad.any():
        where = int(np.flatnonzero(bad)[0])
        raise StatisticsError(
            "status", f"must be 0 (censored), 1, 2, ...; found {raw[where]:g} at position {where}"
        )
    if cause < 1 or cause != int(cause):
        raise StatisticsError("cause", f"must be 1, 2, ...; found {cause!r}")
    return times, np.where(raw == 0, 0, np.where(raw == cause, 1, 2)).astype(np.int64)


@dataclass(frozen=True)
class CumulativeIncidence:
    """A cumulative incidence curve. Made by `cumulative_incidence`.

    >>> curve = cumulative_incidence([1, 2, 3, 4], [1, 2, 1, 0])
    >>> curve.incidence.tolist()
    [0.25, 0.25, 0.5, 0.5]
    >>> round(curve.at(3).value, 2)
    0.5
    """

    time: Floats
    n_risk: Floats
    n_event: Floats
    n_competing: Floats
    incidence: Floats
    std_err: Floats
    confidence: float

    @cached_property
    def limits(self) -> tuple[Floats, Floats]:
        """Limits on the complementary log-log scale, log(-log(1 - F)); NaN while the incidence is 0."""
        from scipy.stats import norm

        z = float(norm.isf((1 - self.confidence) / 2))
        inside = (self.incidence > 0) & (self.incidence < 1)
        rest = np.where(inside, 1 - self.incidence, 0.5)
        width = z * np.where(inside, self.std_err, 0.0) / (rest * np.abs(np.log(rest)))
        lower, upper = (1 - rest ** np.exp(-width), 1 - rest ** np.exp(width))
        return np.where(inside, lower, nan), np.where(inside, upper, nan)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a distinct time: time, n_risk, n_event, n_competing, incidence, std_err, lower, upper."""
        import pandas as pd

        lower, upper = self.limits
        columns = {"time": self.time, "n_risk": self.n_risk, "n_event": self.n_event}
        columns |= {"n_competing": self.n_competing, "incidence": self.incidence, "std_err": self.std_err}
        return pd.DataFrame(columns | {"lower": lower, "upper": upper})

    def at(self, day: float) -> Result:
        """Cumulative incidence by `day`, with exact limits where it is 0 or 1.

        While there is no event of the cause, the upper limit is the exact binomial one for 0 of those
        whose fate by then is known: all but those censored before. When everybody had the event, the
        lower limit is one less the upper beta-product limit of the survival curve, exact binomial
        without censoring. NaN, said in `note`, beyond the last follow-up while somebody is still free
        of any event. Raises StatisticsError for a day below 0.
        """
        if not np.isfinite(day) or day < 0:
            raise StatisticsError("day", f"must be a time >= 0, found {day!r}")
        index = int(np.searchsorted(self.time, day * (1 + SAME_TIME), side="right")) - 1
        day = max(day, float(self.time[index])) if index >= 0 else day
        method = "cumulative incidence (Aalen-Johansen), complementary log-log interval"
        base: dict[str, Any] = {"n": int(self.n_risk[0]), "confidence": self.confidence}
        base["options"] = {"time": float(day)}
        left = self.n_risk[-1] - self.n_event[-1] - self.n_competing[-1]
        if day > self.time[-1] and left > 0:
            return Result(method=method, note=f"follow-up ends at {self.time[-1]:g}", **base)
        if index < 0 or self.incidence[index] == 0:
            known = self._fate_known(index, day)
            upper = 1 - ((1 - self.confidence) / 2) ** (1 / known) if known else 1.0
            note = f"no event so far: upper limit exact for 0 of the {known} whose fate is known"
            return Result(method=method, value=0.0, lower=0.0, upper=float(upper), note=note, **base)
        if self.incidence[index] >= 1 - 1e-12:
            alive = np.zeros(index + 1)
            used = slice(0, index + 1)
            survived = beta_product_limits(self.n_risk[used], self.n_event[used], alive, self.confidence)[1]
            note = "everybody had the event: exact (beta-product) lower limit"
            lowest = 1 - float(survived[index])
            return Result(method=method, value=1.0, lower=lowest, upper=1.0, note=note, **base)
        lower, upper_limit = self.limits
        return Result(
            method=method,
            value=float(self.incidence[index]),
            lower=float(lower[index]),
            upper=float(upper_limit[index]),
            **base,
        )

    def _fate_known(self, index: int, day: float) -> int:
        """How many are known to have had the event by `day` or not: all but those censored before it."""
        if index < 0:
            return int(self.n_risk[0])
        after = np.append(self.n_risk, 0.0)[1:]
        censored = self.n_risk - after - self.n_event - self.n_competing
        through = index + 1 if day > self.time[index] else index
        return int(self.n_risk[0] - censored[:through].sum())


def cumulative_incidence(
    time: Any, status: Any, *, cause: int = 1, confidence: float = 0.95
) -> CumulativeIncidence:
    """Cumulative incidence of `cause` with every other cause competing (Aalen-Johansen).

    `status`: 0 censored, 1, 2, ... the cause of the first event. Standard error by Aalen's (1978) variance,
    as `cmprsk::cuminc` in R. Raises StatisticsError for other codes, missing or negative times.

    >>> curve = cumulative_incidence([1, 2, 3, 4], [1, 2, 1, 0])
    >>> curve.table[["time", "n_risk", "incidence"]].values.tolist()
    [[1.0, 4.0, 0.25], [2.0, 3.0, 0.25], [3.0, 2.0, 0.5], [4.0, 1.0, 0.5]]
    """
    level = confidence_level(confidence)
    times, codes = _statuses(time, status, cause)
    at, index = np.unique(times, return_inverse=True)
    leaving = np.bincount(index, minlength=at.size).astype(float)
    n = times.size - np.concatenate(([0.0], np.cumsum(leaving)[:-1]))
    d1 = np.bincount(index[codes == 1], minlength=at.size).astype(float)
    d2 = np.bincount(index[codes == 2], minlength=at.size).astype(float)
    survival = np.cumprod(1 - (d1 + d2) / n)
    before = np.concatenate(([1.0], survival[:-1]))
    incidence = np.cumsum(before * d1 / n)
    error = np.sqrt(_aalen_variance(n, d1, d2, before, survival, incidence))
    return CumulativeIncidence(at, n, d1, d2, incidence, error, level)


def _aalen_variance(n: Floats, d1: Floats, d2: Floats, before: Floats, after: Floats, f: Floats) -> Floats:
    """Variance of F(t) at each time with the tie correction of `cmprsk::cuminc` (Aalen 1978).

    Events at t_i weigh S(t_i-)^2 d (n - d) / (n^2 (n - 1)) per cause; they load on F(t) by
    1 - (F(t) - F_i)/S_i for the cause itself and -(F(t) - F_i)/S_i for a competing one. The squares are
    expanded into running sums.
    """
    inverse = np.divide(1.0, after, out=np.zeros(n.size), where=after > 1e-12)
    variance = np.zeros(n.size)
    for d, own in ((d1, 1.0), (d2, 0.0)):
        tie = np.where(d > 1, (n - d) / np.maximum(n - 1, 1), 1.0)
        weight = before**2 * tie * d / n**2
        if own == 0.0:
            weight = np.where(inverse > 0, weight, 0.0)
        fixed = own + f * inverse
        variance += np.cumsum(weight * fixed**2)
        variance += f**2 * np.cumsum(weight * inverse**2) - 2 * f * np.cumsum(weight * fixed * inverse)
    return np.maximum(variance, 0.0)


def gray_test(time: Any, status: Any, group: Any, *, cause: int = 1, rho: float = 0.0) -> Result:
    """Gray's (1988) test that the cumulative incidence of `cause` is equal between groups.

    `rho` weights by (1 - F(t-))^rho. Equals `cmprsk::cuminc` in R. NaN, said in `note`, without events of the
    cause or where the groups were never at risk together. Raises StatisticsError for bad input or fewer than
    two groups.

    >>> found = gray_test([1, 2, 3, 4, 5, 6], [1, 1, 1, 0, 0, 2], list("aaabbb"))
    >>> round(found.statistic, 2), round(found.p_value, 3)
    (4.82, 0.028)
    """
    from scipy.stats import chi2

    times, codes = _statuses(time, status, cause)
    groups = group_codes(group, times.size)
    details = {"df": groups.count - 1}
    if not (codes == 1).any():
        note = "not estimable: no event of this cause"
        return Result(method="Gray's test", n=times.size, note=note, details=details)
    at, index = np.unique(times, return_inverse=True)
    counts = np.zeros((at.size, groups.count, 3))
    np.add.at(counts, (index, groups.codes, codes), 1.0)
    score, variance = _GrayAccumulator(groups.count, rho).run(counts)
    if np.linalg.matrix_rank(variance, hermitian=True) < groups.count - 1:
        note = "not estimable: the groups were never at risk together while some survived an event"
        return Result(method="Gray's test", n=times.size, note=note, details=details)
    statistic = float(score @ np.linalg.solve(variance, score))
    return Result(
        method="Gray's test of cumulative incidence" + (f" (rho = {rho:g})" if rho else ""),
        statistic=statistic,
        p_value=float(chi2.sf(statistic, groups.count - 1)),
        n=times.size,
        options={"cause": cause, "rho": rho},
        details=details,
    )


class _GrayAccumulator:
    """Score and variance of Gray's test, accumulated over the distinct times (Gray 1988, sections 2 and
    3)."""

    def __init__(self, groups: int, rho: float) -> None:
        self.groups, self.rho = groups, rho
        self.score = np.zeros(groups)
        self.c = np.zeros((groups, groups))
        self.v1 = np.zeros((groups, groups))
        self.v2 = np.zeros((groups, groups))
        self.v3 = np.zeros(groups)

    def run(self, counts: Floats) -> tuple[Floats, Floats]:
        """Walk through `counts` (times x groups x [censored, cause, competing])."""
        at_risk = counts.sum((0, 2))
        survival, own, pooled = np.ones(self.groups), np.zeros(self.groups), 0.0
        for row in counts:
            d1, d2 = row[:, 1], row[:, 2]
            if d1.sum() + d2.sum() > 0:
                survival, own, pooled = self._time(at_risk, survival, own, pooled, d1, d2)
            at_risk = at_risk - row.sum(1)
        weighted = self.c @ self.v2.T
        variance = self.v1 + (self.c * self.v3) @ self.c.T + weighted + weighted.T
        return self.score[:-1], variance[:-1, :-1]

    def _time(
        self, n: Floats, before: Floats, own: Floats, pooled: float, d1: Floats, d2: Floats
    ) -> tuple[Floats, Floats, float]:
        alive = n > 0
        size = np.where(alive, n, 1.0)
        after = np.where(alive, before * (size - d1 - d2) / size, before)
        own_after = np.where(alive, own + before * d1 / size, own)
        if pooled >= 1 - 1e-12:
            return (
                after,
                own_after,
                pooled,
            )  # The pooled incidence leaves nobody to whom an event could occur.
        r = np.where(alive, n / np.where(before > 0, before, 1.0), 0.0)
        total, events = float(r.sum()), float(d1.sum())
        q = r * (1 - own)
        pooled_after = pooled + events / total
        weight = (1 - pooled) ** self.rho
        a = weight * (np.diag(r) - np.outer(r, r) / total)
        self.c += a * events / (total * (1 - pooled))
        self.score += weight * (d1 - events * q / float(q.sum()))
        if events > 0:
            ratio = np.divide(1 - pooled_after, after, out=np.zeros(self.groups), where=after > 0)
            others = total * before - 1
            tie = 1 - np.divide(events - 1, others, out=np.zeros(self.groups), where=np.abs(others) > 1e-12)
            share = np.where(alive, tie * before * events / (total * size), 0.0)
            self._add(a - (1 - ratio) * self.c, 1 - ratio, share)
        competing = (after > 0) & (d2 > 0)
        if competing.any():
            ratio = np.divide(1 - pooled_after, after, out=np.zeros(self.groups), where=competing)
            tie = np.where(d2 > 1, 1 - (d2 - 1) / np.maximum(n - 1, 1), 1.0)
            share = np.where(competing, tie * before**2 * d2 / size**2, 0.0)
            self._add(ratio * self.c, -ratio, share)
        return after, own_after, pooled_after

    def _add(self, loading: Floats, factor: Floats, share: Floats) -> None:
        self.v1 += (loading * share) @ loading.T
        self.v2 += loading * (factor * share)
        self.v3 += factor**2 * share
