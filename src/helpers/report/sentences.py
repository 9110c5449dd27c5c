"""Readings of the results in words: each number comes from a stored row, each claim from its direction.

A sentence about data that the cohort does not have says so; none claims a difference that the interval or the
p-value does not bear out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.results.format import (
    format_count_percent,
    format_number,
    format_p,
    format_p_equation,
    format_percent,
)
from helpers.results.store import slug

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from helpers.cohort.config import CohortConfig
    from helpers.cohort.settings import Group
    from helpers.results.store import Statistic, Statistics


@dataclass(frozen=True)
class Reading:
    """A paragraph that a notebook shows as Markdown."""

    text: str

    def _repr_markdown_(self) -> str:
        return self.text

    def __repr__(self) -> str:
        """Return the paragraph."""
        return self.text


def _join(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def arm(group: Group) -> str:
    """Return how a group is called in a sentence: ``ruxolitinib group``; acronyms keep their capitals."""
    return f"{in_text(group.label)} group"


def in_text(label: str) -> str:
    """Return a label for the middle of a sentence: no unit, small first letter unless it is an acronym."""
    name = label.rpartition(", ")[0] or label
    return name if name[:2].isupper() else name[:1].lower() + name[1:]


def flow_reading(statistics: Statistics, config: CohortConfig) -> Reading:
    """Say how many patients and rows were read, used and left out."""
    recorded = statistics["flow.patients.all.baseline.recorded"].value
    excluded = statistics["flow.patients.all.baseline.excluded"].value
    groups = [
        f"{statistics[f'flow.patients.{g.id}.baseline.analysed'].value:.0f} in the {arm(g)}"
        for g in config.groups
    ]
    used = statistics["flow.rows.all.baseline.used"]
    text = (
        f"{recorded:.0f} patients are recorded, {excluded:.0f} excluded; {_join(groups)} are analysed. "
        f"Of {used.n} raw rows {used.value:.0f} are used; every other row is listed with its reason."
    )
    return Reading(text)


def baseline_reading(statistics: Statistics, labels: dict[str, str], *, alpha: float = 0.05) -> Reading:
    """Name the baseline variables whose groups differ by test, and how many are out of balance."""
    tests = statistics.select(analysis="baseline", statistic="test")
    if not tests:
        return Reading("The cohort has one group, so nothing is compared at baseline.")
    apart = [row for row in tests if row.p_value < alpha and row.variable != "death"]
    named = [
        f"{in_text(labels.get(row.variable, row.variable))} ({format_p_equation(row.p_value)})"
        for row in apart
    ]
    large = statistics["balance.standardized_difference.both.baseline.above_0_1"]
    first = (
        f"The groups differ at baseline in {_join(named)}."
        if named
        else (f"No baseline variable differs at p < {alpha:g}.")
    )
    text = (
        f"{first} Standardised differences exceed 0.1 in {large.value:.0f} of {large.n} comparisons: "
        "with groups of this size a test that finds nothing is no sign of balance."
    )
    return Reading(f"{text}{_adjusted(statistics, labels, alpha)}")


def _adjusted(statistics: Statistics, labels: Mapping[str, str], alpha: float) -> str:
    """Say which baseline differences remain after adjustment for the number of tests."""
    rows = statistics.select(analysis="baseline", statistic="test_adjusted")
    if not rows:
        return ""
    left = [row for row in rows if row.p_value < alpha]
    named = [
        f"{in_text(labels.get(row.variable, row.variable))} ({format_p_equation(row.p_value)})"
        for row in left
    ]
    verdict = f"remaining below {alpha:g}: {_join(named)}" if named else f"none remains below {alpha:g}"
    return f" {rows[0].method}: {verdict}."


def survival_reading(statistics: Statistics, config: CohortConfig, horizon_days: int) -> Reading:
    """Say survival at the horizon by group and what the log-rank test and the hazard ratio say."""
    day = f"day_{horizon_days}"
    rows = {
        arm(g): statistics.find("survival", "death", "survival", group=g.id, timepoint=day)
        for g in config.groups
    }
    known = {label: row for label, row in rows.items() if row is not None}
    if not known:
        return Reading("No survival times are recorded in this cohort.")
    parts = [
        f"{format_percent(row.value, 1)} (95% CI {format_percent(row.lower, 1)} to "
        f"{format_percent(row.upper, 1)}) in the {label}"
        for label, row in known.items()
    ]
    text = f"Survival at day {horizon_days} was {_join(parts)}."
    test = statistics.find("survival", "death", "logrank", group="both", timepoint=day)
    if test is not None:
        text += f" Log-rank {format_p_equation(test.p_value)}."
    ratio = statistics.find("survival", "death", "hazard_ratio", group="both", timepoint=day)
    if ratio is not None and ratio.value == ratio.value:
        text += (
            f" Hazard ratio, treated against reference, {format_number(ratio.value, 2)} "
            f"(95% CI {format_number(ratio.lower, 2)} to {format_number(ratio.upper, 2)})."
        )
    return Reading(text)


def response_reading(statistics: Statistics, config: CohortConfig) -> Reading:
    """Say the overall and complete response at the last assessed visit, and the earliest response."""
    sentences = []
    for group in config.groups:
        rates = statistics.select(analysis="response", variable="overall", statistic="rate", group=group.id)
        if not rates:
            continue
        rate = rates[-1]
        complete = statistics[f"response.complete.{group.id}.{rate.timepoint}.count"]
        visit = config.visit(rate.timepoint).label.lower()
        sentences.append(
            f"At {visit} the overall response rate in the {arm(group)} was "
            f"{format_number(rate.value, 1)}% (95% CI {format_number(rate.lower, 1)} to "
            f"{format_number(rate.upper, 1)}; n = {rate.n}), complete in "
            f"{format_count_percent(complete.value, complete.n or 0)}."
        )
        first = statistics.find("response", "first_response", "earliest", group=group.id)
        if first is not None:
            sentences.append(f"The earliest response was recorded on day {first.value:.0f}.")
    return Reading(" ".join(sentences) or "No response assessments are recorded in this cohort.")


def dose_reading(statistics: Statistics, config: CohortConfig) -> Reading:
    """Say how far the median glucocorticoid dose fell from baseline to the last visit."""
    sentences = []
    for row in statistics.select(analysis="glucocorticoid", variable="dose", statistic="fall_of_median"):
        first = config.baseline_visit
        assert first is not None, "a fall from baseline is stored only where there is a baseline visit"
        before = statistics[f"glucocorticoid.dose.{row.group}.{first.id}.median"]
        after = statistics[f"glucocorticoid.dose.{row.group}.{row.timepoint}.median"]
        test = statistics[f"glucocorticoid.dose.{row.group}.{row.timepoint}.change_test"]
        verb = "fell" if after.value < before.value else "rose" if after.value > before.value else "stayed"
        change = f" ({format_number(abs(row.value), 1)}%)" if verb != "stayed" else ""
        sentences.append(
            f"In the {arm(config.group(row.group))} the median dose {verb} from "
            f"{format_number(before.value, 1)} to {format_number(after.value, 1)} mg/kg/day{change} by "
            f"{config.visit(row.timepoint).label.lower()} ({format_p_equation(test.p_value)}, "
            f"{test.n} pairs, signed-rank). The later dose is that of the patients still alive."
        )
    return Reading(" ".join(sentences) or "No glucocorticoid doses are recorded in this cohort.")


def safety_reading(statistics: Statistics, config: CohortConfig) -> Reading:
    """Say how many patients had any, any serious and any severe adverse event."""
    sentences = []
    for group in config.groups:
        rows = {
            name: statistics.find("adverse_events", name, "count", group=group.id)
            for name in ("any", "serious", "grade_3_or_higher")
        }
        if rows["any"] is None:
            continue
        if rows["any"].value == 0:
            sentences.append(f"No adverse event is recorded in the {arm(group)}.")
            continue
        counts = {name: _count(row) for name, row in rows.items()}
        sentences.append(
            f"In the {arm(group)} {counts['any']} of the patients had an adverse event, "
            f"{counts['serious']} a serious one and {counts['grade_3_or_higher']} one of grade 3 or higher."
        )
    return Reading(" ".join(sentences) or "No adverse events are recorded in this cohort.")


def _count(row: Statistic | None) -> str:
    return "not recorded" if row is None else format_count_percent(row.value, row.n or 0)


def absent_reading(
    config: CohortConfig, absent: Sequence[str] | frozenset[str], needs: Sequence[str]
) -> Reading:
    """Say which tables that an analysis needs are missing, or that all are there."""
    missing = [name for name in needs if name in absent]
    if not missing:
        return Reading(f"The cohort has what this notebook reads: {_join(list(needs))}.")
    table = "table" if len(missing) == 1 else "tables"
    if len(missing) == len(needs):
        return Reading(
            f"**Nothing to do in this notebook:** the cohort *{config.title}* has no {table} "
            f"{_join(missing)}. Each part below says so."
        )
    return Reading(
        f"**Nothing to do here for part of this notebook:** the cohort *{config.title}* has no {table} "
        f"{_join(missing)}. What depends on it is switched off and says so below."
    )


def cohort_reading(config: CohortConfig) -> Reading:
    """Say which cohort is open, what its groups are and, where it is not of patients, what it is."""
    groups = [f"{group.label} (day 0: {group.day0})" for group in config.groups]
    note = f"\n\n> {config.data_note}" if config.data_note else ""
    return Reading(f"**{config.title}.** Groups: {_join(groups)}.{note}")


def time_zero_reading(config: CohortConfig) -> Reading:
    """Say what day 0 is in each group, and warn where the groups differ in it or in their era."""
    parts = [f"{group.label}: {group.day0}" for group in config.groups]
    text = f"Day 0. {'; '.join(parts)}."
    if len({group.day0 for group in config.groups}) > 1:
        text += (
            " The groups count from different events, so patients of one group may have had to survive "
            "for longer before they could be counted: see how long before reading the curves as an effect."
        )
    eras = [group.enrolment for group in config.groups if group.enrolment]
    if len(eras) == 2 and (eras[0][0] > eras[1][1] or eras[1][0] > eras[0][1]):
        text += " They were enrolled in different years, so care at large may have changed between them."
    return Reading(text)


def splenomegaly_reading(statistics: Statistics, config: CohortConfig) -> Reading:
    """Say how many enlarged spleens were normal when last examined."""
    sentences = []
    for group in config.groups:
        rows = statistics.select(
            analysis="splenomegaly", variable="resolved", statistic="count", group=group.id
        )
        enlarged = statistics.find("splenomegaly", "enlarged", "count", group=group.id, timepoint="baseline")
        if enlarged is None:
            continue
        label = arm(group)
        if not rows:
            sentences.append(
                f"In the {label} {enlarged.value:.0f} spleens were enlarged at baseline and "
                "none of them was examined again at a visit."
            )
            continue
        share = statistics[f"splenomegaly.resolved.{group.id}.{rows[0].timepoint}.percent"]
        sentences.append(
            f"In the {label} {rows[0].value:.0f} of the {rows[0].n} spleens enlarged at baseline and "
            f"examined again were normal when last examined (95% CI {format_number(share.lower, 0)} to "
            f"{format_number(share.upper, 0)}%)."
        )
    return Reading(
        " ".join(sentences) or "The size of the spleen is not recorded at the visits of this cohort."
    )


def low_dose_reading(statistics: Statistics, config: CohortConfig, horizon_days: float) -> Reading:
    """Say how many patients reached a low dose by the horizon, with death competing."""
    day, sentences = f"day_{horizon_days:g}", []
    for group in config.groups:
        reached = statistics.find("glucocorticoid", "low_dose", "reached", group=group.id, timepoint=day)
        if reached is None:
            continue
        threshold = statistics[f"glucocorticoid.low_dose.{group.id}.follow_up.threshold"].value
        died = statistics[f"glucocorticoid.low_dose.{group.id}.{day}.died_first"].value
        share = statistics[f"glucocorticoid.low_dose.{group.id}.{day}.incidence"]
        sentences.append(
            f"By day {horizon_days:g}, {reached.value:.0f} of {reached.n} patients in the "
            f"{arm(group)} had reached {threshold:g} mg/kg/day or less, {died:.0f} had died before; "
            f"cumulative incidence {format_percent(share.value, 1)} (95% CI "
            f"{format_percent(share.lower, 1)} to {format_percent(share.upper, 1)})."
        )
    return Reading(" ".join(sentences) or "No glucocorticoid doses are recorded in this cohort.")


def exposure_reading(statistics: Statistics, config: CohortConfig) -> Reading:
    """Say how many patients received the study drug, at which doses and for how long."""
    drug = slug(config.study_drug)
    sentences = []
    for group in config.groups:
        patients = statistics.find("exposure", drug, "patients", group=group.id)
        if patients is None:
            continue
        low, high = (
            statistics[f"exposure.{drug}.{group.id}.follow_up.{name}_dose"] for name in ("lowest", "highest")
        )
        months = statistics[f"exposure.{drug}_months.{group.id}.follow_up.median"]
        sentences.append(
            f"In the {arm(group)} {patients.value:.0f} patients received {config.study_drug}, "
            f"{format_number(low.value, 0)} to {format_number(high.value, 0)} mg an administration, for a "
            f"median of {format_number(months.value, 1)} months."
        )
    return Reading(" ".join(sentences) or "No treatment with the study drug is recorded in this cohort.")


def effects_reading(statistics: Statistics, *, alpha: float = 0.05) -> Reading:
    """Say how far the p-values of the methods spread and whether they agree on one side of ``alpha``."""
    rows = [row for row in statistics.select(analysis="effect") if row.p_value == row.p_value]
    if not rows:
        return Reading("There are not two groups with deaths to compare in this cohort.")
    rows.sort(key=lambda row: row.p_value)
    low, high = rows[0], rows[-1]
    below = sum(row.p_value < alpha for row in rows)
    verdict = {0: f"none lies below {alpha:g}", len(rows): f"all lie below {alpha:g}"}.get(
        below, f"{below} lie below {alpha:g} and {len(rows) - below} do not: the verdict hangs on the method"
    )
    return Reading(
        f"Over {len(rows)} methods the p-value runs from {format_p(low.p_value)} to "
        f"{format_p(high.p_value)}; {verdict}. "
        f"The smallest is of: {low.method}. The largest is of: {high.method}."
    )


def limits_reading(statistics: Statistics, labels: Mapping[str, str], *, alpha: float = 0.05) -> Reading:
    """Say for each variable whether its difference survives what limited values may stand for."""
    sentences = []
    for sure in statistics.select(analysis="reporting_limits", statistic="test"):
        rows = statistics.select(analysis="reporting_limits", variable=sure.variable, group="both")
        sides = {row.p_value < alpha for row in rows}
        low, high = (format_p(pick(row.p_value for row in rows)) for pick in (min, max))
        name = in_text(labels.get(sure.variable, sure.variable))
        verdict = (
            "the verdict depends on what the limited values were"
            if len(sides) == 2
            else "the verdict stays the same"
        )
        sentences.append(f"For {name} the p-value runs from {low} to {high}: {verdict}.")
    return Reading(" ".join(sentences) or "No baseline value is known only as a limit.")
