"""Tables as a workbook, one sheet a table.

>>> from helpers.report.formats.rendered import shown
>>> from helpers.report.tables.content import TableContent
>>> table = TableContent("table_2_response", "Response", ["", "Treated"], [["CR", "6 (30%)"]])
>>> tables_workbook([table])[:2], sheet_name(shown(table)), sheet_name(shown(table), ["Table 2"])
(b'PK', 'Table 2', 'Table 2 (2)')
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.styles import Alignment, Border, Font, Side  # type: ignore[import-untyped]
from openpyxl.utils import get_column_letter  # type: ignore[import-untyped]
from openpyxl.worksheet.worksheet import Worksheet  # type: ignore[import-untyped]

from helpers.report.formats.archive import reproducible
from helpers.report.formats.ideas import ROLES, Idea
from helpers.report.formats.measure import measure, text_width
from helpers.report.formats.rendered import Shown, ShownRow, shown
from helpers.report.formats.text import NOTES, note_lines, signs
from helpers.report.journals.table_themes import Theme
from helpers.report.tables.content import TableContent

_POINTS = 11
_MM_A_SIGN = 2.1  # width of a digit in Excel's own font
_WIDEST = 60
_UPRIGHT = 90  # digits that an upright page takes at a size that can be read
_LINE = 15  # height of a line in points
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\']")


def tables_workbook(tables: Iterable[TableContent], theme: Theme | str | None = None) -> bytes:
    """Return a workbook of these tables as a file's content, the same at each writing.

    One idea a cell: a count and its percentage, an estimate and its limits stand in columns of their own
    below the table's heading, each number in full and shown with the table's decimals. Words stay words.
    Signs of footnotes stand in a last column.
    """
    book = Workbook()
    book.remove(book.worksheets[0])
    for table in tables:
        one = shown(table, theme)
        _sheet(book.create_sheet(sheet_name(one, book.sheetnames)), one)
    if not book.sheetnames:
        book.create_sheet("Tables")
    buffer = io.BytesIO()
    book.save(buffer)
    return reproducible(buffer.getvalue())


def sheet_name(one: Shown, taken: Iterable[str] = ()) -> str:
    """Return a sheet's name: ``Table 1``, or the table's own; a number is added where it is taken."""
    name = _NOT_IN_NAMES.sub(" ", one.label or one.name)[:31]
    others, number = {other.lower() for other in taken}, 2
    unique = name
    while unique.lower() in others:
        unique = f"{name[:27]} ({number})"
        number += 1
    return unique


@dataclass(frozen=True)
class _Columns:
    """Which columns of a sheet a column of the table takes: one for each role of its numbers."""

    roles: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, one: Shown) -> _Columns:
        body = [row for row in one.rows if row.kind == "body"]
        found = []
        for i in range(len(one.heads)):
            seen = {idea.role for row in body for idea in row.cells[i].ideas}
            found.append(tuple(role for role in ROLES if role in seen) or ("",))
        return cls(tuple(found))

    @property
    def parted(self) -> bool:
        """Whether any column is more than one."""
        return any(len(roles) > 1 for roles in self.roles)

    @property
    def width(self) -> int:
        """Number of columns."""
        return sum(map(len, self.roles))

    def start(self, i: int) -> int:
        """First column, counted from 1, of a column of the table."""
        return 1 + sum(map(len, self.roles[:i]))


def _sheet(sheet: Worksheet, one: Shown) -> None:
    columns, marks = _Columns.of(one), signs(one)
    sheet.append([_clean(one.caption)])
    sheet["A1"].font = Font(bold=True)
    first = 2
    if one.spanners:
        for spanner in (found for found in one.spanners if found.text):
            last = columns.start(spanner.start + spanner.width) - 1
            _head(sheet, first, columns.start(spanner.start), last, spanner.text)
        first += 1
    heads = first + columns.parted
    for i, (head, roles) in enumerate(zip(one.heads, columns.roles, strict=True)):
        start = columns.start(i)
        whole = first if len(roles) > 1 else heads
        _head(sheet, whole, start, start + len(roles) - 1, head.text, left=one.left[i])
        for n, role in enumerate(roles if len(roles) > 1 else ()):
            _head(sheet, heads, start + n, start + n, one.said(role))
    if any(marks):
        _head(sheet, heads, columns.width + 1, columns.width + 1, one.said(NOTES))
    for column in range(1, columns.width + 1 + any(marks)):
        sheet.cell(heads, column).border = Border(bottom=Side(style="thin"))
    widths = _widths(one, columns)
    for number, (row, sign) in enumerate(zip(one.rows, marks, strict=True), start=heads + 1):
        _row(sheet, number, row, columns, one.left)
        if sign:
            _text(sheet, number, columns.width + 1, sign, left=False)
        if row.kind == "body":
            sheet.row_dimensions[number].height = _LINE * _lines(row, columns, widths)
    _foot(sheet, one, heads, widths)


def _head(sheet: Worksheet, row: int, start: int, end: int, text: str, *, left: bool = False) -> None:
    _text(sheet, row, start, text, left=left)
    sheet.cell(row, start).font = Font(bold=True)
    if end > start:
        sheet.merge_cells(start_row=row, end_row=row, start_column=start, end_column=end)


def _row(
    sheet: Worksheet, number: int, row: ShownRow, columns: _Columns, flush: tuple[bool, ...]
) -> None:  # fmt: skip
    for i, content in enumerate(row.cells):
        start, roles = columns.start(i), columns.roles[i]
        left = row.kind != "body" or flush[i]
        if content.ideas:
            for idea in content.ideas:
                _number(sheet.cell(number, start + roles.index(idea.role)), idea)
            continue
        _text(sheet, number, start, content.text, left=left, level=row.level if i == 0 else 0,
              wrap=row.kind == "body")  # fmt: skip
        if row.kind == "body" and content.text and len(roles) > 1:
            sheet.merge_cells(start_row=number, end_row=number, start_column=start,
                              end_column=start + len(roles) - 1)  # fmt: skip
        if row.kind == "heading":
            sheet.cell(number, start).font = Font(bold=True)


def _number(cell: Any, idea: Idea) -> None:
    cell.alignment = Alignment(horizontal="center", vertical="top")
    if idea.form:
        cell.value = int(idea.value) if idea.form == "0" and idea.value == int(idea.value) else idea.value
        cell.number_format = idea.form
    else:
        cell.value, cell.data_type = idea.text, "s"


def _text(
    sheet: Worksheet, row: int, column: int, text: str, *, left: bool, level: int = 0, wrap: bool = True
) -> None:  # fmt: skip
    cell: Any = sheet.cell(row, column)
    if text:
        cell.value, cell.data_type = _clean(text), "s"  # a text that begins with = is no formula
    cell.alignment = Alignment(
        horizontal="left" if left else "center", vertical="top", wrap_text=wrap, indent=level
    )


def _widths(one: Shown, columns: _Columns) -> list[float]:
    """Return the width of each column of the sheet in digits, as a workbook counts it."""
    table = measure(one, _POINTS).widths
    found: list[float] = []
    for i, (mm, roles) in enumerate(zip(table, columns.roles, strict=True)):
        if len(roles) == 1:
            found.append(min(_WIDEST, mm / _MM_A_SIGN + 1))
            continue
        cells = [row.cells[i].ideas for row in one.rows if row.kind == "body"]
        for role in roles:
            texts = [one.said(role), *(idea.text for ideas in cells for idea in ideas if idea.role == role)]
            found.append(max(text_width(text, _POINTS) for text in texts) / _MM_A_SIGN + 2)
        # Words that stand across the columns, and the heading, need their room as well.
        words = [one.heads[i].text, *(row.cells[i].text for row in one.rows
                                      if row.kind == "body" and not row.cells[i].ideas)]  # fmt: skip
        wanted = min(_WIDEST, max(text_width(text, _POINTS) for text in words) / _MM_A_SIGN + 2)
        lack = max(0.0, wanted - sum(found[-len(roles) :])) / len(roles)
        found[-len(roles) :] = [width + lack for width in found[-len(roles) :]]
    return [round(width, 1) for width in found]


def _lines(row: ShownRow, columns: _Columns, widths: list[float]) -> int:
    """Return how many lines the longest text of a row takes."""
    most = 1
    for i, cell in enumerate(row.cells):
        if not cell.ideas and cell.text:
            start = columns.start(i) - 1
            room = sum(widths[start : start + len(columns.roles[i])]) * _MM_A_SIGN
            most = max(most, math.ceil(1.05 * text_width(cell.text, _POINTS) / room))
    return most


def _foot(sheet: Worksheet, one: Shown, heads: int, widths: list[float]) -> None:
    """Write the notes, and set what shows when the sheet is scrolled or printed."""
    for number, note in enumerate(note_lines(one), start=heads + len(one.rows) + 1):
        _text(sheet, number, 1, note, left=True, wrap=False)
    for i, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(i)].width = width
    sheet.freeze_panes = sheet.cell(heads + 1, 2)
    sheet.print_title_rows = f"1:{heads}"
    sheet.page_setup.orientation = "landscape" if sum(widths) > _UPRIGHT else "portrait"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _clean(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)
