"""Steroid-sparing endpoints in which a death is not lost: low dose and alive, and a composite rank.

A dose at week 8 exists only for those alive at week 8. Its median or fall describes survivors, and a
treatment under which the sickest die looks sparing; the endpoints here count every patient.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.clinical.errors import require_columns
from helpers.clinical.steroids import (
    TOLERANCE,
    DoseRule,
    DoseUnit,
    cumulative_dose,
    percentage_fall,
    time_to_dose_at_most,
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


def steroid_sparing(
    doses: pd.DataFrame,
    patients: pd.DataFrame,
    *,
    day: int = 56,
    thresholds: tuple[float, ...] = (1.0, 0.5, 0.2),
    rule: DoseRule = "weekly_mean",
    unit: DoseUnit = "mg_per_kg",
    hold_days: int = 3,
) -> pd.DataFrame:
    """Every steroid-sparing endpoint of every patient in one frame.

    Columns: patient_id, baseline_dose, dose, fall_percent, cumulative_mg and cumulative_mg_per_kg over `day`
    days from day 0 with cumulative_complete, alive_low_dose with its reason, composite_rank, and for each
    threshold time_to_T and status_to_T (1 reached, 2 died first, 0 censored). `attrs["note"]` says whom the
    doses describe.
    """
    frame = patients[["patient_id"]].reset_index(drop=True)
    fall = percentage_fall(doses, day, rule=rule, unit=unit).set_index("patient_id")
    total = cumulative_dose(doses, days=day).set_index("patient_id")
    low = alive_at_low_dose(doses, patients, day=day, rule=rule, unit=unit)
    for name, source, column in (
        ("baseline_dose", fall, "baseline"),
        ("dose", fall, "dose"),
        ("fall_percent", fall, "fall_percent"),
        ("cumulative_mg", total, "prednisone_mg"),
        ("cumulative_mg_per_kg", total, "mg_per_kg"),
        ("cumulative_complete", total, "complete"),
    ):
        frame[name] = frame["patient_id"].map(source[column])
    frame["alive_low_dose"], frame["alive_low_dose_reason"] = low["success"], low["reason"]
    frame["composite_rank"] = composite_rank(doses, patients, day=day, rule=rule, unit=unit)["rank"]
    for threshold in thresholds:
        timed = time_to_dose_at_most(doses, patients, threshold, unit=unit, hold_days=hold_days, horizon=day)
        frame[f"time_to_{threshold:g}"], frame[f"status_to_{threshold:g}"] = timed["time"], timed["status"]
    frame.attrs["note"] = SURVIVORS_NOTE
    return frame
