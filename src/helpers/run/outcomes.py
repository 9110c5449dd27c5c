"""What became of a run."""

from dataclasses import dataclass, field
from typing import Literal

from helpers.errors import CompendiumError

Status = Literal["executed", "text updated", "unchanged", "failed", "blocked"]


class RunError(CompendiumError):
    """The run cannot start; the message says why."""


@dataclass(frozen=True)
class Outcome:
    """What became of one step of one cohort; ``blocked`` means that a step before it failed.

    ``text updated``: of a notebook only Markdown or comments had been edited, so it was not executed.

    ``kept`` is where a failed notebook is, as far as it came.
    """

    cohort: str
    step: str
    status: Status
    message: str = ""
    kept: str = ""

    @property
    def done(self) -> bool:
        """Whether the step's results are up to date."""
        return self.status in {"executed", "text updated", "unchanged"}


@dataclass
class RunReport:
    """What became of a run.

    Attributes:
        outcomes: one per step and cohort.
        refused: problem list, by name, of each cohort that did not pass the check.
        stale: by cohort, steps whose earlier results are still there but older than what they are made from.
        interrupted: whether it was stopped by hand.

    >>> report = RunReport([Outcome("rdmas", "04_survival", "failed", "no memory")])
    >>> report.ok, [one.step for one in report.of("failed")]
    (False, ['04_survival'])
    """

    outcomes: list[Outcome] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    stale: dict[str, list[str]] = field(default_factory=dict)
    interrupted: bool = False

    def of(self, status: Status) -> list[Outcome]:
        """Outcomes of one kind."""
        return [outcome for outcome in self.outcomes if outcome.status == status]

    @property
    def ok(self) -> bool:
        """Whether all that was asked was done."""
        return all(outcome.done for outcome in self.outcomes) and not self.refused and not self.interrupted
