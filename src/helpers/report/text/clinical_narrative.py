"""Readings of what the clinical rules say: every number a stored row, nothing claimed beyond it.

What is claimed is worked out in `helpers.report.text`; here it is put into the words of the notebooks.

>>> eligibility_narrative(statistics, config).text[:70]
'In the ruxolitinib group 20 of 20 patients were refractory on day 0 by'
>>> rule_narrative(statistics, config).text[:70]
'Rule and clinicians make the same call in 78 of 78 calls of living pat'
>>> response_time_narrative(statistics, config, 56).text[:70]
"By the clinicians' calls, 80% (95% CI 59 to 94%) of the 20 patients in"
>>> alive_low_dose_narrative(statistics, config).text[:70]
'At week 8, 11 of 20 patients in the ruxolitinib group were alive on 0.'
>>> laboratory_toxicity_narrative(statistics, config).text[:70]
'In the ruxolitinib group grade 3 or 4 arose most often after day 0 in '
>>> event_rate_narrative(statistics, config).text[:70]
'In the ruxolitinib group 4 events were recorded over 2.97 patient-year'
>>> from helpers.analysis.diagnosis import diagnose
>>> found = diagnose(tables, config, folder)
>>> criteria_narrative(statistics, found, config).text[:50]
'HLH-2004 diagnostic criteria: met by 11, not met b'
>>> agreement_narrative(statistics, found).text[:50]
'The least agreement is between HLH-2004 criteria a'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.figures.response_rules import shown_visits
from helpers.report.text import participants, response, safety, steroids
from helpers.report.text.claims import Claim, Row, Slot, Term
from helpers.report.text.narrative import Narrative, brief, material_of
from helpers.results.catalogue import CriteriaAgreementRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helpers.analysis.diagnosis import Diagnoses
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics


def criteria_narrative(statistics: Statistics, found: Diagnoses, config: CohortConfig) -> Narrative:
    """Say how many patients meet each criteria set, and how many verdicts hang on what was not measured."""
    material = material_of(statistics, config)
    claims = participants.criteria_met(material, found.titles, frozenset(found.decided))
    claims += [
        Claim("criteria.absent", {"title": Term(name.replace("_", " "), "criteria.diagnosis")})
        for name in found.absent
    ]
    return brief(claims, "criteria.none", config)


def agreement_narrative(
    statistics: Statistics, found: Diagnoses, config: CohortConfig | None = None
) -> Narrative:
    """Name the two criteria sets that agree least."""
    rows = [row for row in statistics.select(CriteriaAgreementRows.agreement) if row.n]
    if not rows:
        return brief([], "agreement.none", config)
    least = min(rows, key=lambda row: row.value)
    kappa = statistics[CriteriaAgreementRows.kappa.beside(least.id)]
    first, second = found.pairs[least.variable]
    slots: dict[str, Slot] = {"first": first, "second": second}
    slots |= {"least": Row(least, 0), "kappa": Row(kappa, 2)}
    return brief([Claim("agreement.least", slots)], "", config)


def eligibility_narrative(statistics: Statistics, config: CohortConfig, why_not: str = "") -> Narrative:
    """Say how many patients were refractory and eligible by the rules, and by which item."""
    claims = participants.eligibility(material_of(statistics, config))
    if why_not:
        claims.append(Claim("eligibility.why_not", {"why_not": why_not}))
    return brief(claims, "eligibility.none", config)


def rule_narrative(statistics: Statistics, config: CohortConfig, why_not: str = "") -> Narrative:
    """Say how often rule and clinicians make the same call, and what that can mean."""
    if why_not:
        return brief([Claim("rule.why_not", {"why_not": why_not})], "", config)
    return brief(response.agreement_of_rule(material_of(statistics, config)), "rule.alone", config)


def variants_narrative(statistics: Statistics, variants: Sequence[str], config: CohortConfig) -> Narrative:
    """Say between which rates the overall response lies over all variants of the rule.

    >>> variants_narrative(statistics, ["paper"], config).text[:50]
    'Overall response. Week 1, ruxolitinib group: 45% w'
    """
    visits = [visit.id for visit in shown_visits(statistics, config)]
    claims = response.response_variants(material_of(statistics, config), variants, visits)
    return brief([Claim("variants.intro"), *claims] if claims else [], "variants.none", config)


def response_time_narrative(statistics: Statistics, config: CohortConfig, horizon_days: float) -> Narrative:
    """Say how many responded by the horizon and how many died before, by clinicians and by rule."""
    material = material_of(statistics, config, horizon_days)
    return brief(response.time_to_response(material), "response_time.none", config)


def alive_low_dose_narrative(statistics: Statistics, config: CohortConfig) -> Narrative:
    """Say who is alive at a low dose, whether the groups differ, and whom the doses describe."""
    return brief(
        steroids.alive_at_low_dose(material_of(statistics, config)), steroids.no_doses(config), config
    )


def laboratory_toxicity_narrative(statistics: Statistics, config: CohortConfig) -> Narrative:
    """Say in which term severe grades were most frequent, and how many patients have no event for them."""
    return brief(safety.laboratory_toxicity(material_of(statistics, config)), "toxicity.none", config)


def event_rate_narrative(statistics: Statistics, config: CohortConfig) -> Narrative:
    """Say the rate of recorded events by group with its exact interval, and what none recorded excludes."""
    return brief(safety.event_rates(material_of(statistics, config)), "events.absent", config)
