"""The methods under test: each takes a cohort and gives a log hazard ratio with its limits and p-value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from generator import Bools, Cohort, Floats

from helpers.stats.balancing import entropy_balance
from helpers.stats.counting_process import counting_process_cox, records
from helpers.stats.exact_logrank_interval import exact_logrank_interval
from helpers.stats.fractional_bootstrap import Design, bootstrap_effects
from helpers.stats.landmark import landmark_analysis
from helpers.stats.propensity import firth_scores, propensity_weights
from helpers.stats.result import StatisticsError

TINY = 1e-6
BOOTSTRAP_DRAWS = 200


@dataclass(frozen=True)
class Estimate:
    """Log hazard ratio with 95 % limits and p; NaN where the method has none."""

    value: float = np.nan
    lower: float = np.nan
    upper: float = np.nan
    p: float = np.nan


Method = Callable[[Cohort], Estimate]


def _cox(entry: Floats, time: Floats, event: Bools, cohort: Cohort, weights: Floats | None) -> Estimate:
    seen = entry < time
    data = records(entry[seen], time[seen], event[seen], None if weights is None else weights[seen])
    fit = counting_process_cox(data, cohort.treated[seen].astype(float), ["treated"])
    robust = weights is not None
    found = fit.result("treated", robust=robust)
    return _logged(found.value, found.lower, found.upper, fit.score_test(robust=robust).p_value)


def _logged(value: float, lower: float, upper: float, p: float) -> Estimate:
    with np.errstate(divide="ignore"):
        value, lower, upper = np.log([value, lower, upper]).tolist()
    return Estimate(value, lower, upper, p)


def naive(cohort: Cohort, weights: Floats | None = None) -> Estimate:
    time, event = cohort.recorded()
    return _cox(np.zeros(cohort.size), np.maximum(time, TINY), event, cohort, weights)


def delayed(cohort: Cohort, weights: Floats | None = None) -> Estimate:
    entry, time, event = cohort.from_eligibility()
    return _cox(entry, time, event, cohort, weights)


def landmark(cohort: Cohort) -> Estimate:
    _, time, event = cohort.from_eligibility()
    start = np.where(cohort.treated, cohort.start, np.nan)
    row = landmark_analysis(time, event, start, landmarks=[14.0]).iloc[0]
    return _logged(row["hazard_ratio"], row["lower"], row["upper"], row["p_value"])


def rescue_as_failure(cohort: Cohort) -> Estimate:
    entry, time, event = cohort.from_eligibility()
    failed = np.minimum(time, np.maximum(cohort.rescue, entry + TINY))
    return _cox(entry, failed, event | (cohort.rescue < time), cohort, None)


def _propensity(cohort: Cohort, estimand: Literal["ATO", "ATT", "ATE"]) -> Floats:
    scores = firth_scores(cohort.severity[:, None], cohort.treated, np.ones((1, cohort.size)))[1][0]
    return propensity_weights(scores, cohort.treated, estimand)


def overlap(cohort: Cohort) -> Estimate:
    return naive(cohort, _propensity(cohort, "ATO"))


def att(cohort: Cohort) -> Estimate:
    return naive(cohort, _propensity(cohort, "ATT"))


def entropy(cohort: Cohort) -> Estimate:
    one = cohort.treated
    target = np.array([cohort.severity[one].mean(), (cohort.severity[one] ** 2).mean()])
    moments = np.column_stack([cohort.severity, cohort.severity**2])[~one]
    found = entropy_balance(moments, target)
    if found.weights is None:
        return Estimate()
    weights = np.ones(cohort.size)
    weights[~one] = found.weights * one.sum()
    return naive(cohort, weights)


def delayed_overlap(cohort: Cohort) -> Estimate:
    return delayed(cohort, _propensity(cohort, "ATO"))


def exact(cohort: Cohort) -> Estimate:
    time, event = cohort.recorded()
    found = exact_logrank_interval(time, event, cohort.treated)
    return _logged(found.value, found.lower, found.upper, found.p_value)


def bootstrap(cohort: Cohort) -> Estimate:
    time, event = cohort.recorded()
    design = Design(cohort.severity[:, None], "ATO")
    found = bootstrap_effects(
        time,
        event,
        cohort.treated,
        np.arange(cohort.size),
        tau=56.0,
        design=design,
        draws=BOOTSTRAP_DRAWS,
    )["log_hazard_ratio"]
    return Estimate(found.value, found.lower, found.upper, found.p_value)


METHODS: dict[str, Method] = {
    "naive": naive,
    "delayed entry": delayed,
    "landmark day 14": landmark,
    "rescue as failure": rescue_as_failure,
    "overlap weights": overlap,
    "ATT weights": att,
    "entropy balancing": entropy,
    "delayed entry, overlap weights": delayed_overlap,
    "exact interval (41 patients)": exact,
    "bootstrap of overlap weights": bootstrap,
}
# Which population a method speaks of decides what it should have found.
TARGET = {
    "overlap weights": "ATO",
    "delayed entry, overlap weights": "ATO",
    "bootstrap of overlap weights": "ATO",
}


def attempt(method: Method, cohort: Cohort) -> Estimate:
    """The estimate, or none where the method refuses."""
    try:
        return method(cohort)
    except StatisticsError:
        return Estimate()
