"""Glucocorticoid sparing: dose at each visit in prednisone equivalents, its fall, time to a low dose.

>>> doses = doses_at_visits(tables, config)
>>> describe_doses(doses, tables, config, store)
>>> round(store.rows()["glucocorticoid.dose.control.baseline.median"].value, 2)
2.92
>>> describe_fall(doses, tables, config, store)
['ruxolitinib', 'control']
>>> describe_low_dose(tables, config, store, horizon_days=56, confidence=0.95)[
...     "status"
... ].value_counts().to_dict()
{0: 21, 1: 11, 2: 9}
>>> describe_cumulative_dose(tables, config, store, horizon_days=56)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.analysis.summary import store_summary
from helpers.clinical.steroids import cumulative_dose, percentage_fall, time_to_dose_at_most, weekly_dose
from helpers.cohort.doses import spared_doses, spared_unit
from helpers.stats.competing import cumulative_incidence
from helpers.stats.repeated import signed_rank_test

if TYPE_CHECKING:
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import StatisticsStore

ANALYSIS = "glucocorticoid"
DOSE, DOSE_MG = "dose", "dose_mg"
_UNITS = {DOSE: ("mg_per_kg", "mg/kg/d"), DOSE_MG: ("prednisone_mg", "mg/d")}


def doses_at_visits(tables: AnalysisTables, config: CohortConfig) -> pd.DataFrame:
    """Return each patient's dose at each visit: patient_id, group, visit, day, mg_per_kg, prednisone_mg."""
    daily = spared_doses(tables, config)
    if daily.empty:
        return pd.DataFrame(columns=["patient_id", "group", "visit", "day", "mg_per_kg", "prednisone_mg"])
    rule = config.steroids.dose_summary
    frames = [weekly_dose(daily, visit.day, rule=rule).assign(visit=visit.id) for visit in config.visits]
    groups = tables.patients[["patient_id", "group"]]
    found = pd.concat(frames).dropna(subset=["mg_per_kg", "prednisone_mg"], how="all")
    columns = ["patient_id", "group", "visit", "day", "mg_per_kg", "prednisone_mg"]
    return found.merge(groups, on="patient_id")[columns].reset_index(drop=True)


def describe_doses(
    doses: pd.DataFrame, tables: AnalysisTables, config: CohortConfig, store: StatisticsStore
) -> None:
    """Store n, median, quartiles and range of the dose by group and visit, per kilogram and in milligrams."""
    for key, rows in doses.groupby(["group", "visit"], sort=False):
        group, visit = (str(part) for part in key)
        size = int((tables.patients["group"] == group).sum())
        for name, (column, per) in _UNITS.items():
            unit, values = spared_unit(config, per), rows[column].dropna()
            common: dict[str, Any] = {
                "group": group,
                "timepoint": visit,
                "n": len(values),
                "n_missing": size - len(values),
            }
            store.add(ANALYSIS, name, "n", value=len(values), unit="patients", method="count", **common)
            store_summary(store, ANALYSIS, name, values, unit=unit, method=_method(config), **common)


def _method(config: CohortConfig) -> str:
    week = config.steroids.dose_summary == "weekly_mean"
    return "mean daily doses of the 7 days that end at the visit" if week else "doses of the visit's day"


def describe_fall(
    doses: pd.DataFrame, tables: AnalysisTables, config: CohortConfig, store: StatisticsStore
) -> list[str]:
    """Compare the last visit within the horizon with baseline; return the groups that could be compared.

    Stored: the fall of the median (what a reader computes from two medians), the median of each patient's own
    fall, and the exact signed-rank test of the paired doses.
    """
    baseline, last = config.baseline_visit, config.visits[-1]
    compared: list[str] = []
    if baseline is None or doses.empty:
        return compared
    falls = percentage_fall(spared_doses(tables, config), last.day, rule=config.steroids.dose_summary)
    for group in config.group_ids:
        wide = doses[doses["group"] == group].pivot(index="patient_id", columns="visit", values="mg_per_kg")
        if not {baseline.id, last.id} <= set(wide.columns):
            continue
        pairs = wide[[baseline.id, last.id]].dropna()
        if pairs.empty:
            continue
        compared.append(group)
        common: dict[str, Any] = {"group": group, "timepoint": last.id}
        before, after = wide[baseline.id].median(), wide[last.id].median()
        store.add(
            ANALYSIS,
            DOSE,
            "fall_of_median",
            value=100 * (before - after) / before if before > 0 else None,
            unit="%",
            n=int(wide[last.id].notna().sum()),
            method="fall between the two medians",
            note="" if before > 0 else "not estimable: the median at baseline is 0",
            **common,
        )
        own = falls[falls["patient_id"].isin(pairs.index)]["fall_percent"]
        own = own[np.isfinite(own.astype(float))]
        store.add(
            ANALYSIS,
            DOSE,
            "median_fall",
            value=float(own.median()),
            n=len(pairs),
            unit="%",
            method="median of each patient's own fall; survivors only",
            note="" if len(own) else "not estimable: nobody had a dose at baseline",
            **common,
        )
        test = signed_rank_test(pairs[baseline.id].to_numpy(), pairs[last.id].to_numpy())
        store.add(
            ANALYSIS,
            DOSE,
            "change_test",
            value=test.statistic,
            p_value=test.p_value,
            n=len(pairs),
            method=test.method,
            **common,
        )
    return compared


