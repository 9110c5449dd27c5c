"""Methods for historical controls: published examples, identities, brute force, and refusals with reasons."""

from __future__ import annotations

import warnings
from itertools import combinations, product
from math import comb, exp, isnan, log

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.stats import bayes, evalue, fragility, missing_bounds, multistate, truncation
from helpers.stats.balance import balance_table, expected_above, smd_standard_error
from helpers.stats.balancing import entropy_balance, maic_weights
from helpers.stats.counting_process import counting_process_cox, records
from helpers.stats.cox import cox_regression
from helpers.stats.delayed_entry import (
    delayed_hazard_ratio,
    delayed_kaplan_meier,
    delayed_rmst_difference,
    lag_tipping_point,
)
from helpers.stats.design_error import logrank_power, retrodesign, smallest_detectable_ratio
from helpers.stats.era import calendar_overlap, calendar_trend, era_tipping_point
from helpers.stats.exact_logrank_interval import exact_logrank_interval
from helpers.stats.firth import firth_logistic
from helpers.stats.fractional_bootstrap import (
    Design,
    bootstrap_effects,
    effects_by_weights,
    fractional_weights,
    sorted_survival,
)
from helpers.stats.imputation import impute_within_arms, mean_difference
from helpers.stats.kaplan_meier import kaplan_meier
from helpers.stats.landmark import (
    landmark_analysis,
    person_time_misclassified,
    split_at_start,
    time_varying_treatment,
)
from helpers.stats.logrank import exact_logrank_test, logrank_test
from helpers.stats.pretreatment import compare_slopes, individual_slopes
from helpers.stats.propensity import covariate_budget, positivity, propensity_scores
from helpers.stats.result import Result, StatisticsError
from helpers.stats.rmst import rmst, rmst_difference
from helpers.stats.specification import Specification, curve_summary, specification_curve
from helpers.stats.two_group import rank_sum_test
from helpers.stats.weighted_survival import effective_sample_size, weighted_effects, weighted_kaplan_meier
from helpers.stats.win_statistics import (
    decided_by_level,
    hierarchy,
    time_level,
    value_level,
    win_bootstrap,
    win_statistics,
)

# What other tests left open is collected at any moment, in these too.
pytestmark = pytest.mark.filterwarnings("error", "ignore::ResourceWarning")
quick = settings(max_examples=25, deadline=None, derandomize=True)


def study(seed: int = 1, n: int = 41) -> pd.DataFrame:
    """Two arms with whole days, ties, censoring, a measured covariate and a delay in the treated."""
    rng = np.random.default_rng(seed)
    treated = np.arange(n) < n // 2
    x = rng.normal(np.where(treated, -0.4, 0.3), 1.0)
    time = np.maximum(np.ceil(rng.exponential(70 * np.exp(-0.5 * x))), 1)
    return pd.DataFrame(
        {
            "id": [f"P{i:03d}" for i in range(n)],
            "time": np.minimum(time, 56),
            "event": (time <= 56).astype(int),
            "treated": treated.astype(int),
            "x": x,
            "entry": np.where(treated, rng.integers(0, 12, n), 0).astype(float),
        }
    )


# ---- counting process and delayed entry --------------------------------------------------------------------


def test_without_delay_and_weights_it_is_the_ordinary_model():
    d = study()
    data = records(np.zeros(len(d)), d["time"], d["event"])
    ours = counting_process_cox(data, d[["treated", "x"]], ["treated", "x"])
    ordinary = cox_regression(d, time="time", event="event", covariates=["treated", "x"])
    assert ours.coefficients == pytest.approx(ordinary.coefficients, rel=1e-9)
    assert ours.covariance == pytest.approx(ordinary.covariance, rel=1e-8)
    curve, usual = (
        delayed_kaplan_meier(np.zeros(len(d)), d["time"], d["event"]),
        kaplan_meier(d["time"], d["event"]),
    )
    assert curve.at(30).value == pytest.approx(usual.at(30).value, rel=1e-12)
    assert curve.rmst(50).value == pytest.approx(rmst(d["time"], d["event"], 50).value, rel=1e-12)


