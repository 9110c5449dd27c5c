"""The report as one file: text, figures, tables, statistics, notebooks, provenance; no network needed."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.report.formats.page.markup import attribute, prose, text
from helpers.report.formats.page.notebooks import notebooks_markup
from helpers.report.formats.page.provenance import provenance_markup
from helpers.report.formats.page.statistics import statistics_markup
from helpers.report.formats.page.tables import cited_in, table_markup
from helpers.report.text.document import (
    Block,
    Checklist,
    Document,
    FigureBlock,
    Heading,
    Paragraph,
    Sources,
    TableBlock,
    build_document,
    exhibit_words,
)
from helpers.report.text.wording import Language, Wording, language_file
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
        language: ``en`` or ``zh``; by default the cohort's own.
    """
    wording = Wording.of(language or study.config.report.language, study.config)
    page = report_markup(build_document(study, wording), provenance)
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
    study, wording = document.study, document.wording
    words = language_file(wording.language, "report.toml")
    body = _Body(document, on_paper=on_paper)
    main = "\n".join(body.blocks())
    appendix = {"statistics": statistics_markup(study.statistics, body.cited, words)}
    if not on_paper:
        notebooks = notebooks_markup(study.results / "notebooks", words["lang"])
        appendix["notebooks"] = f"<p>{text(words['notebooks_intro'])}</p>\n{notebooks}"
    appendix["provenance"] = provenance_markup(provenance, words)
    for name, content in appendix.items():
        body.contents.append((2, name, str(words[name])))
        heading = f'<h2 id="{name}">{text(words[name])}</h2>'
        main += f"\n<section>{heading}\n{content}\n</section>"
    parts = {
        "lang": words["lang"],
        "title": text(_title(document)),
        "header": _header(document),
        "contents": _contents(body.contents, words),
        "main": main,
        "watermark": text(document.watermark),
        "style": _asset("report.css"),
        "script": "" if on_paper else _asset("report.js"),
        **{name: text(words[name]) for name in ("skip", "close", "to_row")},
    }
    template = _asset("report.html")
    return re.sub(r"\$\{(\w+)\}", lambda found: str(parts[found[1]]), template)


def _asset(name: str) -> str:
    return (files("helpers.report.formats.page") / name).read_text(encoding="utf-8")


def _title(document: Document) -> str:
    first = document.blocks[0] if document.blocks else None
    return str(first.text) if isinstance(first, Heading) else document.study.config.title


def _header(document: Document) -> str:
    warnings = (
        f'<p class="{block.role}">{prose(block.text)}</p>'
        for block in document.blocks
        if isinstance(block, Paragraph) and block.role in {"watermark", "note"}
    )
    return "\n".join((f"<h1>{text(_title(document))}</h1>", *warnings))


def _contents(entries: list[tuple[int, str, str]], words: Mapping[str, str]) -> str:
    items, depth = [], 2
    for level, name, label in entries:
        if level > depth:
            items.append("<ul>")
        elif level < depth:
            items.append("</li></ul></li>")
        elif items:
            items.append("</li>")
        items.append(f'<li><a href="#{attribute(name)}">{text(label)}</a>')
        depth = level
    items.append("</li>" + "</ul></li>" * (depth - 2))
    return f'<h2 id="contents">{text(words["contents"])}</h2>\n<ul>{"".join(items)}</ul>'


class _Body:
    """Turns blocks into markup; collects the headings and the cited statistics on the way."""

    def __init__(self, document: Document, *, on_paper: bool) -> None:
        self.document, self.on_paper = document, on_paper
        self.journal = document.study.config.report.journal
        self.words = language_file(document.wording.language, "report.toml")
        self.contents: list[tuple[int, str, str]] = []
        self.cited: list[str] = list(document.cited)

    def blocks(self) -> Iterator[str]:
        """Yield the markup of the blocks between the header and the appendices."""
        for block in _without_sources(self.document.blocks):
            if isinstance(block, Heading) and block.level > 1:
                yield self._heading(block)
            elif isinstance(block, Paragraph) and block.role not in {"watermark", "note"}:
                yield self._paragraph(block)
            elif isinstance(block, FigureBlock):
                yield self._figure(block)
            elif isinstance(block, TableBlock):
                links = not self.on_paper
                self.cited += cited_in(block, self.journal) if links else ()
                yield table_markup(block, self.journal, self.words, self.document.watermark, links=links)
            elif isinstance(block, Checklist):
                yield self._checklist(block)

    def _heading(self, block: Heading) -> str:
        level = min(block.level, 4)
        name = f"part-{len(self.contents) + 1}"
        self.contents.append((min(level, 3), name, str(block.text)))
        return f'<h{level} id="{name}">{prose(block.text)}</h{level}>'

    def _paragraph(self, block: Paragraph) -> str:
        if block.role == "list":
            return f"<ul><li>{prose(block.text)}</li></ul>"
        return f"<p{' class=exhibits' if block.role == 'exhibits' else ''}>{prose(block.text)}</p>"

    def _figure(self, block: FigureBlock) -> str:
        drawing = base64.b64encode(block.stem.with_suffix(".svg").read_bytes()).decode("ascii")
        label = f"{block.label}{exhibit_words(self.document.wording)['label_end']}".strip()
        zoom = attribute(f"{self.words['zoom']}: {block.label}")
        image = f'<img src="data:image/svg+xml;base64,{drawing}" alt="{attribute(block.title)}">'
        if not self.on_paper:
            image = f'<button type="button" class="zoom" aria-label="{zoom}">{image}</button>'
        return (
            f'<figure class="drawing" id="{attribute(block.name)}">\n{image}\n'
            f"<figcaption><strong>{text(label)}</strong> {prose(block.legend)}</figcaption></figure>"
        )

    def _checklist(self, block: Checklist) -> str:
        heads = language_file(self.document.wording.language, "strobe.toml")["heads"]
        head = "".join(f'<th scope="col">{text(one)}</th>' for one in heads)
        rows, room = [], ""
        for answer in block.answers:
            if answer.room != room:
                rows.append(
                    f'<tr class="heading"><th scope="rowgroup" colspan="3">{text(answer.room)}</th></tr>'
                )
                room = answer.room
            rows.append(
                f'<tr class="{answer.answered}"><th scope="row">{text(answer.number)}</th>'
                f"<td class=left>{text(answer.asked)}</td><td class=left>{text(answer.where)}</td></tr>"
            )
        return (
            '<div class="scroll" role="region" tabindex="0" aria-label="STROBE">'
            f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n{chr(10).join(rows)}\n</tbody></table></div>"
        )


def _without_sources(blocks: tuple[Block, ...]) -> Iterator[Block]:
    """Leave out the list of sources with its heading: the page has a table of the statistics instead."""
    for i, block in enumerate(blocks):
        after = blocks[i + 1] if i + 1 < len(blocks) else None
        if not isinstance(block, Sources) and not (isinstance(block, Heading) and isinstance(after, Sources)):
            yield block
