"""Reading the raw tables of a cohort folder as text, with the line of every row.

Nothing is converted here: columns get their canonical names, and every record keeps its line number.
Whatever cannot be read becomes a Problem.

>>> files, problems = table_files(folder, config)
>>> sorted(files)[0], problems, read_tables(folder, config).absent
('events', [], ())
>>> raw, problems = read_table(files["patients"], "patients", config)
>>> raw.header("age"), problems
('age', [])
>>> (
...     raw.problem(2, "age", "old", "a number", "write years").row,
...     raw.warning(2, "age", "140", "at most 120", "look").row,
... )
(2, 2)
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.cohort.files import SUFFIXES, read_records
from helpers.cohort.sections import Table
from helpers.cohort.settings import CohortConfig
from helpers.cohort.texts import plain, repeated
from helpers.problems import Problem, closest, suggestion
from helpers.vocabulary.model import TABLE_NAMES, TableName
from helpers.vocabulary.names import fold
from helpers.vocabulary.vocabulary import Vocabulary

DERIVED = "tables"  # folder of the tables that a mapping makes of other files

# Every table needs these; a day may be given as its date (see DATE_TWINS).
REQUIRED_COLUMNS: dict[TableName, tuple[str, ...]] = {
    "patients": ("patient_id", "group", "age", "sex", "last_contact_day", "death_day"),
    "measurements": ("patient_id", "day", "variable", "value"),
    "treatments": ("patient_id", "drug", "start_day", "stop_day", "dose", "unit", "route", "times_per_day"),
    "responses": ("patient_id", "day", "response"),
    "events": ("patient_id", "day", "term", "grade"),
}

# Day column -> date column that may stand for it.
DATE_TWINS: dict[str, str] = {
    "day": "date",
    "start_day": "start_date",
    "stop_day": "stop_date",
    "last_contact_day": "last_contact_date",
    "death_day": "death_date",
    "mas_onset_day": "mas_onset_date",
}


@dataclass(frozen=True)
class RawTable:
    """One raw table as text.

    `frame` has the canonical columns found, all text (stripped, "" if empty), indexed by `source_row`, the
    line in the file (header = line 1); those of long tables keep each text once (see `helpers.cohort.texts`).
    `headers` gives the file's own name of each canonical column.
    `empty_rows` are the lines of records in which every field is empty. `set_aside` has the rows left out
    before anything is checked: patient_id and reason, by source_row. `unused` holds the columns of the file
    that are not read, under their own names.
    """

    name: TableName
    file: str
    frame: pd.DataFrame
    headers: dict[str, str]
    empty_rows: tuple[int, ...] = ()
    set_aside: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["patient_id", "reason"]))
    unused: pd.DataFrame = field(default_factory=pd.DataFrame)

    def header(self, column: str) -> str:
        """Return the name of a canonical column in the file."""
        return self.headers.get(column, column)

    @cached_property
    def repeated(self) -> "pd.Series[bool]":
        """Mask of the rows that repeat an earlier row in every column of the file, also those not read."""
        return repeated(self.every_column)

    @property
    def every_column(self) -> pd.DataFrame:
        """All columns of the file; those that are not read have "unused " before their name."""
        unused = self.unused if len(self.unused) == len(self.frame) else self.unused.reindex(self.frame.index)
        columns = {**self.frame, **unused.add_prefix("unused ")}
        return pd.DataFrame(columns, index=self.frame.index, copy=False)

    def problem(self, row: int, column: str, found: str, expected: str, remedy: str) -> Problem:
        """Return an error in one row of this table."""
        return Problem(self.file, int(row), self.header(column), found, expected, remedy)

    def warning(self, row: int, column: str, found: str, expected: str, remedy: str) -> Problem:
        """Return a warning about one row of this table."""
        return Problem(self.file, int(row), self.header(column), found, expected, remedy, "warning")


@dataclass(frozen=True)
class Reading:
    """All raw tables of a folder; `absent` lists optional tables without a file."""

    tables: dict[TableName, RawTable]
    problems: list[Problem]
    absent: tuple[TableName, ...]
    files: dict[TableName, Path] = field(default_factory=dict)


def table_files(folder: Path, config: CohortConfig) -> tuple[dict[TableName, Path], list[Problem]]:
    """Return the file of each table that has one, and what is wrong with the choice of files."""
    files: dict[TableName, Path] = {}
    problems: list[Problem] = []
    names = sorted(p.name for p in folder.iterdir() if p.is_file()) if folder.is_dir() else []
    for table in TABLE_NAMES:
        wanted = config.tables.get(table, Table()).file
        usual = [*(table + suffix for suffix in SUFFIXES), f"{DERIVED}/{table}.csv"]
        candidates = [wanted] if wanted else usual
        found = [name for name in candidates if name in names or (folder / name).is_file()]
        if found and Path(found[0]).suffix.lower() not in SUFFIXES:
            expected = f"a file ending in {' or '.join(SUFFIXES)}"
            problems.append(Problem(found[0], None, "", "another kind of file", expected, "export it as CSV"))
        elif len(found) > 1:
            problems.append(
                Problem(
                    found[1],
                    None,
                    "",
                    f"{found[0]} beside it",
                    "one file for each table",
                    "remove one of them",
                )
            )
            files[table] = folder / found[0]
        elif found:
            files[table] = folder / found[0]
        elif wanted or table == "patients":
            expected = (
                "the table of patients"
                if table == "patients"
                else f"the table of {table} named in cohort.toml"
            )
            remedy = suggestion(candidates[0], names) or "put the file into the cohort's folder"
            problems.append(Problem(candidates[0], None, "", "no such file", expected, remedy))
    return files, problems


def read_tables(folder: Path, config: CohortConfig) -> Reading:
    """Read every raw table of the folder; faults of one file do not hide those of another."""
    files, problems = table_files(folder, config)
    tables: dict[TableName, RawTable] = {}
    for name, path in files.items():
        table, faults = read_table(path, name, config)
        problems.extend(faults)
        if table is not None:
            tables[name] = table
    absent = tuple(name for name in TABLE_NAMES if name not in files)
    return Reading(tables, problems, absent, files)


def read_table(path: Path, name: TableName, config: CohortConfig) -> tuple[RawTable | None, list[Problem]]:
    """Read one file as text with canonical column names; None if nothing can be read of it."""
    settings = config.tables.get(name, Table())
    records = read_records(path, name, settings.sheet, settings.encoding)
    if isinstance(records, Problem):
        return None, [records]
    columns, headers, problems = _canonical_columns(records.header, records.place, name, config)
    index = _lines(records.lines)
    cells = records.cells.copy(deep=False)
    cells.index = index
    empty = np.ones(len(cells), dtype=bool)
    for place in cells:
        empty &= (cells[place] == "").to_numpy()
    empty_rows = tuple(int(line) for line in index[empty])
    if empty_rows:
        cells = cells[~empty]
    frame = pd.DataFrame(
        {column: cells[place] for column, place in columns.items()}, index=cells.index, copy=False
    )
    if name == "patients":  # as many texts as rows
        frame = plain(frame)
    if frame.empty and name == "patients":
        problems.append(
            Problem(
                records.place,
                None,
                "",
                "no patient",
                "one row for each patient",
                "add the patients to the table",
            )
        )
    read = set(columns.values())
    others = {head: cells[place] for place, head in enumerate(records.header) if place not in read and head}
    unused = pd.DataFrame(others, index=cells.index, copy=False)
    table = RawTable(name, records.place, frame, headers, empty_rows, unused=unused)
    return table, [*records.problems, *problems]


def _lines(lines: NDArray[np.int64]) -> pd.Index:
    """Return the lines of the records as labels of rows; lines without a gap are not kept one by one."""
    first, last = (int(lines[0]), int(lines[-1])) if len(lines) else (2, 1)
    if last - first + 1 == len(lines):
        return pd.RangeIndex(first, last + 1, name="source_row")
    return pd.Index(lines, name="source_row")


def _canonical_columns(
    header: Sequence[str], file: str, table: TableName, config: CohortConfig
) -> tuple[dict[str, int], dict[str, str], list[Problem]]:
    """Match the file's columns to canonical ones: by cohort.toml, then by name, then by alias."""
    mapped = config.tables.get(table, Table()).columns
    vocabulary = config.vocabulary
    names = vocabulary.columns(table)
    by_spelling = vocabulary.spellings(names)
    raw_to_canonical = {raw: canonical for canonical, raw in mapped.items()}
    columns: dict[str, int] = {}
    problems: list[Problem] = []
    unmatched: list[str] = []
    for place, raw in enumerate(header):
        canonical = raw_to_canonical.get(raw)
        if canonical is None:
            canonical = by_spelling.get(fold(raw))
            canonical = None if canonical in mapped else canonical
        if canonical is None:
            unmatched.append(raw)
        elif canonical in columns:
            found = f"two columns for {canonical}: {header[columns[canonical]]!r} and {raw!r}"
            remedy = f"name the right one under [tables.{table}.columns] in cohort.toml, or remove the other"
            problems.append(Problem(file, 1, raw, found, "one column", remedy))
        else:
            columns[canonical] = place
    for canonical, raw in mapped.items():
        if raw not in header:
            remedy = suggestion(raw, header) or f"columns are {', '.join(header)}"
            problems.append(
                Problem(
                    file,
                    1,
                    raw,
                    "no such column",
                    f"the column that cohort.toml gives for {canonical}",
                    remedy,
                )
            )
    claimed = set()
    for column in _missing_columns(table, columns, mapped, config):
        near = _nearest_header(column, unmatched, vocabulary)
        claimed.add(near)
        problems.append(_missing_problem(file, table, column, near, vocabulary))
    problems.extend(
        _ignored_problem(file, table, raw, names) for raw in unmatched if raw not in ("", *claimed)
    )
    return columns, {canonical: header[place] for canonical, place in columns.items()}, problems


