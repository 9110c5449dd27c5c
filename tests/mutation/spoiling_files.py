"""Classes of faults of a hospital's files: each changes them in place and says what it did, or nothing."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import openpyxl
from spoiling import Rng, pick

_NUMBER = re.compile(r"^[<>]?[-+]?\d+(?:[.,]\d+)*$")
_SERIAL_ZERO = datetime(1899, 12, 30)


@dataclass
class Sheet:
    """One table as it stands in a file: rows of cells, and cells that are merged."""

    file: str
    name: str
    rows: list[list[object]]
    merged: list[tuple[int, int, int, int]]
    hidden: bool = False

    @property
    def data(self) -> range:
        """Rows of data: from the first one with two numbers or dates up to the next empty one."""
        first = next((n for n, row in enumerate(self.rows) if sum(map(_is_datum, row)) >= 2), None)
        first = self._second() if first is None else first
        last = next((n for n in range(first, len(self.rows)) if not any(map(_filled, self.rows[n]))), None)
        return range(first, len(self.rows) if last is None else last)

    def _second(self) -> int:
        """Below the first row with several cells, for tables of words."""
        return next(n for n, row in enumerate(self.rows) if sum(map(_filled, row)) >= 2) + 1

    @property
    def header(self) -> int:
        """The row of names just above the data."""
        return self.data.start - 1

    def cells(self, test: Callable[[object], bool]) -> list[tuple[int, int]]:
        return [(r, c) for r in self.data for c, cell in enumerate(self.rows[r]) if test(cell)]

    def insert_row(self, place: int, cells: list[object]) -> None:
        width = max(map(len, self.rows))
        self.rows.insert(place, cells + [None] * (width - len(cells)))
        self.merged = [
            (top + (top >= place), left, bottom + (bottom >= place), right)
            for top, left, bottom, right in self.merged
        ]


def _filled(cell: object) -> bool:
    return cell not in (None, "")


def _is_datum(cell: object) -> bool:
    return is_number(cell) or is_date(cell)


def is_number(cell: object) -> bool:
    return isinstance(cell, int | float) or (isinstance(cell, str) and bool(_NUMBER.match(cell)))


def is_date(cell: object) -> bool:
    written = isinstance(cell, str) and re.match(r"^(\d{1,2}[/.]\d{1,2}[/.]\d{4}|\d{4}-\d{2}-\d{2})$", cell)
    return isinstance(cell, date) or bool(written)


def is_word(cell: object) -> bool:
    return isinstance(cell, str) and bool(cell) and not _is_datum(cell)


@dataclass
class Files:
    """The files of a delivery by name, and how text among them is written."""

    shape: str
    content: dict[str, bytes]
    separator: str = ","
    encoding: str = "utf-8"

    def sheets(self) -> list[Sheet]:
        """Tables of all files, without data dictionaries."""
        found: list[Sheet] = []
        for name, content in self.content.items():
            if "Dictionary" in name:
                continue
            if name.endswith(".xlsx"):
                book = openpyxl.load_workbook(io.BytesIO(content))
                for sheet in book.worksheets:
                    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
                    merged = [
                        (one.min_row - 1, one.min_col - 1, one.max_row - 1, one.max_col - 1)
                        for one in sheet.merged_cells.ranges
                    ]
                    found.append(Sheet(name, sheet.title, rows, sorted(merged)))
            else:
                text = content.decode(self.encoding)
                rows = [list(row) for row in csv.reader(io.StringIO(text), delimiter=self.separator)]
                found.append(Sheet(name, "", rows, []))
        return found

    def text(self) -> str:
        """Name of one file of text; empty if there is none."""
        names = [name for name in self.content if name.endswith(".csv") and "Dictionary" not in name]
        return names[0] if names else ""

    def put(self, sheets: list[Sheet]) -> None:
        """Write the tables into their files."""
        for name in dict.fromkeys(sheet.file for sheet in sheets):
            own = [sheet for sheet in sheets if sheet.file == name]
            self.content[name] = (
                _workbook(own)
                if name.endswith(".xlsx")
                else _text(own[0].rows, self.separator).encode(self.encoding, "replace")
            )


def _text(rows: list[list[object]], separator: str) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator, lineterminator="\r\n")
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return buffer.getvalue()


def _workbook(sheets: list[Sheet]) -> bytes:
    book = openpyxl.Workbook()
    del book["Sheet"]
    for sheet in sheets:
        made = book.create_sheet(sheet.name)
        for row in sheet.rows:
            made.append(row)
        for top, left, bottom, right in sheet.merged:
            made.merge_cells(
                start_row=top + 1, start_column=left + 1, end_row=bottom + 1, end_column=right + 1
            )
        if sheet.hidden:
            made.sheet_state = "hidden"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


FILE_CLASSES: dict[str, Callable[[Files, Rng], str]] = {}
# Faults that only a mapping from before can know: what is not there at the first time is not missed.
AGAIN_ONLY: set[str] = set()


def file_fault(function: Callable[[Files, Rng], str]) -> Callable[[Files, Rng], str]:
    FILE_CLASSES[function.__name__] = function
    return function


def again_only(function: Callable[[Files, Rng], str]) -> Callable[[Files, Rng], str]:
    AGAIN_ONLY.add(function.__name__)
    return file_fault(function)


def _on_a_sheet(change: Callable[[Sheet, Rng], str]) -> Callable[[Files, Rng], str]:
    """A change of one table, drawn among all, as a change of the files."""

    def changed(files: Files, rng: Rng) -> str:
        sheets = files.sheets()
        sheet = pick(rng, sheets)
        said = change(sheet, rng)
        if said:
            files.put(sheets)
        return f"{sheet.file} [{sheet.name}]: {said}" if said else ""

    changed.__name__ = change.__name__
    return changed


def on_a_sheet(change: Callable[[Sheet, Rng], str]) -> Callable[[Files, Rng], str]:
    return file_fault(_on_a_sheet(change))


# --- cells ------------------------------------------------------------------------------------------------


def _one_cell(sheet: Sheet, rng: Rng, test: Callable[[object], bool], texts: list[object]) -> str:
    cells = sheet.cells(test)
    if not cells:
        return ""
    row, column = pick(rng, cells)
    old, new = sheet.rows[row][column], pick(rng, texts)
    sheet.rows[row][column] = new
    return f"row {row + 1}, column {column + 1}: {old!r} -> {new!r}"


@on_a_sheet
def text_for_a_number(sheet: Sheet, rng: Rng) -> str:
    return _one_cell(
        sheet, rng, is_number, ["high", "12..5", "1O5", "abc", "5 or 6", "~~", "n.n.", "∞", "3-4x"]
    )


@on_a_sheet
def number_out_of_place(sheet: Sheet, rng: Rng) -> str:
    return _one_cell(sheet, rng, is_number, ["-77777", "9999999999", "1e300"])


@on_a_sheet
def error_of_a_formula(sheet: Sheet, rng: Rng) -> str:
    return _one_cell(sheet, rng, is_number, ["#N/A", "#REF!", "#DIV/0!", "#VALUE!"])


@on_a_sheet
def formula_without_result(sheet: Sheet, rng: Rng) -> str:
    return _one_cell(sheet, rng, is_number, ["=A1+1", "=SUM(B2:B4)"]) if sheet.name else ""


@on_a_sheet
def date_spoilt(sheet: Sheet, rng: Rng) -> str:
    texts = ["2023-02-30", "31/02/2023", "soon", "1900-01-01", "03/04/21", "2031-13-01", "May", "2202-05-03"]
    return _one_cell(sheet, rng, is_date, texts)


@on_a_sheet
def word_unknown(sheet: Sheet, rng: Rng) -> str:
    """A word among the data, but not of a column of remarks."""
    return _one_cell(sheet, rng, lambda cell: is_word(cell) and len(str(cell)) < 16, ["zzqq", "??", "3"])


@on_a_sheet
def decimal_comma_in_one_cell(sheet: Sheet, rng: Rng) -> str:
    cells = sheet.cells(lambda cell: isinstance(cell, float) or bool(re.match(r"^\d+\.\d$", str(cell))))
    if not cells:
        return ""
    row, column = pick(rng, cells)
    old = sheet.rows[row][column]
    sheet.rows[row][column] = f"{old}".replace(".", ",")
    return f"{old!r} -> {sheet.rows[row][column]!r}"


@on_a_sheet
def flags_and_signs(sheet: Sheet, rng: Rng) -> str:
    cells = [(r, c) for r, c in sheet.cells(is_number) if c > 3]
    if not cells:
        return ""
    row, column = pick(rng, cells)
    old = str(sheet.rows[row][column])
    full = old.translate(str.maketrans("0123456789.", "０１２３４５６７８９．"))
    new = pick(rng, [f"{old} ↑", f" {old} ", f"\u200b{old}", f"{old}\u00a0", full])
    sheet.rows[row][column] = new
    return f"{old!r} -> {new!r}"


@on_a_sheet
def numbers_and_dates_as_text(sheet: Sheet, rng: Rng) -> str:
    if not sheet.name:
        return ""
    for row, column in sheet.cells(_is_datum):
        cell = sheet.rows[row][column]
        sheet.rows[row][column] = cell.strftime("%Y-%m-%d") if isinstance(cell, date) else str(cell)
    return "all as text"


@on_a_sheet
def dates_as_serial_numbers(sheet: Sheet, rng: Rng) -> str:
    if not sheet.name or not sheet.cells(lambda cell: isinstance(cell, date)):
        return ""
    for row, column in sheet.cells(lambda cell: isinstance(cell, date)):
        cell = sheet.rows[row][column]
        moment = cell if isinstance(cell, datetime) else datetime(cell.year, cell.month, cell.day)
        sheet.rows[row][column] = (moment - _SERIAL_ZERO) // timedelta(days=1)
    return "all dates"


# --- headers, rows and columns ----------------------------------------------------------------------------


def _names(sheet: Sheet) -> list[int]:
    return [n for n, cell in enumerate(sheet.rows[sheet.header]) if is_word(cell)]


@on_a_sheet
def header_misspelt(sheet: Sheet, rng: Rng) -> str:
    place = pick(rng, _names(sheet))
    old = str(sheet.rows[sheet.header][place])
    cut = int(rng.integers(0, len(old)))
    new = pick(rng, [old[:cut] + old[cut + 1 :], old[:cut] + "x" + old[cut:], f"{old}zz", old.upper()])
    sheet.rows[sheet.header][place] = new
    return f"{old!r} -> {new!r}"


@on_a_sheet
def header_emptied(sheet: Sheet, rng: Rng) -> str:
    place = pick(rng, _names(sheet))
    old, sheet.rows[sheet.header][place] = sheet.rows[sheet.header][place], ""
    return f"{old!r} removed"


@on_a_sheet
def header_twice(sheet: Sheet, rng: Rng) -> str:
    names = _names(sheet)
    one, other = (int(n) for n in rng.choice(names, 2, replace=False))
    old = sheet.rows[sheet.header][one]
    sheet.rows[sheet.header][one] = sheet.rows[sheet.header][other]
    return f"{old!r} -> {sheet.rows[sheet.header][other]!r}"


@on_a_sheet
def unit_in_a_header_changed(sheet: Sheet, rng: Rng) -> str:
    row = sheet.rows[sheet.header]
    places = [n for n in _names(sheet) if re.search(r"[(（\[].*/L", str(row[n]))]
    if not places:
        return ""
    place = pick(rng, places)
    old = str(row[place])
    row[place] = re.sub(r"[(（\[].*$", pick(rng, ["(furlongs)", "(mg/kg/d)", "(kg/L)"]), old)
    return f"{old!r} -> {row[place]!r}"


@again_only
@_on_a_sheet
def column_removed(sheet: Sheet, rng: Rng) -> str:
    if sheet.merged:
        return ""
    place = pick(rng, _names(sheet))
    for row in sheet.rows:
        if place < len(row):
            row.pop(place)
    return f"column {place + 1} removed"


@on_a_sheet
def columns_shuffled(sheet: Sheet, rng: Rng) -> str:
    if sheet.merged:
        return ""
    width = len(sheet.rows[sheet.header])
    order = [int(n) for n in rng.permutation(width)]
    for n in range(sheet.header, len(sheet.rows)):
        row = sheet.rows[n] + [None] * (width - len(sheet.rows[n]))
        sheet.rows[n] = [row[place] for place in order]
    return f"columns in the order {order[:6]}"


@on_a_sheet
def rows_shuffled(sheet: Sheet, rng: Rng) -> str:
    rows = sheet.data
    order = rng.permutation(len(rows))
    sheet.rows[rows.start : rows.stop] = [sheet.rows[rows.start + int(n)] for n in order]
    return "rows shuffled"


@on_a_sheet
def row_twice(sheet: Sheet, rng: Rng) -> str:
    place = pick(rng, sheet.data)
    sheet.insert_row(place, list(sheet.rows[place]))
    return f"row {place + 1} twice"


@on_a_sheet
def empty_row_within(sheet: Sheet, rng: Rng) -> str:
    place = pick(rng, list(sheet.data)[1:] or sheet.data)
    sheet.insert_row(place, [])
    return f"before row {place + 1}"


@on_a_sheet
def empty_column_within(sheet: Sheet, rng: Rng) -> str:
    if sheet.merged:
        return ""
    place = int(rng.integers(1, len(sheet.rows[sheet.header])))
    for row in sheet.rows:
        row.insert(place, None)
    return f"before column {place + 1}"


@on_a_sheet
def row_cut_short(sheet: Sheet, rng: Rng) -> str:
    if sheet.name:
        return ""
    place = pick(rng, sheet.data)
    row = sheet.rows[place]
    shift = int(rng.integers(1, len(row)))
    del row[shift]
    return f"row {place + 1} without its field {shift + 1}"


@on_a_sheet
def note_below(sheet: Sheet, rng: Rng) -> str:
    sheet.rows.append([])
    sheet.rows.append(
        [pick(rng, ["Note: exported on 3 May 2023", "注：数据由两人录入", "* not diluted further"])]
    )
    return "a note"


@on_a_sheet
def title_above(sheet: Sheet, rng: Rng) -> str:
    if "DATA" in sheet.file:  # REDCap writes none
        return ""
    sheet.insert_row(0, [pick(rng, ["Table 1. Data of the department", "某医院数据表"])])
    return "a title"


@on_a_sheet
def blanks_behind_names(sheet: Sheet, rng: Rng) -> str:
    row = sheet.rows[sheet.header]
    for place in _names(sheet):
        row[place] = f" {row[place]}\u00a0"
    return "all names"


# --- patients ----------------------------------------------------------------------------------------------

_IDS = ("Patient ID", "Subject ID", "姓名", "record_id", "Patient_Nr")


def _id_column(sheet: Sheet) -> int | None:
    for row in sheet.rows[: sheet.data.start]:
        for place, cell in enumerate(row):
            if cell in _IDS:
                return place
    return None


@on_a_sheet
def id_in_another_spelling(sheet: Sheet, rng: Rng) -> str:
    column = _id_column(sheet)
    if column is None or sheet.file in ("klinik.csv", "data collection.xlsx"):  # the only place of the id
        return ""
    row = sheet.rows[pick(rng, sheet.data)]
    old = str(row[column])
    row[column] = pick(rng, [f" {old} ", old.lower(), f"{old}x", old[::-1], f"{old}\u200b"])
    return f"{old!r} -> {row[column]!r}"


@on_a_sheet
def id_removed(sheet: Sheet, rng: Rng) -> str:
    column = _id_column(sheet)
    if column is None:
        return ""
    place = pick(rng, sheet.data)
    old, sheet.rows[place][column] = sheet.rows[place][column], ""
    return f"{old!r} removed in row {place + 1}"


@file_fault
def patient_removed(files: Files, rng: Rng) -> str:
    sheets = files.sheets()
    if files.shape in ("csv_decimal_comma", "xlsx_merged_header"):
        return ""  # the patient is then nowhere
    sheet = sheets[0]
    rows = sheet.data
    place = pick(rng, rows)
    if "DATA" in sheet.file:
        place = pick(rng, [r for r in rows if sheet.rows[r][1] in ("", "baseline_arm_1")])
    gone = sheet.rows.pop(place)
    files.put(sheets)
    return f"row {place + 1} of {gone[0]}"


@file_fault
def patient_with_two_ages(files: Files, rng: Rng) -> str:
    sheets = files.sheets()
    sheet = sheets[0]
    names = [str(cell).casefold() for cell in sheet.rows[sheet.data.start - 1]]
    above = [str(cell).casefold() for cell in sheet.rows[max(sheet.data.start - 2, 0)]]
    known = ("age", "age (years)", "年龄", "alter", "age_y")
    place = next((n for n in range(len(names)) if names[n] in known or above[n] in known), None)
    if place is None:
        return ""
    row = list(sheet.rows[pick(rng, [r for r in sheet.data if _filled(sheet.rows[r][place])])])
    row[place] = 17
    sheet.insert_row(sheet.data.stop, row)
    files.put(sheets)
    return f"{row[0]} again, aged 17"


@file_fault
def third_group(files: Files, rng: Rng) -> str:
    sheets = files.sheets()
    sheet = sheets[0]
    words = ("Ruxolitinib", "Historical control", "芦可替尼", "历史对照")
    cells = sheet.cells(lambda cell: cell in words)
    if not cells:
        return ""
    row, column = pick(rng, cells)
    old, sheet.rows[row][column] = sheet.rows[row][column], "Tocilizumab"
    files.put(sheets)
    return f"{old} -> Tocilizumab"


@file_fault
def code_outside_the_dictionary(files: Files, rng: Rng) -> str:
    if not files.shape.startswith("redcap"):
        return ""
    sheets = files.sheets()
    sheet = sheets[0]
    column = pick(rng, [n for n, cell in enumerate(sheet.rows[0]) if cell in ("arm", "sex", "dx", "resp")])
    row = pick(rng, [r for r in sheet.data if _filled(sheet.rows[r][column])])
    sheet.rows[row][column] = "9"
    files.put(sheets)
    return f"{sheet.rows[0][column]} 9 in row {row + 1}"


@file_fault
def dictionary_missing(files: Files, rng: Rng) -> str:
    name = next((name for name in files.content if "Dictionary" in name), "")
    if not name:
        return ""
    del files.content[name]
    return f"{name} removed"


# --- sheets ------------------------------------------------------------------------------------------------


@file_fault
def sheet_renamed(files: Files, rng: Rng) -> str:
    sheets = files.sheets()
    sheet = pick(rng, sheets)
    if not sheet.name:
        return ""
    old, sheet.name = sheet.name, pick(rng, ["Sheet1", "2023", "副本", "data (2)"])
    files.put(sheets)
    return f"{old!r} -> {sheet.name!r}"


@again_only
def sheet_removed(files: Files, rng: Rng) -> str:
    sheets = files.sheets()
    if len(sheets) < 2 or not sheets[0].name:
        return ""
    gone = sheets.pop(int(rng.integers(1, len(sheets))))
    files.put(sheets)
    return f"{gone.name!r} removed"


@file_fault
def sheet_of_prose(files: Files, rng: Rng) -> str:
    sheets = files.sheets()
    if not sheets[0].name:
        return ""
    rows: list[list[object]] = [
        ["About these data"],
        ["They were exported by the department."],
        ["", "See there"],
    ]
    sheets.insert(int(rng.integers(0, len(sheets))), Sheet(sheets[0].file, "About", rows, []))
    files.put(sheets)
    return "a sheet of prose"


@file_fault
def sheet_hidden(files: Files, rng: Rng) -> str:
    sheets = files.sheets()
    if len(sheets) < 2 or not sheets[0].name:
        return ""
    sheets[-1].hidden = True
    files.put(sheets)
    return f"{sheets[-1].name!r} hidden"


@file_fault
def cells_no_longer_merged(files: Files, rng: Rng) -> str:
    sheets = files.sheets()
    if not any(sheet.merged for sheet in sheets):
        return ""
    for sheet in sheets:
        sheet.merged = []
    files.put(sheets)
    return "no cell is merged"


# --- bytes -------------------------------------------------------------------------------------------------


@file_fault
def bytes_cut_off(files: Files, rng: Rng) -> str:
    name = pick(rng, files.content)
    kept = int(rng.integers(0, max(len(files.content[name]) * 3 // 4, 1)))
    if not name.endswith(".xlsx"):
        # A text that ends with a whole line is a shorter text: cut in the first field of one.
        kept = files.content[name].rfind(b"\n", 0, kept) + 2
    files.content[name] = files.content[name][:kept]
    return f"{name} ends after {kept} bytes"


@file_fault
def another_kind_of_file(files: Files, rng: Rng) -> str:
    name = pick(rng, files.content)
    files.content[name] = pick(
        rng, [b"", b"\x00" * 400, b"%PDF-1.7 not a table", b"<html><body>log in</body>"]
    )
    return name


@file_fault
def another_encoding(files: Files, rng: Rng) -> str:
    name = files.text()
    if not name:
        return ""
    encoding = pick(rng, ["utf-8-sig", "utf-16", "gb18030", "cp1252"])
    text = files.content[name].decode(files.encoding)
    files.content[name] = text.encode(encoding, "replace")
    return f"{name} in {encoding}"


@file_fault
def another_end_of_lines(files: Files, rng: Rng) -> str:
    name = files.text()
    if not name:
        return ""
    end = pick(rng, [b"\n", b"\r"])
    files.content[name] = files.content[name].replace(b"\r\n", end)
    return f"{name} with {end!r}"


@file_fault
def another_separator(files: Files, rng: Rng) -> str:
    name = files.text()
    if not name:
        return ""
    sheets = [sheet for sheet in files.sheets() if sheet.file == name]
    sign = pick(rng, [s for s in (",", ";", "\t", "|") if s != files.separator])
    files.content[name] = _text(sheets[0].rows, sign).encode(files.encoding)
    return f"{name} with {sign!r}"


@file_fault
def stray_quotation_mark(files: Files, rng: Rng) -> str:
    name = files.text()
    if not name:
        return ""
    lines = files.content[name].split(b"\r\n")
    place = int(rng.integers(1, len(lines) - 1))
    cells = lines[place].split(files.separator.encode())
    which = int(rng.integers(len(cells)))
    cells[which] = b'"' + cells[which]
    lines[place] = files.separator.encode().join(cells)
    files.content[name] = b"\r\n".join(lines)
    return f"{name}, line {place + 1}, field {which + 1}"


@file_fault
def field_too_many(files: Files, rng: Rng) -> str:
    name = files.text()
    if not name:
        return ""
    lines = files.content[name].split(b"\r\n")
    place = int(rng.integers(1, len(lines) - 1))
    cells = lines[place].split(files.separator.encode())
    cells.insert(int(rng.integers(1, len(cells))), b"7")
    lines[place] = files.separator.encode().join(cells)
    files.content[name] = b"\r\n".join(lines)
    return f"{name}, line {place + 1}"
