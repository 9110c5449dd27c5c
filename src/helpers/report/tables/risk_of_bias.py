"""Risk of bias (ROBINS-I, version 2) and reporting (TARGET), filled in as far as the stored rows go, no
further.

A rule never judges a domain better than the rows allow, and never as of low risk: what remains is for the
team, and stands there as a question.

>>> risk_of_bias_table(statistics, config, "day_56", watermark="").texts[0][:1]
['1. Confounding']
>>> reporting_table(config, watermark="").texts[0][:1]
['Abstract']
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.report.tables.cells import (
    EMPTY,
    Cell,
    count_of,
    estimate_interval,
    joined,
    number,
    p_equation,
    sentence,
    short_method,
    size,
    verbatim,
    words,
)
from helpers.report.tables.content import column, heading, message, row
from helpers.report.tables.evidence import Evidence
from helpers.report.tables.table import Table
from helpers.results.catalogue import (
    CoInterventionRows,
    ControlEraRows,
    ControlTimeRows,
    EstimandRows,
    MissingBoundsRows,
    SpecificationRows,
    UnmeasuredConfounderRows,
    WeightedEffectRows,
)
from helpers.results.format import ALPHA

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistic, Statistics

SERIOUS, MODERATE, OPEN = "At least serious", "At least moderate", "Not judged here"
NO_ARMS = "There are no two groups with a follow-up, so there is no effect whose bias could be judged."


@dataclass(frozen=True)
class Domain:
    """One domain: what the rows say, how good it can be at best, and what the team has to answer."""

    name: str
    found: Cell
    judgement: str
    question: str


def _known(one: Statistic | None) -> bool:
    return one is not None and one.value == one.value


def _sentences(*parts: Cell | str) -> Cell:
    """Sentences that were found, one after another."""
    cell = EMPTY
    for part in parts:
        one = part if isinstance(part, Cell) else verbatim(part)
        if one.parts:
            cell = cell + (" " if cell.parts else "") + one
    return cell


def _confounding(evidence: Evidence) -> Domain:
    budget = evidence.find(WeightedEffectRows.budget, "model")
    overlap, gap = (
        evidence.find(ControlEraRows.named(name)) for name in ("calendar_overlap", "calendar_gap")
    )
    e_value = evidence.find(UnmeasuredConfounderRows.e_value)
    carried = era = strength = EMPTY
    if budget is not None and _known(budget):
        carried = "The patients carry a model of " + number(budget) + " of " + size(budget)
        carried = carried + " recorded characteristics."
    if overlap is not None and gap is not None and overlap.value == 0:
        era = "The arms lie " + number(gap, 1) + " years apart."
    elif overlap is None or not _known(overlap):
        era = verbatim("Calendar time is not known in both arms.")
    if e_value is not None and e_value.lower == e_value.lower:
        strength = "E-value of the limit " + number(e_value, 1, column="lower") + "."
    shared = overlap is not None and overlap.value == 100
    safe = shared and budget is not None and budget.value >= (budget.n or 0)
    return Domain(
        "1. Confounding", _sentences(carried, era, strength), MODERATE if safe else SERIOUS,
        "Which causes of death differed and were not recorded? Organ failure, centre, supportive care?",
    )  # fmt: skip


def _classification(config: CohortConfig) -> Domain:
    names = " and ".join(f"{g.label}: {g.day0}" for g in (config.treated, config.reference) if g)
    return Domain(
        "2. Classification of interventions", verbatim(f"By group, from records; day 0 of {names}."), OPEN,
        "Could anybody's group have been recorded with the outcome known?",
    )  # fmt: skip


def _selection(evidence: Evidence) -> Domain:
    tipping, entry = (
        evidence.find(ControlTimeRows.named(name)) for name in ("lag_tipping_point", "delayed_entry")
    )
    lag, lost = evidence.find(ControlTimeRows.lag_treated), EMPTY
    if tipping is not None and tipping.value > 0:
        lost = "Significance is lost from a common lag of " + number(tipping) + " days on."
    known, judgement = verbatim("The day of eligibility is not recorded."), SERIOUS
    if lag is not None and _known(lag):
        text = "Median lag from eligibility to day 0 in the treated, read from prescriptions: "
        known = text + number(lag) + " days."
        judgement = SERIOUS if lag.value > 0 else MODERATE
    if entry is not None and _known(entry):
        known = _sentences(known, "Hazard ratio with delayed entry " + estimate_interval(entry, 2) + ".")
    return Domain(
        "3. Selection of participants", _sentences(known, lost), judgement,
        "Who was eligible and is in neither group? Who died before the drug could be given?",
    )  # fmt: skip


def _deviations(evidence: Evidence) -> Domain:
    one, none = (
        evidence.find(CoInterventionRows.named(name), "any") for name in ("begun_treated", "begun_reference")
    )
    question = "Was what was added part of usual care, or does it tell of the group?"
    name = "4. Deviations from intended interventions"
    if one is None or none is None:
        return Domain(name, verbatim("Treatments are not recorded."), SERIOUS, question)
    found = count_of(one) + " treated and " + count_of(none) + " controls began a further course."
    single = [
        row for row in evidence.statistics.select(CoInterventionRows.test)
        if row.p_value < ALPHA
    ]  # fmt: skip
    if single:
        apart = [_named(row) for row in single]
        named = "Drugs that differ between the arms: " + joined(apart, "; ") + "."
        return Domain(name, _sentences(found, named), SERIOUS, question)
    least = MODERATE if one.value or none.value else OPEN
    return Domain(name, found, least, question)


def _named(row: Statistic) -> Cell:
    """Name a drug with the test of its use in the arms."""
    named = verbatim(f"{row.variable.replace('_', ' ')}, ") + p_equation(row)
    return named.marked(sentence(short_method(row.method)))


def _missing(evidence: Evidence) -> Domain:
    bounds, policy = (
        evidence.find(MissingBoundsRows.difference, "response"),
        evidence.find(EstimandRows.treatment_policy),
    )
    followed = policy is not None and _known(policy)
    death = "Death is known in everybody to the horizon." if followed else "Follow-up ends early in some."
    response = EMPTY
    if bounds is not None and bounds.n_missing:
        response = "Response is not known for certain in " + number(bounds, 0, column="n_missing") + " of "
        response = response + size(bounds) + " patients."
    return Domain(
        "5. Missing data", _sentences(death, response), MODERATE if followed else SERIOUS,
        "Why are values missing, and would the reason be the same in both arms?",
    )  # fmt: skip


def _reported(evidence: Evidence) -> Domain:
    analytic, design = (evidence.find(SpecificationRows.significant, kind) for kind in ("analytic", "design"))
    found = EMPTY
    if analytic is not None and design is not None and analytic.n and design.n:
        found = number(analytic) + " of " + size(analytic) + " tests and " + number(design) + " of "
        found = found + size(design) + " assumptions about the design are significant; all are shown."
    return Domain(
        "7. Selection of the reported result", found, MODERATE,
        "Was there a protocol with outcome, day and test before the data were seen? Where is it?",
    )  # fmt: skip


def _measurement() -> Domain:
    return Domain(
        "6. Measurement of the outcome",
        verbatim("Death from records. Response by one rule in both arms, from what was measured."), OPEN,
        "Were controls visited and measured as often? Did who judged know the group?",
    )  # fmt: skip


def risk_of_bias_table(
    statistics: Statistics, config: CohortConfig, timepoint: str, *, watermark: str
) -> Table:
    """Return the seven domains of ROBINS-I with what the rows say, the best judgement they allow, and
    questions.

    Domains: Sterne et al. 2016 and version 2 of the tool. The effect is that of assignment to the drug on
    death by the horizon.
    """
    evidence = Evidence(statistics, timepoint)
    columns = [
        column("Domain"),
        *(column(name, left=True) for name in ("Found", "Judgement", "For the team")),
    ]
    title = "Risk of bias, domain by domain, as far as the data tell"
    if config.treated is None or config.reference is None or evidence.find(SpecificationRows.significant,
                                                                          "design") is None:  # fmt: skip
        return Table("table_s26_risk_of_bias", title, columns, [message(NO_ARMS)], (), watermark)
    domains = [
        _confounding(evidence), _classification(config), _selection(evidence), _deviations(evidence),
        _missing(evidence), _measurement(), _reported(evidence),
    ]  # fmt: skip
    worst = SERIOUS if any(one.judgement == SERIOUS for one in domains) else MODERATE
    rows = [row(one.name, one.found, one.judgement, one.question) for one in domains]
    rows.append(
        row("Overall", verbatim("No better than its worst domain."), worst, "Critical in any domain?")
    )
    note = (
        "Domains of ROBINS-I, version 2. A rule fills in what the rows say and the best judgement that they "
        "allow; it never says low. The judgement is the team's."
    )
    return Table("table_s26_risk_of_bias", title, columns, rows, [note], watermark)


# Section, item, where it stands, and what only the team can write; an empty place: nothing is written.
_TARGET: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Abstract": (
        ("That a trial is emulated: question, data, effect", "", "Write it; the effect with its interval"),
    ),
    "Introduction": (
        ("Background, and why no trial", "", "Say what trials there are, and why none answers"),
        ("The causal question, and why emulated", "Target trial and estimand", "For whom is the answer?"),
    ),
    "Methods: the target trial and its emulation": (
        ("Data sources and settings", "Methods", "Name centres, records, and who extracted them"),
        ("Eligibility", "Target trial and estimand", "Confirm that one rule was applied to both groups"),
        ("Treatment strategies", "Target trial and estimand", "Doses, and what was allowed besides"),
        ("Assignment", "Target trial and estimand", "How it was decided who got the drug"),
        ("Time zero and follow-up", "Target trial and estimand", "Confirm what day 0 is in each group"),
        ("Outcomes", "Target trial and estimand", "How deaths were found"),
        ("Causal contrast", "Target trial and estimand", ""),
        ("Assumptions that identify the effect", "The verdict", "Which are believed, and why"),
        ("Confounding, missing data, sensitivity", "Methods; all numbers", "Which analysis came first"),
    ),
    "Results": (
        ("Who was assessed, eligible, included", "Flow of patients", "Numbers before the file began"),
        ("Characteristics at time zero", "Baseline table; differences", ""),
        ("Follow-up, and reasons for its end", "Survival table", "Losses, if there were any"),
        ("Missing data", "All numbers", "Why values are missing"),
        ("Effects, absolute and relative", "Survival table; all numbers", ""),
        ("Further analyses", "All numbers; every assumption", ""),
    ),
    "Discussion": (
        ("Interpretation", "", "Write it from the verdict, not from one p-value"),
        ("Limitations, with direction of bias", "The verdict; risk of bias", "Which way each moves it"),
    ),
    "Other information": (
        ("Protocol, registration, ethics, funding", "", "Write them"),
        ("Data and code", "provenance.json beside the results", "Where others can have the data"),
    ),
}  # fmt: skip


def reporting_table(config: CohortConfig, *, watermark: str) -> Table:
    """Return what the TARGET statement (2025) asks to be reported, where it stands, and what the team must
    write.

    The statement's sections are its own; its items are put in our words and without its numbers, which the
    journal's form has.
    """
    columns = [column("Asked"), *(column(name, left=True) for name in ("Written here", "For the team"))]
    title = "What an emulated trial has to report, and where it stands"
    if config.treated is None or config.reference is None:
        rows = [message("The cohort has one group: there is no trial to emulate.")]
        return Table("table_s27_reporting", title, columns, rows, (), watermark)
    rows = []
    for section, items in _TARGET.items():
        rows.append(heading(section))
        rows += [row(asked, words(where or "Not written"), todo) for asked, where, todo in items]
    note = (
        "After the TARGET statement, in our words; submit the journal's form. "
        "What is written here is no judgement that it is enough."
    )
    return Table("table_s27_reporting", title, columns, rows, [note], watermark)
