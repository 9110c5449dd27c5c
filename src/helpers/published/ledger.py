"""The ledger of printed values: one row per number, threshold or date that the publication prints.

The ledger is a csv file with the columns of `LEDGER_COLUMNS`. `printed` keeps the value as text, so that
the printed
precision (``2.00``, ``<0.001``, ``6/20``) is never lost; `numeric` is the same value as a number where one
can be
given. `conflicts` names other rows (joined by ``|``) that print something incompatible.

`statistic_id` or `config_key` points to the statistic or setting that answers to the row; several, joined by
``|``, answer to its numbers in turn. They may be empty, then `reason` says why nothing can. `scale` (``100``,
``1/7``) is what the answer is multiplied by to be in the printed unit. `rounding` is ``truncated`` where the
publication cuts digits off instead of rounding, and ``fall of printed:1`` where a fall in percent is that of
two numbers rounded to one decimal before. `mark` says that the answer is ``by a proxy`` or ``under an assumed
cut-off``.

>>> (
...     [number.value for number in numbers_in("30% (6/20)")],
...     count_in("6 (30%)"),
...     count_in("six (30%)"),
... )
([30.0, 6.0, 20.0], 6, 6)
>>> Number(0.05, 2).agrees_with(0.0463), Number(0.05, 2).agrees_with(0.0563)
(True, False)
>>> default_ledger_path().name, len(read_ledger()) > 300
('rdmas_2025.csv', True)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.errors import CompendiumError
from helpers.project.paths import project_root

if TYPE_CHECKING:
    import pandas as pd

LEDGER_COLUMNS = (
    "id",
    "section",
    "quantity",
    "group",
    "timepoint",
    "printed",
    "numeric",
    "statistic",
    "unit",
    "statistic_id",
    "config_key",
    "conflicts",
)

# Columns that a ledger may leave out; they are then empty.
LINK_COLUMNS = ("scale", "rounding", "mark", "reason", "missing")

_WORDS = {
    "no": 0,
    "none": 0,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "twenty": 20,
}
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


class LedgerError(CompendiumError):
    """The ledger cannot be used; `problems` holds one line per fault."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True)
class Number:
    """A printed number: its value, the decimals it was printed with, and a leading ``<`` or ``>`` if any."""

    value: float
    decimals: int
    sign: str = ""

    def agrees_with(self, value: float) -> bool:
        """Whether `value` is printed as this number by rounding halves to even or away from zero."""
        half = 0.5 * 10.0**-self.decimals
        if self.sign == "<":
            return value < self.value
        if self.sign == ">":
            return value > self.value
        return abs(value - self.value) <= half * (1 + 1e-9)


def default_ledger_path(name: str = "rdmas_2025") -> Path:
    """Ledger `name` in `data/published/` of the project."""
    return project_root() / "data" / "published" / f"{name}.csv"


def numbers_in(printed: str) -> list[Number]:
    """All numbers of a printed value, in order: ``30% (6/20)`` gives 30, 6 and 20."""
    found = []
    for match in _NUMBER.finditer(printed):
        text = match.group().replace(",", "")
        before = printed[: match.start()].rstrip()[-1:]
        decimals = len(text.partition(".")[2])
        found.append(Number(float(text), decimals, before if before in "<>" and before else ""))
    return found


def count_in(printed: str) -> int | None:
    """The count a printed value gives: 6 for ``30% (6/20)``, ``6 (30%)``, ``6/20`` and ``six (30%)``."""
    fraction = re.search(r"(\d+)\s*/\s*\d+", printed) or re.search(r"(\d+) of \d+", printed)
    if fraction:
        return int(fraction[1])
    word = re.match(r"\s*([A-Za-z]+)", printed)
    if word and word[1].lower() in _WORDS:
        return _WORDS[word[1].lower()]
    whole = re.search(r"(?<![\d.])(\d+)(?![\d.]|\s*%)", printed)
    return int(whole[1]) if whole else None


def read_ledger(path: Path | None = None) -> pd.DataFrame:
    """Read a ledger: the columns of `LEDGER_COLUMNS`, all as text but `numeric` (float, NaN where none).

    Raises:
        LedgerError: the file is missing, a column is missing, an id is empty or repeated, or `numeric` is
        no number;
            all faults at once, each with its line.
    """
    import pandas as pd

    path = default_ledger_path() if path is None else Path(path)
    if not path.is_file():
        raise LedgerError([f"{path}: no such file; expected a ledger of printed values"])
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    missing = [c for c in LEDGER_COLUMNS if c not in frame.columns]
    if missing:
        raise LedgerError(
            [f"{path.name}: column {c} is missing; found {', '.join(frame.columns)}" for c in missing]
        )
    problems = []
    for line, (identifier, text) in enumerate(zip(frame["id"], frame["numeric"], strict=True), start=2):
        if not identifier.strip():
            problems.append(f"{path.name}, line {line}, column id: empty; every row needs its own id")
        if text and pd.isna(pd.to_numeric(text, errors="coerce")):
            problems.append(
                f"{path.name}, line {line}, column numeric: found {text!r}, expected a number or nothing"
            )
    for identifier in sorted(frame.loc[frame["id"].duplicated(), "id"].unique()):
        lines = ", ".join(str(i + 2) for i in frame.index[frame["id"] == identifier])
        problems.append(f"{path.name}, column id: {identifier!r} stands on lines {lines}; ids must be unique")
    if problems:
        raise LedgerError(problems)
    frame["numeric"] = pd.to_numeric(frame["numeric"].replace("", None)).astype(float)
    for column in LINK_COLUMNS:
        frame[column] = frame.get(column, "")
    return frame
