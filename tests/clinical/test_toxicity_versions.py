"""CTCAE versions 5 and 6: each cut-off of the terms that differ, or are new, from both sides."""

import numpy as np
import pandas as pd
import pytest

from helpers.clinical.fact_tables import facts_from_visits
from helpers.clinical.toxicity import grade_laboratory, load_toxicity_scale

from .conftest import RANGES, make_facts, unit_of

# Value and grade as printed in the tables of the two versions; limits of normal from RANGES.
BOTH = [
    ("ggt", 60, 0), ("ggt", 61, 1), ("ggt", 150, 1), ("ggt", 151, 2), ("ggt", 300, 2), ("ggt", 301, 3),
    ("ggt", 1200, 3), ("ggt", 1201, 4),
    ("inr", 1.2, 0), ("inr", 1.21, 1), ("inr", 1.5, 1), ("inr", 1.51, 2), ("inr", 2.5, 2), ("inr", 2.51, 3),
    ("aptt", 40, 0), ("aptt", 40.1, 1), ("aptt", 60, 1), ("aptt", 60.1, 2), ("aptt", 100, 2),
    ("aptt", 100.1, 3),
    ("cholesterol", 5.2, 0), ("cholesterol", 5.21, 1), ("cholesterol", 7.75, 1), ("cholesterol", 7.76, 2),
    ("cholesterol", 10.34, 2), ("cholesterol", 10.35, 3), ("cholesterol", 12.92, 3),
    ("cholesterol", 12.93, 4),
    ("alt", 40, 0), ("alt", 41, 1), ("alt", 120, 1), ("alt", 121, 2), ("alt", 200, 2), ("alt", 201, 3),
    ("alt", 800, 3), ("alt", 801, 4),
    ("bilirubin", 20, 0), ("bilirubin", 21, 1), ("bilirubin", 30, 1), ("bilirubin", 31, 2),
    ("bilirubin", 60, 2), ("bilirubin", 61, 3), ("bilirubin", 200, 3), ("bilirubin", 201, 4),
    ("leucocytes", 3.49, 1), ("leucocytes", 2.99, 2), ("leucocytes", 1.99, 3), ("leucocytes", 0.99, 4),
    ("hemoglobin", 114, 1), ("hemoglobin", 99, 2), ("hemoglobin", 79, 3),
    ("albumin", 39, 1), ("albumin", 29, 2), ("albumin", 19, 3),
    ("triglycerides", 1.71, 1), ("triglycerides", 3.43, 2), ("triglycerides", 5.71, 3),
    ("triglycerides", 11.41, 4),
]  # fmt: skip
ONLY = {
    "ctcae_v5": [
        ("neutrophils", 1.8, 0), ("neutrophils", 1.79, 1), ("neutrophils", 1.5, 1), ("neutrophils", 1.49, 2),
        ("neutrophils", 1.0, 2), ("neutrophils", 0.99, 3), ("neutrophils", 0.5, 3), ("neutrophils", 0.49, 4),
        ("platelets", 50, 2), ("platelets", 49, 3), ("platelets", 25, 3), ("platelets", 24, 4),
        ("lymphocytes", 1.1, 0), ("lymphocytes", 1.09, 1), ("lymphocytes", 0.8, 1), ("lymphocytes", 0.79, 2),
        ("lymphocytes", 0.5, 2), ("lymphocytes", 0.49, 3), ("lymphocytes", 0.2, 3), ("lymphocytes", 0.19, 4),
        ("alkaline_phosphatase", 100, 0), ("alkaline_phosphatase", 101, 1), ("alkaline_phosphatase", 250, 1),
        ("alkaline_phosphatase", 251, 2), ("alkaline_phosphatase", 500, 2), ("alkaline_phosphatase", 501, 3),
        ("alkaline_phosphatase", 2000, 3), ("alkaline_phosphatase", 2001, 4),
    ],
    "ctcae_v6": [
        ("neutrophils", 1.79, 0), ("neutrophils", 1.5, 0), ("neutrophils", 1.49, 1), ("neutrophils", 1.0, 1),
        ("neutrophils", 0.99, 2), ("neutrophils", 0.5, 2), ("neutrophils", 0.49, 3), ("neutrophils", 0.1, 3),
        ("neutrophils", 0.09, 4),
        ("platelets", 125, 0), ("platelets", 124, 1), ("platelets", 75, 1), ("platelets", 74, 2),
        ("platelets", 50, 2), ("platelets", 49, 3), ("platelets", 10, 3), ("platelets", 9, 4),
    ],
}  # fmt: skip


@pytest.mark.parametrize("version", ["ctcae_v5", "ctcae_v6"])
def test_every_cut_off_without_a_baseline(version):
    cut_offs = BOTH + ONLY[version]
    names = [f"{variable} {value}" for variable, value, _ in cut_offs]
    now = pd.DataFrame(cut_offs, columns=["variable", "value", "grade"]).assign(
        patient_id=names, visit="v", day=7
    )
    now["unit"] = now["variable"].map(unit_of)
    patients = pd.DataFrame({"patient_id": names, "sex": "female"})
    frame = grade_laboratory(facts_from_visits(now, patients, ranges=RANGES), load_toxicity_scale(version))
    assert dict(zip(frame["patient_id"], frame["grade"], strict=True)) == dict(
        zip(names, now["grade"], strict=True)
    )


