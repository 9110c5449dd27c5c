"""A cohort's own ids, dates and rows, to be searched for in a folder that is to be shared."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_DISTINCT = re.compile(r"(?=.*\d)(?=.*[^\W\d_]).{3,}|\d{5,}")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_TELLING = 4  # values of one patient in one row that tell it
_DIGITS = 3


@dataclass(frozen=True)
class OwnData:
    """What of a cohort must not be found elsewhere.

    Attributes:
        ids: ids of patients.
        dates: dates in any table, as written.
        rows: of each patient the values that tell it from most others.
    """

    ids: frozenset[str]
    dates: frozenset[str]
    rows: tuple[frozenset[str], ...]

    @classmethod
    def of(cls, folder: Path) -> OwnData:
        """Read a cohort's raw tables.

        Args:
            folder: the cohort's folder, with its cohort.toml.
        """
        from helpers.cohort.config import load_config
        from helpers.cohort.files import Records, read_records
        from helpers.cohort.reading import table_files

        files, _ = table_files(folder, load_config(folder))
        ids: set[str] = set()
        dates: set[str] = set()
        values: dict[str, set[str]] = {}
        for name, path in files.items():
            records = read_records(path, name)
            if not isinstance(records, Records) or not len(records.cells):
                continue
            place = _id_column(records.header)
            for row in records.cells.itertuples(index=False):
                cells = [str(cell) for cell in row]
                dates |= {cell for cell in cells if _DATE.fullmatch(cell[:10])}
                if place is not None:
                    ids.add(cells[place])
                    values.setdefault(cells[place], set()).update(cells[:place] + cells[place + 1 :])
        ids.discard("")
        common = Counter(value for own in values.values() for value in own)
        rows = tuple(
            frozenset(value for value in own if common[value] <= 2 and _tells(value))
            for own in values.values()
        )
        return cls(frozenset(ids), frozenset(dates), rows)

    def found_in(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield kind and words of ids and dates of the cohort in a text."""
        for word in set(re.findall(r"[\w-]+", text)):
            if word in self.ids and _DISTINCT.fullmatch(word):
                yield "the id of a patient", word
            elif word in self.dates:
                yield "a date", word

    def is_row(self, cells: Sequence[str]) -> bool:
        """Tell whether cells are a patient's: several values that only this one has."""
        held = {cell.strip() for cell in cells}
        return any(len(held & own) >= _TELLING for own in self.rows)


def _id_column(header: Sequence[str]) -> int | None:
    from helpers.vocabulary.reading import shipped_vocabulary

    known = {"patient_id", *shipped_vocabulary().variables["patient_id"].aliases}
    folded = [title.strip().lower() for title in header]
    return next((n for n, title in enumerate(folded) if title in {word.lower() for word in known}), None)


def _tells(value: str) -> bool:
    return len(re.sub(r"\D", "", value)) >= _DIGITS
