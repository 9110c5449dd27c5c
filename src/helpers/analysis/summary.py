"""Median, quartiles and range of a group of values, and shares of patients, stored as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.stats.proportions import proportion_interval

if TYPE_CHECKING:
    from helpers.results.store import StatisticsStore

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
        qualifiers: ``<`` or ``>`` where a value is known only as a limit; a summary that falls on it
            keeps the qualifier.
        method: how the values came about, added to the name of each summary.
        columns: further columns of the rows (``group``, ``timepoint``, ``unit``, ``n``, ``n_missing``).
    """
    observed = values.dropna().astype(float)
    for name, share in QUANTILES.items():
        value, note, qualifier = np.nan, "not recorded", ""
        if len(observed):
            value, note = float(np.quantile(observed, share, method="averaged_inverted_cdf")), ""
            qualifier = _qualifier(value, observed, qualifiers)
        label = f"{_METHODS[name]} of the {method}" if method else _METHODS[name]
        store.add(
            analysis, variable, name, value=value, qualifier=qualifier, note=note, method=label, **columns
        )


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


def _qualifier(value: float, observed: pd.Series, qualifiers: pd.Series | None) -> str:
    if qualifiers is None:
        return ""
    flags = set(qualifiers.reindex(observed.index)[observed == value]) & {"<", ">"}
    return flags.pop() if len(flags) == 1 else ""
