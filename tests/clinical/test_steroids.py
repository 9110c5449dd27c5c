"""Glucocorticoid doses: equivalence, overlaps, gaps, weights, windows, endpoints of the dose."""

import numpy as np
import pandas as pd
import pytest

from helpers.clinical.errors import ClinicalError
from helpers.clinical.steroids import (
    DOSE_COLUMNS,
    courses_outside_follow_up,
    cumulative_dose,
    daily_glucocorticoid_dose,
    default_equivalents,
    percentage_fall,
    prednisone_equivalent,
    time_to_dose_at_most,
    weekly_dose,
)

COLUMNS = ["patient_id", "drug", "start_day", "stop_day", "dose", "unit", "route", "times_per_day"]


def courses(*rows, patient="P"):
    table = pd.DataFrame([[patient, *row] for row in rows], columns=COLUMNS)
    table["source_row"] = range(2, len(table) + 2)
    return table


def daily(*rows, weight=50.0, last_day=60, **options):
    frame = daily_glucocorticoid_dose(courses(*rows), {"P": weight}, last_day=last_day, **options)
    assert list(frame.columns) == DOSE_COLUMNS
    return frame.set_index("day")


@pytest.mark.parametrize(
    ("drug", "dose", "prednisone"),
    [
        ("prednisone", 5, 5),
        ("prednisolone", 5, 5),
        ("methylprednisolone", 4, 5),
        ("methylprednisolone", 80, 100),
        ("methylprednisolone", 500, 625),
        ("dexamethasone", 0.75, 5),
        ("dexamethasone", 20, 133.333333),
        ("dexamethasone", 40, 266.666667),
        ("dexamethasone", 15, 100),
        ("hydrocortisone", 20, 5),
        ("cortisone", 25, 5),
        ("triamcinolone", 4, 5),
        ("betamethasone", 0.6, 5),
        ("deflazacort", 6, 5),
    ],
)
def test_prednisone_equivalents(drug, dose, prednisone):
    assert prednisone_equivalent(drug, dose, "iv") == pytest.approx(prednisone)
    np.testing.assert_allclose(prednisone_equivalent(drug, [dose, 0], "po"), [prednisone, 0])


@pytest.mark.parametrize(
    ("drug", "route", "message"),
    [
        ("budesonide", "po", "'budesonide' is a glucocorticoid with local effect only"),
        ("prednisolone", "topical", "'prednisolone', route 'topical': only systemic routes"),
        ("methylprednisolone", "inhaled", "expected im, iv, po"),
        ("ivig", "iv", "'ivig' is not a glucocorticoid"),
        ("prednisonum", "po", "'prednisonum' is unknown; glucocorticoids known are betamethasone"),
    ],
)
def test_what_has_no_systemic_equivalent_is_refused_by_name(drug, route, message):
    with pytest.raises(ClinicalError, match=message):
        prednisone_equivalent(drug, 10, route)


def test_factor_can_be_replaced_and_standing_says_so():
    table = default_equivalents().replace(betamethasone=0.75)
    assert prednisone_equivalent("betamethasone", 0.75, "iv", equivalents=table) == 5
    assert table.standing["betamethasone"] == "set by the caller"
    assert default_equivalents().standing["deflazacort"] == "unverified"


def test_doses_of_several_drugs_and_times_per_day_add():
    frame = daily(("prednisone", 0, 5, 10, "mg", "po", 2), ("methylprednisolone", 3, 3, 40, "mg", "iv", 1))
    assert frame.loc[[2, 3, 4], "prednisone_mg"].tolist() == [20, 70, 20]
    assert frame.loc[3, "mg_per_kg"] == 1.4


def test_both_ends_of_a_course_are_treatment_days():
    frame = daily(("prednisone", 2, 4, 10, "mg", "po", 1))
    assert frame.index.min() == 2
    assert frame["prednisone_mg"].sum() == 30


@pytest.mark.parametrize(("overlap", "expected"), [("latest", 30), ("add", 70), ("max", 40)])
def test_overlap_of_the_same_drug_and_route(overlap, expected):
    rows = [("prednisone", 0, 10, 40, "mg", "po", 1), ("prednisone", 10, 20, 30, "mg", "po", 1)]
    frame = daily(*rows, overlap=overlap)
    assert frame.loc[[9, 10, 11], "prednisone_mg"].tolist() == [40, expected, 30]


