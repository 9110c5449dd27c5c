"""Small studies worked out by hand: limits, signs and edges that a large one would hide."""

from __future__ import annotations

from math import isnan, sqrt

import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu, norm
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.nonparametric import rank_compare_2indep

from helpers.stats.balance import balance_table
from helpers.stats.balancing import entropy_balance
from helpers.stats.competing import cumulative_incidence
from helpers.stats.delayed_entry import delayed_kaplan_meier
from helpers.stats.permutation import _PER_ROW, shift_work
from helpers.stats.propensity import positivity, propensity_weights
from helpers.stats.truncation import threshold_curve
from helpers.stats.two_group import adjust_p_values, median_difference, probability_of_superiority
from helpers.stats.weighted_survival import weighted_effects
from helpers.stats.win_statistics import hierarchy, value_level, win_statistics

Z = norm.isf(0.025)


def test_the_interval_of_a_standardised_difference_is_as_wide_as_its_error_says():
    frame = pd.DataFrame({"treated": [1, 1, 1, 0, 0, 0], "age": [5.0, 6.0, 7.0, 3.0, 4.0, 5.0]})
    row = balance_table(frame, treated="treated", covariates=["age"]).iloc[0]
    assert row["smd"] == pytest.approx(2.0)
    assert (row["upper"] - row["lower"]) / 2 == pytest.approx(Z * row["std_err"])
    assert row["std_err"] == pytest.approx(sqrt(2 / 3 + 2.0**2 / (2 * 6)), rel=0.1)
    wide = balance_table(frame, treated="treated", covariates=["age"], confidence=0.99).iloc[0]
    assert wide["upper"] - wide["lower"] > row["upper"] - row["lower"]


def test_the_interval_of_a_difference_of_medians_is_that_of_its_draws():
    x, y = np.arange(11.0), np.arange(20.0, 31.0)
    found = median_difference(x, y, seed=1)
    assert found.value == -20
    assert found.lower < -20 < found.upper
    assert found.lower + found.upper == pytest.approx(-40, abs=1.5), "both arms are symmetric"
    narrow = median_difference(x, y, seed=1, confidence=0.5)
    assert found.lower <= narrow.lower <= narrow.upper <= found.upper


def test_weighted_effects_have_intervals_at_the_level_asked_for():
    time, event = [5, 20, 30, 40, 3, 8, 15, 40], [1, 0, 1, 0, 1, 1, 1, 0]
    arm, ones = [1, 1, 1, 1, 0, 0, 0, 0], np.ones(8)
    found = weighted_effects(time, event, arm, ones, 28)["risk_difference"]
    assert found.value == pytest.approx(1 / 4 - 3 / 4)
    se = (found.upper - found.lower) / 2 / Z
    assert found.p_value == pytest.approx(2 * norm.sf(abs(found.value) / se))
    wide = weighted_effects(time, event, arm, ones, 28, confidence=0.99)["risk_difference"]
    assert (wide.upper - wide.lower) / (found.upper - found.lower) == pytest.approx(norm.isf(0.005) / Z)


def test_weights_of_each_estimand_by_their_formula():
    scores, arm = np.array([0.2, 0.5, 0.8, 0.4]), np.array([1, 1, 0, 0])
    assert propensity_weights(scores, arm, "ATO") == pytest.approx([0.8, 0.5, 0.8, 0.4])
    assert propensity_weights(scores, arm, "ATT") == pytest.approx([1, 1, 4, 2 / 3])
    assert propensity_weights(scores, arm, "ATE") == pytest.approx([5, 2, 5, 1 / 0.6])


def test_positivity_counts_who_lies_outside_the_common_range():
    scores, arm = [0.1, 0.3, 0.5, 0.4, 0.6, 0.9], [0, 0, 0, 1, 1, 1]
    found = positivity(scores, arm)
    assert found.value == pytest.approx(4 / 6)
    u = mannwhitneyu(scores[3:], scores[:3]).statistic
    assert found.details["c_statistic"] == pytest.approx(u / 9)


def test_the_restricted_mean_with_delayed_entry_lies_in_the_middle_of_its_limits():
    curve = delayed_kaplan_meier([0, 0, 2, 5], [4, 10, 8, 12], [1, 0, 1, 0])
    found = curve.rmst(10)
    # At risk 3 at day 4 (the fourth enters on day 5) and 3 at day 8.
    assert found.value == pytest.approx(4 + 4 * 2 / 3 + 2 * 4 / 9)
    assert found.value == pytest.approx((found.lower + found.upper) / 2)
    assert found.lower < found.value < found.upper


def test_those_alive_without_a_value_are_counted_in_their_own_arm():
    values, died, arm = [0.4, np.nan, np.nan, 0.9, np.nan, np.nan], [0, 0, 1, 0, 1, 0], [1, 1, 1, 0, 0, 0]
    row = threshold_curve(values, died, arm, [0.5]).iloc[0]
    assert (row["treated"], row["n_treated"], row["missing_treated"]) == (1, 2, 1)
    assert (row["control"], row["n_control"], row["missing_control"]) == (0, 2, 1)
    uneven = threshold_curve([*values, np.nan], [*died, 0], [*arm, 1], [0.5]).iloc[0]
    assert (uneven["missing_treated"], uneven["missing_control"]) == (2, 1)


