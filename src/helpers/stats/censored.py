"""Laboratory values beyond a reporting limit ("<0.5", ">40000"): order statistics, rank tests, sensitivity.

A value is a number with a qualifier: "" is exact, ">" lies somewhere above the number, "<" somewhere below
it. Nothing is substituted except in `limit_sensitivity`, whose purpose is to show what substitution would do.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, nan
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from helpers.stats.checks import Floats, Ints, choice, float_array, tied_values
from helpers.stats.merged_samples import midranks
from helpers.stats.permutation import exact_tails, exact_work, permutation_z
from helpers.stats.permutation_draws import sampled_tails
from helpers.stats.possible import limit_signs, possible_values
from helpers.stats.result import Result, StatisticsError
from helpers.stats.two_group import rank_sum_test

if TYPE_CHECKING:
    import pandas as pd

CensoredMethod = Literal["auto", "rank_sum", "gehan", "peto_prentice"]
_EXACT_WORK = 2_000_000_000


@dataclass(frozen=True)
class CensoredValues:
    """Numbers with the bounds between which each true value lies."""

    value: Floats
    below: Floats
    above: Floats
    n_missing: int

    @cached_property
    def exact(self) -> Any:
        """Mask of the values that are known."""
        return self.below == self.above

    @cached_property
    def ordered(self) -> tuple[Floats, Floats]:
        """Lower bounds in their order, and upper ones."""
        below = np.sort(self.below)
        return below, below if self.exact.all() else np.sort(self.above)


def censored_values(values: Any, qualifiers: Any, argument: str = "values") -> CensoredValues:
    """Checked values with bounds; missing values are left out and counted.

    Raises StatisticsError for a qualifier other than "", "<", ">" (missing reads as ""), unequal lengths, or
    no observed value.

    >>> found = censored_values([0.5, 3.0, 900.0], ["<", "", ">"])
    >>> found.below.tolist(), found.above.tolist(), found.exact.tolist()
    ([-inf, 3.0, 900.0], [0.5, 3.0, inf], [False, True, False])
    """
    numbers = float_array(values, argument)
    signs = limit_signs(qualifiers, numbers.size, argument)
    present = ~np.isnan(numbers)
    if not present.any():
        raise StatisticsError(argument, f"no observed value of {numbers.size}")
    kept, sign = tied_values(numbers[present]), signs[present]
    return CensoredValues(kept, *possible_values(kept, sign), int((~present).sum()))


def censored_median(values: Any, qualifiers: Any) -> Result:
    """Median under reporting limits, by order statistics; see `censored_quantile`.

    >>> found = censored_median([1.0, 40000.0, 40000.0], ["", ">", ">"])
    >>> found.details["text"]
    '>40000'
    >>> censored_median([1.0, 2.0, 40000.0], ["", "", ">"]).value  # the limit does not matter
    2.0
    """
    return censored_quantile(values, qualifiers, 0.5)


def censored_quantile(values: Any, qualifiers: Any, q: float) -> Result:
    """Quantile under reporting limits: text (">40000") and sign are in `details["text"]` and `["qualifier"]`.

    Quantile type 2 (the average of two neighbouring order statistics only where n q is whole, SAS; for q =
    0.5 the ordinary median). The order statistics are bounded from both sides; if they are known the quantile
    is exact, also with censored values elsewhere. If one or both lie in the censored block nothing is
    averaged across the limit: ">v" means the quantile exceeds v, the highest value it is known to exceed. If
    it is only known to lie between two numbers `value` is NaN and these are `lower` and `upper`.

    >>> censored_quantile([0.5, 1.0, 2.0, 3.0], ["<", "", "", ""], 0.75).value
    2.5
    """
    return quantile_of(censored_values(values, qualifiers), q)


def quantile_of(data: CensoredValues, q: float) -> Result:
    """The quantile of values whose bounds are known already; see `censored_quantile`.

    Raises StatisticsError for a `q` that is not between 0 and 1.

    >>> quantile_of(censored_values([1.0, 2.0, 3.0], ["", "", ""]), 0.5).value
    2.0
    """
    if not 0 <= q <= 1:
        raise StatisticsError("q", f"must lie between 0 and 1, found {q!r}")
    size = data.value.size
    position = size * q
    whole = abs(position - round(position)) < 1e-9
    first = min(max(int(round(position) if whole else np.ceil(position)) - 1, 0), size - 1)
    second = min(first + 1, size - 1) if whole and 0 < q < 1 else first
    below, above = data.ordered
    low, high = float(below[first]), float(above[second])
    known = bool(below[first] == above[first] and below[second] == above[second])
    value, qualifier = _reported(low, high, (low + float(below[second])) / 2 if known else nan)
    text = f"{qualifier}{value:g}" if np.isfinite(value) else f"{low:g} to {high:g}"
    return Result(
        method="median by order statistics" if q == 0.5 else f"quantile {q:g} by order statistics (type 2)",
        value=value,
        lower=nan if known else low,
        upper=nan if known else high,
        n=size,
        n_missing=data.n_missing,
        note="" if known else "lies in the censored values",
        options={"q": q},
        details={"qualifier": qualifier, "text": text, "n_censored": int((~data.exact).sum())},
    )


def _reported(low: float, high: float, known: float) -> tuple[float, str]:
    if np.isfinite(known):
        return known, ""
    if np.isfinite(low) and not np.isfinite(high):
        return low, ">"
    if np.isfinite(high) and not np.isfinite(low):
        return high, "<"
    return nan, ""


def gehan_scores(data: CensoredValues) -> Ints:
    """Number of values surely lower less number surely higher, for each value (Gehan 1965).

    Two values are comparable if their bounds do not overlap; values beyond the same limit are tied. An exact
    value equal to a limit is below a ">" at that limit and above a "<" at it.

    >>> gehan_scores(censored_values([1.0, 5.0, 5.0], ["", "", ">"])).tolist()
    [-2, 0, 2]
    """
    lower_end, upper_end = data.ordered
    exact = data.exact
    # b surely below a: above_b < below_a, or equal when at least one of the two is censored (open interval).
    lower = np.searchsorted(upper_end, data.below, side="left")
    higher = data.value.size - np.searchsorted(lower_end, data.above, side="right")
    for values, own, target, other in (
        (data.below, data.below, lower, data.above),
        (data.above, data.above, higher, data.below),
    ):
        target += _touching(values, own, exact, other)
    return (lower - higher).astype(np.int64)


def _touching(values: Floats, own: Floats, exact: Any, other: Floats) -> Ints:
    """Values whose bound touches one's own from the other side, at least one of the two being censored."""
    finite = np.isfinite(own)
    ordered_all = np.sort(other)
    ordered_exact = np.sort(other[exact])

    def count(ordered: Floats) -> Ints:
        right, left = (
            np.searchsorted(ordered, values, side="right"),
            np.searchsorted(ordered, values, side="left"),
        )
        return (right - left).astype(np.int64)

    touching = np.where(exact, count(ordered_all) - count(ordered_exact), count(ordered_all))
    return np.where(finite, touching, 0).astype(np.int64)


