"""Words in Latin letters that a Chinese text may hold, and those that it may not."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

LIST = Path(__file__).with_name("latin_words.toml")
_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ž]{2,}")


@cache
def allowed() -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """Return the words that stay, and the patterns that are taken out of a text first."""
    kinds = tomllib.loads(LIST.read_text(encoding="utf-8")).values()
    words = frozenset(word for kind in kinds for word in kind.get("words", ()))
    return words, tuple(re.compile(text) for kind in kinds for text in kind.get("patterns", ()))


def left_in(text: str, own: frozenset[str] = frozenset()) -> set[str]:
    """Return the words of a text that are not on the list, nor names of the cohort's own."""
    words, patterns = allowed()
    for pattern in patterns:
        text = pattern.sub(" ", text)
    return {word for word in _WORD.findall(text) if word not in words and word not in own}
