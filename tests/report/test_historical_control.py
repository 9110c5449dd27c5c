"""Notebook 07 on cohorts as a user has them: the embedded one, and those that lack something."""

from __future__ import annotations

import re
import warnings

import pytest
from analysed import NAME, analysed

from helpers.report.tables.verdict import HEADINGS, verdict_lines

DEGENERATE = ("nobody_dies", "one_group", "no_doses")


def lines_of(name: str):
    study = analysed(name)
    return verdict_lines(study.statistics, study.material.day)


def found(lines, start: str):
    return next(line for line in lines if line.row.id.startswith(start))


def text(line) -> str:
    return "".join(part if isinstance(part, str) else "#" for part in line.finding.parts)


def test_the_verdict_names_what_takes_the_result_away():
    lines = lines_of(NAME)
    lag = found(lines, "control_time.death.both.day_56.lag_tipping_point")
    assert (lag.kind, lag.row.value) == ("fragile", 13)
    assert text(lag) == "Significance is lost from a common lag of # days on (#)."
    index = found(lines, "fragility.death.both.day_56.fisher_index")
    assert (index.kind, index.row.value) == ("fragile", 1)
    assert "# more treated death (" in text(index)
    era = found(lines, "control_era.death.both.day_56.calendar_gap")
    assert era.kind == "unknown"
    assert "era cannot be told from the drug" in text(era)
    severity = found(lines, "weighted_effect.model.both.day_56.budget")
    assert severity.kind == "unknown"
    assert "severity cannot be told from the drug" in text(severity)


def test_every_line_reads_a_stored_row():
    study = analysed(NAME)
    for line in verdict_lines(study.statistics, study.material.day):
        assert study.statistics[line.row.id] == line.row
        cited = {number.id for part in line.finding.values for number in part.numbers.values()}
        assert cited <= set(study.statistics)
    kinds = [line.kind for line in lines_of(NAME)]
    assert kinds == sorted(kinds, key=list(HEADINGS).index)
    assert set(kinds) == set(HEADINGS)


def test_the_numbers_worked_out_by_hand_are_stored():
    rows = analysed(NAME).statistics

    def row(analysis: str, statistic: str, variable: str = "death"):
        return rows[f"{analysis}.{variable}.both.day_56.{statistic}"]

    entry = row("control_time", "delayed_entry")
    assert [round(v, 3) for v in (entry.value, entry.lower, entry.p_value)] == [0.149, 0.018, 0.042]
    assert [round(row("control_time", f"lag_{lag}").value, 3) for lag in (0, 7, 14)] == [0.109, 0.12, 0.16]
    assert row("co_intervention", "begun_reference", "etoposide").value == 8
    assert row("co_intervention", "begun_treated", "etoposide").value == 1
    assert row("co_intervention", "begun_treated", "ciclosporin").value == 6
    wins = row("win_statistics", "win_ratio", "death_dose")
    assert wins.value == pytest.approx(8.8, abs=0.05)
    assert row("unmeasured_confounder", "e_value").lower == pytest.approx(1.6, abs=0.05)
    expected = rows["covariate_balance.all.both.baseline.expected_above_0_1"]
    assert (expected.n, round(expected.value, 1)) == (25, 18.7)


@pytest.mark.parametrize("name", DEGENERATE)
def test_a_cohort_that_lacks_something_is_told_why(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        study = analysed(name)
        lines = verdict_lines(study.statistics, study.material.day)
    rows = [
        row for row in study.statistics.values()
        if row.analysis in {"control_time", "control_era", "weighted_effect", "few_events", "win_statistics"}
    ]  # fmt: skip
    refused = [row for row in rows if row.value != row.value and row.p_value != row.p_value]
    assert refused
    assert all(row.note for row in refused)
    for line in lines:
        assert "nan" not in text(line)


def test_where_nobody_died_nothing_is_fragile_and_nothing_stands_by_survival():
    lines = lines_of("nobody_dies")
    assert {line.kind for line in lines} == {"unknown"}
    assert all(not re.search("is lost", text(line)) for line in lines)


def test_one_group_is_compared_with_nobody():
    lines = lines_of("one_group")
    assert all(line.row.value != line.row.value for line in lines)
