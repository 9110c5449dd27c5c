"""One sheet of an Excel workbook as rows of text, and formulas whose result was never stored.

>>> import pathlib, tempfile
>>> from openpyxl import Workbook
>>> book, path = Workbook(), pathlib.Path(tempfile.mkdtemp(), "book.xlsx")
>>> book.active.append(["patient_id", "age"])
>>> book.active.append(["R01", "=40+1"])
>>> book.save(path)
>>> found = read_sheet(path, None)
>>> found.rows[0], len(formulas_without_result(path, "Sheet", "book.xlsx"))
(['patient_id', 'age'], 1)
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from xml.etree import ElementTree
from zipfile import BadZipFile, ZipFile

import pandas as pd

from helpers.cohort.cells import cell_text
from helpers.problems import Problem

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_NAMED_CELLS = 8


@dataclass(frozen=True)
class Sheet:
    """The rows of a sheet from its first line on, and what is wrong with it; `place` names book and sheet."""

    place: str
    rows: list[list[str]]
    problems: list[Problem]


def read_sheet(path: Path, sheet: str | None) -> Sheet | Problem:
    """Read one sheet of a workbook (the first if `sheet` is None) as text; a Problem if there is none."""
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
        chosen = sheet or names[0]
        values = book.parse(chosen, header=None, dtype=object, na_filter=False)
    place = f"{path.name} [{chosen}]"
    rows = [[cell_text(value) for value in row] for row in values.itertuples(index=False, name=None)]
    return Sheet(place, rows, formulas_without_result(path, chosen, place))


def formulas_without_result(path: Path, sheet: str, place: str) -> list[Problem]:
    """Say where formulas have no stored result: they read as empty cells, yet something stands there."""
    try:
        with ZipFile(path) as archive, archive.open(_part_of(archive, sheet)) as part:
            cells = _unsolved(part)
    except (KeyError, ElementTree.ParseError):
        return []
    if not cells:
        return []
    named = ", ".join(cells[:_NAMED_CELLS]) + (", ..." if len(cells) > _NAMED_CELLS else "")
    noun = "formula" if len(cells) == 1 else "formulas"
    found = f"{len(cells)} {noun} without a stored result ({named})"
    line = int(re.sub(r"\D", "", cells[0]) or 1)
    remedy = "open the workbook in a spreadsheet program and save it, or paste the values"
    return [Problem(place, line, "", found, "values, or formulas with their results", remedy)]


def _part_of(archive: ZipFile, sheet: str) -> str:
    """Return the name of the part of the archive that holds a sheet."""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    link = next(node.get(_LINK) for node in book.iter(f"{_MAIN}sheet") if node.get("name") == sheet)
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    target = next(node.get("Target", "") for node in links if node.get("Id") == link)
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _unsolved(part: IO[bytes]) -> list[str]:
    """Return the cells that hold a formula and no result; an empty text is a result."""
    cells = []
    for _, node in ElementTree.iterparse(part):
        if node.tag != f"{_MAIN}c":
            continue
        result = node.find(f"{_MAIN}v")
        # A result that is a text may be an empty one; a number cannot be.
        empty = result is None or (not result.text and node.get("t") != "str")
        if node.find(f"{_MAIN}f") is not None and empty:
            cells.append(node.get("r", ""))
        node.clear()
    return cells
