"""Log-rank tests: asymptotic (weighted, stratified), exact and Monte Carlo permutation of the scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import fsum
from typing import Any, Literal

import numpy as np

from helpers.stats.checks import (
    Bools,
    Floats,
    Groups,
    Ints,
    choice,
    confidence_level,
    group_codes,
    raw_survival_data,
    same_times,
    survival_data,
    treated_mask,
)
from helpers.stats.kaplan_meier import LifeTable, life_table, life_tables
from helpers.stats.permutation import exact_tails, permutation_z
from helpers.stats.permutation_draws import sampled_tails
from helpers.stats.ratios import has_finite_ratio, ratio_of_log
from helpers.stats.result import Result

Weights = Literal[
    "logrank", "gehan", "tarone_ware", "peto", "prentice", "prentice_marek", "fleming_harrington"
]
Scores = Literal["mid_ranks", "hothorn_lausen"]
_NAMES = {
    "logrank": "log-rank test (Mantel-Haenszel)",
    "gehan": "Gehan-Breslow weighted log-rank test",
    "tarone_ware": "Tarone-Ware weighted log-rank test",
    "peto": "Peto-Peto weighted log-rank test (weight S(t-))",
    "prentice": "Prentice weighted log-rank test",
    "prentice_marek": "Prentice-Marek weighted log-rank test",
    "fleming_harrington": "Fleming-Harrington weighted log-rank test",
}


def _weight(life: LifeTable, weights: str, rho: float, gamma: float) -> Floats:
    """Weight at each distinct time of the pooled sample."""
    n, d = life.n_risk, life.n_event
    if weights in ("peto", "fleming_harrington"):
        survival = np.cumprod(1 - d / n)
        before = np.concatenate(([1.0], survival[:-1]))
        if weights == "peto":
            return before
        return np.asarray(before**rho * (1 - before) ** gamma)
    table: dict[str, Callable[[], Floats]] = {
        "logrank": lambda: np.ones(n.size),
        "gehan": lambda: n,
        "tarone_ware": lambda: np.sqrt(n),
        "prentice": lambda: np.asarray(np.cumprod(n / (n + d)), dtype=float),
        "prentice_marek": lambda: np.asarray(np.cumprod(1 - d / (n + 1)), dtype=float),
    }
    return table[weights]()


def logrank_test(
    time: Any,
    event: Any,
    group: Any,
    *,
    weights: Weights = "logrank",
    strata: Any = None,
    rho: float = 1.0,
    gamma: float = 0.0,
) -> Result:
    """Log-rank test of two or more groups, ties by the hypergeometric variance (equals R's `survdiff`).

    `weights`: logrank (1), gehan (number at risk), tarone_ware (its root), peto (S(t-), R's rho = 1),
    prentice, prentice_marek, or fleming_harrington (S(t-)^rho (1 - S(t-))^gamma). `strata`: labels within
    which observed and expected events are formed before they are summed. `statistic` is chi-square; `details`
    has observed, expected and size of each group by label, df, and for two groups `z` (positive: the second
    group in label order has more events than expected).

    Where nothing can be compared (no event, no event while more than one group was at risk, everybody at
    risk dead at once) there is no p-value, and `note` says why. Groups that no stratum brings together
    are compared within the sets that are, with one degree of freedom a set less, said in `note`. Raises
    StatisticsError for unusable times, events, groups or weights.

    >>> found = logrank_test([1, 2, 3, 4], [1, 1, 1, 0], list("aabb"))
    >>> round(found.statistic, 2), found.details["observed"], round(found.p_value, 3)
    (2.88, {'a': 2.0, 'b': 1.0}, 0.09)
    """
    choice(weights, tuple(_NAMES), "weights")
    times, events = raw_survival_data(time, event)
    groups = group_codes(group, times.size)
    observed, expected = np.zeros(groups.count), np.zeros(groups.count)
    covariance = np.zeros((groups.count, groups.count))
    parts = _strata(strata, times.size)
    # Sorting serves the check for equal times as well, unless some are or the strata are sorted one by one.
    tables = life_tables(times, events, groups.codes, groups.count)
    raw, times = times, same_times(times, tables[0].time)
    for part in parts:
        if strata is not None or times is not raw:
            tables = life_tables(times[part], events[part], groups.codes[part], groups.count)
        o, e, v = _stratum(*tables, weights, rho, gamma)
        observed, expected, covariance = observed + o, expected + e, covariance + v
    options: dict[str, object] = {"weights": weights, "stratified": strata is not None}
    name = _NAMES[weights] + (", stratified" if strata is not None else "")
    if weights == "fleming_harrington":
        options |= {"rho": rho, "gamma": gamma}
        name += f" (rho = {rho:g}, gamma = {gamma:g})"
    found = _chi_square(name, observed, expected, covariance, groups, options)
    if np.isnan(found.p_value):
        return replace(found, note=_nothing_compared(times, events, groups.codes, parts))
    return found


def _strata(strata: Any, size: int) -> list[Any]:
    if strata is None:
        return [slice(None)]
    found = group_codes(strata, size, "strata", minimum=1)
    return [np.flatnonzero(found.codes == code) for code in range(found.count)]


def _stratum(
    life: LifeTable, arms: list[LifeTable | None], weights: str, rho: float, gamma: float
) -> tuple[Floats, Floats, Floats]:
    """Weighted observed and expected events of each group and their covariance, within one stratum."""
    count = len(arms) + 1
    informative = life.n_event > 0
    at, n, d = (column[informative] for column in (life.time, life.n_risk, life.n_event))
    w = _weight(life, weights, rho, gamma)[informative]
    observed, share = np.zeros(count), np.zeros((count, at.size))
    for code, own in enumerate(arms):
        if own is not None:
            row = np.searchsorted(own.time, at)
            share[code] = np.append(own.n_risk, 0.0)[row] / n
            same = np.append(own.time, np.nan)[row] == at
            observed[code] = w @ np.where(same, np.append(own.n_event, 0.0)[row], 0.0)
    share[-1], observed[-1] = 1 - share[:-1].sum(0), w @ d - observed[:-1].sum()
    expected = share @ (w * d)
    factor = np.where(n > 1, w**2 * d * (n - d) / np.maximum(n - 1, 1), 0.0)
    covariance = np.diag(share @ factor) - (share * factor) @ share.T
    return observed, expected, covariance


def _chi_square(
    name: str,
    observed: Floats,
    expected: Floats,
    covariance: Floats,
    groups: Groups,
    options: dict[str, object],
) -> Result:
    from scipy.stats import chi2

    size = int(groups.codes.size)
    members = np.bincount(groups.codes, minlength=groups.count)
    details: dict[str, Any] = {
        "observed": dict(zip(groups.labels, observed.tolist(), strict=True)),
        "expected": dict(zip(groups.labels, expected.tolist(), strict=True)),
        "n": dict(zip(groups.labels, members.tolist(), strict=True)),
    }
    sets = _linked_sets(covariance, expected)
    if not sets:
        return Result(method=name, n=size, options=options, details=details)
    keep = np.concatenate([linked[1:] for linked in sets])
    gap = (observed - expected)[keep]
    statistic = float(gap @ np.linalg.solve(covariance[np.ix_(keep, keep)], gap))
    details["df"] = int(keep.size)
    if groups.count == 2:
        details["z"] = float(gap[0] / np.sqrt(covariance[1, 1]))
    return Result(
        method=name,
        statistic=statistic,
        p_value=float(chi2.sf(statistic, keep.size)),
        n=size,
        note=f"{len(sets)} sets of groups, compared within each set only" if len(sets) > 1 else "",
        options=options,
        details=details,
    )


def _linked_sets(covariance: Floats, expected: Floats) -> list[Ints]:
    """Sets of two or more groups that were at risk together at some informative event, each by its codes."""
    from scipy.sparse.csgraph import connected_components

    linked = covariance < -1e-12 * max(float(expected.sum()), 1e-300)
    count, label = connected_components(linked, directed=False)
    sets = [np.flatnonzero(label == number) for number in range(count)]
    return [codes for codes in sets if codes.size > 1]


def _nothing_compared(times: Floats, events: Bools, codes: Ints, strata: list[Any]) -> str:
    """Why a log-rank statistic has no variance."""
    if not events.any():
        return "not estimable: no event"
    within = "" if len(strata) == 1 else " in one stratum"
    for part in strata:
        last = [times[part][codes[part] == code].max() for code in np.unique(codes[part])]
        first_event = times[part][events[part]].min(initial=np.inf)
        if np.sum(np.asarray(last) >= first_event) > 1:
            return f"not estimable: everybody at risk{within} had the event at once"
    return f"not estimable: no event while patients of more than one group were at risk{within}"


def logrank_scores(
    time: Any,
    event: Any,
    *,
    scores: Scores = "mid_ranks",
    weights: Weights = "logrank",
    rho: float = 1.0,
    gamma: float = 0.0,
) -> Floats:
    """Score of each subject: weighted event indicator less weighted Nelson-Aalen hazard of the pooled sample.

    With `mid_ranks` the sum of an arm's scores is observed minus expected events of `logrank_test`;
    `hothorn_lausen` counts at risk after tied subjects have left (Hothorn & Lausen 2003). Both carry the
    names and (with opposite sign) the values of `logrank_trafo` in R's coin. One a subject, in their
    order. Raises StatisticsError for unusable times, events, scores or weights.

    >>> logrank_scores([1, 2, 3], [1, 1, 0]).round(3).tolist()  # 1 - 1/3, 1 - 1/3 - 1/2, -1/3 - 1/2
    [0.667, 0.167, -0.833]
    """
    choice(scores, ("mid_ranks", "hothorn_lausen"), "scores")
    choice(weights, tuple(_NAMES), "weights")
    times, events = survival_data(time, event)
    life = life_table(times, events)
    at_risk = life.n_risk
    if scores == "hothorn_lausen":
        at_risk = at_risk - (life.n_event + life.n_censor) + 1
    used = LifeTable(life.time, at_risk, life.n_event, life.n_censor)
    weight = _weight(used, weights, rho, gamma)
    hazard = np.cumsum(weight * life.n_event / at_risk)
    at = np.searchsorted(life.time, times)
    return np.asarray(events * weight[at] - hazard[at])


def _scored(
    time: Any,
    event: Any,
    group: Any,
    treated: Any,
    scores: Scores,
    weights: Weights,
    rho: float,
    gamma: float,
) -> tuple[Floats, Bools, dict[str, Any]]:
    values = logrank_scores(time, event, scores=scores, weights=weights, rho=rho, gamma=gamma)
    mask, label, reference = treated_mask(group, treated, values.size)
    plain = logrank_test(time, event, group)
    details = {
        "treated": label,
        "reference": reference,
        "n_treated": int(mask.sum()),
        "z": permutation_z(values, mask),
        "reason": plain.note.removeprefix("not estimable: "),
    }
    return values, mask, details


def _compares_nothing(details: dict[str, Any]) -> str:
    """Note of a permutation test whose p-value stands although the curves were never compared."""
    reason = details.pop("reason")
    return f"compares nothing: {reason}" if reason else ""


def exact_logrank_test(
    time: Any,
    event: Any,
    group: Any,
    *,
    treated: Any = None,
    scores: Scores = "mid_ranks",
    weights: Weights = "logrank",
    rho: float = 1.0,
    gamma: float = 0.0,
) -> Result:
    """Exact log-rank test of two arms: all relabellings of the log-rank scores, two-sided.

    `value` is the treated arm's score sum (observed minus expected events), `statistic` its standardised form
    under relabelling; p counts sums at least as far from their mean. Equals `coin::logrank_test(distribution
    = "exact")` for the same scores. Exactness supposes equal censoring in both arms.
    Raises StatisticsError naming `method` if too many event times make enumeration impossible.

    >>> found = exact_logrank_test(
    ...     [5, 6, 7, 30, 30, 30], [1, 1, 1, 0, 0, 0], list("aaabbb"), treated="b"
    ... )
    >>> round(found.p_value, 3)  # 2 of 20 relabellings are as extreme
    0.1
    """
    values, mask, details = _scored(time, event, group, treated, scores, weights, rho, gamma)
    tails = exact_tails(values, mask)
    details |= {"p_greater": tails.greater, "p_less": tails.less}
    note = _compares_nothing(details)
    return Result(
        method=f"exact permutation {_NAMES[weights]}, {scores.replace('_', '-')} scores",
        value=fsum(values[mask].tolist()),
        statistic=details["z"],
        p_value=tails.two_sided,
        n=values.size,
        note=note,
        options={"scores": scores, "weights": weights},
        details=details,
    )


def permutation_logrank_test(
    time: Any,
    event: Any,
    group: Any,
    *,
    treated: Any = None,
    draws: int = 100_000,
    seed: int = 20240501,
    scores: Scores = "mid_ranks",
    weights: Weights = "logrank",
    rho: float = 1.0,
    gamma: float = 0.0,
) -> Result:
    """Monte Carlo version of `exact_logrank_test`: p = (b + 1)/(draws + 1), seeded.

    `details` also has the asymptotic p of the same permutation statistic (`p_asymptotic`).

    >>> found = permutation_logrank_test(
    ...     [5, 6, 7, 30, 30, 30], [1, 1, 1, 0, 0, 0], list("aaabbb"), draws=2000
    ... )
    >>> round(found.p_value, 1)
    0.1
    """
    from scipy.stats import norm

    values, mask, details = _scored(time, event, group, treated, scores, weights, rho, gamma)
    tails = sampled_tails(values, mask, draws, seed)
    z = details["z"]
    details |= {"p_greater": tails.greater, "p_less": tails.less, "p_asymptotic": float(2 * norm.sf(abs(z)))}
    note = _compares_nothing(details)
    return Result(
        method=f"Monte Carlo permutation {_NAMES[weights]} ({draws} draws, seed {seed})",
        value=fsum(values[mask].tolist()),
        statistic=z,
        p_value=tails.two_sided,
        n=values.size,
        note=note,
        options={"scores": scores, "weights": weights, "draws": draws, "seed": seed},
        details=details,
    )


def peto_hazard_ratio(
    time: Any, event: Any, group: Any, *, treated: Any, strata: Any = None, confidence: float = 0.95
) -> Result:
    """One-step (Peto) hazard ratio exp((O - E)/V) of the treated arm, from the log-rank test's own numbers.

    Finite with zero events in one arm. Source: Yusuf et al. 1985. NaN, said in `note`, without
    informative events. Raises StatisticsError for unusable times or events, or unless there are two
    groups.

    >>> found = peto_hazard_ratio([1, 2, 3, 4], [1, 1, 1, 0], list("aabb"), treated="b")
    >>> 0 < found.value < 1, found.n
    (True, 4)
    """
    from scipy.stats import norm

    level = confidence_level(confidence)
    times, events = survival_data(time, event)
    mask, label, reference = treated_mask(group, treated, times.size)
    gap = variance = 0.0
    parts, codes = _strata(strata, times.size), mask.astype(np.int64)
    for part in parts:
        tables = life_tables(times[part], events[part], codes[part], 2)
        o, e, v = _stratum(*tables, "logrank", 1.0, 0.0)
        gap, variance = gap + float(o[1] - e[1]), variance + float(v[1, 1])
    method = f"Peto one-step hazard ratio, {label} v {reference}"
    if variance <= 1e-12 * max(float(events.sum()), 1.0):
        note = _nothing_compared(times, events, codes, parts)
        return Result(method=method, n=times.size, note=note, confidence=level)
    half = float(norm.isf((1 - level) / 2)) / np.sqrt(variance)
    if not has_finite_ratio(abs(gap) / variance + half):
        note = "not estimable: too few patients of one group were at risk at the events"
        return Result(method=method, n=times.size, note=note, confidence=level)
    z = gap / np.sqrt(variance)
    return Result(
        method=method,
        **ratio_of_log(gap / variance, half),
        p_value=float(2 * norm.sf(abs(z))),
        statistic=float(z),
        n=times.size,
        confidence=level,
    )
