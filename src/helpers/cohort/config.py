"""Reading `cohort.toml`: all faults at once, each with its key and line.

>>> load_config(folder).horizon_days, read_config(folder).problems
(56, [])
>>> inner_model(CohortConfig.model_fields["follow_up"].annotation).__name__
'FollowUp'
>>> is_mapping(dict[str, int]), is_mapping(tuple[int, ...])
(True, False)
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from helpers.cohort.chosen_tests import unfit_tests
from helpers.cohort.names import Loc, dotted, unknown_names
from helpers.cohort.settings import CohortConfig
from helpers.problems import CohortError, Problem, gather, suggestion
from helpers.vocabulary.model import ReferenceRange
from helpers.vocabulary.reading import VocabularyReading, cohort_texts, read_texts
from helpers.vocabulary.vocabulary import Vocabulary

__all__ = ["CONFIG_FILE", "CohortConfig", "ConfigReading", "load_config", "read_config"]

CONFIG_FILE = "cohort.toml"
_EXPECTED_FILE = "the settings of the cohort as a TOML file in UTF-8"

# Stand-ins for required settings that are missing or faulty, so that the tables can still be checked.
_STAND_INS: dict[str, Any] = {
    "title": "untitled",
    "provenance": "synthetic",
    "group": [{"id": "unknown", "label": "unknown", "role": "treated", "day0": "unknown"}],
    "follow_up": {"horizon_days": 1},
    "visit": [{"id": "baseline", "label": "Baseline", "day": 0, "window": [0, 0]}],
}
_REPAIRS = 50
_INTRODUCTION = re.compile(r"^(Value error, |Input should be (a )?)")


@dataclass(frozen=True)
class ConfigReading:
    """What could be read of a configuration, and what is wrong with it.

    `config` is always usable for looking at the tables: faulty settings are replaced by their defaults.
    `untrusted` names the top-level keys so replaced ("*": all); a check that leans on one is skipped.
    """

    config: CohortConfig
    problems: list[Problem]
    untrusted: frozenset[str]


def load_config(folder: Path | str) -> CohortConfig:
    """Read and validate `cohort.toml` in the folder.

    Raises CohortError with every fault at once (file, key, line, what was found and expected).
    """
    reading = read_config(Path(folder))
    if reading.problems:
        raise CohortError(reading.problems)
    return reading.config


def read_config(folder: Path) -> ConfigReading:
    """Read `cohort.toml` and the cohort's own words as far as they can be read; faults are returned.

    A file whose content has been read before is not read a second time.
    """
    content = _content(folder / CONFIG_FILE)
    settings = _settings(content) if isinstance(content, bytes) else _no_settings(content)
    tables = (table.file for table in settings.config.tables.values())
    texts = cohort_texts(folder, [file for file in tables if file])
    words, lines = _words(tuple(sorted(texts.items()))), settings.lines
    config = settings.config.with_vocabulary(_with_own_ranges(words.vocabulary, settings.config))
    problems = [*settings.problems, *words.problems]
    if "*" not in settings.untrusted:
        problems += unknown_names(config, lambda loc: _line(loc, lines))
        problems += unfit_tests(config, lambda loc: _line(loc, lines))
    return ConfigReading(config, gather(problems), settings.untrusted)


@dataclass(frozen=True)
class _Settings:
    """What `cohort.toml` alone says, before the cohort's words are known."""

    config: CohortConfig
    problems: tuple[Problem, ...]
    untrusted: frozenset[str]
    lines: Mapping[Loc, int]


def _no_settings(problem: Problem) -> _Settings:
    return _Settings(CohortConfig.model_validate(_STAND_INS), (problem,), frozenset({"*"}), {})


@lru_cache(maxsize=16)
def _settings(content: bytes) -> _Settings:
    try:
        text = content.decode("utf-8-sig")
        raw = tomllib.loads(text)
    except UnicodeDecodeError:
        return _no_settings(
            Problem(CONFIG_FILE, None, "", "another encoding", _EXPECTED_FILE, "save the file as UTF-8")
        )
    except tomllib.TOMLDecodeError as error:
        return _no_settings(_syntax_problem(error))
    lines = key_lines(text)
    config, faults, untrusted = _validated(raw, lines)
    return _Settings(config, tuple(faults), untrusted, lines)


