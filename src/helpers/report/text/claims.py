"""Claims: what the statistics say, as data, before any language puts it into words.

A claim names its template, what fills it, and, where it compares, the direction and whether the test bears it
out, together with the rows that decide both. A template of each language exists for every claim.

>>> row = store.add("survival", "death", "test", value=6.4, p_value=0.0114)
>>> (
...     plain_row(row).digits,
...     is_significant(row, 0.05),
...     direction_of(0.5, 1.0),
...     declared_alpha(0.05).text,
... )
(1, True, 'lower', '0.05')
>>> claim = Claim("survival.test", {"test": Items((Claim("inner"),))})
>>> (
...     [inner.key for inner in inner_claims(claim.slots["test"])],
...     [one.key for one in every_claim([claim])],
... )
(['inner'], ['survival.test', 'inner'])
>>> (
...     arm_term(config.groups[0]).text,
...     material.arm(config.groups[0]).form,
...     material.visit("week_8").text,
... )
('Ruxolitinib', 'arm', 'Week 8')
>>> material.significant(row), list(claim.rows())
(True, [])
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from helpers.report.text.prose import Cite, Declared
from helpers.results.format import ALPHA

if TYPE_CHECKING:
    from helpers.cohort.settings import CohortConfig, Group
    from helpers.results.store import Statistic, Statistics

Direction = Literal["", "higher", "lower", "same"]


@dataclass(frozen=True)
class Row:
    """A stored row whose parts a template can show: ``{survival.value}``, ``{survival.ci}``."""

    row: Statistic
    digits: int | None = None


def plain_row(row: Statistic) -> Row:
    """Return a slot that shows a recorded number with the decimals that it has."""
    return Row(row, len(f"{row.value:.6g}".partition(".")[2]) if row.value == row.value else 0)


@dataclass(frozen=True)
class Term:
    """A word of the configuration, the dictionary or the criteria, which a language may translate.

    Attributes:
        text: the word as declared.
        key: where it is declared; a word that holds a number is traced by it.
        form: ``plain`` as it stands, by its parts between commas where the whole is not known; ``whole``
            never by parts; ``in_text`` without unit, small first letter where the language has one;
            ``arm`` the name of a group with the word for group.
    """

    text: str
    key: str
    form: Literal["plain", "whole", "in_text", "arm"] = "plain"


@dataclass(frozen=True)
class Date:
    """A day (2024-12-31) or a month (2024-12) of the configuration, which each language writes out.

    Attributes:
        text: the date as declared.
        key: where it is declared.
    """

    text: str
    key: str


@dataclass(frozen=True)
class Items:
    """Several claims in one: ``a, b and c``; by semicolons; as sentences; as paragraphs."""

    claims: tuple[Claim, ...]
    join: Literal["list", "commas", "semicolons", "sentences"] = "list"


Slot: TypeAlias = "Row | Term | Date | Declared | Cite | Items | Claim | str"


@dataclass(frozen=True)
class Claim:
    """One thing that the statistics or the settings say.

    Attributes:
        key: name of its template in every language.
        slots: what fills the template.
        direction: of the first compared row against the second; empty where nothing is compared.
        significant: whether the tested row's p-value lies below the significance level; None: not tested.
        compared: identifiers of the two rows whose values decide the direction; of one row: its value
            against ``reference``.
        tested: identifier of the row whose p-value decides the significance.
        reference: what a single compared value is held against (1 for a ratio, 0 for a difference).
    """

    key: str
    slots: Mapping[str, Slot] = field(default_factory=dict)
    direction: Direction = ""
    significant: bool | None = None
    compared: tuple[str, ...] = ()
    tested: str = ""
    reference: float = 0.0

    @property
    def variant(self) -> tuple[str, ...]:
        """Names of the branches of the template to take, one a level."""
        branches: list[str] = [self.direction] if self.direction else []
        if self.significant is not None:
            branches.append("significant" if self.significant else "not_significant")
        return tuple(branches)

    def rows(self) -> Iterator[Statistic]:
        """Yield the stored rows that fill the claim, those of inner claims included."""
        for slot in self.slots.values():
            if isinstance(slot, Row):
                yield slot.row
            for inner in inner_claims(slot):
                yield from inner.rows()


def inner_claims(slot: Slot) -> tuple[Claim, ...]:
    """Return the claims inside a slot."""
    return slot.claims if isinstance(slot, Items) else (slot,) if isinstance(slot, Claim) else ()


def every_claim(claims: list[Claim]) -> Iterator[Claim]:
    """Yield claims and the claims inside them."""
    for claim in claims:
        yield claim
        for slot in claim.slots.values():
            yield from every_claim(list(inner_claims(slot)))


def direction_of(value: float, reference: float) -> Direction:
    """Return how a value lies to a reference; empty where one of them could not be estimated."""
    if value != value or reference != reference:
        return ""
    return "higher" if value > reference else "lower" if value < reference else "same"


def arm_term(group: Group) -> Term:
    """Return the name of a group with the word for group."""
    return Term(group.label, f"group.{group.id}.label", "arm")


def declared_alpha(alpha: float) -> Declared:
    """Return the significance level for a sentence."""
    return Declared(f"{alpha:g}", "significance_level")


def is_significant(row: Statistic, alpha: float) -> bool | None:
    """Tell whether a row's p-value lies below the significance level; None where it has none."""
    return None if row.p_value != row.p_value else row.p_value < alpha


@dataclass(frozen=True)
class Material:
    """What text is made from: statistics, settings and the run's parameters.

    Attributes:
        statistics: all rows of the cohort that have been written.
        config: the cohort's configuration.
        horizon_days: last day of the analysis, as really used.
        confidence: level of the intervals, as really used.
        parameters: the other parameters of the run, such as ``seed``.
        alpha: significance level of the wording.
    """

    statistics: Statistics
    config: CohortConfig
    horizon_days: float
    confidence: float = 0.95
    parameters: Mapping[str, object] = field(default_factory=dict)
    alpha: float = ALPHA

    @property
    def day(self) -> str:
        """Timepoint of the horizon in identifiers."""
        return f"day_{self.horizon_days:g}"

    @property
    def horizon(self) -> Declared:
        """The horizon for a sentence."""
        given = self.parameters.get("horizon_days")
        key = "follow_up.horizon_days" if given is None else "parameters.horizon_days"
        return Declared(f"{self.horizon_days:g}", key)

    @property
    def level(self) -> Declared:
        """The confidence level for a sentence: ``95%``."""
        return Declared(f"{100 * self.confidence:g}%", "parameters.confidence")

    def arm(self, group: Group) -> Term:
        """Name of a group with the word for group."""
        return arm_term(group)

    def visit(self, visit_id: str) -> Term:
        """Name of a visit for the middle of a sentence."""
        return Term(self.config.visit(visit_id).label, f"visit.{visit_id}.label", "in_text")

    def significant(self, row: Statistic) -> bool | None:
        """Tell whether a row's p-value lies below the significance level; None where it has none."""
        return is_significant(row, self.alpha)
