"""Glucocorticoid dose over time: median with ribbons of the middle half and of the range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from helpers.report.figures.common import say_absent
from helpers.report.figures.course import (
    above,
    counts_above,
    followed_group,
    median_line,
    n_above,
    short_visit,
    summarised_visits,
)
from helpers.report.figures.output.drawings import drawing
from helpers.report.figures.style import GREY, GroupStyle, group_styles
from helpers.results.format import format_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.patheffects import AbstractPathEffect

    from helpers.cohort.config import CohortConfig
    from helpers.report.figures.course import Course
    from helpers.results.store import Statistics


@drawing
def draw_dose_ribbon(
    container: Figure | SubFigure,
    courses: Sequence[Course],
    statistics: Statistics,
    config: CohortConfig,
    *,
    analysis: str = "glucocorticoid",
    absent: str = "No glucocorticoid doses are recorded in this cohort.",
) -> None:
    """Draw the median dose of the treated group with ribbons of the middle half and of the range.

    Visits stand at their days; the median and the number of patients stand at each. The dotted line is the
    low dose that the configuration names.

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
    group = followed_group(config)
    shown = summarised_visits(statistics, config, group, analysis, courses[0].name, to_scale=True)
    style, found = group_styles(config)[group], shown.found
    axes = container.subplots()
    axes.fill_between(shown.places, found["min"], found["max"], color=style.colour, alpha=0.13, linewidth=0)
    axes.fill_between(
        shown.places, found["q1"], found["q3"], color=style.colour, alpha=0.32, linewidth=0.5,
        edgecolor=style.colour, hatch="....",
    )  # fmt: skip
    median_line(axes, shown, style)
    axes.axhline(config.steroids.threshold_mg_per_kg, color=GREY, linewidth=0.8, linestyle=(0, (1, 1.5)))
    for place, value in zip(shown.places, found["median"], strict=True):
        axes.annotate(
            format_number(value, 1), (place, value), xytext=(3, 3), textcoords="offset points", va="bottom",
            path_effects=_halo(),
        )  # fmt: skip
    span = shown.places[-1] - shown.places[0] or 1.0
    axes.set_xlim(shown.places[0] - 0.05 * span, shown.places[-1] + 0.09 * span)
    axes.set_ylim(0, 1.06 * max(found["max"]))
    axes.set_xticks(shown.places, labels=[short_visit(visit) for visit in shown.visits])
    axes.set_xlabel("Time since day 0 (w: weeks)")
    axes.set_ylabel(courses[0].label)
    counts = [f"{int(count)}" for count in found["n"]]
    axes.set_title(f"{config.group(group).label}", pad=above())
    counts_above(axes, list(zip(shown.places, counts, strict=True)))
    n_above(axes, -4.0)
    _ribbon_legend(axes, style)


def _ribbon_legend(axes: Axes, style: GroupStyle) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    look: dict[str, Any] = {"color": style.colour, "linestyle": style.line, "marker": style.marker}
    handles: list[Artist] = [
        Line2D([], [], label="Median", markersize=3.6, **look),
        Patch(facecolor=style.colour, alpha=0.32, hatch="....", label="Middle half"),
        Patch(facecolor=style.colour, alpha=0.13, label="Range"),
        Line2D([], [], color=GREY, linewidth=0.8, linestyle=(0, (1, 1.5)), label="Low dose"),
    ]
    axes.legend(handles=handles, loc="upper right", handlelength=1.8)


def _halo() -> list[AbstractPathEffect]:
    """Return a white edge around letters that stand on a ribbon."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=1.6, foreground="white")]
