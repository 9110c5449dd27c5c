"""The day on which a patient became refractory, read from prescriptions: time zero for a fair comparison.

Day 0 of a treated patient is the first dose of the drug, that of a control the diagnosis of refractoriness.
The days between can be derived in both arms by one rule from the same record, so that neither is given a head
start.

>>> columns = [
...     "patient_id",
...     "drug",
...     "route",
...     "dose",
...     "unit",
...     "times_per_day",
...     "start_day",
...     "stop_day",
... ]
>>> patients = pd.DataFrame({"patient_id": ["a"], "followup_days": [56.0]})
>>> doses = pd.DataFrame(
...     {"patient_id": "a", "day": range(-14, 0), "prednisone_mg": 120.0, "mg_per_kg": 2.0}
... )
>>> doses["weight_kg"] = 60.0
>>> treatments = pd.DataFrame([["a", "prednisone", "po", 120, "mg", 1, -14, -1]], columns=columns)
>>> eligibility_days(patients, doses, treatments, {"a": 60.0})[
...     ["day", "lag", "kind"]
... ].values.tolist()
[[-1.0, 1.0, 'high dose']]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from helpers.clinical.definitions import Criteria, load_criteria
from helpers.clinical.dose_stretches import plain_ids
from helpers.clinical.equivalents import Equivalents
from helpers.clinical.errors import require_columns
from helpers.clinical.steroids import TOLERANCE, Overlap, daily_glucocorticoid_dose


def run_completed(
    doses: pd.DataFrame, column: str, at_least: float, *, days: int, last_day: int = 0
) -> pd.Series:
    """First day, up to `last_day`, on which `days` consecutive days of at least `at_least` are complete.

    `doses` has one row a patient and day (patient_id, day and `column`). Returns the day by patient_id,
    missing where no such run was completed. Raises ClinicalError for missing columns.

    >>> doses = pd.DataFrame(
    ...     {"patient_id": ["a"] * 4, "day": [-4, -3, -2, -1], "mg_per_kg": [1.0, 2.0, 2.0, 2.0]}
    ... )
    >>> run_completed(doses, "mg_per_kg", 2.0, days=3).to_dict()
    {'a': -1.0}
    """
    require_columns(doses, "doses", ["patient_id", "day", column])
    used = plain_ids(doses[doses["day"] <= last_day]).sort_values(["patient_id", "day"])
    high = used[used[column] >= at_least - TOLERANCE * max(1.0, at_least)]
    new_run = (high["day"].diff() != 1) | (high["patient_id"] != high["patient_id"].shift())
    place = high.groupby(new_run.cumsum()).cumcount() + 1
    complete = high[place == days]
    found = complete.groupby("patient_id")["day"].min()
    return found.reindex(sorted(doses["patient_id"].unique())).astype("Float64")


def eligibility_days(
    patients: pd.DataFrame,
    doses: pd.DataFrame,
    treatments: pd.DataFrame,
    weights: pd.DataFrame | Mapping[str, float] | pd.Series,
    *,
    overlap: Overlap = "add",
    settings: Mapping[str, Any] | None = None,
    equivalents: Equivalents | None = None,
) -> pd.DataFrame:
    """Day of eligibility of every patient, at most 0, with what it rests on.

    The first day on which the failed treatment of `refractory_mas` was complete: two weeks of high-dose
    glucocorticoid, or the third day of intravenous pulses, whichever came first; its thresholds can be
    changed by `settings`. Where no such run is recorded, a recurrence on tapering (from `refractory_reason`)
    counts from day 0, because the day of the recurrence is not a prescription. Columns: patient_id, day
    (missing where no rule was met), lag (days from eligibility to day 0), kind ("high dose", "pulse",
    "recurrence" or ""), reason (why the day is missing).
    """
    require_columns(patients, "patients", ["patient_id", "followup_days"])
    criteria = load_criteria("refractory_mas", settings=settings)
    assert isinstance(criteria, Criteria)
    rule = {name: setting.value for name, setting in criteria.settings.items()}
    last = patients.set_index("patient_id")["followup_days"].clip(upper=0)
    iv = daily_glucocorticoid_dose(
        treatments[treatments["route"] == "iv"],
        weights,
        last_day=last,
        overlap=overlap,
        unknown_drugs="ignore",
        equivalents=equivalents,
    )
    names = patients["patient_id"]
    runs = {
        "high dose": run_completed(
            doses, "mg_per_kg", float(rule["high_dose_mg_per_kg"]), days=int(rule["high_dose_days"])
        ),
        "pulse": run_completed(
            iv, "prednisone_mg", float(rule["pulse_prednisone_mg"]), days=int(rule["pulse_days"])
        ),
    }
    table = pd.DataFrame({kind: names.map(run).astype("Float64").to_numpy() for kind, run in runs.items()})
    table.index = pd.Index(names)
    filled = table.fillna(np.inf).astype(float)
    day = filled.min(axis=1).to_numpy()
    kind = np.where(filled["high dose"] <= filled["pulse"], "high dose", "pulse").astype(object)
    reason = patients.get("refractory_reason", pd.Series("", index=patients.index)).fillna("").astype(str)
    recurred = reason.str.lower().str.contains("taper|recur|relaps|flare").to_numpy()
    recurred &= ~np.isfinite(day)
    day, kind = np.where(recurred, 0.0, day), np.where(recurred, "recurrence", kind)
    known = np.isfinite(day)
    return pd.DataFrame(
        {
            "patient_id": names.to_numpy(),
            "day": np.where(known, day, np.nan),
            "lag": np.where(known, -day, np.nan) + 0.0,
            "kind": np.where(known, kind, ""),
            "reason": np.where(known, "", "no failed treatment was complete by day 0"),
        }
    )
