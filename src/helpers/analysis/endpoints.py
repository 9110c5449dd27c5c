"""Endpoints beside death, as the cohort declares them: times, curves or incidences, effects by every method.

An endpoint that other events end (death before a relapse) is described by its cumulative incidence and
compared by cause-specific hazards; one that nothing competes with (death or progression) like survival.

>>> endpoint = config.endpoints[0]
>>> found = endpoint_times(endpoint, tables, config, 56)
>>> endpoint.id, found.competes, (found.frame["status"] == 1).sum().item(), list(found.not_recorded)
('complete_response', True, 6, ['control'])
>>> analyse_endpoints(tables, config, store, horizon_days=56, confidence=0.95, seed=1)
1
>>> store.rows()["endpoint.complete_response.ruxolitinib.day_56.incidence"].value
0.3
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.analysis.effects import Effect, risk_effects, store_effects, survival_effects
from helpers.analysis.summary import store_share
from helpers.analysis.survival import (
    TREATED,
    SurvivalTimes,
    day_name,
    describe_survival,
    hazard_ratios,
    risk_table_days,
)
from helpers.analysis.variables import comparison
from helpers.stats.competing import cumulative_incidence, gray_test
from helpers.stats.logrank import logrank_test
from helpers.stats.result import Result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.cohort.outcomes import Endpoint
    from helpers.results.store import StatisticsStore

ANALYSIS, EFFECT, DEATH = "endpoint", "endpoint_effect", "death"
FREE, EVENT, COMPETING = 0, 1, 2


@dataclass(frozen=True)
class EndpointTimes:
    """Times to one endpoint, cut at its horizon.

    Attributes:
        frame: patient_id, group, treated (1 or 0), time (days) and status: 0 free when last seen, 1 event,
            2 a competing event came first.
        horizon_days: last day of the analysis.
        competes: whether any event can end the time in which this one happens.
        left_out: patients not at risk: event before day 0, no follow-up, or, of a loss, never responded.
        not_recorded: groups in which the endpoint was not recorded, each with the reason.
    """

    frame: pd.DataFrame
    horizon_days: int
    competes: bool
    left_out: int
    not_recorded: dict[str, str]


def endpoint_times(
    endpoint: Endpoint, tables: AnalysisTables, config: CohortConfig, horizon_days: float
) -> EndpointTimes:
    """Return each patient's time to the first of event, competing event, end of follow-up and horizon.

    Days count from day 0, of a loss of response from the first response. A call of a visit planned by the
    horizon counts on it even if made a few days later. An event after the last contact moves that contact.
    Groups in which nothing of the endpoint's kind was recorded are left out.
    """
    horizon = int(min(endpoint.horizon_days or horizon_days, _longest(tables, horizon_days, endpoint)))
    patients = tables.patients.set_index("patient_id")
    calls = _calls_by(tables.responses, config, horizon)
    origin = _origin(endpoint, tables, calls, config)
    event = _days(endpoint, tables, calls, config) - origin
    names = () if endpoint.any_of else endpoint.competing
    others = [_days_named(name, tables, calls, config) - origin for name in names]
    other = pd.concat(others, axis=1).min(axis=1) if others else pd.Series(np.nan, index=patients.index)
    seen = (patients["followup_days"].astype(float) - origin).clip(lower=event)
    missing = _not_recorded(endpoint, tables, config)
    groups = patients["group"].astype(str)
    usable = seen.notna() & (seen >= 0) & ~(event < 0) & ~groups.isin(list(missing))
    end = pd.concat([event, other, seen], axis=1).min(axis=1).clip(upper=horizon)
    status = np.select([event <= end, other <= end], [EVENT, COMPETING], FREE)
    treated = (groups == (config.treated.id if config.treated else "")).astype(float)
    frame = pd.DataFrame({"group": groups, "time": end, "status": status, TREATED: treated})
    kept = frame[usable].reset_index(names="patient_id")
    at_risk = ~groups.isin(list(missing))
    return EndpointTimes(kept, horizon, bool(names), int((at_risk & ~usable).sum()), missing)


def _longest(tables: AnalysisTables, horizon_days: float, endpoint: Endpoint) -> float:
    """Return how long anybody was followed, so that a horizon of years asks for nothing unseen."""
    longest = tables.patients["followup_days"].max()
    return horizon_days if endpoint.horizon_days is None or pd.isna(longest) else max(float(longest), 1.0)


def _days_named(name: str, tables: AnalysisTables, calls: pd.DataFrame, config: CohortConfig) -> pd.Series:
    patients = tables.patients.set_index("patient_id")
    if name == DEATH:
        return patients["death_day"].astype("Float64").astype(float).where(patients["died"].astype(bool))
    return _days(next(one for one in config.endpoints if one.id == name), tables, calls, config)


def _days(endpoint: Endpoint, tables: AnalysisTables, calls: pd.DataFrame, config: CohortConfig) -> pd.Series:
    """Return the day of the event of each patient, NaN where none is recorded."""
    patients = tables.patients.set_index("patient_id")
    nobody = pd.Series(np.nan, index=patients.index, dtype=float)
    if endpoint.any_of:
        parts = [_days_named(name, tables, calls, config) for name in endpoint.any_of]
        return pd.concat(parts, axis=1).min(axis=1)
    if endpoint.day:
        return patients[endpoint.day].astype("Float64").astype(float) if endpoint.day in patients else nobody
    if endpoint.terms:
        wanted = {config.vocabulary.term_named(term) for term in endpoint.terms}
        rows = tables.events[tables.events["term"].isin(wanted) & (tables.events["day"] >= 0)]
    else:
        rows = _calls(endpoint, calls, config)
    return rows.groupby("patient_id")["day"].min().astype(float).reindex(patients.index)


def _calls(endpoint: Endpoint, made: pd.DataFrame, config: CohortConfig) -> pd.DataFrame:
    """Return the clinicians' calls that are the event of an endpoint of response."""
    calls = made[made["day"] > 0]
    if endpoint.level:
        return calls[calls["response"] == endpoint.level]
    good = calls["response"].isin(config.responding)
    if endpoint.response == "gain":
        return calls[good]
    first = calls["patient_id"].map(_first_response(made, config))
    return calls[~good & (calls["day"] > first)]


