"""What the embedded cohort can and cannot show, to the digits worked out beforehand with R and by hand."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from altered_cohorts import copied, only, reverse, rewrite
from historical_control_questions import put_every_question

from helpers.analysis.co_interventions import begun_drugs
from helpers.analysis.historical_control import what_is_recorded
from helpers.analysis.robustness_eligibility import describe_cloning, describe_eligibility
from helpers.analysis.survival import survival_times
from helpers.clinical.eligibility_day import eligibility_days
from helpers.clinical.steroids import weekly_dose
from helpers.cohort.cleaning import clean_cohort
from helpers.cohort.config import load_config
from helpers.results.store import StatisticsStore
from helpers.stats.balance import expected_above, smd_standard_error
from helpers.stats.contingency import two_by_two_test
from helpers.stats.delayed_entry import hazard_ratio_from_eligibility, lag_tipping_point
from helpers.stats.era import calendar_overlap, calendar_trend, era_tipping_point
from helpers.stats.evalue import e_value
from helpers.stats.exact_logrank_interval import exact_logrank_interval
from helpers.stats.fractional_bootstrap import fractional_weights
from helpers.stats.fragility import fragility_index, logrank_with_fewer_events, logrank_with_more_events
from helpers.stats.logrank import exact_logrank_test
from helpers.stats.missing_bounds import proportion_bounds
from helpers.stats.proportions import proportion_difference
from helpers.stats.truncation import threshold_curve
from helpers.stats.win_statistics import hierarchy, time_level, value_level, win_bootstrap, win_statistics

COHORT = Path(__file__).parents[2] / "data" / "cohorts" / "rdmas_reconstructed"


@pytest.fixture(scope="module")
def cohort():
    return load_config(COHORT), clean_cohort(COHORT)


@pytest.fixture(scope="module")
def survival(cohort):
    config, tables = cohort
    return survival_times(tables, config, 56).frame


@pytest.fixture(scope="module")
def doses(cohort, survival):
    _, tables = cohort
    dose = weekly_dose(tables.doses, 56).set_index("patient_id")["mg_per_kg"]
    return survival.assign(dose=survival["patient_id"].map(dose).astype(float).mask(survival["event"]))


def test_one_common_lag_takes_the_result_away_from_thirteen_days_on(survival):
    frame, tipping = lag_tipping_point(
        survival["time"], survival["event"], survival["treated"], lags=range(29), horizon=56
    )
    rows = frame.set_index("lag").loc[[0, 7, 14]]
    assert rows["hazard_ratio"].round(3).tolist() == [0.109, 0.120, 0.160]
    assert rows["lower"].round(3).tolist() == [0.014, 0.015, 0.019]
    assert rows["upper"].round(3).tolist() == [0.871, 0.975, 1.372]
    assert rows["p_value"].round(3).tolist() == [0.011, 0.018, 0.056]
    assert tipping.value == 13


def test_one_more_treated_death_or_two_fewer_control_deaths(survival):
    assert fragility_index(1, 20, 8, 21).value == 1
    assert two_by_two_test([[2, 18], [8, 13]], rule="fisher").p_value == pytest.approx(0.067, abs=5e-4)
    assert two_by_two_test([[1, 19], [6, 15]], rule="fisher").p_value == pytest.approx(0.093, abs=5e-4)
    columns = survival["time"], survival["event"], survival["treated"]
    more, fewer = logrank_with_more_events(*columns), logrank_with_fewer_events(*columns, fewer=2)
    assert (round(more.lower, 3), round(more.upper, 3)) == (0.031, 0.044)
    assert fewer.upper == pytest.approx(0.048, abs=5e-4)


def test_e_values_of_the_hazard_ratio_and_its_limit():
    found = e_value(0.1088, 0.0136, 0.8709, measure="hazard_ratio")
    assert (round(found.value, 1), round(found.lower, 1)) == (17.9, 1.6)
    common = e_value(0.1088, 0.0136, 0.8709, measure="hazard_ratio", common=True)
    assert round(common.lower, 1) == 1.4


def test_risk_difference_and_era():
    found = proportion_difference(8, 21, 1, 20)
    assert [round(100 * v, 1) for v in (found.value, found.lower, found.upper)] == [33.1, 7.7, 54.5]
    _, tipping = era_tipping_point(1, 20, 8, 21)
    assert tipping.details["control_events"] == 6
    assert tipping.p_value == pytest.approx(0.093, abs=5e-4)


def test_era_is_the_treatment_and_no_trend_can_be_seen(cohort, survival):
    _, tables = cohort
    date = tables.patients.set_index("patient_id")["day0_date"]
    years = survival["patient_id"].map(date.dt.year + (date.dt.dayofyear - 1) / 365.25).astype(float)
    found = calendar_overlap(years, survival["treated"])
    assert found.value == 0
    assert found.details["gap"] > 2
    control = survival["treated"] == 0
    trend = calendar_trend(years[control], survival["event"][control])
    assert trend.lower < 1 < trend.upper


def test_death_then_dose(doses):
    death = time_level("death", doses["time"], doses["event"])
    scores = hierarchy([death, value_level("dose", doses["dose"], better="low")])
    found = win_statistics(scores, doses["treated"])
    assert found.probability_better.value == pytest.approx(0.90, abs=5e-3)
    assert found.win_ratio.value == pytest.approx(8.8, abs=0.05)
    weights = fractional_weights(doses["patient_id"], doses["treated"], draws=2000, seed=20250626)
    drawn = win_bootstrap(scores, doses["treated"], weights)
    assert (round(drawn.lower, 2), round(drawn.upper, 2)) == pytest.approx((0.79, 0.98), abs=0.011)


def test_alive_at_or_below_each_dose(doses):
    table = threshold_curve(doses["dose"], doses["event"], doses["treated"], [0.4, 0.5, 0.75, 1.0])
    assert table["treated"].tolist() == [6, 11, 17, 19]
    assert table["control"].tolist() == [0, 0, 5, 8]


def test_what_the_missing_responses_of_the_controls_could_be(cohort):
    config, tables = cohort
    recorded = what_is_recorded(tables, config, COHORT, horizon_days=56, confidence=0.95)
    control = recorded.study.frame[recorded.study.frame["treated"] == 0]
    known = control["patient_id"].map(recorded.responded).astype("boolean")
    living = ~control["event"]
    # C05 and C07 are called no response on two evaluable markers; a third could turn that.
    unsure = set(control["patient_id"][known.isna() & living])
    assert unsure == {"C02", "C05", "C07", "C12", "C14", "C18", "C19", "C20"}
    found = proportion_bounds(int(known.sum()), 21, len(unsure))
    assert (found.lower, found.upper) == (5 / 21, 13 / 21)


def test_a_man_below_130_g_l_is_no_complete_response(cohort):
    _, tables = cohort
    week_8 = tables.visits[(tables.visits["patient_id"] == "C05") & (tables.visits["visit"] == "week_8")]
    assert week_8.set_index("variable").loc["hemoglobin", "value"] == 125
    assert tables.patients.set_index("patient_id").loc["C05", "sex"] == "male"


def test_balance_and_the_ordinary_bootstrap():
    assert expected_above(20, 21, 25).value == pytest.approx(18.7, abs=0.05)
    assert smd_standard_error(0, 20, 21) == pytest.approx(0.31, abs=5e-3)
    assert pytest.approx(0.36, abs=5e-3) == (19 / 20) ** 20


def test_the_exact_interval_tells_what_the_exact_test_tells(survival):
    columns = survival["time"], survival["event"], survival["treated"]
    found = exact_logrank_interval(*columns)
    test = exact_logrank_test(*columns, treated=1.0)
    assert found.details["p_less"] == pytest.approx(test.details["p_less"], rel=1e-9)
    assert found.lower < 0.109 < found.upper < 1
    assert np.isfinite(found.lower)


def test_drugs_begun_on_or_after_day_0(cohort):
    _, tables = cohort
    late = tables.treatments[tables.treatments["start_day"] >= 0]
    group = tables.patients.set_index("patient_id")["group"]
    counts = {
        drug: late[late["drug"] == drug]["patient_id"].drop_duplicates().map(group).value_counts()
        for drug in ("etoposide", "ciclosporin")
    }
    assert counts["etoposide"].to_dict() == {"control": 8, "ruxolitinib": 1}
    assert counts["ciclosporin"].to_dict() == {"ruxolitinib": 6}


def test_lag_from_prescriptions_in_both_arms(cohort, survival):
    _, tables = cohort
    weights = tables.patients.set_index("patient_id")["weight_kg"].astype(float)
    found = eligibility_days(tables.patients, tables.doses, tables.treatments, weights)
    lag = survival["patient_id"].map(found.set_index("patient_id")["lag"]).astype(float)
    assert lag.notna().all()
    assert lag.groupby(survival["treated"]).median().to_dict() == {0.0: 5.0, 1.0: 6.0}
    columns = survival["time"], survival["event"], survival["treated"]
    both = hazard_ratio_from_eligibility(lag, *columns, horizon=56)
    assert [round(both.value, 3), round(both.lower, 3)] == [0.149, 0.018]
    assert (round(both.upper, 2), round(both.p_value, 3)) == (1.24, 0.042)
    entry = lag.where(survival["treated"] == 1, 0.0)
    one = hazard_ratio_from_eligibility(entry, *columns, horizon=56)
    assert [round(v, 3) for v in (one.value, one.lower, one.upper)] == [0.125, 0.015, 1.005]
    assert one.p_value == pytest.approx(0.021, abs=5e-4)


@pytest.mark.parametrize(
    "ids",
    [
        {"R01", "R02", "R05", "C01", "C04", "C08"},
        {"R01", "R02", "R03", "C01", "C04", "C08"},
        {"R01", "R02", "R03", "C01", "C02", "C03"},
        {"R05", "C04"},
    ],
    ids=["three an arm", "no treated death", "no death", "one an arm, both dead"],
)
def test_tiny_cohorts_get_reasons_instead_of_numbers(ids, tmp_path):
    store = StatisticsStore(tmp_path, "07_historical_control")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        put_every_question(only(tmp_path / "tiny", ids), store)
    rows = store.rows()
    refused = rows["weighted_effect.ato.both.day_56.hazard_ratio"]
    assert np.isnan(refused.value)
    assert refused.note
    for row in rows.values():
        numbers = (row.value, row.p_value)
        assert row.note or any(number == number for number in numbers), row
    assert not any(np.isinf(row.value) for row in rows.values() if row.analysis != "win_statistics")


def test_the_order_of_the_rows_does_not_matter(tmp_path):
    ids = {f"R{i:02d}" for i in range(1, 9)} | {f"C{i:02d}" for i in range(1, 12)}
    found = []
    for name in ("as written", "reversed"):
        folder = only(tmp_path / name, ids)
        if name == "reversed":
            reverse(folder)
        store = StatisticsStore(tmp_path / name, "07")
        put_every_question(folder, store)
        found.append(store.write().read_bytes())
    assert found[0] == found[1]


def test_a_comparator_that_all_controls_began_on_day_0_is_no_addition(tmp_path):
    """It is their strategy; a later course of it in one of the treated is an addition."""
    folder = copied(tmp_path / "cohort")
    rewrite(folder, "treatments", lambda row: None if row["drug"] == "ciclosporin" else row)
    path = folder / "treatments.csv"
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    columns = header.split(",")

    def course(patient: str, day: int) -> str:
        known = {
            "patient_id": patient, "drug": "ciclosporin", "start_day": str(day), "stop_day": str(day + 20),
            "dose": "150", "unit": "mg", "route": "po", "per_day": "1",
        }  # fmt: skip
        return ",".join(known.get(name, "") for name in columns)

    controls = [f"C{number:02d}" for number in range(1, 22)]
    lines += [course(patient, 0) for patient in controls] + [course("R03", 5)]
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    config, tables = load_config(folder), clean_cohort(folder)
    recorded = what_is_recorded(tables, config, folder, horizon_days=56, confidence=0.95)
    begun = begun_drugs(tables, config, recorded.study)
    assert begun.loc[begun["drug"] == "ciclosporin", "patient_id"].tolist() == ["R03"]


def test_survival_from_eligibility_is_that_of_r(cohort, survival):
    """R's `survfit(Surv(lag, end, death))` with `rmean=56`, and `coxph` with the record split at the drug."""
    _, tables = cohort
    store = StatisticsStore(Path("nowhere"), "07_historical_control")
    recorded = what_is_recorded(tables, load_config(COHORT), COHORT, horizon_days=56, confidence=0.95)
    describe_eligibility(recorded.study, store, lag=recorded.lag, evidence=recorded.evidence)
    describe_cloning(recorded.study, store, years=recorded.years)
    rows = {row.statistic: row for row in store.rows().values()}
    for arm, survived, mean, error in (
        ("treated", 0.95, 54.55, 1.41328518),
        ("reference", 0.680719656284, 45.71133190118, 3.91801403487),
    ):
        assert rows[f"survival_from_eligibility_{arm}"].value == pytest.approx(100 * survived, abs=1e-8)
        row = rows[f"rmst_from_eligibility_{arm}"]
        assert row.value == pytest.approx(mean, abs=1e-8)
        assert row.upper - row.lower == pytest.approx(2 * 1.959963984540054 * error, abs=1e-7)
    later = rows["time_varying"]
    assert (later.value, later.lower, later.upper) == pytest.approx(
        (0.171734906405, 0.020541381581, 1.43577869686), abs=1e-8
    )
    assert later.p_value == pytest.approx(0.0658706109471, abs=1e-8)
    counts = {name: rows[f"evidence_{name}"].value for name in ("pulse_treated", "recurrence_reference")}
    assert counts == {"pulse_treated": 6, "recurrence_reference": 5}
    assert sum(row.value for name, row in rows.items() if name.startswith("evidence_")) == 41
    assert "not open" in rows["clone_censor_weight"].note
