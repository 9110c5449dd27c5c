"""Claims about adverse events, laboratory toxicity, exposure and what came later.

>>> [claim.key for claim in adverse_events(material)]
['events.group_mild', 'events.not_collected']
>>> [claim.key for claim in deaths_beside_events(material)]
['events.one_death']
>>> [claim.key for claim in event_terms(material)]
['events.terms']
>>> [claim.key for claim in event_rates(material)]
['event_rate.group']
>>> [claim.key for claim in laboratory_toxicity(material)]
['toxicity.arisen', 'toxicity.arisen', 'toxicity.disease_or_drug']
>>> [claim.key for claim in exposure(material)]
['exposure.group']
>>> [claim.key for claim in later_course(material)]
['added.count', 'long_term.responders']
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from helpers.report.text.claims import Claim, Items, Material, Row, Slot, Term, plain_row
from helpers.report.text.prose import Declared
from helpers.results.catalogue import (
    AddedTherapyRows,
    AdverseEventsRows,
    EventRateRows,
    ExposureRows,
    LaboratoryToxicityRows,
    LongTermRows,
    ToxicityFindingRows,
)
from helpers.results.store import slug

if TYPE_CHECKING:
    from helpers.results.store import Statistic

# Rows of the events as a whole; others are of one event, which is their note.
GENERAL = ("any", "serious", "grade_3_or_higher", "deaths")


def adverse_events(material: Material) -> list[Claim]:
    """How many patients had any, any serious and any severe adverse event."""
    claims = []
    for group in material.config.groups:
        rows = {
            name: material.statistics.find(AdverseEventsRows.count, name, group=group.id)
            for name in ("any", "serious", "grade_3_or_higher")
        }
        first = rows["any"]
        if first is None:
            continue
        slots: dict[str, Slot] = {"arm": material.arm(group)}
        if math.isnan(first.value):
            claims.append(Claim("events.not_collected", slots))
            continue
        if first.value == 0:
            claims.append(Claim("events.none", slots))
            continue
        slots |= {name: _patients(row) for name, row in rows.items()}
        worse = [rows[name] for name in ("serious", "grade_3_or_higher")]
        none = all(row is not None and row.value == 0 and not row.n_missing for row in worse)
        claims.append(Claim("events.group_mild" if none else "events.group", slots))
    return claims


def deaths_beside_events(material: Material) -> list[Claim]:
    """How many died without an event of grade 5: their deaths are outcomes, not recorded events."""
    claims = []
    for group in material.config.groups:
        rows = material.statistics.select(AdverseEventsRows, group=group.id)
        collected = any(row.variable == "any" and row.value == row.value for row in rows)
        fatal = any(row.statistic == "grade_5" and row.value > 0 for row in rows)
        deaths = material.statistics.find(AdverseEventsRows.count, "deaths", group=group.id)
        if collected and not fatal and deaths is not None and deaths.value > 0:
            slots: dict[str, Slot] = {"deaths": Row(deaths, 0), "arm": material.arm(group)}
            claims.append(Claim("events.one_death" if deaths.value == 1 else "events.deaths", slots))
    return claims


def _patients(row: Statistic | None) -> Claim:
    """How many patients, between which bounds, or that it was not recorded."""
    if row is None or math.isnan(row.value):
        return Claim("events.not_recorded")
    if row.n_missing:
        return Claim("events.bounds", {"count": Row(row, 0)})
    return Claim("events.known", {"count": Row(row)})


def event_terms(material: Material) -> list[Claim]:
    """Which events were recorded, each with its patients."""
    claims = []
    for group in material.config.groups:
        rows = [
            row
            for row in material.statistics.select(AdverseEventsRows.count, group=group.id)
            if row.level and row.variable not in GENERAL and row.value > 0
        ]
        if rows:
            terms = tuple(_term(row, material) for row in rows)
            claims.append(Claim("events.terms", {"arm": material.arm(group), "terms": Items(terms)}))
    return claims


def _term(row: Statistic, material: Material) -> Claim:
    """An event with its patients, and in how many it reached which grade."""
    grades = tuple(
        Claim(
            "events.grade",
            {
                "grade": Declared(one.statistic.removeprefix("grade_"), "data.events.grade"),
                "count": Row(one, 0),
            },
        )
        for one in material.statistics.select(AdverseEventsRows, variable=row.variable, group=row.group)
        if one.statistic.startswith("grade_") and one.value > 0
    )
    slots: dict[str, Slot] = {"term": Term(row.level, "data.events.term"), "count": Row(row)}
    if not grades:
        return Claim("events.term", slots)
    return Claim("events.term_graded", slots | {"grades": Items(grades)})


def event_rates(material: Material) -> list[Claim]:
    """Rate of recorded events by group with its exact interval, and what none recorded excludes."""
    stored, claims = material.statistics, []
    for group in material.config.groups:
        rows = stored.select(EventRateRows.per_100_patient_years, variable="any", group=group.id)
        for row in rows:
            bound = EventRateRows.upper_limit_if_none.beside(row.id)
            slots: dict[str, Slot] = {"arm": material.arm(group), "rate": Row(row, 0)}
            slots |= {
                "events": Row(stored[EventRateRows.n_events.beside(row.id)], 0),
                "level": material.level,
            }
            slots["years"] = Row(stored[EventRateRows.patient_years.beside(row.id)], 2)
            claims.append(Claim("event_rate.group", slots))
            if bound in stored:
                limit = Row(stored[bound], 1)
                claims.append(Claim("event_rate.none", {"limit": limit, "rate": Row(row)}))
    return claims


def laboratory_toxicity(material: Material) -> list[Claim]:
    """In which term severe grades were most frequent, and how many patients have no event for them."""
    stored, claims = material.statistics, []
    for group in material.config.groups:
        rows = stored.select(LaboratoryToxicityRows.severe, group=group.id)
        if not rows:
            continue
        arisen = {
            row.variable: row for row in stored.select(LaboratoryToxicityRows.severe_new, group=group.id)
        }
        # What is new after day 0 comes before what was there already.
        most = max(rows, key=lambda row: (_share(arisen.get(row.variable)), _share(row)))
        slots: dict[str, Slot] = {"arm": material.arm(group), "severe": Row(most, 0)}
        slots["term"] = Term(most.level, "", "in_text")
        new = arisen.get(most.variable)
        only = stored.find(ToxicityFindingRows.laboratory_only, most.variable, group=group.id)
        if not most.value:
            claims.append(Claim("toxicity.none_severe", slots))
            continue
        slots["only"] = Claim("toxicity.only", {"only": Row(only, 0)}) if only is not None else ""
        if new is None:
            claims.append(Claim("toxicity.group", slots))
            continue
        claims.append(
            Claim("toxicity.arisen" if new.value else "toxicity.none_new", slots | {"new": Row(new, 0)})
        )
    return [*claims, Claim("toxicity.disease_or_drug")] if claims else []


def _share(row: Statistic | None) -> float:
    return row.value / row.n if row is not None and row.n else 0.0


def exposure(material: Material) -> list[Claim]:
    """How many patients received each study drug, at which doses and for how long."""
    stored, claims = material.statistics, []
    for name in material.config.study_drugs:
        drug = slug(name)
        for group in material.config.groups:
            patients = stored.find(ExposureRows.patients, drug, group=group.id)
            if patients is None:
                continue
            stem = ExposureRows.stem(drug, group=group.id)
            slots: dict[str, Slot] = {"arm": material.arm(group), "patients": Row(patients, 0)}
            low, high = stored[ExposureRows.lowest_dose.at(stem)], stored[ExposureRows.highest_dose.at(stem)]
            slots |= {"low": plain_row(low), "high": plain_row(high)}
            slots["unit"] = Term(
                high.unit.removesuffix(" an administration"), "data.treatments.unit", "plain"
            )
            slots["months"] = Row(stored[ExposureRows.median.id(f"{drug}_months", group=group.id)], 1)
            slots["drug"] = Term(name, "study_drug")
            claims.append(Claim(_exposure_key(low.value, high.value), slots))
    return claims


def _exposure_key(low: float, high: float) -> str:
    if low != low:
        return "exposure.group_no_dose"
    return "exposure.group" if low != high else "exposure.group_one_dose"


def later_course(material: Material) -> list[Claim]:
    """Drugs added in responders, and how long and how well responders were followed."""
    stored, claims = material.statistics, []
    for group in material.config.groups:
        for row in stored.select(AddedTherapyRows.count, group=group.id):
            slots: dict[str, Slot] = {"arm": material.arm(group), "count": Row(row)}
            slots["drug"] = Term(row.variable, "added_therapies")
            claims.append(Claim("added.count" if row.value else "added.none", slots))
        alive = stored.find(LongTermRows.alive, "responders", group=group.id)
        months = stored.find(LongTermRows.median, "responders_months", group=group.id)
        if alive is not None and months is not None and months.value == months.value:
            slots = {"arm": material.arm(group), "alive": Row(alive, 0), "months": Row(months, 1)}
            claims.append(Claim("long_term.responders", slots))
    return claims
