"""How journals print numbers: p-values, decimal points, counts, medians, intervals (a file a journal)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from helpers.cohort.installed import GENERIC, journal_names
from helpers.report.journals.requirements import JournalError, journal_file, journal_named
from helpers.report.tables.cells import Cell, Part, Term, Value
from helpers.results.format import (
    EN_DASH,
    NOT_ESTIMABLE,
    format_count_percent,
    format_number,
    format_p,
    format_percent,
)

NOT_RECORDED = "not recorded"
_SYMBOLS = "*†‡§¶‖"
_SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Run:
    """A stretch of text in one face."""

    text: str
    italic: bool = False
    raised: bool = False


class Theme(BaseModel):
    """How one journal, or none in particular, prints numbers in tables.

    >>> from helpers.report.tables.cells import words
    >>> theme = theme_named()
    >>> theme.number(0.5, 2), theme.p_value(0.0114), theme.p_value(0.00002), theme.mark(0)
    ('0.50', '0.011', '<0.001', 'a')
    >>> theme.text(words("Deaths")), theme.runs(words("Deaths"))[0].text, "generic" in themes()
    ('Deaths', 'Deaths', True)
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="Name of the journal.")
    p_digits: tuple[tuple[float, int], ...] = Field(
        min_length=1, description="Lower limits, falling, with the decimals of p-values from there on."
    )
    p_zero: bool = Field(description="Whether a p-value has a zero before the decimal point.")
    p_heading: str = Field(description="Word for the p-value in a heading; _ around italics.")
    p_symbol: str = Field(description="Sign of the p-value in an equation; _ around italics.")
    decimal_point: Literal[".", "·", ","] = Field(description="Sign between whole number and decimals.")
    percent_sign: bool = Field(description="Whether a percentage beside its count carries the sign.")
    count: Literal["n (%)", "n/N (%)"] = Field(description="How a count and its percentage are printed.")
    spread: Literal["range", "iqr"] = Field(description="What stands beside a median.")
    spread_form: str = Field(description="Median and spread, with {median}, {low} and {high}.")
    interval: str = Field(description="What stands between the limits of an interval.")
    marks: Literal["letters", "symbols"] = Field(description="Signs of footnotes.")
    median: str = Field(default="median", description="Word for the median.")
    range: str = Field(default="range", description="Word for the range.")
    iqr: str = Field(default="IQR", description="Word for the quartiles.")
    to: str = Field(default=" to ", description="What stands between limits of which one is negative.")
    of: str = Field(default=" of ", description="What stands between a count and what it is of.")
    stop: str = Field(default=".", description="End of a note.")
    not_recorded: str = Field(default=NOT_RECORDED, description="What stands for a median of nothing.")
    source: str = Field(description="Where the values named in `verified` were read.")
    verified: tuple[str, ...] = Field(description="Values that were read there.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        limits = [limit for limit, _ in self.p_digits]
        if limits != sorted(limits, reverse=True):
            raise ValueError("p_digits must fall")
        if unknown := set(self.verified) - set(type(self).model_fields):
            raise ValueError(f"verified names values of the theme, not {', '.join(sorted(unknown))}")
        return self

    @property
    def unverified(self) -> tuple[str, ...]:
        """Values that were not read at the source."""
        words = {
            "median",
            "range",
            "iqr",
            "to",
            "of",
            "stop",
            "not_recorded",
        }  # of the language, not the journal
        known = {"name", "source", "verified", *words, *self.verified}
        return tuple(name for name in type(self).model_fields if name not in known)

    def number(self, value: float, digits: int) -> str:
        """Return a number with this journal's decimal point."""
        return format_number(value, digits).replace(".", self.decimal_point)

    def p_value(self, p_value: float) -> str:
        """Return ``0.011`` or ``<0.001``; a zero is left out where the journal does so.

        Two decimals become more where rounding would lift a p-value to 0.05 from below.
        """
        if p_value != p_value:
            return NOT_ESTIMABLE
        least, most = self.p_digits[-1]
        digits = next((places for limit, places in self.p_digits if p_value >= limit), most)
        if digits < 3 and p_value < _SIGNIFICANT:
            while digits < 4 and float(format_number(p_value, digits)) >= _SIGNIFICANT:
                digits += 1
        text = f"<{format_number(least, most)}" if p_value < least else format_p(p_value, digits)
        if not self.p_zero:
            text = f">{1 - 10.0**-digits:.{digits}f}" if text.startswith("1") else text
            text = text.replace("0.", ".", 1)
        return text.replace(".", self.decimal_point)

    def runs(self, cell: Cell) -> tuple[Run, ...]:
        """Return a cell's text without its marks."""
        found: list[Run] = []
        for part in cell.parts:
            found += self._part(part)
        return _merged(found)

    def text(self, cell: Cell) -> str:
        """Return a cell's text without its marks."""
        return "".join(run.text for run in self.runs(cell))

    def mark(self, number: int) -> str:
        """Return the sign of the footnote with this number, counted from 0."""
        if self.marks == "symbols":
            times, which = divmod(number, len(_SYMBOLS))
            return _SYMBOLS[which] * (times + 1)
        first = chr(ord("a") + number // 26 - 1) if number >= 26 else ""
        return first + chr(ord("a") + number % 26)

    def _part(self, part: Part) -> list[Run]:
        if isinstance(part, str):
            return [Run(part)]
        if isinstance(part, Term):
            return _faces(self._term(part.name))
        if part.kind == "p_equation":
            text = self.p_value(part.first.value)
            relation = f" {text[0]} {text[1:]}" if text[0] in "<>" else f" = {text}"
            return [*_faces(self.p_symbol), Run(relation)]
        return [Run(self._value(part))]

    def _term(self, name: str) -> str:
        spread = {"range": self.range, "iqr": self.iqr}[self.spread]
        form = self.spread_form.replace(f"{{low}}{EN_DASH}{{high}}", spread)
        terms = {
            "p_value": self.p_heading,
            "p": self.p_symbol,
            "n_percent": self.count,
            "median_spread": form.replace("{median}", self.median),
            "Median_spread": form.replace("{median}", self.median[:1].upper() + self.median[1:]),
        }
        return terms[name]

    def _value(self, value: Value) -> str:
        if value.kind == "p_value":
            return self.p_value(value.first.value)
        if value.kind == "median_spread":
            return self._median(value)
        if value.kind == "estimate_interval":
            return self._estimate(value)
        if value.kind == "number":
            first = value.first
            return f"{first.sign}{self.number(value.scale * first.value, value.digits)}{value.unit}"
        count, n = value.numbers["count"].value, value.numbers["n"].value
        return self._count(value, count, n)

    def _count(self, value: Value, count: float, n: float) -> str:
        whole = format_number(count, 0)
        if not n or n != n:
            return f"{whole}{self.of}0"
        share = format_percent(count / n, value.digits).replace(".", self.decimal_point)
        share = share if self.percent_sign else share.rstrip("%")
        if value.kind == "count_of":
            return f"{whole}{self.of}{n:.0f}"
        if value.kind == "count_percent" and self.count == "n (%)":
            text = format_count_percent(count, n, value.digits).replace(".", self.decimal_point)
            return text if self.percent_sign else text.replace("%", "")
        link = "/" if self.count == "n/N (%)" else self.of
        return f"{whole}{link}{n:.0f} ({share})"

    def _median(self, value: Value) -> str:
        numbers = value.numbers
        if all(one.value != one.value for one in numbers.values()):
            return self.not_recorded
        low, high = ("q1", "q3") if self.spread == "iqr" and "q1" in numbers else ("min", "max")
        texts = {
            role: f"{numbers[name].sign}{self.number(numbers[name].value, value.digits)}"
            for role, name in {"median": "median", "low": low, "high": high}.items()
        }
        return self.spread_form.format(**texts)

    def _estimate(self, value: Value) -> str:
        estimate, lower, upper = (value.scale * value.numbers[n].value for n in ("value", "lower", "upper"))
        if estimate != estimate and lower != lower:
            return NOT_ESTIMABLE
        # A dash beside a minus sign misleads.
        link = self.to if lower < 0 or upper < 0 else self.interval
        low, high = self.number(lower, value.digits), self.number(upper, value.digits)
        shown = f"{value.numbers['value'].sign}{self.number(estimate, value.digits)}{value.unit}"
        return f"{shown} ({low}{link}{high})"


def _merged(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Return the runs with neighbours of one face joined, so that a text is not cut where numbers begin."""
    merged: list[Run] = []
    for run in runs:
        if run.text and merged and replace(run, text="") == replace(merged[-1], text=""):
            merged[-1] = replace(run, text=merged[-1].text + run.text)
        elif run.text:
            merged.append(run)
    return tuple(merged)


def _faces(text: str) -> list[Run]:
    return [Run(piece, italic=bool(i % 2)) for i, piece in enumerate(text.split("_")) if piece]


@cache
def themes() -> dict[str, Theme]:
    """Return all themes by the name of their journal."""
    told = {name: journal_file(name).get("tables") for name in journal_names()}
    return {name: Theme(name=name, **values) for name, values in told.items() if values}


def theme_named(name: str = GENERIC) -> Theme:
    """Return the theme of a journal.

    Raises:
        JournalError: there is no such journal, or none of its habits in tables are known.

    >>> theme_named("nejm").p_value(0.0114)
    '0.01'
    """
    found = themes().get(journal_named(name).name)
    if found is None:
        raise JournalError(f"nothing is known of the tables of {name}: known are {', '.join(themes())}.")
    return found
