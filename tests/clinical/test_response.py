"""Response rules: one hand-built patient an edge, every open choice from both sides."""

import numpy as np
import pandas as pd
import pytest

from helpers.clinical.response import (
    VARIANTS,
    assess_response,
    compare_rules,
    load_response_rule,
    response_evidence,
    transfusion_facts,
    withdrawal_days,
)

from .conftest import make_facts

SICK = {
    "ferritin": 6000,
    "triglycerides": 4,
    "hemoglobin": 80,
    "platelets": 50,
    "neutrophils": 1.0,
    "alt": 500,
}
SICK |= {"scd25": 8000}


def call(baseline, week_1, rule="response_paper", *, column="response", signs=None, patient=None, **settings):
    facts, patients = make_facts({"baseline": baseline, "week_1": week_1}, signs, **(patient or {}))
    frame = assess_response(facts, patients, load_response_rule(rule, settings=settings))
    return frame[frame["visit"] == "week_1"].iloc[0][column]


@pytest.mark.parametrize(
    ("marker", "baseline", "week_1", "improved"),
    [
        # a fall of a quarter, exactly and just short of it
        ("ferritin", 6000, 4500, True),
        ("ferritin", 6000, 4501, False),
        ("ferritin", 1.2e3, 0.9e3, True),
        ("ferritin", 6000, 9000, False),
        ("triglycerides", 4, 3.0, True),
        ("triglycerides", 4, 3.01, False),
        ("scd25", 8000, 6000, True),
        ("scd25", 8000, 6001, False),
        # censored ferritin: only what it proves
        ("ferritin", ">1500", 1125, True),
        ("ferritin", ">1500", 1400, False),
        ("ferritin", ">1500", ">1500", False),
        ("ferritin", 6000, "<500", True),
        ("ferritin", 1600, ">1500", False),
        # normal at baseline cannot improve
        ("ferritin", 300, 100, False),
        ("ferritin", 301, 100, True),
        ("triglycerides", 1.7, 0.5, False),
        # haemoglobin and platelets: a rise of a quarter
        ("hemoglobin", 80, 100, True),
        ("hemoglobin", 80, 99.9, False),
        ("hemoglobin", 115, 150, False),  # at the lower limit for a woman
        ("platelets", 80, 100, True),
        ("platelets", 80, 99, False),
        ("platelets", 125, 300, False),
        # neutrophils below 0.5: doubled; from 0.5 to 2.0: doubled and normal (1.8)
        ("neutrophils", 0.49, 0.98, True),
        ("neutrophils", 0.49, 0.97, False),
        ("neutrophils", 0.0, 0.01, True),
        ("neutrophils", 0.0, 0.0, False),
        ("neutrophils", 0.5, 1.0, False),
        ("neutrophils", 0.5, 1.79, False),
        ("neutrophils", 0.5, 1.8, True),
        ("neutrophils", 1.0, 1.99, False),
        ("neutrophils", 1.0, 2.0, True),
        ("neutrophils", 1.79, 3.6, True),
        ("neutrophils", 1.79, 3.5, False),
        ("neutrophils", 1.8, 9.0, False),
        # ALT above 400: halved; up to 400 the general 25%
        ("alt", 401, 200, True),
        ("alt", 401, 201, False),
        ("alt", 400, 300, True),
        ("alt", 400, 301, False),
        ("alt", 40, 10, False),
        # signs
        ("temperature", 39, 37.3, True),
        ("temperature", 39, 37.4, False),
        ("temperature", 37.3, 36, False),
        ("splenomegaly", 1, 0, True),
        ("splenomegaly", 1, 1, False),
        ("splenomegaly", 0, 0, False),
    ],
)
def test_when_a_marker_counts_as_improved(marker, baseline, week_1, improved):
    names = {"temperature": "fever"}
    found = call({marker: baseline, "leucocytes": 5}, {marker: week_1}, column="improved")
    assert found == (names.get(marker, marker) if improved else "")


@pytest.mark.parametrize(
    ("settings", "marker", "baseline", "week_1", "improved"),
    [
        ({"neutrophil_floor": 0.5}, "neutrophils", 0.2, 0.5, False),
        ({"neutrophil_floor": 0.5}, "neutrophils", 0.2, 0.51, True),
        ({"neutrophil_floor": 0.0}, "neutrophils", 0.01, 0.02, True),
        ({"scd25_fall": 100 / 3}, "scd25", 6000, 4000, True),
        ({"scd25_fall": 100 / 3}, "scd25", 6000, 4100, False),
        ({"marker_thresholds": "none"}, "alt", 401, 300, True),
        ({"marker_thresholds": "none"}, "neutrophils", 1.0, 1.25, True),
        ({"outside_threshold": "not_evaluable"}, "alt", 400, 100, False),
        ({"outside_threshold": "not_evaluable"}, "alt", 401, 100, True),
        ({"baseline_normal": "counts"}, "triglycerides", 1.0, 0.7, True),
        ({"improvement": 50.0}, "platelets", 80, 119, False),
        ({"improvement": 50.0}, "platelets", 80, 120, True),
    ],
)
def test_open_choices_are_settings(settings, marker, baseline, week_1, improved):
    found = call({marker: baseline, "leucocytes": 5}, {marker: week_1}, column="improved", **settings)
    assert found == (marker if improved else "")


