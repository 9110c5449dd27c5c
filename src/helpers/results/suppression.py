"""Small counts suppressed, and with them whatever would give them away: stored rows as they may be shared.

Primary suppression by a threshold and complementary suppression, as in Hundepool et al., Handbook on
Statistical Disclosure Control, 2nd edition (2024), and the Output Checking Guidance of the Secure Research
Service, Office for National Statistics (2023): no count below the threshold, zero included; no complement
below it; no number from which one follows by difference; no minimum, no maximum, no step of a curve.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from helpers.results.catalogue import EndpointRows, GroupRows, SurvivalRows
from helpers.results.disclosure import BY_VARIABLE, REASONS, Disclosure, disclosure_of, is_free_text
from helpers.results.store import EVERYBODY, Statistic, Statistics

SMALLEST = 5
NOT_SHOWN = "not shown"
POOLED = frozenset({EVERYBODY, "both"})
_WHOLE = 1e-6
_COUNTED = re.compile(r" \(smallest expected count [^)]*\)|(?<= the )\d+ (?=patients\b)")
_STILL_COUNTS = re.compile(r"\d+ (?:of|patients?|events?|deaths?|pairs?|responders?|values?)\b")

Family = tuple[str, str, str, str]  # analysis, variable, group, timepoint


@dataclass(frozen=True)
class Shared:
    """Statistics as they may be shared.

    Attributes:
        statistics: the rows; those not shown have no number, and ``qualifier`` says ``<5`` or ``not shown``.
            Those that are named by free text of the data are left out.
        hidden: why, by identifier, for rows of which the value is not shown.
        without_n: identifiers of rows whose value is shown and the number of patients is not.
        smallest: the smallest count that is shown.
    """

    statistics: Statistics
    hidden: Mapping[str, Disclosure | None]
    without_n: frozenset[str]
    smallest: int

    def reasons(self) -> dict[str, int]:
        """Return how many rows are not shown, by reason in words."""
        counted: dict[str, int] = defaultdict(int)
        for kind in self.hidden.values():
            counted[REASONS[kind] if kind else "a kind of number that nobody has classified"] += 1
        return dict(sorted(counted.items()))


def suppressed(statistics: Statistics, smallest: int = SMALLEST) -> Shared:
    """Return the rows as they may be shared; which ones depends on the rows alone, in stored order.

    Args:
        statistics: all rows of a cohort.
        smallest: the smallest count of patients that may be shown, at least 2.

    Raises:
        ValueError: ``smallest`` is below 2, which would hide nothing.
    """
    if smallest < 2:
        raise ValueError(f"the smallest count shown must be 2 or more, found {smallest}")
    return _Suppression(statistics, smallest).result()


class _Suppression:
    """One pass over the rows: counts first, then what rests on them."""

    def __init__(self, statistics: Statistics, smallest: int) -> None:
        self.statistics, self.smallest = statistics, smallest
        self.classes = {row.id: disclosure_of(row.analysis, row.statistic) for row in statistics.values()}
        self.sizes = _group_sizes(statistics, smallest)
        self.shown_in: dict[tuple[str, str], set[int]] = defaultdict(set)
        self.hidden: set[str] = set()
        self.without_n: set[str] = set()

    def result(self) -> Shared:
        self._counts()
        self._pooled_counts()
        self._sizes_of_rows()
        self._shares()
        self._summaries()
        self._comparisons()
        self._outcomes()
        rows = [self._as_shared(row) for row in self.statistics.values() if not self._says_too_much(row)]
        hidden = {row.id: self.classes[row.id] for row in self.statistics.values() if row.id in self.hidden}
        return Shared(Statistics(rows), hidden, frozenset(self.without_n - self.hidden), self.smallest)

    def _of(self, *classes: Disclosure | None) -> list[Statistic]:
        return [row for row in self.statistics.values() if self.classes[row.id] in classes]

    def _safe(self, cell: float, whole: int | None) -> bool:
        """Tell whether a cell and what is left of the whole are large enough."""
        return cell >= self.smallest and (whole is None or whole - cell >= self.smallest)

    def _apart(self, row: Statistic, cells: Iterable[int]) -> bool:
        """Tell whether cells differ from those shown of the same group by nothing or by enough."""
        shown = self.shown_in[_block(row)]
        return all(cell == one or abs(cell - one) >= self.smallest for cell in cells for one in shown)

    def _counts(self) -> None:
        """Cells of one variable, group and time are shown together or not at all; so are levels."""
        families: dict[Family, list[Statistic]] = defaultdict(list)
        for row in self._of("count", "size", "crossed", "step", None):
            if self.classes[row.id] in ("crossed", "step", None):
                self.hidden.add(row.id)
            elif row.group not in POOLED or not self._has_groups(row):
                families[(row.analysis, row.variable, row.group, row.timepoint)].append(row)
        for rows in _with_levels(families):
            cells = [row for row in rows if self.classes[row.id] == "count"]
            whole = [row for row in rows if self.classes[row.id] == "size" and not self._is_whole(row)]
            values = [*cells, *whole]
            numbers = [int(row.value) for row in values if _is_whole_number(row.value)]
            fine = len(numbers) == len(values) and all(
                self._safe(row.value, self._whole(row)) and self._safe(row.value, self.sizes.get(row.group))
                and self._apart(row, [int(row.value)]) for row in values
            )  # fmt: skip
            if fine and _all_apart(numbers, self.smallest):
                for row in values:
                    self.shown_in[_block(row)].add(int(row.value))
            else:
                self.hidden.update(row.id for row in values)

    def _has_groups(self, row: Statistic) -> bool:
        return any(one.group not in POOLED for one in self.statistics.select(analysis=row.analysis))

    def _whole(self, row: Statistic) -> int | None:
        return row.n if row.n is not None else self.sizes.get(row.group)

    def _is_whole(self, row: Statistic) -> bool:
        """Tell whether a number of patients is that of the group, or a completeness of 100 %."""
        if row.unit == "%":
            return row.value == 100
        size = self.sizes.get(row.group)
        return size is not None and row.value == size

    def _pooled_counts(self) -> None:
        """A sum over the groups is shown only where every group's part is."""
        for row in self._of("count", "size"):
            if row.group in POOLED and self._has_groups(row):
                parts = [
                    one for one in self.statistics.select(
                        analysis=row.analysis, variable=row.variable, timepoint=row.timepoint,
                        statistic=row.statistic,
                    ) if one.group not in POOLED
                ]  # fmt: skip
                if not self._is_whole(row) and (not parts or any(one.id in self.hidden for one in parts)):
                    self.hidden.add(row.id)

    def _sizes_of_rows(self) -> None:
        """Hide n and n_missing unless nobody is missing, or enough are and enough are not."""
        for row in self.statistics.values():
            if self.classes[row.id] == "setting" or (row.n is None and row.n_missing is None):
                continue
            size, n = self.sizes.get(row.group), row.n
            if n is not None and size is not None and n == size and not row.n_missing:
                continue
            fine = (
                n is not None and size is not None and row.group not in POOLED and self._safe(n, size)
                and (not row.n_missing or row.n_missing >= self.smallest) and self._apart(row, [n])
            )  # fmt: skip
            if fine and n is not None:
                self.shown_in[_block(row)].add(n)
            else:
                self.without_n.add(row.id)

    def _shares(self) -> None:
        """A share is a count: it is shown where its count and its n may be."""
        for row in self._of("share"):
            scale = 1 if row.unit != "%" else 100
            count = row.value * row.n / scale if row.n else math.nan
            cell = round(count) if count == count else 0
            fine = (
                row.n is not None and row.id not in self.without_n and row.group not in POOLED
                and math.isclose(count, cell, abs_tol=_WHOLE) and self._safe(cell, row.n)
                and self._apart(row, [cell]) and not self._hidden_beside(row)
            )  # fmt: skip
            if fine:
                self.shown_in[_block(row)].add(cell)
            else:
                self.hidden.add(row.id)

    def _hidden_beside(self, row: Statistic) -> bool:
        beside = self.statistics.select(
            analysis=row.analysis, variable=row.variable, group=row.group, timepoint=row.timepoint
        )
        return any(one.id in self.hidden for one in beside if self.classes[one.id] == "count")

    def _summaries(self) -> None:
        needed = {"average": 2 * self.smallest, "quartile": 4 * self.smallest}
        for row in self._of("average", "quartile", "extreme", "copy"):
            if self._surely(row) < needed.get(str(self.classes[row.id]), math.inf):
                self.hidden.add(row.id)

    def _surely(self, row: Statistic) -> int:
        """Return a row's n as far as readers may know it: a number shown or not must not tell a hidden n."""
        n, size = row.n or 0, self.sizes.get(row.group)
        hides_few = row.id in self.without_n and size is not None and size - n < self.smallest
        return size - self.smallest + 1 if hides_few and size is not None else n

    def _comparisons(self) -> None:
        """A comparison is shown where what it compares is: the counts or the averages of every group."""
        for row in self._of("compared"):
            parts = [
                one for one in self.statistics.select(analysis=row.analysis, timepoint=row.timepoint)
                if one.group not in POOLED and self.classes[one.id] in ("count", "average")
                and (one.variable == row.variable or one.variable.startswith(f"{row.variable}_"))
            ]  # fmt: skip
            groups = {one.group for one in parts}
            if any(one.id in self.hidden for one in parts) or not groups or groups != set(self._groups()):
                self.hidden.add(row.id)

    def _groups(self) -> list[str]:
        return [row.group for row in self.statistics.select(GroupRows.n)]

    def _outcomes(self) -> None:
        deaths = self.statistics.select(SurvivalRows.deaths)
        counts = [*deaths, *self._of_endpoints()]
        if not deaths or any(row.id in self.hidden for row in counts):
            self.hidden.update(row.id for row in self._of("outcome"))

    def _of_endpoints(self) -> list[Statistic]:
        return [row for row in self.statistics.select(EndpointRows) if self.classes[row.id] == "count"]

    def _says_too_much(self, row: Statistic) -> bool:
        return row.id in self.hidden and is_free_text(row.analysis, row.statistic)

    def _as_shared(self, row: Statistic) -> Statistic:
        method = _COUNTED.sub("", row.method)
        method = "" if _STILL_COUNTS.search(method) and self.classes[row.id] != "setting" else method
        note = row.note if self.classes[row.id] == "setting" else ""
        row = replace(row, method=method, note=note)
        if row.id in self.without_n:
            row = replace(row, n=None, n_missing=None)
        if row.id not in self.hidden:
            return row
        small = self.classes[row.id] == "count" and row.value < self.smallest
        return replace(
            row, value=math.nan, lower=math.nan, upper=math.nan, p_value=math.nan, method="", note="",
            qualifier=f"<{self.smallest}" if small else NOT_SHOWN,
        )  # fmt: skip


