"""Cohorts in which a comparison with historical controls has nothing to say: from raw files to what is read.

Reasons instead of numbers: no warning, no traceback, no line that claims.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from altered_cohorts import (
    CASES,
    copied,
    measured_alike,
    set_text,
)
from historical_control_questions import put_every_question, weigh

from helpers.analysis.historical_control import Recorded
from helpers.analysis.historical_control_questions import patients_drawn
from helpers.cohort.config import load_config
from helpers.report.figures import historical_control as figures
from helpers.report.figures.style import figure_style, new_figure
from helpers.report.tables.historical_control import added_drugs_table, protocol_table
from helpers.report.tables.risk_of_bias import reporting_table, risk_of_bias_table
from helpers.report.tables.sensitivity import sensitivity_table
from helpers.report.tables.verdict import verdict_lines, verdict_table
from helpers.results.store import Statistics, StatisticsStore

DAY = "day_56"


class Asked:
    """One cohort: its rows, and what it holds."""

    def __init__(self, folder: Path, ask: Callable[..., Recorded] = put_every_question) -> None:
        self.config = load_config(folder)
        store = StatisticsStore(folder, "07_historical_control")
        self.recorded = ask(folder, store)
        store.write()
        self.rows = store.rows()
        self.statistics = Statistics(self.rows.values())

    def row(self, name: str):
        """A row of the comparison by analysis, variable and statistic."""
        analysis, variable, statistic = name.split("/")
        return self.rows[f"{analysis}.{variable}.both.{DAY}.{statistic}"]


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    known: dict[str, Asked] = {}

    def of(case: str) -> Asked:
        if case not in known:
            folder = copied(tmp_path_factory.mktemp("degenerate") / "cohort")
            CASES[case](folder)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                known[case] = Asked(folder)
        return known[case]

    return of


def refused(row) -> bool:
    return np.isnan(row.value) and np.isnan(row.p_value) and bool(row.note)


@pytest.mark.parametrize("case", CASES)
def test_every_row_has_a_number_or_a_reason(asked, case):
    rows = asked(case).rows
    assert len(rows) > 12
    for row in rows.values():
        assert row.note or any(number == number for number in (row.value, row.p_value)), row


@pytest.mark.parametrize("case", CASES)
def test_tables_and_figures_are_made_without_a_warning(asked, case):
    study = asked(case)
    statistics, config, recorded = study.statistics, study.config, study.recorded
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tables = [
            protocol_table(config, 56, watermark=""),
            verdict_table(statistics, DAY, adjusted_for=recorded.chosen_labels, watermark=""),
            added_drugs_table(statistics, config, DAY, watermark=""),
            sensitivity_table(statistics, DAY, watermark=""),
            risk_of_bias_table(statistics, config, DAY, watermark=""),
            reporting_table(config, watermark=""),
        ]
        for table in tables:
            text = table.to_html()
            assert table.rows
            assert not re.search(r"\bnan\b", text.lower())
        drawn = patients_drawn(recorded)
        for draw, arguments in (
            (figures.draw_lag, (statistics, config, drawn, DAY)),
            (figures.draw_era, (statistics, config, drawn)),
            (figures.draw_love, (statistics, recorded.labels, recorded.model.chosen)),
            (figures.draw_confounder, (statistics, DAY)),
        ):
            with figure_style():
                figure, body = new_figure(180, 90)
                draw(body, *arguments)
                figure.draw_without_rendering()


@pytest.mark.parametrize("case", CASES)
def test_what_is_refused_is_no_claim(asked, case):
    study = asked(case)
    for line in verdict_lines(study.statistics, DAY, adjusted_for=study.recorded.chosen_labels):
        text = "".join(part if isinstance(part, str) else "#" for part in line.finding.parts)
        assert "nan" not in text
        # Nothing was tested here that could be lost.
        assert line.kind != "fragile"
        if refused(line.row):
            assert line.kind == "unknown"
            assert "Not estimated" in text or "not recorded" in text


@pytest.mark.parametrize(
    ("case", "names"),
    [
        ("no treated death", ["weighted_effect/ato/hazard_ratio", "control_time/death/landmark_7"]),
        ("no control death", ["weighted_effect/ato/hazard_ratio"]),
        ("no death", [
            "control_time/death/delayed_entry", "few_events/death/exact_logrank_interval",
            "weighted_effect/ato/hazard_ratio", "fragility/death/leave_one_out",
            "few_events/death/posterior_weak", "unmeasured_confounder/death/e_value",
        ]),
        ("three an arm", [
            "weighted_effect/ato/hazard_ratio", "weighted_effect/att/hazard_ratio",
        ]),
        ("one arm", [
            "control_time/death/delayed_entry", "weighted_effect/ato/hazard_ratio",
            "few_events/death/exact_logrank_interval", "fragility/death/fisher_index",
            "design_error/death/smallest_detectable_ratio", "missing_bounds/response/difference",
        ]),
    ],
)  # fmt: skip
def test_what_has_no_answer_is_refused_with_a_reason(asked, case, names):
    for name in names:
        row = asked(case).row(name)
        assert np.isnan(row.value), row
        assert row.note, row


def test_the_exact_interval_and_the_posterior_need_no_treated_death(asked):
    exact = asked("no treated death").row("few_events/death/exact_logrank_interval")
    assert exact.value == 0
    assert 0 < exact.upper < 1
    posterior = asked("no treated death").row("few_events/death/posterior_sceptical")
    assert 0 < posterior.lower < posterior.value < posterior.upper


def test_without_a_lag_delayed_entry_is_the_naive_answer(asked):
    study = asked("treated on the day of eligibility")
    assert study.row("control_time/death/lag_treated").value == 0
    assert study.row("control_time/death/lag_reference").value == 0
    entry, naive = (study.row(f"control_time/death/{name}") for name in ("delayed_entry", "lag_0"))
    assert (entry.value, entry.p_value) == (naive.value, naive.p_value)
    assert study.row("control_time/death/immortal_days").value == 0


def test_covariates_that_are_alike_are_passed_over_or_refused(asked, tmp_path):
    study = asked("covariates alike")
    assert study.recorded.model.chosen == ()
    assert "no measure of severity" in study.row("weighted_effect/ato/hazard_ratio").note
    assert "platelets (the same in everybody)" in study.row("weighted_effect/model/budget").note
    smd = study.rows["covariate_balance.platelets.both.baseline.smd"]
    assert smd.note == "does not vary within the arms"
    folder = copied(tmp_path / "named")
    measured_alike(folder)
    set_text(folder, "[baseline]\n", '[baseline]\nweighting = ["platelets"]\n')
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        named = Asked(folder, weigh)
    assert named.recorded.model.chosen == ("platelets",)
    assert "does not vary" in named.row("weighted_effect/ato/hazard_ratio").note


def test_a_ferritin_that_nobody_has_as_a_number(asked):
    study = asked("ferritin beyond its limit")
    assert study.recorded.model.chosen == ("platelets", "ast")
    for scenario in ("at_limit", "twice", "tenfold"):
        row = study.row(f"limit_scenario/ferritin/hazard_ratio_{scenario}")
        assert np.isnan(row.value)
        assert "does not vary" in row.note


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ('["ferritin"]', "ferritin: beyond a reporting limit in some"),
        ('["diagnosis"]', "underlying disease: neither a number nor yes or no"),
        ('["bilirubin"]', "bilirubin: not recorded"),
        ('["platelets", "age", "ast"]', "3 given, but 20 patients in the smaller arm carry 2"),
    ],
)
def test_what_a_team_names_is_used_or_refused_and_never_changed(tmp_path, named, reason):
    folder = copied(tmp_path / "cohort")
    set_text(folder, "[baseline]\n", f"[baseline]\nweighting = {named}\n")
    study = Asked(folder, weigh)
    for scheme in ("ato", "att", "entropy"):
        row = study.row(f"weighted_effect/{scheme}/hazard_ratio")
        if scheme != "entropy" or "given" not in reason:
            assert np.isnan(row.value)
            assert reason in row.note


def test_what_a_team_names_replaces_the_default(tmp_path):
    folder = copied(tmp_path / "cohort")
    set_text(folder, "[baseline]\n", '[baseline]\nweighting = ["age", "ldh"]\n')
    study = Asked(folder, weigh)
    assert study.recorded.model.chosen == ("age", "ldh")
    row = study.row("weighted_effect/ato/hazard_ratio")
    # LDH is missing in one patient, who is left out and counted.
    assert (row.n, row.n_missing) == (40, 1)
    assert row.value > 0
