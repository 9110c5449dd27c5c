"""The STROBE checklist of cohort studies, filled: where each item is answered, or that the authors must.

Items: von Elm E, et al. Lancet 2007;370:1453-1457, in words of this project.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from helpers.report.text.sections import SECTIONS, says_absence
from helpers.report.text.wording import Wording, language_file

if TYPE_CHECKING:
    from helpers.report.text.material import Study

Answered = Literal["full", "part", "authors"]


@dataclass(frozen=True)
class Answer:
    """One item of the checklist.

    Attributes:
        number: number of the item, such as ``12a``.
        room: part of the paper that it is about.
        asked: what is asked for.
        answered: whether the generated text answers it in full, in part or not at all.
        where: where it is answered, or who must.
    """

    number: str
    room: str
    asked: str
    answered: Answered
    where: str


@cache
def strobe_items() -> dict[str, dict[str, Any]]:
    """Return the items by number: part of the paper, sections and exhibits that answer it, what they need."""
    text = (files("helpers.report.text") / "strobe.toml").read_text(encoding="utf-8")
    return dict(tomllib.loads(text)["items"])


def checklist(study: Study, wording: Wording, labels: Mapping[str, str]) -> tuple[Answer, ...]:
    """Return the filled checklist; an item whose data the cohort lacks is left to the authors.

    Args:
        study: the cohort's results.
        wording: the language.
        labels: label of each figure and table of the document, by its name.
    """
    words = language_file(wording.language, "strobe.toml")
    asked_of = {name for item in strobe_items().values() for name in item.get("sections", [])}
    told = {name for name in asked_of if not says_absence(SECTIONS[name](study))}
    answers = []
    for number, item in strobe_items().items():
        places = _places(item, study, wording, told, labels)
        answered: Answered = item["answered"] if places else "authors"
        where = words[answered].replace("{places}", wording.grammar("semicolon").join(places))
        asked, room = words["items"][number], words["rooms"][item["room"]]
        answers.append(Answer(number, room, asked, answered, where))
    return tuple(answers)


def _places(
    item: dict[str, Any], study: Study, wording: Wording, told: Set[str], labels: Mapping[str, str]
) -> list[str]:
    """Return the sections and exhibits that answer an item, as far as the cohort has the data for them."""
    needs = item.get("needs", [])
    if needs and not any(study.statistics.select(analysis=name) for name in needs):
        return []
    named = language_file(wording.language, "strobe.toml")["places"]
    answers = (str(named[name]) for name in item.get("sections", []) if name in told)
    shown = (labels[name] for name in item.get("exhibits", []) if name in labels)
    return [*answers, *shown]
