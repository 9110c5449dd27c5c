"""Cohorts at the edge of what can be compared: every row has a value or says why it has none."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.analysis.baseline import compare_baseline, count_balance
from helpers.analysis.effects import effects_on_survival
from helpers.analysis.limits import compare_under_limits
from helpers.analysis.steroids import describe_doses, describe_fall, describe_low_dose, doses_at_visits
from helpers.analysis.survival import compare_survival, describe_survival, survival_times
from helpers.analysis.trends import describe_trends
from helpers.analysis.variables import baseline_variables
from helpers.cohort.cleaning import clean_cohort
from helpers.cohort.config import load_config

CONFIG = """
title = "At the edge"
provenance = "synthetic"
[follow_up]
horizon_days = 56
[[group]]
id = "new"
label = "New"
role = "treated"
day0 = "first dose"
[[group]]
id = "old"
label = "Old"
role = "reference"
day0 = "diagnosis"
[[visit]]
id = "baseline"
label = "Baseline"
day = 0
window = [-7, 0]
[[visit]]
id = "week_8"
label = "Week 8"
day = 56
window = [49, 63]
"""


def patients(new, old, fever=("", "")):
    """Rows of patients: (last contact, death or empty) of each; fever is yes or no throughout an arm."""
    rows = [
        f"{group[0].upper()}{i},{group},{30 + i},{'female' if i % 2 else 'male'},{last},{death},{sign}"
        for group, arm, sign in (("new", new, fever[0]), ("old", old, fever[1]))
        for i, (last, death) in enumerate(arm)
    ]
    return "patient_id,group,age,sex,last_contact_day,death_day,fever\n" + "\n".join(rows) + "\n"


ALIVE = [(80, "")] * 5
DEAD = [(9, 9), (20, 20), (60, ""), (70, ""), (70, "")]
SHAPES = {
    "ordinary": (DEAD, [(5, 5), (8, 8), (56, 56), (60, ""), (60, "")]),
    "nobody died": (ALIVE, ALIVE),
    "no death in one arm": (ALIVE, DEAD),
    "one patient alive beside many": ([(80, "")], DEAD * 8),
    "two patients beside many": ([(80, ""), (90, "")], DEAD * 8),
    "one patient beside one": ([(80, "")], [(5, 5)]),
    "all dead on one day": ([(9, 9)] * 4, [(9, 9)] * 4),
    "all dead on two days": ([(9, 9)] * 4, [(20, 20)] * 4),
    "deaths after the other arm left": ([(3, ""), (5, ""), (6, "")], [(10, 10), (12, 12), (60, "")]),
    "all left on day 0": ([(0, "")] * 3, [(0, "")] * 3),
    "deaths on day 0": ([(0, 0), (80, "")], [(0, 0), (0, 0)]),
    "all censored early": ([(3, "")] * 3, [(4, "")] * 3),
}


@pytest.fixture
def cohort(tmp_path):
    def make(patients, measurements="", treatments=""):
        folder = tmp_path / "edge"
        folder.mkdir()
        (folder / "cohort.toml").write_text(CONFIG, encoding="utf-8")
        (folder / "patients.csv").write_text(patients, encoding="utf-8")
        if measurements:
            text = "patient_id,day,variable,value,unit\n" + measurements
            (folder / "measurements.csv").write_text(text, encoding="utf-8")
        if treatments:
            text = "patient_id,drug,start_day,stop_day,dose,unit,route,times_per_day\n" + treatments
            (folder / "treatments.csv").write_text(text, encoding="utf-8")
        return clean_cohort(folder), load_config(folder)

    return make


def every_row_has_a_value_or_a_reason(store):
    rows = store.rows()
    for row in map(rows.__getitem__, rows):
        empty = np.isnan(row.value) and np.isnan(row.p_value)
        assert not empty or row.note, row.id
        assert not empty or row.method, row.id
        assert "nan" not in row.note.lower().split(), row.id
        assert row.note != "inf", row.id
    return rows


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_survival_of_every_shape(cohort, store, shape):
    tables, config = cohort(patients(*SHAPES[shape]))
    times = survival_times(tables, config, 56)
    describe_survival(times, config, store, confidence=0.95)
    compare_survival(times, config, store, confidence=0.95)
    effects_on_survival(times, config, store, confidence=0.95, seed=1, draws=500)
    rows = every_row_has_a_value_or_a_reason(store)
    ratio = rows["survival.death.both.day_56.hazard_ratio"]
    assert np.isnan(ratio.value) != (ratio.note == "")


@pytest.mark.parametrize("shape", ["no death in one arm", "one patient alive beside many"])
def test_separated_survival_is_answered_by_firth_and_no_wald_number(cohort, store, shape):
    tables, config = cohort(patients(*SHAPES[shape]))
    compare_survival(survival_times(tables, config, 56), config, store, confidence=0.95)
    rows = store.rows()
    wald, firth = (
        rows[f"survival.death.both.day_56.{name}"] for name in ("hazard_ratio", "hazard_ratio_firth")
    )
    assert np.isnan([wald.value, wald.lower, wald.upper, wald.p_value]).all()
    assert "Firth" in wald.note
    assert 0 < firth.lower < firth.value < firth.upper < np.inf
    assert 0 < firth.p_value < 1
    assert "separated" in firth.note


def test_follow_up_is_that_of_the_reverse_curve(cohort, store):
    new = [(30, ""), (40, ""), (56, ""), (56, ""), (60, "")]
    old = [(5, 5), (9, 9), (12, 12), (50, ""), (56, ""), (70, "")]
    tables, config = cohort(patients(new, old))
    describe_survival(survival_times(tables, config, 56), config, store, confidence=0.95)
    rows = store.rows()
    for group, lower in (("new", 40), ("old", 50)):
        found = rows[f"survival.death.{group}.follow_up.median_follow_up"]
        assert (found.value, found.lower) == (56, lower)
        assert np.isnan(found.upper)


def test_all_against_none_and_one_value_in_an_arm(cohort, store):
    measured = "N0,0,ferritin,900,ng/mL\n" + "".join(f"O{i},0,ferritin,{500 + i},ng/mL\n" for i in range(5))
    measured += "".join(f"O{i},0,crp,{10 + i},mg/L\n" for i in range(5))
    tables, config = cohort(patients(DEAD, DEAD, fever=("yes", "no")), measured)
    compare_baseline(tables, config, store, horizon_days=56, confidence=0.95, seed=1)
    count_balance(store)
    rows = every_row_has_a_value_or_a_reason(store)
    fever = rows["baseline.fever.both.baseline.standardized_difference"]
    assert fever.value == np.inf
    assert fever.note == "no finite value: all of one group, none of the other"
    assert rows["balance.standardized_difference.both.baseline.above_0_1"].value >= 1
    ferritin = rows["baseline.ferritin.both.baseline.standardized_difference"]
    assert np.isnan(ferritin.value)
    assert "two values in each group" in ferritin.note
    # The exact rank-sum test of one highest value among six: two of six places are as extreme.
    assert rows["baseline.ferritin.both.baseline.test"].p_value == pytest.approx(2 / 6)
    crp = rows["baseline.crp.both.baseline.test"]
    assert (crp.n, crp.note) == (5, "not estimable: recorded in one group only")


def test_limited_values_of_one_group_only_are_described_and_not_compared(cohort, store):
    measured = "".join(f"O{i},0,ferritin,>{1500},ng/mL\n" for i in range(3)) + "O3,0,ferritin,900,ng/mL\n"
    tables, config = cohort(patients(DEAD, DEAD), measured)
    variables = baseline_variables(tables, config, 56)
    assert compare_under_limits(variables, tables, config, store, seed=1) == ["ferritin"]
    rows = every_row_has_a_value_or_a_reason(store)
    assert rows["reporting_limits.ferritin.old.baseline.median"].value == 1500
    new = rows["reporting_limits.ferritin.new.baseline.median"]
    assert (new.n, new.n_missing, new.note) == (0, 5, "not recorded in this group")
    assert "one group only" in rows["reporting_limits.ferritin.both.baseline.test"].note


def test_doses_of_zero_have_no_fall_in_percent(cohort, store):
    courses = "".join(f"N{i},prednisone,30,60,10,mg,po,1\n" for i in range(5))
    tables, config = cohort(patients(ALIVE, DEAD), treatments=courses)
    doses = doses_at_visits(tables, config)
    describe_doses(doses, tables, config, store)
    describe_fall(doses, tables, config, store)
    describe_low_dose(tables, config, store, horizon_days=56, confidence=0.95)
    every_row_has_a_value_or_a_reason(store)


def test_trends_that_cannot_be_fitted_say_why(cohort, store):
    measured = "".join(f"N{i},{d},ferritin,700,ng/mL\n" for i in range(5) for d in (0, 56))
    tables, config = cohort(patients(ALIVE, DEAD), measured)
    describe_trends(tables, config, store, confidence=0.95)
    rows = every_row_has_a_value_or_a_reason(store)
    told = rows.select(analysis="trend", statistic="visits")
    assert told
    for row in told:
        assert "the values do not vary" in row.note


def test_rows_in_another_order_are_the_same_statistics(cohort, store, tmp_path):
    tables, config = cohort(patients(*SHAPES["ordinary"]))
    times = survival_times(tables, config, 56)
    shuffled = type(times)(times.frame.sample(frac=1, random_state=3), times.horizon_days, times.left_out)
    stores = [type(store)(tmp_path / name, "test") for name in ("one", "two")]
    for each, used in zip(stores, (times, shuffled), strict=True):
        describe_survival(used, config, each, confidence=0.95)
        compare_survival(used, config, each, confidence=0.95)
        effects_on_survival(used, config, each, confidence=0.95, seed=1, draws=500)
    one, two = ([repr(each.rows()[name]) for name in each.rows()] for each in stores)
    assert one == two
    assert len(one) > 50
