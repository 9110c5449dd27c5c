"""Tables as Word tables.

>>> import docx
>>> table = TableContent("table_2_response", "Response", ["", "Treated"], [["CR", "6 (30%)"]])
>>> document = docx.Document()
>>> add_table(document, table).cell(1, 1).text
'6 (30%)'
>>> document_bytes(document)[:2], len(tables_document([table])) > 1000, lies(document)
(b'PK', True, False)
>>> turn(document, landscape=True)
>>> lies(document), "Caption" in prepare_styles(document)
(True, False)
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from helpers.report.formats.archive import reproducible
from helpers.report.formats.measure import INDENT_MM, Measure, Page, measure, unbroken
from helpers.report.formats.rendered import Shown, shown
from helpers.report.journals.table_themes import Run, Theme
from helpers.report.tables.content import TableContent

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import Table as WordTable

TABLE_POINTS, NOTE_POINTS = 8.5, 7.5
CAPTION, CELL, NOTE = "Caption", "Table Text", "Table Note"
FONT = "Arial"
_MARGIN_MM = 1.2  # left and right of a cell's text
_THIN, _THICK = 4, 8  # eighths of a point
_PROPERTY = 255  # characters that a property of a Word file may have
_ON_A_PAGE = {False: 30, True: 16}  # rows up to which a table is kept on one page, upright and on its side
_ON_A_DENSE_PAGE = 8


def add_table(
    document: Document,
    table: TableContent,
    theme: Theme | str | None = None,
    *,
    page: Page | None = None,
    label: str = "",
    dense: bool = False,
    upright: bool = False,
) -> WordTable:
    """Add a caption, a Word table and its notes at the end of a document and return the Word table.

    The heading rows are repeated on every page, rows are not split, captions stay with their table and a
    table's last row with the first note. A table too wide for the upright page stands in a section of its own
    on its side; the text that follows is upright again.

    Args:
        document: a python-docx document; the styles "Caption", "Table Text" and "Table Note"
            are used, and made where they are missing.
        table: any table.
        theme: a theme or the name of a journal; generic where there is none.
        page: room for text on a page; by default that of the document's last section.
        label: what stands before the title; by default the table's own, as ``Table 1. ``.
        dense: whether tables follow one another, so that none but short ones are kept on one page.
        upright: whether texts may take several lines before the table lies on its side.
    """
    from docx.table import Table as NewTable

    one = shown(table, theme)
    styles = prepare_styles(document)
    size = measure(one, TABLE_POINTS, page or _room(document), upright=upright)
    turned = size.landscape and not lies(document)
    if turned:
        turn(document, landscape=True)
    _add(document, _caption(one, styles[CAPTION.lower()], label))
    word = NewTable(_add(document, _word_table(one, size, styles[CELL.lower()], dense)), document._body)
    for note in _notes(one, styles[NOTE.lower()]):
        _add(document, note)
    if turned:
        turn(document, landscape=False)
    return word


def tables_document(
    tables: Iterable[TableContent], theme: Theme | str | None = None, *, title: str = "Tables"
) -> bytes:
    """Return a document of these tables, each on a page of its own."""
    import docx
    from docx.enum.text import WD_BREAK
    from docx.shared import Mm

    document = docx.Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Mm(25)
    document.core_properties.title = property_text(title)
    document.core_properties.author = ""
    document.core_properties.comments = ""
    for i, table in enumerate(tables):
        # A section break, which stands around a table on its side, begins a page by itself.
        if i and not _after_break(document):
            document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
        add_table(document, table, theme)
    return document_bytes(document)


def property_text(text: str) -> str:
    """Return a text as a property of a file, which holds 255 characters: cut at a word, with an ellipsis.

    Example:
        >>> property_text("A title " * 60)[-9:]
        'title A …'
    """
    if len(text) <= _PROPERTY:
        return text
    kept = text[: _PROPERTY - 2]
    return f"{kept[: kept.rfind(' ')] if ' ' in kept else kept} …"


def document_bytes(document: Document) -> bytes:
    """Return a document as a file's content, the same at each writing."""
    buffer = io.BytesIO()
    document.save(buffer)
    return reproducible(buffer.getvalue())


def prepare_styles(document: Document) -> dict[str, str]:
    """Make the styles of captions, cells and notes where they are missing; return all ids by name."""
    from docx.enum.style import WD_STYLE_TYPE
    from docx.shared import Pt, RGBColor

    known = _style_ids(document)
    if CELL.lower() in known:
        return known
    for name, points in {CELL: TABLE_POINTS, NOTE: NOTE_POINTS}.items():
        style: Any = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = document.styles["Normal"]
        style.font.name, style.font.size = FONT, Pt(points)
        style.paragraph_format.space_before = style.paragraph_format.space_after = Pt(1)
        style.paragraph_format.line_spacing = 1.0
    caption: Any = document.styles[CAPTION]
    caption.font.name, caption.font.size, caption.font.bold = FONT, Pt(9.5), False
    caption.font.color.rgb = RGBColor(0, 0, 0)
    caption.paragraph_format.space_before, caption.paragraph_format.space_after = Pt(6), Pt(4)
    caption.paragraph_format.keep_with_next = True
    return _style_ids(document)


