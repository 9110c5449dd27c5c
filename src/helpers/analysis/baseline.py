"""Baseline comparison: describe each characteristic by group, test and standardise the difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.analysis.summary import store_summary
from helpers.analysis.variables import (
    PRIOR_PREFIX,
    BaselineVariable,
    as_float,
    baseline_variables,
    by_group,
    comparison,
    level_name,
    levels_of,
)
from helpers.stats.contingency import (
    r_by_c_test,
    standardized_difference_proportions,
    two_by_two_test,
)
from helpers.stats.proportions import proportion_interval
from helpers.stats.two_group import hodges_lehmann, rank_sum_test, standardized_difference

if TYPE_CHECKING:
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import StatisticsStore

ANALYSIS = "baseline"
OVERLAP = "prior_therapy_overlap"
_WHEN = {"timepoint": "baseline"}


def compare_baseline(
    tables: AnalysisTables,
    config: CohortConfig,
    store: StatisticsStore,
    *,
    horizon_days: float,
    confidence: float,
    seed: int,
) -> list[BaselineVariable]:
    """Describe and compare every baseline variable; return them in the order of the table.

    Continuous variables: median, quartiles, range, rank-sum test, Hodges-Lehmann shift, standardised
    difference (on the log scale for skewed laboratory values). Binary: count, share with interval, the
    configured 2 x 2 test. Categorical: each level as binary, and an r x c test of the whole.
    """
    variables = baseline_variables(tables, config, horizon_days)
    for variable in variables:
        if variable.kind == "continuous":
            _describe_continuous(variable, tables, config, store)
            _compare_continuous(variable, tables, config, store, confidence)
        elif variable.kind == "binary":
            _describe_binary(variable, variable.name, variable.values, tables, config, store, confidence)
            _compare_binary(variable.name, variable.values, tables, config, store)
        else:
            _categorical(variable, tables, config, store, confidence, seed)
    return variables


def _describe_continuous(
    variable: BaselineVariable, tables: AnalysisTables, config: CohortConfig, store: StatisticsStore
) -> None:
    for group, values in zip(config.groups, by_group(variable.values, tables, config.group_ids), strict=True):
        store_summary(
            store,
            ANALYSIS,
            variable.name,
            values,
            qualifiers=variable.qualifiers,
            group=group.id,
            unit=variable.unit,
            n=int(values.notna().sum()),
            n_missing=int(values.isna().sum()),
            **_WHEN,
        )


def _compare_continuous(
    variable: BaselineVariable,
    tables: AnalysisTables,
    config: CohortConfig,
    store: StatisticsStore,
    confidence: float,
) -> None:
    if len(config.groups) < 2:
        return
    treated, reference = by_group(variable.values, tables, comparison(config))
    if treated.notna().sum() == 0 or reference.notna().sum() == 0:
        return
    x, y = as_float(treated), as_float(reference)
    test = rank_sum_test(x, y, method=config.tests.continuous)
    common = {"group": "both", **_WHEN}
    store.add(ANALYSIS, variable.name, "test", result=test, value=test.statistic, **common)
    shift = hodges_lehmann(x, y, confidence=confidence)
    store.add(ANALYSIS, variable.name, "shift", result=shift, unit=variable.unit, **common)
    scale = "log" if variable.skewed and np.nanmin([*x, *y]) > 0 else "identity"
    size = standardized_difference(x, y, scale=scale)
    store.add(ANALYSIS, variable.name, "standardized_difference", result=size, **common)


def _describe_binary(
    variable: BaselineVariable,
    name: str,
    values: pd.Series,
    tables: AnalysisTables,
    config: CohortConfig,
    store: StatisticsStore,
    confidence: float,
) -> None:
    for group, part in zip(config.groups, by_group(values, tables, config.group_ids), strict=True):
        n, missing = int(part.notna().sum()), int(part.isna().sum())
        count = int(part.fillna(value=False).sum())
        common = {"group": group.id, "n": n, "n_missing": missing, **_WHEN}
        store.add(
            ANALYSIS,
            name,
            "count",
            value=count,
            unit="patients",
            method="count",
            note=variable.level,
            **common,
        )
        if n:
            share = proportion_interval(count, n, confidence=confidence)
            store.add(
                ANALYSIS,
                name,
                "percent",
                value=100 * count / n,
                lower=100 * share.lower,
                upper=100 * share.upper,
                unit="%",
                method=share.method,
                **common,
            )


def _compare_binary(
    name: str,
    values: pd.Series,
    tables: AnalysisTables,
    config: CohortConfig,
    store: StatisticsStore,
    *,
    test: bool = True,
) -> None:
    if len(config.groups) < 2:
        return
    parts = [part.dropna().astype(bool) for part in by_group(values, tables, comparison(config))]
    if any(part.empty for part in parts):
        return
    (a, m), (b, n) = ((int(part.sum()), len(part)) for part in parts)
    common = {"group": "both", **_WHEN}
    if test:
        result = two_by_two_test([[a, m - a], [b, n - b]], rule=config.tests.categorical)
        store.add(ANALYSIS, name, "test", result=result, value=result.statistic, **common)
    size = standardized_difference_proportions(a, m, b, n)
    store.add(ANALYSIS, name, "standardized_difference", result=size, **common)


def _categorical(
    variable: BaselineVariable,
    tables: AnalysisTables,
    config: CohortConfig,
    store: StatisticsStore,
    confidence: float,
    seed: int,
) -> None:
    levels = levels_of(variable)
    for level in levels:
        member = (variable.values == level).astype("boolean").where(variable.values.notna())
        name = level_name(variable, level)
        _describe_binary(variable, name, member, tables, config, store, confidence)
        _compare_binary(name, member, tables, config, store, test=False)
    if len(config.groups) < 2 or len(levels) < 2:
        return
    parts = by_group(variable.values, tables, comparison(config))
    counts = [[int((part == level).sum()) for level in levels] for part in parts]
    if min(map(sum, counts)):
        test = r_by_c_test(counts, seed=seed)
        store.add(ANALYSIS, variable.name, "test", result=test, value=test.statistic, group="both", **_WHEN)


def count_prior_therapies(
    tables: AnalysisTables, config: CohortConfig, store: StatisticsStore, therapies: list[str]
) -> pd.DataFrame:
    """Count the patients who received each combination of earlier therapies; return the counts by group.

    Args:
        tables, config, store: the cohort and where its numbers go.
        therapies: names of the therapies whose combinations count, without ``prior_``.
    """
    present = [name for name in therapies if PRIOR_PREFIX + name in tables.patients.columns]
    if not present:
        return pd.DataFrame()
    flags = (
        tables.patients[[PRIOR_PREFIX + name for name in present]].fillna(value=False).to_numpy(dtype=bool)
    )
    combination = [
        "_and_".join(name for name, received in zip(present, row, strict=True) if received) or "none"
        for row in flags
    ]
    counts = pd.crosstab(pd.Series(combination, name="combination"), tables.patients["group"].to_numpy())
    counts = counts.reindex(columns=config.group_ids, fill_value=0)
    order = sorted(
        counts.index, key=lambda name: (name != "none", name.count("_and_"), -counts.loc[name].sum())
    )
    for name in order:
        for group in config.groups:
            total = int((tables.patients["group"] == group.id).sum())
            store.add(
                OVERLAP,
                name,
                "n",
                group=group.id,
                value=int(counts.loc[name, group.id]),
                n=total,
                unit="patients",
                method="count",
                **_WHEN,
            )
    any_therapy = pd.Series(flags.any(axis=1))
    for group in config.groups:
        member = any_therapy[(tables.patients["group"] == group.id).to_numpy()]
        store.add(
            OVERLAP,
            "any",
            "count",
            group=group.id,
            value=int(member.sum()),
            n=len(member),
            unit="patients",
            method="count",
            **_WHEN,
        )
    return counts.loc[order]