@lru_cache(maxsize=16)
def _words(texts: tuple[tuple[str, bytes], ...]) -> VocabularyReading:
    return read_texts(dict(texts))


def _content(path: Path) -> bytes | Problem:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        remedy = "write it, starting from `compendium new`"
        return Problem(CONFIG_FILE, None, "", "no such file", _EXPECTED_FILE, remedy)
    except OSError as error:
        found = f"a file that cannot be read ({error.strerror})"
        return Problem(CONFIG_FILE, None, "", found, _EXPECTED_FILE, "make it readable")


def _with_own_ranges(vocabulary: Vocabulary, config: CohortConfig) -> Vocabulary:
    """Put the limits of normal of `cohort.toml` in the place of those known."""
    ranges = dict(vocabulary.ranges)
    for name, given in config.reference_ranges.items():
        common, *by_sex = (
            ReferenceRange(low, high, sex)
            for sex in ("", "female", "male")
            for low, high in [given.limits(sex)]
        )
        differ = any((row.low, row.high) != (common.low, common.high) for row in by_sex)
        ranges[name] = tuple(by_sex) if differ and _limited(by_sex) else (common,)
    return replace(vocabulary, ranges=ranges)


def _limited(ranges: Iterable[ReferenceRange]) -> bool:
    return any(row.low is not None or row.high is not None for row in ranges)


def _syntax_problem(error: tomllib.TOMLDecodeError) -> Problem:
    place = re.search(r"line (\d+), column (\d+)", str(error))
    message = re.sub(r"\s*\(at .*\)$", "", str(error))
    row = int(place[1]) if place else None
    remedy = "mend this line; the tables were looked at with default settings"
    return Problem(CONFIG_FILE, row, "", f"text that is not TOML ({message})", "key = value", remedy)


def _validated(
    raw: dict[str, Any], lines: Mapping[Loc, int]
) -> tuple[CohortConfig, list[Problem], frozenset[str]]:
    """Validate; faulty settings are reported, then replaced, until the rest is valid."""
    attempt = deepcopy(raw)
    problems: list[Problem] = []
    untrusted: set[str] = set()
    for _ in range(_REPAIRS):
        try:
            return CohortConfig.model_validate(attempt), problems, frozenset(untrusted)
        except ValidationError as error:
            # What a replacement itself provokes later on is not a fault of the file.
            replaced = frozenset(untrusted)
            for detail in _innermost(error.errors()):
                top = str(detail["loc"][0])
                if top not in replaced:
                    problems.append(_problem(detail, lines))
                if detail["type"] != "extra_forbidden":
                    untrusted.add(top)
                _repair(attempt, detail["loc"], missing=detail["type"] == "missing")
    return CohortConfig.model_validate(_STAND_INS), problems, frozenset({"*"})


