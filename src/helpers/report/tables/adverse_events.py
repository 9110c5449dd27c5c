"""Adverse events by group and grade.

>>> adverse_event_table(statistics, config, watermark="").texts[0][:3]
['Any event', '4 (20%)', '']
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from helpers.report.tables.cells import Cell, count_percent, joined, number, verbatim
from helpers.report.tables.content import column, message, row
from helpers.report.tables.table import Table
from helpers.results.catalogue import AdverseEventsRows

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistic, Statistics


def adverse_event_table(statistics: Statistics, config: CohortConfig, *, watermark: str) -> Table:
    """Return patients with each adverse event, and by highest grade."""
    known = statistics.select(AdverseEventsRows.count)
    names = list(dict.fromkeys(found.variable for found in known))
    general = {
        "any": "Any event",
        "serious": "Any serious event",
        "grade_3_or_higher": "Any of grade 3 or higher",
        "deaths": "Death from any cause",
    }
    rows = []
    for name in [*general, *[n for n in names if n not in general]]:
        cells, label = [], general.get(name, name)
        for arm in config.group_ids:
            found = statistics.find(AdverseEventsRows.count, name, group=arm)
            label = found.level if found and name not in general else label
            cells += [_patients(found), _grades(statistics, name, arm)]
        if any(cells):
            rows.append(row(label, *cells))
    columns = [column("Event")]
    for group in config.groups:
        columns += [column(text, spanner=group.label) for text in ("{n_percent}", "grade: patients")]
    nothing = [message("No adverse events are recorded in this cohort.")]
    note = "Patients, each once per event at the highest grade; from day 0 to the horizon."
    notes = [note, "Groups are not tested against each other."]
    if any(_is_open(found) for found in known):
        notes.append("Not recorded is not none: n to m of N are bounds where the record of some is open.")
    return Table("table_6_adverse_events", "Adverse events", columns, rows or nothing, notes, watermark)


def _is_open(found: Statistic) -> bool:
    return math.isnan(found.value) or bool(found.n_missing)


def _patients(found: Statistic | None) -> Cell:
    """Return a count with its share, the bounds of one that is known in part, or that nothing is known."""
    if found is None or math.isnan(found.value):
        return verbatim("not recorded")
    if found.n_missing:
        bounds = number(found, column="lower") + " to " + number(found, column="upper")
        return bounds + " of " + number(found, column="n")
    return count_percent(found)


def _grades(statistics: Statistics, name: str, group: str) -> Cell:
    grades = {
        found.statistic.removeprefix("grade_"): found
        for found in statistics.select(AdverseEventsRows, variable=name, group=group)
    }
    known = {grade: found for grade, found in grades.items() if grade.isdigit() or grade == "not_recorded"}
    cells = [f"{grade.replace('_', ' ')}: " + number(found) for grade, found in known.items()]
    return joined(cells, ", ")
