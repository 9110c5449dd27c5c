"""What readers hand over: cells of a sheet as text, and tables found in them.

>>> grid = Grid("lab.xlsx", "1", [["id", "ferritin"], ["R01", "900"]])
>>> block = Block(grid, "", (("id", "ferritin"),), [["R01", "900"]], [2], (1, 2))
>>> grid.place, grid.line(1), block.label(0), block.column(1)
('lab.xlsx [1]', 2, '', ['900'])
"""

from dataclasses import dataclass, field
from typing import Literal

from helpers.problems import Problem

Span = tuple[int, int, int, int]
"""First row, first column, last row, last column of merged cells, counted from 0."""


@dataclass(frozen=True)
class Grid:
    """One sheet, or one file without sheets, as it stands: rows of text of one width.

    Attributes:
        file, sheet: where it is; `sheet` is empty for files that have none.
        cells: rows from the first line of the file on.
        merged: merged cells; their text stands in the first of them only.
        labels: what a statistics program says of each column beside its name.
        regular: whether the first row is surely the header and all others are data.
        problems: what is wrong with it.
        notes: how it was read, for people.
        values: meaning of the codes of a column, by its name, where the file says it.
        lines: line of each row in the file where rows and lines are not one to one; else empty.
    """

    file: str
    sheet: str
    cells: list[list[str]]
    merged: tuple[Span, ...] = ()
    labels: tuple[str, ...] = ()
    regular: bool = False
    problems: list[Problem] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    lines: tuple[int, ...] = ()

    @property
    def place(self) -> str:
        """File and sheet, as they are told to people."""
        return f"{self.file} [{self.sheet}]" if self.sheet else self.file

    def line(self, row: int) -> int:
        """Line in the file of a row counted from 0."""
        return self.lines[row] if row < len(self.lines) else row + 1


Turn = Literal["", "turned", "pairs"]


@dataclass(frozen=True)
class Block:
    """One table of a grid: a header of one level or more, and rows.

    Attributes:
        grid: file and sheet it stands in.
        title: what stands above it.
        header: levels of each column's name, the uppermost first.
        rows: cells by row.
        lines: line of each row in the file, counted from 1.
        columns: place of each column in the file, counted from 1.
        labels: what is said of each column beside its name.
        turn: turned if variables stood in rows, pairs if names and values stood side by side.
    """

    grid: Grid
    title: str
    header: tuple[tuple[str, ...], ...]
    rows: list[list[str]]
    lines: list[int]
    columns: tuple[int, ...]
    labels: tuple[str, ...] = ()
    turn: Turn = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Each column's name in one line; a name that stands twice is numbered."""
        told = [" | ".join(dict.fromkeys(filter(None, levels))) for levels in self.header]
        seen: dict[str, int] = {}
        for place, name in enumerate(told):
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > 1:
                told[place] = f"{name} #{seen[name]}"
        return tuple(told)

    def label(self, place: int) -> str:
        """What is said of a column beside its name."""
        return self.labels[place] if self.labels else ""

    def column(self, place: int) -> list[str]:
        """All cells of a column."""
        return [row[place] for row in self.rows]
