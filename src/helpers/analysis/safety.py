"""Safety and exposure: adverse events, study drug, therapies added, long-term follow-up of responders.

>>> collected_groups(tables, config)
('ruxolitinib',)
>>> found = count_adverse_events(tables, config, store, horizon_days=56, confidence=0.95)
>>> found.columns.tolist(), store.rows()["adverse_events.deaths.ruxolitinib.follow_up.count"].value
(['term', 'group', 'grade', 'patients'], 1.0)
>>> exposure = drug_exposure(tables, config.study_drugs)
>>> len(exposure), len(drug_courses(tables, config.study_drugs)) >= len(exposure)
(20, True)
>>> describe_exposure(exposure, config, store)
>>> responders = tables.patients.set_index("patient_id").index
>>> added_starts(tables, config)["drug"].unique().tolist()[:1]
['ciclosporin']
>>> count_added_therapies(tables, config, responders, store)
>>> describe_long_term(tables, responders, config, store, horizon_days=56)
>>> event_key("sepsis"), event_key("deaths") != "deaths"
('sepsis', True)
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.analysis.summary import store_share, store_summary
from helpers.results.store import slug

if TYPE_CHECKING:
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import StatisticsStore

EVENTS, EXPOSURE, ADDED, LONG_TERM = "adverse_events", "exposure", "added_therapy", "long_term"
DAYS_PER_MONTH = 30.4375
SEVERE = 3
# Rows of the events as a whole; deaths stand beside them.
GENERAL = ("any", "serious", "grade_3_or_higher")


def collected_groups(tables: AnalysisTables, config: CohortConfig) -> tuple[str, ...]:
    """Return the groups whose adverse events were looked for: those of the settings, else those with events.

    A group without a single row of the table may have had no event, or nobody wrote them down: which of the
    two only the settings can say.
    """
    if "events" in tables.absent:
        return ()
    settings = config.tables.get("events")
    if settings is not None and settings.collected_in is not None:
        return settings.collected_in
    if tables.events.empty:  # `check` lets it pass only where the settings say that there was nothing
        return config.group_ids
    of = tables.patients.set_index("patient_id")["group"]
    present = set(tables.events["patient_id"].map(of))
    return tuple(group for group in config.group_ids if group in present)


def count_adverse_events(
    tables: AnalysisTables,
    config: CohortConfig,
    store: StatisticsStore,
    *,
    horizon_days: float,
    confidence: float,
) -> pd.DataFrame:
    """Count patients by adverse event and highest grade from day 0 to the horizon.

    What was not recorded is not counted as none: a group whose events were not collected, seriousness or
    grades of which nothing is known, have rows without a value that say so. Where some are known the count is
    of those known, with the bounds that the others leave. Deaths stand beside the events.

    Returns one row a term, group and grade: term, group, grade (missing where none was recorded), patients.
    A patient counts once a term, at the highest grade.
    """
    columns = ["term", "group", "grade", "patients"]
    if "events" in tables.absent:
        return pd.DataFrame(columns=columns)
    events = tables.events[tables.events["day"].between(0, horizon_days)]
    events = events.merge(tables.patients[["patient_id", "group"]], on="patient_id")
    worst = events.groupby(["term", "group", "patient_id"], as_index=False)["grade"].max()
    terms = sorted(worst["term"].unique())
    collected = collected_groups(tables, config)
    for group in config.group_ids:
        members = tables.patients[tables.patients["group"] == group]
        died = int((members["died"] & (members["followup_days"] <= horizon_days)).sum())
        if len(members):
            _store_patients("deaths", died, len(members), group, store, confidence)
        if group in collected:
            mine = events[events["group"] == group]
            _store_general(mine, len(members), group, store, confidence)
            for term in terms:
                rows = worst[(worst["group"] == group) & (worst["term"] == term)]
                _store_term(term, rows, len(members), group, store, confidence)
        else:
            for name in GENERAL:
                _store_unknown(name, "events of this group were not collected", len(members), group, store)
    counted = worst.groupby(["term", "group", "grade"], dropna=False).size().rename("patients")
    return counted.reset_index()[columns]


def event_key(term: str) -> str:
    """Return the name of an event in the statistics; one that is called like a general row gets a prefix."""
    name = slug(term)
    return f"term_{name}" if name in (*GENERAL, "deaths") else name


def _store_general(
    events: pd.DataFrame, n: int, group: str, store: StatisticsStore, confidence: float
) -> None:
    """Store the patients with any event, a serious one, and one of grade 3 or higher, as far as known."""
    _store_patients("any", events["patient_id"].nunique(), n, group, store, confidence)
    severe = (events["grade"] >= SEVERE).astype("boolean").where(events["grade"].notna())
    parts = {"serious": ("seriousness", events["serious"]), "grade_3_or_higher": ("grades", severe)}
    for name, (what, flags) in parts.items():
        known = flags.astype("boolean")
        if len(known) and known.isna().all():
            _store_unknown(name, f"{what} of events were not recorded", n, group, store)
            continue
        sure = set(events.loc[known.fillna(value=False), "patient_id"])
        open_ = set(events.loc[known.isna(), "patient_id"]) - sure
        if open_:
            _store_bounds(name, len(sure), len(open_), what, n, group, store)
        else:
            _store_patients(name, len(sure), n, group, store, confidence)


def _store_unknown(name: str, why: str, n: int, group: str, store: StatisticsStore) -> None:
    for statistic, unit in {"count": "patients", "percent": "%"}.items():
        store.add(EVENTS, name, statistic, group=group, n=n, unit=unit, method="not recorded", note=why)


def _store_bounds(
    name: str, sure: int, undecided: int, what: str, n: int, group: str, store: StatisticsStore
) -> None:
    """Store a count of which only bounds are known; its value are the patients known to count."""
    note = f"{what} of events were not recorded in {undecided} patients, who may count as well"
    bounds: dict[str, Any] = {"value": sure, "lower": sure, "upper": sure + undecided}
    method = "patients known to have at least one; bounds with those whose record is open"
    common: dict[str, Any] = {"group": group, "n": n, "n_missing": undecided, "note": note, "method": method}
    store.add(EVENTS, name, "count", unit="patients", **bounds, **common)
    shares: dict[str, Any] = {key: 100 * value / n for key, value in bounds.items()}
    store.add(EVENTS, name, "percent", unit="%", **shares, **common)


def _store_term(
    term: str, rows: pd.DataFrame, n: int, group: str, store: StatisticsStore, confidence: float
) -> None:
    """Store the patients with one event, by highest grade; those without a grade are counted as such."""
    name = event_key(term)
    _store_patients(name, len(rows), n, group, store, confidence, level=term)
    common: dict[str, Any] = {"n": n, "group": group, "unit": "patients", "level": term}
    for grade, count in rows["grade"].value_counts().sort_index().items():
        method = "patients by highest grade"
        store.add(EVENTS, name, f"grade_{grade}", value=int(count), method=method, **common)
    ungraded = int(rows["grade"].isna().sum())
    if ungraded:
        method = "patients without a grade"
        store.add(EVENTS, name, "grade_not_recorded", value=ungraded, method=method, **common)
    _store_grades(rows["grade"].dropna(), term, n, group, store)


def _store_grades(grades: pd.Series, term: str, n: int, group: str, store: StatisticsStore) -> None:
    for name, grade in {} if grades.empty else {"lowest": grades.min(), "highest": grades.max()}.items():
        store.add(
            EVENTS,
            event_key(term),
            f"{name}_grade",
            value=float(grade),
            n=n,
            group=group,
            unit="grade",
            method=f"{name} of the patients' highest grades",
            level=term,
        )


def _store_patients(
    name: str, count: int, n: int, group: str, store: StatisticsStore, confidence: float, level: str = ""
) -> None:
    common: dict[str, Any] = {"group": group, "n": n, "level": level}
    method = "deaths from day 0 to the horizon" if name == "deaths" else "patients with at least one"
    store.add(EVENTS, name, "count", value=count, unit="patients", method=method, **common)
    store_share(store, EVENTS, name, count, confidence=confidence, **common)


def drug_exposure(tables: AnalysisTables, drugs: Collection[str]) -> pd.DataFrame:
    """Return exposure to drugs from day 0 on, one row a drug and patient who received it, in their order.

    Columns: drug, patient_id, group, start_day, stop_day (last contact where ongoing), ongoing, days (both
    ends counted), lowest_dose and highest_dose (of an administration, in `unit`; missing where the patient's
    doses have several units, which `unit` then names), times_per_day, stop_reason, last_day (death or last
    contact), died.
    """
    rows = _from_day_0(tables, drugs)
    known = tables.patients[["patient_id", "group", "followup_days", "died"]]
    rows = rows.merge(known, on="patient_id").sort_values(["patient_id", "start_day"])
    rows = rows.rename(columns={"followup_days": "last_day"})
    rows["place"] = rows["drug"].map({drug: place for place, drug in enumerate(drugs)})
    rows["ongoing"] = rows["stop_day"].isna()
    rows["stop_day"] = rows["stop_day"].astype(float).fillna(rows["last_day"])
    exposure = rows.groupby(["place", "drug", "patient_id"], as_index=False).agg(
        group=("group", "first"),
        start_day=("start_day", "min"),
        stop_day=("stop_day", "max"),
        ongoing=("ongoing", "last"),
        lowest_dose=("dose", "min"),
        highest_dose=("dose", "max"),
        unit=("unit", lambda units: " and ".join(sorted({str(unit) for unit in units.dropna()}))),
        times_per_day=("times_per_day", "max"),
        stop_reason=("stop_reason", "last"),
        last_day=("last_day", "first"),
        died=("died", "first"),
    )
    exposure["days"] = exposure["stop_day"] - exposure["start_day"] + 1
    several = exposure["unit"].str.contains(" and ", regex=False)
    exposure.loc[several, ["lowest_dose", "highest_dose"]] = np.nan
    return exposure.drop(columns="place")


def _from_day_0(tables: AnalysisTables, drugs: Collection[str]) -> pd.DataFrame:
    rows = tables.treatments
    return rows[rows["drug"].isin(list(drugs)) & (rows["start_day"] >= 0)]


def drug_courses(tables: AnalysisTables, drugs: Collection[str]) -> pd.DataFrame:
    """Return the courses of drugs from day 0 on, one row a dose: who took what from when to when.

    Columns: patient_id, drug, start_day, stop_day (last contact where ongoing), daily_dose (dose times
    administrations a day), unit. Rows of a patient are in order of time.
    """
    rows = _from_day_0(tables, drugs)
    rows = rows.merge(tables.patients[["patient_id", "followup_days"]], on="patient_id")
    stop = rows["stop_day"].astype(float).fillna(rows["followup_days"])
    daily = rows["dose"].astype(float) * rows["times_per_day"].astype(float)
    rows = rows.assign(stop_day=stop, daily_dose=daily).sort_values(["patient_id", "start_day"])
    return rows[["patient_id", "drug", "start_day", "stop_day", "daily_dose", "unit"]].reset_index(drop=True)


def describe_exposure(exposure: pd.DataFrame, config: CohortConfig, store: StatisticsStore) -> None:
    """Store patients exposed, dose range, duration and reasons for stopping, of each study drug."""
    for drug in config.study_drugs:
        for group in config.group_ids:
            rows = exposure[(exposure["drug"] == drug) & (exposure["group"] == group)]
            if not rows.empty:
                _store_exposure(slug(drug), group, rows, store)


def _store_exposure(drug: str, group: str, rows: pd.DataFrame, store: StatisticsStore) -> None:
    """Store one drug's rows of one group."""
    common: dict[str, Any] = {"group": group, "n": len(rows)}
    store.add(EXPOSURE, drug, "patients", value=len(rows), unit="patients", method="count", **common)
    units = sorted({unit for text in rows["unit"] for unit in text.split(" and ")} - {""})
    note = "" if len(units) < 2 else f"not comparable: doses in {' and '.join(units)}"
    for name, dose in (("lowest", rows["lowest_dose"].min()), ("highest", rows["highest_dose"].max())):
        store.add(EXPOSURE, drug, f"{name}_dose", value=None if note else dose, note=note,
                  unit=f"{units[0] if len(units) == 1 else 'dose'} an administration",
                  method=f"{name} recorded", **common)  # fmt: skip
    months = rows["days"] / DAYS_PER_MONTH
    how = "durations up to stop, death or last contact"
    store_summary(store, EXPOSURE, f"{drug}_months", months, unit="months", method=how, **common)
    store.add(EXPOSURE, drug, "ongoing", value=int(rows["ongoing"].sum()), unit="patients",
              method="on treatment at death or last contact", **common)  # fmt: skip
    reasons = rows.loc[~rows["ongoing"], "stop_reason"].fillna("not recorded").replace("", "not recorded")
    # Reasons that differ in punctuation only are one.
    first = {slug(reason): reason for reason in sorted(set(reasons), reverse=True)}
    for reason, count in reasons.map(lambda text: first[slug(text)]).value_counts().sort_index().items():
        store.add(EXPOSURE, drug, f"stopped_{slug(reason)}", value=int(count), unit="patients",
                  method="stopped, by recorded reason", level=str(reason), **common)  # fmt: skip


