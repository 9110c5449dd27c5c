"""What changed since the last data, number by number: statistics now beside those kept from before.

>>> from helpers.project.paths import CohortPaths
>>> paths = CohortPaths.of("rdmas_reconstructed")
>>> kept_before(paths).name, changes(paths.statistics, paths.statistics)
('rdmas_reconstructed', [])
"""

import math
import shutil
from dataclasses import dataclass
from pathlib import Path

from helpers.project.paths import CohortPaths, state_dir
from helpers.results.store import Statistic, Statistics

_NUMBERS = ("value", "lower", "upper", "p_value")


@dataclass(frozen=True)
class Change:
    """One number that differs: its row, which column, before and now; None where there was no such row."""

    row: str
    column: str
    before: float | None
    now: float | None

    def __str__(self) -> str:
        return f"{self.row} {self.column}: {_told(self.before)} -> {_told(self.now)}"


def _told(number: float | None) -> str:
    return "no such row" if number is None else "not estimated" if math.isnan(number) else f"{number:.6g}"


def kept_before(paths: CohortPaths) -> Path:
    """Folder of the statistics as they were before the data changed last."""
    return state_dir() / "before" / paths.name


def keep(paths: CohortPaths) -> bool:
    """Keep the present statistics of a cohort, for the comparison after new data; whether there were any."""
    files = sorted(paths.statistics.glob("*.csv"))
    if not files:
        return False
    target = kept_before(paths)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for file in files:
        shutil.copyfile(file, target / file.name)
    return True


def changes(before: Path, now: Path) -> list[Change]:
    """Return every number that differs between two folders of statistics, in the order of the rows.

    Args:
        before, now: folders of statistics files.
    """
    old, new = Statistics.read(before), Statistics.read(now)
    found: list[Change] = []
    for name in (*new, *(name for name in old if name not in new)):
        first, second = old.get(name), new.get(name)
        for column in (*_NUMBERS, "n"):
            one, other = _number(first, column), _number(second, column)
            if not _same(one, other):
                found.append(Change(name, column, one, other))
    return found


def _number(row: Statistic | None, column: str) -> float | None:
    if row is None:
        return None
    number = getattr(row, column)
    return math.nan if number is None else float(number)


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        # A row that comes or goes without a number says nothing.
        return all(number is None or math.isnan(number) for number in (one, other))
    return one == other or (math.isnan(one) and math.isnan(other))
