"""Laboratory course, glucocorticoid doses, safety and exposure."""

from math import isnan

import pytest

from helpers.analysis.flow import count_flow, count_missing
from helpers.analysis.laboratory import describe_course, resolution_of_splenomegaly
from helpers.analysis.response import responders_at_end
from helpers.analysis.safety import (
    count_added_therapies,
    count_adverse_events,
    describe_exposure,
    describe_long_term,
    drug_exposure,
)
from helpers.analysis.steroids import (
    describe_cumulative_dose,
    describe_doses,
    describe_fall,
    describe_low_dose,
    doses_at_visits,
)


def test_course_counts_living_patients_without_a_value(tables, config, store):
    assert describe_course(tables, config, store, confidence=0.95) == ["ferritin"]
    row = store.rows()["laboratory.ferritin.treated.week_1.median"]
    assert (row.value, row.n, row.n_missing) == (600, 3, 1)  # T3 was alive on day 7 and not measured
    assert store.rows()["laboratory.ferritin.treated.baseline.beyond_limit"].value == 2


def test_change_from_a_limit_is_noted(tables, config, store):
    describe_course(tables, config, store, confidence=0.95)
    row = store.rows()["laboratory.ferritin.treated.week_1.change"]
    # T1 fell from more than 1500 to 600, T2 began and stayed above 1500, T4 fell by 900: T2 leaves it open.
    assert isnan(row.value)
    few, unknown, limits = row.note.split("; ")
    assert few == "too few pairs for an interval at this level"
    assert unknown == "not estimable: too many values are known only as a limit"
    assert limits == "2 of 3 pairs hold a value known only as a limit"
    assert store.rows()["laboratory.ferritin.treated.week_1.change_test"].p_value == pytest.approx(0.5)


def test_splenomegaly_resolves_by_the_last_examination(tables, config, store):
    found = resolution_of_splenomegaly(tables, config, store, confidence=0.95)
    assert found.to_dict("records") == [{"group": "treated", "enlarged": 3, "examined": 2, "resolved": 1}]
    assert store.rows()["splenomegaly.resolved.treated.week_8.count"].n_missing == 1


def test_doses_describe_those_followed(tables, config, store):
    doses = doses_at_visits(tables, config)
    describe_doses(doses, tables, config, store)
    describe_fall(doses, tables, config, store)
    rows = store.rows()
    assert rows["glucocorticoid.dose.treated.baseline.median"].value == 2.0
    late = rows["glucocorticoid.dose.treated.week_8.median"]
    assert (late.value, late.n, late.n_missing) == (0.75, 2, 2)  # T1 0.5, T2 1.0
    assert rows["glucocorticoid.dose.treated.week_8.fall_of_median"].value == pytest.approx(62.5)
    assert rows["glucocorticoid.dose.control.week_8.median_fall"].value == pytest.approx(0.0)


def test_death_competes_with_reaching_a_low_dose(tables, config, store):
    describe_low_dose(tables, config, store, horizon_days=56, confidence=0.95)
    rows = store.rows()
    assert rows["glucocorticoid.low_dose.treated.day_56.reached"].value == 1
    assert rows["glucocorticoid.low_dose.treated.day_56.median_day"].value == 40
    assert rows["glucocorticoid.low_dose.treated.day_56.died_first"].value == 1
    incidence = rows["glucocorticoid.low_dose.treated.day_56.incidence"].value
    assert incidence == pytest.approx(0.375)  # 3/4 alive past day 10, T4 lost, then 1 of 2


def test_cumulative_dose_is_of_the_horizon(tables, config, store):
    describe_cumulative_dose(tables, config, store, horizon_days=56)
    row = store.rows()["glucocorticoid.cumulative_survivors.treated.day_56.max"]
    assert (row.value, row.n) == (56.0, 2)  # T2 56 days at 1 mg/kg


def test_a_patient_counts_once_an_event_at_the_highest_grade(tables, config, store):
    counts = count_adverse_events(tables, config, store, horizon_days=56, confidence=0.95)
    rows = store.rows()
    assert rows["adverse_events.cytomegalovirus_infection.treated.follow_up.count"].value == 2
    assert rows["adverse_events.cytomegalovirus_infection.treated.follow_up.grade_2"].value == 1
    assert "adverse_events.cytomegalovirus_infection.treated.follow_up.grade_1" not in rows
    assert rows["adverse_events.serious.treated.follow_up.count"].value == 1
    assert rows["adverse_events.grade_3_or_higher.treated.follow_up.count"].value == 1
    assert "adverse_events.rash.treated.follow_up.count" not in rows  # day 70 lies beyond the horizon
    assert counts["patients"].sum() == 2


def test_exposure_runs_to_death_where_it_was_not_stopped(tables, config, store):
    exposure = drug_exposure(tables, ["ruxolitinib"]).set_index("patient_id")
    assert exposure["days"].to_dict() == {"T1": 92, "T2": 61}
    assert exposure["ongoing"].to_dict() == {"T1": False, "T2": True}
    describe_exposure(exposure.reset_index(), config, store)
    rows = store.rows()
    assert rows["exposure.ruxolitinib.treated.follow_up.highest_dose"].value == 10
    assert rows["exposure.ruxolitinib.treated.follow_up.stopped_complete_response"].value == 1


def test_added_therapy_and_long_term_are_of_the_responders(tables, config, store):
    responders = responders_at_end(tables, config)
    count_added_therapies(tables, config, responders, store)
    describe_long_term(tables, responders, config, store, horizon_days=56)
    rows = store.rows()
    assert rows["added_therapy.ciclosporin.treated.follow_up.percent"].value == 50
    assert rows["added_therapy.ciclosporin_start_week.treated.follow_up.median"].value == 3
    assert rows["long_term.responders.treated.follow_up.died"].value == 1
    assert rows["long_term.responders.treated.follow_up.alive"].value == 1


def test_flow_accounts_for_every_patient(tables, config, store):
    count_flow(tables, config, store, horizon_days=56)
    rows = store.rows()
    counts = {
        name: rows[f"flow.patients.treated.horizon.{name}"].value for name in ("alive", "died", "censored")
    }
    assert counts == {"alive": 2, "died": 1, "censored": 1}
    assert rows["flow.rows.all.baseline.used"].n == len(tables.dispositions)


def test_missingness_is_of_the_living(tables, config, store):
    share = count_missing(tables, config, store)
    assert share.loc["Ferritin, ng/mL", ("Treated", "Week 1")] == pytest.approx(3 / 4)
    assert share.loc["Ferritin, ng/mL", ("Control", "Week 1")] == 0
    assert store.rows()["missingness.ferritin.treated.week_8.observed_percent"].n_missing == 2


def test_without_optional_tables_nothing_is_stored(bare, store):
    config, tables = bare
    doses = doses_at_visits(tables, config)
    describe_doses(doses, tables, config, store)
    assert describe_fall(doses, tables, config, store) == []
    describe_low_dose(tables, config, store, horizon_days=56, confidence=0.95)
    describe_cumulative_dose(tables, config, store, horizon_days=56)
    assert count_adverse_events(tables, config, store, horizon_days=56, confidence=0.95).empty
    describe_exposure(drug_exposure(tables, ["ruxolitinib"]), config, store)
    assert len(store) == 0
