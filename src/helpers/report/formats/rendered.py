"""A table as a theme prints it: texts and footnote signs settled, the same for every format.

>>> from helpers.report.tables.content import TableContent
>>> table = TableContent("table_2_response", "Response", ["", "Treated"], [["CR", "6 (30%)"]])
>>> found = shown(table, "generic")
>>> found.caption, found.rows[0].cells[1].text, theme_of(table).name, found.said("p")
('Table 2. Response', '6 (30%)', 'generic', 'p')
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from helpers.report.formats.ideas import Idea, taken_apart
from helpers.report.journals.table_themes import Run, Theme, theme_named
from helpers.report.tables.cells import Cell, Value
from helpers.report.tables.content import Column, Row, TableContent
from helpers.report.text.phrases import exhibit_text, theme_words

if TYPE_CHECKING:
    from helpers.report.text.wording import Wording


@dataclass(frozen=True)
class ShownCell:
    """A printed cell.

    Attributes:
        runs: its text.
        marks: signs of its footnotes, to be raised behind the text.
        ideas: the numbers that the cell is made of; none where it holds words.
        id: identifier of the statistic whose number stands first; empty for words.
    """

    runs: tuple[Run, ...]
    marks: tuple[str, ...] = ()
    ideas: tuple[Idea, ...] = ()
    id: str = ""

    @property
    def text(self) -> str:
        """The text without marks."""
        return "".join(run.text for run in self.runs)

    @property
    def all_runs(self) -> tuple[Run, ...]:
        """The text with its raised marks."""
        raised = (Run(",".join(self.marks), raised=True),) if self.marks else ()
        return (*self.runs, *raised)


@dataclass(frozen=True)
class ShownRow:
    """A printed row; headings and messages have a single cell across the table."""

    cells: tuple[ShownCell, ...]
    level: int
    kind: Literal["body", "heading", "message"]


@dataclass(frozen=True)
class Spanner:
    """Words above neighbouring columns; empty where there are none."""

    text: str
    start: int
    width: int


@dataclass(frozen=True)
class Shown:
    """A printed table.

    Attributes:
        label, title: ``Table 1`` and what it shows.
        spanners: the upper line of headings, without gaps; empty where no column has one.
        heads: headings of the columns; ``left`` tells which columns are flush left.
        notes: footnotes with their sign, which is empty for notes on the whole table.
    """

    name: str
    label: str
    title: str
    spanners: tuple[Spanner, ...]
    heads: tuple[ShownCell, ...]
    left: tuple[bool, ...]
    rows: tuple[ShownRow, ...]
    notes: tuple[tuple[str, tuple[Run, ...]], ...]
    watermark: str
    wording: Wording | None = None

    def said(self, word: str) -> str:
        """Return a word of the printed table's own in its language."""
        return word if self.wording is None else exhibit_text(word, self.wording)

    @property
    def caption(self) -> str:
        """``Table 1. Baseline characteristics``."""
        return f"{self.label}. {self.title}" if self.label else self.title


class _Marks:
    """Gives each distinct note a sign, in order of first use."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self.notes: dict[str, Cell] = {}

    def of(self, cell: Cell) -> tuple[str, ...]:
        texts = list(dict.fromkeys(self.theme.text(note) for note in cell.marks))
        for note in cell.marks:
            self.notes.setdefault(self.theme.text(note), note)
        order = list(self.notes)
        return tuple(self.theme.mark(number) for number in sorted(order.index(text) for text in texts))

    def lines(self) -> list[tuple[str, tuple[Run, ...]]]:
        found = [(self.theme.mark(i), self.theme.runs(note)) for i, note in enumerate(self.notes.values())]
        stop = self.theme.stop
        return [
            (sign, (*runs, Run("" if runs[-1].text.endswith((".", stop)) else stop))) for sign, runs in found
        ]


def theme_of(table: TableContent, theme: Theme | str | None = None) -> Theme:
    """Return the theme that prints a table: the journal's, or none in particular, in the table's language."""
    chosen = theme if isinstance(theme, Theme) else theme_named(*([theme] if theme else []))
    return chosen if table.wording is None else chosen.model_copy(update=theme_words(table.wording))


def shown(table: TableContent, theme: Theme | str | None = None) -> Shown:
    """Return the table as a theme prints it.

    Args:
        table: any table.
        theme: a theme or the name of a journal; generic where there is none.
    """
    chosen, label = theme_of(table, theme), table.label
    if table.wording is not None:
        words = table.wording.words("exhibits.toml")
        label = label.replace("Table ", str(words["table"]), 1)
    marks = _Marks(chosen)
    columns = [one for one in table.columns if isinstance(one, Column)]
    heads = tuple(_cell(one.label, chosen, marks) for one in columns)
    rows = tuple(
        ShownRow(tuple(_cell(cell, chosen, marks) for cell in one.cells), one.level, one.kind)
        for one in table.rows if isinstance(one, Row)
    )  # fmt: skip
    general = [("", chosen.runs(note)) for note in table.footnotes if isinstance(note, Cell)]
    left = tuple(one.left or i == 0 for i, one in enumerate(columns))
    notes = (*general, *marks.lines())
    spanners = _spanners([one.spanner for one in columns])
    return Shown(table.name, label, table.title, spanners, heads, left, rows, notes, table.watermark,
                 table.wording)  # fmt: skip


def _cell(cell: Cell, theme: Theme, marks: _Marks) -> ShownCell:
    values = [part for part in cell.parts if isinstance(part, Value)]
    identifier = values[0].first.id if values else ""
    return ShownCell(theme.runs(cell), marks.of(cell), taken_apart(cell, theme), identifier)


def _spanners(texts: Sequence[str]) -> tuple[Spanner, ...]:
    if not any(texts):
        return ()
    found: list[Spanner] = []
    for i, text in enumerate(texts):
        if text and found and found[-1].text == text:
            found[-1] = Spanner(text, found[-1].start, found[-1].width + 1)
        else:
            found.append(Spanner(text, i, 1))
    return tuple(found)
