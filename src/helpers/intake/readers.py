"""Readers, one a kind of file: each returns the grids of a file, cells as text."""

import csv
import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from helpers.cohort.cells import cell_text, without_unseen
from helpers.cohort.encodings import ENCODINGS, Encoding, decode
from helpers.cohort.workbooks import formulas_without_result
from helpers.intake.grids import Grid
from helpers.problems import Problem, fields_of

_SEPARATORS = (",", ";", "\t", "|")
_LOOKED_AT = 200
_FEW_ROWS, _NEARLY_ALL = 5, 0.8
_FAULTS = ("#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!")


def read_file(path: Path, choices: dict[str, str] | None = None) -> list[Grid] | Problem:
    r"""Return the grids of a file; a Problem if nothing can be read of it.

    Args:
        path: csv, txt, tsv, xlsx, xlsm, sav, zsav, dta, xpt, sas7bdat or parquet.
        choices: `encoding` and `separator` of text files where they were decided.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "lab.csv")
    >>> path.write_text("patient;ferritin\nR01;900\n", encoding="utf-8")
    25
    >>> read_file(path)[0].cells
    [['patient', 'ferritin'], ['R01', '900']]
    """
    reader = READERS.get(path.suffix.casefold())
    if reader is None:
        expected = f"a file ending in {', '.join(READERS)}"
        return Problem(path.name, None, "", "another kind of file", expected, "export it as xlsx or csv")
    try:
        return reader(path, choices or {})
    except OSError as error:
        found = f"a file that cannot be read ({error.strerror or error})"
        return Problem(path.name, None, "", found, "a table", "make the file readable")


# --- text -----------------------------------------------------------------------------------------------


def _text(path: Path, choices: dict[str, str]) -> list[Grid] | Problem:
    chosen = choices.get("encoding")
    encoding: Encoding | None = next((name for name in ENCODINGS if name == chosen), None)
    decoded = decode(path.read_bytes(), encoding)
    if decoded is None:
        expected = f"text in {encoding}" if encoding else "text whose encoding its words tell"
        remedy = f"save it as CSV UTF-8, or answer encoding.{path.name} with one of {', '.join(ENCODINGS)}"
        return Problem(path.name, None, "", "bytes that are not such text", expected, remedy)
    if not decoded.text.strip():
        return Problem(path.name, None, "", "an empty file", "a header line and rows", "export it again")
    separator, evidence = _separator(decoded.text, choices.get("separator", ""))
    notes = (f"encoding {decoded.encoding}{'' if decoded.certain else ', told by its words'}", evidence)
    problems: list[Problem] = []
    try:
        cells, lines = _records(decoded.text, separator, path.name, problems)
    except csv.Error as error:
        remedy = "mend the quotation marks"
        problems.append(
            Problem(path.name, None, "", f"a field that does not end ({error})", "paired marks", remedy)
        )
        cells, lines = [], []
    return [Grid(path.name, "", cells, problems=problems, notes=notes, lines=tuple(lines))]


