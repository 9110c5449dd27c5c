"""Change from baseline, trend tests and reporting limits on hand-made patients."""

from __future__ import annotations

import sys
from functools import cache
from itertools import combinations, combinations_with_replacement
from math import inf, isnan, nan

import numpy as np
import pandas as pd
import pytest

from helpers.stats.censored import (
    censored_median,
    censored_quantile,
    censored_rank_test,
    censored_values,
    gehan_scores,
    limit_sensitivity,
)
from helpers.stats.contingency import standardized_difference_categorical, standardized_difference_proportions
from helpers.stats.paired_shift import paired_shift
from helpers.stats.proportions import proportion_interval, rule_of_three
from helpers.stats.repeated import (
    change_from_baseline,
    friedman_test,
    page_trend_test,
    signed_rank_test,
)
from helpers.stats.shift import hodges_lehmann
from helpers.stats.two_group import (
    median_difference,
    permutation_test,
    rank_sum_test,
    standardized_difference,
)


def visits(rows):
    return pd.DataFrame(rows, columns=["patient_id", "visit", "value", "qualifier"])


LONG = visits(
    [
        ("a", "baseline", 10.0, ""),
        ("b", "baseline", 20.0, ""),
        ("c", "baseline", 1500.0, ">"),
        ("d", "baseline", 40.0, ""),
        ("e", "baseline", nan, ""),
        ("a", "week_1", 5.0, ""),
        ("b", "week_1", 15.0, ""),
        ("c", "week_1", 1400.0, ""),
        ("e", "week_1", 3.0, ""),
        ("a", "week_2", 8.0, ""),
        ("d", "week_2", 0.5, "<"),
    ]
)


def test_change_from_baseline_counts_who_is_in_and_who_is_not():
    table = change_from_baseline(LONG, qualifier="qualifier").set_index("visit")
    week_1 = table.loc["week_1"]
    assert (week_1.n_baseline, week_1.n_visit, week_1.n, week_1.n_missing, week_1.n_censored) == (
        4,
        4,
        2,
        1,
        1,
    )
    assert (week_1.median_baseline, week_1.median_visit, week_1.median_change) == (15.0, 10.0, -5.0)
    assert week_1.median_percent_change == pytest.approx((-50 - 25) / 2)
    week_2 = table.loc["week_2"]
    assert (week_2.n, week_2.n_missing, week_2.n_censored, week_2.median_change) == (1, 2, 1, -2.0)


def test_a_change_from_beyond_the_limit_is_no_change_of_known_size():
    with_bounds = change_from_baseline(LONG, visits=["week_1"])
    assert with_bounds.n.item() == 3  # told nothing of qualifiers it takes 1500 to 1400 at face value
    assert change_from_baseline(LONG, visits=["week_1"], qualifier="qualifier").n.item() == 2


def test_change_at_a_visit_nobody_had():
    row = change_from_baseline(LONG, visits=["week_8"]).iloc[0]
    assert (row.n_baseline, row.n_visit, row.n, row.n_missing) == (4, 0, 0, 4)
    assert isnan(row.p_value)


def test_signed_rank_of_six_falls():
    found = signed_rank_test([10, 20, 30, 40, 50, 60], [9, 18, 27, 36, 45, 54])
    assert found.p_value == 2 / 2**6
    assert found.value == -3.5


def test_signed_rank_treats_equal_decimal_changes_as_tied():
    # 1.3 - 1.2 and 0.4 - 0.3 differ in the last bit
    tied = signed_rank_test([1.2, 0.3, 5.0, 2.0], [1.3, 0.4, 4.9, 2.5])
    whole = signed_rank_test([12, 3, 50, 20], [13, 4, 49, 25])
    assert tied.p_value == whole.p_value


def test_all_changes_zero():
    found = signed_rank_test([1, 2, 3], [1, 2, 3])
    assert found.p_value == 1
    assert found.note


def test_page_trend_on_the_lecture_quality_example():
    # SciPy's documented example; with ties the normal approximation is the one that holds.
    ratings = [
        [3, 4, 3],
        [2, 2, 4],
        [3, 3, 5],
        [1, 3, 2],
        [2, 3, 2],
        [2, 4, 5],
        [1, 2, 4],
        [3, 4, 4],
        [2, 4, 5],
        [1, 3, 4],
    ]
    found = page_trend_test(ratings)
    assert found.statistic == 133.5
    assert found.p_value == pytest.approx(0.0012693, abs=5e-8)
    assert "normal" in found.method
    assert page_trend_test(-np.array(ratings), decreasing=True).p_value == pytest.approx(found.p_value)


