"""What an audit of printed numbers says: one finding, and the form of a rule that makes findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from helpers.published.entries import Entries

Kind = Literal["contradiction", "tension", "note"]


@dataclass(frozen=True)
class Finding:
    """One finding: the ledger ids it rests on and what follows from them."""

    kind: Kind
    rule: str
    ids: tuple[str, ...]
    text: str


Rule = Callable[[Entries], Iterator[Finding]]
