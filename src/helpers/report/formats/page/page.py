"""The report as one file: text, figures, tables, statistics, notebooks, provenance; no network needed."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.report.formats.page.notebooks import notebook_pages
from helpers.report.formats.page.provenance import provenance_view
from helpers.report.formats.page.statistics import statistic_views
from helpers.report.formats.page.tables import TableView
from helpers.report.formats.templates import asset, rendered
from helpers.report.text.blocks import (
    Block,
    Checklist,
    Document,
    FigureBlock,
    Heading,
    Paragraph,
    Sources,
    TableBlock,
)
from helpers.report.text.checklists import checklist_words
from helpers.report.text.document import build_report
from helpers.report.text.legends import exhibit_words
from helpers.report.text.prose import Prose
from helpers.report.text.wording import Language, Wording
from helpers.results.files import write_whole

if TYPE_CHECKING:
    from helpers.report.text.material import Study


def write_report(
    study: Study, path: Path, provenance: Mapping[str, Any], language: Language | None = None
) -> Path:
    """Write the report of a cohort, the same bytes each time.

    Args:
        study: the cohort's results.
        path: the file to write.
        provenance: what the results were made from, as in ``provenance.json``.
        language: name of the language (``en``, ``zh``); by default the cohort's own.
    """
    wording = Wording.of(language or study.config.report.language, study.config)
    page = report_markup(build_report(study, wording), provenance)
    write_whole(path, page.encode())
    return path


def report_markup(document: Document, provenance: Mapping[str, Any], *, on_paper: bool = False) -> str:
    """Return the whole page.

    Args:
        document: the manuscript.
        provenance: what the results were made from.
        on_paper: leave out what only a screen can show: scripts, notebooks, links from cells of tables. The
            statistics are then those of the text and the legends.
    """
    study, words = document.study, document.wording.words("report.toml")
    blocks = list(_views(document))
    cited = list(document.cited)
    if not on_paper:
        cited += [name for _, view in blocks if isinstance(view, TableView) for name in view.cited]
    warnings = [block for block in document.blocks if _is_warning(block)]
    appendix = [
        name for name in ("statistics", "notebooks", "provenance") if name != "notebooks" or not on_paper
    ]
    return str(
        rendered(
            "report.html",
            words=words,
            title=_title(document),
            warnings=warnings,
            contents=_contents(blocks, [(name, str(words[name])) for name in appendix]),
            blocks=blocks,
            checklist_heads=checklist_words(document.wording)["heads"],
            statistics=statistic_views(study.statistics, cited, document.wording),
            notebooks=[] if on_paper else notebook_pages(study.results / "notebooks", words),
            provenance=provenance_view(provenance, words),
            watermark=document.watermark,
            style=asset("report.css"),
            script="" if on_paper else asset("report.js"),
            on_paper=on_paper,
        )
    )


@dataclass(frozen=True)
class HeadingView:
    """A heading with its place on the page."""

    level: int
    name: str
    text: Prose
    on_screen: bool = False  # nothing below it is printed


@dataclass(frozen=True)
class FigureView:
    """A figure with its drawing."""

    block: FigureBlock
    label: str

    @property
    def svg(self) -> str:
        """The drawing, in base 64."""
        return base64.b64encode(self.block.stem.with_suffix(".svg").read_bytes()).decode("ascii")


@dataclass
class Entry:
    """An entry of the table of contents, with those below it."""

    name: str
    label: str
    below: list[Entry] = field(default_factory=list)


def _title(document: Document) -> str:
    first = document.blocks[0] if document.blocks else None
    return str(first.text) if isinstance(first, Heading) else document.study.config.title


def _is_warning(block: Block) -> bool:
    return isinstance(block, Paragraph) and block.role in {"watermark", "note"}


def _contents(blocks: Iterable[tuple[str, Any]], appendix: Iterable[tuple[str, str]]) -> list[Entry]:
    found: list[Entry] = []
    for _, view in blocks:
        if isinstance(view, HeadingView):
            entry = Entry(view.name, str(view.text))
            (found if view.level == 2 or not found else found[-1].below).append(entry)
    return [*found, *(Entry(name, label) for name, label in appendix)]


def _views(document: Document) -> Iterator[tuple[str, Any]]:
    """Yield kind and data of the blocks between the header and the appendices."""
    journal, headings = document.study.config.report.journal, 0
    label_end = exhibit_words(document.wording)["label_end"]
    blocks = [*_without_sources(document.blocks)]
    for place, block in enumerate(blocks):
        if isinstance(block, Heading) and block.level > 1:
            headings += 1
            on_screen = _is_left_on_screen(blocks[place + 1 :], block.level)
            yield "heading", HeadingView(min(block.level, 4), f"part-{headings}", block.text, on_screen)
        elif isinstance(block, Paragraph) and not _is_warning(block):
            yield "paragraph", block
        elif isinstance(block, FigureBlock):
            yield "figure", FigureView(block, f"{block.label}{label_end}".strip())
        elif isinstance(block, TableBlock):
            yield "table", TableView(block, journal)
        elif isinstance(block, Checklist):
            yield "checklist", block


def _is_left_on_screen(after: Sequence[Block], level: int) -> bool:
    """Tell whether there are only exhibits of the report below a heading, which are not printed."""
    below: list[Block] = []
    for block in after:
        if isinstance(block, Heading) and block.level <= level:
            break
        below.append(block)
    shown = [block for block in below if not isinstance(block, Heading)]
    return bool(shown) and all(getattr(block, "room", "") == "report" for block in shown)


def _without_sources(blocks: tuple[Block, ...]) -> Iterator[Block]:
    """Leave out the list of sources with its heading: the page has a table of the statistics instead."""
    for i, block in enumerate(blocks):
        after = blocks[i + 1] if i + 1 < len(blocks) else None
        if not isinstance(block, Sources) and not (isinstance(block, Heading) and isinstance(after, Sources)):
            yield block
