"""Alive at a low dose, composite rank, laboratory grades and event rates of the seven patients."""

import shutil

import pytest

from helpers.analysis.steroid_endpoints import describe_alive_at_low_dose, describe_composite_rank
from helpers.analysis.toxicity import (
    describe_event_rates,
    describe_findings,
    describe_laboratory_grades,
    worst_laboratory_grades,
)
from helpers.cohort.cleaning import clean_cohort
from helpers.cohort.sections import Table
from helpers.report.tables.safety import (
    event_rate_table,
    laboratory_grade_table,
    low_dose_table,
    shift_grade_table,
)
from helpers.report.text.clinical_narrative import (
    alive_low_dose_narrative,
    event_rate_narrative,
    laboratory_toxicity_narrative,
)


def test_death_is_failure_and_an_unknown_dose_is_neither(tables, config, store):
    describe_alive_at_low_dose(tables, config, store, horizon_days=56, confidence=0.95)
    rows = store.rows()
    # T1 takes 25 mg at 50 kg; T2 50 mg; T3 died on day 10; T4 left on day 30.
    stem = "alive_low_dose.patients.treated.week_8"
    names = ("low_dose", "dose_above", "died", "not_known")
    assert [rows[f"{stem}.{name}"].value for name in names] == [1, 1, 1, 1]
    assert (rows[f"{stem}.percent"].n, rows[f"{stem}.percent"].n_missing) == (3, 1)
    assert (rows[f"{stem}.percent_bounds"].lower, rows[f"{stem}.percent_bounds"].upper) == (25, 50)
    assert rows["alive_low_dose.patients.both.week_8.difference"].n == 6
    text = alive_low_dose_narrative(rows, config).text
    assert "At week 8, 1 of 3 patients in the treated group were alive on 0.5 mg/kg/day" in text
    assert "survivors'" in text


def test_deaths_rank_behind_every_survivor(tables, config, store):
    describe_alive_at_low_dose(tables, config, store, horizon_days=56, confidence=0.95)
    ranks = describe_composite_rank(tables, config, store, horizon_days=56).set_index("patient_id")["rank"]
    assert ranks.dropna().to_dict() == {"T1": 1, "T2": 2.5, "C1": 2.5, "C2": 4, "T3": 5, "C3": 6}
    rows = store.rows()
    assert rows["composite_rank.rank.treated.week_8.median"].value == 2.5
    assert rows["composite_rank.rank.control.week_8.median"].value == 4
    # Of nine pairs the treated patient is ahead in six and level in one.
    test = rows["composite_rank.rank.both.week_8.test"]
    assert test.value == pytest.approx(6.5 / 9)
    assert (test.n, test.n_missing) == (6, 1)
    chance = rows["composite_rank.rank.both.week_8.probability"]
    assert chance.value == pytest.approx(6.5 / 9)
    assert chance.lower < 0.5 < chance.upper
    assert "treated better with 0.72 (" in repr(low_dose_table(rows, config, watermark=""))


def test_event_rates_are_for_the_time_at_risk(tables, config, store):
    describe_event_rates(tables, config, store, horizon_days=56, confidence=0.95)
    rows = store.rows()
    # T1 twice and T2 once; T2's rash on day 70 is later. 56 + 56 + 10 + 30 days.
    rate = rows["event_rate.any.treated.day_56.per_100_patient_years"]
    assert rate.value == pytest.approx(3 / 152 * 36525)
    # poisson.test(3, 152) in R: 0.004070 to 0.057679 a day
    assert (rate.lower, rate.upper) == pytest.approx(
        (0.6186721 / 152 * 36525, 8.767273 / 152 * 36525), rel=1e-6
    )
    # Nobody said whether events of the controls were looked for.
    assert not rows.select(analysis="event_rate", group="control")