def grade(version, variable, value, baseline=None, **settings):
    visits = {"week_1": {variable: value}}
    if baseline is not None:
        visits["baseline"] = {variable: baseline}
    facts, _ = make_facts(visits)
    frame = grade_laboratory(facts, load_toxicity_scale(version, settings=settings))
    return frame[frame["visit"] == "week_1"].iloc[0]["grade"]


@pytest.mark.parametrize(
    ("variable", "baseline", "by_v5", "by_v6"),
    [
        # multiples of an abnormal baseline of 100 at which each grade begins, and the value just before
        ("alt", 100, {149: 0, 150: 1, 300: 1, 301: 2, 500: 2, 501: 3, 2000: 3, 2001: 4},
         {99: 0, 100: 1, 150: 1, 151: 2, 200: 2, 201: 3, 400: 3, 401: 4}),
        ("ast", 100, {149: 0, 150: 1, 300: 1, 301: 2, 500: 2, 501: 3, 2000: 3, 2001: 4},
         {99: 0, 100: 1, 150: 1, 151: 2, 200: 2, 201: 3, 400: 3, 401: 4}),
        ("bilirubin", 100, {100: 0, 101: 1, 150: 1, 151: 2, 300: 2, 301: 3, 1000: 3, 1001: 4},
         {99: 0, 100: 1, 150: 1, 151: 2, 250: 2, 251: 3, 1000: 3, 1001: 4}),
        ("ggt", 100, {199: 0, 200: 1, 250: 1, 251: 2, 500: 2, 501: 3, 2000: 3, 2001: 4},
         {99: 0, 100: 1, 150: 1, 151: 2, 300: 2, 301: 3, 1000: 3, 1001: 4}),
        ("alkaline_phosphatase", 200, {399: 0, 400: 1, 500: 1, 501: 2, 1000: 2, 1001: 3, 4000: 3, 4001: 4},
         {200: 0, 201: 1, 9000: 1}),
        # v6 asks for a baseline below the limit before it grades by baseline; v5 takes the worse of the two
        ("creatinine", 30, {45: 0, 46: 2, 90: 2, 91: 3}, {45: 0, 46: 2, 90: 2, 91: 3}),
        ("creatinine", 50, {75: 0, 76: 2, 150: 2, 151: 3}, {76: 0, 101: 1, 150: 1, 151: 2}),
    ],
)  # fmt: skip
def test_change_from_baseline(variable, baseline, by_v5, by_v6):
    for version, expected in (("ctcae_v5", by_v5), ("ctcae_v6", by_v6)):
        assert {value: grade(version, variable, value, baseline) for value in expected} == expected, version


def test_alkaline_phosphatase_of_version_6_needs_to_be_above_the_limit_too():
    assert grade("ctcae_v6", "alkaline_phosphatase", 90, 50) == 0
    assert grade("ctcae_v6", "alkaline_phosphatase", 101, 50) == 1


@pytest.mark.parametrize(
    ("baseline", "value", "by_baseline", "by_worse"),
    [
        # normal baseline: only the limit counts, or a fall of it as well
        (4.0, 1.9, 1, 3),
        (4.0, 2.1, 0, 0),
        (4.0, 1.0, 2, 4),
        # abnormal baseline: only the fall counts, or the limit as well
        (1.6, 1.5, 1, 1),
        (1.6, 1.4, 1, 2),
        (1.6, 1.2, 2, 2),
        (1.0, 0.9, 1, 3),
        (1.0, 0.74, 2, 3),
        (0.6, 0.49, 4, 4),
        # no baseline: the limit
        (None, 1.4, 2, 2),
    ],
)
def test_the_fibrinogen_rule_is_a_setting(baseline, value, by_baseline, by_worse):
    for version in ("ctcae_v5", "ctcae_v6"):
        assert grade(version, "fibrinogen", value, baseline) == by_baseline
        assert grade(version, "fibrinogen", value, baseline, fibrinogen_rule="worse") == by_worse


def test_inr_is_graded_against_baseline_on_anticoagulants_only():
    assert grade("ctcae_v5", "inr", 1.1, 1.0) == 0
    assert grade("ctcae_v5", "inr", 1.1, 1.0, anticoagulated="yes") == 1
    assert grade("ctcae_v5", "inr", 1.6, 1.0, anticoagulated="yes") == 2


def test_both_versions_grade_the_same_terms_but_for_lymphocytes():
    terms = {v: {term.id for term in load_toxicity_scale(v).terms} for v in ONLY}
    assert terms["ctcae_v5"] - terms["ctcae_v6"] == {"lymphopenia"}
    assert terms["ctcae_v6"] <= terms["ctcae_v5"]
    assert load_toxicity_scale().name == "ctcae_v5"
    assert np.all([load_toxicity_scale(v).version[0] == v[-1] for v in ONLY])
