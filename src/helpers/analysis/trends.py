"""Trend of repeated measurements: one mixed model a variable, and a rank test of patients seen throughout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from helpers.stats.repeated import friedman_test, mixed_model_log
from helpers.stats.result import StatisticsError

if TYPE_CHECKING:
    import pandas as pd

    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import StatisticsStore

ANALYSIS = "trend"
_MIN_PATIENTS = 5


def describe_trends(tables: AnalysisTables, config: CohortConfig, store: StatisticsStore) -> list[str]:
    """Store the trend of each followed measurement in the treated group; return the variables described.

    ``ratio_per_week`` is the factor by which the measurement changes a week, from a mixed model of the
    logarithm with a random intercept for each patient, which uses every visit of every patient; values known
    only as a limit enter at the limit. ``friedman`` tests the patients seen at every visit, who are the
    survivors. A measurement with values of 0 or without three visits is left out of the one or the other, and
    the row says why.
    """
    group = (config.treated or config.groups[0]).id
    members = tables.patients.loc[tables.patients["group"] == group, "patient_id"]
    days = {visit.id: visit.day / 7 for visit in config.visits}
    found = []
    for name in config.course.variables:
        rows = tables.visits[(tables.visits["variable"] == name) & tables.visits["patient_id"].isin(members)]
        rows = rows.assign(weeks=rows["visit"].map(days))
        if rows["patient_id"].nunique() < _MIN_PATIENTS or rows["visit"].nunique() < 2:
            continue
        found.append(name)
        common: dict[str, Any] = {"group": group}
        _mixed_model(rows, name, store, common)
        _friedman(rows, name, store, common)
    return found


def _mixed_model(rows: pd.DataFrame, name: str, store: StatisticsStore, common: dict[str, Any]) -> None:
    positive = rows[rows["value"] > 0]
    note = f"{len(rows) - len(positive)} values of 0 left out" if len(positive) < len(rows) else ""
    try:
        fit = mixed_model_log(positive, value="value", id="patient_id", terms="weeks")
    except StatisticsError as error:
        store.add(
            ANALYSIS, name, "ratio_per_week", note=str(error), method="mixed model, not fitted", **common
        )
        return
    store.add(ANALYSIS, name, "ratio_per_week", result=fit["weeks"], **(common | {"note": note}))


def _friedman(rows: pd.DataFrame, name: str, store: StatisticsStore, common: dict[str, Any]) -> None:
    wide = rows.pivot(index="patient_id", columns="visit", values="value")
    try:
        test = friedman_test(wide)
    except StatisticsError as error:
        store.add(ANALYSIS, name, "friedman", note=str(error), method="Friedman test, not possible", **common)
        return
    store.add(ANALYSIS, name, "friedman", result=test, value=test.statistic, **common)