def added_starts(tables: AnalysisTables, config: CohortConfig) -> pd.DataFrame:
    """Return when each configured added therapy was first started after day 0 in the treated patients.

    Columns: patient_id, drug, day; one row a patient and drug, in the order of the configuration's drugs.
    """
    group = (config.treated or config.groups[0]).id
    mine = tables.patients.loc[tables.patients["group"] == group, "patient_id"]
    rows = tables.treatments
    later = rows[(rows["start_day"] > 0) & rows["patient_id"].isin(mine)]
    starts = later[later["drug"].isin(list(config.added_therapies))].groupby(["drug", "patient_id"])[
        "start_day"
    ]
    found = starts.min().astype(float).rename("day").reset_index()
    order = found["drug"].map({drug: place for place, drug in enumerate(config.added_therapies)})
    return found.loc[order.sort_values(kind="stable").index, ["patient_id", "drug", "day"]].reset_index(
        drop=True
    )


def count_added_therapies(
    tables: AnalysisTables, config: CohortConfig, responders: pd.Index, store: StatisticsStore
) -> None:
    """Count the responders in whom each configured therapy was first started after day 0."""
    group = (config.treated or config.groups[0]).id
    if "treatments" in tables.absent or responders.empty:
        return
    starts = added_starts(tables, config)
    starts = starts[starts["patient_id"].isin(responders)]
    for drug in config.added_therapies:
        first = starts[starts["drug"] == drug].set_index("patient_id")["day"]
        common: dict[str, Any] = {
            "group": group,
            "n": len(responders),
            "method": "first started after day 0, among responders",
        }
        store.add(ADDED, drug, "count", value=len(first), unit="patients", **common)
        store.add(ADDED, drug, "percent", value=100 * len(first) / len(responders), unit="%", **common)
        if len(first):
            store_summary(
                store,
                ADDED,
                f"{drug}_start_week",
                first / 7,
                unit="weeks",
                group=group,
                n=len(first),
                method="weeks from day 0 to the start",
            )
            _store_weeks_after_response(drug, first, tables.responses, config, group, store)


