"""The units criteria are kept in are those of the data dictionary."""

from pathlib import Path

import pandas as pd
import pytest

from helpers.clinical.diagnosis import default_reference_ranges
from helpers.clinical.facts import ranges_from_frame
from helpers.clinical.units import FACTORS, canonical_unit

DICTIONARY = Path(__file__).parents[2] / "data" / "dictionary.csv"


@pytest.fixture(scope="module")
def dictionary():
    return pd.read_csv(DICTIONARY).drop_duplicates("name").set_index("name")


def test_kept_units_are_those_of_the_dictionary(dictionary):
    shared = [name for name in FACTORS if name in dictionary.index]
    assert len(shared) > 15
    assert {name: canonical_unit(name) for name in shared} == dictionary.loc[shared, "unit"].to_dict()


def test_conversion_factors_agree_with_the_dictionary(dictionary):
    compared = 0
    for name in set(FACTORS) & set(dictionary.index):
        text = str(dictionary.loc[name, "accepted_units"])
        given = dict(part.rsplit(":", 1) for part in text.split("|") if part.count(":") == 1)
        for unit, factor in FACTORS[name].items():
            if unit in given:
                assert float(given[unit]) == pytest.approx(factor, rel=1e-3), (name, unit)
                compared += 1
    assert compared > 10


def test_reference_ranges_can_be_taken_from_the_dictionary(dictionary):
    ranges = ranges_from_frame(dictionary.reset_index())
    assert ranges["platelets"].low == dictionary.loc["platelets", "reference_low"]
    assert ranges["ferritin"].high == dictionary.loc["ferritin", "reference_high"]
    assert "fever" not in ranges


def test_default_reference_ranges_are_those_of_the_dictionary(dictionary):
    ranges, default = ranges_from_frame(dictionary.reset_index()), default_reference_ranges()
    assert repr(default) == repr({name: ranges[name] for name in default})