@pytest.mark.parametrize(
    ("week_1", "response"),
    [
        ({"ferritin": 4000, "platelets": 70}, "PR"),
        ({"ferritin": 4000, "platelets": 60}, "NR"),
        ({"ferritin": 4000}, "NR"),
        ({"ferritin": 6000, "platelets": 50}, "NR"),
        ({}, "missing"),
    ],
)
def test_partial_response_needs_two_markers(week_1, response):
    assert call(SICK, week_1) == response


WELL = {
    "ferritin": 299,
    "triglycerides": 1.5,
    "hemoglobin": 120,
    "platelets": 200,
    "neutrophils": 3,
    "alt": 30,
}
WELL |= {"scd25": 500}


@pytest.mark.parametrize(
    ("changes", "settings", "response"),
    [
        ({}, {}, "CR"),
        ({"ferritin": 300}, {}, "CR"),
        ({"ferritin": 301}, {}, "PR"),
        ({"ferritin": 301}, {"cr_exempt": "ferritin"}, "CR"),
        ({"hemoglobin": 115}, {}, "CR"),
        ({"hemoglobin": 114}, {}, "PR"),
        ({"ferritin": "<300"}, {}, "CR"),
        ({"ferritin": "<400"}, {}, "PR"),
        ({"neutrophils": 12}, {}, "CR"),
        ({"neutrophils": 12}, {"cr_side": "both"}, "PR"),
        ({}, {"cr_missing": "all"}, "PR"),
        ({}, {"cr_minimum": 8}, "PR"),
    ],
)
def test_complete_response_is_normality_of_all_parameters(changes, settings, response):
    assert call(SICK, {**WELL, **changes}, **settings) == response


def test_complete_response_of_too_few_parameters_is_not_called():
    assert call(SICK, {"ferritin": 200, "platelets": 200, "alt": 20}) == "PR"
    assert call(SICK, {"ferritin": 200, "platelets": 200, "alt": 20, "hemoglobin": 130}) == "CR"


def test_limits_of_normal_follow_the_sex():
    week_1 = {**WELL, "hemoglobin": 120}
    assert call(SICK, week_1, patient={"sex": "female"}) == "CR"
    assert call(SICK, week_1, patient={"sex": "male"}) == "PR"


def test_thresholds_can_be_asked_for_on_top_of_the_general_rule():
    week_1 = {"ferritin": 3000, "platelets": 90, "alt": 400}
    assert call(SICK, week_1) == "PR"
    assert call(SICK, week_1, marker_thresholds="add") == "NR"  # ALT 500 did not halve
    assert call(SICK, {**week_1, "alt": 250}, marker_thresholds="add") == "PR"
    # a marker that was not measured cannot be held to its threshold
    assert call(SICK, {"ferritin": 3000, "platelets": 90}, marker_thresholds="add") == "PR"


def test_bounds_say_what_missing_markers_could_still_make_of_it():
    kept = {"column": "response_lowest"}, {"column": "response_highest"}
    assert [call(SICK, {"ferritin": 4000}, **one) for one in kept] == ["NR", "PR"]
    assert [call(SICK, {**WELL, "ferritin": "<400"}, **one) for one in kept] == ["PR", "CR"]
    assert call(SICK, {"ferritin": 4000}, unknown_markers="undetermined") == "missing"
    unimproved = {**SICK, "temperature": 37, "splenomegaly": 0}
    assert call(unimproved, {**unimproved, "ferritin": 4000}, unknown_markers="undetermined") == "missing"
    known = {"impaired_consciousness": 0}
    assert (
        call(
            {**unimproved, **known}, {**unimproved, **known, "ferritin": 4000}, unknown_markers="undetermined"
        )
        == "NR"
    )


