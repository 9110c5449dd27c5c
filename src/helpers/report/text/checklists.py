"""Reporting checklists, filled: where each item is answered, or that the authors must.

Items in words of this project. STROBE for cohort studies: von Elm E, et al. Lancet 2007;370:1453-1457.
RECORD, its extension for routinely collected data: Benchimol EI, et al. PLoS Med 2015;12:e1001885.

>>> checklist("strobe", study, Wording.of("en", config), {})[0].number
'1a'
>>> sorted(checklist_items("strobe"))[0], len(checklist_words(Wording())) > 0
('10', True)
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from helpers.report.text.sections import SECTIONS, says_absence
from helpers.report.text.wording import Wording

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
def checklist_items(name: str) -> dict[str, dict[str, Any]]:
    """Return the items of a checklist by number: part of the paper, what answers it, and what that needs."""
    text = (files("helpers.report.text") / "checklists.toml").read_text(encoding="utf-8")
    return dict(tomllib.loads(text)[name])


def checklist_words(wording: Wording) -> Any:
    """Return the words of the checklists in a language: titles, heads, rooms, items, places."""
    return wording.words("checklists.toml")


def checklist(name: str, study: Study, wording: Wording, labels: Mapping[str, str]) -> tuple[Answer, ...]:
    """Return a filled checklist; an item whose data the cohort lacks is left to the authors.

    Args:
        name: ``strobe`` or ``record``.
        study: the cohort's results.
        wording: the language.
        labels: label of each figure and table of the document, by its name.
    """
    words, items = checklist_words(wording), checklist_items(name)
    asked_of = {section for item in items.values() for section in item.get("sections", [])}
    told = {section for section in asked_of if not says_absence(SECTIONS[section](study))}
    answers = []
    for number, item in items.items():
        places = _places(item, study, wording, told, labels)
        answered: Answered = item["answered"] if places else "authors"
        where = words[answered].replace("{places}", wording.grammar("semicolon").join(places))
        asked, room = words[name][number], words["rooms"][item["room"]]
        answers.append(Answer(number, room, asked, answered, where))
    return tuple(answers)


def _places(
    item: dict[str, Any], study: Study, wording: Wording, told: Set[str], labels: Mapping[str, str]
) -> list[str]:
    """Return the sections and exhibits that answer an item, as far as the cohort has the data for them."""
    needs = item.get("needs", [])
    if needs and not any(study.statistics.select(analysis=name) for name in needs):
        return []
    named = checklist_words(wording)["places"]
    answers = (str(named[name]) for name in item.get("sections", []) if name in told)
    shown = (labels[name] for name in item.get("exhibits", []) if name in labels)
    return [*answers, *shown]
