"""A table for readers: shown by a notebook, stored beside the results, printed in any format."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from helpers.report.formats.html import inlined, page, to_html
from helpers.report.formats.rendered import shown
from helpers.report.formats.text import lines, to_csv
from helpers.report.tables.cells import Cell, Number, Term, Value, verbatim
from helpers.report.tables.content import Column, Row, TableContent
from helpers.results.files import write_whole

if TYPE_CHECKING:
    from helpers.report.text.wording import Wording

TableFormat = Literal["docx", "tex", "xlsx", "html", "csv"]


@dataclass(frozen=True, repr=False)
class Table(TableContent):
    """A finished table, with what a notebook does with it.

    >>> import tempfile
    >>> table = Table("table_2_response", "Response", ["", "Treated"], [["CR", "6 (30%)"]])
    >>> kept = table.save(Path(tempfile.mkdtemp()))
    >>> (
    ...     table.to_csv().splitlines()[0],
    ...     "6 (30%)" in table.to_html(),
    ...     len(table.to_json()) > 50,
    ...     kept.texts,
    ... )
    (',Treated', True, True, [['CR', '6 (30%)']])
    >>> place = Path(tempfile.mkdtemp())
    >>> saved = table.save(place)
    >>> Table.from_json(place / "table_2_response.json").title, len(stored_tables(place))
    ('Response', 1)
    """

    @property
    def texts(self) -> list[list[str]]:
        """The rows as the generic theme prints them, without footnote signs."""
        return [[cell.text for cell in one.cells] for one in shown(self).rows]

    def __repr__(self) -> str:
        """Return the table as tab-separated text."""
        return "\n".join([self.title, *("\t".join(line) for line in lines(self))])

    def _repr_html_(self) -> str:
        return inlined(self.to_html())

    def to_html(self, theme: str | None = None) -> str:
        """Return the table as an HTML fragment with its own style, by default in the generic theme."""
        return self._html if theme is None else to_html(self, theme)

    @cached_property
    def _html(self) -> str:
        return to_html(self)

    def to_csv(self) -> str:
        """Return the table as csv, notes and watermark in rows of their own below it."""
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

    def save(self, directory: Path, wording: Wording | None = None) -> Table:
        """Write ``name.csv``, ``.html`` and ``.json`` and return the table, so that a notebook shows it.

        Args:
            directory: where the files go.
            wording: language of csv, HTML and what is returned; the JSON keeps the English words, from which
                documents in any language are made.
        """
        from helpers.report.tables.language import in_language

        told = self if wording is None else in_language(self, wording)
        pages = {
            "csv": told.to_csv(),
            "html": page([told], fragments=[told.to_html()]),
            "json": self.to_json(),
        }
        for suffix, text in pages.items():
            write_whole(directory / f"{self.name}.{suffix}", text.encode())
        return told


def stored_tables(directory: Path) -> list[Table]:
    """Return the tables stored in a folder: those of the text first, then the supplementary ones.

    >>> stored_tables(study.results / "tables")[0].name
    'table_1'
    """
    # First by name: tables of one number have the same order on every disk.
    tables = map(Table.from_json, sorted(Path(directory).glob("*.json")))
    return sorted(tables, key=lambda table: table.order)


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
