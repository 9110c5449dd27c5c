"""What a table for readers holds: cells that know their statistics, headings, notes and watermark.

>>> table = TableContent(
...     "table_2_response",
...     "Response",
...     ["", "Treated", "Control"],
...     [row("CR", "6 (30%)", "0"), heading("Later")],
... )
>>> table.label, [row.kind for row in table.rows], len(table.without(["Control"]).columns)
('Table 2', ['body', 'heading'], 2)
>>> message("No response was recorded.").kind, column("{p_value}").left
('message', False)
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Self

from helpers.report.tables.cells import Cell, Value, verbatim, words

if TYPE_CHECKING:
    from helpers.report.text.wording import Wording

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
class TableContent:
    """What a finished table holds.

    Attributes:
        name: file name without suffix; ``table_2_response`` is Table 2, ``table_s4_limits`` Table S4.
        title: what the table shows.
        columns: headings; the first column holds the row labels. Texts become columns.
        rows: rows. A sequence of cells or texts becomes a row, one of a single text a heading.
        footnotes: notes on the whole table; those of single cells hang on the cells.
        watermark: warning for cohorts that are not of real patients.
        wording: the language that the words are in; English where there is none.
    """

    name: str
    title: str
    columns: Sequence[Column | str]
    rows: Sequence[Row | Sequence[Cell | str]]
    footnotes: Sequence[Cell | str] = ()
    watermark: str = ""
    wording: Wording | None = field(default=None, compare=False)

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

    def without(self, labels: Collection[str]) -> Self:
        """Return the table without the columns of these headings; rows across the table stay."""
        out = [words(label) for label in labels]
        kept = [i for i, one in enumerate(self.columns) if isinstance(one, Column) and one.label not in out]
        rows = [
            replace(one, cells=tuple(one.cells[i] for i in kept)) if one.kind == "body" else one
            for one in self.rows
            if isinstance(one, Row)
        ]
        return replace(self, columns=[self.columns[i] for i in kept], rows=rows)

    @property
    def values(self) -> Iterator[Value]:
        """Every value in headings, cells and notes."""
        cells = [one.label for one in self.columns if isinstance(one, Column)]
        cells += [cell for one in self.rows if isinstance(one, Row) for cell in one.cells]
        for cell in [*cells, *(note for note in self.footnotes if isinstance(note, Cell))]:
            yield from cell.values
