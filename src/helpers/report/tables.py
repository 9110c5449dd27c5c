"""The study's tables, built from stored statistics alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from helpers.report.sentences import in_text
from helpers.report.table import INDENT, Table
from helpers.results.format import (
    EN_DASH,
    NOT_ESTIMABLE,
    format_count_percent,
    format_number,
    format_p,
    format_percent,
)
from helpers.results.store import slug

if TYPE_CHECKING:
    from helpers.analysis.variables import BaselineVariable
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistic, Statistics

BLANK = ""
NOT_RECORDED = "not recorded"


class Footnotes:
    """Gives each distinct note a letter, in order of first use."""

    def __init__(self) -> None:
        self._letters: dict[str, str] = {}

    def mark(self, note: str) -> str:
        """Return the letter of a note."""
        number = len(self._letters)
        first = chr(ord("a") + number // 26 - 1) if number >= 26 else ""
        return self._letters.setdefault(note, first + chr(ord("a") + number % 26))

    def lines(self) -> list[str]:
        """Return the notes with their letters."""
        return [f"{letter}: {note}." for note, letter in self._letters.items()]


def median_range(statistics: Statistics, stem: str, digits: int) -> str:
    """Return ``37 (18–71)`` from the rows ``stem.median``, ``.min`` and ``.max``.

    A summary known only as a limit carries ``<`` or ``>``.
    """
    median, low, high = (statistics[f"{stem}.{name}"] for name in ("median", "min", "max"))
    if median.value != median.value:
        return NOT_RECORDED
    texts = [f"{row.note}{format_number(row.value, digits)}" for row in (median, low, high)]
    return f"{texts[0]} ({texts[1]}{EN_DASH}{texts[2]})"


def estimate_interval(row: Statistic, digits: int, suffix: str = "") -> str:
    """Return ``95.0% (75.1 to 99.9)``; an open limit is NE."""
    if row.value != row.value and row.lower != row.lower:
        return NOT_ESTIMABLE
    low, high = format_number(row.lower, digits), format_number(row.upper, digits)
    return f"{format_number(row.value, digits)}{suffix} ({low} to {high})"


def _heading(statistics: Statistics, config: CohortConfig) -> list[str]:
    return [
        f"{group.label} (n = {statistics[f'group.patients.{group.id}.baseline.n'].value:.0f})"
        for group in config.groups
    ]


def baseline_table(
    statistics: Statistics, variables: Sequence[BaselineVariable], config: CohortConfig, *, stamp: str
) -> Table:
    """Return Table 1: median (range) or n (%) by group, p-value with its test, standardised difference."""
    two = len(config.groups) == 2
    notes = Footnotes()
    rows: list[list[str]] = []
    prior = False
    for variable in variables:
        if variable.name.startswith(("prior_", "glucocorticoid_week_before")) != prior:
            prior = not prior
            rows.append(["Previous therapies" if prior else "Clinical characteristics"])
        rows.extend(_baseline_rows(statistics, variable, config, notes if two else None))
    columns = ["Characteristic", *_heading(statistics, config)]
    if two:
        columns += ["P value", "Test", "Standardised difference"]
    footnotes = [
        "Median (range) or n (%) of the patients with the item recorded; [n] where that is not everybody.",
        *notes.lines(),
    ]
    if two:
        footnotes.append(
            "Standardised difference: treated minus reference in units of the pooled standard deviation; "
            "on the log scale for skewed laboratory values."
        )
    return Table("table_1", "Table 1. Baseline characteristics", columns, rows, footnotes, stamp)


def _baseline_rows(
    statistics: Statistics, variable: BaselineVariable, config: CohortConfig, notes: Footnotes | None
) -> list[list[str]]:
    if variable.kind != "categorical":
        cells = [_group_cell(statistics, variable.name, group, variable) for group in config.group_ids]
        return [[variable.label, *cells, *_comparison_cells(statistics, variable.name, notes)]]
    names = list(
        dict.fromkeys(
            row.variable
            for row in statistics.select(analysis="baseline", statistic="count")
            if row.variable.startswith(f"{variable.name}_")
        )
    )
    rows = [
        [
            variable.label,
            *[BLANK for _ in config.groups],
            *_comparison_cells(statistics, variable.name, notes),
        ]
    ]
    by_slug = {slug(level): level for level in variable.values.dropna().unique()}
    for name in names:
        level = by_slug.get(name.removeprefix(f"{variable.name}_"), name)
        cells = [_group_cell(statistics, name, group, variable) for group in config.group_ids]
        rows.append([f"{INDENT}{level}", *cells, *_comparison_cells(statistics, name, notes)])
    return rows


def _group_cell(statistics: Statistics, name: str, group: str, variable: BaselineVariable) -> str:
    stem = f"baseline.{name}.{group}.baseline"
    if variable.kind == "continuous":
        row, text = statistics[f"{stem}.median"], median_range(statistics, stem, variable.digits)
    else:
        row = statistics[f"{stem}.count"]
        text = format_count_percent(row.value, row.n or 0) if row.n else NOT_RECORDED
    return f"{text} [{row.n}]" if row.n_missing and row.n else text


def _comparison_cells(statistics: Statistics, name: str, notes: Footnotes | None) -> list[str]:
    if notes is None:
        return []
    test = statistics.find("baseline", name, "test", group="both", timepoint="baseline")
    size = statistics.find("baseline", name, "standardized_difference", group="both", timepoint="baseline")
    return [
        format_p(test.p_value) if test else BLANK,
        notes.mark(_short_method(test.method)) if test else BLANK,
        format_number(size.value, 2) if size else BLANK,
    ]


def _short_method(method: str) -> str:
    """Drop the figures of one row from a method, so that rows tested alike share a footnote."""
    import re

    return re.sub(r" \(smallest expected count [^)]*\)", "", method)


def response_table(statistics: Statistics, config: CohortConfig, *, stamp: str) -> Table:
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
            rows.append(
                [
                    f"{group.label}, {visit.label.lower()}",
                    *[format_count_percent(row.value, row.n or 0) for row in classes],
                    f"{dead.value:.0f}",
                    estimate_interval(overall, 1, "%") if overall else NOT_ESTIMABLE,
                ]
            )
    columns = ["Visit", "CR", "PR", "NR", "Died (in NR)", "Overall response (95% CI)"]
    if not rows:
        rows = [["No response assessments are recorded in this cohort."]]
    note = "CR, PR, NR: complete, partial, no response, as recorded; interval: Clopper-Pearson."
    return Table("table_2_response", "Response by visit", columns, rows, [note], stamp)


def course_table(
    statistics: Statistics, config: CohortConfig, variables: Sequence[str], *, stamp: str
) -> Table:
    """Return median (range) [n] of each measurement by visit, with p of the change from baseline."""
    from helpers.cohort.dictionary import load_dictionary

    dictionary = load_dictionary()
    chosen = config.treated or config.groups[0]
    group = chosen.id
    visits = [
        visit
        for visit in config.visits
        if any(statistics.find("laboratory", v, "n", group=group, timepoint=visit.id) for v in variables)
    ]
    rows = []
    for name in variables:
        cells = []
        for visit in visits:
            row = statistics.find("laboratory", name, "median", group=group, timepoint=visit.id)
            if row is None:
                cells.append(BLANK)
                continue
            text = median_range(
                statistics, f"laboratory.{name}.{group}.{visit.id}", dictionary[name].decimals or 0
            )
            test = statistics.find("laboratory", name, "change_test", group=group, timepoint=visit.id)
            tail = f"; p {_relation(test.p_value)}" if test else ""
            cells.append(f"{text} [{row.n}]{tail}")
        if any(cells):
            rows.append([dictionary[name].label, *cells])
    if not rows:
        rows = [["No measurements are recorded at the visits of this cohort."]]
    notes = [
        "Median (range) [n]; p: exact Wilcoxon signed-rank test of the paired change from baseline.",
        "P-values are not adjusted for the number of tests.",
        "Later visits describe the patients then alive and measured.",
    ]
    title = f"Course of laboratory values and temperature, {in_text(chosen.label)}"
    return Table("table_3_course", title, ["Measurement", *[v.label for v in visits]], rows, notes, stamp)


def _relation(p_value: float) -> str:
    text = format_p(p_value)
    return f"{text[0]} {text[1:]}" if text.startswith("<") else f"= {text}"


def trend_table(
    statistics: Statistics, config: CohortConfig, variables: Sequence[str], *, stamp: str
) -> Table:
    """Return the weekly factor of change from the mixed model and the Friedman test of each measurement."""
    from helpers.cohort.dictionary import load_dictionary

    dictionary = load_dictionary()
    group = (config.treated or config.groups[0]).id
    rows: list[list[str]] = []
    notes: dict[str, None] = {}
    for name in variables:
        ratio = statistics.find("trend", name, "ratio_per_week", group=group)
        blocks = statistics.find("trend", name, "friedman", group=group)
        if ratio is None or blocks is None:
            continue
        estimate = estimate_interval(ratio, 3)
        remark = f"; {ratio.note}" if ratio.note else ""
        rows.append([
            dictionary[name].label, f"{estimate}{remark}", _p_or_blank(ratio), str(ratio.n or BLANK),
            _p_or_blank(blocks) or blocks.note, str(blocks.n or BLANK),
        ])  # fmt: skip
        notes |= {row.method: None for row in (ratio, blocks)}
    columns = ["Measurement", "Factor a week (95% CI)", "P value", "Values", "Friedman P", "Patients"]
    nothing = [["No measurement was taken often enough for a trend."]]
    title = "Trend of measurements over the visits"
    return Table("table_8_trend", title, columns, rows or nothing, [f"{note}." for note in notes], stamp)


def _p_or_blank(row: Statistic) -> str:
    return BLANK if row.p_value != row.p_value else format_p(row.p_value)


def limits_table(
    statistics: Statistics, labels: Mapping[str, str], config: CohortConfig, *, stamp: str
) -> Table:
    """Return the comparison of each partly limited variable by what its limits may stand for."""
    rows = []
    for name in dict.fromkeys(row.variable for row in statistics.select(analysis="reporting_limits")):
        medians = []
        for group in config.groups:
            row = statistics[f"reporting_limits.{name}.{group.id}.baseline.median"]
            beyond = statistics[f"reporting_limits.{name}.{group.id}.baseline.beyond_limit"]
            medians.append(
                f"{group.label}: median {row.note}{format_number(row.value, 0)}, "
                f"{format_count_percent(beyond.value, beyond.n or 0)} beyond a limit"
            )
        sure = statistics[f"reporting_limits.{name}.both.baseline.test"]
        rows += [
            [f"{labels.get(name, name)}. {'; '.join(medians)}"],
            ["Only sure comparisons", BLANK, format_p(sure.p_value)],
        ]
        for row in statistics.select(analysis="reporting_limits", variable=name, group="both"):
            if row.statistic != "test":
                difference = format_number(row.value, 0)
                rows.append([row.note.capitalize(), difference, format_p(row.p_value)])
    columns = ["Limited values taken as", "Difference of medians", "P value"]
    nothing = [["No baseline value is known only as a limit."]]
    notes = [f"{row.method}." for row in statistics.select(analysis="reporting_limits", statistic="test")]
    if rows:
        notes += [
            "Other rows: exact rank-sum test.",
            f"{NOT_ESTIMABLE}: not estimable, a median has no bound.",
        ]
    title = "Comparison under reporting limits"
    return Table("table_s4_limits", title, columns, rows or nothing, list(dict.fromkeys(notes)), stamp)


def survival_table(statistics: Statistics, config: CohortConfig, horizon_days: int, *, stamp: str) -> Table:
    """Return deaths, survival at the horizon, median survival, and the comparison of the groups."""
    day = f"day_{horizon_days}"
    groups = [
        g for g in config.groups if statistics.find("survival", "death", "deaths", group=g.id, timepoint=day)
    ]

    def line(label: str, cells: Iterable[str], comparison: str = BLANK) -> list[str]:
        return [label, *cells, *([comparison] if len(config.groups) == 2 else [])]

    def row(statistic: str, group: str, timepoint: str = day) -> Statistic:
        return statistics[f"survival.death.{group}.{timepoint}.{statistic}"]

    test = statistics.find("survival", "death", "logrank", group="both", timepoint=day)
    ratio = statistics.find("survival", "death", "hazard_ratio", group="both", timepoint=day)
    deaths = [format_count_percent(row("deaths", g.id).value, row("deaths", g.id).n or 0) for g in groups]
    shares = [_percent_interval(row("survival", g.id)) for g in groups]
    exact = [statistics.find("survival", "death", "alive_share", group=g.id, timepoint=day) for g in groups]
    medians = [estimate_interval(row("median", g.id, "follow_up"), 0) for g in groups]
    rows = [
        line(f"Deaths by day {horizon_days}", deaths),
        line(
            f"Survival at day {horizon_days}, Kaplan-Meier (95% CI)",
            shares,
            f"log-rank p {_relation(test.p_value)}" if test else BLANK,
        ),
        line(
            f"Alive at day {horizon_days}, exact binomial (95% CI)",
            [
                _percent_interval(found) if found else "not computed: follow-up ended earlier in some"
                for found in exact
            ],
        ),
        line(
            "Median survival, days (95% CI)",
            medians,
        ),
        *(
            [line("Hazard ratio (95% CI)", [BLANK for _ in groups], estimate_interval(ratio, 2))]
            if ratio
            else []
        ),
    ]
    columns = ["", *[group.label for group in groups], *(["Comparison"] if len(config.groups) == 2 else [])]
    notes = list(dict.fromkeys(found.method + "." for found in (test, ratio) if found))
    if groups:
        notes.insert(0, row("survival", groups[0].id).method + ".")
    notes.append(f"{NOT_ESTIMABLE}: not estimable.")
    return Table("table_4_survival", "Survival from day 0", columns, rows, notes, stamp)


def _percent_interval(row: Statistic) -> str:
    low, high = format_percent(row.lower, 1), format_percent(row.upper, 1)
    return f"{format_percent(row.value, 1)} ({low} to {high})"


def dose_table(statistics: Statistics, config: CohortConfig, *, stamp: str) -> Table:
    """Return the glucocorticoid dose by visit: median (range) [n] per kilogram and in milligrams."""
    rows = []
    for visit in config.visits:
        cells = []
        for arm in config.group_ids:
            for name, digits in {"dose": 1, "dose_mg": 0}.items():
                row = statistics.find("glucocorticoid", name, "median", group=arm, timepoint=visit.id)
                stem = f"glucocorticoid.{name}.{arm}.{visit.id}"
                cells.append(f"{median_range(statistics, stem, digits)} [{row.n}]" if row else BLANK)
        if any(cells):
            rows.append([visit.label, *cells])
    columns = ["Visit"]
    for group in config.groups:
        columns += [f"{group.label}, mg/kg/d", f"{group.label}, mg/d"]
    if not rows:
        rows = [["No glucocorticoid doses are recorded in this cohort."]]
    notes = [
        "Prednisone equivalents; median (range) [n]. Later visits describe the patients alive and followed."
    ]
    title = "Glucocorticoid dose by visit"
    return Table("table_5_glucocorticoid", title, columns, rows, notes, stamp)


def adverse_event_table(statistics: Statistics, config: CohortConfig, *, stamp: str) -> Table:
    """Return patients with each adverse event, and by highest grade."""
    found = statistics.select(analysis="adverse_events", statistic="count")
    names = list(dict.fromkeys(row.variable for row in found))
    general = {
        "any": "Any event",
        "serious": "Any serious event",
        "grade_3_or_higher": "Any of grade 3 or higher",
    }
    rows = []
    for name in [*general, *[n for n in names if n not in general]]:
        cells, label = [], general.get(name, name)
        for arm in config.group_ids:
            row = statistics.find("adverse_events", name, "count", group=arm)
            label = (row.note or label) if row else label
            cells += [
                format_count_percent(row.value, row.n or 0) if row else BLANK,
                _grades(statistics, name, arm),
            ]
        if any(cells):
            rows.append([label, *cells])
    columns = ["Event"]
    for group in config.groups:
        columns += [f"{group.label}, n (%)", f"{group.label}, grade: patients"]
    if not rows:
        rows = [["No adverse events are recorded in this cohort."]]
    note = "Patients, each once per event at the highest grade; from day 0 to the horizon."
    return Table("table_6_adverse_events", "Adverse events", columns, rows, [note], stamp)


def _grades(statistics: Statistics, name: str, group: str) -> str:
    rows = [
        row
        for row in statistics.select(analysis="adverse_events", variable=name, group=group)
        if row.statistic.startswith("grade_") and row.statistic.removeprefix("grade_").isdigit()
    ]
    return ", ".join(f"{row.statistic.removeprefix('grade_')}: {row.value:.0f}" for row in rows)


def statistics_table(
    name: str,
    title: str,
    statistics: Statistics,
    analyses: Sequence[str],
    config: CohortConfig,
    *,
    digits: int = 1,
    stamp: str,
) -> Table:
    """Return stored rows as they are: what, group, estimate with interval, n and method."""
    labels = {group.id: group.label for group in config.groups}
    rows = [row for analysis in analyses for row in statistics.select(analysis=analysis)]
    body = [
        [
            f"{row.variable} {row.statistic}".replace("_", " ").capitalize(),
            labels.get(row.group, row.group),
            _value(row, digits),
            BLANK if row.n is None else str(row.n),
            row.method,
        ]
        for row in rows
    ]
    columns = ["Quantity", "Group", "Value", "n", "Method"]
    nothing = [["Nothing of this is recorded in this cohort."]]
    return Table(name, title, columns, body or nothing, (), stamp, align_left=["Method"])


def _value(row: Statistic, digits: int) -> str:
    places = 0 if row.unit == "patients" else digits
    text = format_number(row.value, places)
    if row.lower == row.lower or row.upper == row.upper:
        text += f" ({format_number(row.lower, places)} to {format_number(row.upper, places)})"
    return f"{text} {row.unit}" if row.unit and row.unit != "patients" else text
