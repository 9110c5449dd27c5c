"""Claims about response: by clinicians, by rule, over time, by variant of the rule.

>>> [claim.key for claim in overall_response(material)]
['response.overall', 'response.earliest']
>>> [claim.key for claim in response_course(material)]
['response.course']
>>> [claim.key for claim in time_to_response(material)]
['response_time.clinician', 'response_time.rule', 'response_time.rule', 'response_time.rule_sees_visits']
>>> [claim.key for claim in agreement_of_rule(material)]
['rule.agreement', 'rule.rebuilt']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.text.claims import Claim, Items, Material, Row, Slot, Term
from helpers.results.catalogue import (
    ResponseAgreementRows,
    ResponseRows,
    ResponseVariantRows,
    TimeToResponseRows,
)
from helpers.results.store import slug

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helpers.results.store import Statistic


def overall_response(material: Material) -> list[Claim]:
    """Overall and complete response at the last assessed visit, and the earliest response."""
    claims = []
    for group in material.config.groups:
        rates = material.statistics.select(ResponseRows.rate, variable="overall", group=group.id)
        if not rates:
            continue
        rate = rates[-1]
        complete = material.statistics.find(
            ResponseRows.count, "complete", group=group.id, timepoint=rate.timepoint
        )
        slots: dict[str, Slot] = {"visit": material.visit(rate.timepoint), "arm": material.arm(group)}
        slots |= {"rate": Row(rate, 1), "level": material.level}
        if complete is None:
            claims.append(Claim("response.overall_alone", slots))
        else:
            claims.append(Claim("response.overall", slots | {"complete": Row(complete)}))
        first = material.statistics.find(ResponseRows.earliest, "first_response", group=group.id)
        if first is not None:
            claims.append(Claim("response.earliest", {"day": Row(first)}))
    return claims


def response_course(material: Material) -> list[Claim]:
    """Overall response at every assessed visit but the last."""
    claims = []
    for group in material.config.groups:
        rates = material.statistics.select(ResponseRows.rate, variable="overall", group=group.id)
        if len(rates) < 2:
            continue
        visits = tuple(
            Claim("response.at_visit", {"visit": material.visit(row.timepoint), "rate": Row(row, 1)})
            for row in rates[:-1]
        )
        claims.append(Claim("response.course", {"arm": material.arm(group), "visits": Items(visits)}))
    return claims


def time_to_response(material: Material) -> list[Claim]:
    """How many responded by the horizon and how many died before, by clinicians and by rule."""
    claims = []
    for source in ("clinician", "rule"):
        for group in material.config.groups:
            row = material.statistics.find(
                TimeToResponseRows.incidence, source, group=group.id, timepoint=material.day
            )
            if row is None:
                continue
            slots: dict[str, Slot] = {"arm": material.arm(group), "day": material.horizon}
            if row.value != row.value:
                claims.append(Claim(f"response_time.{source}_unknown", slots))
                continue
            died = material.statistics[
                TimeToResponseRows.died_first.id(source, group=group.id, timepoint=material.day)
            ]
            span = Claim("response_time.span", {"incidence": Row(row, 0), "level": material.level})
            slots |= {"incidence": Row(row, 0), "died": Row(died), "span": span, "when": ""}
            median = material.statistics.find(TimeToResponseRows.median_day, source, group=group.id)
            if median is not None:
                slots["when"] = Claim("response_time.median", {"median": Row(median, 0)})
            claims.append(Claim(f"response_time.{source}", slots))
    return [*claims, Claim("response_time.rule_sees_visits")] if claims else []


def agreement_of_rule(material: Material) -> list[Claim]:
    """How often rule and clinicians make the same call."""
    stored = material.statistics
    kappa = stored.find(ResponseAgreementRows.kappa, "calls", timepoint="all_visits")
    if kappa is None:
        return []
    agree = stored[ResponseAgreementRows.agree.id("calls", timepoint="all_visits")]
    claims = [Claim("rule.agreement", {"agree": Row(agree), "kappa": Row(kappa, 2)})]
    if material.config.provenance == "reconstructed":
        claims.append(Claim("rule.rebuilt"))
    return claims


def response_variants(material: Material, variants: Sequence[str], visits: Sequence[str]) -> list[Claim]:
    """Between which rates the overall response lies over all variants of the rule.

    >>> [claim.key for claim in response_variants(material, ["paper"], ["week_8"])][:1]
    ['variants.same']
    """
    claims = []
    for group in material.config.groups:
        for visit in visits:
            rows = _variant_rows(material, variants, group.id, visit)
            if not rows:
                continue
            low, high = min(rows, key=lambda r: r.value), max(rows, key=lambda r: r.value)
            key = "variants.same" if low.value == high.value else "variants.span"
            title = Term(material.config.visit(visit).label, f"visit.{visit}.label")
            slots: dict[str, Slot] = {"title": title, "visit": material.visit(visit)}
            slots["arm"] = material.arm(group)
            claims.append(Claim(key, slots | {"low": Row(low, 0), "high": Row(high, 0)}))
    return claims


def _variant_rows(material: Material, variants: Sequence[str], group: str, visit: str) -> list[Statistic]:
    found = (
        material.statistics.find(ResponseVariantRows.overall, slug(label), group=group, timepoint=visit)
        for label in variants
    )
    return [row for row in found if row is not None]
