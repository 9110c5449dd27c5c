"""Flow of patients and raw rows, and missing values by visit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.cohort.dictionary import load_dictionary
from helpers.results.store import slug

if TYPE_CHECKING:
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import StatisticsStore

ANALYSIS, MISSING = "flow", "missingness"


def count_flow(
    tables: AnalysisTables, config: CohortConfig, store: StatisticsStore, *, horizon_days: float
) -> pd.DataFrame:
    """Count patients and raw rows from file to analysis; return rows by table, disposition and reason."""
    rows = tables.dispositions
    patients = rows[rows["table"] == "patients"]
    excluded = int((patients["disposition"] == "excluded").sum())
    common: dict[str, Any] = {"timepoint": "baseline", "unit": "patients", "method": "count"}
    store.add(ANALYSIS, "patients", "recorded", value=len(patients), **common)
    store.add(ANALYSIS, "patients", "excluded", value=excluded, n=len(patients), **common)
    for group in config.group_ids:
        _count_group(tables.patients[tables.patients["group"] == group], group, store, horizon_days)
    counted = rows.groupby(["table", "disposition", "reason"], sort=False).size().rename("rows").reset_index()
    _count_rows("rows", rows, store)
    for table in dict.fromkeys(rows["table"]):
        _count_rows(f"rows_{table}", rows[rows["table"] == table], store)
    for row in counted[counted["disposition"] == "excluded"].to_dict("records"):
        store.add(
            ANALYSIS,
            f"rows_{row['table']}",
            f"excluded_{slug(row['reason'])}",
            value=row["rows"],
            unit="rows",
            timepoint="baseline",
            method="count",
            note=row["reason"],
        )
    return counted


def _count_group(members: pd.DataFrame, group: str, store: StatisticsStore, horizon_days: float) -> None:
    died = members["died"].astype(bool) & (members["followup_days"] <= horizon_days)
    early = ~died & (members["followup_days"] < horizon_days)
    unknown = members["followup_days"].isna()
    common: dict[str, Any] = {"group": group, "n": len(members), "unit": "patients"}
    store.add(
        ANALYSIS, "patients", "analysed", value=len(members), timepoint="baseline", method="count", **common
    )
    counts = {"died": died, "censored": early | unknown, "alive": ~died & ~early & ~unknown}
    for name, member in counts.items():
        store.add(
            ANALYSIS,
            "patients",
            name,
            value=int(member.sum()),
            timepoint="horizon",
            method=f"at day {horizon_days:g}",
            **common,
        )


def _count_rows(variable: str, rows: pd.DataFrame, store: StatisticsStore) -> None:
    used = int((rows["disposition"] == "used").sum())
    common: dict[str, Any] = {"n": len(rows), "unit": "rows", "timepoint": "baseline", "method": "count"}
    store.add(ANALYSIS, variable, "used", value=used, **common)
    store.add(ANALYSIS, variable, "excluded", value=len(rows) - used, **common)


def count_missing(tables: AnalysisTables, config: CohortConfig, store: StatisticsStore) -> pd.DataFrame:
    """Count values by variable, visit and group among patients then alive; return shares for the map.

    Returns:
        Share of living patients with a value, from 0 to 1: rows are variable labels, columns (group label,
        visit label). A visit at which nobody of the group was alive is missing.
    """
    dictionary = load_dictionary()
    names = [name for name in dictionary.measured if (tables.visits["variable"] == name).any()]
    shares: dict[tuple[str, str], list[float]] = {}
    for group in config.groups:
        members = tables.patients[tables.patients["group"] == group.id]
        mine = tables.visits[tables.visits["patient_id"].isin(members["patient_id"])]
        for visit in config.visits:
            alive = members[members["followup_days"].isna() | (members["followup_days"] >= visit.day)]
            here = mine[(mine["visit"] == visit.id) & mine["patient_id"].isin(alive["patient_id"])]
            observed = here.groupby("variable")["patient_id"].nunique()
            shares[group.label, visit.label] = [
                _missing_row(name, group.id, visit.id, int(observed.get(name, 0)), len(alive), store)
                for name in names
            ]
    labels = [dictionary[name].label for name in names]
    return pd.DataFrame(shares, index=labels) if names else pd.DataFrame()


def _missing_row(name: str, group: str, visit: str, n: int, alive: int, store: StatisticsStore) -> float:
    share = n / alive if alive else np.nan
    store.add(
        MISSING,
        name,
        "observed_percent",
        group=group,
        timepoint=visit,
        value=100 * share,
        n=n,
        n_missing=alive - n,
        unit="%",
        method="patients with a value among those alive on the visit's day",
    )
    return share
