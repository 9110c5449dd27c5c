"""Reading `cohort.toml`: all faults at once, each with its key and line."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from helpers.cohort.dictionary import Dictionary, load_dictionary
from helpers.cohort.settings import CohortConfig
from helpers.problems import CohortError, Problem, closest, gather, suggestion

__all__ = ["CONFIG_FILE", "CohortConfig", "ConfigReading", "load_config", "read_config"]

CONFIG_FILE = "cohort.toml"

# Rows of the baseline table that are derived and so have no row in the dictionary; also every prior_<drug>.
DERIVED_BASELINE = ("death", "glucocorticoid_week_before", "glucocorticoid_week_before_per_kg")

Loc = tuple[str | int, ...]

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
    """Read `cohort.toml` as far as it can be read; faults are returned, not raised."""
    text, problems = _text(folder / CONFIG_FILE)
    raw: dict[str, Any] = {}
    if text is not None:
        try:
            raw = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            problems.append(_syntax_problem(error))
            text = None
    if text is None:
        return ConfigReading(CohortConfig.model_validate(_STAND_INS), problems, frozenset({"*"}))
    config, faults, untrusted = _validated(raw, key_lines(text))
    problems.extend(faults)
    problems.extend(_unknown_names(config, load_dictionary(), key_lines(text)))
    return ConfigReading(config, gather(problems), untrusted)


def _text(path: Path) -> tuple[str | None, list[Problem]]:
    expected = "the settings of the cohort as a TOML file in UTF-8"
    try:
        return path.read_text(encoding="utf-8-sig"), []
    except FileNotFoundError:
        remedy = "write it, starting from `compendium new`"
        return None, [Problem(CONFIG_FILE, None, "", "no such file", expected, remedy)]
    except UnicodeDecodeError:
        return None, [Problem(CONFIG_FILE, None, "", "another encoding", expected, "save the file as UTF-8")]
    except OSError as error:
        found = f"a file that cannot be read ({error.strerror})"
        return None, [Problem(CONFIG_FILE, None, "", found, expected, "make it readable")]


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


def dotted(loc: Loc) -> str:
    """Return a location as a key in words: ("group", 0, "role") is `group[1].role` (counted from 1)."""
    text = ""
    for part in loc:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


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
    """Return the line of every table header and key of a TOML text, by location.

    Keys inside inline tables have no entry of their own; the line of the enclosing key is used for them.
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


# --- names that must be in the dictionary -----------------------------------------------------------


def _unknown_names(config: CohortConfig, dictionary: Dictionary, lines: Mapping[Loc, int]) -> list[Problem]:
    """Settings that name a variable, drug or category unknown to the dictionary."""
    measured = dictionary.measured
    columns = dictionary.columns("patients")
    therapies = ("glucocorticoid", "iv_glucocorticoid", *dictionary.drugs)
    categories = tuple(v.name for v in dictionary.variables.values() if v.type == "category")
    every = ("*", *dictionary.variables)
    named: list[tuple[Loc, str, tuple[str, ...]]] = [
        *((("units", name), name, (*measured, *columns)) for name in config.units),
        *((("variables", raw), name, measured) for raw, name in config.variables.items()),
        *((("missing_codes", name), name, every) for name in config.missing_codes),
        *((("reporting_limits", name), name, measured) for name in config.reporting_limits),
        *((("reference_ranges", name), name, measured) for name in config.reference_ranges),
        *((("categories", name), name, categories) for name in config.categories),
        *(
            (("baseline", "variables"), name, (*columns, *measured))
            for name in config.baseline.variables or ()
        ),
        *((("baseline", "prior_therapies"), name, therapies) for name in config.baseline.prior_therapies),
    ]
    problems = []
    for loc, name, known in named:
        derived = loc == ("baseline", "variables") and (name.startswith("prior_") or name in DERIVED_BASELINE)
        if name not in known and not derived:
            problems.append(_unknown_name(loc, name, known, lines))
    for name, unit in config.units.items():
        if name in dictionary and dictionary[name].conversion(unit) is None:
            accepted = dictionary[name].accepted_units() or "no unit"
            problems.append(
                Problem(
                    CONFIG_FILE,
                    _line(("units", name), lines),
                    f"units.{name}",
                    repr(unit),
                    accepted,
                    "mend it",
                )
            )
    for table, setting in config.tables.items():
        for name in setting.columns:
            if name not in dictionary.columns(table):
                loc = ("tables", table, "columns", name)
                problems.append(_unknown_name(loc, name, dictionary.columns(table), lines))
    return problems


def _unknown_name(loc: Loc, name: str, known: tuple[str, ...], lines: Mapping[Loc, int]) -> Problem:
    near = closest(name, known)
    remedy = f"did you mean {near!r}?" if near else "see data/README.md for the names"
    return Problem(
        CONFIG_FILE, _line(loc, lines), dotted(loc), repr(name), "a name of the dictionary", remedy
    )
