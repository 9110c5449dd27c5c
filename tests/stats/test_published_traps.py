"""Known traps of survival and small-sample software: our numbers against R's and against hand results.

Arm A (20) and arm B (21) are followed for 56 days. Figures to two or three digits were obtained with R 4.2.2
(survival 3.5.3, coin 1.4.2); many stand with full precision in tests/oracle as well.
"""

from __future__ import annotations

from math import inf, isnan

import numpy as np
import pandas as pd
import pytest

from helpers.stats.contingency import odds_ratio, r_by_c_test, two_by_two_test
from helpers.stats.cox import cox_regression
from helpers.stats.firth import firth_cox
from helpers.stats.kaplan_meier import kaplan_meier
from helpers.stats.logrank import exact_logrank_test, logrank_test, permutation_logrank_test
from helpers.stats.proportions import proportion_difference, proportion_interval
from helpers.stats.rmst import rmst, survival_difference
from helpers.stats.two_group import rank_sum_test, standardized_difference

A_TIME = [1, 3, 5, 5, 8, 9, 12, 12, 20, 25, 30, 33, 40, 56, 56, 56, 56, 56, 56, 56]
A_EVENT = [1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
B_TIME = [1, 2, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 12, 14, 15, 20, 28, 56, 56, 56]
B_EVENT = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 0, 0]
TIME, EVENT = A_TIME + B_TIME, A_EVENT + B_EVENT
GROUP = ["A"] * 20 + ["B"] * 21
FRAME = pd.DataFrame({"time": TIME, "event": EVENT, "b": [0] * 20 + [1] * 21})
RESPONSE = [[17, 3], [8, 13]]


@pytest.mark.parametrize(
    ("interval", "a", "b"),
    [
        ("log", (0.351, 0.811), (0.058, 0.447)),
        ("log-log", (0.294, 0.724), (0.041, 0.352)),
        ("plain", (0.310, 0.757), (0.0, 0.325)),
        ("arcsine", (0.314, 0.746), (0.035, 0.353)),
    ],
)
def test_survival_at_day_28_depends_on_the_named_interval(interval, a, b):
    for time, event, value, limits in ((A_TIME, A_EVENT, 0.533, a), (B_TIME, B_EVENT, 0.161, b)):
        found = kaplan_meier(time, event, interval=interval).at(28)
        assert (found.value, found.lower, found.upper) == pytest.approx((value, *limits), abs=6e-4)
        assert interval in found.method


@pytest.mark.parametrize(
    ("interval", "lower", "upper"),
    # The figures 0.866-1 (log) and 0.827-1 (plain) met elsewhere are wrong: S = 0.95 with Greenwood's
    # se(S) = sqrt(0.95 * 0.05 / 20) = 0.0487 gives 0.95 - 1.96 * 0.0487 = 0.8545 (plain) and
    # 0.95 * exp(-1.96 * 0.0513) = 0.8591 (log), which is also what R's survfit prints.
    [("log", 0.8591, 1.0), ("log-log", 0.6947, 0.9928), ("plain", 0.8545, 1.0)],
)
def test_nineteen_of_twenty_alive(interval, lower, upper):
    found = kaplan_meier([19] + [56] * 19, [1] + [0] * 19, interval=interval).at(56)
    assert found.value == pytest.approx(0.95)
    assert (found.lower, found.upper) == pytest.approx((lower, upper), abs=6e-5)


@pytest.mark.parametrize(
    ("interval", "median_a", "median_b"),
    [
        ("log", (30, 12), (8, 5, 28)),
        ("log-log", (30, 9), (8, 4, 15)),
        ("plain", (30, 12), (8, 5, 15)),
        ("arcsine", (30, 12), (8, 5, 15)),
    ],
)
def test_interval_of_the_median_depends_on_the_named_interval(interval, median_a, median_b):
    a = kaplan_meier(A_TIME, A_EVENT, interval=interval).quantile()
    b = kaplan_meier(B_TIME, B_EVENT, interval=interval).quantile()
    assert (a.value, a.lower) == median_a
    assert isnan(a.upper)
    assert (b.value, b.lower, b.upper) == median_b


def test_no_deaths_still_leaves_uncertainty():
    curve = kaplan_meier([56] * 20, [0] * 20)
    found = curve.at(56)
    exact = proportion_interval(20, 20)
    assert found.value == 1.0
    assert (found.lower, found.upper) == pytest.approx((exact.lower, 1.0))
    assert "beta-product" in found.method