def _calls_by(calls: pd.DataFrame, config: CohortConfig, horizon: int) -> pd.DataFrame:
    """Return the calls with those of a visit planned by the horizon on it, if made a few days later."""
    planned = [visit.id for visit in config.visits if visit.day <= horizon]
    late = (calls["day"] > horizon) & calls["visit"].isin(planned)
    return calls.assign(day=calls["day"].mask(late, horizon))


def _first_response(made: pd.DataFrame, config: CohortConfig) -> pd.Series:
    calls = made[made["day"] > 0]
    return calls[calls["response"].isin(config.responding)].groupby("patient_id")["day"].min().astype(float)


def _origin(
    endpoint: Endpoint, tables: AnalysisTables, calls: pd.DataFrame, config: CohortConfig
) -> pd.Series:
    """Return the day from which time counts: day 0, of a loss the first response."""
    index = pd.Index(tables.patients["patient_id"])
    if endpoint.response != "loss":
        return pd.Series(0.0, index=index)
    return _first_response(calls, config).reindex(index)


def _not_recorded(endpoint: Endpoint, tables: AnalysisTables, config: CohortConfig) -> dict[str, str]:
    """Return the groups in which nothing of the endpoint's kind was recorded: none is not no event."""
    parts = [one for one in config.endpoints if one.id in endpoint.any_of] or [endpoint]
    found: dict[str, str] = {}
    for part in parts:
        for group in config.group_ids:
            reason = _reason(part, tables, group)
            if reason:
                found.setdefault(group, reason)
    return found


