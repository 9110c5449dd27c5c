"""What a comparison with historical controls is made from: each patient's lag, date, covariates and outcomes.

Reads the analysis tables; `robustness` and `robustness_patients` put the questions. What a cohort did not
record is None, and the question that needs it says so.
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
    PRIOR_PREFIX,
    BaselineVariable,
    as_float,
    baseline_variables,
    comparison,
)
from helpers.clinical.eligibility_day import eligibility_days
from helpers.clinical.equivalents import equivalents_of
from helpers.clinical.steroids import weekly_dose
from helpers.cohort.doses import spared_doses
from helpers.stats.propensity import covariate_budget

if TYPE_CHECKING:
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig

RANKS = {"CR": 2.0, "PR": 1.0, "NR": 0.0}


@dataclass(frozen=True)
class Recorded:
    """What a cohort holds for the comparison; every series is by patient_id.

    Attributes:
        study: survival of the two arms from day 0.
        lag: days from eligibility to day 0, read from prescriptions; None without doses or weights.
        years: calendar time of day 0 as a number; None without dates.
        covariates: numeric baseline characteristics, skewed ones as logarithms; columns by variable.
        labels: label of each covariate.
        chosen: covariates of the weighting model, named without a look at the outcome.
        calls: what the response rule says of each patient and visit: patient_id, visit, day, rank.
        response: response by the rule at the last visit (2 complete, 1 partial, 0 none); None without a rule.
        dose: glucocorticoid dose (mg/kg/d) at the last visit; None without doses.
        visit: id of that visit, empty without one.
    """

    study: Study
    lag: pd.Series | None
    years: pd.Series | None
    covariates: pd.DataFrame
    labels: dict[str, str]
    chosen: tuple[str, ...]
    calls: pd.DataFrame
    response: pd.Series | None
    dose: pd.Series | None
    visit: str

    @property
    def chosen_labels(self) -> list[str]:
        """Labels of the covariates of the weighting model."""
        return [self.labels[name] for name in self.chosen]

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
    variables = [v for v in baseline_variables(tables, config, horizon_days) if _is_covariate(v)]
    visit = endpoint_visit(config, horizon_days)
    day = None if visit is None else visit.day
    calls = _calls(tables, config, folder)
    doses = spared_doses(tables, config)
    return Recorded(
        study,
        eligibility_lag(tables, config),
        _years(tables),
        pd.DataFrame({v.name: _numbers(v) for v in variables}),
        {v.name: v.label for v in variables},
        _chosen(variables, study),
        calls,
        None if visit is None else _at_visit(calls, visit.id, tables),
        None if day is None or doses.empty else _dose(doses, study, day),
        "" if visit is None else visit.id,
    )


def _is_covariate(variable: BaselineVariable) -> bool:
    return variable.kind in ("continuous", "binary") and variable.name != DEATH


def _numbers(variable: BaselineVariable) -> pd.Series:
    values = pd.Series(as_float(variable.values), index=variable.values.index)
    if not variable.skewed:
        return values
    return pd.Series(np.log(values.where(values > 0)), index=values.index)


def _chosen(variables: list[BaselineVariable], study: Study) -> tuple[str, ...]:
    """The first baseline characteristics, in the cohort's order, that everybody has; as many as n carries.

    Treatments before day 0 belong to the way into the study, and a value at a reporting limit is no number:
    neither is taken.
    """
    ids = study.frame["patient_id"]
    treated = int(study.frame[TREATED].sum())
    budget = covariate_budget(treated, len(ids) - treated)
    usable = [v for v in variables if not v.name.startswith((PRIOR_PREFIX, "glucocorticoid"))]
    usable = [v for v in usable if v.values.reindex(ids).notna().all()]
    usable = [v for v in usable if not v.qualifiers.reindex(ids).isin(["<", ">"]).any()]
    varied = [v.name for v in usable if len(set(v.values.reindex(ids))) > 1]
    # One too many where none is allowed, so that the refusal states the budget.
    return tuple(varied[: max(budget, 1)])


def eligibility_lag(tables: AnalysisTables, config: CohortConfig) -> pd.Series | None:
    """Return the days from eligibility to day 0 by patient_id; None without doses or weights."""
    patients = tables.patients
    if tables.doses.empty or "weight_kg" not in patients:
        return None
    weights = patients.set_index("patient_id")["weight_kg"].dropna().astype(float)
    found = eligibility_days(
        patients, tables.doses, tables.treatments, weights, equivalents=equivalents_of(config.vocabulary)
    )
    return found.set_index("patient_id")["lag"].astype(float)


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
    return mine.assign(rank=mine["response"].map(RANKS).astype(float))[columns].reset_index(drop=True)


def _at_visit(calls: pd.DataFrame, visit: str, tables: AnalysisTables) -> pd.Series | None:
    if calls.empty:
        return None
    ranks = calls[calls["visit"] == visit].set_index("patient_id")["rank"]
    return ranks.reindex(tables.patients["patient_id"]).astype(float)


def _dose(doses: pd.DataFrame, study: Study, day: int) -> pd.Series:
    dose = weekly_dose(doses, day).set_index("patient_id")["mg_per_kg"].astype(float)
    dead = study.frame.loc[study.frame["event"] & (study.frame["time"] <= day), "patient_id"]
    return dose[~dose.index.isin(dead)]
