"""What a comparison with historical controls is made from: each patient's lag, date, covariates and outcomes.

Reads the analysis tables; `robustness` and `robustness_patients` put the questions. What a cohort did not
record is None, and the question that needs it says so.

>>> found = what_is_recorded(tables, config, folder, horizon_days=56, confidence=0.95)
>>> found.model.chosen, found.chosen_labels
(('platelets', 'ast'), ['Platelets, 10⁹/L', 'Aspartate aminotransferase, U/L'])
>>> (
...     float(eligibility_lag(tables, config).median()),
...     eligibility(tables, config)["kind"].value_counts()["pulse"].item(),
... )
(6.0, 15)
>>> weighting_model([], found.study, config).chosen
()
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.analysis.response_rules import call_responses
from helpers.analysis.robustness import Study
from helpers.analysis.steroid_endpoints import endpoint_visit
from helpers.analysis.survival import TREATED, survival_times
from helpers.analysis.variables import (
    DEATH,
    OUTCOMES,
    BaselineVariable,
    as_float,
    baseline_variables,
    comparison,
    variable_label,
)
from helpers.clinical.eligibility_day import eligibility_days
from helpers.clinical.equivalents import equivalents_of
from helpers.clinical.steroids import weekly_dose
from helpers.cohort.doses import spared_doses
from helpers.stats.propensity import covariate_budget
from helpers.vocabulary.names import in_text

if TYPE_CHECKING:
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig

RANKS = {"CR": 2.0, "PR": 1.0, "NR": 0.0}


# Measures of severity, the most important first: what of the SOFA score is in blood (organ failure is the
# strongest confounder of death), then markers of MAS and cell damage, then age. A default, for a team to
# replace.
SEVERITY = (
    "platelets", "bilirubin", "creatinine", "ldh", "albumin", "ast", "ferritin", "fibrinogen",
    "triglycerides", "hemoglobin", "neutrophils", "age",
)  # fmt: skip


@dataclass(frozen=True)
class WeightingModel:
    """Covariates that the arms are weighted for.

    Attributes:
        chosen: their names, the most important first.
        labels: what each is called in a sentence.
        passed_over: labels of the measures of severity that stand before the last one chosen, and why they
            were not taken.
        fault: why there can be no weighting by them; empty if there can.
    """

    chosen: tuple[str, ...]
    labels: tuple[str, ...]
    passed_over: dict[str, str]
    fault: str = ""


@dataclass(frozen=True)
class Recorded:
    """What a cohort holds for the comparison; every series is by patient_id.

    Attributes:
        study: survival of the two arms from day 0.
        lag: days from eligibility to day 0, read from prescriptions; None without doses or weights.
        evidence: what each day of eligibility rests on (``high dose``, ``pulse`` or ``recurrence``; empty
            where the day is not known); None without doses or weights.
        years: calendar time of day 0 as a number; None without dates.
        covariates: numeric baseline characteristics, skewed ones as logarithms; columns by variable.
        labels: label of each covariate.
        qualifiers: signs (``<`` or ``>``) of the characteristics that somebody has beyond a reporting limit.
        model: covariates of the weighting model, named without a look at the outcome.
        calls: what the response rule says of each patient and visit: patient_id, visit, day, rank; the rank
        is
            missing where what was not recorded could turn it.
        response: response by the rule at the last visit (2 complete, 1 partial, 0 none); None without a rule.
        dose: glucocorticoid dose (mg/kg/d) at the last visit; None without doses.
        visit: id of that visit, empty without one.
    """

    study: Study
    lag: pd.Series | None
    evidence: pd.Series | None
    years: pd.Series | None
    covariates: pd.DataFrame
    labels: dict[str, str]
    qualifiers: pd.DataFrame
    model: WeightingModel
    calls: pd.DataFrame
    response: pd.Series | None
    dose: pd.Series | None
    visit: str

    @property
    def chosen_labels(self) -> list[str]:
        """Labels of the covariates of the weighting model."""
        return [self.labels[name] for name in self.model.chosen]

    @property
    def responded(self) -> pd.Series | None:
        """Whether each patient responded at the last visit; missing where the rule cannot tell."""
        if self.response is None:
            return None
        return (self.response > 0).astype("boolean").mask(self.response.isna())


def what_is_recorded(
    tables: AnalysisTables, config: CohortConfig, folder: Path, *, horizon_days: float, confidence: float
) -> Recorded:
    """Gather what the cohort holds for its comparison with historical controls; `folder` is the cohort's."""
    times = survival_times(tables, config, horizon_days)
    study = Study.of(times, comparison(config), confidence)
    wanted = config.baseline.weighting or SEVERITY
    offered = baseline_variables(tables, config, horizon_days, also=wanted)
    offered = [variable for variable in offered if variable.name not in (DEATH, *OUTCOMES)]
    model = weighting_model(offered, study, config)
    listed = {*(config.baseline.variables or [v.name for v in offered]), *model.chosen}
    variables = [v for v in offered if v.name in listed and v.kind in ("continuous", "binary")]
    visit = endpoint_visit(config, horizon_days)
    day = None if visit is None else visit.day
    calls = _calls(tables, config, folder)
    doses = spared_doses(tables, config)
    eligible = eligibility(tables, config)
    return Recorded(
        study,
        None if eligible is None else eligible["lag"].astype(float),
        None if eligible is None else eligible["kind"].astype(str),
        _years(tables),
        pd.DataFrame({v.name: _numbers(v) for v in variables}),
        {v.name: v.label for v in variables},
        _limited(variables),
        model,
        calls,
        None if visit is None else _at_visit(calls, visit.id, tables),
        None if day is None or doses.empty else _dose(doses, study, day),
        "" if visit is None else visit.id,
    )


