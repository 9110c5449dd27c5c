"""Penalised and ordinary models and weighted tests against closed forms and against other libraries."""

from __future__ import annotations

import warnings
from math import isinf

import numpy as np
import pandas as pd
import pytest

from helpers.stats.cox import cox_regression, proportional_hazards_test
from helpers.stats.firth import firth_cox, firth_logistic
from helpers.stats.kaplan_meier import kaplan_meier
from helpers.stats.logrank import logrank_test, peto_hazard_ratio
from helpers.stats.result import StatisticsError

GROUP = [1] * 20 + [0] * 21
NINE = pd.DataFrame(
    {
        "time": [19, *[56] * 19, 2, 5, 8, 11, 15, 25, 30, 40, *[56] * 13],
        "event": [1, *[0] * 19, *[1] * 8, *[0] * 13],
        "group": GROUP,
        "age": [(i * 37) % 23 + 30 for i in range(41)],
    }
)


def cohort(seed, n=41):
    rng = np.random.default_rng(seed)
    time = np.minimum(np.ceil(rng.exponential(60, n)), 56)
    return pd.DataFrame(
        {"time": time, "event": (time < 56) * 1, "group": (np.arange(n) < 20) * 1, "x": rng.normal(size=n)}
    )


@pytest.mark.parametrize(("a", "b"), [(17, 8), (20, 8), (0, 5), (1, 8), (20, 0)])
def test_firth_logistic_of_one_binary_covariate_adds_one_half_to_each_cell(a, b):
    frame = pd.DataFrame({"y": [1] * a + [0] * (20 - a) + [1] * b + [0] * (21 - b), "g": GROUP})
    fit = firth_logistic(frame, outcome="y", covariates=["g"])
    by_hand = np.log((a + 0.5) / (20 - a + 0.5)) - np.log((b + 0.5) / (21 - b + 0.5))
    assert fit.coefficients[0] == pytest.approx(by_hand, rel=1e-8)
    assert fit.coefficients[1] == pytest.approx(np.log((b + 0.5) / (21 - b + 0.5)), rel=1e-8)
    assert fit.separated == (a in (0, 20) or b in (0, 21))
    found = fit.result("g")
    assert 0 < found.lower < found.value < found.upper < np.inf
    assert 0 < found.p_value < 1


def test_firth_models_agree_with_firthmodels_where_that_converges():
    from firthmodels import FirthCoxPH, FirthLogisticRegression

    for seed in range(4):
        frame = cohort(seed)
        x = frame[["group", "x"]].to_numpy(float)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            theirs = FirthCoxPH(backend="numpy", gtol=1e-8, xtol=1e-8, max_iter=200)
            theirs.fit(x, (frame["event"].to_numpy(bool), frame["time"].to_numpy())).lrt()
            other = FirthLogisticRegression(backend="numpy", gtol=1e-8, xtol=1e-8, max_iter=200)
            other.fit(x, frame["event"].to_numpy()).lrt()
        ours = firth_cox(frame, time="time", event="event", covariates=["group", "x"])
        assert ours.coefficients == pytest.approx(theirs.coef_, rel=1e-6)
        assert ours.p_values == pytest.approx(theirs.lrt_pvalues_, rel=1e-5)
        assert ours.lower == pytest.approx(
            theirs.conf_int(method="pl", tol=1e-8, max_iter=200)[:, 0], rel=1e-5
        )
        logistic = firth_logistic(frame, outcome="event", covariates=["group", "x"])
        assert logistic.coefficients[:2] == pytest.approx(other.coef_, rel=1e-6)
        assert logistic.p_values[:2] == pytest.approx(other.lrt_pvalues_[:2], rel=1e-5)


def test_firth_always_arrives_with_no_event_in_one_arm():
    for seed in range(12):
        frame = cohort(seed + 100)
        frame.loc[frame["group"] == 1, "event"] = 0
        fit = firth_cox(frame, time="time", event="event", covariates=["group"])
        assert fit.separated
        assert np.isfinite([*fit.lower, *fit.upper]).all()
        assert (fit.lower < fit.coefficients).all()
        assert (fit.coefficients < fit.upper).all()


def test_models_do_not_depend_on_the_scale_of_a_covariate():
    plain = firth_cox(NINE, time="time", event="event", covariates=["group", "age"])
    months = firth_cox(
        NINE.assign(age=NINE.age * 12), time="time", event="event", covariates=["group", "age"]
    )
    assert months.coefficients * [1, 12] == pytest.approx(plain.coefficients, rel=1e-7)
    assert months.upper * [1, 12] == pytest.approx(plain.upper, rel=1e-6)
    ordinary = cox_regression(NINE, time="time", event="event", covariates=["group", "age"])
    shifted = cox_regression(
        NINE.assign(age=NINE.age + 1e6), time="time", event="event", covariates=["group", "age"]
    )
    assert shifted.coefficients == pytest.approx(ordinary.coefficients, rel=1e-6)


