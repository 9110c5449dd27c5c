"""What is computed for many tables or patients at once is what one after another gives."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.stats.bayes import NormalPrior, prior_predictive_events, standard_priors
from helpers.stats.contingency import two_by_two_test
from helpers.stats.delayed_entry import delayed_kaplan_meier, delayed_rmst_difference
from helpers.stats.design_error import fisher_design_error
from helpers.stats.fisher_tables import every_fisher_p, fisher_p_of_total, fisher_p_values
from helpers.stats.fragility import leave_one_out, logrank_with_fewer_events
from helpers.stats.imputation import impute_within_arms
from helpers.stats.logrank import logrank_test
from helpers.stats.missing_bounds import completions
from helpers.stats.multistate import moves, occupancy_result
from helpers.stats.result import StatisticsError


def scipy_p(a: int, n1: int, b: int, n2: int) -> float:
    return float(stats.fisher_exact([[a, n1 - a], [b, n2 - b]]).pvalue)


@pytest.mark.parametrize(("n1", "n2"), [(1, 1), (3, 4), (7, 7), (12, 5), (20, 21)])
def test_fisher_of_every_table_is_scipys(n1, n2):
    found = every_fisher_p(n1, n2)
    for a in range(n1 + 1):
        for b in range(n2 + 1):
            assert found[a, b] == pytest.approx(scipy_p(a, n1, b, n2), rel=1e-11)


def test_fisher_of_large_tables_is_scipys():
    rng = np.random.default_rng(5)
    for _ in range(60):
        n1, n2 = (int(n) for n in rng.integers(200, 1500, 2))
        a, b = int(rng.binomial(n1, 0.3)), int(rng.binomial(n2, 0.33))
        found = fisher_p_values(np.array([a, 0]), n1, np.array([b, 0]), n2)
        assert found[0] == pytest.approx(scipy_p(a, n1, b, n2), rel=1e-9, abs=1e-300)
        assert found[1] == 1


def test_a_total_of_nothing_or_of_everybody_has_one_table():
    assert fisher_p_of_total(0, 5, 6)[1].tolist() == [1.0]
    low, p = fisher_p_of_total(11, 5, 6)
    assert (low, p.tolist()) == (5, [1.0])


def test_every_completion_is_tested_as_if_it_were_alone():
    table = completions(14, 20, 3, 5, 21, 6)
    assert len(table) == 4 * 7
    assert table[["added_1", "added_2"]].to_numpy().tolist() == [[x, y] for x in range(4) for y in range(7)]
    for row in table.itertuples():
        one, two = 14 + row.added_1, 5 + row.added_2
        p = two_by_two_test([[one, 20 - one], [two, 21 - two]], rule="fisher").p_value
        assert row.p_value == pytest.approx(p, rel=1e-11)
        assert row.significant == (p < 0.05)
        assert row.difference == one / 20 - two / 21


def test_the_errors_of_fishers_test_are_those_of_all_tables():
    n1, n2, p1, p2 = 8, 9, 0.2, 0.6
    power = wrong = size = 0.0
    for a in range(n1 + 1):
        for b in range(n2 + 1):
            weight = stats.binom.pmf(a, n1, p1) * stats.binom.pmf(b, n2, p2)
            if scipy_p(a, n1, b, n2) < 0.05:
                gap = a / n1 - b / n2
                power, size = power + weight, size + weight * abs(gap)
                wrong += weight * (gap > 0)
    found = fisher_design_error(p1, n1, p2, n2)
    assert found.value == pytest.approx(power, rel=1e-12)
    assert found.details["type_s"] == pytest.approx(wrong / power, rel=1e-10)
    assert found.details["type_m"] == pytest.approx(size / power / abs(p1 - p2), rel=1e-12)


@pytest.fixture(scope="module")
def survival():
    rng = np.random.default_rng(11)
    treated = np.repeat([1, 0], 30)
    time = np.minimum(rng.exponential(np.where(treated == 1, 60, 25)).round() + 1, 40)
    return time, (time < 40) & (rng.random(60) < 0.9), treated


def test_leaving_out_one_of_those_who_are_alike_is_leaving_out_any(survival):
    time, event, treated = survival
    calls = []

    def p_value(kept):
        calls.append(kept)
        return logrank_test(time[kept], event[kept], treated[kept]).p_value

    ids = [f"P{i}" for i in range(60)]
    one_by_one = leave_one_out(ids, p_value)
    each = len(calls)
    at_once = leave_one_out(ids, p_value, alike=np.column_stack(survival))
    assert (each, len(calls) - each) == (60, len({*zip(time, event, treated, strict=True)}))
    pd.testing.assert_frame_equal(at_once, one_by_one)


def test_freeing_two_controls_is_tried_for_every_pair(survival):
    time, event, treated = survival
    last = time[treated == 0].max()
    found = []
    for pair in combinations(np.flatnonzero((treated == 0) & event).tolist(), 2):
        moved, flags = time.copy(), event.copy()
        moved[list(pair)], flags[list(pair)] = last, False
        found.append(logrank_test(moved, flags, treated).p_value)
    result = logrank_with_fewer_events(time, event, treated, fewer=2)
    assert (result.value, result.lower, result.upper) == (np.median(found), min(found), max(found))
    assert result.details["choices"] == len(found)


@pytest.mark.parametrize("numbers", [(1, 20, 8, 21), (0, 3, 3, 3), (60, 400, 150, 380)])
@pytest.mark.parametrize("prior", standard_priors(0.5), ids=lambda prior: prior.name)
def test_the_prior_predictive_mixes_binomial_distributions(numbers, prior: NormalPrior):
    _, size, events, controls = numbers
    nodes, weights = np.polynomial.legendre.leggauss(200)
    risk = stats.beta.ppf((nodes + 1) / 2, events + 0.5, controls - events + 0.5)
    z, z_weights = np.polynomial.hermite_e.hermegauss(80)
    ratio = np.exp(prior.mean + prior.sd * z)
    struck = -np.expm1(ratio[:, None] * np.log1p(-np.minimum(risk, 1 - 1e-15)))
    joint = (z_weights / z_weights.sum())[:, None] * (weights / 2)
    found = prior_predictive_events(prior, *numbers)
    for k in range(0, size + 1, max(1, size // 9)):
        wanted = float((joint * stats.binom.pmf(k, size, struck)).sum())
        assert found.details["probabilities"][k] == pytest.approx(wanted, rel=1e-10)
    assert sum(found.details["probabilities"]) == pytest.approx(1, abs=1e-13)


def test_a_design_that_is_read_once_draws_what_one_read_each_time_draws():
    from statsmodels.imputation.mice import MICEData

    rng = np.random.default_rng(2)
    x, arm = rng.normal(size=40), np.repeat([1, 0], 20)
    y = x + rng.normal(size=40)
    y[[3, 7, 30]] = np.nan
    ids = [f"P{i:02d}" for i in range(40)]
    found = impute_within_arms(y, pd.DataFrame({"x": x}), arm, ids, draws=6, seed=4)
    for code in (True, False):
        mine = arm == code
        frame = pd.DataFrame({"x0": x[mine], "target": y[mine]})
        chain = MICEData(frame, k_pmm=5, rng=np.random.default_rng([4, int(code)]))
        missing = np.isnan(y[mine])
        for i in range(6):
            chain.update("target")
            assert found[i, mine][missing].tolist() == chain.data["target"].to_numpy()[missing].tolist()


def test_the_difference_of_means_from_eligibility_is_the_area_between_the_curves():
    from lifelines import KaplanMeierFitter
    from lifelines.utils import restricted_mean_survival_time

    rng = np.random.default_rng(8)
    means, curves = [], []
    for scale in (60.0, 25.0):
        entry = rng.integers(0, 10, 50).astype(float)
        entry[:5] = 0
        stop = entry + rng.exponential(scale, 50) + 0.5
        event = stop < 50
        curves.append(delayed_kaplan_meier(entry, np.minimum(stop, 50), event))
        # lifelines counts from the first entry; nobody here dies before it.
        fitted = KaplanMeierFitter().fit(np.minimum(stop, 50), event, entry=entry)
        means.append(float(restricted_mean_survival_time(fitted, t=40.0)))
    found = delayed_rmst_difference(*curves, 40.0)
    assert found.value == pytest.approx(means[0] - means[1], abs=1e-8)
    errors = [curve.rmst(40.0).details["std_err"] for curve in curves]
    assert found.details["std_err"] == pytest.approx(np.sqrt(errors[0] ** 2 + errors[1] ** 2))
    assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(found.value) / found.details["std_err"]))
    nobody = delayed_kaplan_meier([0, 0], [50, 50], [0, 0])
    with pytest.raises(StatisticsError, match="nobody has the event"):
        delayed_rmst_difference(nobody, nobody, 40.0)


def test_the_probability_of_a_state_without_censoring_is_a_share():
    states = ["none", "response", "death"]
    data = moves(
        ["a", "a", "b", "b", "c", "d"], [0, 10, 0, 20, 0, 0], [10, 50, 20, 30, 50, 15],
        ["none", "response", "none", "response", "none", "none"],
        ["response", "", "response", "death", "", "death"], states,
    )  # fmt: skip
    weights = np.array([[1, 1, 1, 1], [2, 1, 0.5, 0.5], [0.5, 0.5, 1, 2]])
    responding = {5: [], 10: [0], 25: [0, 1], 30: [0], 49: [0]}
    for day, who in responding.items():
        found = occupancy_result(data, day, ["response"], weights)
        drawn = weights[:, who].sum(1) / weights.sum(1)
        limits = (drawn.min(), drawn.max()) if who else (np.nan, np.nan)
        assert (found.value, found.lower, found.upper) == pytest.approx((len(who) / 4, *limits), nan_ok=True)
    with pytest.raises(StatisticsError, match="not among"):
        occupancy_result(data, 10, ["cure"], weights)
    with pytest.raises(StatisticsError, match="beyond the last follow-up"):
        occupancy_result(data, 60, ["response"], weights)
