"""Course and trend of measurements over the visits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from helpers.report.tables.cells import (
    EMPTY,
    LIMIT_NOTE,
    Cell,
    estimate_interval,
    median_spread,
    number,
    p_equation,
    p_value,
    sentence,
    short_method,
    size,
    verbatim,
)
from helpers.report.tables.content import column, message, row
from helpers.report.tables.table import Table
from helpers.report.text.narrative import in_text
from helpers.results.catalogue import LaboratoryRows, TrendRows

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistic, Statistics

_MARKS = 8  # numbers of the not measured up to which each has a note of its own


def course_table(
    statistics: Statistics, config: CohortConfig, variables: Sequence[str], *, watermark: str
) -> Table:
    """Return median (range) [n] of each measurement by visit, with p of the change from baseline."""
    vocabulary = config.vocabulary
    chosen = config.treated or config.groups[0]
    visits = [
        visit
        for visit in config.visits
        if any(statistics.find(LaboratoryRows.n, v, group=chosen.id, timepoint=visit.id) for v in variables)
    ]
    medians = (
        statistics.find(LaboratoryRows.median, v, group=chosen.id, timepoint=visit.id)
        for v in variables for visit in visits
    )  # fmt: skip
    lacking = [found for found in medians if found is not None and found.n_missing]
    marked = len({found.n_missing for found in lacking}) <= _MARKS
    rows = []
    for name in variables:
        digits = vocabulary[name].decimals or 0
        cells = [_course_cell(statistics, name, chosen.id, visit.id, digits, marked) for visit in visits]
        if any(cells):
            tests = statistics.select(LaboratoryRows.change_test, variable=name, group=chosen.id)
            methods = dict.fromkeys(
                f"{{p}}: {short_method(test.method)}, paired change from baseline" for test in tests
            )
            rows.append(row(verbatim(vocabulary[name].label).marked(*methods), *cells))
    nothing = [message("No measurements are recorded at the visits of this cohort.")]
    notes: list[Cell | str] = [
        "{Median_spread} [n]. P-values are not adjusted for the number of tests.",
        "Later visits describe the patients then alive and measured.",
    ]
    if not marked:
        most = max(lacking, key=lambda found: found.n_missing or 0)
        notes.append(
            "Of the patients alive at a visit up to "
            + number(most, column="n_missing")
            + " were not measured."
        )
    title = f"Course of laboratory values and temperature, {in_text(chosen.label)}"
    columns = ["Measurement", *[visit.label for visit in visits]]
    return Table("table_3_course", title, columns, rows or nothing, notes, watermark)


def _course_cell(
    statistics: Statistics, name: str, group: str, visit: str, digits: int, marked: bool
) -> Cell:
    found = statistics.find(LaboratoryRows.median, name, group=group, timepoint=visit)
    if found is None:
        return EMPTY
    cell = median_spread(statistics, LaboratoryRows.stem(name, group=group, timepoint=visit), digits)
    if any(one.sign for value in cell.values for one in value.numbers.values()):
        cell = cell.marked(LIMIT_NOTE)
    cell = cell + " [" + size(found) + "]"
    if found.n_missing and marked:
        missing = number(found, column="n_missing")
        cell = cell.marked("Not measured in " + missing + " of the patients then alive")
    test = statistics.find(LaboratoryRows.change_test, name, group=group, timepoint=visit)
    return cell + "; " + p_equation(test) if test else cell


def trend_table(
    statistics: Statistics, config: CohortConfig, variables: Sequence[str], *, watermark: str
) -> Table:
    """Return the weekly factor of change from the mixed model and the Friedman test of each measurement."""
    vocabulary = config.vocabulary
    group = (config.treated or config.groups[0]).id
    rows = []
    for name in variables:
        ratio = statistics.find(TrendRows.ratio_per_week, name, group=group)
        blocks = statistics.find(TrendRows.friedman, name, group=group)
        if ratio is None or blocks is None:
            continue
        estimate = estimate_interval(ratio, 3)
        estimate = estimate.marked(sentence(ratio.note)) if ratio.note else estimate
        rows.append(row(
            vocabulary[name].label, estimate, _p_with_test(ratio), size(ratio) if ratio.n else EMPTY,
            _p_with_test(blocks) or verbatim(blocks.note), size(blocks) if blocks.n else EMPTY,
        ))  # fmt: skip
    columns = [
        column("Measurement"), column("Factor a week (95% CI)", spanner="Mixed model"),
        column("{p_value}", spanner="Mixed model"), column("Values", spanner="Mixed model"),
        column("{p_value}", spanner="Friedman test"), column("Patients", spanner="Friedman test"),
    ]  # fmt: skip
    nothing = [message("No measurement was taken often enough for a trend.")]
    title = "Trend of measurements over the visits"
    return Table("table_8_trend", title, columns, rows or nothing, (), watermark)


def _p_with_test(found: Statistic) -> Cell:
    return EMPTY if found.p_value != found.p_value else p_value(found).marked(sentence(found.method))
