"""Comparison with historical controls: the trial that would answer, what else was given, every number.

>>> protocol_table(config, 56, watermark="").texts[0][:1]
['Eligibility']
>>> added_drugs_table(statistics, config, "day_56", watermark="").texts[0][:1]
['Any']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.tables.cells import (
    EMPTY,
    count_percent,
    p_value,
    sentence,
)
from helpers.report.tables.content import column, message, row
from helpers.report.tables.table import Table
from helpers.results.catalogue import CoInterventionRows, EstimandRows

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics

NO_ARMS = "There are no two groups with a follow-up, so nothing is compared."


def protocol_table(config: CohortConfig, horizon_days: int, *, watermark: str) -> Table:
    """Return the trial that would answer the question beside this comparison, written from the settings.

    Components: Hernan & Robins 2016, TARGET 2025; intercurrent events: ICH E9(R1).
    """
    treated, reference = config.treated, config.reference
    columns = [column(""), *(column(name, left=True) for name in ("Trial", "This comparison", "Assumed"))]
    if treated is None or reference is None:
        rows = [message("The cohort has one group: there is no comparison to emulate.")]
        return Table("table_s20_protocol", "Target trial and estimand", columns, rows, (), watermark)
    drug, other = treated.label, reference.label
    rule = config.criteria.eligibility or config.criteria.refractoriness
    same = treated.day0 == reference.day0
    outcome = f"death by day {horizon_days}"
    rows = [
        row(
            "Eligibility", "The same rule, on the same day, in everybody",
            f"Rule {rule}, applied to both groups" if rule else "Each group by its own records",
            "Both groups would have been enrolled by both centres and years",
        ),
        row(
            "Strategies", f"{drug} added at once, or care without it",
            f"{drug}: {treated.label} group. Without: {other} group", "One version of each strategy",
        ),
        row("Assignment", "Random", "By time or choice", "No cause of death that differs is left out"),
        row(
            "Time zero", "Eligibility, assignment and start on one day",
            f"{drug}: {treated.day0}. {other}: {reference.day0}",
            "The two days mean the same" if same else "Nobody died, or recovered, between the two days",
        ),
        row("Outcome", sentence(outcome), f"{sentence(outcome)}, from records", "Known in everybody"),
        row(
            "Contrast", "Risk difference; hazard ratio beside it", "The same",
            "Proportional hazards for the ratio alone",
        ),
        row(
            "Further drugs", "Treatment policy: whatever is added counts as part of the strategy",
            "The same; beside it a composite in which a further course is failure",
            "The years differ in nothing else that is given",
        ),
        row(
            "Death before another outcome", "Composite: worse than every response or dose",
            "The same; bounds for the missing", "Death is worse than any value",
        ),
    ]  # fmt: skip
    note = "Components of a target trial (Hernán and Robins); intercurrent events as in ICH E9(R1)."
    return Table("table_s20_protocol", "Target trial and estimand", columns, rows, [note], watermark)


def added_drugs_table(
    statistics: Statistics, config: CohortConfig, timepoint: str, *, watermark: str
) -> Table:
    """Return how many of each arm began a course of each drug on or after day 0."""
    rows = []
    for found in statistics.select(CoInterventionRows.begun_treated):
        where = {"group": "both", "timepoint": timepoint}
        other = statistics.find(CoInterventionRows.begun_reference, found.variable, **where)
        test = statistics.find(CoInterventionRows.test, found.variable, **where)
        label = "Any" if found.variable == "any" else config.vocabulary.drug_label(found.variable)
        cells = [count_percent(one) if one else EMPTY for one in (found, other)]
        tested = p_value(test).marked(sentence(test.method)) if test else EMPTY
        rows.append(row(label, *cells, tested))
    absent = next(iter(statistics.select(EstimandRows.composite)), None)
    nothing = [message(sentence(absent.note) + "." if absent and absent.note else NO_ARMS)]
    names = [group.label for group in (config.treated, config.reference) if group is not None]
    names += [""] * (2 - len(names))
    columns = [column("Drug"), *(column(name) for name in names), column("{p_value}")]
    note = (
        "Courses begun on or after day 0, up to death or the horizon, without glucocorticoids and study drug."
    )
    title = "Drugs begun on or after day 0"
    return Table("table_s22_added_drugs", title, columns, rows or nothing, [note], watermark)