def test_older_course_goes_on_after_a_pulse_inside_it():
    frame = daily(
        ("methylprednisolone", -14, 0, 40, "mg", "iv", 1), ("methylprednisolone", -7, -5, 500, "mg", "iv", 1)
    )
    assert frame.loc[[-8, -7, -5, -4], "prednisone_mg"].tolist() == [50, 625, 625, 50]


def test_morning_and_evening_rows_that_start_together_add():
    frame = daily(("prednisone", 0, 3, 30, "mg", "po", 1), ("prednisone", 0, 3, 20, "mg", "po", 1))
    assert frame.loc[0, "prednisone_mg"] == 50


def test_same_drug_by_another_route_is_no_overlap():
    frame = daily(("prednisolone", 0, 3, 30, "mg", "po", 1), ("prednisolone", 1, 3, 20, "mg", "iv", 1))
    assert frame.loc[1, "prednisone_mg"] == 50


def test_gaps_are_zero_dose_days_and_days_before_the_first_course_are_no_rows():
    frame = daily(
        ("prednisone", -3, -1, 10, "mg", "po", 1), ("prednisone", 2, 3, 10, "mg", "po", 1), last_day=5
    )
    assert frame["prednisone_mg"].to_dict() == {-3: 10, -2: 10, -1: 10, 0: 0, 1: 0, 2: 10, 3: 10, 4: 0, 5: 0}
    ended = daily(("prednisone", -3, -1, 10, "mg", "po", 1), last_day=5, after_last_course="end")
    assert ended.index.max() == -1


def test_ongoing_course_runs_to_the_last_day_and_no_further():
    assert daily(("prednisone", 0, None, 10, "mg", "po", 1), last_day=19).index.max() == 19
    assert daily(("prednisone", 0, 100, 10, "mg", "po", 1), last_day=19).index.max() == 19


def test_course_after_the_end_of_follow_up_adds_nothing_and_is_listed():
    rows = [("prednisone", 0, 3, 10, "mg", "po", 1), ("prednisone", 30, 40, 10, "mg", "po", 1)]
    assert daily(*rows, last_day=19)["prednisone_mg"].sum() == 40
    assert courses_outside_follow_up(courses(*rows), {"P": 19})["source_row"].tolist() == [3]


def test_weight_in_force_is_the_last_on_or_before_the_day_else_the_first():
    weights = pd.DataFrame({"patient_id": "P", "day": [0, 7], "weight_kg": [50.0, 40.0]})
    frame = daily_glucocorticoid_dose(
        courses(("prednisone", -2, 8, 40, "mg", "po", 1)), weights, last_day={"P": 8}
    ).set_index("day")
    assert frame.loc[[-2, 0, 6, 7, 8], "weight_kg"].tolist() == [50, 50, 50, 40, 40]
    assert frame.loc[[6, 7], "mg_per_kg"].tolist() == [0.8, 1.0]
    by_weight = daily_glucocorticoid_dose(
        courses(("prednisone", -2, 8, 1, "mg/kg", "po", 1)), weights, last_day={"P": 8}
    ).set_index("day")
    assert by_weight.loc[[6, 7], "prednisone_mg"].tolist() == [50, 40]
    assert (by_weight["mg_per_kg"] == 1).all()


def test_without_a_weight_only_what_needs_it_is_missing():
    frame = daily(
        ("prednisone", 0, 1, 40, "mg", "po", 1), ("prednisone", 3, 4, 1, "mg/kg", "po", 1), weight=np.nan
    )
    assert frame.loc[0, "prednisone_mg"] == 40
    assert np.isnan(frame.loc[0, "mg_per_kg"])
    assert frame.loc[2, "mg_per_kg"] == 0
    assert frame.loc[3, "mg_per_kg"] == 1
    assert np.isnan(frame.loc[3, "prednisone_mg"])


def test_units_of_dose():
    assert daily(("methylprednisolone", 0, 0, 0.5, "g", "iv", 1)).loc[0, "prednisone_mg"] == 625
    dexamethasone = ("dexamethasone", 0, 0, 10, "mg/m2", "iv", 1)
    frame = daily(dexamethasone, body_surface_m2={"P": 1.5})
    assert frame.loc[0, "prednisone_mg"] == pytest.approx(100)
    with pytest.raises(ClinicalError, match=r"row 2, patient P.*mg/m2 needs the patient's body surface area"):
        daily(dexamethasone)


