"""What a design of this size can find: power, and the errors of sign and size that remain in significant
results."""

from __future__ import annotations

from math import nan, sqrt
from typing import Any

import numpy as np

from helpers.stats.checks import whole_number
from helpers.stats.fisher_tables import every_fisher_p
from helpers.stats.result import Result, StatisticsError

_TABLES = 4_000_000  # that are all looked at
_NEVER = 1e-16


def retrodesign(effect: float, std_err: float, *, alpha: float = 0.05) -> Result:
    """Power, type S and type M error of a normal estimate with a supposed true `effect` (Gelman & Carlin
    2014).

    `effect` is on a scale where the estimate is normal (for instance a log hazard ratio). `value` is the
    power; `details["type_s"]` the probability that a significant estimate has the wrong sign,
    `details["type_m"]` the factor by which significant estimates exceed the truth on average. Closed form of
    Lu, Qiu & Deng 2019. Raises StatisticsError for an effect of 0, which has no sign, or a standard error not
    above 0.

    >>> round(retrodesign(2, 8.1).details["type_s"], 2)
    0.24
    """
    from scipy.stats import norm

    if not std_err > 0:
        raise StatisticsError("std_err", f"must be above 0, found {std_err!r}")
    if effect == 0 or effect != effect:
        raise StatisticsError("effect", "an effect of 0 has neither sign nor size to be wrong about")
    size = abs(effect) / std_err
    z = float(norm.isf(alpha / 2))
    right, wrong = float(norm.sf(z - size)), float(norm.cdf(-z - size))
    power = right + wrong
    mean = float(norm.pdf(size + z) + norm.pdf(size - z)) + size * (right - wrong)
    return Result(
        method=f"power, type S and type M error, normal estimate, alpha {alpha:g}",
        value=power,
        options={"effect": effect, "std_err": std_err, "alpha": alpha},
        details={"type_s": wrong / power, "type_m": mean / (size * power)},
    )


def fisher_design_error(p1: float, n1: Any, p2: float, n2: Any, *, alpha: float = 0.05) -> Result:
    """The same for Fisher's test of two proportions, by adding up every table there can be.

    Of more than four million tables those are left out that come about less than once in 10^15 times.

    `p1`, `p2` are the supposed true risks in arms of n1 and n2. `details`: type_s, and type_m for the risk
    difference (NaN where p1 = p2; `value` is then the test's true size).

    >>> found = fisher_design_error(0.05, 20, 0.4, 21)
    >>> round(found.value, 2), round(found.details["type_m"], 2)
    (0.76, 1.13)
    """
    from scipy.stats import binom

    size_1, size_2 = whole_number(n1, "n1"), whole_number(n2, "n2")
    if not (0 <= p1 <= 1 and 0 <= p2 <= 1):
        raise StatisticsError("p1", "risks must lie between 0 and 1")
    if min(size_1, size_2) < 1:
        raise StatisticsError("n1", "an arm is empty")
    first, second = (0, size_1), (0, size_2)
    if size_1 * size_2 > _TABLES:
        first, second = _likely(size_1, p1), _likely(size_2, p2)
    a, b = np.arange(first[0], first[1] + 1), np.arange(second[0], second[1] + 1)
    weight = np.outer(binom.pmf(a, size_1, p1), binom.pmf(b, size_2, p2))
    significant = every_fisher_p(size_1, size_2, first, second) < alpha
    gap = a[:, None] / size_1 - b[None, :] / size_2
    power = float(weight[significant].sum())
    truth = p1 - p2
    details: dict[str, Any] = {"type_s": nan, "type_m": nan}
    if truth != 0 and power > 0:
        wrong = significant & (np.sign(gap) == -np.sign(truth))
        details["type_s"] = float(weight[wrong].sum()) / power
        details["type_m"] = float((weight * np.abs(gap))[significant].sum()) / power / abs(truth)
    return Result(
        method=f"power, type S and type M error of Fisher's test, exact, alpha {alpha:g}",
        value=power,
        n=size_1 + size_2,
        options={"p1": p1, "p2": p2, "alpha": alpha},
        details=details,
    )


def _likely(size: int, risk: float) -> tuple[int, int]:
    """Fewest and most events of an arm, beyond which lies no probability that a sum would show."""
    from scipy.stats import binom

    low, high = (int(binom.ppf(share, size, risk)) for share in (_NEVER, 1 - _NEVER))
    return max(low, 0), min(high, size)


def logrank_power(
    hazard_ratio: float, events: Any, *, share_treated: float = 0.5, alpha: float = 0.05
) -> Result:
    """Power of the log-rank test with a number of events (Schoenfeld 1981), and its errors of sign and size.

    `share_treated` is the treated arm's share of the patients. The log hazard ratio has the standard error
    1 / sqrt(events * share * (1 - share)). `details` as in `retrodesign`.

    >>> round(logrank_power(0.5, 66).value, 2)
    0.8
    """
    number = whole_number(events, "events")
    if not hazard_ratio > 0:
        raise StatisticsError("hazard_ratio", f"must be above 0, found {hazard_ratio!r}")
    if number < 1:
        raise StatisticsError("events", "no events, no power")
    if not 0 < share_treated < 1:
        raise StatisticsError("share_treated", f"must lie between 0 and 1, found {share_treated!r}")
    se = 1 / sqrt(number * share_treated * (1 - share_treated))
    found = retrodesign(float(np.log(hazard_ratio)), se, alpha=alpha)
    return Result(
        method=f"power of the log-rank test (Schoenfeld), {number} events, alpha {alpha:g}",
        value=found.value,
        options={"hazard_ratio": hazard_ratio, "events": number, "share_treated": share_treated},
        details={**found.details, "std_err": se},
    )


def smallest_detectable_ratio(
    events: Any, *, share_treated: float = 0.5, power: float = 0.8, alpha: float = 0.05
) -> Result:
    """Hazard ratio (below 1) that the log-rank test finds with the wanted power (Schoenfeld 1981).

    Raises StatisticsError without events, or for a power that is not between `alpha` and 1.

    >>> round(smallest_detectable_ratio(66).value, 2), round(smallest_detectable_ratio(9).value, 2)
    (0.5, 0.15)
    """
    from scipy.stats import norm

    number = whole_number(events, "events")
    if number < 1:
        raise StatisticsError("events", "no events, nothing can be found")
    if not alpha < power < 1:
        raise StatisticsError("power", f"must lie between alpha and 1, found {power!r}")
    reach = float(norm.isf(alpha / 2) + norm.ppf(power))
    return Result(
        method=f"smallest hazard ratio found with power {power:g} (Schoenfeld)",
        value=float(np.exp(-reach / sqrt(number * share_treated * (1 - share_treated)))),
        options={"events": number, "share_treated": share_treated, "power": power},
    )