def _style_ids(document: Document) -> dict[str, str]:
    """Return the ids of a document's styles by name in lower case, as Word stores "caption" and others.

    python-docx goes through all styles, slowly, each time that one is asked for.
    """
    from docx.oxml.ns import qn

    value, identifier = qn("w:val"), qn("w:styleId")
    names = document.styles.element.iterfind(f"{qn('w:style')}/{qn('w:name')}")
    return {name.get(value, "").lower(): name.getparent().get(identifier, "") for name in names}


def _add(document: Document, text: str) -> Any:
    """Add a piece of WordprocessingML at the end and return its element.

    python-docx takes a millisecond and more for each cell and style that it is asked for.
    """
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    tag, rest = text[: text.index(">")], text[text.index(">") :]
    element: Any = parse_xml(f"{tag} {nsdecls('w')}{rest}")
    body = document.element.body
    if body.sectPr is None:
        body.append(element)
    else:
        body.sectPr.addprevious(element)
    return element


def _room(document: Document) -> Page:
    """Return the room of the last section, and what it would be on its side."""
    from docx.shared import Length

    section = document.sections[-1]
    page_width, page_height = section.page_width or Length(0), section.page_height or Length(0)
    margins = ((section.left_margin or 0) + (section.right_margin or 0)) / 36000
    if lies(document):
        return Page(page_width.mm - margins, page_width.mm - margins)
    return Page(page_width.mm - margins, page_height.mm - margins)


def lies(document: Document) -> bool:
    """Tell whether the page lies on its side."""
    section = document.sections[-1]
    return (section.page_width or 0) > (section.page_height or 0)


def turn(document: Document, *, landscape: bool) -> None:
    """Begin a section on its side, or upright again."""
    from docx.enum.section import WD_ORIENT, WD_SECTION

    last = document.sections[-1]
    short, long = sorted((last.page_width or 0, last.page_height or 0))
    # A section in which nothing stands yet is turned, as a new one would leave an empty page.
    empty = _after_break(document) or len(document.element.body) == 1
    section = last if empty else document.add_section(WD_SECTION.NEW_PAGE)
    section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    width, height = (long, short) if landscape else (short, long)
    section.page_width, section.page_height = width, height


def _after_break(document: Document) -> bool:
    """Tell whether the last paragraph ends a section, so that nothing stands in the present one."""
    blocks = [block for block in document.element.body if not block.tag.endswith("}sectPr")]
    return bool(blocks) and bool(blocks[-1].xpath("./w:pPr/w:sectPr"))


def _caption(one: Shown, style: str, label: str) -> str:
    label = label or (f"{one.label}. " if one.label else "")
    label = _run(Run(label), bold=True) if label else ""
    return _paragraph(style, "<w:keepNext/>", label + _run(Run(one.title), bold=False))


def _word_table(one: Shown, size: Measure, style: str, dense: bool) -> str:
    lines = [*_heads(one, size, style), *_body(one, size, style, dense)]
    grid = "".join(f'<w:gridCol w:w="{_twips(width)}"/>' for width in size.widths)
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="{_twips(size.total)}" w:type="dxa"/>'
        f'<w:tblLayout w:type="fixed"/><w:tblCellMar><w:left w:w="{_twips(_MARGIN_MM)}" w:type="dxa"/>'
        f'<w:right w:w="{_twips(_MARGIN_MM)}" w:type="dxa"/></w:tblCellMar><w:tblLook w:val="0000"/>'
        f"<w:tblCaption w:val={quoteattr(_printable(one.caption))}/></w:tblPr>"
        f"<w:tblGrid>{grid}</w:tblGrid>{''.join(lines)}</w:tbl>"
    )


def _paragraph(style: str, properties: str, runs: str) -> str:
    return f"<w:p><w:pPr><w:pStyle w:val={quoteattr(style)}/>{properties}</w:pPr>{runs}</w:p>"


def _heads(one: Shown, size: Measure, style: str) -> list[str]:
    lines = []
    if one.spanners:
        cells = []
        for spanner in one.spanners:
            width = sum(size.widths[spanner.start : spanner.start + spanner.width])
            look = _Look(style, width, span=spanner.width, left=spanner.start == 0, bold=True, keep=True,
                         top=_THICK, bottom=_THIN if spanner.text else 0, low=True)  # fmt: skip
            cells.append(_cell((Run(spanner.text),), look))
        lines.append(_line(cells, repeated=True))
    top = 0 if one.spanners else _THICK
    cells = [
        _cell(
            head.all_runs,
            _Look(style, width, left=left, bold=True, keep=True, top=top, bottom=_THIN, low=True),
        )
        for head, left, width in zip(one.heads, one.left, size.widths, strict=True)
    ]
    return [*lines, _line(cells, repeated=True)]