def test_page_trend_without_ties_is_exact():
    # two subjects in perfect order of four visits: one arrangement in 24 squared
    found = page_trend_test([[1, 2, 3, 4], [10, 20, 30, 40]])
    assert found.p_value == pytest.approx(1 / 576)


def test_friedman_leaves_incomplete_subjects_out_and_counts_them():
    found = friedman_test([[1, 2, 3], [2, 3, 4], [1, nan, 2], [3, 4, 9]])
    assert (found.n, found.n_missing) == (3, 1)
    assert found.statistic == pytest.approx(6.0)
    assert friedman_test([[1, 1, 1], [2, 2, 2]]).p_value == 1


def test_paired_shift_of_few_and_of_many():
    few = paired_shift([1, 2, 3, 4, 5], [3, 5, 7, 9, 11])
    assert (few.value, few.note) == (4.0, "too few pairs for an interval at this level")
    assert isnan(few.lower)
    assert paired_shift([1, 2, 3], [2, 3, 4]).note == "all differences are equal: no interval"
    # Six pairs: 2/64 lie outside the extremes, as many as a 95 % interval may leave out.
    six = paired_shift([0, 0, 0, 0, 0, nan, 0], [1, 2, 3, 4, 5, 9, 6])
    assert (six.value, six.lower, six.upper, six.n, six.n_missing) == (3.5, 1.0, 6.0, 6, 1)
    # Selected without building the means, and by the normal approximation: the same numbers and nearly so.
    rng = np.random.default_rng(4)
    many = rng.normal(1, 2, 499).round(1)
    built = paired_shift(np.zeros(499), many)
    paired_module = sys.modules["helpers.stats.paired_shift"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paired_module, "_BUILT", 0)
        selected = paired_shift(np.zeros(499), many)
        found, same = ((one.value, one.lower, one.upper) for one in (selected, built))
        assert found == pytest.approx(same, rel=1e-14)
        patch.setattr(paired_module, "EXACT_PAIRS", 0)
        near = paired_shift(np.zeros(499), many)
    assert (near.lower, near.upper) == pytest.approx((built.lower, built.upper), abs=0.02)
    assert "normal approximation" in near.method


def test_paired_shift_covers_as_often_as_it_says():
    rng = np.random.default_rng(12)
    covered = 0
    for _ in range(2000):
        found = paired_shift(np.zeros(12), rng.normal(0.3, 1, 12).round(1))  # ties and zeros
        covered += found.lower <= 0.3 <= found.upper
    assert covered / 2000 >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 2000)


def limited(values, low, high):
    """Values as an assay prints them that ends at both sides, with their qualifiers."""
    return np.clip(values, low, high), np.where(values < low, "<", np.where(values > high, ">", ""))


def test_shifts_known_in_part_span_those_of_the_true_values():
    rng = np.random.default_rng(7)
    bounded = 0
    for _ in range(300):
        x, y = rng.integers(1, 12, size=(2, rng.integers(6, 15))).astype(float)
        ends = rng.integers(1, 5), rng.integers(7, 12)
        (before, before_signs), (after, after_signs) = limited(x, *ends), limited(y, *ends)
        paired = paired_shift(before, after, before_qualifiers=before_signs, after_qualifiers=after_signs,
                              smallest=0.0)  # fmt: skip
        between = hodges_lehmann(before, after, x_qualifiers=before_signs, y_qualifiers=after_signs,
                                 smallest=0.0)  # fmt: skip
        if not between.details:
            continue
        bounded += 1
        means = np.sort([(a + b) / 2 for a, b in combinations_with_replacement(y - x, 2)])
        for found, means_of_all, chance in (
            (paired, means, signed_rank_chances(x.size)),
            (between, np.sort(np.subtract.outer(x, y).ravel()), rank_sum_chances(x.size, y.size)),
        ):
            outside = int(np.searchsorted(np.cumsum(chance), 0.025, side="right"))  # all of them too few: 0
            assert outside
            assert found.lower <= means_of_all[outside - 1]
            assert found.upper >= means_of_all[-outside]
            assert found.details["least"] <= np.median(means_of_all) <= found.details["greatest"]
    assert bounded > 100


