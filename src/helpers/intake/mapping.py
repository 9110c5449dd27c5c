"""The mapping: how the files of a hospital become the tables of a cohort, as data beside `cohort.toml`.

It is replayed at each run. Every guess stands in it with its score and evidence, and may be changed by hand.

>>> import tempfile
>>> table = TableMap(
...     file="lab.csv", column=(Column(header="id", means="id"), Column(header="ferritin"))
... )
>>> mapping = IntakeMapping(table=(table,), file=(SourceFile(name="lab.csv"),))
>>> table.of("id").means, mapping.file("lab.csv").name, place_of(table)
('id', 'lab.csv', 'lab.csv')
>>> path = Path(tempfile.mkdtemp(), "mapping.toml")
>>> write_mapping(mapping, path)
>>> read_mapping(path) == mapping, len(mapping_text(mapping)) > 50, differences(mapping, mapping)
(True, True, [])
>>> counterpart("lab.csv", (), ["id", "ferritin"], [table]).file
'lab.csv'
"""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from helpers.cohort.guide import toml_value
from helpers.problems import Problem
from helpers.results.files import write_whole

MAPPING_FILE = "mapping.toml"
SOURCE_FOLDER = "source"
KEY_FILE = "key.csv"
TABLES_FOLDER = "tables"

TableKind = Literal["records", "measurements", "treatments", "responses", "events", "time_to_event", "unused"]

_HEAD = """\
# How the files in source/ become the tables of this cohort. Every line may be changed by hand:
# `compendium new` keeps what stands here and adds what is new. `means` says what a column is, by the names of
# data/README.md. A score of 1 is certain, evidence says why. Checked and replayed at each run.
"""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceFile(_Part):
    """One file as it came, and how its text is read."""

    name: str = Field(description="Name of the file in the folder source/.")
    encoding: str = Field(default="", description="Encoding of a text file; empty: told by its words.")
    separator: str = Field(default="", description="comma, semicolon, tab or bar; empty: told by the file.")
    decimal: Literal["", ".", ","] = Field(default="", description="Decimal mark of numbers; empty: a point.")
    date_order: Literal["", "dmy", "mdy"] = Field(
        default="", description="What comes first in dates that end with the year."
    )
    evidence: str = Field(default="", description="Why it is read so.")


class Column(_Part):
    """One column of a table and what it means.

    `means` is `id`, `link` (another name of the patient, for linking tables only), `day`, `date`, `visit`,
    `personal` (left out), `birth_date`, `unused`, or `patients.NAME`, `measured.NAME`, `response`, or in
    long tables the canonical column.
    """

    header: str
    means: str = "unused"
    also: str = Field(default="", description="A second meaning of the same column.")
    day: int | None = Field(default=None, description="Day of the visit that the header names.")
    unit: str = Field(default="", description="Unit of all values of the column.")
    first_day: Literal[0, 1] = Field(default=0, description="1 where days are counted without a day 0.")
    values: dict[str, str] = Field(default_factory=dict, description="Code = meaning.")
    score: float = Field(default=1.0, ge=0, le=1)
    evidence: str = ""


class TableMap(_Part):
    """One kind of table of a file; sheets of one layout share it."""

    file: str
    sheets: tuple[str, ...] = ()
    kind: TableKind = "records"
    id_from: Literal["column", "beside", "sheet"] = Field(
        default="column",
        description="Where patients are named: a column, a table beside it, the sheet's name.",
    )
    fill_down: bool = Field(default=False, description="An empty id is that of the row above.")
    day_from: Literal["column", "header", "sheet", "baseline"] = Field(
        default="baseline", description="Where the day of measurements is told."
    )
    group_from: Literal["", "sheet", "file"] = Field(
        default="", description="Where the group is told if no column does."
    )
    rows: int = Field(default=0, ge=0, description="Number of rows when the table was last looked at.")
    columns: tuple[Column, ...] = Field(default=(), alias="column")
    score: float = 1.0
    evidence: str = ""

    def of(self, header: str) -> Column | None:
        """Return the entry of a column, or None if there is none."""
        return next((column for column in self.columns if column.header == header), None)


class Question(_Part):
    """Something that is asked rather than guessed."""

    key: str
    text: str
    options: tuple[str, ...] = ()
    proposed: str = ""
    evidence: str = ""


