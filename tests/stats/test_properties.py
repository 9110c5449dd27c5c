"""Properties that hold for every data set: symmetry, bounds, agreement of exact, enumerated and drawn
p-values."""

from __future__ import annotations

from itertools import combinations
from math import comb, isfinite, isnan

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.stats.censored import censored_quantile, censored_rank_test
from helpers.stats.competing import cumulative_incidence
from helpers.stats.contingency import odds_ratio, r_by_c_test, two_by_two_test
from helpers.stats.kaplan_meier import INTERVALS, kaplan_meier
from helpers.stats.logrank import exact_logrank_test, logrank_scores, logrank_test, permutation_logrank_test
from helpers.stats.merged_samples import midranks
from helpers.stats.permutation import exact_tails
from helpers.stats.permutation_draws import sampled_tails
from helpers.stats.proportions import proportion_difference, proportion_interval, rate_ratio
from helpers.stats.repeated import signed_rank_test
from helpers.stats.rmst import rmst, rmst_difference, survival_difference
from helpers.stats.shift import hodges_lehmann
from helpers.stats.two_group import median_difference, rank_sum_test

quick = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
values = st.lists(st.integers(0, 12).map(float), min_size=1, max_size=7)
subjects = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 1), st.integers(0, 1)), min_size=3, max_size=11
).filter(lambda rows: len({g for _, _, g in rows}) == 2)


def columns(rows):
    time, event, group = (np.array(c) for c in zip(*rows, strict=True))
    return time.astype(float), event, group


def enumerated(scores, mask):
    """Two-sided p by listing every relabelling: the definition."""
    chosen, total = int(mask.sum()), scores.sum()
    mean = chosen * total / scores.size
    far = abs(scores[mask].sum() - mean) - 1e-9
    hits = sum(abs(scores[list(c)].sum() - mean) >= far for c in combinations(range(scores.size), chosen))
    return hits / comb(scores.size, chosen)


@quick
@given(values, values)
def test_rank_sum_is_the_enumerated_permutation_test(x, y):
    found = rank_sum_test(x, y)
    ranks = midranks(np.array(x + y))
    mask = np.arange(ranks.size) < len(x)
    assert 0 < found.p_value <= 1
    assert found.p_value == pytest.approx(enumerated(ranks, mask))
    assert found.p_value == pytest.approx(rank_sum_test(y, x).p_value)
    assert found.value == pytest.approx(1 - rank_sum_test(y, x).value)


@quick
@given(subjects)
def test_exact_logrank_is_the_enumerated_permutation_test(rows):
    time, event, group = columns(rows)
    found = exact_logrank_test(time, event, group, treated=1)
    assert 0 < found.p_value <= 1
    assert found.p_value == pytest.approx(enumerated(logrank_scores(time, event), group == 1))
    swapped = exact_logrank_test(time, event, group, treated=0)
    assert found.p_value == pytest.approx(swapped.p_value)
    assert found.value == pytest.approx(-swapped.value, abs=1e-9)


@quick
@given(subjects)
def test_score_sum_is_observed_less_expected(rows):
    time, event, group = columns(rows)
    found = logrank_test(time, event, group)
    gap = found.details["observed"][1] - found.details["expected"][1]
    assert gap == pytest.approx(logrank_scores(time, event)[group == 1].sum(), abs=1e-9)
    assert sum(found.details["observed"].values()) == pytest.approx(sum(found.details["expected"].values()))
    # No p-value only where nothing can be compared, and then a reason.
    assert isnan(found.p_value) == bool(found.note)
    assert isnan(found.p_value) or 0 <= found.p_value <= 1
    assert found.p_value == pytest.approx(logrank_test(time, event, 1 - group).p_value, nan_ok=True)


@quick
@given(subjects, st.integers(1, 5))
def test_one_stratum_changes_nothing_and_time_may_be_rescaled(rows, factor):
    time, event, group = columns(rows)
    plain = logrank_test(time, event, group)
    assert logrank_test(time, event, group, strata=["s"] * len(rows)).p_value == pytest.approx(
        plain.p_value, nan_ok=True
    )
    assert logrank_test(time * factor, event, group).p_value == pytest.approx(plain.p_value, nan_ok=True)


