"""What a cohort declares instead of computing: thresholds, dates and the visit plan, found by a key.

A key is a path with dots: ``follow_up.horizon_days``, ``visit.week_1.day``, ``group.control.enrolment.2``.
A part after a list picks the entry with that ``id`` or ``variable``, or by its place counted from 1; ``#`` is
the length of the list. ``significance_level`` is that below which the project calls a p-value significant.
``criteria/NAME:`` before the path looks into a criteria file of the package instead
of the configuration.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from helpers.clinical.criteria_files import find_criteria
from helpers.clinical.errors import ClinicalError
from helpers.errors import CompendiumError
from helpers.results.format import ALPHA

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig

CRITERIA_PREFIX = "criteria/"
SIGNIFICANCE_LEVEL = "significance_level"


class DeclaredKeyError(CompendiumError):
    """A key that leads nowhere in the configuration or the criteria file."""


def declared_value(key: str, config: CohortConfig) -> Any:
    """Return the value that a key leads to.

    Args:
        key: see the module.
        config: the cohort's configuration.

    Raises:
        DeclaredKeyError: there is no such criteria file, section or entry.

    >>> declared_value("follow_up.horizon_days", config)
    56
    """
    if key == SIGNIFICANCE_LEVEL:
        return ALPHA
    where, path = config.model_dump(by_alias=True), key
    if key.startswith(CRITERIA_PREFIX):
        name, _, path = key.removeprefix(CRITERIA_PREFIX).partition(":")
        try:
            where = tomllib.loads(find_criteria(name)[1])
        except ClinicalError as error:
            raise DeclaredKeyError(f"{key}: {error}") from None
    found: Any = where
    for part in path.split("."):
        found = _step(found, part, key)
    return found


def _step(found: Any, part: str, key: str) -> Any:
    if isinstance(found, Mapping) and part in found:
        return found[part]
    if isinstance(found, Sequence) and not isinstance(found, str):
        if part == "#":
            return len(found)
        named = [e for e in found if isinstance(e, Mapping) and part in (e.get("id"), e.get("variable"))]
        if named:
            return named[0]
        if part.isdigit() and 1 <= int(part) <= len(found):
            return found[int(part) - 1]
    raise DeclaredKeyError(f"{key}: nothing is called {part!r} there")
