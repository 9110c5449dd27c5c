"""HScore: all combinations of item levels, each threshold, censored values, probability."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from helpers.clinical.definitions import load_criteria
from helpers.clinical.diagnosis import hscore, hscore_probability
from helpers.clinical.engine import evaluate_score
from helpers.clinical.facts import Facts

from .conftest import make_facts

# Points as published, written out here apart from the criteria file, with values that stand for each level.
LEVELS = [
    [(0, {"known_immunosuppression": 0}), (18, {"known_immunosuppression": 1})],
    [(0, {"temperature": 38.3}), (33, {"temperature": 39.0}), (49, {"temperature": 39.5})],
    [
        (0, {"hepatomegaly": 0, "splenomegaly": 0}),
        (23, {"hepatomegaly": 0, "splenomegaly": 1}),
        (38, {"hepatomegaly": 1, "splenomegaly": 1}),
    ],
    [
        (0, {"hemoglobin": 93, "leucocytes": 5.1, "platelets": 110}),
        (24, {"hemoglobin": 92, "leucocytes": 5.1, "platelets": 110}),
        (34, {"hemoglobin": 92, "leucocytes": 5.0, "platelets": 110}),
    ],
    [(0, {"ferritin": 1999}), (35, {"ferritin": 4000}), (50, {"ferritin": 6001})],
    [(0, {"triglycerides": 1.4}), (44, {"triglycerides": 3.0}), (64, {"triglycerides": 4.1})],
    [(0, {"fibrinogen": 2.6}), (30, {"fibrinogen": 2.5})],
    [(0, {"ast": 29}), (19, {"ast": 30})],
    [(0, {"hemophagocytosis": 0}), (35, {"hemophagocytosis": 1})],
]
PRINTED = {
    90: "<1", 100: "1", 110: "3", 120: "5", 130: "9", 140: "16", 150: "25", 160: "40", 170: "54", 180: "70",
    190: "80", 200: "88", 210: "93", 220: "96", 230: "98", 240: "99", 250: ">99",
}  # fmt: skip


def all_combinations():
    combinations = list(product(*LEVELS))
    values = pd.DataFrame([{k: v for _, part in one for k, v in part.items()} for one in combinations])
    expected = np.array([sum(points for points, _ in one) for one in combinations])
    facts = Facts(pd.DataFrame({"patient_id": range(len(values)), "visit": "baseline", "day": 0}), {})
    units = {"temperature": "Cel", "hemoglobin": "g/L", "ast": "U/L", "triglycerides": "mmol/L"}
    units |= {"fibrinogen": "g/L", "ferritin": "ng/mL", "leucocytes": "10^9/L", "platelets": "10^9/L"}
    for name in values:
        facts = facts.with_column(name, values[name].to_numpy(), unit=units.get(name, "1"))
    return facts, expected


def test_every_combination_of_item_levels_has_the_published_points():
    facts, expected = all_combinations()
    assert len(expected) == 3888
    frame = hscore(facts)
    np.testing.assert_array_equal(frame["score"], expected)
    np.testing.assert_array_equal(frame["score_highest"], expected)
    assert (frame["items_present"] == 9).all()
    assert expected.max() == 337
    np.testing.assert_array_equal(frame["verdict"] == "met", expected >= 169)
    assert set(frame["verdict"]) == {"met", "not met"}


def test_probability_equals_the_printed_table():
    value, qualifier = hscore_probability(list(PRINTED))
    assert [f"{q}{v:g}" for v, q in zip(value, qualifier, strict=True)] == list(PRINTED.values())


def test_probability_between_printed_points_is_interpolated_and_says_so():
    value, qualifier = hscore_probability([169, 50, 95, 245, 300, np.nan])
    assert value[0] == pytest.approx(40 + 0.9 * 14)
    assert list(qualifier[1:5]) == ["<", "<", ">", ">"]
    assert np.isnan(value[5])
    facts, expected = all_combinations()
    frame = hscore(facts)
    printed = np.isin(expected, list(PRINTED))
    assert set(frame.loc[printed, "probability_method"]) <= {"printed table"}
    assert set(frame.loc[~printed, "probability_method"]) == {"interpolated, not printed"}


@pytest.mark.parametrize(
    ("values", "item", "low", "high"),
    [
        ({"temperature": 38.3}, "temperature", 0, 0),
        ({"temperature": 38.4}, "temperature", 33, 33),
        ({"temperature": 39.4}, "temperature", 33, 33),
        ({"temperature": 39.41}, "temperature", 49, 49),
        ({"ferritin": 1999.9}, "ferritin", 0, 0),
        ({"ferritin": 2000}, "ferritin", 35, 35),
        ({"ferritin": 6000}, "ferritin", 35, 35),
        ({"ferritin": 6000.1}, "ferritin", 50, 50),
        ({"ferritin": ">1500"}, "ferritin", 0, 50),
        ({"ferritin": ">2000"}, "ferritin", 35, 50),
        ({"ferritin": ">6000"}, "ferritin", 50, 50),
        ({"ferritin": "<30"}, "ferritin", 0, 0),
        ({}, "ferritin", 0, 50),
        ({"triglycerides": 1.49}, "triglycerides", 0, 0),
        ({"triglycerides": 1.5}, "triglycerides", 44, 44),
        ({"triglycerides": 4}, "triglycerides", 44, 44),
        ({"triglycerides": 4.01}, "triglycerides", 64, 64),
        ({"fibrinogen": 2.51}, "fibrinogen", 0, 0),
        ({"fibrinogen": 2.5}, "fibrinogen", 30, 30),
        ({"fibrinogen": "<0.5"}, "fibrinogen", 30, 30),
        ({"ast": 29.9}, "ast", 0, 0),
        ({"ast": 30}, "ast", 19, 19),
        ({"hemoglobin": 92, "leucocytes": 5, "platelets": 111}, "cytopenias", 24, 24),
        ({"hemoglobin": 92.1, "leucocytes": 5, "platelets": 111}, "cytopenias", 0, 0),
        ({"hemoglobin": 92, "leucocytes": 5, "platelets": 110}, "cytopenias", 34, 34),
        ({"hemoglobin": 92, "leucocytes": 5}, "cytopenias", 24, 34),
        ({"hemoglobin": 92}, "cytopenias", 0, 34),
        ({"hemoglobin": 120, "leucocytes": 8}, "cytopenias", 0, 0),
        # the white lineage is the leucocyte count: neutropenia alone gives nothing
        ({"hemoglobin": 92, "leucocytes": 6, "platelets": 200, "neutrophils": 0.1}, "cytopenias", 0, 0),
    ],
)
def test_item_thresholds_missing_and_censored_values(values, item, low, high):
    facts, _ = make_facts({"baseline": {"crp": 1, **values}})
    row = _first(facts)
    assert (row[f"points_{item}"], row[f"points_{item}_highest"]) == (low, high)


def _first(facts):
    if not set(facts.columns) & {
        "ferritin",
        "temperature",
        "ast",
        "hemoglobin",
        "fibrinogen",
        "triglycerides",
    }:
        facts = facts.with_column("hemophagocytosis", np.zeros(len(facts)))
    return hscore(facts).iloc[0]


@pytest.mark.parametrize(
    ("policy", "values", "verdict"),
    [
        # 49 + 50 + 64 = 163 certain; six missing items could add up to 174
        (None, {"temperature": 40, "ferritin": 9000, "triglycerides": 5}, "undetermined"),
        ("not_met", {"temperature": 40, "ferritin": 9000, "triglycerides": 5}, "not met"),
        # 163 + 19 = 182
        (None, {"temperature": 40, "ferritin": 9000, "triglycerides": 5, "ast": 31}, "met"),
        # 337 - 49 - 50 - 64 - 30 = 144 at most
        (None, {"temperature": 37, "ferritin": 100, "triglycerides": 1, "fibrinogen": 3}, "not met"),
    ],
)
def test_verdict_is_given_only_where_missing_items_cannot_turn_it(policy, values, verdict):
    facts, _ = make_facts({"baseline": values})
    assert hscore(facts, missing=policy).iloc[0]["verdict"] == verdict


@pytest.mark.parametrize(("cutoff", "verdict"), [(167, "met"), (168, "met"), (169, "not met")])
def test_cut_off_is_reached_from_exactly_its_value(cutoff, verdict):
    score = load_criteria("hscore", settings={"cutoff": cutoff})
    signs = {
        "hemophagocytosis": False,
        "known_immunosuppression": True,
        "hepatomegaly": False,
        "splenomegaly": True,
    }
    values = {"temperature": 39, "ferritin": 100, "triglycerides": 5, "fibrinogen": 2, "ast": 20}
    facts, _ = make_facts(
        {"baseline": {**values, "hemoglobin": 130, "leucocytes": 8, "platelets": 300}}, signs
    )
    result = evaluate_score(score, facts).frame().iloc[0]
    assert result["score"] == 18 + 33 + 23 + 64 + 30 == 168
    assert result["verdict"] == verdict


def test_default_cut_off_is_169():
    assert load_criteria("hscore").cutoff.threshold == 169
    assert load_criteria("hscore").cutoff.op == ">="
