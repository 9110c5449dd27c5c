"""Rules made from a criteria file: every variable known, every limit in the unit it is compared in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from helpers.clinical import criteria_schema as schema
from helpers.clinical.criteria_files import OpenedFile
from helpers.clinical.measures import Measure, Measures
from helpers.clinical.rules import RELATIVE_UNITS, AnyKnown, AtLeast, Compare, Not, Rule, Weighted, When

# How far a limit printed in another unit may lie from the converted one: printed limits are rounded.
FAR = 0.05
_UNREADABLE = Compare("unreadable", "=", 1.0, "1")


class RuleReader:
    """Makes the rules of one opened file; what is wrong with them becomes a fault of the file."""

    def __init__(self, opened: OpenedFile, measures: Measures) -> None:
        self.opened, self.measures = opened, measures

    def rule(self, node: Any, key: str) -> Rule:
        """Make a rule from its table; `key` is the place of the table in the file."""
        if isinstance(node, (schema.LimitNode, schema.SignNode, schema.FallNode, schema.RiseNode)):
            measure = self._measure(node.variable, f"{key}.variable")
            return _UNREADABLE if measure is None else self._comparison(node, measure, key)
        if isinstance(node, schema.NotNode):
            return Not(self.rule(node.not_, f"{key}.not"))
        if isinstance(node, schema.WhenNode):
            when, then, otherwise = (
                self.rule(part, f"{key}.{name}")
                for name, part in (("when", node.when), ("then", node.then), ("otherwise", node.otherwise))
            )
            return When(when, then, otherwise, node.assume)
        if isinstance(node, schema.AnyKnownNode):
            return AnyKnown(self._rules(node.any_known, f"{key}.any_known"))
        if isinstance(node, schema.AnyOfNode):
            return AtLeast(1, self._rules(node.any_of, f"{key}.any_of"))
        if isinstance(node, schema.AllOfNode):
            return AtLeast(len(node.all_of), self._rules(node.all_of, f"{key}.all_of"))
        if node.at_least > len(node.of):
            expected = f"a whole number from 0 to {len(node.of)}"
            self.opened.fault(f"{key}.at_least", node.at_least, expected)
        return AtLeast(node.at_least, self._rules(node.of, f"{key}.of"))

    def _rules(self, nodes: Sequence[Any], key: str) -> tuple[Rule, ...]:
        return tuple(self.rule(node, f"{key}[{i}]") for i, node in enumerate(nodes, 1))

    def _measure(self, name: str, key: str) -> Measure | None:
        measure = self.measures.get(name)
        if measure is None:
            near = self.measures.nearest(name)
            remedy = f"did you mean '{near}'?" if near else "declare it in the cohort's variables.csv"
            self.opened.fault(key, name, "a variable of the vocabulary", remedy)
        return measure

    def _comparison(self, node: Any, measure: Measure, key: str) -> Compare:
        if isinstance(node, schema.SignNode):
            if not measure.sign:
                self.opened.fault(f"{key}.is", node.is_, f"op, value and unit: {measure.name} is a number")
            return sign(measure.name, present=node.is_ == "yes", at=node.at)
        if measure.sign:
            found = "unit" if isinstance(node, schema.LimitNode) else "a percentage"
            self.opened.fault(key, found, f'is = "yes" or "no": {measure.name} is a sign')
            return sign(measure.name, present=True)
        if isinstance(node, schema.FallNode):
            return Compare(measure.name, "<=", 1 - node.falls_percent / 100, "x baseline", kept=measure.unit)
        if isinstance(node, schema.RiseNode):
            return Compare(measure.name, ">=", 1 + node.rises_percent / 100, "x baseline", kept=measure.unit)
        return self._limit(node, measure, key)

    def _limit(self, node: schema.LimitNode, measure: Measure, key: str) -> Compare:
        if node.unit in RELATIVE_UNITS:
            if node.printed:
                self.opened.fault(
                    f"{key}.printed", dict(node.printed), f"nothing beside a limit in {node.unit}"
                )
            return Compare(measure.name, node.op, node.value, node.unit, node.at, kept=measure.unit)
        limits: dict[str, float] = {}
        kept = self._kept(measure, node.value, node.unit, f"{key}.unit", relative=True)
        for unit, value in {node.unit: node.value, **node.printed}.items():
            place = f"{key}.unit" if unit == node.unit else f"{key}.printed.{unit}"
            other = self._kept(measure, value, unit, place) if unit != node.unit else kept
            if other is None:
                continue
            if kept is not None and abs(other - kept) > FAR * abs(kept):
                expected = f"the same limit as {node.value:g} {node.unit}, within {FAR:.0%}"
                self.opened.fault(place, f"{value:g} {unit}", expected)
            limits |= dict.fromkeys(measure.spellings(unit), value)
        return Compare(
            measure.name, node.op, node.value, node.unit, node.at, kept=measure.unit,
            threshold=kept if kept is not None else float("nan"), limits=tuple(sorted(limits.items())),
        )  # fmt: skip

    def _kept(
        self, measure: Measure, value: float, unit: str, key: str, *, relative: bool = False
    ) -> float | None:
        kept = measure.kept(value, unit)
        if kept is None:
            more = f", {', '.join(RELATIVE_UNITS)}" if relative else ""
            self.opened.fault(key, unit, f"a unit of {measure.name}: {measure.accepted()}{more}")
        return kept

    def weighted(self, node: schema.ScoreItemNode, key: str) -> Weighted:
        """Make the weighted value of a score's item."""
        coefficient = float(node.coefficient or 0.0)
        measure = self._measure(node.variable, f"{key}.variable")
        if measure is None or measure.sign:
            return Weighted(node.variable, coefficient, "1", sign=True)
        one = self._kept(measure, 1.0, node.unit, f"{key}.unit")
        nought = measure.kept(0.0, node.unit)
        if one is None or nought is None:
            return Weighted(node.variable, coefficient, node.unit)
        return Weighted(node.variable, coefficient, node.unit, one - nought, nought)


def sign(variable: str, *, present: bool, at: str = "visit") -> Compare:
    """Make the rule that a sign is present, or absent.

    >>> sign("fever", present=True).text(), sign("fever", present=False).text()
    ('fever present', 'fever absent')
    """
    return Compare(variable, "=", float(present), "1", at, kept="1", threshold=float(present), sign=True)
