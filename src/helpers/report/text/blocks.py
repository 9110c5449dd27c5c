"""What a document is made of, before any file format: headings, paragraphs, figures, tables, lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from helpers.report.text.checklists import Answer
from helpers.report.text.prose import Prose
from helpers.report.text.wording import Wording

if TYPE_CHECKING:
    from helpers.report.tables.table import Table
    from helpers.report.text.material import Study

Room = Literal["main", "supplementary", "report"]
ROOMS: tuple[Room, ...] = ("main", "supplementary", "report")
SUBMITTED: frozenset[Room] = frozenset({"main", "supplementary"})


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the title."""

    level: int
    text: Prose


@dataclass(frozen=True)
class Paragraph:
    """A paragraph.

    ``role`` is ``watermark`` or ``note`` for warnings, ``list`` for a line of a list, ``reference`` for a
    work in the list of references, ``prompt`` for what the authors are to write.
    """

    text: Prose
    role: Literal["text", "watermark", "note", "list", "exhibits", "reference", "prompt"] = "text"


@dataclass(frozen=True)
class FigureBlock:
    """A figure with its label and legend; files are ``stem.png`` and ``stem.svg``."""

    name: str
    label: str
    legend: Prose
    stem: Path
    room: Room

    @property
    def title(self) -> str:
        """First sentence of the legend, without its full stop: what the figure shows."""
        return re.split(r"(?<=[.。])\s?", str(self.legend), maxsplit=1)[0].rstrip(".。")


@dataclass(frozen=True)
class TableBlock:
    """A table with its label and title in the document's language."""

    name: str
    label: str
    title: str
    table: Table
    room: Room


@dataclass(frozen=True)
class Checklist:
    """A reporting checklist, filled."""

    title: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class References:
    """The place where the works cited are listed; paragraphs take it once they are numbered."""


@dataclass(frozen=True)
class Sources:
    """The place where every cited statistic is listed."""


Block: TypeAlias = Heading | Paragraph | FigureBlock | TableBlock | Checklist | References | Sources


def prose_of(block: Block) -> Prose:
    """Return what is to be read in a block: its text or legend; nothing of a table or a list.

    >>> str(prose_of(Paragraph(Prose.of("Nobody died."))))
    'Nobody died.'
    """
    if isinstance(block, FigureBlock):
        return block.legend
    return block.text if isinstance(block, (Heading, Paragraph)) else Prose()


def without_empty(blocks: list[Block]) -> Iterator[Block]:
    """Leave out paragraphs without a word, and headings that have nothing below them."""
    blocks = [block for block in blocks if not isinstance(block, Paragraph) or block.text]
    for i, block in enumerate(blocks):
        if isinstance(block, Heading) and block.level > 1:
            after = blocks[i + 1] if i + 1 < len(blocks) else None
            if after is None or (isinstance(after, Heading) and after.level <= block.level):
                continue
        yield block


@dataclass(frozen=True)
class Document:
    """Blocks in reading order.

    Attributes:
        study: what the document is made from.
        wording: its language.
        blocks: what stands in it.
    """

    study: Study
    wording: Wording
    blocks: tuple[Block, ...]

    @cached_property
    def cited(self) -> tuple[str, ...]:
        """Identifiers of the statistics in the text and the legends, in order of first appearance."""
        found: dict[str, None] = {}
        for block in self.blocks:
            found |= dict.fromkeys(prose_of(block).ids)
        return tuple(found)

    @property
    def watermark(self) -> str:
        """Warning for cohorts that are not of real patients, in the document's language."""
        return self.wording.term(self.study.config.watermark) if self.study.config.watermark else ""
