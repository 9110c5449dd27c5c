"""Course of any measurement over the visits, and the patients behind a point of it.

>>> from helpers.explore.study import open_study
>>> seen = open_study("rdmas_reconstructed")
>>> course(seen, variable="ferritin").name, "ferritin" in followed(seen)
('exploratory_ferritin', True)
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.analysis.laboratory import describe_course
from helpers.explore.look import Look, Picture, panel
from helpers.explore.parts import EVERYONE, Patients, choose
from helpers.explore.study import ExplorationError, Study
from helpers.problems import closest
from helpers.report.figures.course import Course, draw_courses, laboratory_courses
from helpers.report.tables.cells import Cell
from helpers.report.tables.content import Row, message, row
from helpers.report.tables.course import course_table
from helpers.report.tables.table import Table
from helpers.results.format import format_number
from helpers.results.store import StatisticsStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure, SubFigure

    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics

_HEIGHT = 85.0
_MOST_BESIDE = 3


@panel
def course(
    study: Study,
    *,
    variable: str,
    patients: Patients = EVERYONE,
    visit: str = "",
    log: bool | None = None,
    journal: str = "generic",
) -> Look:
    """Show a measurement over the visits, a panel a group or part; list the patients behind a visit's point.

    Args:
        study: the cohort.
        variable: name of the measurement.
        patients: whom it is about; a split by ``death`` shows those who died beside the others.
        visit: visit whose values are listed, patient by patient, instead of the summary.
        log: whether the axis is logarithmic; None: as usual for the measurement.
        journal: whose sizes and manner are used.

    Raises:
        ExplorationError: it cannot be shown; the message says why.
    """
    if not followed(study):
        raise ExplorationError("No measurements are recorded at the visits of this cohort.")
    if variable not in followed(study):
        near = closest(variable, tuple(followed(study)))
        hint = f"Did you mean {near!r}?" if near else f"There are: {', '.join(followed(study))}."
        raise ExplorationError(f"{variable!r} is not measured at the visits.", remedy=hint)
    chosen = choose(study, patients, known_by=float("inf"))
    of_one = chosen.study.config.course.model_copy(update={"variables": (variable,)})
    view = chosen.study.with_(chosen.study.config.model_copy(update={"course": of_one}), chosen.study.tables)
    store = StatisticsStore(Path(), "explore")
    describe_course(view.tables, view.config, store, confidence=0.95)  # whose intervals are not shown
    rows, label = store.rows(), view.config.vocabulary[variable].label
    courses = [_course_of(view, config, log=log) for config in _each(view.config)]
    table = _values(view, variable, visit) if visit else _summary(view, rows, variable)
    measured = sum(len(one.patients) > 0 for one in courses)
    picture = Picture(
        draw_parts, (courses, rows, view.config), "double" if measured > 1 else "one_and_a_half", _HEIGHT,
        f"{label} over the visits: each patient, medians and quartiles",
    )  # fmt: skip
    name = f"exploratory_{variable}"
    return Look(name, view, picture, replace(table, name=name), rows, chosen.notes, journal)


def followed(study: Study) -> list[str]:
    """Return the measurements that stand at more than one visit, those that the cohort follows first."""
    visits = study.tables.visits.groupby("variable")["visit"].nunique()
    there = [name for name in visits.index if name in study.config.vocabulary]
    first = [name for name in study.config.course.variables if name in there]
    return [*first, *sorted(set(there) - set(first))]


def _each(config: CohortConfig) -> list[CohortConfig]:
    """Return the settings as if each group were the only one."""
    return [config.model_copy(update={"groups": (group,)}) for group in config.groups]


def _course_of(study: Study, config: CohortConfig, *, log: bool | None) -> Course:
    (found,) = laboratory_courses(study.tables, config)
    words = f"{config.groups[0].label}: {found.label}"
    return replace(found, label=words, log=found.log if log is None else log)


def draw_parts(
    container: Figure | SubFigure, courses: Sequence[Course], statistics: Statistics, config: CohortConfig
) -> None:
    """Draw a panel a group, all with one vertical scale."""
    pairs = [pair for pair in zip(courses, _each(config), strict=True) if len(pair[0].patients)]
    if len(pairs) < 2:
        one, alone = pairs[0] if pairs else (courses[0], config)
        draw_courses(container, [one], statistics, alone, columns=1)
        return
    across = min(len(pairs), _MOST_BESIDE)
    grid = list(container.subfigures(-(-len(pairs) // across), across, squeeze=False).flat)
    for part, (one, alone) in zip(grid, pairs, strict=False):
        draw_courses(part, [one], statistics, alone, columns=1)
    drawn = [axes for part in grid for axes in part.axes]
    low = min(axes.get_ylim()[0] for axes in drawn)
    high = max(axes.get_ylim()[1] for axes in drawn)
    widest = max(drawn, key=lambda axes: axes.get_ylim()[1] - axes.get_ylim()[0])
    for axes in drawn:
        axes.yaxis.set_major_locator(copy(widest.yaxis.get_major_locator()))
        axes.set_ylim(low, high)


def _summary(study: Study, statistics: Statistics, variable: str) -> Table:
    """Return median, range and number of values by group and visit."""
    config = study.config
    parts = [
        (one.groups[0].label, course_table(statistics, one, [variable], watermark=study.watermark))
        for one in _each(config)
    ]
    labels = [visit.label for visit in config.visits]
    rows: list[Row] = []
    shown = [label for label in labels if any(label in _headings(table) for _, table in parts)]
    for name, table in parts:
        headings = _headings(table)
        for one in table.rows:
            if isinstance(one, Row) and one.kind == "body":
                cells = dict(zip(headings, one.cells, strict=True))
                rows.append(row(name, *[cells.get(label, Cell()) for label in shown]))
    title = f"Exploratory. Course of {config.vocabulary[variable].label}"
    notes = parts[0][1].footnotes
    nothing = [message("Not measured at the visits of these patients.")]
    return Table("exploratory", title, ["Group", *shown], rows or nothing, notes, study.watermark)


def _headings(table: Table) -> list[str]:
    return [
        "".join(str(part) for part in one.label.parts) for one in table.columns if not isinstance(one, str)
    ]


def _values(study: Study, variable: str, visit: str) -> Table:
    """Return the value of each patient at a visit, from low to high, with its day and source row."""
    config = study.config
    known = [one.id for one in config.visits]
    if visit not in known:
        raise ExplorationError(f"No visit {visit!r}.", remedy=f"There are: {', '.join(known)}.")
    found = study.tables.visits
    found = found[(found["variable"] == variable) & (found["visit"] == visit)]
    found = found.merge(study.tables.patients[["patient_id", "group"]], on="patient_id")
    digits = config.vocabulary[variable].decimals or 0
    rows = [
        row(
            str(one["patient_id"]), config.group(one["group"]).label,
            f"{one['qualifier']}{format_number(one['value'], digits)}", f"{one['day']}",
            f"{one['source_row']}",
        )
        for one in found.sort_values(["value", "patient_id"]).to_dict("records")
    ]  # fmt: skip
    label = config.vocabulary[variable].label
    title = f"Exploratory. {label} at {config.visit(visit).label.lower()}, patient by patient"
    columns = ["Patient", "Group", label, "Day", "Line of measurements"]
    nothing = [message("Not measured at this visit.")]
    return Table("exploratory", title, columns, rows or nothing, (), study.watermark)
