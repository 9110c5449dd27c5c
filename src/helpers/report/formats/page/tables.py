"""Tables of the report: sortable by every column, each number a link to its statistic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.formats.page.markup import attribute, number_link, text
from helpers.report.formats.rendered import Shown, ShownCell, ShownRow, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from helpers.report.journals.table_themes import Run
    from helpers.report.text.document import TableBlock


def cited_in(block: TableBlock, journal: str) -> Iterator[str]:
    """Yield the identifiers of the statistics that a table's cells lead to."""
    for row in shown(block.table, journal).rows:
        yield from (cell.id for cell in row.cells if cell.id)


def table_markup(
    block: TableBlock, journal: str, words: Mapping[str, str], watermark: str, *, links: bool = True
) -> str:
    """Return a table with its caption and notes; without ``links`` its cells lead nowhere.

    A heading across the table begins a body of its own; rows are sorted within it, a row that is indented
    below another stays with that.
    """
    one = shown(block.table, journal)
    name = attribute(block.name)
    caption = f"<strong>{text(block.label)}.</strong> {text(block.title)}"
    notes = "".join(
        f"<p>{f'<sup>{text(sign)}</sup> ' if sign else ''}{_runs(runs)}</p>" for sign, runs in one.notes
    )
    warning = f'<p class="watermark">{text(watermark)}</p>' if one.watermark and watermark else ""
    rows = f"{_head(one, words, links=links)}\n{_bodies(one, links=links)}"
    return (
        f'<figure class="table" id="{name}">\n<figcaption id="{name}-caption">{caption}</figcaption>\n'
        f'<div class="scroll" role="region" tabindex="0" aria-labelledby="{name}-caption">\n'
        f'<table aria-labelledby="{name}-caption">\n{rows}\n</table>\n</div>\n'
        f'<div class="notes">{notes}{warning}</div>\n</figure>'
    )


def _head(one: Shown, words: Mapping[str, str], *, links: bool) -> str:
    upper = ""
    if one.spanners:
        cells = "".join(
            f'<th scope="colgroup" colspan="{spanner.width}">{text(spanner.text)}</th>'
            if spanner.text
            else f'<td colspan="{spanner.width}"></td>'
            for spanner in one.spanners
        )
        upper = f"<tr>{cells}</tr>\n"
    heads = []
    for cell, left in zip(one.heads, one.left, strict=True):
        side = ' class="left"' if left else ""
        shown_text = _runs(cell.all_runs)
        if not cell.text.strip():
            heads.append(f"<td{side}></td>")
            continue
        if not links:
            heads.append(f'<th scope="col"{side}>{shown_text}</th>')
            continue
        label = attribute(f"{words['sort']} {cell.text}")
        button = f'<button type="button" aria-label="{label}">{shown_text}</button>'
        heads.append(f'<th scope="col"{side} aria-sort="none">{button}</th>')
    return f"<thead>\n{upper}<tr>{''.join(heads)}</tr>\n</thead>"


def _bodies(one: Shown, *, links: bool) -> str:
    bodies: list[list[str]] = [[]]
    for row in one.rows:
        if row.kind == "heading" and bodies[-1]:
            bodies.append([])
        bodies[-1].append(_row(row, one.left, links=links))
    return "\n".join(f"<tbody>\n{chr(10).join(body)}\n</tbody>" for body in bodies)


def _row(row: ShownRow, left: tuple[bool, ...], *, links: bool) -> str:
    if row.kind != "body":
        tag = "th" if row.kind == "heading" else "td"
        scope = ' scope="rowgroup"' if row.kind == "heading" else ""
        content = _cell(row.cells[0], links=links)
        return f'<tr class="{row.kind}"><{tag}{scope} colspan="{len(left)}">{content}</{tag}></tr>'
    cells = []
    for i, (cell, flush) in enumerate(zip(row.cells, left, strict=True)):
        side = ' class="left"' if flush else ""
        if i == 0:
            cells.append(f'<th scope="row" class="level-{row.level}">{_cell(cell, links=links)}</th>')
        else:
            cells.append(f"<td{side}>{_cell(cell, links=links)}</td>")
    return f'<tr data-level="{row.level}">{"".join(cells)}</tr>'


def _cell(cell: ShownCell, *, links: bool) -> str:
    inside = _runs(cell.runs)
    marks = f"<sup>{text(','.join(cell.marks))}</sup>" if cell.marks else ""
    return (number_link(inside, cell.id) if cell.id and links else inside) + marks


def _runs(runs: tuple[Run, ...]) -> str:
    pieces = []
    for run in runs:
        piece = text(run.text)
        piece = f"<em>{piece}</em>" if run.italic else piece
        pieces.append(f"<sup>{piece}</sup>" if run.raised else piece)
    return "".join(pieces)
