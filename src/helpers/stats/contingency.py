"""Counts in tables: two by two, r by c, odds ratio, standardised differences of proportions and
categories."""

from __future__ import annotations

from math import inf, nan
from typing import Any, Literal

import numpy as np

from helpers.stats.checks import Ints, choice, confidence_level, event_count, whole_number
from helpers.stats.fisher_tables import TIE, fisher_p_of_total
from helpers.stats.freeman_halton import freeman_halton_p, log_factorials
from helpers.stats.result import Result, StatisticsError
from helpers.stats.unconditional import barnard_p, boschloo_p

TwoByTwoRule = Literal["expected_count", "fisher", "mid_p", "barnard", "boschloo", "pearson", "yates"]
_RULES = ("expected_count", "fisher", "mid_p", "barnard", "boschloo", "pearson", "yates")


def count_table(table: Any, argument: str = "table") -> Ints:
    """Table of whole counts >= 0 with at least two rows and two columns and at least one subject.

    >>> count_table([[1, 19], [8, 13]]).tolist()
    [[1, 19], [8, 13]]
    >>> count_table([[1, -1], [8, 13]])
    Traceback (most recent call last):
        ...
    helpers.stats.result.StatisticsError: table: expected a whole number >= 0, found -1
    """
    raw = np.asarray(table.to_numpy() if hasattr(table, "to_numpy") else table)
    if raw.ndim != 2 or min(raw.shape) < 2:
        raise StatisticsError(argument, f"expected at least 2 rows and 2 columns, found shape {raw.shape}")
    counts = np.array([whole_number(v, argument) for v in raw.ravel().tolist()], dtype=np.int64)
    if counts.sum() == 0:
        raise StatisticsError(argument, "all counts are 0")
    return counts.reshape(raw.shape)


def two_by_two_test(table: Any, *, rule: TwoByTwoRule = "expected_count") -> Result:
    """Test of a 2 x 2 table (rows are the groups), two-sided, by a named rule.

    expected_count: Yates-corrected chi-square if any expected count is below 5, else Pearson chi-square.
    fisher: exact conditional test; mid_p: Fisher's with half the weight of equally likely tables;
    barnard, boschloo: unconditional exact tests with the row totals fixed, for groups of any size; pearson,
    yates: chi-square.
    A table with an empty margin holds no information: p = 1 by convention, said in `method`.
    Raises StatisticsError for an unknown rule or anything but a 2 x 2 table of counts.

    >>> round(two_by_two_test([[1, 19], [8, 13]], rule="fisher").p_value, 4)
    0.0205
    >>> two_by_two_test([[1, 19], [8, 13]]).method
    'Yates-corrected chi-square (smallest expected count 4.39)'
    """
    choice(rule, _RULES, "rule")
    counts = count_table(table)
    if counts.shape != (2, 2):
        raise StatisticsError("table", f"expected 2 x 2, found {counts.shape[0]} x {counts.shape[1]}")
    smallest = float(np.outer(counts.sum(1), counts.sum(0)).min() / counts.sum())
    options = {"rule": rule, "smallest_expected": smallest}
    size = int(counts.sum())
    if (counts.sum(0) == 0).any() or (counts.sum(1) == 0).any():
        method = f"{_rule_name(rule, smallest)}; empty margin, p = 1 by convention"
        return Result(method=method, p_value=1.0, n=size, options=options, note="empty margin")
    statistic, p_value = _two_by_two(counts, _applied(rule, smallest))
    return Result(
        method=_rule_name(rule, smallest),
        p_value=min(p_value, 1.0),
        statistic=statistic,
        n=size,
        options=options,
    )


def _applied(rule: str, smallest: float) -> str:
    return ("yates" if smallest < 5 else "pearson") if rule == "expected_count" else rule


def _rule_name(rule: str, smallest: float) -> str:
    name = {
        "fisher": "Fisher's exact test",
        "mid_p": "Fisher's exact test, mid-p",
        "barnard": "Barnard's unconditional exact test (pooled Wald statistic)",
        "boschloo": "Boschloo's unconditional exact test (twice one-sided)",
        "pearson": "Pearson chi-square",
        "yates": "Yates-corrected chi-square",
    }[_applied(rule, smallest)]
    return f"{name} (smallest expected count {smallest:.2f})" if rule == "expected_count" else name


