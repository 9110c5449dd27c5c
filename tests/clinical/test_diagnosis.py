"""HLH-2004, EULAR/ACR/PRINTO, Yamaguchi, refractoriness and eligibility: one patient an edge."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers.clinical.definitions import load_set
from helpers.clinical.diagnosis import cohen_kappa, criteria_agreement, evaluate_by_name
from helpers.clinical.eligibility import Verdicts, eligibility
from helpers.clinical.errors import ClinicalError
from helpers.clinical.facts import Written
from helpers.clinical.refractoriness import TreatmentHistory, longest_runs, refractoriness
from helpers.clinical.rules import STATE_NAMES
from helpers.clinical.steroids import daily_glucocorticoid_dose

from .conftest import make_facts

DIAGNOSTIC = (
    "hlh_2004", "hlh_2004_paper", "hlh_2024", "hscore", "eular_acr_printo_2016", "yamaguchi_1992",
    "ms_score", "ohi_2022",
)  # fmt: skip
ALL_SIGNS = ("fever", "splenomegaly", "hemophagocytosis", "nk_activity_low")


def state(name, item, values, signs=None, **settings):
    facts, _ = make_facts({"baseline": {"crp": 1, "ferritin": 1, **values}}, signs)
    return evaluate_by_name(name, facts, settings=settings).frame().iloc[0][item]


@pytest.mark.parametrize(
    ("item", "values", "signs", "expected"),
    [
        ("fever", {"temperature": 38.5}, None, "met"),
        ("fever", {"temperature": 38.4}, None, "not met"),
        ("fever", {}, {"fever": False}, "not met"),
        ("fever", {}, None, "not done"),
        ("fever", {"temperature": 39}, {"fever": False}, "met"),
        ("fever", {"temperature": 38.4}, {"fever": False}, "not met"),
        ("fever", {"temperature": 36}, {"fever": True}, "met"),
        ("splenomegaly", {"splenomegaly": 1}, None, "met"),
        ("splenomegaly", {"splenomegaly": 0}, {"splenomegaly": True}, "not met"),  # measured stands first
        ("cytopenia", {"hemoglobin": 89, "platelets": 99, "neutrophils": 5}, None, "met"),
        ("cytopenia", {"hemoglobin": 90, "platelets": 99, "neutrophils": 5}, None, "not met"),
        ("cytopenia", {"hemoglobin": 89, "platelets": 100, "neutrophils": 1.0}, None, "not met"),
        ("cytopenia", {"hemoglobin": 89, "platelets": 100, "neutrophils": 0.99}, None, "met"),
        ("cytopenia", {"hemoglobin": 89, "platelets": 150}, None, "not done"),
        ("cytopenia", {"hemoglobin": 120, "platelets": 150}, None, "not met"),
        ("triglycerides_fibrinogen", {"triglycerides": 3.0, "fibrinogen": 4}, None, "met"),
        ("triglycerides_fibrinogen", {"triglycerides": 2.99, "fibrinogen": 1.51}, None, "not met"),
        ("triglycerides_fibrinogen", {"fibrinogen": 1.5}, None, "met"),
        ("triglycerides_fibrinogen", {"fibrinogen": 1.51}, None, "not done"),
        ("ferritin", {"ferritin": 500}, None, "met"),
        ("ferritin", {"ferritin": 499.9}, None, "not met"),
        ("ferritin", {"ferritin": ">1500"}, None, "met"),
        ("scd25", {"scd25": 2400}, None, "met"),
        ("scd25", {"scd25": 2399}, None, "not met"),
        ("hemophagocytosis", {}, {"hemophagocytosis": True}, "met"),
        ("nk_activity", {}, {"nk_activity_low": False}, "not met"),
    ],
)
def test_hlh_2004_items(item, values, signs, expected):
    assert state("hlh_2004", item, values, signs) == expected


@pytest.mark.parametrize(
    ("item", "values", "signs", "expected"),
    [
        ("ferritin", {"ferritin": 3000}, None, "met"),
        ("ferritin", {"ferritin": 2999}, None, "not met"),
        ("ferritin", {"ferritin": ">1500"}, None, "undetermined"),
        ("scd25", {"scd25": 2400}, None, "not met"),
        ("scd25", {"scd25": 2401}, None, "met"),
        ("fever", {"temperature": 40}, {"fever": False}, "not met"),  # persistent fever as recorded
        ("fever", {"temperature": 38.5}, None, "met"),
        ("cytopenia", {"hemoglobin": 89.9, "platelets": 99.9, "neutrophils": 3}, None, "met"),
    ],
)
def test_items_as_the_paper_changes_them(item, values, signs, expected):
    assert state("hlh_2004_paper", item, values, signs) == expected


def test_strictness_is_a_setting():
    assert state("hlh_2004", "ferritin", {"ferritin": 500}, ferritin_op=">") == "not met"
    assert (
        state(
            "hlh_2004",
            "triglycerides_fibrinogen",
            {"triglycerides": 3, "fibrinogen": 3},
            triglycerides_op=">",
        )
        == "not met"
    )
    assert state("hlh_2004_paper", "scd25", {"scd25": 2400}, scd25_op=">=") == "met"
    assert state("hlh_2004_paper", "ferritin", {"ferritin": 500}, ferritin=500) == "met"


FIVE = {
    "ferritin": 9000,
    "triglycerides": 5,
    "hemoglobin": 80,
    "platelets": 50,
    "neutrophils": 3,
    "scd25": 100,
}


NO_SIGNS = {"fever": False, "splenomegaly": False, "hemophagocytosis": False, "nk_activity_low": False}
NK_NOT_DONE = {"fever": True, "splenomegaly": False, "hemophagocytosis": False}


@pytest.mark.parametrize(
    ("signs", "missing", "verdict", "met"),
    [
        ({**NO_SIGNS, "fever": True, "splenomegaly": True}, None, "met", 5),
        ({**NO_SIGNS, "fever": True}, None, "not met", 4),
        (NK_NOT_DONE, None, "undetermined", 4),
        (NK_NOT_DONE, "not_met", "not met", 4),
        ({**NK_NOT_DONE, "fever": False}, None, "not met", 3),
        ({**NO_SIGNS, "fever": True, "molecular_diagnosis": True}, None, "met", 4),
    ],
)
def test_five_of_eight_or_a_molecular_diagnosis(signs, missing, verdict, met):
    facts, _ = make_facts({"baseline": FIVE}, signs)
    row = evaluate_by_name("hlh_2004", facts, missing=missing).frame().iloc[0]
    assert (row["verdict"], row["n_met"]) == (verdict, met)
    assert row["n_met_lowest"] <= row["n_met_highest"]


def test_bounds_count_censored_and_missing_items():
    facts, _ = make_facts({"baseline": {**FIVE, "ferritin": ">1500"}}, {"fever": True, "splenomegaly": True})
    row = evaluate_by_name("hlh_2004_paper", facts).frame().iloc[0]
    counts = row[["n_met", "n_not_met", "n_undetermined", "n_not_done", "n_met_highest"]].tolist()
    assert counts == [4, 1, 1, 2, 7]
    assert row["verdict"] == "undetermined"


@pytest.mark.parametrize(
    ("ferritin", "platelets", "ast", "triglycerides", "fibrinogen", "verdict"),
    [
        (685, 181, 49, 1, 5, "met"),
        (684, 181, 49, 1, 5, "not met"),
        (685, 182, 49, 1, 5, "not met"),
        (685, 181, 48, 1, 5, "not met"),
        (685, 200, 48, 1.77, 3.6, "met"),
        (685, 200, 48, 1.76, 3.6, "not met"),
        (685, 200, 48, 1.77, 3.61, "not met"),
        (685, 181, 49, None, None, "met"),
        (685, 181, None, None, None, "undetermined"),
        (">1500", 181, 49, None, None, "met"),
        (">500", 181, 49, None, None, "undetermined"),
    ],
)
def test_eular_acr_printo_thresholds(ferritin, platelets, ast, triglycerides, fibrinogen, verdict):
    values = {"ferritin": ferritin, "platelets": platelets, "ast": ast}
    values |= {"triglycerides": triglycerides, "fibrinogen": fibrinogen}
    facts, _ = make_facts({"baseline": {k: v for k, v in values.items() if v is not None}}, {"fever": True})
    assert evaluate_by_name("eular_acr_printo_2016", facts).frame().iloc[0]["verdict"] == verdict


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [(156, "mg/dL", "not met"), (157, "mg/dL", "met"), (1.76, "mmol/L", "not met"), (1.77, "mmol/L", "met")],
)
def test_eular_acr_printo_triglycerides_in_the_unit_that_was_measured(value, unit, expected):
    facts, _ = make_facts({"baseline": {"triglycerides": value if unit == "mmol/L" else value / 88.57}})
    written = Written(np.full(5, float(value)), np.array([0, -1, -1, -1, -1]), (unit,))
    column = replace(facts.columns["triglycerides"], written=written)
    facts = replace(facts, columns={**facts.columns, "triglycerides": column, "ferritin": column})
    assert evaluate_by_name("eular_acr_printo_2016", facts).frame().iloc[0]["triglycerides"] == expected


def test_eular_acr_printo_asks_for_fever():
    values = {"ferritin": 685, "platelets": 181, "ast": 49, "temperature": 37}
    facts, _ = make_facts({"baseline": values}, {"fever": False})
    assert evaluate_by_name("eular_acr_printo_2016", facts).frame().iloc[0]["verdict"] == "not met"


STILL = {"fever": True, "arthralgia": True, "rash": False, "sore_throat": True, "lymphadenopathy": False}
STILL |= {"splenomegaly": False, "ana_or_rf_positive": False}


@pytest.mark.parametrize(
    ("values", "signs", "verdict"),
    [
        ({"alt": 80, "leucocytes": 9.9, "neutrophils": 9}, {}, "met"),  # 2 major, 3 minor
        ({"alt": 40, "ast": 40, "leucocytes": 9.9, "neutrophils": 9}, {}, "not met"),  # 2 + 2
        ({"alt": 40, "ast": 40, "leucocytes": 10, "neutrophils": 8}, {}, "met"),  # 10 and 80% count
        ({"alt": 40, "ast": 40, "leucocytes": 10, "neutrophils": 7.9}, {}, "not met"),
        ({"alt": 80, "leucocytes": 5, "neutrophils": 2}, {"arthralgia": False}, "not met"),  # one major
        ({"alt": 80, "leucocytes": 5, "neutrophils": 2}, {"infection": True}, "not met"),
        ({"alt": 80, "leucocytes": 5, "neutrophils": 2}, {"arthralgia_two_weeks": False}, "not met"),
        ({"alt": 80, "leucocytes": 5, "neutrophils": 2}, {"ana_or_rf_positive": True}, "not met"),
    ],
)
def test_yamaguchi(values, signs, verdict):
    facts, _ = make_facts({"baseline": values}, {**STILL, **signs})
    assert evaluate_by_name("yamaguchi_1992", facts).frame().iloc[0]["verdict"] == verdict


BY_EITHER = ("hlh_2004_paper", "hscore")


def test_mas_by_either_criteria_set():
    signs = dict.fromkeys(ALL_SIGNS, False) | {"hepatomegaly": False, "known_immunosuppression": False}
    labs = {
        "hemoglobin": 92,
        "leucocytes": 5,
        "platelets": 110,
        "neutrophils": 3,
        "ferritin": 6001,
        "ast": 30,
    }
    labs |= {"triglycerides": 1.5, "fibrinogen": 2.5, "temperature": 37, "scd25": 100}
    facts, _ = make_facts({"baseline": labs}, signs)
    # 34 + 50 + 44 + 30 + 19 = 177 points, but one HLH-2004 item
    found = [Verdicts(facts).by_any(names)[0] for names in (["hlh_2004_paper"], ["hscore"], BY_EITHER)]
    assert [STATE_NAMES[int(code)] for code in found] == ["not met", "met", "met"]


def test_agreement_between_criteria():
    frame = pd.DataFrame(
        {"a": ["met"] * 4 + ["not met"] * 4 + ["undetermined"], "b": ["met"] * 3 + ["not met"] * 6}
    )
    row = criteria_agreement(frame, ["a", "b"]).iloc[0]
    assert row[["both_met", "a_only", "b_only", "neither", "undetermined"]].tolist() == [3, 1, 0, 4, 1]
    assert row["agreement"] == 7 / 8
    assert row["kappa"] == pytest.approx(0.75)  # (7/8 - 1/2) / (1 - 1/2)
    assert np.isnan(cohen_kappa(5, 0, 0, 0))
    # Fleiss's textbook table 88 14 / 10 88: kappa 0.76
    assert cohen_kappa(88, 10, 14, 88) == pytest.approx(0.76, abs=1e-3)


def courses(*rows):
    columns = ["patient_id", "drug", "start_day", "stop_day", "dose", "unit", "route", "times_per_day"]
    table = pd.DataFrame([["P", *row] for row in rows], columns=columns)
    table["source_row"] = range(2, len(table) + 2)
    return table


def refractory(treatments, *, weight=50.0, **options):
    reason = options.pop("reason", None)
    patients = pd.DataFrame({"patient_id": ["P"], "followup_days": [56.0], "refractory_reason": [reason]})
    doses = daily_glucocorticoid_dose(treatments, {"P": weight}, last_day=56)
    rule = load_set(options.pop("rule", "refractory_mas"))
    history = TreatmentHistory(patients, treatments, doses, {"P": weight}, **options)
    evaluation, runs = refractoriness(history, rule)
    return evaluation.frame().iloc[0], runs


@pytest.mark.parametrize(
    ("rows", "high_dose", "pulse", "verdict"),
    [
        # exactly two weeks of exactly 2 mg/kg
        ([("prednisone", -14, 20, 100, "mg", "po", 1)], "met", "not met", "met"),
        ([("prednisone", -13, 20, 100, "mg", "po", 1)], "not met", "not met", "not met"),
        ([("prednisone", -14, 20, 99, "mg", "po", 1)], "not met", "not met", "not met"),
        ([("prednisone", -14, 20, 1, "mg/kg", "po", 2)], "met", "not met", "met"),
        # one missed day breaks the two weeks
        ([("prednisone", -15, -8, 100, "mg", "po", 1), ("prednisone", -6, -1, 100, "mg", "po", 1)],
         "not met", "not met", "not met"),
        # two drugs add up to the dose
        ([("prednisone", -14, -1, 50, "mg", "po", 1), ("methylprednisolone", -14, -1, 40, "mg", "iv", 1)],
         "met", "not met", "met"),
        # pulses: three days, two days, three days by mouth, just below the pulse dose
        ([("methylprednisolone", -5, -3, 500, "mg", "iv", 1)], "not met", "met", "met"),
        ([("methylprednisolone", -5, -4, 500, "mg", "iv", 1)], "not met", "not met", "not met"),
        ([("methylprednisolone", -5, -3, 500, "mg", "po", 1)], "not met", "not met", "not met"),
        ([("methylprednisolone", -5, -3, 200, "mg", "iv", 1)], "not met", "met", "met"),
        ([("methylprednisolone", -5, -3, 199, "mg", "iv", 1)], "not met", "not met", "not met"),
        ([("methylprednisolone", -1, 1, 500, "mg", "iv", 1)], "not met", "not met", "not met"),
        # nothing recorded before day 0
        ([("prednisone", 0, 20, 100, "mg", "po", 1)], "not done", "not done", "undetermined"),
    ],
)  # fmt: skip
def test_refractoriness_by_dose_and_pulse(rows, high_dose, pulse, verdict):
    row, _ = refractory(courses(*rows))
    assert row[["high_dose", "pulse", "verdict"]].tolist() == [high_dose, pulse, verdict]


@pytest.mark.parametrize(
    ("first_day", "dose", "prior", "verdict"),
    [
        (-3, 100, None, "met"),
        (-2, 100, None, "not met"),
        (-3, 99, None, "not met"),
        (-3, 100, {"P": True}, "not met"),
    ],
)
def test_refractory_as_in_the_emapalumab_trials(first_day, dose, prior, verdict):
    table = courses(("prednisone", first_day, 20, dose, "mg", "po", 1))
    row, runs = refractory(table, rule="refractory_emerald", prior_response=prior)
    assert row["verdict"] == verdict
    assert set(runs["kind"]) == {"high dose"}


def test_what_was_entered_stands_before_what_was_worked_out():
    week = courses(("prednisone", -7, 20, 100, "mg", "po", 1))
    patients = pd.DataFrame({"patient_id": ["P"], "followup_days": [56.0], "recurrence_on_taper": [True]})
    doses = daily_glucocorticoid_dose(week, {"P": 50.0}, last_day=56)
    history = TreatmentHistory(patients, week, doses, {"P": 50.0})
    rule = load_set("refractory_mas")
    assert refractoriness(history, rule)[0].frame()["verdict"].tolist() == ["met"]
    patients["prior_response"] = True
    assert refractoriness(history, rule)[0].frame()["verdict"].tolist() == ["not met"]


def test_refractoriness_by_recurrence_and_prior_response():
    week = courses(("prednisone", -7, 20, 100, "mg", "po", 1))
    assert refractory(week, reason="recurrence during taper")[0]["verdict"] == "met"
    assert refractory(week, reason="no response")[0]["verdict"] == "not met"
    long = courses(("prednisone", -20, 20, 100, "mg", "po", 1))
    assert refractory(long, prior_response={"P": False})[0]["verdict"] == "met"
    assert refractory(long, prior_response={"P": True})[0]["verdict"] == "not met"


def test_run_that_starts_with_the_record_can_be_taken_as_cut_short():
    week = courses(("prednisone", -7, 20, 100, "mg", "po", 1))
    assert refractory(week, record_complete=False)[0]["high_dose"] == "undetermined"
    late = courses(("prednisone", -20, -18, 10, "mg", "po", 1), ("prednisone", -7, 20, 100, "mg", "po", 1))
    assert refractory(late, record_complete=False)[0]["high_dose"] == "not met"


def test_runs_name_the_courses_behind_them():
    table = courses(("prednisone", -20, -9, 100, "mg", "po", 1), ("ivig", -12, -8, 0.4, "g/kg", "iv", 1),
                    ("methylprednisolone", -8, -6, 500, "mg", "iv", 1))  # fmt: skip
    _, runs = refractory(table)
    high, pulse = runs.set_index("kind").loc[["high dose", "pulse"]].to_dict("records")
    assert (high["run_days"], high["first_day"], high["last_day"], high["source_rows"]) == (
        15,
        -20,
        -6,
        "2, 4",
    )
    assert (pulse["run_days"], pulse["lowest"], pulse["source_rows"]) == (3, 625, "4")


def test_longest_run_takes_the_latest_of_equals():
    doses = pd.DataFrame({"patient_id": "P", "day": [-9, -8, -7, -4, -3, -2, 0, 1, 2, 3], "mg_per_kg": 2.0})
    row = longest_runs(doses, "mg_per_kg", 2.0).iloc[0]
    assert (row["run_days"], row["first_day"], row["last_day"]) == (3, -4, -2)


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "met"),
        ({"age": 18.0}, "met"),
        ({"age": 17.9}, "not met"),
        ({"diagnosis": ""}, "not met"),
        ({"pregnancy": True}, "not met"),
        ({"malignancy": True}, "not met"),
        ({"cns_infection": True}, "not met"),
        ({"age": np.nan}, "undetermined"),
    ],
)
def test_eligibility(changes, verdict):
    signs = {"fever": True, "splenomegaly": True, "age": 40.0} | {
        k: v for k, v in changes.items() if k != "diagnosis"
    }
    facts, patients = make_facts({"baseline": FIVE}, signs)
    if "diagnosis" in changes:
        patients["diagnosis"] = changes["diagnosis"]
    treatments = courses(("prednisone", -14, 20, 100, "mg", "po", 1))
    doses = daily_glucocorticoid_dose(treatments, {"P": 50.0}, last_day=56)
    history = TreatmentHistory(patients, treatments, doses, {"P": 50.0})
    evaluation, _ = refractoriness(history, load_set("refractory_mas"))
    result = eligibility(load_set("eligibility_paper"), patients, Verdicts(facts), evaluation)
    assert result.frame()["verdict"].tolist() == [verdict]


def test_eligibility_needs_a_baseline_of_every_patient():
    facts, patients = make_facts({"week_1": FIVE})
    lonely = pd.concat([patients, patients.assign(patient_id="Q")], ignore_index=True)
    with pytest.raises(ClinicalError, match="one baseline row for every patient"):
        eligibility(load_set("eligibility_paper"), lonely, Verdicts(facts), None)


def test_all_diagnostic_criteria_evaluate_on_one_table():
    facts, _ = make_facts({"baseline": {**FIVE, "ast": 50, "alt": 50}}, {"fever": True})
    for name in DIAGNOSTIC:
        evidence = evaluate_by_name(name, facts).evidence(np.arange(len(facts)) == 0)
        assert {"rule", "value", "source_row", "state"} <= set(evidence.columns)
        assert (evidence["criteria"] == name).all()
        done = evidence[evidence["rule_state"].isin(["met", "not met"])]
        assert done["value"].notna().all()


@pytest.mark.parametrize("counts", [(0, 0, 0, 0), (1, 0, 0, 0), (0, 0, 0, 5)])
def test_kappa_of_nobody_or_of_one_verdict_is_unknown(counts):
    assert np.isnan(cohen_kappa(*counts))
