"""The statistics that a publication is compared with, computed in this process from a cohort's raw tables."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd

from helpers.analysis.baseline import compare_baseline, count_prior_therapies
from helpers.analysis.laboratory import resolution_of_splenomegaly
from helpers.analysis.response import count_responses, responders_at_end
from helpers.analysis.safety import (
    count_added_therapies,
    count_adverse_events,
    describe_exposure,
    describe_long_term,
    drug_exposure,
)
from helpers.analysis.steroids import describe_doses, describe_fall, doses_at_visits
from helpers.analysis.survival import compare_survival, describe_survival, survival_times
from helpers.cohort.cleaning import clean_cohort
from helpers.cohort.config import CohortConfig, load_config
from helpers.results.store import Statistics, StatisticsStore

CONFIDENCE, SEED = 0.95, 20250626


def statistics_of(folder: Path) -> tuple[Statistics, CohortConfig]:
    """Return the statistics as the notebooks would store them."""
    config, tables = load_config(folder), clean_cohort(folder)
    horizon = float(config.follow_up.horizon_days)
    store = StatisticsStore(folder, "unwritten")
    compare_baseline(tables, config, store, horizon_days=horizon, confidence=CONFIDENCE, seed=SEED)
    count_prior_therapies(tables, config, store)
    count_responses(tables, config, store, confidence=CONFIDENCE)
    resolution_of_splenomegaly(tables, config, store, confidence=CONFIDENCE)
    times = survival_times(tables, config, horizon)
    describe_survival(times, config, store, confidence=CONFIDENCE)
    compare_survival(times, config, store, confidence=CONFIDENCE)
    doses = doses_at_visits(tables, config)
    describe_doses(doses, tables, config, store)
    describe_fall(doses, tables, config, store)
    count_adverse_events(tables, config, store, horizon_days=horizon, confidence=CONFIDENCE)
    describe_exposure(drug_exposure(tables, config.study_drugs), config, store)
    responders = responders_at_end(tables, config)
    count_added_therapies(tables, config, responders, store)
    describe_long_term(tables, responders, config, store, horizon_days=horizon)
    return store.rows(), config


def changed_copy(source: Path, target: Path, table: str, where: dict[str, str], new: dict[str, str]) -> Path:
    """Copy a cohort folder and change the one row of a raw table that `where` names."""
    shutil.copytree(source, target)
    path = target / f"{table}.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    row = frame[list(where)].eq(pd.Series(where)).all(axis=1)
    assert row.sum() == 1, f"{row.sum()} rows of {table} match {where}"
    for column, value in new.items():
        assert frame.loc[row, column].item() != value
        frame.loc[row, column] = value
    frame.to_csv(path, index=False, lineterminator="\n")
    return target
