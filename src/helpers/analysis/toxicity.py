"""Laboratory toxicity by grade, worst after baseline, shifts from baseline; rates of recorded events.

>>> worst = worst_laboratory_grades(tables, config, folder, horizon_days=56)
>>> describe_laboratory_grades(worst, tables, config, store, horizon_days=56, confidence=0.95)
>>> describe_findings(worst, tables, config, folder, store, horizon_days=56)
>>> describe_event_rates(tables, config, store, horizon_days=56, confidence=0.95)
>>> store.rows()["event_rate.any.ruxolitinib.day_56.n_events"].value
4.0
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers.analysis.clinical import Rulebook, by_group
from helpers.analysis.safety import collected_groups
from helpers.analysis.summary import store_share
from helpers.clinical.errors import NothingRecordedError
from helpers.clinical.fact_tables import facts_on_measured_days
from helpers.clinical.response import transfusion_facts
from helpers.clinical.toxicity import (
    ToxicityScale,
    exposure_adjusted_rates,
    grade_laboratory,
    laboratory_beside_recorded,
    shift_table,
    worst_grades,
)
from helpers.results.store import slug
from helpers.stats.proportions import poisson_rate, rule_of_three

if TYPE_CHECKING:
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import StatisticsStore

LABORATORY, SHIFT, RATE, FINDING = (
    "laboratory_toxicity",
    "toxicity_shift",
    "event_rate",
    "toxicity_finding",
)
ANY = "any"
SEVERE = 3
DAYS_PER_100_YEARS = 36525.0


def worst_laboratory_grades(
    tables: AnalysisTables, config: CohortConfig, folder: Path, *, horizon_days: float
) -> pd.DataFrame:
    """Return each patient's baseline and worst later grade of every laboratory term, up to the horizon.

    Every measured day counts, not only visits. The baseline is the last value of the days before day 0 that
    the baseline visit's window allows; a term abnormal then is graded against it where the scale says so. The
    terms of a second scale, shown beside the first, carry its name. Empty where nothing was graded.
    """
    rules, chosen = Rulebook.of(config, folder), config.criteria
    if tables.measurements.empty:
        return pd.DataFrame()
    names = [name for name in dict.fromkeys((chosen.toxicity, chosen.toxicity_beside)) if name]
    parts = [_worst(rules.toxicity(name), tables, config, horizon_days) for name in names]
    if len(parts) > 1 and len(parts[1]):
        version = rules.toxicity(names[1]).version
        parts[1] = parts[1].assign(
            term=parts[1]["term"] + f"_{slug(names[1])}", label=parts[1]["label"] + f" (version {version})"
        )
    graded = [part for part in parts if len(part)]
    return pd.concat(graded, ignore_index=True) if graded else pd.DataFrame()


def _worst(
    scale: ToxicityScale, tables: AnalysisTables, config: CohortConfig, horizon_days: float
) -> pd.DataFrame:
    first = config.baseline_visit
    values = tables.measurements[tables.measurements["variable"].isin([t.variable for t in scale.terms])]
    facts = facts_on_measured_days(
        values,
        tables.patients,
        baseline_lookback_days=-first.window[0] if first else 0,
        ranges=config.vocabulary.ranges,
    )
    facts = transfusion_facts(facts, tables.treatments)
    try:
        graded = grade_laboratory(facts, scale)
    except NothingRecordedError:
        return pd.DataFrame()
    worst = by_group(worst_grades(graded, last_day=int(horizon_days)), tables)
    return worst.assign(scale=scale.name)


def describe_laboratory_grades(
    worst: pd.DataFrame,
    tables: AnalysisTables,
    config: CohortConfig,
    store: StatisticsStore,
    *,
    horizon_days: float,
    confidence: float,
) -> None:
    """Store the patients by worst grade of each laboratory term, and the shifts from the baseline grade."""
    if worst.empty:
        return
    when = f"day_{horizon_days:g}"
    for group in config.group_ids:
        for term, rows in worst[worst["group"] == group].groupby("term", sort=True):
            grades = rows["worst_grade"].dropna().astype(int)
            common: dict[str, Any] = {
                "group": group, "timepoint": when, "n": len(grades), "n_missing": len(rows) - len(grades),
                "level": str(rows["label"].iloc[0]),
            }  # fmt: skip
            for grade in range(5):
                count = int((grades == grade).sum())
                store.add(LABORATORY, slug(term), f"grade_{grade}", value=count, unit="patients",
                          method="patients by worst grade after day 0", **common)  # fmt: skip
            if len(grades):
                severe = int((grades >= SEVERE).sum())
                store.add(LABORATORY, slug(term), "severe", value=severe, unit="patients",
                          method=f"worst grade {SEVERE} or higher", **common)  # fmt: skip
                store_share(store, LABORATORY, slug(term), severe, confidence=confidence,
                            statistic="severe_percent", **common)  # fmt: skip
                _store_new(rows, slug(term), store, common)
    for row in shift_table(worst, tables.patients).to_dict("records"):
        store.add(SHIFT, slug(row["term"]), f"from_{row['baseline']}_to_{row['worst']}", value=int(row["n"]),
                  group=str(row["group"]), timepoint=when, unit="patients", level=str(row["label"]),
                  method="patients by grade at baseline and worst grade after day 0")  # fmt: skip


def _store_new(rows: pd.DataFrame, term: str, store: StatisticsStore, common: dict[str, Any]) -> None:
    """Store how many reached a severe grade that was higher than that at baseline."""
    both = rows[rows["baseline_grade"].notna() & rows["worst_grade"].notna()]
    if len(both):
        before, after = both["baseline_grade"].astype(int), both["worst_grade"].astype(int)
        store.add(LABORATORY, term, "severe_new", value=int(((after >= SEVERE) & (after > before)).sum()),
                  unit="patients", method=f"worst grade {SEVERE} or higher and above that at baseline",
                  **common | {"n": len(both), "n_missing": len(rows) - len(both)})  # fmt: skip


def describe_findings(
    worst: pd.DataFrame,
    tables: AnalysisTables,
    config: CohortConfig,
    folder: Path,
    store: StatisticsStore,
    *,
    horizon_days: float,
) -> None:
    """Store, by term, in how many patients values or recorded events tell of it: both, or one alone."""
    if worst.empty or not config.criteria.toxicity or "events" in tables.absent:
        return
    scale = Rulebook.of(config, folder).toxicity(config.criteria.toxicity)
    events = tables.events[tables.events["day"].between(0, horizon_days)]
    own = worst[worst["scale"] == scale.name].drop(columns=["group", "scale"])
    beside = by_group(laboratory_beside_recorded(own, events, scale, config.vocabulary), tables)
    # Where events were not collected, values without an event tell nothing.
    beside = beside[beside["group"].isin(collected_groups(tables, config))]
    for (group, term), rows in beside.groupby(["group", "term"], sort=True):
        for finding in ("both", "laboratory only", "recorded only", "neither"):
            store.add(FINDING, slug(term), slug(finding), value=int((rows["finding"] == finding).sum()),
                      group=str(group), n=len(rows), unit="patients", level=str(rows["label"].iloc[0]),
                      method="laboratory grade 1 or more, and an event recorded for it")  # fmt: skip


def describe_event_rates(
    tables: AnalysisTables,
    config: CohortConfig,
    store: StatisticsStore,
    *,
    horizon_days: float,
    confidence: float,
) -> None:
    """Store events, person-time and the exact rate of all and of each recorded event, up to the horizon.

    A group whose events were not collected has no rate. Of events that no patient of a group had, the upper
    limit of the share is stored as well (rule of three).
    """
    if "events" in tables.absent:
        return
    horizon, when = int(horizon_days), f"day_{horizon_days:g}"
    frames = [
        exposure_adjusted_rates(tables.events, tables.patients, horizon=horizon).assign(
            term=ANY, variable=ANY
        )
    ]
    if len(tables.events):
        by_term = exposure_adjusted_rates(tables.events, tables.patients, by_term=True, horizon=horizon)
        frames.append(by_term.assign(variable="term_" + by_term["term"].map(slug)))
    collected = collected_groups(tables, config)
    for row in pd.concat(frames).to_dict("records"):
        if not row["person_days"] > 0 or row["group"] not in collected:
            continue
        variable = row["variable"]
        common: dict[str, Any] = {
            "group": str(row["group"]),
            "timepoint": when,
            "level": "" if row["term"] == ANY else str(row["term"]),
        }
        n = int(row["n_patients"])
        for name, unit in {"n_events": "events", "n_patients_with_event": "patients"}.items():
            store.add(RATE, variable, name, value=int(row[name]), n=n, unit=unit, method="count", **common)
        years = row["person_days"] / 365.25
        store.add(RATE, variable, "patient_years", value=years, n=n, unit="patient-years",
                  method="from day 0 to death, last contact or horizon", **common)  # fmt: skip
        rate = poisson_rate(row["n_events"], row["person_days"], confidence=confidence)
        scaled = {name: getattr(rate, name) * DAYS_PER_100_YEARS for name in ("value", "lower", "upper")}
        store.add(RATE, variable, "per_100_patient_years", n=n, unit="per 100 patient-years",
                  method=rate.method, **scaled, **common)  # fmt: skip
        if not row["n_patients_with_event"]:
            limit = rule_of_three(n, confidence=confidence)
            store.add(RATE, variable, "upper_limit_if_none", value=100 * limit.upper, n=n, unit="%",
                      method=limit.method, **common)  # fmt: skip
