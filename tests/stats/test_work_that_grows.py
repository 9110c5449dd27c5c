"""Fast algorithms give what plain ones give: risk sets one by one, all differences, all rank sums."""

from __future__ import annotations

from itertools import combinations, product
from math import factorial, prod

import numpy as np
import pytest
from scipy import stats

from helpers.stats.checks import sorted_rows
from helpers.stats.contingency import r_by_c_test, two_by_two_test
from helpers.stats.cox_likelihood import RiskSets
from helpers.stats.differences import Differences
from helpers.stats.merged_samples import midranks
from helpers.stats.permutation import exact_tails, exact_work, shift_distribution
from helpers.stats.result import StatisticsError
from helpers.stats.shift import hodges_lehmann
from helpers.stats.two_group import permutation_test, rank_sum_test


def plain_moments(times, events, design, beta, ties, weight):
    """Each risk set for itself, each tied event with its share of the tied weight removed."""
    size, value = design.shape[1], 0.0
    gradient, information = np.zeros(size), np.zeros((size, size))
    risk = np.exp(design @ beta)
    for t in np.unique(times[events]):
        at_risk, tied = times >= t, events & (times == t)
        for place in range(int(tied.sum())):
            own = risk * at_risk - (risk * tied * place / tied.sum() if ties == "efron" else 0)
            mean = own @ design / own.sum()
            spread = (design * own[:, None]).T @ design / own.sum() - np.outer(mean, mean)
            value += np.log(own.sum())
            gradient -= mean
            information += weight(t) * spread
        gradient += design[tied].sum(0)
    return value, gradient, information


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_risk_sets_taken_together_are_risk_sets_one_by_one(ties):
    rng = np.random.default_rng(8)
    for _ in range(60):
        n, p = int(rng.integers(2, 50)), int(rng.integers(1, 5))
        design = np.round(rng.normal(size=(n, p)), int(rng.integers(0, 4)))
        times, events = np.round(rng.exponential(8, n), int(rng.integers(0, 3))), rng.random(n) < 0.7
        if not events.any():
            continue
        beta = rng.normal(size=p)
        sets = RiskSets(times, events, design, ties)
        found = sets.moments(beta, np.stack([np.ones(sets.time.size), sets.time]))
        for row, weight in enumerate((lambda _: 1.0, lambda t: t)):
            value, gradient, information = plain_moments(times, events, design, beta, ties, weight)
            assert found.information[row] == pytest.approx(information, rel=1e-9, abs=1e-9)
        assert found.log_denominator == pytest.approx(value, rel=1e-11)
        assert found.score[0] == pytest.approx(gradient, rel=1e-9, abs=1e-10)


def test_blocks_of_rows_carry_their_sums(monkeypatch):
    rng = np.random.default_rng(9)
    design, times, events = (
        rng.normal(size=(200, 3)),
        np.round(rng.exponential(9, 200)),
        rng.random(200) < 0.6,
    )
    whole = RiskSets(times, events, design, "efron").moments(np.array([0.3, -1.0, 0.1]))
    monkeypatch.setattr("helpers.stats.cox_likelihood._CELLS", 21)
    parts = RiskSets(times, events, design, "efron").moments(np.array([0.3, -1.0, 0.1]))
    assert parts.score == pytest.approx(whole.score, rel=1e-10, abs=1e-12)
    assert parts.information == pytest.approx(whole.information, rel=1e-11)


def test_rows_are_in_the_order_of_all_columns():
    rng = np.random.default_rng(0)
    for _ in range(300):
        n = int(rng.integers(1, 30))
        columns = [rng.integers(0, 3, n) for _ in range(int(rng.integers(1, 5)))]
        assert sorted_rows(*columns).tolist() == np.lexsort(columns[::-1]).tolist()


@pytest.mark.parametrize(("chosen", "others"), [(1, 1), (1, 6), (6, 1), (3, 4), (5, 5), (2, 9)])
def test_rank_sums_without_ties_are_counted(chosen, others):
    sums = [sum(c) for c in combinations(range(chosen + others), chosen)]
    expected = np.bincount(sums) / len(sums)
    assert shift_distribution(np.arange(chosen + others), chosen) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("levels", [2, 3, 5, 40])
def test_exact_rank_sums_are_all_relabellings(levels):
    rng = np.random.default_rng(levels)
    for n, m in ((1, 6), (4, 4), (3, 7), (6, 5)):
        values = rng.integers(0, levels, n + m).astype(float)
        ranks, mask = midranks(values), np.arange(n + m) < n
        sums = np.array([ranks[list(c)].sum() for c in combinations(range(n + m), n)])
        far = abs(ranks[mask].sum() - n * (n + m + 1) / 2)
        expected = np.mean(np.abs(sums - n * (n + m + 1) / 2) >= far - 1e-9)
        assert exact_tails(ranks, mask).two_sided == pytest.approx(expected, rel=1e-10)
        assert rank_sum_test(values[:n], values[n:]).p_value == pytest.approx(expected, rel=1e-10)


def test_work_is_that_of_the_scores_not_of_the_subjects():
    many, few = np.arange(1.0, 100_003.0), np.repeat([100.5, 300.5, 700.5], [200, 200, 600])
    assert exact_work(many, 2) < 1e7
    assert exact_work(few, 500) < 1e8
    assert exact_work(np.arange(1.0, 10_001.0), 5000) > 1e11
    assert "exact" in rank_sum_test(np.arange(2) + 0.5, np.arange(100_000)).method
    assert "approximation" in rank_sum_test(np.arange(3000) + 0.5, np.arange(3000)).method