def test_cox_agrees_with_lifelines_and_statsmodels():
    from lifelines import CoxPHFitter
    from statsmodels.duration.hazard_regression import PHReg

    frame = cohort(5)
    ours = cox_regression(frame, time="time", event="event", covariates=["group", "x"])
    theirs = CoxPHFitter().fit(frame, "time", "event", fit_options={"precision": 1e-12})
    # lifelines stops its iteration some 1e-7 short
    assert ours.coefficients == pytest.approx(theirs.params_.to_numpy(), abs=1e-6)
    assert ours.standard_errors == pytest.approx(theirs.standard_errors_.to_numpy(), rel=1e-6)
    breslow = cox_regression(frame, time="time", event="event", covariates=["group", "x"], ties="breslow")
    other = PHReg(frame["time"], frame[["group", "x"]], status=frame["event"], ties="breslow").fit()
    assert breslow.coefficients == pytest.approx(other.params, rel=1e-6)


def test_ties_make_no_difference_where_there_are_none():
    frame = cohort(6).assign(time=np.random.default_rng(0).permutation(41) + 1.0)
    fits = [
        cox_regression(frame, time="time", event="event", covariates=["group", "x"], ties=t) for t in TIES
    ]
    for fit in fits[1:]:
        assert fit.coefficients == pytest.approx(fits[0].coefficients, rel=1e-9)
        assert fit.log_likelihood == pytest.approx(fits[0].log_likelihood, rel=1e-9)


TIES = ("efron", "breslow", "exact")


def test_separated_fit_reports_no_wald_numbers_but_a_likelihood_ratio():
    frame = NINE.assign(event=NINE.event * (1 - NINE.group))
    fit = cox_regression(frame, time="time", event="event", covariates=["group"])
    row = fit.table.iloc[0]
    assert np.isnan([row.hazard_ratio, row.lower, row.upper, row.p_value]).all()
    assert isinf(fit.standard_errors[0])
    assert 0 < fit.test().p_value < 0.01
    with pytest.raises(StatisticsError):
        fit.result("age")


def test_proportional_hazards_test_sees_crossing_hazards():
    rng = np.random.default_rng(9)
    group = np.repeat([0, 1], 150)
    # early risk in one group, late risk in the other
    time = np.where(group == 0, rng.weibull(0.5, 300) * 30, rng.weibull(3.0, 300) * 30) + 0.01
    frame = pd.DataFrame({"time": time, "event": 1, "group": group})
    fit = cox_regression(frame, time="time", event="event", covariates=["group"])
    found = proportional_hazards_test(fit)
    assert found["group"].p_value < 1e-6
    assert found["group"].p_value == pytest.approx(found["GLOBAL"].p_value)


@pytest.mark.parametrize(
    ("ours", "theirs"), [("gehan", "wilcoxon"), ("tarone_ware", "tarone-ware"), ("logrank", None)]
)
def test_weighted_logrank_agrees_with_lifelines(ours, theirs):
    from lifelines.statistics import logrank_test as lifelines_logrank

    frame = cohort(11)
    one, two = frame[frame.group == 1], frame[frame.group == 0]
    rival = lifelines_logrank(one.time, two.time, one.event, two.event, weightings=theirs)
    found = logrank_test(frame.time, frame.event, frame.group, weights=ours)
    assert found.statistic == pytest.approx(rival.test_statistic, rel=1e-9)


def test_kaplan_meier_agrees_with_lifelines():
    from lifelines import KaplanMeierFitter

    frame = cohort(12)
    rival = KaplanMeierFitter().fit(frame.time, frame.event)
    table = kaplan_meier(frame.time, frame.event).table
    assert table.survival.to_numpy() == pytest.approx(rival.survival_function_.iloc[1:, 0].to_numpy())
    inside = (table.survival < 1) & (table.survival > 0)
    assert table.lower[inside].to_numpy() == pytest.approx(
        rival.confidence_interval_.iloc[1:, 0].to_numpy()[inside.to_numpy()]
    )


def test_peto_hazard_ratio_is_finite_without_events_in_one_arm():
    frame = NINE.assign(event=NINE.event * (1 - NINE.group))
    found = peto_hazard_ratio(frame.time, frame.event, frame.group, treated=1)
    assert 0 < found.lower < found.value < found.upper < 1
    turned = peto_hazard_ratio(frame.time, frame.event, frame.group, treated=0)
    assert found.value == pytest.approx(1 / turned.value)
    assert found.p_value == pytest.approx(logrank_test(frame.time, frame.event, frame.group).p_value)


def test_stratified_logrank_sums_over_strata():
    frame = cohort(13).assign(site=lambda d: np.arange(len(d)) % 3)
    parts = [logrank_test(p.time, p.event, p.group) for _, p in frame.groupby("site")]
    found = logrank_test(frame.time, frame.event, frame.group, strata=frame.site)
    for label in (0, 1):
        assert found.details["expected"][label] == pytest.approx(
            sum(p.details["expected"][label] for p in parts)
        )
    gap = sum(p.details["observed"][1] - p.details["expected"][1] for p in parts)
    variance = sum(
        ((p.details["observed"][1] - p.details["expected"][1]) / p.details["z"]) ** 2 for p in parts
    )
    assert found.statistic == pytest.approx(gap**2 / variance)


def test_no_event_at_all_gives_no_p_value_and_says_so():
    found = logrank_test([5, 6, 7, 8], [0, 0, 0, 0], [0, 1, 0, 1])
    assert np.isnan(found.p_value)
    assert found.note == "not estimable: no event"
