"""Journals and languages: data that later rooms read, found by their files, so that one more needs no code.

A journal is a file ``report/journals/NAME.toml``; a language is a folder ``report/text/NAME`` with the files
that English has.

>>> journal_names()[0], language_names()[0], "zh" in language_names(), len(language_tags()) > 2
('generic', 'en', True, True)
>>> missing_phrases("zh")
()
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from helpers.problems import Problem

GENERIC, ENGLISH, AMERICAN = "generic", "en", "en-US"
_REPORT = Path(__file__).parents[1] / "report"
JOURNALS, LANGUAGES = _REPORT / "journals", _REPORT / "text"
# Words that a language translates, beside templates: they have no English counterpart.
_OPTIONAL = {"terms.toml", "spelling.toml"}


@cache
def journal_names() -> tuple[str, ...]:
    """Return the names of all journals; that of no journal in particular first."""
    found = sorted(path.stem for path in JOURNALS.glob("*.toml"))
    return (GENERIC, *(name for name in found if name != GENERIC))


@cache
def language_names() -> tuple[str, ...]:
    """Return the names of all languages, English first."""
    found = sorted(path.parent.name for path in LANGUAGES.glob("*/grammar.toml"))
    return (ENGLISH, *(name for name in found if name != ENGLISH))


@cache
def language_tags() -> tuple[str, ...]:
    """Return what may be asked for as a language: those that there are, and English in American spelling."""
    return (ENGLISH, AMERICAN, *language_names()[1:])


@cache
def missing_phrases(language: str) -> tuple[Problem, ...]:
    """Return a Problem for every file and phrase that English has and a language lacks, a file at a time."""
    if language == ENGLISH:
        return ()
    problems = []
    for path in sorted((LANGUAGES / ENGLISH).iterdir()):
        own = LANGUAGES / language / path.name
        place = f"report/text/{language}/{path.name}"
        if not own.is_file() and path.name not in _OPTIONAL:
            found, expected = "no such file", f"the {path.suffix[1:]} file that the language en has"
            problems.append(Problem(place, None, "", found, expected, "write it, starting from that of en"))
        elif path.suffix == ".toml" and path.name not in _OPTIONAL:
            problems += _missing(place, _read(path), _read(own))
    return tuple(problems)


def _missing(place: str, english: Mapping[str, Any], own: Mapping[str, Any]) -> Iterator[Problem]:
    # Another wording of a phrase, for the notebooks, may be missing: the phrase itself is used.
    lacking = sorted(key for key in _keys(english) - _keys(own) if "@" not in key)
    for key in lacking:
        yield Problem(
            place, None, key, "nothing", "a phrase, as English has one", "write it in this language"
        )


def _keys(words: Mapping[str, Any], above: str = "") -> set[str]:
    """Return the dotted keys of all phrases; of one with variants the phrase itself counts."""
    found: set[str] = set()
    for key, value in words.items():
        nested = isinstance(value, Mapping) and not _is_variant(value)
        found |= _keys(value, f"{above}{key}.") if nested else {f"{above}{key}"}
    return found


def _is_variant(value: Mapping[str, Any]) -> bool:
    return bool(value) and set(value) <= {"higher", "lower", "same", "yes", "no", "any", "true", "false"}


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
