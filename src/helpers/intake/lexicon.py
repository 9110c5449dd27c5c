"""What the header of a column may mean: words of the vocabulary and of hospital files, units, visits."""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from helpers.vocabulary.names import fold, near, normalise_unit
from helpers.vocabulary.vocabulary import Vocabulary

WORDS_FILE = Path(__file__).with_name("words.csv")

Kind = str
"""patients, measured, measurements, treatments, responses, events; id, day, date, visit, personal ..."""

_EXACT, _ALIAS, _NEAR = 1.0, 0.97, 0.7
_SHORTEST_SLIP = 3
_SHARES = ("%", "％")
_DAYS_PER_MONTH, _DAYS_PER_YEAR = 30.4375, 365.25
_BASELINE = (
    r"baseline|base ?line|bl|screening|day ?zero|pre ?treatment|before treatment|at inclusion|enrol?ment|"
    r"基线|基线期|治疗前|用药前|入组时|入组|ausgangswert"
)
_COUNTED = (
    r"(?P<unit1>day|days|d|week|weeks|wk|w|month|months|mo|m|year|years|yr|y|visit day|tag|woche)[ .:]?"
    r"(?P<n1>-?\d+)"
    r"|(?P<n2>-?\d+)[ ]?(?P<unit2>days?|d|weeks?|wks?|w|months?|mo|m|years?|yrs?|y)"
    r"|(?:治疗后|用药后)?第?(?P<n3>\d+)个?(?P<unit3>天|日|周|月|年)(?:后)?"
)
_REST_OF_VISIT = r"(?: arm \d+)?(?: (?:visit|follow up))?"
_VISIT = re.compile(rf"^(?:visit )?(?:(?P<base>{_BASELINE})|{_COUNTED}){_REST_OF_VISIT}$")
_BEHIND = re.compile(rf"^(?P<rest>.+?)[ (,|;:·]+(?P<visit>(?:{_BASELINE})|{_COUNTED})\)?$")
_BEFORE = re.compile(rf"^(?P<visit>(?:{_BASELINE})|{_COUNTED})[ ),|;:·]+(?P<rest>.+)$")
_CHINESE_BEHIND = re.compile(rf"^(?P<rest>.*[^\d ])(?P<visit>第?\d+[天日周月年]|{_BASELINE})$")
_CHINESE_BEFORE = re.compile(rf"^(?P<visit>第?\d+个?[天日周月年]|{_BASELINE})(?P<rest>[^\d ].*)$")
_OF_VISIT = re.compile(r"(?<=\w) (?:at|on|of|in|for|am|an|in der)$")
_BRACKETS = re.compile(r"[(（\[【]([^()（）\[\]【】]*(?:\[[^\]]*\])?[^()（）\[\]【】]*)[)）\]】]")


@dataclass(frozen=True)
class Sense:
    """One thing that a header may mean: a kind, a name within it, and how sure it is."""

    kind: Kind
    name: str
    score: float


@dataclass(frozen=True)
class Header:
    """A column's header as far as it could be read.

    Attributes:
        senses: what it may mean, best first.
        day: day of the visit it names, None if it names none.
        unit: unit it names, as written; empty if none.
        only_visit: whether it names a visit and nothing else.
        rest: what is left once visit and unit are taken away.
    """

    senses: tuple[Sense, ...] = ()
    day: int | None = None
    unit: str = ""
    only_visit: bool = False
    rest: str = ""

    def sense(self, *kinds: Kind) -> Sense | None:
        """Return the best sense of one of the kinds, in the order of the kinds."""
        for kind in kinds:
            for one in self.senses:
                if one.kind == kind:
                    return one
        return None

    @property
    def known(self) -> bool:
        """Whether it means anything for sure."""
        return self.only_visit or any(sense.score > _NEAR for sense in self.senses)


def visit_day(text: str) -> int | None:
    """Return the nominal day that a text names, None if it names none.

    Example:
        >>> visit_day("Week 2"), visit_day("第7天"), visit_day("baseline_arm_1"), visit_day("ferritin")
        (14, 7, 0, None)
    """
    match = _VISIT.match(_folded(text))
    if match is None:
        return None
    if match["base"]:
        return 0
    number = int(match["n1"] or match["n2"] or match["n3"])
    unit = match["unit1"] or match["unit2"] or match["unit3"]
    return _days(number, unit)