def test_drawn_p_values_are_near_the_exact_ones():
    rng = np.random.default_rng(1)
    for size, chosen in ((12, 5), (41, 20), (30, 3)):
        scores = rng.normal(size=size).round(1)
        mask = np.arange(size) < chosen
        exact, drawn = exact_tails(scores, mask), sampled_tails(scores, mask, 200_000, 3)
        for a, b in (
            (exact.two_sided, drawn.two_sided),
            (exact.greater, drawn.greater),
            (exact.less, drawn.less),
        ):
            assert b == pytest.approx(a, abs=4.5 * np.sqrt(max(a * (1 - a), 1e-6) / 200_000) + 1e-5)


def test_shift_and_split_up_algorithms_agree():
    rng = np.random.default_rng(2)
    for size in (5, 16, 41):
        ranks = midranks(rng.integers(0, 15, size).astype(float))
        mask = np.arange(size) < size // 3 + 1
        whole, real = exact_tails(ranks, mask), exact_tails(ranks * np.pi, mask)
        for side in ("greater", "less", "two_sided"):
            assert getattr(whole, side) == pytest.approx(getattr(real, side), rel=1e-9)


def test_same_seed_same_answer():
    args = [1, 4, 6, 9, 12, 13], [1, 1, 0, 1, 1, 0], [0, 1, 0, 1, 0, 1]
    assert permutation_logrank_test(*args, draws=999, seed=5) == permutation_logrank_test(
        *args, draws=999, seed=5
    )
    assert median_difference([1, 5, 9], [2, 3], seed=5) == median_difference([1, 5, 9], [2, 3], seed=5)


@quick
@given(values, values)
def test_hodges_lehmann_interval_contains_the_estimate_and_turns_with_the_groups(x, y):
    found, turned = hodges_lehmann(x, y), hodges_lehmann(y, x)
    if len({*x, *y}) == 1:
        assert (found.value, found.note) == (0, "all values are equal: no interval")
        return
    assert found.lower <= found.value <= found.upper
    assert (found.value, found.lower, found.upper) == pytest.approx(
        (-turned.value, -turned.upper, -turned.lower)
    )


@quick
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=9))
def test_signed_rank_is_the_enumerated_test(changes):
    difference = np.array(changes, dtype=float)
    found = signed_rank_test(np.zeros(difference.size), difference)
    kept = difference[difference != 0]
    assert 0 < found.p_value <= 1
    if kept.size == 0:
        assert found.p_value == 1
        return
    ranks = midranks(np.abs(kept))
    observed, mean = ranks[kept > 0].sum(), ranks.sum() / 2
    signs = (np.arange(2**kept.size)[:, None] >> np.arange(kept.size)) & 1
    hits = np.abs(signs @ ranks - mean) >= abs(observed - mean) - 1e-9
    assert found.p_value == pytest.approx(hits.mean())
    for zeros in ("wilcoxon", "pratt"):
        turned = signed_rank_test(difference, np.zeros(difference.size), zeros=zeros).p_value
        assert signed_rank_test(np.zeros(difference.size), difference, zeros=zeros).p_value == pytest.approx(
            turned
        )


@quick
@given(st.integers(1, 30), st.data())
def test_proportion_intervals_contain_the_estimate(n, data):
    events = data.draw(st.integers(0, n))
    widths = {}
    for method in ("clopper_pearson", "wilson", "jeffreys", "mid_p"):
        found = proportion_interval(events, n, method=method)
        assert 0 <= found.lower <= found.value <= found.upper <= 1
        mirror = proportion_interval(n - events, n, method=method)
        assert (found.lower, found.upper) == pytest.approx((1 - mirror.upper, 1 - mirror.lower), abs=1e-9)
        widths[method] = found.upper - found.lower
    assert widths["mid_p"] <= widths["clopper_pearson"] + 1e-12


