"""Comparisons of all pairs, some patients at a time, beside loops over pairs; and designs of many tables."""

import numpy as np
import pytest

from helpers.stats import design_error, pairs
from helpers.stats.design_error import fisher_design_error
from helpers.stats.fractional_bootstrap import fractional_weights
from helpers.stats.pairs import Pairs, pairs_of, totals_of
from helpers.stats.result import StatisticsError
from helpers.stats.win_statistics import (
    decided_by_level,
    hierarchy,
    time_level,
    value_level,
    win_bootstrap,
    win_statistics,
)


def drawn(seed, size=17):
    """Times with ties, events, and values of which some are missing."""
    rng = np.random.default_rng(seed)
    value = np.where(rng.random(size) < 0.2, np.nan, rng.integers(0, 6, size) / 10)
    return rng.integers(0, 9, size), rng.integers(0, 2, size), value, np.arange(size) % 3 == 0


def better(i, j, time, event, value, margin):
    """1 if patient i did better than j, by death and then by the lower value."""
    for one, other, sign in ((i, j, 1), (j, i, -1)):
        if event[other] and (time[one] > time[other] or (time[one] == time[other] and not event[one])):
            return sign, "death"
    gap = value[j] - value[i]
    if gap > margin or gap < -margin:
        return int(np.sign(gap)), "value"
    return 0, ""


@pytest.mark.parametrize("margin", [0.0, 0.15])
@pytest.mark.parametrize("cells", [1, 40, 4_000_000])
def test_comparisons_are_those_of_a_loop_over_pairs(margin, cells, monkeypatch):
    monkeypatch.setattr(pairs, "_CELLS", cells)
    for seed in range(10):
        time, event, value, arm = drawn(seed)
        levels = [time_level("death", time, event), value_level("value", value, better="low", margin=margin)]
        scores = hierarchy(levels)
        size = range(arm.size)
        looped = [[better(i, j, time, event, value, margin) for j in size] for i in size]
        assert [[one for one, _ in row] for row in looped] == np.asarray(scores[:]).tolist()
        counts = {"death": [0, 0], "value": [0, 0]}
        for i in np.flatnonzero(arm):
            for j in np.flatnonzero(~arm):
                sign, level = looped[i][j]
                if sign:
                    counts[level][sign < 0] += 1
        assert decided_by_level(levels, arm) == {name: tuple(both) for name, both in counts.items()}
        sums, won, lost = totals_of(scores, arm)
        assert sums.tolist() == [sum(one for one, _ in row) for row in looped]
        assert won.of_treated.sum() == won.of_controls.sum() == counts["death"][0] + counts["value"][0]
        assert lost.of_treated.sum() == lost.of_controls.sum() == counts["death"][1] + counts["value"][1]


def test_the_size_of_a_block_decides_nothing(monkeypatch):
    time, event, value, arm = drawn(3, size=40)
    scores = hierarchy([time_level("death", time, event), value_level("value", value, better="high")])
    weights = fractional_weights(range(40), arm, draws=60, seed=2)
    whole, drawn_whole = win_statistics(scores, arm), win_bootstrap(scores, arm, weights)
    monkeypatch.setattr(pairs, "_CELLS", 90)
    assert win_statistics(scores, arm) == whole
    parted = win_bootstrap(scores, arm, weights)
    assert parted.value == drawn_whole.value
    assert (parted.lower, parted.upper) == pytest.approx((drawn_whole.lower, drawn_whole.upper), rel=1e-12)
    assert win_statistics(np.asarray(scores[:]), arm) == whole


def test_a_square_that_is_not_antisymmetric_is_refused():
    with pytest.raises(StatisticsError, match="must be square"):
        pairs_of(np.ones((2, 2), dtype=np.int8))
    assert len(Pairs(0, lambda rows: np.zeros((rows.size, 0), np.int8))) == 0


@pytest.mark.parametrize(("p1", "p2"), [(0.05, 0.09), (0.0, 0.1), (0.4, 0.4), (1.0, 0.98)])
def test_tables_that_never_come_about_add_nothing(p1, p2, monkeypatch):
    every = fisher_design_error(p1, 240, p2, 190)
    monkeypatch.setattr(design_error, "_TABLES", 0)
    likely = fisher_design_error(p1, 240, p2, 190)
    assert likely.value == pytest.approx(every.value, rel=1e-12)
    assert likely.details == pytest.approx(every.details, rel=1e-9, nan_ok=True)
