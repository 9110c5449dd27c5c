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
    format_p_equation,
    format_percent,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helpers.cohort.config import CohortConfig
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


def flow_reading(statistics: Statistics, config: CohortConfig) -> Reading:
    """Say how many patients and rows were read, used and left out."""
    recorded = statistics["flow.patients.all.baseline.recorded"].value
    excluded = statistics["flow.patients.all.baseline.excluded"].value
    groups = [
        f"{statistics[f'flow.patients.{g.id}.baseline.analysed'].value:.0f} in the group {g.label.lower()}"
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
    sizes = [
        row
        for row in statistics.select(analysis="baseline", statistic="standardized_difference")
        if row.value == row.value
    ]
    if not tests:
        return Reading("The cohort has one group, so nothing is compared at baseline.")
    apart = [row for row in tests if row.p_value < alpha and row.variable != "death"]
    named = [f"{labels.get(row.variable, row.variable)} ({format_p_equation(row.p_value)})" for row in apart]
    large = statistics["balance.standardized_difference.both.baseline.above_0_1"]
    first = (
        f"The groups differ at baseline in {_join(named)}."
        if named
        else (f"No baseline variable differs at p < {alpha:g}.")
    )
    text = (
        f"{first} Standardised differences exceed 0.1 in {large.value:.0f} of {len(sizes)} comparisons: with groups "
        "of this size a test that finds nothing is no sign of balance."
    )
    return Reading(text)


def survival_reading(statistics: Statistics, config: CohortConfig, horizon_days: int) -> Reading:
    """Say survival at the horizon by group and what the log-rank test and the hazard ratio say."""
    day = f"day_{horizon_days}"
    rows = {
        g.label: statistics.find("survival", "death", "survival", group=g.id, timepoint=day)
        for g in config.groups
    }
    known = {label: row for label, row in rows.items() if row is not None}
    if not known:
        return Reading("No survival times are recorded in this cohort.")
    parts = [
        f"{format_percent(row.value, 1)} (95% CI {format_percent(row.lower, 1)} to {format_percent(row.upper, 1)}) "
        f"in the group {label.lower()}"
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
            f"At {visit} the overall response rate in the group {group.label.lower()} was "
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
            f"In the group {config.group(row.group).label.lower()} the median dose {verb} from "
            f"{format_number(before.value, 1)} to {format_number(after.value, 1)} mg/kg/day{change} by "
            f"{config.visit(row.timepoint).label.lower()} ({format_p_equation(test.p_value)}, {test.n} pairs, "
            "signed-rank). The later dose is that of the patients still alive."
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
        counts = {name: _count(row) for name, row in rows.items()}
        sentences.append(
            f"In the group {group.label.lower()} {counts['any']} patients had an adverse event, "
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
        return Reading(f"This notebook reads {_join(list(needs))}; the cohort has them all.")
    table = "table" if len(missing) == 1 else "tables"
    return Reading(
        f"**Nothing to do here for part of this notebook:** the cohort *{config.title}* has no {table} "
        f"{_join(missing)}. What depends on it is switched off and says so below."
    )
