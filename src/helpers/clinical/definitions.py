"""Definitions of criteria sets and scores, built from criteria files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from helpers.clinical.criteria_files import CriteriaReader, Directory, Setting, read_criteria
from helpers.clinical.rules import Compare, Rule

MISSING_POLICIES = ("undetermined", "not_met")


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
    """One item of a score: `steps` are (points, rule) in rising order; the highest step met counts."""

    id: str
    label: str
    steps: tuple[tuple[float, Rule], ...]
    standing: str = ""
    note: str = ""


@dataclass(frozen=True)
class Criteria:
    """A set of yes/no items with what is needed of them."""

    name: str
    version: str
    title: str
    source: str
    file: str
    items: tuple[Item, ...]
    needs: tuple[Need, ...]
    missing: str
    settings: Mapping[str, Setting]


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
    probability: tuple[tuple[float, str], ...] = ()


def load_criteria(
    name: str,
    *,
    extra_directories: Iterable[Directory] = (),
    settings: Mapping[str, Any] | None = None,
) -> Criteria | Score:
    """Load a criteria set or score by name from the package or from further folders (a study's own).

    `settings` overrides choices the file declares. Raises `ClinicalError` naming file, key, found and
    expected for everything that is wrong with the file or the settings.
    """
    reader = read_criteria(
        name, ("criteria", "score"), extra_directories=extra_directories, settings=settings
    )
    return criteria_from_reader(reader)


def criteria_from_reader(reader: CriteriaReader) -> Criteria | Score:
    """Build the criteria set or score of an opened file."""
    data = reader.data
    common = ["kind", "name", "version", "title", "source", "note", "missing", "settings", "lists", "items"]
    head = {key: reader.text(data, key, "") for key in ("name", "version", "title", "source")}
    missing = reader.choice(data, "missing", "", MISSING_POLICIES, "undetermined")
    if data.get("kind") == "score":
        reader.known_keys(data, [*common, "cutoff", "probability"], "")
        score_items = tuple(
            _score_item(reader, entry, i) for i, entry in enumerate(reader.tables("items"), 1)
        )
        cutoff = _cutoff(reader)
        table = data.get("probability", [])
        reader.finish()
        printed = tuple((float(score), str(percent)) for score, percent in table)
        return Score(
            **head, file=reader.file, items=score_items, cutoff=cutoff, missing=missing,
            settings=reader.settings, probability=printed,
        )  # fmt: skip
    reader.known_keys(data, [*common, "needs"], "")
    items = tuple(_item(reader, entry, i) for i, entry in enumerate(reader.tables("items"), 1))
    _check_unique(reader, [item.id for item in items])
    needs = tuple(_need(reader, entry, i, items) for i, entry in enumerate(reader.tables("needs"), 1))
    reader.finish()
    return Criteria(
        **head, file=reader.file, items=items, needs=needs, missing=missing, settings=reader.settings
    )  # fmt: skip


def _table(reader: CriteriaReader, name: str) -> Mapping[str, Any]:
    value = reader.data.get(name)
    if not isinstance(value, dict):
        reader.problem(name, value, f"a table [{name}]")
        return {}
    return value


def _cutoff(reader: CriteriaReader) -> Compare:
    rule = reader.rule({"variable": "score", "unit": "1", **_table(reader, "cutoff")}, "cutoff")
    return rule if isinstance(rule, Compare) else Compare("score", ">=", float("nan"), "1")


def _check_unique(reader: CriteriaReader, ids: list[str]) -> None:
    for name in sorted({name for name in ids if ids.count(name) > 1}):
        reader.problem("items.id", name, "each id once")


def _item(reader: CriteriaReader, entry: Mapping[str, Any], number: int) -> Item:
    key = f"items[{number}]."
    reader.known_keys(entry, ["id", "label", "rule", "group", "missing", "standing", "note"], key)
    return Item(
        id=reader.text(entry, "id", key),
        label=reader.text(entry, "label", key),
        rule=reader.rule(entry.get("rule"), f"{key}rule"),
        group=reader.text(entry, "group", key, "items"),
        missing=reader.choice(entry, "missing", key, ("", *MISSING_POLICIES), ""),
        standing=reader.text(entry, "standing", key, ""),
        note=reader.text(entry, "note", key, ""),
    )


def _need(reader: CriteriaReader, entry: Mapping[str, Any], number: int, items: tuple[Item, ...]) -> Need:
    key = f"needs[{number}]."
    reader.known_keys(entry, ["at_least", "at_most", "among", "way"], key)
    groups = sorted({item.group for item in items})
    among = entry.get("among", groups)
    if not isinstance(among, list) or not among or not set(among) <= set(groups):
        reader.problem(f"{key}among", among, f"some of the items' groups ({', '.join(groups)})")
        among = groups
    size = sum(item.group in among for item in items)
    if ("at_least" in entry) == ("at_most" in entry):
        reader.problem(f"{key}at_least", entry.get("at_least"), "at_least or at_most, one of the two")
        return Need(0, tuple(among))
    way = reader.text(entry, "way", key, "main")
    if "at_most" in entry:
        return Need(0, tuple(among), way, reader.whole(entry, "at_most", key, size))
    return Need(reader.whole(entry, "at_least", key, size), tuple(among), way)


def _score_item(reader: CriteriaReader, entry: Mapping[str, Any], number: int) -> ScoreItem:
    key = f"items[{number}]."
    reader.known_keys(entry, ["id", "label", "steps", "standing", "note"], key)
    steps = entry.get("steps")
    if not isinstance(steps, list) or not steps or not all(isinstance(step, dict) for step in steps):
        reader.problem(f"{key}steps", steps, "a list of steps { points = ..., rule = ... }")
        steps = []
    read = []
    for i, step in enumerate(steps, 1):
        reader.known_keys(step, ["points", "rule"], f"{key}steps[{i}].")
        points = reader.number(step, "points", f"{key}steps[{i}].")
        read.append((points, reader.rule(step.get("rule"), f"{key}steps[{i}].rule")))
    points_only = [points for points, _ in read]
    if points_only != sorted(points_only):
        reader.problem(f"{key}steps", points_only, "points in rising order")
    return ScoreItem(
        reader.text(entry, "id", key), reader.text(entry, "label", key), tuple(read),
        reader.text(entry, "standing", key, ""), reader.text(entry, "note", key, ""),
    )  # fmt: skip
