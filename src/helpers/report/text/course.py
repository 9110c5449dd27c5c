"""Claims about laboratory values and signs over the visits.

>>> [claim.key for claim in laboratory_changes(material)][:2]
['course.higher', 'course.lower']
>>> [claim.key for claim in enlarged_spleens(material)][:2]
['spleen.resolved', 'spleen.not_examined']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.text.claims import Claim, Direction, Items, Material, Row, Slot, Term, direction_of
from helpers.results.catalogue import LaboratoryRows, SplenomegalyRows

if TYPE_CHECKING:
    from helpers.cohort.settings import Group
    from helpers.results.store import Statistic


def laboratory_changes(material: Material) -> list[Claim]:
    """Which measurements rose, fell or did not clearly change by the last visit with paired values."""
    claims = []
    for group in material.config.groups:
        tests = _last_tests(material, group)
        for (visit, way, significant), rows in _sorted(material, tests).items():
            slots: dict[str, Slot] = {
                "arm": material.arm(group),
                "visit": material.visit(visit),
                "variables": Items(tuple(_change(material, *row, way, significant) for row in rows)),
            }
            claims.append(Claim(f"course.{way if significant else 'unclear'}", slots))
        if tests:
            claims.append(Claim("course.survivors"))
    return claims


def _last_tests(material: Material, group: Group) -> list[Statistic]:
    """Return the paired test of each measurement at the last visit that has one."""
    found: dict[str, Statistic] = {}
    for row in material.statistics.select(LaboratoryRows.change_test, group=group.id):
        if row.p_value == row.p_value and row.n:
            found[row.variable] = row
    return list(found.values())


def _sorted(
    material: Material, tests: list[Statistic]
) -> dict[tuple[str, Direction, bool], list[tuple[Statistic, Statistic, Statistic]]]:
    """Sort the tests by visit, direction of the median and significance; unclear ones go together."""
    first = material.config.baseline_visit
    found: dict[tuple[str, Direction, bool], list[tuple[Statistic, Statistic, Statistic]]] = {}
    for test in tests:
        start = first.id if first else ""
        change = LaboratoryRows.change.beside(test.id)
        before = LaboratoryRows.median.id(test.variable, group=test.group, timepoint=start)
        after = LaboratoryRows.median.beside(test.id)
        stored = material.statistics
        if any(name not in stored for name in (change, before, after)):
            continue
        way = direction_of(stored[after].value, stored[before].value)
        paired = _way(stored[change])
        # A claim of a rise or fall needs test, medians and paired changes to agree.
        clear = bool(material.significant(test)) and way == paired and way in {"higher", "lower"}
        key = (test.timepoint, way if clear else "", clear)
        found.setdefault(key, []).append((test, stored[before], stored[after]))
    order = {"higher": 0, "lower": 1, "": 2}
    visits = [visit.id for visit in material.config.visits]
    return dict(sorted(found.items(), key=lambda item: (visits.index(item[0][0]), order[item[0][1]])))


def _way(change: Statistic) -> Direction:
    """Return to which side the values of the pairs changed; empty where limits leave that open."""
    if change.value != change.value:  # between bounds: the whole interval may lie on one side
        return "lower" if change.upper < 0 else "higher" if change.lower > 0 else ""
    way = direction_of(change.value, 0.0)
    open_side = {"<": "lower", ">": "higher"}.get(change.qualifier, way)
    return way if open_side == way else ""


def _change(
    material: Material,
    test: Statistic,
    before: Statistic,
    after: Statistic,
    way: Direction,
    significant: bool,
) -> Claim:
    from helpers.analysis.variables import variable_label

    label = Term(variable_label(test.variable, material.config), f"variable.{test.variable}.label", "in_text")
    known = material.config.vocabulary.get(test.variable)
    digits = (known.decimals or 0) if known else 1
    slots: dict[str, Slot] = {"variable": label, "before": Row(before, digits), "after": Row(after, digits)}
    slots["test"] = Row(test)
    if not significant:
        return Claim("course.variable", slots, "", material.significant(test), (), test.id)
    return Claim("course.variable", slots, way, material.significant(test), (after.id, before.id), test.id)


def enlarged_spleens(material: Material) -> list[Claim]:
    """How many enlarged spleens were normal when last examined."""
    stored, claims = material.statistics, []
    for group in material.config.groups:
        rows = stored.select(SplenomegalyRows.count, variable="resolved", group=group.id)
        enlarged = stored.find(SplenomegalyRows.count, "enlarged", group=group.id, timepoint="baseline")
        if enlarged is None:
            continue
        slots: dict[str, Slot] = {"arm": material.arm(group), "enlarged": Row(enlarged, 0)}
        if not rows:
            claims.append(Claim("spleen.not_examined", slots))
            continue
        share = stored[SplenomegalyRows.percent.id("resolved", group=group.id, timepoint=rows[0].timepoint)]
        slots |= {"resolved": Row(rows[0], 0), "share": Row(share, 0), "level": material.level}
        claims.append(Claim("spleen.resolved", slots))
    return claims
