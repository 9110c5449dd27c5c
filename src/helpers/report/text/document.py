"""The manuscript before any file format: headings, paragraphs, figures, tables, checklist."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.cohort.installed import ENGLISH
from helpers.report.figures.output.exhibits import exhibits
from helpers.report.journals.text_rules import text_rules
from helpers.report.tables.language import in_language
from helpers.report.text import sections
from helpers.report.text.absence import UnknownStatisticError
from helpers.report.text.added import added_to
from helpers.report.text.alike import alike_claims, alike_items, alike_prose
from helpers.report.text.blocks import (
    ROOMS,
    SUBMITTED,
    Block,
    Checklist,
    Document,
    FigureBlock,
    Heading,
    Paragraph,
    References,
    Room,
    Sources,
    TableBlock,
    prose_of,
    without_empty,
)
from helpers.report.text.checklists import checklist, checklist_words
from helpers.report.text.citations import Cited, cite
from helpers.report.text.inline import PLACEHOLDER, TemplateError, fill
from helpers.report.text.legends import exhibit_words, figure_legend
from helpers.report.text.parts import PartError
from helpers.report.text.prose import Declared, Prose, Reference, join_prose
from helpers.report.text.rooms import (
    TARGET,
    figure_label,
    figure_room,
    report_only_columns,
    table_label,
    table_room,
)
from helpers.report.text.wording import Wording

if TYPE_CHECKING:
    from helpers.report.tables.table import Table
    from helpers.report.text.claims import Claim
    from helpers.report.text.material import Study

_HEADING = re.compile(r"^(#{1,6})\s+(.+)$")
_DIRECTIVE = re.compile(r"^\{\{\s*(\w+)(?:\s*:\s*(.*?))?\s*\}\}$")
# Tables in which nothing to show is itself the finding, where the cohort has this analysis.
_SHOWN_EMPTY = {"table_s1_checks": "", "table_s9_discordant": "response_agreement"}


def build_document(
    study: Study, wording: Wording, template: str | None = None, *, rooms: frozenset[Room] = SUBMITTED
) -> Document:
    """Return a document of a cohort, by default its manuscript.

    Args:
        study: statistics, settings, tables and figures.
        wording: the language.
        template: Markdown with placeholders; by default the cohort's own ``manuscript.md`` (in Chinese
            ``manuscript.zh.md``), else that of the language.
        rooms: whose figures and tables are named in the text.

    Raises:
        TemplateError: a directive or placeholder that nobody knows.
        CitationError: a work that is cited and not listed.
    """
    text = template if template is not None else manuscript_template(study, wording)
    builder = _Builder(study, wording, rooms)
    chunks = _chunks(text)
    own = own_template("manuscript", study, wording)
    parts = [_made(builder, chunk, own.name if own and template is None else "") for chunk in chunks]
    blocks = [
        block
        for i, (chunk, part) in enumerate(zip(chunks, parts, strict=True))
        if not (chunk.directive == "exhibits" and _text_before(chunks[:i], parts).absent)
        for block in part.blocks
    ]
    return Document(study, wording, tuple(without_empty(_with_references(blocks, study, wording))))


def _chunks(text: str) -> list[_Chunk]:
    """Return the parts of a template between empty lines, each with the number of its first line."""
    found, raw, first = [], [], 0
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        if line.strip():
            first = first or number
            raw.append(line)
        elif raw:
            found.append(_Chunk("\n".join(raw), first))
            raw, first = [], 0
    return found


def _made(builder: _Builder, chunk: _Chunk, file: str) -> _Part:
    """Return the blocks of a chunk; what is wrong with the authors' own file is said with its line."""
    try:
        return builder.part(chunk)
    except (TemplateError, PartError, UnknownStatisticError) as error:
        if not file:
            raise
        raise TemplateError(f"{file} line {builder.failing_line(chunk)}: {error}") from None


