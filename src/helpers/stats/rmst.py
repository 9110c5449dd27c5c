"""Restricted mean survival time, and the difference of two survival curves at one time."""

from __future__ import annotations

from math import nan
from typing import Any, Literal

import numpy as np

from helpers.stats.checks import (
    SAME_TIME,
    Bools,
    Floats,
    choice,
    confidence_level,
    survival_data,
    treated_mask,
)
from helpers.stats.kaplan_meier import KaplanMeier, kaplan_meier
from helpers.stats.ratios import antilog
from helpers.stats.result import Result, StatisticsError

NO_LIMITS = "no limits: no variance before tau"
NO_VARIANCE = "neither limits nor test: an arm has no variance before tau"
_ARMS = {1: "one arm", 2: "the arms"}


def rmst(time: Any, event: Any, tau: float, *, confidence: float = 0.95) -> Result:
    """Restricted mean survival time: area under the Kaplan-Meier curve from 0 to `tau`, in units of `time`.

    The variance is Greenwood's for the area, sum of A_i^2 d_i / (n_i (n_i - d_i)) with A_i the area from t_i
    to tau (Klein & Moeschberger 2003, 4.5.2; R's `print(survfit, rmean = tau)`); `details["std_err"]`.
    Without variance (no event before tau, or all at once) there are no limits, said in `note`. Raises
    StatisticsError naming `tau` if follow-up ends before it while the curve is above 0.

    >>> found = rmst([2, 8, 9], [1, 1, 0], 8)
    >>> found.value  # (2 + 8 + 8) / 3
    6.0
    """
    level = confidence_level(confidence)
    area, variance, size = _area(*survival_data(time, event), tau)
    half = half_width(level, variance)
    return Result(
        method=f"restricted mean survival time to {tau:g}, Greenwood variance",
        value=area,
        lower=area - half,
        upper=area + half,
        n=size,
        confidence=level,
        note="" if variance > 0 else NO_LIMITS,
        options={"tau": float(tau)},
        details={"std_err": float(np.sqrt(variance))},
    )


def half_width(level: float, *variances: float) -> float:
    """Return half the width of a normal interval; NaN if one of its variances is not known (0).

    >>> round(half_width(0.95, 1.0), 2), half_width(0.95, 1.0, 0.0)
    (1.96, nan)
    """
    return _z(level) * float(np.sqrt(sum(variances))) if min(variances) > 0 else nan


def _z(level: float) -> float:
    from scipy.stats import norm

    return float(norm.isf((1 - level) / 2))


def _area(times: Floats, events: Bools, tau: float, argument: str = "tau") -> tuple[float, float, int]:
    if not np.isfinite(tau) or tau <= 0:
        raise StatisticsError(argument, f"must be above 0, found {tau!r}")
    curve = kaplan_meier(times, events)
    life = curve.life
    tau = float(tau)
    if abs(tau - life.time[-1]) <= SAME_TIME * tau:
        tau = float(life.time[-1])
    if tau > life.time[-1] and curve.survival[-1] > 1e-12:
        raise StatisticsError(argument, f"{tau:g} lies beyond the last follow-up {life.time[-1]:g} of an arm")
    inside = life.time < tau
    knots = np.concatenate(([0.0], life.time[inside], [tau]))
    height = np.concatenate(([1.0], curve.survival[inside]))
    pieces = np.diff(knots) * height
    remaining = np.cumsum(pieces[::-1])[::-1][1:]
    n, d = life.n_risk[inside], life.n_event[inside]
    spread = np.divide(d, n * (n - d), out=np.zeros(n.size), where=n > d)
    return float(pieces.sum()), float((remaining**2 * spread).sum()), times.size


def _two_areas(
    time: Any, event: Any, group: Any, tau: float, treated: Any
) -> tuple[tuple[float, float, int], tuple[float, float, int], str]:
    times, events = survival_data(time, event)
    mask, label, reference = treated_mask(group, treated, times.size)
    first = _area(times[mask], events[mask], tau)
    second = _area(times[~mask], events[~mask], tau)
    return first, second, f"{label} v {reference}"


def rmst_difference(
    time: Any, event: Any, group: Any, tau: float, *, treated: Any, confidence: float = 0.95
) -> Result:
    """Difference of restricted means to `tau`, treated less reference, normal interval and p.

    Standard error from Greenwood's variance of each arm. Where an arm has no variance (nobody in it died
    before tau, or all at once) there are neither limits nor p-value, said in `note`: the variance of the
    other arm alone would make the difference look far too certain. Raises StatisticsError as `rmst`, and
    unless there are two groups.

    >>> time, event, group = [2, 8, 9, 1, 3, 9], [1, 1, 0, 1, 1, 0], list("aaabbb")
    >>> rmst_difference(time, event, group, 8, treated="a").value  # 18/3 less 12/3
    2.0
    """
    level = confidence_level(confidence)
    (area_1, var_1, n_1), (area_0, var_0, n_0), arms = _two_areas(time, event, group, tau, treated)
    gap, se = area_1 - area_0, float(np.sqrt(var_1 + var_0))
    half = half_width(level, var_1, var_0)
    return Result(
        method=f"difference of restricted mean survival time to {tau:g}, {arms}",
        value=gap,
        lower=gap - half,
        upper=gap + half,
        p_value=normal_p(gap, se) if np.isfinite(half) else nan,
        statistic=gap / se if np.isfinite(half) else nan,
        n=n_1 + n_0,
        confidence=level,
        note="" if np.isfinite(half) else NO_VARIANCE,
        options={"tau": float(tau), "treated": treated},
        details={"std_err": se, "treated": area_1, "reference": area_0},
    )


