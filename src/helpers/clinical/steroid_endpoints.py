"""Steroid-sparing endpoints in which a death is not lost: low dose and alive, and a composite rank.

A dose at week 8 exists only for those alive at week 8. Its median or fall describes survivors, and a
treatment under which the sickest die looks sparing; the endpoints here count every patient.

>>> doses = pd.DataFrame({"patient_id": ["a"] * 57 + ["b"] * 57, "day": [*range(57)] * 2})
>>> doses["mg_per_kg"] = [0.3] * 57 + [1.0] * 57
>>> doses["weight_kg"], doses["prednisone_mg"] = 60.0, doses["mg_per_kg"] * 60
>>> patients = pd.DataFrame({"patient_id": ["a", "b", "c"], "followup_days": [56.0, 56.0, 9.0]})
>>> patients["death_day"], patients["died"] = [None, None, 9.0], [False, False, True]
>>> alive_at_low_dose(doses, patients)["reason"].tolist()
['low dose', 'dose above', 'died']
>>> composite_rank(doses, patients)["rank"].tolist()
[1.0, 2.0, 3.0]
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.clinical.errors import require_columns
from helpers.clinical.steroids import (
    TOLERANCE,
    DoseRule,
    DoseUnit,
    percentage_fall,
    weekly_dose,
)

SURVIVORS_NOTE = (
    "Doses at this visit are those of patients alive and followed then; deaths before it have none."
)


def _died_by(patients: pd.DataFrame, day: int) -> pd.Series:
    require_columns(patients, "patients", ["patient_id", "death_day", "followup_days"])
    return (patients["death_day"].astype("Float64") <= day).fillna(False).astype(bool)


def alive_at_low_dose(
    doses: pd.DataFrame,
    patients: pd.DataFrame,
    *,
    day: int = 56,
    threshold: float = 0.5,
    rule: DoseRule = "weekly_mean",
    unit: DoseUnit = "mg_per_kg",
) -> pd.DataFrame:
    """Who is alive on `day` and on at most `threshold` of prednisone equivalent, for every patient.

    Returns patient_id, dose, success (True, False, or missing when the patient left before `day` alive, or
    no dose is known) and reason ("low dose", "dose above", "died", "not known"). Death on `day` counts as
    death.
    """
    found = weekly_dose(doses, day, rule=rule).set_index("patient_id")[unit]
    dose = patients["patient_id"].map(found).astype(float)
    died = _died_by(patients, day)
    low = dose <= threshold + TOLERANCE * max(1.0, abs(threshold))
    reason = np.where(
        died, "died", np.where(dose.isna(), "not known", np.where(low, "low dose", "dose above"))
    )
    success = pd.Series(low, dtype="boolean").mask(dose.isna().to_numpy())
    success = success.mask(died.to_numpy(), False)
    return pd.DataFrame(
        {
            "patient_id": patients["patient_id"].to_numpy(),
            "dose": dose.mask(died.to_numpy()).to_numpy(),
            "success": success.to_numpy(dtype=object),
            "reason": reason,
        }
    ).astype({"success": "boolean"})


def composite_rank(
    doses: pd.DataFrame,
    patients: pd.DataFrame,
    *,
    day: int = 56,
    rule: DoseRule = "weekly_mean",
    unit: DoseUnit = "mg_per_kg",
    use_fall: bool = False,
) -> pd.DataFrame:
    """Rank every patient from best (1) to worst: survivors by dose on `day`, then deaths, the earliest last.

    With `use_fall` survivors are ranked by percentage fall from baseline (the largest first) instead of by
    dose. Ties share the mean rank; patients whose outcome is not known have none. Returns patient_id, value,
    death_day, rank, reason. The ranks are for a rank test (worst-rank analysis, Lachin 1999).
    """
    if use_fall:
        falls = percentage_fall(doses, day, rule=rule, unit=unit).set_index("patient_id")["fall_percent"]
        value = -patients["patient_id"].map(falls).astype(float)
    else:
        value = (
            patients["patient_id"]
            .map(weekly_dose(doses, day, rule=rule).set_index("patient_id")[unit])
            .astype(float)
        )
    died = _died_by(patients, day).to_numpy()
    death = patients["death_day"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    known = died | value.notna().to_numpy()
    # The dead come after every survivor, and among the dead the later the better.
    worst = np.nanmax(value.mask(died).to_numpy(), initial=0.0) + 1.0
    key = pd.Series(np.where(died, worst + (day - death), value.to_numpy())).where(known)
    rank = key.rank(method="average")
    return pd.DataFrame(
        {
            "patient_id": patients["patient_id"].to_numpy(),
            "value": np.where(died, np.nan, -value if use_fall else value),
            "death_day": np.where(died, death, np.nan),
            "rank": rank.to_numpy(),
            "reason": np.where(died, "died", np.where(known, "alive", "not known")),
        }
    )