def _with_references(blocks: list[Block], study: Study, wording: Wording) -> list[Block]:
    """Number the citations in order of appearance; without a place for the list of works, cite none."""
    cited = Cited({}, ())
    if any(isinstance(block, References) for block in blocks):
        cited = cite(map(prose_of, blocks), text_rules(study.config.report.journal).citations, study.folder)
    space = wording.grammar("cite")
    numbered: list[Block] = []
    for block in blocks:
        if isinstance(block, References):
            numbered += [Paragraph(work, "reference") for work in cited.references]
        elif isinstance(block, FigureBlock):
            numbered.append(replace(block, legend=cited.numbered(block.legend, space)))
        elif isinstance(block, (Heading, Paragraph)):
            numbered.append(replace(block, text=cited.numbered(block.text, space)))
        else:
            numbered.append(block)
    return numbered


def build_supplement(study: Study, wording: Wording) -> Document:
    """Return the supplement of a cohort: tables and figures that are sent in beside the manuscript."""
    return build_document(study, wording, _template("supplement", study, wording))


def build_report(study: Study, wording: Wording, *, row_level: bool = True) -> Document:
    """Return the text of the report: main results, manuscript, supplement, and what the report alone shows.

    What the cohort's own manuscript shows already is not shown again, nor what its authors have yet to write.

    Args:
        study: statistics, settings, tables and figures.
        wording: the language.
        row_level: whether what the report alone shows is shown: rows of single patients, checks of the data.
    """
    lines = manuscript_template(study, wording).splitlines()
    asked = {line: found[1] for line in lines if (found := _DIRECTIVE.match(line.strip()))}
    text = "\n".join(line for line in lines if asked.get(line) not in ("authors", "statements"))
    shown = {line.strip() for line in asked}
    shown |= {"{{ title }}", "{{ watermark }}", "{{ note }}"}
    names = ("supplement", *(["appendix"] if row_level else []))
    more = "\n\n".join(_template(name, study, wording) for name in names).splitlines()
    kept = "\n".join(line for line in more if line.strip() not in shown and not line.startswith("# "))
    rooms = frozenset(ROOMS) if row_level else SUBMITTED
    front, begins, rest = text.partition("\n## ")
    opening = _template("opening", study, wording)
    return build_document(study, wording, f"{front}\n\n{opening}{begins}{rest}\n\n{kept}", rooms=rooms)


def manuscript_template(study: Study, wording: Wording) -> str:
    """Return the template of the manuscript: the cohort's own if it has one."""
    return _template("manuscript", study, wording)


def _template(name: str, study: Study, wording: Wording) -> str:
    own = own_template(name, study, wording)
    if own is not None:
        return own.read_text(encoding="utf-8-sig")
    shipped = files("helpers.report.text") / wording.language / f"{name}.md"
    return wording.spelled(shipped.read_text(encoding="utf-8"))


def own_template(name: str, study: Study, wording: Wording) -> Path | None:
    """Return the cohort's own template of a document in a language; None where it has none."""
    path = study.folder / (f"{name}.md" if wording.language == ENGLISH else f"{name}.{wording.language}.md")
    return path if path.is_file() else None


def _has_data(figure: str, study: Study) -> bool:
    """Tell whether the cohort has what a figure shows; without it the figure holds a sentence only."""
    if figure == "figure_3_published":
        return study.config.ledger is not None
    exhibit = exhibits().get(figure)
    if exhibit is None or exhibit.needs is None:
        return True
    rows = study.statistics.select(exhibit.needs)
    return any(row.value == row.value or row.p_value == row.p_value or row.lower == row.lower for row in rows)


def _is_empty(table: Table, study: Study) -> bool:
    """Tell whether a table says only that there is nothing to show, because the cohort lacks the data."""
    from helpers.report.tables.content import Row as TableRow

    kinds = {row.kind for row in table.rows if isinstance(row, TableRow)}
    if table.name in _SHOWN_EMPTY:
        needed = _SHOWN_EMPTY[table.name]
        return bool(needed) and not study.statistics.select(analysis=needed)
    return kinds <= {"message"}


