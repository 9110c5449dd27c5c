"""Steroid-sparing endpoints that count the dead."""

import numpy as np
import pandas as pd

from helpers.clinical.steroid_endpoints import alive_at_low_dose, composite_rank
from helpers.clinical.steroids import daily_glucocorticoid_dose

# name: (dose from day 0 in mg at 50 kg, last day, death day)
COHORT = {
    "low": (10, 90, np.nan),
    "edge": (25, 90, np.nan),
    "above": (25.1, 90, np.nan),
    "tied": (25.1, 90, np.nan),
    "died19": (10, 19, 19),
    "died5": (10, 5, 5),
    "died56": (10, 56, 56),
    "died57": (10, 57, 57),
    "left": (10, 30, np.nan),
}


def cohort():
    rows, patients = [], []
    for name, (dose, last, death) in COHORT.items():
        rows.append([name, "prednisone", -7, -1, 100, "mg", "po", 1])
        rows.append([name, "prednisone", 0, None, dose, "mg", "po", 1])
        patients.append([name, death, float(last), not np.isnan(death)])
    columns = ["patient_id", "drug", "start_day", "stop_day", "dose", "unit", "route", "times_per_day"]
    table = pd.DataFrame(patients, columns=["patient_id", "death_day", "followup_days", "died"])
    last = table.set_index("patient_id")["followup_days"]
    doses = daily_glucocorticoid_dose(
        pd.DataFrame(rows, columns=columns), dict.fromkeys(COHORT, 50.0), last_day=last
    )
    return doses, table


def test_alive_and_at_or_below_half_a_milligram():
    frame = alive_at_low_dose(*cohort()).set_index("patient_id")
    assert frame["reason"].to_dict() == {
        "low": "low dose", "edge": "low dose", "above": "dose above", "tied": "dose above", "died19": "died",
        "died5": "died", "died56": "died", "died57": "low dose", "left": "not known",
    }  # fmt: skip
    assert frame.loc["edge", "success"] and not frame.loc["died19", "success"]  # noqa: PT018
    assert pd.isna(frame.loc["left", "success"])
    assert np.isnan(frame.loc["died56", "dose"])


def test_composite_rank_puts_the_earliest_death_last():
    rank = composite_rank(*cohort()).set_index("patient_id")["rank"]
    assert rank.drop("left").to_dict() == {
        "low": 1.5, "died57": 1.5, "edge": 3, "above": 4.5, "tied": 4.5,
        "died56": 6, "died19": 7, "died5": 8,
    }  # fmt: skip
    assert np.isnan(rank["left"])
    by_fall = composite_rank(*cohort(), use_fall=True).set_index("patient_id")
    assert by_fall["rank"].equals(rank)
    assert by_fall.loc["low", "value"] == 90


def test_everyone_dead_is_still_ranked():
    doses, patients = cohort()
    dead = patients[patients["patient_id"].isin(["died19", "died5"])].reset_index(drop=True)
    assert composite_rank(doses, dead)["rank"].tolist() == [1, 2]
