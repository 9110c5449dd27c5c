"""Faults found in a cohort folder, told so that a clinician can mend them.

>>> first = Problem("patients.csv", 3, "age", "'old'", "a number", "write years")
>>> second = Problem("patients.csv", 4, "age", "'old'", "a number", "write years")
>>> fold_by_cause([first, second])[0].more_rows, len(errors([first, second]))
((), 2)
>>> render([first])
"patients.csv:3 age: found 'old', expected a number; write years"
>>> closest("feritin", ["ferritin", "ast"]), suggestion("feritin", ["ferritin", "ast"])
('ferritin', "did you mean 'ferritin'?")
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

from helpers.errors import CompendiumError

Severity = Literal["error", "warning"]

_ROWS_NAMED = 8
_LONGEST_FOUND = 500  # signs; a cell may hold a whole document
# So many faults of one cause are shown one by one.
_SHOWN_ALIKE = 3


@dataclass(frozen=True)
class Problem:
    """One fault: where it is, what was found, what was expected and how to mend it.

    `row` is the line in the file (the header is line 1); None if the fault belongs to the whole file.
    `more_rows` lists further lines of the same file with the very same fault.
    An error stops the analysis; a warning is reported and the row handled as the remedy says.
    """

    file: str
    row: int | None
    column: str
    found: str
    expected: str
    remedy: str
    severity: Severity = "error"
    more_rows: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("column", "found", "remedy"):
            text = getattr(self, name)
            if len(text) > _LONGEST_FOUND:
                short = f"{text[:_LONGEST_FOUND]}... ({len(text)} characters)"
                object.__setattr__(self, name, short)

    def __str__(self) -> str:
        place = self.file if self.row is None else f"{self.file}:{self.row}"
        if self.column:
            place = f"{place} {self.column}"
        kind = "warning: " if self.severity == "warning" else ""
        return f"{place}: {kind}found {self.found}, expected {self.expected}; {self.remedy}{self._others()}"

    def _others(self) -> str:
        if not self.more_rows:
            return ""
        named = ", ".join(str(row) for row in self.more_rows[:_ROWS_NAMED])
        rest = len(self.more_rows) - _ROWS_NAMED
        tail = f" and {rest} more" if rest > 0 else ""
        noun = "line" if len(self.more_rows) == 1 else "lines"
        return f" (the same in {noun} {named}{tail})"


def fields_of(count: int) -> str:
    """Return a number of fields in words.

    >>> fields_of(1), fields_of(3)
    ('1 field', '3 fields')
    """
    return f"{count} field" if count == 1 else f"{count} fields"


class CohortError(CompendiumError):
    """A cohort folder that cannot be analysed; `problems` says why, all faults at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__(render(self.problems))


def render(problems: Iterable[Problem]) -> str:
    """Return the problems as plain text, folded by cause, one line each."""
    return "\n".join(str(problem) for problem in fold_by_cause(problems))


def fold_by_cause(problems: Iterable[Problem]) -> list[Problem]:
    """Return one problem for each cause, worst first: errors before warnings, then the most rows.

    Faults of one column of a file that break the same expectation have one cause, whatever was found in each
    row. Few of a cause stay as they are; of many the first is shown, with the number and lines of the rest.
    """
    causes: dict[tuple[str, ...], list[Problem]] = {}
    for problem in problems:
        key = (problem.severity, problem.file, problem.column, problem.expected)
        causes.setdefault(key, []).append(problem)
    folded: list[tuple[bool, int, Problem]] = []
    for alike in causes.values():
        rows = sum(1 + len(problem.more_rows) for problem in alike)
        shown = alike if len(alike) <= _SHOWN_ALIKE else [_one_for_all(alike, rows)]
        folded += [(problem.severity == "warning", -rows, problem) for problem in shown]
    return [problem for *_, problem in sorted(folded, key=lambda entry: entry[:2])]


def _one_for_all(alike: Sequence[Problem], rows: int) -> Problem:
    first = alike[0]
    lines = [line for p in alike for line in ((p.row,) if p.row is not None else ()) + p.more_rows]
    others = tuple(sorted({line for line in lines if line is not None and line != first.row}))
    found = f"{first.found} and {rows - 1} more of this kind"
    return replace(first, found=found, more_rows=others)


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems that stop the analysis."""
    return [problem for problem in problems if problem.severity == "error"]


def gather(problems: Iterable[Problem]) -> list[Problem]:
    """Merge faults that differ only in their line into one Problem naming all lines; sort by place.

    Whole-file faults come first, then by file and line. No line is lost: each is `row` or in `more_rows`.

    >>> first = Problem("patients.csv", 3, "age", "'old'", "a number", "write years")
    >>> second = Problem("patients.csv", 4, "age", "'old'", "a number", "write years")
    >>> [(one.row, one.more_rows) for one in gather([first, second])]
    [(3, (4,))]
    """
    lines: dict[Problem, list[int]] = {}
    for problem in problems:
        key = replace(problem, row=None, more_rows=())
        rows = lines.setdefault(key, [])
        if problem.row is not None:
            rows.append(problem.row)
        rows.extend(problem.more_rows)
    merged = []
    for key, rows in lines.items():
        ordered = sorted(set(rows))
        merged.append(replace(key, row=ordered[0], more_rows=tuple(ordered[1:])) if ordered else key)
    return sorted(merged, key=lambda p: (p.file, p.row is not None, p.row or 0, p.column, p.found))


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate spelled most like `name` (case ignored), or None if none is near."""
    by_key = {candidate.casefold(): candidate for candidate in candidates}
    match = get_close_matches(name.casefold(), by_key, n=1, cutoff=0.6)
    return by_key[match[0]] if match else None


def suggestion(name: str, candidates: Iterable[str]) -> str:
    """Return a remedy naming the closest candidate, or an empty string if none is near."""
    match = closest(name, candidates)
    return f"did you mean {match!r}?" if match is not None else ""
