"""Tables of the data themselves: faults, what became of each row, the visit plan.

>>> visit_table(statistics, config, watermark="").texts[0][:3]
['Baseline', '0', '−7 to 0']
>>> problem_table([], watermark="").texts
[['Nothing to report: every check passed.']]
>>> from helpers.cohort.flow import row_flow
>>> row_table(row_flow(tables), watermark="").texts[0][:4]
['patients', 'used', '', '']
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from helpers.report.tables.cells import number
from helpers.report.tables.content import column, message, row
from helpers.report.tables.table import Table
from helpers.results.catalogue import PlanRows

if TYPE_CHECKING:
    import pandas as pd

    from helpers.cohort.config import CohortConfig
    from helpers.cohort.report_settings import Ids
    from helpers.problems import Problem
    from helpers.results.store import Statistics

BLANK = ""


def problem_table(problems: Sequence[Problem], *, watermark: str, ids: Ids = "study") -> Table:
    """Return what is wrong or doubtful in the raw tables, a row for each cause, worst first.

    With ``ids`` none it leaves out the lines and what was found there, which may be the id of a patient.
    """
    from helpers.problems import fold_by_cause

    rows = [
        row(
            p.severity,
            str(p.file),
            str(p.row or BLANK) if ids == "study" else BLANK,
            str(p.column or BLANK),
            p.found if ids == "study" else BLANK,
            p.expected,
            p.remedy if ids == "study" else BLANK,
        )
        for p in fold_by_cause(problems)
    ]
    names = ["Severity", "File", "Row", "Column", "Found", "Expected", "Remedy"]
    columns = [column(name, left=True) for name in names]
    nothing = [message("Nothing to report: every check passed.")]
    return Table("table_s1_checks", "Checks of the raw tables", columns, rows or nothing, (), watermark)


def row_table(rows: pd.DataFrame, *, watermark: str) -> Table:
    """Return raw rows by table, disposition, reason for exclusion and role at the visits."""
    shown = rows[["table", "disposition", "reason", "role", "n"]].fillna(BLANK)
    body = [row(*map(str, line)) for line in shown.to_numpy()]
    columns = [column(name, left=True) for name in ("Raw table", "Disposition", "Reason", "Role")]
    title = "What became of each raw row"
    return Table("table_s2_rows", title, [*columns, "Rows"], body, (), watermark)


def visit_table(statistics: Statistics, config: CohortConfig, *, watermark: str) -> Table:
    """Return the visit plan: nominal day and window of each visit."""
    rows = []
    for visit in config.visits:
        day, first, last = (
            number(statistics[PlanRows.named(name).id(visit.id, timepoint="baseline")])
            for name in ("day", "first", "last")
        )
        rows.append(row(visit.label, day, first + " to " + last))
    return Table(
        "table_s3_visits", "Visit plan", ["Visit", "Nominal day", "Days that count"], rows, (), watermark
    )