def _records(
    text: str, separator: str, file: str, problems: list[Problem]
) -> tuple[list[list[str]], list[int]]:
    """Return the records of a text, padded to one width, and the line that each begins in."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    start = 1
    for record in reader:
        line, start = start, reader.line_num + 1
        if any(_holds_rows(cell, separator, len(record)) for cell in record):
            found = "a field over several lines that holds whole rows"
            remedy = "remove the stray quotation mark"
            problems.append(Problem(file, line, "", found, "fields with paired quotation marks", remedy))
            continue
        rows.append([without_unseen(cell) for cell in record])
        lines.append(line)
    usual = Counter(map(len, filter(None, rows))).most_common(1)[0][0] if rows else 0
    for line, cells in zip(lines, rows, strict=True):
        if len(cells) > usual and any(cells[usual:]):
            found, expected = fields_of(len(cells)), f"{fields_of(usual)} as in most rows"
            remedy = "put a field that itself contains the separator into quotation marks"
            problems.append(Problem(file, line, "", found, expected, remedy))
    problems += _short_rows(rows, lines, usual, file, ends=text.endswith(("\n", "\r")))
    longest = max(map(len, rows), default=0)
    return [row + [""] * (longest - len(row)) for row in rows], lines


def _short_rows(
    rows: list[list[str]], lines: list[int], usual: int, file: str, *, ends: bool
) -> list[Problem]:
    """Name rows that end early where nearly all are of one width, as in a file that was cut off.

    Titles, notes and rows of one field are none of them. Of a few rows nothing can be said, unless the text
    does not end with the end of a line.
    """
    filled = [(line, row) for line, row in zip(lines, rows, strict=True) if any(row)]
    whole = sum(len(row) == usual for _, row in filled)
    few = len(filled) < _FEW_ROWS
    if (few and ends) or whole < (1 if few else _NEARLY_ALL * len(filled)):
        return []
    expected = f"{fields_of(usual)} as in most rows"
    remedy = "export the file again, or add what is missing; what is not there counts as not recorded"
    return [
        Problem(file, line, "", fields_of(len(row)), expected, remedy, "warning")
        for line, row in filled
        if (1 < len(row) < usual) or (len(row) == 1 < usual and line == lines[-1])
    ]


def _holds_rows(cell: str, separator: str, width: int) -> bool:
    return any(line.count(separator) >= max(2, width - 2) for line in cell.splitlines()[1:])


def _separator(text: str, chosen: str) -> tuple[str, str]:
    named = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
    if chosen:
        return named.get(chosen, chosen), "separator as answered"
    lines = [line for line in text.splitlines()[:_LOOKED_AT] if line.strip()]
    best, best_score = ",", -1.0
    for separator in _SEPARATORS:
        try:
            widths = Counter(len(row) for row in csv.reader(lines, delimiter=separator))
        except csv.Error:
            continue
        usual, times = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))
        score = times / len(lines) + usual / 1000 if usual > 1 else 0.0
        if score > best_score:
            best, best_score = separator, score
    name = next(name for name, sign in named.items() if sign == best)
    return best, f"separator {name}"


# --- workbooks ------------------------------------------------------------------------------------------


def _workbook(path: Path, _choices: dict[str, str]) -> list[Grid] | Problem:
    import openpyxl  # type: ignore[import-untyped]

    try:
        book = openpyxl.load_workbook(path, data_only=True)
    except (BadZipFile, KeyError, ValueError, IndexError, TypeError, EOFError):
        remedy = "save the table again as xlsx, or as csv"
        return Problem(path.name, None, "", "a file that is no Excel workbook", "an .xlsx workbook", remedy)
    grids = []
    for sheet in book.worksheets:
        if sheet.sheet_state == "veryHidden":  # which only programs make, for lists of drop-downs
            continue
        place = f"{path.name} [{sheet.title}]"
        cells = [[without_unseen(cell_text(_shown(cell))) for cell in row] for row in sheet.iter_rows()]
        while cells and not any(cells[-1]):
            cells.pop()
        if not cells:
            continue
        spans = tuple(
            (one.min_row - 1, one.min_col - 1, one.max_row - 1, one.max_col - 1)
            for one in sorted(sheet.merged_cells.ranges, key=lambda one: (one.min_row, one.min_col))
        )
        hidden = ("a hidden sheet",) if sheet.sheet_state != "visible" else ()
        problems = [*formulas_without_result(path, sheet.title, place), *_faulty_formulas(sheet, place)]
        grids.append(Grid(path.name, sheet.title, cells, spans, problems=problems, notes=hidden))
    if not grids:
        return Problem(
            path.name, None, "", "a workbook without any text", "sheets with tables", "export it again"
        )
    return grids


def _faulty_formulas(sheet: Any, place: str) -> list[Problem]:
    """Name the cells in which a formula failed: what they should say is lost."""
    expected, remedy = "a value", "mend the formula, or empty the cell; it counts as not recorded"
    return [
        Problem(place, cell.row, cell.column_letter, str(cell.value), expected, remedy, "warning")
        for row in sheet.iter_rows()
        for cell in row
        if cell.value in _FAULTS
    ]


def _shown(cell: object) -> object:
    """Return a cell's value; the error of a formula is nothing."""
    value = getattr(cell, "value", None)
    return None if value in _FAULTS else value


# --- files of statistics programs -----------------------------------------------------------------------


def _statistics_file(path: Path, _choices: dict[str, str]) -> list[Grid] | Problem:
    import pyreadstat

    readers: dict[str, Callable[..., Any]] = {
        ".sav": pyreadstat.read_sav,
        ".zsav": pyreadstat.read_sav,
        ".dta": pyreadstat.read_dta,
        ".xpt": pyreadstat.read_xport,
        ".sas7bdat": pyreadstat.read_sas7bdat,
    }
    labelled = {"apply_value_formats": True} if path.suffix.casefold() in (".sav", ".zsav", ".dta") else {}
    try:
        frame, about = readers[path.suffix.casefold()](str(path), **labelled)
    except (pyreadstat.ReadstatError, ValueError, UnicodeDecodeError) as error:
        found = f"a file that cannot be read ({str(error).splitlines()[0]})"
        return Problem(path.name, None, "", found, f"a {path.suffix} file", "export it again")
    columns = [[without_unseen(cell_text(_moment(value))) for value in frame[name]] for name in frame.columns]
    header = [str(name) for name in frame.columns]
    rows = [list(row) for row in zip(*columns, strict=True)]
    labels = tuple(str(label or "") for label in about.column_labels)
    table = str(getattr(about, "table_name", "") or "")
    values = {
        str(name): {cell_text(code): str(text) for code, text in codes.items()}
        for name, codes in (about.variable_value_labels or {}).items()
    }
    notes = (f"table {table}",) if table else ()
    return [Grid(path.name, "", [header, *rows], labels=labels, regular=True, notes=notes, values=values)]


def _moment(value: object) -> object:
    """Return a time stamp at midnight as its date alone."""
    text = str(value)
    return (
        text.removesuffix(" 00:00:00")
        if hasattr(value, "year")
        else (None if text in ("NaT", "<NA>") else value)
    )


def _parquet(path: Path, _choices: dict[str, str]) -> list[Grid] | Problem:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        found = f"a file that is not Parquet ({str(error).splitlines()[0]})"
        return Problem(path.name, None, "", found, "a Parquet file", "write the file again")
    columns = [
        [without_unseen(cell_text(_moment(v))) for v in column.to_pylist()] for column in table.columns
    ]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return [Grid(path.name, "", [list(map(str, table.column_names)), *rows], regular=True)]


READERS: dict[str, Callable[[Path, dict[str, str]], list[Grid] | Problem]] = {
    ".csv": _text,
    ".txt": _text,
    ".tsv": _text,
    ".xlsx": _workbook,
    ".xlsm": _workbook,
    ".sav": _statistics_file,
    ".zsav": _statistics_file,
    ".dta": _statistics_file,
    ".xpt": _statistics_file,
    ".sas7bdat": _statistics_file,
    ".parquet": _parquet,
}
