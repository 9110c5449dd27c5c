"""Repeated and paired measurements: signed-rank test, change from baseline, trend tests."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from helpers.stats.checks import (
    Floats,
    Ints,
    choice,
    float_array,
    require_columns,
    tied_values,
)
from helpers.stats.merged_samples import midranks
from helpers.stats.result import Result, StatisticsError

if TYPE_CHECKING:
    import pandas as pd

SignedRankMethod = Literal["exact", "asymptotic", "asymptotic_corrected"]
Zeros = Literal["wilcoxon", "pratt"]
EXACT_PAIRS = 500


def signed_rank_test(
    before: Any, after: Any, *, method: SignedRankMethod = "exact", zeros: Zeros = "wilcoxon"
) -> Result:
    """Wilcoxon signed-rank test of `after - before`, two-sided, pairs matched by position.

    `exact` conditions on the tied ranks. Zero differences: `wilcoxon` leaves them out before ranking,
    `pratt` ranks them and then leaves them out. Beyond 500 pairs the corrected normal approximation is
    used, said in `method`. `value` is the median difference, `statistic` the sum of positive ranks (R's
    V). Pairs with a missing member are left out and counted. All differences zero gives p = 1, said in
    `note`. Raises StatisticsError for unequal lengths, no complete pair, or another method or rule of
    zeros.

    >>> found = signed_rank_test([5, 6, 7, 8], [1, 1, 1, 1])
    >>> found.p_value, found.value  # 2 of 2**4
    (0.125, -5.5)
    """
    choice(method, ("exact", "asymptotic", "asymptotic_corrected"), "method")
    choice(zeros, ("wilcoxon", "pratt"), "zeros")
    difference, missing = complete_differences(before, after)
    ranks, positive = _signed_ranks(difference, zeros)
    options = {"method": method, "zeros": zeros}
    details = {"n_zero": int((difference == 0).sum())}
    base: dict[str, Any] = {
        "n": difference.size,
        "n_missing": missing,
        "options": options,
        "details": details,
    }
    base |= {"value": float(np.median(difference)), "statistic": float(ranks[positive].sum())}
    name = f"Wilcoxon signed-rank test ({zeros} zeros)"
    if ranks.size == 0:
        return Result(method=name, p_value=1.0, note="all differences are zero", **base)
    exact = method == "exact" and ranks.size <= EXACT_PAIRS
    if exact:
        p_value, kind = _exact_signed_p((2 * ranks).astype(np.int64), positive), "exact conditional on ties"
    else:
        corrected = method != "asymptotic"
        p_value = _normal_signed_p(ranks, positive, corrected)
        kind = f"normal approximation {'with' if corrected else 'without'} continuity correction"
    note = "exact distribution not feasible at this size" if method == "exact" and not exact else ""
    return Result(method=f"{name}, {kind}", p_value=p_value, note=note, **base)


def complete_differences(before: Any, after: Any) -> tuple[Floats, int]:
    """`after - before` of the pairs that are complete, and how many are not.

    Raises StatisticsError for unequal lengths, or where no pair is complete.

    >>> differences, missing = complete_differences([5, None, 7], [1, 2, 9])
    >>> differences.tolist(), missing
    ([-4.0, 2.0], 1)
    """
    first, second = float_array(before, "before"), float_array(after, "after")
    if first.size != second.size:
        raise StatisticsError("after", f"has {second.size} entries, before has {first.size}")
    complete = ~(np.isnan(first) | np.isnan(second))
    if not complete.any():
        raise StatisticsError("before", "no complete pair")
    return _differences(first[complete], second[complete]), int((~complete).sum())


def _differences(first: Floats, second: Floats) -> Floats:
    """`second - first`, with those made equal that differ in size by the rounding of the values only.

    Differences of decimals (9.1 - 9.0 and 8.1 - 8.0, or 0.3 and 0.1 + 0.2) differ in the last bits of the
    values, however small they are themselves: the scale of the rounding is that of the values.
    """
    change = second - first
    scale = float(np.abs(np.concatenate([first, second])).max())
    # The scale is put among the sizes, so that it sets the tolerance; 0 makes the smallest sizes zero.
    size = tied_values(np.concatenate([[0.0, scale], np.abs(change)]))[2:]
    return np.asarray(np.sign(change) * size)


def _signed_ranks(difference: Floats, zeros: str) -> tuple[Floats, np.ndarray[Any, np.dtype[np.bool_]]]:
    size = np.abs(difference)
    if zeros == "wilcoxon":
        kept = difference != 0
        return midranks(size[kept]), difference[kept] > 0
    ranks = midranks(size)
    kept = difference != 0
    return ranks[kept], difference[kept] > 0


def _exact_signed_p(ranks: Ints, positive: Any) -> float:
    """Two-sided p over all 2^n sign assignments of the (doubled) ranks."""
    total, probability = int(ranks.sum()), rank_sum_chances(ranks)
    observed = int(ranks[positive].sum())
    distance = np.abs(2 * np.arange(total + 1) - total)
    return min(float(probability[distance >= abs(2 * observed - total)].sum()), 1.0)


def rank_sum_chances(ranks: Ints) -> Floats:
    """Chance of each sum of positive ranks from 0 on, when every rank is as likely positive as negative.

    >>> rank_sum_chances(np.array([1, 2])).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    total = int(ranks.sum())
    chance = np.zeros(total + 1)
    chance[0] = 1.0
    for rank in ranks.tolist():
        chance[rank:] = (chance[rank:] + chance[: total + 1 - rank]) / 2
        chance[:rank] /= 2
    return chance


