"""Definitions of criteria sets and scores, built from criteria files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from helpers.clinical.criteria_files import Directory, OpenedFile, Setting, open_criteria
from helpers.clinical.criteria_schema import (
    CriteriaNode,
    ItemNode,
    NeedNode,
    RunNode,
    ScoreItemNode,
    ScoreNode,
)
from helpers.clinical.derived import Derived
from helpers.clinical.measures import Measures, shipped_measures
from helpers.clinical.rule_reading import RuleReader
from helpers.clinical.rules import Compare, Rule, Weighted

MISSING_POLICIES: Final = ("undetermined", "not_met")


@dataclass(frozen=True)
class Item:
    """One item of a criteria set. `missing` says how it counts when unknown; "" leaves it to the set."""

    id: str
    label: str
    rule: Rule
    group: str = "items"
    missing: str = ""
    standing: str = ""
    note: str = ""


@dataclass(frozen=True)
class Need:
    """At least (or at most) so many items of some groups.

    Needs of one way hold together; ways are alternatives.
    """

    at_least: int
    among: tuple[str, ...]
    way: str = "main"
    at_most: int | None = None


@dataclass(frozen=True)
class ScoreItem:
    """One item of a score: points by steps, or a weighted value.

    `steps` are (points, rule) in rising order; the highest step met counts.
    """

    id: str
    label: str
    steps: tuple[tuple[float, Rule], ...] = ()
    weighted: Weighted | None = None
    standing: str = ""
    note: str = ""


@dataclass(frozen=True)
class Criteria:
    """A set of yes/no items with what is needed of them.

    `runs` are runs of days on a dose that its rules speak of, `verdicts` the verdicts of other sets (any of
    the named ones), each by the name of its variable.
    """

    name: str
    version: str
    title: str
    source: str
    file: str
    items: tuple[Item, ...]
    needs: tuple[Need, ...]
    missing: str
    settings: Mapping[str, Setting]
    note: str = ""
    runs: Mapping[str, RunNode] = field(default_factory=dict)
    verdicts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Score:
    """A sum of points with a cut-off; `probability` is the printed table (score, percent text)."""

    name: str
    version: str
    title: str
    source: str
    file: str
    items: tuple[ScoreItem, ...]
    cutoff: Compare
    missing: str
    settings: Mapping[str, Setting]
    note: str = ""
    probability: tuple[tuple[float, str], ...] = ()


def load_criteria(
    name: str,
    *,
    extra_directories: Iterable[Directory] = (),
    settings: Mapping[str, Any] | None = None,
    measures: Measures | None = None,
) -> Criteria | Score:
    """Load a criteria set or score by name from the package or from further folders (a study's own).

    Args:
        name: the file's name without ending.
        extra_directories: a cohort's own folders of criteria files.
        settings: choices that the file declares, other than their defaults.
        measures: the variables that rules may name; those of the package by default.

    Raises:
        ClinicalError: all that is wrong with the file or the settings, with file, key, found and expected.

    Example:
        >>> load_criteria("hlh_2004").title
        'HLH-2004 diagnostic criteria'
    """
    opened = open_criteria(
        name, ("criteria", "score"), extra_directories=extra_directories, settings=settings
    )
    known = measures or shipped_measures()
    built = _score(opened, known) if opened.kind == "score" else _criteria(opened, known)
    opened.finish()
    return built


def load_set(name: str, **options: Any) -> Criteria:
    """Load a criteria set as of `load_criteria`; ClinicalError if the file holds a score.

    >>> sum(item.group == "items" for item in load_set("hlh_2004").items)
    8
    >>> load_set("hscore")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    helpers.clinical.errors.CriteriaError: criteria file criteria/hscore.toml, key kind: fou...
    """
    opened = open_criteria(
        name, ("criteria",), extra_directories=options.get("extra_directories", ()),
        settings=options.get("settings"),
    )  # fmt: skip
    built = _criteria(opened, options.get("measures") or shipped_measures())
    opened.finish()
    return built


def _head(opened: OpenedFile) -> dict[str, Any]:
    node = opened.node
    head = {key: getattr(node, key) for key in ("name", "version", "title", "source", "note", "missing")}
    return {**head, "file": opened.file, "settings": opened.settings}


def _criteria(opened: OpenedFile, measures: Measures) -> Criteria:
    node: CriteriaNode = opened.node
    runs = {name: Derived("d", f"days before day 0 on {run.dose}") for name, run in node.runs.items()}
    verdicts = {name: Derived("1", ", ".join(of), sign=True) for name, of in node.verdicts.items()}
    reader = RuleReader(opened, measures.with_derived(**runs, **verdicts))
    items = tuple(_item(reader, entry, f"items[{i}]") for i, entry in enumerate(node.items, 1))
    _check_unique(opened, "items.id", [item.id for item in items])
    needs = tuple(_need(opened, need, f"needs[{i}]", items) for i, need in enumerate(node.needs, 1))
    return Criteria(**_head(opened), items=items, needs=needs, runs=node.runs, verdicts=node.verdicts)


def _score(opened: OpenedFile, measures: Measures) -> Score:
    node: ScoreNode = opened.node
    reader = RuleReader(opened, measures)
    items = tuple(_score_item(reader, entry, f"items[{i}]") for i, entry in enumerate(node.items, 1))
    _check_unique(opened, "items.id", [item.id for item in items])
    cutoff = Compare("score", node.cutoff.op, node.cutoff.value, "1", kept="1", threshold=node.cutoff.value)
    return Score(**_head(opened), items=items, cutoff=cutoff, probability=node.probability)


def _check_unique(opened: OpenedFile, key: str, ids: list[str]) -> None:
    for name in sorted({name for name in ids if ids.count(name) > 1}):
        opened.fault(key, name, "each id once")


def _item(reader: RuleReader, node: ItemNode, key: str) -> Item:
    rule = reader.rule(node.rule, f"{key}.rule")
    return Item(node.id, node.label, rule, node.group, node.missing, node.standing, node.note)


def _need(opened: OpenedFile, node: NeedNode, key: str, items: tuple[Item, ...]) -> Need:
    groups = sorted({item.group for item in items})
    among = tuple(groups) if node.among is None else node.among
    if not set(among) <= set(groups):
        opened.fault(f"{key}.among", list(among), f"some of the items' groups ({', '.join(groups)})")
    if (node.at_least is None) == (node.at_most is None):
        opened.fault(f"{key}.at_least", node.at_least, "at_least or at_most, one of the two")
        return Need(0, among)
    size = sum(item.group in among for item in items)
    for name in ("at_least", "at_most"):
        value = getattr(node, name)
        if value is not None and value > size:
            opened.fault(f"{key}.{name}", value, f"a whole number from 0 to {size}")
    return Need(node.at_least or 0, among, node.way, node.at_most)


def _score_item(reader: RuleReader, node: ScoreItemNode, key: str) -> ScoreItem:
    if bool(node.steps) == (node.coefficient is not None):
        found = "both" if node.steps else None
        reader.opened.fault(f"{key}.steps", found, "steps of points, or coefficient with variable and unit")
    if node.coefficient is not None:
        weighted = reader.weighted(node, key)
        return ScoreItem(node.id, node.label, (), weighted, node.standing, node.note)
    steps = tuple(
        (step.points, reader.rule(step.rule, f"{key}.steps[{i}].rule"))
        for i, step in enumerate(node.steps, 1)
    )
    points = [one for one, _ in steps]
    if points != sorted(points):
        reader.opened.fault(f"{key}.steps", points, "points in rising order")
    return ScoreItem(node.id, node.label, steps, None, node.standing, node.note)
