"""Texts of a cohort in statistics files: never a formula to a spreadsheet, and read back as they were."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.results.spreadsheet import as_meant, harmless
from helpers.results.store import Statistics, StatisticsStore

SIGNS = "=+-@' \t\r\n.5x"


@given(st.one_of(st.text(SIGNS, max_size=8), st.text()))
def test_texts_come_back_and_start_with_no_sign_of_a_formula(text: str) -> None:
    written = harmless(text)
    assert as_meant(written) == text
    first = written.lstrip()[:1]
    assert first not in {"=", "@"}
    assert first not in {"+", "-"} or float(written.strip().rstrip("%")) is not None


@given(st.floats(allow_nan=False))
def test_numbers_stay_as_they_are(number: float) -> None:
    assert harmless(f"{number:.12g}") == f"{number:.12g}"


@pytest.mark.parametrize("term", ["=cmd|' /C calc'!A0", "@SUM(1)", "+1+1", "-x", "'=kept", "-0.5", "Sepsis"])
def test_a_level_of_a_statistic_is_no_formula_in_the_file_and_itself_when_read(
    tmp_path: Path, term: str
) -> None:
    store = StatisticsStore(tmp_path, "06_safety")
    row = store.add("adverse_events", "term", "count", value=-1.0, level=term, note=term)
    store.write()
    with (tmp_path / "06_safety.csv").open(newline="", encoding="utf-8") as file:
        (stored,) = csv.DictReader(file)
    assert stored["value"] == "-1"
    for column in ("level", "note"):
        assert not stored[column].startswith(("=", "@", "+")), stored[column]
    again = Statistics.read(tmp_path)[row.id]
    assert (again.level, again.note) == (term, term)