def _group_sizes(statistics: Statistics, smallest: int) -> dict[str, int]:
    """Return the size of each group that may be shown, and of all of them if that holds for each."""
    rows = statistics.select(GroupRows.n)
    sizes = {row.group: int(row.value) for row in rows if row.value >= smallest}
    if rows and len(sizes) == len(rows):
        sizes |= dict.fromkeys(POOLED, sum(sizes.values()))
    return sizes


def _block(row: Statistic) -> tuple[str, str]:
    """Return what of a group may be a part of one another: one variable, or all that became of it."""
    own = row.analysis in BY_VARIABLE and row.variable != "death"
    return row.group, row.variable if own else ""


def _is_whole_number(value: float) -> bool:
    return value == value and abs(value - round(value)) < _WHOLE


def _all_apart(numbers: list[int], smallest: int) -> bool:
    ordered = sorted(set(numbers))
    return all(later - earlier >= smallest for earlier, later in pairwise(ordered))


def _with_levels(families: Mapping[Family, list[Statistic]]) -> list[list[Statistic]]:
    """Join families that are the levels of one variable: same beginning, and together everybody."""
    joined: list[list[Statistic]] = []
    taken: set[Family] = set()
    for family in families:
        if family in taken:
            continue
        levels = _levels(family, families)
        taken.update(levels)
        joined.append([row for one in levels for row in families[one]])
    return joined


def _levels(family: Family, families: Mapping[Family, list[Statistic]]) -> list[Family]:
    analysis, variable, group, timepoint = family
    parts = variable.split("_")
    for length in range(1, len(parts)):
        root = "_".join(parts[:length])
        alike = [
            one for one in families
            if (one[0], one[2], one[3]) == (analysis, group, timepoint)
            and (one[1] == root or one[1].startswith(f"{root}_"))
        ]  # fmt: skip
        rows = [row for one in alike for row in families[one]]
        of_one = len(alike) > 1 and all(row.n == rows[0].n and row.n for row in rows)
        if of_one and sum(row.value for row in rows) == rows[0].n:
            return alike
    return [family]