@pytest.mark.parametrize("deaths", [0, 1, 5, 19, 20])
def test_beta_product_without_early_censoring_is_clopper_pearson(deaths):
    time = [*range(1, deaths + 1), *[56] * (20 - deaths)]
    event = [1] * deaths + [0] * (20 - deaths)
    found = kaplan_meier(time, event, interval="beta-product").at(56)
    exact = proportion_interval(20 - deaths, 20)
    assert (found.lower, found.upper) == pytest.approx((exact.lower, exact.upper), rel=1e-9)


@pytest.mark.parametrize(("n", "median"), [(18, 32.5), (20, 33.0), (22, 33.5), (40, 38.0)])
def test_median_of_a_curve_that_stays_at_one_half(n, median):
    time = [*range(1, n // 2 + 1), *[56] * (n // 2)]
    curve = kaplan_meier(time, [1] * (n // 2) + [0] * (n // 2))
    assert curve.quantile().value == median
    assert isnan(curve.quantile(rule="sas").value)
    assert "midpoint" in curve.quantile().method


def test_plateau_at_one_half_ended_by_a_death_has_the_same_median_by_both_rules():
    curve = kaplan_meier([1, 2, 10, 20], [1, 1, 1, 0])
    assert curve.quantile().value == curve.quantile(rule="sas").value == 6.0


def test_numbers_at_risk_are_counted_just_before_each_day():
    counts = kaplan_meier(A_TIME, A_EVENT).counts_at([0, 12, 28, 56])
    assert counts["n_risk"].tolist() == [20, 14, 10, 7]
    assert counts["n_event"].tolist() == [0, 7, 9, 10]
    assert counts["n_censor"].tolist() == [0, 1, 1, 10]


def test_restricted_mean_has_the_variance_of_the_estimator():
    a, b = rmst(A_TIME, A_EVENT, 56), rmst(B_TIME, B_EVENT, 56)
    assert (a.value, b.value) == pytest.approx((33.34, 16.53), abs=5e-3)
    assert a.details["std_err"] ** 2 == pytest.approx(26.94, abs=5e-3)
    assert b.details["std_err"] ** 2 == pytest.approx(17.18, abs=5e-3)


@pytest.mark.parametrize(("day", "chi_square", "p"), [(27, 4.111, 0.043), (24, None, 0.0202)])
def test_survival_difference_uses_the_variance_of_the_step_function(day, chi_square, p):
    found = survival_difference(TIME, EVENT, GROUP, day, treated="A")
    assert found.p_value == pytest.approx(p, abs=5e-4)
    if chi_square:
        assert found.statistic == pytest.approx(chi_square, abs=5e-4)


def test_survival_difference_exists_when_one_arm_has_no_death():
    found = survival_difference(
        [56] * 10 + [5, *[56] * 9], [0] * 10 + [1] + [0] * 9, [1] * 10 + [0] * 10, 56, treated=1
    )
    assert found.value == pytest.approx(0.1)
    assert -1 < found.lower < found.value < found.upper <= 1
    # No test: the only variance is that of the other arm.
    assert isnan(found.p_value)
    assert "no test: survival is 1 in one arm" in found.note


def test_logrank_equals_survdiff():
    found = logrank_test(TIME, EVENT, GROUP)
    assert found.statistic == pytest.approx(5.703368, abs=5e-7)
    assert found.p_value == pytest.approx(0.016932, abs=5e-7)
    assert found.details["z"] == pytest.approx(2.388, abs=5e-4)


def test_permutation_logrank_names_its_scores():
    mid = exact_logrank_test(TIME, EVENT, GROUP, treated="A")
    late = exact_logrank_test(TIME, EVENT, GROUP, treated="A", scores="hothorn_lausen")
    drawn = permutation_logrank_test(TIME, EVENT, GROUP, treated="A", draws=200_000)
    assert mid.p_value == pytest.approx(0.0185, abs=5e-5)
    assert late.p_value == pytest.approx(0.0183, abs=5e-5)
    assert drawn.details["p_asymptotic"] == pytest.approx(0.0195, abs=5e-5)
    # four standard errors of a Monte Carlo p of 0.0185
    assert drawn.p_value == pytest.approx(mid.p_value, abs=4 * np.sqrt(0.0185 / 200_000))
    assert "mid-ranks" in mid.method
    assert "hothorn-lausen" in late.method


@pytest.mark.parametrize(("ties", "p"), [("exact", 0.016932), ("efron", 0.0180), ("breslow", 0.0191)])
def test_cox_score_test_is_the_logrank_test_only_with_exact_ties(ties, p):
    fit = cox_regression(FRAME, time="time", event="event", covariates=["b"], ties=ties)
    assert fit.test("score").p_value == pytest.approx(p, abs=6e-5 if ties != "exact" else 5e-7)


@pytest.mark.parametrize(("ties", "ratio"), [("efron", 2.5259), ("breslow", 2.5069), ("exact", 2.5977)])
def test_cox_hazard_ratio_depends_on_the_named_ties(ties, ratio):
    fit = cox_regression(FRAME, time="time", event="event", covariates=["b"], ties=ties)
    assert fit.result("b").value == pytest.approx(ratio, abs=5e-5)
    assert ties in fit.result("b").method


def test_cox_efron_interval_and_tests():
    fit = cox_regression(FRAME, time="time", event="event", covariates=["b"])
    found = fit.result("b")
    assert (found.lower, found.upper) == pytest.approx((1.143, 5.583), abs=5e-4)
    assert found.p_value == pytest.approx(0.0220, abs=5e-5)
    assert fit.test().p_value == pytest.approx(0.0192, abs=5e-5)


def test_separation_is_detected_and_answered_by_firth():
    frame = pd.DataFrame({"time": [56] * 20 + B_TIME, "event": [0] * 20 + B_EVENT, "b": [1] * 20 + [0] * 21})
    fit = cox_regression(frame, time="time", event="event", covariates=["b"])
    assert fit.separated == ("b",)
    assert isnan(fit.result("b").value)
    assert "Firth" in fit.note
    penalised = firth_cox(frame, time="time", event="event", covariates=["b"]).result("b")
    assert 0 < penalised.lower < penalised.value < penalised.upper < 1
    assert "separated" in penalised.note


# Birth weights by smoking of the mother, 14 and 15, with ties (CAMIS comparison of rank-sum software).
BIRTH_X = [3.18, 2.74, 2.90, 3.27, 3.65, 3.42, 3.23, 2.86, 3.60, 3.65, 3.69, 3.53, 2.38, 2.34]
BIRTH_Y = [3.99, 3.89, 3.60, 3.73, 3.31, 3.70, 4.08, 3.61, 3.83, 3.41, 4.13, 3.36, 3.54, 3.51, 2.71]


@pytest.mark.parametrize(
    ("method", "p"), [("exact", 0.00818), ("asymptotic_corrected", 0.01001), ("asymptotic", 0.00939)]
)
def test_rank_sum_with_ties(method, p):
    assert rank_sum_test(BIRTH_X, BIRTH_Y, method=method).p_value == pytest.approx(p, abs=5e-6)


def test_yates_and_pearson_differ_and_the_rule_chooses_by_expected_counts():
    assert two_by_two_test(RESPONSE, rule="yates").p_value == pytest.approx(0.00583, abs=5e-6)
    assert two_by_two_test(RESPONSE, rule="pearson").p_value == pytest.approx(0.00209, abs=5e-6)
    assert "Pearson" in two_by_two_test(RESPONSE).method
    # 1/20 v 8/21 dead: smallest expected count 4.39, hence Yates, 0.029 as printed
    deaths = two_by_two_test([[1, 19], [8, 13]])
    assert "Yates" in deaths.method
    assert deaths.p_value == pytest.approx(0.0291, abs=5e-5)


def test_fisher_and_its_conditional_odds_ratio():
    found = odds_ratio(RESPONSE)
    assert two_by_two_test(RESPONSE, rule="fisher").p_value == pytest.approx(0.003558, abs=5e-7)
    assert two_by_two_test(RESPONSE, rule="mid_p").p_value == pytest.approx(0.00243, abs=5e-6)
    assert found.value == pytest.approx(8.652, abs=5e-4)
    # R prints 61.067 because uniroot stops at 1e-4; solved to 1e-13 the limit is 61.0314 (tests/oracle).
    assert found.upper == pytest.approx(61.0314, abs=5e-5)


def test_unconditional_tests_fix_the_sizes_of_the_groups():
    # The figures 0.00196 (Barnard) and 0.00202 (Boschloo) come from calling SciPy with the groups in rows: it
    # holds the column totals fixed, here the outcome (25 and 16). With the groups of 20 and 21 fixed, as
    # designed, the p-values are 0.001978 and 0.002279; R enumerates the same in tests/oracle.
    assert two_by_two_test(RESPONSE, rule="barnard").p_value == pytest.approx(0.001978, abs=5e-7)
    assert two_by_two_test(RESPONSE, rule="boschloo").p_value == pytest.approx(0.002279, abs=5e-7)
    transposed = np.transpose(RESPONSE).tolist()
    assert two_by_two_test(transposed, rule="boschloo").p_value == pytest.approx(0.00202, abs=5e-6)
    # Even for those margins 0.00196 is wrong: the size at a common rate of 1/2 is 0.0022347 (next test).
    assert two_by_two_test(transposed, rule="barnard").p_value == pytest.approx(0.0022347, abs=5e-8)


@pytest.mark.parametrize(("a", "n1", "b", "n2"), [(17, 25, 3, 16), (1, 20, 8, 21), (17, 20, 8, 21)])
def test_barnard_takes_the_largest_size_over_the_common_rate(a, n1, b, n2):
    from scipy.stats import barnard_exact, binom

    ours = two_by_two_test([[a, n1 - a], [b, n2 - b]], rule="barnard").p_value
    x, y = np.arange(n1 + 1)[:, None], np.arange(n2 + 1)[None, :]
    pooled = np.clip((x + y) / (n1 + n2), 1e-12, 1 - 1e-12)
    z = np.abs(x / n1 - y / n2) / np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    extreme = z >= z[a, b] - 1e-9
    sizes = [
        float((binom.pmf(x, n1, p) * binom.pmf(y, n2, p) * extreme).sum()) for p in np.linspace(0, 1, 2001)
    ]
    assert ours == pytest.approx(max(sizes), rel=1e-5)
    assert ours >= max(sizes) - 1e-12
    # SciPy's optimiser can stop at a lower local maximum (0.00196 for the first table), never above.
    assert barnard_exact([[a, b], [n1 - a, n2 - b]]).pvalue <= ours + 1e-9


def test_monte_carlo_r_by_c_is_seeded_and_near_the_enumeration():
    table = [[3, 12, 5], [5, 4, 11]]
    exact = r_by_c_test(table, method="exact").p_value
    first, again = (r_by_c_test(table, method="monte_carlo", seed=7).p_value for _ in range(2))
    assert first == again
    assert first == pytest.approx(exact, abs=4 * np.sqrt(exact / 100_000))


def test_missing_is_not_a_level():
    assert two_by_two_test([[9, 9], [9, 4]], rule="yates").p_value == pytest.approx(0.483, abs=5e-4)
    assert two_by_two_test([[9, 9], [9, 4]], rule="fisher").p_value == pytest.approx(0.462, abs=5e-4)


def test_standardised_difference_of_skewed_values_needs_the_log_scale():
    treated = [36.3, 30, 41, 28, 45, 33, 52, 25]
    control = [15.5, 12, 18, 9, 20, 14, 30, 260]
    raw, log = (standardized_difference(treated, control, scale=s).value for s in ("identity", "log"))
    assert raw < 0 < log


def test_differences_survive_none_of_twenty_against_all_of_twenty():
    for method in ("newcombe", "miettinen_nurminen"):
        found = proportion_difference(0, 20, 20, 20, method=method)
        assert found.lower == -1.0
        assert -1 < found.upper < -0.7


@pytest.mark.parametrize(
    ("counts", "newcombe", "miettinen_nurminen"),
    # Newcombe 1998 (Stat Med 17:873), table II, methods 10 and 6.
    [
        ((56, 70, 48, 80), (0.0524, 0.3339), (0.0528, 0.3382)),
        ((9, 10, 3, 10), (0.1705, 0.8090), (0.1700, 0.8406)),
        ((5, 56, 0, 29), (-0.0381, 0.1926), (-0.0326, 0.1933)),
        ((0, 10, 0, 20), (-0.1611, 0.2775), (-0.1658, 0.2844)),
        ((10, 10, 0, 10), (0.6075, 1.0), (0.6636, 1.0)),
    ],
)
def test_published_differences_of_proportions(counts, newcombe, miettinen_nurminen):
    for method, limits in (("newcombe", newcombe), ("miettinen_nurminen", miettinen_nurminen)):
        found = proportion_difference(*counts, method=method)
        assert (found.lower, found.upper) == pytest.approx(limits, abs=5e-5)


@pytest.mark.parametrize(
    ("k", "p"), list(enumerate([0.0142, 0.0135, 0.0129, 0.0123, 0.0116, 0.0110, 0.0103, 0.0097, 0.0091]))
)
def test_logrank_of_one_against_eight_deaths_depends_on_the_deaths_before_day_19(k, p):
    control = [*range(1, k + 1), *range(20, 28 - k)]
    time = [19, *[56] * 19, *control, *[56] * 13]
    event = [1, *[0] * 19, *[1] * 8, *[0] * 13]
    assert logrank_test(time, event, [1] * 20 + [0] * 21).p_value == pytest.approx(p, abs=5.1e-5)


def test_empty_margins_give_one_by_convention():
    for table in ([[20, 0], [21, 0]], [[0, 0], [3, 4]]):
        for rule in ("expected_count", "fisher", "pearson"):
            found = two_by_two_test(table, rule=rule)
            assert found.p_value == 1.0
            assert "convention" in found.method
    assert odds_ratio([[20, 0], [21, 0]]).upper == inf
