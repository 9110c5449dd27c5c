"""Kaplan-Meier estimate with counts, limits and quantiles; sort-based, O(n log n)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from math import nan
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from helpers.stats.checks import (
    SAME_TIME,
    Bools,
    Floats,
    Ints,
    choice,
    confidence_level,
    float_array,
    raw_survival_data,
    same_times,
    survival_data,
)
from helpers.stats.result import Result, StatisticsError
from helpers.stats.survival_intervals import INTERVALS, beta_product_limits, greenwood_limits

if TYPE_CHECKING:
    import pandas as pd

IntervalKind = Literal["log-log", "log", "plain", "arcsine", "beta-product"]
# Survival probabilities closer than this are one value: products of fractions in floating point put a curve
# of 20 patients with 10 deaths at 0.5000000000000002, and the median must not hang on that. Same as R.
_TOLERANCE = float(np.sqrt(np.finfo(float).eps))


@dataclass(frozen=True)
class LifeTable:
    """Counts at each distinct time: at risk just before it, events and censorings at it."""

    time: Floats
    n_risk: Floats
    n_event: Floats
    n_censor: Floats


def life_table(times: Floats, events: Bools) -> LifeTable:
    """Distinct times with numbers at risk just before, events and censorings.

    >>> found = life_table(np.array([3.0, 5.0, 5.0]), np.array([True, True, False]))
    >>> found.n_risk.tolist(), found.n_event.tolist(), found.n_censor.tolist()
    ([3.0, 2.0], [1.0, 1.0], [0.0, 1.0])
    """
    keys = _keys(times, events)
    keys.sort()
    return _counted(keys)


def life_tables(
    times: Floats, events: Bools, codes: Ints, count: int
) -> tuple[LifeTable, list[LifeTable | None]]:
    """Life table of all, and of each of `count` groups but the last; None for a group without members.

    >>> both, arms = life_tables(np.array([3.0, 5.0]), np.array([True, False]), np.array([0, 1]), 2)
    >>> both.n_risk.tolist(), [arm.time.tolist() for arm in arms]
    ([2.0, 1.0], [[3.0]])
    """
    keys = _keys(times, events)
    parts = [keys[codes == code] for code in range(count)]
    for own in parts:
        own.sort()
    # A stable sort finds what is in order already, and merges it.
    both = np.sort(np.concatenate(parts), kind="stable")
    return _counted(both), [_counted(own) if own.size else None for own in parts[:-1]]


def _keys(times: Floats, events: Bools) -> NDArray[np.uint64]:
    """Times with their flags as whole numbers.

    The bits of a float >= 0 order as an integer: with the flag as lowest bit one plain sort does the work of
    an indirect one and two look-ups, several times faster.
    """
    keys = (times + 0.0).view(np.uint64)  # -0.0 becomes 0.0
    keys <<= np.uint64(1)
    keys |= events
    return keys


def _counted(keys: NDArray[np.uint64]) -> LifeTable:
    """Life table of sorted keys."""
    # Keys of one time differ in their lowest bit at most.
    start = np.concatenate(([0], np.flatnonzero((keys[1:] ^ keys[:-1]) > np.uint64(1)) + 1))
    count = np.diff(start, append=keys.size)
    deaths = np.add.reduceat((keys & np.uint64(1)).view(np.int64), start)
    return LifeTable(
        (keys[start] >> np.uint64(1)).view(np.float64),
        (keys.size - start).astype(float),
        deaths.astype(float),
        (count - deaths).astype(float),
    )


def observed_life(time: Any, event: Any) -> LifeTable:
    """Life table of follow-up as `survival_data` checks it, sorted once for both.

    Raises StatisticsError as `survival_data`.

    >>> life = observed_life([5, 3, 5], [1, 1, 0])
    >>> life.time.tolist(), life.n_risk.tolist()
    ([3.0, 5.0], [3.0, 2.0])
    """
    raw, events = raw_survival_data(time, event)
    life = life_table(raw, events)
    times = same_times(raw, life.time)
    return life if times is raw else life_table(times, events)


@dataclass(frozen=True)
class KaplanMeier:
    """A fitted curve. Made by `kaplan_meier`; times keep the unit of the input.

    >>> curve = kaplan_meier([3, 5, 8, 9], [1, 1, 0, 0])
    >>> curve.at(5).value, curve.quantile(0.25).value
    (0.5, 4.0)
    >>> curve.counts_at([0, 6])["n_risk"].tolist()
    [4, 2]
    """

    life: LifeTable
    survival: Floats
    log_variance: Floats = field(repr=False)
    confidence: float = 0.95
    interval: str = "log-log"

    @property
    def n(self) -> int:
        """Number of subjects."""
        return int(self.life.n_risk[0])

    @property
    def std_err(self) -> Floats:
        """Greenwood standard error of S; NaN where S is 0."""
        positive = self.survival > 0
        variance = np.where(positive, self.log_variance, np.nan)
        return np.where(positive, self.survival, 0.0) * np.sqrt(variance)

    @cached_property
    def _transformed(self) -> tuple[Floats, Floats]:
        from scipy.stats import norm

        if self.interval == "beta-product":
            return self._beta_product()
        z = float(norm.isf((1 - self.confidence) / 2))
        return greenwood_limits(self.survival, self.log_variance, self.interval, z)

    def _beta_product(self, rows: Bools | None = None) -> tuple[Floats, Floats]:
        known_alive = self.life.n_risk - self.life.n_event
        return beta_product_limits(self.life.n_risk, self.life.n_event, known_alive, self.confidence, rows)

    @cached_property
    def limits(self) -> tuple[Floats, Floats]:
        """Lower and upper limits at each time; beta-product limits where S is 0 or 1 and no transform
        exists."""
        lower, upper = (limit.copy() for limit in self._transformed)
        edge = np.isnan(lower)
        if edge.any():
            lower[edge], upper[edge] = self._beta_product(edge)
        return lower, upper

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a distinct time: time, n_risk, n_event, n_censor, survival, std_err, lower, upper."""
        import pandas as pd

        lower, upper = self.limits
        return pd.DataFrame(
            {
                "time": self.life.time,
                "n_risk": self.life.n_risk.astype(np.int64),
                "n_event": self.life.n_event.astype(np.int64),
                "n_censor": self.life.n_censor.astype(np.int64),
                "survival": self.survival,
                "std_err": self.std_err,
                "lower": lower,
                "upper": upper,
            }
        )

    def at(self, day: float) -> Result:
        """S(day) = P(T > day) with limits. NaN, said in `note`, beyond the last follow-up unless S is 0
        there."""
        if not np.isfinite(day) or day < 0:
            raise StatisticsError("day", f"must be a time >= 0, found {day!r}")
        day = self._on_the_clock(float(day))
        index = int(np.searchsorted(self.life.time, day, side="right")) - 1
        method = f"Kaplan-Meier survival, {self.interval} interval"
        details = {
            "n_risk": int(np.sum(self.life.n_risk[np.searchsorted(self.life.time, day) :][:1])),
            "n_event": int(self.life.n_event[: index + 1].sum()),
        }
        base: dict[str, Any] = {"n": self.n, "confidence": self.confidence, "details": details}
        base["options"] = {"interval": self.interval, "time": float(day)}
        if index < 0:
            note = "everybody alive and followed: beta-product limit"
            lower = float(((1 - self.confidence) / 2) ** (1 / self.n))
            return Result(method=method, value=1.0, lower=lower, upper=1.0, note=note, **base)
        if day > self.life.time[-1] and self.survival[-1] > 0:
            return Result(method=method, note=f"follow-up ends at {self.life.time[-1]:g}", **base)
        edge = bool(np.isnan(self._transformed[0][index]))
        if edge and self.interval != "beta-product":
            method = "Kaplan-Meier survival, beta-product interval (no transform exists at S = 0 or 1)"
        lower, upper = (float(limit[index]) for limit in self.limits)
        if (edge or self.interval == "beta-product") and day > self.life.time[index]:
            lower = self._lower_after(index)
        return Result(method=method, value=float(self.survival[index]), lower=lower, upper=upper, **base)

    def _on_the_clock(self, day: float) -> float:
        """The time of the curve that differs from `day` by rounding only, or `day` itself."""
        near = self.life.time[np.argmin(np.abs(self.life.time - day))]
        return float(near) if abs(near - day) <= SAME_TIME * max(abs(day), abs(float(near))) else day

    def _lower_after(self, index: int) -> float:
        """Lower beta-product limit once those censored at a time have left, until the next time."""
        used = slice(0, index + 1)
        alive = np.append(self.life.n_risk, 0.0)[1:][used]
        return float(
            beta_product_limits(self.life.n_risk[used], self.life.n_event[used], alive, self.confidence)[0][
                index
            ]
        )

    def quantile(self, q: float = 0.5, rule: Literal["midpoint", "sas"] = "midpoint") -> Result:
        """Time by which a fraction `q` has had the event (0.5: median survival), with limits from the
        curve's.

        Where the curve is flat at exactly 1 - q, the middle of the flat part is taken (R, SAS). They
        part when the curve stays there to the end: `midpoint` (R) takes the last follow-up as its
        end, `sas` calls the quantile not evaluable. NaN, said in `note`, when the curve never falls
        so low. Raises StatisticsError for a `q` that is not between 0 and 1, or another rule.
        """
        choice(rule, ("midpoint", "sas"), "rule")
        if not 0 < q < 1:
            raise StatisticsError("q", f"must lie between 0 and 1, found {q!r}")
        lower, upper = self._transformed
        value = self._crossing(self.survival, 1 - q, rule)
        note = "" if np.isfinite(value) else f"the curve does not fall below {1 - q:g}"
        return Result(
            method=f"Kaplan-Meier quantile ({rule} rule), {self.interval} interval",
            value=value,
            lower=self._crossing(lower, 1 - q, rule),
            upper=self._crossing(upper, 1 - q, rule),
            n=self.n,
            confidence=self.confidence,
            note=note,
            options={"q": q, "rule": rule, "interval": self.interval},
        )

    def _crossing(self, curve: Floats, level: float, rule: str) -> float:
        present = ~np.isnan(curve)
        time, height = self.life.time[present], curve[present]
        flat = np.flatnonzero(np.abs(height - level) < _TOLERANCE)
        below = np.flatnonzero(height < level - _TOLERANCE)
        if flat.size == 0:
            return float(time[below[0]]) if below.size else nan
        if below.size:
            return float(time[flat[0]] + time[below[0]]) / 2
        return nan if rule == "sas" else float(time[flat[0]] + time[-1]) / 2

    def counts_at(self, times: Any) -> pd.DataFrame:
        """Numbers under a plot: n_risk just before each time, cumulative events and censorings up to and at
        it.

        An administrative censoring at the last day therefore still counts as at risk on that day.
        `times` in the unit of the curve. Raises StatisticsError for texts.
        """
        import pandas as pd

        at = np.array([self._on_the_clock(t) for t in float_array(times, "times").tolist()])
        before = np.searchsorted(self.life.time, at, side="left")
        through = np.searchsorted(self.life.time, at, side="right")
        at_risk = np.append(self.life.n_risk, 0.0)
        events = np.concatenate(([0.0], np.cumsum(self.life.n_event)))
        censored = np.concatenate(([0.0], np.cumsum(self.life.n_censor)))
        return pd.DataFrame(
            {
                "time": at,
                "n_risk": at_risk[before].astype(np.int64),
                "n_event": events[through].astype(np.int64),
                "n_censor": censored[through].astype(np.int64),
            }
        )


