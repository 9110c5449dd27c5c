"""Response by visit.

>>> response_table(statistics, config, watermark="").texts[0][:3]
['Ruxolitinib, week 1', '0 (0%)', '9 (45%)']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.tables.cells import count_percent, estimate_interval, number, verbatim
from helpers.report.tables.content import message, row
from helpers.report.tables.table import Table
from helpers.results.catalogue import ResponseRows
from helpers.results.format import NOT_ESTIMABLE
from helpers.results.store import slug
from helpers.vocabulary.response_levels import DEFAULT_LEVELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics
    from helpers.vocabulary.response_levels import ResponseLevel


def response_table(statistics: Statistics, config: CohortConfig, *, watermark: str) -> Table:
    """Return the response by visit: each level, and the overall response rate with its exact interval."""
    rows, levels = [], config.response_levels
    for group in config.groups:
        for visit in config.visits:
            if not statistics.find(ResponseRows.dead, "class", group=group.id, timepoint=visit.id):
                continue
            stem = ResponseRows.stem("class", group=group.id, timepoint=visit.id)
            classes = [statistics[ResponseRows.named(slug(level.id)).at(stem)] for level in levels]
            dead = statistics[ResponseRows.dead.at(stem)]
            overall = statistics.find(ResponseRows.rate, "overall", group=group.id, timepoint=visit.id)
            rate = verbatim(NOT_ESTIMABLE)
            if overall:
                rate = estimate_interval(overall, 1, "%")
            cells = [count_percent(found) for found in classes]
            rows.append(row(f"{group.label}, {visit.label.lower()}", *cells, number(dead), rate))
    within = any(level.id == "NR" for level in levels) and config.response.dead_is == "NR"
    died = "Died (in NR)" if within else "Died"
    columns = ["Visit", *(level.id for level in levels), died, "Overall response (95% CI)"]
    nothing = [message("No response assessments are recorded in this cohort.")]
    notes = [f"{level_words(levels)}, as recorded; interval: Clopper-Pearson."]
    if tuple(level.id for level in levels) != DEFAULT_LEVELS:
        notes.append(f"Overall response: {', '.join(config.responding)}.")
    if not within and config.response.dead_is == "NR":
        notes.append("The dead are in the denominator, without response.")
    return Table("table_2_response", "Response by visit", columns, rows or nothing, notes, watermark)


def level_words(levels: Sequence[ResponseLevel]) -> str:
    """Return what the names of levels mean: ``CR, PR, NR: complete, partial, no response``.

    >>> level_words(config.response_levels)
    'CR, PR, NR: complete, partial, no response'
    """
    names = ", ".join(level.id for level in levels)
    if tuple(level.id for level in levels) == DEFAULT_LEVELS:
        return f"{names}: complete, partial, no response"
    return f"{names}: {', '.join(level.label.lower() for level in levels)}"