def _numbers(variable: BaselineVariable) -> pd.Series:
    values = pd.Series(as_float(variable.values), index=variable.values.index)
    if not variable.skewed:
        return values
    return pd.Series(np.log(values.where(values > 0)), index=values.index)


def _limited(variables: list[BaselineVariable]) -> pd.DataFrame:
    signs = {v.name: v.qualifiers for v in variables if v.qualifiers.isin(["<", ">"]).any()}
    return pd.DataFrame(signs)


def weighting_model(variables: list[BaselineVariable], study: Study, config: CohortConfig) -> WeightingModel:
    """The covariates of the weighting model: those asked for, or else the first measures of severity.

    A default covariate is one that everybody has as a number and that differs between patients; as many as
    the patients carry are taken in the order of `SEVERITY`. What a team asked for is never changed: where it
    cannot be used the weighting is refused.
    """
    ids, asked = study.frame["patient_id"], config.baseline.weighting
    known = {variable.name: variable for variable in variables}
    labels = {name: in_text(variable_label(name, config)) for name in asked or SEVERITY}
    faults = {
        name: fault for name in asked or SEVERITY if (fault := _fault(known.get(name), ids, bool(asked)))
    }
    if asked:
        found = "; ".join(f"{labels[name]}: {fault}" for name, fault in faults.items())
        chosen = tuple(name for name in asked if name not in faults)
        return WeightingModel(chosen, tuple(labels[name] for name in chosen), {}, found)
    treated = int(study.frame[TREATED].sum())
    budget = covariate_budget(treated, len(ids) - treated)
    usable = [name for name in SEVERITY if name not in faults]
    # One too many where none is allowed, so that the refusal states the budget.
    chosen = tuple(usable[: max(budget, 1)])
    last = SEVERITY.index(chosen[-1]) if chosen else len(SEVERITY)
    passed = {labels[name]: fault for name, fault in faults.items() if SEVERITY.index(name) < last}
    nothing = "" if chosen else "no measure of severity is known in everybody"
    return WeightingModel(chosen, tuple(labels[name] for name in chosen), passed, nothing)


def _fault(variable: BaselineVariable | None, ids: pd.Series, asked: bool) -> str:
    """Why a characteristic cannot be in the model, empty if it can; gaps are no fault of one asked for."""
    if variable is None:
        return "not recorded"
    if variable.kind == "categorical":
        return "neither a number nor yes or no"
    if variable.qualifiers.reindex(ids).isin(["<", ">"]).any():
        return "beyond a reporting limit in some"
    values = variable.values.reindex(ids)
    if values.isna().any() and not asked:
        return "missing in some"
    return "" if asked or len(set(values.dropna())) > 1 else "the same in everybody"


def eligibility(tables: AnalysisTables, config: CohortConfig) -> pd.DataFrame | None:
    """Return `eligibility_days` (day, lag, kind, reason) by patient_id; None without doses or weights."""
    patients = tables.patients
    if tables.doses.empty or "weight_kg" not in patients:
        return None
    weights = patients.set_index("patient_id")["weight_kg"].dropna().astype(float)
    found = eligibility_days(
        patients, tables.doses, tables.treatments, weights, equivalents=equivalents_of(config.vocabulary)
    )
    return found.set_index("patient_id")


def eligibility_lag(tables: AnalysisTables, config: CohortConfig) -> pd.Series | None:
    """Return the days from eligibility to day 0 by patient_id; None without doses or weights."""
    found = eligibility(tables, config)
    return None if found is None else found["lag"].astype(float)


def _years(tables: AnalysisTables) -> pd.Series | None:
    if "day0_date" not in tables.patients:
        return None
    date = pd.to_datetime(tables.patients.set_index("patient_id")["day0_date"])
    if date.isna().all():
        return None
    return (date.dt.year + (date.dt.dayofyear - 1) / 365.25).astype(float)


def _calls(tables: AnalysisTables, config: CohortConfig, folder: Path) -> pd.DataFrame:
    calls = call_responses(tables, config, folder).calls
    columns = ["patient_id", "visit", "day", "rank"]
    if calls.empty:
        return pd.DataFrame(columns=columns)
    # How the dead and the not assessed count is asked there, not taken from the cohort's settings.
    mine = calls[calls["reason"].isin(["rule", "withdrawn"])]
    # A verdict that unrecorded items could turn is none.
    sure = mine["response_lowest"] == mine["response_highest"]
    rank = mine["response"].map(RANKS).astype(float).where(sure)
    return mine.assign(rank=rank)[columns].reset_index(drop=True)


def _at_visit(calls: pd.DataFrame, visit: str, tables: AnalysisTables) -> pd.Series | None:
    if calls.empty:
        return None
    ranks = calls[calls["visit"] == visit].set_index("patient_id")["rank"]
    return ranks.reindex(tables.patients["patient_id"]).astype(float)


def _dose(doses: pd.DataFrame, study: Study, day: int) -> pd.Series:
    dose = weekly_dose(doses, day).set_index("patient_id")["mg_per_kg"].astype(float)
    dead = study.frame.loc[study.frame["event"] & (study.frame["time"] <= day), "patient_id"]
    return dose[~dose.index.isin(dead)]
