"""Who is who: patients by every name that files give them, and the ids of the study in their place.

>>> known = Identities(replaced=True)
>>> known.study_id("00734112"), known.study_id("00734113"), known.study_id("00734112")
('P001', 'P002', 'P001')
>>> key_text({"00734112": "P01"}).splitlines()[-1], read_key(Path("no such key.csv"))
('P01,00734112', {})
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from helpers.intake.grids import Block
from helpers.intake.mapping import Column, TableMap


class Identities:
    """Patients by id, by other names of theirs, and by sheet.

    Args:
        replaced: whether patients get ids of the study.
        key: ids given before, by what the files call the patient.
    """

    def __init__(self, *, replaced: bool, key: dict[str, str] | None = None) -> None:
        self.replaced = replaced
        self.key = dict(key or {})
        self._links: dict[str, str] = {}
        self.ambiguous: set[str] = set()
        self._of_sheet: dict[tuple[str, str], str] = {}
        self.names: set[str] = set()

    def link(self, pairs: Sequence[tuple[Block, TableMap]]) -> None:
        """Learn from tables that name a patient in several ways, and note what must never be passed on."""
        for block, table in pairs:
            columns = _columns(block, table)
            ids = [n for n, column in enumerate(columns) if column and column.means == "id"]
            links = [n for n, column in enumerate(columns) if column and column.means == "link"]
            private = [
                n for n, column in enumerate(columns) if column and column.means in ("personal", "link")
            ]
            if self.replaced:
                private += ids
            for row in block.rows:
                self.names |= {row[n] for n in private if len(row[n]) > 1 and not _is_short_number(row[n])}
                if ids and row[ids[0]]:
                    for n in links:
                        if row[n] and self._links.setdefault(row[n], row[ids[0]]) != row[ids[0]]:
                            self.ambiguous.add(row[n])
            if ids and block.turn == "pairs" and block.rows and block.rows[0][ids[0]]:
                self._of_sheet.setdefault((block.grid.file, block.grid.sheet), block.rows[0][ids[0]])

    def named_in(
        self, block: Block, table: TableMap, columns: Sequence[Column | None], cells: Sequence[str]
    ) -> str:
        """Return what the files call the patient of a row; empty if nothing does."""
        place = (block.grid.file, block.grid.sheet)
        if table.id_from == "sheet":
            return self._links.get(block.grid.sheet, block.grid.sheet)
        if table.id_from == "beside":
            return self._of_sheet.get(place, "")
        for wanted in ("id", "link"):
            for n, column in enumerate(columns):
                if column is not None and wanted in (column.means, column.also) and cells[n]:
                    told = cells[n].removesuffix(".0")
                    return self._links.get(told, told)
        return ""

    def study_id(self, told: str) -> str:
        """Return the id that results know a patient by; a new patient gets the next one."""
        if not self.replaced:
            return told
        if told not in self.key:
            numbers = [int(match[1]) for one in self.key.values() if (match := re.fullmatch(r"P(\d+)", one))]
            self.key[told] = f"P{max(numbers, default=0) + 1:03d}"
        return self.key[told]


def _is_short_number(text: str) -> bool:
    """Small numbers are ids as well as doses: they are no secret and stand everywhere."""
    return text.isdigit() and len(text) < 5


def _columns(block: Block, table: TableMap) -> tuple[Column | None, ...]:
    known = {column.header: column for column in table.columns}
    return tuple(known.get(name) for name in block.names)


def read_key(path: Path) -> dict[str, str]:
    """Return the ids of the study by what the files call the patients; empty if there is no key yet."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row["found"]: row["patient_id"] for row in csv.DictReader(file)}


def key_text(key: dict[str, str]) -> str:
    """Return the key as CSV, in the order of the ids."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("patient_id", "found"))
    writer.writerows(_by_id(key.items()))
    return text.getvalue()


def _by_id(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted(((study, told) for told, study in pairs), key=lambda pair: (len(pair[0]), pair[0]))
