"""Numbers, laboratory results, times a day and dates as people write them."""

import re

import pandas as pd

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
PLAIN_NUMBER = re.compile(rf"^{_NUMBER}$")
# An assay's sign before the number; a laboratory's flag (arrow, or H or L after a blank) behind it.
_RESULT = re.compile(rf"^(?P<sign>[<>≤≥＜＞]=?|)\s*(?P<number>{_NUMBER})\s*(?:[↑↓]|\s[HL])?$")
_SIGNS = {"<": "<", "＜": "<", "≤": "<", "<=": "<", ">": ">", "＞": ">", "≥": ">", ">=": ">", "": ""}
# Shorthand of prescriptions for administrations a day.
_TIMES = {
    "qd": 1.0, "od": 1.0, "daily": 1.0, "qn": 1.0, "bid": 2.0, "bd": 2.0, "tid": 3.0, "tds": 3.0, "qid": 4.0,
    "qds": 4.0, "qod": 0.5, "eod": 0.5, "qw": 1 / 7, "weekly": 1 / 7,
}  # fmt: skip
_DATE = re.compile(
    r"^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(?:Z|\+00:00)?)?$"
)


def parse_number(text: str) -> float | None:
    """Return a plain number, or None if the text is not one."""
    return float(text) if PLAIN_NUMBER.match(text) else None


def parse_result(text: str) -> tuple[float, str] | None:
    """Return value and qualifier ("", "<", ">") of a laboratory result, or None if it is not a number.

    `≤` and `≥` are read as `<` and `>`: the assay's limit is known, the value beyond it is not.

    >>> parse_result(">40000"), parse_result("≤0.5")
    ((40000.0, '>'), (0.5, '<'))
    """
    match = _RESULT.match(text)
    return (float(match["number"]), _SIGNS[match["sign"]]) if match else None


def parse_times(text: str) -> float | None:
    """Return administrations a day from a number or the shorthand of prescriptions (bid, q8h, qod).

    Example:
        >>> parse_times("q8h"), parse_times("qd"), parse_times("0.5")
        (3.0, 1.0, 0.5)
    """
    number = parse_number(text)
    if number is not None:
        return number
    word = re.sub(r"[\s.]", "", text.casefold())
    hours = re.match(r"^q(\d{1,2})h$", word)
    if hours and int(hours[1]):
        return 24 / int(hours[1])
    return _TIMES.get(word)


def parse_date(text: str) -> pd.Timestamp | None:
    """Return a date (with clock time if given) written year first, or None."""
    match = _DATE.match(text)
    if not match:
        return None
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
        return pd.Timestamp(year, month, day, hour, minute, second)
    except ValueError:
        return None


def number_remedy(text: str) -> str:
    """Return advice for a text that stands where a number should."""
    if re.match(r"^[<>≤≥＜＞]?\s*\d+,\d+$", text):
        return "write a decimal point and no thousands separator"
    match = re.match(rf"^[<>≤≥＜＞]?\s*({_NUMBER})\s*([^\d\s].*)$", text)
    if match:
        return f"write {match[1]} here and {match[2]!r} in the column of units or in a note"
    return "write a number, or leave the field empty if it was not done"
