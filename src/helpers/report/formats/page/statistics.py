"""The statistics that the report shows, one row each: where every number leads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.results.format import format_p

if TYPE_CHECKING:
    from helpers.results.store import Statistic, Statistics


@dataclass(frozen=True)
class StatisticView:
    """A row: value, interval, p-value, n, missing, unit, method and note as texts."""

    id: str
    cells: tuple[str, ...]


def statistic_views(statistics: Statistics, cited: Iterable[str]) -> list[StatisticView]:
    """Return the cited rows, each once; the scripts read a number's panel from them.

    >>> row = store.add("survival", "death", "deaths", value=1.0, n=20)
    >>> statistic_views(store.rows(), [row.id])[0].cells[:1]
    ('1',)
    """
    return [_view(statistics[name]) for name in dict.fromkeys(cited) if name in statistics]


def _view(row: Statistic) -> StatisticView:
    limits = (
        ""
        if row.lower != row.lower and row.upper != row.upper
        else f"{_plain(row.lower)} to {_plain(row.upper)}"
    )
    p_value = "" if row.p_value != row.p_value else format_p(row.p_value)
    counts = ("" if count is None else str(count) for count in (row.n, row.n_missing))
    return StatisticView(
        row.id, (_plain(row.value), limits, p_value, *counts, row.unit, row.method, row.note)
    )


def _plain(number: float) -> str:
    """Return a stored number with six significant digits, as it is stored beyond any rounding for print."""
    return "NE" if number != number else f"{number:.6g}".replace("-", "\N{MINUS SIGN}")
