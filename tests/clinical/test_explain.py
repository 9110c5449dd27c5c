"""Explanation of one patient's calls, and the tables of known values it rests on."""

import numpy as np
import pandas as pd
import pytest

from helpers.clinical.definitions import load_set
from helpers.clinical.diagnosis import evaluate_by_name
from helpers.clinical.eligibility import Verdicts, baseline_rows, eligibility
from helpers.clinical.errors import ClinicalError
from helpers.clinical.explain import (
    COLUMNS,
    Diagnosed,
    Judgements,
    ResponseCalls,
    as_text,
    explain_patient,
)
from helpers.clinical.fact_tables import facts_from_measurements, facts_from_visits
from helpers.clinical.refractoriness import TreatmentHistory, refractoriness
from helpers.clinical.response_rules import load_response_rule
from helpers.clinical.steroids import daily_glucocorticoid_dose

from .conftest import VISIT_DAYS, make_facts

SICK = {
    "ferritin": ">1500",
    "triglycerides": 4,
    "hemoglobin": 80,
    "platelets": 50,
    "neutrophils": 1.0,
    "ast": 90,
}


def explained():
    signs = {"fever": True, "splenomegaly": True, "hemophagocytosis": True, "age": 40.0}
    facts, patients = make_facts({"baseline": SICK, "week_3": {"platelets": 90, "triglycerides": 2}}, signs)
    rows = [["P", "prednisone", -14, None, 100, "mg", "po", 1, 7]]
    columns = [
        "patient_id",
        "drug",
        "start_day",
        "stop_day",
        "dose",
        "unit",
        "route",
        "times_per_day",
        "source_row",
    ]
    treatments = pd.DataFrame(rows, columns=columns)
    doses = daily_glucocorticoid_dose(treatments, {"P": 50.0}, last_day=56)
    history = TreatmentHistory(patients, treatments, doses, {"P": 50.0})
    refractory, _ = refractoriness(history, load_set("refractory_mas"))
    eligible = eligibility(load_set("eligibility_paper"), patients, Verdicts(facts), refractory)
    judged = judgements(
        facts, patients, verdicts={"refractory": refractory, "eligible": eligible}, doses=doses
    )
    return explain_patient("P", judged)


def judgements(facts, patients, **more):
    """The calls by the publication's criteria and response rule."""
    diagnoses = [
        Diagnosed(evaluate_by_name(name, facts), baseline_rows(facts))
        for name in ("hlh_2004_paper", "hscore")
    ]
    return Judgements(facts, patients, diagnoses, response=ResponseCalls(load_response_rule()), **more)


def test_every_call_comes_with_value_day_rule_and_source_row():
    frame = explained()
    assert list(frame.columns) == COLUMNS
    answers = frame.drop_duplicates("question").set_index("question")["answer"]
    assert answers["MAS by HLH-2004 criteria as changed by Li 2025"] == "met (5 items met)"
    assert answers["refractory"] == "met"
    assert answers["eligible"] == "met"
    assert answers["response at week_3"] == "PR (rule; improved: triglycerides, platelets)"
    assert answers["glucocorticoid dose at week_3"] == "100.0 mg/day, 2.00 mg/kg/day"
    assert answers["response at week_8"].startswith("missing (nothing recorded")
    ferritin = frame[frame["rule"] == "ferritin >= 3000 ug/L"].iloc[0]
    assert ferritin[["rule_state", "value", "day", "source_row"]].tolist() == [
        "undetermined",
        ">1500 ng/mL",
        0,
        2,
    ]
    run = frame[frame["rule"] == "high_dose_run >= 14 d"].iloc[0]
    assert run[["rule_state", "value", "day", "table", "source_row"]].tolist() == [
        "met",
        "14 d",
        -1,
        "treatments",
        7,
    ]
    sign = frame[frame["rule"] == "fever present"].iloc[0]
    assert sign[["rule_state", "value", "table", "source_row"]].tolist() == ["met", "yes", "patients", 2]
    platelets = frame[frame["rule"] == "platelets >= 1.25 x baseline"].iloc[0]
    assert platelets["value"] == "90 10^9/L (baseline 50, source row 5)"


