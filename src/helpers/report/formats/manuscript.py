"""The manuscript as a Word file: text, tables, figures, checklist, and where each number comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.report.formats.docx import (
    CAPTION,
    CELL,
    FONT,
    NOTE,
    TABLE_POINTS,
    add_table,
    document_bytes,
    lies,
    prepare_styles,
    property_text,
    turn,
)
from helpers.report.formats.measure import Page, measure
from helpers.report.formats.rendered import shown
from helpers.report.formats.ruled import NAMESPACE as _W
from helpers.report.formats.ruled import ruled_table
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
from helpers.report.text.document import build_document, build_supplement
from helpers.report.text.legends import exhibit_words
from helpers.report.text.material import Study
from helpers.report.text.prose import Fragment, Number, Prose, Styled
from helpers.report.text.wording import Language, Wording
from helpers.results.files import write_whole

if TYPE_CHECKING:
    from docx.document import Document as WordDocument

FONT_CJK = "SimSun"
TEXT_POINTS, REFERENCE_POINTS = 10.5, 9.5
_PAGE_MM = (210, 297)
_MARGIN_MM, _SUPPLEMENT_MARGIN_MM = 25, 15
_SMALL_ROWS = 12  # of a table that may lie between two that must
_CAPTION_MM = 28  # room kept below a figure for its legend
_WATERMARK_STYLE, _NOTE_STYLE, _REFERENCE_STYLE = "Stamp", "Data Note", "Reference"
_WORDS = {"method", "note", "unit"}  # parts of a row that have a column of their own


def write_manuscript(study: Study, path: Path, language: Language | None = None) -> Path:
    """Write the manuscript of a cohort as a Word file, the same bytes each time.

    Args:
        study: the cohort's results.
        path: the file to write.
        language: name of the language (``en``, ``zh``); by default the cohort's own.
    """
    wording = Wording.of(language or study.config.report.language, study.config)
    content = manuscript_bytes(build_document(study, wording))
    write_whole(path, content)
    return path


def write_supplement(study: Study, path: Path, language: Language | None = None) -> Path:
    """Write the supplement of a cohort as a Word file; arguments as in :func:`write_manuscript`."""
    wording = Wording.of(language or study.config.report.language, study.config)
    write_whole(path, manuscript_bytes(build_supplement(study, wording), supplement=True))
    return path


def manuscript_bytes(document: Document, *, supplement: bool = False) -> bytes:
    """Return the content of the Word file.

    Args:
        document: its blocks.
        supplement: whether it is sent in beside a manuscript. The lines of a manuscript are numbered; the
            tables of a supplement stand on pages on their side, so that one follows the other, and its
            figures in twos.
    """
    word = _new_word(document, supplement=supplement)
    if supplement:
        turn(word, landscape=True)
    writer = _Writer(word, document, supplement=supplement)
    for i, block in enumerate(document.blocks):
        writer.write(block, document.blocks[i + 1 :])
    return document_bytes(word)


def _new_word(document: Document, *, supplement: bool) -> WordDocument:
    """Return an empty A4 document with its styles, properties and the watermark in its header.

    Args:
        document: for its title and language.
        supplement: whether it is one, with narrow margins and without numbers of lines.
    """
    import docx
    from docx.oxml.ns import qn
    from docx.shared import Mm

    word = docx.Document()
    section = word.sections[0]
    section.page_width, section.page_height = (Mm(side) for side in _PAGE_MM)
    margin = Mm(_SUPPLEMENT_MARGIN_MM if supplement else _MARGIN_MM)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = margin
    words = document.wording.words("report.toml")
    properties = word.core_properties
    first = document.blocks[0]
    properties.title = property_text(str(first.text)) if isinstance(first, Heading) else ""
    properties.subject = str(words["manuscript_subject"])
    properties.author = properties.comments = properties.last_modified_by = ""
    properties.language = str(words["lang"])
    _styles(word, str(words["lang"]), eastern=document.wording.eastern)
    if document.watermark:
        header = section.header.paragraphs[0]
        header.text, header.style = document.watermark, word.styles[_WATERMARK_STYLE]
    _page_numbers(section.footer.paragraphs[0])
    if not supplement:
        from docx.oxml import parse_xml

        # Sections begun later are made like this one.
        section._sectPr.find(qn("w:pgMar")).addnext(
            parse_xml(f'<w:lnNumType {_W} w:countBy="1" w:restart="continuous"/>')
        )
    return word


def _styles(word: WordDocument, lang: str, *, eastern: bool) -> None:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt, RGBColor

    sizes = {"Normal": TEXT_POINTS, "Title": 18, "Heading 1": 14, "Heading 2": 12, "Heading 3": 11}
    for name in (_WATERMARK_STYLE, _NOTE_STYLE, _REFERENCE_STYLE):
        word.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH).base_style = word.styles["Normal"]
    sizes |= dict.fromkeys((_WATERMARK_STYLE, _NOTE_STYLE, "List Bullet"), TEXT_POINTS)
    sizes[_REFERENCE_STYLE] = REFERENCE_POINTS
    for name, points in sizes.items():
        style: Any = word.styles[name]
        style.font.name, style.font.size = FONT, Pt(points)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for key in [key for key in fonts.attrib if key.endswith("Theme")]:
            del fonts.attrib[key]  # a theme's font would win over the named one
        for kind in ("w:hAnsi", "w:cs"):
            fonts.set(qn(kind), FONT)
        fonts.set(qn("w:eastAsia"), FONT_CJK)
        if name.startswith(("Title", "Heading")):
            style.font.color.rgb = RGBColor(0, 0, 0)
    word.styles[_WATERMARK_STYLE].font.bold = True
    word.styles[_WATERMARK_STYLE].font.color.rgb = RGBColor(0x9C, 0x1C, 0x1C)
    word.styles[_NOTE_STYLE].font.italic = True
    hanging: Any = word.styles[_REFERENCE_STYLE].paragraph_format
    hanging.left_indent, hanging.first_line_indent = Mm(7), Mm(-7)
    hanging.line_spacing, hanging.space_after = 1.0, Pt(0)
    word.styles["Normal"].paragraph_format.space_after = Pt(6)
    word.styles["Normal"].paragraph_format.line_spacing = 1.15
    language = word.styles.element.find(f".//{qn('w:rPrDefault')}//{qn('w:lang')}")
    if language is not None:
        # Word keeps one language for each kind of letters.
        language.set(qn("w:val"), "en-GB" if eastern else lang)
        language.set(qn("w:eastAsia"), lang if eastern else "zh-CN")


def _page_numbers(paragraph: Any) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import parse_xml

    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph._p.append(parse_xml(f'<w:fldSimple {_W} w:instr="PAGE"><w:r><w:t>1</w:t></w:r></w:fldSimple>'))


class _Writer:
    """Adds blocks to a Word document; numbers become links to their row among the sources."""

    def __init__(self, word: WordDocument, document: Document, *, supplement: bool = False) -> None:
        self.word, self.document, self.supplement = word, document, supplement
        self.margin = _SUPPLEMENT_MARGIN_MM if supplement else _MARGIN_MM
        self.room = _PAGE_MM[0] - 2 * self.margin  # of a page upright, in mm
        self.wording = document.wording
        self.words = self.wording.words("report.toml")
        has_sources = any(isinstance(block, Sources) for block in document.blocks)
        cited = document.cited if has_sources else ()
        self.anchors = {identifier: f"s{number:04d}" for number, identifier in enumerate(cited, start=1)}
        self.shown: dict[str, dict[str, None]] = {}
        self.styles = prepare_styles(word)
        self.wide = frozenset() if supplement else self._wide_tables()
        self.last: Any = None  # the paragraph just added, if it was one

    def write(self, block: Block, after: Sequence[Block]) -> None:
        """Add one block; ``after`` are those that follow."""
        if isinstance(block, Heading):
            self._heading(block, after)
        elif isinstance(block, Paragraph):
            if block.role == "exhibits" and self.last is not None:
                # At the end of the paragraph, so that it never stands on a page of its own.
                self._prose(self.last, Prose.of(self.wording.grammar("sentence"), block.text))
                return
            styles = {"watermark": _WATERMARK_STYLE, "note": _NOTE_STYLE, "list": "List Bullet"}
            styles |= {"prompt": _NOTE_STYLE, "reference": _REFERENCE_STYLE}
            self.last = self._paragraph(styles.get(block.role, ""))
            self._prose(self.last, block.text)
            return
        elif isinstance(block, FigureBlock):
            self._figure(block)
        elif isinstance(block, TableBlock):
            self._table(block, [other for other in after[:2] if isinstance(other, TableBlock)])
        elif isinstance(block, Checklist):
            self._checklist(block)
        else:
            self._sources()
        self.last = None

    def _heading(self, block: Heading, after: Sequence[Block]) -> None:
        first = after[0] if after else None
        shows = isinstance(first, (TableBlock, FigureBlock, Checklist))
        upright = shows and not isinstance(first, TableBlock)
        if self.supplement and upright and self.word.sections[-1].orientation:
            turn(self.word, landscape=False)
        style = "Title" if block.level == 1 else f"Heading {min(block.level - 1, 3)}"
        paragraph = self._paragraph(style)
        self._prose(paragraph, block.text)
        # Tables follow the references: a page of their own could leave one with a single reference before it.
        if (
            block.level == 2
            and upright
            and not (self.supplement or _section_ends(self.word.element.body, -2))
        ):
            paragraph.paragraph_format.page_break_before = True

    def _paragraph(self, style: str = "") -> Any:
        """Add an empty paragraph of a style, by default of running text, and return it."""
        from docx.text.paragraph import Paragraph as WordParagraph

        element = self.word.element.body.add_p()
        if style:
            element.style = self.styles[style.lower()]
        return WordParagraph(element, self.word._body)

    def _prose(self, paragraph: Any, prose: Prose) -> None:
        paragraph._p.extend(_runs(prose, self.anchors))
        for number in prose.numbers:
            if number.part in _WORDS:
                continue
            self.shown.setdefault(number.id, {})[number.text] = None

    def _figure(self, block: FigureBlock) -> None:
        from docx.shared import Mm

        width, height = _printed_size(block.stem.with_suffix(".png"))
        room_height = (_PAGE_MM[1] - 2 * self.margin) / (2 if self.supplement else 1) - _CAPTION_MM
        scale = min(1.0, self.room / width, room_height / height)
        paragraph = self._paragraph()
        paragraph.paragraph_format.keep_with_next = True
        run = paragraph.add_run()
        picture = run.add_picture(str(block.stem.with_suffix(".png")), width=Mm(width * scale))
        properties = picture._inline.docPr
        properties.set("descr", block.title)
        properties.set("name", block.name)
        caption = self._paragraph(CAPTION)
        caption.paragraph_format.keep_with_next = False
        caption.add_run(f"{block.label}{exhibit_words(self.wording)['label_end']}").bold = True
        self._prose(caption, block.legend)

    def _table(self, block: TableBlock, after: Sequence[TableBlock]) -> None:
        """Add a table; in a manuscript those that lie follow one another, with small ones between them."""
        from dataclasses import replace

        watermark = self.document.watermark
        table = replace(block.table, title=block.title, watermark=watermark if block.table.watermark else "")
        label = f"{block.label}{exhibit_words(self.wording)['label_end']}"
        if block.name in self.wide and not lies(self.word):
            turn(self.word, landscape=True)
        journal = self.document.study.config.report.journal
        upright = not self.supplement and block.name not in self.wide
        add_table(self.word, table, journal, label=label, dense=self.supplement, upright=upright)
        if not self.supplement and lies(self.word) and not self._stays(after):
            turn(self.word, landscape=False)
        if after and not _section_ends(self.word.element.body):
            self._paragraph(NOTE if self.supplement else "")

    def _wide_tables(self) -> frozenset[str]:
        """Return the names of the tables that lie on their side.

        A small one that would lie alone, on a page that it leaves nearly empty, stands with broken lines.
        """
        page = Page(self.room, _PAGE_MM[1] - 2 * self.margin)
        journal = self.document.study.config.report.journal
        blocks = [block for block in self.document.blocks if isinstance(block, TableBlock)]
        printed = [shown(block.table, journal) for block in blocks]
        lying = [measure(one, TABLE_POINTS, page).landscape for one in printed]
        large = [lies and len(one.rows) > _SMALL_ROWS for one, lies in zip(printed, lying, strict=True)]
        for i, one in enumerate(printed):
            if lying[i] and not large[i] and not any(large[max(i - 1, 0) : i + 2]):
                lying[i] = measure(one, TABLE_POINTS, page, upright=True).landscape
        return frozenset(block.name for block, lies in zip(blocks, lying, strict=True) if lies)

    def _stays(self, after: Sequence[TableBlock]) -> bool:
        """Whether the page stays on its side: for a table that lies, or a small one before such a table."""
        if not after:
            return False
        small = len(after[0].table.rows) <= _SMALL_ROWS and len(after) > 1
        return after[0].name in self.wide or (small and after[1].name in self.wide)

    def _checklist(self, block: Checklist) -> None:
        heads = checklist_words(self.wording)["heads"]
        rows: list[list[str]] = []
        room = ""
        for answer in block.answers:
            if answer.room != room:
                rows.append([answer.room])
                room = answer.room
            rows.append([answer.number, answer.asked, answer.where])
        self._plain_table(heads, rows, (14, 0.43 * (self.room - 14), 0.57 * (self.room - 14)))

    def _sources(self) -> None:
        self._paragraph().add_run(str(self.words["sources_intro"]))
        rows, statistics = [], self.document.study.statistics
        for identifier in self.anchors:
            row = statistics[identifier]
            n = "" if row.n is None else str(row.n)
            texts = "; ".join(self.shown.get(identifier, {}))
            rows.append([identifier, texts, n, row.unit, row.method])
        self._plain_table(self.words["source_heads"], rows, (62, 26, 10, 20, 42), self.anchors)

    def _plain_table(
        self,
        heads: Sequence[str],
        rows: Iterable[Sequence[str]],
        widths: Sequence[float],
        anchors: Mapping[str, str] | None = None,
    ) -> None:
        """Add a ruled table of texts; rows of one text stand across it."""
        from docx.oxml import parse_xml

        table = ruled_table(heads, rows, widths, self.styles[CELL.lower()], anchors)
        self.word.element.body.insert(len(self.word.element.body) - 1, parse_xml(table))
        self._paragraph()


def _section_ends(body: Any, last: int = -1) -> bool:
    """Tell whether the last thing in the document (or the one before) ends a section: a page begins."""
    blocks = [block for block in body if not block.tag.endswith("}sectPr")]
    return len(blocks) >= -last and bool(blocks[last].xpath("./w:pPr/w:sectPr"))


def _runs(prose: Prose, anchors: Mapping[str, str]) -> list[Any]:
    """Return a prose as runs; a number with a row among the sources is a link to it."""
    from docx.oxml import parse_xml

    return [parse_xml(_fragment_xml(fragment, anchors)) for fragment in prose]


def _fragment_xml(fragment: Fragment, anchors: Mapping[str, str]) -> str:
    text = f'<w:t xml:space="preserve">{escape(str(fragment), quote=False)}</w:t>'
    if isinstance(fragment, Number) and fragment.id in anchors:
        tip = escape(fragment.id, quote=True)
        return (
            f'<w:hyperlink {_W} w:anchor="{anchors[fragment.id]}" w:tooltip="{tip}" w:history="1">'
            f"<w:r>{text}</w:r></w:hyperlink>"
        )
    look = ""
    if isinstance(fragment, Styled):
        look = ("<w:b/>" if fragment.bold else "") + ("<w:i/>" if fragment.italic else "")
        look += '<w:vertAlign w:val="superscript"/>' if fragment.raised else ""
    return f"<w:r {_W}>{f'<w:rPr>{look}</w:rPr>' if look else ''}{text}</w:r>"


def _printed_size(path: Path) -> tuple[float, float]:
    """Return width and height of a picture in mm, at the resolution that it names."""
    from PIL import Image

    with Image.open(path) as picture:
        dpi = picture.info.get("dpi", (300, 300))[0]
        return picture.width / dpi * 25.4, picture.height / dpi * 25.4
