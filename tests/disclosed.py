"""Whether a suppressed count is determined by all that is published: whole numbers, found by a solver."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from helpers.results.disclosure import disclosure_of
from helpers.results.store import Statistics
from helpers.results.suppression import POOLED, suppressed

SMALLEST = 5


class Published:
    """Counts as unknown whole numbers, and all that a reader of the shared rows knows about them."""

    def __init__(self, true: Statistics, smallest: int) -> None:
        self.true, self.smallest = true, smallest
        self.rows = suppressed(true, smallest).statistics
        self.names: dict[str, int] = {}
        self.equal: list[tuple[dict[int, float], float]] = []
        self.low: dict[int, float] = {}
        self.high: dict[int, float] = {}
        self.sizes = {row.group: int(row.value) for row in true.select(analysis="group")}
        self.sizes |= dict.fromkeys(POOLED, sum(self.sizes.values()))
        for row in true.values():
            if disclosure_of(row.analysis, row.statistic) in ("count", "size", "crossed", "step") and (
                row.unit == "patients" and row.value == row.value
            ):
                self._count(row)
        self._sums()

    def at(self, name: str) -> int:
        return self.names.setdefault(name, len(self.names))

    def _count(self, row) -> None:
        i, shown = self.at(row.id), self.rows.get(row.id, replace(row, value=math.nan, n=None))
        size = self.sizes.get(row.group, sum(self.sizes.values()))
        self.low[i], self.high[i] = 0, size
        if shown.value == shown.value:
            self.low[i] = self.high[i] = shown.value
        elif shown.qualifier.startswith("<"):
            self.high[i] = self.smallest - 1
        if row.n is None:
            return
        # The number of patients, known or not, and those without a value: together the group.
        n, missing = self.at(f"{row.id} n"), self.at(f"{row.id} missing")
        self.low[n], self.high[n], self.low[missing], self.high[missing] = 0, size, 0, size
        if shown.n is not None:
            self.low[n] = self.high[n] = shown.n
        self.equal.append(({n: 1, missing: 1}, size))
        rest = self.at(f"{row.id} rest")
        self.low[rest], self.high[rest] = 0, size
        self.equal.append(({i: 1, rest: 1, n: -1}, 0))

    def _sums(self) -> None:
        """Cells that make up a whole, groups that make up everybody, and one count under several names."""
        families = defaultdict(list)
        levels = defaultdict(list)
        names = defaultdict(list)
        for row in self.true.values():
            cell = disclosure_of(row.analysis, row.statistic) != "size"
            if row.id in self.names and row.n is not None and cell:
                families[row.analysis, row.variable, row.group, row.timepoint].append(row)
                for end in range(1, row.variable.count("_") + 1):
                    root = "_".join(row.variable.split("_")[:end])
                    levels[row.analysis, root, row.group, row.timepoint, row.statistic].append(row)
            if row.id in self.names and "death" in row.variable and row.statistic in ("deaths", "count"):
                names[row.group, row.value].append(row)
        for rows in [*families.values(), *levels.values()]:
            if (
                len(rows) > 1
                and len({one.n for one in rows}) == 1
                and sum(r.value for r in rows) == rows[0].n
            ):
                self.equal.append(
                    ({**{self.names[r.id]: 1 for r in rows}, self.names[f"{rows[0].id} n"]: -1}, 0)
                )
        for rows in names.values():
            for one, other in pairwise(rows):
                self.equal.append(({self.names[one.id]: 1, self.names[other.id]: -1}, 0))
        self._pooled()

    def _pooled(self) -> None:
        for row in self.true.values():
            if row.group in POOLED and row.id in self.names:
                parts = [
                    one for one in self.true.select(
                        analysis=row.analysis, variable=row.variable, timepoint=row.timepoint,
                        statistic=row.statistic,
                    ) if one.group not in POOLED and one.id in self.names
                ]  # fmt: skip
                if len(parts) == len(self.sizes) - len(POOLED) and sum(r.value for r in parts) == row.value:
                    self.equal.append(({**{self.names[r.id]: 1 for r in parts}, self.names[row.id]: -1}, 0))

    def component(self, start: int) -> set[int]:
        """Unknowns that hang together with one."""
        found, waiting = {start}, [start]
        while waiting:
            here = waiting.pop()
            for terms, _ in self.equal:
                if here in terms:
                    waiting += [one for one in terms if one not in found]
                    found.update(terms)
        return found

    def range_of(self, name: str) -> tuple[float, float]:
        """Smallest and largest whole number that a suppressed count may be, all being non-negative."""
        part = sorted(self.component(self.names[name]))
        place = {one: k for k, one in enumerate(part)}
        rows, right = [], []
        for terms, total in self.equal:
            if next(iter(terms)) in place:
                line = np.zeros(len(part))
                for one, factor in terms.items():
                    line[place[one]] = factor
                rows.append(line)
                right.append(total)
        bounds = Bounds([self.low[one] for one in part], [self.high[one] for one in part])
        limits = LinearConstraint(np.array(rows), right, right) if rows else ()
        ends = []
        for sign in (1, -1):
            cost = np.zeros(len(part))
            cost[place[self.names[name]]] = sign
            done = milp(cost, integrality=np.ones(len(part)), bounds=bounds, constraints=limits)
            assert done.success, f"{name}: what is published contradicts itself"
            ends.append(sign * done.fun)
        return ends[0], ends[1]

    def suppressed_counts(self) -> list[str]:
        return [
            name for name in self.names
            if name in self.rows and self.rows[name].value != self.rows[name].value
            and self.true[name].value < self.smallest
        ]  # fmt: skip


def determined(true: Statistics, smallest: int = SMALLEST) -> list[str]:
    published = Published(true, smallest)
    names = published.suppressed_counts()
    assert len(names) > 20
    return [name for name in names if len(set(map(round, published.range_of(name)))) == 1]
