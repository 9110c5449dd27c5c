"""Numbers and dates as hospitals write them, brought into the form that the cohort's tables have.

>>> has_year_last(["13/04/2023"]), has_year_last(["2023-04-13"]), age_at("1980-05-03", "2023-05-02")
(True, False, '42')
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Literal

DecimalMark = Literal[".", ","]
DateOrder = Literal["dmy", "mdy"]

# Day 0 of the serial numbers of spreadsheets (the system of 1900).
_SERIAL_ZERO = datetime(1899, 12, 30)
# 1982 to 2064: numbers outside are no serial of a date in a patient's record of today.
_SERIALS = (30_000, 60_000)
_SIGN = r"(?P<sign>(?:[<>≤≥＜＞]=?|[+-])?)\s*"
_TAIL = r"(?P<tail>\s*(?:[↑↓*]|\s[HL])?)"
_BLANKS = "\u00a0\u202f '’"
_GROUPED = {
    ".": re.compile(rf"^{_SIGN}(?P<number>\d{{1,3}}(?:[,{_BLANKS}]\d{{3}})+(?:\.\d+)?){_TAIL}$"),
    ",": re.compile(rf"^{_SIGN}(?P<number>\d{{1,3}}(?:[.{_BLANKS}]\d{{3}})*(?:,\d+)?|\d+,\d+){_TAIL}$"),
}
_TIME = r"(?:[T\s]+(?P<time>\d{1,2}:\d{2}(?::\d{2})?)(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?)?"
_YEAR_FIRST = re.compile(
    rf"^(?P<y>\d{{4}})\s*[-/.年]\s*(?P<m>\d{{1,2}})\s*[-/.月]\s*(?P<d>\d{{1,2}})\s*[日号]?{_TIME}$"
)
_YEAR_LAST = re.compile(rf"^(?P<a>\d{{1,2}})(?P<mark>[-/.])(?P<b>\d{{1,2}})(?P=mark)(?P<y>\d{{4}}){_TIME}$")
_COMPACT = re.compile(r"^(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})$")
_NAMED = re.compile(rf"^(?P<d>\d{{1,2}})[-\s./]?(?P<m>[A-Za-z]{{3,9}})\.?[-\s./,]*(?P<y>\d{{4}}){_TIME}$")
_MONTHS = {
    name: n
    for n, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}


def plain_number(text: str, decimal: DecimalMark = ".") -> str:
    """Return a number without marks of thousands and with a decimal point; other texts as they are.

    A sign of an assay's limit before it and a laboratory's flag behind it stay.

    Example:
        >>> plain_number(">1.500,5", ","), plain_number("12,345"), plain_number("0,5")
        ('>1500.5', '12345', '0,5')
    """
    match = _GROUPED[decimal].match(text)
    if match is None:
        return text
    number = re.sub(rf"[{'.' if decimal == ',' else ','}{_BLANKS}]", "", match["number"])
    return f"{match['sign']}{number.replace(',', '.')}{match['tail']}"


def plain_code(text: str) -> str:
    """Return a code without the decimals that programs add where cells are empty; other texts as they are.

    Example:
        >>> plain_code("1.0"), plain_code("1.5"), plain_code("AOSD")
        ('1', '1.5', 'AOSD')
    """
    return text.removesuffix(".0") if re.fullmatch(r"-?\d+\.0", text) else text


def decimal_evidence(texts: Iterable[str]) -> tuple[DecimalMark | None, str]:
    """Return the decimal mark that texts prove, with a text that proves it; None where none does.

    `1,234` proves nothing: it may be a thousand or a little more than one.

    Example:
        >>> decimal_evidence(["1,234", "0,5"])
        (',', '0,5')
    """
    number = re.compile(r"^(?:[<>≤≥＜＞]=?|[+-])?\s*\d[\d.,]*$")
    found: dict[DecimalMark, str] = {}
    for text in texts:
        if not number.match(text):
            continue
        for mark, other in ((",", "."), (".", ",")):
            before, _, after = text.rpartition(mark)
            whole = before.lstrip("<>≤≥＜＞=+- ")
            single = bool(before) and mark not in before and after.isdigit()
            if single and ((other in before) or len(after) != 3 or len(whole) > 3 or whole == "0"):
                found.setdefault(mark, text)  # type: ignore[arg-type]
    if len(found) == 1:
        return next(iter(found.items()))
    return None, ""


def date_order_evidence(texts: Iterable[str]) -> tuple[DateOrder | None, str]:
    """Return the order of day and month that dates with the year last prove, with the date that proves it.

    Points between the parts are written where the day comes first.

    Example:
        >>> date_order_evidence(["03/04/2023", "13/04/2023"])
        ('dmy', '13/04/2023')
    """
    found: dict[DateOrder, str] = {}
    for text in texts:
        match = _YEAR_LAST.match(text)
        if match is None:
            continue
        first, second = int(match["a"]), int(match["b"])
        if match["mark"] == "." or first > 12:
            found.setdefault("dmy", text)
        elif second > 12:
            found.setdefault("mdy", text)
    if len(found) == 1:
        return next(iter(found.items()))
    return None, ""


def has_year_last(texts: Iterable[str]) -> bool:
    """Tell whether a date among the texts has the year last, so that day and month must be told apart."""
    return any(_YEAR_LAST.match(text) for text in texts)


def plain_date(text: str, order: DateOrder | None = None, *, serials: bool = False) -> str | None:
    """Return a date as year-month-day, with its time of day if it has one; None if the text is none.

    Args:
        text: the date as written, also 2023年5月3日, 2023.5.3, 20230503, 3-May-2023.
        order: what comes first where the year stands last; None: such dates are not read.
        serials: whether whole numbers are taken for the serial numbers of spreadsheets.

    Example:
        >>> plain_date("2023年5月3日"), plain_date("03/05/2023", "dmy"), plain_date("45049", serials=True)
        ('2023-05-03', '2023-05-03', '2023-05-03')
    """
    if match := _YEAR_FIRST.match(text) or _COMPACT.match(text):
        parts = match.groupdict()
        return _iso(parts["y"], parts["m"], parts["d"], parts.get("time"))
    if match := _YEAR_LAST.match(text):
        if order is None and match["mark"] != ".":
            return None
        day, month = (match["b"], match["a"]) if order == "mdy" else (match["a"], match["b"])
        return _iso(match["y"], month, day, match["time"])
    if match := _NAMED.match(text):
        month_number = _MONTHS.get(match["m"][:3].casefold())
        return _iso(match["y"], month_number, match["d"], match["time"]) if month_number else None
    if serials and re.fullmatch(r"\d{5}(?:\.\d+)?", text) and _SERIALS[0] <= float(text) <= _SERIALS[1]:
        moment = _SERIAL_ZERO + timedelta(days=float(text))
        return moment.date().isoformat() if float(text).is_integer() else moment.isoformat(" ", "seconds")
    return None


def _iso(year: str, month: str | int, day: str, time: str | None) -> str | None:
    try:
        told = date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None
    if not time or not time.replace(":", "").strip("0"):
        return told
    hours, *rest = time.split(":")
    return f"{told} {int(hours):02d}:{':'.join(rest)}"


def age_at(birth: str, moment: str) -> str:
    """Return the age in completed years; both dates as year-month-day. Empty if it would be negative."""
    born, then = date.fromisoformat(birth[:10]), date.fromisoformat(moment[:10])
    years = then.year - born.year - ((then.month, then.day) < (born.month, born.day))
    return str(years) if years >= 0 else ""
