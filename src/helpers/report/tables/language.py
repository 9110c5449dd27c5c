"""A table in another language: its words change, its numbers do not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from helpers.report.tables.cells import Cell
from helpers.report.tables.content import Column, Row, TableContent
from helpers.report.text.phrases import exhibit_text

if TYPE_CHECKING:
    from helpers.report.text.wording import Wording

AnyTable = TypeVar("AnyTable", bound=TableContent)


def in_language(table: AnyTable, wording: Wording) -> AnyTable:
    """Return a table with title, headings, cells, notes and watermark in a language; as it is in English.

    A title that the language has for the table's name stands before one made of its words.

    >>> from helpers.report.tables.content import TableContent
    >>> from helpers.report.text.wording import Wording
    >>> table = TableContent("table_x", "Survival", ["", "Ruxolitinib"], [["Number at risk", "20"]])
    >>> in_language(table, Wording("zh")).rows[0].cells[0].parts[0][:4]
    '在险人数'
    """
    if wording.as_written:
        return table
    titles = wording.words("exhibits.toml").get("tables", {})
    named = str(titles.get(table.name, ""))
    title = named if named and "{" not in named else exhibit_text(table.title, wording)
    return replace(
        table,
        title=title,
        columns=[
            replace(one, label=_cell(one.label, wording), spanner=exhibit_text(one.spanner, wording))
            for one in table.columns if isinstance(one, Column)
        ],
        rows=[replace(one, cells=tuple(_cell(cell, wording) for cell in one.cells))
              for one in table.rows if isinstance(one, Row)],
        footnotes=[_cell(note, wording) for note in table.footnotes if isinstance(note, Cell)],
        watermark=exhibit_text(table.watermark, wording),
        wording=wording,
    )  # fmt: skip


def _cell(cell: Cell, wording: Wording) -> Cell:
    parts = tuple(exhibit_text(part, wording) if isinstance(part, str) else part for part in cell.parts)
    return Cell(parts, tuple(_cell(note, wording) for note in cell.marks))
