"""The notebook's questions put to a cohort: each stores its rows and returns what its picture needs.

>>> ask_about_time(recorded, store)
>>> store.rows()["control_time.death.both.day_56.lag_tipping_point"].value
13.0
>>> ask_about_balance(recorded, statistics, store)
>>> ask_about_unmeasured(recorded, statistics, store)
>>> ask_about_wins(recorded, store, draws=50, seed=1)
>>> round(store.rows()["win_statistics.death_dose.both.day_56.win_ratio"].value, 2)
8.77
>>> ask_about_low_dose(recorded, store).columns.tolist()[:3]
['threshold', 'treated', 'control']
>>> ask_about_missing_response(recorded, store)
>>> len(patients_drawn(recorded)), len(tried(statistics, arms)[0]) > 5
(41, True)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.analysis.assumptions import assumptions_of_design, choices_of_analysis
from helpers.analysis.historical_control import Recorded
from helpers.analysis.robustness import OUTCOME, POINTS, Study, describe_unmeasured, refuse
from helpers.analysis.robustness_eligibility import describe_cloning, describe_eligibility
from helpers.analysis.robustness_missing import describe_imputation, describe_limit_scenarios
from helpers.analysis.robustness_outcomes import (
    describe_days_in_response,
    describe_discounted_controls,
    describe_dose_and_death,
    describe_immortal_time,
    describe_slopes,
)
from helpers.analysis.robustness_patients import (
    BOUNDS,
    THRESHOLD,
    describe_balance,
    describe_chance_imbalance,
    describe_missing_response,
    describe_thresholds,
    describe_wins,
)
from helpers.analysis.robustness_time import describe_lag
from helpers.analysis.survival import TREATED
from helpers.results.catalogue import BalanceRows, EffectRows, SurvivalRows
from helpers.stats.result import Result

if TYPE_CHECKING:
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics, StatisticsStore

NO_DOSES = "glucocorticoid doses are not recorded"
NO_RULE = "the response rule can call nobody"
_LARGEST_LAG = 91
LANDMARKS = (0, 3, 7, 14)
# Doses in mg/kg/d of prednisone equivalent at which the arms are compared, so that no one of them is chosen.
DOSES = tuple(round(0.05 * step, 2) for step in range(2, 41))


def ask_about_time(recorded: Recorded, store: StatisticsStore) -> None:
    """Store what delayed entry, landmarks and every common lag up to half the horizon make of the result."""
    study = recorded.study
    lags = np.arange(study.horizon // 2 + 1)[:_LARGEST_LAG]
    describe_lag(study, store, lag=recorded.lag, lags=lags.tolist(), landmarks=LANDMARKS)
    describe_eligibility(study, store, lag=recorded.lag, evidence=recorded.evidence)
    describe_cloning(study, store, years=recorded.years)


def ask_about_balance(recorded: Recorded, statistics: Statistics, store: StatisticsStore) -> None:
    """Store the balance of all characteristics, and how many of the differences counted are due by chance."""
    describe_balance(recorded.study, recorded.covariates, store)
    counted = statistics.find(BalanceRows.above_0_1, "standardized_difference", group="both",
                              timepoint="baseline")  # fmt: skip
    describe_chance_imbalance(recorded.study, (counted.n if counted else None) or 0, store)


def ask_about_unmeasured(recorded: Recorded, statistics: Statistics, store: StatisticsStore) -> None:
    """Store what one unmeasured confounder would do to the hazard ratio, or else to the penalised one."""
    study = recorded.study
    keys = (SurvivalRows.hazard_ratio, EffectRows.cox_firth)
    where = {"group": "both", "timepoint": study.timepoint}
    rows = [statistics.find(key, OUTCOME, **where) for key in keys]
    known = [row for row in rows if row is not None and row.value == row.value]
    ratio = Result("hazard ratio")
    if known:
        ratio = Result(known[0].method, known[0].value, known[0].lower, known[0].upper)
    describe_unmeasured(study, store, ratio)


def ask_about_wins(recorded: Recorded, store: StatisticsStore, *, draws: int, seed: int) -> None:
    """Store wins by death, then dose, and by death, then response, then dose, as far as they are recorded."""
    study, dose, response = recorded.study, recorded.dose, recorded.response
    describe_wins(study, store, response=None, dose=dose, draws=draws, seed=seed)
    if response is not None:
        describe_wins(study, store, response=response, dose=dose, draws=draws, seed=seed)


def ask_about_low_dose(recorded: Recorded, store: StatisticsStore) -> pd.DataFrame:
    """Store how many are alive at or below each dose at the last visit; return the curve."""
    if recorded.dose is None:
        refuse(store, recorded.study, THRESHOLD, {"difference": POINTS}, variable="dose", reason=NO_DOSES)
        return pd.DataFrame()
    return describe_thresholds(recorded.study, store, dose=recorded.dose, thresholds=DOSES, unit="mg/kg/d")


def ask_about_missing_response(recorded: Recorded, store: StatisticsStore) -> None:
    """Store the bounds of the difference in response by the rule, or why there are none."""
    if recorded.responded is None:
        refuse(store, recorded.study, BOUNDS, {"difference": POINTS}, variable="response", reason=NO_RULE)
        return
    describe_missing_response(recorded.study, store, responded=recorded.responded)


def ask_about_gaps(
    recorded: Recorded, config: CohortConfig, store: StatisticsStore, *, draws: int = 20, seed: int
) -> None:
    """Store imputations of what is missing, and scenarios of what is known only as beyond a limit.

    >>> ask_about_gaps(recorded, config, store, draws=2, seed=1)
    >>> store.rows()[next(iter(store.rows()))].analysis
    'imputation'
    """
    chosen = [] if recorded.model.fault else recorded.model.chosen
    describe_imputation(
        recorded.study, recorded.covariates, recorded.labels, chosen, store, responded=recorded.responded,
        draws=draws, seed=seed,
    )  # fmt: skip
    skewed = [name for name, one in config.vocabulary.variables.items() if one.skewed]
    describe_limit_scenarios(
        recorded.study, recorded.covariates, recorded.qualifiers, skewed, chosen, recorded.labels, store
    )


def ask_about_outcomes(
    recorded: Recorded,
    tables: AnalysisTables,
    config: CohortConfig,
    store: StatisticsStore,
    *,
    draws: int,
    seed: int,
) -> None:
    """Store slopes before day 0, the dose with death as the worst, days in response, discounted controls.

    >>> ask_about_outcomes(recorded, tables, config, store, draws=50, seed=1)
    >>> sorted({row.analysis for row in store.rows().values()})
    ['control_time', 'discounted_controls', 'slope_before_day_0', 'state_occupancy', 'truncation_by_death']
    """
    study = recorded.study
    skewed = [name for name, one in config.vocabulary.variables.items() if one.skewed]
    describe_immortal_time(study, store, lag=recorded.lag)
    describe_slopes(study, tables.measurements, skewed, store)
    describe_dose_and_death(study, store, dose=recorded.dose, unit="mg/kg/d")
    calls = recorded.calls.assign(responded=recorded.calls["rank"] > 0)
    describe_days_in_response(study, calls, store, draws=draws, seed=seed)
    describe_discounted_controls(study, store)


def patients_drawn(recorded: Recorded) -> pd.DataFrame:
    """One row a patient for the figures: treated (1 or 0), event, lag in days, calendar time in years."""
    frame = recorded.study.frame
    series = {"lag": recorded.lag, "years": recorded.years}
    columns = {
        name: np.nan if one is None else frame["patient_id"].map(one).astype(float).to_numpy()
        for name, one in series.items()
    }
    return frame[[TREATED, "event"]].assign(**columns)


def tried(statistics: Statistics, study: Study) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    """Name and p-value of every test; label and p-value of every assumption about the design."""
    return (
        [(one.row.statistic, one.p) for one in choices_of_analysis(statistics, study.timepoint)],
        [(one.label, one.p) for one in assumptions_of_design(statistics, study.timepoint)],
    )
