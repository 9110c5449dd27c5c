"""American spelling of the English words, which are written in British spelling."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from helpers.cohort.installed import ENGLISH

# Slots and citation keys are names, not words.
_WORDS = re.compile(r"\{[^}]*\}|\[@[^\]]*\]|[A-Za-z]+")


def american(text: str) -> str:
    """Return a text in American spelling; slots such as ``{centre}`` and citation keys stay.

    Example:
        >>> american("Haemoglobin was standardised by {centre}.")
        'Hemoglobin was standardized by {centre}.'
    """
    known = _american_words()

    def spelled(found: re.Match[str]) -> str:
        word = found[0]
        other = known.get(word.lower())
        if other is None:
            return word
        return other.capitalize() if word[0].isupper() else other

    return _WORDS.sub(spelled, text)


def american_words(words: Mapping[str, Any]) -> dict[str, Any]:
    """Return the texts of a language's file in American spelling, whatever their nesting; keys stay.

    >>> american_words({"a": {"b": "standardised"}})
    {'a': {'b': 'standardized'}}
    """
    return {key: _american(value) for key, value in words.items()}


def _american(value: Any) -> Any:
    if isinstance(value, str):
        return american(value)
    if isinstance(value, Mapping):
        return american_words(value)
    return [_american(one) for one in value] if isinstance(value, list) else value


@cache
def _american_words() -> dict[str, str]:
    text = (files("helpers.report.text") / ENGLISH / "spelling.toml").read_text(encoding="utf-8")
    words: dict[str, str] = tomllib.loads(text)["american"]
    return words
