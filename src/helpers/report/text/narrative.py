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

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

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
from helpers.report.text.claims import Claim, Items, Material, Row, Term
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
        wording: the language that the words are in.
    """

    text: str
    opening: str = ""
    note: str = ""
    below: str = ""
    wording: Wording = field(default_factory=Wording, compare=False)

    def _repr_markdown_(self) -> str:
        opening = f"**{as_markdown(self.opening)}** " if self.opening else ""
        note = f"> {as_markdown(self.note)}" if self.note else ""
        return "\n\n".join(filter(None, (opening + as_markdown(self.text), note, self.below)))

    def __repr__(self) -> str:
        """Return the paragraphs as plain text."""
        opening = f"{self.opening} " if self.opening else ""
        return "\n\n".join(filter(None, (opening + self.text, self.note, self.below)))


def spoken(config: CohortConfig | None) -> Wording:
    """Return the language of a cohort's notebooks, which is that of its report; English without a cohort."""
    return Wording() if config is None else Wording.of(config.report.language, config)


def brief(claims: list[Claim], absent: str | Claim, config: CohortConfig | None = None) -> Narrative:
    """Return claims in the words of the notebooks; without any, the claim that says what is absent.

    Args:
        claims: what is said.
        absent: claim, or its key, that stands where there are none.
        config: the cohort, whose language is spoken.
    """
    instead = Claim(absent) if isinstance(absent, str) else absent
    wording = spoken(config)
    return Narrative(str(wording.paragraph(claims or [instead], BRIEF)), wording=wording)


def answer(*narratives: Narrative) -> Narrative:
    """Return the answer with which a notebook opens: paragraphs under one heading.

    >>> answer(Narrative("Nobody died."))
    Answer. Nobody died.
    """
    wording = narratives[0].wording
    opening = str(wording.render(Claim("notebook.answer")))
    return Narrative("\n\n".join(one.text for one in narratives), opening, wording=wording)


def material_of(statistics: Statistics, config: CohortConfig, horizon_days: float | None = None) -> Material:
    """Return what claims are made from; without a horizon the cohort's own."""
    return Material(statistics, config, float(config.horizon_days if horizon_days is None else horizon_days))


def arm(group: Group) -> str:
    """Return how a group is called in a sentence: ``ruxolitinib group``; acronyms keep their capitals."""
    return f"{in_text(group.label)} group"


def flow_narrative(statistics: Statistics, config: CohortConfig) -> Narrative:
    """Say how many patients and rows were read, used and left out."""
    material = material_of(statistics, config)
    return brief([*participants.patient_flow(material), *participants.row_flow(material)], "", config)


def baseline_narrative(
    statistics: Statistics, labels: dict[str, str], config: CohortConfig | None = None, *, alpha: float = 0.05
) -> Narrative:
    """Name the baseline variables whose groups differ by test, and how many are out of balance."""
    return brief(baseline.baseline_differences(statistics, labels, alpha=alpha), "", config)


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
    return brief(claims, "survival.none", config)


def endpoints_narrative(statistics: Statistics, config: CohortConfig, horizon_days: int) -> Narrative:
    """Say how many had each endpoint beside death, and the effect on it."""
    return brief(endpoints.endpoints(material_of(statistics, config, horizon_days)), "endpoint.none", config)


def response_narrative(statistics: Statistics, config: CohortConfig) -> Narrative:
    """Say the overall and complete response at the last assessed visit, and the earliest response."""
    return brief(response.overall_response(material_of(statistics, config)), "response.none", config)


def dose_narrative(statistics: Statistics, config: CohortConfig) -> Narrative:
    """Say how far the median glucocorticoid dose fell from baseline to the last visit."""
    return brief(steroids.dose_change(material_of(statistics, config)), steroids.no_doses(config), config)


def safety_narrative(statistics: Statistics, config: CohortConfig) -> Narrative:
    """Say how many patients had any, any serious and any severe adverse event."""
    return brief(safety.adverse_events(material_of(statistics, config)), "events.absent", config)


