"""A table for readers: cells that know their statistics, headings, notes and watermark, for any format."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from helpers.report.tables.cells import Cell, Number, Term, Value, verbatim, words
from helpers.results.files import write_whole

TableFormat = Literal["docx", "tex", "xlsx", "html", "csv"]
_LABEL = re.compile(r"table_(s?)(\d+[a-z]?)(?:_|$)")


@dataclass(frozen=True)
class Column:
    """A column's heading.

    Attributes:
        label: words above the column.
        spanner: words above this and the neighbouring columns of the same spanner; empty for none.
        left: whether its cells are set flush left, as text is, instead of centred.
    """

    label: Cell
    spanner: str = ""
    left: bool = False


@dataclass(frozen=True)
class Row:
    """A row: cells from left to right, the first the label.

    Attributes:
        cells: one a column, or a single one across the table.
        level: how far the label is indented.
        kind: a heading or a message has a single cell; a message says why the table is empty.
    """

    cells: tuple[Cell, ...]
    level: int = 0
    kind: Literal["body", "heading", "message"] = "body"


def column(label: Cell | str, *, spanner: str = "", left: bool = False) -> Column:
    """Return a column; ``{p_value}`` and the like in the label stand for terms of the theme."""
    return Column(words(label), spanner, left)


def row(label: Cell | str, *cells: Cell | str, level: int = 0) -> Row:
    """Return a row of the body; texts are taken as they are."""
    return Row(tuple(cell if isinstance(cell, Cell) else verbatim(cell) for cell in (label, *cells)), level)


def heading(text: Cell | str) -> Row:
    """Return a heading across the table."""
    return Row((text if isinstance(text, Cell) else verbatim(text),), kind="heading")


def message(text: str) -> Row:
    """Return the row of a table that has no others: why it is empty."""
    return Row((verbatim(text),), kind="message")


@dataclass(frozen=True)
class Table:
    """A finished table.

    Attributes:
        name: file name without suffix; ``table_2_response`` is Table 2, ``table_s4_limits`` Table S4.
        title: what the table shows.
        columns: headings; the first column holds the row labels. Texts become columns.
        rows: rows. A sequence of cells or texts becomes a row, one of a single text a heading.
        footnotes: notes on the whole table; those of single cells hang on the cells.
        watermark: warning for cohorts that are not of real patients.
    """

    name: str
    title: str
    columns: Sequence[Column | str]
    rows: Sequence[Row | Sequence[Cell | str]]
    footnotes: Sequence[Cell | str] = ()
    watermark: str = ""

    def __post_init__(self) -> None:
        """Give columns, rows and notes their types, and see that every row fits."""
        columns = tuple(one if isinstance(one, Column) else column(one, left=i == 0) for i, one in
                        enumerate(self.columns))  # fmt: skip
        rows = tuple(
            one if isinstance(one, Row) else (heading(one[0]) if len(one) == 1 else row(*one))
            for one in self.rows
        )
        for one in rows:
            if len(one.cells) != (len(columns) if one.kind == "body" else 1):
                raise ValueError(f"{self.name}: a row has {len(one.cells)} cells, of {len(columns)} columns")
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "footnotes", tuple(words(note) for note in self.footnotes))

    @property
    def label(self) -> str:
        """``Table 2`` or ``Table S4``, from the name; empty where it has no number."""
        found = _LABEL.match(self.name)
        return f"Table {found[1].upper()}{found[2]}" if found else ""

    @property
    def order(self) -> tuple[bool, int, str]:
        """Sort key: tables of the text first, then the supplementary ones, each by number."""
        found = _LABEL.match(self.name)
        if not found:
            return (True, 10**6, self.name)
        return (bool(found[1]), int(re.sub(r"\D", "", found[2])), self.name)

    @property
    def values(self) -> Iterator[Value]:
        """Every value in headings, cells and notes."""
        cells = [one.label for one in self.columns if isinstance(one, Column)]
        cells += [cell for one in self.rows if isinstance(one, Row) for cell in one.cells]
        for cell in [*cells, *(note for note in self.footnotes if isinstance(note, Cell))]:
            yield from cell.values

    @property
    def texts(self) -> list[list[str]]:
        """The rows as the generic theme prints them, without footnote signs."""
        from helpers.report.formats.rendered import shown

        return [[cell.text for cell in one.cells] for one in shown(self).rows]

    def __repr__(self) -> str:
        """Return the table as tab-separated text."""
        from helpers.report.formats.text import lines

        return "\n".join([self.title, *("\t".join(line) for line in lines(self))])

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_html(self, theme: str | None = None) -> str:
        """Return the table as an HTML fragment with its own style, by default in the generic theme."""
        if theme is None:
            return self._html
        from helpers.report.formats.html import to_html

        return to_html(self, theme)

    @cached_property
    def _html(self) -> str:
        from helpers.report.formats.html import to_html

        return to_html(self)

    def to_csv(self) -> str:
        """Return the table as csv, notes and watermark in rows of their own below it."""
        from helpers.report.formats.text import to_csv

        return to_csv(self)

    def to_json(self) -> str:
        """Return the table as JSON, from which :meth:`from_json` makes the same table."""
        record = {
            "name": self.name,
            "title": self.title,
            "columns": [
                {"label": _encode(one.label), "spanner": one.spanner, "left": one.left}
                for one in self.columns if isinstance(one, Column)
            ],
            "rows": [
                {"kind": one.kind, "level": one.level, "cells": [_encode(cell) for cell in one.cells]}
                for one in self.rows if isinstance(one, Row)
            ],
            "footnotes": [_encode(note) for note in self.footnotes if isinstance(note, Cell)],
            "stamp": self.watermark,
        }  # fmt: skip
        return json.dumps(record, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, path: Path) -> Table:
        """Read a table that :meth:`save` stored."""
        record = json.loads(Path(path).read_text(encoding="utf-8"))
        return cls(
            record["name"],
            record["title"],
            [Column(_decode(one["label"]), one["spanner"], one["left"]) for one in record["columns"]],
            [Row(tuple(map(_decode, one["cells"])), one["level"], one["kind"]) for one in record["rows"]],
            [_decode(note) for note in record["footnotes"]],
            record["stamp"],
        )

    def save(self, directory: Path) -> Table:
        """Write ``name.csv``, ``.html`` and ``.json`` and return the table, so that a notebook shows it."""
        from helpers.report.formats.html import page

        for suffix, text in {"csv": self.to_csv(), "html": page([self]), "json": self.to_json()}.items():
            write_whole(directory / f"{self.name}.{suffix}", text.encode())
        return self


def stored_tables(directory: Path) -> list[Table]:
    """Return the tables stored in a folder: those of the text first, then the supplementary ones."""
    return sorted(map(Table.from_json, Path(directory).glob("*.json")), key=lambda table: table.order)


def _encode(cell: Cell) -> Any:
    parts: list[Any] = []
    for part in cell.parts:
        if isinstance(part, str):
            parts.append(part)
        elif isinstance(part, Term):
            parts.append({"term": part.name})
        else:
            numbers = {role: _encode_number(one) for role, one in part.numbers.items()}
            parts.append({"kind": part.kind, "numbers": numbers, "digits": part.digits,
                          "unit": part.unit, "scale": part.scale})  # fmt: skip
    if not cell.marks and (not parts or (len(parts) == 1 and isinstance(parts[0], str))):
        return parts[0] if parts else ""
    return {"parts": parts, **({"marks": [_encode(note) for note in cell.marks]} if cell.marks else {})}


def _encode_number(one: Number) -> list[Any]:
    # JSON has no NaN and no infinity; numbers that are none of both stay numbers.
    known = one.value if abs(one.value) < float("inf") else str(one.value)
    return [known, one.id, one.column, one.sign]


def _decode(stored: Any) -> Cell:
    if isinstance(stored, str):
        return verbatim(stored)
    parts: list[Any] = []
    for part in stored["parts"]:
        if isinstance(part, str):
            parts.append(part)
        elif "term" in part:
            parts.append(Term(part["term"]))
        else:
            numbers = {role: Number(float(one[0]), *one[1:]) for role, one in part["numbers"].items()}
            parts.append(Value(part["kind"], numbers, part["digits"], part["unit"], part["scale"]))
    return Cell(tuple(parts), tuple(_decode(note) for note in stored.get("marks", ())))