def test_lifelines_agrees_with_delayed_entry():
    from lifelines import CoxPHFitter, KaplanMeierFitter

    d = study(3, 80).assign(stop=lambda f: f["entry"] + f["time"])
    ours = delayed_hazard_ratio(d["entry"], d["stop"], d["event"], d["treated"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = CoxPHFitter().fit(d[["entry", "stop", "event", "treated"]], "stop", "event", entry_col="entry")
        curve = KaplanMeierFitter().fit(d["stop"], d["event"], entry=d["entry"] + 0.5)
    assert ours.details["coef"] == pytest.approx(fit.params_["treated"], abs=1e-6)
    assert ours.details["se"] == pytest.approx(fit.standard_errors_["treated"], abs=1e-6)
    # Half a day later, so that entries on the day of a death are at risk after it in both.
    mine = delayed_kaplan_meier(d["entry"] + 0.5, d["stop"], d["event"])
    assert mine.at(40).value == pytest.approx(float(curve.predict(40)), abs=1e-10)


def test_a_split_record_changes_nothing_and_weights_are_copies():
    d = study(2)
    whole = counting_process_cox(records(np.zeros(41), d["time"], d["event"]), d["treated"], ["treated"])
    cut = np.where(d["time"] > 10, 10.0, d["time"] / 2)
    twice = records(
        np.concatenate([np.zeros(41), cut]),
        np.concatenate([cut, d["time"]]),
        np.concatenate([np.zeros(41), d["event"]]),
        subject=[*d["id"], *d["id"]],
    )
    split = counting_process_cox(twice, np.tile(d["treated"], 2), ["treated"])
    assert split.coefficients == pytest.approx(whole.coefficients, rel=1e-9)
    assert split.robust_covariance == pytest.approx(whole.robust_covariance, rel=1e-9)
    copies = d.loc[d.index.repeat(2)]
    double = counting_process_cox(
        records(np.zeros(41), d["time"], d["event"], np.full(41, 2.0)),
        d["treated"],
        ["treated"],
        ties="breslow",
    )
    many = counting_process_cox(
        records(np.zeros(82), copies["time"], copies["event"]), copies["treated"], ["treated"], ties="breslow"
    )
    assert double.coefficients == pytest.approx(many.coefficients, rel=1e-9)


def test_time_before_treatment_counts_as_untreated():
    data, on = split_at_start([10, 10, 5], [1, 0, 1], [4, np.nan, 7])
    rows = sorted(zip(data.start, data.stop, data.event, on, strict=True))
    assert rows == [(0, 4, False, 0), (0, 5, True, 0), (0, 10, False, 0), (4, 10, True, 1)]
    found = person_time_misclassified([10, 10, 5], [4, np.nan, 2], [1, 0, 1])
    assert found.value == 6
    assert found.details["share"] == pytest.approx(6 / 15)


def test_a_landmark_leaves_out_the_dead_and_counts_later_starters_as_untreated():
    table = landmark_analysis([3, 20, 20, 20, 9], [1, 1, 0, 0, 1], [1, 2, 10, np.nan, np.nan], landmarks=[5])
    row = table.iloc[0]
    assert (row["n"], row["n_treated"], row["left_before"], row["switched"]) == (4, 1, 1, 1)


def test_the_lag_tips_once_and_says_where_nothing_is_left():
    d = study(4)
    frame, tipping = lag_tipping_point(d["time"], d["event"], d["treated"], lags=range(0, 80, 4), horizon=56)
    assert frame.iloc[-1]["note"] != ""
    assert isnan(frame.iloc[-1]["hazard_ratio"])
    before = frame[frame["lag"] < tipping.value]
    assert before.empty or before["p_value"].iloc[-1] < 0.05
    with pytest.raises(StatisticsError, match="none negative"):
        lag_tipping_point(d["time"], d["event"], d["treated"], lags=[-1])


# ---- weights -----------------------------------------------------------------------------------------------


def test_equal_weights_are_no_weights():
    d = study(5)
    ones = np.full(41, 0.37)
    usual = kaplan_meier(d["time"], d["event"])
    curve = weighted_kaplan_meier(d["time"], d["event"], ones)
    assert curve.survival == pytest.approx(usual.survival[usual.life.n_event > 0], rel=1e-12)
    found = weighted_effects(d["time"], d["event"], d["treated"], ones, 50)
    plain = rmst_difference(d["time"], d["event"], d["treated"], 50, treated=1)
    assert found["rmst_difference"].value == pytest.approx(plain.value, rel=1e-10)
    # The jackknife and Greenwood agree for equal weights and whole-arm risk sets.
    assert found["rmst_difference"].details["std_err"] == pytest.approx(plain.details["std_err"], rel=0.02)
    assert effective_sample_size(ones) == pytest.approx(41)


def test_propensity_is_firths_model_with_its_intercept_corrected():
    d = study(6, 60)
    fit = propensity_scores(d, treated="treated", covariates=["x"])
    firth = firth_logistic(d, outcome="treated", covariates=["x"])
    assert fit.coefficients[0] == pytest.approx(firth.coefficients[0], rel=1e-8)
    assert fit.scores.sum() == pytest.approx(d["treated"].sum(), rel=1e-10)
    ato = fit.weights("ATO")
    table = balance_table(d, treated="treated", covariates=["x"], weights=ato)
    assert (
        abs(table["smd"].item())
        < 0.1
        < abs(balance_table(d, treated="treated", covariates=["x"])["smd"].item())
    )


def test_the_budget_refuses_and_says_why():
    d = study(7).assign(y=lambda f: f["x"] ** 2, z=lambda f: f["time"])
    assert covariate_budget(20, 21) == 2
    with pytest.raises(StatisticsError, match="3 given, but 20 patients in the smaller arm carry 2"):
        propensity_scores(d, treated="treated", covariates=["x", "y", "z"])
    with pytest.raises(StatisticsError, match="does not vary"):
        propensity_scores(d.assign(y=1.0), treated="treated", covariates=["x", "y"])
    with pytest.raises(StatisticsError, match="combination"):
        propensity_scores(d.assign(y=2 * d["x"]), treated="treated", covariates=["x", "y"])


def test_separated_arms_have_scores_but_no_common_range():
    d = study(8).assign(x=lambda f: f["treated"] * 10.0 + np.arange(41) % 5)
    found = propensity_scores(d, treated="treated", covariates=["x"]).positivity()
    assert found.value == 1
    assert "separated" in found.note
    assert found.details["c_statistic"] == 1
    assert positivity([0.2, 0.8, 0.3, 0.7], [0, 0, 1, 1]).details["c_statistic"] == 0.5


@quick
@given(st.integers(0, 1000), st.integers(1, 3))
def test_entropy_balance_meets_its_moments_or_says_why_not(seed, columns):
    rng = np.random.default_rng(seed)
    x, target = rng.normal(size=(25, columns)), rng.normal(size=columns)
    found = entropy_balance(x, target)
    if found.feasible:
        assert found.weights @ x == pytest.approx(target, abs=1e-8)
        assert found.weights.sum() == pytest.approx(1)
        assert (found.weights > 0).all()
    else:
        from scipy.optimize import linprog

        equal = np.vstack([x.T, np.ones(25)])
        inside = linprog(np.zeros(25), A_eq=equal, b_eq=np.append(target, 1.0))
        assert not inside.success
        assert found.reason


@pytest.mark.parametrize("seed", range(40))
def test_many_patients_are_balanced_as_exactly_as_few(seed):
    x = np.random.default_rng(seed).normal(0, 1, 1000)
    found = entropy_balance(np.column_stack([x, x**2]), [0.15, 0.96])
    assert found.reason == ""
    assert found.weights @ x == pytest.approx(0.15, abs=1e-10)
    assert found.weights @ x**2 == pytest.approx(0.96, abs=1e-10)


def test_what_cannot_be_balanced_names_the_column():
    x = np.array([[1.0, 0], [2, 0], [3, 1], [4, 1]])
    assert "age: the target 5 is not inside" in entropy_balance(x, [5, 0.5], names=["age", "sex"]).reason
    assert "in every patient" in entropy_balance(np.ones((4, 1)), [2], names=["sex"]).reason
    assert "hull" in entropy_balance(x, [1.2, 0.9], names=["age", "sex"]).reason
    assert entropy_balance(np.ones((4, 1)), [1]).weights == pytest.approx(np.full(4, 0.25))


def test_maic_is_entropy_balancing_to_a_table():
    rng = np.random.default_rng(3)
    x = rng.normal(50, 10, (60, 2))
    found = maic_weights(x, [53, 47], sds=[9, 11])
    w = found.weights
    assert w @ x == pytest.approx([53, 47], abs=1e-7)
    assert np.sqrt(w @ (x - [53, 47]) ** 2) == pytest.approx([9, 11], abs=1e-7)
    assert maic_weights(x, [53, 47]).weights == pytest.approx(entropy_balance(x, [53, 47]).weights)
    assert 0 < found.effective_n < 60


# ---- bootstrap ---------------------------------------------------------------------------------------------


def test_batched_effects_are_the_single_ones():
    d = study(9)
    data = sorted_survival(d["time"], d["event"], d["treated"], 50)
    w = fractional_weights(d["id"], d["treated"], draws=5, seed=1)
    found = effects_by_weights(data, w)
    for i in range(5):
        one = weighted_effects(d["time"], d["event"], d["treated"], w[i], 50)
        assert found["risk_difference"][i] == pytest.approx(one["risk_difference"].value, abs=1e-10)
        assert found["rmst_difference"][i] == pytest.approx(one["rmst_difference"].value, abs=1e-9)
        cut = d["time"].clip(upper=50), d["event"] * (d["time"] <= 50)
        fit = counting_process_cox(records(np.zeros(41), *cut, w[i]), d["treated"], ["treated"])
        assert found["log_hazard_ratio"][i] == pytest.approx(fit.coefficients[0], abs=1e-8)


def test_the_order_of_rows_does_not_matter():
    d = study(10)
    mixed = d.sample(frac=1, random_state=3)
    results = [
        bootstrap_effects(
            f["time"], f["event"], f["treated"], f["id"], tau=50, design=Design(f[["x"]].to_numpy()), draws=60
        )
        for f in (d, mixed)
    ]
    for effect, first in results[0].items():
        second = results[1][effect]
        assert first.lower == pytest.approx(second.lower, rel=1e-9)
        assert first.upper == pytest.approx(second.upper, rel=1e-9)


def test_weights_keep_the_arms_and_have_the_right_spread():
    w = fractional_weights(range(41), [1] * 20 + [0] * 21, draws=4000, seed=2)
    assert w[:, :20].sum(1) == pytest.approx(np.full(4000, 20.0))
    # A Dirichlet weight of one of n has the variance (n - 1) / (n + 1) about its mean of 1.
    assert w[:, 0].var() == pytest.approx(19 / 21, rel=0.1)
    with pytest.raises(StatisticsError, match="more than once"):
        fractional_weights(["a", "a"], [0, 1], draws=2, seed=1)


def test_one_death_in_an_arm_stays_in_every_draw():
    time, event = [19] + [56] * 19 + [5, 8, 13, 20] + [56] * 17, [1] + [0] * 19 + [1] * 4 + [0] * 17
    found = bootstrap_effects(time, event, [1] * 20 + [0] * 21, range(41), tau=56, draws=300)
    assert found["log_hazard_ratio"].details["not_finite"] == 0
    none = bootstrap_effects(time, [0, *event[1:]], [1] * 20 + [0] * 21, range(41), tau=56, draws=50)
    assert isnan(none["log_hazard_ratio"].value)
    assert none["risk_difference"].value == pytest.approx(-4 / 21)
    for found in none.values():  # every draw would favour the arm without a death, however few it has
        assert (isnan(found.p_value), isnan(found.lower), isnan(found.upper)) == (True, True, True)
        assert found.note == "no interval: no death among the treated, so none in any draw"


def test_where_nobody_or_everybody_dies_the_bootstrap_claims_nothing():
    arm = [1] * 5 + [0] * 6
    nobody = bootstrap_effects([56] * 11, [0] * 11, arm, range(11), tau=56, draws=50)
    assert all(isnan(found.p_value) and isnan(found.lower) and found.note for found in nobody.values())
    time, event = [3, 5, 7, 8, 9, 4, 6, 10, 56, 56, 56], [1] * 8 + [0] * 3
    some = bootstrap_effects(time, event, arm, range(11), tau=56, draws=50)
    assert some["risk_difference"].note == "no interval: all the treated died, so all in any draw"
    assert some["rmst_difference"].lower < some["rmst_difference"].value < some["rmst_difference"].upper


def test_draws_that_are_all_alike_have_no_interval():
    value, arm = np.arange(12.0), np.arange(12) < 6
    weights = fractional_weights(range(12), arm, draws=30, seed=1)
    same = win_bootstrap(hierarchy([value_level("x", value, better="low")]), arm, weights)
    assert (same.value, isnan(same.lower), same.note) == (
        1, True, "every pair is decided the same way: no interval"
    )  # fmt: skip
    still = multistate.moves(["a", "b"], [0, 0], [50, 50], ["no", "no"], [None, None], ["no", "yes"])
    weights = fractional_weights(["a", "b"], [0, 0], draws=30, seed=1)
    for found in (
        multistate.expected_days_result(still, 50, ["yes"], weights),
        multistate.occupancy_result(still, 20, ["yes"], weights),
    ):
        assert (found.value, isnan(found.lower), found.note) == (
            0, True, "no interval: every draw gives the same"
        )  # fmt: skip


# ---- not measured ------------------------------------------------------------------------------------------


def test_published_e_values():
    # VanderWeele & Ding 2017: infant feeding, risk ratio 3.9 (1.8 to 8.7); their rule for a ratio below 1.
    found = evalue.e_value(3.9, 1.8, 8.7)
    assert (round(found.value, 2), round(found.lower, 1)) == (7.26, 3.0)
    protective = evalue.e_value(0.80, 0.71, 0.91)
    assert (round(protective.value, 2), round(protective.lower, 2)) == (1.81, 1.43)
    assert evalue.e_value(0.8, 0.6, 1.1).lower == 1
    assert evalue.e_value(1.0).value == 1
    assert evalue.to_risk_ratio(4.0, "odds_ratio", common=True) == 2


@pytest.mark.parametrize("ratio", [0.1, 0.5, 0.9, 1.5, 4.0])
def test_the_e_value_is_where_the_bounding_factor_reaches_the_estimate(ratio):
    strength = evalue.e_value(ratio).value
    assert evalue.bounding_factor(strength, strength) == pytest.approx(max(ratio, 1 / ratio), rel=1e-10)


def test_the_grid_of_one_confounder_is_a_reweighted_table():
    # Outcome risk 0.2 without, 0.6 with the confounder, no effect of treatment at all.
    observed = (0.3 * 0.6 + 0.7 * 0.2) / (0.7 * 0.6 + 0.3 * 0.2)
    grid = evalue.confounder_grid(
        observed, 0.5, 0.95, prevalence_treated=[0.3], prevalence_control=[0.7], effects=[1, 3]
    )
    assert grid["ratio"].tolist() == pytest.approx([observed, 1.0])
    assert grid["conclusion"].tolist() == ["holds", "inconclusive"]
    tip = evalue.confounder_tipping_effect(0.95, 0.3, 0.7)
    assert evalue.confounder_bias(0.3, 0.7, tip.value) == pytest.approx(0.95)
    assert "no strength" in evalue.confounder_tipping_effect(0.2, 0.5, 0.6).note


def test_published_fragility():
    # Walsh et al. 2014 count events added to the arm with fewer; 1/100 v 9/100 loses significance at once.
    assert fragility.fragility_index(1, 100, 9, 100).value == 1
    assert fragility.fragility_index(9, 100, 1, 100).value == 1
    found = fragility.fragility_index(4, 20, 8, 21)
    assert found.method.startswith("reverse")
    assert found.p_value < 0.05
    assert (
        isnan(fragility.fragility_index(0, 3, 0, 3).value)
        or fragility.fragility_index(0, 3, 0, 3).value > 3 - 1
    )


def test_fragility_by_the_log_rank_test_is_the_loop():
    d = study(12)
    more = fragility.logrank_with_more_events(d["time"], d["event"], d["treated"])
    free = d[(d["treated"] == 1) & (d["event"] == 0)].sort_values("time", ascending=False).index[0]
    p = []
    # Times are whole days here: every day and every half day are all the places that there are.
    for day in np.arange(0.5, d.loc[free, "time"] + 0.5, 0.5):
        changed = d.copy()
        changed.loc[free, ["time", "event"]] = [day, 1]
        p.append(logrank_test(changed["time"], changed["event"], changed["treated"]).p_value)
    assert (more.lower, more.upper) == pytest.approx((min(p), max(p)))
    fewer = fragility.logrank_with_fewer_events(d["time"], d["event"], d["treated"])
    assert fewer.details["choices"] == ((d["treated"] == 0) & (d["event"] == 1)).sum()
    table = fragility.leave_one_out(
        d["id"], lambda kept: logrank_test(d["time"][kept], d["event"][kept], d["treated"][kept]).p_value
    )
    assert len(table) == 41
    assert table["value"].notna().all()


def test_the_patient_followed_longest_is_the_one_who_could_have_died_later():
    time, event, arm = [10, 50, 30, 20, 40, 45], [0, 0, 1, 1, 1, 0], [1, 1, 1, 0, 0, 0]
    found = fragility.logrank_with_more_events(time, event, arm)
    days = (10, 20, 25, 30, 35, 40, 45, 50)
    p = [logrank_test([10, day, *time[2:]], [0, 1, *event[2:]], arm).p_value for day in days]
    assert (found.lower, found.upper) == pytest.approx((min(p), max(p)))
    assert max(found.details["days"]) > 10, "the patient lost on day 10 is not the one who is changed"


def test_the_difference_among_the_known_lies_between_its_bounds():
    found = missing_bounds.difference_bounds(5, 20, 4, 8, 21, 1)
    assert found.value == pytest.approx(5 / 16 - 8 / 20)
    assert (found.lower, found.upper) == pytest.approx((5 / 20 - 9 / 21, 9 / 20 - 8 / 21))


@pytest.mark.parametrize("seed", range(60))
def test_a_likelihood_without_a_maximum_is_seen_as_by_looking_at_every_risk_set(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 12))
    start = rng.integers(0, 3, n).astype(float)
    stop, event = start + rng.integers(1, 9, n), rng.random(n) < 0.5
    x = np.append(rng.integers(0, rng.integers(2, 4), n - 2), [0, 1]).astype(float)
    event[0] = True
    sets = [(start < stop[i]) & (stop >= stop[i]) for i in np.flatnonzero(event)]
    own = x[event]
    highest, lowest = np.array([x[r].max() for r in sets]), np.array([x[r].min() for r in sets])
    endless = bool((own >= highest).all() or (own <= lowest).all())
    if (highest == lowest).all():
        return  # nothing to learn from: refused
    fit = counting_process_cox(records(start, stop, event), x, ["x"])
    assert bool(fit.separated) == endless


# ---- few patients ------------------------------------------------------------------------------------------


def test_a_complete_hierarchy_is_the_rank_sum_test():
    rng = np.random.default_rng(5)
    value, arm = rng.integers(0, 8, 24).astype(float), np.arange(24) < 11
    found = win_statistics(hierarchy([value_level("dose", value, better="low")]), arm)
    ranks = rank_sum_test(-value[arm], -value[~arm])
    assert found.test.p_value == pytest.approx(ranks.p_value, rel=1e-9)
    assert found.probability_better.value == pytest.approx(ranks.value)
    assert found.win_odds.value == pytest.approx(ranks.value / (1 - ranks.value))


def test_levels_are_asked_in_turn_and_unknown_passes_on():
    death = time_level("death", [56, 10, 56, 30], [0, 1, 0, 0])
    dose = value_level("dose", [0.5, 0.1, np.nan, 0.9], better="low", margin=0.05)
    scores = hierarchy([death, dose])
    # The last was followed for 30 days only, past the second's death.
    assert scores[0].tolist() == [0, 1, 0, 1]
    assert scores[3].tolist() == [-1, 1, 0, 0]
    assert decided_by_level([death, dose], [1, 0, 0, 0]) == {"death": (1, 0), "dose": (1, 0)}
    found = win_statistics(scores, [1, 1, 0, 0])
    assert found.wins + found.losses + found.ties == 4


def test_the_win_permutation_is_the_enumerated_one():
    rng = np.random.default_rng(6)
    time, event = rng.integers(1, 9, 9), rng.integers(0, 2, 9)
    scores = hierarchy(
        [time_level("death", time, event), value_level("x", rng.integers(0, 3, 9), better="high")]
    )
    arm = np.arange(9) < 4
    statistic = lambda chosen: scores[np.ix_(chosen, [i for i in range(9) if i not in chosen])].sum()  # noqa: E731
    seen = abs(statistic([0, 1, 2, 3]))
    hits = [abs(statistic(list(c))) >= seen for c in combinations(range(9), 4)]
    assert win_statistics(scores, arm).test.p_value == pytest.approx(np.mean(hits))


def test_win_bootstrap_brackets_its_estimate_and_no_loss_has_no_interval():
    value, arm = np.arange(12.0), np.arange(12) < 6
    scores = hierarchy([value_level("x", value, better="low")])
    found = win_statistics(scores, arm)
    assert found.win_ratio.value == np.inf
    assert "no interval" in found.win_ratio.note
    assert found.net_benefit.value == 1
    assert "no interval" in found.net_benefit.note
    mixed = hierarchy([value_level("x", (value * 7) % 12, better="low")])
    drawn = win_bootstrap(mixed, arm, fractional_weights(range(12), arm, draws=400, seed=1))
    assert drawn.lower < drawn.value < drawn.upper


@quick
@given(st.integers(0, 500))
def test_the_exact_interval_holds_the_permutation_test(seed):
    rng = np.random.default_rng(seed)
    time, arm = np.minimum(rng.integers(1, 30, 14), 20).astype(float), np.arange(14) < 6
    event = time < 20
    if not event.any():
        return
    found = exact_logrank_interval(time, event, arm)
    test = exact_logrank_test(time, event, arm, treated=True)
    # Censored only at the end and without ties the two distributions are one; with ties the scores differ.
    if np.unique(time[event]).size == event.sum():
        assert found.details["p_less"] == pytest.approx(test.details["p_less"], rel=1e-8)
        assert found.details["p_greater"] == pytest.approx(test.details["p_greater"], rel=1e-8)
    assert found.lower <= found.value <= found.upper
    assert (found.p_value < 0.05) == (found.upper < 1 or found.lower > 1) or found.p_value == pytest.approx(
        0.05
    )


@quick
@given(st.integers(0, 500))
def test_the_two_halves_are_all_paths(seed):
    rng = np.random.default_rng(seed)
    n = 11
    time, arm = np.minimum(rng.integers(1, 12, n), 9).astype(float), np.arange(n) < 5
    event = (time < 9) & (rng.random(n) < 0.8)
    if not event.any():
        return
    found = exact_logrank_interval(time, event, arm)
    days, tied = np.unique(time[event], return_counts=True)
    for ratio in (1.0, 0.4):
        less = greater = 0.0
        for path in product(*(range(d + 1) for d in tied)):
            chance, statistic, dead, before = 1.0, 0.0, 0, 0
            for day, d, k in zip(days, tied, path, strict=True):
                gone = ~event & (time < day)
                n1 = int(arm.sum()) - int((gone & arm).sum()) - dead
                n0 = int((~arm).sum()) - int((gone & ~arm).sum()) - (before - dead)
                ways = [comb(max(n1, 0), j) * comb(max(n0, 0), d - j) * ratio**j for j in range(d + 1)]
                chance *= ways[k] / sum(ways) if sum(ways) else 0.0
                statistic += k - d * n1 / (n1 + n0) if chance else 0.0
                dead, before = dead + k, before + d
                if not chance:
                    break
            less += chance * (statistic <= found.statistic + 1e-9)
            greater += chance * (statistic >= found.statistic - 1e-9)
        if ratio == 1.0:
            assert found.details["p_less"] == pytest.approx(less, abs=1e-10)
            assert found.details["p_greater"] == pytest.approx(greater, abs=1e-10)
        elif found.lower > 0 and not isnan(found.lower):
            assert (greater < 0.025) == (ratio < found.lower)


def test_no_death_among_the_treated_still_has_an_upper_limit():
    time, event = [56] * 10 + [5, 8, 13, 20, 30] + [56] * 6, [0] * 10 + [1] * 5 + [0] * 6
    found = exact_logrank_interval(time, event, [1] * 10 + [0] * 11)
    assert found.lower == 0
    assert found.value == 0
    assert 0 < found.upper < 1.5
    with pytest.raises(StatisticsError, match="too many"):
        exact_logrank_interval(np.arange(1, 41), np.ones(40), np.arange(40) % 2)


def test_the_posterior_does_not_depend_on_how_many_deaths_are_held_at_once(monkeypatch):
    d, weak = study(13), bayes.standard_priors(0.5)[0]
    whole = bayes.posterior_hazard_ratio(d["time"], d["event"], d["treated"], weak)
    monkeypatch.setattr(bayes, "_DEATHS", 2)
    parted = bayes.posterior_hazard_ratio(d["time"], d["event"], d["treated"], weak)
    assert parted.density == pytest.approx(whole.density, rel=1e-9, abs=1e-12)


def test_priors_say_what_their_names_say():
    weak, sceptical, enthusiastic = bayes.standard_priors(0.5)
    assert sceptical.limits == pytest.approx((0.5, 2.0))
    assert enthusiastic.limits == pytest.approx((0.25, 1.0))
    assert weak.limits[1] > 50
    d = study(13)
    means = [
        bayes.posterior_hazard_ratio(d["time"], d["event"], d["treated"], p).result()
        for p in (weak, sceptical)
    ]
    ordinary = cox_regression(d, time="time", event="event", covariates=["treated"]).result("treated")
    assert abs(log(means[0].value) - log(ordinary.value)) < 0.15
    assert abs(log(means[1].value)) < abs(log(means[0].value))
    predicted = bayes.prior_predictive_events(sceptical, 1, 20, 8, 21)
    assert sum(predicted.details["probabilities"]) == pytest.approx(1, abs=1e-6)
    assert predicted.lower <= predicted.value <= predicted.upper


def test_no_event_in_an_arm_is_no_obstacle_to_a_posterior():
    found = bayes.posterior_odds_ratio(0, 20, 8, 21, bayes.standard_priors()[1]).result()
    assert 0 < found.lower < found.value < found.upper
    for events in ((0, 0), (20, 21), (0, 21), (20, 0)):
        edge = bayes.discounted_controls(events[0], 20, events[1], 21, discount=0.5)
        assert edge.lower < edge.value < edge.upper
    mirrored = bayes.discounted_controls(20, 20, 21, 21, discount=1.0)
    assert mirrored.lower == pytest.approx(
        -bayes.discounted_controls(0, 20, 0, 21, discount=1.0).upper, abs=1e-6
    )
    whole = bayes.discounted_controls(1, 20, 8, 21, discount=1.0)
    half = bayes.discounted_controls(1, 20, 8, 21, discount=0.3)
    assert half.upper - half.lower > whole.upper - whole.lower


# ---- states, missing values, the dead ----------------------------------------------------------------------


def histories() -> multistate.Moves:
    return multistate.moves(
        ["a", "a", "b", "c", "c"],
        [0, 10, 0, 0, 20],
        [10, 50, 50, 20, 30],
        ["NR", "PR", "NR", "NR", "PR"],
        ["PR", None, "", "PR", "death"],
        ["NR", "PR", "death"],
    )


def test_days_in_states_without_censoring_are_averages():
    days = multistate.expected_days(histories(), 50)[0]
    assert days == pytest.approx([(10 + 50 + 20) / 3, (40 + 10) / 3, 20 / 3])
    table = multistate.occupancy_table(histories(), [0, 15, 30])
    assert table["probability"].tolist() == pytest.approx([1, 0, 0, 2 / 3, 1 / 3, 0, 1 / 3, 1 / 3, 1 / 3])
    weights = fractional_weights(histories().ids, [0, 0, 0], draws=200, seed=1)
    found = multistate.expected_days_result(histories(), 50, ["PR"], weights)
    assert found.lower < found.value < found.upper


def test_two_states_are_kaplan_meier():
    d = study(14)
    target = np.where(d["event"] == 1, "dead", "")
    data = multistate.moves(d["id"], np.zeros(41), d["time"], ["alive"] * 41, target, ["alive", "dead"])
    assert multistate.expected_days(data, 50)[0, 0] == pytest.approx(rmst(d["time"], d["event"], 50).value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": [0, 12, 0, 0, 20]}, "do not follow"),
        ({"source": ["NR", "NR", "NR", "NR", "PR"]}, "do not follow"),
        ({"source": ["NR", "XX", "NR", "NR", "PR"]}, "not among the states"),
        ({"start": [1, 10, 0, 0, 20]}, "from time 0"),
        ({"stop": [0, 50, 50, 20, 30]}, "before stop"),
    ],
)
def test_broken_histories_are_refused(change, message):
    columns = {
        "subject": ["a", "a", "b", "c", "c"],
        "start": [0, 10, 0, 0, 20],
        "stop": [10, 50, 50, 20, 30],
        "source": ["NR", "PR", "NR", "NR", "PR"],
        "target": ["PR", None, "", "PR", "death"],
    }
    with pytest.raises(StatisticsError, match=message):
        multistate.moves(**(columns | change), states=["NR", "PR", "death"])


