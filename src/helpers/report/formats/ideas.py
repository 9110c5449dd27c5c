"""A printed cell taken apart: one number a cell, as workbooks need it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.report.tables.cells import Cell, Number, Value
from helpers.results.format import format_number

if TYPE_CHECKING:
    from helpers.report.journals.table_themes import Theme

# Roles in the order of their columns; the empty one is a plain number.
ROLES = ("", "n", "N", "%", "Estimate", "Lower", "Upper", "Median", "Q1", "Q3", "Min", "Max", "p")
_BETWEEN_NUMBERS = re.compile(r"[\s()\[\];,/]*")


@dataclass(frozen=True)
class Idea:
    """One number of a cell.

    Attributes:
        role: what it is, one of `ROLES`.
        value: the number in full, in the unit that is printed.
        text: the number as it is printed.
        form: how a workbook prints the number; empty where it cannot, so that the text stands there.
    """

    role: str
    value: float
    text: str
    form: str


def taken_apart(cell: Cell, theme: Theme) -> tuple[Idea, ...]:
    """Return the numbers of a cell, none where it holds words or two numbers of one role.

    Args:
        cell: of a table.
        theme: how numbers are printed.

    >>> from helpers.report.tables.cells import number
    >>> from helpers.report.journals.table_themes import theme_named
    >>> row = store.add("baseline", "age", "median", value=37.0)
    >>> [(idea.role, idea.text) for idea in taken_apart(number(row), theme_named())]
    [('', '37')]
    """
    found: list[Idea] = []
    for part in cell.parts:
        if isinstance(part, str):
            if not _BETWEEN_NUMBERS.fullmatch(part):
                return ()
        elif isinstance(part, Value):
            found += _of_value(part, theme)
        else:
            return ()
    roles = [one.role for one in found]
    return tuple(found) if len(set(roles)) == len(roles) else ()


def _of_value(value: Value, theme: Theme) -> Iterator[Idea]:
    numbers, digits, scale = value.numbers, value.digits, value.scale
    if value.kind in ("p_value", "p_equation"):
        p_value = value.first.value
        text = theme.p_value(p_value)
        yield Idea("p", p_value, text, _p_form(text, theme))
    elif value.kind == "number":
        role = "n" if value.first.column == "n" else ""
        yield _idea(role, value.first, digits, theme, scale, value.unit)
    elif value.kind == "estimate_interval":
        for role, name in (("Estimate", "value"), ("Lower", "lower"), ("Upper", "upper")):
            yield _idea(role, numbers[name], digits, theme, scale, value.unit if name == "value" else "")
    elif value.kind == "median_spread":
        quartiles = theme.spread == "iqr" and "q1" in numbers
        spread = (("Q1", "q1"), ("Q3", "q3")) if quartiles else (("Min", "min"), ("Max", "max"))
        for role, name in (("Median", "median"), *spread):
            yield _idea(role, numbers[name], digits, theme)
    else:
        count, n = numbers["count"], numbers["n"]
        yield _idea("n", count, 0, theme)
        if value.kind != "count_percent" or theme.count != "n (%)" or not n.value:
            yield _idea("N", n, 0, theme)
        if value.kind != "count_of" and n.value:
            yield _idea("%", count, digits, theme, 100 / n.value)


def _idea(
    role: str, number: Number, digits: int, theme: Theme, scale: float = 1.0, unit: str = ""
) -> Idea:  # fmt: skip
    value = scale * number.value
    text = f"{number.sign}{theme.number(value, digits)}{unit}"
    plain = theme.decimal_point == "." and math.isfinite(value) and "×" not in format_number(value, digits)
    form = ("0." + "0" * digits if digits else "0") + (f'"{unit}"' if unit else "")
    return Idea(role, value, text, (f'"{number.sign}"' if number.sign else "") + form if plain else "")


def _p_form(text: str, theme: Theme) -> str:
    """Return a form that prints p-values below the least one as such, and keeps them in full."""
    if theme.decimal_point != "." or not any(sign.isdigit() for sign in text):
        return ""
    whole, _, decimals = text.lstrip("<>").partition(".")
    places = f"{'0' if whole else ''}.{'0' * len(decimals)}" if decimals else "0"
    least = text.removeprefix("<")
    if text.startswith("<"):
        return f'[<{float(least):g}]"{text}";{places}'
    return f'"{text}"' if text.startswith(">") else places
