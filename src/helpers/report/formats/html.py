"""Tables as HTML."""

from __future__ import annotations

import html
import warnings
from collections.abc import Sequence
from typing import Any

from helpers.report.formats.rendered import Shown, ShownCell, ShownRow, shown
from helpers.report.journals.table_themes import Run, Theme
from helpers.report.tables.table import Table

_BODY = '<tbody class="gt_table_body">'


def to_html(table: Table, theme: Theme | str | None = None) -> str:
    """Return the table as an HTML fragment with its own style.

    great_tables makes title, headings, notes and style. The rows are filled in here, in its classes: it would
    look up every cell in a data frame several times, which is most of the time that a table takes. A cell's
    ``data-statistic`` is the identifier of the stored number that stands first in it.
    """
    one = shown(table, theme)
    before, mark, rest = str(_frame(one).as_raw_html()).partition(_BODY)
    rows = "\n".join(_row(row, one.left) for row in one.rows)
    return f"{before}{mark}\n{rows}\n{rest[rest.index('</tbody>') :]}"


def page(tables: Sequence[Table], theme: Theme | None = None) -> str:
    """Return tables as a page of their own."""
    title = html.escape(tables[0].title if len(tables) == 1 else "Tables")
    head = f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title>\n'
    texts = [to_html(table, theme) if theme else table.to_html() for table in tables]
    body = "\n".join(texts)
    return f"{head}{body}\n</html>\n"


def _frame(one: Shown) -> Any:
    """Return everything but the rows."""
    import pyarrow as pa
    from great_tables import GT
    from great_tables import html as raw

    names = [f"c{i}" for i in range(len(one.heads))]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="PyArrow Table support")  # no cell is looked up in it
        table = GT(pa.table({name: pa.array([], pa.string()) for name in names}), id=one.name)
    table = table.tab_header(title=raw(_bold_label(one)))
    labels: dict[str, Any] = {n: raw(_cell(head)) for n, head in zip(names, one.heads, strict=True)}
    table = table.cols_label(labels)
    for side, flush in {"left": True, "center": False}.items():
        chosen = [name for name, left in zip(names, one.left, strict=True) if left is flush]
        table = table.cols_align(side, columns=chosen) if chosen else table
    for i, spanner in enumerate(one.spanners):
        if spanner.text:
            columns = names[spanner.start : spanner.start + spanner.width]
            table = table.tab_spanner(raw(html.escape(spanner.text)), columns=columns, id=f"s{i}")
    for sign, runs in one.notes:
        table = table.tab_source_note(raw((f"{_raised(sign)} " if sign else "") + _text(runs)))
    if one.watermark:
        table = table.tab_source_note(raw(f"<strong>{html.escape(one.watermark)}</strong>"))
    return table.tab_options(table_font_size="13px", data_row_padding="3px", heading_align="left")


def _bold_label(one: Shown) -> str:
    label = f"<strong>{html.escape(one.label)}.</strong> " if one.label else ""
    return label + html.escape(one.title)


def _row(row: ShownRow, left: tuple[bool, ...]) -> str:
    if row.kind != "body":
        text = _cell(row.cells[0])
        text = f"<strong>{text}</strong>" if row.kind == "heading" else text
        return f'  <tr><td class="gt_row gt_left" colspan="{len(left)}">{text}</td></tr>'
    cells = []
    for i, (cell, flush) in enumerate(zip(row.cells, left, strict=True)):
        side = "left" if flush else "center"
        indent = f' style="padding-left: {5 + 16 * row.level}px;"' if row.level and i == 0 else ""
        link = f' data-statistic="{cell.id}"' if cell.id else ""
        cells.append(f'    <td class="gt_row gt_{side}"{indent}{link}>{_cell(cell)}</td>')
    return "\n".join(["  <tr>", *cells, "  </tr>"])


def _cell(cell: ShownCell) -> str:
    return _text(cell.all_runs)


def _text(runs: tuple[Run, ...]) -> str:
    pieces = []
    for run in runs:
        text = html.escape(run.text, quote=False)
        text = f"<em>{text}</em>" if run.italic else text
        pieces.append(_raised(run.text) if run.raised else text)
    return "".join(pieces)


def _raised(sign: str) -> str:
    # Without a height of its own the sign does not push the line apart.
    return f'<sup style="line-height: 0;">{html.escape(sign)}</sup>'
