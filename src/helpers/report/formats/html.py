"""Tables as HTML.

>>> from helpers.report.tables.content import TableContent
>>> table = TableContent("table_2_response", "Response", ["", "Treated"], [["CR", "6 (30%)"]])
>>> "6 (30%)" in to_html(table), page([table]).count("<table")
(True, 1)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache

from markupsafe import Markup

from helpers.report.formats.rendered import shown
from helpers.report.formats.templates import asset, rendered
from helpers.report.journals.table_themes import Theme
from helpers.report.tables.content import TableContent

_SHEET = re.compile(r"<style>.*?</style>\n?", re.DOTALL)
_STARTS = re.compile(r"<(?P<tag>table|tbody|tr|th|td|span)(?P<attributes>(?: [^>]*)?)>")
_CLASSES, _STYLE = re.compile(r'class="([^"]*)"'), re.compile(r'style="([^"]*)"')
_USUAL = {("border", "0"), ("background", "transparent"), ("vertical-align", "middle")}


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


def inlined(fragment: str) -> str:
    """Return a table's fragment with its style at each element, as notebooks keep it.

    JupyterLab, and what shows notebooks on the web, strip style sheets from what nobody has trusted.

    Example:
        >>> inlined('<style>\\n#ID td { border: 0; }\\n</style>\\n<td class="gt_row">1</td>')
        '<td class="gt_row" style="text-align: left; padding: 3px 5px; border-top: 1px solid #d3d3d3">1</td>'
    """
    return _STARTS.sub(_with_style, _SHEET.sub("", fragment))


def _with_style(start: re.Match[str]) -> str:
    tag, attributes = start["tag"], start["attributes"]
    classes = (_CLASSES.search(attributes) or [" ", ""])[1].split()
    found: dict[str, str] = {}
    for names, declarations in _rules():
        if names & {tag, *(f".{one}" for one in classes)}:
            found |= declarations
    if tag == "td":
        found.pop("font-weight", None)  # only headings are bold elsewhere
    own = _STYLE.search(attributes)
    declared = "; ".join(f"{name}: {value}" for name, value in found.items())
    if own:
        return start[0].replace(own[0], f'style="{declared}; {own[1]}"')
    return f'<{tag}{attributes} style="{declared}">' if declared else start[0]


@cache
def _rules() -> list[tuple[frozenset[str], dict[str, str]]]:
    """Return what the style sheet says of tags and classes, in order, without what is so anyhow."""
    found = []
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]+)\}", asset("table.css")):
        names = frozenset(one.split()[-1] for one in selectors.split(","))
        pairs = (line.partition(":")[::2] for line in body.split(";") if line.strip())
        declarations = {name.strip(): " ".join(value.split()).replace('"', "'") for name, value in pairs}
        kept = {name: value for name, value in declarations.items() if (name, value) not in _USUAL}
        found.append((names, kept))
    return found


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
