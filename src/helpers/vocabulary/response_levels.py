"""Levels of response that are known by name, best first: label, and whether they count as response."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from helpers.vocabulary.names import fold

_FILE = Path(__file__).with_name("response_levels.csv")
DEFAULT_LEVELS = ("CR", "PR", "NR")


@dataclass(frozen=True)
class ResponseLevel:
    """One level of response.

    Attributes:
        id: what stands in the data and in tables.
        label, label_zh: the level in words.
        responds: whether a patient with this level has responded.
        spellings: further spellings in the data.
    """

    id: str
    label: str
    label_zh: str
    responds: bool
    spellings: tuple[str, ...] = ()


@cache
def known_levels() -> Mapping[str, ResponseLevel]:
    """Return the levels known by name, in order from best to worst.

    Example:
        >>> known_levels()["SD"].responds
        False
    """
    rows = csv.DictReader(io.StringIO(_FILE.read_text(encoding="utf-8")))
    return {
        row["level"]: ResponseLevel(
            row["level"],
            row["label"],
            row["label_zh"],
            row["responds"] == "yes",
            tuple(row["aliases"].split("|")),
        )
        for row in rows
    }


def known_level(written: str) -> ResponseLevel | None:
    """Return the level that a text names, by id or spelling; None for one of a study's own.

    Example:
        >>> known_level("stable disease").id
        'SD'
    """
    for level in known_levels().values():
        if fold(written) in {
            fold(text) for text in (level.id, level.label, level.label_zh, *level.spellings)
        }:
            return level
    return None