def test_bounds_hold_every_completion():
    found = missing_bounds.difference_bounds(10, 20, 2, 6, 21, 6)
    table = missing_bounds.completions(10, 20, 2, 6, 21, 6)
    assert len(table) == 3 * 7
    assert (found.lower, found.upper) == pytest.approx((table["difference"].min(), table["difference"].max()))
    assert found.details["excludes_0"] is False
    share = missing_bounds.tipping_share(table)
    assert share.value == pytest.approx(table["significant"].mean())
    assert missing_bounds.proportion_bounds(6, 21, 6).details["counts"] == (6, 12)
    with pytest.raises(StatisticsError, match="exceed 21"):
        missing_bounds.proportion_bounds(16, 21, 6)


def test_death_is_the_worst_value():
    found = truncation.composite_quantile([0.2, 0.5, 0.9, np.nan, 7.0], [0, 0, 0, 0, 1], 0.5)
    assert (found.value, found.n, found.n_missing) == (0.5, 4, 1)
    dead = truncation.composite_quantile([0.2, 1, 1], [0, 1, 1])
    assert isnan(dead.value)
    assert dead.note == "the quantile is death"
    assert dead.details["survivors"] == 0.2


def test_survivor_bounds_hold_every_choice_of_survivors():
    rng = np.random.default_rng(7)
    one, none = rng.normal(size=8), rng.normal(size=5)
    found = truncation.survivor_effect_bounds(one, 10, none, 10)
    # Five of ten would survive either way: five of the eight treated survivors.
    means = [one[list(c)].mean() - none.mean() for c in combinations(range(8), 5)]
    assert (found.lower, found.upper) == pytest.approx((min(means), max(means)))
    wide = truncation.survivor_effect_bounds(one, 10, none, 10, monotone=False)
    assert wide.lower <= found.lower
    assert wide.upper >= found.upper
    with pytest.raises(StatisticsError, match="monotone"):
        truncation.survivor_effect_bounds(none, 10, one, 10)