@pytest.mark.parametrize(
    ("death", "last", "settings", "expected"),
    [
        # death on day 19, between the visits of weeks 2 and 3
        (19, 19, {}, ["PR", "PR", "NR", "NR"]),
        (19, 19, {"dead": "missing"}, ["PR", "PR", "missing", "missing"]),
        # death on the day of a visit is death at it
        (14, 14, {}, ["PR", "NR", "NR", "NR"]),
        (15, 15, {}, ["PR", "PR", "NR", "NR"]),
        # alive, nothing recorded
        (np.nan, 56, {}, ["PR", "PR", "missing", "missing"]),
        (np.nan, 56, {"missing": "NR"}, ["PR", "PR", "NR", "NR"]),
    ],
)
def test_the_dead_and_the_missing(death, last, settings, expected):
    better = {"ferritin": 3000, "platelets": 90}
    facts, patients = make_facts(
        {"baseline": SICK, "week_1": better, "week_2": better}, death_day=death, followup_days=float(last)
    )
    frame = assess_response(facts, patients, load_response_rule(settings=settings))
    assert frame["visit"].tolist() == ["week_1", "week_2", "week_3", "week_8"]
    assert frame["response"].tolist() == expected
    if death == 19:
        assert frame["reason"].tolist() == ["rule", "rule", "died", "died"]


@pytest.mark.parametrize(("choice", "response"), [("NR", "NR"), ("missing", "missing"), ("observed", "PR")])
def test_the_withdrawn(choice, response):
    facts, patients = make_facts({"baseline": SICK, "week_2": {"ferritin": 3000, "platelets": 90}})
    rule = load_response_rule(settings={"withdrawn": choice})
    frame = assess_response(facts, patients, rule, withdrawal_day={"P": 10}).set_index("visit")
    assert frame.loc["week_2", "response"] == response
    before = assess_response(facts, patients, rule, withdrawal_day={"P": 15}).set_index("visit")
    assert before.loc["week_2", "response"] == "PR"


def test_withdrawal_is_read_from_the_last_course_and_its_reason():
    columns = ["patient_id", "drug", "stop_day", "stop_reason"]
    rows = [
        ["left", "ruxolitinib", 20, "steroid taper failed"],
        ["left", "ruxolitinib", 10, "complete remission"],
        ["remitted", "ruxolitinib", 40, "Complete remission"],
        ["ongoing", "ruxolitinib", 5, "switch of dose"],
        ["ongoing", "ruxolitinib", None, None],
        ["no reason", "ruxolitinib", 30, None],
        ["other drug", "etoposide", 3, "toxicity"],
        ["died", "ruxolitinib", 19, "death"],
    ]
    assert withdrawal_days(pd.DataFrame(rows, columns=columns), ["ruxolitinib"]) == {"left": 21.0}


def transfusions(*days, product="red_cells"):
    columns = ["patient_id", "drug", "start_day", "stop_day", "source_row"]
    return pd.DataFrame([["P", product, day, None, 9] for day in days], columns=columns)


@pytest.mark.parametrize(
    ("days", "improved"),
    [
        ([-2], "hemoglobin"),  # transfused at baseline, not since
        ([-2, 3], ""),  # still transfused: the rise is not credited
        ([3], ""),
        ([0], "hemoglobin"),  # day 0 is outside the week that ends on day 7
        ([1], ""),
        ([-7], "hemoglobin"),  # outside the week before baseline: judged by the rise
    ],
)
def test_transfusion(days, improved):
    facts, patients = make_facts({"baseline": {"hemoglobin": 70}, "week_1": {"hemoglobin": 90}})
    facts = transfusion_facts(facts, transfusions(*days))
    frame = assess_response(facts, patients, load_response_rule())
    assert frame.iloc[0]["improved"] == improved


def test_a_recorded_transfusion_stands_before_the_list_of_treatments():
    facts, _ = make_facts({"baseline": {"hemoglobin": 70}, "week_1": {"hemoglobin": 90}})
    known = facts.with_column("red_cell_transfusion", [np.nan, 1.0, np.nan, np.nan, np.nan])
    given = transfusion_facts(known, transfusions(-2)).columns["red_cell_transfusion"].value
    np.testing.assert_array_equal(given, [1, 1, 0, 0, 0])


def test_independence_from_transfusion_stands_for_the_rise():
    facts, patients = make_facts({"baseline": {"platelets": 30}, "week_1": {"platelets": 33}})
    rule = load_response_rule()
    assert assess_response(facts, patients, rule).iloc[0]["improved"] == ""
    given = transfusion_facts(facts, transfusions(-1, product="platelet_concentrate"))
    assert assess_response(given, patients, rule).iloc[0]["improved"] == "platelets"
    assert transfusion_facts(facts, transfusions()) is facts


