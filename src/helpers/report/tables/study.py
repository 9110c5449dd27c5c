"""The study's tables, built from stored statistics alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from helpers.report.tables.cells import (
    EMPTY,
    Cell,
    count_percent,
    estimate_interval,
    joined,
    median_spread,
    number,
    p_equation,
    p_value,
    sentence,
    short_method,
    size,
    verbatim,
)
from helpers.report.tables.table import Column, Row, Table, column, heading, message, row
from helpers.report.text.narrative import in_text
from helpers.results.format import NOT_ESTIMABLE
from helpers.results.store import slug

if TYPE_CHECKING:
    from helpers.analysis.variables import BaselineVariable
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistic, Statistics

NOT_RECORDED = "not recorded"
OF_THE_GROUP = "group.patients.{}.baseline.n"
LIMIT_NOTE = "> or <: known only as lying beyond an assay's limit, which is printed."


def baseline_table(
    statistics: Statistics, variables: Sequence[BaselineVariable], config: CohortConfig, *, watermark: str
) -> Table:
    """Return Table 1: median (range) or n (%) by group, p-value with its test, standardised difference."""
    two = len(config.groups) == 2
    rows: list[Row] = []
    prior = False
    for variable in variables:
        if variable.name.startswith(("prior_", "glucocorticoid_week_before")) != prior:
            prior = not prior
            rows.append(heading("Previous therapies" if prior else "Clinical characteristics"))
        rows.extend(_baseline_rows(statistics, variable, config))
    columns = [column("Characteristic")]
    for group in config.groups:
        patients = number(statistics[OF_THE_GROUP.format(group.id)])
        columns.append(Column(verbatim(f"{group.label} (n = ") + patients + ")"))
    notes = [
        "{Median_spread} or {n_percent} of the patients with the item recorded; [n] where not all have it."
    ]
    if two:
        columns += [column("{p_value}"), column("Standardised difference")]
        notes.append(
            "Standardised difference: treated minus reference in units of the pooled standard deviation; "
            "on the log scale for skewed laboratory values."
        )
    return Table("table_1", "Baseline characteristics", columns, rows, notes, watermark)


def _baseline_rows(statistics: Statistics, variable: BaselineVariable, config: CohortConfig) -> list[Row]:
    two = len(config.groups) == 2
    comparison = _comparison_cells(statistics, variable.name) if two else []
    if variable.kind != "categorical":
        cells = [_group_cell(statistics, variable.name, group, variable) for group in config.group_ids]
        return [row(variable.label, *cells, *comparison)]
    names = list(
        dict.fromkeys(
            found.variable
            for found in statistics.select(analysis="baseline", statistic="count")
            if found.variable.startswith(f"{variable.name}_")
        )
    )
    rows = [row(variable.label, *[EMPTY for _ in config.groups], *comparison)]
    by_slug = {slug(level): level for level in variable.values.dropna().unique()}
    for name in names:
        level = by_slug.get(name.removeprefix(f"{variable.name}_"), name)
        cells = [_group_cell(statistics, name, group, variable) for group in config.group_ids]
        comparison = _comparison_cells(statistics, name) if two else []
        rows.append(row(str(level), *cells, *comparison, level=1))
    return rows


def _group_cell(statistics: Statistics, name: str, group: str, variable: BaselineVariable) -> Cell:
    """Return one group's summary, marked where values are missing or known only as a limit."""
    stem = f"baseline.{name}.{group}.baseline"
    if variable.kind == "continuous":
        found, cell = statistics[f"{stem}.median"], median_spread(statistics, stem, variable.digits)
    else:
        found = statistics[f"{stem}.count"]
        cell = count_percent(found) if found.n else verbatim(NOT_RECORDED)
    if any(one.sign for value in cell.values for one in value.numbers.values()):
        cell = cell.marked(LIMIT_NOTE)
    if found.n_missing and found.n:
        missing = number(found, column="n_missing")
        total = number(statistics[OF_THE_GROUP.format(group)])
        cell = (cell + " [" + size(found) + "]").marked(
            "Missing in " + missing + " of " + total + " patients"
        )
    return cell


