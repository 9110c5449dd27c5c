"""Proportions, their differences, and rates: intervals that hold at 0 of n and n of n."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, log, nan, sqrt
from typing import Any, Literal

from helpers.stats.checks import choice, confidence_level, event_count, whole_number
from helpers.stats.result import Result, StatisticsError

ProportionMethod = Literal["clopper_pearson", "wilson", "jeffreys", "mid_p"]
DifferenceMethod = Literal["newcombe", "miettinen_nurminen"]
_XTOL = 1e-14


def proportion_interval(
    events: Any, n: Any, *, method: ProportionMethod = "clopper_pearson", confidence: float = 0.95
) -> Result:
    """Proportion events/n with an interval.

    clopper_pearson: exact, never below the nominal coverage; wilson: score interval; jeffreys: Beta(1/2, 1/2)
    posterior, limits set to 0 at 0 events and 1 at n (Brown, Cai & DasGupta 2001); mid_p: inversion of the
    mid-p binomial test (Berry & Armitage 1995). Raises StatisticsError for n = 0 or events > n.

    >>> found = proportion_interval(17, 20)
    >>> found.value, round(found.lower, 3), round(found.upper, 3)
    (0.85, 0.621, 0.968)
    """
    choice(method, ("clopper_pearson", "wilson", "jeffreys", "mid_p"), "method")
    level = confidence_level(confidence)
    count, size = event_count(events, n)
    limits, name = {
        "clopper_pearson": (_clopper_pearson, "Clopper-Pearson"),
        "wilson": (wilson_limits, "Wilson"),
        "jeffreys": (_jeffreys, "Jeffreys"),
        "mid_p": (_mid_p_limits, "mid-p"),
    }[method]
    lower, upper = limits(count, size, level)
    return Result(
        method=f"proportion, {name} interval",
        value=count / size,
        lower=lower,
        upper=upper,
        n=size,
        confidence=level,
        options={"method": method, "confidence": level},
        details={"events": count},
    )


def _clopper_pearson(k: int, n: int, level: float) -> tuple[float, float]:
    from scipy.stats import beta

    tail = (1 - level) / 2
    lower = 0.0 if k == 0 else float(beta.ppf(tail, k, n - k + 1))
    upper = 1.0 if k == n else float(beta.isf(tail, k + 1, n - k))
    return lower, upper


def wilson_limits(k: int, n: int, level: float) -> tuple[float, float]:
    """Wilson score limits of k/n (Wilson 1927).

    >>> [round(limit, 3) for limit in wilson_limits(17, 20, 0.95)]
    [0.64, 0.948]
    """
    from scipy.stats import norm

    z = float(norm.isf((1 - level) / 2))
    p = k / n
    centre, half = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    lower = 0.0 if k == 0 else (centre - half) / scale
    upper = 1.0 if k == n else (centre + half) / scale
    return lower, upper


def _jeffreys(k: int, n: int, level: float) -> tuple[float, float]:
    from scipy.stats import beta

    tail = (1 - level) / 2
    lower = 0.0 if k == 0 else float(beta.ppf(tail, k + 0.5, n - k + 0.5))
    upper = 1.0 if k == n else float(beta.isf(tail, k + 0.5, n - k + 0.5))
    return lower, upper


def _mid_p_limits(k: int, n: int, level: float) -> tuple[float, float]:
    from scipy.stats import binom

    tail = (1 - level) / 2

    def above(p: float) -> float:
        return float(binom.sf(k, n, p) + binom.pmf(k, n, p) / 2) - tail

    def below(p: float) -> float:
        return float(binom.cdf(k - 1, n, p) + binom.pmf(k, n, p) / 2) - tail

    lower = 0.0 if k == 0 else _root(above, 0.0, k / n)
    upper = 1.0 if k == n else _root(below, k / n, 1.0)
    return lower, upper


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(function, low, high, xtol=_XTOL, rtol=1e-13))


def proportion_difference(
    e1: Any, n1: Any, e2: Any, n2: Any, *, method: DifferenceMethod = "newcombe", confidence: float = 0.95
) -> Result:
    """Difference of proportions e1/n1 - e2/n2 with an interval that exists for every table, 0/20 v 20/20
    included.

    newcombe: hybrid score interval, method 10 of Newcombe 1998; miettinen_nurminen: inversion of the
    score test with variance factor N/(N - 1) (Miettinen & Nurminen 1985). Raises StatisticsError for
    counts that cannot be, or another method.

    >>> found = proportion_difference(19, 20, 13, 21)
    >>> round(found.value, 3), round(found.lower, 3), round(found.upper, 3)
    (0.331, 0.077, 0.545)
    """
    choice(method, ("newcombe", "miettinen_nurminen"), "method")
    level = confidence_level(confidence)
    k1, size_1 = event_count(e1, n1, "e1", "n1")
    k2, size_2 = event_count(e2, n2, "e2", "n2")
    limits = _newcombe if method == "newcombe" else _miettinen_nurminen
    lower, upper = limits(k1, size_1, k2, size_2, level)
    name = {"newcombe": "Newcombe hybrid score", "miettinen_nurminen": "Miettinen-Nurminen score"}[method]
    return Result(
        method=f"difference of proportions, {name} interval",
        value=k1 / size_1 - k2 / size_2,
        lower=lower,
        upper=upper,
        n=size_1 + size_2,
        confidence=level,
        options={"method": method, "confidence": level},
    )


def _newcombe(k1: int, n1: int, k2: int, n2: int, level: float) -> tuple[float, float]:
    p1, p2 = k1 / n1, k2 / n2
    low1, high1 = wilson_limits(k1, n1, level)
    low2, high2 = wilson_limits(k2, n2, level)
    gap = p1 - p2
    lower = gap - sqrt((p1 - low1) ** 2 + (high2 - p2) ** 2)
    upper = gap + sqrt((high1 - p1) ** 2 + (p2 - low2) ** 2)
    return max(lower, -1.0), min(upper, 1.0)


def _miettinen_nurminen(k1: int, n1: int, k2: int, n2: int, level: float) -> tuple[float, float]:
    from scipy.stats import norm

    z = float(norm.isf((1 - level) / 2))
    gap = k1 / n1 - k2 / n2

    def score(delta: float) -> float:
        p2 = _restricted_rate(k1, n1, k2, n2, delta)
        p1 = min(max(p2 + delta, 0.0), 1.0)
        variance = (p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2) * (n1 + n2) / (n1 + n2 - 1)
        # The score tends to +-infinity where the restricted variance vanishes; the sign is what matters
        # there.
        return (
            (gap - delta) / sqrt(variance)
            if variance > 0
            else (0.0 if gap == delta else (inf if gap > delta else -inf))
        )

    def bounded(delta: float, target: float) -> float:
        return max(min(score(delta), 1e6), -1e6) - target

    edge = 1 - 1e-12
    lower = -1.0 if gap <= -edge else _score_limit(lambda d: bounded(d, z), -1.0, gap)
    upper = 1.0 if gap >= edge else _score_limit(lambda d: bounded(d, -z), gap, 1.0)
    return lower, upper


def _score_limit(function: Callable[[float], float], low: float, high: float) -> float:
    if function(low) * function(high) > 0:
        return low if abs(low) >= abs(high) else high
    return _root(function, low, high)


def _restricted_rate(k1: int, n1: int, k2: int, n2: int, delta: float) -> float:
    """Maximum-likelihood rate of the second group given p1 - p2 = delta (closed form of the cubic)."""
    from math import acos, cos, pi

    total, events = n1 + n2, k1 + k2
    a3 = float(total)
    a2 = (n1 + 2 * n2) * delta - total - events
    a1 = (n2 * delta - total - 2 * k2) * delta + events
    a0 = k2 * delta * (1 - delta)
    q = a2**3 / (3 * a3) ** 3 - a1 * a2 / (6 * a3**2) + a0 / (2 * a3)
    square = max(a2**2 / (3 * a3) ** 2 - a1 / (3 * a3), 0.0)
    p = sqrt(square) if q > 0 else -sqrt(square)
    ratio = min(max(q / p**3, -1.0), 1.0) if p != 0 else 0.0
    angle = (pi + acos(ratio)) / 3
    rate = 2 * p * cos(angle) - a2 / (3 * a3)
    return min(max(rate, max(0.0, -delta)), min(1.0, 1 - delta))


def _exposure(value: Any, argument: str) -> float:
    try:
        time = float(value)
    except (TypeError, ValueError) as error:
        raise StatisticsError(argument, f"expected a number, found {value!r}") from error
    if not 0 < time < inf:
        raise StatisticsError(argument, f"person-time must be above 0 and finite, found {time:g}")
    return time


def poisson_rate(events: Any, exposure: Any, *, confidence: float = 0.95) -> Result:
    """Events per unit of person-time with the exact (Garwood 1936) interval; holds for zero events.

    `exposure` in any unit of time. Raises StatisticsError for a negative count or an exposure not above
    0.

    >>> found = poisson_rate(0, 10.0)
    >>> found.value, found.lower, round(found.upper, 3)  # -log(0.025) / 10
    (0.0, 0.0, 0.369)
    """
    from scipy.stats import chi2

    level = confidence_level(confidence)
    count, time = whole_number(events, "events"), _exposure(exposure, "exposure")
    tail = (1 - level) / 2
    lower = 0.0 if count == 0 else float(chi2.ppf(tail, 2 * count)) / 2 / time
    upper = float(chi2.isf(tail, 2 * count + 2)) / 2 / time
    return Result(
        method="Poisson rate, exact interval (Garwood)",
        value=count / time,
        lower=lower,
        upper=upper,
        n=count,
        confidence=level,
        options={"exposure": time, "confidence": level},
    )


def rate_ratio(
    events_1: Any, exposure_1: Any, events_2: Any, exposure_2: Any, *, confidence: float = 0.95
) -> Result:
    """Ratio of two Poisson rates with exact interval and p (conditional binomial, as R's `poisson.test`).

    0 or infinite when one group has no events, with the other limit still finite; NaN when neither has.
    Raises StatisticsError as `poisson_rate`.

    >>> found = rate_ratio(2, 10.0, 8, 10.0)
    >>> found.value, round(found.p_value, 3)  # 2 or fewer of 10 tosses, both sides
    (0.25, 0.109)
    """
    from scipy.stats import binomtest

    level = confidence_level(confidence)
    k1, k2 = whole_number(events_1, "events_1"), whole_number(events_2, "events_2")
    t1, t2 = _exposure(exposure_1, "exposure_1"), _exposure(exposure_2, "exposure_2")
    method, options = "rate ratio, exact conditional interval", {"confidence": level}
    if k1 + k2 == 0:
        return Result(
            method=method,
            lower=0.0,
            upper=inf,
            p_value=1.0,
            n=0,
            confidence=level,
            note="no events",
            options=options,
        )
    low, high = _clopper_pearson(k1, k1 + k2, level)
    share = t1 / (t1 + t2)
    return Result(
        method=method,
        value=inf if k2 == 0 else k1 / t1 / (k2 / t2),
        lower=low / (1 - low) * t2 / t1,
        upper=inf if high == 1 else high / (1 - high) * t2 / t1,
        p_value=float(binomtest(k1, k1 + k2, share).pvalue),
        n=k1 + k2,
        confidence=level,
        options=options,
    )


def rule_of_three(n: Any, *, confidence: float = 0.95) -> Result:
    """Upper limit of a proportion when none of n had the event: exact one-sided 1 - (1 - confidence)^(1/n).

    The familiar approximation -log(1 - confidence)/n (3/n at 95%) is in `details`. Source: Hanley 1983.
    Raises StatisticsError for n = 0.

    >>> found = rule_of_three(20)
    >>> round(found.upper, 3), round(found.details["approximation"], 3)
    (0.139, 0.15)
    """
    level = confidence_level(confidence)
    size = whole_number(n, "n")
    if size < 1:
        raise StatisticsError("n", "empty group (n = 0)")
    return Result(
        method="upper limit for zero events (one-sided exact; rule of three)",
        value=0.0,
        lower=0.0,
        upper=1 - (1 - level) ** (1 / size),
        p_value=nan,
        n=size,
        confidence=level,
        details={"approximation": min(-log(1 - level) / size, 1.0)},
    )