def censored_rank_test(
    x: Any,
    x_qualifiers: Any,
    y: Any,
    y_qualifiers: Any,
    *,
    method: CensoredMethod = "auto",
    draws: int = 100_000,
    seed: int = 20240501,
) -> Result:
    """Two-sided rank test of two samples under reporting limits, by exact permutation of the scores.

    rank_sum: all values beyond a limit are tied, exact if there is a single upper and a single lower limit
    that no exact value passes; gehan: scores from the sure comparisons only, right for any mixture of limits;
    peto_prentice: scores from the Prentice-weighted log-rank test, for limits on one side only. `auto` takes
    rank_sum where it applies and gehan elsewhere; with one limit they coincide. Where enumeration is not
    feasible the permutation is drawn, seeded. Raises StatisticsError where the named method does not apply.

    >>> found = censored_rank_test([900, 40000, 40000], ["", ">", ">"], [1, 2, 3], ["", "", ""])
    >>> round(found.p_value, 3)  # the most extreme of 20 relabellings, two-sided
    0.1
    """
    choice(method, ("auto", "rank_sum", "gehan", "peto_prentice"), "method")
    first, second = censored_values(x, x_qualifiers, "x"), censored_values(y, y_qualifiers, "y")
    value = tied_values(np.concatenate([first.value, second.value]))
    below, above = (
        np.concatenate([getattr(s, side) for s in (first, second)]) for side in ("below", "above")
    )
    below, above = np.where(np.isinf(below), below, value), np.where(np.isinf(above), above, value)
    pooled = CensoredValues(value, below, above, first.n_missing + second.n_missing)
    mask = np.arange(pooled.value.size) < first.value.size
    scores, name = _scores(pooled, method)
    base: dict[str, Any] = {
        "n": mask.size,
        "n_missing": pooled.n_missing,
        "statistic": permutation_z(scores, mask),
        "options": {"method": method},
        "details": {"n_censored": int((~pooled.exact).sum()), "n_x": int(mask.sum())},
    }
    if np.ptp(scores) == 0:
        return Result(method=f"{name} (p = 1)", p_value=1.0, note="no two values can be ordered", **base)
    if method == "peto_prentice" or exact_work(scores, int(mask.sum())) <= _EXACT_WORK:
        with contextlib.suppress(StatisticsError):  # too many permutations to count
            return Result(method=f"{name}, exact", p_value=exact_tails(scores, mask).two_sided, **base)
    tails = sampled_tails(scores, mask, draws, seed)
    return Result(method=f"{name}, Monte Carlo ({draws} draws, seed {seed})", p_value=tails.two_sided, **base)


