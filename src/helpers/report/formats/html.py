"""Tables as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from helpers.report.formats.rendered import shown
from helpers.report.formats.templates import asset, rendered
from helpers.report.journals.table_themes import Theme
from helpers.report.tables.content import TableContent


def to_html(table: TableContent, theme: Theme | str | None = None) -> str:
    """Return the table as an HTML fragment with its own style.

    A cell's ``data-statistic`` is the identifier of the stored number that stands first in it.
    """
    one = shown(table, theme)
    # A heading without a spanner above it is as high as both lines.
    spanned = [
        i for part in one.spanners if not part.text for i in range(part.start, part.start + part.width)
    ]
    style = Markup(asset("table.css").replace("#ID", f"#{one.name}"))
    return str(rendered("table.html", table=one, spanned=spanned, style=style))


def page(
    tables: Sequence[TableContent], theme: Theme | None = None, *, fragments: Iterable[str] | None = None
) -> str:
    """Return tables as a page of their own.

    Args:
        tables: the tables.
        theme: how numbers are printed; generic where there is none.
        fragments: each table as :func:`to_html` gives it, where that has been made already.
    """
    fragments = fragments or [to_html(table, theme) for table in tables]
    title = tables[0].title if len(tables) == 1 else "Tables"
    return str(rendered("tables.html", title=title, fragments=map(Markup, fragments)))
