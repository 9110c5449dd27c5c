"""Glucocorticoid dose over time: median with ribbons of the middle half and of the range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from helpers.report.figures.common import halo, room_for_text, say_absent, spaced, wrapped
from helpers.report.figures.course import (
    above,
    counts_above,
    median_line,
    patient_lines,
    short_visit,
    summarised_visits,
)
from helpers.report.figures.style import FAINT, GREY, GroupStyle, group_styles
from helpers.results.format import format_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from helpers.cohort.config import CohortConfig
    from helpers.report.figures.course import Course, Visits
    from helpers.results.store import Statistics

_LOW: dict[str, Any] = {"color": GREY, "linewidth": 0.8, "linestyle": (0, (1, 1.5))}
_ROOM_ABOVE = 1.06


def draw_dose_ribbon(
    container: Figure | SubFigure,
    courses: Sequence[Course],
    statistics: Statistics,
    config: CohortConfig,
    *,
    analysis: str = "glucocorticoid",
    absent: str = "No glucocorticoid doses are recorded in this cohort.",
) -> None:
    """Draw the median dose with ribbons of the middle half and of the range: a panel a group with doses.

    Visits stand at their days; the median and the number of patients stand at each. Thin lines are patients,
    the dotted line is the low dose that the configuration names. The panels share their scale.

    Args:
        container: where to draw.
        courses: the dose, as :func:`dose_courses` returns it.
        statistics, config: of the cohort.
        analysis: under which analysis the summaries are stored.
        absent: what is said where there are none.
    """
    courses = [course for course in courses if len(course.patients)]
    if not courses:
        say_absent(container, absent)
        return
    (course,) = courses
    found = {
        group.id: summarised_visits(statistics, config, group.id, analysis, course.name)
        for group in config.groups
    }
    found = {group: shown for group, shown in found.items() if shown.visits}
    if not found:
        say_absent(container, absent)
        return
    panels = container.subplots(1, len(found), sharey=True, squeeze=False)[0]
    room = room_for_text(container, len(found))
    for axes, (group, shown) in zip(panels, found.items(), strict=True):
        mine = course.patients
        if "group" in mine:
            mine = mine[mine["group"] == group]
        _ribbon(axes, shown, mine, group_styles(config)[group])
        axes.axhline(config.steroids.threshold_mg_per_kg, **_LOW)
        _visit_axis(axes, shown, room)
        axes.set_title(wrapped(config.group(group).label, int(room)), pad=above())
    panels[0].set_ylim(0, _highest(found))
    panels[0].set_ylabel(course.label)
    container.supxlabel("Time since day 0 (w: weeks)")
    container.legend(
        handles=_ribbon_legend(config, list(found)), loc="outside lower center", ncols=2, handlelength=1.8
    )


def _ribbon(axes: Axes, shown: Visits, patients: pd.DataFrame, style: GroupStyle) -> None:
    found = shown.found
    axes.fill_between(shown.places, found["min"], found["max"], color=style.colour, alpha=0.13, linewidth=0)
    axes.fill_between(
        shown.places, found["q1"], found["q3"], color=style.colour, alpha=0.32, linewidth=0.5,
        edgecolor=style.colour,
    )  # fmt: skip
    patient_lines(axes, patients[patients["visit"].isin(list(shown.place))], shown.place)
    median_line(axes, shown, style)
    for place, value in zip(shown.places, found["median"], strict=True):
        axes.annotate(
            format_number(value, 1), (place, value), xytext=(3, 3), textcoords="offset points", va="bottom",
            path_effects=halo(), zorder=6,
        )  # fmt: skip


def _visit_axis(axes: Axes, shown: Visits, room: float) -> None:
    """Put a tick at the day of each visit and, where there is room, its name below and n above."""
    span = shown.places[-1] - shown.places[0] or 1.0
    axes.set_xlim(shown.places[0] - 0.05 * span, shown.places[-1] + 0.12 * span)
    names = [short_visit(visit) for visit in shown.visits]
    counts = [f"{int(count)}" for count in shown.found["n"]]
    widest = [max(pair, key=len) for pair in zip(names, counts, strict=True)]
    kept = set(spaced(shown.places, widest, room / 1.17))
    axes.set_xticks(shown.places, labels=[name if i in kept else "" for i, name in enumerate(names)])
    counts_above(axes, [(shown.places[i], counts[i]) for i in sorted(kept)])
    axes.annotate(
        "n", (1, 1), xycoords="axes fraction", xytext=(2, 2), textcoords="offset points", ha="left",
        va="bottom", color=GREY,
    )  # fmt: skip


def _highest(found: Mapping[str, Visits]) -> float:
    """Return the upper end of the dose axis: above the largest dose of any group."""
    return _ROOM_ABOVE * max(value for shown in found.values() for value in shown.found["max"])


def _ribbon_legend(config: CohortConfig, groups: Sequence[str]) -> list[Artist]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    style = group_styles(config)[groups[0]]
    colour = style.colour if len(groups) == 1 else GREY
    marker = style.marker if len(groups) == 1 else None
    threshold = f"{config.steroids.threshold_mg_per_kg:g}"
    return [
        Line2D([], [], label="Median", markersize=3.6, color=colour, marker=marker),
        Patch(facecolor=colour, alpha=0.45, label="First to third quartile"),
        Patch(facecolor=colour, alpha=0.13, label="Range"),
        Line2D([], [], color=FAINT, linewidth=0.8, label="One patient"),
        Line2D([], [], label=f"Low dose ({threshold} mg/kg/d)", **_LOW),
    ]
