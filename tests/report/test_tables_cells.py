"""Cells keep their statistics; a theme makes text of them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.report.journals.requirements import JournalError, journals
from helpers.report.journals.table_themes import Run, theme_named, themes
from helpers.report.tables import cells
from helpers.report.tables.cells import Cell, Number, Term, Value, words
from helpers.results.format import format_count_percent, format_p, format_p_equation


@pytest.fixture
def rows(store):
    def add(statistic, value, **other):
        store.add(
            "baseline", "ferritin", statistic, group="control", timepoint="baseline", value=value, **other
        )

    for name, value, sign in [("median", 1500, ">"), ("min", 1305, ""), ("max", 15000, ">"), ("q1", 1400, ""),
                              ("q3", 1500, ">")]:  # fmt: skip
        add(name, value, qualifier=sign, n=15, n_missing=6)
    add("count", 17, n=20)
    add("test", 3.0, p_value=0.0123, method="exact")
    add("effect", 0.4567, lower=-0.2, upper=1.25)
    return store.rows()


STEM = "baseline.ferritin.control.baseline"


def text(cell, journal="generic"):
    return theme_named(journal).text(cell)


def test_the_generic_theme_prints_what_the_one_formatter_prints(rows):
    row, test = rows[f"{STEM}.count"], rows[f"{STEM}.test"]
    assert text(cells.count_percent(row)) == format_count_percent(17, 20) == "17 (85%)"
    assert text(cells.count_of(row)) == "17 of 20"
    assert text(cells.count_of_percent(row)) == "17 of 20 (85%)"
    assert text(cells.p_value(test)) == format_p(0.0123) == "0.012"
    assert text(cells.p_equation(test)) == format_p_equation(0.0123) == "p = 0.012"
    assert text(cells.estimate_interval(rows[f"{STEM}.effect"], 2)) == "0.46 (−0.20 to 1.25)"
    assert (
        text(cells.estimate_interval(rows[f"{STEM}.effect"], 1, "%", scale=100)) == "45.7% (−20.0 to 125.0)"
    )
    assert text(cells.median_spread(rows, STEM, 0)) == ">1500 (1305–>15000)"


def test_numbers_name_the_row_and_column_that_hold_them(rows):
    (value,) = cells.count_percent(rows[f"{STEM}.count"]).values
    assert [(one.id, one.column, one.value) for one in value.numbers.values()] == [
        (f"{STEM}.count", "value", 17), (f"{STEM}.count", "n", 20),
    ]  # fmt: skip
    (median,) = cells.median_spread(rows, STEM, 0).values
    assert list(median.numbers) == ["median", "min", "max", "q1", "q3"]
    assert median.numbers["q3"].sign == ">"


@pytest.mark.parametrize(
    ("journal", "expected"),
    [
        ("generic", ["17 (85%)", "p = 0.012", "0.46 (−0.20 to 1.25)", ">1500 (1305–>15000)"]),
        ("lancet", ["17 (85%)", "p = 0·012", "0·46 (−0·20 to 1·25)", ">1500 (1400–>1500)"]),
        ("jama", ["17 (85)", "P = .01", "0.46 (−0.20 to 1.25)", ">1500 (1400–>1500)"]),
        ("plos", ["17 (85%)", "p = 0.012", "0.46 (−0.20 to 1.25)", ">1500 [1400–>1500]"]),
    ],
)
def test_journals_print_the_same_cells_in_their_own_way(rows, journal, expected):
    printed = [
        cells.count_percent(rows[f"{STEM}.count"]), cells.p_equation(rows[f"{STEM}.test"]),
        cells.estimate_interval(rows[f"{STEM}.effect"], 2), cells.median_spread(rows, STEM, 0),
    ]  # fmt: skip
    assert [text(cell, journal) for cell in printed] == expected


@pytest.mark.parametrize(
    ("journal", "p", "expected"),
    [
        ("generic", 0.0004, "<0.001"),
        ("generic", 0.9996, "1.000"),
        ("nejm", 0.2345, "0.23"),
        ("nejm", 0.0049, "0.005"),
        ("nejm", 0.0004, "<0.001"),
        ("jama", 0.2345, ".23"),
        ("jama", 0.0049, ".005"),
        ("jama", 0.0004, "<.001"),
        ("jama", 0.999, ">.99"),
        ("lancet", 0.2345, "0·23"),
        ("lancet", 0.02345, "0·023"),
        ("lancet", 0.00234, "0·0023"),
        ("lancet", 0.00004, "<0·0001"),
        ("jama", 0.0496, ".0496"),
        ("nejm", math.nan, "NE"),
    ],
)
def test_p_values_by_journal(journal, p, expected):
    assert theme_named(journal).p_value(p) == expected


@pytest.mark.parametrize("journal", sorted(themes()))
@given(p=st.floats(0, 1))
def test_no_theme_prints_a_p_value_that_crosses_its_limits(journal, p):
    theme = theme_named(journal)
    least = theme.p_digits[-1][0]
    shown = theme.p_value(p)
    assert shown.startswith("<") == (p < least)
    plain = float(shown.strip("<>").replace("·", "."))
    assert abs(plain - p) <= 0.0101
    assert not (p < 0.0495 and plain >= 0.05)


def test_every_journal_has_a_theme_and_says_what_was_not_checked():
    assert set(themes()) == set(journals())
    for theme in themes().values():
        assert bool(theme.verified) == bool(theme.source)
        assert set(theme.verified).isdisjoint(theme.unverified)
    with pytest.raises(JournalError, match="nejm"):
        theme_named("nejmm")


def test_counts_with_their_denominator():
    theme = theme_named().model_copy(update={"count": "n/N (%)"})
    value = Value("count_percent", {"count": Number(17), "n": Number(20)})
    assert theme.text(Cell((value,))) == "17/20 (85%)"
    assert theme.text(words("{n_percent}")) == "n/N (%)"


def test_nobody_observed_is_no_percentage():
    value = Value("count_percent", {"count": Number(0), "n": Number(0)})
    assert text(Cell((value,))) == text(Cell((value,)), "jama") == "0 of 0"


def test_terms_are_words_of_the_theme_and_other_braces_stay():
    cell = words("{Median_spread}, {p_value}, {unknown}")
    assert [part for part in cell.parts if isinstance(part, Term)] == [Term("Median_spread"), Term("p_value")]
    assert text(cell) == "Median (range), P value, {unknown}"
    assert text(cell, "plos") == "Median [IQR], p-value, {unknown}"
    assert theme_named("jama").runs(words("{p_value}")) == (Run("P", italic=True), Run(" value"))


@pytest.mark.parametrize(
    ("number", "letters", "symbols"), [(0, "a", "*"), (5, "f", "‖"), (6, "g", "**"), (27, "ab", "§§§§§")]
)
def test_signs_of_footnotes(number, letters, symbols):
    assert theme_named("generic").mark(number) == letters
    assert theme_named("lancet").mark(number) == symbols


def test_cells_join_with_words_and_keep_their_marks(rows):
    cell = "n: " + cells.size(rows[f"{STEM}.count"]).marked("note") + "!"
    assert text(cell) == "n: 20!"
    assert [text(note) for note in cell.marks] == ["note"]
    assert text(cells.joined([cell, cell], ", ")) == "n: 20!, n: 20!"
    assert not cells.EMPTY