def kaplan_meier(
    time: Any, event: Any, *, confidence: float = 0.95, interval: IntervalKind = "log-log"
) -> KaplanMeier:
    """Kaplan-Meier curve of one group.

    `time` >= 0 in any unit, `event` 1 = event, 0 = censored (a subject censored at t is at risk at t).
    `interval`: log-log, log, plain, arcsine (of Greenwood's variance, as R's `survfit`) or beta-product (Fay,
    Brittain & Proschan 2013: valid with few or no events). Where S is 0 or 1 the transforms have no limits
    and the beta-product ones are given. Raises StatisticsError naming the argument for unusable input.

    >>> kaplan_meier([3, 5, 8, 9], [1, 1, 0, 0]).survival.tolist()
    [0.75, 0.5, 0.5, 0.5]
    """
    choice(interval, INTERVALS, "interval")
    level = confidence_level(confidence)
    life = observed_life(time, event)
    survival = np.asarray(np.cumprod(1 - life.n_event / life.n_risk), dtype=float)
    left = life.n_risk - life.n_event
    term = np.divide(life.n_event, life.n_risk * left, out=np.full(left.size, np.inf), where=left > 0)
    return KaplanMeier(life, survival, np.cumsum(np.where(life.n_event > 0, term, 0.0)), level, interval)


