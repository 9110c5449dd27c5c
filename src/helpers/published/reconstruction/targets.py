"""What the ledger fixes: the printed numbers as typed targets of the reconstruction.

>>> from helpers.published.ledger import read_ledger
>>> ledger = Ledger(read_ledger())
>>> ledger.printed("R76"), ledger.unit("R76"), ledger.describe("R76")
('four (20%)', 'patients', 'CMV infection, ruxolitinib, 8 weeks, count and percent')
>>> ledger.whole("R76"), ledger.count("R76"), ledger.number("R76").value
(4, 4, 20.0)
>>> continuous_targets(ledger)["age"].summaries["control"]
Summary(median=29, minimum=18, maximum=65)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.published.ledger import LedgerError, Number, count_in, numbers_in

if TYPE_CHECKING:
    import pandas as pd

# First of seven consecutive rows of Table 1: median, minimum, maximum in the treated, the same in the
# controls, p.
TABLE_ROWS = {
    "age": 1,
    "dose": 23,
    "leucocytes": 85,
    "neutrophils": 92,
    "hemoglobin": 99,
    "platelets": 106,
    "ast": 113,
    "alt": 120,
    "ldh": 127,
    "fibrinogen": 134,
    "triglycerides": 141,
    "ferritin": 148,
}
ARMS = ("ruxolitinib", "control")


@dataclass(frozen=True)
class Summary:
    """Printed median and range of one variable in one arm, in units of the last printed decimal."""

    median: int
    minimum: int
    maximum: int


@dataclass(frozen=True)
class Continuous:
    """A row of Table 1 with a median and range per arm and a two-sample p-value."""

    name: str
    scale: int
    summaries: dict[str, Summary]
    p_value: Number
    ids: tuple[str, ...]


class Ledger:
    """Look-up of printed numbers by ledger id."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._rows = {str(row["id"]): row for row in frame.to_dict("records")}

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._rows

    def printed(self, identifier: str) -> str:
        """The printed text of a row. Raises LedgerError if the row is not there."""
        if identifier not in self._rows:
            raise LedgerError([f"ledger row {identifier} is missing; the reconstruction needs it"])
        return str(self._rows[identifier]["printed"])

    def unit(self, identifier: str) -> str:
        """Unit of a row."""
        return str(self._rows[identifier]["unit"])

    def describe(self, identifier: str) -> str:
        """Quantity, group and time point of a row, in words."""
        row = self._rows[identifier]
        return ", ".join(str(row[c]) for c in ("quantity", "group", "timepoint", "statistic") if str(row[c]))

    def whole(self, identifier: str) -> int:
        """A count printed as digits or as a word; another word is read from the column `numeric`."""
        found = count_in(self.printed(identifier))
        return int(self.number(identifier).value) if found is None else found

    def number(self, identifier: str) -> Number:
        """First number of a row; a number printed as a word comes from the column `numeric`."""
        found = numbers_in(self.printed(identifier))
        if found:
            return found[0]
        value = float(self._rows[identifier]["numeric"])
        if value != value:
            raise LedgerError([f"ledger row {identifier}: {self.printed(identifier)!r} holds no number"])
        return Number(value, 0)

    def count(self, identifier: str) -> int:
        """A printed count. Raises LedgerError if the row holds none."""
        found = count_in(self.printed(identifier))
        if found is None:
            raise LedgerError([f"ledger row {identifier}: {self.printed(identifier)!r} holds no count"])
        return found


def continuous_targets(ledger: Ledger) -> dict[str, Continuous]:
    """The twelve rows of Table 1 with medians and ranges, as integers of the last printed decimal."""
    targets = {}
    for name, first in TABLE_ROWS.items():
        ids = tuple(f"T{first + k:03d}" for k in range(7))
        numbers = [ledger.number(i) for i in ids]
        scale = 10 ** max(n.decimals for n in numbers[:6])
        grid = [round(n.value * scale) for n in numbers[:6]]
        summaries = {arm: Summary(*grid[3 * k : 3 * k + 3]) for k, arm in enumerate(ARMS)}
        targets[name] = Continuous(name, scale, summaries, numbers[6], ids)
    return targets
