"""Keys of statistics, and what an analysis says of its rows."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import ClassVar

from helpers.errors import CompendiumError


class CatalogueError(CompendiumError):
    """A kind of statistic that the catalogue does not have."""


@dataclass(frozen=True)
class Key:
    """A kind of statistic: its analysis, and what is computed there.

    >>> deaths = Key("survival", "deaths")
    >>> deaths.at("survival.death.treated.day_56")
    'survival.death.treated.day_56.deaths'
    >>> deaths.beside("survival.death.treated.day_56.alive")
    'survival.death.treated.day_56.deaths'
    """

    analysis: str
    statistic: str

    def id(self, variable: str, *, group: str = "all", timepoint: str = "follow_up") -> str:
        """Return the identifier of its row for a variable, group and time.

        Example:
            >>> Key("survival", "deaths").id("death", group="treated", timepoint="day_56")
            'survival.death.treated.day_56.deaths'
        """
        return ".".join((self.analysis, variable, group, timepoint, self.statistic))

    def at(self, stem: str) -> str:
        """Return the identifier of its row under a stem, which `Analysis.stem` gives."""
        return f"{stem}.{self.statistic}"

    def beside(self, identifier: str) -> str:
        """Return the identifier of its row for the variable, group and time of another row."""
        return self.at(identifier.rpartition(".")[0])


class Analysis:
    """One analysis.

    Attributes:
        name: first part of its identifiers.
        title, title_zh: what it is called.
        absent: key of the sentence for a cohort that has no row of it; empty where every cohort has some.
        by_variable: whether a variable without rows was not measured.
        patterns: kinds beside those listed, which depend on the data: ``grade_*``.

    >>> from helpers.results.catalogue import SurvivalRows
    >>> SurvivalRows.named("deaths"), "deaths" in SurvivalRows.kinds()
    (Key(analysis='survival', statistic='deaths'), True)
    >>> SurvivalRows.stem("death", group="treated", timepoint="day_56")
    'survival.death.treated.day_56'
    >>> SurvivalRows.named("wounds")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    helpers.results.key.CatalogueError: survival has no statistic wounds: known are alive, a...
    """

    name: ClassVar[str]
    title: ClassVar[str]
    title_zh: ClassVar[str]
    absent: ClassVar[str]
    by_variable: ClassVar[bool]
    patterns: ClassVar[tuple[str, ...]]

    def __init_subclass__(
        cls, *, name: str, title: str, title_zh: str, absent: str = "", by_variable: bool = False,
        patterns: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        cls.name, cls.title, cls.title_zh = name, title, title_zh
        cls.absent, cls.by_variable, cls.patterns = absent, by_variable, patterns
        for kind in cls.__annotations__:
            setattr(cls, kind, Key(name, kind))

    @classmethod
    def kinds(cls) -> tuple[str, ...]:
        """Return the names of the kinds that are listed."""
        return tuple(cls.__annotations__)

    @classmethod
    def named(cls, statistic: str) -> Key:
        """Return the key of a kind whose name depends on the data or on a choice.

        Raises:
            CatalogueError: the analysis has no such kind.
        """
        listed = statistic in cls.__annotations__
        if not listed and not any(fnmatch.fnmatchcase(statistic, pattern) for pattern in cls.patterns):
            raise CatalogueError(
                f"{cls.name} has no statistic {statistic}: known are {', '.join(cls.kinds())}"
            )
        return Key(cls.name, statistic)

    @classmethod
    def stem(cls, variable: str, *, group: str = "all", timepoint: str = "follow_up") -> str:
        """Return what the identifiers of one variable, group and time begin with, without the last dot."""
        return ".".join((cls.name, variable, group, timepoint))
