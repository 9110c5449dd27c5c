"""Values beyond an assay's limit: does the baseline comparison depend on what they really were?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    to the limit, twice the limit, and the extremes that favour either group.
    """
    limited = [v for v in variables if v.kind == "continuous" and v.qualifiers.isin(["<", ">"]).any()]
    groups = comparison(config)
    if len(groups) < 2:
        return []
    for variable in limited:
        values = [as_float(part) for part in by_group(variable.values, tables, groups)]
        flags = [part.to_numpy() for part in by_group(variable.qualifiers, tables, groups)]
        for group, part, flag in zip(groups, values, flags, strict=True):
            _store_group(variable, group, part, flag, store)
        both: dict[str, Any] = {"group": "both", "timepoint": "baseline"}
        test = censored_rank_test(values[0], flags[0], values[1], flags[1], seed=seed)
        store.add(ANALYSIS, variable.name, "test", result=test, value=test.statistic, **both)
        for row in limit_sensitivity(values[0], flags[0], values[1], flags[1]).to_dict("records"):
            scenario = _in_words(str(row["scenario"]))
            store.add(
                ANALYSIS,
                variable.name,
                slug(scenario),
                value=row["difference"],
                p_value=row["p_value"],
                unit=variable.unit,
                note=scenario,
                method="rank-sum test; difference of medians",
                **both,
            )
    return [variable.name for variable in limited]


def _store_group(
    variable: BaselineVariable, group: str, values: Any, flags: Any, store: StatisticsStore
) -> None:
    """Store how many values of a group lie beyond a limit, and the median with its sign."""
    common: dict[str, Any] = {"group": group, "timepoint": "baseline"}
    store.add(
        ANALYSIS,
        variable.name,
        "beyond_limit",
        value=int(((flags == "<") | (flags == ">")).sum()),
        n=len(values),
        unit="patients",
        method="values reported only as below or above a limit",
        **common,
    )
    median = censored_median(values, flags)
    store.add(
        ANALYSIS,
        variable.name,
        "median",
        result=median,
        unit=variable.unit,
        **(common | {"note": str(median.details["qualifier"])}),
    )


def _in_words(scenario: str) -> str:
    words = {
        "x highest, y lowest": "treated highest, reference lowest",
        "x lowest, y highest": "treated lowest, reference highest",
    }
    for samples, groups in words.items():
        scenario = scenario.replace(samples, groups)
    return scenario
