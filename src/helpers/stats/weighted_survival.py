"""Weighted survival: Kaplan-Meier, differences of risk and restricted means, log-rank and Cox, with errors
that hold for weights.

Standard errors are those of the infinitesimal jackknife (R's `survfit(..., weights, robust = TRUE)`), which
takes the weights as known. That is not the whole truth where weights were estimated: `fractional_bootstrap`
estimates them anew in every draw. The naive Greenwood error of a weighted curve, which libraries offer, is
neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.stats.checks import Bools, Floats, confidence_level, event_flags, survival_data
from helpers.stats.counting_process import checked_weights, counting_process_cox, records
from helpers.stats.result import Result, StatisticsError
from helpers.stats.rmst import NO_VARIANCE, half_width, normal_p

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class WeightedCurve:
    """A weighted Kaplan-Meier curve at its event times; `std_err` by the infinitesimal jackknife."""

    time: Floats
    n_risk: Floats
    n_event: Floats
    survival: Floats
    std_err: Floats
    effective_n: float

    @property
    def table(self) -> pd.DataFrame:
        """One row an event time: time, n_risk and n_event (sums of weights), survival, std_err."""
        import pandas as pd

        names = ("time", "n_risk", "n_event", "survival", "std_err")
        return pd.DataFrame({name: getattr(self, name) for name in names})


def effective_sample_size(weights: Any) -> float:
    """Kish's effective sample size, (sum w)^2 / sum w^2: how many equally weighted patients carry as much.

    Raises StatisticsError for negative or missing weights, or all 0.

    >>> effective_sample_size([1, 1, 1, 1]), effective_sample_size([2, 0, 0])
    (4.0, 1.0)
    """
    w = checked_weights(weights, np.size(weights))
    return float(w.sum() ** 2 / (w**2).sum())


@dataclass(frozen=True)
class _Sums:
    days: Floats
    risk: Floats
    deaths: Floats
    survival: Floats


def _sums(times: Floats, events: Bools, weights: Floats) -> _Sums:
    at, index = np.unique(times[events & (weights > 0)], return_inverse=True)
    deaths = np.bincount(index, weights[events & (weights > 0)], at.size).astype(float)
    order = np.argsort(times, kind="stable")
    later = np.append(np.cumsum(weights[order][::-1])[::-1], 0.0)
    risk = later[np.searchsorted(times[order], at)]
    left = np.where(risk - deaths > 1e-12 * risk, 1 - deaths / risk, 0.0)
    return _Sums(at, risk, deaths, np.asarray(np.cumprod(left)))


def _influence(times: Floats, events: Bools, weights: Floats, sums: _Sums, height: Floats) -> Floats:
    """Weighted influence of each subject on sum_j of -height_j d(log hazard factor)_j; shape (subjects, k).

    `height` (times, k) is what falls when the factor of time j falls: S(t) for t >= t_j for a survival
    probability, the area from t_j to tau for a restricted mean.
    """
    left = sums.risk - sums.deaths
    open_ = left > 1e-12 * sums.risk
    factor = np.where(open_[:, None], height / np.where(open_, left, 1.0)[:, None], 0.0)
    hazard = sums.deaths / sums.risk
    seen = np.vstack([np.zeros((1, height.shape[1])), np.cumsum(factor * hazard[:, None], axis=0)])
    found = seen[np.searchsorted(sums.days, times, side="right")]
    row = np.searchsorted(sums.days, times[events])
    row = np.minimum(row, max(sums.days.size - 1, 0))
    found[events] -= factor[row]
    return np.asarray(weights[:, None] * found)


def weighted_kaplan_meier(time: Any, event: Any, weights: Any) -> WeightedCurve:
    """Kaplan-Meier curve with case weights (any positive scale) and jackknife standard errors.

    Equals R's `survfit(Surv(time, event) ~ 1, weights = w, robust = TRUE)`.

    >>> weighted_kaplan_meier([3, 5, 8], [1, 0, 1], [2, 1, 1]).survival.tolist()  # 1 - 2/4, then 0
    [0.5, 0.0]
    """
    times, events = survival_data(time, event)
    w = checked_weights(weights, times.size)
    sums = _sums(times, events, w)
    if sums.days.size == 0:
        none = np.empty(0)
        return WeightedCurve(none, none, none, none, none, effective_sample_size(w))
    height = np.triu(np.tile(sums.survival, (sums.days.size, 1)))
    se = np.sqrt((_influence(times, events, w, sums, height) ** 2).sum(0))
    return WeightedCurve(sums.days, sums.risk, sums.deaths, sums.survival, se, effective_sample_size(w))


@dataclass(frozen=True)
class _Estimate:
    value: float
    se: float


def _survival_at(times: Floats, events: Bools, weights: Floats, day: float) -> _Estimate:
    sums = _sums(times, events, weights)
    count = int(np.searchsorted(sums.days, day, side="right"))
    if count == 0:
        return _Estimate(1.0, 0.0)
    value = float(sums.survival[count - 1])
    height = np.where(np.arange(sums.days.size) < count, value, 0.0)[:, None]
    return _Estimate(value, _norm(_influence(times, events, weights, sums, height)))


def _restricted_mean(times: Floats, events: Bools, weights: Floats, tau: float) -> _Estimate:
    sums = _sums(times, events, weights)
    inside = sums.days < tau
    knots = np.concatenate(([0.0], sums.days[inside], [tau]))
    pieces = np.diff(knots) * np.concatenate(([1.0], sums.survival[inside]))
    height = np.zeros((sums.days.size, 1))
    height[: int(inside.sum()), 0] = np.cumsum(pieces[::-1])[::-1][1:]
    if sums.days.size == 0:
        return _Estimate(float(pieces.sum()), 0.0)
    return _Estimate(float(pieces.sum()), _norm(_influence(times, events, weights, sums, height)))


def _norm(influence: Floats) -> float:
    return float(np.sqrt((influence**2).sum()))


def weighted_effects(
    time: Any, event: Any, treated: Any, weights: Any, tau: float, *, confidence: float = 0.95
) -> dict[str, Result]:
    """Effects of treatment on weighted survival to `tau`, one Result each.

    Keys: risk_difference (treated less control, of death by `tau`, from weighted Kaplan-Meier curves),
    rmst_difference (same unit as `time`), hazard_ratio (weighted Cox, robust variance) and logrank (robust
    score test of that model). `treated` is 1 or 0, `weights` any positive scale within an arm. An effect that
    cannot be estimated is a Result without value that says why; where an arm has no variance (nobody in it
    died) a difference has neither limits nor p-value. Raises StatisticsError naming `tau` where an arm is not
    followed so far.

    >>> found = weighted_effects([2, 8, 9, 1, 3, 9], [1, 1, 0, 1, 1, 0], [1, 1, 1, 0, 0, 0], [1] * 6, 4)
    >>> round(found["risk_difference"].value, 3), round(found["rmst_difference"].value, 3)
    (-0.333, 0.667)
    """
    level = confidence_level(confidence)
    times, events = survival_data(time, event)
    arm = event_flags(treated, times.size, "treated")
    w = checked_weights(weights, times.size)
    _check_reach(times, events, arm, w, tau)
    ess = [effective_sample_size(w[m]) for m in (arm, ~arm)]
    details = {"ess_treated": ess[0], "ess_control": ess[1]}
    found: dict[str, Result] = {}
    for key, method, estimate, sign in (
        ("risk_difference", f"weighted Kaplan-Meier risk difference at {tau:g}", _survival_at, -1.0),
        ("rmst_difference", f"weighted difference of restricted means to {tau:g}", _restricted_mean, 1.0),
    ):
        one, none = (estimate(times[m], events[m], w[m], tau) for m in (arm, ~arm))
        gap, se = sign * (one.value - none.value), float(np.hypot(one.se, none.se))
        half = half_width(level, one.se**2, none.se**2)
        found[key] = Result(
            method=f"{method}, jackknife variance with fixed weights",
            value=gap,
            lower=gap - half,
            upper=gap + half,
            p_value=normal_p(gap, se) if np.isfinite(half) else nan,
            statistic=gap / se if np.isfinite(half) else nan,
            n=times.size,
            confidence=level,
            note="" if np.isfinite(half) else NO_VARIANCE,
            details={**details, "std_err": se, "treated": one.value, "control": none.value},
        )
    return found | _model_effects(times, events, arm, w, level, details)


def _check_reach(times: Floats, events: Bools, arm: Bools, weights: Floats, tau: float) -> None:
    if not np.isfinite(tau) or tau <= 0:
        raise StatisticsError("tau", f"must be above 0, found {tau!r}")
    for mask, name in ((arm, "treated"), (~arm, "control")):
        inside = mask & (weights > 0)
        if not inside.any():
            raise StatisticsError("treated", f"the {name} arm is empty")
        last = times[inside].max()
        if tau > last and not events[inside & (times == last)].all():
            raise StatisticsError("tau", f"{tau:g} lies beyond the last follow-up {last:g} of the {name}")


def _model_effects(
    times: Floats, events: Bools, arm: Bools, weights: Floats, level: float, details: dict[str, Any]
) -> dict[str, Result]:
    names = ("hazard_ratio", "logrank")
    positive = times > 0
    try:
        data = records(np.zeros(int(positive.sum())), times[positive], events[positive], weights[positive])
        fit = counting_process_cox(data, arm[positive].astype(float), ["treated"], confidence=level)
    except StatisticsError as error:
        return {name: Result(method="weighted Cox model", n=times.size, note=error.problem) for name in names}
    ratio = fit.result("treated", robust=True)
    return {
        "hazard_ratio": Result(
            method=f"weighted {ratio.method}",
            value=ratio.value,
            lower=ratio.lower,
            upper=ratio.upper,
            p_value=ratio.p_value,
            statistic=ratio.statistic,
            n=times.size,
            confidence=level,
            note=ratio.note,
            details={**details, **ratio.details},
        ),
        "logrank": fit.score_test(robust=True),
    }