def _comparison_cells(statistics: Statistics, name: str) -> list[Cell]:
    both = {"group": "both", "timepoint": "baseline"}
    test = statistics.find("baseline", name, "test", **both)
    difference = statistics.find("baseline", name, "standardized_difference", **both)
    return [
        p_value(test).marked(sentence(short_method(test.method))) if test else EMPTY,
        number(difference, 2) if difference else EMPTY,
    ]


def response_table(statistics: Statistics, config: CohortConfig, *, watermark: str) -> Table:
    """Return the response by visit: CR, PR, NR and the overall response rate with its exact interval."""
    rows = []
    for group in config.groups:
        for visit in config.visits:
            if not statistics.find("response", "class", "cr", group=group.id, timepoint=visit.id):
                continue
            stem = f"{group.id}.{visit.id}"
            classes = [statistics[f"response.class.{stem}.{name}"] for name in ("cr", "pr", "nr")]
            dead = statistics[f"response.class.{stem}.dead"]
            overall = statistics.find("response", "overall", "rate", group=group.id, timepoint=visit.id)
            rate = verbatim(NOT_ESTIMABLE)
            if overall:
                rate = estimate_interval(overall, 1, "%")
            cells = [count_percent(found) for found in classes]
            rows.append(row(f"{group.label}, {visit.label.lower()}", *cells, number(dead), rate))
    columns = ["Visit", "CR", "PR", "NR", "Died (in NR)", "Overall response (95% CI)"]
    nothing = [message("No response assessments are recorded in this cohort.")]
    note = "CR, PR, NR: complete, partial, no response, as recorded; interval: Clopper-Pearson."
    return Table("table_2_response", "Response by visit", columns, rows or nothing, [note], watermark)


def course_table(
    statistics: Statistics, config: CohortConfig, variables: Sequence[str], *, watermark: str
) -> Table:
    """Return median (range) [n] of each measurement by visit, with p of the change from baseline."""
    from helpers.cohort.dictionary import load_dictionary

    dictionary = load_dictionary()
    chosen = config.treated or config.groups[0]
    visits = [
        visit
        for visit in config.visits
        if any(statistics.find("laboratory", v, "n", group=chosen.id, timepoint=visit.id) for v in variables)
    ]
    rows = []
    for name in variables:
        digits = dictionary[name].decimals or 0
        cells = [_course_cell(statistics, name, chosen.id, visit.id, digits) for visit in visits]
        if any(cells):
            tests = statistics.select(
                analysis="laboratory", variable=name, group=chosen.id, statistic="change_test"
            )
            methods = dict.fromkeys(f"{{p}}: {test.method}, paired change from baseline" for test in tests)
            rows.append(row(verbatim(dictionary[name].label).marked(*methods), *cells))
    nothing = [message("No measurements are recorded at the visits of this cohort.")]
    notes = [
        "{Median_spread} [n]. P-values are not adjusted for the number of tests.",
        "Later visits describe the patients then alive and measured.",
    ]
    title = f"Course of laboratory values and temperature, {in_text(chosen.label)}"
    columns = ["Measurement", *[visit.label for visit in visits]]
    return Table("table_3_course", title, columns, rows or nothing, notes, watermark)


def _course_cell(statistics: Statistics, name: str, group: str, visit: str, digits: int) -> Cell:
    found = statistics.find("laboratory", name, "median", group=group, timepoint=visit)
    if found is None:
        return EMPTY
    cell = median_spread(statistics, f"laboratory.{name}.{group}.{visit}", digits)
    if any(one.sign for value in cell.values for one in value.numbers.values()):
        cell = cell.marked(LIMIT_NOTE)
    cell = cell + " [" + size(found) + "]"
    if found.n_missing:
        missing = number(found, column="n_missing")
        cell = cell.marked("Not measured in " + missing + " of the patients then alive")
    test = statistics.find("laboratory", name, "change_test", group=group, timepoint=visit)
    return cell + "; " + p_equation(test) if test else cell