@quick
@given(st.integers(1, 20), st.integers(1, 20), st.data())
def test_differences_of_proportions_contain_the_estimate_and_mirror(n1, n2, data):
    e1, e2 = data.draw(st.integers(0, n1)), data.draw(st.integers(0, n2))
    for method in ("newcombe", "miettinen_nurminen"):
        found = proportion_difference(e1, n1, e2, n2, method=method)
        turned = proportion_difference(e2, n2, e1, n1, method=method)
        assert -1 <= found.lower <= found.value <= found.upper <= 1
        assert (found.lower, found.upper) == pytest.approx((-turned.upper, -turned.lower), abs=1e-8)


@quick
@given(st.lists(st.integers(0, 12), min_size=4, max_size=4).filter(lambda c: sum(c) > 0))
def test_two_by_two_p_values(cells):
    table = np.array(cells).reshape(2, 2)
    found = {
        r: two_by_two_test(table, rule=r).p_value
        for r in ("expected_count", "fisher", "mid_p", "pearson", "yates")
    }
    assert all(0 < p <= 1 for p in found.values())
    assert found["mid_p"] <= found["fisher"] + 1e-12
    assert found["pearson"] <= found["yates"] + 1e-12
    for rule, p in found.items():
        assert two_by_two_test(table[::-1], rule=rule).p_value == pytest.approx(p)
    assert r_by_c_test(table, method="exact").p_value == pytest.approx(found["fisher"], rel=1e-6)


@quick
@given(st.lists(st.integers(0, 8), min_size=4, max_size=4).filter(lambda c: sum(c) > 0))
def test_unconditional_p_values(cells):
    table = np.array(cells).reshape(2, 2)
    barnard, boschloo = (two_by_two_test(table, rule=r).p_value for r in ("barnard", "boschloo"))
    assert 0 < barnard <= 1
    assert 0 < boschloo <= 1
    for rule, p in (("barnard", barnard), ("boschloo", boschloo)):
        assert two_by_two_test(table[::-1], rule=rule).p_value == pytest.approx(p, rel=1e-6)


@quick
@given(st.lists(st.integers(0, 15), min_size=4, max_size=4).filter(lambda c: sum(c) > 0))
def test_odds_ratio_interval_contains_the_estimate(cells):
    found = odds_ratio(np.array(cells).reshape(2, 2))
    if not isnan(found.value):
        assert found.lower <= found.value <= found.upper


@quick
@given(subjects, st.sampled_from(INTERVALS))
def test_survival_curve_falls_and_lies_within_its_limits(rows, interval):
    time, event, _ = columns(rows)
    table = kaplan_meier(time, event, interval=interval).table
    assert (np.diff(table.survival) <= 1e-12).all()
    assert ((table.lower <= table.survival + 1e-9) & (table.survival <= table.upper + 1e-9)).all()
    assert (table.n_event + table.n_censor).sum() == len(rows)


@quick
@given(subjects)
def test_all_causes_together_are_one_less_survival(rows):
    time, event, group = columns(rows)
    status = event * (group + 1)
    total = sum(cumulative_incidence(time, status, cause=c).incidence for c in (1, 2))
    assert total == pytest.approx(1 - kaplan_meier(time, event).survival)


@quick
@given(subjects)
def test_two_arm_survival_contrasts_turn_with_the_arms(rows):
    time, event, group = columns(rows)
    tau = min(time[group == g].max() for g in (0, 1))
    if tau == 0:
        return
    gap, turned = (rmst_difference(time, event, group, tau, treated=t) for t in (1, 0))
    assert gap.value == pytest.approx(-turned.value)
    assert (gap.lower <= gap.value <= gap.upper) != bool(gap.note)
    assert 0 <= rmst(time, event, tau).value <= tau
    first, second = (survival_difference(time, event, group, tau, treated=t) for t in (1, 0))
    assert first.value == pytest.approx(-second.value)
    assert first.lower - 1e-9 <= first.value <= first.upper + 1e-9
    assert isnan(first.p_value) or first.p_value == pytest.approx(second.p_value)