def _innermost(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Drop an error about a section as a whole when one of its own keys is at fault."""
    locs = [detail["loc"] for detail in details]
    return [
        d for d in details if not any(len(d["loc"]) < len(x) and x[: len(d["loc"])] == d["loc"] for x in locs)
    ]


def _repair(attempt: dict[str, Any], loc: Loc, *, missing: bool) -> None:
    """Take the faulty setting out; put a stand-in where a required one is missing."""
    top = str(loc[0])
    if missing:
        attempt.pop(top, None)
        if top in _STAND_INS:
            attempt[top] = deepcopy(_STAND_INS[top])
        return
    holder, key = attempt, top
    container: Any = attempt
    for part in loc:
        if isinstance(container, dict) and part in container:
            holder, key = container, str(part)
        elif not (isinstance(container, list) and isinstance(part, int) and part < len(container)):
            break
        container = container[part]
    holder.pop(key, None)


def _problem(detail: ErrorDetails, lines: Mapping[Loc, int]) -> Problem:
    loc = tuple(part for part in detail["loc"] if part != "[key]")
    key = dotted(loc)
    row = _line(loc, lines)
    kind, value = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        known = _keys_at(loc[:-1])
        return Problem(
            CONFIG_FILE,
            row,
            key,
            f"unknown key {loc[-1]!r}",
            f"one of {', '.join(known)}",
            _key_remedy(str(loc[-1]), known),
        )
    if kind == "missing":
        expected = f"the required key {loc[-1]!r}"
        return Problem(CONFIG_FILE, row, key, "nothing", expected, f"add it: {_description(loc)}")
    message = _INTRODUCTION.sub("", detail["msg"])
    if detail["loc"] and detail["loc"][-1] == "[key]":
        return Problem(
            CONFIG_FILE, row, key, repr(loc[-1]), message, suggestion(str(loc[-1]), _literals(message))
        )
    found = _shown(value)
    return Problem(CONFIG_FILE, row, key, found, message, _description(loc) or "mend it")


def _literals(message: str) -> list[str]:
    return re.findall(r"'([^']+)'", message)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _key_remedy(key: str, known: list[str]) -> str:
    sections = [name for name, inner in _sections(CohortConfig) if key in _aliases(inner)]
    if sections:
        return f"the key belongs in [{sections[0]}]"
    return suggestion(key, known) or "remove it"


# --- the model seen as a tree of keys ---------------------------------------------------------------


def _aliases(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def inner_model(annotation: Any) -> type[BaseModel] | None:
    """Return the section that a field's annotation holds (inside tuple, dict or optional), if any."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = inner_model(argument)
        if found is not None:
            return found
    return None


def is_mapping(annotation: Any) -> bool:
    """Return whether a field holds a mapping of free names (a dict, or an optional one)."""
    if get_origin(annotation) in (Union, UnionType):
        return any(is_mapping(argument) for argument in get_args(annotation))
    return get_origin(annotation) is dict


def _sections(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    for name, field in model.model_fields.items():
        inner = inner_model(field.annotation)
        if inner is not None:
            yield field.alias or name, inner


def _model_at(loc: Loc) -> type[BaseModel] | None:
    """Return the section a location lies in; None inside a free mapping."""
    model: type[BaseModel] | None = CohortConfig
    skip = False
    for part in loc:
        if skip or isinstance(part, int):
            skip = False
            continue
        if model is None:
            return None
        field = next((f for n, f in model.model_fields.items() if (f.alias or n) == part), None)
        if field is None:
            return None
        skip = is_mapping(field.annotation)
        model = inner_model(field.annotation)
    return model


def _keys_at(loc: Loc) -> list[str]:
    model = _model_at(loc)
    return _aliases(model) if model is not None else []


def _description(loc: Loc) -> str:
    model = _model_at(loc[:-1])
    if model is None:
        return ""
    for name, field in model.model_fields.items():
        if (field.alias or name) == loc[-1]:
            return field.description or ""
    return ""


# --- lines of keys ----------------------------------------------------------------------------------

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(
    r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_PART = re.compile(r"""[^."'\s]+|"[^"]*"|'[^']*'""")


def key_lines(text: str) -> dict[Loc, int]:
    r"""Return the line of every table header and key of a TOML text, by location.

    Keys inside inline tables have no entry of their own; the line of the enclosing key is used for them.

    >>> key_lines("title = 'x'\n[follow_up]\nhorizon_days = 56\n")[("follow_up", "horizon_days")]
    3
    """
    lines: dict[Loc, int] = {}
    counts: dict[Loc, int] = {}
    current: Loc = ()
    for number, line in enumerate(text.splitlines(), start=1):
        header, key = _HEADER.match(line), _KEY.match(line)
        if header:
            path: Loc = tuple(part.strip("\"'") for part in _PART.findall(header[2]))
            lines.setdefault(path, number)
            if header[1] == "[[":
                index = counts.get(path, -1) + 1
                counts[path] = index
                path = (*path, index)
            current = path
            lines.setdefault(current, number)
        elif key:
            parts = tuple(part.strip("\"'") for part in _PART.findall(key[1]))
            lines.setdefault((*current, *parts), number)
    return lines


def _line(loc: Loc, lines: Mapping[Loc, int]) -> int | None:
    for end in range(len(loc), 0, -1):
        if loc[:end] in lines:
            return lines[loc[:end]]
    return None
