"""Survival from day 0: curves, numbers at risk, comparison of the groups.

>>> times = survival_times(tables, config, 56)
>>> len(times.of_group("control")), day_name(56.0), risk_table_days(28)
(21, 'day_56', [0, 7, 14, 21, 28])
>>> curves = describe_survival(times, config, store, confidence=0.95)
>>> round(curves["ruxolitinib"].at(56).value, 2)
0.95
>>> compare_survival(times, config, store, confidence=0.95)
True
>>> round(store.rows()["survival.death.both.day_56.hazard_ratio"].value, 3)
0.109
>>> round(hazard_ratios(times.frame, 0.95)[1].value, 3)  # Firth's
0.154
>>> not_estimated(StatisticsError("time", "no events"), "Cox", 20).note
'not estimable: no events'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers.analysis.variables import comparison
from helpers.stats.cox import cox_regression
from helpers.stats.firth import firth_cox
from helpers.stats.kaplan_meier import KaplanMeier, censor_at, kaplan_meier, median_follow_up
from helpers.stats.logrank import logrank_test
from helpers.stats.proportions import proportion_interval
from helpers.stats.result import Result, StatisticsError

if TYPE_CHECKING:
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import StatisticsStore

ANALYSIS, OUTCOME = "survival", "death"
TREATED = "treated"


@dataclass(frozen=True)
class SurvivalTimes:
    """Times from day 0 to death or censoring, cut at the horizon.

    Attributes:
        frame: patient_id, group, time (days), event (bool), treated (1 or 0).
        horizon_days: last day of the analysis.
        left_out: patients without a usable follow-up time.
        analysis, outcome: first parts of the identifiers under which results are stored.
    """

    frame: pd.DataFrame
    horizon_days: int
    left_out: int
    analysis: str = ANALYSIS
    outcome: str = OUTCOME

    @property
    def counted(self) -> tuple[str, str, str]:
        """Names of the counts: who had the event, the first day of one, and who had none."""
        return (
            ("deaths", "first_death", "alive")
            if self.outcome == OUTCOME
            else ("events", "first_event", "free")
        )

    def of_group(self, group: str) -> pd.DataFrame:
        """Return the rows of one group."""
        return self.frame[self.frame["group"] == group]


def survival_times(tables: AnalysisTables, config: CohortConfig, horizon_days: float) -> SurvivalTimes:
    """Return each patient's time to death within the horizon, censored at last contact or at the horizon."""
    patients = tables.patients[["patient_id", "group", "followup_days", "died"]]
    usable = patients[patients["followup_days"].notna() & (patients["followup_days"] >= 0)].copy()
    time, event = censor_at(usable["followup_days"], usable["died"], horizon_days)
    usable["time"], usable["event"] = time, event.astype(bool)
    usable[TREATED] = (usable["group"] == (config.treated.id if config.treated else "")).astype(float)
    frame = usable[["patient_id", "group", "time", "event", TREATED]].reset_index(drop=True)
    return SurvivalTimes(frame, int(horizon_days), len(patients) - len(usable))


def day_name(day: float) -> str:
    """Return a day as a part of an identifier: ``day_56``."""
    return f"day_{day:g}".replace(".", "_")


def risk_table_days(horizon_days: int) -> list[int]:
    """Return the days under the curve: every week up to ten weeks, else about eight rounded steps."""
    if horizon_days <= 70:
        return list(range(0, horizon_days + 1, 7 if horizon_days > 21 else 3))
    days = [1, 5, 10, 20, 30, 60, 90, 182, 365, 730, 1095, 1825]
    step = next(day for day in days if horizon_days / day <= 9 or day == days[-1])
    return list(range(0, horizon_days + 1, step))


def describe_survival(
    times: SurvivalTimes, config: CohortConfig, store: StatisticsStore, *, confidence: float
) -> dict[str, KaplanMeier]:
    """Estimate survival by group; store curve, risk table, survival at the horizon and median."""
    horizon, where = f"day_{times.horizon_days}", (times.analysis, times.outcome)
    counted, first, free = times.counted
    curves = {}
    for group in config.groups:
        rows = times.of_group(group.id)
        if rows.empty:
            continue
        curve = kaplan_meier(
            rows["time"], rows["event"], confidence=confidence, interval=config.survival.interval
        )
        curves[group.id] = curve
        _store_curve(curve, group.id, store, times)
        _store_risk_table(curve, group.id, times, store)
        common: dict[str, Any] = {"group": group.id, "timepoint": horizon}
        at_end = curve.at(times.horizon_days)
        store.add(*where, "survival", result=at_end, **common)
        deaths, n = int(rows["event"].sum()), len(rows)
        store.add(*where, counted, value=deaths, n=n, unit="patients", method="count", **common)
        if deaths:
            store.add(
                *where,
                first,
                value=float(rows.loc[rows["event"], "time"].min()),
                n=n,
                unit="days",
                method=f"day of the earliest {first.removeprefix('first_')}",
                **common,
            )
        store.add(
            *where,
            free,
            value=n - deaths,
            n=n,
            unit="patients",
            method="count",
            note=f"{free} at the horizon or when follow-up ended",
            **common,
        )
        if (rows.loc[~rows["event"], "time"] >= times.horizon_days).all():
            share = proportion_interval(n - deaths, n, confidence=confidence)
            store.add(*where, "alive_share", result=share, **common)
        median = curve.quantile(0.5, rule=config.survival.quantile_rule)
        store.add(*where, "median", result=median, unit="days", group=group.id)
        _store_follow_up(rows, group.id, times, store, confidence)
    return curves