def test_text_leaves_out_what_was_not_done_unless_asked():
    frame = explained()
    text = as_text(frame)
    assert "ferritin >= 3000 ug/L - >1500 ng/mL [undetermined], day 0, table measurements row 2" in text
    assert "not done" not in text.replace("nothing recorded", "")
    assert "scd25 > 2400 U/mL - not done" in as_text(frame, all_items=True)
    assert text == as_text(explained())


def test_unknown_patient_is_refused():
    facts, patients = make_facts({"baseline": SICK})
    with pytest.raises(ClinicalError, match="patient 'Q' not found"):
        explain_patient("Q", judgements(facts, patients))


def test_dead_patient_is_explained_as_dead():
    facts, patients = make_facts({"baseline": SICK, "week_1": {"platelets": 90}}, death_day=19.0)
    frame = explain_patient("P", judgements(facts, patients), visits=["week_3"])
    answers = frame.drop_duplicates("question").set_index("question")["answer"]
    assert answers["response at week_3"].startswith("NR (died")
    assert "response at week_1" not in answers


def measurements(*rows):
    table = pd.DataFrame(rows, columns=["patient_id", "day", "variable", "value", "unit"])
    return table.assign(qualifier="", source_row=range(2, len(table) + 2))


def test_last_value_within_the_look_back_is_used():
    table = measurements(("P", -9, "ferritin", 1, "ng/mL"), ("P", -3, "ferritin", 2, "ng/mL"),
                         ("P", -1, "ferritin", 3, "ng/mL"), ("P", 1, "ferritin", 4, "ng/mL"),
                         ("P", -2, "hemoglobin", 92, "g/L"))  # fmt: skip
    keys = pd.DataFrame({"patient_id": "P", "day": [0, 8, 9, -2]})
    facts = facts_from_measurements(table, keys, window=(-7, 0))
    np.testing.assert_array_equal(facts.columns["ferritin"].value, [3, 4, np.nan, 2])
    np.testing.assert_array_equal(facts.columns["ferritin"].day, [-1, 1, np.nan, -3])
    np.testing.assert_array_equal(facts.columns["ferritin"].source_row, [4, 5, np.nan, 3])
    np.testing.assert_array_equal(facts.columns["hemoglobin"].value, [92, np.nan, np.nan, 92])
    assert facts.baseline_row.tolist() == [0, 0, 0, 0]


def test_every_patient_has_every_planned_visit():
    columns = ["patient_id", "visit", "variable", "value", "qualifier", "day", "source_row"]
    visits = pd.DataFrame([["P", "week_1", "ferritin", 5, "", 8, 2]], columns=columns)
    patients = pd.DataFrame({"patient_id": ["P", "Q"], "sex": ["female", "male"]})
    facts = facts_from_visits(visits, patients, visit_days=VISIT_DAYS)
    assert len(facts) == 10
    assert facts.keys["day"].tolist() == [0, 7, 14, 21, 56] * 2
    assert facts.columns["ferritin"].value[1] == 5
    assert np.isnan(facts.columns["ferritin"].value[[0, *range(2, 10)]]).all()
    with pytest.raises(ClinicalError, match="patient P not found in table patients"):
        facts_from_visits(visits, patients[patients["patient_id"] == "Q"])
    with pytest.raises(ClinicalError, match="qualifier: found '~'"):
        facts_from_visits(visits.assign(qualifier="~"), patients)


def test_baseline_signs_do_not_hold_at_later_visits_but_lasting_ones_do():
    facts, _ = make_facts({"baseline": SICK}, {"fever": True, "known_immunosuppression": True})
    np.testing.assert_array_equal(facts.columns["fever"].value, [1, *[np.nan] * 4])
    np.testing.assert_array_equal(facts.columns["known_immunosuppression"].value, [1] * 5)


def test_the_nearest_value_around_a_day_is_used_the_earlier_of_two_as_near():
    table = measurements(("P", -23, "ferritin", 1, "ng/mL"), ("P", -19, "ferritin", 2, "ng/mL"),
                         ("P", -18, "ferritin", 3, "ng/mL"), ("P", -30, "crp", 4, "mg/L"))  # fmt: skip
    keys = pd.DataFrame({"patient_id": "P", "day": [-21, -20, -24, -10]})
    facts = facts_from_measurements(table, keys, window=(-7, 3))
    np.testing.assert_array_equal(facts.columns["ferritin"].value, [1, 2, 1, np.nan])
    np.testing.assert_array_equal(facts.columns["crp"].value, [np.nan, np.nan, 4, np.nan])
