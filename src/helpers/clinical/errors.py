"""The one error of the clinical room: every problem found, in words a clinician can act on."""

from __future__ import annotations

from collections.abc import Iterable

from helpers.errors import CompendiumError


class ClinicalError(CompendiumError):
    """Clinical input that cannot be used; ``problems`` lists every fault found, one sentence each."""

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


def require_columns(frame: object, table: str, columns: Iterable[str]) -> None:
    """Raise `ClinicalError` naming every column of `columns` that `frame` lacks."""
    present = set(getattr(frame, "columns", ()))
    missing = [column for column in columns if column not in present]
    if missing:
        raise ClinicalError(
            f"table {table}: column{'s' if len(missing) > 1 else ''} {', '.join(missing)} not found; "
            f"found {', '.join(sorted(map(str, present))) or 'none'}"
        )
