"""Where patients, rows and values went, as frames of counts.

>>> flow = patient_flow(tables, config)
>>> flow[flow["stage"] == "analysed"][["group", "n"]].values.tolist()
[['ruxolitinib', 20], ['control', 21]]
>>> int(row_flow(tables).groupby("table")["n"].sum()["patients"])
41
>>> found = missingness(tables, config)
>>> bool((found["n_expected"] == found["n_observed"] + found["n_missing"]).all())
True
"""

import numpy as np
import pandas as pd

from helpers.cohort.analysis_tables import AnalysisTables
from helpers.cohort.settings import CohortConfig

PATIENT_FLOW_COLUMNS = ("group", "stage", "visit", "reason", "n")


def patient_flow(tables: AnalysisTables, config: CohortConfig) -> pd.DataFrame:
    """Count the patients of each group from screening to the last visit.

    Returns columns group, stage, visit, reason, n; one row for each group and stage:

    - `screened`: rows of the raw table of patients; `excluded`: of these, one row for each reason;
      `analysed`: patients in the analysis table (screened = excluded + analysed);
    - at each visit `dead` (died on or before the visit's day), `censored` (alive at a last
      contact before it), `alive` (still followed on it: dead + censored + alive = analysed) and `assessed`
      (alive ones with a measurement or response selected for the visit).
    """
    raw = tables.dispositions[tables.dispositions["table"] == "patients"]
    rows: list[tuple[str, str, str, str, int]] = []
    for group in config.group_ids:
        mine = raw[raw["group"] == group]
        members = tables.patients[tables.patients["group"] == group]
        rows.append((group, "screened", "", "", len(mine)))
        left = mine[mine["disposition"] == "excluded"].groupby("reason", sort=True).size()
        rows += [(group, "excluded", "", str(reason), int(n)) for reason, n in left.items()]
        rows.append((group, "analysed", "", "", len(members)))
        for visit in config.visits:
            followed = members["followup_days"].to_numpy()
            died = members["died"].to_numpy(dtype=bool)
            dead = died & (followed <= visit.day)
            censored = ~died & (followed < visit.day)
            seen = members["patient_id"].isin(_assessed(tables, visit.id)).to_numpy()
            assessed = ~dead & ~censored & seen
            counts = {"dead": dead, "censored": censored, "alive": ~dead & ~censored, "assessed": assessed}
            rows += [
                (group, stage, visit.id, "", int(np.count_nonzero(who))) for stage, who in counts.items()
            ]
    return pd.DataFrame(rows, columns=list(PATIENT_FLOW_COLUMNS))


def _assessed(tables: AnalysisTables, visit: str) -> set[str]:
    measured = tables.visits.loc[tables.visits["visit"] == visit, "patient_id"]
    responded = tables.responses.loc[
        (tables.responses["visit"] == visit) & tables.responses["selected"], "patient_id"
    ]
    return {*measured, *responded}


def row_flow(tables: AnalysisTables) -> pd.DataFrame:
    """Count the raw rows by table, disposition, reason and role.

    Returns columns table, disposition, reason, role, n in the order of the tables, used before excluded. The
    counts of a table add up to the rows of its file.
    """
    keys = ["table", "disposition", "reason", "role"]
    counts = tables.dispositions.groupby(keys, sort=False, dropna=False).size().rename("n").reset_index()
    table = pd.Categorical(counts["table"], categories=list(dict.fromkeys(tables.dispositions["table"])))
    order = counts.assign(_table=table.codes, _excluded=counts["disposition"] == "excluded")
    order = order.sort_values(["_table", "_excluded", "reason", "role"], kind="stable")
    return order[[*keys, "n"]].reset_index(drop=True)


def missingness(tables: AnalysisTables, config: CohortConfig) -> pd.DataFrame:
    """Count observed, missing and censored values by variable, visit and group.

    Returns columns variable, visit, group, n_expected (patients alive and followed on the visit's day),
    n_observed, n_missing (n_expected = n_observed + n_missing) and n_censored: observed values known only to
    lie beyond an assay's limit. `n_observed` may include a patient who died or left within the window but
    before the visit's day; such a patient then counts as expected too. Variables are those measured at any
    visit, sorted by name.
    """
    members = {group: tables.patients[tables.patients["group"] == group] for group in config.group_ids}
    present = {
        (group, visit.id): set(mine.loc[_present(mine, visit.day), "patient_id"])
        for group, mine in members.items()
        for visit in config.visits
    }
    group_of = tables.visits["patient_id"].map(tables.patients.set_index("patient_id")["group"])
    observed = dict(
        iter(tables.visits.groupby([tables.visits["variable"], tables.visits["visit"], group_of]))
    )
    rows = []
    for variable in sorted(tables.visits["variable"].unique()):
        for visit in config.visits:
            for group in config.group_ids:
                found = observed.get((variable, visit.id, group), tables.visits.iloc[:0])
                expected, n = len(present[group, visit.id] | set(found["patient_id"])), len(found)
                censored = int((found["qualifier"] != "").sum())
                rows.append((variable, visit.id, group, expected, n, expected - n, censored))
    columns = ["variable", "visit", "group", "n_expected", "n_observed", "n_missing", "n_censored"]
    return pd.DataFrame(rows, columns=columns)


def _present(members: pd.DataFrame, day: int) -> "pd.Series[bool]":
    """Return who is still alive and followed on a day (all of them before day 0)."""
    gone = members["died"] & (members["followup_days"] <= day) if day > 0 else members["died"] & False
    return ~gone & ((members["followup_days"] >= day) | (day <= 0))
