"""Readings of the results in words: each number comes from a stored row, each claim from its direction.

A sentence about data that the cohort does not have says so; none claims a difference that the interval or the
p-value does not bear out. What is claimed is worked out in `helpers.report.text`; here it is put into the
words of the notebooks.

>>> flow_narrative(statistics, config).text[:70]
'41 patients are recorded, 0 excluded; 20 in the ruxolitinib group and '
>>> survival_narrative(statistics, config, 56).text[:70]
'Survival at day 56 was 95.0% (95% CI 69.5% to 99.3%) in the ruxolitini'
>>> endpoints_narrative(statistics, config, 56).text[:70]
'By day 56, complete response was recorded in 6 (30%) patients of the r'
>>> response_narrative(statistics, config).text[:70]
'At week 8, the overall response rate in the ruxolitinib group was 80.0'
>>> dose_narrative(statistics, config).text[:70]
'In the ruxolitinib group the median dose fell from 2.7 to 0.5 mg/kg/da'
>>> safety_narrative(statistics, config).text[:70]
'In the ruxolitinib group 4 (20%) of the patients had an adverse event,'
>>> cohort_narrative(config).text[:70]
'Groups: Ruxolitinib (day 0: first dose of ruxolitinib) and Historical '
>>> time_zero_narrative(config).text[:70]
'Day 0. Ruxolitinib: first dose of ruxolitinib; Historical control: dia'
>>> course_narrative(statistics, config).text[:70]
'By week 8, the median of platelets (115 to 183; p < 0.001) and fibrino'
>>> historical_control_narrative(statistics, config, 56).text[:70]
'Had all treated patients begun treatment some days after they became e'
>>> splenomegaly_narrative(statistics, config).text[:70]
'In the ruxolitinib group 6 of the 6 spleens enlarged at baseline and e'
>>> low_dose_narrative(statistics, config, 56).text[:70]
'By day 56, 11 of 20 patients in the ruxolitinib group had reached 0.5 '
>>> exposure_narrative(statistics, config).text[:70]
'In the ruxolitinib group 20 patients received ruxolitinib, 5 to 10 mg '
>>> effects_narrative(statistics).text[:70]
'All 17 estimators and tests gave P between 0.010 and 0.037; they use t'
>>> visit_comparison_narrative(statistics, config).text[:70]
'This cohort names no comparison at other visits.'
>>> material_of(statistics, config).horizon_days, arm(config.groups[0])
(56.0, 'ruxolitinib group')
>>> absent_narrative(config, ["events"], ["events"]).text[:60]
'the cohort Ruxolitinib in refractory rheumatic-disease MAS ('
>>> from helpers.report.text.survival import deaths
>>> brief(deaths(material_of(statistics, config)), "absent").text[:40]
'By day 56, 1 of 20 patients in the ruxol'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.report.text import (
    baseline,
    course,
    endpoints,
    historical_control,
    participants,
    response,
    safety,
    steroids,
    survival,
    visit_comparisons,
)
from helpers.report.text.claims import Claim, Material, Row
from helpers.report.text.prose import as_markdown
from helpers.report.text.wording import Wording
from helpers.results.catalogue import SurvivalRows
from helpers.vocabulary.names import in_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from helpers.cohort.config import CohortConfig
    from helpers.cohort.settings import Group
    from helpers.results.store import Statistics

__all__ = ["Narrative", "arm", "in_text"]
BRIEF = "brief"


@dataclass(frozen=True)
class Narrative:
    """Paragraphs that a notebook shows.

    Attributes:
        text: plain text, of which nothing is read as Markdown or HTML: words of a cohort are data.
        opening: words of this project before it, in bold letters.
        note: a text of the cohort below it, set apart.
        below: what this project writes below it as Markdown.
    """

    text: str
    opening: str = ""
    note: str = ""
    below: str = ""

    def _repr_markdown_(self) -> str:
        opening = f"**{as_markdown(self.opening)}** " if self.opening else ""
        note = f"> {as_markdown(self.note)}" if self.note else ""
        return "\n\n".join(filter(None, (opening + as_markdown(self.text), note, self.below)))

    def __repr__(self) -> str:
        """Return the paragraphs as plain text."""
        opening = f"{self.opening} " if self.opening else ""
        return "\n\n".join(filter(None, (opening + self.text, self.note, self.below)))


def brief(claims: list[Claim], absent: str | Claim) -> Narrative:
    """Return claims in the words of the notebooks; without any, the claim that says what is absent."""
    instead = Claim(absent) if isinstance(absent, str) else absent
    return Narrative(str(Wording().paragraph(claims or [instead], BRIEF)))


def answer(*narratives: Narrative) -> Narrative:
    """Return the answer with which a notebook opens: paragraphs under one heading.

    >>> answer(Narrative("Nobody died."))
    Answer. Nobody died.
    """
    return Narrative("\n\n".join(one.text for one in narratives), "Answer.")


def material_of(statistics: Statistics, config: CohortConfig, horizon_days: float | None = None) -> Material:
    """Return what claims are made from; without a horizon the cohort's own."""
    return Material(statistics, config, float(config.horizon_days if horizon_days is None else horizon_days))


