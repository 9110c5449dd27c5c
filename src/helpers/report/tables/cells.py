"""What a table's cell holds: words, and numbers that remember the stored statistics that they came from.

A number becomes text when a table is put out, by a theme (`helpers.report.journals.table_themes`); so
one table serves every journal, and every printed number can be traced to its row of the statistics.

>>> from helpers.report.journals.table_themes import theme_named
>>> row = store.add(
...     "response", "overall", "count", value=17, n=20, lower=0.62, upper=0.97, p_value=0.0114
... )
>>> cells = [
...     number(row),
...     size(row),
...     count_percent(row),
...     count_of(row),
...     count_of_percent(row),
...     p_value(row),
...     p_equation(row),
... ]
>>> [theme_named().text(cell) for cell in cells]
['17', '20', '17 (85%)', '17 of 20', '17 of 20 (85%)', '0.011', 'p = 0.011']
>>> (
...     theme_named().text(joined([words("Deaths"), verbatim("of {all}")], ", ")),
...     sentence("exact test"),
... )
('Deaths, of {all}', 'Exact test')
>>> theme_named().text(
...     estimate_interval(
...         store.add("response", "overall", "rate", value=0.85, lower=0.62, upper=0.97), 2
...     )
... )
'0.85 (0.62 to 0.97)'
>>> theme_named().text(median_spread(statistics, "baseline.age.ruxolitinib.baseline", 0))
'37 (18–71)'
>>> len(words("Deaths").marked("by day 56").marks)
1
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from helpers.results.store import Statistic, Statistics

Kind = Literal[
    "number", "count_percent", "count_of", "count_of_percent", "estimate_interval", "median_spread",
    "p_value", "p_equation",
]  # fmt: skip
TERMS = ("p_value", "p", "n_percent", "median_spread", "Median_spread")
_TERM = re.compile(rf"\{{({'|'.join(TERMS)})\}}")
_SPREAD = ("median", "min", "max", "q1", "q3")


@dataclass(frozen=True)
class Number:
    """One stored number.

    Attributes:
        value: the number as stored; NaN where it could not be estimated.
        id: identifier of its row in the statistics; empty for a number that is no statistic.
        column: the row's column that holds it.
        sign: ``<`` or ``>`` where the number is known only as a limit.
    """

    value: float
    id: str = ""
    column: str = "value"
    sign: str = ""


@dataclass(frozen=True)
class Value:
    """Numbers that are printed together, such as a count with its percentage.

    Attributes:
        kind: how they are put into words.
        numbers: by role. ``number``: value; ``count_*``: count, n; ``estimate_interval``: value, lower,
            upper; ``median_spread``: median, min, max, q1, q3 (quartiles may be absent); ``p_*``: p_value.
        digits: decimals; of a count's percentage those of the percentage.
        unit: follows the number, or the estimate, at once: ``%``.
        scale: factor between the stored number and the printed one.
    """

    kind: Kind
    numbers: Mapping[str, Number]
    digits: int = 0
    unit: str = ""
    scale: float = 1.0

    @property
    def first(self) -> Number:
        """The number that stands first."""
        return next(iter(self.numbers.values()))


@dataclass(frozen=True)
class Term:
    """A word that journals spell differently, such as that for the p-value."""

    name: str


Part = str | Value | Term


@dataclass(frozen=True)
class Cell:
    """Words, terms and values in reading order, with the notes that its marks refer to."""

    parts: tuple[Part, ...] = ()
    marks: tuple[Cell, ...] = field(default=())

    def __add__(self, other: Cell | str) -> Cell:
        """Return both, one after the other."""
        right = other if isinstance(other, Cell) else Cell((other,))
        return Cell((*self.parts, *right.parts), (*self.marks, *right.marks))

    def __bool__(self) -> bool:
        """Tell whether anything is in the cell."""
        return any(self.parts)

    def marked(self, *notes: Cell | str) -> Cell:
        """Return the cell with marks for these notes."""
        return replace(self, marks=(*self.marks, *(words(note) for note in notes)))

    def __radd__(self, other: str) -> Cell:
        """Return words before the cell."""
        return Cell((other, *self.parts), self.marks)

    @property
    def values(self) -> Iterator[Value]:
        """The values in the cell and in the notes that it is marked with."""
        yield from (part for part in self.parts if isinstance(part, Value))
        for note in self.marks:
            yield from note.values


LIMIT_NOTE = "> or <: known only to lie above or below the number, for values beyond an assay's limit."
EMPTY = Cell()


def words(text: Cell | str) -> Cell:
    """Return a cell of words in which ``{p_value}`` and the like stand for a term of the theme."""
    if isinstance(text, Cell):
        return text
    parts = [Term(piece) if i % 2 else piece for i, piece in enumerate(_TERM.split(text))]
    return Cell(tuple(part for part in parts if part))


def verbatim(text: object) -> Cell:
    """Return a cell of words as they are: data, names, the wording of others."""
    return Cell((str(text),) if str(text) else ())


def joined(cells: list[Cell], separator: str) -> Cell:
    """Return the cells one after the other with a separator between them."""
    whole = EMPTY
    for i, cell in enumerate(cells):
        whole = whole + separator + cell if i else whole + cell
    return whole


def _of(row: Statistic, column: str = "value", sign: str = "") -> Number:
    value = getattr(row, column)
    return Number(math.nan if value is None else float(value), row.id, column, sign)


def _cell(kind: Kind, numbers: Mapping[str, Number], **options: Any) -> Cell:
    return Cell((Value(kind, numbers, **options),))


def number(row: Statistic, digits: int = 0, *, column: str = "value", unit: str = "", sign: str = "") -> Cell:
    """Return one number of a row; ``column`` may be any of its numbers, such as ``n``."""
    return _cell("number", {"value": _of(row, column, sign)}, digits=digits, unit=unit)


def size(row: Statistic) -> Cell:
    """Return the number of patients that a row is about."""
    return number(row, column="n")


def count_percent(row: Statistic, digits: int = 0) -> Cell:
    """Return ``17 (85%)`` from a row whose value is a count and whose n is the denominator."""
    return _cell("count_percent", {"count": _of(row), "n": _of(row, "n")}, digits=digits)


def count_of(row: Statistic) -> Cell:
    """Return ``17 of 20``."""
    return _cell("count_of", {"count": _of(row), "n": _of(row, "n")})


def count_of_percent(row: Statistic, digits: int = 0) -> Cell:
    """Return ``17 of 20 (85%)``."""
    return _cell("count_of_percent", {"count": _of(row), "n": _of(row, "n")}, digits=digits)


def estimate_interval(row: Statistic, digits: int, unit: str = "", *, scale: float = 1.0) -> Cell:
    """Return ``95.0% (75.1 to 99.9)``; an open limit is NE, an estimate known as a limit has its sign."""
    numbers = {"value": _of(row, sign=row.qualifier), "lower": _of(row, "lower"), "upper": _of(row, "upper")}
    return _cell("estimate_interval", numbers, digits=digits, unit=unit, scale=scale)


def median_spread(statistics: Statistics, stem: str, digits: int) -> Cell:
    """Return ``37 (18–71)`` or ``37 [24–50]`` from the rows ``stem.median``, ``.min``, ``.q1`` and so on.

    A summary known only as a limit carries ``<`` or ``>``.
    """
    found = {name: statistics[f"{stem}.{name}"] for name in _SPREAD if f"{stem}.{name}" in statistics}
    numbers = {name: _of(row, sign=row.qualifier) for name, row in found.items()}
    return _cell("median_spread", numbers, digits=digits)


def p_value(row: Statistic) -> Cell:
    """Return ``0.011`` or ``<0.001``."""
    return _cell("p_value", {"p_value": _of(row, "p_value")})


def p_equation(row: Statistic) -> Cell:
    """Return ``p = 0.011`` or ``p < 0.001``."""
    return _cell("p_equation", {"p_value": _of(row, "p_value")})


_SPELLED = {
    "(wilcoxon zeros)": "(zero changes dropped)",
    "(pratt zeros)": "(zero changes ranked)",
    "efron ties": "Efron's ties",
    "breslow ties": "Breslow's ties",
    "mover interval": "interval from the limits of both arms",
}


def short_method(method: str) -> str:
    """Return a method for readers, without names of options; rows tested alike share a note.

    >>> short_method("Wilcoxon signed-rank test (wilcoxon zeros), exact conditional on ties")
    'Wilcoxon signed-rank test (zero changes dropped), exact conditional on ties'
    """
    for name, words_for in _SPELLED.items():
        method = method.replace(name, words_for)
    return re.sub(r" \(smallest expected count [^)]*\)", "", method)


def sentence(text: str) -> str:
    """Return a method's name with a capital."""
    return text[:1].upper() + text[1:]