def absent_narrative(
    config: CohortConfig, absent: Sequence[str] | frozenset[str], needs: Sequence[str]
) -> Narrative:
    """Say which tables that an analysis needs are missing, or that all are there."""
    wording, missing = spoken(config), [name for name in needs if name in absent]

    def tables(names: Sequence[str]) -> Items:
        return Items(tuple(Claim("notebook.table", {"name": name}) for name in names))

    if not missing:
        return Narrative(
            str(wording.render(Claim("notebook.reads", {"tables": tables(needs)}))), wording=wording
        )
    part = "nothing" if len(missing) == len(needs) else "nothing_in_part"
    number = "one" if len(missing) == 1 else "more"
    lacking = Claim(
        f"notebook.{part}_{number}", {"title": Term(config.title, "title"), "tables": tables(missing)}
    )
    return Narrative(
        str(wording.render(lacking)), str(wording.render(Claim(f"notebook.{part}"))), wording=wording
    )


def cohort_narrative(config: CohortConfig) -> Narrative:
    """Say which cohort is open, what its groups are and, where it is not of patients, what it is."""
    wording = spoken(config)
    text = wording.render(Claim("notebook.groups", {"groups": _groups(config, "notebook.group")}))
    title = wording.render(Claim("notebook.title", {"title": Term(config.title, "title")}))
    return Narrative(str(text), str(title), wording.term(config.data_note), wording=wording)


def time_zero_narrative(config: CohortConfig) -> Narrative:
    """Say what day 0 is in each group, and warn where the groups differ in it or in their era."""
    groups = _groups(config, "notebook.day_0_group", "semicolons")
    claims = [Claim("notebook.day_0", {"groups": groups})]
    if len({group.day0 for group in config.groups}) > 1:
        claims.append(Claim("notebook.day_0_differs"))
    if config.eras_differ:
        claims.append(Claim("notebook.eras_differ"))
    wording = spoken(config)
    return Narrative(str(wording.paragraph(claims)), wording=wording)


def _groups(config: CohortConfig, key: str, join: Literal["list", "semicolons"] = "list") -> Items:
    """Return every group with its day 0, by a template."""
    return Items(
        tuple(
            Claim(key, {"label": Term(group.label, "group.label"), "day0": Term(group.day0, "group.day0")})
            for group in config.groups
        ),
        join,
    )


def course_narrative(statistics: Statistics, config: CohortConfig) -> Narrative:
    """Say which laboratory values had moved by the last visit."""
    return brief(course.laboratory_changes(material_of(statistics, config)), "course.none", config)


def historical_control_narrative(
    statistics: Statistics, config: CohortConfig, horizon_days: float
) -> Narrative:
    """Say under which assumptions the difference would be lost, and what cannot be told from the drug."""
    material = material_of(statistics, config, horizon_days)
    claims = [*historical_control.fragility(material), *historical_control.not_known(material)]
    return brief(claims, "control.none", config)


def splenomegaly_narrative(statistics: Statistics, config: CohortConfig) -> Narrative:
    """Say how many enlarged spleens were normal when last examined."""
    return brief(course.enlarged_spleens(material_of(statistics, config)), "spleen.none", config)


def low_dose_narrative(statistics: Statistics, config: CohortConfig, horizon_days: float) -> Narrative:
    """Say how many patients reached a low dose by the horizon, with death competing."""
    return brief(
        steroids.low_dose(material_of(statistics, config, horizon_days)), steroids.no_doses(config), config
    )


def exposure_narrative(statistics: Statistics, config: CohortConfig) -> Narrative:
    """Say how many patients received the study drug, at which doses and for how long."""
    return brief(safety.exposure(material_of(statistics, config)), "exposure.none", config)


def effects_narrative(
    statistics: Statistics, config: CohortConfig | None = None, *, alpha: float = 0.05
) -> Narrative:
    """Say how far the p-values of the methods spread and whether they agree on one side of ``alpha``."""
    return brief(survival.every_method(statistics, alpha=alpha), "effects.none", config)


def visit_comparison_narrative(statistics: Statistics, config: CohortConfig) -> Narrative:
    """Say in what the groups differ at the visits that the cohort names."""
    claims = visit_comparisons.visit_comparisons(material_of(statistics, config))
    return brief(claims, "visit_comparison.absent", config)


def limits_narrative(
    statistics: Statistics,
    labels: Mapping[str, str],
    config: CohortConfig | None = None,
    *,
    alpha: float = 0.05,
) -> Narrative:
    """Say for each variable whether its difference survives what limited values may stand for.

    >>> limits_narrative(statistics, {"ferritin": "Ferritin"}).text[:50]
    'For ferritin the p-value runs from <0.001 to 0.352'
    >>> baseline_narrative(statistics, {"ferritin": "Ferritin"}).text[:50]
    'The groups differ at baseline in triglycerides (p '
    """
    return brief(baseline.under_limits(statistics, labels, alpha=alpha), "limits.none", config)
