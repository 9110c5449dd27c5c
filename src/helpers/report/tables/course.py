"""Course and trend of measurements over the visits.

>>> course_table(statistics, config, ["platelets"], watermark="").texts[0][:2]
['Platelets, 10⁹/L', '115 (25–359) [20]']
>>> trend_table(statistics, config, ["platelets"], watermark="").texts[0][:2]
['Ratio to baseline (95% CI)']
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING

from helpers.analysis.trends import trend_key
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
from helpers.report.tables.content import Row, column, heading, message, row
from helpers.report.tables.table import Table
from helpers.results.catalogue import LaboratoryRows, TrendRows
from helpers.vocabulary.names import in_text

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig
    from helpers.cohort.sections import Visit
    from helpers.results.store import Statistic, Statistics

_MARKS = 8  # numbers of the not measured up to which each has a note of its own
_BESIDE = 6  # visits up to which each has a column; more of them stand below one another


def course_table(
    statistics: Statistics, config: CohortConfig, variables: Sequence[str], *, watermark: str
) -> Table:
    """Return median (range) [n] of each measurement by visit, and its change from baseline."""
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
    beside = len(visits) <= _BESIDE
    rows: list[Row] = []
    for name in variables:
        digits = vocabulary[name].decimals or 0
        cells = [_course_cell(statistics, name, chosen.id, visit.id, digits, marked) for visit in visits]
        changes = [_change_cell(statistics, name, chosen.id, visit.id, digits) for visit in visits]
        if not any(cells):
            continue
        label, tests = verbatim(vocabulary[name].label), _tests(statistics, name, chosen.id)
        if beside:
            rows.append(row(label, *cells))
            rows += [row(verbatim("Change (95% CI)").marked(*tests), *changes, level=1)] if tests else []
        else:
            rows.append(heading(label.marked(*tests)))
            rows += [
                row(visit.label, cell, change, level=1)
                for visit, cell, change in zip(visits, cells, changes, strict=True) if cell
            ]  # fmt: skip
    nothing = [message("No measurements are recorded at the visits of this cohort.")]
    notes: list[Cell | str] = [
        "{Median_spread} [n]. P-values are not adjusted for the number of tests.",
        "Change: Hodges-Lehmann estimate of the paired differences from baseline.",
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
    below = ["Value", "Change (95% CI)"]
    columns = ["Measurement", *([visit.label for visit in visits] if beside else below)]
    return Table("table_3_course", title, columns, rows or nothing, notes, watermark)


def _tests(statistics: Statistics, name: str, group: str) -> list[str]:
    tests = statistics.select(LaboratoryRows.change_test, variable=name, group=group)
    return list(dict.fromkeys(f"{{p}}: {short_method(test.method)}, paired change from baseline"
                              for test in tests))  # fmt: skip


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
    return cell


def _change_cell(statistics: Statistics, name: str, group: str, visit: str, digits: int) -> Cell:
    change = statistics.find(LaboratoryRows.change, name, group=group, timepoint=visit)
    if change is None:
        return EMPTY
    test = statistics.find(LaboratoryRows.change_test, name, group=group, timepoint=visit)
    cell = _estimate(change, digits)
    return cell + "; " + p_equation(test) if test else cell


def _estimate(found: Statistic, digits: int) -> Cell:
    """Return an estimate with its interval, and with the reason where there is none."""
    cell = estimate_interval(found, digits)
    lacks = not all(isfinite(number) for number in (found.value, found.lower, found.upper))
    return cell.marked(sentence(found.note)) if found.note and (lacks or found.qualifier) else cell


def trend_table(
    statistics: Statistics, config: CohortConfig, variables: Sequence[str], *, watermark: str
) -> Table:
    """Return the changes from baseline of the mixed model, and the tests over all visits."""
    later = [
        visit for visit in config.visits
        if any(_trend(statistics, config, name, visit.id) is not None for name in variables)
    ]  # fmt: skip
    beside = len(later) <= _BESIDE
    rows: list[Row] = []
    for statistic, title in _CHANGES.items():
        mine = [name for name in variables if trend_key(name, config).statistic == statistic]
        found = [one for name in mine for one in _trend_rows(statistics, config, name, later, beside)]
        rows += [heading(title), *found] if found else []
    columns = [column("Measurement"), *(column(visit.label) for visit in later if beside)]
    if not beside:
        columns.append(column("Change (95% CI)"))
    columns += [
        column("{p_value}", spanner="Mixed model"), column("Values", spanner="Mixed model"),
        column("{p_value}", spanner="Friedman test"), column("Patients", spanner="Friedman test"),
    ]  # fmt: skip
    nothing = [message("No measurement was taken often enough for a trend.")]
    title = "Changes of measurements over the visits, by a mixed model"
    notes = ["P-values are not adjusted for the number of tests."] if rows else []
    return Table("table_s29_trend", title, columns, rows or nothing, notes, watermark)


_CHANGES = {"ratio": "Ratio to baseline (95% CI)", "difference": "Difference from baseline (95% CI)"}


def _trend(statistics: Statistics, config: CohortConfig, name: str, visit: str) -> Statistic | None:
    group = (config.treated or config.groups[0]).id
    return statistics.find(trend_key(name, config), name, group=group, timepoint=visit)


def _trend_rows(
    statistics: Statistics, config: CohortConfig, name: str, later: Sequence[Visit], beside: bool
) -> list[Row]:
    """Return the row of a measurement, and below it those of its visits unless they are columns."""
    group = (config.treated or config.groups[0]).id
    visits = statistics.find(TrendRows.visits, name, group=group)
    blocks = statistics.find(TrendRows.friedman, name, group=group)
    if visits is None or blocks is None:
        return []
    known = config.vocabulary[name]
    digits = 2 if known.skewed else (known.decimals or 0) + 1
    found = [_trend(statistics, config, name, visit.id) for visit in later]
    cells = [EMPTY if one is None else _estimate(one, digits) for one in found]
    tests = [
        _p_with_test(visits) or verbatim(visits.note), size(visits) if visits.n else EMPTY,
        _p_with_test(blocks) or verbatim(blocks.note), size(blocks) if blocks.n else EMPTY,
    ]  # fmt: skip
    if beside:
        return [row(known.label, *cells, *tests)]
    lines = zip(later, cells, strict=True)
    none = [EMPTY] * len(tests)
    return [row(known.label, EMPTY, *tests),
            *(row(visit.label, cell, *none, level=1) for visit, cell in lines if cell)]  # fmt: skip


def _p_with_test(found: Statistic) -> Cell:
    return EMPTY if found.p_value != found.p_value else p_value(found).marked(sentence(found.method))
