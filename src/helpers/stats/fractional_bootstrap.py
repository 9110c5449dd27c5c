"""Bootstrap with fractional (Bayesian) weights that estimates the propensity or balancing weights anew.

The ordinary bootstrap leaves patients out: with one death among twenty treated, 36 % of its samples have
none and no hazard ratio. Fractional weights (Rubin 1981; Xu et al. 2020) keep everybody, with weights
exponentially distributed and scaled to the size of the arm. All draws are computed at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from helpers.stats.checks import (
    Bools,
    Floats,
    Ints,
    confidence_level,
    event_flags,
    group_codes,
    survival_data,
    turns,
)
from helpers.stats.propensity import Estimand, firth_scores, propensity_weights
from helpers.stats.result import Result, StatisticsError

Effect = Literal["log_hazard_ratio", "risk_difference", "rmst_difference"]
EFFECTS: tuple[Effect, ...] = ("log_hazard_ratio", "risk_difference", "rmst_difference")
# Largest number of cells (draws x patients) worked on at once: 16 MB an array.
_BLOCK = 2_000_000


def fractional_weights(ids: Any, group: Any, *, draws: int, seed: int) -> Floats:
    """Exponential weights of shape (draws, patients), scaled in each group and draw to the size of the group.

    Weights belong to the patients in the order of their `ids` (as text) within their group, so the order of
    the rows does not matter. Raises StatisticsError for repeated ids or fewer than one draw.

    >>> weights = fractional_weights(["a", "b", "c"], [1, 1, 0], draws=4, seed=1)
    >>> weights.shape, weights[:, :2].sum(axis=1).round(6).tolist()
    ((4, 3), [2.0, 2.0, 2.0, 2.0])
    """
    names = np.asarray(ids).astype(str)
    if np.unique(names).size != names.size:
        raise StatisticsError("ids", "some patients appear more than once")
    if draws < 1:
        raise StatisticsError("draws", f"must be at least 1, found {draws}")
    codes = group_codes(group, names.size, minimum=1).codes
    order = np.lexsort((names, codes))
    raw = np.random.default_rng(seed).standard_exponential((draws, names.size))
    weights = np.empty_like(raw)
    weights[:, order] = raw
    for code in range(int(codes.max()) + 1):
        member = codes == code
        weights[:, member] *= member.sum() / weights[:, member].sum(1, keepdims=True)
    return weights


@dataclass(frozen=True)
class SortedSurvival:
    """Survival data of two arms prepared for many sets of weights."""

    order: Ints
    arm: Bools
    at: Floats
    first: Ints
    deaths: Ints
    death_block: Ints
    tau: float


def sorted_survival(time: Any, event: Any, treated: Any, tau: float) -> SortedSurvival:
    """Sort once; events after `tau` are cut off there. `time`, `event`, `treated` (1 or 0), one a patient.

    Raises StatisticsError where an arm is empty or is not followed to `tau`.

    >>> data = sorted_survival([9, 2], [1, 1], [1, 0], 8)
    >>> data.order.tolist(), data.deaths.size  # the death after day 8 is cut off
    ([1, 0], 1)
    """
    times, events = survival_data(time, event)
    arm = event_flags(treated, times.size, "treated")
    if arm.all() or not arm.any():
        raise StatisticsError("treated", "one arm is empty")
    if not np.isfinite(tau) or tau <= 0:
        raise StatisticsError("tau", f"must be above 0, found {tau!r}")
    events, times = events & (times <= tau), np.minimum(times, tau)
    for mask, name in ((arm, "treated"), (~arm, "control")):
        if times[mask].max() < tau and not events[mask & (times == times[mask].max())].all():
            raise StatisticsError("tau", f"{tau:g} lies beyond the last follow-up of the {name}")
    order = np.argsort(times, kind="stable")
    times, events, arm = times[order], events[order], arm[order]
    deaths = np.flatnonzero(events)
    at, block = np.unique(times[deaths], return_inverse=True)
    return SortedSurvival(order, arm, at, np.searchsorted(times, at), deaths, block.astype(np.int64), tau)


def effects_by_weights(data: SortedSurvival, weights: Floats) -> dict[Effect, Floats]:
    """The three effects of treatment for each row of `weights` (draws, patients in the order of the input).

    log_hazard_ratio: Cox model, Efron ties, infinite where an arm has no death; risk_difference (death by
    tau, treated less control) and rmst_difference from weighted Kaplan-Meier curves.

    >>> data = sorted_survival([2, 8, 9, 1, 3, 9], [1, 1, 0, 1, 1, 0], [1, 1, 1, 0, 0, 0], 8)
    >>> found = effects_by_weights(data, np.ones((1, 6)))
    >>> round(float(found["rmst_difference"][0]), 3)  # (2 + 8 + 8) / 3 less (1 + 3 + 8) / 3
    2.0
    """
    w = np.atleast_2d(weights)[:, data.order]
    if data.at.size == 0:
        nothing = np.zeros(len(w))
        return {
            "log_hazard_ratio": np.full(len(w), np.nan),
            "risk_difference": nothing,
            "rmst_difference": nothing,
        }
    arms = [_arm_sums(data, w * data.arm), _arm_sums(data, w * ~data.arm)]
    curves = [np.cumprod(_kept(risk, dead), axis=1) for risk, dead in arms]
    steps = np.diff(np.append(data.at, data.tau))
    means = [curve @ steps for curve in curves]
    return {
        "log_hazard_ratio": _log_hazard_ratio(data, arms[0], arms[1]),
        "risk_difference": curves[1][:, -1] - curves[0][:, -1],
        "rmst_difference": means[0] - means[1],
    }


def _arm_sums(data: SortedSurvival, w: Floats) -> tuple[Floats, Floats]:
    """Weight at risk and weight of deaths at each event time, shape (draws, times)."""
    later = np.cumsum(w[:, ::-1], axis=1)[:, ::-1]
    start = np.searchsorted(data.death_block, np.arange(data.at.size))
    return later[:, data.first], np.add.reduceat(w[:, data.deaths], start, axis=1)


def _kept(risk: Floats, dead: Floats) -> Floats:
    safe = np.where(risk > 0, risk, 1.0)
    share = np.where(risk > 0, 1 - dead / safe, 1.0)
    return np.where(share < 1e-12, 0.0, share)


def _log_hazard_ratio(
    data: SortedSurvival, treated: tuple[Floats, Floats], control: tuple[Floats, Floats]
) -> Floats:
    """Root of the score of the one-covariate Cox model, all draws at once (Newton, bracketed by
    bisection).
    """
    count = np.bincount(data.death_block, minlength=data.at.size)
    part = turns(count) / np.repeat(count, count)
    block = data.death_block
    one = treated[0][:, block] - part * treated[1][:, block]
    none = control[0][:, block] - part * control[1][:, block]
    mean = ((treated[1] + control[1]) / count)[:, block]
    dead, alive_too = treated[1].sum(1), control[1].sum(1)
    ratio_of = np.log(np.maximum(one, 1e-300)) - np.log(np.maximum(none, 1e-300))
    low, high = np.full(len(one), -40.0), np.full(len(one), 40.0)
    beta = np.zeros(len(one))
    for _ in range(100):
        share = 0.5 * (1 + np.tanh((beta[:, None] + ratio_of) / 2))
        gap = dead - (mean * share).sum(1)
        low, high = np.where(gap > 0, beta, low), np.where(gap > 0, high, beta)
        slope = (mean * share * (1 - share)).sum(1)
        new = beta + np.divide(gap, slope, out=np.full_like(gap, np.inf), where=slope > 1e-12)
        new = np.where((new > low) & (new < high), new, (low + high) / 2)
        moved, beta = np.abs(new - beta).max(), new
        if moved < 1e-12:
            break
    beta = np.where(np.abs(beta) > 30, np.sign(beta) * np.inf, beta)
    return np.where(dead <= 0, -np.inf, np.where(alive_too <= 0, np.inf, beta))


@dataclass(frozen=True)
class Design:
    """What the weights are estimated from: covariates of shape (patients, k), or none for no weighting."""

    covariates: NDArray[np.float64] | None = None
    estimand: Estimand = "ATO"


def bootstrap_effects(
    time: Any,
    event: Any,
    treated: Any,
    ids: Any,
    *,
    tau: float,
    design: Design | None = None,
    draws: int = 1000,
    seed: int = 20240501,
    confidence: float = 0.95,
) -> dict[Effect, Result]:
    """Effects with percentile intervals of the fractional-weight bootstrap, propensity refitted in each draw.

    `details` of each effect has the bootstrap standard error, the number of draws and how many were not
    finite (they stay in the percentiles as what they are: beyond every finite limit). Where an arm has no
    death, or a risk of 1, no draw can have another: the estimate stands without interval and p-value. Point
    estimates use the weights of the patients themselves. Same numbers whatever the order of the rows. Raises
    StatisticsError as `sorted_survival`, `fractional_weights` and `firth_scores`.

    >>> time, died, treated = [2, 8, 9, 1, 3, 9], [1, 1, 0, 1, 1, 0], [1, 1, 1, 0, 0, 0]
    >>> found = bootstrap_effects(time, died, treated, list("abcdef"), tau=4, draws=50)
    >>> round(found["risk_difference"].value, 3)  # 1 of 3 less 2 of 3
    -0.333
    """
    level = confidence_level(confidence)
    data = sorted_survival(time, event, treated, tau)
    arm = event_flags(treated, data.order.size, "treated")
    plan = design or Design()
    point = effects_by_weights(data, _refitted(plan, arm, np.ones((1, arm.size))))
    case = fractional_weights(ids, arm, draws=draws, seed=seed)
    size = max(1, _BLOCK // arm.size)
    parts = [
        effects_by_weights(data, _refitted(plan, arm, case[i : i + size])) for i in range(0, draws, size)
    ]
    kind = "unweighted" if plan.covariates is None else f"{plan.estimand} weights refitted"
    results: dict[Effect, Result] = {}
    for effect in EFFECTS:
        found = np.concatenate([p[effect] for p in parts])
        fixed = _never_drawn(data, effect)
        results[effect] = _percentiles(effect, float(point[effect][0]), found, level, kind, seed, fixed)
    return results


def _never_drawn(data: SortedSurvival, effect: Effect) -> str:
    """Why no draw can differ from the patients in an arm's outcome; empty where draws can."""
    died = np.zeros(data.arm.size, bool)
    died[data.deaths] = True
    for mask, name in ((data.arm, "treated"), (~data.arm, "controls")):
        if not died[mask].any():
            return f"no death among the {name}, so none in any draw"
        if effect == "risk_difference" and died[mask].all():
            return f"all the {name} died, so all in any draw"
    return ""


