"""The statistics that the report shows, one row each: where every number leads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.report.text.phrases import exhibit_text
from helpers.results.format import format_p

if TYPE_CHECKING:
    from helpers.report.text.wording import Wording
    from helpers.results.store import Statistic, Statistics


@dataclass(frozen=True)
class StatisticView:
    """A row: value, interval, p-value, n, missing, unit, method and note as texts."""

    id: str
    cells: tuple[str, ...]


def statistic_views(statistics: Statistics, cited: Iterable[str], wording: Wording) -> list[StatisticView]:
    """Return the cited rows, each once, in a language; the scripts read a number's panel from them."""
    return [_view(statistics[name], wording) for name in dict.fromkeys(cited) if name in statistics]


def _view(row: Statistic, wording: Wording) -> StatisticView:
    limits = (
        ""
        if row.lower != row.lower and row.upper != row.upper
        else f"{_plain(row.lower)}{wording.grammar('to')}{_plain(row.upper)}"
    )
    p_value = "" if row.p_value != row.p_value else format_p(row.p_value)
    counts = ("" if count is None else str(count) for count in (row.n, row.n_missing))
    told = (exhibit_text(text, wording) for text in (row.unit, row.method, row.note))
    return StatisticView(row.id, (_plain(row.value), limits, p_value, *counts, *told))


def _plain(number: float) -> str:
    """Return a stored number with six significant digits, as it is stored beyond any rounding for print."""
    shown = "NE" if number != number else f"{number:.6g}".replace("-", "\N{MINUS SIGN}")
    return shown.replace("inf", "\N{INFINITY}")