@pytest.mark.parametrize(
    ("baseline", "week_1", "response"),
    [
        ({"ferritin": 400, "ast": 100}, {"ferritin": 300, "ast": 75}, "PR"),
        ({"ferritin": 400, "ast": 100}, {"ferritin": 301, "ast": 75}, "NR"),
        ({"ferritin": 100, "ast": 20}, {"ferritin": 75, "ast": 15}, "PR"),  # no regard to normal baselines
        ({"fibrinogen": 1.0, "crp": 80}, {"fibrinogen": 1.25, "crp": 60}, "PR"),
        ({"alt": 800, "neutrophils": 1.0}, {"alt": 600, "neutrophils": 1.25}, "PR"),  # no own thresholds
    ],
)
def test_any_two_markers_by_a_quarter(baseline, week_1, response):
    assert call(baseline, week_1, "response_marsh_2013") == response


EMERALD = {
    "leucocytes": 4,
    "platelets": 126,
    "ldh": 374,
    "alt": 59,
    "ast": 59,
    "fibrinogen": 1.1,
    "ferritin": 1999,
}


@pytest.mark.parametrize(
    ("changes", "response"),
    [
        ({}, "CR"),
        ({"platelets": 125}, "NR"),
        ({"ldh": 375}, "NR"),
        ({"alt": 60}, "NR"),
        ({"fibrinogen": 1.0}, "NR"),
        ({"ferritin": 2000}, "NR"),  # 80% below 10,000, but not below 2000
        ({"vas": 1, "ferritin": 2001}, "NR"),
        ({"vas": 1}, "CR"),
        ({"vas": 2}, "NR"),
    ],
)
def test_emerald_style(changes, response):
    baseline = {**SICK, "ferritin": 10000}
    assert call(baseline, {**EMERALD, **changes}, "response_emerald") == response


@pytest.mark.parametrize(
    ("baseline", "ferritin", "both", "either"),
    [(10000, 1999, "CR", "CR"), (10000, 2000, "NR", "CR"), (10000, 2001, "NR", "NR"),
     (5000, 1000, "CR", "CR"), (5000, 1001, "NR", "CR"), (5000, 2000, "NR", "NR")],
)  # fmt: skip
def test_ferritin_of_the_emapalumab_trials_is_below_whichever_limit_is_lower(
    baseline, ferritin, both, either
):
    values = {**EMERALD, "ferritin": ferritin}
    found = [
        call({**SICK, "ferritin": baseline}, values, "response_emerald", ferritin_limits=limits)
        for limits in (2, 1)
    ]
    assert found == [both, either]


@pytest.mark.parametrize(
    ("marker", "baseline", "week_1", "improved"),
    [
        ("scd25", 6000, 4000, True),  # by a third
        ("scd25", 6000, 4001, False),
        ("neutrophils", 0.2, 0.5, False),  # doubled, but not above 0.5
        ("neutrophils", 0.2, 0.51, True),
        ("neutrophils", 0.4, 0.79, False),
        ("neutrophils", 0.4, 0.8, True),
    ],
)
def test_markers_of_the_chinese_guideline(marker, baseline, week_1, improved):
    found = call(
        {marker: baseline, "leucocytes": 5}, {marker: week_1}, "response_china_2022", column="improved"
    )
    assert found == (marker if improved else "")


def test_every_variant_side_by_side():
    facts, patients = make_facts(
        {"baseline": SICK, "week_1": {"ferritin": 3000, "platelets": 90, "alt": 400}}
    )
    frame = compare_rules(facts, patients)
    assert list(frame.columns) == ["patient_id", "visit", "day", *VARIANTS]
    assert len(frame) == 4
    row = frame.iloc[0]
    assert row["paper"] == "PR"
    assert row["paper, thresholds added to 25%"] == "NR"
    assert row["EMERALD style"] == "NR"
    assert frame.iloc[1][["paper", "paper, missing is NR"]].tolist() == ["missing", "NR"]


def test_evidence_names_value_baseline_and_source_rows():
    facts, _ = make_facts({"baseline": SICK, "week_1": {"ferritin": 4000}})
    evidence = response_evidence(facts, load_response_rule(), np.arange(len(facts)) == 1)
    row = evidence[evidence["label"] == "Ferritin: improved by its own threshold"].iloc[0]
    assert row[["state", "rule", "value", "threshold", "baseline_value"]].tolist() == [
        "improved", "ferritin <= 0.75 x baseline", 4000.0, 4500.0, 6000.0,
    ]  # fmt: skip
    assert (row["source_row"], row["baseline_source_row"]) == (9, 2)


def test_patient_without_baseline_has_no_response_by_change():
    facts, patients = make_facts({"week_1": {"ferritin": 4000, "platelets": 90}})
    row = assess_response(facts, patients, load_response_rule()).iloc[0]
    assert row[["response", "response_highest", "n_improved"]].tolist() == ["NR", "PR", 0]
