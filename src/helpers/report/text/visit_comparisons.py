"""Claims about variables compared between the groups at visits.

>>> [claim.key for claim in visit_comparisons(material)]
[]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.text.claims import Claim, Items, Material, Row, Slot, Term, direction_of
from helpers.results.catalogue import VisitComparisonRows

if TYPE_CHECKING:
    from helpers.cohort.outcomes import VisitComparison
    from helpers.results.store import Statistic


def visit_comparisons(material: Material) -> list[Claim]:
    """What differs at each visit that the cohort names, after adjustment for the tests of that visit."""
    treated, reference = material.config.treated, material.config.reference
    if treated is None or reference is None:
        return []
    return [claim for family in material.config.visit_comparisons for claim in _family(material, family)]


def _family(material: Material, family: VisitComparison) -> list[Claim]:
    stored, visit = material.statistics, family.visit
    both = {"group": "both", "timepoint": visit}
    tests = {name: stored.find(VisitComparisonRows.test, name, **both) for name in family.variables}
    known = {name: row for name, row in tests.items() if row is not None and row.p_value == row.p_value}
    if not known:
        return []
    judged = {
        name: stored.find(VisitComparisonRows.test_adjusted, name, **both) or row
        for name, row in known.items()
    }
    apart = tuple(
        _difference(material, known[name], row)
        for name, row in judged.items()
        if row.p_value < material.alpha
    )
    slots: dict[str, Slot] = {"visit": material.visit(visit), "variables": Items(apart, "semicolons")}
    lowest = min(judged.values(), key=lambda row: row.p_value)
    slots["lowest"] = Row(lowest)
    return [Claim("visit_comparison.differ" if apart else "visit_comparison.none", slots)]


def _difference(material: Material, test: Statistic, judged: Statistic) -> Claim:
    from helpers.analysis.variables import variable_label

    label = variable_label(test.variable, material.config)
    both = {"group": "both", "timepoint": test.timepoint}
    gap = material.statistics.find(
        VisitComparisonRows.shift, test.variable, **both
    ) or material.statistics.find(VisitComparisonRows.difference, test.variable, **both)
    assert gap is not None, "a difference is stored with every test"
    slots: dict[str, Slot] = {"variable": Term(label, f"variable.{test.variable}.label", "in_text")}
    slots |= {"difference": Row(gap), "level": material.level, "test": Row(judged)}
    slots["unit"] = Term(gap.unit, "data.measurements.unit", "plain")
    return Claim(
        "visit_comparison.variable", slots, direction_of(gap.value, 0.0), True, (gap.id,), judged.id, 0.0
    )
