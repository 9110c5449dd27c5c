"""The table of exposure to the study drug, therapies added and long-term follow-up.

>>> exposure_table(statistics, config, watermark="").texts[0][:3]
['Exposure to ruxolitinib']
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from helpers.report.tables.cells import (
    EMPTY,
    Cell,
    count_of,
    count_percent,
    median_spread,
    number,
    size,
    verbatim,
)
from helpers.report.tables.content import Row, heading, message, row
from helpers.report.tables.table import Table
from helpers.results.catalogue import AddedTherapyRows, Analysis, ExposureRows, Key, LongTermRows
from helpers.results.store import slug

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistic, Statistics

ANALYSES: tuple[type[Analysis], ...] = (ExposureRows, AddedTherapyRows, LongTermRows)


def exposure_table(statistics: Statistics, config: CohortConfig, *, watermark: str) -> Table:
    """Return exposure to the study drugs, therapies added to it in responders and their later course."""
    known = {one.group for name in ANALYSES for one in statistics.select(name)}
    groups = [group for group in config.groups if group.id in known]
    ids = [group.id for group in groups]
    drugs = config.study_drugs
    exposed = [_section(f"Exposure to {name}", _exposure(statistics, ids, slug(name))) for name in drugs]
    rows = [
        *chain.from_iterable(exposed),
        *_section("Therapies first started after day 0, responders", _added(statistics, ids)),
        *_section("Long-term follow-up, responders", _long_term(statistics, ids)),
    ]
    notes = [
        "{Median_spread} [n] or {n_percent}. Duration: up to stop, death or last contact.",
        "Responders: complete or partial response at the last visit of the plan.",
    ]
    columns = ["", *[group.label for group in groups or config.groups]]
    nothing = [message("Nothing of this is recorded in this cohort.")]
    title = "Exposure, added therapies and long-term follow-up"
    return Table("table_7_exposure", title, columns, rows or nothing, notes if rows else (), watermark)


def _exposure(statistics: Statistics, groups: Sequence[str], drug: str) -> list[Row | None]:
    return [
        _line(statistics, groups, "Patients treated", ExposureRows.patients, drug, number),
        _dose_range(statistics, groups, drug),
        _median(statistics, groups, "Duration, months", ExposureRows.median, f"{drug}_months"),
        _line(statistics, groups, "Ongoing at death or last contact", ExposureRows.ongoing, drug, count_of),
        *_reasons(statistics, groups, drug),
    ]


def _added(statistics: Statistics, groups: Sequence[str]) -> list[Row | None]:
    counts = statistics.select(AddedTherapyRows.count)
    lines: list[Row | None] = []
    for name in dict.fromkeys(one.variable for one in counts):
        label = name.replace("_", " ").capitalize()
        since = "Start, weeks from the first response"
        lines += [
            _line(statistics, groups, label, AddedTherapyRows.count, name, count_percent),
            _median(
                statistics,
                groups,
                "Start, weeks from day 0",
                AddedTherapyRows.median,
                f"{name}_start_week",
                level=1,
            ),
            _median(
                statistics, groups, since, AddedTherapyRows.median, f"{name}_weeks_after_response", level=1
            ),
        ]
    return lines


def _long_term(statistics: Statistics, groups: Sequence[str]) -> list[Row | None]:
    labels = {"alive": "Alive at last contact", "died": "Died after the horizon"}
    return [
        *[
            _line(statistics, groups, label, LongTermRows.named(name), "responders", count_of)
            for name, label in labels.items()
        ],
        _median(statistics, groups, "Follow-up from day 0, months", LongTermRows.median, "responders_months"),
    ]


def _section(title: str, lines: Sequence[Row | None]) -> list[Row]:
    """Return the lines that say something, under their heading."""
    found = [line for line in lines if line is not None]
    return [heading(title), *found] if found else []


def _line(
    statistics: Statistics, groups: Sequence[str], label: str, key: Key, variable: str,
    form: Callable[[Statistic], Cell], *, level: int = 0,
) -> Row | None:  # fmt: skip
    found = [statistics.find(key, variable, group=group) for group in groups]
    return row(label, *[form(one) if one else EMPTY for one in found], level=level) if any(found) else None


def _median(
    statistics: Statistics, groups: Sequence[str], label: str, key: Key, variable: str, *, level: int = 0
) -> Row | None:
    def form(one: Statistic) -> Cell:
        return median_spread(statistics, one.id.removesuffix(".median"), 1) + " [" + size(one) + "]"

    return _line(statistics, groups, label, key, variable, form, level=level)


def _dose_range(statistics: Statistics, groups: Sequence[str], drug: str) -> Row | None:
    lowest = statistics.select(ExposureRows.lowest_dose, variable=drug)
    unit = next((one.unit for one in lowest), "")

    def form(one: Statistic) -> Cell:
        highest = statistics[ExposureRows.highest_dose.beside(one.id)]
        return number(one, 1) + " to " + number(highest, 1) if one.value == one.value else verbatim(one.note)

    label = f"Lowest to highest dose, {unit}"
    return _line(statistics, groups, label, ExposureRows.lowest_dose, drug, form)


def _reasons(statistics: Statistics, groups: Sequence[str], drug: str) -> list[Row | None]:
    stopped = [one for one in statistics.select(ExposureRows, variable=drug)
               if one.statistic.startswith("stopped_")]  # fmt: skip
    reasons = dict.fromkeys((one.statistic, one.level) for one in stopped)
    return [
        _line(statistics, groups, f"Stopped: {note}", ExposureRows.named(name), drug, count_of)
        for name, note in reasons
    ]
