"""Audit rules on printed p-values: which test gives them, and whether any can.

>>> from helpers.published.ledger import read_ledger
>>> {name: round(p, 3) for name, p in table_p_values(1, 20, 8, 21).items()}
{'fisher': 0.02, 'pearson': 0.01, 'yates': 0.029, 'mid_p': 0.015, 'boschloo': 0.012}
>>> round(untied_p_values(3, 3)[0], 3)
1.0
>>> entries = Entries(read_ledger())
>>> [
...     len(list(rule(entries)))
...     for rule in (proportions, untested, one_endpoint_two_p_values, rank_sums)
... ]
[8, 1, 1, 11]
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cache

import numpy as np

from helpers.published.entries import Entries, Entry
from helpers.published.findings import Finding, Rule
from helpers.published.ledger import Number

TABLE_TESTS = ("fisher", "pearson", "yates", "mid_p", "boschloo")
# A p-value that no 2 x 2 test gives may come from a comparison of times; these quantities have times.
_TIMED = ("survival difference",)
_SAME_ENDPOINT = {"survival difference": "death"}


@cache
def table_p_values(a: int, n: int, b: int, m: int) -> dict[str, float]:
    """p of every usual test of a/n against b/m; an empty margin gives 1 by convention."""
    from helpers.stats.contingency import two_by_two_test

    table = [[a, n - a], [b, m - b]]
    if a + b in (0, n + m):
        return {"convention for an empty margin": 1.0}
    return {rule: two_by_two_test(table, rule=rule).p_value for rule in TABLE_TESTS}  # type: ignore[arg-type]


def _counts(entries: Entries, p: Entry) -> tuple[list[int], list[Entry]] | None:
    quantity = _SAME_ENDPOINT.get(p.quantity, p.quantity)
    quantity = "female" if quantity == "sex" else quantity
    found = [entries.count(quantity, g, p.time) for g in entries.groups[:2]]
    sizes = [entries.size(g) for g in entries.groups[:2]]
    if len(found) < 2 or any(f is None for f in found) or any(s is None for s in sizes):
        return None
    (a, first), (b, second) = (f for f in found if f is not None)
    n, m = (s for s in sizes if s is not None)
    return [a, n, b, m], [first[0], second[0]]


def proportions(entries: Entries) -> Iterator[Finding]:
    """Which 2 x 2 test gives each printed p-value."""
    for p in entries.of("p-value"):
        counts = _counts(entries, p)
        if counts is None or p.number is None:
            continue
        (a, n, b, m), rows = counts
        if not (0 <= a <= n and 0 <= b <= m):
            continue
        values = table_p_values(a, n, b, m)
        ids = tuple(dict.fromkeys(e.id for e in (p, *rows)))
        shown = ", ".join(f"{name} {value:.4f}" for name, value in values.items())
        given = [name for name, value in values.items() if p.number.agrees_with(value)]
        if given:
            yield Finding("note", "test of counts", ids, f"{p.label} is given by {', '.join(given)}: {shown}")
        elif p.quantity in _TIMED:
            text = f"{p.label}: no test of {a}/{n} against {b}/{m} gives it ({shown}); a test of times may"
            yield Finding("note", "test of counts", ids, text)
        else:
            text = f"{p.label}: no test of {a}/{n} against {b}/{m} gives it ({shown})"
            yield Finding("contradiction", "test of counts", ids, text)


def untested(entries: Entries) -> Iterator[Finding]:
    """A comparison without a printed p-value that would have been significant."""
    for p in entries.of("absent p-value"):
        counts = _counts(entries, p)
        if counts is None:
            continue
        (a, n, b, m), rows = counts
        fisher = table_p_values(a, n, b, m).get("fisher", 1.0)
        if fisher < 0.05:
            ids = (p.id, *(r.id for r in rows))
            text = f"{p.id} {p.quantity}: {a}/{n} against {b}/{m} has no p in print; Fisher's is {fisher:.3f}"
            yield Finding("tension", "untested", ids, text)


def one_endpoint_two_p_values(entries: Entries) -> Iterator[Finding]:
    """One endpoint with p-values that are not the same."""
    endpoints: dict[tuple[str, str, str], list[Entry]] = defaultdict(list)
    for p in entries.of("p-value"):
        if p.number:
            endpoints[_SAME_ENDPOINT.get(p.quantity, p.quantity), p.group, p.time].append(p)
    for (quantity, *_), rows in endpoints.items():
        if len({p.number for p in rows}) > 1:
            shown = ", ".join(f"{p.printed} ({p.id})" for p in rows)
            ids = tuple(p.id for p in rows)
            if len({p.quantity for p in rows}) > 1:  # counts and times are two questions of one endpoint
                text = f"{quantity}: two tests of one endpoint, of counts and of times: {shown}"
                yield Finding("note", "two tests", ids, text)
            else:
                text = f"{quantity}: one test with the p-values {shown}; one of them is wrong"
                yield Finding("contradiction", "two p-values", ids, text)


@cache
def untied_p_values(n: int, m: int) -> tuple[float, ...]:
    """Every exact two-sided rank-sum p that n against m values without ties can give."""
    size = n * m + 1
    ways = np.zeros((n + 1, size))
    ways[0, 0] = 1.0
    for value in range(1, n + m + 1):
        for k in range(min(n, value), 0, -1):
            shift = value - k
            if shift < size:
                ways[k, shift:] += ways[k - 1, : size - shift]
    share = ways[n] / ways[n].sum()
    distance = np.abs(np.arange(size) - n * m / 2)
    return tuple(float(share[distance >= d].sum()) for d in sorted(set(distance.tolist())))


def _nearest_size(p: Number, n: int, m: int) -> tuple[int, int] | None:
    """Group sizes with the fewest values missing (at most three) for which untied values give p."""
    choices = [(a, b) for a in range(n, max(n - 4, 1), -1) for b in range(m, max(m - 4, 1), -1)]
    for a, b in sorted(choices, key=lambda s: (n - s[0]) + (m - s[1])):
        if any(p.agrees_with(value) for value in untied_p_values(a, b)):
            return a, b
    return None


def rank_sums(entries: Entries) -> Iterator[Finding]:
    """Whether the exact rank-sum test of that many untied values can give the printed p."""
    if len(entries.groups) < 2:
        return
    n, m = (entries.size(g) or 0 for g in entries.groups[:2])
    for p in entries.of("p-value"):
        rows = [entries.of("median", quantity=p.quantity, group=g, time=p.time) for g in entries.groups[:2]]
        if not (all(rows) and p.number) or p.number.sign:
            continue
        ids = (p.id, rows[0][0].id, rows[1][0].id)
        if any(p.number.agrees_with(value) for value in untied_p_values(n, m)):
            text = f"{p.label} is an exact rank-sum p of {n} against {m} values without ties"
        else:
            other = _nearest_size(p.number, n, m)
            text = f"{p.label}: no exact rank-sum p of {n} against {m} values without ties; ties are needed"
            text += f", or missing values ({other[0]} against {other[1]} would do)" if other else ""
        yield Finding("note", "rank-sum test", ids, text)


TEST_RULES: tuple[Rule, ...] = (proportions, untested, one_endpoint_two_p_values, rank_sums)
