"""Median, quartiles and range of a group of values, and shares of patients, stored as rows.

>>> store_summary(store, "example", "age", pd.Series([30.0, 40.0, 60.0]))
>>> store.rows()["example.age.all.follow_up.median"].value
40.0
>>> store_share(store, "example", "response", 17, 20, confidence=0.95)
>>> store.rows()["example.response.all.follow_up.percent"].value
85.0
>>> store_gap(store, "example", "gap", (19, 20), (13, 21), confidence=0.95)
>>> from helpers.stats.result import Result
>>> store_shift(store, "example", "shift", Result(method="Hodges-Lehmann", value=2.0))
>>> [round(row.value, 1) for row in store.rows().values()][-2:]
[33.1, 2.0]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.analysis.variables import as_float
from helpers.stats.censored import censored_values, quantile_of
from helpers.stats.possible import TOO_MANY_LIMITS
from helpers.stats.proportions import proportion_difference, proportion_interval

if TYPE_CHECKING:
    from helpers.results.store import StatisticsStore
    from helpers.stats.result import Result

QUANTILES = {"median": 0.5, "q1": 0.25, "q3": 0.75, "min": 0.0, "max": 1.0}
_METHODS = {
    "median": "median",
    "q1": "first quartile (average of the adjacent order statistics)",
    "q3": "third quartile (average of the adjacent order statistics)",
    "min": "minimum",
    "max": "maximum",
}


def store_summary(
    store: StatisticsStore,
    analysis: str,
    variable: str,
    values: pd.Series,
    *,
    qualifiers: pd.Series | None = None,
    method: str = "",
    **columns: Any,
) -> None:
    """Store median, quartiles, minimum and maximum of the observed values.

    Quartiles are order statistics or the average of two of them (SAS's definition 5), so none lies between a
    measured value and an assay's limit. Without an observed value the rows have none, and say so.

    Args:
        store, analysis, variable: where the rows go.
        values: one value a patient; missing ones are left out.
        qualifiers: ``<`` or ``>`` where a value is known only as a limit; a summary that depends on it is
            stored as the limit that it is known to lie beyond, with its sign.
        method: how the values came about, added to the name of each summary.
        columns: further columns of the rows (``group``, ``timepoint``, ``unit``, ``n``, ``n_missing``).
    """
    numbers = as_float(values)
    signs = np.full(len(values), "") if qualifiers is None else qualifiers.reindex(values.index)
    data = censored_values(numbers, signs) if not np.isnan(numbers).all() else None
    for name, share in QUANTILES.items():
        columns["method"] = f"{_METHODS[name]} of the {method}" if method else _METHODS[name]
        if data is None:
            store.add(analysis, variable, name, note="not recorded", **columns)
            continue
        found = quantile_of(data, share)
        value, sign, note = found.value, str(found.details["qualifier"]), ""
        if np.isnan(value) and np.isfinite(found.lower):
            value, sign = found.lower, ">"
            note = f"known only to lie between {found.lower:g} and {found.upper:g}"
        elif np.isnan(value):
            note = TOO_MANY_LIMITS
        store.add(analysis, variable, name, value=value, qualifier=sign, note=note, **columns)


def store_shift(
    store: StatisticsStore,
    analysis: str,
    variable: str,
    shift: Result,
    *,
    statistic: str = "shift",
    **columns: Any,
) -> None:
    """Store a Hodges-Lehmann estimate, with the sign of a limit where it is known only as one."""
    sign = str(shift.details.get("qualifier", ""))
    store.add(analysis, variable, statistic, result=shift, qualifier=sign, **columns)


def store_share(
    store: StatisticsStore,
    analysis: str,
    variable: str,
    count: int,
    n: int,
    *,
    confidence: float,
    statistic: str = "percent",
    of: str = "",
    **columns: Any,
) -> None:
    """Store a count's share of ``n`` in percent with its exact (Clopper-Pearson) interval.

    Args:
        store, analysis, variable, statistic: where the row goes.
        count, n: patients counted, of how many; ``n`` is the row's n.
        confidence: level of the interval.
        of: who the denominator is, put before the method's name.
        columns: further columns of the row (``group``, ``timepoint``, ``n_missing``, ``note``).
    """
    share = proportion_interval(count, n, confidence=confidence)
    method = f"{of}; {share.method}" if of else share.method
    store.add(
        analysis, variable, statistic, value=100 * share.value, lower=100 * share.lower,
        upper=100 * share.upper, n=n, unit="%", method=method, **columns,
    )  # fmt: skip


def store_gap(
    store: StatisticsStore,
    analysis: str,
    variable: str,
    first: tuple[int, int],
    second: tuple[int, int],
    *,
    confidence: float,
    **columns: Any,
) -> None:
    """Store the difference of two shares in percentage points with its interval.

    Args:
        store, analysis, variable: where the row goes.
        first, second: patients counted and of how many; the second share is taken from the first.
        confidence: level of the interval.
        columns: further columns of the row.
    """
    gap = proportion_difference(*first, *second, confidence=confidence)
    limits = {key: 100 * getattr(gap, key) for key in ("value", "lower", "upper")}
    store.add(analysis, variable, "difference", unit="percentage points", n=first[1] + second[1],
              method=gap.method, **limits, **columns)  # fmt: skip
