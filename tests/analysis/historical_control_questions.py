"""All questions of notebook 07 put to a cohort folder, as the notebook puts them."""

from __future__ import annotations

from pathlib import Path

from helpers.analysis.assumptions import describe_specifications
from helpers.analysis.co_interventions import describe_co_interventions
from helpers.analysis.historical_control import Recorded, what_is_recorded
from helpers.analysis.historical_control_questions import (
    ask_about_balance,
    ask_about_gaps,
    ask_about_low_dose,
    ask_about_missing_response,
    ask_about_outcomes,
    ask_about_time,
    ask_about_unmeasured,
    ask_about_wins,
)
from helpers.analysis.robustness import describe_design, describe_few_events, describe_fragility
from helpers.analysis.robustness_patients import describe_weighting
from helpers.analysis.robustness_time import describe_era
from helpers.cohort.cleaning import clean_cohort
from helpers.cohort.config import load_config
from helpers.results.store import Statistics, StatisticsStore


def weigh(folder: Path, store: StatisticsStore) -> Recorded:
    """Store the weighted effects alone; returns what the cohort holds."""
    recorded = _recorded(folder)
    describe_weighting(recorded.study, recorded.covariates, recorded.model, store, draws=50, seed=1)
    return recorded


def _recorded(folder: Path) -> Recorded:
    return what_is_recorded(
        clean_cohort(folder), load_config(folder), folder, horizon_days=56, confidence=0.95
    )


def put_every_question(
    folder: Path, store: StatisticsStore, *, draws: int = 50, others: Statistics | None = None
) -> Recorded:
    """Store the rows of every question; returns what the cohort holds. `others`: of former notebooks."""
    config, tables = load_config(folder), clean_cohort(folder)
    recorded = what_is_recorded(tables, config, folder, horizon_days=56, confidence=0.95)
    study = recorded.study
    ask_about_time(recorded, store)
    describe_co_interventions(tables, config, study, store)
    describe_era(study, store, years=recorded.years)
    describe_weighting(study, recorded.covariates, recorded.model, store, draws=draws, seed=1)
    describe_fragility(study, store)
    describe_few_events(study, store)
    ask_about_wins(recorded, store, draws=draws, seed=1)
    recorded_dose = ask_about_low_dose(recorded, store)
    assert recorded_dose is not None
    ask_about_missing_response(recorded, store)
    ask_about_gaps(recorded, config, store, draws=5, seed=1)
    ask_about_outcomes(recorded, tables, config, store, draws=draws, seed=1)
    describe_design(study, store)
    others = others or Statistics([])
    ask_about_balance(recorded, others, store)
    ask_about_unmeasured(recorded, others, store)
    describe_specifications(study, others, store)
    return recorded