def _store_follow_up(
    rows: pd.DataFrame, group: str, times: SurvivalTimes, store: StatisticsStore, confidence: float
) -> None:
    """Store the median time in the analysis, and the median follow-up of the reverse curve."""
    where = (times.analysis, times.outcome)
    common: dict[str, Any] = {"unit": "days", "group": group}
    store.add(
        *where,
        "follow_up",
        value=float(rows["time"].median()),
        n=len(rows),
        method="median time in the analysis",
        **common,
    )
    reverse = median_follow_up(rows["time"], rows["event"], confidence=confidence)
    store.add(*where, "median_follow_up", result=reverse, **common)


def _store_curve(curve: KaplanMeier, group: str, store: StatisticsStore, times: SurvivalTimes) -> None:
    where, method = (times.analysis, times.outcome), curve.at(times.horizon_days).method
    for row in curve.table.to_dict("records"):
        when = day_name(row["time"])
        common: dict[str, Any] = {"group": group, "timepoint": when, "n": row["n_risk"]}
        if row["time"] != times.horizon_days:
            limits: dict[str, Any] = {name: row[name] for name in ("lower", "upper")}
            store.add(*where, "survival", value=row["survival"], method=method, **(limits | common))
        for name in ("n_event", "n_censor"):
            store.add(*where, name, value=row[name], unit="patients", method="count", **common)


def _store_risk_table(curve: KaplanMeier, group: str, times: SurvivalTimes, store: StatisticsStore) -> None:
    where = (times.analysis, times.outcome)
    for row in curve.counts_at(risk_table_days(times.horizon_days)).to_dict("records"):
        common: dict[str, Any] = {"group": group, "timepoint": f"day_{row['time']:g}", "unit": "patients"}
        store.add(*where, "at_risk", value=row["n_risk"], method="at risk just before", **common)
        store.add(*where, "cumulative_deaths", value=row["n_event"], method="count", **common)
        store.add(*where, "cumulative_censored", value=row["n_censor"], method="count", **common)


def compare_survival(
    times: SurvivalTimes, config: CohortConfig, store: StatisticsStore, *, confidence: float
) -> bool:
    """Compare the groups by the log-rank test and Cox regression; return False where there is one group.

    Where the likelihood has no maximum (no death in an arm, for instance) the hazard ratio is a row without a
    value whose note says so, and ``hazard_ratio_firth`` holds the penalised one. What cannot be estimated at
    all is a row without a value and with its reason.
    """
    groups = comparison(config)
    frame = times.frame[times.frame["group"].isin(groups)]
    if frame["group"].nunique() < 2:
        return False
    common: dict[str, Any] = {"group": "both", "timepoint": f"day_{times.horizon_days}"}
    where = (times.analysis, times.outcome)
    test = logrank_test(frame["time"], frame["event"], frame["group"])
    store.add(*where, "logrank", result=test, value=test.statistic, **common)
    ratio, penalised = hazard_ratios(frame, confidence)
    store.add(*where, "hazard_ratio", result=ratio, **common)
    if penalised.note and penalised.value == penalised.value:
        store.add(*where, "hazard_ratio_firth", result=penalised, **common)
    return True


def hazard_ratios(frame: pd.DataFrame, confidence: float) -> tuple[Result, Result]:
    """Return the Cox (Efron ties) and the Firth-penalised hazard ratio of treatment.

    Args:
        frame: ``time``, ``event`` and ``treated`` of the two groups compared.
        confidence: level of the intervals.
    """
    columns: dict[str, Any] = {"time": "time", "event": "event", "covariates": [TREATED]}
    found = []
    for name, fit in (
        ("Cox hazard ratio, efron ties", cox_regression),
        ("Firth-penalised hazard ratio", firth_cox),
    ):
        try:
            found.append(fit(frame, confidence=confidence, **columns).result(TREATED))
        except StatisticsError as error:
            found.append(not_estimated(error, name, len(frame)))
    return found[0], found[1]


def not_estimated(error: StatisticsError, method: str, n: int) -> Result:
    """Return a result without a value whose note is the reason of a refusal."""
    reason = error.problem.replace(TREATED, "the group")
    note = reason if reason.startswith("not estimable: ") else f"not estimable: {reason}"
    return Result(method=method, n=n, note=note)