def test_none_of_events_that_were_looked_for_has_a_bound(tables, config, store):
    looked_for = Table(collected_in=("treated", "control"))
    declared = config.model_copy(update={"tables": {**config.tables, "events": looked_for}})
    describe_event_rates(tables, declared, store, horizon_days=56, confidence=0.95)
    rows = store.rows()
    limit = rows["event_rate.any.control.day_56.upper_limit_if_none"]
    assert limit.value == pytest.approx(100 * (1 - 0.05 ** (1 / 3)))
    assert "event_rate.any.treated.day_56.upper_limit_if_none" not in rows
    assert "below 63.2%" in repr(event_rate_table(rows, config, watermark=""))
    assert "if events were looked for at all" in event_rate_narrative(rows, config).text


@pytest.fixture(scope="module")
def measured(folder, tmp_path_factory):
    """Platelets and ALT; T1's ALT is raised at baseline."""
    path = tmp_path_factory.mktemp("cohorts") / "graded"
    shutil.copytree(folder, path)
    values = [
        ("T1", 0, "alt", 200, "U/L"), ("T1", 10, "alt", 500, "U/L"), ("T1", 20, "alt", 100, "U/L"),
        ("T2", 0, "alt", 30, "U/L"), ("T2", 12, "alt", 500, "U/L"), ("T2", 100, "alt", 5000, "U/L"),
        ("T1", 0, "platelets", 150, "10^9/L"), ("T1", 9, "platelets", 20, "10^9/L"),
        ("C1", 0, "platelets", 40, "10^9/L"),
    ]  # fmt: skip
    lines = ["patient_id,day,variable,value,unit", *[",".join(map(str, row)) for row in values]]
    (path / "measurements.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    events = "patient_id,day,term,grade,serious\nT1,9,thrombocytopenia,4,yes\n"
    (path / "events.csv").write_text(events, encoding="utf-8")
    return path, clean_cohort(path)


def test_an_enzyme_raised_at_baseline_is_graded_by_its_change(measured, config, store):
    path, tables = measured
    worst = worst_laboratory_grades(tables, config, path, horizon_days=56)
    describe_laboratory_grades(worst, tables, config, store, horizon_days=56, confidence=0.95)
    describe_findings(worst, tables, config, path, store, horizon_days=56)
    grades = worst.set_index(["patient_id", "term"])
    # 500 is 12.5 x ULN, grade 3, for T2; 2.5 x the baseline of T1, grade 1. Day 100 is beyond the horizon.
    assert grades.loc[("T1", "alt_increased"), "worst_grade"] == 1
    assert grades.loc[("T2", "alt_increased"), "worst_grade"] == 3
    rows = store.rows()
    stem = "toxicity_shift.alt_increased.treated.day_56"
    assert rows[f"{stem}.from_2_to_1"].value == 1
    assert rows[f"{stem}.from_0_to_3"].value == 1
    assert rows["laboratory_toxicity.thrombocytopenia.treated.day_56.grade_4"].value == 1
    assert rows["laboratory_toxicity.thrombocytopenia.control.day_56.grade_0"].n_missing == 1
    assert rows["toxicity_finding.thrombocytopenia.treated.follow_up.both"].value == 1
    assert rows["toxicity_finding.alt_increased.treated.follow_up.laboratory_only"].value == 2
    assert len(laboratory_grade_table(rows, config, watermark="").texts) == 3
    assert "grade 3: 1" in repr(shift_grade_table(rows, config, watermark=""))
    assert "platelet count decreased: 1 of 1" in laboratory_toxicity_narrative(rows, config).text


def test_a_cohort_of_patients_alone_says_so(bare, store, tmp_path):
    config, tables = bare
    worst = worst_laboratory_grades(tables, config, tmp_path, horizon_days=56)
    assert worst.empty
    describe_laboratory_grades(worst, tables, config, store, horizon_days=56, confidence=0.95)
    describe_findings(worst, tables, config, tmp_path, store, horizon_days=56)
    describe_event_rates(tables, config, store, horizon_days=56, confidence=0.95)
    assert describe_alive_at_low_dose(tables, config, store, horizon_days=56, confidence=0.95).empty
    assert describe_composite_rank(tables, config, store, horizon_days=56).empty
    assert len(store) == 0
    for table in (laboratory_grade_table, shift_grade_table, event_rate_table, low_dose_table):
        assert len(table(store.rows(), config, watermark="").texts[0]) == 1