def _body(one: Shown, size: Measure, style: str, dense: bool) -> list[str]:
    lines = []
    short = len(one.rows) <= (_ON_A_DENSE_PAGE if dense else _ON_A_PAGE[size.landscape])
    for number, row in enumerate(one.rows):
        last = number == len(one.rows) - 1
        # A short table is not broken; of others the last rows stay with the notes, so that none stands alone.
        # LibreOffice then takes the whole table to the next page, which would leave half of each empty.
        keep = short or (not dense and number >= len(one.rows) - 2)
        look = _Look(style, keep=keep, bottom=_THICK if last else 0)
        if row.kind != "body":
            title = row.kind == "heading"
            whole = replace(
                look, width=size.total, span=len(size.widths), bold=title, keep=short or not dense
            )
            lines.append(_line([_cell(row.cells[0].all_runs, whole)]))
            continue
        levels = [row.level] + [0] * (len(row.cells) - 1)
        lines.append(_line([
            _cell(cell.all_runs, replace(look, width=width, left=left, level=level))
            for cell, width, left, level in zip(row.cells, size.widths, one.left, levels, strict=True)
        ]))  # fmt: skip
    return lines


@dataclass(frozen=True)
class _Look:
    """How a cell looks: width in mm, columns spanned, lines in eighths of a point, and so on."""

    style: str
    width: float = 0.0
    span: int = 1
    left: bool = True
    level: int = 0
    bold: bool = False
    keep: bool = False
    top: int = 0
    bottom: int = 0
    low: bool = False


def _twips(mm: float) -> int:
    return round(mm * 1440 / 25.4)


def _line(cells: Iterable[str], *, repeated: bool = False) -> str:
    head = "<w:tblHeader/>" if repeated else ""
    return f"<w:tr><w:trPr><w:cantSplit/>{head}</w:trPr>{''.join(cells)}</w:tr>"


def _cell(runs: Iterable[Run], look: _Look) -> str:
    lines = "".join(
        f'<w:{side} w:val="single" w:sz="{width}" w:space="0" w:color="000000"/>'
        for side, width in {"top": look.top, "bottom": look.bottom}.items() if width
    )  # fmt: skip
    span = f'<w:gridSpan w:val="{look.span}"/>' if look.span > 1 else ""
    borders = f"<w:tcBorders>{lines}</w:tcBorders>" if lines else ""
    low = '<w:vAlign w:val="bottom"/>' if look.low else ""
    indent = f'<w:ind w:left="{_twips(INDENT_MM * look.level)}"/>' if look.level else ""
    side = "" if look.left else '<w:jc w:val="center"/>'
    keep = "<w:keepNext/>" if look.keep else ""
    text = "".join(_run(run, bold=look.bold) for run in unbroken(runs))
    cell = f'<w:tcW w:w="{_twips(look.width)}" w:type="dxa"/>{span}{borders}{low}'
    return f"<w:tc><w:tcPr>{cell}</w:tcPr>{_paragraph(look.style, f'{keep}{indent}{side}', text)}</w:tc>"


def _run(run: Run, *, bold: bool) -> str:
    look = "<w:b/>" if bold and not run.raised else ""
    look += "<w:i/>" if run.italic else ""
    look += '<w:vertAlign w:val="superscript"/>' if run.raised else ""
    look = f"<w:rPr>{look}</w:rPr>" if look else ""
    return f'<w:r>{look}<w:t xml:space="preserve">{escape(_printable(run.text))}</w:t></w:r>'


def _printable(text: str) -> str:
    """Leave out control characters, which XML cannot hold."""
    return "".join(sign for sign in text if sign.isprintable() or unicodedata.category(sign) == "Zs")


def _notes(one: Shown, style: str) -> list[str]:
    """Notes on the whole table in one paragraph, with the watermark; those of its signs in the next."""
    general = [_plain(runs) for sign, runs in one.notes if not sign]
    general += [_run(Run(one.watermark), bold=True)] if one.watermark else []
    signed = [
        _run(Run(sign, raised=True), bold=False) + _plain((Run("\N{NO-BREAK SPACE}"), *runs))
        for sign, runs in one.notes
        if sign
    ]
    lines = [_plain([Run("  ")]).join(notes) for notes in (general, signed) if notes]
    return [_paragraph(style, "<w:keepLines/>", line) for line in lines]


def _plain(runs: Iterable[Run]) -> str:
    return "".join(_run(run, bold=False) for run in runs)
