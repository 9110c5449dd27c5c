"""Words of tables and figures in another language: whole phrases, patterns, and what is made of them.

A language has them in `phrases.toml`: ``[phrases]`` as they stand, ``[patterns]`` whose ``{1}`` is a part
that is translated in its turn, ``[theme]`` for what stands between numbers. Beside it stand
`evidence.toml` for criteria, rules and checks, `publication.toml` for what a paper prints, and
`statistics.toml` for methods and notes of statistics; their patterns come first. Whatever it does not have
stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from helpers.cohort.installed import ENGLISH
from helpers.report.text.wording import language_file

if TYPE_CHECKING:
    from helpers.report.text.wording import Wording

PHRASE_FILES = ("evidence.toml", "publication.toml", "statistics.toml", "phrases.toml")
_LETTERS = re.compile(r"[A-Za-z]")
_SLOT = re.compile(r"\{(\d+)\}")
# Names and units, which are the same in every language.
_NAME = re.compile(r"(?:(?![a-z]{3})[A-Za-z0-9.+⁰-⁹°%-])+|[^\s()]+/[^\s()]+")
_SENTENCES = re.compile(r"(?<=[.;]) +")
_ENDS = {".": "。", ";": "；"}
_SIGNS = {"; ": "；", ": ": "：", ", ": "，"}


def exhibit_text(text: str, wording: Wording) -> str:
    """Return a text of a table or figure in a language: what the language does not have stays as it is.

    Args:
        text: words without numbers of statistics, of one cell, note, label or legend.
        wording: the language with the cohort's own words.

    Example:
        >>> from helpers.report.text.wording import Wording
        >>> exhibit_text("Survival at day 56, Kaplan-Meier (95% CI)", Wording("zh"))
        '第56天生存率，Kaplan-Meier法（95% CI）'
    """
    if wording.language == ENGLISH or not text:
        return wording.spelled(text)
    if not _LETTERS.search(text):
        return _SIGNS.get(text, text)
    found = _translated(text.replace("\N{NO-BREAK SPACE}", " ").strip(), wording)
    return text if found is None else found


def theme_words(wording: Wording) -> Mapping[str, Any]:
    """Return the words between numbers in a language, as fields of a theme; none in English.

    >>> from helpers.report.text.wording import Wording
    >>> theme_words(Wording()), theme_words(Wording("zh"))["median"]
    ({}, '中位数')
    """
    if wording.language == ENGLISH:
        return {}
    found: Mapping[str, Any] = _file(wording.language).get("theme", {})
    return found


@cache
def _file(language: str) -> Mapping[str, Any]:
    """Return the language's phrases, of all their files; none where it was added without any."""
    found: dict[str, dict[str, Any]] = {}
    for name in PHRASE_FILES:
        with suppress(FileNotFoundError):
            for part, words in language_file(language, name).items():
                found[part] = found.get(part, {}) | words
    return found


def _translated(text: str, wording: Wording) -> str | None:
    """Return the text in the language, None where it has no words for any of it."""
    phrases = _phrases(wording.language)
    for variant in (text, text[:1].upper() + text[1:], text[:1].lower() + text[1:]):
        if variant in phrases:
            return phrases[variant]
        term = wording.term(variant)
        if term != variant:
            return term
    for pattern, template in _patterns(wording.language):
        match = pattern.fullmatch(text)
        if match:
            parts = [_part(part or "", wording) for part in match.groups()]
            return _SLOT.sub(lambda slot, parts=parts: parts[int(slot[1]) - 1], template)  # type: ignore[misc]
    return _pieces(text, wording)


def _part(text: str, wording: Wording) -> str:
    if not _LETTERS.search(text):
        return text
    found = _translated(text.strip(), wording)
    return text if found is None else found


def _pieces(text: str, wording: Wording) -> str | None:
    """Return sentences one by one, then what commas and "and" part; None unless a piece is known."""
    sentences = _SENTENCES.split(text)
    if len(sentences) > 1:
        parts = [_sentence(one, wording) for one in sentences]
        if any(new != old for new, old in zip(parts, sentences, strict=True)):
            return "".join(parts)
    if text[-1:] in _ENDS:
        body = _translated(text[:-1], wording)
        return None if body is None else body + _ENDS[text[-1]]
    for cut, joint in ((": ", "："), (", ", "，"), (" and ", "和")):
        parts = text.split(cut)
        if len(parts) == 1:
            continue
        known = [_known(one, wording) for one in parts]
        if all(one is not None for one in known):  # no half of a phrase
            return joint.join(one for one in known if one is not None)
    return None


def _known(text: str, wording: Wording) -> str | None:
    if not _LETTERS.search(text):
        return text
    found = _translated(text.strip(), wording)
    return text if found is None and _NAME.fullmatch(text.strip()) else found


def _sentence(text: str, wording: Wording) -> str:
    found = _part(text, wording)
    return found[:-1] + _ENDS[found[-1]] if found == text and found[-1:] in _ENDS else found


@cache
def _phrases(language: str) -> Mapping[str, str]:
    return dict(_file(language).get("phrases", {}))


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    declared = _file(language).get("patterns", {})
    return [(re.compile(pattern), template) for pattern, template in declared.items()]
