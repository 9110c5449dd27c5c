"""Comparisons with censored values, and their combination."""

import numpy as np
import pytest

from helpers.clinical.errors import ClinicalError
from helpers.clinical.facts import Column
from helpers.clinical.rules import CENSORED, MET, NOT_DONE, NOT_MET, compare, compare_to_baseline
from helpers.clinical.units import accepted_units, canonical_unit, convert

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


@pytest.mark.parametrize(
    ("variable", "value", "unit", "kept"),
    [
        ("ferritin", 3000, "ug/L", 3000),
        ("ferritin", 3000, "µg/L", 3000),
        ("hemoglobin", 9.2, "g/dL", 92),
        ("platelets", 110000, "/uL", 110),
        ("platelets", 110000, "/mm3", 110),
        ("leucocytes", 5, "10^3/uL", 5),
        ("triglycerides", 265, "mg/dL", 2.99198),
        ("triglycerides", 354.28, "mg/dL", 4.0),
        ("fibrinogen", 360, "mg/dL", 3.6),
        ("fibrinogen", 10.58, "umol/L", 3.5972),
        ("bilirubin", 1, "mg/dL", 17.1),
        ("creatinine", 1, "mg/dL", 88.4),
        ("crp", 1.2, "mg/dL", 12),
        ("albumin", 3, "g/dL", 30),
        ("temperature", 101.12, "°F", 38.4),
        ("temperature", 38.4, "°C", 38.4),
        ("scd25", 2400, "U/mL", 2400),
    ],
)
def test_units_convert_to_the_kept_unit(variable, value, unit, kept):
    assert convert(value, variable, unit) == pytest.approx(kept, rel=1e-5)


def test_conversion_is_exact_at_printed_thresholds():
    assert float(convert(9.2, "hemoglobin", "g/dL")) == 92.0
    assert float(convert(101.12, "temperature", "F")) == 38.4
    assert float(convert(110000, "platelets", "/uL")) == 110.0


def test_unit_that_cannot_be_converted_is_refused_with_the_accepted_ones():
    with pytest.raises(ClinicalError, match=r"hemoglobin: unit 'mmol/L'.*g/L, g/dL"):
        convert(6.2, "hemoglobin", "mmol/L")
    assert accepted_units("temperature") == ["Cel", "[degF]"]
    assert canonical_unit("no such variable") is None