def _refitted(plan: Design, arm: Bools, case: Floats) -> Floats:
    if plan.covariates is None:
        return case
    scores = firth_scores(plan.covariates, arm, case)[1]
    return case * propensity_weights(scores, arm, plan.estimand)


def _percentiles(
    effect: Effect, point: float, found: Floats, level: float, kind: str, seed: int, fixed: str
) -> Result:
    finite = np.isfinite(found)
    lower = upper = p_value = float("nan")
    note = f"no interval: {fixed}" if fixed else ""
    if not fixed:
        lower, upper = percentile_limits(found, level)
        share = float(np.mean(found > 0) + np.mean(found == 0) / 2)
        p_value = min(1.0, 2 * max(min(share, 1 - share), 0.5 / found.size))
        note = "" if finite.all() else f"{int((~finite).sum())} draws without a finite estimate"
    return Result(
        method=f"{effect.replace('_', ' ')}, fractional-weight bootstrap ({found.size} draws, seed {seed}), "
        f"{kind}",
        value=point if np.isfinite(point) else float("nan"),
        lower=lower,
        upper=upper,
        p_value=p_value,
        n=0,
        confidence=level,
        note=note,
        details={
            "std_err": float(found[finite].std(ddof=1)) if finite.sum() > 1 else float("nan"),
            "draws": int(found.size),
            "not_finite": int((~finite).sum()),
        },
    )


def percentile_limits(draws: Floats, level: float) -> tuple[float, float]:
    """Return the percentile limits of bootstrap draws; NaN where all are alike, up to rounding.

    What no patient had, no draw can have: nobody in response is no certainty that nobody responds.

    >>> percentile_limits(np.array([0.2, 0.4, 0.5, 0.9]), 0.5), percentile_limits(np.zeros(3), 0.95)
    ((0.2, 0.5), (nan, nan))
    """
    ordered = np.sort(draws)
    if ordered[0] == ordered[-1] or abs(ordered[-1] - ordered[0]) <= 1e-9 * max(1.0, abs(ordered[0])):
        return float("nan"), float("nan")
    # Order statistics, not interpolation: an infinite neighbour would make the limit NaN.
    tails = [(1 - level) / 2, (1 + level) / 2]
    lower, upper = np.quantile(ordered, tails, method="inverted_cdf")
    return float(lower), float(upper)