def _missing_columns(
    table: TableName, columns: dict[str, int], mapped: dict[str, str], config: CohortConfig
) -> list[str]:
    missing = []
    for column in REQUIRED_COLUMNS[table]:
        if column in columns or column in mapped or DATE_TWINS.get(column) in columns:
            continue
        if column == "death_day" and "died" in columns:
            continue
        if column == "group" and len(config.groups) == 1:
            continue
        missing.append(column)
    return missing


def _nearest_header(column: str, unmatched: list[str], vocabulary: Vocabulary) -> str | None:
    """Return the column of the file that is spelled most like a missing one or one of its aliases."""
    spellings = (column, *vocabulary[column].aliases)
    return next((match for name in spellings if (match := closest(name, unmatched))), None)


def _missing_problem(
    file: str, table: TableName, column: str, near: str | None, vocabulary: Vocabulary
) -> Problem:
    expected = f"the required column {column} ({vocabulary[column].label})"
    if near:
        remedy = (
            f"is it {near!r}? then write {column} = {near!r} under [tables.{table}.columns] in cohort.toml"
        )
    else:
        remedy = f"add it, or name its column under [tables.{table}.columns] in cohort.toml"
    return Problem(file, 1, column, "no such column", expected, remedy)


def _ignored_problem(file: str, table: TableName, raw: str, names: Sequence[str]) -> Problem:
    near = suggestion(raw, names)
    remedy = f"{near} else it is not used" if near else "it is not used"
    expected = f"a column of the vocabulary's table {table}"
    return Problem(file, 1, raw, "a column that is not in the vocabulary", expected, remedy, "warning")