def _normal_signed_p(ranks: Floats, positive: Any, corrected: bool) -> float:
    from scipy.stats import norm

    gap = abs(float(ranks[positive].sum() - ranks.sum() / 2))
    if corrected:
        gap = max(gap - 0.5, 0.0)
    return min(float(2 * norm.sf(gap / np.sqrt(float((ranks**2).sum()) / 4))), 1.0)


def change_from_baseline(
    frame: pd.DataFrame,
    *,
    baseline: str = "baseline",
    visits: Sequence[str] | None = None,
    id: str = "patient_id",  # noqa: A002  (the field's word)
    visit: str = "visit",
    value: str = "value",
    qualifier: str | None = None,
    method: SignedRankMethod = "exact",
    zeros: Zeros = "wilcoxon",
) -> pd.DataFrame:
    """Paired change of one variable from its baseline at each later visit, one row a visit.

    `frame` is long: one row a patient and visit. Columns of the result: visit, n_baseline, n_visit, n (pairs
    used), n_missing (patients of the baseline without a usable value at the visit), n_censored (pairs left
    out because either value carries a `<` or `>` in the `qualifier` column, so that its change is only a
    bound), median_baseline, median_visit (of the pairs), median_change, q1_change, q3_change,
    median_percent_change (NaN if a baseline is not above 0), mean_change, p_value (signed-rank), method;
    quartiles are order statistics or the mean of two. Raises StatisticsError for duplicates
    or missing columns.

    >>> visits = [("a", "baseline", 8), ("a", "week_1", 4), ("b", "baseline", 6), ("b", "week_1", 3)]
    >>> frame = pd.DataFrame(visits, columns=["patient_id", "visit", "value"])
    >>> change_from_baseline(frame)[
    ...     ["visit", "n", "median_change", "median_percent_change"]
    ... ].values.tolist()
    [['week_1', 2, -3.5, -50.0]]
    """
    import pandas as pd

    require_columns(
        frame, (("id", id), ("visit", visit), ("value", value), ("qualifier", qualifier or value))
    )
    if frame.duplicated([id, visit]).any():
        row = frame[frame.duplicated([id, visit])].iloc[0]
        raise StatisticsError("frame", f"{id} {row[id]!r} has two rows at {visit} {row[visit]!r}")
    wide = frame.pivot(index=id, columns=visit, values=value).astype(float)
    if baseline not in wide.columns:
        raise StatisticsError("baseline", f"no visit {baseline!r}; found {list(wide.columns)}")
    censored = _censored_cells(frame, id, visit, qualifier, wide)
    later = [v for v in frame[visit].unique() if v != baseline] if visits is None else list(visits)
    rows = [_change_row(wide, censored, baseline, name, method, zeros) for name in later]
    return pd.DataFrame(rows, columns=_CHANGE_COLUMNS)


_CHANGE_COLUMNS = [
    "visit",
    "n_baseline",
    "n_visit",
    "n",
    "n_missing",
    "n_censored",
    "median_baseline",
    "median_visit",
    "median_change",
    "q1_change",
    "q3_change",
    "median_percent_change",
    "mean_change",
    "p_value",
    "method",
]


def _censored_cells(
    frame: pd.DataFrame,
    id: str,  # noqa: A002
    visit: str,
    qualifier: str | None,
    wide: pd.DataFrame,
) -> pd.DataFrame:
    import pandas as pd

    if qualifier is None:
        return pd.DataFrame(False, index=wide.index, columns=wide.columns)
    marked = frame.assign(_flag=frame[qualifier].isin(["<", ">"]))
    return marked.pivot(index=id, columns=visit, values="_flag").eq(True)