def rmst_ratio(
    time: Any, event: Any, group: Any, tau: float, *, treated: Any, confidence: float = 0.95
) -> Result:
    """Ratio of restricted means to `tau`, treated over reference, interval and p on the log scale (delta
    method).

    Limits and p-value as in `rmst_difference`; NaN, said in `note`, if an arm's restricted mean is 0.
    Raises StatisticsError as `rmst_difference`.

    >>> time, event, group = [2, 8, 9, 1, 3, 9], [1, 1, 0, 1, 1, 0], list("aaabbb")
    >>> rmst_ratio(time, event, group, 8, treated="a").value  # 18/3 over 12/3
    1.5
    """
    level = confidence_level(confidence)
    (area_1, var_1, n_1), (area_0, var_0, n_0), arms = _two_areas(time, event, group, tau, treated)
    method, options = f"ratio of restricted mean survival time to {tau:g}, {arms}", {"tau": float(tau)}
    if min(area_1, area_0) == 0:
        note = "not estimable: everybody in an arm had the event at time 0"
        return Result(method=method, n=n_1 + n_0, confidence=level, note=note, options=options)
    log_ratio = float(np.log(area_1 / area_0))
    relative = var_1 / area_1**2, var_0 / area_0**2
    se, half = float(np.sqrt(sum(relative))), half_width(level, *relative)
    return Result(
        method=method,
        value=area_1 / area_0,
        lower=antilog(log_ratio - half),
        upper=antilog(log_ratio + half),
        p_value=normal_p(log_ratio, se) if np.isfinite(half) else nan,
        statistic=log_ratio / se if np.isfinite(half) else nan,
        n=n_1 + n_0,
        confidence=level,
        note="" if np.isfinite(half) else NO_VARIANCE,
        options=options | {"treated": treated},
        details={"std_err_log": se, "treated": area_1, "reference": area_0},
    )


def normal_p(gap: float, se: float) -> float:
    """Return the two-sided p of a normal test of a gap with this standard error.

    >>> round(normal_p(1.96, 1.0), 3)
    0.05
    """
    from scipy.stats import norm

    return float(2 * norm.sf(abs(gap) / se))


def survival_difference(
    time: Any,
    event: Any,
    group: Any,
    at: float,
    *,
    treated: Any,
    confidence: float = 0.95,
    interval: Literal["mover", "plain"] = "mover",
) -> Result:
    """Difference S_treated(at) - S_reference(at) of two Kaplan-Meier curves.

    Interval: `mover` squares and adds the distances to each arm's log-log limits (beta-product where S is 0
    or 1; Newcombe's method 10 carried to survival), `plain` uses Greenwood's standard errors. The p-value is
    the complementary log-log test (Klein et al. 2007) with the variance of the step function at `at`. Where
    an arm is at 1 or 0 it has no variance, and a test by the other arm's alone would reject too often: there
    is then neither p-value nor plain interval, said in `note`. NaN beyond follow-up.

    >>> found = survival_difference(
    ...     [2, 8, 9, 1, 3, 9], [1, 1, 0, 1, 1, 0], list("aaabbb"), 4, treated="a"
    ... )
    >>> round(found.value, 3)  # 2/3 less 1/3
    0.333
    """
    choice(interval, ("mover", "plain"), "interval")
    level = confidence_level(confidence)
    times, events = survival_data(time, event)
    mask, label, reference = treated_mask(group, treated, times.size)
    arms = [kaplan_meier(times[m], events[m], confidence=level) for m in (mask, ~mask)]
    first, second = (arm.at(at) for arm in arms)
    gap = first.value - second.value
    se = [_error_at(arm, at) for arm in arms]
    p_value, statistic, test = _difference_test((first.value, second.value), se)
    if interval == "plain":
        half = half_width(level, *(e**2 for e in se))
        lower, upper = gap - half, gap + half
    else:
        lower = gap - float(np.hypot(first.value - first.lower, second.upper - second.value))
        upper = gap + float(np.hypot(first.upper - first.value, second.value - second.lower))
    return Result(
        method=f"difference of survival at {at:g}, {label} v {reference}, {interval} interval, {test}",
        value=gap,
        lower=max(lower, -1.0) if np.isfinite(lower) else nan,
        upper=min(upper, 1.0) if np.isfinite(upper) else nan,
        p_value=p_value,
        statistic=statistic,
        n=times.size,
        confidence=level,
        note=_difference_note(first, second),
        options={"at": float(at), "interval": interval, "treated": treated},
        details={"treated": first.value, "reference": second.value},
    )


def _difference_note(first: Result, second: Result) -> str:
    for arm in (first, second):
        if np.isnan(arm.value):
            return arm.note
    edge = [f"{arm.value:g}" for arm in (first, second) if arm.value in (0.0, 1.0)]
    return (
        f"no test: survival is {' and '.join(edge)} in {_ARMS[len(edge)]}, without variance" if edge else ""
    )


def _error_at(curve: KaplanMeier, at: float) -> float:
    index = int(np.searchsorted(curve.life.time, at * (1 + SAME_TIME), side="right")) - 1
    if index < 0 or curve.survival[index] <= 0:
        return 0.0
    return float(curve.survival[index] * np.sqrt(curve.log_variance[index]))


def _difference_test(values: tuple[float, float], errors: list[float]) -> tuple[float, float, str]:
    from scipy.stats import chi2

    if any(np.isnan(values)):
        return nan, nan, "no test"
    if not all(0 < v < 1 for v in values):
        return nan, nan, "no test (an arm without variance)"
    transformed = [np.log(-np.log(v)) for v in values]
    variance = sum((e / (v * np.log(v))) ** 2 for v, e in zip(values, errors, strict=True))
    statistic = float((transformed[0] - transformed[1]) ** 2 / variance)
    return float(chi2.sf(statistic, 1)), statistic, "complementary log-log test"
