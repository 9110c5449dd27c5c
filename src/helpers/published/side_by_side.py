"""Another cohort beside a publication: printed value, own value, difference; no verdict is asked for.

The groups of the publication stand for the cohort's by their names or, where these are others, by their
roles: the group that a ledger names first is the treated one.

>>> from helpers.published.comparison import open_ledger
>>> beside = side_by_side(statistics, config, open_ledger("rdmas_2025"), confidence=0.95)
>>> beside.columns.tolist()[:3], len(beside) > 50
(['id', 'quantity', 'group'], True)
>>> store_differences(beside, store)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from helpers.published.entries import Entries, Entry
from helpers.results.catalogue import GroupRows
from helpers.results.format import format_number, format_p
from helpers.results.store import slug

if TYPE_CHECKING:
    import pandas as pd

    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistic, Statistics, StatisticsStore

ANALYSIS = "side_by_side"
COLUMNS = (
    "id", "quantity", "group", "timepoint", "printed", "own", "difference", "lower", "upper", "unit",
    "answered_by", "method",
)  # fmt: skip
NOT_GROUPS = ("both", "all")
POINTS = "percentage points"
_COUNTS = ("count", "fraction", "count and percent")


@dataclass(frozen=True)
class _Pair:
    """A printed row and the cohort's own statistic on the same question."""

    entry: Entry
    identifier: str
    group: str
    own: Statistic | None
    scale: float


def side_by_side(
    statistics: Statistics, config: CohortConfig, ledger: pd.DataFrame | None, *, confidence: float
) -> pd.DataFrame:
    """Set the cohort's statistics beside what a publication prints.

    Args:
        statistics: the cohort's stored statistics.
        config: its configuration.
        ledger: the printed values; None gives a table without rows.
        confidence: level of the intervals.

    Returns:
        One row a question that the ledger answers by a statistic (what is printed twice stands once), columns
        `COLUMNS`. difference is own minus printed; where both sides give counts it is a difference of
        percentages with Newcombe's interval. p-values have no difference.
    """
    import pandas as pd

    rows = []
    if ledger is not None:
        entries = Entries(ledger)
        sizes = {row.group: row.value for row in statistics.select(GroupRows.n)}
        pairs = _pairs(statistics, config, ledger, entries)
        rows = [_line(pair, entries, sizes, confidence) for pair in pairs]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def store_differences(beside: pd.DataFrame, store: StatisticsStore) -> None:
    """Store the differences, one row a ledger id."""
    for row in beside[beside["difference"].notna()].to_dict("records"):
        numbers = {name: row[name] for name in ("lower", "upper")}
        store.add(ANALYSIS, slug(row["id"]), "difference", group=slug(row["group"]), value=row["difference"],
                  unit=row["unit"], method=row["method"], note=row["answered_by"], **numbers)  # fmt: skip


def _pairs(
    statistics: Statistics, config: CohortConfig, ledger: pd.DataFrame, entries: Entries
) -> Iterator[_Pair]:
    asked = ledger[(ledger["statistic_id"] != "") & ~ledger["statistic_id"].str.contains("|", regex=False)]
    asked = asked[~asked["statistic"].str.startswith("absent")].drop_duplicates(["statistic_id", "numeric"])
    groups = _groups(asked["statistic_id"], config)
    by_id = {entry.id: entry for entry in entries.all}
    for row in asked.to_dict("records"):
        parts = str(row["statistic_id"]).split(".")
        parts[2] = groups.get(parts[2], parts[2])
        identifier = ".".join(parts)
        own = statistics.get(identifier)
        yield _Pair(by_id[str(row["id"])], identifier, parts[2], own, float(Fraction(row["scale"] or 1)))


def _groups(identifiers: pd.Series, config: CohortConfig) -> dict[str, str]:
    """Return the cohort's group for each group that the ledger's statistics name."""
    named = dict.fromkeys(text.split(".")[2] for text in identifiers)
    printed = [name for name in named if name not in NOT_GROUPS]
    roles = [config.treated, config.reference]
    by_role = {name: group.id for name, group in zip(printed, roles, strict=False) if group is not None}
    return {name: name if name in config.group_ids else by_role.get(name, name) for name in printed}


def _line(pair: _Pair, entries: Entries, sizes: dict[str, float], confidence: float) -> dict[str, Any]:
    entry, own = pair.entry, pair.own
    line: dict[str, Any] = {
        "id": entry.id, "quantity": entry.quantity, "group": pair.group, "timepoint": entry.time,
        "printed": entry.printed, "own": "not in this cohort", "answered_by": pair.identifier,
    }  # fmt: skip
    if own is None:
        return line
    if entry.statistic == "p-value":
        return {**line, "own": format_p(own.p_value), "method": own.method}
    # A count printed without its denominator is of its group: the cohort's own must be so as well.
    whole = entries.size(entry.group) if own.n == sizes.get(pair.group) else None
    if entry.statistic in _COUNTS and own.n and (entry.fraction or (whole and entry.count is not None)):
        return {**line, **_share_difference(entry, own, whole, confidence)}
    value = own.value * pair.scale
    digits = entry.number.decimals if entry.number else 0
    difference = value - (entry.number.value if entry.number else entry.numeric)
    return {**line, "own": format_number(value, digits), "difference": difference, "unit": entry.unit,
            "method": "own minus printed"}  # fmt: skip


def _share_difference(entry: Entry, own: Statistic, size: int | None, confidence: float) -> dict[str, Any]:
    from helpers.stats.proportions import proportion_difference

    count, n = entry.fraction or (entry.count, size)
    found = proportion_difference(own.value, own.n, count, n, confidence=confidence)
    numbers = {"difference": found.value, "lower": found.lower, "upper": found.upper}
    scaled = {name: 100 * number for name, number in numbers.items()}
    return {"own": f"{own.value:.0f}/{own.n}", **scaled, "unit": POINTS, "method": found.method}
