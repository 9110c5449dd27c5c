"""Survival by group.

>>> survival_table(statistics, config, 56, watermark="").texts[0][:3]
['Deaths by day 56', '1 (5%)', '8 (38%)']
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.report.tables.cells import (
    EMPTY,
    Cell,
    count_percent,
    estimate_interval,
    p_equation,
    sentence,
    verbatim,
)
from helpers.report.tables.content import Row, row
from helpers.report.tables.table import Table
from helpers.results.catalogue import SurvivalRows
from helpers.results.format import NOT_ESTIMABLE
from helpers.results.headline import headline_ratio

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistic, Statistics

TOO_SHORT = verbatim("not computed: follow-up ended earlier in some")


def survival_table(
    statistics: Statistics, config: CohortConfig, horizon_days: int, *, watermark: str
) -> Table:
    """Return deaths, survival at the horizon, median survival, and the comparison of the groups."""
    at_horizon = _OfDeath(statistics, f"day_{horizon_days}")
    whole = _OfDeath(statistics, "follow_up")
    groups = [group.id for group in config.groups if at_horizon.find("deaths", group.id)]
    deaths = [at_horizon.of("deaths", group) for group in groups]
    survival = [at_horizon.of("survival", group) for group in groups]
    alive = [at_horizon.find("alive_share", group) for group in groups]
    medians = [whole.of("median", group) for group in groups]
    curves, ratio = at_horizon.find("logrank", "both"), at_horizon.find("hazard_ratio", "both")
    leading = headline_ratio(statistics, f"day_{horizon_days}")
    lines = [
        _Line(f"Deaths by day {horizon_days}", [count_percent(found) for found in deaths]),
        _Line(
            f"Survival at day {horizon_days}, Kaplan-Meier (95% CI)",
            [estimate_interval(found, 1, "%", scale=100) for found in survival],
            method=_method(survival),
            comparison="log-rank " + p_equation(curves).marked(sentence(curves.method)) if curves else EMPTY,
        ),
        _Line(
            f"Alive at day {horizon_days}, exact binomial (95% CI)",
            [estimate_interval(found, 1, "%", scale=100) if found else TOO_SHORT for found in alive],
            method=_method(alive),
        ),
        _Line(
            "Median survival, days (95% CI)",
            [estimate_interval(found, 0) for found in medians],
            method=_method(medians),
        ),
    ]
    if ratio:
        estimate = estimate_interval(ratio, 2).marked(sentence(ratio.method))
        lines.append(_Line("Hazard ratio (95% CI)", [EMPTY for _ in groups], comparison=estimate))
    if leading and ratio and leading.id != ratio.id:
        estimate = estimate_interval(leading, 2).marked(sentence(leading.method))
        lines.append(_Line("Hazard ratio, penalised (95% CI)", [EMPTY for _ in groups], comparison=estimate))
    compared = len(config.groups) == 2
    columns = ["", *[group.label for group in config.groups], *(["Comparison"] if compared else [])]
    rows = [line.row(compared=compared) for line in lines]
    notes = [f"{NOT_ESTIMABLE}: not estimable."]
    return Table("table_4_survival", "Survival from day 0", columns, rows, notes, watermark)


@dataclass(frozen=True)
class _OfDeath:
    """Stored statistics of survival at one time point."""

    statistics: Statistics
    timepoint: str

    def find(self, statistic: str, group: str) -> Statistic | None:
        return self.statistics.find(
            SurvivalRows.named(statistic), "death", group=group, timepoint=self.timepoint
        )

    def of(self, statistic: str, group: str) -> Statistic:
        return self.statistics[
            SurvivalRows.named(statistic).id("death", group=group, timepoint=self.timepoint)
        ]


@dataclass(frozen=True)
class _Line:
    """A line of the table: a cell for each group, and one for their comparison where there are two."""

    label: str
    cells: Sequence[Cell]
    method: str = ""
    comparison: Cell = EMPTY

    def row(self, *, compared: bool) -> Row:
        label = verbatim(self.label)
        name = label.marked(sentence(self.method)) if self.method else label
        return row(name, *self.cells, *([self.comparison] if compared else []))


def _method(found: Sequence[Statistic | None]) -> str:
    """Method of the first statistic that there is."""
    return next((one.method for one in found if one), "")