def test_the_threshold_curve_counts_the_dead_as_failures():
    table = truncation.threshold_curve(
        [0.3, 0.6, np.nan, 0.3, 0.2], [0, 0, 0, 0, 1], [1, 1, 1, 0, 0], [0.4, 0.6]
    )
    assert table["treated"].tolist() == [1, 2]
    assert table["control"].tolist() == [1, 1]
    assert table[["n_treated", "n_control", "missing_treated"]].to_numpy().tolist() == [[2, 2, 1]] * 2


def test_imputation_stays_within_the_arm_and_does_not_mind_the_order_of_rows():
    d = study(16).assign(y=lambda f: f["x"] + 5 * f["treated"])
    d.loc[d.index[[2, 7, 25, 30, 31, 38]], "y"] = np.nan
    mixed = d.sample(frac=1, random_state=5)
    found = [impute_within_arms(f["y"], f[["x"]], f["treated"], f["id"], draws=8, seed=3) for f in (d, mixed)]
    place = {name: i for i, name in enumerate(mixed["id"])}
    assert np.array_equal(found[0], found[1][:, [place[name] for name in d["id"]]])
    for treated in (0, 1):
        mine = (d["treated"] == treated).to_numpy()
        assert set(found[0][:, mine].ravel()) <= set(d.loc[mine, "y"].dropna())
    known = ~d["y"].isna().to_numpy()
    assert (found[0][:, known] == d.loc[known, "y"].to_numpy()).all()
    assert found[0][:, ~known].std(axis=0).max() > 0


