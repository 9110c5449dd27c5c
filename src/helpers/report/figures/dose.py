"""Glucocorticoid dose over time: median with ribbons of the middle half and of the range.

>>> from helpers.analysis.steroids import doses_at_visits
>>> from helpers.report.figures.course import dose_courses
>>> draw_dose_ribbon(
...     container, dose_courses(doses_at_visits(tables, config), config), statistics, config
... )
>>> len(container.axes)
2
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from helpers.report.figures.common import day_0_title, halo, marks_legend, room_for_text, say_absent, wrapped
from helpers.report.figures.course import MOST_LINES, median_line, patient_lines
from helpers.report.figures.output.exhibits import figure
from helpers.report.figures.style import FAINT, GREY, GroupStyle, group_styles
from helpers.report.figures.visits import above, counts_above, summarised_visits, unit_of, visit_axis
from helpers.results.catalogue import GlucocorticoidRows, analyses
from helpers.results.format import format_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from helpers.cohort.config import CohortConfig
    from helpers.report.figures.course import Course
    from helpers.report.figures.visits import Visits
    from helpers.results.store import Statistics

_LOW: dict[str, Any] = {"color": GREY, "linewidth": 0.8, "linestyle": (0, (1, 1.5))}
_ROOM_ABOVE = 1.06
_ROOM_FOR_WORDS = 1.2  # above a median whose value is printed over it


@figure(
    "figure_2",
    "one_and_a_half",
    80,
    "Dose to be spared over time: median, middle half and range",
    needs=GlucocorticoidRows,
)
def draw_dose_ribbon(
    container: Figure | SubFigure,
    courses: Sequence[Course],
    statistics: Statistics,
    config: CohortConfig,
    *,
    analysis: str = "glucocorticoid",
    absent: str = "",
) -> None:
    """Draw the median dose with ribbons of the middle half and of the range: a panel a group with doses.

    Visits stand at their days, n above each; the first and the last median are written. Thin lines are
    patients where they are few, the dotted line is the low dose that the configuration names. The panels
    share their scale.

    Args:
        container: where to draw.
        courses: the dose, as :func:`dose_courses` returns it.
        statistics, config: of the cohort.
        analysis: under which analysis the summaries are stored.
        absent: what is said where there are none; by default that no such doses are recorded.
    """
    courses = [course for course in courses if len(course.patients)]
    found = {
        group.id: summarised_visits(statistics, config, group.id, analyses()[analysis], course.name)
        for course in courses
        for group in config.groups
    }
    found = {group: shown for group, shown in found.items() if shown.visits}
    if not found:
        say_absent(container, absent or f"No {config.spared_in_text} doses are recorded in this cohort.")
        return
    (course,) = courses
    panels = container.subplots(1, len(found), sharey=True, squeeze=False)[0]
    room = room_for_text(container, len(found))
    lines, highest = False, _highest(found)
    for axes, (group, shown) in zip(panels, found.items(), strict=True):
        patients = course.patients[course.patients["visit"].isin(list(shown.place))]
        if "group" in patients:
            patients = patients[patients["group"] == group]
        few = patients["patient_id"].nunique() <= MOST_LINES
        lines = lines or few
        _ribbon(axes, shown, group_styles(config)[group], _digits(highest))
        if few:
            patient_lines(axes, patients.assign(x=patients["visit"].map(shown.place)))
        axes.axhline(config.steroids.threshold_mg_per_kg, **_LOW)
        visit_axis(axes, shown.visits, room)
        counts_above(axes, shown.places, shown.counts, room, named=axes is panels[0])
        axes.set_xlabel(day_0_title(unit_of(shown.visits), config, [group], room))
        axes.set_title(wrapped(config.group(group).label, int(room)), pad=above())
    panels[0].set_ylim(0, highest)
    panels[0].set_ylabel(course.label)
    marks_legend(container, _ribbon_legend(config, list(found), lines=lines))


def _digits(highest: float) -> int:
    """Return the decimals that tell doses on a scale of this height apart; one at least."""
    return max(1, 1 - math.floor(math.log10(highest / 2)))


def _ribbon(axes: Axes, shown: Visits, style: GroupStyle, digits: int) -> None:
    found = shown.found
    axes.fill_between(shown.places, found["min"], found["max"], color=style.colour, alpha=0.13, linewidth=0)
    axes.fill_between(
        shown.places, found["q1"], found["q3"], color=style.colour, alpha=0.32, linewidth=0.5,
        edgecolor=style.colour,
    )  # fmt: skip
    median_line(axes, shown, style)
    for i in sorted({0, len(shown.places) - 1}):
        axes.annotate(
            format_number(found["median"][i], digits), (shown.places[i], found["median"][i]), xytext=(0, 4),
            textcoords="offset points", ha="center" if i else "left", va="bottom", path_effects=halo(),
            zorder=6,
        )  # fmt: skip


def _highest(found: Mapping[str, Visits]) -> float:
    """Return the upper end of the dose axis: above the largest dose of any group and the medians in words."""
    values = [value for shown in found.values() for value in shown.found["max"] if value == value]
    named = [
        shown.found["median"][i] for shown in found.values() for i in (0, len(shown.places) - 1)
        if shown.found["median"][i] == shown.found["median"][i]
    ]  # fmt: skip
    return max(_ROOM_ABOVE * max(values, default=1.0), _ROOM_FOR_WORDS * max(named, default=0.0)) or 1.0


def _ribbon_legend(config: CohortConfig, groups: Sequence[str], *, lines: bool) -> list[Artist]:
    """Return a handle for each kind of mark; grey where it stands for that of several groups."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    style = group_styles(config)[groups[0]]
    alone = len(groups) == 1
    colour, marker = (style.colour, style.marker) if alone else (GREY, "")
    handles: list[Artist] = [
        Line2D([], [], label="Median", markersize=3.6, color=colour, marker=marker),
        Patch(facecolor=colour, alpha=0.45, label="First to third quartile"),
        Patch(facecolor=colour, alpha=0.13, label="Range"),
    ]
    if lines:
        handles.append(Line2D([], [], color=FAINT, linewidth=0.8, label="One patient"))
    threshold = f"{config.steroids.threshold_mg_per_kg:g}"
    return [*handles, Line2D([], [], label=f"Low dose ({threshold} mg/kg/d)", **_LOW)]