def trend_table(
    statistics: Statistics, config: CohortConfig, variables: Sequence[str], *, watermark: str
) -> Table:
    """Return the weekly factor of change from the mixed model and the Friedman test of each measurement."""
    from helpers.cohort.dictionary import load_dictionary

    dictionary = load_dictionary()
    group = (config.treated or config.groups[0]).id
    rows = []
    for name in variables:
        ratio = statistics.find("trend", name, "ratio_per_week", group=group)
        blocks = statistics.find("trend", name, "friedman", group=group)
        if ratio is None or blocks is None:
            continue
        estimate = estimate_interval(ratio, 3)
        estimate = estimate.marked(sentence(ratio.note)) if ratio.note else estimate
        rows.append(row(
            dictionary[name].label, estimate, _p_with_test(ratio), size(ratio) if ratio.n else EMPTY,
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


def limits_table(
    statistics: Statistics, labels: Mapping[str, str], config: CohortConfig, *, watermark: str
) -> Table:
    """Return the comparison of each partly limited variable by what its limits may stand for."""
    rows: list[Row] = []
    for name in dict.fromkeys(found.variable for found in statistics.select(analysis="reporting_limits")):
        medians = []
        for group in config.groups:
            stem = f"reporting_limits.{name}.{group.id}.baseline"
            middle, beyond = statistics[f"{stem}.median"], statistics[f"{stem}.beyond_limit"]
            sign = middle.note if middle.note in ("<", ">") else ""
            median = f"{group.label}: median " + number(middle, sign=sign)
            medians.append(median + ", " + count_percent(beyond) + " beyond a limit")
        sure = statistics[f"reporting_limits.{name}.both.baseline.test"]
        rows += [
            heading(f"{labels.get(name, name)}. " + joined(medians, "; ")),
            row("Only sure comparisons", EMPTY, p_value(sure).marked(sentence(sure.method)), level=1),
        ]
        for found in statistics.select(analysis="reporting_limits", variable=name, group="both"):
            if found.statistic != "test":
                test = p_value(found).marked(sentence(found.method))
                rows.append(row(found.note.capitalize(), number(found), test, level=1))
    columns = ["Limited values taken as", "Difference of medians", "{p_value}"]
    nothing = [message("No baseline value is known only as a limit.")]
    notes = [f"{NOT_ESTIMABLE}: not estimable, a median has no bound."] if rows else []
    title = "Comparison under reporting limits"
    return Table("table_s4_limits", title, columns, rows or nothing, notes, watermark)


def survival_table(
    statistics: Statistics, config: CohortConfig, horizon_days: int, *, watermark: str
) -> Table:
    """Return deaths, survival at the horizon, median survival, and the comparison of the groups."""
    day = f"day_{horizon_days}"
    groups = [
        g for g in config.groups if statistics.find("survival", "death", "deaths", group=g.id, timepoint=day)
    ]
    two = len(config.groups) == 2

    def line(label: str, cells: Iterable[Cell], comparison: Cell = EMPTY, *, method: str = "") -> Row:
        name = verbatim(label).marked(sentence(method)) if method else verbatim(label)
        return row(name, *cells, *([comparison] if two else []))

    def stored(statistic: str, group: str, timepoint: str = day) -> Statistic:
        return statistics[f"survival.death.{group}.{timepoint}.{statistic}"]

    test = statistics.find("survival", "death", "logrank", group="both", timepoint=day)
    ratio = statistics.find("survival", "death", "hazard_ratio", group="both", timepoint=day)
    alive = [stored("survival", g.id) for g in groups]
    exact = [statistics.find("survival", "death", "alive_share", group=g.id, timepoint=day) for g in groups]
    medians = [stored("median", g.id, "follow_up") for g in groups]
    too_short = verbatim("not computed: follow-up ended earlier in some")
    shares = [estimate_interval(found, 1, "%", scale=100) if found else too_short for found in exact]
    rows = [
        line(f"Deaths by day {horizon_days}", [count_percent(stored("deaths", g.id)) for g in groups]),
        line(
            f"Survival at day {horizon_days}, Kaplan-Meier (95% CI)",
            [estimate_interval(found, 1, "%", scale=100) for found in alive],
            "log-rank " + p_equation(test).marked(sentence(test.method)) if test else EMPTY,
            method=alive[0].method if alive else "",
        ),
        line(
            f"Alive at day {horizon_days}, exact binomial (95% CI)",
            shares,
            method=next((found.method for found in exact if found), ""),
        ),
        line(
            "Median survival, days (95% CI)",
            [estimate_interval(found, 0) for found in medians],
            method=medians[0].method if medians else "",
        ),
    ]
    if ratio:
        estimate = estimate_interval(ratio, 2).marked(sentence(ratio.method))
        rows.append(line("Hazard ratio (95% CI)", [EMPTY for _ in groups], estimate))
    columns = ["", *[group.label for group in groups], *(["Comparison"] if two else [])]
    notes = [f"{NOT_ESTIMABLE}: not estimable."]
    return Table("table_4_survival", "Survival from day 0", columns, rows, notes, watermark)


def dose_table(statistics: Statistics, config: CohortConfig, *, watermark: str) -> Table:
    """Return the glucocorticoid dose by visit: median (range) [n] per kilogram and in milligrams."""
    rows = []
    for visit in config.visits:
        cells = []
        for arm in config.group_ids:
            for name, digits in {"dose": 1, "dose_mg": 0}.items():
                found = statistics.find("glucocorticoid", name, "median", group=arm, timepoint=visit.id)
                stem = f"glucocorticoid.{name}.{arm}.{visit.id}"
                cells.append(
                    median_spread(statistics, stem, digits) + " [" + size(found) + "]" if found else EMPTY
                )
        if any(cells):
            rows.append(row(visit.label, *cells))
    columns = [column("Visit")]
    for group in config.groups:
        columns += [column(unit, spanner=group.label) for unit in ("mg/kg/d", "mg/d")]
    nothing = [message("No glucocorticoid doses are recorded in this cohort.")]
    notes = [
        "Prednisone equivalents; {median_spread} [n]. Later visits describe the patients alive and followed."
    ]
    title = "Glucocorticoid dose by visit"
    return Table("table_5_glucocorticoid", title, columns, rows or nothing, notes, watermark)


def adverse_event_table(statistics: Statistics, config: CohortConfig, *, watermark: str) -> Table:
    """Return patients with each adverse event, and by highest grade."""
    known = statistics.select(analysis="adverse_events", statistic="count")
    names = list(dict.fromkeys(found.variable for found in known))
    general = {
        "any": "Any event",
        "serious": "Any serious event",
        "grade_3_or_higher": "Any of grade 3 or higher",
    }
    rows = []
    for name in [*general, *[n for n in names if n not in general]]:
        cells, label = [], general.get(name, name)
        for arm in config.group_ids:
            found = statistics.find("adverse_events", name, "count", group=arm)
            label = (found.note or label) if found else label
            cells += [count_percent(found) if found else EMPTY, _grades(statistics, name, arm)]
        if any(cells):
            rows.append(row(label, *cells))
    columns = [column("Event")]
    for group in config.groups:
        columns += [column(text, spanner=group.label) for text in ("{n_percent}", "grade: patients")]
    nothing = [message("No adverse events are recorded in this cohort.")]
    note = "Patients, each once per event at the highest grade; from day 0 to the horizon."
    notes = [note, "Groups are not tested against each other."]
    return Table("table_6_adverse_events", "Adverse events", columns, rows or nothing, notes, watermark)


def _grades(statistics: Statistics, name: str, group: str) -> Cell:
    grades = {
        found.statistic.removeprefix("grade_"): found
        for found in statistics.select(analysis="adverse_events", variable=name, group=group)
    }
    cells = [f"{grade}: " + number(found) for grade, found in grades.items() if grade.isdigit()]
    return joined(cells, ", ")
