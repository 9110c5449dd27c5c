"""Adverse events by group and grade."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.tables.cells import EMPTY, Cell, count_percent, joined, number
from helpers.report.tables.content import column, message, row
from helpers.report.tables.table import Table

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics


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