def describe_low_dose(
    tables: AnalysisTables,
    config: CohortConfig,
    store: StatisticsStore,
    *,
    horizon_days: float,
    confidence: float,
) -> pd.DataFrame:
    """Time to a lasting dose at or below the threshold, with death competing; return time and status."""
    daily = spared_doses(tables, config)
    if daily.empty:
        return pd.DataFrame()
    threshold = config.steroids.threshold_mg_per_kg
    known = tables.patients[tables.patients["patient_id"].isin(daily["patient_id"])]
    times = time_to_dose_at_most(daily, known, threshold, horizon=int(horizon_days))
    times = times.merge(known[["patient_id", "group"]], on="patient_id")
    for group in config.group_ids:
        rows = times[times["group"] == group]
        if not rows.empty:
            _describe_times(rows, group, threshold, horizon_days, confidence, store)
    return times


def _describe_times(
    rows: pd.DataFrame,
    group: str,
    threshold: float,
    horizon_days: float,
    confidence: float,
    store: StatisticsStore,
) -> None:
    """Store one group's threshold, who reached it or died first, the median day and the incidence."""
    reached = rows.loc[rows["status"] == 1, "time"]
    counts = {
        "reached": (len(reached), "first day of at least 3 days at or below the threshold"),
        "died_first": (int((rows["status"] == 2).sum()), "died before reaching the threshold"),
    }
    common: dict[str, Any] = {"group": group, "timepoint": f"day_{horizon_days:g}"}
    store.add(
        ANALYSIS,
        "low_dose",
        "threshold",
        value=threshold,
        unit="mg/kg/d",
        group=group,
        n=len(rows),
        timepoint="follow_up",
        method="setting of the cohort",
    )
    for name, (count, method) in counts.items():
        store.add(
            ANALYSIS, "low_dose", name, value=count, n=len(rows), unit="patients", method=method, **common
        )
    if len(reached):
        store.add(
            ANALYSIS,
            "low_dose",
            "median_day",
            value=float(reached.median()),
            n=len(reached),
            unit="days",
            method="median over those who reached it",
            **common,
        )
    curve = cumulative_incidence(rows["time"], rows["status"], cause=1, confidence=confidence)
    store.add(ANALYSIS, "low_dose", "incidence", result=curve.at(horizon_days), **common)


def describe_cumulative_dose(
    tables: AnalysisTables, config: CohortConfig, store: StatisticsStore, *, horizon_days: float
) -> None:
    """Store the dose summed from day 0 up to the horizon, of patients followed throughout and of all."""
    daily = spared_doses(tables, config)
    if daily.empty:
        return
    totals = cumulative_dose(daily, days=int(horizon_days))
    totals = totals.merge(tables.patients[["patient_id", "group"]], on="patient_id")
    for group in config.group_ids:
        rows = totals[totals["group"] == group]
        for name, part in {"cumulative_survivors": rows[rows["complete"]], "cumulative_all": rows}.items():
            values = part["mg_per_kg"].dropna()
            if values.empty:
                continue
            until = "patients followed throughout" if name == "cumulative_survivors" else "until death"
            store_summary(
                store,
                ANALYSIS,
                name,
                values,
                group=group,
                timepoint=f"day_{horizon_days:g}",
                n=len(values),
                unit=spared_unit(config, "mg/kg"),
                method=f"sum of the daily doses of {horizon_days:g} days from day 0, {until}",
            )
