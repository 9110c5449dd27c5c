"""Sentences that a module of exhibits adds to a section of the text, beside those that the section has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar

from helpers.report.text.claims import Claim, Material

Said: TypeAlias = Callable[[Material], list[Claim]]
Saying = TypeVar("Saying", bound=Said)
_ADDED: dict[str, dict[str, Said]] = {}


def adds_to(section: str) -> Callable[[Saying], Saying]:
    """Register a function whose claims stand as a paragraph of their own at the end of a section.

    Args:
        section: name of the section, as the manuscript's template asks for it: ``results.survival``.

    Example:
        >>> @adds_to("results.nothing")
        ... def nothing_to_say(material):
        ...     return []
        >>> len(added_to("results.nothing"))
        1
    """

    def registered(function: Saying) -> Saying:
        _ADDED.setdefault(section, {})[f"{function.__module__}.{function.__qualname__}"] = function
        return function

    return registered


def added_to(section: str) -> list[Said]:
    """Return what was added to a section, in the order of the modules' names."""
    return [function for _, function in sorted(_ADDED.get(section, {}).items())]
