"""What a verdict on a comparison rests on: stored rows, and lines that stand or fall with one of them.

>>> from helpers.results.catalogue import EffectRows
>>> found = Evidence(statistics, "day_56").find(EffectRows.cox_firth)
>>> known(found), interval_excludes(found, 1.0)
(True, True)
>>> [
...     line.kind
...     for line in estimated(
...         Evidence(statistics, "day_56"), "Is it real?", EffectRows.cox_firth, 1.0, reason
...     )
... ]
['stands']
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from helpers.report.tables.cells import Cell, sentence, verbatim
from helpers.results.store import slug

if TYPE_CHECKING:
    from helpers.results.catalogue import Key
    from helpers.results.store import Statistic, Statistics

Kind = Literal["stands", "fragile", "unknown"]


@dataclass(frozen=True)
class Line:
    """One line of the verdict: its kind, the question, the finding, and the stored row that it rests on."""

    kind: Kind
    question: str
    finding: Cell
    row: Statistic


@dataclass(frozen=True)
class Evidence:
    """The stored rows of the comparison at its horizon, with the labels of characteristics by name."""

    statistics: Statistics
    timepoint: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def label(self, variable: str) -> str:
        """What a characteristic of a row is called, without its unit."""
        label = {slug(name): label for name, label in self.labels.items()}.get(variable)
        return sentence(variable.replace("_", " ")) if label is None else label.rpartition(", ")[0] or label

    def find(self, key: Key, variable: str = "death") -> Statistic | None:
        """A row of the comparison, or None where the notebook did not store it."""
        return self.statistics.find(key, variable, group="both", timepoint=self.timepoint)


def known(row: Statistic | None) -> bool:
    """Whether a row has a value."""
    return row is not None and row.value == row.value


def reason(row: Statistic) -> Cell:
    """Why a row has none, as a sentence."""
    note = row.note.removeprefix("not estimated: ")
    return verbatim(f"Not estimated: {note}." if note else "Not estimated.")


def interval_excludes(row: Statistic, none: float) -> bool:
    """Whether the interval of a row excludes no effect."""
    return row.upper < none or row.lower > none


def estimated(
    evidence: Evidence,
    question: str,
    key: Key,
    none: float,
    say: Callable[[Statistic], Cell],
    *,
    variable: str = "death",
    otherwise: Kind = "fragile",
) -> Iterator[Line]:
    """A line that stands where the interval excludes no effect, and is of the kind `otherwise` where not."""
    found = evidence.find(key, variable)
    if found is None:
        return
    if not known(found):
        yield Line("unknown", question, reason(found), found)
        return
    kind: Kind = "stands" if interval_excludes(found, none) else otherwise
    yield Line(kind, question, say(found), found)