def _scores(pooled: CensoredValues, method: CensoredMethod) -> tuple[Floats, str]:
    """Score of each value, and the name of the test that permutes them."""
    if method == "peto_prentice":
        return _prentice_scores(pooled), "Peto-Prentice test under reporting limits"
    simple = _single_limits(pooled)
    if method == "rank_sum" and not simple:
        raise StatisticsError("method", "values pass a limit or limits differ; use gehan or peto_prentice")
    tied = method == "rank_sum" or (method == "auto" and simple)
    name = (
        "Wilcoxon rank-sum test, values beyond the limit tied"
        if tied
        else "Gehan test under reporting limits"
    )
    return gehan_scores(pooled).astype(float), name


def _single_limits(data: CensoredValues) -> bool:
    """Whether at most one upper and one lower limit are in use and no exact value passes them."""
    upper = np.unique(data.value[np.isinf(data.above)])
    lower = np.unique(data.value[np.isinf(data.below)])
    known = data.value[data.exact]
    if upper.size > 1 or lower.size > 1:
        return False
    if upper.size and known.size and known.max() > upper[0]:
        return False
    if lower.size and known.size and known.min() < lower[0]:
        return False
    return not (upper.size and lower.size and lower[0] > upper[0])


def _prentice_scores(data: CensoredValues) -> Floats:
    from helpers.stats.logrank import logrank_scores

    right, left = np.isinf(data.above), np.isinf(data.below)
    if right.any() and left.any():
        raise StatisticsError("method", "peto_prentice needs limits on one side only; use gehan")
    # The Prentice test is for times: turn values round when the limit is a lower one, and start them at 0.
    times = -data.value if left.any() else data.value
    scores = logrank_scores(times - times.min(), data.exact, weights="prentice")
    return scores if left.any() else -scores


def limit_sensitivity(
    x: Any, x_qualifiers: Any, y: Any, y_qualifiers: Any, *, multipliers: Sequence[float] = (1.0, 2.0)
) -> pd.DataFrame:
    """What the comparison would be under other values for the censored ones, one row a scenario.

    Scenarios: upper-limit values set to limit x m and lower-limit values to limit / m for each
    multiplier, and the two extremes that favour either sample as far as the limits allow (its censored
    values above all else, the other's at the limit; mirrored for lower limits). Columns: scenario,
    median_x, median_y (NaN where an extreme makes it unbounded), difference, p_value (rank-sum, exact
    where feasible). Raises StatisticsError for multipliers below 1, and as `censored_values`.

    >>> found = limit_sensitivity([10.0, 100.0], ["", ">"], [1.0, 2.0], ["", ""], multipliers=(1.0, 2.0))
    >>> found[["scenario", "median_x"]].head(2).values.tolist()
    [['limit x 1', 55.0], ['limit x 2', 105.0]]
    """
    import pandas as pd

    first, second = censored_values(x, x_qualifiers, "x"), censored_values(y, y_qualifiers, "y")
    if any(not m >= 1 for m in multipliers):
        raise StatisticsError("multipliers", f"must be at least 1, found {list(multipliers)}")
    rows = []
    for m in multipliers:
        pair = [_substituted(s, m) for s in (first, second)]
        rows.append(_scenario(f"limit x {m:g}", pair[0], pair[1]))
    for name, x_up in (("x highest, y lowest", True), ("x lowest, y highest", False)):
        pushed = _pushed(first, up=x_up), _pushed(second, up=not x_up)
        rows.append(_scenario(f"extreme: {name}", *pushed))
    return pd.DataFrame(rows)


def _substituted(data: CensoredValues, multiplier: float) -> Floats:
    raised = np.where(np.isinf(data.above), data.value * multiplier, data.value)
    return np.asarray(np.where(np.isinf(data.below), raised / multiplier, raised))


def _pushed(data: CensoredValues, *, up: bool) -> Floats:
    """Censored values at the end of their range: beyond all others or at the limit (mirrored below)."""
    if up:
        return np.where(np.isinf(data.above), inf, data.value)
    return np.where(np.isinf(data.below), -inf, data.value)


def _scenario(name: str, first: Floats, second: Floats) -> dict[str, object]:
    with np.errstate(invalid="ignore"):  # the mean of minus and plus infinity
        medians = [float(np.median(v)) for v in (first, second)]
    bounded = [m if np.isfinite(m) else nan for m in medians]
    # Ranks of the values stand for them, so that the infinite ones can be tested.
    ranks = midranks(np.concatenate([first, second]))
    return {
        "scenario": name,
        "median_x": bounded[0],
        "median_y": bounded[1],
        "difference": bounded[0] - bounded[1],
        "p_value": rank_sum_test(ranks[: first.size], ranks[first.size :]).p_value,
    }
