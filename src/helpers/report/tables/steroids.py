"""Glucocorticoid dose by visit.

>>> dose_table(statistics, config, watermark="").texts[0][:3]
['Baseline', '2.7 (2.1–4.7) [20]', '133 (100–267) [20]']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.tables.cells import EMPTY, median_spread, size
from helpers.report.tables.content import column, message, row
from helpers.report.tables.table import Table
from helpers.results.catalogue import GlucocorticoidRows

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics


def dose_table(statistics: Statistics, config: CohortConfig, *, watermark: str) -> Table:
    """Return the dose to be spared by visit: median (range) [n] per kilogram and in milligrams."""
    rows = []
    for visit in config.visits:
        cells = []
        for arm in config.group_ids:
            for name, digits in {"dose": 1, "dose_mg": 0}.items():
                found = statistics.find(GlucocorticoidRows.median, name, group=arm, timepoint=visit.id)
                stem = GlucocorticoidRows.stem(name, group=arm, timepoint=visit.id)
                cells.append(
                    median_spread(statistics, stem, digits) + " [" + size(found) + "]" if found else EMPTY
                )
        if any(cells):
            rows.append(row(visit.label, *cells))
    columns = [column("Visit")]
    for group in config.groups:
        columns += [column(unit, spanner=group.label) for unit in ("mg/kg/d", "mg/d")]
    nothing = [message(f"No {config.spared_in_text} doses are recorded in this cohort.")]
    kind = "Prednisone equivalents; " if config.steroids.converted else ""
    notes = [f"{kind}{{median_spread}} [n]. Later visits describe the patients alive and followed."]
    title = f"{config.spared_label} dose by visit"
    return Table("table_5_glucocorticoid", title, columns, rows or nothing, notes, watermark)