def censor_at(time: Any, event: Any, horizon: float) -> tuple[Floats, Bools]:
    """Follow-up ended administratively at `horizon`: later times become censorings there; events at it
    count.

    Raises StatisticsError for a horizon below 0, and as `survival_data`.

    >>> times, events = censor_at([3, 40, 90], [1, 1, 1], 56)
    >>> times.tolist(), events.tolist()
    ([3.0, 40.0, 56.0], [True, True, False])
    """
    times, events = survival_data(time, event)
    if not np.isfinite(horizon) or horizon < 0:
        raise StatisticsError("horizon", f"must be a time >= 0, found {horizon!r}")
    within = times <= horizon * (1 + SAME_TIME)
    return np.minimum(times, horizon), events & within


def median_follow_up(
    time: Any, event: Any, *, confidence: float = 0.95, interval: IntervalKind = "log"
) -> Result:
    """Median follow-up by the reverse Kaplan-Meier estimate, in the unit of `time`.

    The end of observation is the event and the event itself censors it, so that an early death does not
    count as short follow-up (Schemper & Smith, Control Clin Trials 1996;17:343-346). Limits as R's
    `survfit` gives them by default (log transform). NaN, said in `note`, where more than half had the
    event before their observation could end. Raises StatisticsError as `survival_data`.

    >>> median_follow_up([3, 40, 56, 56, 56], [1, 0, 0, 0, 0]).value
    56.0
    """
    times, events = survival_data(time, event)
    reverse = kaplan_meier(times, ~events, confidence=confidence, interval=interval)
    found = reverse.quantile()
    if np.isfinite(found.value):
        note = ""
    elif events.all():
        note = "not estimable: everybody had the event, nobody's observation ended without it"
    else:
        note = "not estimable: more than half had the event while still observed"
    return replace(found, method=f"median follow-up, reverse Kaplan-Meier, {interval} interval", note=note)
