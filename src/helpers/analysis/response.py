"""Response to treatment as the clinicians recorded it: counts by visit, rates, each patient's path.

>>> found = response_paths(tables, config, "ruxolitinib")
>>> found["week_1"].value_counts().to_dict()
{'NR': 11, 'PR': 9}
>>> sorted(count_responses(tables, config, store, confidence=0.95))
['ruxolitinib']
>>> store.rows()["response.overall.ruxolitinib.week_1.rate"].value
45.0
>>> (
...     len(responders_at_end(tables, config)),
...     in_three_classes(tables.responses, config)["response"].nunique(),
... )
(16, 3)
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers.analysis.summary import store_share
from helpers.clinical.response import withdrawal_days
from helpers.results.store import slug

if TYPE_CHECKING:
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import StatisticsStore

ANALYSIS, RECORDED, TRANSITION = "response", "class", "response_transition"
COMPLETE, PARTIAL, NONE = "CR", "PR", "NR"
DIED, NOT_ASSESSED = "died", "not_assessed"


def response_paths(tables: AnalysisTables, config: CohortConfig, group: str) -> pd.DataFrame:
    """Return each patient's response at each visit after baseline.

    Args:
        tables, config: the cohort.
        group: id of the group.

    Returns:
        One row a patient (index patient_id), one column a visit at which anybody of the group was assessed:
        a level of response, ``died`` where the patient died on or before the visit's day and was not
        assessed at it, missing where alive and not assessed.
    """
    patients = tables.patients[tables.patients["group"] == group].set_index("patient_id")
    recorded = tables.responses[tables.responses["patient_id"].isin(patients.index)]
    recorded = recorded[recorded["visit"].notna()]
    days = {visit.id: visit.day for visit in config.visits if visit.day > 0}
    assessed = [visit for visit in days if (recorded["visit"] == visit).any()]
    wide = recorded.drop_duplicates(["patient_id", "visit"], keep="last").pivot_table(
        index="patient_id", columns="visit", values="response", aggfunc="last"
    )
    paths = wide.reindex(index=patients.index, columns=assessed).astype(object)
    for visit in assessed:
        dead = patients["died"].astype(bool) & (patients["death_day"] <= days[visit])
        paths.loc[dead & paths[visit].isna(), visit] = DIED
    return paths if assessed else pd.DataFrame()


def count_responses(
    tables: AnalysisTables, config: CohortConfig, store: StatisticsStore, *, confidence: float
) -> dict[str, pd.DataFrame]:
    """Count the levels of response at each visit and store counts and rates; return each group's paths.

    Whether the dead and the not assessed count as NR, or leave the denominator, the configuration says.
    """
    found = {}
    for group in config.groups:
        paths = response_paths(tables, config, group.id)
        if paths.empty:
            continue
        found[group.id] = paths
        for visit in paths.columns:
            _count_visit(paths[visit], group.id, visit, config, store, confidence)
        _count_transitions(paths, group.id, store)
        _first_response(tables, paths, group.id, config, store)
        if group.role == "treated" and "treatments" not in tables.absent:
            _split_non_responders(tables, paths, config, store)
    return found


def _count_transitions(paths: pd.DataFrame, group: str, store: StatisticsStore) -> None:
    """Store how many patients went from each state at a visit to each state at the next one."""
    states = paths.apply(lambda column: column.map(slug, na_action="ignore")).fillna(NOT_ASSESSED)
    for earlier, later in pairwise(paths.columns):
        for (before, after), count in states.groupby([earlier, later]).size().items():
            store.add(
                TRANSITION,
                before,
                f"to_{after}",
                group=group,
                timepoint=later,
                value=int(count),
                n=len(paths),
                unit="patients",
                method=f"state at {earlier} and at {later}",
            )


def _split_non_responders(
    tables: AnalysisTables, paths: pd.DataFrame, config: CohortConfig, store: StatisticsStore
) -> None:
    """Store why treated patients are without response at a visit: dead, off the study drug, or neither."""
    left = pd.Series(withdrawal_days(tables.treatments, config.study_drugs), dtype=float).reindex(paths.index)
    days = {visit.id: visit.day for visit in config.visits}
    for visit in paths.columns:
        without = ~paths[visit].isin([*config.responding, DIED]) & paths[visit].notna()
        off = without & (left <= days[visit])
        counts = {
            "died": (int((paths[visit] == DIED).sum()), "dead by the visit's day"),
            "off_study_drug": (
                int(off.sum()),
                "without response, study drug given up by the visit's day",
            ),
            "on_study_drug": (
                int((without & ~off).sum()),
                "without response, study drug not given up",
            ),
        }
        for name, (count, method) in counts.items():
            store.add(
                ANALYSIS,
                "no_response",
                name,
                group=config.treated.id if config.treated else "all",
                timepoint=visit,
                value=count,
                n=len(paths),
                unit="patients",
                method=method,
            )


def _count_visit(
    column: pd.Series,
    group: str,
    visit: str,
    config: CohortConfig,
    store: StatisticsStore,
    confidence: float,
) -> None:
    dead, unknown = int((column == DIED).sum()), int(column.isna().sum())
    levels = config.response_levels
    counts = {level.id: int((column == level.id).sum()) for level in levels}
    added = dead * (config.response.dead_is == NONE) + unknown * (config.response.not_assessed_is == NONE)
    n = sum(counts.values()) + added
    if NONE in counts:  # else they stand beside the levels, none of which they were given
        counts[NONE] += added
    common: dict[str, Any] = {"group": group, "timepoint": visit, "n": n, "n_missing": len(column) - n}
    for name, count in counts.items():
        store.add(
            ANALYSIS, RECORDED, slug(name), value=count, unit="patients", method=_rule(config), **common
        )
        store.add(
            ANALYSIS,
            RECORDED,
            f"{slug(name)}_percent",
            value=100 * count / n if n else None,
            unit="%",
            method=_rule(config),
            **common,
        )
    store.add(
        ANALYSIS, RECORDED, "dead", value=dead, unit="patients", method="dead by the visit's day", **common
    )
    store.add(ANALYSIS, RECORDED, "not_assessed", value=unknown, unit="patients", method="count", **common)
    if not n:
        return
    rates = {"overall": sum(counts[name] for name in config.responding)}
    if COMPLETE in counts:
        rates["complete"] = counts[COMPLETE]
    for name, count in rates.items():
        store.add(ANALYSIS, name, "count", value=count, unit="patients", method="count", **common)
        store_share(store, ANALYSIS, name, count, confidence=confidence, statistic="rate", **common)


def _rule(config: CohortConfig) -> str:
    setting = config.response
    return f"recorded response; dead count as {setting.dead_is}, not assessed as {setting.not_assessed_is}"


def _first_response(
    tables: AnalysisTables, paths: pd.DataFrame, group: str, config: CohortConfig, store: StatisticsStore
) -> None:
    recorded = tables.responses[tables.responses["patient_id"].isin(paths.index)]
    responders = recorded[recorded["response"].isin(config.responding)]
    named = " or ".join(config.responding)
    first = responders.groupby("patient_id")["day"].min()
    common: dict[str, Any] = {"group": group, "n": len(paths), "unit": "days"}
    if first.empty:
        return
    store.add(
        ANALYSIS,
        "first_response",
        "earliest",
        value=float(first.min()),
        method=f"first recorded {named} of any patient",
        **common,
    )
    store.add(
        ANALYSIS,
        "first_response",
        "median",
        value=float(first.median()),
        method=f"median over the {len(first)} patients who ever responded",
        **common,
    )
    store.add(
        ANALYSIS,
        "first_response",
        "responders",
        value=len(first),
        group=group,
        n=len(paths),
        unit="patients",
        method=f"patients with {named} recorded at any time",
    )


def responders_at_end(tables: AnalysisTables, config: CohortConfig) -> pd.Index:
    """Return the ids of the treated patients with a response at the last assessed visit."""
    group = config.treated or config.groups[0]
    paths = response_paths(tables, config, group.id)
    if paths.empty:
        return pd.Index([], name="patient_id")
    last = paths.iloc[:, -1]
    return last.index[last.isin(config.responding)]


def in_three_classes(responses: pd.DataFrame, config: CohortConfig) -> pd.DataFrame:
    """Return the clinicians' calls as complete, partial or no response, to hold beside a rule.

    Levels with these names stay what they are; any other that responds counts as partial, the rest as none.
    """
    classes = {
        level.id: level.id if level.id in (COMPLETE, PARTIAL, NONE) else PARTIAL if level.responds else NONE
        for level in config.response_levels
    }
    return responses.assign(response=responses["response"].map(classes, na_action="ignore"))
