"""Doses as they are prescribed, with unit, route and times a day in one cell: ``5 mg bid``."""

import re
from collections.abc import Mapping

from helpers.cohort.written import parse_times

_UNITS = {"毫克": "mg", "克": "g", "微克": "ug", "μg": "ug", "µg": "ug", "mcg": "ug", "国际单位": "IU"}
_UNIT = r"(?:mg|g|[uµμ]g|mcg|毫克|微克|克)(?:\s*/\s*(?:kg|m2|m²|公斤))?|I?U|国际单位"  # a day is none of them
_DOSE = re.compile(rf"^(?P<dose>\d+(?:\.\d+)?)\s*(?P<unit>{_UNIT})(?P<rest>.*)$", re.IGNORECASE)
_MARKS = " ,，;；、"
_NUMERALS = {"一": 1, "两": 2, "二": 2, "三": 3, "四": 4, "六": 6, "八": 8, "十二": 12}
_NUMERAL = r"(?P<n>\d+|十二|[一两二三四六八])"
_A_DAY = r"(?:每[日天]|[一1]日|日)"
_ENGLISH = {"once": 1, "twice": 2, "three times": 3, "four times": 4}
# Each pattern, and what times a day it stands for: a number, or how many of the unit it counts.
_PHRASES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"^{_A_DAY}{_NUMERAL}次$"), "times"),
    (re.compile(rf"^{_NUMERAL}次\s*/\s*[日天]$"), "times"),
    (re.compile(rf"^每{_NUMERAL}个?小时(?:[一1]次)?$"), "hours"),
    (re.compile(rf"^{_NUMERAL}小时[一1]次$"), "hours"),
    (re.compile(rf"^每?隔[日天](?:{_NUMERAL}次)?$"), "other"),
    (re.compile(r"^(?P<n>\d+)\s*(?:x|×|times)\s*(?:/\s*(?:d|day)|a day|per day|daily)?$"), "times"),
    (re.compile(r"^[x×*]\s*(?P<n>\d+)(?:\s*/\s*(?:d|day|日|天))?$"), "times"),
    (re.compile(r"^every (?P<n>\d+) ?h(?:ours)?$"), "hours"),
)
_ONCE = ("/d", "/day", "/日", "/天", "per day", "a day", "每日", "每天", "once a day", "once daily", "一天")
_OTHER_DAY = ("every other day", "on alternate days", "q2d")


def plain_times(text: str) -> str:
    """Return administrations a day as a number, of the phrases of prescriptions; other texts as they are.

    Example:
        >>> plain_times("每日两次"), plain_times("q8h"), plain_times("twice daily"), plain_times("prn")
        ('2', 'q8h', '2', 'prn')
    """
    told = re.sub(r"\s+", " ", text.strip().casefold())
    if not told or parse_times(told) is not None:
        return text
    if told in _ONCE:
        return "1"
    if told in _OTHER_DAY:
        return "0.5"
    for word, number in _ENGLISH.items():
        if told in (f"{word} {rest}" for rest in ("daily", "a day", "per day")):
            return str(number)
    for pattern, counted in _PHRASES:
        match = pattern.match(told)
        if match is None:
            continue
        found = match["n"]
        number = _NUMERALS.get(found) or int(found) if found else 1
        if counted == "other":
            return f"{number / 2:g}"
        return f"{24 / number:g}" if counted == "hours" and number else str(number)
    return text


def prescription(text: str, routes: Mapping[str, str]) -> dict[str, str] | None:
    """Return dose, unit, route and times_per_day of a cell that tells them together; None if it does not.

    What the cell does not tell is empty. A cell of which anything remains that is not understood tells
    nothing, so that the reader of the tables can say where it stands.

    Args:
        text: the cell, its number with a decimal point.
        routes: names of routes by folded spelling.

    Example:
        >>> prescription("20mg q12h", {})
        {'dose': '20', 'unit': 'mg', 'route': '', 'times_per_day': 'q12h'}
        >>> prescription("10毫克 口服 每日两次", {"口服": "po"})
        {'dose': '10', 'unit': 'mg', 'route': 'po', 'times_per_day': '2'}
        >>> prescription("20", {}), prescription("5 mg d1-3", {})
        (None, None)
    """
    match = _DOSE.match(text.strip())
    if match is None:
        return None
    unit = re.sub(r"\s+", "", match["unit"])
    plain = next((word for word in _UNITS if unit == word or unit.startswith(f"{word}/")), "")
    unit = unit.replace(plain, _UNITS[plain], 1) if plain else unit
    route, rest = _route(match["rest"].strip(_MARKS).casefold(), routes)
    times = plain_times(rest) if rest else ""
    if rest and parse_times(times) is None:
        return None
    unit = unit.replace("公斤", "kg").replace("m²", "m2")
    return {"dose": match["dose"], "unit": unit, "route": route, "times_per_day": times}


def _route(text: str, routes: Mapping[str, str]) -> tuple[str, str]:
    """Take the route away from either end of what follows a dose."""
    for word in sorted(routes, key=lambda word: (-len(word), word)):
        before, behind = (r"(?<![a-z])", r"(?![a-z])") if word[-1].isascii() else ("", "")
        found = re.match(rf"^{re.escape(word)}{behind}", text)
        found = found or re.search(rf"{before}{re.escape(word)}$", text)
        if found:
            return routes[word], (text[: found.start()] + text[found.end() :]).strip(_MARKS)
    return "", text
