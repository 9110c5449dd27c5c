"""Comparisons with censored values, and their combination."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers.clinical.facts import Column, Facts, Written
from helpers.clinical.rules import (
    CENSORED,
    MET,
    NOT_DONE,
    NOT_MET,
    Compare,
    at_least_states,
    compare,
    compare_to_baseline,
)
from helpers.vocabulary.model import ReferenceRange

from .conftest import split


def column(*texts):
    pairs = [split(text) if text is not None else (np.nan, "") for text in texts]
    values = np.array([value for value, _ in pairs])
    codes = np.array([{"": 0, "<": -1, ">": 1}[sign] for _, sign in pairs], dtype=np.int8)
    nothing = np.full(len(values), np.nan)
    return Column(values, codes, "ng/mL", nothing, nothing)


@pytest.mark.parametrize(
    ("value", "op", "threshold", "state"),
    [
        (499, ">=", 500, NOT_MET),
        (500, ">=", 500, MET),
        (501, ">=", 500, MET),
        (500, ">", 500, NOT_MET),
        (500.1, ">", 500, MET),
        (500, "<", 500, NOT_MET),
        (499.9, "<", 500, MET),
        (500, "<=", 500, MET),
        (500.1, "<=", 500, NOT_MET),
        # beyond an upper reporting limit
        (">1500", ">=", 1500, MET),
        (">1500", ">", 1500, MET),
        (">1500", ">=", 1500.1, CENSORED),
        (">1500", "<", 1500, NOT_MET),
        (">1500", "<=", 1500, NOT_MET),
        (">1500", "<=", 2000, CENSORED),
        # beyond a lower reporting limit
        ("<0.5", "<", 0.5, MET),
        ("<0.5", "<=", 0.5, MET),
        ("<0.5", "<", 0.4, CENSORED),
        ("<0.5", ">=", 0.5, NOT_MET),
        ("<0.5", ">", 0.5, NOT_MET),
        ("<0.5", ">=", 0.4, CENSORED),
        (None, ">", 1, NOT_DONE),
    ],
)
def test_threshold_from_both_sides_on_it_and_beyond_a_limit(value, op, threshold, state):
    assert compare(column(value), op, threshold)[0] == state


@pytest.mark.parametrize(
    ("now", "baseline", "op", "factor", "state"),
    [
        (75, 100, "<=", 0.75, MET),
        (75.1, 100, "<=", 0.75, NOT_MET),
        (0.9, 1.2, "<=", 0.75, MET),  # 0.75 x 1.2 is not 0.9 in binary
        (2.0, 1.0, ">=", 2.0, MET),
        (1.99, 1.0, ">=", 2.0, NOT_MET),
        (0.02, 0.0, ">=", 2.0, MET),
        (0.0, 0.0, ">=", 2.0, NOT_MET),
        (0.0, 0.0, "<=", 0.75, NOT_MET),
        # a censored baseline proves a fall only if the limit itself fell that far
        (1400, ">1500", "<=", 0.75, CENSORED),
        (1125, ">1500", "<=", 0.75, MET),
        (1126, ">1500", "<=", 0.75, CENSORED),
        (1600, ">1500", "<=", 0.75, CENSORED),
        (">1500", 1600, "<=", 0.75, NOT_MET),
        (">1500", 2000, "<=", 0.75, NOT_MET),
        (">1500", 3000, "<=", 0.75, CENSORED),
        (">1500", ">1500", "<=", 0.75, CENSORED),
        ("<50", 100, "<=", 0.75, MET),
        ("<80", 100, "<=", 0.75, CENSORED),
        (100, "<50", ">=", 2.0, MET),
        (99, "<50", ">=", 2.0, CENSORED),
        ("<50", "<50", ">=", 2.0, CENSORED),
        (None, 100, "<=", 0.75, NOT_DONE),
        (100, None, "<=", 0.75, NOT_DONE),
    ],
)
def test_change_from_baseline_says_only_what_censored_values_prove(now, baseline, op, factor, state):
    assert compare_to_baseline(column(now), column(baseline), op, factor)[0] == state


def test_censored_change_agrees_with_exact_change_for_every_value_it_may_stand_for():
    rng = np.random.default_rng(7)
    for _ in range(300):
        limit, current = rng.integers(1, 200, size=2).astype(float)
        op, factor = [("<=", 0.75), (">=", 1.25)][int(rng.integers(2))]
        states = compare_to_baseline(column(current), column(f">{limit:g}"), op, factor)
        possible = np.concatenate([limit * (1 + 10.0 ** np.arange(-6, 6, 0.25))])
        exact = compare_to_baseline(
            column(*[current] * len(possible)), column(*possible.tolist()), op, factor
        )
        if states[0] in (MET, NOT_MET):
            assert set(exact) == {states[0]}


def test_a_value_is_compared_in_the_unit_in_which_it_was_written():
    rule = Compare("triglycerides", ">=", 3.0, "mmol/L", kept="mmol/L", threshold=3.0,
                   limits=(("mg/dl", 265.0), ("mmol/l", 3.0)))  # fmt: skip
    written = Written(np.array([265.0, 264.0, 3.0, 2.99, 2.66, np.nan]), np.array([0, 0, 1, 1, 2, -1]),
                      ("mg/dL", "mmol/L", "g/L"))  # fmt: skip
    kept = np.array([265 / 88.57, 264 / 88.57, 3.0, 2.99, 2.66 * 1.13, np.nan])
    nothing = np.full(6, np.nan)
    values = Column(kept, np.zeros(6, dtype=np.int8), "mmol/L", nothing, nothing, written=written)
    facts = Facts(pd.DataFrame({"patient_id": range(6), "visit": "v", "day": 0}), {"triglycerides": values})
    assert rule.states(facts).tolist() == [MET, NOT_MET, MET, NOT_MET, MET, NOT_DONE]
    turned = facts.columns["triglycerides"].take(np.array([5, 0, -1, 2, 3, 4]))
    again = Facts(facts.keys, {"triglycerides": turned})
    assert rule.states(again).tolist() == [NOT_DONE, MET, NOT_DONE, MET, NOT_MET, MET]
    mixed = values.where(np.array([True, False] * 3), replace(values, written=None, value=np.full(6, 3.0)))
    assert mixed.written.units == ("mg/dL", "mmol/L", "g/L")
    assert rule.states(Facts(facts.keys, {"triglycerides": mixed})).tolist() == [MET] * 5 + [MET]


def test_the_laboratorys_own_limit_of_a_value_stands_before_the_range():
    nothing = np.full(3, np.nan)
    values = Column(np.array([125.0, 125.0, 125.0]), np.zeros(3, dtype=np.int8), "g/L", nothing, nothing,
                    low=np.array([np.nan, 120.0, np.nan]))  # fmt: skip
    ranges = {"hemoglobin": (ReferenceRange(115, 150, "female"), ReferenceRange(130, 175, "male"))}
    sex = np.array(["male", "male", "female"], dtype=object)
    facts = Facts(pd.DataFrame({"patient_id": range(3), "visit": "v", "day": 0}), {"hemoglobin": values},
                  np.arange(3), sex, np.full(3, 40.0), ranges)  # fmt: skip
    assert Compare("hemoglobin", "<", 1.0, "x LLN").states(facts).tolist() == [MET, NOT_MET, NOT_MET]


def test_one_rule_alone_is_its_own_combination():
    states = np.array([MET, NOT_MET, NOT_DONE], dtype=np.int8)
    assert at_least_states([states], 1).tolist() == states.tolist()
