"""Tables as they may be shared: made from the shared rows; a number that they do not have is not printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from helpers.report.tables.cells import Cell, Number, Part, Term, Value
from helpers.report.tables.content import Column, Row
from helpers.report.tables.table import Table
from helpers.results.store import Statistic
from helpers.results.suppression import NOT_SHOWN, Shared

_COUNTS = ("count_percent", "count_of", "count_of_percent")


class SharedTable:
    """One table made anew from shared rows.

    Args:
        table: the table as the run stored it.
        shared: the rows as they may be shared.

    Attributes:
        table: the table as it may be shared.
        shown: how many of its numbers are shown.
        hidden: how many are not.
    """

    def __init__(self, table: Table, shared: Shared) -> None:
        self.shared, self.shown, self.hidden = shared, 0, 0
        columns = [
            replace(one, label=self._cell(one.label)) for one in table.columns if isinstance(one, Column)
        ]
        rows = [
            replace(one, cells=tuple(self._cell(cell) for cell in one.cells))
            for one in table.rows if isinstance(one, Row) and not self._says_too_much(one)
        ]  # fmt: skip
        notes = [self._cell(note) for note in table.footnotes if isinstance(note, Cell)]
        self.table = replace(table, columns=columns, rows=rows, footnotes=notes)

    def _cell(self, cell: Cell) -> Cell:
        """Return a cell; one that shows no number has no notes, as they say how it came about."""
        parts: list[Part] = []
        before = self.shown
        for part in cell.parts:
            parts += self._value(part) if isinstance(part, Value) else [_term(part)]
        silent = self.shown == before and any(isinstance(part, Value) for part in cell.parts)
        notes = [] if silent else [note for note in cell.marks if not self._is_silent(note)]
        return Cell(_once(parts), tuple(self._cell(note) for note in notes))

    def _says_too_much(self, row: Row) -> bool:
        """Tell whether a row is named by free text of the data, and its count is not shown."""
        ids = {one.id for cell in row.cells for value in cell.values for one in value.numbers.values()}
        return any(name in self.shared.hidden and name not in self.shared.statistics for name in ids)

    def _is_silent(self, note: Cell) -> bool:
        values = list(note.values)
        return bool(values) and all(any(map(self._mark, one.numbers.values())) for one in values)

    def _value(self, value: Value) -> list[Part]:
        """Return a value from the shared rows, or what stands in its place."""
        marks = {role: self._mark(one) for role, one in value.numbers.items()}
        if value.kind == "median_spread" and not marks.get("median"):
            return self._spread(value, marks)
        if value.kind in _COUNTS and not marks.get("count") and marks.get("n"):
            self.shown, self.hidden = self.shown + 1, self.hidden + 1
            return [_number(value.numbers["count"], 0)]
        hidden = [mark for mark in marks.values() if mark]
        if hidden:
            self.hidden += 1
            return [hidden[0]]
        self.shown += 1
        return [value]

    def _spread(self, value: Value, marks: Mapping[str, str]) -> list[Part]:
        """Return a median with its quartiles, never with minimum and maximum."""
        known = [role for role in ("q1", "q3") if role in marks and not marks[role]]
        self.shown += 1
        self.hidden += any(marks.values())
        parts: list[Part] = [_number(value.numbers["median"], value.digits, value.scale)]
        if len(known) == 2:
            low, high = (_number(value.numbers[role], value.digits, value.scale) for role in known)
            parts += [" [", low, " – ", high, "]"]
        return parts

    def _mark(self, number: Number) -> str:
        """Return what stands in the place of a number; empty where it is shown."""
        row: Statistic | None = self.shared.statistics.get(number.id)
        if row is None:
            return NOT_SHOWN
        if number.column in ("n", "n_missing"):
            return NOT_SHOWN if getattr(row, number.column) is None and number.value == number.value else ""
        return row.qualifier if row.id in self.shared.hidden else ""


def _number(number: Number, digits: int, scale: float = 1.0) -> Value:
    return Value("number", {"value": number}, digits, "", scale)


def _term(part: Part) -> Part:
    """Return a part; where a table says what stands beside a median, that is the quartiles."""
    spreads = {"median_spread": "median [quartiles]", "Median_spread": "Median [quartiles]"}
    return spreads.get(part.name, part) if isinstance(part, Term) else part


def _once(parts: list[Part]) -> tuple[Part, ...]:
    """Leave out a mark that repeats the one before it."""
    kept: list[Part] = []
    for part in parts:
        if not (kept and part == kept[-1] and isinstance(part, str | Term)):
            kept.append(part)
    return tuple(kept)
