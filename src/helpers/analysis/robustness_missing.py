"""What a historical control can and cannot show: values missing, and values known only as beyond a limit.

Continues `robustness_patients`: bounds assume nothing, imputation assumes much and says so, and a value
beyond a reporting limit is tried at, at twice and at ten times the limit.

>>> describe_limit_scenarios(
...     arms, recorded.covariates, recorded.qualifiers, [], recorded.model.chosen, recorded.labels, store
... )
>>> describe_imputation(
...     arms,
...     recorded.covariates,
...     recorded.labels,
...     recorded.model.chosen,
...     store,
...     responded=recorded.responded,
...     draws=2,
...     seed=1,
... )
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.analysis.historical_control import SEVERITY
from helpers.analysis.robustness import POINTS, RATIO, Study, attempt, keep, refuse, rows_of
from helpers.analysis.survival import TREATED
from helpers.results.store import slug
from helpers.stats.balance import balance_table
from helpers.stats.imputation import impute_within_arms, mean_difference
from helpers.stats.propensity import covariate_budget, propensity_scores, propensity_weights
from helpers.stats.result import Result, StatisticsError
from helpers.stats.weighted_survival import weighted_effects
from helpers.vocabulary.names import in_text

if TYPE_CHECKING:
    from helpers.results.store import StatisticsStore

IMPUTED, LIMITS = "imputation", "limit_scenario"
ASSUMED = "assumes that the missing are like the known of their arm with the same "
SCENARIOS = {"at_limit": 1.0, "twice": 2.0, "tenfold": 10.0}


def describe_imputation(
    study: Study,
    covariates: pd.DataFrame,
    labels: dict[str, str],
    chosen: Sequence[str],
    store: StatisticsStore,
    *,
    responded: pd.Series | None,
    draws: int = 20,
    seed: int,
) -> None:
    """Store what multiple imputation within the arms makes of response and of measures of severity with gaps.

    `covariates` (numeric, index patient_id) and their `labels`; `chosen` are the predictors, beside death;
    `responded` by patient_id, missing where unknown: the dead have not. Stored beside each other: the
    difference of the known and the pooled one, with the share of the information that is missing. What the
    patients cannot carry is refused with the reason.
    """
    if study.one_arm:
        refuse(store, study, IMPUTED, {"difference": ""}, variable="all")
        return
    frame = study.frame.join(covariates.astype(float), on="patient_id")
    gaps = [name for name in SEVERITY if name in covariates and frame[name].isna().any()]
    for name in gaps:
        predictors = [other for other in chosen if other != name]
        _impute(study, frame, name, predictors, labels, store, draws, seed)
    if responded is None:
        reason = "the response rule can call nobody"
        refuse(store, study, IMPUTED, {"difference": POINTS}, variable="response", reason=reason)
        return
    known = study.frame["patient_id"].map(responded).astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    frame["response"] = np.where(np.isnan(known) & frame["event"], 0.0, known)
    _impute(study, frame, "response", list(chosen), labels, store, draws, seed)


def _impute(
    study: Study,
    frame: pd.DataFrame,
    name: str,
    predictors: list[str],
    labels: dict[str, str],
    store: StatisticsStore,
    draws: int,
    seed: int,
) -> None:
    """Store the difference of the known and the one over completed data sets, treated less control."""
    share = name == "response"
    where = {
        "variable": slug(name),
        "unit": POINTS if share else "",
        "timepoint": study.timepoint if share else "baseline",
        "n_missing": int(frame[name].isna().sum()),
    }
    known = frame[frame[name].notna()]
    arms = [known.loc[known[TREATED] == code, name] for code in (1, 0)]
    plain = Result(
        "difference of the known, treated less control",
        float(arms[0].mean() - arms[1].mean()) if min(map(len, arms)) else np.nan,
        n=len(known),
        note="" if min(map(len, arms)) else "not estimated: nobody of one arm is known",
    )
    keep(store, study, IMPUTED, "known_difference", plain, **where)
    # Death tells of severity; of response it has decided, so that the living alone are asked.
    used = frame[predictors] if share else frame[predictors].assign(death=frame["event"].astype(float))
    asked = ~frame["event"].to_numpy() if share else np.ones(len(frame), dtype=bool)
    words = [labels.get(one, one).split(",")[0] for one in predictors] + ([] if share else ["outcome"])

    def completed() -> Result:
        part, values = frame[asked], np.tile(frame[name].to_numpy(dtype=float), (draws, 1))
        values[:, asked] = impute_within_arms(
            part[name], used[asked], part[TREATED], part["patient_id"], draws=draws, seed=seed
        )
        return mean_difference(values, frame[TREATED], confidence=study.confidence)

    found = attempt(completed, "multiple imputation within the arms", len(frame))
    note = found.note or f"{ASSUMED}{' and '.join(words)}"
    keep(store, study, IMPUTED, "difference", found, note=note, **where)
    missing = Result(
        "share of the information that is missing",
        found.details.get("missing_information", np.nan),
        n=len(frame),
        note=found.note,
    )
    keep(store, study, IMPUTED, "missing_information", missing, **(where | {"unit": POINTS}))


def describe_limit_scenarios(
    study: Study,
    covariates: pd.DataFrame,
    qualifiers: pd.DataFrame,
    skewed: Sequence[str],
    chosen: Sequence[str],
    labels: Mapping[str, str],
    store: StatisticsStore,
) -> None:
    """Store, for each characteristic that somebody has beyond a reporting limit, what its value could change.

    `qualifiers` has the signs of those characteristics (``<``, ``>`` or empty) by patient_id. Values beyond a
    limit are set to the limit, and to twice and ten times as far (`skewed` ones are logarithms already).
    Stored for each: the standardised difference, and the hazard ratio under overlap weights for it and for
    the first of the `chosen` covariates that fit beside it, which the method names by their `labels`.
    """
    if study.one_arm:
        refuse(store, study, LIMITS, {"smd_at_limit": ""}, variable="all")
        return
    frame = study.frame.join(covariates.astype(float), on="patient_id")
    treated = int(frame[TREATED].sum())
    budget = covariate_budget(treated, len(frame) - treated)
    for name in qualifiers.columns:
        signs = study.frame["patient_id"].map(qualifiers[name])
        beyond = int(signs.isin(["<", ">"]).sum())
        if not beyond:
            continue
        model = [name, *(other for other in chosen if other != name)][: max(budget, 1)]
        for scenario, factor in SCENARIOS.items():
            moved = _moved(frame[name], signs, factor, log=name in skewed)
            told = f"{beyond} values beyond a reporting limit taken {factor:g} times as far"
            _scenario(study, frame.assign(**{name: moved}), name, model, labels, scenario, told, store)


def _moved(values: pd.Series, signs: pd.Series, factor: float, *, log: bool) -> pd.Series:
    """Values beyond a limit `factor` times as far: above it times the factor, below it divided by it."""
    power = signs.map({">": 1.0, "<": -1.0}).fillna(0.0)
    return values + power * np.log(factor) if log else values * factor**power


def _scenario(
    study: Study,
    frame: pd.DataFrame,
    name: str,
    model: list[str],
    labels: Mapping[str, str],
    scenario: str,
    told: str,
    store: StatisticsStore,
) -> None:
    balance = balance_table(frame, treated=TREATED, covariates=[name], confidence=study.confidence)
    for row in rows_of(balance):
        found = Result(f"standardised mean difference, {told}", row.smd, row.lower, row.upper, n=row.n,
                       n_missing=row.n_missing, note=row.note)  # fmt: skip
        keep(store, study, LIMITS, f"smd_{scenario}", found, variable=slug(name), timepoint="baseline")
    whole = frame[frame[model].notna().all(axis=1)].reset_index(drop=True)
    lost = len(frame) - len(whole)
    try:
        fit = propensity_scores(whole, treated=TREATED, covariates=model)
        weights = propensity_weights(fit.scores, fit.treated, "ATO")
        effects = weighted_effects(whole["time"], whole["event"], whole[TREATED], weights, study.horizon,
                                   confidence=study.confidence)  # fmt: skip
        ratio = effects["hazard_ratio"]
    except StatisticsError as error:
        ratio = Result("weighted hazard ratio", n=len(whole), note=f"not estimated: {error.problem}")
    names = [in_text(labels.get(one, one)) for one in model]
    method = f"overlap weights for {' and '.join(names)}: {ratio.method}, {told}"
    other = {"method": method, "n_missing": lost, "unit": RATIO}
    keep(store, study, LIMITS, f"hazard_ratio_{scenario}", ratio, variable=slug(name), **other)
