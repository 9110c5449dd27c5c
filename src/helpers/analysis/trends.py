"""Changes of repeated measurements: a mixed model a variable, and a test of the patients seen throughout.

>>> describe_trends(tables, config, store, confidence=0.95)[0]
'platelets'
>>> round(store.rows()["trend.platelets.ruxolitinib.week_1.ratio"].value, 3)
1.228
>>> trend_key("fibrinogen", config).statistic
'difference'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from helpers.results.catalogue import TrendRows
from helpers.stats.mixed_model import visit_model
from helpers.stats.repeated import friedman_test
from helpers.stats.result import StatisticsError

if TYPE_CHECKING:
    import pandas as pd

    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.results.key import Key
    from helpers.results.store import StatisticsStore

ANALYSIS = "trend"
_MIN_PATIENTS = 5


def describe_trends(
    tables: AnalysisTables, config: CohortConfig, store: StatisticsStore, *, confidence: float
) -> list[str]:
    """Store the changes of each followed measurement in the treated group; return the variables described.

    `ratio` is the ratio of a visit's geometric mean to that of baseline, `difference` the difference of the
    means for variables that the vocabulary does not keep on the log scale, both from a mixed model with the
    visit as a factor and a random intercept for each patient, which uses every visit of every patient; values
    known only as a limit enter as censored. `visits` tests all visits at once. `friedman` tests the patients
    seen at every visit, who are the survivors. What cannot be fitted has a row that says why.
    """
    group = (config.treated or config.groups[0]).id
    members = tables.patients.loc[tables.patients["group"] == group, "patient_id"]
    found = []
    for name in config.course.variables:
        rows = tables.visits[(tables.visits["variable"] == name) & tables.visits["patient_id"].isin(members)]
        if rows["patient_id"].nunique() < _MIN_PATIENTS or rows["visit"].nunique() < 2:
            continue
        found.append(name)
        _mixed_model(rows, name, config, store, {"group": group}, confidence)
        _friedman(rows, name, store, {"group": group})
    return found


def trend_key(name: str, config: CohortConfig) -> Key:
    """Return the kind of row that holds changes of a variable: a ratio, or a difference."""
    return TrendRows.ratio if config.vocabulary[name].skewed else TrendRows.difference


def _mixed_model(
    rows: pd.DataFrame, name: str, config: CohortConfig, store: StatisticsStore, common: dict[str, Any],
    confidence: float,
) -> None:  # fmt: skip
    key = trend_key(name, config)
    first = config.baseline_visit
    try:
        if first is None:
            raise StatisticsError("baseline", "not estimable: no visit is the baseline")
        fit = visit_model(
            rows, value="value", id="patient_id", visit="visit", baseline=first.id,
            logarithm=key == TrendRows.ratio, qualifier="qualifier", confidence=confidence,
        )  # fmt: skip
    except StatisticsError as error:
        store.add(ANALYSIS, name, "visits", note=str(error), method="mixed model, not fitted", **common)
        return
    unit = config.vocabulary[name].unit if key == TrendRows.difference else ""
    for visit in config.visits:
        if visit.id in fit.changes:
            store.add(ANALYSIS, name, key.statistic, result=fit.changes[visit.id], timepoint=visit.id,
                      unit=unit, **common)  # fmt: skip
    store.add(ANALYSIS, name, "visits", result=fit.overall, value=fit.overall.statistic, **common)


def _friedman(rows: pd.DataFrame, name: str, store: StatisticsStore, common: dict[str, Any]) -> None:
    wide = rows.pivot(index="patient_id", columns="visit", values="value")
    try:
        test = friedman_test(wide)
    except StatisticsError as error:
        store.add(ANALYSIS, name, "friedman", note=str(error), method="Friedman test, not possible", **common)
        return
    store.add(ANALYSIS, name, "friedman", result=test, value=test.statistic, **common)
