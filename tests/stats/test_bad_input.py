"""Unusable input is refused with the name of the argument, never answered with a number."""

from __future__ import annotations

from math import inf, isnan, nan

import numpy as np
import pandas as pd
import pytest

from helpers.stats.censored import censored_median, censored_rank_test, limit_sensitivity
from helpers.stats.competing import cumulative_incidence, gray_test
from helpers.stats.contingency import (
    odds_ratio,
    r_by_c_test,
    standardized_difference_categorical,
    standardized_difference_proportions,
    two_by_two_test,
)
from helpers.stats.cox import cox_regression
from helpers.stats.firth import firth_cox, firth_logistic
from helpers.stats.kaplan_meier import censor_at, kaplan_meier
from helpers.stats.logrank import exact_logrank_test, logrank_test, permutation_logrank_test
from helpers.stats.mixed_model import visit_model
from helpers.stats.paired_shift import paired_shift
from helpers.stats.proportions import (
    poisson_rate,
    proportion_difference,
    proportion_interval,
    rate_ratio,
    rule_of_three,
)
from helpers.stats.repeated import (
    change_from_baseline,
    friedman_test,
    page_trend_test,
    signed_rank_test,
)
from helpers.stats.result import StatisticsError
from helpers.stats.rmst import rmst, rmst_difference, survival_difference
from helpers.stats.shift import hodges_lehmann
from helpers.stats.two_group import (
    adjust_p_values,
    median_difference,
    permutation_test,
    rank_sum_test,
    standardized_difference,
)

T, E, G = [1.0, 2.0, 3.0, 4.0], [1, 0, 1, 1], ["a", "a", "b", "b"]
FRAME = pd.DataFrame({"t": T, "e": E, "x": [0, 1, 0, 1], "y": [0, 1, 1, 1], "c": 1.0})
TWO_SAMPLE = (rank_sum_test, hodges_lehmann, median_difference, standardized_difference)
SURVIVAL_TESTS = (
    logrank_test,
    lambda t, e, g: exact_logrank_test(t, e, g, treated="a"),
    lambda t, e, g: permutation_logrank_test(t, e, g, treated="a", draws=10),
    lambda t, e, g: rmst_difference(t, e, g, 2, treated="a"),
    lambda t, e, g: survival_difference(t, e, g, 2, treated="a"),
)


def refused(argument, function, *args, **options):
    with pytest.raises(StatisticsError) as caught:
        function(*args, **options)
    assert caught.value.argument == argument
    assert str(caught.value).startswith(f"{argument}: ")


@pytest.mark.parametrize("function", TWO_SAMPLE)
def test_two_samples_of_values(function):
    refused("x", function, [], [1, 2, 3])
    refused("y", function, [1, 2, 3], [nan, nan])
    refused("x", function, [1, inf], [1, 2])
    refused("x", function, ["high", "low"], [1, 2])
    refused("y", function, [1, 2], [[1, 2], [3, 4]])


@pytest.mark.parametrize("function", TWO_SAMPLE)
def test_missing_values_are_left_out_and_counted(function):
    whole = function([1.5, 2.5, 4.0], [2.0, 5.0, 7.0])
    holed = function([1.5, nan, 2.5, 4.0], pd.array([2.0, None, 5.0, 7.0], dtype="Float64"))
    assert (holed.value, holed.p_value if not isnan(holed.p_value) else 0) == (
        whole.value,
        whole.p_value if not isnan(whole.p_value) else 0,
    )
    assert (whole.n_missing, holed.n_missing, holed.n) == (0, 2, 6)


def test_values_and_options_of_two_samples():
    refused("x", standardized_difference, [1], [1, 2])
    refused("x", standardized_difference, [0, 1], [1, 2], scale="log")
    refused("scale", standardized_difference, [1, 2], [1, 2], scale="root")
    refused("method", rank_sum_test, [1], [2], method="auto")
    refused("confidence", hodges_lehmann, [1], [2], confidence=95)
    refused("draws", median_difference, [1], [2], draws=5)
    refused("statistic", permutation_test, [1], [2], lambda *_: nan)
    refused("p", adjust_p_values, [0.1, 1.2])
    refused("method", adjust_p_values, [0.1], "bonferoni")


