"""Table 1 and the comparison under reporting limits.

>>> from helpers.analysis.variables import baseline_variables, labels_of
>>> variables = baseline_variables(tables, config, 56)
>>> baseline_table(statistics, variables, config, watermark="").texts[0][:3]
['Age, years', '37 (18–71)', '29 (18–65)']
>>> limits_table(statistics, labels_of(variables), config, watermark="").texts[0][0][:40]
'Ferritin, ng/mL. Ruxolitinib: median 598'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from helpers.report.tables.cells import (
    EMPTY,
    LIMIT_NOTE,
    Cell,
    count_percent,
    estimate_interval,
    joined,
    median_spread,
    number,
    p_value,
    sentence,
    short_method,
    size,
    verbatim,
)
from helpers.report.tables.content import Column, Row, column, heading, message, row
from helpers.report.tables.table import Table
from helpers.results.catalogue import BaselineRows, GroupRows, ReportingLimitsRows
from helpers.results.format import NOT_ESTIMABLE
from helpers.results.store import EVERYBODY, slug

if TYPE_CHECKING:
    from helpers.analysis.variables import BaselineVariable
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics

NOT_RECORDED = "not recorded"


def baseline_table(
    statistics: Statistics, variables: Sequence[BaselineVariable], config: CohortConfig, *, watermark: str
) -> Table:
    """Return Table 1: median (range) or n (%) by group, p-value with its test, standardised difference."""
    two, shown = len(config.groups) == 2, config.baseline.show
    rows: list[Row] = []
    prior = False
    for variable in variables:
        if variable.name.startswith(("prior_", "glucocorticoid_week_before")) != prior:
            prior = not prior
            rows.append(heading("Previous therapies" if prior else "Clinical characteristics"))
        rows.extend(_baseline_rows(statistics, variable, config))
    columns = [column("Characteristic")]
    labels = {group.id: group.label for group in config.groups} | {EVERYBODY: "Overall"}
    for group in _groups(config):
        patients = number(statistics[GroupRows.n.id("patients", group=group, timepoint="baseline")])
        columns.append(Column(verbatim(f"{labels[group]} (n = ") + patients + ")"))
    counted = "." if "missing" in shown else "; [n] where not all have it."
    notes = ["{Median_spread} or {n_percent} of the patients with the item recorded" + counted]
    if two and "difference" in shown:
        columns.append(column("Difference (95% CI)"))
        notes.append("Difference: treated minus reference, Hodges-Lehmann shift or percentage points.")
    if two:
        columns += [column("{p_value}"), column("Standardised difference")]
        notes.append(
            "Standardised difference: treated minus reference in units of the pooled standard deviation; "
            "on the log scale for skewed laboratory values."
        )
    return Table("table_1", "Baseline characteristics", columns, rows, notes, watermark)


def _groups(config: CohortConfig) -> list[str]:
    """Return the columns of groups, that of all patients last where it is asked for."""
    return [*config.group_ids, *([EVERYBODY] if "overall" in config.baseline.show else [])]


def _baseline_rows(statistics: Statistics, variable: BaselineVariable, config: CohortConfig) -> list[Row]:
    comparison = _comparison_cells(statistics, variable.name, variable, config)
    marked = "missing" not in config.baseline.show
    if variable.kind != "categorical":
        cells = [_group_cell(statistics, variable.name, group, variable, marked) for group in _groups(config)]
        missing = _missing_row(statistics, variable.name, variable, config)
        return [row(variable.label, *cells, *comparison), *missing]
    names = list(
        dict.fromkeys(
            found.variable
            for found in statistics.select(BaselineRows.count)
            if found.variable.startswith(f"{variable.name}_")
        )
    )
    rows = [row(variable.label, *[EMPTY for _ in _groups(config)], *comparison)]
    by_slug = {slug(level): level for level in variable.values.dropna().unique()}
    for name in names:
        level = by_slug.get(name.removeprefix(f"{variable.name}_"), name)
        cells = [_group_cell(statistics, name, group, variable, marked) for group in _groups(config)]
        rows.append(row(str(level), *cells, *_comparison_cells(statistics, name, variable, config), level=1))
    return [*rows, *(_missing_row(statistics, names[0], variable, config) if names else [])]


def _missing_row(
    statistics: Statistics, name: str, variable: BaselineVariable, config: CohortConfig
) -> list[Row]:
    """Return how many lack the item, where that is asked for and somebody does."""
    if "missing" not in config.baseline.show:
        return []
    key = BaselineRows.median if variable.kind == "continuous" else BaselineRows.count
    found = [statistics[key.id(name, group=group, timepoint="baseline")] for group in _groups(config)]
    if not any(one.n_missing for one in found):
        return []
    blank = [EMPTY for _ in _comparison_cells(statistics, name, variable, config)]
    return [row("Missing", *(number(one, column="n_missing") for one in found), *blank, level=1)]


def _group_cell(
    statistics: Statistics, name: str, group: str, variable: BaselineVariable, marked: bool
) -> Cell:
    """Return one group's summary, marked where known only as a limit, and if asked where missing."""
    stem = BaselineRows.stem(name, group=group, timepoint="baseline")
    if variable.kind == "continuous":
        found, cell = (
            statistics[BaselineRows.median.at(stem)],
            median_spread(statistics, stem, variable.digits),
        )
        if BaselineRows.mean.at(stem) in statistics and found.n:
            mean = statistics[BaselineRows.mean.at(stem)]
            sd = statistics[BaselineRows.sd.at(stem)]
            cell = number(mean, variable.digits + 1) + " (" + number(sd, variable.digits + 1) + ")"
            cell = cell.marked("Mean (standard deviation)")
    else:
        found = statistics[BaselineRows.count.at(stem)]
        cell = count_percent(found) if found.n else verbatim(NOT_RECORDED)
    if any(one.sign for value in cell.values for one in value.numbers.values()):
        cell = cell.marked(LIMIT_NOTE)
    if marked and found.n_missing and found.n:
        missing = number(found, column="n_missing")
        total = number(statistics[GroupRows.n.id("patients", group=group, timepoint="baseline")])
        cell = (cell + " [" + size(found) + "]").marked("Missing (of " + total + " patients): " + missing)
    return cell