def _join(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def arm(group: Group) -> str:
    """Return how a group is called in a sentence: ``ruxolitinib group``; acronyms keep their capitals."""
    return f"{in_text(group.label)} group"


def flow_narrative(statistics: Statistics, config: CohortConfig) -> Narrative:
    """Say how many patients and rows were read, used and left out."""
    material = material_of(statistics, config)
    return brief([*participants.patient_flow(material), *participants.row_flow(material)], "")


def baseline_narrative(statistics: Statistics, labels: dict[str, str], *, alpha: float = 0.05) -> Narrative:
    """Name the baseline variables whose groups differ by test, and how many are out of balance."""
    return brief(baseline.baseline_differences(statistics, labels, alpha=alpha), "")


def survival_narrative(statistics: Statistics, config: CohortConfig, horizon_days: int) -> Narrative:
    """Say survival at the horizon by group and what the log-rank test and the hazard ratio say."""
    material = material_of(statistics, config, horizon_days)
    claims = survival.survival_at_horizon(material)
    test = statistics.find(SurvivalRows.logrank, "death", group="both", timepoint=material.day)
    if claims and test is not None:
        tested = Claim("survival.logrank", {"test": Row(test)})
        claims.append(tested if test.p_value == test.p_value else Claim("survival.not_compared"))
    for claim in survival.hazard_ratio(material):
        claims.append(Claim("survival.ratio_brief", claim.slots))
    return brief(claims, "survival.none")


def endpoints_narrative(statistics: Statistics, config: CohortConfig, horizon_days: int) -> Narrative:
    """Say how many had each endpoint beside death, and the effect on it."""
    return brief(endpoints.endpoints(material_of(statistics, config, horizon_days)), "endpoint.none")


def response_narrative(statistics: Statistics, config: CohortConfig) -> Narrative:
    """Say the overall and complete response at the last assessed visit, and the earliest response."""
    return brief(response.overall_response(material_of(statistics, config)), "response.none")


def dose_narrative(statistics: Statistics, config: CohortConfig) -> Narrative:
    """Say how far the median glucocorticoid dose fell from baseline to the last visit."""
    return brief(steroids.dose_change(material_of(statistics, config)), steroids.no_doses(config))


def safety_narrative(statistics: Statistics, config: CohortConfig) -> Narrative:
    """Say how many patients had any, any serious and any severe adverse event."""
    return brief(safety.adverse_events(material_of(statistics, config)), "events.absent")


def absent_narrative(
    config: CohortConfig, absent: Sequence[str] | frozenset[str], needs: Sequence[str]
) -> Narrative:
    """Say which tables that an analysis needs are missing, or that all are there."""
    missing = [name for name in needs if name in absent]
    if not missing:
        return Narrative(f"The cohort has what this notebook reads: {_join(list(needs))}.")
    table = "table" if len(missing) == 1 else "tables"
    if len(missing) == len(needs):
        return Narrative(
            f"the cohort {config.title} has no {table} {_join(missing)}. Each part below says so.",
            "Nothing to do in this notebook:",
        )
    return Narrative(
        f"the cohort {config.title} has no {table} {_join(missing)}. What depends on it is switched off and "
        "says so below.",
        "Nothing to do here for part of this notebook:",
    )


def cohort_narrative(config: CohortConfig) -> Narrative:
    """Say which cohort is open, what its groups are and, where it is not of patients, what it is."""
    groups = [f"{group.label} (day 0: {group.day0})" for group in config.groups]
    return Narrative(f"Groups: {_join(groups)}.", f"{config.title}.", config.data_note)


def time_zero_narrative(config: CohortConfig) -> Narrative:
    """Say what day 0 is in each group, and warn where the groups differ in it or in their era."""
    parts = [f"{group.label}: {group.day0}" for group in config.groups]
    text = f"Day 0. {'; '.join(parts)}."
    if len({group.day0 for group in config.groups}) > 1:
        text += (
            " The groups count from different events, so patients of one group may have had to survive "
            "for longer before they could be counted: see how long before reading the curves as an effect."
        )
    if config.eras_differ:
        text += " They were enrolled in different years, so care at large may have changed between them."
    return Narrative(text)


def course_narrative(statistics: Statistics, config: CohortConfig) -> Narrative:
    """Say which laboratory values had moved by the last visit."""
    return brief(course.laboratory_changes(material_of(statistics, config)), "course.none")


def historical_control_narrative(
    statistics: Statistics, config: CohortConfig, horizon_days: float
) -> Narrative:
    """Say under which assumptions the difference would be lost, and what cannot be told from the drug."""
    material = material_of(statistics, config, horizon_days)
    claims = [*historical_control.fragility(material), *historical_control.not_known(material)]
    return brief(claims, "control.none")


def splenomegaly_narrative(statistics: Statistics, config: CohortConfig) -> Narrative:
    """Say how many enlarged spleens were normal when last examined."""
    return brief(course.enlarged_spleens(material_of(statistics, config)), "spleen.none")


def low_dose_narrative(statistics: Statistics, config: CohortConfig, horizon_days: float) -> Narrative:
    """Say how many patients reached a low dose by the horizon, with death competing."""
    return brief(steroids.low_dose(material_of(statistics, config, horizon_days)), steroids.no_doses(config))


def exposure_narrative(statistics: Statistics, config: CohortConfig) -> Narrative:
    """Say how many patients received the study drug, at which doses and for how long."""
    return brief(safety.exposure(material_of(statistics, config)), "exposure.none")


def effects_narrative(statistics: Statistics, *, alpha: float = 0.05) -> Narrative:
    """Say how far the p-values of the methods spread and whether they agree on one side of ``alpha``."""
    return brief(survival.every_method(statistics, alpha=alpha), "effects.none")


def visit_comparison_narrative(statistics: Statistics, config: CohortConfig) -> Narrative:
    """Say in what the groups differ at the visits that the cohort names."""
    claims = visit_comparisons.visit_comparisons(material_of(statistics, config))
    return brief(claims, "visit_comparison.absent")


def limits_narrative(statistics: Statistics, labels: Mapping[str, str], *, alpha: float = 0.05) -> Narrative:
    """Say for each variable whether its difference survives what limited values may stand for.

    >>> limits_narrative(statistics, {"ferritin": "Ferritin"}).text[:50]
    'For ferritin the p-value runs from <0.001 to 0.352'
    >>> baseline_narrative(statistics, {"ferritin": "Ferritin"}).text[:50]
    'The groups differ at baseline in triglycerides (p '
    """
    return brief(baseline.under_limits(statistics, labels, alpha=alpha), "limits.none")