@quick
@given(st.integers(0, 9), st.integers(0, 9))
def test_rate_ratio_interval_contains_the_estimate(a, b):
    found, turned = rate_ratio(a, 10, b, 30), rate_ratio(b, 30, a, 10)
    assert 0 < found.p_value <= 1
    if not isnan(found.value):
        assert found.lower <= found.value <= found.upper
        if isfinite(found.value) and found.value > 0:
            assert found.value == pytest.approx(1 / turned.value)


limited = st.lists(st.tuples(st.integers(1, 6), st.sampled_from(["", "<", ">"])), min_size=1, max_size=8)


@quick
@given(limited)
def test_censored_median_bounds_every_completion_of_the_data(rows):
    value, sign = [float(v) for v, _ in rows], [s for _, s in rows]
    found = censored_quantile(value, sign, 0.5)
    rng = np.random.default_rng(0)
    for _ in range(20):
        shift = rng.exponential(5, len(rows)) + 1e-9
        truth = [
            v + d if s == ">" else v - d if s == "<" else v
            for v, s, d in zip(value, sign, shift, strict=True)
        ]
        median = float(np.median(truth))
        if found.details["qualifier"] == "" and not isnan(found.value):
            assert median == pytest.approx(found.value)
        elif not isnan(found.value):
            assert median >= found.value if found.details["qualifier"] == ">" else median <= found.value
        else:
            assert found.lower - 1e-6 <= median <= found.upper + 1e-6


@quick
@given(values, values, st.integers(6, 12))
def test_one_upper_limit_makes_the_rank_test_that_of_ties(x, y, limit):
    cut = [[min(v, limit) for v in s] for s in (x, y)]
    sign = [[">" if v > limit else "" for v in s] for s in (x, y)]
    tied = [[limit + 0.5 if v > limit else v for v in s] for s in (x, y)]
    found = censored_rank_test(cut[0], sign[0], cut[1], sign[1])
    assert found.p_value == pytest.approx(rank_sum_test(*tied).p_value)
    gehan = censored_rank_test(cut[0], sign[0], cut[1], sign[1], method="gehan")
    assert found.p_value == pytest.approx(gehan.p_value)


@quick
@given(limited, limited)
def test_gehan_p_values_are_probabilities_and_symmetric(first, second):
    (x, xs), (y, ys) = zip(*first, strict=True), zip(*second, strict=True)
    found = censored_rank_test(x, xs, y, ys, method="gehan").p_value
    assert 0 < found <= 1
    assert found == pytest.approx(censored_rank_test(y, ys, x, xs, method="gehan").p_value)


def test_counted_and_scaled_shift_tables_agree():
    from helpers.stats import permutation

    ordered = sorted(np.random.default_rng(3).integers(0, 60, 60).tolist())
    for chosen in (1, 20, 45):
        shape = (chosen + 1, sum(ordered[-chosen:]) + 1)
        counted, scaled = np.zeros(shape), np.zeros(shape)
        counted[0, 0] = scaled[0, 0] = 1.0
        permutation._fill_counts(counted, ordered, chosen)
        permutation._fill_probabilities(scaled, ordered, chosen)
        assert counted[chosen] / comb(60, chosen) == pytest.approx(scaled[chosen], rel=1e-10)


def test_normal_approximation_of_the_rank_sum_is_scipys():
    from scipy.stats import mannwhitneyu

    rng = np.random.default_rng(4)
    x, y = rng.integers(0, 9, 30).astype(float), rng.integers(1, 10, 25).astype(float)
    for method, corrected in (("asymptotic", False), ("asymptotic_corrected", True)):
        theirs = mannwhitneyu(x, y, use_continuity=corrected, method="asymptotic").pvalue
        assert rank_sum_test(x, y, method=method).p_value == pytest.approx(theirs, rel=1e-12)