def _store_weeks_after_response(
    drug: str,
    start: pd.Series,
    responses: pd.DataFrame,
    config: CohortConfig,
    group: str,
    store: StatisticsStore,
) -> None:
    reached = responses[responses["response"].isin(config.responding)].groupby("patient_id")["day"].min()
    weeks = ((start - reached.reindex(start.index).astype(float)) / 7).dropna()
    if len(weeks):
        store_summary(
            store,
            ADDED,
            f"{drug}_weeks_after_response",
            weeks,
            unit="weeks",
            group=group,
            n=len(weeks),
            method=f"weeks from the first recorded {' or '.join(config.responding)} to the start",
        )


def describe_long_term(
    tables: AnalysisTables,
    responders: pd.Index,
    config: CohortConfig,
    store: StatisticsStore,
    *,
    horizon_days: float,
) -> None:
    """Store how the responders of the last visit fared later: alive, died, length of follow-up."""
    group = (config.treated or config.groups[0]).id
    rows = tables.patients[tables.patients["patient_id"].isin(responders)]
    if rows.empty:
        return
    died = int((rows["died"] & (rows["followup_days"] > horizon_days)).sum())
    common: dict[str, Any] = {"group": group, "n": len(rows)}
    store.add(
        LONG_TERM,
        "responders",
        "alive",
        value=int((~rows["died"].astype(bool)).sum()),
        unit="patients",
        method="alive at last contact",
        **common,
    )
    store.add(
        LONG_TERM,
        "responders",
        "died",
        value=died,
        unit="patients",
        method=f"died after day {horizon_days:g}",
        **common,
    )
    if len(rows):
        store_summary(
            store,
            LONG_TERM,
            "responders_months",
            rows["followup_days"] / DAYS_PER_MONTH,
            unit="months",
            method="follow-up from day 0",
            **common,
        )
