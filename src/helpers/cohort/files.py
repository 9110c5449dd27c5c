"""One raw file as text: header, cells and the line of every record."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import methodcaller
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.problems import Problem

SUFFIXES = (".csv", ".xlsx", ".parquet")
ENCODINGS = ("utf-8-sig", "gb18030")
_SEPARATORS = (",", ";", "\t")


@dataclass(frozen=True)
class Records:
    """A file's header, its cells as stripped text (one column per place), and the line of each record."""

    header: list[str]
    cells: pd.DataFrame
    lines: NDArray[np.int64]
    problems: list[Problem] = field(default_factory=list)


def read_records(path: Path, table: str, sheet: str | None = None) -> Records | Problem:
    """Read a CSV, Excel or Parquet file as text; a Problem if nothing can be read of it.

    CSV may be UTF-8 (with or without mark) or GB18030, separated by comma, semicolon or tabulator. Records of
    the wrong width are left out, each with its Problem. Of a workbook `sheet` is read (the first if None).
    """
    try:
        if path.suffix.lower() == ".parquet":
            return _parquet(path)
        return _xlsx(path, sheet) if path.suffix.lower() == ".xlsx" else _csv(path)
    except OSError as error:
        found = f"a file that cannot be read ({error.strerror or error})"
        return Problem(path.name, None, "", found, f"the table of {table}", "make the file readable")


def _csv(path: Path) -> Records | Problem:
    text = _decoded(path.read_bytes())
    if text is None:
        expected = "text in UTF-8 (or GB18030)"
        return Problem(path.name, None, "", "bytes that are not text", expected, "save the file as CSV UTF-8")
    if not text.strip():
        expected = "a header line and rows"
        return Problem(path.name, None, "", "an empty file", expected, "export the table again")
    first = text.lstrip().splitlines()[0]
    separator = "," if "," in first else max(_SEPARATORS, key=first.count)
    return _regular(text, separator) or _irregular(text, separator, path.name)


def _decoded(data: bytes) -> str | None:
    if b"\x00" in data:
        return None
    for encoding in ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _regular(text: str, separator: str) -> Records | None:
    """Read a file without quotation marks, blank lines or records of the wrong width, as most are; fast."""
    if '"' in text:
        return None
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    widths = set(map(methodcaller("count", separator), lines))
    # A lone separatorless column has blank lines that cannot be told from empty fields.
    if len(widths) > 1 or widths == {0} or any("\r" in line for line in lines):
        return None
    cells = pd.read_csv(
        io.StringIO("\n".join(lines[1:])),
        header=None,
        names=list(range(widths.pop() + 1)),
        sep=separator,
        dtype=object,
        na_filter=False,
        quoting=csv.QUOTE_NONE,
        skip_blank_lines=False,
    )
    numbers = np.arange(2, len(lines) + 1, dtype=np.int64)
    return Records([cell.strip() for cell in lines[0].split(separator)], _stripped(cells), numbers)


def _stripped(cells: pd.DataFrame) -> pd.DataFrame:
    """Strip blanks off every cell, looking at each distinct text once."""
    for place in cells.columns:
        padded = {text: text.strip() for text in pd.unique(cells[place]) if text != text.strip()}
        if padded:
            cells[place] = cells[place].replace(padded)
    return cells


def _irregular(text: str, separator: str, file: str) -> Records:
    """Read any CSV text record by record."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    header: list[str] = []
    problems: list[Problem] = []
    start = 1
    try:
        for cells in reader:
            line, start = start, reader.line_num + 1
            if not cells:
                continue
            if not header:
                header = [cell.strip() for cell in cells]
            elif len(cells) != len(header):
                problems.append(_wrong_width(file, line, cells, len(header)))
            else:
                rows.append(cells)
                lines.append(line)
    except csv.Error as error:
        found = f"a field that does not end ({error})"
        remedy = "mend the quotation marks"
        problems.append(Problem(file, start, "", found, "fields with paired quotation marks", remedy))
    frame = pd.DataFrame(rows, columns=list(range(len(header))), dtype=object)
    return Records(header, _stripped(frame), np.asarray(lines, dtype=np.int64), problems)


def _wrong_width(file: str, line: int, cells: Sequence[str], expected: int) -> Problem:
    remedy = "put a field that itself contains the separator into quotation marks"
    if len(cells) < expected:
        remedy = "add the missing fields, or the separators of empty ones"
    return Problem(file, line, "", f"{len(cells)} fields", f"{expected} fields as in the header", remedy)


def _parquet(path: Path) -> Records | Problem:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        found = f"a file that is not Parquet ({str(error).splitlines()[0]})"
        return Problem(path.name, None, "", found, "a Parquet file", "write the file again")
    columns = {place: [_cell(v) for v in column.to_pylist()] for place, column in enumerate(table.columns)}
    numbers = np.arange(2, table.num_rows + 2, dtype=np.int64)
    return Records(list(table.column_names), pd.DataFrame(columns, dtype=object), numbers)


def _xlsx(path: Path, sheet: str | None) -> Records | Problem:
    """Read one sheet: the first row with any text is the header, columns without a header are left out."""
    from zipfile import BadZipFile

    try:
        book = pd.ExcelFile(path, engine="openpyxl")
    except (BadZipFile, KeyError, ValueError):
        found = "a file that is not an Excel workbook"
        return Problem(path.name, None, "", found, "an .xlsx workbook", "save the table again, or as CSV")
    with book:
        names = [str(name) for name in book.sheet_names]
        if sheet is not None and sheet not in names:
            found, expected = f"the sheets {', '.join(names)}", f"the sheet {sheet!r} named in cohort.toml"
            return Problem(path.name, None, "", found, expected, "correct the name")
        values = book.parse(sheet or names[0], header=None, dtype=object, na_filter=False)
    rows = [[_cell(v) for v in row] for row in values.itertuples(index=False, name=None)]
    top = next((place for place, cells in enumerate(rows) if any(cells)), None)
    if top is None:
        return Problem(
            path.name, None, "", "an empty sheet", "a header line and rows", "export the table again"
        )
    places = [place for place, name in enumerate(rows[top]) if name]
    below = [(line, cells) for line, cells in enumerate(rows[top + 1 :], start=top + 2) if any(cells)]
    cells = {n: [row[place] for _, row in below] for n, place in enumerate(places)}
    frame = pd.DataFrame(cells, dtype=object)
    return Records(
        [rows[top][p] for p in places], frame, np.asarray([line for line, _ in below], dtype=np.int64)
    )


def _cell(value: object) -> str:
    """Return a stored value as the text a CSV export would show."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()
