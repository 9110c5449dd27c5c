"""Course of laboratory values and signs over the visits, and their change from baseline.

>>> describe_course(tables, config, store, confidence=0.95)[:2]
['platelets', 'ast']
>>> store.rows()["laboratory.platelets.ruxolitinib.baseline.median"].value
115.0
>>> resolution_of_splenomegaly(tables, config, store, confidence=0.95).values.tolist()
[['ruxolitinib', 6, 6, 6], ['control', 12, 0, 0]]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.analysis.summary import store_share, store_shift, store_summary
from helpers.stats.paired_shift import paired_shift
from helpers.stats.repeated import signed_rank_test

if TYPE_CHECKING:
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import StatisticsStore

ANALYSIS = "laboratory"
SPLEEN = "splenomegaly"


def describe_course(
    tables: AnalysisTables, config: CohortConfig, store: StatisticsStore, *, confidence: float
) -> list[str]:
    """Describe each followed variable at each visit, test its change from baseline; return those found.

    Stored by group and visit: n, patients alive without a value, median, quartiles, range, number of values
    beyond an assay's limit, and the paired change from baseline: its Hodges-Lehmann estimate with interval
    and the exact signed-rank test. Medians of later visits are of the patients then alive and measured; n
    says how many.
    """
    present = [name for name in config.course.variables if (tables.visits["variable"] == name).any()]
    alive = {
        (group.id, visit.id): _alive(tables, group.id, visit.day)
        for group in config.groups
        for visit in config.visits
    }
    for name in present:
        unit = config.vocabulary[name].unit
        for group in config.groups:
            wide = _wide(tables, name, group.id, "value")
            if wide.empty:
                continue
            flags = _wide(tables, name, group.id, "qualifier")
            for visit in config.visits:
                if visit.id in wide:
                    followed = alive[group.id, visit.id]
                    _describe(
                        name, unit, group.id, visit.id, wide[visit.id], flags[visit.id], followed, store
                    )
            _changes(name, group.id, wide, flags, config, store, confidence)
    return present


def _wide(tables: AnalysisTables, name: str, group: str, column: str) -> pd.DataFrame:
    members = tables.patients.loc[tables.patients["group"] == group, "patient_id"]
    rows = tables.visits[(tables.visits["variable"] == name) & tables.visits["patient_id"].isin(members)]
    return rows.pivot(index="patient_id", columns="visit", values=column).rename_axis(columns=None)


def _alive(tables: AnalysisTables, group: str, day: int) -> int:
    """Return how many patients of a group were alive and followed on a day."""
    members = tables.patients[tables.patients["group"] == group]
    return int((members["followup_days"].isna() | (members["followup_days"] >= day)).sum())


def _describe(
    name: str,
    unit: str,
    group: str,
    visit: str,
    values: pd.Series,
    flags: pd.Series,
    alive: int,
    store: StatisticsStore,
) -> None:
    observed = values.dropna()
    common: dict[str, Any] = {
        "group": group,
        "timepoint": visit,
        "n": len(observed),
        "n_missing": max(0, alive - len(observed)),
    }
    store.add(ANALYSIS, name, "n", value=len(observed), unit="patients", method="count", **common)
    store.add(
        ANALYSIS,
        name,
        "beyond_limit",
        value=int(flags.isin(["<", ">"]).sum()),
        unit="patients",
        method="values reported only as below or above a limit",
        **common,
    )
    store_summary(store, ANALYSIS, name, observed, qualifiers=flags, unit=unit, **common)


def _changes(
    name: str,
    group: str,
    wide: pd.DataFrame,
    flags: pd.DataFrame,
    config: CohortConfig,
    store: StatisticsStore,
    confidence: float,
) -> None:
    baseline = config.baseline_visit
    if baseline is None or baseline.id not in wide:
        return
    unit = config.vocabulary[name].unit
    for visit in config.visits:
        if visit.id == baseline.id or visit.id not in wide:
            continue
        pairs = wide[[baseline.id, visit.id]].dropna()
        if pairs.empty:
            continue
        before, after = pairs[baseline.id].to_numpy(float), pairs[visit.id].to_numpy(float)
        beyond = flags.loc[pairs.index, [baseline.id, visit.id]].isin(["<", ">"]).any(axis=1)
        note = (
            f"{int(beyond.sum())} of {len(pairs)} pairs hold a value known only as a limit"
            if beyond.any()
            else ""
        )
        common: dict[str, Any] = {"group": group, "timepoint": visit.id, "n": len(pairs), "note": note}
        before_signs, after_signs = (flags.loc[pairs.index, one.id].to_numpy() for one in (baseline, visit))
        change = paired_shift(
            before, after, before_qualifiers=before_signs, after_qualifiers=after_signs,
            smallest=config.vocabulary[name].smallest, confidence=confidence,
        )  # fmt: skip
        noted = {"note": "; ".join(filter(None, (change.note, note)))}
        store_shift(store, ANALYSIS, name, change, statistic="change", unit=unit, **(common | noted))
        test = signed_rank_test(before, after)
        store.add(
            ANALYSIS,
            name,
            "change_test",
            value=test.statistic,
            p_value=test.p_value,
            method=test.method,
            **common,
        )


def resolution_of_splenomegaly(
    tables: AnalysisTables, config: CohortConfig, store: StatisticsStore, *, confidence: float
) -> pd.DataFrame:
    """Count the enlarged spleens of baseline that were normal when last examined.

    Returns one row a group: group, enlarged (at baseline), examined (again later), resolved.
    """
    rows = []
    for group in config.groups:
        wide = _wide(tables, SPLEEN, group.id, "value")
        baseline = config.baseline_visit
        if baseline is None or baseline.id not in wide:
            continue
        later = [visit.id for visit in config.visits if visit.day > 0 and visit.id in wide]
        enlarged = wide[wide[baseline.id] == 1]
        last = enlarged[later].ffill(axis=1).iloc[:, -1] if later else pd.Series(np.nan, index=enlarged.index)
        examined, resolved = int(last.notna().sum()), int((last == 0).sum())
        common: dict[str, Any] = {"group": group.id, "unit": "patients"}
        store.add(
            SPLEEN,
            "enlarged",
            "count",
            value=len(enlarged),
            n=int(wide[baseline.id].notna().sum()),
            timepoint="baseline",
            method="count",
            **common,
        )
        rows.append(
            {"group": group.id, "enlarged": len(enlarged), "examined": examined, "resolved": resolved}
        )
        if not later or not examined:
            continue
        end: dict[str, Any] = {"timepoint": later[-1], "n": examined, "n_missing": len(enlarged) - examined}
        store.add(
            SPLEEN,
            "resolved",
            "count",
            value=resolved,
            **end,
            **common,
            method="normal when last examined, among those enlarged at baseline and examined again",
        )
        store_share(store, SPLEEN, "resolved", resolved, confidence=confidence, group=group.id, **end)
    return pd.DataFrame(rows, columns=["group", "enlarged", "examined", "resolved"])
