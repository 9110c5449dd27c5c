"""Data at the edge of what can be estimated: a number with its right value, or none with a reason."""

from __future__ import annotations

from math import isnan

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.stats import separation
from helpers.stats.cox import cox_regression, proportional_hazards_test
from helpers.stats.firth import firth_cox
from helpers.stats.kaplan_meier import censor_at, kaplan_meier, median_follow_up
from helpers.stats.logrank import logrank_test, peto_hazard_ratio
from helpers.stats.result import StatisticsError
from helpers.stats.separation import endless_covariates

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
