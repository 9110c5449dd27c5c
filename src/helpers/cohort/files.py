"""One raw file as text: header, cells and the line of every record."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.cohort.cells import LONGEST_CELL, cell_text, has_unseen, without_unseen
from helpers.cohort.encodings import ENCODINGS, Encoding, decode
from helpers.cohort.quick_csv import read_quickly, separator_of, swallows_rows
from helpers.cohort.texts import as_coded, by_text, distinct
from helpers.cohort.workbooks import read_sheet
from helpers.problems import Problem, fields_of

SUFFIXES = (".csv", ".xlsx", ".parquet")


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
    """Take out signs that nobody sees, and say where they were; each distinct text is kept once from here."""
    cells, problems = {}, list(records.problems)
    names = records.header[: len(records.cells.columns)]
    for place in range(len(records.cells.columns)):
        cells[place] = as_coded(records.cells[place])
        hidden = [text for text in distinct(cells[place]) if text != without_unseen(text)]
        if not hidden or place >= len(names):
            continue
        unseen = cells[place].isin([text for text in hidden if has_unseen(text)])
        problems += [
            Problem(
                records.place,
                int(records.lines[row]),
                names[place],
                "a character that cannot be seen (a control character or the like)",
                "text that can be read",
                "it is left out; remove it from the file",
                "warning",
            )
            for row in np.flatnonzero(unseen.to_numpy())
        ]
        cells[place] = by_text(cells[place], without_unseen)
    header = [without_unseen(name)[:LONGEST_CELL] for name in records.header]
    whole = replace(records, header=header, problems=problems)
    return _short(whole, cells)


def _short(records: Records, cells: dict[int, pd.Series]) -> Records:
    """Cut cells that hold a document, and name them: no table or figure could show one."""
    problems = list(records.problems)
    for place, name in enumerate(records.header[: len(cells)]):
        documents = [text for text in distinct(cells[place]) if text and len(text) > LONGEST_CELL]
        if not documents:
            continue
        lengths = cells[place].astype(object).str.len()
        for row in np.flatnonzero(cells[place].isin(documents).to_numpy()):
            found = f"a text of {int(lengths.iloc[row])} characters"
            expected = f"at most {LONGEST_CELL} characters"
            remedy = "shorten it, or leave a column that is not needed out of the file"
            line = int(records.lines[row])
            problems.append(Problem(records.place, line, name, found, expected, remedy))
        cells[place] = by_text(cells[place], lambda text: text[:50] if len(text) > LONGEST_CELL else text)
    return replace(records, cells=pd.DataFrame(cells, copy=False), problems=problems)


def _csv(path: Path, table: str, encoding: Encoding | None) -> Records | Problem:
    if encoding in (None, "utf-8"):
        with path.open("rb") as file:
            quick = read_quickly(file)
        if quick is not None:
            return _regular(*quick)
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
    quick = None if decoded.encoding == "utf-8" else read_quickly(io.BytesIO(text.encode()))
    records = _irregular(text, separator_of(text), path.name) if quick is None else _regular(*quick)
    if decoded.certain:
        return records
    found = f"text that is not UTF-8; by its words it is {decoded.encoding}"
    remedy = f"it is read so; confirm it by {setting} = {decoded.encoding!r}, or save the file as UTF-8"
    named = Problem(path.name, None, "", found, "text in UTF-8", remedy, "warning")
    return replace(records, problems=[*records.problems, named])


def _regular(header: list[str], cells: pd.DataFrame) -> Records:
    return Records(header, cells, np.arange(2, len(cells) + 2, dtype=np.int64))


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
            elif any(swallows_rows(cell, separator, len(header)) for cell in cells):
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
    columns = {
        place: [cell.strip() for cell in cells] for place, cells in enumerate(zip(*rows, strict=True))
    } or {place: [] for place in range(len(header))}
    frame = pd.DataFrame(columns, dtype=object)
    return Records(header, frame, np.asarray(lines, dtype=np.int64), problems)


def _stray_quote(file: str, line: int) -> Problem:
    found = "a field over several lines that holds whole rows"
    remedy = "remove the stray quotation mark"
    return Problem(file, line, "", found, "fields with paired quotation marks", remedy)


def _wrong_width(file: str, line: int, cells: Sequence[str], expected: int) -> Problem:
    remedy = "put a field that itself contains the separator into quotation marks"
    if len(cells) < expected:
        remedy = "add the missing fields, or the separators of empty ones"
    return Problem(file, line, "", fields_of(len(cells)), f"{fields_of(expected)} as in the header", remedy)


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
