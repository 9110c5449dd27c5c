"""The parts of a stored row that a text can show, each through the one formatter.

>>> row = store.add("response", "overall", "count", value=17, n=20)
>>> part_text(row, "count_percent"), part_text(row, "of"), is_share(row)
('17 (85%)', '17/20', False)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from helpers.errors import CompendiumError
from helpers.results.format import (
    NOT_ESTIMABLE,
    format_count_percent,
    format_interval,
    format_number,
    format_p,
    format_p_equation,
)

if TYPE_CHECKING:
    from helpers.results.store import Statistic

_COUNTED = {"patients", "rows", "calls", "items", "events", "days", "grade", "points"}
_Part = Callable[["Statistic", int], str]


class PartError(CompendiumError):
    """A part that a row does not have, or that nobody knows."""


def default_digits(row: Statistic) -> int:
    """Return the decimals of a row's numbers where none are asked for.

    Counts and whole numbers have none; else three significant digits are shown, at least one decimal for
    percentages, at most two.

    >>> default_digits(store.add("baseline", "age", "median", value=37.0))
    0
    """
    if row.unit in _COUNTED or (row.value == row.value and float(row.value).is_integer() and not row.unit):
        return 0
    if row.unit in {"%", "percentage points"} or is_share(row):
        return 1
    size = abs(row.value) if row.value == row.value else 0.0
    return 0 if size >= 100 else 1 if size >= 10 else 2


def is_share(row: Statistic) -> bool:
    """Tell whether a row's value is a share of 1 that readers see as a percentage."""
    return row.statistic in {"survival", "alive_share", "incidence", "died_incidence"}


def _scaled(row: Statistic, number: float) -> float:
    return 100 * number if is_share(row) else number


def _sign(row: Statistic) -> str:
    return "%" if row.unit == "%" or is_share(row) else ""


def _value(row: Statistic, digits: int) -> str:
    text = format_number(_scaled(row, row.value), digits)
    return text if text == NOT_ESTIMABLE else f"{text}{_sign(row)}"


def _bare(row: Statistic, digits: int) -> str:
    return format_number(_scaled(row, row.value), digits)


def _size(row: Statistic, digits: int) -> str:
    return format_number(abs(_scaled(row, row.value)), digits)


def _limit(name: str) -> _Part:
    return lambda row, digits: format_number(_scaled(row, getattr(row, name)), digits)


def _limit_sign(name: str) -> _Part:
    def shown(row: Statistic, digits: int) -> str:
        text = format_number(_scaled(row, getattr(row, name)), digits)
        return text if text == NOT_ESTIMABLE else f"{text}{_sign(row)}"

    return shown


def _limit_size(name: str) -> _Part:
    return lambda row, digits: format_number(abs(_scaled(row, getattr(row, name))), digits)


def _interval(row: Statistic, digits: int) -> str:
    return format_interval(_scaled(row, row.lower), _scaled(row, row.upper), digits, _sign(row))


def _with_interval(row: Statistic, digits: int) -> str:
    return f"{_value(row, digits)} ({_interval(row, digits)})"


def _count(name: str) -> _Part:
    def shown(row: Statistic, _digits: int) -> str:
        number = getattr(row, name)
        if number is None:
            raise PartError(f"the statistic {row.id} has no {name}")
        return str(number)

    return shown


def _of(row: Statistic, _digits: int) -> str:
    return f"{format_number(row.value, 0)}/{_count('n')(row, 0)}"


def _count_percent(row: Statistic, digits: int) -> str:
    return format_count_percent(row.value, row.n or 0, digits)


def _percent(row: Statistic, digits: int) -> str:
    """Return a percentage: of the row's n for a count, of 1 for a share, as it stands for a percentage."""
    if row.unit == "%" or is_share(row):
        return _value(row, digits)
    if row.n:
        return f"{format_number(100 * row.value / row.n, digits)}%"
    raise PartError(f"the statistic {row.id} is neither a share nor a count of some n")


# Part: how it is formed, and its decimals where none are asked for (None: those of the row).
PARTS: dict[str, tuple[_Part, int | None]] = {
    "value": (_value, None),
    "bare": (_bare, None),
    "size": (_size, None),
    "lower": (_limit("lower"), None),
    "upper": (_limit("upper"), None),
    "lower_sign": (_limit_sign("lower"), None),
    "upper_sign": (_limit_sign("upper"), None),
    "lower_size": (_limit_size("lower"), None),
    "upper_size": (_limit_size("upper"), None),
    "ci": (_interval, None),
    "value_ci": (_with_interval, None),
    "p": (lambda row, digits: format_p_equation(row.p_value, digits), 3),
    "p_value": (lambda row, digits: format_p(row.p_value, digits), 3),
    "n": (_count("n"), 0),
    "n_missing": (_count("n_missing"), 0),
    "of": (_of, 0),
    "percent": (_percent, 1),
    "count_percent": (_count_percent, 0),
    "unit": (lambda row, _digits: row.unit, 0),
    "method": (lambda row, _digits: row.method, 0),
    "note": (lambda row, _digits: row.note, 0),
}


def part_text(row: Statistic, part: str = "value", digits: int | None = None) -> str:
    """Return one part of a row as text.

    Args:
        row: the statistic.
        part: a key of :data:`PARTS`: ``value`` (with its % sign), ``bare`` (without), ``size`` (without
            minus), ``lower``, ``upper``, ``lower_size``, ``upper_size``, ``ci`` (``0.70 to 0.99``),
            ``value_ci``, ``p`` (``p = 0.011``), ``p_value`` (``0.011``), ``n``, ``n_missing``, ``of``
            (``17/20``), ``percent``, ``count_percent`` (``17 (85%)``), ``unit``, ``method`` or ``note``.
        digits: decimals; by default those fit for the row, three for p-values.

    Raises:
        PartError: nobody knows the part, or the row does not have it.
    """
    if part not in PARTS:
        raise PartError(f"there is no part {part!r} of a statistic; parts are {', '.join(PARTS)}")
    form, usual = PARTS[part]
    shown = digits if digits is not None else usual if usual is not None else default_digits(row)
    return form(row, shown)
