"""Tables of steroid-sparing endpoints, laboratory toxicity and rates of adverse events."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from helpers.report.table import Table
from helpers.report.tables import BLANK, estimate_interval
from helpers.results.format import (
    NOT_ESTIMABLE,
    format_number,
    format_p_equation,
)

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistic, Statistics


def _percent(row: Statistic | None) -> str:
    return NOT_ESTIMABLE if row is None else estimate_interval(row, 1, "%")


def low_dose_table(statistics: Statistics, config: CohortConfig, *, stamp: str) -> Table:
    """Return who is alive at a low dose at the last visit, and the composite rank with death worst."""
    groups = [
        g
        for g in config.groups
        if statistics.select(analysis="alive_low_dose", variable="patients", group=g.id)
    ]
    rows: list[list[str]] = []
    labels = {
        "low_dose": "Alive at or below the threshold", "dose_above": "Alive above it", "died": "Died",
        "not_known": "Dose not known",
    }  # fmt: skip
    when = ""
    for name, label in labels.items() if groups else ():
        found = [
            statistics.select(analysis="alive_low_dose", variable="patients", group=g.id, statistic=name)[0]
            for g in groups
        ]
        when = found[0].timepoint
        rows.append([label, *[f"{row.value:.0f} of {row.n}" for row in found], BLANK])
    if groups:
        both = {"group": "both", "timepoint": when}
        shares = [
            _percent(statistics.find("alive_low_dose", "patients", "percent", group=g.id, timepoint=when))
            for g in groups
        ]
        test = statistics.find("alive_low_dose", "patients", "test", **both)
        gap = statistics.find("alive_low_dose", "patients", "difference", **both)
        texts = [format_p_equation(test.p_value)] if test else []
        texts += [f"difference {estimate_interval(gap, 1)} points"] if gap else []
        rows.append(["Share of the patients with a known outcome (95% CI)", *shares, "; ".join(texts)])
        ranks = [
            statistics.find("composite_rank", "rank", "median", group=g.id, timepoint=when) for g in groups
        ]
        wins = statistics.find("composite_rank", "rank", "test", **both)
        cells = [format_number(row.value, 1) if row else NOT_ESTIMABLE for row in ranks]
        text = BLANK
        if wins:
            text = f"{format_p_equation(wins.p_value)}; treated better with {format_number(wins.value, 2)}"
        rows.append(["Median composite rank (1 is best)", *cells, text])
    used = statistics.select(analysis="alive_low_dose", group="both")
    used += statistics.select(analysis="composite_rank", group="both")
    methods = [re.sub(r" \(smallest expected count [^)]*\)", "", row.method) for row in used]
    notes = [f"{method[:1].upper()}{method[1:]}." for method in dict.fromkeys(methods)]
    notes.append(
        "Composite rank: survivors by dose, then deaths, the earliest last, so that no death passes for a "
        "low dose. Treated better with: probability that a treated patient ranks before a reference patient."
    )
    columns = ["", *[g.label for g in groups or config.groups], "Comparison"]
    nothing = [["No glucocorticoid doses are recorded in this cohort."]]
    title = (
        f"Alive at a low glucocorticoid dose, {config.visit(when).label.lower()}"
        if when
        else "Alive at a low glucocorticoid dose"
    )
    return Table("table_s13_alive_low_dose", title, columns, rows or nothing, notes, stamp)


def laboratory_grade_table(statistics: Statistics, config: CohortConfig, *, stamp: str) -> Table:
    """Return the patients by worst grade of each laboratory term after day 0."""
    rows: list[list[str]] = []
    terms = {
        r.variable: r.note for r in statistics.select(analysis="laboratory_toxicity", statistic="grade_0")
    }
    for term, label in terms.items():
        for group in config.groups:
            found = statistics.select(analysis="laboratory_toxicity", variable=term, group=group.id)
            mine = {row.statistic: row for row in found}
            if not mine:
                continue
            counts = [format_number(mine[f"grade_{grade}"].value, 0) for grade in range(5)]
            share = _percent(mine.get("severe_percent"))
            rows.append([f"{label}, {group.label}", *counts, str(mine["grade_0"].n_missing), share])
    columns = ["Term, group", *[f"Grade {grade}" for grade in range(5)], "Not graded", "Grade 3 or 4"]
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
    nothing = [["Nothing that the toxicity scale grades was measured after day 0."]]
    title = "Laboratory toxicity, worst grade"
    return Table("table_s14_laboratory_grades", title, columns, rows or nothing, notes, stamp)


def shift_grade_table(statistics: Statistics, config: CohortConfig, *, stamp: str) -> Table:
    """Return the shifts from the grade at baseline to the worst later grade, one row a term and group."""
    found = statistics.select(analysis="toxicity_shift")
    rows: list[list[str]] = []
    groups = {group.id: group.label for group in config.groups}
    levels = ["0", "1", "2", "3", "4", "missing"]
    for term, label in dict.fromkeys((row.variable, row.note) for row in found):
        for group, name in groups.items():
            mine = {r.statistic: r for r in found if (r.variable, r.group) == (term, group)}
            if not mine:
                continue
            cells = [_shift_cell(mine, start, levels) for start in levels]
            rows.append([f"{label}, {name}", *cells])
    columns = ["Term, group", *[f"From grade {level}" for level in levels[:-1]], "Baseline not graded"]
    notes = ["Cells: worst grade after day 0, with the number of patients; - : not graded after day 0."]
    nothing = [["Nothing that the toxicity scale grades was measured."]]
    title = "Laboratory toxicity, shift from baseline to worst grade"
    return Table("table_s15_shift", title, columns, rows or nothing, notes, stamp)


def _shift_cell(mine: Mapping[str, Statistic], start: str, levels: Sequence[str]) -> str:
    parts = []
    for level in levels:
        row = mine.get(f"from_{start}_to_{level}")
        if row is not None:
            parts.append(f"{'-' if level == 'missing' else f'grade {level}'}: {row.value:.0f}")
    return ", ".join(parts)


def event_rate_table(statistics: Statistics, config: CohortConfig, *, stamp: str) -> Table:
    """Return events, person-time and the rate of each recorded event with its exact interval."""
    rows: list[list[str]] = []
    labels = {group.id: group.label for group in config.groups}
    for row in statistics.select(analysis="event_rate", statistic="per_100_patient_years"):
        stem = row.id.removesuffix(".per_100_patient_years")
        events, patients, years = (
            statistics[f"{stem}.{name}"] for name in ("n_events", "n_patients_with_event", "patient_years")
        )
        limit = (
            statistics.get(f"{stem}.upper_limit_if_none")
            if f"{stem}.upper_limit_if_none" in statistics
            else None
        )
        label = "Any event" if row.note == "any" else row.note
        rows.append([
            f"{label}, {labels[row.group]}", format_number(events.value, 0),
            f"{patients.value:.0f} of {patients.n}", format_number(years.value, 2), estimate_interval(row, 1),
            f"below {format_number(limit.value, 1)}%" if limit else BLANK,
        ])  # fmt: skip
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
    nothing = [["No adverse events are recorded in this cohort."]]
    title = "Rates of recorded adverse events"
    return Table("table_s16_event_rates", title, columns, rows or nothing, notes, stamp)