@pytest.mark.parametrize(
    "function", [lambda t, e, _: kaplan_meier(t, e), lambda t, e, _: rmst(t, e, 2), *SURVIVAL_TESTS]
)
def test_times_and_events(function):
    refused("time", function, [], [], [])
    refused("time", function, [1, -2, 3, 4], E, G)
    refused("time", function, [1, nan, 3, 4], E, G)
    refused("time", function, [1, inf, 3, 4], E, G)
    refused("event", function, T, [1, 2, 0, 1], G)
    refused("event", function, T, [1, nan, 0, 1], G)
    refused("event", function, T, [1, 0], G)
    refused("event", function, T, ["yes", "no", "yes", "no"], G)


@pytest.mark.parametrize("function", SURVIVAL_TESTS)
def test_groups(function):
    refused("group", function, T, E, ["a"] * 4)
    refused("group", function, T, E, ["a", None, "b", "b"])
    refused("group", function, T, E, ["a", nan, "b", "b"])
    refused("group", function, T, E, ["a", "b"])


@pytest.mark.parametrize("function", SURVIVAL_TESTS[1:])
def test_two_arm_functions_want_exactly_two_labels(function):
    refused("group", function, T, E, ["a", "b", "c", "b"])
    refused("treated", function, T, E, ["b", "b", "c", "c"])


def test_survival_options():
    refused("interval", kaplan_meier, T, E, interval="loglog")
    refused("confidence", kaplan_meier, T, E, confidence=1)
    refused("day", kaplan_meier(T, E).at, -1)
    refused("q", kaplan_meier(T, E).quantile, 50)
    refused("rule", kaplan_meier(T, E).quantile, 0.5, "stata")
    refused("horizon", censor_at, T, E, nan)
    refused("weights", logrank_test, T, E, G, weights="wilcoxon")
    refused("strata", logrank_test, T, E, G, strata=[1, 2])
    refused("scores", exact_logrank_test, T, E, G, scores="average")
    refused("draws", permutation_logrank_test, T, E, G, draws=0)
    refused("tau", rmst, T, [1, 1, 1, 0], 10)
    refused("tau", rmst, T, E, 0)


def test_enumeration_too_large_is_refused():
    time = np.arange(1, 101)
    refused("method", exact_logrank_test, time, np.ones(100), time % 2)


def test_cox_and_firth():
    for fit in (cox_regression, firth_cox):
        refused("covariates", fit, FRAME, time="t", event="e", covariates=[])
        refused("covariates", fit, FRAME, time="t", event="e", covariates=["z"])
        refused("covariates", fit, FRAME, time="t", event="e", covariates=["c"])
        refused("time", fit, FRAME, time="day", event="e", covariates=["x"])
        refused("event", fit, FRAME.assign(e=0), time="t", event="e", covariates=["x"])
        refused("event", fit, FRAME.assign(e=[0, 1, 2, 1]), time="t", event="e", covariates=["x"])
        refused("covariates", fit, FRAME.assign(z=FRAME.x * 2), time="t", event="e", covariates=["x", "z"])
        refused("covariates['x']", fit, FRAME.assign(x=list("abab")), time="t", event="e", covariates=["x"])
    refused("ties", cox_regression, FRAME, time="t", event="e", covariates=["x"], ties="discrete")
    refused("outcome", firth_logistic, FRAME, outcome="t", covariates=["x"])
    refused("outcome", firth_logistic, FRAME.assign(y=1), outcome="y", covariates=["x"])
    refused("covariates", firth_logistic, FRAME, outcome="y", covariates=["c"])


def test_rows_without_a_covariate_are_counted():
    frame = pd.DataFrame({"t": [1, 2, 3, 4, 5, 6], "e": 1, "x": [0, 1, 0, 1, 1, nan]})
    fit = cox_regression(frame, time="t", event="e", covariates=["x"])
    assert (fit.n, fit.n_missing) == (5, 1)


