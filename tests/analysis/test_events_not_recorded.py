"""Adverse events of which something was not recorded: unknown is never zero."""

from dataclasses import replace

import pandas as pd
import pytest

from helpers.analysis.safety import count_adverse_events
from helpers.cohort.sections import Table
from helpers.report.tables.adverse_events import adverse_event_table
from helpers.report.text.narrative import safety_narrative


def counted(tables, config, store, grades, serious):
    """Count T1's, T2's and T3's sepsis with these grades and seriousness."""
    n = len(grades)
    events = pd.DataFrame(
        {
            "patient_id": [f"T{i + 1}" for i in range(n)], "day": 5, "term": "sepsis",
            "grade": pd.array(grades, dtype="Int64"), "serious": pd.array(serious, dtype="boolean"),
            "related": None, "stop_day": pd.array([None] * n, dtype="Float64"), "outcome": None,
            "source_row": range(2, n + 2),
        }
    )  # fmt: skip
    count_adverse_events(replace(tables, events=events), config, store, horizon_days=56, confidence=0.95)
    rows = store.rows()
    table = repr(adverse_event_table(rows, config, watermark=""))
    return rows, table, safety_narrative(rows, config).text


def row_of(rows, name, statistic="count"):
    return rows[f"adverse_events.{name}.treated.follow_up.{statistic}"]


def test_nothing_known_of_grades_and_seriousness_is_not_zero(tables, config, store):
    rows, table, text = counted(tables, config, store, [None, None], [None, None])
    assert row_of(rows, "any").value == 2
    for name, what in {"serious": "seriousness", "grade_3_or_higher": "grades"}.items():
        for statistic in ("count", "percent"):
            row = row_of(rows, name, statistic)
            assert row.value != row.value
            assert row.note == f"{what} of events were not recorded"
    assert row_of(rows, "sepsis", "grade_not_recorded").value == 2
    assert "not recorded" in table
    assert "an unknown number (not recorded) a serious one" in text
    assert "0 (0%)" not in text


def test_what_is_known_in_part_has_bounds(tables, config, store):
    rows, table, text = counted(tables, config, store, [3, None, 1], [None, True, False])
    severe, serious = row_of(rows, "grade_3_or_higher"), row_of(rows, "serious")
    assert (severe.value, severe.lower, severe.upper, severe.n_missing) == (1, 1, 2, 1)
    assert (serious.value, serious.lower, serious.upper, serious.n_missing) == (1, 1, 2, 1)
    share = row_of(rows, "serious", "percent")
    assert (share.lower, share.upper) == (25, 50)
    assert "1 to 2 of 4" in table
    assert "1 to 2 of 4 (not recorded in all) a serious one" in text


def test_all_known_is_counted_as_ever(tables, config, store):
    rows, _table, text = counted(tables, config, store, [3, 2, 1], [False, False, False])
    assert row_of(rows, "serious").value == 0
    assert row_of(rows, "grade_3_or_higher").value == 1
    assert "sepsis.treated.follow_up.grade_not_recorded" not in " ".join(rows)
    assert "1 (25%) one of grade 3 or higher" in text


def test_a_group_without_a_row_was_not_looked_at_unless_said(tables, config, store):
    rows, _table, text = counted(tables, config, store, [1], [False])
    control = rows["adverse_events.any.control.follow_up.count"]
    assert control.value != control.value
    assert control.note == "events of this group were not collected"
    assert "Adverse events were not collected in the control group." in text
    assert not rows.select(analysis="adverse_events", variable="sepsis", group="control")


def test_a_group_said_to_have_been_looked_at_had_none(tables, config, store):
    looked_for = Table(collected_in=("treated", "control"))
    declared = config.model_copy(update={"tables": {**config.tables, "events": looked_for}})
    rows, _, text = counted(tables, declared, store, [1], [False])
    assert rows["adverse_events.any.control.follow_up.count"].value == 0
    assert "No adverse event is recorded in the control group." in text


def test_deaths_stand_beside_the_events(tables, config, store):
    rows, table, _ = counted(tables, config, store, [1], [False])
    assert row_of(rows, "deaths").value == 1  # T3, on day 10
    assert "Death from any cause" in table


@pytest.mark.parametrize("term", ["any", "Serious", "deaths", "grade 3 or higher"])
def test_an_event_called_like_a_row_is_an_event(tables, config, store, term):
    events = tables.events.assign(term=term).iloc[:1]
    count_adverse_events(replace(tables, events=events), config, store, horizon_days=56, confidence=0.95)
    rows = store.rows()
    named = [row for row in rows.values() if row.variable.startswith("term_")]
    assert named
    assert {row.level for row in named} == {term}