def _change_row(
    wide: pd.DataFrame,
    censored: pd.DataFrame,
    baseline: str,
    name: str,
    method: SignedRankMethod,
    zeros: Zeros,
) -> list[object]:
    if name not in wide.columns:
        return [
            name,
            int(wide[baseline].notna().sum()),
            0,
            0,
            int(wide[baseline].notna().sum()),
            0,
            *[nan] * 8,
            "",
        ]
    start, now = wide[baseline], wide[name]
    bound = (censored[baseline] | censored[name]) & start.notna() & now.notna()
    paired = start.notna() & now.notna() & ~bound
    n = int(paired.sum())
    counts: list[object] = [name, int(start.notna().sum()), int(now.notna().sum()), n]
    counts += [int((start.notna() & now.isna()).sum()), int(bound.sum())]
    if n == 0:
        return [*counts, *[nan] * 8, ""]
    first, second = start[paired].to_numpy(), now[paired].to_numpy()
    change = second - first
    percent = 100 * change / first if (first > 0).all() else np.full(n, nan)
    test = signed_rank_test(first, second, method=method, zeros=zeros)
    # Order statistics or the mean of two (SAS definition 5), as everywhere in this project.
    quartiles = np.quantile(change, [0.25, 0.75], method="averaged_inverted_cdf")
    summary = [
        np.median(first),
        np.median(second),
        np.median(change),
        *quartiles,
        np.median(percent),
        change.mean(),
    ]
    return [*counts, *(float(v) for v in summary), test.p_value, test.method]


def _complete_blocks(data: Any) -> tuple[Floats, int]:
    table = np.asarray(
        data.to_numpy(dtype=float, na_value=np.nan) if hasattr(data, "to_numpy") else data, dtype=float
    )
    if table.ndim != 2 or table.shape[1] < 3:
        raise StatisticsError("data", f"expected subjects x at least 3 visits, found shape {table.shape}")
    complete = ~np.isnan(table).any(1)
    if complete.sum() < 2:
        raise StatisticsError("data", f"needs at least 2 complete subjects, found {int(complete.sum())}")
    return table[complete], int((~complete).sum())


def friedman_test(data: Any) -> Result:
    """Friedman test that visits (columns) do not differ, subjects (rows) as blocks, ties corrected.

    Subjects with a missing visit are left out and counted. All rows constant gives p = 1.
    Wraps `scipy.stats.friedmanchisquare`; equals R's `friedman.test`.

    >>> found = friedman_test([[1, 2, 3], [1, 2, 3], [1, 2, 3]])
    >>> round(found.statistic, 3), round(found.p_value, 4)
    (6.0, 0.0498)
    """
    from scipy.stats import friedmanchisquare

    table, missing = _complete_blocks(data)
    size = table.shape[0]
    if (np.ptp(table, axis=1) == 0).all():
        return Result(method="Friedman test", p_value=1.0, n=size, n_missing=missing, note="no visit differs")
    found = friedmanchisquare(*table.T)
    return Result(
        method="Friedman test, chi-square, ties corrected",
        statistic=float(found.statistic),
        p_value=float(found.pvalue),
        n=size,
        n_missing=missing,
        details={"df": table.shape[1] - 1},
    )


def page_trend_test(data: Any, *, decreasing: bool = False) -> Result:
    """Page's test of an ordered rise (or fall) over visits (columns) within subjects (rows), one-sided.

    Exact where SciPy can enumerate (no ties, small tables), else the normal approximation. Subjects with a
    missing visit are left out and counted. Wraps `scipy.stats.page_trend_test`.

    >>> round(page_trend_test([[1, 2, 3], [1, 2, 3]]).p_value, 4)  # 1 of 36
    0.0278
    """
    from scipy.stats import page_trend_test as scipy_page

    table, missing = _complete_blocks(data)
    if decreasing:
        table = -table
    ties = any(np.unique(row).size < row.size for row in table)
    exact = not ties and table.shape[0] * table.shape[1] <= 200
    found = scipy_page(table, method="exact" if exact else "asymptotic")
    return Result(
        method=f"Page trend test, {'exact' if exact else 'normal approximation'}, one-sided",
        statistic=float(found.statistic),
        p_value=float(found.pvalue),
        n=table.shape[0],
        n_missing=missing,
        options={"decreasing": decreasing},
    )
