"""Endpoints beside death.

>>> endpoints_table(statistics, config, watermark="").texts[0][:3]
['Complete response']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.figures.forest import LABELS
from helpers.report.tables.cells import (
    EMPTY,
    Cell,
    count_percent,
    estimate_interval,
    p_equation,
    sentence,
    verbatim,
)
from helpers.report.tables.content import Row, heading, message, row
from helpers.report.tables.table import Table
from helpers.results.catalogue import EndpointEffectRows, EndpointRows
from helpers.results.format import NOT_ESTIMABLE

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig
    from helpers.cohort.outcomes import Endpoint
    from helpers.results.store import Statistic, Statistics

NOTHING = "Death is the only endpoint of this cohort."
_LABELS = {name: label.replace(" of death", "") for name, label in LABELS.items()} | {
    "survival_difference": "Difference of the share without event",
    "test_gray": "Gray",
}
_DIGITS = {"ratio": (2, ""), "percentage points": (1, ""), "days": (1, "")}


def endpoints_table(statistics: Statistics, config: CohortConfig, *, watermark: str) -> Table:
    """Return for each endpoint beside death events, estimate at its horizon, and the comparison."""
    rows: list[Row] = []
    for endpoint in config.endpoints:
        found = statistics.select(EndpointRows.events, variable=endpoint.id)
        if found:
            rows += _rows(endpoint, found[0].timepoint, statistics, config)
    columns = ["", *[group.label for group in config.groups]]
    columns += ["Comparison"] if len(config.groups) == 2 else []
    notes = [
        (
            "Incidence: Aalen-Johansen. Hazard ratios of an endpoint that another event can end are "
            "cause-specific."
        ),
        f"{NOT_ESTIMABLE}: not estimable. Differences in percentage points or days.",
    ]
    title = "Endpoints beside death"
    return Table("table_s24_endpoints", title, columns, rows or [message(NOTHING)], notes, watermark)


def _rows(endpoint: Endpoint, when: str, statistics: Statistics, config: CohortConfig) -> list[Row]:
    day = when.removeprefix("day_")
    compared = [EMPTY] if len(config.groups) == 2 else []
    lines = [heading(endpoint.label)]
    events = [_cell(endpoint, "events", when, group, statistics) for group in config.group_ids]
    lines.append(row(f"Patients with it by day {day}", *events, *compared, level=1))
    for name, label in (
        ("competing", "A competing event first"),
        ("incidence", f"Cumulative incidence at day {day} (95% CI)"),
        ("survival", f"Free of it at day {day}, Kaplan-Meier (95% CI)"),
        ("share", "Share (95% CI)"),
    ):
        if statistics.select(EndpointRows.named(name), variable=endpoint.id, timepoint=when):
            cells = [_cell(endpoint, name, when, group, statistics) for group in config.group_ids]
            lines.append(row(label, *cells, *compared, level=1))
    if not compared:
        return lines
    for effect in statistics.select(EndpointEffectRows, variable=endpoint.id):
        blanks = [EMPTY for _ in config.groups]
        named = verbatim(_LABELS.get(effect.statistic, "Comparison")).marked(sentence(_method(effect)))
        lines.append(row(named, *blanks, _effect(effect), level=1))
    return lines


def _method(effect: Statistic) -> str:
    return f"{effect.method}; {effect.note}" if effect.note else effect.method


def _effect(effect: Statistic) -> Cell:
    if effect.unit:
        return estimate_interval(effect, *_DIGITS[effect.unit])
    return p_equation(effect) if effect.p_value == effect.p_value else verbatim(NOT_ESTIMABLE)


def _cell(endpoint: Endpoint, name: str, when: str, group: str, statistics: Statistics) -> Cell:
    found = statistics.find(EndpointRows.named(name), endpoint.id, group=group, timepoint=when)
    if found is None or (name == "events" and found.value != found.value):
        return verbatim("not recorded")
    if name in ("events", "competing"):
        return count_percent(found)
    return estimate_interval(found, 1, "%", scale=1 if name == "share" else 100)