def test_imputation_recovers_what_the_known_predict():
    rng = np.random.default_rng(4)
    treated, x = np.arange(600) < 300, rng.normal(size=600)
    y = 2 * x + treated + rng.normal(0, 0.3, 600)
    # Most with a high x are missing: the known mean is too low, the imputed is not. Matching does not
    # reach beyond the known, so that some of them must be there.
    gone = (x > 0) & ~treated & (rng.random(600) < 0.7)
    found = mean_difference(
        impute_within_arms(np.where(gone, np.nan, y), pd.DataFrame({"x": x}), treated, range(600), draws=5),
        treated,
    )
    naive = y[treated].mean() - y[~treated & ~gone].mean()
    truth = y[treated].mean() - y[~treated].mean()
    assert abs(found.value - truth) < 0.5 * abs(naive - truth)
    assert 0 < found.details["missing_information"] < 1


@pytest.mark.parametrize(
    ("y", "x", "message"),
    [
        ([1.0, 2, 3] + [np.nan] * 9 + list(range(9)), list(range(21)), "fewer than ten of the treated"),
        ([1.0] * 11 + [np.nan] + list(range(9)), list(range(21)), "all known treated patients are alike"),
        ([*range(11), np.nan, *range(9)], [1.0] * 21, "none is known in, and differs between, the treated"),
        ([*range(11), np.nan, *range(9)], [np.nan, *range(20)], "none is known in"),
    ],
)
def test_what_the_patients_cannot_carry_is_not_imputed(y, x, message):
    with pytest.raises(StatisticsError, match=message):
        impute_within_arms(y, pd.DataFrame({"x": x}), [1] * 12 + [0] * 9, range(21))


