"""Tables of the report: sortable by every column, each number a link to its statistic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from helpers.report.formats.rendered import Shown, ShownRow, shown

if TYPE_CHECKING:
    from helpers.report.text.blocks import TableBlock


@dataclass(frozen=True)
class TableView:
    """A table as the journal's theme prints it."""

    block: TableBlock
    journal: str

    @cached_property
    def shown(self) -> Shown:
        """Texts and signs of the table."""
        return shown(self.block.table, self.journal)

    @property
    def bodies(self) -> list[list[ShownRow]]:
        """The rows; a heading across the table begins a body of its own.

        Rows are sorted within it, a row that is indented below another stays with that.
        """
        bodies: list[list[ShownRow]] = [[]]
        for row in self.shown.rows:
            if row.kind == "heading" and bodies[-1]:
                bodies.append([])
            bodies[-1].append(row)
        return bodies

    @property
    def cited(self) -> Iterator[str]:
        """Identifiers of the statistics that the cells lead to."""
        for row in self.shown.rows:
            yield from (cell.id for cell in row.cells if cell.id)
