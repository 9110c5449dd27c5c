"""What a historical control can and cannot show: unlike patients, composite outcomes, missing outcomes, as
rows.

Continues `robustness`: the same comparison, the same rule that what has no answer is a row that says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.analysis.robustness import DAYS, OUTCOME, POINTS, RATIO, Study, _rows, _store, attempt
from helpers.analysis.survival import TREATED
from helpers.results.store import slug
from helpers.stats.balance import balance_table, expected_above
from helpers.stats.balancing import entropy_balance
from helpers.stats.fractional_bootstrap import Design, bootstrap_effects, fractional_weights
from helpers.stats.missing_bounds import completions, difference_bounds, tipping_share
from helpers.stats.propensity import Estimand, propensity_scores, propensity_weights
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
    from helpers.results.store import StatisticsStore

BALANCE, WEIGHTED, WIN, THRESHOLD, BOUNDS = (
    "covariate_balance", "weighted_effect", "win_statistics", "dose_threshold_curve", "missing_bounds"
)  # fmt: skip
_UNITS = {"risk_difference": POINTS, "rmst_difference": DAYS, "hazard_ratio": RATIO, "logrank": ""}
_BOOTSTRAPPED = {"log_hazard_ratio": RATIO, "risk_difference": POINTS, "rmst_difference": DAYS}


def describe_balance(study: Study, covariates: pd.DataFrame, store: StatisticsStore) -> pd.DataFrame:
    """Store the standardised difference of every covariate with its error, and how many exceed 0.1 by chance.

    `covariates` has numeric columns and patient_id as index; returns the rows of a love plot.
    """
    frame = _joined(study, covariates)
    table = balance_table(
        frame, treated=TREATED, covariates=list(covariates.columns), confidence=study.confidence
    )
    for row in _rows(table):
        result = Result(
            "standardised mean difference, pooled standard deviation",
            row.smd,
            row.lower,
            row.upper,
            n=row.n,
            n_missing=row.n_missing,
            note=row.note,
        )
        _store(store, study, BALANCE, "smd", result, variable=slug(row.covariate), timepoint="baseline")
    known = int(table["smd"].notna().sum())
    treated = int(frame[TREATED].sum())
    chance = expected_above(treated, len(frame) - treated, known)
    seen = int((table["smd"].abs() > 0.1).sum())
    common: dict[str, Any] = {"variable": "all", "timepoint": "baseline"}
    _store(store, study, BALANCE, "expected_above_0_1", chance, **common)
    found = Result("absolute standardised differences above 0.1", value=float(seen), n=known)
    _store(store, study, BALANCE, "above_0_1", found, **common)
    return table


def _joined(study: Study, covariates: pd.DataFrame) -> pd.DataFrame:
    return study.frame.join(covariates.astype(float), on="patient_id")


def describe_weighting(
    study: Study,
    covariates: pd.DataFrame,
    chosen: Sequence[str],
    store: StatisticsStore,
    *,
    draws: int = 200,
    seed: int,
) -> dict[str, pd.DataFrame]:
    """Store the effects under overlap, ATT and entropy-balancing weights; return the balance under each.

    `chosen` are the covariates of the model, named before the outcome was looked at; more than the smaller
    arm carries are refused, with the reason in the rows. Intervals: jackknife with the weights fixed, and
    percentiles of the fractional-weight bootstrap that estimates them anew (not for entropy balancing).
    """
    frame = _joined(study, covariates)
    complete = frame[list(chosen)].notna().all(axis=1)
    frame = frame[complete].reset_index(drop=True)
    lost = int((~complete).sum())
    tables: dict[str, pd.DataFrame] = {}
    for estimand in ("ATO", "ATT"):
        try:
            fit = propensity_scores(frame, treated=TREATED, covariates=chosen)
        except StatisticsError as error:
            _refuse(store, study, estimand.lower(), error.problem, lost)
            continue
        weights = propensity_weights(fit.scores, fit.treated, estimand)
        tables[estimand] = _weighted(study, frame, chosen, weights, estimand.lower(), store, lost)
        _store(store, study, WEIGHTED, "outside_common_range", fit.positivity(), unit=POINTS,
               variable=estimand.lower())  # fmt: skip
        _bootstrapped(study, frame, chosen, estimand, store, draws, seed)
    on = (frame[TREATED] == 1).to_numpy()
    columns = frame[list(chosen)].to_numpy(dtype=float)
    if not on.any() or on.all():
        _refuse(store, study, "entropy", "all complete rows are in one arm", lost)
        return tables
    found = entropy_balance(columns[~on], columns[on].mean(0), names=chosen)
    if found.weights is None:
        _refuse(store, study, "entropy", found.reason, lost)
        return tables
    weights = np.ones(len(frame))
    weights[~on] = found.weights * on.sum()
    tables["entropy"] = _weighted(study, frame, chosen, weights, "entropy", store, lost)
    return tables


def _refuse(store: StatisticsStore, study: Study, variable: str, reason: str, lost: int) -> None:
    for name, unit in _UNITS.items():
        result = Result(f"weighted {name.replace('_', ' ')}", note=f"not estimated: {reason}", n_missing=lost)
        _store(store, study, WEIGHTED, name, result, unit=unit, variable=variable)


def _weighted(
    study: Study,
    frame: pd.DataFrame,
    chosen: Sequence[str],
    weights: np.ndarray[Any, np.dtype[np.float64]],
    variable: str,
    store: StatisticsStore,
    lost: int,
) -> pd.DataFrame:
    on = (frame[TREATED] == 1).to_numpy()
    for arm, mask in (("treated", on), ("reference", ~on)):
        size = Result(
            "effective sample size (Kish)", value=effective_sample_size(weights[mask]), n=int(mask.sum())
        )
        _store(store, study, WEIGHTED, f"effective_n_{arm}", size, variable=variable)
    data = frame["time"], frame["event"], frame[TREATED], weights
    try:
        found = weighted_effects(*data, study.horizon, confidence=study.confidence)
    except StatisticsError as error:
        _refuse(store, study, variable, error.problem, lost)
    else:
        for name, result in found.items():
            _store(store, study, WEIGHTED, name, result, unit=_UNITS[name], variable=variable, n_missing=lost)
    return balance_table(
        frame, treated=TREATED, covariates=chosen, weights=weights, confidence=study.confidence
    )


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
            _store(store, study, WEIGHTED, f"bootstrap_{name}", result, unit=unit, variable=estimand.lower())
        return
    for name, result in found.items():
        unit, other = _BOOTSTRAPPED[name], {}
        if name == "log_hazard_ratio":
            other = {k: float(np.exp(getattr(result, k))) for k in ("value", "lower", "upper")}
        _store(store, study, WEIGHTED, f"bootstrap_{name}", result, unit=unit, variable=estimand.lower(),
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
    scores = hierarchy(levels)
    try:
        found = win_statistics(scores, treated, confidence=study.confidence)
    except StatisticsError as error:
        refused = Result("win statistics", note=f"not estimated: {error.problem}")
        _store(store, study, WIN, "win_ratio", refused, variable=name)
        return
    for statistic in ("win_ratio", "win_odds", "net_benefit", "probability_better"):
        unit = RATIO if statistic in ("win_ratio", "win_odds") else POINTS
        _store(store, study, WIN, statistic, getattr(found, statistic), unit=unit, variable=name)
    _store(store, study, WIN, "test", found.test, variable=name)
    for level, (wins, losses) in decided_by_level(levels, treated).items():
        for kind, count in (("wins", wins), ("losses", losses)):
            pairs = Result(f"{kind} of the treated that this outcome decided", value=float(count), n=len(ids))
            _store(store, study, WIN, f"{kind}_by_{slug(level)}", pairs, unit="pairs", variable=name)
    weights = fractional_weights(ids, treated, draws=draws, seed=seed)
    drawn = win_bootstrap(scores, treated, weights, confidence=study.confidence)
    _store(store, study, WIN, "bootstrap_probability_better", drawn, unit=POINTS, variable=name)


def describe_thresholds(
    study: Study, store: StatisticsStore, *, dose: pd.Series, thresholds: Sequence[float], unit: str
) -> pd.DataFrame:
    """Store how many are alive at or below each dose in both arms; return the curve."""
    _, event, treated = study.columns
    values = study.frame["patient_id"].map(dose).astype(float)
    try:
        table = threshold_curve(values, event, treated, thresholds, confidence=study.confidence)
    except StatisticsError as error:
        refused = Result("alive at or below a dose", note=f"not estimated: {error.problem}")
        _store(store, study, THRESHOLD, "difference", refused, unit=POINTS, variable="dose")
        return pd.DataFrame()
    for row in _rows(table):
        known = {"n": row.n_treated + row.n_control, "n_missing": row.missing_treated + row.missing_control}
        method = (
            f"alive at or below {row.threshold:g} {unit}: {row.treated} of {row.n_treated} treated, "
            f"{row.control} of {row.n_control} controls; Newcombe interval, Fisher's test"
        )
        result = Result(method, row.difference, row.lower, row.upper, row.p_value, **known)
        name = f"at_most_{slug(f'{row.threshold:g}')}"
        _store(store, study, THRESHOLD, name, result, unit=POINTS, variable="dose")
    return table


def describe_missing_response(study: Study, store: StatisticsStore, *, responded: pd.Series) -> pd.DataFrame:
    """Store the bounds of the difference in response, and how many completed tables would be significant.

    `responded` by patient_id: True, False, or missing; the dead have not responded unless it says so. Returns
    every completed table.
    """
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
        _store(store, study, BOUNDS, "difference", refused, unit=POINTS, variable="response")
        return pd.DataFrame()
    _store(store, study, BOUNDS, "difference", bounds, unit=POINTS, variable="response")
    low, high = bounds.details["interval"]
    outer = Result("outer Newcombe limits of the two extreme tables", bounds.value, low, high, n=bounds.n,
                   n_missing=bounds.n_missing)  # fmt: skip
    _store(store, study, BOUNDS, "difference_interval", outer, unit=POINTS, variable="response")
    share = attempt(lambda: tipping_share(table), "share of completed tables", bounds.n)
    _store(store, study, BOUNDS, "significant_completions", share, unit=POINTS, variable="response")
    return table