# ---- era, design, slopes, specification --------------------------------------------------------------------


def test_era_and_treatment_that_do_not_overlap_are_said_to_be_one():
    found = calendar_overlap([2017.0, 2018, 2019, 2022, 2023], [0, 0, 0, 1, 1])
    assert found.value == 0
    assert found.details["gap"] == 3
    assert "cannot be told" in found.note
    frame, tipping = era_tipping_point(1, 20, 8, 21)
    assert frame["control_events"].tolist() == list(range(8, -1, -1))
    assert tipping.details["control_events"] == 6
    assert (frame["p_value"] >= 0.05).tolist() == [False, False] + [True] * 7
    assert "as it stands" in era_tipping_point(4, 20, 5, 21)[1].note
    trend = calendar_trend([2017, 2017, 2018, 2018, 2019, 2019], [1, 1, 1, 0, 0, 0])
    assert trend.value < 1 < trend.upper * 2


def test_published_type_s_and_m_errors():
    # Gelman & Carlin 2014: D = 2, s = 8.1 gives power 0.06, type S 0.24, exaggeration 9.7.
    found = retrodesign(2, 8.1)
    assert (round(found.value, 2), round(found.details["type_s"], 2)) == (0.06, 0.24)
    assert found.details["type_m"] == pytest.approx(9.7, abs=0.2)
    # And 0.1 with 3.28: power 0.05, type S 0.46, exaggeration 77.
    assert retrodesign(0.1, 3.28).details["type_s"] == pytest.approx(0.465, abs=0.01)
    assert retrodesign(-2, 8.1).details == retrodesign(2, 8.1).details
    ratio = smallest_detectable_ratio(60, power=0.8).value
    assert logrank_power(ratio, 60).value == pytest.approx(0.8, abs=1e-4)


