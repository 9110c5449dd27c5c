"""What missing outcomes could do: bounds that assume nothing (Manski 2003), and every completion of the
table.

>>> found = proportion_bounds(12, 20, 4)
>>> found.value, found.lower, found.upper
(0.75, 0.6, 0.8)
>>> found = difference_bounds(12, 20, 4, 8, 21, 0)
>>> round(found.lower, 3), round(found.upper, 3)
(0.219, 0.419)
>>> table = completions(3, 4, 1, 0, 4, 1)
>>> table[["added_1", "added_2", "p_value"]].round(3).values.tolist()
[[0.0, 0.0, 0.143], [0.0, 1.0, 0.486], [1.0, 0.0, 0.029], [1.0, 1.0, 0.143]]
>>> tipping_share(table).value
0.25
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.stats.checks import confidence_level, event_count, whole_number
from helpers.stats.fisher_tables import fisher_p_values
from helpers.stats.proportions import proportion_difference, proportion_interval
from helpers.stats.result import Result, StatisticsError

if TYPE_CHECKING:
    import pandas as pd


def _counts(successes: Any, n: Any, missing: Any, which: str = "") -> tuple[int, int, int]:
    found, size = event_count(successes, n, f"successes{which}", f"n{which}")
    lost = whole_number(missing, f"missing{which}")
    if found + lost > size:
        raise StatisticsError(
            f"missing{which}", f"{found} successes and {lost} missing exceed {size} patients"
        )
    return found, size, lost


def proportion_bounds(successes: Any, n: Any, missing: Any, *, confidence: float = 0.95) -> Result:
    """Bounds of a proportion in `n` patients of whom `missing` have an unknown outcome.

    `lower` counts the missing as failures, `upper` as successes; `value` is the proportion among the
    known (NaN if none is). `details["interval"]`: the Clopper-Pearson limits of the two extremes, lower
    of the lower, upper of the upper. Raises StatisticsError for counts that cannot be.
    """
    found, size, lost = _counts(successes, n, missing)
    level = confidence_level(confidence)
    worst = proportion_interval(found, size, confidence=level)
    best = proportion_interval(found + lost, size, confidence=level)
    known = size - lost
    return Result(
        method="bounds of a proportion, missing as failures and as successes",
        value=found / known if known else float("nan"),
        lower=worst.value,
        upper=best.value,
        n=size,
        n_missing=lost,
        confidence=level,
        details={"interval": (worst.lower, best.upper), "counts": (found, found + lost)},
    )


def difference_bounds(
    s1: Any, n1: Any, m1: Any, s2: Any, n2: Any, m2: Any, *, confidence: float = 0.95
) -> Result:
    """Bounds of the difference of two proportions (first less second) over every outcome of the missing.

    s successes, n patients, m of them missing. `value` is the difference among the known;
    `details["interval"]` has the outer Newcombe limits of the two extreme tables, `details["excludes_0"]`
    whether they exclude no difference. Raises StatisticsError for counts that cannot be.
    """
    a, size_1, lost_1 = _counts(s1, n1, m1, "_1")
    b, size_2, lost_2 = _counts(s2, n2, m2, "_2")
    level = confidence_level(confidence)
    low = proportion_difference(a, size_1, b + lost_2, size_2, confidence=level)
    high = proportion_difference(a + lost_1, size_1, b, size_2, confidence=level)
    known = size_1 - lost_1, size_2 - lost_2
    return Result(
        method="bounds of a difference of proportions over all outcomes of the missing",
        value=a / known[0] - b / known[1] if min(known) else float("nan"),
        lower=low.value,
        upper=high.value,
        n=size_1 + size_2,
        n_missing=lost_1 + lost_2,
        confidence=level,
        details={
            "interval": (low.lower, high.upper),
            "excludes_0": bool(low.lower > 0 or high.upper < 0),
        },
    )


def completions(s1: Any, n1: Any, m1: Any, s2: Any, n2: Any, m2: Any, *, alpha: float = 0.05) -> pd.DataFrame:
    """Fisher's test of every completed table: columns added_1, added_2 (successes among the missing),
    difference, p_value, significant. Shows where the verdict tips."""
    import pandas as pd

    a, size_1, lost_1 = _counts(s1, n1, m1, "_1")
    b, size_2, lost_2 = _counts(s2, n2, m2, "_2")
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(lost_1 + 1), np.arange(lost_2 + 1), indexing="ij"))
    p = fisher_p_values(a + x, size_1, b + y, size_2)
    difference = (a + x) / size_1 - (b + y) / size_2
    columns = {"added_1": x, "added_2": y, "difference": difference, "p_value": p, "significant": p < alpha}
    return pd.DataFrame(columns)


def tipping_share(table: pd.DataFrame) -> Result:
    """Share of the completed tables of `completions` that are significant, and range of their differences and
    p."""
    p = table["p_value"].to_numpy(dtype=float)
    return Result(
        method="share of all completed tables with a significant Fisher's test",
        value=float(np.mean(table["significant"].to_numpy(dtype=float))),
        n=len(table),
        details={
            "p_range": (float(p.min()), float(p.max())),
            "difference_range": (float(table["difference"].min()), float(table["difference"].max())),
        },
    )
