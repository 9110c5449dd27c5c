"""Tables as plain text and csv.

>>> from helpers.report.formats.rendered import shown
>>> from helpers.report.tables.content import TableContent
>>> table = TableContent(
...     "table_2_response", "Response", ["", "Treated"], [["CR", "6 (30%)"]], ["CR: complete"]
... )
>>> lines(table), to_csv(table).splitlines()[0]
([['', 'Treated'], ['CR', '6 (30%)'], ['CR: complete']], ',Treated')
>>> one = shown(table)
>>> flat_heads(one), note_lines(one), signs(one)
(['', 'Treated'], ['CR: complete'], [''])
"""

from __future__ import annotations

import csv
import io

from helpers.report.formats.rendered import Shown, shown
from helpers.report.journals.table_themes import Theme
from helpers.report.tables.content import TableContent
from helpers.results.spreadsheet import harmless

NOTES = "Notes"


def flat_heads(one: Shown) -> list[str]:
    """Return one line of headings, each with the spanner above it."""
    above = [spanner.text for spanner in one.spanners for _ in range(spanner.width)]
    above = above or [""] * len(one.heads)
    return [
        f"{over}, {head.text}" if over else head.text for over, head in zip(above, one.heads, strict=True)
    ]


def note_lines(one: Shown) -> list[str]:
    """Return the footnotes, each with its sign, and the watermark."""
    lines = [(f"{sign}: " if sign else "") + "".join(run.text for run in runs) for sign, runs in one.notes]
    return [*lines, *([one.watermark] if one.watermark else [])]


def signs(one: Shown) -> list[str]:
    """Return the footnote signs of each row."""
    return [" ".join(dict.fromkeys(sign for cell in row.cells for sign in cell.marks)) for row in one.rows]


def lines(table: TableContent, theme: Theme | str | None = None) -> list[list[str]]:
    """Return headings, rows, notes and watermark; a last column holds the footnote signs, if any."""
    one = shown(table, theme)
    notes = signs(one)
    marked = any(notes)
    found = [[*flat_heads(one), *([one.said(NOTES)] if marked else [])]]
    for row, sign in zip(one.rows, notes, strict=True):
        texts = [cell.text for cell in row.cells]
        found.append([*texts, *([sign] if marked and row.kind == "body" else [])])
    return [*found, *([line] for line in note_lines(one))]


def to_csv(table: TableContent, theme: Theme | str | None = None) -> str:
    """Return the table as csv, notes and watermark in rows of their own below it."""
    buffer = io.StringIO()
    rows = ([harmless(text) for text in line] for line in lines(table, theme))
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()
