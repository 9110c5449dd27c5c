"""Sentences say what the statistics say; tables show the stored rows."""

import pytest

from helpers.report.formats.text import lines
from helpers.report.tables.response import response_table
from helpers.report.tables.survival import survival_table
from helpers.report.tables.table import Table
from helpers.report.text.narrative import (
    absent_narrative,
    arm,
    baseline_narrative,
    cohort_narrative,
    dose_narrative,
    response_narrative,
    safety_narrative,
    survival_narrative,
    time_zero_narrative,
)


def test_survival_in_words(survival, config):
    text = survival_narrative(survival, config, 56).text
    assert "95.0% (95% CI 75.0% to 100.0%) in the treated group" in text
    assert "in the HLH control group" in text
    assert "Log-rank p = 0.011." in text
    assert "0.11 (95% CI 0.01 to 0.87)" in text


def test_survival_table_shows_the_same_numbers(survival, config):
    table = survival_table(survival, config, 56, watermark="watermark")
    rows = lines(table)
    assert ["Deaths by day 56", "1 (5%)", "1 (5%)", "", ""] in rows
    assert any("log-rank p = 0.011" in row for row in rows)
    assert any("0.11 (0.01 to 0.87)" in row for row in rows)
    assert table.watermark == "watermark"


@pytest.mark.parametrize(
    ("after", "p_value", "said"),
    [
        (0.5, 0.01, "median dose fell from 2.7 to 0.5 mg/kg/day"),
        (3.0, 0.01, "median dose rose from 2.7 to 3.0 mg/kg/day"),
        (
            0.5,
            0.2,
            "2.7 mg/kg/day at baseline and 0.5 by week 8, a fall that the test does not tell from chance",
        ),
        (
            3.0,
            0.2,
            "2.7 mg/kg/day at baseline and 3.0 by week 8, a rise that the test does not tell from chance",
        ),
    ],
)
def test_a_dose_that_rose_did_not_fall(store, config, after, p_value, said):
    def add(statistic, visit, value, **other):
        store.add("glucocorticoid", "dose", statistic, group="treated", timepoint=visit, value=value, **other)

    add("median", "baseline", 2.7)
    add("median", "week_8", after)
    add("fall_of_median", "week_8", 100 * (2.7 - after) / 2.7)
    add("change_test", "week_8", 1.0, p_value=p_value, n=19)
    text = dose_narrative(store.rows(), config).text
    assert said in text
    assert "19 pairs" in text


def test_baseline_reading_names_only_what_differs(store):
    for name, p in {"age": 0.6, "ferritin": 0.0001, "death": 0.01}.items():
        store.add("baseline", name, "test", group="both", timepoint="baseline", value=1, p_value=p)
        store.add("baseline", name, "standardized_difference", group="both", timepoint="baseline", value=0.5)
    store.add(
        "balance", "standardized_difference", "above_0_1", group="both", timepoint="baseline", value=2, n=2
    )
    text = baseline_narrative(store.rows(), {"ferritin": "Ferritin, ng/mL"}).text
    assert text.startswith("The groups differ at baseline in ferritin (p < 0.001).")
    assert "2 of 2 comparisons" in text


@pytest.mark.parametrize(
    ("p", "said"), [(0.004, "remaining below 0.05: ferritin (p = 0.004)"), (0.2, "none remains")]
)
def test_adjusted_p_values_are_read(store, p, said):
    common = {"group": "both", "timepoint": "baseline"}
    store.add("baseline", "ferritin", "test", value=1, p_value=0.001, **common)
    store.add(
        "baseline", "ferritin", "test_adjusted", p_value=p, method="Holm adjustment over 4 tests", **common
    )
    store.add("balance", "standardized_difference", "above_0_1", value=1, n=1, **common)
    assert said in baseline_narrative(store.rows(), {"ferritin": "Ferritin, ng/mL"}).text


def test_absence_is_said(store, config):
    rows = store.rows()
    assert "No survival times" in survival_narrative(rows, config, 56).text
    assert "No response" in response_narrative(rows, config).text
    assert "No adverse events" in safety_narrative(rows, config).text
    assert "No response" in repr(response_table(rows, config, watermark=""))
    text = absent_narrative(config, frozenset({"treatments", "events"}), ["treatments", "events"]).text
    assert "no tables treatments and events" in text
    assert "The cohort has what this notebook reads: events." in absent_narrative(config, (), ["events"]).text


def test_different_days_0_are_warned_of(config):
    assert "count from different events" in time_zero_narrative(config).text
    assert config.data_note in repr(cohort_narrative(config))


def test_a_group_in_a_sentence(config):
    assert [arm(group) for group in config.groups] == ["treated group", "HLH control group"]


def test_a_table_is_saved_as_csv_and_html(tmp_path):
    table = Table("table_x", "Title", ["A", "B"], [["section"], ["a", "1"]], ["note"], "watermark")
    assert table.save(tmp_path) is table
    assert (tmp_path / "table_x.csv").read_text(encoding="utf-8") == "A,B\nsection\na,1\nnote\nwatermark\n"
    page = (tmp_path / "table_x.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "watermark" in page
    assert repr(table).splitlines()[0] == "Title"