def test_slopes_need_two_days_and_two_patients():
    table = individual_slopes(["a", "a", "b", "c", "c"], [-6, 0, 0, -3, 5], [100, 200, 5, 7, 9], scale="log")
    assert table["slope"].tolist()[0] == pytest.approx(log(2) / 6)
    assert table["note"].tolist()[1:] == ["values on 1 day(s) before 0"] * 2
    found = compare_slopes(table["slope"], [1, 0, 0])
    assert isnan(found.p_value)
    assert "1 treated and 0 control" in found.note


def test_the_specification_curve_keeps_analysis_and_design_apart():
    rows = [
        Specification("Cox", "analytic", Result("a", value=0.1, p_value=0.01), {"ties": "efron"}),
        Specification("Firth", "analytic", Result("b", value=0.2, p_value=0.04)),
        Specification("no events", "analytic", Result("c", note="no events")),
        Specification("lag 14", "design", Result("d", value=0.16, p_value=0.06), {"lag": "14"}),
    ]
    curve = specification_curve(rows)
    assert curve["name"].tolist() == ["Cox", "Firth", "no events", "lag 14"]
    assert curve["rank"].tolist()[:2] == [1, 2]
    assert isnan(curve["rank"].tolist()[2])
    summary = curve_summary(curve).set_index("kind")
    assert summary.loc["analytic", "significant"] == 2
    assert summary.loc["design", "significant"] == 0
    with pytest.raises(StatisticsError, match="repeated"):
        specification_curve([rows[0], rows[0]])


