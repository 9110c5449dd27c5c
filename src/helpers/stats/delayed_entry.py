"""Time counted from eligibility: delayed entry, landmarks, treatment as it starts, and the lag that would
matter.

A treated patient enters a study of a rescue drug when the drug is given, a historical control when he or
she is found refractory. The days between eligibility and drug are days on which the treated could not die.
Counting them as survival (immortal time; Suissa 2008, Levesque 2010) or starting the treated later on the
same clock both favour the drug. Here a patient is at risk only from the day on which a death would have
been seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.stats.checks import Floats, choice, confidence_level, event_flags, float_array
from helpers.stats.counting_process import at_risk_sums, counting_process_cox, records
from helpers.stats.result import Result, StatisticsError
from helpers.stats.rmst import NO_LIMITS, NO_VARIANCE, half_width, normal_p
from helpers.stats.survival_intervals import INTERVALS, greenwood_limits

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class DelayedCurve:
    """Kaplan-Meier curve of subjects who come under observation at different times.

    `smallest_risk_set` is the least number at risk at an event: where it is 1 or 2 early on, the whole later
    curve hangs on one patient, and `note` says so.

    >>> curve = delayed_kaplan_meier([0, 0, 2], [1, 4, 5], [1, 1, 0])
    >>> curve.survival.tolist(), curve.smallest_risk_set  # 1/2 of two, then 1/2 of two
    ([0.5, 0.25], 2)
    >>> curve.at(2).value, curve.rmst(4).value
    (0.5, 2.5)
    """

    time: Floats
    n_risk: Floats
    n_event: Floats
    survival: Floats
    log_variance: Floats
    n: int
    last: float
    confidence: float
    interval: str

    @property
    def smallest_risk_set(self) -> int:
        """Least number at risk at an event time; 0 without events."""
        return int(self.n_risk.min()) if self.n_risk.size else 0

    @property
    def note(self) -> str:
        """What a reader must know before quoting the curve."""
        if self.n_risk.size == 0:
            return "no event"
        if self.smallest_risk_set < 3:
            return f"only {self.smallest_risk_set} at risk at an event: the curve after it hangs on them"
        return ""

    @property
    def std_err(self) -> Floats:
        """Greenwood standard error of the survival at each event time; NaN where survival is 0."""
        with np.errstate(invalid="ignore"):
            return np.where(self.survival > 0, self.survival * np.sqrt(self.log_variance), np.nan)

    @cached_property
    def limits(self) -> tuple[Floats, Floats]:
        """Lower and upper limits at each event time; NaN where the transform has none."""
        from scipy.stats import norm

        z = float(norm.isf((1 - self.confidence) / 2))
        return greenwood_limits(self.survival, self.log_variance, self.interval, z)

    @property
    def table(self) -> pd.DataFrame:
        """One row an event time: time, n_risk, n_event, survival, std_err, lower, upper."""
        import pandas as pd

        lower, upper = self.limits
        columns = {"time": self.time, "n_risk": self.n_risk, "n_event": self.n_event}
        columns |= {"survival": self.survival, "std_err": self.std_err, "lower": lower, "upper": upper}
        return pd.DataFrame(columns)

    def at(self, day: float) -> Result:
        """Survival to `day`, given survival to the first entry; NaN beyond the last follow-up.

        Raises StatisticsError for a day below 0.
        """
        if not np.isfinite(day) or day < 0:
            raise StatisticsError("day", f"must be a time >= 0, found {day!r}")
        index = int(np.searchsorted(self.time, day, side="right")) - 1
        base: dict[str, Any] = {
            "method": f"Kaplan-Meier survival with delayed entry, {self.interval} interval",
            "n": self.n,
            "confidence": self.confidence,
            "options": {"time": float(day)},
        }
        if day > self.last:
            return Result(**base, note=f"follow-up ends at {self.last:g}")
        if index < 0:
            return Result(value=1.0, upper=1.0, **base, note="no event so far: no interval")
        lower, upper = self.limits
        return Result(
            value=float(self.survival[index]),
            lower=float(lower[index]),
            upper=float(upper[index]),
            note=self.note,
            details={"std_err": float(self.std_err[index])},
            **base,
        )

    def rmst(self, tau: float) -> Result:
        """Restricted mean to `tau` (area under the curve from 0) with Greenwood's variance of the area.

        Raises StatisticsError where `tau` lies beyond the last follow-up of a curve above 0, or not
        above 0.
        """
        if not np.isfinite(tau) or tau <= 0:
            raise StatisticsError("tau", f"must be above 0, found {tau!r}")
        if tau > self.last and (self.survival.size == 0 or self.survival[-1] > 0):
            raise StatisticsError("tau", f"{tau:g} lies beyond the last follow-up {self.last:g}")
        inside = self.time < tau
        knots = np.concatenate(([0.0], self.time[inside], [tau]))
        pieces = np.diff(knots) * np.concatenate(([1.0], self.survival[inside]))
        remaining = np.cumsum(pieces[::-1])[::-1][1:]
        n, d = self.n_risk[inside], self.n_event[inside]
        spread = np.divide(d, n * (n - d), out=np.zeros(n.size), where=n > d)
        variance = float((remaining**2 * spread).sum())
        half = half_width(self.confidence, variance)
        area = float(pieces.sum())
        return Result(
            method=f"restricted mean survival time to {tau:g} with delayed entry, Greenwood variance",
            value=area,
            lower=area - half,
            upper=area + half,
            n=self.n,
            confidence=self.confidence,
            note=self.note or ("" if variance > 0 else NO_LIMITS),
            options={"tau": float(tau)},
            details={"std_err": float(np.sqrt(variance))},
        )


def delayed_kaplan_meier(
    entry: Any, time: Any, event: Any, *, confidence: float = 0.95, interval: str = "log-log"
) -> DelayedCurve:
    """Kaplan-Meier curve with delayed entry: at risk after `entry`, up to and at `time` (R's
    `Surv(entry, time, event)`).

    All three are arrays of one length, in one unit of time from eligibility. Raises StatisticsError where an
    entry does not lie before its time: such a patient was never under observation.

    >>> delayed_kaplan_meier([0, 2], [3, 2], [1, 1])
    Traceback (most recent call last):
        ...
    helpers.stats.result.StatisticsError: start: must lie before stop, found 2 and 2 at position 1
    """
    choice(interval, tuple(i for i in INTERVALS if i != "beta-product"), "interval")
    data = records(entry, time, event)
    at, deaths = np.unique(data.stop[data.event], return_counts=True)
    risk = at_risk_sums(np.ones((data.stop.size, 1)), data.start, data.stop, at)[:, 0]
    survival = np.asarray(np.cumprod(1 - deaths / risk))
    left = risk - deaths
    term = np.divide(deaths, risk * left, out=np.full(at.size, np.inf), where=left > 0)
    return DelayedCurve(
        at,
        risk,
        deaths.astype(float),
        survival,
        np.cumsum(term),
        data.stop.size,
        float(data.stop.max()),
        confidence_level(confidence),
        interval,
    )


def delayed_rmst_difference(treated: DelayedCurve, control: DelayedCurve, tau: float) -> Result:
    """Difference of the restricted means to `tau` of two independent curves, treated less control.

    Normal interval and p from the sum of the two variances; neither where an arm has no variance, as in
    `rmst_difference`. Raises StatisticsError where a curve does not reach `tau` or neither mean has an error.

    >>> one = delayed_kaplan_meier([0, 0, 0, 0], [2, 8, 9, 9], [1, 1, 0, 0])
    >>> two = delayed_kaplan_meier([0, 0, 0, 0], [1, 2, 3, 9], [1, 1, 1, 0])
    >>> delayed_rmst_difference(one, two, 8).value  # (2 + 8 + 8 + 8) / 4 less (1 + 2 + 3 + 8) / 4
    3.0
    """
    one, none = treated.rmst(tau), control.rmst(tau)
    se = float(np.hypot(one.details["std_err"], none.details["std_err"]))
    if not se > 0:
        raise StatisticsError("tau", f"nobody has the event before {tau:g}")
    value = one.value - none.value
    half = half_width(treated.confidence, *(mean.details["std_err"] ** 2 for mean in (one, none)))
    known = np.isfinite(half)
    notes = (one.note, none.note, "" if known else NO_VARIANCE)
    return Result(
        method=f"difference of restricted means to {tau:g} with delayed entry, Greenwood variance",
        value=value,
        lower=value - half,
        upper=value + half,
        p_value=normal_p(value, se) if known else float("nan"),
        statistic=value / se if known else float("nan"),
        n=one.n + none.n,
        confidence=treated.confidence,
        note="; ".join(dict.fromkeys(note for note in notes if note)),
        options={"tau": float(tau)},
        details={"std_err": se},
    )


def delayed_hazard_ratio(
    entry: Any, time: Any, event: Any, treated: Any, *, confidence: float = 0.95
) -> Result:
    """Hazard ratio of the treated (`treated` 1 or 0) with delayed entry; p from the score (log-rank) test.

    `details` has the Wald p, coefficient and standard error, and the number of events. Without a finite
    estimate the p-value stands and the ratio is NaN, said in `note`. Raises StatisticsError without events.

    >>> found = delayed_hazard_ratio([0, 0, 1, 2], [1, 4, 6, 5], [1, 1, 1, 0], [0, 1, 0, 1])
    >>> round(found.value, 2), found.n
    (0.71, 4)
    """
    data = records(entry, time, event)
    arm = event_flags(treated, data.stop.size, "treated")
    fit = counting_process_cox(data, arm.astype(float), ["treated"], confidence=confidence)
    found, score = fit.result("treated"), fit.score_test()
    return Result(
        method="Cox hazard ratio with delayed entry, Efron ties, Wald interval, score test",
        value=found.value,
        lower=found.lower,
        upper=found.upper,
        p_value=score.p_value,
        statistic=score.statistic,
        n=fit.n,
        confidence=fit.confidence,
        note=fit.note,
        details={**found.details, "wald_p": found.p_value},
    )


def lag_tipping_point(
    time: Any,
    event: Any,
    treated: Any,
    *,
    lags: Any,
    alpha: float = 0.05,
    horizon: float | None = None,
    confidence: float = 0.95,
) -> tuple[pd.DataFrame, Result]:
    """What one common lag from eligibility to drug, had every treated patient had it, would do to the result.

    `time` and `event` count from each patient's recorded day 0 (drug in the treated, eligibility in the
    controls), `treated` is 1 or 0. Each lag L moves the treated to (L, L + time]. With `horizon`
    follow-up ends that many days after eligibility. Returns a frame (lag, hazard_ratio, lower, upper,
    p_value, n_events, note), one row a lag, and the least lag from which on p stays at or above `alpha`,
    with the p there; where p stays below it, NaN with the p of the largest lag. Raises StatisticsError
    without lags, for negative ones, and as `delayed_hazard_ratio`.

    >>> time, event, treated = [30, 28, 5, 29, 4, 6, 7, 30], [0, 0, 1, 0, 1, 1, 1, 0], [1] * 4 + [0] * 4
    >>> table, least = lag_tipping_point(time, event, treated, lags=[0, 5])
    >>> table["lag"].tolist(), least.value
    ([0.0, 5.0], 0.0)
    """
    import pandas as pd

    times = float_array(time, "time")
    events = event_flags(event, times.size)
    arm = event_flags(treated, times.size, "treated")
    grid = np.unique(float_array(lags, "lags"))
    if grid.size == 0 or grid[0] < 0:
        raise StatisticsError("lags", "needs at least one lag, none negative")
    rows = []
    for lag in grid.tolist():
        entry = np.where(arm, lag, 0.0)
        row: dict[str, Any] = {"lag": lag}
        try:
            found = hazard_ratio_from_eligibility(
                entry, times, events, arm, horizon=horizon, confidence=confidence
            )
        except StatisticsError as error:
            rows.append(row | {"note": error.problem})
            continue
        row |= {"hazard_ratio": found.value, "lower": found.lower, "upper": found.upper}
        row |= {"p_value": found.p_value, "n_events": found.details["n_events"], "note": found.note}
        rows.append(row)
    names = ["lag", "hazard_ratio", "lower", "upper", "p_value", "n_events", "note"]
    frame = pd.DataFrame(rows, columns=names)
    return frame, _tipping(frame, alpha, times.size)


def _tipping(frame: pd.DataFrame, alpha: float, n: int) -> Result:
    lags, p = frame["lag"].to_numpy(dtype=float), frame["p_value"].to_numpy(dtype=float)
    lost = ~(p < alpha)
    last_kept = np.flatnonzero(~lost)
    method = f"least common lag from which on the score test has p >= {alpha:g}"
    options = {"alpha": alpha, "largest_lag": float(lags[-1])}
    if np.isnan(p[0]):
        reason = str(frame["note"].iloc[0] or "no test without a lag")
        return Result(method=method, n=n, note=f"not estimated: {reason}", options=options)
    if last_kept.size and last_kept[-1] == lags.size - 1:
        note = f"p stays below {alpha:g} for every lag up to {lags[-1]:g}"
        return Result(method=method, p_value=float(p[-1]), n=n, note=note, options=options)
    first = 0 if last_kept.size == 0 else int(last_kept[-1]) + 1
    note = f"p is {alpha:g} or more without any lag" if first == 0 else ""
    return Result(
        method=method, value=float(lags[first]), p_value=float(p[first]), n=n, note=note, options=options
    )


def hazard_ratio_from_eligibility(
    entry: Any, time: Any, event: Any, treated: Any, *, horizon: float | None = None, confidence: float = 0.95
) -> Result:
    """`delayed_hazard_ratio` of patients who came under observation `entry` days after eligibility.

    `time` and `event` count from the entry, `horizon` from eligibility: follow-up ends there, and who entered
    later was never seen. `n_missing` counts those. Raises StatisticsError if nobody of one arm was seen.

    >>> found = hazard_ratio_from_eligibility(
    ...     [0, 3, 0, 0], [9, 9, 4, 9], [1, 0, 1, 0], [1, 1, 0, 0], horizon=10
    ... )
    >>> round(found.value, 2)
    0.71
    """
    begin, times = float_array(entry, "entry"), float_array(time, "time")
    flag, arm = event_flags(event, times.size), event_flags(treated, times.size, "treated")
    stop = begin + times
    if horizon is not None:
        flag, stop = flag & (stop <= horizon), np.minimum(stop, horizon)
    seen = begin < stop
    if seen[arm].sum() == 0 or seen[~arm].sum() == 0:
        raise StatisticsError("entry", "nobody of one arm is under observation")
    found = delayed_hazard_ratio(begin[seen], stop[seen], flag[seen], arm[seen], confidence=confidence)
    return replace(found, n_missing=int((~seen).sum()))
