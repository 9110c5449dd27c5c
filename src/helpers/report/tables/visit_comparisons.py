"""Variables compared between the groups at the visits that the cohort names.

>>> visit_comparison_table(statistics, config, watermark="").texts[0][:3]
['This cohort names no comparison at other visits.']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.tables.cells import (
    EMPTY,
    Cell,
    count_percent,
    estimate_interval,
    median_spread,
    p_value,
    sentence,
    short_method,
    size,
    verbatim,
)
from helpers.report.tables.content import Row, column, heading, message, row
from helpers.report.tables.table import Table
from helpers.results.catalogue import VisitComparisonRows

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics

NOTHING = "This cohort names no comparison at other visits."


def visit_comparison_table(statistics: Statistics, config: CohortConfig, *, watermark: str) -> Table:
    """Return by visit and variable the summary of each group, the difference, and both p-values."""
    rows: list[Row] = []
    for family in config.visit_comparisons:
        if not statistics.select(VisitComparisonRows, timepoint=family.visit):
            continue
        rows.append(heading(config.visit(family.visit).label))
        rows += [_row(name, family.visit, statistics, config) for name in family.variables]
    columns = [column(""), *[column(group.label) for group in config.groups]]
    notes = ["{Median_spread} or {n_percent} [n] of the patients then alive and measured."]
    if len(config.groups) == 2:
        columns += [column("Difference (95% CI)"), column("{p_value}"), column("Adjusted {p_value}")]
        notes.append("Difference: Hodges-Lehmann shift, or percentage points; adjusted within each visit.")
    title = "Comparison of the groups at visits"
    return Table(
        "table_s25_visits", title, columns, rows or [message(NOTHING)], notes if rows else (), watermark
    )


def _row(name: str, visit: str, statistics: Statistics, config: CohortConfig) -> Row:
    known = config.vocabulary[name]
    cells = [_group(name, group, visit, statistics, known.decimals or 0) for group in config.group_ids]
    if len(config.groups) == 2:
        both = {"group": "both", "timepoint": visit}
        shift = statistics.find(VisitComparisonRows.shift, name, **both)
        gap = statistics.find(VisitComparisonRows.difference, name, **both)
        found = shift or gap
        digits = (known.decimals or 0) + 1 if shift else 1
        cells.append(estimate_interval(found, digits).marked(sentence(found.method)) if found else EMPTY)
        test = statistics.find(VisitComparisonRows.test, name, **both)
        adjusted = statistics.find(VisitComparisonRows.test_adjusted, name, **both)
        said = "" if test is None else "; ".join(filter(None, (short_method(test.method), test.note)))
        cells.append(p_value(test).marked(sentence(said)) if test else EMPTY)
        cells.append(p_value(adjusted).marked(sentence(adjusted.method)) if adjusted else EMPTY)
    return row(known.label, *cells, level=1)


def _group(name: str, group: str, visit: str, statistics: Statistics, digits: int) -> Cell:
    middle = statistics.find(VisitComparisonRows.median, name, group=group, timepoint=visit)
    count = statistics.find(VisitComparisonRows.count, name, group=group, timepoint=visit)
    found = middle or count
    if found is None or not found.n:
        return verbatim("not recorded")
    stem = VisitComparisonRows.stem(name, group=group, timepoint=visit)
    cell = median_spread(statistics, stem, digits) if middle else count_percent(found)
    return cell + " [" + size(found) + "]"