def signed_rank_chances(n):
    sums = [sum(ranks) for k in range(n + 1) for ranks in combinations(range(1, n + 1), k)]
    return np.bincount(sums) / 2**n


@cache
def rank_sum_chances(n, m):
    """Chance of each number of pairs in which the value of the first sample is the larger, without ties."""
    ways = np.zeros((n + 1, n * m + 1))  # by how many of the first sample are placed, and pairs so far
    ways[0, 0] = 1
    for place in range(n + m):
        for k in range(min(place, n - 1), max(place - m, 0) - 1, -1):
            below = place - k  # of the second sample
            ways[k + 1, below:] += ways[k, : n * m + 1 - below]
    return ways[n] / ways[n].sum()


def test_a_change_of_values_known_only_as_limits_is_unknown():
    fell = paired_shift([40000] * 8, [500, 600, 800, 20000, 10000, 100, 40, 3000], smallest=0,
                        before_qualifiers=[">"] * 8)  # fmt: skip
    assert (fell.value, fell.details["qualifier"], fell.lower) == (-38225, "<", -inf)
    assert fell.upper == -29600  # the third smallest mean of two falls, were the starts all 40000
    below = paired_shift([0.5] * 8, [0.5] * 8, smallest=0, before_qualifiers=["<"] * 8,
                         after_qualifiers=["<"] * 8)  # fmt: skip
    assert isnan(below.value)
    assert (below.lower, below.upper) == (-0.5, 0.5)
    assert below.note == "known only to lie between -0.5 and 0.5"
    nothing = paired_shift([9] * 8, [9] * 8, before_qualifiers=[">"] * 8, after_qualifiers=[">"] * 8)
    assert isnan(nothing.value)
    assert nothing.note.startswith("not estimable: too many values")
    one = hodges_lehmann([900, 40000, 40000, 40000], [1, 2, 3, 4], x_qualifiers=["", ">", ">", ">"])
    assert (one.value, one.details["qualifier"], one.lower, one.upper) == (39997, ">", 896, inf)


@pytest.mark.parametrize(
    ("values", "signs", "text"),
    [
        ([712, 1500, 3000, 9000, 40000], ["", "", "", "", ">"], "3000"),
        ([712, 1500, 40000, 40000, 40000], ["", "", ">", ">", ">"], ">40000"),
        ([712, 1500, 40000, 40000], ["", "", ">", ">"], ">1500"),  # no average across the limit
        ([712, 40000, 40000, 40000], ["", ">", ">", ">"], ">40000"),
        ([0.5, 0.5, 0.5, 2, 3], ["<", "<", "<", "", ""], "<0.5"),
        ([0.5, 0.5, 2, 3], ["<", "<", "", ""], "<2"),
        ([1500, 1500, 1500, 1500, 2400], [">", "", "", "", ""], "1500"),
        # one hospital stops at 1500, another measured 5000: the median exceeds 1500, no more is known
        ([1500, 1500, 1500, 5000, 6000], [">", ">", ">", "", ""], ">1500"),
    ],
)
def test_median_under_reporting_limits(values, signs, text):
    assert censored_median(values, signs).details["text"] == text


def test_median_under_limits_on_both_sides_may_only_be_bracketed():
    found = censored_median([5, 10, 3], ["", "<", ">"])
    assert isnan(found.value)
    assert (found.lower, found.upper) == (3, 10)


def test_extreme_quantiles_keep_their_sign():
    assert censored_quantile([1, 2, 40000], ["", "", ">"], 1).details["text"] == ">40000"
    assert censored_quantile([0.5, 2, 3], ["<", "", ""], 0).details["text"] == "<0.5"


def test_missing_values_under_limits_are_counted():
    found = censored_median(
        pd.Series([1.0, None, 3.0, 5.0]), pd.Series(["", None, pd.NA, ">"], dtype="string")
    )
    assert (found.n, found.n_missing, found.value) == (3, 1, 3.0)


