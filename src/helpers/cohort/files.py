"""One raw file as text: header, cells and the line of every record."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from operator import methodcaller
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.cohort.cells import cell_text, has_unseen, without_unseen
from helpers.cohort.encodings import ENCODINGS, Encoding, decode
from helpers.cohort.workbooks import read_sheet
from helpers.problems import Problem

SUFFIXES = (".csv", ".xlsx", ".parquet")
_SEPARATORS = (",", ";", "\t")


@dataclass(frozen=True)
class Records:
    """A file's header, its cells as stripped text (one column per place), and the line of each record.

    `place` is how the file is called in what is said about it: its name, and of a workbook the sheet as well.
    """

    header: list[str]
    cells: pd.DataFrame
    lines: NDArray[np.int64]
    problems: list[Problem] = field(default_factory=list)
    place: str = ""


def read_records(
    path: Path, table: str, sheet: str | None = None, encoding: Encoding | None = None
) -> Records | Problem:
    r"""Read a CSV, Excel or Parquet file as text; a Problem if nothing can be read of it.

    CSV is separated by comma, semicolon or tabulator, in `encoding` or in the one its content tells. Records
    of the wrong width are left out, each with its Problem. Of a workbook `sheet` is read (the first if None).
    Signs that nobody sees are taken out of every cell, with a warning.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "patients.csv")
    >>> path.write_text("patient_id;age\nR01;40\n", encoding="utf-8")
    22
    >>> found = read_records(path, "patients")
    >>> found.header, found.cells.values.tolist(), found.lines.tolist()
    (['patient_id', 'age'], [['R01', '40']], [2])
    """
    try:
        if path.suffix.lower() == ".parquet":
            records = _parquet(path)
        elif path.suffix.lower() == ".xlsx":
            records = _xlsx(path, sheet)
        else:
            records = _csv(path, table, encoding)
    except OSError as error:
        found = f"a file that cannot be read ({error.strerror or error})"
        return Problem(path.name, None, "", found, f"the table of {table}", "make the file readable")
    if isinstance(records, Problem):
        return records
    records = replace(records, place=records.place or path.name)
    return _legible(records)


def _legible(records: Records) -> Records:
    """Take out signs that nobody sees, and say where they were."""
    cells, problems = records.cells.copy(), list(records.problems)
    for place, name in enumerate(records.header[: len(cells.columns)]):
        known = {text: without_unseen(text) for text in pd.unique(cells[place])}
        if all(text == clean for text, clean in known.items()):
            continue
        unseen = cells[place].map({text: has_unseen(text) for text in known}).astype(bool)
        problems += [
            Problem(
                records.place,
                int(records.lines[row]),
                name,
                "a character that cannot be seen (a control character or the like)",
                "text that can be read",
                "it is left out; remove it from the file",
                "warning",
            )
            for row in np.flatnonzero(unseen.to_numpy())
        ]
        cells[place] = cells[place].map(known)
    header = [without_unseen(name) for name in records.header]
    return replace(records, header=header, cells=cells, problems=problems)


def _csv(path: Path, table: str, encoding: Encoding | None) -> Records | Problem:
    decoded = decode(path.read_bytes(), encoding)
    setting = f"encoding under [tables.{table}] in cohort.toml"
    if decoded is None and encoding is not None:
        expected = f"text in {encoding}, as cohort.toml says"
        return Problem(path.name, None, "", "bytes that are no such text", expected, f"correct {setting}")
    if decoded is None:
        expected = "text in UTF-8, or in an encoding that its words tell"
        remedy = f"save the file as CSV UTF-8, or give {setting}: one of {', '.join(ENCODINGS)}"
        return Problem(path.name, None, "", "bytes that are not text", expected, remedy)
    text = decoded.text
    if not text.strip():
        expected = "a header line and rows"
        return Problem(path.name, None, "", "an empty file", expected, "export the table again")
    first = text.lstrip().splitlines()[0]
    separator = "," if "," in first else max(_SEPARATORS, key=first.count)
    records = _regular(text, separator) or _irregular(text, separator, path.name)
    if decoded.certain:
        return records
    found = f"text that is not UTF-8; by its words it is {decoded.encoding}"
    remedy = f"it is read so; confirm it by {setting} = {decoded.encoding!r}, or save the file as UTF-8"
    named = Problem(path.name, None, "", found, "text in UTF-8", remedy, "warning")
    return replace(records, problems=[*records.problems, named])


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
            elif any(_swallows_rows(cell, separator, len(header)) for cell in cells):
                problems.append(_stray_quote(file, line))
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


def _swallows_rows(cell: str, separator: str, width: int) -> bool:
    """Tell whether a field over several lines holds whole rows: a stray quotation mark opened it."""
    lines = cell.splitlines()[1:]
    return width > 2 and any(line.count(separator) >= width - 2 for line in lines)


def _stray_quote(file: str, line: int) -> Problem:
    found = "a field over several lines that holds whole rows"
    remedy = "remove the stray quotation mark"
    return Problem(file, line, "", found, "fields with paired quotation marks", remedy)


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
    columns = {
        place: [cell_text(v) for v in column.to_pylist()] for place, column in enumerate(table.columns)
    }
    numbers = np.arange(2, table.num_rows + 2, dtype=np.int64)
    return Records(list(table.column_names), pd.DataFrame(columns, dtype=object), numbers)


def _xlsx(path: Path, sheet: str | None) -> Records | Problem:
    """Read one sheet: the first row with any text is the header, columns without a header are left out."""
    book = read_sheet(path, sheet)
    if isinstance(book, Problem):
        return book
    rows = book.rows
    top = next((place for place, cells in enumerate(rows) if any(cells)), None)
    if top is None:
        remedy = "export the table again, or name its sheet in cohort.toml"
        return Problem(book.place, None, "", "an empty sheet", "a header line and rows", remedy)
    places = [place for place, name in enumerate(rows[top]) if name]
    below = [(line, cells) for line, cells in enumerate(rows[top + 1 :], start=top + 2) if any(cells)]
    cells = {n: [row[place] for _, row in below] for n, place in enumerate(places)}
    lines = np.asarray([line for line, _ in below], dtype=np.int64)
    header = [rows[top][p] for p in places]
    return Records(header, pd.DataFrame(cells, dtype=object), lines, book.problems, book.place)