def _reason(endpoint: Endpoint, tables: AnalysisTables, group: str) -> str:
    members = tables.patients.loc[tables.patients["group"] == group, "patient_id"]
    for column in (endpoint.day, endpoint.yes_no):
        if column and column not in tables.patients:
            return f"{column} is not recorded"
    if endpoint.yes_no:
        known = tables.patients.loc[tables.patients["group"] == group, endpoint.yes_no].notna()
        return "" if known.any() else f"{endpoint.yes_no} is not recorded"
    if endpoint.terms and not tables.events["patient_id"].isin(members).any():
        return "no adverse event of any kind is recorded"
    if (endpoint.response or endpoint.level) and not tables.responses["patient_id"].isin(members).any():
        return "no response is recorded"
    return ""


def analyse_endpoints(
    tables: AnalysisTables,
    config: CohortConfig,
    store: StatisticsStore,
    *,
    horizon_days: float,
    confidence: float,
    seed: int,
) -> int:
    """Describe and compare every endpoint beside death; return how many there are.

    By group and endpoint: events, and the curve with numbers at risk (Kaplan-Meier, or cumulative incidence
    where something competes); of a yes/no endpoint counts alone. Between the groups every effect that
    applies. What was not recorded in a group is a row without a value that says so.
    """
    for endpoint in config.endpoints:
        analyse_endpoint(
            endpoint, tables, config, store, horizon_days=horizon_days, confidence=confidence, seed=seed
        )
    return len(config.endpoints)


def analyse_endpoint(
    endpoint: Endpoint,
    tables: AnalysisTables,
    config: CohortConfig,
    store: StatisticsStore,
    *,
    horizon_days: float,
    confidence: float,
    seed: int,
) -> None:
    """Describe and compare one endpoint as :func:`analyse_endpoints` does all of them.

    >>> analyse_endpoint(
    ...     config.endpoints[0], tables, config, store, horizon_days=56, confidence=0.95, seed=1
    ... )
    >>> store.rows()["endpoint.complete_response.ruxolitinib.day_56.competing"].value
    1.0
    """
    if endpoint.yes_no:
        _analyse_yes_no(endpoint, tables, config, store, horizon_days, confidence)
        return
    times = endpoint_times(endpoint, tables, config, horizon_days)
    _say_not_recorded(endpoint, times.not_recorded, times.horizon_days, store)
    if times.competes:
        _describe_incidence(endpoint, times, config, store, confidence)
    else:
        describe_survival(_as_survival(endpoint, times), config, store, confidence=confidence)
    _compare(endpoint, times, config, store, confidence, seed)


def _say_not_recorded(
    endpoint: Endpoint, reasons: dict[str, str], horizon: int, store: StatisticsStore
) -> None:
    for group, reason in reasons.items():
        store.add(
            ANALYSIS, endpoint.id, "events", group=group, timepoint=f"day_{horizon}", unit="patients",
            method="count", note=f"not recorded: {reason}",
        )  # fmt: skip


def _as_survival(endpoint: Endpoint, times: EndpointTimes) -> SurvivalTimes:
    frame = times.frame.assign(event=times.frame["status"] == EVENT)
    return SurvivalTimes(frame, times.horizon_days, times.left_out, ANALYSIS, endpoint.id)


def _describe_incidence(
    endpoint: Endpoint, times: EndpointTimes, config: CohortConfig, store: StatisticsStore, confidence: float
) -> None:
    for group in config.group_ids:
        rows = times.frame[times.frame["group"] == group]
        if rows.empty:
            continue
        common: dict[str, Any] = {"group": group, "timepoint": f"day_{times.horizon_days}", "n": len(rows)}
        for name, code in (("events", EVENT), ("competing", COMPETING)):
            store.add(ANALYSIS, endpoint.id, name, value=int((rows["status"] == code).sum()),
                      unit="patients", method="first event", **common)  # fmt: skip
        curve = cumulative_incidence(rows["time"], rows["status"], cause=1, confidence=confidence)
        at_end = curve.at(times.horizon_days)
        del common["n"]
        store.add(ANALYSIS, endpoint.id, "incidence", result=at_end, **common)
        for step in curve.table[curve.table["n_event"] > 0].to_dict("records"):
            if step["time"] != times.horizon_days:
                store.add(
                    ANALYSIS, endpoint.id, "incidence", value=step["incidence"], lower=step["lower"],
                    upper=step["upper"], n=int(step["n_risk"]), group=group, timepoint=day_name(step["time"]),
                    method=at_end.method,
                )  # fmt: skip
        for day in risk_table_days(times.horizon_days):
            store.add(ANALYSIS, endpoint.id, "at_risk", value=int((rows["time"] >= day).sum()), group=group,
                      timepoint=f"day_{day}", unit="patients", method="at risk just before")  # fmt: skip


