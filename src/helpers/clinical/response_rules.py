"""Response rules read from criteria files: what makes a marker improved, evaluable and normal.

>>> rule = load_response_rule("response_paper")
>>> rule.setting("missing"), len(rule.markers[0].rules()) >= 3
('missing', True)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from helpers.clinical.criteria_files import Directory, Setting, open_criteria
from helpers.clinical.criteria_schema import FallNode, MarkerNode, ResponseNode, RiseNode
from helpers.clinical.measures import Measures, shipped_measures
from helpers.clinical.rule_reading import RuleReader
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
    note: str = ""

    def setting(self, name: str) -> Any:
        """Value of a setting in force."""
        return self.settings[name].value


def load_response_rule(
    name: str = "response_paper",
    *,
    extra_directories: Iterable[Directory] = (),
    settings: Mapping[str, Any] | None = None,
    measures: Measures | None = None,
) -> ResponseRule:
    """Load a response rule by name from the package or a study's own folder, with choices made in `settings`.

    `measures` are the variables that its rules may name, those of the package by default. Raises
    `ClinicalError` naming file, key, found and expected.

    >>> rule = load_response_rule("response_paper")
    >>> rule.setting("missing"), rule.markers[0].variables, len(rule.markers[0].rules()) >= 3
    ('missing', ('scd25',), True)
    """
    opened = open_criteria(name, ("response",), extra_directories=extra_directories, settings=settings)
    for setting in _SETTINGS:
        if setting not in opened.settings:
            opened.fault(f"settings.{setting}", None, "this setting, which every response rule makes")
    reader = RuleReader(opened, measures or shipped_measures())
    node: ResponseNode = opened.node
    markers = tuple(_marker(reader, entry, f"markers[{i}]") for i, entry in enumerate(node.markers, 1))
    ids = [marker.id for marker in markers]
    for repeated in sorted({one for one in ids if ids.count(one) > 1}):
        opened.fault("markers.id", repeated, "each id once")
    exempt = opened.settings.get("cr_exempt")
    if exempt is not None and exempt.value and exempt.value not in ids:
        opened.fault("settings.cr_exempt", exempt.value, f"empty or one of {', '.join(ids)}")
    opened.finish()
    return ResponseRule(
        node.name, node.version, node.title, node.source, opened.file, markers, opened.settings, node.note
    )


def _marker(reader: RuleReader, node: MarkerNode, key: str) -> Marker:
    rules = _rules_by_direction(reader, node, key)
    for name in ("abnormal", "improved", "normal"):
        given = getattr(node, name)
        if given is not None:
            rules[name] = reader.rule(given, f"{key}.{name}")
        elif name not in rules:
            expected = "a rule, or a variable with its direction"
            reader.opened.fault(f"{key}.{name}", None, expected)
    nothing = Compare("unreadable", "=", 1.0, "1")
    specific = node.specific
    own = None if specific is None else reader.rule(specific.improved, f"{key}.specific.improved")
    applies = None
    if specific is not None and specific.applies is not None:
        applies = reader.rule(specific.applies, f"{key}.specific.applies")
    abnormal, improved, normal = (rules.get(name, nothing) for name in ("abnormal", "improved", "normal"))
    return Marker(node.id, node.label, abnormal, improved, normal, own, applies)


def _rules_by_direction(reader: RuleReader, node: MarkerNode, key: str) -> dict[str, Rule]:
    """Rules of a laboratory marker for which down, or up, is better."""
    if not node.variable:
        return {}
    down = node.direction == "down"
    percent = float(reader.opened.settings["improvement"].value) if _improvement(reader) else 25.0
    change: FallNode | RiseNode = (
        FallNode(variable=node.variable, falls_percent=percent) if down
        else RiseNode(variable=node.variable, rises_percent=percent)
    )  # fmt: skip
    improved = reader.rule(change, f"{key}.improved")
    unit = improved.kept if isinstance(improved, Compare) else ""
    abnormal = Compare(
        node.variable, ">" if down else "<", 1.0, "x ULN" if down else "x LLN", "baseline", kept=unit
    )
    below = Compare(node.variable, "<=", 1.0, "x ULN", kept=unit)
    above = Compare(node.variable, ">=", 1.0, "x LLN", kept=unit)
    side = reader.opened.settings.get("cr_side")
    both = side is not None and side.value == "both"
    normal: Rule = AtLeast(2, (above, below)) if both else (below if down else above)
    return {"abnormal": abnormal, "normal": normal, "improved": improved}


def _improvement(reader: RuleReader) -> bool:
    """Tell whether the setting `improvement` is a percentage; record the fault if it is not."""
    found = reader.opened.settings.get("improvement")
    good = found is not None and isinstance(found.value, int | float) and 0 < found.value <= 100
    if not good and found is not None:
        expected = "a percentage above 0 and at most 100"
        if not any(fault.key == "settings.improvement" for fault in reader.opened.faults):
            reader.opened.fault("settings.improvement", found.value, expected)
    return good
