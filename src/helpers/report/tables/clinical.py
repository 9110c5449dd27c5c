"""Tables of what the clinical rules say: criteria, eligibility, response by rule, evidence.

>>> hscore_table(statistics, config, watermark="").texts[0][:3]
['Score, missing items giving no points', '185 (126–244)', '183 (144–271)']
>>> eligibility_table(statistics, config, watermark="").texts[0][:3]
['Refractory on day 0']
>>> rule_agreement_table(statistics, config, watermark="").texts[0][:3]
['All visits', '78', '78']
>>> endpoint_table(statistics, config, watermark="").texts[0][:3]
["Clinicians' calls, Ruxolitinib", '6 (30%)', '10 (50%)']
>>> from helpers.analysis.diagnosis import diagnose
>>> found = diagnose(tables, config, folder)
>>> criteria_table(statistics, found, config, watermark="").texts[0][:2]
['HLH-2004 diagnostic criteria', '11']
>>> agreement_table(statistics, found, watermark="").texts[0][:2], title_of_absent("hlh_2004")
(['HLH-2004 diagnostic criteria and HLH-2004 criteria as changed by Li 2025', '15'], 'hlh 2004')
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from helpers.report.figures.response_rules import shown_visits
from helpers.report.tables.cells import (
    EMPTY,
    Cell,
    count_of_percent,
    count_percent,
    joined,
    median_spread,
    number,
    size,
    verbatim,
)
from helpers.report.tables.content import Column, Row, column, heading, message, row
from helpers.report.tables.safety import share_interval
from helpers.report.tables.table import Table
from helpers.results.catalogue import (
    CriteriaAgreementRows,
    DiagnosisRows,
    ResponseAgreementRows,
    ResponseEndpointRows,
    ResponseRows,
    ResponseVariantRows,
)
from helpers.results.format import NOT_ESTIMABLE
from helpers.results.store import slug

if TYPE_CHECKING:
    import pandas as pd

    from helpers.analysis.diagnosis import Diagnoses
    from helpers.cohort.config import CohortConfig
    from helpers.cohort.report_settings import Ids
    from helpers.cohort.settings import Visit
    from helpers.results.store import Statistic, Statistics

# Titles of the tables that show values and days as they were recorded; their numbers are data, not results.
DISCORDANT_TITLE = "Calls on which rule and clinician differ, and what the rule saw"
EXPLANATION_TITLE = "Why one patient was called what"
_PRINTED_CALLS = 100
EVIDENCE_TITLES = (DISCORDANT_TITLE, EXPLANATION_TITLE)


BLANK = ""
MOMENTS = {"baseline": "at baseline", "mas_onset": "when it was diagnosed"}


def criteria_table(
    statistics: Statistics, found: Diagnoses, config: CohortConfig, *, watermark: str
) -> Table:
    """Return who meets each criteria set, by group, at the moment of the settings and at the other one."""
    columns = _by_group("Criteria", config, ("met", "not met", "undetermined", "share met (95% CI)"))
    rows = [
        row(title, *_verdict_cells(statistics, name, found.moment, config))
        for name, title in found.titles.items()
    ]
    rows += [row(title_of_absent(name), *["not recorded"] * (len(columns) - 1)) for name in found.absent]
    notes = [
        (
            "Patients. Undetermined: what was not measured could turn the verdict. Share met: of the "
            "patients with a verdict, Clopper-Pearson interval."
        ),
        *[f"{message}." for message in found.absent.values()],
    ]
    other = found.other
    if other is not None and other.decided:
        rows += [
            row(f"{other.titles[name]}, {MOMENTS[other.moment]}",
                *_verdict_cells(statistics, name, other.moment, config))
            for name in other.decided
        ]  # fmt: skip
        notes.append("The criteria are made for the day on which the syndrome is diagnosed.")
    title = f"Diagnostic criteria {MOMENTS[found.moment]}"
    nothing = [message("No diagnostic criteria are configured for this cohort.")]
    return Table("table_s5a_criteria", title, columns, rows or nothing, notes, watermark)


def _verdict_cells(statistics: Statistics, name: str, moment: str, config: CohortConfig) -> list[Cell]:
    """Return the verdicts of one criteria set at one moment, the cells of each group after the other."""
    cells: list[Cell] = []
    for group in config.group_ids:
        stem = DiagnosisRows.stem(slug(name), group=group, timepoint=moment)
        counts = [
            statistics[DiagnosisRows.named(state).at(stem)] for state in ("met", "not_met", "undetermined")
        ]
        share = statistics.find(DiagnosisRows.met_percent, slug(name), group=group, timepoint=moment)
        cells += [*map(number, counts), share_interval(share)]
    return cells


def _by_group(first: str, config: CohortConfig, names: Sequence[str]) -> list[Column]:
    """Return the same columns for each group, under its label."""
    groups = [column(name, spanner=group.label) for group in config.groups for name in names]
    return [column(first), *groups]


def title_of_absent(name: str) -> str:
    """Return the name of a criteria set that could not be evaluated, for a table."""
    return name.replace("_", " ")


def hscore_table(statistics: Statistics, config: CohortConfig, *, watermark: str) -> Table:
    """Return the HScore by group: as it stands, the highest attainable, probability, items known."""
    labels = {
        "hscore_points": ("Score, missing items giving no points", 0),
        "hscore_highest": ("Highest attainable score, missing items giving most points", 0),
        "hscore_probability": ("Probability at the score as it stands, %", 1),
        "hscore_items": ("Items known", 0),
    }
    rows = []
    moments = {one.timepoint for one in statistics.select(DiagnosisRows, variable="hscore_points")}
    moment = config.criteria.moment if config.criteria.moment in moments else "baseline"
    for name, (label, digits) in labels.items():
        stems = [DiagnosisRows.stem(name, group=group, timepoint=moment) for group in config.group_ids]
        if all(DiagnosisRows.median.at(stem) in statistics for stem in stems):
            rows.append(row(label, *[median_spread(statistics, stem, digits) for stem in stems]))
    notes = ["{Median_spread}.", "Probability: printed table, on a straight line between its points."]
    columns = ["HScore", *[group.label for group in config.groups]]
    nothing = [message("The HScore is not among the criteria, or none of its items was recorded.")]
    return Table("table_s5b_hscore", f"HScore {MOMENTS[moment]}", columns, rows or nothing, notes, watermark)


def agreement_table(statistics: Statistics, found: Diagnoses, *, watermark: str) -> Table:
    """Return the agreement of every two criteria sets: counts, share and kappa."""
    rows = []
    for kappa in statistics.select(CriteriaAgreementRows.kappa):
        counts = [statistics[CriteriaAgreementRows.named(name).beside(kappa.id)] for name in _FOUR]
        share = statistics[CriteriaAgreementRows.agreement.beside(kappa.id)]
        rows.append(row(
            " and ".join(found.pairs[kappa.variable]), *map(number, counts),
            number(kappa, column="n_missing"), number(share, 1, unit="%"), number(kappa, 2),
        ))  # fmt: skip
    columns = [
        "Criteria",
        "Both met",
        "First only",
        "Second only",
        "Neither",
        "Undetermined",
        "Agree",
        "Kappa",
    ]
    notes = [
        "Patients of all groups; undetermined by either set: left out of the other columns.",
        (
            "Where patients entered the cohort because they met one of two sets, none can meet neither, and "
            "kappa comes out low or below 0 by that selection alone."
        ),
        f"{NOT_ESTIMABLE}: not estimable.",
    ]
    nothing = [message("There are not two criteria sets with a verdict to compare.")]
    title = f"Agreement between criteria {MOMENTS[found.moment]}"
    return Table("table_s6_agreement", title, columns, rows or nothing, notes, watermark)


_FOUR = ("both_met", "a_only", "b_only", "neither")
_ITEM_STATES = ("met", "not_met", "undetermined", "not_done")


def eligibility_table(
    statistics: Statistics, config: CohortConfig, *, why_not: str = "", watermark: str
) -> Table:
    """Return refractoriness and eligibility: patients by item and state, with the verdicts."""
    rows: list[Row] = []
    titles = {"refractoriness": "Refractory on day 0", "eligibility": "Inclusion and exclusion"}
    for analysis, title in titles.items():
        known = statistics.select(analysis=analysis, statistic="met")
        names = list(dict.fromkeys(one.variable for one in known))
        if names:
            rows.append(heading(title))
        for name in sorted(names, key=lambda one: one == "verdict"):
            cells = [_states(statistics, f"{analysis}.{name}.{group}.baseline") for group in config.group_ids]
            method = next(one.method for one in known if one.variable == name)
            label = f"Verdict: {method}" if name == "verdict" else method[:1].upper() + method[1:]
            rows.append(row(label, *[cell for part in cells for cell in part], level=1))
    columns = _by_group("Item", config, ("met", "not met", "undetermined", "not done"))
    notes = [
        "Patients. An exclusion that is met leads out; one that was not recorded counts as absent.",
        *([f"Not judged: {why_not}."] if why_not else []),
    ]
    nothing = [message("Refractoriness and eligibility cannot be judged in this cohort.")]
    title = "Refractoriness and eligibility"
    return Table("table_s7_eligibility", title, columns, rows or nothing, notes, watermark)


def _states(statistics: Statistics, stem: str) -> list[Cell]:
    ids = [f"{stem}.{state}" for state in _ITEM_STATES]
    return [number(statistics[one]) if one in statistics else EMPTY for one in ids]


def rule_agreement_table(statistics: Statistics, config: CohortConfig, *, watermark: str) -> Table:
    """Return the calls of rule and clinicians against each other, and agreement with kappa by visit."""
    rows: list[Row] = []
    found = {one.timepoint: one for one in statistics.select(ResponseAgreementRows.kappa)}
    labels = {visit.id: visit.label for visit in config.visits} | {"all_visits": "All visits"}
    for when, kappa in found.items():
        linear, agree, share = (
            statistics[ResponseAgreementRows.named(name).id("calls", timepoint=when)]
            for name in ("kappa_linear", "agree", "agreement")
        )
        rows.append(row(
            labels[when], size(kappa), number(agree), number(share, 1, unit="%"), number(kappa, 2),
            number(linear, 2), number(kappa, column="n_missing"),
        ))  # fmt: skip
    if rows:
        rows.append(heading("Rule against clinician, all visits"))
    for name in ("CR", "PR", "NR") if rows else ():
        cells = [
            statistics[
                ResponseAgreementRows.named(f"clinician_{other}").id(
                    f"rule_{name.lower()}", timepoint="all_visits"
                )
            ]
            for other in ("cr", "pr", "nr")
        ]
        counts = [f"{word} " + number(cell) for word, cell in zip(("CR", "PR", "NR"), cells, strict=True)]
        rows.append(row(f"Rule {name}: clinicians", joined(counts, ", "), *[EMPTY] * 5, level=1))
    columns = ["Visit", "Calls", "Agree", "Share", "Kappa", "Kappa, linear weights", "Not compared"]
    nothing = [message("Rule and clinicians cannot be compared: one of them has no calls in this cohort.")]
    notes = ["Calls of living patients. Kappa: Cohen. CR, PR, NR: complete, partial, no response."]
    title = "Response by rule beside the clinicians' own calls"
    return Table("table_s8_rule_agreement", title, columns, rows or nothing, notes, watermark)


def discordant_table(
    discordant: pd.DataFrame, evidence: pd.DataFrame, *, watermark: str, ids: Ids = "study"
) -> Table:
    """Return the calls on which rule and clinician differ with the markers and values behind the rule's.

    Of many calls the first are printed and the others counted. With ``ids`` none neither patients nor lines
    of the raw table are named.
    """
    rows: list[Row] = []
    behind = defaultdict(list)
    for line in evidence.to_dict("records"):
        behind[line["patient_id"], line["visit"]].append(line)
    for call in discordant.head(_PRINTED_CALLS).to_dict("records"):
        rows.append(row(
            f"{call['patient_id']}, {call['visit']}" if ids == "study" else str(call["visit"]),
            str(call["response_rule"]),
            str(call["response_clinician"]), str(call["improved"] or "none"), BLANK, BLANK, BLANK,
        ))  # fmt: skip
        for line in behind[call["patient_id"], call["visit"]]:
            before = "not recorded"
            if line["baseline_value"] == line["baseline_value"]:
                before = f"{line['baseline_qualifier']}{line['baseline_value']:g}"
            value = f"{before} to {line['qualifier']}{line['value']:g} {line['unit']}"
            state = f"{line['rule']}: {line['rule_state']}"
            where = f"day {line['measured_day']:g}"
            where += f", row {line['source_row']:g}" if ids == "study" else ""
            rows.append(row(str(line["item"]), BLANK, BLANK, BLANK, value, state, where, level=1))
    texts = ("Improved by the rule", "Baseline to visit", "Test", "Source")
    columns = [column(text) for text in ("Patient, visit", "Rule", "Clinician")]
    columns += [column(text, left=True) for text in texts]
    nothing = [message("No call differs.")]
    notes = ["Source: day of the value and its line in the raw table of measurements."]
    if (more := len(discordant) - _PRINTED_CALLS) > 0:
        notes.append(f"{more} more calls differ; `discordant` of notebook 03 holds all of them.")
    return Table("table_s9_discordant", DISCORDANT_TITLE, columns, rows or nothing, notes, watermark)


def _assessed(statistics: Statistics, config: CohortConfig) -> list[tuple[str, Visit]]:
    called = {one.group for one in statistics.select(ResponseVariantRows.overall_count)}
    visits = shown_visits(statistics, config)
    return [(group, visit) for group in config.group_ids if group in called for visit in visits]


def variants_table(
    statistics: Statistics, variants: Sequence[str], config: CohortConfig, *, watermark: str
) -> Table:
    """Return the overall response by every variant of the rule beside the clinicians' calls.

    >>> variants_table(statistics, ["paper"], config, watermark="").texts[0][:2]
    ['Clinicians', '9 of 20 (45%)']
    """
    pairs = _assessed(statistics, config)
    rows: list[Row] = []
    if pairs:
        cells = [
            _share(statistics.find(ResponseRows.count, "overall", group=group, timepoint=visit.id))
            for group, visit in pairs
        ]
        rows.append(row("Clinicians", *cells))
    overall = ResponseVariantRows.overall_count
    for label in variants if pairs else ():
        cells = [
            _share(statistics[overall.id(slug(label), group=group, timepoint=visit.id)])
            for group, visit in pairs
        ]
        rows.append(row(f"Rule: {label}", *cells))
    short = {group.id: group.short_label for group in config.groups}
    columns = [column("Overall response by")]
    columns += [column(verbatim(visit.label), spanner=short[group]) for group, visit in pairs]
    nothing = [message("No response can be worked out from the values of this cohort.")]
    notes = [
        "CR or PR of the patients with a call, n of N (%). N differs where a rule leaves a call open.",
        "At most four visits are shown; the others are in the statistics.",
        "Under 'dead is missing' deaths leave the denominator: such a rate describes survivors.",
    ]
    title = "Overall response by every variant of the rule"
    return Table("table_s10_variants", title, columns, rows or nothing, notes, watermark)


def _share(found: Statistic | None) -> Cell:
    return verbatim("no calls") if found is None else count_of_percent(found)


def endpoint_table(statistics: Statistics, config: CohortConfig, *, watermark: str) -> Table:
    """Return best, confirmed and sustained response, by clinicians and by rule, with exact intervals."""
    rows = []
    for source, title in {"clinician": "Clinicians' calls", "rule": "By the rule"}.items():
        for group in config.groups:
            found = statistics.select(ResponseEndpointRows, group=group.id)
            mine = {f"{r.variable}.{r.statistic}": r for r in found if r.variable.startswith(f"{source}_")}
            if not mine:
                continue
            best = [mine[f"{source}_best.{name}"] for name in ("cr", "pr", "nr", "missing")]
            counts = [count_percent(one) for one in best]
            shares = [
                share_interval(mine.get(f"{source}_{name}.response"))
                for name in ("best", "confirmed", "sustained")
            ]
            lost = mine[f"{source}_sustained.lost"]
            rows.append(row(f"{title}, {group.label}", *counts, *shares, number(lost)))
    best_of, shares_of = "Best response", "Response (95% CI)"
    columns = [column("Source, group")]
    columns += [column(name, spanner=best_of) for name in ("CR", "PR", "NR", "no call")]
    columns += [column(name, spanner=shares_of) for name in ("any", "confirmed", "sustained")]
    columns.append(column("Response lost"))
    notes = [
        "All patients of the group are in the denominator; shares with Clopper-Pearson intervals.",
        (
            "Confirmed: seen again at least 7 days later, nothing worse between. Sustained: kept at every "
            "later call up to the horizon, with at least one such call."
        ),
    ]
    nothing = [message("No response is recorded in this cohort, and none can be worked out.")]
    title = "Best, confirmed and sustained response"
    return Table("table_s11_endpoints", title, columns, rows or nothing, notes, watermark)


def explanation_table(explained: pd.DataFrame, *, watermark: str, ids: Ids = "study") -> Table:
    """Return every comparison behind the calls on one patient, with value, day and source row."""
    rows: list[Row] = []
    known = explained[(explained["value"] != "not done") & (explained["rule"] != "")]
    for (question, answer), part in known.groupby(["question", "answer"], sort=False):
        rows.append(heading(f"{question}: {answer}"))
        for line in part.to_dict("records"):
            day = BLANK if line["day"] != line["day"] else f"{line['day']:g}"
            source = str(line["table"])
            if line["source_row"] == line["source_row"] and ids == "study":
                source += f" {line['source_row']:g}"
            texts = [str(line[name]) for name in ("item", "rule", "value", "rule_state")]
            rows.append(row(*texts, day, source, level=1))
    texts = ["Item", "Rule", "Value", "State"]
    columns = [*[column(text, left=True) for text in texts], column("Day"), column("Table and line")]
    who = f" (patient {explained['patient_id'].iloc[0]})" if len(explained) and ids == "study" else ""
    nothing = [message("Nothing that the rules look at is recorded after baseline.")]
    notes = ["The command compendium explain prints the same for any patient."]
    title = f"{EXPLANATION_TITLE}{who}"
    return Table("table_s12_explanation", title, columns, rows or nothing, notes, watermark)