def _two_by_two(counts: Ints, rule: str) -> tuple[float, float]:
    from scipy import stats

    if rule in ("pearson", "yates"):
        found = stats.chi2_contingency(counts, correction=rule == "yates")
        return float(found.statistic), float(found.pvalue)
    if rule == "fisher":
        low, p_values = fisher_p_of_total(int(counts[:, 0].sum()), *counts.sum(1).tolist())
        return nan, float(p_values[int(counts[0, 0]) - low])
    if rule == "mid_p":
        return nan, _mid_p(counts)
    test = barnard_p if rule == "barnard" else boschloo_p
    p_value, statistic = test(
        int(counts[0, 0]), int(counts[0].sum()), int(counts[1, 0]), int(counts[1].sum())
    )
    return statistic, p_value


def _mid_p(counts: Ints) -> float:
    from scipy.stats import hypergeom

    row, column, total = int(counts[0].sum()), int(counts[:, 0].sum()), int(counts.sum())
    support = np.arange(max(0, row + column - total), min(row, column) + 1)
    probability = hypergeom.pmf(support, total, column, row)
    observed = float(hypergeom.pmf(int(counts[0, 0]), total, column, row))
    less = probability < observed / TIE
    equal = ~less & (probability <= observed * TIE)
    return float(probability[less].sum() + probability[equal].sum() / 2)


def r_by_c_test(
    table: Any,
    *,
    method: Literal["auto", "exact", "monte_carlo", "pearson"] = "auto",
    seed: int = 20240501,
    draws: int = 100_000,
) -> Result:
    """Test of independence in an r x c table (Fisher-Freeman-Halton unless `pearson`).

    `exact` sums over every table with the observed margins (StatisticsError if that would take too long);
    `monte_carlo` draws tables with the observed margins, seeded, p = (b + 1)/(draws + 1);
    `auto` is exact where it can be, else draws. Empty rows and columns are dropped; p = 1 if fewer than two
    of either remain, said in `method`.

    >>> found = r_by_c_test([[3, 0, 0], [0, 0, 3]], method="exact")
    >>> round(found.p_value, 3)  # each of 2 of the 20 ways to choose 3 of 6
    0.1
    """
    choice(method, ("auto", "exact", "monte_carlo", "pearson"), "method")
    counts = count_table(table)
    size = int(counts.sum())
    counts = counts[counts.sum(1) > 0][:, counts[counts.sum(1) > 0].sum(0) > 0]
    options: dict[str, object] = {"method": method}
    if min(counts.shape) < 2:
        return Result(
            method="r x c test; empty margin, p = 1 by convention", p_value=1.0, n=size, options=options
        )
    if method == "pearson":
        from scipy.stats import chi2_contingency

        found = chi2_contingency(counts, correction=False)
        return Result(
            method=f"Pearson chi-square, {int(found.dof)} df",
            p_value=float(found.pvalue),
            statistic=float(found.statistic),
            n=size,
            options=options,
        )
    p_value = None if method == "monte_carlo" else freeman_halton_p(counts)
    if p_value is not None:
        return Result(
            method="Fisher-Freeman-Halton exact test, enumerated", p_value=p_value, n=size, options=options
        )
    if method == "exact":
        raise StatisticsError("method", "too many tables for an exact test; use method='monte_carlo'")
    options |= {"seed": seed, "draws": draws}
    return Result(
        method=f"Fisher-Freeman-Halton test, Monte Carlo ({draws} draws, seed {seed})",
        p_value=_sampled_p(counts, draws, seed),
        n=size,
        options=options,
    )


def _sampled_p(counts: Ints, draws: int, seed: int) -> float:
    from scipy.stats import random_table

    if draws < 1:
        raise StatisticsError("draws", f"must be at least 1, found {draws}")
    rng = np.random.default_rng(seed)
    # Margins sorted, so that the order of the groups and of the levels decides nothing.
    rows, columns = np.sort(counts.sum(1)), np.sort(counts.sum(0))
    log_factorial = log_factorials(int(counts.sum()))
    observed = -float(log_factorial[counts].sum())
    hits, block = 0, 20_000
    for start in range(0, draws, block):
        size = min(block, draws - start)
        tables = random_table.rvs(rows, columns, size=size, random_state=rng).astype(np.int64)
        weights = -log_factorial[tables].sum(axis=(1, 2))
        hits += int(np.sum(weights <= observed + np.log(TIE)))
    return (hits + 1) / (draws + 1)