@dataclass(frozen=True)
class _Chunk:
    """A part of a template between empty lines, and the number of its first line."""

    raw: str
    first: int = 1

    @property
    def line(self) -> str:
        return " ".join(line.strip() for line in self.raw.split("\n"))

    @cached_property
    def _found(self) -> re.Match[str] | None:
        found = _DIRECTIVE.match(self.line)
        known = found and found[1] in {"text", *_DIRECTIVES} and len(PLACEHOLDER.findall(self.line)) == 1
        return found if known else None

    @property
    def directive(self) -> str:
        """Name of the directive that it is; empty for prose."""
        return self._found[1] if self._found else ""

    @property
    def asked(self) -> str:
        """What stands behind the directive's colon."""
        return (self._found[2] or "") if self._found else ""


@dataclass(frozen=True)
class _Part:
    """The blocks of a chunk, and whether they only say that the cohort has nothing to show."""

    blocks: Sequence[Block]
    absent: bool = False


def _text_before(chunks: Sequence[_Chunk], parts: Sequence[_Part]) -> _Part:
    """The last text asked for by a directive; its exhibits are named only where it shows something."""
    texts = [part for chunk, part in zip(chunks, parts, strict=False) if chunk.directive == "text"]
    return texts[-1] if texts else _Part([])