class IntakeMapping(_Part):
    """All that is known about how files become tables."""

    version: Literal[1] = 1
    new_ids: bool = Field(
        default=False, description="Whether patients get ids of the study; key.csv has both."
    )
    new_ids_because: str = ""
    units: dict[str, str] = Field(
        default_factory=dict, description="Unit of variables that come without one."
    )
    groups: dict[str, str] = Field(default_factory=dict, description="Label in the files = id of the group.")
    answers: dict[str, str] = Field(default_factory=dict, description="Question = answer.")
    files: tuple[SourceFile, ...] = Field(default=(), alias="file")
    tables: tuple[TableMap, ...] = Field(default=(), alias="table")
    questions: tuple[Question, ...] = Field(
        default=(),
        alias="question",
        description="What is not yet answered; while any stand here nothing runs.",
    )

    def file(self, name: str) -> SourceFile:
        """Return how a file is read."""
        return next((one for one in self.files if one.name == name), SourceFile(name=name))


def write_mapping(mapping: IntakeMapping, path: Path) -> None:
    """Write a mapping as TOML; the same mapping gives the same bytes."""
    write_whole(path, mapping_text(mapping).encode())


def mapping_text(mapping: IntakeMapping) -> str:
    """Return a mapping as TOML."""
    given = mapping.model_dump(by_alias=True, exclude_defaults=True)
    lines = [_HEAD, "version = 1"]
    lines += [f"{key} = {toml_value(given[key])}" for key in ("new_ids", "new_ids_because") if key in given]
    for key in ("units", "groups", "answers"):
        if key in given:
            lines += ["", f"[{key}]", *(f"{toml_value(k)} = {toml_value(v)}" for k, v in given[key].items())]
    for key in ("file", "question"):
        for one in given.get(key, ()):
            lines += ["", f"[[{key}]]", *(f"{k} = {toml_value(v)}" for k, v in one.items())]
    for table in given.get("table", ()):
        columns = table.pop("column", ())
        lines += ["", "[[table]]", *(f"{k} = {toml_value(v)}" for k, v in table.items())]
        for column in columns:
            lines += ["", "[[table.column]]", *(f"{k} = {toml_value(v)}" for k, v in column.items())]
    return "\n".join(lines) + "\n"


def read_mapping(path: Path) -> IntakeMapping | Problem:
    """Read a mapping; a Problem says what is wrong with it."""
    expected = "the mapping as `compendium new` writes it"
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        return IntakeMapping.model_validate(raw)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return Problem(MAPPING_FILE, None, "", f"no TOML ({error})", expected, "mend the line")
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part + 1) if isinstance(part, int) else part for part in first["loc"])
        return Problem(MAPPING_FILE, None, key, f"{first['input']!r}"[:80], first["msg"], "correct the key")


def differences(old: IntakeMapping, new: IntakeMapping) -> list[str]:
    """Return in words what a mapping has that the one before it had not, and what is gone."""
    said: list[str] = []
    left = list(old.tables)
    for table in new.tables:
        known = counterpart(table.file, table.sheets, [column.header for column in table.columns], left)
        if known is None:
            said.append(f"a new table: {place_of(table)} with {len(table.columns)} columns")
            continue
        left.remove(known)
        fresh = [column for column in table.columns if known.of(column.header) is None]
        gone = [column.header for column in known.columns if table.of(column.header) is None]
        said += [f"{place_of(table)}: a new column {c.header!r}, taken for {c.means}" for c in fresh]
        said += [f"{place_of(table)}: the column {header!r} is gone" for header in gone]
        if table.rows < known.rows:
            said.append(f"{place_of(table)}: {table.rows} rows, {known.rows} before")
        sheets = [sheet for sheet in table.sheets if sheet not in known.sheets]
        said += [f"a new sheet: {table.file} [{sheet}]" for sheet in sheets]
    said += [f"a table is gone: {place_of(table)}" for table in left]
    said += [f"a new unit: {name} in {unit}" for name, unit in new.units.items() if name not in old.units]
    return said + [f"a new group: {label!r}" for label in new.groups if label not in old.groups]


def place_of(table: TableMap) -> str:
    """Return where a table stands, as it is told to people."""
    if not any(table.sheets):
        return table.file
    shown = ", ".join(table.sheets[:3]) + (
        f" and {len(table.sheets) - 3} more" if len(table.sheets) > 3 else ""
    )
    return f"{table.file} [{shown}]"


def counterpart(
    file: str, sheets: Sequence[str], headers: Sequence[str], known: Sequence[TableMap]
) -> TableMap | None:
    """Return the table of a mapping that has the most of these columns, at least half of them."""
    names = set(headers)

    def shared(other: TableMap) -> float:
        own = {column.header for column in other.columns}
        alike = len(names & own) / max(len(names | own), 1)
        return alike + (0.1 if set(other.sheets) & set(sheets) else 0.0)

    best = max((other for other in known if other.file == file), key=shared, default=None)
    return best if best is not None and shared(best) >= 0.5 else None
