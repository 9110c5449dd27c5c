"""Rows of a ledger made comparable: one spelling for a quantity, a time point and a value."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from helpers.published.ledger import Number, count_in, numbers_in

if TYPE_CHECKING:
    import pandas as pd

# Spellings of one quantity; the first is kept. Only names that mean the same number belong together.
SYNONYMS: tuple[tuple[str, ...], ...] = (
    ("patients", "patients in cohort", "patients in series", "group size"),
    ("female", "sex, female"),
    ("leucocytes", "leukocytes"),
    ("hemoglobin", "haemoglobin"),
    ("age", "age at rd-mas"),
    ("partial remission", "pr"),
    ("complete remission", "cr"),
    ("no response", "nr"),
    ("death", "deaths"),
    ("ciclosporin", "cyclosporine"),
    ("hemophagocytosis", "bone marrow hemophagocytosis"),
    ("other ctd", "other ctds"),
    ("moderate anaemia", "moderate anemia"),
    ("hypofibrinogenaemia", "hypofibrinogenemia"),
    ("hypofibrinogenaemia cut-off", "hypofibrinogenemia cut-off"),
    ("glucocorticoid dose", "daily glucocorticoid dose"),
    ("severe adverse events", "severe aes"),
    ("cytomegalovirus infection", "cmv infection"),
)
_CANONICAL = {name: group[0] for group in SYNONYMS for name in group}
_TIMES = {"day 56": "week 8", "8 weeks": "week 8", "week before start": "baseline", "": ""}
# Quantities whose time point does not tell them apart: the whole study has one answer.
_TIMELESS = ("patients", "death", "survival difference")

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Entry:
    """One row of the ledger."""

    id: str
    quantity: str
    group: str
    time: str
    statistic: str
    unit: str
    printed: str
    numeric: float = field(default=float("nan"))
    missing: str = ""

    @property
    def key(self) -> Key:
        """Quantity, group and time point in one spelling."""
        return self.quantity, self.group, self.time

    @property
    def label(self) -> str:
        """The row in words, for messages."""
        where = ", ".join(part for part in (self.group, self.time) if part)
        return f"{self.id} {self.quantity} ({where}) {self.printed!r}"

    @cached_property
    def fraction(self) -> tuple[int, int] | None:
        """Numerator and denominator, if printed."""
        found = re.search(r"(\d+)\s*(?:/|of)\s*(\d+)", self.printed)
        return (int(found[1]), int(found[2])) if found else None

    @cached_property
    def percent(self) -> Number | None:
        """The percentage, if printed."""
        found = re.search(r"(\d+(?:\.\d+)?)\s*%", self.printed)
        if found:
            return numbers_in(found[1])[0]
        return self.number if self.unit == "%" else None

    @cached_property
    def count(self) -> int | None:
        """The count, if this row prints one."""
        if self.fraction:
            return self.fraction[0]
        if self.statistic not in ("count", "fraction", "count and percent") or self.unit == "%":
            return None
        found = count_in(self.printed)
        return found if found is not None or self.numeric != self.numeric else int(self.numeric)

    @cached_property
    def number(self) -> Number | None:
        """The first printed number."""
        found = numbers_in(self.printed)
        return found[0] if found else None


class Entries:
    """All rows of a ledger, by what they speak of.

    >>> from helpers.published.ledger import read_ledger
    >>> entries = Entries(read_ledger())
    >>> entries.groups, [entries.size(group) for group in entries.groups]
    (['ruxolitinib', 'control'], [20, 21])
    >>> len(entries.of("p-value")), entries.count("death", "control")[0]
    (20, 8)
    """

    def __init__(self, ledger: pd.DataFrame) -> None:
        self.all = [_entry(row) for row in ledger.to_dict("records")]
        self.by_key: dict[Key, list[Entry]] = defaultdict(list)
        for entry in self.all:
            self.by_key[entry.key].append(entry)

    def of(self, statistic: str, **wanted: str) -> list[Entry]:
        """Rows with a statistic and, where named, a quantity, group or time."""
        return [
            e
            for e in self.all
            if e.statistic == statistic and all(getattr(e, k) == v for k, v in wanted.items())
        ]

    def count(self, quantity: str, group: str, time: str | None = None) -> tuple[int, list[Entry]] | None:
        """The count most rows print for a quantity, and those rows."""
        found = [
            e
            for e in self.all
            if e.quantity == quantity
            and e.group == group
            and (time is None or e.time == time)
            and e.count is not None
        ]
        if not found:
            return None
        value = Counter(e.count for e in found).most_common(1)[0][0]
        assert value is not None
        return value, [e for e in found if e.count == value]

    def size(self, group: str) -> int | None:
        """Patients of a group: what most rows print."""
        found = self.count("patients", group)
        return found[0] if found else None

    @cached_property
    def groups(self) -> list[str]:
        """Groups with a printed size, in the order of the ledger."""
        names = dict.fromkeys(e.group for e in self.all)
        return [g for g in names if g and self.size(g) is not None]


def _entry(row: dict[Hashable, Any]) -> Entry:
    quantity = re.sub(r"\s*\(.*?\)", "", str(row["quantity"])).strip().lower()
    quantity = re.sub(r"\s+before$", "", quantity)
    quantity = _CANONICAL.get(quantity, quantity)
    time = str(row["timepoint"]).strip().lower()
    time = "" if quantity in _TIMELESS else _TIMES.get(time, time)
    return Entry(
        str(row["id"]),
        quantity,
        str(row["group"]).strip().lower(),
        time,
        str(row["statistic"]).strip(),
        str(row["unit"]).strip(),
        str(row["printed"]).strip(),
        float(str(row["numeric"])) if str(row["numeric"]) not in ("", "nan") else float("nan"),
        str(row.get("missing") or "").strip(),
    )
