"""Flow of patients and raw rows, and missing values by visit, as stored statistics.

>>> count_flow(tables, config, store, horizon_days=56).columns.tolist()
['table', 'disposition', 'reason', 'role', 'n']
>>> store.rows()["flow.patients.ruxolitinib.horizon.died"].value
1.0
>>> round(float(count_missing(tables, config, store).max().max()), 2)
1.0
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.cohort.flow import missingness, patient_flow, row_flow
from helpers.results.store import slug

if TYPE_CHECKING:
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import StatisticsStore

ANALYSIS, MISSING, PLAN = "flow", "missingness", "plan"


def count_flow(
    tables: AnalysisTables, config: CohortConfig, store: StatisticsStore, *, horizon_days: float
) -> pd.DataFrame:
    """Store the visit plan and the counts of patients and rows, file to analysis; return ``row_flow``."""
    counts = patient_flow(tables, config)
    stages = counts[counts["visit"] == ""].groupby("stage")["n"].sum()
    common: dict[str, Any] = {"timepoint": "baseline", "unit": "patients", "method": "count"}
    store.add(ANALYSIS, "patients", "recorded", value=stages["screened"], **common)
    store.add(
        ANALYSIS, "patients", "excluded", value=stages.get("excluded", 0), n=stages["screened"], **common
    )
    for row in counts[counts["stage"] == "analysed"].to_dict("records"):
        store.add(ANALYSIS, "patients", "analysed", group=row["group"], value=row["n"], **common)
    for row in counts[counts["visit"] != ""].to_dict("records"):
        where: dict[str, Any] = {"group": row["group"], "timepoint": row["visit"]}
        store.add(ANALYSIS, "visits", row["stage"], value=row["n"], unit="patients", method="count", **where)
    for group in config.group_ids:
        _count_at_horizon(tables.patients[tables.patients["group"] == group], group, store, horizon_days)
    for visit in config.visits:
        plan: dict[str, Any] = {"timepoint": "baseline", "unit": "days", "method": "visit plan"}
        for name, day in {"day": visit.day, "first": visit.window[0], "last": visit.window[1]}.items():
            store.add(PLAN, visit.id, name, value=day, **plan)
    rows = row_flow(tables)
    _count_rows("rows", rows, store)
    for table in dict.fromkeys(rows["table"]):
        _count_rows(f"rows_{table}", rows[rows["table"] == table], store)
    return rows


def _count_at_horizon(members: pd.DataFrame, group: str, store: StatisticsStore, horizon_days: float) -> None:
    followed = members["followup_days"]
    died = members["died"].astype(bool) & (followed <= horizon_days)
    early = ~died & ~(followed >= horizon_days)
    common: dict[str, Any] = {"group": group, "n": len(members), "unit": "patients", "timepoint": "horizon"}
    for name, member in {"died": died, "censored": early, "alive": ~died & ~early}.items():
        store.add(ANALYSIS, "patients", name, value=member.sum(), method=f"at day {horizon_days:g}", **common)


def _count_rows(variable: str, rows: pd.DataFrame, store: StatisticsStore) -> None:
    common: dict[str, Any] = {
        "n": rows["n"].sum(),
        "unit": "rows",
        "timepoint": "baseline",
        "method": "count",
    }
    excluded = rows[rows["disposition"] == "excluded"]
    store.add(ANALYSIS, variable, "used", value=rows["n"].sum() - excluded["n"].sum(), **common)
    store.add(ANALYSIS, variable, "excluded", value=excluded["n"].sum(), **common)
    if variable != "rows":
        for reason, n in excluded.groupby("reason")["n"].sum().items():
            store.add(ANALYSIS, variable, f"excluded_{slug(reason)}", value=n, level=str(reason), **common)
        for role, n in rows[rows["role"].fillna("") != ""].groupby("role")["n"].sum().items():
            store.add(ANALYSIS, variable, f"role_{slug(role)}", value=n, level=str(role), **common)


def count_missing(tables: AnalysisTables, config: CohortConfig, store: StatisticsStore) -> pd.DataFrame:
    """Store the share of living patients with a value by variable, visit and group; return it for the map.

    Returns:
        Shares from 0 to 1: rows are variable labels in the vocabulary's order, columns (group label, visit
        label); missing where nobody was alive.
    """
    counts = missingness(tables, config)
    if counts.empty:
        return pd.DataFrame()
    for row in counts.to_dict("records"):
        share = 100 * row["n_observed"] / row["n_expected"] if row["n_expected"] else np.nan
        store.add(
            MISSING, row["variable"], "observed_percent", group=row["group"], timepoint=row["visit"],
            value=share, n=row["n_observed"], n_missing=row["n_missing"], unit="%",
            method="patients with a value among those alive and followed",
            note="" if row["n_expected"] else "nobody of the group was alive and followed",
        )  # fmt: skip
    shares = counts["n_observed"] / counts["n_expected"].where(counts["n_expected"] > 0)
    wide = counts.assign(share=shares).pivot(index="variable", columns=["group", "visit"], values="share")
    vocabulary = config.vocabulary
    names = [name for name in vocabulary.measured if name in wide.index]
    columns = [(group.id, visit.id) for group in config.groups for visit in config.visits]
    table = wide.reindex(index=names, columns=pd.MultiIndex.from_tuples(columns))
    table.index = pd.Index([vocabulary[name].label for name in names])
    table.columns = pd.MultiIndex.from_tuples(
        [(group.label, visit.label) for group in config.groups for visit in config.visits]
    )
    return table