def test_tables():
    refused("table", two_by_two_test, [[1, 2, 3], [4, 5, 6]])
    refused("table", two_by_two_test, [1, 2])
    refused("table", two_by_two_test, [[1, -2], [3, 4]])
    refused("table", two_by_two_test, [[1, 2.5], [3, 4]])
    refused("table", two_by_two_test, [[1, nan], [3, 4]])
    refused("table", two_by_two_test, [[0, 0], [0, 0]])
    refused("rule", two_by_two_test, [[1, 2], [3, 4]], rule="chi")
    refused("method", r_by_c_test, [[1, 2], [3, 4]], method="fisher")
    refused("method", r_by_c_test, np.full((6, 6), 20), method="exact")
    refused("table", odds_ratio, [[1, 2, 3], [4, 5, 6]])
    refused("k1", standardized_difference_proportions, 5, 4, 1, 2)
    refused("n2", standardized_difference_proportions, 1, 4, 0, 0)
    refused("counts_y", standardized_difference_categorical, [1, 2], [1, 2, 3])
    refused("counts_x", standardized_difference_categorical, [0, 0], [1, 2])


def test_proportions_and_rates():
    refused("n", proportion_interval, 0, 0)
    refused("events", proportion_interval, 5, 4)
    refused("events", proportion_interval, 1.5, 4)
    refused("events", proportion_interval, nan, 4)
    refused("method", proportion_interval, 1, 4, method="wald")
    refused("n1", proportion_difference, 0, 0, 1, 2)
    refused("e2", proportion_difference, 0, 1, 3, 2)
    refused("exposure", poisson_rate, 1, 0)
    refused("events", poisson_rate, -1, 10)
    refused("exposure_2", rate_ratio, 1, 10, 2, -3)
    refused("n", rule_of_three, 0)


def test_competing_risks():
    refused("status", cumulative_incidence, T, [0, 1, -1, 2])
    refused("status", cumulative_incidence, T, [0, 1, 1.5, 2])
    refused("status", cumulative_incidence, T, [0, 1])
    refused("cause", cumulative_incidence, T, [0, 1, 1, 2], cause=0)
    refused("time", cumulative_incidence, [1, -1, 2, 3], [0, 1, 1, 2])
    refused("group", gray_test, T, [0, 1, 1, 2], ["a"] * 4)


def test_repeated_measurements():
    refused("after", signed_rank_test, [1, 2], [1])
    refused("before", signed_rank_test, [1, nan], [nan, 2])
    refused("zeros", signed_rank_test, [1, 2], [2, 3], zeros="drop")
    refused("data", friedman_test, [[1, 2], [3, 4]])
    refused("data", page_trend_test, [[1, 2, 3], [nan, 2, 3]])
    long = pd.DataFrame({"patient_id": ["p", "p"], "visit": ["baseline", "baseline"], "value": [1.0, 2.0]})
    refused("frame", change_from_baseline, long)
    refused("baseline", change_from_baseline, long.iloc[:1], baseline="day0")
    refused("value", change_from_baseline, long, value="ferritin")
    options = {"value": "value", "id": "patient_id", "visit": "visit", "logarithm": True}
    refused("baseline", visit_model, long, baseline="day0", **options)
    refused("value", visit_model, long.assign(value=-1.0), baseline="baseline", **options)
    refused("visit", visit_model, long, baseline="baseline", **(options | {"visit": "week"}))
    refused("after", paired_shift, [1, 2], [1])
    refused("before", paired_shift, [nan], [1])
    refused("qualifiers", paired_shift, [1], [1], before_qualifiers=["about"])
    refused("qualifiers", hodges_lehmann, [1, 2], [1], x_qualifiers=["<"])


def test_reporting_limits():
    refused("qualifiers", censored_median, [1, 2], ["", "~"])
    refused("qualifiers", censored_median, [1, 2], [""])
    refused("values", censored_median, [nan], [""])
    refused("method", censored_rank_test, [1, 5], ["", ">"], [9], [">"], method="rank_sum")
    refused("method", censored_rank_test, [1, 5], ["<", ">"], [9], [""], method="peto_prentice")
    refused("multipliers", limit_sensitivity, [1, 5], ["", ">"], [9], [""], multipliers=[0.5])
