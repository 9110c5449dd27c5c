"""Where patients and values went: flow of patients, and a map of missing values.

>>> draw_patient_flow(container, statistics, config)
>>> len(container.axes)
1
>>> observed = pd.DataFrame({("Treated", "Week 1"): [1.0, 0.5]}, index=["Age", "Ferritin"])
>>> missing_map_height(observed) > 0
True
>>> draw_missing_map(container, observed)
>>> len(container.axes) > 0
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.figures.common import say_absent, size_mm, wrapped
from helpers.report.figures.output.exhibits import figure
from helpers.report.figures.style import (
    CHARACTER,
    GREY,
    INK,
    MM_PER_INCH,
    POINTS_PER_INCH,
    group_styles,
    text_size,
)
from helpers.results.catalogue import FlowRows
from helpers.results.format import format_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from helpers.cohort.config import CohortConfig
    from helpers.cohort.settings import Group
    from helpers.results.store import Statistics


_MAP_ROW_MM = 3.9
_MAP_FRAME_MM = 30.0  # title, group names and slanted visits
_SPACE = "\u00a0"  # keeps a count on the line of its last word
_LINE = 1.35  # of lines of text, in text sizes
_INSIDE = 1.2  # room between the text of a box and its edges, in text sizes
_ARROW = 2.2  # height of an arrow in text sizes
_PAGE, _ASIDE = 0.98, 0.66  # right edge, and where the box beside the flow begins, in shares of the width


@figure(
    "figure_s1_flow",
    "one_and_a_half",
    105,
    "Flow of patients from the records to the analysis",
)
def draw_patient_flow(container: Figure | SubFigure, statistics: Statistics, config: CohortConfig) -> None:
    """Draw the flow of patients: recorded, excluded with reasons, analysed by group, outcome at the horizon.

    Boxes are as high as their text and stand below each other, whatever the length of the names.
    """
    axes = container.subplots()
    axes.set_axis_off()
    width = size_mm(container)[0] / MM_PER_INCH * POINTS_PER_INCH / text_size()
    sheet = _Sheet(axes, width)
    recorded = statistics[FlowRows.recorded.id("patients", timepoint="baseline")].value
    top = sheet.box((0.02, _ASIDE - 0.08), 0.0, [f"Patients recorded: {recorded:.0f}"])
    middle = (_ASIDE - 0.06) / 2
    aside = sheet.box((_ASIDE, _PAGE), top + _ARROW / 2, _excluded(statistics))
    branch = max(aside, top + _ARROW) + _ARROW / 2
    sheet.line((middle, top), (middle, branch))
    sheet.arrow((middle, (top + _ARROW / 2 + aside) / 2), (_ASIDE, (top + _ARROW / 2 + aside) / 2))
    columns = [(0.02, _PAGE)] if len(config.groups) == 1 else [(0.02, 0.49), (0.51, _PAGE)]
    centres = [sum(column) / 2 for column in columns]
    sheet.line((min(*centres, middle), branch), (max(*centres, middle), branch))
    styles = group_styles(config)
    starts = [
        sheet.box(column, branch + _ARROW, _entered(statistics, group), styles[group.id].colour)
        for column, group in zip(columns, config.groups, strict=True)
    ]
    below = max(starts) + _ARROW
    for column, centre, start, group in zip(columns, centres, starts, config.groups, strict=True):
        sheet.arrow((centre, branch), (centre, branch + _ARROW))
        sheet.arrow((centre, start), (centre, below))
        sheet.box(column, below, _outcome(statistics, config, group), styles[group.id].colour)
    sheet.finish()


def _excluded(statistics: Statistics) -> list[str]:
    """Return how many patients were excluded and, where stored, why."""
    excluded = statistics[FlowRows.excluded.id("patients", timepoint="baseline")].value
    rows = statistics.select(FlowRows, variable="rows_patients")
    reasons = [row for row in rows if row.statistic.startswith("excluded_")]
    return [f"Excluded: {excluded:.0f}", *(f"{row.level}:{_SPACE}{row.value:.0f}" for row in reasons)]


def _entered(statistics: Statistics, group: Group) -> list[str]:
    """Return a group's name and size, when its patients were enrolled if that is known, and what day 0 is."""
    analysed = statistics[FlowRows.analysed.id("patients", group=group.id, timepoint="baseline")].value
    enrolled = [f"Enrolled {' to '.join(group.enrolment)}"] if group.enrolment else []
    return [f"{group.label}:{_SPACE}{analysed:.0f}", *enrolled, f"Day 0: {group.day0}"]