def test_values_that_are_alike_have_no_difference_of_rounding():
    frame = pd.DataFrame({"t": [1] * 20 + [0] * 21, "x": np.full(41, np.log(60.0)), "y": np.full(41, 0.1)})
    table = balance_table(frame, treated="t", covariates=["x", "y"])
    assert table["smd"].isna().all()
    assert set(table["note"]) == {"does not vary within the arms"}
    found = entropy_balance(np.full((21, 1), np.log(60.0)), [np.log(60.0)])
    assert found.weights == pytest.approx(np.full(21, 1 / 21))
    assert "in every patient" in entropy_balance(np.full((21, 1), 0.1), [0.2]).reason


def test_what_balance_alone_would_show():
    assert smd_standard_error(0, 20, 21) == pytest.approx(0.3124, abs=1e-4)
    found = expected_above(20, 21, 25)
    assert found.details["probability"] == pytest.approx(0.749, abs=1e-3)
    assert found.value == pytest.approx(18.7, abs=0.05)


# ---- degenerate cohorts ------------------------------------------------------------------------------------

THREE = ([5.0, 56, 56, 7, 20, 56], [1, 0, 0, 1, 1, 0], [1, 1, 1, 0, 0, 0])


def test_three_an_arm_gives_numbers_or_reasons_and_no_warning():
    time, event, treated = THREE
    assert exact_logrank_interval(time, event, treated).upper > 1
    found = weighted_effects(time, event, treated, np.ones(6), 50)
    assert found["risk_difference"].value == pytest.approx(-1 / 3)
    with pytest.raises(StatisticsError, match="carry 0"):
        propensity_scores(pd.DataFrame({"t": treated, "x": np.arange(6.0)}), treated="t", covariates=["x"])
    bootstrap_effects(time, event, treated, range(6), tau=50, draws=50)


def test_no_deaths_in_an_arm_gives_reasons():
    time, event, treated = [56.0] * 5 + [5, 9, 20, 56, 56], [0] * 5 + [1, 1, 1, 0, 0], [1] * 5 + [0] * 5
    found = weighted_effects(time, event, treated, np.ones(10), 50)
    assert "monotone likelihood" in found["hazard_ratio"].note
    assert isnan(found["hazard_ratio"].value)
    for name in ("risk_difference", "rmst_difference"):  # the other arm's error alone would be too small
        assert "an arm has no variance" in found[name].note
        assert isnan(found[name].p_value)
        assert isnan(found[name].upper)
    alive, dying = (delayed_kaplan_meier(np.zeros(5), time[a], event[a]) for a in (slice(5), slice(5, 10)))
    gap = delayed_rmst_difference(alive, dying, 50)
    assert gap.value > 0
    assert "an arm has no variance" in gap.note
    assert (isnan(gap.p_value), isnan(gap.lower)) == (True, True)
    assert isnan(alive.rmst(50).lower)
    assert alive.rmst(50).note
    assert isnan(delayed_hazard_ratio(np.zeros(10), time, event, treated).value)
    assert (
        "monotone" in time_varying_treatment(time, event, np.where(np.array(treated) == 1, 1.0, np.nan)).note
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda: weighted_effects([5, 6], [1, 0], [1, 1], [1, 1], 4),
        lambda: bootstrap_effects([5, 6], [1, 0], [1, 1], [1, 2], tau=4),
        lambda: exact_logrank_interval([5, 6], [1, 0], [1, 1]),
        lambda: exact_logrank_interval([5, 6], [0, 0], [1, 0]),
        lambda: win_statistics(hierarchy([value_level("x", [1, 2], better="low")]), [1, 1]),
        lambda: balance_table(pd.DataFrame({"t": [1, 1], "x": [1, 2]}), treated="t", covariates=["x"]),
        lambda: calendar_overlap([2017], [0]),
        lambda: delayed_kaplan_meier([5], [5], [1]),
        lambda: delayed_hazard_ratio([0, 0], [5, 6], [0, 0], [1, 0]),
        lambda: time_varying_treatment([5, 6], [1, 0], [0, 0]),
        lambda: bayes.posterior_hazard_ratio([5, 6], [0, 0], [1, 0], bayes.standard_priors()[0]),
        lambda: retrodesign(0, 1),
        lambda: truncation.threshold_curve([1, 2], [0, 0], [1, 1], [1]),
        lambda: multistate.expected_days(histories(), 80),
    ],
)
def test_one_arm_or_nothing_to_count_is_refused_with_a_reason(call):
    with pytest.raises(StatisticsError) as found:
        call()
    assert len(found.value.problem) > 8


def test_a_hazard_ratio_reads_as_its_logarithm():
    d = study(15)
    found = delayed_hazard_ratio(d["entry"], d["entry"] + d["time"], d["event"], d["treated"])
    assert found.value == pytest.approx(exp(found.details["coef"]))