def _compare(
    endpoint: Endpoint,
    times: EndpointTimes,
    config: CohortConfig,
    store: StatisticsStore,
    confidence: float,
    seed: int,
) -> None:
    groups = comparison(config)
    frame = times.frame[times.frame["group"].isin(groups)].reset_index(drop=True)
    if len(groups) < 2:
        return
    why = ""
    if endpoint.response == "loss":
        why = "not compared: only those who responded can lose a response"
    elif frame["group"].nunique() < 2:
        why = "not compared: not recorded in both groups"
    elif not (frame["status"] == EVENT).any():
        why = "not estimable: no event in either group"
    if why:
        unknown = Result(method="comparison of the groups", n=len(frame), note=why)
        store_effects([("not_compared", "", unknown)], EFFECT, endpoint.id, times.horizon_days, store)
        return
    frame["event"] = frame["status"] == EVENT
    found: list[Effect]
    if times.competes:
        found = list(_competing_effects(frame, groups, times.horizon_days, confidence))
    else:
        found = survival_effects(frame, groups, times.horizon_days, confidence=confidence, seed=seed)
    store_effects(found, EFFECT, endpoint.id, times.horizon_days, store)


def _competing_effects(
    frame: pd.DataFrame, groups: list[str], horizon: int, confidence: float
) -> Iterator[Effect]:
    """Yield cause-specific hazard ratios, tests of hazard and of incidence, and, where known, risks."""
    efron, firth = (
        replace(result, method=f"cause-specific: {result.method}")
        for result in hazard_ratios(frame, confidence)
    )
    yield "cox_efron", "ratio", efron
    yield "cox_firth", "ratio", firth
    yield "test_gray", "", gray_test(frame["time"], frame["status"], frame["group"], cause=1)
    plain = logrank_test(frame["time"], frame["event"], frame["group"])
    yield "test_logrank", "", replace(plain, method=f"cause-specific: {plain.method}")
    if ((frame["status"] != FREE) | (frame["time"] >= horizon)).all():
        yield from risk_effects(frame, groups, confidence)


def _analyse_yes_no(
    endpoint: Endpoint,
    tables: AnalysisTables,
    config: CohortConfig,
    store: StatisticsStore,
    horizon_days: float,
    confidence: float,
) -> None:
    horizon = int(endpoint.horizon_days or horizon_days)
    missing = _not_recorded(endpoint, tables, config)
    _say_not_recorded(endpoint, missing, horizon, store)
    if endpoint.yes_no not in tables.patients:
        return
    known = tables.patients[tables.patients[endpoint.yes_no].notna()]
    frame = known[["patient_id", "group"]].assign(
        event=known[endpoint.yes_no].astype(bool), time=float(horizon)
    )
    for group in (name for name in config.group_ids if name not in missing):
        mine = frame.loc[frame["group"] == group, "event"]
        size = int((tables.patients["group"] == group).sum())
        common: dict[str, Any] = {
            "group": group, "timepoint": f"day_{horizon}", "n": len(mine), "n_missing": size - len(mine),
        }  # fmt: skip
        store.add(ANALYSIS, endpoint.id, "events", value=int(mine.sum()), unit="patients", method="count",
                  **common)  # fmt: skip
        store_share(store, ANALYSIS, endpoint.id, int(mine.sum()), confidence=confidence,
                    statistic="share", **common)  # fmt: skip
    groups = comparison(config)
    frame = frame[frame["group"].isin(groups)].reset_index(drop=True)
    if len(groups) == 2 and frame["group"].nunique() == 2 and frame["event"].any():
        frame[TREATED] = (frame["group"] == groups[0]).astype(float)
        store_effects(risk_effects(frame, groups, confidence), EFFECT, endpoint.id, horizon, store)
