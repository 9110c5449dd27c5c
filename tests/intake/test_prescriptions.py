"""Doses with unit, route and times a day in one cell, as prescriptions have them."""

from __future__ import annotations

import pytest

from helpers.cohort.cleaning import clean_cohort
from helpers.cohort.written import parse_times
from helpers.intake.deliver import deliver
from helpers.intake.prescriptions import plain_times, prescription

ROUTES = {"po": "po", "iv": "iv", "oral": "po", "口服": "po", "静脉滴注": "iv", "静滴": "iv", "sc": "sc"}


@pytest.mark.parametrize(
    ("text", "dose", "unit", "route", "times"),
    [
        ("5 mg bid", 5, "mg", "", 2),
        ("20mg q12h", 20, "mg", "", 2),
        ("10毫克 每日两次", 10, "mg", "", 2),
        ("10 毫克，口服，每日2次", 10, "mg", "po", 2),
        ("0.5 g po tid", 0.5, "g", "po", 3),
        ("po", None, "", "", None),
        ("40mg/d", 40, "mg", "", 1),
        ("40 mg 静脉滴注 每日一次", 40, "mg", "iv", 1),
        ("2 mg/kg iv q8h", 2, "mg/kg", "iv", 3),
        ("150 mg/m2 iv once daily", 150, "mg/m2", "iv", 1),
        ("8毫克/公斤 静滴 每12小时一次", 8, "mg/kg", "iv", 2),
        ("5mg×2/日", 5, "mg", "", 2),
        ("100 µg sc every other day", 100, "ug", "sc", 0.5),
        ("15 mg qw", 15, "mg", "", 1 / 7),
        ("20 mg", 20, "mg", "", None),
        ("20", None, "", "", None),
        ("5-10 mg bid", None, "", "", None),
        ("5 mg bid or tid", None, "", "", None),
        ("2 tablets bid", None, "", "", None),
    ],
)
def test_parts_of_a_prescription(text, dose, unit, route, times):
    parts = prescription(text, ROUTES)
    if dose is None:
        assert parts is None
        return
    assert (float(parts["dose"]), parts["unit"], parts["route"]) == (dose, unit, route)
    assert parse_times(parts["times_per_day"]) == (pytest.approx(times) if times else None)


@pytest.mark.parametrize("text", ["", "2", "bid", "prn", "every now and then", "隔日", "每天"])
def test_times_that_are_numbers_or_unknown_stay(text):
    assert plain_times(text) == {"隔日": "0.5", "每天": "1"}.get(text, text)


PATIENTS = """Subject ID,Arm,Age,Sex,Weight (kg),Follow-up days,Day of death
A1,Ruxolitinib,40,F,60,80,
A2,Ruxolitinib,50,M,70,90,
B1,Control,45,F,55,30,30
B2,Control,60,M,80,99,
"""
ANSWERS = {"group.treated": "Ruxolitinib", "day0.ruxolitinib": "first dose", "day0.control": "diagnosis"}


def _delivered(tmp_path, treatments):
    files = {"patients.csv": PATIENTS, "drugs.csv": treatments}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return deliver(tmp_path / "taken", [tmp_path / name for name in files], ANSWERS)


def test_a_column_of_prescriptions_becomes_doses(tmp_path):
    head = "Subject ID,Drug,Start day,Stop day,Dose and frequency\n"
    rows = "A1,Ruxolitinib,0,20,5 mg po bid\nB1,Prednisone,0,9,40毫克 口服 每日一次\n"
    rows += "A2,Prednisone,0,9,20mg po q12h\n"
    delivery = _delivered(tmp_path, head + rows)
    assert delivery.problems == []
    taken = clean_cohort(tmp_path / "taken").treatments.set_index(["patient_id", "drug"])
    assert taken.loc[("A1", "ruxolitinib"), ["dose", "unit", "route", "times_per_day"]].tolist() == [
        5.0, "mg", "po", 2.0,
    ]  # fmt: skip
    assert taken.loc[("B1", "prednisone"), ["dose", "times_per_day"]].tolist() == [40.0, 1.0]
    assert taken.loc[("A2", "prednisone"), ["dose", "times_per_day"]].tolist() == [20.0, 2.0]


def test_a_prescription_that_contradicts_its_neighbour_is_an_error(tmp_path):
    head = "Subject ID,Drug,Start day,Stop day,Dose,Frequency\n"
    delivery = _delivered(tmp_path, head + "A1,Ruxolitinib,0,20,5 mg po bid,tid\n")
    (problem,) = [one for one in delivery.problems if one.severity == "error"]
    assert (problem.file, problem.row, problem.column) == ("drugs.csv", 2, "times_per_day")
    assert "'bid' in '5 mg po bid', and 'tid' beside it" in problem.found
