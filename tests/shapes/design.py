"""Shapes of small cohorts: every pair of conditions occurs together in some shape."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

Shape = Mapping[str, str]

# What a cohort may be like; the words are understood by `cohorts.write_shape`.
FACTORS: dict[str, tuple[str, ...]] = {
    "treated": ("0", "1", "2", "3", "20"),
    "control": ("0", "1", "2", "3", "20"),
    "deaths": ("none", "all", "one", "one arm", "same day", "after the other arm left"),
    "ferritin": ("absent", "one arm", "one value", "tied", "limited", "all limited", "constant", "usual"),
    "platelets": ("usual", "absent", "one arm", "constant", "baseline only"),
    "spleen": ("usual", "absent", "all against none", "one arm"),
    "responses": ("usual", "absent", "one level", "outside windows", "one arm"),
    "events": ("usual", "absent", "ungraded", "partly graded", "colliding", "outside the horizon"),
    "treatments": ("usual", "absent", "one arm", "no study drug"),
    "baseline": ("usual", "no values at baseline", "no baseline visit"),
    "labels": ("plain", "one letter", "long", "markup", "chinese", "arabic"),
    "dates": ("absent", "usual"),
    "language": ("en", "zh"),  # of the documents
}
# One arm of 2,000, and the other of any size: every condition beside each.
LARGE: tuple[tuple[str, dict[str, tuple[str, ...]]], ...] = (
    ("treated", {**FACTORS, "treated": ("2000",), "control": ("0", "1", "20", "2000")}),
    ("control", {**FACTORS, "control": ("2000",), "treated": ("0", "1", "3")}),
)


def pairwise(factors: Mapping[str, Sequence[str]], seed: int, about: str = "") -> Iterator[Shape]:
    """Yield shapes until every pair of levels of two factors has occurred; the seed decides which shapes.

    Greedy: of some random candidates that hold a pair not seen yet, the one with the most such pairs.
    With `about` only the pairs with this factor count. A cohort without any patient is no shape.
    """
    rng = np.random.default_rng(seed)
    names = list(factors)
    open_pairs = {
        ((a, x), (b, y))
        for a, b in itertools.combinations(names, 2)
        for x in factors[a]
        for y in factors[b]
        if about in ("", a, b) and not (x == y == "0")
    }
    while open_pairs:
        (a, x), (b, y) = min(open_pairs)
        candidates = []
        for _ in range(40):
            shape = {name: str(rng.choice(levels)) for name, levels in factors.items()}
            shape |= {a: x, b: y}
            if {shape["treated"], shape["control"]} != {"0"}:
                candidates.append(shape)
        best = max(candidates, key=lambda shape: len(_pairs(shape, names) & open_pairs))
        open_pairs -= _pairs(best, names)
        yield best


def _pairs(shape: Shape, names: Sequence[str]) -> set[tuple[tuple[str, str], tuple[str, str]]]:
    return {((a, shape[a]), (b, shape[b])) for a, b in itertools.combinations(names, 2)}


def shapes(number: int, seed: int = 20261127) -> list[Shape]:
    """Return at least so many different shapes: pairwise designs, one after the other, the first whole."""
    found = {tuple(shape.items()): shape for shape in pairwise(FACTORS, seed)}
    designs = (pairwise(FACTORS, seed + turn) for turn in itertools.count(1))
    later = itertools.chain.from_iterable(designs)
    while len(found) < number:
        shape = next(later)
        found[tuple(shape.items())] = shape
    return list(found.values())


def large_shapes(seed: int = 20261127) -> list[Shape]:
    """Return shapes with an arm of 2,000 patients that hold every other condition beside it."""
    return [shape for about, factors in LARGE for shape in pairwise(factors, seed, about)]
