"""Response rules read from criteria files: what makes a marker improved, evaluable and normal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from helpers.clinical.criteria_files import CriteriaReader, Directory, Setting, read_criteria
from helpers.clinical.rules import AtLeast, Compare, Rule

_SETTINGS = (
    "markers_needed", "improvement", "marker_thresholds", "outside_threshold", "baseline_normal", "partial",
    "cr_missing", "cr_minimum", "cr_exempt", "cr_side", "unknown_markers", "dead", "withdrawn", "missing",
)  # fmt: skip


@dataclass(frozen=True)
class Marker:
    """A parameter or symptom of a response rule.

    `abnormal` is read at baseline; `improved` is the general rule (25%); `specific` the marker's own
    threshold, which speaks of patients for whom `applies` holds (None: of all).
    """

    id: str
    label: str
    abnormal: Rule
    improved: Rule
    normal: Rule
    specific: Rule | None = None
    applies: Rule | None = None

    @property
    def variables(self) -> tuple[str, ...]:
        """Variables that show the marker at a visit."""
        return tuple(sorted({leaf.variable for leaf in self.normal.leaves()}))

    def rules(self) -> list[Rule]:
        """Every rule of the marker."""
        return [
            rule for rule in (self.abnormal, self.improved, self.normal, self.specific, self.applies) if rule
        ]


@dataclass(frozen=True)
class ResponseRule:
    """A rule for complete, partial and no response, with every open choice as a setting."""

    name: str
    version: str
    title: str
    source: str
    file: str
    markers: tuple[Marker, ...]
    settings: Mapping[str, Setting]

    def setting(self, name: str) -> Any:
        """Value of a setting in force."""
        return self.settings[name].value


def load_response_rule(
    name: str = "response_paper",
    *,
    extra_directories: Iterable[Directory] = (),
    settings: Mapping[str, Any] | None = None,
) -> ResponseRule:
    """Load a response rule by name from the package or a study's own folder, with choices made in `settings`.

    Raises `ClinicalError` naming file, key, found and expected.
    """
    reader = read_criteria(name, ("response",), extra_directories=extra_directories, settings=settings)
    data = reader.data
    reader.known_keys(
        data, ["kind", "name", "version", "title", "source", "note", "settings", "lists", "markers"], ""
    )
    for setting in _SETTINGS:
        if setting not in reader.settings:
            reader.problem(f"settings.{setting}", None, "this setting, which every response rule makes")
    head = {key: reader.text(data, key, "") for key in ("name", "version", "title", "source")}
    tables = reader.tables("markers")
    markers = tuple(_marker(reader, entry, f"markers[{i}].") for i, entry in enumerate(tables, 1))
    ids = [marker.id for marker in markers]
    for repeated in sorted({name for name in ids if ids.count(name) > 1}):
        reader.problem("markers.id", repeated, "each id once")
    _check_exempt(reader, ids)
    reader.finish()
    return ResponseRule(**head, file=reader.file, markers=markers, settings=reader.settings)


def _check_exempt(reader: CriteriaReader, ids: list[str]) -> None:
    exempt = reader.settings.get("cr_exempt")
    if exempt is not None and exempt.value and exempt.value not in ids:
        reader.problem("settings.cr_exempt", exempt.value, f"empty or one of {', '.join(ids)}")


def _marker(reader: CriteriaReader, entry: Mapping[str, Any], key: str) -> Marker:
    allowed = ["id", "label", "variable", "direction", "abnormal", "improved", "normal", "specific"]
    reader.known_keys(entry, allowed, key)
    rules = _rules_by_direction(reader, entry, key)
    for name in ("abnormal", "improved", "normal"):
        if name in entry or name not in rules:
            rules[name] = reader.rule(entry.get(name), f"{key}{name}")
    specific = entry.get("specific")
    own = applies = None
    if isinstance(specific, dict):
        reader.known_keys(specific, ["applies", "improved"], f"{key}specific.")
        own = reader.rule(specific.get("improved"), f"{key}specific.improved")
        if "applies" in specific:
            applies = reader.rule(specific["applies"], f"{key}specific.applies")
    elif specific is not None:
        reader.problem(
            f"{key}specific", specific, "a table with improved, and applies where it does not hold for all"
        )
    return Marker(
        reader.text(entry, "id", key), reader.text(entry, "label", key),
        rules["abnormal"], rules["improved"], rules["normal"], own, applies,
    )  # fmt: skip


def _rules_by_direction(reader: CriteriaReader, entry: Mapping[str, Any], key: str) -> dict[str, Rule]:
    """Rules of a laboratory marker for which down, or up, is better."""
    if "variable" not in entry:
        return {}
    variable = reader.text(entry, "variable", key)
    direction = reader.choice(entry, "direction", key, ("down", "up"), "down")
    change = "falls_percent" if direction == "down" else "rises_percent"
    down = direction == "down"
    abnormal = Compare(variable, ">" if down else "<", 1.0, "x ULN" if down else "x LLN", "baseline")
    below, above = Compare(variable, "<=", 1.0, "x ULN"), Compare(variable, ">=", 1.0, "x LLN")
    side = reader.settings.get("cr_side")
    both = side is not None and side.value == "both"
    normal: Rule = AtLeast(2, (above, below)) if both else (below if down else above)
    improved = reader.rule({"variable": variable, change: "$improvement"}, f"{key}improved")
    return {"abnormal": abnormal, "normal": normal, "improved": improved}
