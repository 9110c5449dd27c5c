"""Endpoints beside death: a curve or a cumulative incidence each, with numbers at risk.

>>> endpoints_height(statistics, config)
80.0
>>> draw_endpoints(container, statistics, config)
>>> len(container.axes)
2
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from helpers.report.figures.common import (
    CountRow,
    count_rows,
    day_0_title,
    interval_handle,
    label_every,
    long_names,
    marks_legend,
    room_for_text,
    say_absent,
    wrapped,
)
from helpers.report.figures.output.exhibits import figure
from helpers.report.figures.style import group_styles
from helpers.report.figures.survival_data import stored_horizon
from helpers.results.catalogue import EndpointEffectRows, EndpointRows
from helpers.results.format import format_p_equation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from helpers.cohort.config import CohortConfig
    from helpers.cohort.outcomes import Endpoint
    from helpers.report.figures.style import GroupStyle
    from helpers.results.store import Statistic, Statistics

ABSENT = "Death is the only endpoint of this cohort that has a time."
ROW_MM = 80.0
ROW = 0.62  # height of a line of counts where that of the curves is 6
_ACROSS = 2
YEAR = 365


def drawn_endpoints(statistics: Statistics, config: CohortConfig) -> list[Endpoint]:
    """Return the endpoints with a time of which anything is recorded.

    >>> [endpoint.id for endpoint in drawn_endpoints(statistics, config)]
    ['complete_response']
    """
    return [
        one
        for one in config.endpoints
        if not one.yes_no
        and any(row.value == row.value for row in statistics.select(EndpointRows.events, variable=one.id))
    ]


def endpoints_height(statistics: Statistics, config: CohortConfig) -> float:
    """Return the height in millimetres at which every endpoint has its panel."""
    count = len(drawn_endpoints(statistics, config))
    return ROW_MM * max(1, -(-count // _ACROSS)) if count else 40.0


@figure(
    "figure_s12_endpoints",
    "double",
    endpoints_height,
    "Endpoints beside death: curves and cumulative incidences with numbers at risk",
    needs=EndpointRows,
)
def draw_endpoints(container: Figure | SubFigure, statistics: Statistics, config: CohortConfig) -> None:
    """Draw each endpoint beside death in a panel of its own, with bands and numbers at risk.

    The share free of an event that nothing competes with; the cumulative incidence of any other.
    """
    endpoints = drawn_endpoints(statistics, config)
    if not endpoints:
        say_absent(container, ABSENT)
        return
    across = min(_ACROSS, len(endpoints))
    panels = container.subfigures(-(-len(endpoints) // across), across, squeeze=False).flat
    styles = group_styles(config)
    drawn: set[str] = set()
    for panel, endpoint in zip(panels, endpoints, strict=False):
        drawn |= _panel(panel, endpoint, statistics, config)
    from matplotlib.lines import Line2D

    handles: list[Artist] = []
    for group in (one for one in config.groups if one.id in drawn):
        line: Any = styles[group.id].line
        handles.append(Line2D([], [], color=styles[group.id].colour, linestyle=line, label=group.label))
    marks_legend(container, [*handles, interval_handle()], columns=3)


def _panel(panel: SubFigure, endpoint: Endpoint, statistics: Statistics, config: CohortConfig) -> set[str]:
    """Draw one endpoint and return the groups that have a curve."""
    horizon = stored_horizon(statistics, endpoint.id) or 0
    competes = bool(statistics.select(EndpointRows.incidence, variable=endpoint.id))
    styles = group_styles(config)
    lines = len(config.groups) * (2 if long_names(config, config.group_ids) else 1)
    upper, lower = panel.subplots(2, 1, height_ratios=[6.0, ROW * lines], sharex=True)
    counts: dict[str, dict[int, int]] = {}
    for group in config.groups:
        found = {"variable": endpoint.id, "group": group.id}
        key = EndpointRows.incidence if competes else EndpointRows.survival
        rows = statistics.select(key, **found)
        steps = _steps(rows, horizon, start=0.0 if competes else 100.0)
        if steps:
            _curve(upper, steps, styles[group.id])
            at_risk = statistics.select(EndpointRows.at_risk, **found)
            counts[group.id] = {int(_day(row.timepoint)): int(row.value) for row in at_risk}
    ticks = sorted(next(iter(counts.values()), {0: 0}))
    upper.set_ylim(0, 102)
    upper.set_ylabel("Cumulative incidence (%)" if competes else "Free of it (%)")
    upper.set_title(
        "\n".join(
            [
                wrapped(endpoint.label, int(room_for_text(panel, 1))),
                *_tested(endpoint, statistics, horizon, competes=competes),
            ]
        )
    )
    room = room_for_text(panel, 1)
    written = [str(at[day]) for at in counts.values() for day in ticks]
    ticks = ticks[:: label_every(written, len(ticks), room)]
    unit = f"Years (of {YEAR} days)" if _in_years(ticks) else "Days"
    after_response = endpoint.response == "loss"
    origin = f"{unit} since the first response"
    upper.set_xlabel(origin if after_response else day_0_title(unit, config, list(counts), room))
    _time_axis(upper, ticks, horizon)
    long = long_names(config, list(counts))
    table = []
    for name, at in counts.items():
        label, texts = config.group(name).short_label, [str(at[day]) for day in ticks]
        header = wrapped(label, int(room)) if long else ""
        table.append(CountRow("" if long else label, name, texts, header))
    colours = [styles[name].colour for name in counts]
    count_rows(lower, ticks, table, colours, title="Number at risk")
    return set(counts)


def _tested(endpoint: Endpoint, statistics: Statistics, horizon: int, *, competes: bool) -> list[str]:
    """Return the test of the curves in words, or nothing where they are not compared."""
    name, words = ("test_gray", "Gray") if competes else ("test_logrank", "Log-rank")
    row = statistics.find(
        EndpointEffectRows.named(name), endpoint.id, group="both", timepoint=f"day_{horizon}"
    )
    return [] if row is None or row.p_value != row.p_value else [f"{words} {format_p_equation(row.p_value)}"]


def _in_years(ticks: Sequence[int]) -> bool:
    return len(ticks) > 1 and all(day % YEAR == 0 for day in ticks)


def _time_axis(axes: Axes, ticks: Sequence[int], horizon: int) -> None:
    in_years = _in_years(ticks)
    axes.set_xlim(0, horizon * 1.015)
    axes.set_xticks(ticks, labels=[str(day // YEAR if in_years else day) for day in ticks])
    axes.tick_params(labelbottom=True)


def _steps(rows: Sequence[Statistic], horizon: int, start: float) -> list[tuple[float, float, float, float]]:
    """Return day, estimate and limits in percent; the estimate stands for a missing limit."""
    known = [(_day(row.timepoint), row) for row in rows if row.value == row.value]
    steps = [(0.0, start, start, start)]
    for day, row in sorted(known, key=lambda step: step[0]):
        limits = [row.value if limit != limit else limit for limit in (row.lower, row.upper)]
        steps.append((day, 100 * row.value, 100 * limits[0], 100 * limits[1]))
    return [*steps, (float(horizon), *steps[-1][1:])] if known else []


def _curve(axes: Axes, steps: list[tuple[float, float, float, float]], style: GroupStyle) -> None:
    days, values, low, high = (list(column) for column in zip(*steps, strict=True))
    axes.step(days, values, where="post", color=style.colour, linestyle=style.line)
    axes.fill_between(days, low, high, step="post", alpha=0.13, linewidth=0, color=style.colour)


def _day(timepoint: str) -> float:
    return float(timepoint.removeprefix("day_").replace("_", "."))
