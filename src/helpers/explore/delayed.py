"""Survival counted from eligibility: patients come under observation on their day 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from helpers.analysis.historical_control import eligibility_lag
from helpers.analysis.survival import TREATED, day_name, risk_table_days, survival_times
from helpers.analysis.variables import comparison
from helpers.explore.study import ExplorationError, Study
from helpers.stats.delayed_entry import delayed_hazard_ratio, delayed_kaplan_meier
from helpers.stats.result import Result, StatisticsError

if TYPE_CHECKING:
    import pandas as pd

    from helpers.cohort.config import CohortConfig
    from helpers.results.store import StatisticsStore

ELIGIBILITY = "eligibility"
WHERE = ("survival", "death")


@dataclass(frozen=True)
class DelayedTimes:
    """Times from eligibility to death or censoring, cut at the horizon.

    Attributes:
        frame: patient_id, group, entry and time (days from eligibility), event (bool), treated (1 or 0).
        horizon_days: last day, counted from eligibility.
    """

    frame: pd.DataFrame
    horizon_days: int


def delayed_times(study: Study, horizon: int) -> tuple[DelayedTimes, list[str]]:
    """Return each patient's entry and time from eligibility, and who had to be left out.

    Raises:
        ExplorationError: the day of eligibility is known of nobody.
    """
    lag = eligibility_lag(study.tables, study.config)
    frame = survival_times(study.tables, study.config, horizon).frame
    if lag is None:
        raise ExplorationError(
            "The day of eligibility is not known: it is read from prescriptions and body weight.",
            remedy="Count from day 0.",
        )
    entry = frame["patient_id"].map(lag).astype(float)
    stop = (entry + frame["time"]).clip(upper=horizon)
    event = frame["event"] & (entry + frame["time"] <= horizon)
    usable = entry.notna() & (entry < stop)
    if not usable.any():
        raise ExplorationError("The day of eligibility is known of nobody.", remedy="Count from day 0.")
    kept = frame.assign(entry=entry, time=stop, event=event)[usable].reset_index(drop=True)
    unknown, late = int(entry.isna().sum()), int((entry.notna() & ~usable).sum())
    notes = ["Counted from eligibility, at risk from day 0 on: nobody could be seen to die before it."]
    if unknown:
        notes.append(f"{unknown} patients are left out: their day of eligibility is not known.")
    if late:
        notes.append(f"{late} patients came under observation after the last day and are left out.")
    return DelayedTimes(kept, horizon), notes


def describe_delayed(
    times: DelayedTimes, config: CohortConfig, store: StatisticsStore, *, confidence: float
) -> None:
    """Store curve, risk table and survival at the horizon of each group, with delayed entry."""
    horizon, last = times.horizon_days, day_name(times.horizon_days)
    for group in config.group_ids:
        rows = times.frame[times.frame["group"] == group]
        if rows.empty:
            continue
        interval = config.survival.interval
        curve = delayed_kaplan_meier(
            rows["entry"], rows["time"], rows["event"], confidence=confidence, interval=interval
        )
        method = f"Kaplan-Meier survival with delayed entry, {interval} interval"
        for day in sorted(set(rows["time"])):
            at = curve.at(day)
            here = rows[rows["time"] == day]
            common: dict[str, Any] = {"group": group, "timepoint": day_name(day)}
            if day != horizon:
                store.add(*WHERE, "survival", result=at, **common | {"n": _at_risk(rows, day)})
            for name, count in (("n_event", here["event"].sum()), ("n_censor", (~here["event"]).sum())):
                store.add(*WHERE, name, value=int(count), unit="patients", method="count", **common)
        store.add(*WHERE, "survival", result=curve.at(min(horizon, curve.last)), group=group, timepoint=last)
        _store_counts(rows, group, times, store)
        note = "not estimated with delayed entry"
        store.add(*WHERE, "median", result=Result(method, n=len(rows), note=note), unit="days", group=group)


def _at_risk(rows: pd.DataFrame, day: float) -> int:
    return int(((rows["entry"] < day) & (rows["time"] >= day)).sum())


def _store_counts(rows: pd.DataFrame, group: str, times: DelayedTimes, store: StatisticsStore) -> None:
    for day in risk_table_days(times.horizon_days):
        gone = rows[rows["time"] <= day]
        counts = {
            "at_risk": _at_risk(rows, day) if day else int((rows["entry"] <= 0).sum()),
            "cumulative_deaths": int(gone["event"].sum()),
            "cumulative_censored": int((~gone["event"]).sum()),
        }
        for name, count in counts.items():
            store.add(
                *WHERE, name, value=count, group=group, timepoint=f"day_{day}", unit="patients",
                method="under observation just before" if name == "at_risk" else "count",
            )  # fmt: skip
    deaths = int(rows["event"].sum())
    common: dict[str, Any] = {"n": len(rows), "group": group, "timepoint": day_name(times.horizon_days)}
    store.add(*WHERE, "deaths", value=deaths, unit="patients", method="count", **common)
    store.add(*WHERE, "alive", value=len(rows) - deaths, unit="patients", method="count", **common)


def compare_delayed(
    times: DelayedTimes, config: CohortConfig, store: StatisticsStore, *, confidence: float
) -> None:
    """Store the hazard ratio with delayed entry and its score test, as those of the survival analysis."""
    groups = comparison(config)
    frame = times.frame[times.frame["group"].isin(groups)]
    if len(config.groups) != 2 or frame["group"].nunique() < 2:
        return
    common: dict[str, Any] = {"group": "both", "timepoint": day_name(times.horizon_days)}
    try:
        found = delayed_hazard_ratio(
            frame["entry"], frame["time"], frame["event"], frame[TREATED], confidence=confidence
        )
    except StatisticsError as error:
        found = Result("Cox hazard ratio with delayed entry", n=len(frame), note=error.problem)
    store.add(*WHERE, "hazard_ratio", result=found, **common)
    test = Result(
        "log-rank (score) test with delayed entry", p_value=found.p_value, n=len(frame), note=found.note
    )
    store.add(*WHERE, "logrank", result=test, value=found.statistic, **common)
