"""The parts of the generated text: which claims stand in which section, paragraph by paragraph.

>>> paragraphs = section("results.survival", study)
>>> says_absence(paragraphs), "results.survival" in every_section(study)
(False, True)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from helpers.report.text import (
    baseline,
    course,
    endpoints,
    frozen_plan,
    historical_control,
    methods,
    participants,
    published,
    response,
    safety,
    steroids,
    survival,
    visit_comparisons,
)
from helpers.report.text.absence import ABSENT_ANALYSES
from helpers.report.text.claims import Claim, Items
from helpers.results.catalogue import ResponseVariantRows

if TYPE_CHECKING:
    from helpers.report.text.material import Study

Paragraphs = list[list[Claim]]


def _or(claims: list[Claim], absent: str) -> list[Claim]:
    return claims or [Claim(absent)]


def _patients(study: Study) -> Paragraphs:
    material = study.material
    return [participants.patient_flow(material) + participants.follow_up(material)]


def _diagnosis(study: Study) -> Paragraphs:
    material = study.material
    named = {name: study.titles[name] for name in study.diagnostic if name in study.titles}
    return [
        _or(participants.criteria_met(material, named), "criteria.none"),
        _or(participants.eligibility(material), "eligibility.none"),
    ]


def _baseline(study: Study) -> Paragraphs:
    material = study.material
    treated, reference = material.config.treated, material.config.reference
    groups = (treated, reference) if treated is not None and reference is not None else None
    labels = baseline.baseline_labels(material)
    return [
        baseline.baseline_differences(material.statistics, labels, alpha=material.alpha, groups=groups),
        baseline.under_limits(material.statistics, labels, alpha=material.alpha, groups=groups),
    ]


def _survival(study: Study) -> Paragraphs:
    material = study.material
    described = survival.deaths(material) + survival.survival_at_horizon(material)
    effects = survival.risk_difference(material) + survival.hazard_ratio(material)
    compared = effects + survival.survival_compared(material)
    claims = _or(described + survival.median_survival(material), "survival.none")
    return [claims, compared, endpoints.endpoints(material)]


def _key(study: Study) -> Paragraphs:
    """The main results, an effect with its interval each."""
    material = study.material
    effects = survival.risk_difference(material) + survival.hazard_ratio(material)
    claims = effects or survival.deaths(material)
    return [claims + response.overall_response(material) + steroids.alive_at_low_dose(material)]


def _methods_compared(study: Study) -> Paragraphs:
    material = study.material
    return [_or(survival.every_method(material.statistics, alpha=material.alpha), "effects.none")]


def _historical_control(study: Study) -> Paragraphs:
    material = study.material
    found = [historical_control.fragility(material), historical_control.not_known(material)]
    return found if any(found) else [[Claim("control.none")]]


def _response(study: Study) -> Paragraphs:
    material = study.material
    claims = response.overall_response(material) + response.response_course(material)
    return [_or(claims, "response.none"), response.time_to_response(material) if claims else []]


def _response_rule(study: Study) -> Paragraphs:
    from helpers.clinical.response import VARIANTS

    material = study.material
    rows = material.statistics.select(ResponseVariantRows.overall)
    visits = [visit.id for visit in material.config.visits if visit.id in {row.timepoint for row in rows}]
    found = response.response_variants(material, list(VARIANTS), visits[-1:])
    parts = tuple(Claim(claim.key.replace("variants.", "variants.last_"), claim.slots) for claim in found)
    if not parts:
        return [[Claim("variants.none")]]
    spans = [Claim("variants.last", {"groups": Items(parts)})]
    return [_or(response.agreement_of_rule(material), "rule.alone"), spans]


def _course(study: Study) -> Paragraphs:
    material = study.material
    return [
        _or(course.laboratory_changes(material), "course.none"),
        visit_comparisons.visit_comparisons(material),
        _or(course.enlarged_spleens(material), "spleen.none"),
    ]


def _steroids(study: Study) -> Paragraphs:
    material = study.material
    changed = steroids.dose_change(material)
    reached = steroids.low_dose(material)
    if not changed and not reached:
        return [[steroids.no_doses(material.config)]]
    alive = steroids.alive_at_low_dose(material)
    said = {claim.key for claim in alive}
    if "alive_low_dose.whom" in said:  # it says of all doses what the other says of one
        changed = [claim for claim in changed if claim.key != "dose.survivors"]
    return [changed, reached, alive]


def _safety(study: Study) -> Paragraphs:
    material = study.material
    events = safety.adverse_events(material) + safety.event_terms(material)
    events += safety.deaths_beside_events(material)
    return [
        _or(events, "events.absent"),
        safety.event_rates(material),
        _or(safety.laboratory_toxicity(material), "toxicity.none"),
        _or(safety.exposure(material), "exposure.none") + safety.later_course(material),
    ]


SECTIONS: dict[str, Callable[[Study], Paragraphs]] = {
    "methods.design": lambda study: [
        methods.design(study.material),
        frozen_plan.frozen_plan(study.frozen_plan),
    ],
    "methods.deviations": lambda study: frozen_plan.deviations(study.frozen_plan),
    "methods.data": lambda study: [methods.data_handling(study.material)],
    "methods.definitions": lambda study: [methods.definitions(study.material, study.titles, study.works)],
    "methods.statistics": lambda study: [methods.statistical_methods(study.material)],
    "results.patients": _patients,
    "results.diagnosis": _diagnosis,
    "results.baseline": _baseline,
    "results.survival": _survival,
    "results.methods_compared": _methods_compared,
    "results.historical_control": _historical_control,
    "results.response": _response,
    "results.response_rule": _response_rule,
    "results.course": _course,
    "results.steroids": _steroids,
    "results.safety": _safety,
    "results.published": lambda study: [published.printed_values(study.material)],
    "results.key": _key,
}


def section(name: str, study: Study) -> Paragraphs:
    """Return the claims of a section; a caveat, which holds nothing of its own, is said once, at the end."""
    said: set[str] = set()
    kept: Paragraphs = []
    for claims in reversed(SECTIONS[name](study)):
        kept.append([])
        for claim in reversed(claims):
            if claim.slots or claim.key not in said:
                kept[-1].append(claim)
            said.add(claim.key)
    return [claims[::-1] for claims in reversed(kept)]


def says_absence(paragraphs: Paragraphs) -> bool:
    """Tell whether paragraphs say only that the cohort lacks the data."""
    keys = {claim.key for claims in paragraphs for claim in claims}
    return keys <= {*ABSENT_ANALYSES.values(), "baseline.one_group", "control.none"}


def every_section(study: Study) -> dict[str, Paragraphs]:
    """Return all sections with their claims, by name."""
    return {name: section(name, study) for name in SECTIONS}
