"""Two independent groups of values: rank-sum test, medians, standardised difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature
from math import comb, inf, isnan, nan
from typing import Any, Literal

import numpy as np

from helpers.stats.checks import (
    Floats,
    Ints,
    choice,
    confidence_level,
    float_array,
    observed_values,
    tied_values,
    whole_number,
)
from helpers.stats.merged_samples import MergedSamples, merged, midranks
from helpers.stats.permutation import TailProbabilities, exact_tails, exact_work
from helpers.stats.result import Result, StatisticsError

RankSumMethod = Literal["exact", "asymptotic", "asymptotic_corrected"]
_EXACT_WORK = 2_000_000_000
# Relabelled values held at once.
_CELLS = 1_000_000
# Those that stay in the processor's cache while they are drawn and summed up.
_CACHED = 100_000
SAME_WAY = "every pair is decided the same way: no interval"


def rank_sum_test(x: Any, y: Any, *, method: RankSumMethod = "exact") -> Result:
    """Wilcoxon-Mann-Whitney rank-sum test of two samples, two-sided.

    `exact` is the conditional permutation test on mid-ranks, right with ties (Streitberg & Roehmel 1986; the
    two-sided p counts rank sums at least as far from their mean); where that would take seconds (see
    `helpers.stats.permutation.exact_work`: some 800 subjects an arm without ties) the corrected normal
    approximation is used and `method` and `note` say so. `asymptotic` is the normal approximation with
    tie-corrected variance, `asymptotic_corrected` adds the continuity correction.

    `statistic` is U of `x` (R's W); `value` is P(X > Y) + P(X = Y)/2. Missing values are left out and
    counted. Raises StatisticsError if a sample has no observed value.

    >>> found = rank_sum_test([5, 6, 9], [1, 2, 3])
    >>> found.statistic, found.value, round(found.p_value, 3)  # 2 of 20
    (9.0, 1.0, 0.1)
    """
    choice(method, ("exact", "asymptotic", "asymptotic_corrected"), "method")
    first, missing_x = observed_values(x, "x")
    second, missing_y = observed_values(y, "y")
    samples = merged(first, second)
    u = samples.rank_sum - first.size * (first.size + 1) / 2
    tails, name, note = _rank_tails(samples, method)
    return Result(
        method=name,
        value=u / (first.size * second.size),
        p_value=tails.two_sided,
        statistic=u,
        n=first.size + second.size,
        n_missing=missing_x + missing_y,
        note=note,
        options={"method": method, "alternative": "two-sided"},
        details={"n_x": first.size, "n_y": second.size, "p_greater": tails.greater, "p_less": tails.less},
    )


def probability_of_superiority(x: Any, y: Any, *, confidence: float = 0.95) -> Result:
    """Return the probability that a value of `x` exceeds one of `y`, ties counting half, with its interval.

    The variance is that of Brunner & Munzel (2000; DeLong's for an area under a curve), the interval on the
    inverse hyperbolic tangent of P(X > Y) - P(X < Y), so that it stays between 0 and 1. Where every pair is
    decided the same way, or a sample has one value, there is none. Missing values are left out and counted.
    Raises StatisticsError if a sample has no observed value.

    >>> found = probability_of_superiority([3, 4, 5, 9], [1, 2, 4])
    >>> round(found.value, 3), round(found.lower, 3), round(found.upper, 3)
    (0.875, 0.329, 0.99)
    """
    level = confidence_level(confidence)
    first, missing_x = observed_values(x, "x")
    second, missing_y = observed_values(y, "y")
    ranks = midranks(np.concatenate([first, second]))
    # The share of the other sample that each value exceeds, ties counting half.
    beaten = (ranks[: first.size] - midranks(first)) / second.size
    beats = 1 - (ranks[first.size :] - midranks(second)) / first.size
    value = float(beaten.mean())
    lower, upper, note = nan, nan, ""
    if min(first.size, second.size) < 2:
        note = "one value in a sample: no interval"
    elif np.ptp(beaten) == np.ptp(beats) == 0:
        note = SAME_WAY
    else:
        variance = beaten.var(ddof=1) / first.size + beats.var(ddof=1) / second.size
        lower, upper = ((1 + x) / 2 for x in tanh_limits(2 * value - 1, 2 * float(np.sqrt(variance)), level))
    return Result(
        method="probability of superiority, Brunner-Munzel variance, interval on the atanh scale",
        value=value,
        lower=lower,
        upper=upper,
        n=ranks.size,
        n_missing=missing_x + missing_y,
        note=note,
        confidence=level,
    )


def tanh_limits(value: float, std_err: float, level: float) -> tuple[float, float]:
    """Return limits of a value between -1 and 1, symmetric about its inverse hyperbolic tangent.

    >>> [round(limit, 3) for limit in tanh_limits(0.5, 0.2, 0.95)]
    [0.027, 0.79]
    """
    from scipy.stats import norm

    half = float(norm.isf((1 - level) / 2)) * std_err / (1 - value**2)
    return float(np.tanh(np.arctanh(value) - half)), float(np.tanh(np.arctanh(value) + half))


def _rank_tails(samples: MergedSamples, method: str) -> tuple[TailProbabilities, str, str]:
    if samples.both.size == 1:
        note = "all values are equal"
        return TailProbabilities(1.0, 1.0, 1.0), "Wilcoxon rank-sum test, all values tied (p = 1)", note
    if method == "exact":
        ranks, mask = samples.ranked()
        if exact_work(ranks, int(mask.sum())) <= _EXACT_WORK:
            return exact_tails(ranks, mask), "Wilcoxon rank-sum test, exact conditional on ties", ""
    corrected = method != "asymptotic"
    note = "exact distribution not feasible at this size" if method == "exact" else ""
    suffix = "with continuity correction" if corrected else "without continuity correction"
    return (
        normal_tails(samples, corrected),
        f"Wilcoxon rank-sum test, normal approximation {suffix}, tie-corrected",
        note,
    )


def normal_deviation(both: Ints, size: int) -> float:
    """Standard deviation of the rank sum of `size` subjects, given how many share each value.

    Source: Hollander & Wolfe 1999, 4.1, with the correction for ties.
    """
    total = int(both.sum())
    ties = both[both > 1].astype(float)
    spread = total + 1 - float((ties**3 - ties).sum()) / (total * (total - 1))
    return float(np.sqrt(size * (total - size) / 12 * spread))


def normal_tails(samples: MergedSamples, corrected: bool) -> TailProbabilities:
    """Normal approximation with the tie-corrected variance."""
    from scipy.special import ndtr

    total, size = int(samples.both.sum()), int(samples.first.sum())
    sd = normal_deviation(samples.both, size)
    gap = samples.rank_sum - size * (total + 1) / 2
    half = 0.5 if corrected else 0.0
    upper, lower = ndtr(-(gap - half) / sd), ndtr((gap + half) / sd)
    both = 2 * ndtr(-max(abs(gap) - half, 0.0) / sd)
    return TailProbabilities(float(upper), float(lower), min(float(both), 1.0))


def median_difference(
    x: Any, y: Any, *, confidence: float = 0.95, seed: int = 20240501, draws: int = 10_000
) -> Result:
    """Difference of medians x - y with a percentile bootstrap interval (seeded, arms resampled separately).

    Raises StatisticsError for empty samples, a bad level, or fewer than 100 draws.

    >>> median_difference([5, 6, 9], [1, 2, 3], draws=200).value
    4.0
    """
    level = confidence_level(confidence)
    if draws < 100:
        raise StatisticsError("draws", f"needs at least 100 draws, found {draws}")
    first, missing_x = observed_values(x, "x")
    second, missing_y = observed_values(y, "y")
    rng = np.random.default_rng(seed)
    # Sorted, so that the order of the subjects decides nothing.
    first, second = np.sort(first), np.sort(second)
    replicates = _bootstrap_medians(first, draws, rng) - _bootstrap_medians(second, draws, rng)
    lower, upper = np.quantile(replicates, [(1 - level) / 2, (1 + level) / 2])
    return Result(
        method=f"difference of medians, percentile bootstrap ({draws} draws, seed {seed})",
        value=float(np.median(first) - np.median(second)),
        lower=float(lower),
        upper=float(upper),
        n=first.size + second.size,
        n_missing=missing_x + missing_y,
        confidence=level,
        options={"confidence": level, "seed": seed, "draws": draws},
    )


def _bootstrap_medians(values: Floats, draws: int, rng: np.random.Generator) -> Floats:
    medians = np.empty(draws)
    block = max(1, 4_000_000 // values.size)
    for start in range(0, draws, block):
        size = min(block, draws - start)
        picked = values[rng.integers(values.size, size=(size, values.size))]
        medians[start : start + size] = np.median(picked, axis=1)
    return medians


def standardized_difference(x: Any, y: Any, *, scale: Literal["identity", "log"] = "identity") -> Result:
    """Standardised mean difference (mean x - mean y) / sqrt((var x + var y) / 2).

    With `scale="log"` the logarithms are compared, the right scale for skewed laboratory values, on which the
    raw-scale difference can even have the wrong sign. Source: Austin 2009. Infinite when both variances are 0
    and the means differ; 0 when all values are equal. Raises StatisticsError for fewer than two values a
    sample, or values <= 0 on the log scale.

    >>> standardized_difference([40, 50, 60], [30, 40, 50]).value
    1.0
    """
    choice(scale, ("identity", "log"), "scale")
    first, missing_x = observed_values(x, "x", minimum=2)
    second, missing_y = observed_values(y, "y", minimum=2)
    if scale == "log":
        first, second = _logarithms(first, "x"), _logarithms(second, "y")
    # Constant up to rounding is constant: the variance of three times 0.1 is not 0 in floating point. Sorted,
    # so that the order of the subjects decides not even the last digit.
    pooled_values = tied_values(np.concatenate([np.sort(first), np.sort(second)]))
    means, variances = [], []
    for part in (pooled_values[: first.size], pooled_values[first.size :]):
        constant = bool(part[0] == part[-1])
        means.append(float(part[0]) if constant else float(part.mean()))
        variances.append(0.0 if constant else float(part.var(ddof=1)))
    gap, pooled = means[0] - means[1], float(np.sqrt(sum(variances) / 2))
    endless = pooled == 0 and gap != 0
    return Result(
        method="standardised mean difference" + (" of logarithms" if scale == "log" else ""),
        value=float(np.copysign(inf, gap)) if endless else gap / pooled if pooled > 0 else 0.0,
        n=first.size + second.size,
        n_missing=missing_x + missing_y,
        note="no finite value: the groups differ and neither varies" if endless else "",
        options={"scale": scale},
    )


def standardized_difference_error(n1: Any, n2: Any) -> Result:
    """Standard error of a standardised difference of groups that do not differ, sqrt(1/n1 + 1/n2).

    By chance alone such a difference lies beyond two standard errors in about one comparison of twenty.
    Source: Hedges and Olkin 1985, the large-sample variance at a difference of 0. Raises StatisticsError for
    sizes that are not whole numbers above 0.

    >>> round(standardized_difference_error(20, 21).value, 4)
    0.3124
    """
    sizes = [whole_number(n1, "n1"), whole_number(n2, "n2")]
    if 0 in sizes:
        raise StatisticsError("n1" if sizes[0] == 0 else "n2", "no subjects")
    return Result(
        method="standard error of a standardised difference of groups that do not differ",
        value=float(np.sqrt(1 / sizes[0] + 1 / sizes[1])),
        n=sum(sizes),
    )


def _logarithms(values: Floats, argument: str) -> Floats:
    if (values <= 0).any():
        raise StatisticsError(argument, f"log scale needs values above 0, found {values.min():g}")
    return np.asarray(np.log(values))


def permutation_test(
    x: Any, y: Any, statistic: Callable[..., Any], *, draws: int = 9_999, seed: int = 20240501
) -> Result:
    """Two-sided permutation test of `statistic(x, y)`, enumerated if there are at most `draws` relabellings.

    `statistic` takes the two samples as arrays and returns a number; one that also takes `axis` is asked for
    many relabellings at once, which is several times faster. Two-sided p is twice the smaller tail, the
    observed labelling counting as one draw (Phipson & Smyth 2010). Enumeration wraps
    `scipy.stats.permutation_test`, and draws are those that it makes. Raises StatisticsError for samples
    of fewer than two values, fewer than one draw or a statistic that is not a number.

    >>> def mean_difference(x, y):
    ...     return x.mean() - y.mean()
    >>> round(permutation_test([5, 6, 9], [1, 2, 3], mean_difference).p_value, 3)
    0.1
    """
    first, missing_x = observed_values(x, "x")
    second, missing_y = observed_values(y, "y")
    if draws < 1:
        raise StatisticsError("draws", f"must be at least 1, found {draws}")
    # Sorted, so that the order of the subjects decides nothing.
    first, second = np.sort(first), np.sort(second)
    observed = float(statistic(first, second))
    if isnan(observed):
        raise StatisticsError("statistic", "is NaN on the observed data")
    if min(first.size, second.size) < 2:
        raise StatisticsError("x" if first.size < 2 else "y", "needs at least 2 observed values, found 1")
    exact = _combinations_at_most(first.size, second.size, draws)
    if exact:
        p_value = _enumerated_p(first, second, statistic)
    else:
        p_value = _drawn_p(first, second, statistic, draws, np.random.default_rng(seed))
    how = "all relabellings" if exact else f"{draws} draws, seed {seed}"
    return Result(
        method=f"permutation test ({how})",
        value=observed,
        statistic=observed,
        p_value=p_value,
        n=first.size + second.size,
        n_missing=missing_x + missing_y,
        options={"draws": draws, "seed": seed, "exact": exact},
    )


def _enumerated_p(first: Floats, second: Floats, statistic: Callable[..., Any]) -> float:
    from scipy.stats import permutation_test as scipy_permutation_test

    result = scipy_permutation_test(
        (first, second),
        statistic,
        permutation_type="independent",
        vectorized=None,  # as the statistic says by taking `axis`
        batch=max(1, _CELLS // (first.size + second.size)),
        n_resamples=comb(first.size + second.size, first.size),
    )
    return float(result.pvalue)


def _drawn_p(
    first: Floats, second: Floats, statistic: Callable[..., Any], draws: int, rng: np.random.Generator
) -> float:
    """P-value by relabellings drawn at random, many at once; SciPy draws the same ones one by one."""
    pooled = np.concatenate([first, second])
    at_once = "axis" in signature(statistic).parameters
    observed = np.asarray(statistic(first, second, axis=-1) if at_once else statistic(first, second))
    slack = np.abs(100 * np.finfo(float).eps * observed)
    step = max(1, _CACHED // pooled.size)
    less = greater = 0
    for start in range(0, draws, step):
        rows = np.tile(pooled, (min(step, draws - start), 1))
        rng.permuted(rows, axis=1, out=rows)
        samples = rows[:, : first.size], rows[:, first.size :]
        if at_once:
            found = np.asarray(statistic(*samples, axis=-1))
        else:
            found = np.array([statistic(*pair) for pair in zip(*samples, strict=True)])
        less += int(np.count_nonzero(found <= observed + slack))
        greater += int(np.count_nonzero(found >= observed - slack))
    return min(2 * (min(less, greater) + 1) / (draws + 1), 1.0)


def _combinations_at_most(n_x: int, n_y: int, limit: int) -> bool:
    return comb(n_x + n_y, n_x) <= limit


def adjust_p_values(
    p: Sequence[float] | Any, method: Literal["holm", "benjamini_hochberg"] = "holm"
) -> Floats:
    """P-values adjusted for multiplicity (Holm: family-wise; Benjamini-Hochberg: false discovery rate).

    Missing p-values stay missing and are not counted as tests. Raises StatisticsError for values outside [0,
    1]. Source: Holm 1979; the rate wraps `scipy.stats.false_discovery_control`. (statsmodels' `multipletests`
    gives the same and collects garbage at each call, a tenth of a second in a notebook.)

    >>> (
    ...     adjust_p_values([0.01, 0.04]).tolist(),
    ...     adjust_p_values([0.01, 0.04], "benjamini_hochberg").tolist(),
    ... )
    ([0.02, 0.04], [0.02, 0.04])
    """
    from scipy.stats import false_discovery_control

    choice(method, ("holm", "benjamini_hochberg"), "method")
    values = float_array(p, "p")
    present = ~np.isnan(values)
    if ((values[present] < 0) | (values[present] > 1)).any():
        raise StatisticsError("p", "p-values must lie between 0 and 1")
    adjusted = np.full(values.size, nan)
    if present.any():
        adjust = _holm if method == "holm" else false_discovery_control
        adjusted[present] = adjust(values[present])
    return adjusted


def _holm(p: Floats) -> Floats:
    order = np.argsort(p)
    steps = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty(p.size)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted
