"""The formatter: digits, rounding, p-values, intervals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.results.format import (
    format_number,
    format_p,
)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (2.5, 0, "3"),
        (3.5, 0, "4"),
        (0.125, 2, "0.13"),
        (2.675, 2, "2.68"),  # binary floats hold 2.67499999...; the printed decimal decides
        (0.1 + 0.2, 1, "0.3"),
        (-1.25, 1, "\N{MINUS SIGN}1.3"),
        (-0.01, 1, "0.0"),
        (1500, 0, "1500"),
        (1e-9, 2, "0.00"),
        (math.nan, 2, "NE"),
        (math.inf, 1, "∞"),
        (-math.inf, 1, "\N{MINUS SIGN}∞"),
        (3.6075e82, 2, "3.61×10⁸²"),  # where another library stops on a likelihood without a maximum
        (-1.25e15, 1, "\N{MINUS SIGN}1.2×10¹⁵"),
    ],
)
def test_numbers_have_fixed_digits_and_round_half_away_from_zero(value, digits, text):
    assert format_number(value, digits) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0105, "0.011"),
        (0.001, "0.001"),
        (0.00099, "<0.001"),
        (1.0, "1.000"),
        (0.0, "<0.001"),
        (math.nan, "NE"),
    ],
)
def test_p_values(p, text):
    assert format_p(p) == text


def test_p_value_outside_zero_and_one_is_refused():
    with pytest.raises(ValueError, match="not between 0 and 1"):
        format_p(1.01)


@given(st.floats(-1e9, 1e9, allow_nan=False), st.integers(0, 6))
def test_the_text_is_never_further_from_the_value_than_half_a_unit(value, digits):
    text = format_number(value, digits).replace("\N{MINUS SIGN}", "-")
    assert abs(float(text) - value) <= 0.5 * 10**-digits * (1 + 1e-6) + abs(value) * 1e-11
