"""Tests of a characteristic between groups, by name: what `[tests]` of a cohort may choose from.

A further test is a function with one line above it; it is then accepted in `cohort.toml` and checked there.

>>> named_test("welch").kind, "welch" in names_of_tests("continuous"), "chi_square" in all_tests()
('continuous', True, True)
>>> (
...     round(t_test([1, 2, 3], [4, 5, 6]).p_value, 4),
...     round(welch_test([1, 2, 3], [4, 5, 6]).p_value, 4),
... )
(0.0213, 0.0213)
>>> round(kruskal_wallis_test([1, 2], [3, 4], [5, 6]).p_value, 4)
0.1017
>>> round(chi_square_test([[1, 19], [8, 13]]).p_value, 4)
0.0105
>>> round(fisher_freeman_halton_test([[3, 0, 0], [0, 0, 3]]).p_value, 4)
0.1
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from helpers.stats.contingency import r_by_c_test, two_by_two_test
from helpers.stats.result import Result, StatisticsError
from helpers.stats.two_group import rank_sum_test

Kind = Literal["continuous", "binary", "categorical"]
Floats = NDArray[np.float64]
Run = TypeVar("Run", bound=Callable[..., Result])


@dataclass(frozen=True)
class GroupTest:
    """One test that can be chosen by name.

    Attributes:
        name: as in `cohort.toml`.
        kind: kind of variable it applies to.
        numbers: whether it needs every value as a number, not only as below or above a limit.
        run: of a continuous variable called with one array a group; of counts with the table of counts.
    """

    name: str
    kind: Kind
    numbers: bool
    run: Callable[..., Result]


_TESTS: dict[str, GroupTest] = {}


def group_test(name: str, kind: Kind, *, numbers: bool = False) -> Callable[[Run], Run]:
    """Register a function as the test of this name.

    Example:
        >>> @group_test("median_split", "continuous")
        ... def median_split(x, y, *, seed=0):
        ...     return Result(method="median split")
        >>> named_test("median_split").kind
        'continuous'
    """

    def register(run: Run) -> Run:
        _TESTS[name] = GroupTest(name, kind, numbers, run)
        return run

    return register


def named_test(name: str) -> GroupTest:
    """Return a test by name.

    Raises:
        StatisticsError: there is no such test.
    """
    if name not in _TESTS:
        raise StatisticsError("test", f"must be one of {', '.join(sorted(_TESTS))}, found {name!r}")
    return _TESTS[name]


def names_of_tests(kind: Kind) -> list[str]:
    """Return the names of the tests of a kind of variable, in order of name."""
    return sorted(name for name, test in _TESTS.items() if test.kind == kind)


def all_tests() -> Mapping[str, GroupTest]:
    """Return all tests by name."""
    return dict(_TESTS)


# --- numbers ------------------------------------------------------------------------------------------


def _rank_sum(method: Any) -> None:
    @group_test(method, "continuous")
    def run(x: Any, y: Any, *, seed: int = 0) -> Result:  # noqa: ARG001
        return rank_sum_test(x, y, method=method)


for _method in ("exact", "asymptotic", "asymptotic_corrected"):
    _rank_sum(_method)


def _known(values: Any) -> Floats:
    numbers: Floats = np.asarray(values, dtype=np.float64)
    return np.compress(np.isfinite(numbers), numbers)


def _difference_of_means(x: Any, y: Any, *, equal: bool, method: str) -> Result:
    from scipy.stats import ttest_ind

    first, second = _known(x), _known(y)
    size, missing = len(first) + len(second), np.size(x) + np.size(y) - len(first) - len(second)
    if min(len(first), len(second)) < 2 or np.ptp(np.concatenate([first, second])) == 0:
        note = "not estimable: needs two values in each group that are not all the same"
        return Result(method=method, n=size, n_missing=missing, note=note)
    if not equal and first.var() == 0 and second.var() == 0:
        note = "not estimable: no spread in either group"
        return Result(method=method, n=size, n_missing=missing, note=note)
    found = ttest_ind(first, second, equal_var=equal)
    limits = found.confidence_interval(0.95)
    return Result(
        method=method, value=float(first.mean() - second.mean()), lower=float(limits.low),
        upper=float(limits.high), p_value=float(found.pvalue), statistic=float(found.statistic), n=size,
        n_missing=missing, details={"df": float(found.df)},
    )  # fmt: skip


@group_test("welch", "continuous", numbers=True)
def welch_test(x: Any, y: Any, *, seed: int = 0) -> Result:  # noqa: ARG001
    """Compare two means without assuming equal variances (Welch 1947)."""
    return _difference_of_means(x, y, equal=False, method="Welch's t test")


@group_test("t", "continuous", numbers=True)
def t_test(x: Any, y: Any, *, seed: int = 0) -> Result:  # noqa: ARG001
    """Compare two means under equal variances (Student)."""
    return _difference_of_means(x, y, equal=True, method="Student's t test")


@group_test("kruskal_wallis", "continuous")
def kruskal_wallis_test(*groups: Any, seed: int = 0) -> Result:  # noqa: ARG001
    """Compare any number of groups by ranks, corrected for ties (Kruskal and Wallis 1952)."""
    from scipy.stats import kruskal

    method, parts = "Kruskal-Wallis test", [_known(group) for group in groups]
    size = sum(map(len, parts))
    missing = sum(map(np.size, groups)) - size
    if any(len(part) == 0 for part in parts) or np.ptp(np.concatenate(parts)) == 0:
        return Result(method=method, n=size, n_missing=missing, note="not estimable: all values are the same")
    found = kruskal(*parts)
    return Result(
        method=method, p_value=float(found.pvalue), statistic=float(found.statistic), n=size,
        n_missing=missing, details={"df": len(parts) - 1},
    )  # fmt: skip


# --- counts -------------------------------------------------------------------------------------------


def _two_by_two(rule: Any) -> None:
    @group_test(rule, "binary")
    def run(table: Sequence[Sequence[int]], *, seed: int = 0) -> Result:  # noqa: ARG001
        return two_by_two_test(table, rule=rule)


for _rule in ("expected_count", "fisher", "mid_p", "barnard", "boschloo", "pearson", "yates"):
    _two_by_two(_rule)


@group_test("fisher_freeman_halton", "categorical")
def fisher_freeman_halton_test(table: Sequence[Sequence[int]], *, seed: int = 0) -> Result:
    """Compare the levels of a category exactly, by sampled tables where they are too many to list."""
    return r_by_c_test(table, seed=seed)


@group_test("chi_square", "categorical")
def chi_square_test(table: Sequence[Sequence[int]], *, seed: int = 0) -> Result:  # noqa: ARG001
    """Compare the levels of a category by Pearson's chi-square."""
    from scipy.stats import chi2_contingency

    counts = np.asarray(table)
    counts = counts[:, counts.sum(axis=0) > 0]
    method = "Pearson chi-square"
    if counts.shape[1] < 2 or (counts.sum(axis=1) == 0).any():
        return Result(method=method, n=int(counts.sum()), note="not estimable: one level only")
    found = chi2_contingency(counts, correction=False)
    return Result(
        method=method, p_value=float(found.pvalue), statistic=float(found.statistic), n=int(counts.sum()),
        details={"df": int(found.dof), "smallest_expected": float(found.expected_freq.min())},
    )  # fmt: skip
