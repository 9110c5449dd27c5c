"""Defaults that decide: each looked at from both sides."""

import numpy as np
import pandas as pd
import pytest

from helpers.clinical.fact_tables import facts_on_measured_days
from helpers.clinical.response import compare_rules, transfusion_facts

from .conftest import make_facts

SICK = {"ferritin": 6000, "hemoglobin": 80, "platelets": 50, "neutrophils": 0.2, "alt": 100}


@pytest.mark.parametrize(
    ("variant", "neutrophils", "call"),
    [
        ("paper", 0.5, "PR"),
        ("paper, neutrophil floor 0.5", 0.5, "NR"),
        ("paper, neutrophil floor 0.5", 0.51, "PR"),
        ("paper, sCD25 by a third and floor 0.5", 0.5, "NR"),
        ("paper, sCD25 by a third and floor 0.5", 0.51, "PR"),
    ],
)
def test_a_variant_is_what_its_name_says(variant, neutrophils, call):
    later = SICK | {"ferritin": 4000, "neutrophils": neutrophils}
    facts, patients = make_facts({"baseline": SICK, "week_1": later})
    calls = compare_rules(facts, patients).set_index("visit")[variant]
    assert calls["week_1"] == call


@pytest.mark.parametrize(("fall", "call"), [(33.0, "NR"), (33.4, "PR")])
def test_scd25_by_a_third_is_a_third(fall, call):
    baseline = SICK | {"scd25": 8000}
    later = SICK | {"ferritin": 4000, "scd25": 8000 * (1 - fall / 100)}
    facts, patients = make_facts({"baseline": baseline, "week_1": later})
    calls = compare_rules(facts, patients).set_index("visit")
    assert calls.loc["week_1", "paper, sCD25 by a third and floor 0.5"] == call
    assert calls.loc["week_1", "paper"] == "PR"


@pytest.mark.parametrize(("day", "value"), [(0, 900.0), (-7, 900.0), (-8, np.nan), (1, np.nan)])
def test_baseline_looks_back_seven_days_unless_told_otherwise(day, value):
    patients = pd.DataFrame({"patient_id": ["P"], "sex": ["female"]})
    rows = pd.DataFrame({"patient_id": "P", "day": [day, 20], "variable": "ferritin", "value": [900.0, 5.0],
                         "unit": "ng/mL", "qualifier": ""})  # fmt: skip
    facts = facts_on_measured_days(rows, patients)
    start = facts.keys["day"].to_numpy() == 0
    np.testing.assert_equal(facts.columns["ferritin"].value[start], [value])
    longer = facts_on_measured_days(rows, patients, baseline_lookback_days=8)
    np.testing.assert_equal(longer.columns["ferritin"].value[start], [900.0 if day <= 0 else np.nan])


@pytest.mark.parametrize(("day", "given"), [(7, 1.0), (1, 1.0), (0, 0.0), (8, 0.0)])
def test_a_transfusion_counts_for_seven_days_with_that_of_the_visit(day, given):
    facts, _ = make_facts({"baseline": SICK, "week_1": SICK})
    rows = pd.DataFrame({"patient_id": ["P"], "drug": "red_cells", "start_day": day, "stop_day": day})
    found = transfusion_facts(facts, rows).columns["red_cell_transfusion"].value
    week_1 = facts.keys["visit"].to_numpy() == "week_1"
    np.testing.assert_equal(found[week_1], [given])
