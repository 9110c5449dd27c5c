"""Tables as a workbook, one sheet a table."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import Any

from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.styles import Alignment, Border, Font, Side  # type: ignore[import-untyped]
from openpyxl.utils import get_column_letter  # type: ignore[import-untyped]
from openpyxl.worksheet.worksheet import Worksheet  # type: ignore[import-untyped]

from helpers.report.formats.archive import reproducible
from helpers.report.formats.measure import measure
from helpers.report.formats.rendered import Shown, ShownCell, shown
from helpers.report.formats.text import NOTES, note_lines, signs
from helpers.report.journals.table_themes import Theme
from helpers.report.tables.content import TableContent

_POINTS = 11
_MM_A_SIGN = 2.1  # width of a digit in Excel's own font
_WIDEST = 60
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\']")


def tables_workbook(tables: Iterable[TableContent], theme: Theme | str | None = None) -> bytes:
    """Return a workbook of these tables as a file's content, the same at each writing.

    A cell that is one number holds the number as it is stored, shown with the table's decimals; every other
    cell holds its text. Signs of footnotes stand in a last column.
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


def _sheet(sheet: Worksheet, one: Shown) -> None:
    marks = signs(one)
    width = len(one.heads) + any(marks)
    sheet.append([_clean(one.caption)])
    sheet["A1"].font = Font(bold=True)
    if one.spanners:
        _spanner_row(sheet, one)
    heads = sheet.max_row + 1
    for i, head in enumerate(one.heads, start=1):
        _write(sheet, heads, i, head, bold=True, left=one.left[i - 1])
    if any(marks):
        sheet.cell(heads, width, NOTES).font = Font(bold=True)
    line = Side(style="thin")
    for cell in sheet[heads]:
        cell.border = Border(bottom=line)
    for number, (row, sign) in enumerate(zip(one.rows, marks, strict=True), start=heads + 1):
        for i, content in enumerate(row.cells, start=1):
            level = row.level if i == 1 else 0
            left = row.kind != "body" or one.left[i - 1]
            _write(sheet, number, i, content, bold=row.kind == "heading", left=left, level=level)
        if sign:
            sheet.cell(number, width, sign).alignment = Alignment(horizontal="center", vertical="top")
    _foot(sheet, one, heads)


def _spanner_row(sheet: Worksheet, one: Shown) -> None:
    for spanner in (found for found in one.spanners if found.text):
        cell: Any = sheet.cell(2, spanner.start + 1)
        cell.value, cell.data_type = _clean(spanner.text), "s"
        cell.font, cell.alignment = Font(bold=True), Alignment(horizontal="center")
        if spanner.width > 1:
            last = spanner.start + spanner.width
            sheet.merge_cells(start_row=2, end_row=2, start_column=spanner.start + 1, end_column=last)


def _write(
    sheet: Worksheet,
    row: int,
    column: int,
    content: ShownCell,
    *,
    bold: bool = False,
    left: bool,
    level: int = 0,
) -> None:
    cell: Any = sheet.cell(row, column)
    if content.number is not None:
        value = content.number.value
        cell.value = int(value) if value == int(value) and not content.digits else value
        cell.number_format = "0." + "0" * content.digits if content.digits else "0"
    elif content.text:
        cell.value, cell.data_type = _clean(content.text), "s"  # a text that begins with = is no formula
    cell.alignment = Alignment(
        horizontal="left" if left else "center", vertical="top", wrap_text=True, indent=level
    )
    if bold:
        cell.font = Font(bold=True)


def _foot(sheet: Worksheet, one: Shown, heads: int) -> None:
    """Write the notes, and set what shows when the sheet is scrolled or printed."""

    size = measure(one, _POINTS)
    for number, note in enumerate(note_lines(one), start=heads + len(one.rows) + 1):
        cell: Any = sheet.cell(number, 1)
        cell.value, cell.data_type = _clean(note), "s"
        cell.alignment = Alignment(horizontal="left", vertical="top", wrap_text=False)
    for i, mm in enumerate(size.widths, start=1):
        sheet.column_dimensions[get_column_letter(i)].width = round(min(_WIDEST, mm / _MM_A_SIGN + 1), 1)
    for number, row in enumerate(one.rows, start=heads + 1):
        if row.kind != "body":
            sheet.cell(number, 1).alignment = Alignment(horizontal="left", vertical="top", wrap_text=False)
    sheet.freeze_panes = sheet.cell(heads + 1, 2)
    sheet.print_title_rows = f"1:{heads}"
    sheet.page_setup.orientation = "landscape" if size.landscape else "portrait"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _clean(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)
