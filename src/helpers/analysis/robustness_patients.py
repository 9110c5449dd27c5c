"""What a historical control can and cannot show: unlike patients, composite outcomes, missing outcomes, as
rows.

Continues `robustness`: the same comparison, the same rule that what has no answer is a row that says why.

>>> describe_balance(arms, recorded.covariates, store)["covariate"].iloc[0]
'age'
>>> describe_chance_imbalance(arms, 25, store)
>>> describe_weighting(arms, recorded.covariates, recorded.model, store, draws=50, seed=1)
>>> describe_wins(arms, store, response=None, dose=recorded.dose, draws=50, seed=1)
>>> round(store.rows()["win_statistics.death_dose.both.day_56.win_ratio"].value, 2)
8.77
>>> describe_thresholds(arms, store, dose=recorded.dose, thresholds=[0.5], unit="mg/kg/d")[
...     "treated"
... ].tolist()
[11]
>>> len(describe_missing_response(arms, store, responded=recorded.responded))
18
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.analysis.robustness import DAYS, OUTCOME, POINTS, RATIO, Study, attempt, keep, refuse, rows_of
from helpers.analysis.survival import TREATED
from helpers.results.store import slug
from helpers.stats.balance import balance_table, expected_above
from helpers.stats.balancing import entropy_balance
from helpers.stats.checks import Floats
from helpers.stats.fractional_bootstrap import Design, bootstrap_effects, fractional_weights
from helpers.stats.missing_bounds import completions, difference_bounds, tipping_share
from helpers.stats.propensity import Estimand, covariate_budget, propensity_scores, propensity_weights
from helpers.stats.ratios import antilog
from helpers.stats.result import Result, StatisticsError
from helpers.stats.truncation import threshold_curve
from helpers.stats.weighted_survival import effective_sample_size, weighted_effects
from helpers.stats.win_statistics import (
    Level,
    decided_by_level,
    hierarchy,
    time_level,
    value_level,
    win_bootstrap,
    win_statistics,
)

if TYPE_CHECKING:
    from helpers.analysis.historical_control import WeightingModel
    from helpers.results.store import StatisticsStore

BALANCE, WEIGHTED, WIN, THRESHOLD, BOUNDS = (
    "covariate_balance", "weighted_effect", "win_statistics", "dose_threshold_curve", "missing_bounds"
)  # fmt: skip
_UNITS = {"risk_difference": POINTS, "rmst_difference": DAYS, "hazard_ratio": RATIO, "logrank": ""}
WORDS = {
    "ato": "overlap weights",
    "att": "controls weighted to the treated",
    "entropy": "entropy balancing of the controls",
}
_BOOTSTRAPPED = {"log_hazard_ratio": RATIO, "risk_difference": POINTS, "rmst_difference": DAYS}


def describe_balance(study: Study, covariates: pd.DataFrame, store: StatisticsStore) -> pd.DataFrame:
    """Store the standardised difference of every covariate with its error.

    `covariates` has numeric columns and patient_id as index; returns the rows of a love plot.
    """
    if study.one_arm:
        refuse(store, study, BALANCE, {"smd": ""}, variable="all")
        return pd.DataFrame()
    frame = _joined(study, covariates)
    return _balance(study, frame, list(covariates.columns), store, "smd", weights=None)


def describe_chance_imbalance(study: Study, count: int, store: StatisticsStore) -> None:
    """Store how many of `count` standardised differences exceed 0.1 by chance alone."""
    if study.one_arm:
        refuse(store, study, BALANCE, {"expected_above_0_1": ""}, variable="all")
        return
    treated = int(study.frame[TREATED].sum())
    chance = expected_above(treated, len(study.frame) - treated, count)
    keep(store, study, BALANCE, "expected_above_0_1", chance, variable="all", timepoint="baseline")


def _balance(
    study: Study,
    frame: pd.DataFrame,
    covariates: list[str],
    store: StatisticsStore,
    statistic: str,
    weights: Floats | None,
) -> pd.DataFrame:
    table = balance_table(
        frame, treated=TREATED, covariates=covariates, weights=weights, confidence=study.confidence
    )
    how = "" if weights is None else f", {WORDS[statistic.removeprefix('smd_')]}"
    for row in rows_of(table):
        result = Result(
            f"standardised mean difference, unweighted pooled standard deviation{how}",
            row.smd,
            row.lower,
            row.upper,
            n=row.n,
            n_missing=row.n_missing,
            note=row.note,
        )
        keep(store, study, BALANCE, statistic, result, variable=slug(row.covariate), timepoint="baseline")
    return table


def _joined(study: Study, covariates: pd.DataFrame) -> pd.DataFrame:
    return study.frame.join(covariates.astype(float), on="patient_id")


def describe_weighting(
    study: Study,
    covariates: pd.DataFrame,
    model: WeightingModel,
    store: StatisticsStore,
    *,
    draws: int = 200,
    seed: int,
) -> None:
    """Store the effects and the balance under overlap, ATT and entropy-balancing weights.

    `model` has the covariates, named before the outcome was looked at; more than the smaller arm carries are
    refused, with the reason in the rows. Intervals: jackknife with the weights fixed, and
    percentiles of the fractional-weight bootstrap that estimates them anew (not for entropy balancing).
    """
    if study.one_arm:
        refuse(store, study, WEIGHTED, _UNITS, variable="ato")
        return
    frame = _joined(study, covariates)
    chosen = [] if model.fault else list(model.chosen)
    complete = frame[chosen].notna().all(axis=1)
    frame = frame[complete].reset_index(drop=True)
    lost = int((~complete).sum())
    treated = int(frame[TREATED].sum())
    budget = Result(
        "covariates that a propensity model may have, one for ten patients of the smaller arm",
        value=float(covariate_budget(treated, len(frame) - treated)),
        n=covariates.shape[1],
        note=_said(model),
    )
    keep(store, study, WEIGHTED, "budget", budget, variable="model", unit="covariates")
    if model.fault:
        for variable in WORDS:
            _refuse(store, study, variable, model.fault, lost)
        return
    for estimand in ("ATO", "ATT"):
        try:
            fit = propensity_scores(frame, treated=TREATED, covariates=chosen)
        except StatisticsError as error:
            _refuse(store, study, estimand.lower(), error.problem, lost)
            continue
        weights = propensity_weights(fit.scores, fit.treated, estimand)
        _weighted(study, frame, covariates, weights, estimand.lower(), store, lost)
        keep(store, study, WEIGHTED, "outside_common_range", fit.positivity(), unit=POINTS,
               variable=estimand.lower())  # fmt: skip
        _bootstrapped(study, frame, chosen, estimand, store, draws, seed)
    on = (frame[TREATED] == 1).to_numpy()
    columns = frame[chosen].to_numpy(dtype=float)
    if not on.any() or on.all():
        _refuse(store, study, "entropy", "all complete rows are in one arm", lost)
        return
    found = entropy_balance(columns[~on], columns[on].mean(0), names=chosen)
    if found.weights is None:
        _refuse(store, study, "entropy", found.reason, lost)
        return
    weights = np.ones(len(frame))
    weights[~on] = found.weights * on.sum()
    _weighted(study, frame, covariates, weights, "entropy", store, lost)


def _said(model: WeightingModel) -> str:
    """Which covariates the model has, and which more important ones were passed over."""
    passed = [f"{name} ({why})" for name, why in model.passed_over.items()]
    parts = [
        "n: characteristics recorded at baseline",
        f"model: {' and '.join(model.labels) or 'none'}",
        *([f"passed over: {', '.join(passed)}"] if passed else []),
    ]
    return "; ".join(parts)


def _refuse(store: StatisticsStore, study: Study, variable: str, reason: str, lost: int) -> None:
    for name, unit in _UNITS.items():
        result = Result(f"weighted {name.replace('_', ' ')}", note=f"not estimated: {reason}", n_missing=lost)
        keep(store, study, WEIGHTED, name, result, unit=unit, variable=variable)


def _weighted(
    study: Study,
    frame: pd.DataFrame,
    covariates: pd.DataFrame,
    weights: Floats,
    variable: str,
    store: StatisticsStore,
    lost: int,
) -> None:
    on = (frame[TREATED] == 1).to_numpy()
    for arm, mask in (("treated", on), ("reference", ~on)):
        size = Result(
            "effective sample size (Kish)", value=effective_sample_size(weights[mask]), n=int(mask.sum())
        )
        keep(store, study, WEIGHTED, f"effective_n_{arm}", size, variable=variable)
    data = frame["time"], frame["event"], frame[TREATED], weights
    try:
        found = weighted_effects(*data, study.horizon, confidence=study.confidence)
    except StatisticsError as error:
        _refuse(store, study, variable, error.problem, lost)
    else:
        for name, result in found.items():
            keep(store, study, WEIGHTED, name, result, unit=_UNITS[name], variable=variable, n_missing=lost)
    _balance(study, frame, list(covariates.columns), store, f"smd_{variable}", weights)


def _bootstrapped(
    study: Study,
    frame: pd.DataFrame,
    chosen: Sequence[str],
    estimand: Estimand,
    store: StatisticsStore,
    draws: int,
    seed: int,
) -> None:
    try:
        found = bootstrap_effects(
            frame["time"], frame["event"], frame[TREATED], frame["patient_id"], tau=study.horizon,
            design=Design(frame[list(chosen)].to_numpy(dtype=float), estimand), draws=draws, seed=seed,
            confidence=study.confidence,
        )  # fmt: skip
    except StatisticsError as error:
        note = f"not estimated: {error.problem}"
        for name, unit in _BOOTSTRAPPED.items():
            result = Result("fractional-weight bootstrap", note=note)
            keep(store, study, WEIGHTED, f"bootstrap_{name}", result, unit=unit, variable=estimand.lower())
        return
    for name, result in found.items():
        unit, other = _BOOTSTRAPPED[name], {}
        if name == "log_hazard_ratio":
            other = {k: antilog(getattr(result, k)) for k in ("value", "lower", "upper")}
        keep(store, study, WEIGHTED, f"bootstrap_{name}", result, unit=unit, variable=estimand.lower(),
               n=len(frame), **other)  # fmt: skip


def describe_wins(
    study: Study,
    store: StatisticsStore,
    *,
    response: pd.Series | None,
    dose: pd.Series | None,
    margin: float = 0.0,
    draws: int = 2000,
    seed: int,
) -> None:
    """Store win ratio, win odds, net benefit and the chance of faring better: death, then response, then
    dose.

    `response` (higher is better) and `dose` (lower is better; differences up to `margin` are ties) by
    patient_id, None where not recorded; a missing value decides nothing. `draws` fractional-weight draws give
    a second interval of the chance of faring better.
    """
    time, event, treated = study.columns
    levels: list[Level] = [time_level(OUTCOME, time, event)]
    ids = study.frame["patient_id"]
    if response is not None:
        levels.append(value_level("response", ids.map(response).astype(float), better="high"))
    if dose is not None:
        levels.append(value_level("dose", ids.map(dose).astype(float), better="low", margin=margin))
    name = "_".join(level.name for level in levels)
    if study.one_arm:
        refuse(store, study, WIN, {"win_ratio": RATIO}, variable=name)
        return
    scores = hierarchy(levels)
    try:
        found = win_statistics(scores, treated, confidence=study.confidence)
    except StatisticsError as error:
        refused = Result("win statistics", note=f"not estimated: {error.problem}")
        keep(store, study, WIN, "win_ratio", refused, variable=name)
        return
    for statistic in ("win_ratio", "win_odds", "net_benefit", "probability_better"):
        unit = RATIO if statistic in ("win_ratio", "win_odds") else POINTS
        keep(store, study, WIN, statistic, getattr(found, statistic), unit=unit, variable=name)
    keep(store, study, WIN, "test", found.test, variable=name)
    for level, (wins, losses) in decided_by_level(levels, treated).items():
        for kind, count in (("wins", wins), ("losses", losses)):
            pairs = Result(f"{kind} of the treated that this outcome decided", value=float(count), n=len(ids))
            keep(store, study, WIN, f"{kind}_by_{slug(level)}", pairs, unit="pairs", variable=name)
    weights = fractional_weights(ids, treated, draws=draws, seed=seed)
    drawn = win_bootstrap(scores, treated, weights, confidence=study.confidence)
    keep(store, study, WIN, "bootstrap_probability_better", drawn, unit=POINTS, variable=name)


def describe_thresholds(
    study: Study, store: StatisticsStore, *, dose: pd.Series, thresholds: Sequence[float], unit: str
) -> pd.DataFrame:
    """Store how many are alive at or below each dose in both arms; return the curve."""
    if study.one_arm:
        refuse(store, study, THRESHOLD, {"difference": POINTS}, variable="dose")
        return pd.DataFrame()
    _, event, treated = study.columns
    values = study.frame["patient_id"].map(dose).astype(float)
    try:
        table = threshold_curve(values, event, treated, thresholds, confidence=study.confidence)
    except StatisticsError as error:
        refused = Result("alive at or below a dose", note=f"not estimated: {error.problem}")
        keep(store, study, THRESHOLD, "difference", refused, unit=POINTS, variable="dose")
        return pd.DataFrame()
    for row in rows_of(table):
        known = {"n": row.n_treated + row.n_control, "n_missing": row.missing_treated + row.missing_control}
        method = (
            f"alive at or below {row.threshold:g} {unit}: {row.treated} of {row.n_treated} treated, "
            f"{row.control} of {row.n_control} controls; Newcombe interval, Fisher's test"
        )
        result = Result(method, row.difference, row.lower, row.upper, row.p_value, **known)
        name = f"at_most_{slug(f'{row.threshold:g}')}"
        keep(store, study, THRESHOLD, name, result, unit=POINTS, variable="dose")
    return table


def describe_missing_response(study: Study, store: StatisticsStore, *, responded: pd.Series) -> pd.DataFrame:
    """Store the bounds of the difference in response, and how many completed tables would be significant.

    `responded` by patient_id: True, False, or missing; the dead have not responded unless it says so. Returns
    every completed table.
    """
    if study.one_arm:
        refuse(store, study, BOUNDS, {"difference": POINTS}, variable="response")
        return pd.DataFrame()
    _, event, treated = study.columns
    known = study.frame["patient_id"].map(responded).astype("boolean")
    known = known.mask(known.isna() & event, other=False)
    counts = []
    for arm in (1, 0):
        own = known[treated == arm]
        counts += [int(own.fillna(value=False).sum()), len(own), int(own.isna().sum())]
    try:
        bounds, table = difference_bounds(*counts, confidence=study.confidence), completions(*counts)
    except StatisticsError as error:
        refused = Result("bounds of the difference in response", note=f"not estimated: {error.problem}")
        keep(store, study, BOUNDS, "difference", refused, unit=POINTS, variable="response")
        return pd.DataFrame()
    keep(store, study, BOUNDS, "difference", bounds, unit=POINTS, variable="response")
    low, high = bounds.details["interval"]
    outer = Result("outer Newcombe limits of the two extreme tables", bounds.value, low, high, n=bounds.n,
                   n_missing=bounds.n_missing)  # fmt: skip
    keep(store, study, BOUNDS, "difference_interval", outer, unit=POINTS, variable="response")
    share = attempt(lambda: tipping_share(table), "share of completed tables", bounds.n)
    keep(store, study, BOUNDS, "significant_completions", share, unit=POINTS, variable="response")
    return table