def _comparison_cells(
    statistics: Statistics, name: str, variable: BaselineVariable, config: CohortConfig
) -> list[Cell]:
    if len(config.groups) != 2:
        return []
    both = {"group": "both", "timepoint": "baseline"}
    test = statistics.find(BaselineRows.test, name, **both)
    difference = statistics.find(BaselineRows.standardized_difference, name, **both)
    effect: list[Cell] = []
    if "difference" in config.baseline.show:
        shift = statistics.find(BaselineRows.shift, name, **both)
        found = shift or statistics.find(BaselineRows.difference, name, **both)
        digits = variable.digits if shift else 1
        effect = [estimate_interval(found, digits).marked(sentence(found.method)) if found else EMPTY]
    return [
        *effect,
        p_value(test).marked(sentence(short_method(test.method))) if test else EMPTY,
        number(difference, 2) if difference else EMPTY,
    ]


def limits_table(
    statistics: Statistics, labels: Mapping[str, str], config: CohortConfig, *, watermark: str
) -> Table:
    """Return the comparison of each partly limited variable by what its limits may stand for."""
    rows: list[Row] = []
    for name in dict.fromkeys(found.variable for found in statistics.select(ReportingLimitsRows)):
        medians = []
        for group in config.groups:
            stem = ReportingLimitsRows.stem(name, group=group.id, timepoint="baseline")
            middle = statistics[ReportingLimitsRows.median.at(stem)]
            beyond = statistics[ReportingLimitsRows.beyond_limit.at(stem)]
            sign = middle.qualifier
            median = f"{group.label}: median " + number(middle, sign=sign)
            medians.append(median + ", " + count_percent(beyond) + " beyond a limit")
        sure = statistics[ReportingLimitsRows.test.id(name, group="both", timepoint="baseline")]
        rows += [
            heading(f"{labels.get(name, name)}. " + joined(medians, "; ")),
            row("Only sure comparisons", EMPTY, p_value(sure).marked(sentence(sure.method)), level=1),
        ]
        for found in statistics.select(ReportingLimitsRows, variable=name, group="both"):
            if found.statistic != "test":
                test = p_value(found).marked(sentence(found.method))
                rows.append(row(found.level.capitalize(), number(found), test, level=1))
    columns = ["Limited values taken as", "Difference of medians", "{p_value}"]
    nothing = [message("No baseline value is known only as a limit.")]
    notes = [f"{NOT_ESTIMABLE}: not estimable, a median has no bound."] if rows else []
    title = "Comparison under reporting limits"
    return Table("table_s4_limits", title, columns, rows or nothing, notes, watermark)
