"""Survival: what counts as an event, who is at risk, which numbers are stored."""

import pytest

from helpers.analysis.survival import (
    compare_survival,
    describe_survival,
    risk_table_days,
    survival_times,
)


def test_deaths_after_the_horizon_are_censored_at_it(tables, config):
    times = survival_times(tables, config, 56).frame.set_index("patient_id")
    assert times["time"].to_dict() == {"T1": 56, "T2": 56, "T3": 10, "T4": 30, "C1": 56, "C2": 56, "C3": 7}
    assert times.index[times["event"]].tolist() == ["T3", "C2", "C3"]


def test_numbers_at_risk_are_counted_just_before_the_day(tables, config, store):
    describe_survival(survival_times(tables, config, 56), config, store, confidence=0.95)
    rows = store.rows()
    at_risk = {d: rows[f"survival.death.control.day_{d}.at_risk"].value for d in (0, 7, 14, 56)}
    assert at_risk == {0: 3, 7: 3, 14: 2, 56: 2}
    assert rows["survival.death.control.day_56.deaths"].value == 2
    assert rows["survival.death.control.day_56.survival"].value == pytest.approx(1 / 3)
    assert rows["survival.death.treated.day_10.survival"].value == pytest.approx(0.75)


def test_the_exact_share_alive_is_stored_only_with_full_follow_up(tables, config, store):
    describe_survival(survival_times(tables, config, 56), config, store, confidence=0.95)
    rows = store.rows()
    assert "survival.death.control.day_56.alive_share" in rows
    assert "survival.death.treated.day_56.alive_share" not in rows  # T4 was lost on day 30


def test_comparison_is_of_the_treated_against_the_reference(tables, config, store):
    assert compare_survival(survival_times(tables, config, 56), config, store, confidence=0.95)
    rows = store.rows()
    assert 0 < rows["survival.death.both.day_56.logrank"].p_value < 1
    assert rows["survival.death.both.day_56.hazard_ratio"].value < 1


def test_one_group_is_described_and_not_compared(tables, config, store):
    alone = tables.patients[tables.patients["group"] == "treated"]
    times = survival_times(tables, config, 56)
    only = type(times)(times.frame[times.frame["group"] == "treated"], 56, 0)
    assert len(alone) == 4
    assert not compare_survival(only, config, store, confidence=0.95)
    describe_survival(only, config, store, confidence=0.95)
    assert not store.rows().select(group="control")


@pytest.mark.parametrize(("horizon", "days"), [(56, [0, 7]), (14, [0, 3]), (365, [0, 60]), (4000, [0, 730])])
def test_risk_table_days_stay_readable(horizon, days):
    found = risk_table_days(horizon)
    assert found[:2] == days
    assert found[-1] <= horizon
    assert len(found) <= 11
