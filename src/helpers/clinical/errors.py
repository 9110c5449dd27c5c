"""The one error of the clinical room: every problem found, in words a clinician can act on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from helpers.errors import CompendiumError


class ClinicalError(CompendiumError):
    """Clinical input that cannot be used; ``problems`` lists every fault found, one sentence each."""

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class NothingRecordedError(ClinicalError):
    """Nothing that a rule looks at was ever recorded: the rule is not assessable, and nobody's fault."""


@dataclass(frozen=True)
class Fault:
    """One fault of a criteria file: where it stands, what was found, what was expected, how to mend it."""

    file: str
    key: str
    found: str
    expected: str
    remedy: str = ""

    def __str__(self) -> str:
        place = f"criteria file {self.file}" + (f", key {self.key}" if self.key else "")
        told = f"{place}: found {self.found}, expected {self.expected}"
        return f"{told}; {self.remedy}" if self.remedy else told


class CriteriaError(ClinicalError):
    """A criteria file that cannot be used; ``faults`` holds all of its faults."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(map(str, self.faults))


def require_columns(frame: object, table: str, columns: Iterable[str]) -> None:
    """Raise `ClinicalError` naming every column of `columns` that `frame` lacks.

    >>> import pandas
    >>> require_columns(pandas.DataFrame({"day": [0]}), "treatments", ["day", "drug"])
    Traceback (most recent call last):
        ...
    helpers.clinical.errors.ClinicalError: table treatments: column drug not found; found day
    """
    present = set(getattr(frame, "columns", ()))
    missing = [column for column in columns if column not in present]
    if missing:
        raise ClinicalError(
            f"table {table}: column{'s' if len(missing) > 1 else ''} {', '.join(missing)} not found; "
            f"found {', '.join(sorted(map(str, present))) or 'none'}"
        )
