"""Hierarchical composite outcomes: every treated patient against every control, on the worst outcome first.

Wins, losses and ties of all pairs give the win ratio (Pocock et al. 2012), the win odds (Dong et al. 2020),
the net benefit (Buyse 2010) and the probability of a better outcome. The sum of the treated patients' wins
less losses is a linear rank statistic (Finkelstein & Schoenfeld 1999), so its permutation test is exact.

>>> levels = [
...     time_level("death", [9, 9, 3, 5], [0, 0, 1, 1]),
...     value_level("dose", [5, 10, 0, 0], better="low"),
... ]
>>> scores = hierarchy(levels)
>>> scores[
...     0
... ].tolist()  # the first patient lived longer than the last two and had the lower dose than the second
[0, 1, 1, 1]
>>> decided_by_level(levels, [1, 1, 0, 0])
{'death': (4, 0), 'dose': (0, 0)}
>>> found = win_statistics(scores, [1, 1, 0, 0])
>>> found.wins, found.losses, round(found.test.p_value, 3)
(4, 0, 0.333)
>>> win_bootstrap(
...     scores, [1, 0, 1, 0], np.array([[1.0, 1.0, 1.0, 1.0], [0.5, 1.5, 1.0, 1.0]])
... ).value
0.5
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from helpers.stats.checks import (
    Bools,
    Floats,
    Ints,
    confidence_level,
    event_flags,
    float_array,
    survival_data,
)
from helpers.stats.fractional_bootstrap import percentile_limits
from helpers.stats.pairs import Pairs, Signs, Won, pairs_of, totals_of
from helpers.stats.permutation import exact_tails, permutation_z
from helpers.stats.permutation_draws import sampled_tails
from helpers.stats.ratios import antilog
from helpers.stats.result import Result, StatisticsError
from helpers.stats.two_group import SAME_WAY, tanh_limits


@dataclass(frozen=True)
class Level:
    """One outcome of the hierarchy: `scores[i, j]` is 1 if patient i did better than j, -1 if worse, else
    0.
    """

    name: str
    scores: Pairs


def value_level(name: str, values: Any, *, better: Literal["low", "high"], margin: float = 0.0) -> Level:
    """A measured outcome: differences up to `margin` are ties, and so is a comparison with a missing
    value.

    Scores are those of all pairs. Raises StatisticsError for values that are no numbers.
    """
    x = float_array(values, name)

    def scores(rows: Ints) -> Signs:
        gap = x[rows][:, None] - x[None, :]
        above, below = (1, -1) if better == "high" else (-1, 1)
        with np.errstate(invalid="ignore"):
            return above * (gap > margin).astype(np.int8) + below * (gap < -margin).astype(np.int8)

    return Level(name, Pairs(x.size, scores))


def time_level(name: str, time: Any, event: Any) -> Level:
    """A time to an unwanted event: i does better than j if j had the event while i was still free of it and
    followed.

    Where the one followed for less time is event-free, nobody knows, and the pair goes on to the next
    level. Raises StatisticsError for unusable times or events.
    """
    times, events = survival_data(time, event)
    # A subject censored at the day of the other's event was seen free of it on that day.
    until = 2 * np.unique(times, return_inverse=True)[1].astype(np.int32) + ~events

    def scores(rows: Ints) -> Signs:
        own = until[rows][:, None]
        wins, losses = events[None, :] & (own > until), events[rows][:, None] & (own < until)
        return wins.astype(np.int8) - losses.astype(np.int8)

    return Level(name, Pairs(times.size, scores))


def hierarchy(levels: Sequence[Level]) -> Pairs:
    """Scores of all pairs, each decided by the first level that decides it.

    Raises StatisticsError without levels, or for levels of other patients.
    """
    if not levels:
        raise StatisticsError("levels", "none given")
    size = len(levels[0].scores)
    for level in levels:
        if len(level.scores) != size:
            raise StatisticsError("levels", f"{level.name!r} has another number of patients")

    def scores(rows: Ints) -> Signs:
        found = levels[0].scores.of(rows)
        for level in levels[1:]:
            found = np.where(found == 0, level.scores.of(rows), found)
        return found

    return Pairs(size, scores)


def decided_by_level(levels: Sequence[Level], treated: Any) -> dict[str, tuple[int, int]]:
    """Wins and losses of the treated that each level decided among treated-control pairs, by level name.

    Raises StatisticsError for flags other than 0 and 1.
    """
    arm = event_flags(treated, len(levels[0].scores), "treated")
    found = {level.name: (0, 0) for level in levels}
    for rows, first in levels[0].scores.blocks(arm):
        open_ = np.ones((rows.size, int((~arm).sum())), bool)
        for place, level in enumerate(levels):
            part = (level.scores.of(rows) if place else first)[:, ~arm]
            won, lost = found[level.name]
            found[level.name] = won + int((open_ & (part > 0)).sum()), lost + int((open_ & (part < 0)).sum())
            open_ &= part == 0
    return found


@dataclass(frozen=True)
class WinStatistics:
    """The four summaries with intervals, and the permutation test they share."""

    win_ratio: Result
    win_odds: Result
    net_benefit: Result
    probability_better: Result
    test: Result
    wins: int
    losses: int
    ties: int


def win_statistics(
    scores: Pairs | Signs,
    treated: Any,
    *,
    confidence: float = 0.95,
    draws: int = 100_000,
    seed: int = 20240501,
) -> WinStatistics:
    """Win ratio, win odds, net benefit and probability of a better outcome of the treated (`treated` 1 or 0).

    `scores` from `hierarchy`, or an antisymmetric square. Intervals from the variance of
    two-sample U-statistics (Bebu & Lachin 2016), on the log scale for the ratios and on the inverse
    hyperbolic tangent of the net benefit for it and the probability. The p-value is the exact permutation
    test of the summed scores; where enumeration is not feasible, a seeded Monte Carlo one, said in
    `method`. Raises StatisticsError for scores that are not antisymmetric, or where an arm is empty.
    """
    level = confidence_level(confidence)
    pairs = pairs_of(scores)
    arm = event_flags(treated, len(pairs), "treated")
    if arm.all() or not arm.any():
        raise StatisticsError("treated", "one arm is empty")
    sums, win, loss = totals_of(pairs, arm)
    test = _permutation_test(sums.astype(float), arm, draws, seed)
    covariance = _covariance(win, loss)
    p_win, p_loss = win.share, loss.share
    wins, losses = int(win.of_treated.sum()), int(loss.of_treated.sum())
    shared: dict[str, Any] = {"p_value": test.p_value, "n": len(pairs), "confidence": level}
    return WinStatistics(
        win_ratio=_ratio("win ratio", p_win, p_loss, np.array([[1, 0], [0, 1]]), covariance, level, shared),
        win_odds=_ratio(
            "win odds",
            (1 + p_win - p_loss) / 2,
            (1 + p_loss - p_win) / 2,
            np.array([[0.5, -0.5], [-0.5, 0.5]]),
            covariance,
            level,
            shared,
        ),
        net_benefit=_benefit("net benefit", p_win - p_loss, covariance, level, shared),
        probability_better=_benefit(
            "probability of a better outcome", p_win - p_loss, covariance, level, shared
        ),
        test=test,
        wins=wins,
        losses=losses,
        ties=win.of_treated.size * win.of_controls.size - wins - losses,
    )


def _permutation_test(patient: Floats, arm: Bools, draws: int, seed: int) -> Result:
    method = "exact permutation test of the summed wins less losses"
    try:
        tails = exact_tails(patient, arm)
    except StatisticsError:
        tails = sampled_tails(patient, arm, draws, seed)
        method = f"Monte Carlo permutation test of the summed wins less losses ({draws} draws, seed {seed})"
    return Result(
        method=method,
        value=float(patient[arm].sum()),
        statistic=permutation_z(patient, arm),
        p_value=tails.two_sided,
        n=arm.size,
        details={"p_greater": tails.greater, "p_less": tails.less},
    )


def _covariance(win: Won, loss: Won) -> Floats:
    """Covariance matrix of the shares of wins and losses (unbiased components of a two-sample
    U-statistic).
    """
    n1, n0 = win.of_treated.size, win.of_controls.size
    if min(n1, n0) < 2:
        return np.full((2, 2), np.nan)
    (treated_won, controls_lost), (treated_lost, controls_won) = win.shares(), loss.shares()
    rows = np.cov(np.stack([treated_won, treated_lost]), ddof=1)
    columns = np.cov(np.stack([controls_lost, controls_won]), ddof=1)
    return np.asarray(rows / n1 + columns / n0)


def _ratio(
    name: str, top: float, bottom: float, parts: Any, covariance: Floats, level: float, shared: dict[str, Any]
) -> Result:
    from scipy.stats import norm

    z = float(norm.isf((1 - level) / 2))
    method = f"{name}, log-scale interval from U-statistics"
    if bottom <= 0 or top <= 0:
        empty = "loses" if bottom <= 0 else "wins"
        value = float("inf") if bottom <= 0 < top else (0.0 if bottom > 0 else float("nan"))
        return Result(
            method=method, value=value, note=f"no treated patient {empty} a pair: no interval", **shared
        )
    gradient = np.array([1 / top, -1 / bottom]) @ parts
    se = float(np.sqrt(gradient @ covariance @ gradient))
    value = top / bottom
    if se == 0:
        return Result(method=method, value=value, note=SAME_WAY, **shared)
    return Result(
        method=method,
        value=value,
        lower=value * antilog(-z * se),
        upper=value * antilog(z * se),
        details={"std_err_log": se},
        **shared,
    )


def _benefit(name: str, net: float, covariance: Floats, level: float, shared: dict[str, Any]) -> Result:
    contrast = np.array([1.0, -1.0])
    se = float(np.sqrt(contrast @ covariance @ contrast))
    low, high, note = np.nan, np.nan, SAME_WAY
    if abs(net) < 1 and se != 0:
        (low, high), note = tanh_limits(net, se, level), ""
    half_scale = name.startswith("probability")
    low, high, value = ((1 + v) / 2 if half_scale else v for v in (low, high, net))
    return Result(
        method=f"{name}, interval from U-statistics on the atanh scale",
        value=value,
        lower=low,
        upper=high,
        note=note,
        details={"std_err": se / 2 if half_scale else se},
        **shared,
    )


def win_bootstrap(
    scores: Pairs | Signs, treated: Any, weights: Floats, *, confidence: float = 0.95
) -> Result:
    """Probability of a better outcome with the percentile interval of given bootstrap weights (draws,
    patients)."""
    level = confidence_level(confidence)
    arm = event_flags(treated, len(scores), "treated")
    one, none = weights[:, arm], weights[:, ~arm]
    gained, total = np.zeros(none.shape), 0
    for rows, part in pairs_of(scores).blocks(arm):
        against = part[:, ~arm]
        gained += weights[:, rows] @ against.astype(float)
        total += int(against.sum(dtype=np.int64))
    net = (gained * none).sum(1) / (one.sum(1) * none.sum(1))
    better = (1 + net) / 2
    lower, upper = percentile_limits(better, level)
    return Result(
        method=f"probability of a better outcome, percentile interval of {len(weights)} weighted draws",
        value=(1 + total / (one.shape[1] * none.shape[1])) / 2,
        lower=lower,
        upper=upper,
        n=arm.size,
        confidence=level,
        note=SAME_WAY if lower != lower else "",
    )
