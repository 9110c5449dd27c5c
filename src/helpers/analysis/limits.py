"""Values beyond an assay's limit: does the baseline comparison depend on what they really were?

>>> from helpers.analysis.variables import baseline_variables
>>> compare_under_limits(baseline_variables(tables, config, 56), tables, config, store, seed=1)
['ferritin']
>>> store.rows()["reporting_limits.ferritin.ruxolitinib.baseline.median"].value
5982.0
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.analysis.variables import as_float, by_group, comparison
from helpers.results.store import slug
from helpers.stats.censored import censored_median, censored_rank_test, limit_sensitivity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helpers.analysis.variables import BaselineVariable
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import StatisticsStore

ANALYSIS = "reporting_limits"
_NOBODY = "not recorded in this group"
_SCENARIOS = {
    "x highest, y lowest": "treated highest, reference lowest",
    "x lowest, y highest": "treated lowest, reference highest",
}


def compare_under_limits(
    variables: Sequence[BaselineVariable],
    tables: AnalysisTables,
    config: CohortConfig,
    store: StatisticsStore,
    *,
    seed: int,
) -> list[str]:
    """Compare each baseline value known in part only as a limit; return the names of the variables.

    Stored: the median of each group as an order statistic, with the sign of a limit where it lies beyond one;
    the rank test that uses only comparisons which are sure; and the rank-sum test with the limited values set
    to the limit, twice the limit, and the extremes that favour either group. A variable that one group lacks
    is described and not compared; the row of the test says why.
    """
    limited = [v for v in variables if v.kind == "continuous" and v.qualifiers.isin(["<", ">"]).any()]
    groups = comparison(config)
    if len(groups) < 2:
        return []
    for variable in limited:
        values = [as_float(part) for part in by_group(variable.values, tables, groups)]
        flags = [part.to_numpy() for part in by_group(variable.qualifiers, tables, groups)]
        for group, part, flag in zip(groups, values, flags, strict=True):
            _describe(variable, group, part, flag, store)
        _compare(variable, values, flags, store, seed)
    return [variable.name for variable in limited]


def _describe(
    variable: BaselineVariable, group: str, values: np.ndarray, flags: np.ndarray, store: StatisticsStore
) -> None:
    common: dict[str, Any] = {"group": group, "timepoint": "baseline"}
    beyond = int(((flags == "<") | (flags == ">")).sum())
    store.add(
        ANALYSIS,
        variable.name,
        "beyond_limit",
        value=beyond,
        n=len(values),
        unit="patients",
        method="values reported only as below or above a limit",
        **common,
    )
    common["unit"] = variable.unit
    if np.isnan(values).all():
        common |= {"n": 0, "n_missing": len(values), "method": "median by order statistics", "note": _NOBODY}
        store.add(ANALYSIS, variable.name, "median", **common)
        return
    median = censored_median(values, flags)
    qualifier = str(median.details["qualifier"])
    # A median that is only known to lie between two limits has no sign; its note says where it lies.
    known = np.isfinite(median.value)
    common |= {"qualifier": qualifier if known else "", "note": "" if known else median.note}
    store.add(ANALYSIS, variable.name, "median", result=median, **common)


def _compare(
    variable: BaselineVariable,
    values: list[np.ndarray],
    flags: list[np.ndarray],
    store: StatisticsStore,
    seed: int,
) -> None:
    both: dict[str, Any] = {"group": "both", "timepoint": "baseline"}
    if any(np.isnan(part).all() for part in values):
        n = int(sum(np.isfinite(part).sum() for part in values))
        note = "not estimable: recorded in one group only"
        store.add(ANALYSIS, variable.name, "test", n=n, method="no comparison", note=note, **both)
        return
    test = censored_rank_test(values[0], flags[0], values[1], flags[1], seed=seed)
    store.add(ANALYSIS, variable.name, "test", result=test, value=test.statistic, **both)
    for row in limit_sensitivity(values[0], flags[0], values[1], flags[1]).to_dict("records"):
        scenario = str(row["scenario"])
        for ours, theirs in _SCENARIOS.items():
            scenario = scenario.replace(ours, theirs)
        store.add(
            ANALYSIS,
            variable.name,
            slug(scenario),
            value=row["difference"],
            p_value=row["p_value"],
            unit=variable.unit,
            level=scenario,
            method="rank-sum test; difference of medians",
            **both,
        )
