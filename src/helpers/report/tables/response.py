"""Response by visit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.tables.cells import count_percent, estimate_interval, number, verbatim
from helpers.report.tables.content import message, row
from helpers.report.tables.table import Table
from helpers.results.format import NOT_ESTIMABLE

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics


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