def odds_ratio(table: Any, *, confidence: float = 0.95) -> Result:
    """Conditional maximum-likelihood odds ratio of a 2 x 2 table with its exact (Cornfield) interval.

    Rows are the groups, the first column the event. 0 or infinite when a cell is empty; NaN, said in
    `note`, when a margin is empty. Wraps `scipy.stats.contingency.odds_ratio`; equals R's `fisher.test`.
    Raises StatisticsError for anything but a 2 x 2 table of counts.

    >>> found = odds_ratio([[1, 19], [8, 13]])
    >>> round(found.value, 3), round(found.lower, 3), round(found.upper, 3)
    (0.09, 0.002, 0.808)
    """
    from scipy.stats.contingency import odds_ratio as scipy_odds_ratio

    level = confidence_level(confidence)
    counts = count_table(table)
    if counts.shape != (2, 2):
        raise StatisticsError("table", f"expected 2 x 2, found {counts.shape[0]} x {counts.shape[1]}")
    method, size = "conditional maximum-likelihood odds ratio, exact interval", int(counts.sum())
    if (counts.sum(0) == 0).any() or (counts.sum(1) == 0).any():
        note = "undefined: empty margin"
        return Result(method=method, lower=0.0, upper=inf, n=size, confidence=level, note=note)
    found = scipy_odds_ratio(counts, kind="conditional")
    interval = found.confidence_interval(confidence_level=level)
    return Result(
        method=method,
        value=float(found.statistic),
        lower=float(interval.low),
        upper=float(interval.high),
        n=size,
        confidence=level,
        options={"confidence": level},
    )


def standardized_difference_proportions(k1: Any, n1: Any, k2: Any, n2: Any) -> Result:
    """Standardised difference of two proportions, (p1 - p2)/sqrt((p1 q1 + p2 q2)/2). Source: Austin 2009.

    0 when the proportions are equal, infinite when they are 0 and 1. Raises StatisticsError for bad counts.

    >>> round(standardized_difference_proportions(10, 20, 5, 20).value, 3)
    0.535
    """
    first, size_1 = event_count(k1, n1, "k1", "n1")
    second, size_2 = event_count(k2, n2, "k2", "n2")
    p, q = first / size_1, second / size_2
    spread = float(np.sqrt((p * (1 - p) + q * (1 - q)) / 2))
    endless = spread == 0 and p != q
    return Result(
        method="standardised difference of proportions",
        value=float(np.copysign(inf, p - q)) if endless else (p - q) / spread if spread > 0 else 0.0,
        n=size_1 + size_2,
        note="no finite value: all of one group, none of the other" if endless else "",
    )


def standardized_difference_categorical(counts_x: Any, counts_y: Any) -> Result:
    """Standardised difference of a variable with several levels (Mahalanobis distance, Yang & Dalton 2012).

    `counts_x` and `counts_y` are counts per level, in the same order. Never negative; infinite if the
    groups share no level. For two levels it equals the absolute standardised difference of proportions.
    Raises StatisticsError where the two have other numbers of levels.

    >>> round(standardized_difference_categorical([10, 10], [5, 15]).value, 3)
    0.535
    """
    first, second = (_level_counts(c, a) for c, a in ((counts_x, "counts_x"), (counts_y, "counts_y")))
    if first.size != second.size:
        raise StatisticsError("counts_y", f"{second.size} levels, counts_x has {first.size}")
    used = (first + second) > 0
    p, q = (c[used] / c.sum() for c in (first, second))
    size = int(first.sum() + second.sum())
    method = "standardised difference of a categorical variable (Mahalanobis)"
    if not ((p > 0) & (q > 0)).any():
        return Result(method=method, value=inf, n=size, note="no finite value: the groups share no level")
    covariance = sum((np.diag(c) - np.outer(c, c) for c in (p, q)), np.zeros((p.size, p.size))) / 2
    gap = (p - q)[1:]
    value = float(np.sqrt(max(gap @ np.linalg.pinv(covariance[1:, 1:]) @ gap, 0.0))) if gap.size else 0.0
    return Result(method=method, value=value, n=size)


def _level_counts(counts: Any, argument: str) -> Ints:
    values = np.array(
        [whole_number(v, argument) for v in np.asarray(counts).ravel().tolist()], dtype=np.int64
    )
    if values.size == 0 or values.sum() == 0:
        raise StatisticsError(argument, "no subjects")
    return values
