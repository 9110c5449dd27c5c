"""Ruled tables of plain texts in a Word file: checklists, and where numbers come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def ruled_table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    widths: Sequence[float],
    style: str,
    anchors: Mapping[str, str] | None = None,
) -> str:
    """Return a ruled table as WordprocessingML; rows of one text stand across it.

    Args:
        heads: headings of the columns.
        rows: texts of the cells.
        widths: of the columns, in mm.
        style: id of the style of the cells.
        anchors: names of bookmarks by the text of a row's first cell.

    >>> ruled_table(["Item", "Page"], [["1a", "2"]], [20, 20], "TableText").count("<w:tr>")
    2
    """
    grid = "".join(f'<w:gridCol w:w="{round(width * 56.7)}"/>' for width in widths)
    body = [_xml_row(heads, widths, style, head=True)]
    body += [
        _xml_row(row, widths, style, bookmark=(anchors or {}).get(row[0], ""), number=number)
        for number, row in enumerate(rows, start=1)
    ]
    sides = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="999999"/>'
        for side in ("top", "bottom", "insideH")
    )
    return (
        f'<w:tbl {NAMESPACE}><w:tblPr><w:tblW w:w="{round(sum(widths) * 56.7)}" w:type="dxa"/>'
        f'<w:tblBorders>{sides}</w:tblBorders><w:tblLayout w:type="fixed"/></w:tblPr>'
        f"<w:tblGrid>{grid}</w:tblGrid>{''.join(body)}</w:tbl>"
    )


def _xml_row(
    cells: Sequence[str],
    widths: Sequence[float],
    style: str,
    *,
    head: bool = False,
    bookmark: str = "",
    number: int = 0,
) -> str:
    across = len(cells) == 1
    bold = "<w:rPr><w:b/></w:rPr>" if head or across else ""
    parts = []
    for i, text in enumerate(cells):
        width = sum(widths) if across else widths[i]
        span = f'<w:gridSpan w:val="{len(widths)}"/>' if across else ""
        mark = f'<w:bookmarkStart w:id="{number}" w:name="{bookmark}"/>' if bookmark and i == 0 else ""
        end = f'<w:bookmarkEnd w:id="{number}"/>' if mark else ""
        # A long identifier may break after its dots.
        shown = escape(text, quote=False).replace(".", ".\N{ZERO WIDTH SPACE}") if bookmark and i == 0 else ""
        shown = shown or escape(text, quote=False)
        parts.append(
            f'<w:tc><w:tcPr><w:tcW w:w="{round(width * 56.7)}" w:type="dxa"/>{span}</w:tcPr>'
            f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{mark}'
            f'<w:r>{bold}<w:t xml:space="preserve">{shown}</w:t></w:r>{end}</w:p></w:tc>'
        )
    properties = "<w:trPr><w:cantSplit/>" + ("<w:tblHeader/>" if head else "") + "</w:trPr>"
    return f"<w:tr>{properties}{''.join(parts)}</w:tr>"