def _outcome(statistics: Statistics, config: CohortConfig, group: Group) -> list[str]:
    words = {
        "alive": "Alive at day {}",
        "died": "Died by day {}",
        "censored": "Follow-up ended before day {}",
    }
    day = config.follow_up.horizon_days
    stem = FlowRows.stem("patients", group=group.id, timepoint="horizon")
    return [
        f"{text.format(day)}: {statistics[FlowRows.named(name).at(stem)].value:.0f}"
        for name, text in words.items()
    ]


class _Sheet:
    """Boxes and arrows on axes that count downwards in text sizes, and across in shares of the width."""

    def __init__(self, axes: Axes, width: float) -> None:
        self.axes, self.width, self.bottom = axes, width, 0.0

    def box(
        self, column: tuple[float, float], top: float, paragraphs: Sequence[str], colour: str = INK
    ) -> float:
        """Draw a box from `top` downwards; return where it ends."""
        from matplotlib.patches import Rectangle

        left, right = column
        characters = int(((right - left) * self.width - _INSIDE) / CHARACTER)
        text = "\n".join(wrapped(paragraph, characters) for paragraph in paragraphs)
        height = _LINE * (text.count("\n") + 1) + _INSIDE
        self.axes.add_patch(
            Rectangle((left, top), right - left, height, facecolor="white", edgecolor=colour, linewidth=1.0)
        )
        self.axes.text(
            (left + right) / 2, top + height / 2, text, ha="center", va="center", linespacing=_LINE / 1.15
        )
        self.bottom = max(self.bottom, top + height)
        return top + height

    def line(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Draw a line."""
        self.axes.plot([start[0], end[0]], [start[1], end[1]], color=GREY, linewidth=0.8, zorder=0)

    def arrow(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Draw an arrow."""
        look = {"arrowstyle": "-|>", "color": GREY, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
        self.axes.annotate("", end, start, arrowprops=look)

    def finish(self) -> None:
        """Set the limits to what was drawn."""
        self.axes.set_xlim(0, 1)
        self.axes.set_ylim(self.bottom + 0.2, -0.2)


def missing_map_height(observed: pd.DataFrame) -> float:
    """Return the height (mm) at which every variable of the map can be read."""
    return max(110.0, _MAP_FRAME_MM + _MAP_ROW_MM * len(observed))


@figure(
    "figure_s2_missing",
    "double",
    missing_map_height,
    "Share of living patients with a value, by variable and visit",
)
def draw_missing_map(
    container: Figure | SubFigure, observed: pd.DataFrame, *, title: str = "Patients alive with a value (%)"
) -> None:
    """Draw the share of living patients with a value, variables by group and visit.

    Args:
        container: where to draw.
        observed: share from 0 to 1; rows variables, columns (group label, visit label); NaN where nobody was
            alive or expected.
        title: what the shares are.
    """
    if observed.empty:
        say_absent(container, "No measurements are recorded in this cohort.")
        return
    groups = list(dict.fromkeys(observed.columns.get_level_values(0)))
    panels = container.subplots(1, len(groups), sharey=True, squeeze=False)[0]
    for axes, group in zip(panels, groups, strict=True):
        _share_tiles(axes, 100 * observed[group])
        axes.set_title(wrapped(group), fontweight="normal")
    container.suptitle(title, x=0.01, ha="left")


def _share_tiles(axes: Axes, share: pd.DataFrame) -> None:
    """Draw a tile a percentage, darker for more, with the number in it; none where nobody was expected."""
    import seaborn as sns

    texts = share.map(lambda value: format_number(float(value), 0) if value == value else "")
    sns.heatmap(
        share.astype(float),
        ax=axes,
        annot=texts,
        fmt="",
        annot_kws={"size": axes.xaxis.get_label().get_fontsize()},
        cmap="Blues",
        vmin=0,
        vmax=100,
        cbar=False,
        linewidths=0.6,
        linecolor="white",
    )
    axes.set(xlabel="", ylabel="")
    axes.set_xticklabels(axes.get_xticklabels(), rotation=45, ha="right", rotation_mode="anchor")
    axes.tick_params(length=0)
