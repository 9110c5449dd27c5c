"""A recomputed value written the way a publication printed its own, and whether the two agree.

A printed value is text with numbers in it: ``30% (6/20)``, ``<0.001``, ``5,982``, ``at least two``. Each
number keeps its place, decimals and thousands separator; only its value is replaced.

>>> (
...     is_share("n_percent"),
...     agree_p_value("0.02", 0.0205).agrees,
...     agree_p_value("<0.001", 0.00002).agrees,
... )
(False, True, True)
>>> agree_share("6 (30%)", 6, 6, 20).text, agree_share("6 (30%)", 6, 7, 20).agrees
('6 (30%)', False)
>>> (
...     agree_numbers("37 (18-71)", 37, [37, 18, 71]).agrees,
...     agree_date("January 2022", "2022-01").agrees,
... )
(True, True)
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from helpers.published.ledger import Number, count_in
from helpers.results.format import format_number, format_p

TRUNCATED = "truncated"
FALL_OF_PRINTED = "fall of printed"
_TOKEN = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip


@dataclass(frozen=True)
class Agreement:
    """A recomputed value as the publication would print it.

    Attributes:
        text: the value in the printed form.
        agrees: whether every number is the printed one, to the digits printed.
        note: by what tolerance it agrees, where it is not by rounding halves up.
    """

    text: str
    agrees: bool
    note: str = ""


@dataclass(frozen=True)
class _Printed:
    number: Number
    start: int
    end: int
    separated: bool
    percent: bool


def is_share(statistic: str) -> bool:
    """Whether a row of this kind prints a count with its denominator, its percentage, or both."""
    return statistic in ("fraction", "count and percent")


def agree_share(printed: str, numeric: float, count: float, n: float) -> Agreement:
    """Compare a printed count of patients (``6 (30%)``, ``30% (6/20)``, ``19 of 20``) with a count of n."""
    found = _numbers(printed, numeric)
    values, counted = [], False
    for number in found:
        if number.percent:
            values.append(100 * count / n if n else math.nan)
        else:
            values.append(n if counted else count)
            counted = True
    exact = all(p.percent or p.number.value == v for p, v in zip(found, values, strict=True))
    written = _written(printed, found, values)
    return Agreement(written.text, written.agrees and exact, written.note)


def agree_p_value(printed: str, p_value: float) -> Agreement:
    """Compare a printed p-value, also one like ``<0.001``, with a recomputed one."""
    number = _numbers(printed, math.nan)[0].number
    if math.isnan(p_value):
        return Agreement(format_p(p_value), agrees=False)
    below = printed.strip().startswith("<")
    agrees = p_value < number.value if below else number.agrees_with(p_value)
    return Agreement(format_p(p_value, number.decimals), agrees)


def agree_numbers(
    printed: str, numeric: float, values: Sequence[float], *, exact: bool = False, rounding: str = ""
) -> Agreement:
    """Compare the printed numbers in turn with recomputed ones.

    Args:
        printed: the text as printed.
        numeric: its value where the text spells it out (``All``).
        values: as many as there are numbers; one printed number may answer for several values, which must all
            agree with it.
        exact: whether nothing may be rounded away, as in counts.
        rounding: ``truncated`` where digits may have been cut off instead of rounded.
    """
    found = _numbers(printed, numeric)
    if len(found) == 1 and len(values) > 1:
        each = [agree_numbers(printed, numeric, [v], exact=exact, rounding=rounding) for v in values]
        texts = dict.fromkeys(one.text for one in each)
        notes = dict.fromkeys(one.note for one in each if one.note)
        return Agreement(" and ".join(texts), all(one.agrees for one in each), "; ".join(notes))
    if len(found) != len(values):
        raise ValueError(f"{printed!r} holds {len(found)} numbers, {len(values)} are compared with it")
    written = _written(printed, found, values, rounding)
    same = not exact or all(p.number.value == v for p, v in zip(found, values, strict=True))
    return Agreement(written.text, written.agrees and same, written.note)


def agree_fall(printed: str, before: float, after: float, decimals: int) -> Agreement:
    """Compare a printed fall in percent with that of two numbers rounded as they are printed themselves.

    Example:
        >>> agree_fall("81%", 2.7313, 0.4986, 1)
        Agreement(text='81%', agrees=True, note='81.48% from 2.7 and 0.5 as printed; 81.7% before rounding')
    """
    first, last = (float(format_number(value, decimals)) for value in (before, after))
    share, whole = (100 * (1 - now / then) for then, now in ((first, last), (before, after)))
    found = agree_numbers(printed, math.nan, [share])
    note = f"{share:.4g}% from {first:g} and {last:g} as printed; {whole:.3g}% before rounding"
    return Agreement(found.text, found.agrees, note)


def agree_date(printed: str, value: object) -> Agreement:
    """Compare a printed month (``January 2022``) with a declared one (``2022-01``, or a date)."""
    text = value.isoformat() if isinstance(value, datetime.date) else str(value)
    year, month = (int(part) for part in text.split("-")[:2])
    written = f"{_MONTHS[month - 1]} {year}"
    return Agreement(written, written == printed.strip())


def _numbers(printed: str, numeric: float) -> list[_Printed]:
    found = []
    for match in _TOKEN.finditer(printed):
        digits = match.group().replace(",", "")
        number = Number(float(digits), len(digits.partition(".")[2]))
        percent = printed[match.end() :].lstrip().startswith("%")
        found.append(_Printed(number, match.start(), match.end(), "," in match.group(), percent))
    words = list(re.finditer(r"[A-Za-z]+", printed))
    spelled = [(word, count) for word in words if (count := count_in(word.group())) is not None]
    for word, count in spelled:
        found.append(_Printed(Number(float(count), 0), word.start(), word.end(), False, percent=False))
    if words and not found:
        whole = words[0]
        found.append(_Printed(Number(numeric, 0), whole.start(), whole.end(), False, percent=False))
    return sorted(found, key=lambda place: place.start)


def _written(
    printed: str, found: Sequence[_Printed], values: Sequence[float], rounding: str = ""
) -> Agreement:
    text, agrees, notes = printed, True, []
    for place, value in reversed(list(zip(found, values, strict=True))):
        own = format_number(value, place.number.decimals)
        if place.number.agrees_with(value):
            if float(own.replace("\N{MINUS SIGN}", "-")) != place.number.value:
                notes.append(f"{value:.6g} lies half-way: printed rounded to even")
        elif rounding == TRUNCATED and _cut(value, place.number.decimals) == place.number.value:
            notes.append(f"{value:.3g} rounds to {own}; printed with its digits cut off")
        else:
            agrees = False
        whole, dot, rest = own.partition(".")
        own = f"{int(whole):,}{dot}{rest}" if place.separated and whole.isdigit() else own
        text = text[: place.start] + own + text[place.end :]
    return Agreement(text, agrees, "; ".join(dict.fromkeys(notes)))


def _cut(value: float, decimals: int) -> float:
    return math.trunc(value * 10**decimals + 1e-9) / 10**decimals if not math.isnan(value) else math.nan