def test_other_drugs_are_no_glucocorticoids_and_unknown_ones_are_refused():
    assert (
        daily(("ivig", 0, 4, 0.4, "g/kg", "iv", 1), ("prednisone", 2, 3, 5, "mg", "po", 1)).index.min() == 2
    )
    assert daily(("ivig", 0, 4, 0.4, "g/kg", "iv", 1)).empty
    rows = [("predinsone", 0, 3, 5, "mg", "po", 1), ("budesonide", 0, 3, 5, "mg", "po", 1)]
    with pytest.raises(ClinicalError) as error:
        daily(*rows)
    assert [problem.split(":")[0] for problem in error.value.problems] == [
        "table treatments, row 2, patient P",
        "table treatments, row 3, patient P",
    ]
    assert daily(rows[0], unknown_drugs="ignore").empty


def test_unusable_rows_are_all_told_at_once():
    rows = [
        ("prednisone", 0, 3, -5, "mg", "po", 1),
        ("prednisone", 0, 3, 5, "mcg", "po", 1),
        ("prednisone", 5, 3, 5, "mg", "po", 1),
        ("prednisone", 0, 3, 5, "mg", "po", np.nan),
    ]
    with pytest.raises(ClinicalError) as error:
        daily(*rows)
    columns = [problem.split("column ")[1].split(":")[0] for problem in error.value.problems]
    assert columns == ["dose", "times_per_day", "unit", "stop_day"]
    with pytest.raises(ClinicalError, match="no last day of follow-up for patient P"):
        daily(("prednisone", 0, 3, 5, "mg", "po", 1), last_day={"Q": 3})


def test_daily_doses_agree_with_a_count_by_hand_on_random_courses():
    rng = np.random.default_rng(11)
    drugs = {"prednisone": 1.0, "methylprednisolone": 1.25, "dexamethasone": 5 / 0.75}
    rows = []
    for patient in range(20):
        for _ in range(6):
            start = int(rng.integers(-20, 40))
            drug = str(rng.choice(list(drugs)))
            stop = None if rng.random() < 0.2 else start + int(rng.integers(0, 15))
            route = str(rng.choice(["iv", "po"]))
            rows.append([f"P{patient:02d}", drug, start, stop, int(rng.integers(1, 80)), "mg", route, 2])
    table = pd.DataFrame(rows, columns=COLUMNS)
    frame = daily_glucocorticoid_dose(table, {f"P{i:02d}": 50.0 for i in range(20)}, last_day=45)
    for patient, part in frame.groupby("patient_id", observed=True):
        mine = [row for row in rows if row[0] == patient]
        for day, amount in zip(part["day"], part["prednisone_mg"], strict=True):
            on = [row for row in mine if row[2] <= day and (row[3] is None or day <= row[3])]
            total = 0.0
            for _, drug, start, _, dose, _, route, times in on:
                newer = [row for row in on if row[1] == drug and row[6] == route and row[2] > start]
                total += 0 if newer else dose * times * drugs[drug]
            assert amount == pytest.approx(total)


def test_week_windows():
    rows = [("prednisone", -7, -1, 70, "mg", "po", 1), ("prednisone", 0, 0, 700, "mg", "po", 1)]
    frame = daily_glucocorticoid_dose(
        courses(*rows, ("prednisone", 1, 7, 35, "mg", "po", 1)), {"P": 70.0}, last_day=60
    )
    baseline, week_1 = weekly_dose(frame, 0).iloc[0], weekly_dose(frame, 7).iloc[0]
    assert baseline[["first_day", "last_day", "n_days", "mg_per_kg"]].tolist() == [-7, -1, 7, 1.0]
    assert week_1[["first_day", "last_day", "n_days", "mg_per_kg"]].tolist() == [1, 7, 7, 0.5]
    assert weekly_dose(frame, 0, rule="last").iloc[0]["mg_per_kg"] == 10
    assert weekly_dose(frame, 56).iloc[0]["mg_per_kg"] == 0
    assert percentage_fall(frame, 7).iloc[0]["fall_percent"] == 50