class _Builder:
    """Makes blocks of the chunks of a template; the same of a chunk wherever it stands."""

    def __init__(self, study: Study, wording: Wording, rooms: frozenset[Room]) -> None:
        self.study, self.wording, self.rooms = study, wording, rooms
        self.material = study.material
        self.figures = [self._figure(stem) for stem in study.figures if _has_data(stem.name, study)]
        self.tables = [self._table(table) for table in study.tables if not _is_empty(table, study)]

    def part(self, chunk: _Chunk) -> _Part:
        heading = _HEADING.match(chunk.line)
        if heading:
            return _Part([Heading(len(heading[1]), self._heading(heading[2]))])
        if chunk.raw.lstrip().startswith("- "):
            items = [item.strip() for item in re.split(r"^\s*- ", chunk.raw, flags=re.M) if item.strip()]
            return _Part([Paragraph(self._filled(item), "list") for item in items])
        if chunk.directive == "text":
            return self._text(chunk.asked)
        if chunk.directive:
            return _Part(_DIRECTIVES[chunk.directive](self, chunk.asked))
        return _Part([Paragraph(self._filled(chunk.line))])

    def _filled(self, line: str) -> Prose:
        return alike_prose(lambda study: fill(line, study.material, self.wording), self.study)

    def failing_line(self, chunk: _Chunk) -> int:
        """Return the number of the first line of a chunk whose placeholders cannot be filled."""
        for number, line in enumerate(chunk.raw.splitlines(), start=chunk.first):
            try:
                fill(line, self.material, self.wording)
            except (TemplateError, PartError, UnknownStatisticError):
                return number
        return chunk.first

    def _heading(self, text: str) -> Prose:
        if PLACEHOLDER.fullmatch(text.strip()) and text.strip("{} ") == "title":
            title = self.study.config.title  # the authors', spelled as they spell it
            own = title if self.wording.language == ENGLISH else self.wording.term(title)
            return Prose.of(Declared(own, "title"))
        return self._filled(text)

    def watermark(self, _asked: str) -> list[Block]:
        watermark = self.study.config.watermark
        return [Paragraph(Prose.of(self.wording.term(watermark)), "watermark")] if watermark else []

    def note(self, _asked: str) -> list[Block]:
        note = self.study.config.data_note
        return [Paragraph(Prose.of(self.wording.term(note)), "note")] if note else []

    def _text(self, asked: str) -> _Part:
        if asked not in sections.SECTIONS:
            raise TemplateError(f"there is no text {asked!r}; texts are {', '.join(sections.SECTIONS)}")
        exhibits()  # their modules may add to the text
        paragraphs = alike_claims(partial(_said, asked), self.study)
        blocks = [Paragraph(self.wording.paragraph(claims)) for claims in paragraphs if claims]
        return _Part(blocks, sections.says_absence(paragraphs))

    def exhibits(self, asked: str) -> list[Block]:
        labels = self._labels(self.rooms)
        names = [name.strip() for name in asked.split(",")]
        known = [Prose.of(Reference(labels[name], name)) for name in names if name in labels]
        if not known:
            return []
        grammar = self.wording.grammar
        items = join_prose(known, grammar("list"), grammar("list_last"))
        before, _, after = str(exhibit_words(self.wording)["see"]).partition("{items}")
        return [Paragraph(Prose.of(before, items, after), "exhibits")]

    def _labels(self, rooms: frozenset[Room]) -> dict[str, str]:
        """Return the labels of the exhibits of some rooms by their names."""
        every: list[FigureBlock | TableBlock] = [*self.figures, *self.tables]
        return {block.name: block.label for block in every if block.room in rooms}

    def figures_of(self, asked: str) -> list[Block]:
        return [block for block in self.figures if not asked or block.room == asked]

    def tables_of(self, asked: str) -> list[Block]:
        return [block for block in self.tables if not asked or block.room == asked]

    def checklists(self, _asked: str) -> list[Block]:
        """The reporting checklists that the settings choose, each below its heading."""
        labels = self._labels(frozenset(ROOMS))
        blocks: list[Block] = []
        for name in self.study.config.report.checklists:
            if name != TARGET:  # a table of notebook 07
                title = str(checklist_words(self.wording)["titles"][name])
                answers = alike_items(
                    partial(checklist, name, wording=self.wording, labels=labels), self.study
                )
                blocks += [Heading(2, Prose.of(title)), Checklist(title, answers)]
        return blocks

    def sources(self, _asked: str) -> list[Block]:
        return [Sources()]

    def references(self, _asked: str) -> list[Block]:
        return [References()]

    def authors(self, asked: str) -> list[Block]:
        """A section that the authors write: its heading and what it is to hold."""
        words = self.wording.words("report.toml")["authors"]
        if asked not in words:
            raise TemplateError(
                f"there is no section {asked!r} for the authors; sections are {', '.join(words)}"
            )
        heading, prompt = words[asked]
        return [Heading(2, Prose.of(str(heading))), Paragraph(Prose.of(str(prompt)), "prompt")]

    def statements(self, _asked: str) -> list[Block]:
        """The statements that the journal asks for before the references."""
        named = text_rules(self.study.config.report.journal).statements
        return [block for name in named for block in self.authors(name)]

    def _figure(self, stem: Path) -> FigureBlock:
        legend = alike_prose(lambda study: figure_legend(stem, study, self.wording), self.study)
        return FigureBlock(
            stem.name, figure_label(stem.name, self.wording), legend, stem, figure_room(stem.name)
        )

    def _table(self, table: Table) -> TableBlock:
        room = table_room(table, self.study.config.report.checklists)
        if self.rooms == SUBMITTED:
            table = table.without(report_only_columns(table.name))
        named = exhibit_words(self.wording).get("tables", {})
        own = self.wording.words("claims.toml").get(f"title.{table.name}", table.title)
        title = str(named.get(table.name, own))
        title = title.replace("{spared}", self.wording.label(self.study.config.spared_label))
        told = in_language(table, self.wording)
        return TableBlock(table.name, table_label(table, self.wording), title, told, room)


def _said(asked: str, study: Study) -> list[list[Claim]]:
    return [*sections.section(asked, study), *(said(study.material) for said in added_to(asked))]


_DIRECTIVES: dict[str, Callable[[_Builder, str], list[Block]]] = {
    "watermark": _Builder.watermark,
    "note": _Builder.note,
    "exhibits": _Builder.exhibits,
    "figures": _Builder.figures_of,
    "tables": _Builder.tables_of,
    "checklists": _Builder.checklists,
    "sources": _Builder.sources,
    "references": _Builder.references,
    "authors": _Builder.authors,
    "statements": _Builder.statements,
}
