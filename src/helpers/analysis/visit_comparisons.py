"""Variables compared between the groups at visits that the cohort names, each visit a family of its own.

>>> compare_at_visits(tables, config, store, confidence=0.95, seed=1)
>>> len(store.rows())  # the cohort names none
0
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers.analysis.baseline import chosen_test, store_adjusted
from helpers.analysis.summary import store_gap, store_share, store_shift, store_summary
from helpers.analysis.variables import as_float, by_group, comparison
from helpers.results.catalogue import VisitComparisonRows
from helpers.stats.shift import hodges_lehmann

if TYPE_CHECKING:
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.cohort.outcomes import VisitComparison
    from helpers.results.store import StatisticsStore

ANALYSIS = "visit_comparison"


def compare_at_visits(
    tables: AnalysisTables, config: CohortConfig, store: StatisticsStore, *, confidence: float, seed: int
) -> None:
    """Describe and compare the variables of every ``[[visit_comparison]]``.

    Numbers: median, quartiles, range, the variable's test and the Hodges-Lehmann shift. Yes or no: count,
    share, test and difference of the shares. Values are those of the patients then alive and measured; who
    has none is counted. The p-values of one entry are adjusted for their number as those of the baseline are.
    """
    for family in config.visit_comparisons:
        names = [name for name in family.variables if _compare(name, family.visit, tables, config, store,
                                                               confidence, seed)]  # fmt: skip
        _adjust(names, family, config, store)


def _compare(
    name: str, visit: str, tables: AnalysisTables, config: CohortConfig, store: StatisticsStore,
    confidence: float, seed: int,
) -> bool:  # fmt: skip
    """Store one variable at one visit; return whether it was tested."""
    rows = tables.visits[(tables.visits["visit"] == visit) & (tables.visits["variable"] == name)]
    rows = rows.set_index("patient_id")
    index = pd.Index(tables.patients["patient_id"])
    values = rows["value"].reindex(index).astype(float)
    qualifiers = rows["qualifier"].reindex(index).fillna("")
    known = config.vocabulary[name]
    binary = known.type == "yes_no"
    for group, part in zip(config.group_ids, by_group(values, tables, config.group_ids), strict=True):
        n = int(part.notna().sum())
        common: dict[str, Any] = {"group": group, "timepoint": visit, "n": n, "n_missing": len(part) - n}
        if not binary:
            store_summary(store, ANALYSIS, name, part, qualifiers=qualifiers, unit=known.unit, **common)
            continue
        count = int((part > 0).sum())
        note = "" if n else "not recorded"
        store.add(ANALYSIS, name, "count", value=count if n else None, unit="patients", method="count",
                  note=note, **common)  # fmt: skip
        if n:
            store_share(store, ANALYSIS, name, count, confidence=confidence, **common)
    if len(config.groups) < 2:
        return False
    both: dict[str, Any] = {"group": "both", "timepoint": visit}
    treated, reference = (part.dropna() for part in by_group(values, tables, comparison(config)))
    if treated.empty or reference.empty:
        note = "not estimable: nobody has a value" if treated.empty and reference.empty else (
            "not estimable: recorded in one group only")  # fmt: skip
        store.add(ANALYSIS, name, "test", n=len(treated) + len(reference), method="no comparison", note=note,
                  **both)  # fmt: skip
        return False
    beyond = int(qualifiers.isin(["<", ">"]).sum())
    note = f"{beyond} values known only as a limit, which stand for themselves" if beyond else ""
    if binary:
        cells = [(int((part > 0).sum()), len(part)) for part in (treated, reference)]
        test = chosen_test(name, "binary", config).run([[count, n - count] for count, n in cells])
        store_gap(store, ANALYSIS, name, *cells, confidence=confidence, **both)
    else:
        x, y = as_float(treated), as_float(reference)
        test = chosen_test(name, "continuous", config).run(x, y, seed=seed)
        signs = [qualifiers[part.index].to_numpy() for part in (treated, reference)]
        shift = hodges_lehmann(
            x, y, x_qualifiers=signs[0], y_qualifiers=signs[1], smallest=known.smallest, confidence=confidence
        )
        store_shift(store, ANALYSIS, name, shift, unit=known.unit, **both)
    said = {"note": note} if note else {}
    store.add(ANALYSIS, name, "test", result=test, value=test.statistic, **said, **both)
    return test.p_value == test.p_value


def _adjust(names: list[str], family: VisitComparison, config: CohortConfig, store: StatisticsStore) -> None:
    """Store each p-value of a family adjusted for their number."""
    rows, both = store.rows(), {"group": "both", "timepoint": family.visit}
    tests = [rows[VisitComparisonRows.test.id(name, **both)] for name in names]
    store_adjusted(tests, f"tests at {config.visit(family.visit).label}", config, store)
