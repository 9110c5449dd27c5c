"""What may be said where some numbers are not shown: what is the same with and without them, and no day.

A sentence that a hidden number would change, or that chooses its words by one, is left out; so nothing hidden
can be read from what is said, and nothing is said that the hidden numbers make wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from helpers.report.text.claims import Claim, Date, every_claim
from helpers.report.text.prose import Fragment, Prose

if TYPE_CHECKING:
    from helpers.report.text.material import Study

Item = TypeVar("Item")
_ENDS = (". ", "。")


def alike_items(made: Callable[[Study], tuple[Item, ...]], study: Study) -> tuple[Item, ...]:
    """Return what is made of a study; of one with hidden numbers those items that are the same with them."""
    if study.whole is None:
        return made(study)
    try:
        shared = made(study)
    except Exception:  # a hidden number is none, for which the code that says it has no words
        return ()
    known = made(study.whole)
    return tuple(item for item in shared if item in known)


def alike_claims(made: Callable[[Study], list[list[Claim]]], study: Study) -> list[list[Claim]]:
    """Return paragraphs of claims; of a study with hidden numbers those that are the same with them."""
    if study.whole is None:
        return made(study)
    known = [claim for claims in made(study.whole) for claim in claims]
    try:
        shared = made(study)
    except Exception:  # as above
        return []
    return [[claim for claim in claims if claim in known and not _names_a_day(claim)] for claims in shared]


def _names_a_day(claim: Claim) -> bool:
    slots = (slot for one in every_claim([claim]) for slot in one.slots.values())
    return any(isinstance(slot, Date) and slot.text.count("-") > 1 for slot in slots)


def alike_prose(made: Callable[[Study], Prose], study: Study) -> Prose:
    """Return prose; of a study with hidden numbers those sentences that are the same with them."""
    if study.whole is None:
        return made(study)
    try:
        shared = _sentences(made(study))
    except Exception:  # as above
        return Prose()
    known = _sentences(made(study.whole))
    return Prose.of(*(sentence for sentence in shared if sentence in known))


def _sentences(prose: Prose) -> list[Prose]:
    """Part prose behind the ends of its sentences."""
    found: list[Prose] = []
    open_: list[Fragment] = []
    for fragment in prose.fragments:
        pieces: list[Fragment] = [*_pieces(fragment)] if isinstance(fragment, str) else [fragment]
        for piece in pieces:
            open_.append(piece)
            if isinstance(piece, str) and piece.endswith(_ENDS):
                found.append(Prose.of(*open_))
                open_ = []
    return [*found, Prose.of(*open_)] if open_ else found


def _pieces(text: str) -> list[str]:
    pieces, start = [], 0
    for i in range(len(text)):
        if text[start : i + 1].endswith(_ENDS):
            pieces.append(text[start : i + 1])
            start = i + 1
    return [*pieces, text[start:]] if text[start:] else pieces