def _days(number: int, unit: str) -> int:
    if unit in ("周", "woche") or unit.startswith("w"):
        return 7 * number
    if unit == "月" or unit.startswith("m"):
        return round(_DAYS_PER_MONTH * number)
    if unit == "年" or unit.startswith("y"):
        return round(_DAYS_PER_YEAR * number)
    return number


def _folded(text: str) -> str:
    return fold(text).replace(".", " ").replace("  ", " ").strip()


class Lexicon:
    """Words by folded spelling, of a vocabulary and of hospital files in several languages.

    Example:
        >>> from helpers.vocabulary.reading import shipped_vocabulary
        >>> read = Lexicon(shipped_vocabulary()).read(("第7天", "铁蛋白(ng/mL)"))
        >>> read.sense("measured").name, read.day, read.unit
        ('ferritin', 7, 'ng/mL')
        >>> from helpers.vocabulary.reading import shipped_vocabulary
        >>> words = Lexicon(shipped_vocabulary())
        >>> words.is_unit("ng/mL"), words.find("ferritin")[0].name
        (True, 'ferritin')
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.spelled: dict[str, list[Sense]] = {}
        for table in ("patients", "treatments", "responses", "events", "measurements"):
            names = set(vocabulary.columns(table))
            for spelling, name in vocabulary.spellings(names).items():
                self._add(spelling, Sense(table, name, _EXACT if fold(name) == spelling else _ALIAS))
        for spelling, name in vocabulary.spellings(vocabulary.measured).items():
            self._add(spelling, Sense("measured", name, _EXACT if fold(name) == spelling else _ALIAS))
        for kind, name, words in _file_words():
            for word in words:
                self._add(fold(word), Sense(kind, name, _ALIAS))
        self.units = frozenset(
            unit
            for variable in vocabulary.variables.values()
            for unit in variable.units
            if unit != "1" and variable.type != "day"
        )
        self._read = lru_cache(maxsize=20_000)(self._read_uncached)

    def _add(self, spelling: str, sense: Sense) -> None:
        senses = self.spelled.setdefault(spelling, [])
        if not any((known.kind, known.name) == (sense.kind, sense.name) for known in senses):
            senses.append(sense)

    def read(self, levels: Iterable[str], label: str = "", *, slips: bool = False) -> Header:
        """Return what a header means, given its levels and what is said beside it.

        With `slips` a name that is spelled almost like a known one is taken for it, at a low score.
        """
        told = tuple(filter(None, levels))
        header = self._read(told, label)
        done = header.senses or header.only_visit or self.find(header.rest)
        if not slips or done or len(header.rest) <= _SHORTEST_SLIP:
            return header
        spelling = near(header.rest, self.spelled)
        senses = tuple(replace(s, score=_NEAR) for s in self.spelled[spelling]) if spelling else ()
        senses = self._of_unit(senses, header.unit)
        return replace(header, senses=senses)

    def _read_uncached(self, levels: tuple[str, ...], label: str) -> Header:
        day: int | None = None
        unit = ""
        rest: list[str] = []
        for level in levels:
            named = visit_day(level)
            if named is not None and len(levels) > 1 and day is None:
                day = named
            elif self.is_unit(level) and rest:
                unit = level.strip("()（）[] ")
            else:
                rest.append(level)
        header = self._best(rest)
        if not rest and day is not None:
            header = Header(only_visit=True)
        if not header.known or header.only_visit:
            described = self._best([label]) if label else Header()
            header = described if described.known else header
        elif label and not header.unit:
            header = replace(header, unit=self._best([label]).unit)
        return replace(header, day=day if header.day is None else header.day, unit=unit or header.unit)

    def _best(self, texts: list[str]) -> Header:
        """Read the levels from the last one up, then all of them together."""
        tries = [*reversed(texts), " ".join(texts), " ".join(reversed(texts))]
        readings = [self._peeled(text) for text in tries if text]
        known = next((reading for reading in readings if reading.known), None)
        best = known or next((reading for reading in readings if reading.senses), None)
        best = best or (readings[0] if readings else Header())
        days = [reading.day for reading in readings if reading.day is not None]
        return replace(best, day=days[0]) if best.day is None and days else best

    def _peeled(self, text: str) -> Header:
        """Take unit and visit away from a text until the rest is known."""
        day: int | None = None
        unit = ""
        if visit_day(text) is not None:
            return Header(day=visit_day(text), only_visit=True)
        rest, tail = text, ""
        for _ in range(6):
            senses = self.find(rest)
            if tail:
                senses = tuple(sense for sense in senses if self._takes(sense, tail))
            senses = self._of_unit(senses, unit)
            if senses:
                return Header(senses, day, unit or self._unit_within(text), rest=rest)
            shorter, bracket = _without_bracket(rest)
            if bracket:
                rest = shorter
                if visit_day(bracket) is not None:
                    day = visit_day(bracket)
                elif self.is_unit(bracket):
                    unit = bracket
                continue
            visit, shorter = _without_visit(rest)
            if shorter:
                day, rest = visit_day(visit), shorter
                continue
            shorter, tail = self._without_unit(rest)
            if not tail:
                break
            rest, unit = shorter, unit or tail
        return Header((), day, unit, rest=rest)

    def _unit_within(self, text: str) -> str:
        """Return the unit that a known spelling holds itself, such as that of `Ferritin, ng/mL`."""
        _, bracket = _without_bracket(text)
        if bracket and self.is_unit(bracket):
            return bracket
        tail = re.split(r"，|, ", text)[-1].strip()
        return tail if tail != text and self.is_unit(tail) else ""

    def _without_unit(self, text: str) -> tuple[str, str]:
        """Part a text from the unit at its end: `ferritin_ng_ml`, `Ferritin ng/mL`."""
        parts = re.split(r"[\s_，,]+", text.strip())
        for size in (1, 2, 3):
            if len(parts) > size:
                tail = parts[-size:]
                for joined in ("/".join(tail), " ".join(tail), "".join(tail)):
                    if self.is_unit(joined):
                        return " ".join(parts[:-size]), joined
        return text, ""

    def _of_unit(self, senses: tuple[Sense, ...], unit: str) -> tuple[Sense, ...]:
        """Leave out what is not measured in shares where they are meant: a share is not a count."""
        if unit not in _SHARES:
            return senses
        return tuple(one for one in senses if one.kind != "measured" or self._takes(one, unit))

    def _takes(self, sense: Sense, unit: str) -> bool:
        """Whether a thing is measured in a unit."""
        variable = self.vocabulary.get(sense.name)
        return variable is not None and variable.conversion(unit) is not None

    def is_unit(self, text: str) -> bool:
        """Return whether a text is a unit of some variable, and more than a letter."""
        plain = normalise_unit(text.strip("()（）[] "))
        return plain in self.units and (len(plain) > 1 or plain in "%s")

    def find(self, text: str) -> tuple[Sense, ...]:
        """Return what a text means as it stands; blanks do not matter."""
        spelling = fold(text).strip(" .:：,，;；*#?？")
        found = self.spelled.get(spelling) or self.spelled.get(spelling.replace(" ", ""))
        return tuple(sorted(found, key=lambda sense: -sense.score)) if found else ()


def _without_bracket(text: str) -> tuple[str, str]:
    found = list(_BRACKETS.finditer(text))
    if not found or not text.replace(found[-1][0], "").strip():
        return text, ""
    last = found[-1]
    return (text[: last.start()] + " " + text[last.end() :]).strip(), last[1].strip()


def _without_visit(text: str) -> tuple[str, str]:
    plain = _folded(text)
    for pattern in (_BEHIND, _BEFORE, _CHINESE_BEHIND, _CHINESE_BEFORE):
        match = pattern.match(plain)
        if match and match["rest"].strip() and visit_day(match["visit"]) is not None:
            return match["visit"], _OF_VISIT.sub("", match["rest"].strip())
    return "", ""


def header_words(kind: str, name: str) -> tuple[str, ...]:
    """Return the spellings of a kind of column, such as those of columns of names.

    Example:
        >>> "姓名" in header_words("personal", "name")
        True
    """
    return next((words for k, n, words in _file_words() if (k, n) == (kind, name)), ())


@lru_cache(maxsize=1)
def _file_words() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    with WORDS_FILE.open(encoding="utf-8", newline="") as file:
        return tuple(
            (row["kind"], row["name"], tuple(row["words"].split("|"))) for row in csv.DictReader(file)
        )
