"""Readings of what the clinical rules say: every number a stored row, nothing claimed beyond it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.figures.response_rules import shown_visits
from helpers.report.sentences import Reading, arm
from helpers.results.format import format_number, format_p_equation
from helpers.results.store import slug

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helpers.analysis.diagnosis import Diagnoses
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistic, Statistics


def _interval(row: Statistic, digits: int = 0) -> str:
    return f"95% CI {format_number(row.lower, digits)} to {format_number(row.upper, digits)}%"


def criteria_reading(statistics: Statistics, found: Diagnoses, config: CohortConfig) -> Reading:
    """Say how many patients meet each criteria set, and how many verdicts hang on what was not measured."""
    sentences = []
    for name, title in found.titles.items():
        parts, open_ = [], 0.0
        for group in config.groups:
            stem = f"diagnosis.{slug(name)}.{group.id}.baseline"
            met = statistics[f"{stem}.met"]
            parts.append(f"{met.value:.0f} of {met.n} in the {arm(group)}")
            open_ += statistics[f"{stem}.undetermined"].value
        if name not in found.decided:
            sentences.append(f"{title}: not enough is recorded for a verdict in any patient.")
            continue
        tail = "; what was not measured leaves some without a verdict" if open_ else ""
        sentences.append(f"{title}: met by {' and '.join(parts)}{tail}.")
    sentences += [
        f"{name.replace('_', ' ')}: none of its variables is recorded in this cohort."
        for name in found.absent
    ]
    return Reading(" ".join(sentences) or "No diagnostic criteria are configured for this cohort.")


def agreement_reading(statistics: Statistics, found: Diagnoses) -> Reading:
    """Name the two criteria sets that agree least."""
    rows = [row for row in statistics.select(analysis="criteria_agreement", statistic="agreement") if row.n]
    if not rows:
        return Reading("There are not two criteria sets with a verdict to compare.")
    least = min(rows, key=lambda row: row.value)
    first, _, second = least.note.partition("|")
    kappa = statistics[least.id.replace(".agreement", ".kappa")]
    return Reading(
        f"The least agreement is between {found.titles[first]} and {found.titles[second]}: the same verdict "
        f"in {format_number(least.value, 0)}% of the {least.n} patients with a verdict by both, kappa "
        f"{format_number(kappa.value, 2)}. Who counts as having the syndrome depends on the criteria."
    )


def eligibility_reading(statistics: Statistics, config: CohortConfig, why_not: str = "") -> Reading:
    """Say how many patients were refractory and eligible by the rules, and by which item."""
    labels = {
        "high_dose": "two weeks of high dose",
        "pulse": "pulse therapy",
        "recurrence": "recurrence on tapering",
    }
    sentences = []
    for group in config.groups:
        refractory = statistics.find("refractoriness", "verdict", "met", group=group.id, timepoint="baseline")
        if refractory is None:
            continue
        reasons = [
            f"{statistics[f'refractoriness.{name}.{group.id}.baseline.met'].value:.0f} by {label}"
            for name, label in labels.items()
            if f"refractoriness.{name}.{group.id}.baseline.met" in statistics
        ]
        text = (
            f"In the {arm(group)} {refractory.value:.0f} of {refractory.n} patients were refractory on day 0 "
            f"by their recorded doses ({', '.join(reasons)}; a patient may count more than once)"
        )
        eligible = statistics.find("eligibility", "verdict", "met", group=group.id, timepoint="baseline")
        text += f"; {eligible.value:.0f} fulfil every inclusion rule with no exclusion" if eligible else ""
        sentences.append(f"{text}.")
    if why_not:
        sentences.append(f"Refractoriness and eligibility cannot all be judged: {why_not}.")
    return Reading(" ".join(sentences) or "Refractoriness and eligibility cannot be judged in this cohort.")


def rule_reading(statistics: Statistics, config: CohortConfig, why_not: str = "") -> Reading:
    """Say how often rule and clinicians make the same call, and what that can mean."""
    if why_not:
        return Reading(f"No response can be worked out from the values of this cohort: {why_not}.")
    kappa = statistics.find("response_agreement", "calls", "kappa", timepoint="all_visits")
    if kappa is None:
        return Reading("The clinicians' own calls are not recorded, so the rule's stand alone.")
    agree = statistics["response_agreement.calls.all.all_visits.agree"]
    text = (
        f"Rule and clinicians make the same call in {agree.value:.0f} of {agree.n} calls of living patients "
        f"(kappa {format_number(kappa.value, 2)})."
    )
    if config.provenance == "reconstructed":
        text += (
            " The values of this cohort were rebuilt to bear out the recorded calls, so this agreement is a "
            "check of the rebuilding and no evidence for the rule."
        )
    return Reading(text)


def variants_reading(statistics: Statistics, variants: Sequence[str], config: CohortConfig) -> Reading:
    """Say between which rates the overall response lies over all variants of the rule."""
    sentences = []
    for group in config.groups:
        for visit in shown_visits(statistics, config):
            rows = [
                row
                for label in variants
                if (
                    row := statistics.find(
                        "response_variant", slug(label), "overall", group=group.id, timepoint=visit.id
                    )
                )
            ]
            if not rows:
                continue
            low, high = min(rows, key=lambda r: r.value), max(rows, key=lambda r: r.value)
            if low.value == high.value:
                span = f"{format_number(low.value, 0)}% whatever the variant"
            else:
                span = f"{format_number(low.value, 0)} to {format_number(high.value, 0)}% by variant"
            sentences.append(f"{visit.label}, {arm(group)}: {span}.")
    if not sentences:
        return Reading("No response can be worked out from the values of this cohort.")
    return Reading("Overall response. " + " ".join(sentences))


def response_time_reading(statistics: Statistics, config: CohortConfig, horizon_days: float) -> Reading:
    """Say how many responded by the horizon and how many died before, by clinicians and by rule."""
    day, sentences = f"day_{horizon_days:g}", []
    for source, title in {"clinician": "By the clinicians' calls", "rule": "By the rule"}.items():
        for group in config.groups:
            row = statistics.find("time_to_response", source, "incidence", group=group.id, timepoint=day)
            if row is None:
                continue
            died = statistics[f"time_to_response.{source}.{group.id}.{day}.died_first"].value
            median = statistics.find("time_to_response", source, "median_day", group=group.id)
            when = f", half of the responders by day {format_number(median.value, 0)}" if median else ""
            if row.value != row.value:
                sentences.append(
                    f"{title}, the share of responders in the {arm(group)} cannot be estimated at day "
                    f"{horizon_days:g}, because follow-up ended earlier."
                )
                continue
            span = f" (95% CI {format_number(100 * row.lower, 0)} to {format_number(100 * row.upper, 0)}%)"
            sentences.append(
                f"{title}, {format_number(100 * row.value, 0)}%{span} of the {row.n} patients in the "
                f"{arm(group)} had responded by day {horizon_days:g}{when}; {died:.0f} had died without."
            )
    tail = " A rule sees a response at a visit only, so its days lie on the plan of visits."
    return Reading(
        " ".join(sentences) + tail if sentences else "No response is recorded or can be worked out."
    )


def alive_low_dose_reading(statistics: Statistics, config: CohortConfig) -> Reading:
    """Say who is alive at a low dose, whether the groups differ, and whom the doses describe."""
    sentences = []
    for group in config.groups:
        rows = statistics.select(analysis="alive_low_dose", variable="patients", group=group.id)
        by_name = {row.statistic: row for row in rows}
        share = by_name.get("percent")
        if share is None:
            continue
        visit = config.visit(share.timepoint).label.lower()
        limit = statistics[f"alive_low_dose.dose.{group.id}.{share.timepoint}.threshold"].value
        sentences.append(
            f"At {visit} {by_name['low_dose'].value:.0f} of {share.n} patients in the {arm(group)} were "
            f"alive on {limit:g} mg/kg/day or less ({_interval(share)}); {by_name['died'].value:.0f} died."
        )
    if not sentences:
        return Reading("No glucocorticoid doses are recorded in this cohort.")
    both = statistics.select(analysis="alive_low_dose", group="both", statistic="test")
    sentences += [f"Comparison of the groups: {format_p_equation(row.p_value)}." for row in both]
    for row in statistics.select(analysis="composite_rank", group="both", statistic="test"):
        sentences.append(
            f"With all patients ranked from the lowest dose to the earliest death, a treated patient fares "
            f"better than a reference patient with probability {format_number(row.value, 2)} "
            f"({format_p_equation(row.p_value)}, rank-sum)."
        )
    sentences.append(
        "A dose at this visit exists only for those alive and followed, so medians of it are survivors'; the "
        "two endpoints here count every patient whose outcome is known."
    )
    return Reading(" ".join(sentences))


def laboratory_toxicity_reading(statistics: Statistics, config: CohortConfig) -> Reading:
    """Say in which term severe grades were most frequent, and how many patients have no event for them."""
    sentences = []
    for group in config.groups:
        rows = statistics.select(analysis="laboratory_toxicity", statistic="severe", group=group.id)
        if not rows:
            continue
        most = max(rows, key=lambda row: row.value / (row.n or 1))
        text = f"In the {arm(group)} grade 3 or 4 was most frequent in {most.note.lower()}: "
        text += f"{most.value:.0f} of {most.n} patients with later values"
        only = statistics.find("toxicity_finding", most.variable, "laboratory_only", group=group.id)
        if only is not None:
            text += f"; {only.value:.0f} had values of grade 1 or more with no such event recorded"
        sentences.append(f"{text}.")
    if not sentences:
        return Reading("Nothing that the toxicity scale grades was measured after day 0 in this cohort.")
    sentences.append(
        "Low counts are part of the disease as well: the shift from baseline tells what is new, and values "
        "of one arm alone cannot tell drug from disease."
    )
    return Reading(" ".join(sentences))


def event_rate_reading(statistics: Statistics, config: CohortConfig) -> Reading:
    """Say the rate of recorded events by group with its exact interval, and what none recorded excludes."""
    sentences = []
    for group in config.groups:
        rows = statistics.select(
            analysis="event_rate", variable="any", statistic="per_100_patient_years", group=group.id
        )
        for row in rows:
            stem = row.id.removesuffix(".per_100_patient_years")
            events, years = statistics[f"{stem}.n_events"], statistics[f"{stem}.patient_years"]
            text = (
                f"In the {arm(group)} {events.value:.0f} events in {format_number(years.value, 2)} "
                f"patient-years, {format_number(row.value, 0)} per 100 (95% CI {format_number(row.lower, 0)} "
                f"to {format_number(row.upper, 0)})."
            )
            limit = f"{stem}.upper_limit_if_none"
            if limit in statistics:
                text += (
                    f" With none in {row.n} patients, up to {format_number(statistics[limit].value, 1)}% may "
                    "have one, if events were looked for at all."
                )
            sentences.append(text)
    return Reading(" ".join(sentences) or "No adverse events are recorded in this cohort.")