def test_gehan_scores_use_only_sure_comparisons():
    # 5 is surely below ">10" and "12"; 12 against ">10" is open
    scores = gehan_scores(censored_values([5, 10, 12], ["", ">", ""]))
    assert scores.tolist() == [-2, 1, 1]


def test_different_limits_need_gehan_and_are_not_compared_blindly():
    x, xs = [1500, 1500, 1500, 1500, 900], [">", ">", ">", ">", ""]
    y, ys = [1600, 2000, 4000, 9000, 950], ["", "", "", "", ""]
    found = censored_rank_test(x, xs, y, ys)
    assert "Gehan" in found.method
    # Taken at face value the censored sample looks lower; the sure comparisons say nearly nothing.
    assert rank_sum_test(x, y).p_value < found.p_value
    assert censored_rank_test(x, xs, y, ys, method="peto_prentice").p_value > 0.3


def test_limit_sensitivity_brackets_the_reported_comparison():
    x, xs = [100, 900, 1500, 1500, 1200, 300], ["", "", ">", ">", "", ""]
    y, ys = [1500, 1500, 1500, 1400, 1500, 700, 1450], [">", ">", ">", "", ">", "", ""]
    table = limit_sensitivity(x, xs, y, ys)
    assert table.scenario.tolist()[:2] == ["limit x 1", "limit x 2"]
    reported = censored_rank_test(x, xs, y, ys).p_value
    assert table.p_value.min() <= reported <= table.p_value.max()
    assert table.loc[1, "p_value"] == pytest.approx(reported)
    assert table.loc[0, "median_y"] == 1500
    assert table.loc[1, "median_y"] == 3000
    assert isnan(table.loc[3, "median_y"])


def test_standardised_differences_by_hand():
    assert standardized_difference([1, 2, 3], [3, 4, 5]).value == -2.0
    assert standardized_difference([1, 1], [2, 2]).value == -inf
    assert standardized_difference([2, 2], [2, 2]).value == 0
    assert standardized_difference(np.exp([1, 2, 3]), np.exp([3, 4, 5]), scale="log").value == pytest.approx(
        -2.0
    )
    assert standardized_difference_proportions(10, 20, 5, 20).value == pytest.approx(
        0.25 / np.sqrt((0.25 + 0.1875) / 2)
    )
    assert standardized_difference_proportions(0, 20, 20, 20).value == -inf


def test_standardised_difference_of_two_levels_is_that_of_proportions():
    two = standardized_difference_categorical([10, 10], [5, 16]).value
    assert two == pytest.approx(standardized_difference_proportions(10, 20, 5, 21).value)
    # the order and the dropped level do not matter; an empty level adds nothing
    three = standardized_difference_categorical([10, 6, 4], [5, 8, 8]).value
    assert three == pytest.approx(standardized_difference_categorical([4, 10, 6], [8, 5, 8]).value)
    assert three == pytest.approx(standardized_difference_categorical([10, 6, 4, 0], [5, 8, 8, 0]).value)
    assert standardized_difference_categorical([5, 0], [0, 7]).value == inf


def test_rule_of_three():
    found = rule_of_three(20)
    assert found.upper == pytest.approx(1 - 0.05 ** (1 / 20))
    assert found.details["approximation"] == pytest.approx(0.15, abs=5e-4)
    # one-sided 95% is the upper limit of the two-sided 90% interval
    assert found.upper == pytest.approx(proportion_interval(0, 20, confidence=0.9).upper)


def test_permutation_test_of_any_statistic_enumerates_small_samples():
    found = permutation_test([1, 2, 3], [4, 5, 6], lambda x, y: np.mean(x) - np.mean(y))
    assert found.p_value == pytest.approx(2 / 20)
    assert "all relabellings" in found.method
    drawn = permutation_test(range(10), range(3, 14), lambda x, y: np.mean(x) - np.mean(y), draws=500, seed=1)
    assert "seed 1" in drawn.method
    assert 0 < drawn.p_value < 1


def test_median_difference_is_seeded_and_holds_its_estimate():
    found = median_difference([36, 30, 41, 28], [15, 12, 18, 9, 20], seed=3, draws=2000)
    assert found.value == 33 - 15
    assert found.lower <= found.value <= found.upper
    assert found == median_difference([36, 30, 41, 28], [15, 12, 18, 9, 20], seed=3, draws=2000)
