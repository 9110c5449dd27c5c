"""What was made fast gives what a second library or a plain loop gives."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.stats import cox_likelihood
from helpers.stats.checks import group_codes, same_times, survival_data, tied_values
from helpers.stats.cox import cox_regression, newton
from helpers.stats.cox_likelihood import RiskSets
from helpers.stats.kaplan_meier import life_table, life_tables, observed_life
from helpers.stats.logrank import logrank_test
from helpers.stats.merged_samples import merged
from helpers.stats.result import StatisticsError
from helpers.stats.separation import _spread_at_risk, _surely_informed, without_information
from helpers.stats.two_group import permutation_test, rank_sum_test


def followed(n, width, seed=3):
    """Three covariates, one of them 0/1, and times rounded up to `width` days (0: not rounded)."""
    rng = np.random.default_rng(seed)
    design = rng.normal(size=(n, 3))
    design[:, 1] = design[:, 1] > 0
    death, end = rng.exponential(50 * np.exp(-design @ [0.5, -0.4, 0.2])), rng.uniform(0, 150, n)
    times = np.minimum(death, end)
    return (np.ceil(times / width) * width if width else times), death <= end, design


@pytest.mark.parametrize("width", [0, 1, 30])
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_the_maximum_of_a_cox_model_is_that_of_statsmodels(width, ties):
    from statsmodels.duration.hazard_regression import PHReg

    times, events, design = followed(1500, width)
    frame = pd.DataFrame(design, columns=list("abc")).assign(time=times, event=events)
    fit = cox_regression(frame, time="time", event="event", covariates=list("abc"), ties=ties)
    model = PHReg(times, design, status=events.astype(int), ties=ties)
    assert fit.converged
    assert model.loglike(fit.coefficients) == pytest.approx(fit.log_likelihood, rel=1e-11)
    information = -model.hessian(fit.coefficients)
    assert np.linalg.inv(fit.covariance) == pytest.approx(information, rel=1e-8)
    # As far from its maximum as a step of Newton's would still move it.
    step = np.linalg.solve(information, model.score(fit.coefficients))
    assert np.abs(step).max() < 1e-9


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("width", [0, 1, 30])
def test_long_and_short_stretches_have_the_same_sums(monkeypatch, ties, width):
    times, events, design = followed(700, width)
    beta = np.array([0.4, -1.0, 0.3])
    found = []
    for long, cells in ((0, 100), (10**9, 100), (0, 10**6), (10**9, 10**6)):
        monkeypatch.setattr(cox_likelihood, "_LONG", long)
        monkeypatch.setattr(cox_likelihood, "_CELLS", cells)
        sets = RiskSets(times, events, design, ties)
        found.append(sets.moments(beta, np.stack([np.ones(sets.time.size), sets.time])))
    for other in found[1:]:
        assert other.log_denominator == pytest.approx(found[0].log_denominator, rel=1e-12)
        assert other.score == pytest.approx(found[0].score, rel=1e-9, abs=1e-9)
        assert other.information == pytest.approx(found[0].information, rel=1e-10)


def test_tied_events_that_nobody_survives():
    # Twenty die at once, the last at risk: Efron's denominators are twentieths of their sum.
    design = np.linspace(-1, 1, 20)[:, None]
    sets = RiskSets(np.full(20, 5.0), np.ones(20, bool), design, "efron")
    found = sets.moments(np.zeros(1))
    assert found.log_denominator == pytest.approx(np.log(np.arange(1, 21)).sum(), rel=1e-13)
    assert found.score[0, 0] == pytest.approx(0, abs=1e-12)
    assert found.information[0, 0, 0] == pytest.approx(20 * design.var(), rel=1e-12)


def test_rounding_of_a_large_value_does_not_hide_that_a_fit_converged():
    def bowl(b):
        jitter = 1e-7 * np.sin(1e9 * b[0])
        return 1e6 - float((b[0] - 3) ** 2) + jitter, -2 * (b - 3), np.array([[2.0]])

    beta, _, _, converged = newton(bowl, bowl(np.zeros(1)))
    assert converged
    assert beta[0] == pytest.approx(3, rel=1e-12)


def test_what_one_risk_set_tells_at_once_all_of_them_tell():
    rng = np.random.default_rng(12)
    surely = 0
    for _ in range(400):
        n, p = int(rng.integers(2, 25)), int(rng.integers(1, 4))
        design = np.round(rng.normal(size=(n, p)), int(rng.integers(0, 3)))
        times, events = np.round(rng.exponential(4, n)), rng.random(n) < 0.6
        if not events.any() or (design.std(0) == 0).any():
            continue
        design = (design - design.mean(0)) / design.std(0)
        spread = _spread_at_risk(times, events, design)
        nothing = bool(np.linalg.eigvalsh(spread).min() <= 1e-9 * max(float(np.trace(spread)), 1.0))
        assert without_information(times, events, design) == nothing
        surely += _surely_informed(times, events, design)
    assert surely > 200
    # Everybody who was at risk at the only event had it.
    assert not _surely_informed(np.array([1.0, 2, 2]), np.array([False, True, True]), np.eye(3)[:, :1])


def mean_gap(x, y, axis=-1):
    return x.mean(axis=axis) - y.mean(axis=axis)


def median_gap(x, y):
    return np.median(x) - np.median(y)


@pytest.mark.parametrize("statistic", [mean_gap, median_gap])
def test_relabellings_are_those_that_scipy_draws(monkeypatch, statistic):
    rng = np.random.default_rng(3)
    monkeypatch.setattr("helpers.stats.two_group._CACHED", 700)
    for _ in range(15):
        # Rounded, so that many relabellings are as far as what was observed.
        x, y = (np.round(rng.normal(size=rng.integers(2, 25)), 1) for _ in range(2))
        draws = int(rng.integers(1, 300))
        theirs = stats.permutation_test(
            (np.sort(x), np.sort(y)), statistic, n_resamples=draws, rng=np.random.default_rng(9)
        )
        assert permutation_test(x, y, statistic, draws=draws, seed=9).p_value == theirs.pvalue


def test_a_permutation_test_says_what_it_cannot_do():
    with pytest.raises(StatisticsError, match="draws: must be at least 1"):
        permutation_test([1, 2, 3], [4, 5, 6], mean_gap, draws=0)
    with pytest.raises(StatisticsError, match="y: needs at least 2"):
        permutation_test([1, 2, 3], [4], mean_gap)


def test_samples_of_either_sign_are_merged_as_by_counting():
    rng = np.random.default_rng(5)
    for scale in (1.0, -1.0, 1e-300, 1e300):
        for _ in range(60):
            x, y = (
                np.round(rng.normal(rng.integers(-2, 3), 1, rng.integers(1, 20)), 1) * scale for _ in "xy"
            )
            x[x == 0] = -0.0
            found = merged(x, y)
            both = np.concatenate([x, y])
            distinct = np.unique(both)
            assert found.both.tolist() == [int((both == v).sum()) for v in distinct]
            assert found.first.tolist() == [int((x == v).sum()) for v in distinct]


@pytest.mark.parametrize("shift", [-50, -1, 0, 30])
def test_a_large_rank_sum_test_is_that_of_scipy(shift):
    rng = np.random.default_rng(6)
    x, y = np.round(rng.normal(shift + 0.1, 9, 4000)), np.round(rng.normal(shift, 9, 5000))
    found = rank_sum_test(x, y, method="asymptotic")
    theirs = stats.mannwhitneyu(x, y, use_continuity=False, method="asymptotic")
    assert (found.statistic, found.p_value) == (theirs.statistic, pytest.approx(theirs.pvalue, rel=1e-12))


def test_follow_up_equal_up_to_rounding_is_one_time_of_the_life_table():
    rng = np.random.default_rng(7)
    for digits in (0, 9):
        raw = np.round(rng.exponential(9, 300), digits) + rng.integers(0, 3, 300) * 1e-12
        flags = rng.random(300) < 0.5
        life, (times, _) = observed_life(raw, flags), survival_data(raw, flags)
        plain = life_table(times, flags)
        for name in ("time", "n_risk", "n_event", "n_censor"):
            assert getattr(life, name).tolist() == getattr(plain, name).tolist()
    assert life.n_event.tolist() == [float(flags[times == t].sum()) for t in life.time]


def test_life_tables_of_groups_are_those_of_each():
    rng = np.random.default_rng(8)
    times, flags, codes = np.round(rng.exponential(9, 300)), rng.random(300) < 0.5, rng.integers(0, 3, 300)
    life, arms = life_tables(times, flags, codes, 4)
    assert len(arms) == 3
    assert life_tables(times, flags, codes + 1, 4)[1][0] is None
    for found, member in zip((life, *arms), (codes >= 0, *(codes == c for c in range(3))), strict=True):
        for name, column in vars(life_table(times[member], flags[member])).items():
            assert getattr(found, name).tolist() == column.tolist()


def test_a_log_rank_test_takes_times_equal_up_to_rounding_for_one():
    rng = np.random.default_rng(9)
    days, flags, group = np.round(rng.exponential(9, 200)), rng.random(200) < 0.5, rng.integers(0, 2, 200)
    centre = rng.integers(0, 2, 200)
    shaken = days + rng.integers(0, 3, 200) * 1e-12
    for strata in (None, centre):
        plain, found = (logrank_test(t, flags, group, strata=strata) for t in (days, shaken))
        assert found.statistic == pytest.approx(plain.statistic, rel=1e-12)


def test_values_are_tied_to_the_lowest_of_their_chain():
    step = 1e-13
    values = np.array([1.0, 1 + 2 * step, 1 + step, 3.0, 2.0, 2 + step])
    assert tied_values(values).tolist() == [1.0, 1.0, 1.0, 3.0, 2.0, 2.0]
    assert same_times(values, np.unique(values)).tolist() == [1.0, 1.0, 1.0, 3.0, 2.0, 2.0]


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64, np.uint64])
@pytest.mark.parametrize("labels", [[0, 1, 1], [90, 5, 5], [127, 0, 127], [3, 100, 2]])
def test_labels_that_are_numbers_are_coded_in_their_order(kind, labels):
    codes, distinct = pd.factorize(np.array(labels, kind), sort=True)
    found = group_codes(np.array(labels, kind), 3)
    assert found.labels == tuple(distinct.tolist())
    assert found.codes.tolist() == codes.tolist()
    assert all(type(label) is int for label in found.labels)