@pytest.mark.parametrize("goal", [1.0, 4.0, 0.5])
def test_a_target_on_the_edge_of_the_range_is_not_inside_it(goal):
    found = entropy_balance([[1.0], [2.0], [4.0]], [goal])
    assert found.weights is None
    assert "is not inside the range 1 to 4" in found.reason


def test_a_target_on_the_edge_of_what_two_characteristics_allow_together_is_refused():
    corners = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.5, 0.2]]
    on_a_side = entropy_balance([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.1, 0.4]], [0.5, 0.5])
    assert on_a_side.weights is None
    assert "edge of the convex hull" in on_a_side.reason
    inside = entropy_balance(corners, [0.9, 0.9])
    assert inside.weights is not None
    assert inside.weights @ np.array(corners) == pytest.approx([0.9, 0.9])


def test_incidence_after_the_last_follow_up_is_known_only_where_nobody_is_left():
    ended = cumulative_incidence([1, 2, 3], [1, 2, 1])
    assert ended.at(50).value == pytest.approx(2 / 3)
    one_left = cumulative_incidence([1, 2, 3], [1, 2, 0])
    assert isnan(one_left.at(50).value)
    assert one_left.at(50).note == "follow-up ends at 3"
    two_at_first = cumulative_incidence([1, 1, 3, 3], [1, 2, 2, 1])
    assert two_at_first.at(9).value == pytest.approx(1 / 2)


def test_the_work_of_the_exact_distribution_is_the_cells_it_updates():
    # Before the scores 0, 1, 1, 3 come in turn: the sum of none (1 cell, thrice), and the sums of one of
    # those before, 0 alone (1 cell) or 0 and 1 (2 cells, twice); the last comes too late to be the first.
    assert shift_work(np.array([0, 1, 1, 3]), 2) == 3 * 1 + 1 + 2 * 2 + 6 * _PER_ROW
    # Without ties: the smaller group's size times the range of the rank sum, in three passes.
    assert shift_work(np.arange(10), 3) == 3 * 3 * (3 * 7)
    assert shift_work(np.arange(10), 7) == shift_work(np.arange(10), 3)
    assert shift_work(np.arange(10), 0) == 0


@pytest.mark.parametrize(("method", "theirs"), [("holm", "holm"), ("benjamini_hochberg", "fdr_bh")])
def test_adjusted_p_values_are_those_of_statsmodels(method, theirs):
    rng = np.random.default_rng(5)
    for size in (1, 2, 7, 40):
        p = np.round(rng.random(size) ** 3, 3)  # with ties
        found = adjust_p_values(np.append(p, np.nan), method)
        assert found[:-1] == pytest.approx(multipletests(p, method=theirs)[1], abs=1e-15)
        assert isnan(found[-1])


def test_the_probability_of_superiority_is_that_of_all_pairs_with_the_error_of_statsmodels():
    rng = np.random.default_rng(4)
    x, y = rng.integers(0, 9, 17) + 1.0, rng.integers(0, 8, 23) * 1.0
    found = probability_of_superiority([*x, np.nan], y, confidence=0.9)
    pairs = [(a > b) + (a == b) / 2 for a in x for b in y]
    assert found.value == pytest.approx(np.mean(pairs), abs=1e-14)
    assert (found.n, found.n_missing) == (40, 1)
    second = rank_compare_2indep(x, y, use_t=False)
    half = norm.isf(0.05) * 2 * sqrt(second.var_prob) / (1 - (2 * found.value - 1) ** 2)
    centre = np.arctanh(2 * found.value - 1)
    limits = [(1 + np.tanh(centre - half)) / 2, (1 + np.tanh(centre + half)) / 2]
    assert [found.lower, found.upper] == pytest.approx(limits, abs=1e-12)


def test_the_probability_of_superiority_is_that_of_the_pairs_of_win_statistics():
    rng = np.random.default_rng(5)
    values, arm = rng.integers(0, 12, 30) * 1.0, np.repeat([1, 0], [12, 18])
    both = win_statistics(hierarchy([value_level("dose", values, better="high")]), arm).probability_better
    found = probability_of_superiority(values[arm == 1], values[arm == 0])
    assert (found.value, found.lower, found.upper) == pytest.approx((both.value, both.lower, both.upper))


@pytest.mark.parametrize(
    ("x", "y", "value", "reason"),
    [
        ([4, 5], [1, 2], 1, "same way"),
        ([1, 1], [4, 5], 0, "same way"),
        ([3], [2, 4], 0.5, "one value"),
        ([2, 2], [2, 2, 2], 0.5, "same way"),
    ],
)
def test_a_probability_of_superiority_without_spread_has_no_interval(x, y, value, reason):
    found = probability_of_superiority(x, y)
    assert found.value == value
    assert isnan(found.lower)
    assert isnan(found.upper)
    assert reason in found.note
