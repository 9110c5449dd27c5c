"""The statistics that the report shows, one row each: where every number leads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from helpers.report.formats.page.markup import anchor, attribute, text
from helpers.results.format import format_p

if TYPE_CHECKING:
    from helpers.results.store import Statistic, Statistics

_HEADS = ("statistic", "value", "interval", "p_value", "n", "n_missing", "unit", "method", "note")


def statistics_markup(statistics: Statistics, cited: Iterable[str], words: Mapping[str, str]) -> str:
    """Return the table of the cited rows; the scripts read a number's panel from it."""
    heads = "".join(f'<th scope="col">{text(words[name])}</th>' for name in _HEADS)
    rows = "\n".join(_row(statistics[name]) for name in dict.fromkeys(cited) if name in statistics)
    return (
        f"<p>{text(words['statistics_intro'])}</p>\n"
        f'<div class="scroll tall" role="region" tabindex="0" aria-label="{attribute(words["statistics"])}">'
        f'<table id="rows"><thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>'
    )


def _row(row: Statistic) -> str:
    limits = (
        ""
        if row.lower != row.lower and row.upper != row.upper
        else f"{_plain(row.lower)} to {_plain(row.upper)}"
    )
    p_value = "" if row.p_value != row.p_value else format_p(row.p_value)
    counts = ("" if count is None else str(count) for count in (row.n, row.n_missing))
    cells = (_plain(row.value), limits, p_value, *counts, row.unit, row.method, row.note)
    body = "".join(f"<td>{text(cell)}</td>" for cell in cells)
    name = f'<th scope="row"><code>{_breakable(row.id)}</code></th>'
    return f'<tr id="{attribute(anchor(row.id))}">{name}{body}</tr>'


def _breakable(identifier: str) -> str:
    return text(identifier).replace(".", ".<wbr>")


def _plain(number: float) -> str:
    """Return a stored number with six significant digits, as it is stored beyond any rounding for print."""
    return "NE" if number != number else f"{number:.6g}".replace("-", "\N{MINUS SIGN}")
