"""Claims about the drugs to be spared: the fall of the dose, low doses, who is alive at one.

>>> [claim.key for claim in dose_change(material)][:2]
['dose.change', 'dose.survivors']
>>> [claim.key for claim in low_dose(material)][:2]
['low_dose.reached', 'low_dose.reached']
>>> [claim.key for claim in alive_at_low_dose(material)][:2]
['alive_low_dose.group', 'alive_low_dose.group']
>>> no_doses(config).key, spared(config).text, threshold(material).text
('dose.none', 'Glucocorticoid', '0.5')
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.text.claims import Claim, Material, Row, Slot, Term, direction_of, plain_row
from helpers.report.text.prose import Declared
from helpers.results.catalogue import AliveLowDoseRows, CompositeRankRows, GlucocorticoidRows

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig


def no_doses(config: CohortConfig) -> Claim:
    """That no doses of the drugs to be spared are recorded."""
    return Claim("dose.none", {"spared": spared(config)})


def spared(config: CohortConfig) -> Term:
    """What is to be spared, for the middle of a sentence."""
    return Term(config.spared_label, "", "in_text")


def dose_change(material: Material) -> list[Claim]:
    """How far the median dose moved from baseline to the last visit, and what the paired test says."""
    stored, claims = material.statistics, []
    for row in stored.select(GlucocorticoidRows.fall_of_median, variable="dose"):
        first = material.config.baseline_visit
        assert first is not None, "a fall from baseline is stored only where there is a baseline visit"
        before = stored[GlucocorticoidRows.median.id("dose", group=row.group, timepoint=first.id)]
        after = stored[GlucocorticoidRows.median.id("dose", group=row.group, timepoint=row.timepoint)]
        test = stored[GlucocorticoidRows.change_test.id("dose", group=row.group, timepoint=row.timepoint)]
        slots: dict[str, Slot] = {"arm": material.arm(material.config.group(row.group))}
        slots |= {"before": Row(before, 1), "after": Row(after, 1), "fall": Row(row, 1), "test": Row(test)}
        slots["visit"] = material.visit(row.timepoint)
        way = direction_of(after.value, before.value)
        compared = (after.id, before.id)
        claims.append(Claim("dose.change", slots, way, material.significant(test), compared, test.id))
        claims.append(Claim("dose.survivors"))
    return claims


def low_dose(material: Material) -> list[Claim]:
    """How many patients reached a low dose by the horizon, with death competing."""
    stored, claims = material.statistics, []
    for group in material.config.groups:
        stem = GlucocorticoidRows.stem("low_dose", group=group.id, timepoint=material.day)
        if GlucocorticoidRows.reached.at(stem) not in stored:
            continue
        slots: dict[str, Slot] = {"arm": material.arm(group), "day": material.horizon}
        slots |= {"reached": Row(stored[GlucocorticoidRows.reached.at(stem)]), "level": material.level}
        slots["limit"] = plain_row(stored[GlucocorticoidRows.threshold.id("low_dose", group=group.id)])
        slots["died"] = Row(stored[GlucocorticoidRows.died_first.at(stem)], 0)
        slots["incidence"] = Row(stored[GlucocorticoidRows.incidence.at(stem)], 1)
        claims.append(Claim("low_dose.reached", slots))
    return claims


def threshold(material: Material) -> Declared:
    """The configured low dose for a sentence."""
    return Declared(f"{material.config.steroids.threshold_mg_per_kg:g}", "steroids.threshold_mg_per_kg")


def alive_at_low_dose(material: Material) -> list[Claim]:
    """Who is alive at a low dose, whether the groups differ, and whom the doses describe."""
    stored, claims = material.statistics, []
    for group in material.config.groups:
        rows = stored.select(AliveLowDoseRows, variable="patients", group=group.id)
        by_name = {row.statistic: row for row in rows}
        if "percent" not in by_name:
            continue
        share = by_name["percent"]
        limit = stored[AliveLowDoseRows.threshold.id("dose", group=group.id, timepoint=share.timepoint)]
        slots: dict[str, Slot] = {"arm": material.arm(group), "visit": material.visit(share.timepoint)}
        slots |= {"alive": Row(by_name["low_dose"], 0), "share": Row(share, 0), "level": material.level}
        slots |= {"limit": plain_row(limit), "died": Row(by_name["died"], 0)}
        claims.append(Claim("alive_low_dose.group", slots))
    if not claims:
        return []
    return [*claims, *_compared(material), Claim("alive_low_dose.whom")]


def _compared(material: Material) -> list[Claim]:
    stored, claims = material.statistics, []
    treated, reference = material.config.treated, material.config.reference
    for test in stored.select(AliveLowDoseRows.test, group="both"):
        assert treated is not None
        assert reference is not None
        shares = [
            stored.find(AliveLowDoseRows.percent, "patients", group=g.id, timepoint=test.timepoint)
            for g in (treated, reference)
        ]
        first, second = shares
        slots: dict[str, Slot] = {"test": Row(test), "treated": material.arm(treated)}
        if first is None or second is None:
            continue
        way = direction_of(first.value, second.value)
        compared = (first.id, second.id)
        claims.append(
            Claim("alive_low_dose.compared", slots, way, material.significant(test), compared, test.id)
        )
    for test in stored.select(CompositeRankRows.test, group="both"):
        if test.value != test.value:
            continue
        assert treated is not None
        assert reference is not None
        better = stored.find(CompositeRankRows.probability, "rank", group="both", timepoint=test.timepoint)
        span: Slot = ""
        if better is not None and better.lower == better.lower:
            span = Claim("composite_rank.span", {"better": Row(better, 2), "level": material.level})
        slots = {"test": Row(test), "probability": Row(test, 2), "span": span}
        slots |= {"treated": material.arm(treated), "reference": material.arm(reference)}
        claims.append(
            Claim(
                "composite_rank.compared",
                slots,
                direction_of(test.value, 0.5),
                material.significant(test),
                (test.id,),
                test.id,
                0.5,
            )
        )
    return claims
