"""Tables of steroid-sparing endpoints, laboratory toxicity and rates of adverse events.

>>> low_dose_table(statistics, config, watermark="").texts[0][:3]
['Alive at or below the threshold', '11 of 20', '0 of 21']
>>> laboratory_grade_table(statistics, config, watermark="").texts[0][:3]
['Alanine aminotransferase increased, Ruxolitinib', '20', '0']
>>> shift_grade_table(statistics, config, watermark="").texts[0][:3]
['Alanine aminotransferase increased, Ruxolitinib', 'grade 0: 4', 'grade 0: 4']
>>> event_rate_table(statistics, config, watermark="").texts[0][:3]
['Any event, Ruxolitinib', '4', '4 of 20']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    verbatim,
)
from helpers.report.tables.content import Row, column, message, row
from helpers.report.tables.table import Table
from helpers.results.catalogue import (
    AliveLowDoseRows,
    CompositeRankRows,
    EventRateRows,
    LaboratoryToxicityRows,
    ToxicityShiftRows,
)
from helpers.results.format import EN_DASH, NOT_ESTIMABLE

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistic, Statistics


def share_interval(found: Statistic | None) -> Cell:
    """Return a percentage with its interval; NE where there is none.

    >>> from helpers.results.catalogue import ResponseRows
    >>> share_interval(None).parts
    ('NE',)
    """
    return verbatim(NOT_ESTIMABLE) if found is None else estimate_interval(found, 1, "%")


def low_dose_table(statistics: Statistics, config: CohortConfig, *, watermark: str) -> Table:
    """Return who is alive at a low dose at the last visit, and the composite rank with death worst."""
    groups = [
        g for g in config.groups if statistics.select(AliveLowDoseRows, variable="patients", group=g.id)
    ]
    rows: list[Row] = []
    labels = {
        "low_dose": "Alive at or below the threshold", "dose_above": "Alive above it", "died": "Died",
        "not_known": "Dose not known",
    }  # fmt: skip
    when = ""
    for name, label in labels.items() if groups else ():
        found = [
            statistics.select(AliveLowDoseRows.named(name), variable="patients", group=g.id)[0]
            for g in groups
        ]
        when = found[0].timepoint
        rows.append(row(label, *map(count_of, found), EMPTY))
    if groups:
        rows += _low_dose_comparison(statistics, [g.id for g in groups], when)
    notes = [
        "Composite rank: survivors by dose, then deaths, the earliest last: none passes for a low dose.",
        "Treated better with: probability that a treated patient ranks before a reference patient.",
    ]
    columns = ["", *[g.label for g in groups or config.groups], "Comparison"]
    nothing = [message(f"No {config.spared_in_text} doses are recorded in this cohort.")]
    title = f"Alive at a low {config.spared_in_text} dose"
    if when:
        title += f", {config.visit(when).label.lower()}"
    return Table("table_s13_alive_low_dose", title, columns, rows or nothing, notes, watermark)


def _low_dose_comparison(statistics: Statistics, groups: Sequence[str], when: str) -> list[Row]:
    """Return the shares alive at a low dose and the composite ranks, each with its comparison."""
    both = {"group": "both", "timepoint": when}
    known = [statistics.find(AliveLowDoseRows.percent, "patients", group=g, timepoint=when) for g in groups]
    test = statistics.find(AliveLowDoseRows.test, "patients", **both)
    gap = statistics.find(AliveLowDoseRows.difference, "patients", **both)
    texts = [p_equation(test).marked(_method(test))] if test else []
    if gap:
        texts.append(("difference " + estimate_interval(gap, 1) + " points").marked(_method(gap)))
    ranks = [statistics.find(CompositeRankRows.median, "rank", group=g, timepoint=when) for g in groups]
    wins = statistics.find(CompositeRankRows.test, "rank", **both)
    cells = [number(found, 1) if found else verbatim(NOT_ESTIMABLE) for found in ranks]
    chance = statistics.find(CompositeRankRows.probability, "rank", **both)
    better = EMPTY
    if wins and chance:
        better = (p_equation(wins) + "; treated better with ").marked(_method(wins))
        better = better + estimate_interval(chance, 2).marked(_method(chance))
    share = "Share of the patients with a known outcome (95% CI)"
    return [
        row(share, *map(share_interval, known), joined(texts, "; ")),
        row("Median composite rank (1 is best)", *cells, better),
    ]


def _method(found: Statistic) -> str:
    return sentence(short_method(found.method))


def laboratory_grade_table(statistics: Statistics, config: CohortConfig, *, watermark: str) -> Table:
    """Return the patients by worst grade of each laboratory term after day 0."""
    rows = []
    terms = {r.variable: r.level for r in statistics.select(LaboratoryToxicityRows.grade_0)}
    for term, label in terms.items():
        for group in config.groups:
            found = statistics.select(LaboratoryToxicityRows, variable=term, group=group.id)
            mine = {row.statistic: row for row in found}
            if not mine:
                continue
            counts = [number(mine[f"grade_{grade}"]) for grade in range(5)]
            missing = number(mine["grade_0"], column="n_missing")
            share = share_interval(mine.get("severe_percent"))
            new = count_of(mine["severe_new"]) if "severe_new" in mine else EMPTY
            rows.append(row(f"{label}, {group.label}", *counts, missing, share, new))
    columns = [
        column("Term, group"), *[column(str(grade), spanner="Grade") for grade in range(5)],
        column("Not graded"), column("Grade 3 or 4 (95% CI)"), column("New or higher than before"),
    ]  # fmt: skip
    notes = [
        (
            "Patients by the worst grade after day 0 up to the horizon, from the values. Not graded: no "
            "later value, no limit of normal, or a value beyond a limit that decides nothing."
        ),
        (
            "A liver enzyme or fibrinogen abnormal at baseline is graded by its change from it; the other "
            "terms show the disease as well as the drug."
        ),
        f"Interval: Clopper-Pearson. {NOT_ESTIMABLE}: not estimable.",
    ]
    nothing = [message("Nothing that the toxicity scale grades was measured after day 0.")]
    title = "Laboratory toxicity, worst grade"
    return Table("table_s14_laboratory_grades", title, columns, rows or nothing, notes, watermark)


def shift_grade_table(statistics: Statistics, config: CohortConfig, *, watermark: str) -> Table:
    """Return the shifts from the grade at baseline to the worst later grade, one row a term and group."""
    found = statistics.select(ToxicityShiftRows)
    rows = []
    groups = {group.id: group.label for group in config.groups}
    levels = ["0", "1", "2", "3", "4", "missing"]
    for term, label in dict.fromkeys((one.variable, one.level) for one in found):
        for group, name in groups.items():
            mine = {r.statistic: r for r in found if (r.variable, r.group) == (term, group)}
            if not mine:
                continue
            cells = [_shift_cell(mine, start, levels) for start in levels]
            rows.append(row(f"{label}, {name}", *cells))
    spanner = "Grade at baseline"
    columns = [column("Term, group"), *[column(level, spanner=spanner) for level in levels[:-1]]]
    columns.append(column("not graded", spanner=spanner))
    notes = [
        f"Cells: worst grade after day 0, with the number of patients; {EN_DASH}: not graded after day 0."
    ]
    nothing = [message("Nothing that the toxicity scale grades was measured.")]
    title = "Laboratory toxicity, shift from baseline to worst grade"
    return Table("table_s15_shift", title, columns, rows or nothing, notes, watermark)


def _shift_cell(mine: Mapping[str, Statistic], start: str, levels: Sequence[str]) -> Cell:
    found = {level: mine.get(f"from_{start}_to_{level}") for level in levels}
    names = {level: EN_DASH if level == "missing" else f"grade {level}" for level in levels}
    return joined([f"{names[level]}: " + number(one) for level, one in found.items() if one], ", ")


def event_rate_table(statistics: Statistics, config: CohortConfig, *, watermark: str) -> Table:
    """Return events, person-time and the rate of each recorded event with its exact interval."""
    rows = []
    labels = {group.id: group.label for group in config.groups}
    for rate in statistics.select(EventRateRows.per_100_patient_years):
        bound = EventRateRows.upper_limit_if_none.beside(rate.id)
        events, patients, years = (
            statistics[EventRateRows.named(name).beside(rate.id)]
            for name in ("n_events", "n_patients_with_event", "patient_years")
        )
        limit = statistics.get(bound) if bound in statistics else None
        label = rate.level or "Any event"
        rows.append(row(
            f"{label}, {labels[rate.group]}", number(events), count_of(patients), number(years, 2),
            estimate_interval(rate, 1), "below " + number(limit, 1, unit="%") if limit else EMPTY,
        ))  # fmt: skip
    columns = [
        "Event, group",
        "Events",
        "Patients",
        "Patient-years",
        "Per 100 patient-years (95% CI)",
        "If none: share",
    ]
    notes = [
        (
            "Exact Poisson interval (Garwood). If none: with 95% confidence the share of patients with the "
            "event is below this (rule of three, exact form)."
        ),
        (
            "A rate of zero speaks of events looked for and recorded; where events were not collected it "
            "says nothing."
        ),
    ]
    nothing = [message("No adverse events are recorded in this cohort.")]
    title = "Rates of recorded adverse events"
    return Table("table_s16_event_rates", title, columns, rows or nothing, notes, watermark)