def test_week_of_the_dead_and_of_an_incomplete_record():
    frame = daily_glucocorticoid_dose(
        courses(("prednisone", -3, None, 50, "mg", "po", 1)), {"P": 50.0}, last_day=19
    )
    week_3 = weekly_dose(frame, 21).iloc[0]
    assert week_3["status"] == "not followed"
    assert np.isnan(week_3["mg_per_kg"])
    assert weekly_dose(frame, 19).iloc[0]["status"] == "observed"
    assert weekly_dose(frame, 0).iloc[0][["n_days", "status"]].tolist() == [3, "observed"]
    assert weekly_dose(frame, 0, minimum_days=4).iloc[0]["status"] == "too few days"
    assert np.isnan(percentage_fall(frame, 56).iloc[0]["fall_percent"])


PATIENT = {"patient_id": ["P"], "followup_days": [60.0], "died": [False]}


@pytest.mark.parametrize(
    ("rows", "died", "follow", "time", "status"),
    [
        # 25 mg at 50 kg is exactly 0.5 mg/kg
        (
            [("prednisone", 0, 9, 50, "mg", "po", 1), ("prednisone", 10, 60, 25, "mg", "po", 1)],
            False,
            60,
            10,
            1,
        ),
        (
            [("prednisone", 0, 9, 50, "mg", "po", 1), ("prednisone", 10, 60, 25.1, "mg", "po", 1)],
            False,
            60,
            56,
            0,
        ),
        # two low days are no lasting fall, three are
        (
            [("prednisone", 0, 9, 50, "mg", "po", 1), ("prednisone", 12, 60, 50, "mg", "po", 1)],
            False,
            60,
            56,
            0,
        ),
        (
            [("prednisone", 0, 9, 50, "mg", "po", 1), ("prednisone", 13, 60, 50, "mg", "po", 1)],
            False,
            60,
            10,
            1,
        ),
        # death before, and death within the run
        ([("prednisone", 0, None, 50, "mg", "po", 1)], True, 19, 19, 2),
        ([("prednisone", 0, 17, 50, "mg", "po", 1)], True, 19, 19, 2),
        ([("prednisone", 0, 16, 50, "mg", "po", 1)], True, 19, 17, 1),
        # lost early, low from the start, reached after the horizon
        ([("prednisone", 0, None, 50, "mg", "po", 1)], False, 30, 30, 0),
        ([("prednisone", -5, None, 10, "mg", "po", 1)], False, 60, 0, 1),
        ([("prednisone", 0, 56, 50, "mg", "po", 1)], False, 70, 56, 0),
        ([("prednisone", 0, None, 50, "mg", "po", 1)], True, 58, 56, 0),
    ],
)
def test_time_to_a_lasting_dose_with_death_competing(rows, died, follow, time, status):
    patients = pd.DataFrame({"patient_id": ["P"], "followup_days": [float(follow)], "died": [died]})
    frame = daily_glucocorticoid_dose(courses(*rows), {"P": 50.0}, last_day=follow)
    result = time_to_dose_at_most(frame, patients, 0.5, horizon=56).iloc[0]
    assert (result["time"], result["status"]) == (time, status)


def test_hold_days_is_a_setting():
    frame = daily_glucocorticoid_dose(
        courses(("prednisone", 0, 9, 50, "mg", "po", 1), ("prednisone", 11, 60, 50, "mg", "po", 1)),
        {"P": 50.0},
        last_day=60,
    )
    patients = pd.DataFrame(PATIENT)
    assert time_to_dose_at_most(frame, patients, 0.5, hold_days=1)["time"].tolist() == [10]
    assert time_to_dose_at_most(frame, patients, 0.5)["status"].tolist() == [0]
    with pytest.raises(ClinicalError, match="hold_days"):
        time_to_dose_at_most(frame, patients, 0.5, hold_days=0)


def test_cumulative_dose_says_whether_all_days_were_lived():
    frame = daily_glucocorticoid_dose(
        pd.concat([courses(("prednisone", -5, None, 10, "mg", "po", 1)),
                   courses(("prednisone", -5, None, 10, "mg", "po", 1), patient="Q")]),
        {"P": 50.0, "Q": 50.0}, last_day={"P": 60, "Q": 19},
    )  # fmt: skip
    total = cumulative_dose(frame).set_index("patient_id")
    assert total["prednisone_mg"].to_dict() == {"P": 560, "Q": 200}
    assert total["n_days"].to_dict() == {"P": 56, "Q": 20}
    assert total["complete"].to_dict() == {"P": True, "Q": False}