def test_asymptotic_rank_sum_is_scipys():
    rng = np.random.default_rng(2)
    for decimals in (0, 1, 8):
        x, y = np.round(rng.normal(size=3000), decimals), np.round(rng.normal(0.05, 1, 2500), decimals)
        expected = stats.mannwhitneyu(x, y, method="asymptotic", use_continuity=False)
        found = rank_sum_test(x, y, method="asymptotic")
        assert found.p_value == pytest.approx(expected.pvalue, rel=1e-10)
        assert found.statistic == expected.statistic


@pytest.mark.parametrize("decimals", [0, 1, 12])
def test_order_statistics_of_differences_that_are_not_built(decimals, monkeypatch):
    monkeypatch.setattr("helpers.stats.differences._MOST_PAIRS", 150)
    rng = np.random.default_rng(decimals)
    for n, m in ((60, 70), (3, 400), (400, 1), (90, 90)):
        x, y = (np.sort(np.round(rng.normal(size=k) * 2, decimals)) for k in (n, m))
        every = np.sort((x[:, None] - y[None, :]).ravel())
        found = Differences(x, y)
        for rank in (1, 2, every.size // 3, every.size // 2, every.size - 1, every.size):
            assert found.at(rank) == pytest.approx(every[rank - 1], abs=1e-9)
        assert found.median() == pytest.approx(np.median(every), abs=1e-9)
        assert (found.at(0), found.at(every.size + 1)) == (-np.inf, np.inf)


def test_limits_of_the_shift_are_where_the_test_turns():
    rng = np.random.default_rng(6)
    for n, m in ((6, 7), (12, 9), (30, 33)):
        x, y = rng.normal(size=n), rng.normal(size=m)
        found = hodges_lehmann(x, y)
        for limit, outside in ((found.lower, -1e-6), (found.upper, 1e-6)):
            p_out = stats.mannwhitneyu(x - limit - outside, y, method="exact").pvalue
            p_in = stats.mannwhitneyu(x - limit + outside, y, method="exact").pvalue
            assert p_in > 0.05 > p_out or (p_out < p_in and p_in >= 0.05 > p_out)


def test_fisher_is_scipys_also_with_zeros_and_large_counts():
    rng = np.random.default_rng(7)
    for turn in range(300):
        table = rng.integers(0, (3, 12, 60, 700)[turn % 4], (2, 2)) + (turn % 3 == 0)
        if (table.sum(0) == 0).any() or (table.sum(1) == 0).any():
            continue
        expected = stats.fisher_exact(table).pvalue
        found = two_by_two_test(table, rule="fisher").p_value
        assert found == pytest.approx(expected, rel=1e-8, abs=1e-300)


def every_table(rows, columns):
    """All tables with these margins, cell by cell."""
    if len(rows) == 1:
        yield [list(columns)]
        return
    for first in product(*(range(total + 1) for total in columns)):
        if sum(first) == rows[0]:
            left = [total - count for total, count in zip(columns, first, strict=True)]
            for others in every_table(rows[1:], left):
                yield [list(first), *others]


def test_a_table_of_any_shape_has_the_p_of_all_tables_written_out():
    rng = np.random.default_rng(11)
    shapes = [(2, 2), (2, 3), (3, 2), (2, 5), (3, 3), (4, 3), (3, 4)]
    for turn in range(60):
        shape = shapes[turn % len(shapes)]
        cells = shape[0] * shape[1]
        table = rng.multinomial(rng.integers(5, 14), np.full(cells, 1 / cells)).reshape(shape)
        table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
        if min(table.shape) < 2:
            continue
        ways = [
            1 / prod(factorial(count) for row in other for count in row)
            for other in every_table(table.sum(axis=1).tolist(), table.sum(axis=0).tolist())
        ]
        own = 1 / prod(factorial(count) for count in table.ravel().tolist())
        expected = sum(way for way in ways if way <= own * (1 + 1e-7)) / sum(ways)
        assert r_by_c_test(table, method="exact").p_value == pytest.approx(expected, rel=1e-10)
        turned = table.T[rng.permutation(table.shape[1])][:, rng.permutation(table.shape[0])]
        assert r_by_c_test(turned, method="exact").p_value == r_by_c_test(table, method="exact").p_value


def test_an_exact_p_agrees_with_draws_and_one_that_would_take_long_is_drawn():
    rng = np.random.default_rng(12)
    for shape, patients in [((2, 8), 150), ((3, 4), 150), ((2, 12), 80), ((4, 4), 41), ((5, 5), 41)]:
        table = rng.multinomial(patients, rng.dirichlet(np.full(shape[0] * shape[1], 5.0))).reshape(shape)
        exact = r_by_c_test(table, method="exact").p_value
        drawn = r_by_c_test(table, method="monte_carlo").p_value
        assert abs(drawn - exact) < 5 * np.sqrt(exact * (1 - exact) / 1e5) + 2e-5
    large = [[150, 140, 130, 120, 90, 80], [140, 140, 140, 140, 70, 90]]
    assert "Monte Carlo" in r_by_c_test(large).method
    with pytest.raises(StatisticsError, match="too many tables"):
        r_by_c_test(large, method="exact")
    assert "enumerated" in r_by_c_test([[50, 40, 30, 20], [40, 40, 40, 40]]).method


def test_a_statistic_that_takes_an_axis_gives_the_same_draws():
    x, y = np.arange(9.0), np.arange(9.0) ** 1.1 + 0.3
    one = permutation_test(x, y, lambda a, b: a.mean() - b.mean(), draws=400, seed=3)
    many = permutation_test(
        x, y, lambda a, b, axis=-1: a.mean(axis=axis) - b.mean(axis=axis), draws=400, seed=3
    )
    assert many.p_value == one.p_value
