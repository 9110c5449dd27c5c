"""`compendium explain` on the seven patients."""

import pytest
from typer.testing import CliRunner

from helpers.commands.cli import app


@pytest.fixture
def explain(folder):
    def call(*arguments):
        return CliRunner().invoke(app, ["explain", str(folder), *arguments])

    return call


def test_every_call_is_told_with_value_unit_day_rule_and_row(explain):
    answer = explain("T1")
    assert answer.exit_code == 0
    assert "T1, Treated. Seven patients." in answer.stdout
    assert "Simulated data: not patients" in answer.stdout
    assert "ferritin >= 500 ng/mL - >1500 ng/mL [met], day 0, table measurements row 2" in answer.stdout
    assert "refractory: not met" in answer.stdout
    assert "ferritin <= 0.75 x baseline - 600 ng/mL (baseline >1500, source row 2)" in answer.stdout
    assert "clinician's response at week_1: PR" in answer.stdout
    assert "glucocorticoid dose at week_8: 25.0 mg/day, 0.50 mg/kg/day" in answer.stdout


def test_one_week_alone(explain):
    answer = explain("T1", "--week", "8")
    assert "response at week_8" in answer.stdout
    assert "response at week_1" not in answer.stdout


def test_what_is_not_there_is_said_plainly(explain):
    unknown = explain("T11")
    assert unknown.exit_code == 1
    assert "No patient 'T11' among the 7 analysed" in unknown.stderr
    assert "Near it: T1" in unknown.stderr
    week = explain("T1", "--week", "5")
    assert week.exit_code == 1
    assert "No visit is planned for week 5. Visits: Baseline (day 0)" in week.stderr
    cohort = CliRunner().invoke(app, ["explain", "no_such_cohort", "T1"])
    assert cohort.exit_code == 1
    assert "No cohort 'no_such_cohort'" in cohort.stderr
    assert all("Traceback" not in answer.output for answer in (unknown, week, cohort))
