"""Course of measurements over the visits: each patient's line, median and quartiles, n at each visit.

>>> followed_group(config)
'ruxolitinib'
>>> courses = laboratory_courses(tables, config)
>>> courses[0].name, reference_band(config, "platelets"), short_label(config.vocabulary.get("ast"))
('platelets', (125.0, 350.0), 'AST, U/L')
>>> draw_courses(container, courses[:2], statistics, config)
>>> len(container.axes)
2
>>> patient_lines(axes, pd.DataFrame({"patient_id": ["a", "a"], "x": [0, 7], "value": [9.0, 4.0]}))
>>> len(patients_handles(config, lines=True, many=False))
1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from helpers.report.figures.common import day_0_title, marks_legend, room_for_text, say_absent
from helpers.report.figures.output.drawings import drawn_record
from helpers.report.figures.output.exhibits import figure
from helpers.report.figures.style import FAINT, GREY, GroupStyle, group_styles
from helpers.report.figures.visits import (
    Visits,
    above,
    counts_above,
    summarised_visits,
    unit_of,
    visit_axis,
)
from helpers.results.catalogue import LaboratoryRows, analyses

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics
    from helpers.vocabulary.model import Variable

_LONGEST_LABEL = 24
_ONE_LINE = 200  # characters: a title that is not to be broken
_LONGEST_ABBREVIATION = 5
_NORMAL = "#009E73"
# Mark and words of a value that is known only as beyond a limit, by its sign.
_LIMITED = {">": ("^", "Above an assay's limit"), "<": ("v", "Below an assay's limit")}
_MANY_PATIENTS = 50
MOST_LINES = 200  # patients up to which each has a line; of more only the range is drawn


@drawn_record
@dataclass(frozen=True)
class Course:
    """One quantity over the visits.

    Attributes:
        name: its name in the statistics.
        label: title of its panel, with the unit.
        patients: columns patient_id, visit, value, qualifier, and group where there are several.
        log: whether the vertical axis is logarithmic.
        reference: lower and upper limit of the reference range; NaN where there is none.
    """

    name: str
    label: str
    patients: pd.DataFrame
    log: bool = False
    reference: tuple[float, float] = (float("nan"), float("nan"))


def laboratory_courses(tables: AnalysisTables, config: CohortConfig) -> list[Course]:
    """Return the measurements that the configuration follows, as the visits table holds them."""
    treated = followed_group(config)
    members = tables.patients.loc[tables.patients["group"] == treated, "patient_id"]
    rows = tables.visits[tables.visits["patient_id"].isin(members)]
    found = []
    for name in config.course.variables:
        known = config.vocabulary[name]
        patients = rows.loc[rows["variable"] == name, ["patient_id", "visit", "value", "qualifier"]]
        found.append(Course(name, short_label(known), patients, known.skewed, reference_band(config, name)))
    return found


def dose_courses(doses: pd.DataFrame, config: CohortConfig) -> list[Course]:
    """Return the dose per kilogram of the drugs to be spared as a course; see ``doses_at_visits``.

    >>> from helpers.analysis.steroids import doses_at_visits
    >>> dose_courses(doses_at_visits(tables, config), config)[0].label
    'Prednisone equivalent, mg/kg/d'
    """
    rows = doses[doses["group"].isin(config.group_ids)]
    patients = rows[["patient_id", "group", "visit"]].assign(value=rows["mg_per_kg"], qualifier="").dropna()
    label = f"{config.spared_label}, mg/kg/d"
    if config.steroids.converted:
        label = "Prednisone equivalent, mg/kg/d"
    return [Course("dose", label, patients)]


def followed_group(config: CohortConfig) -> str:
    """Return the id of the group whose course is drawn: the treated one."""
    return (config.treated or config.groups[0]).id


def short_label(variable: Variable) -> str:
    """Return a variable's label for a narrow panel: long names give way to the usual abbreviation."""
    name, comma, unit = variable.label.rpartition(", ")
    if not name or len(variable.label) <= _LONGEST_LABEL:
        return variable.label
    short = variable.name
    short = short.upper() if len(short) <= _LONGEST_ABBREVIATION else short.replace("_", " ").capitalize()
    return f"{short}{comma}{unit}"


def reference_band(config: CohortConfig, name: str) -> tuple[float, float]:
    """Return the lower and upper limit that are normal in every adult; NaN where there is none.

    Where men and women have limits of their own, the band is what is normal in both.
    """
    ranges = config.vocabulary.ranges.get(name, ())
    lows = [row.low for row in ranges if row.low is not None]
    highs = [row.high for row in ranges if row.high is not None]
    return max(lows, default=float("nan")), min(highs, default=float("nan"))


@figure(
    "figure_1c",
    "double",
    105,
    "Course of laboratory values and temperature over the visits",
    needs=LaboratoryRows,
)
def draw_courses(
    container: Figure | SubFigure,
    courses: Sequence[Course],
    statistics: Statistics,
    config: CohortConfig,
    *,
    analysis: str = "laboratory",
    columns: int = 4,
    absent: str = "None of the measurements that this figure shows is recorded at follow-up visits.",
) -> None:
    """Draw one small panel a quantity; visits stand at their days, n of each group above each.

    A visit whose label has no room beside its neighbours keeps its tick without a label. Without any value
    `absent` is said instead.

    Thin lines are patients of the treated group (the range where they are more than :data:`MOST_LINES`), the
    thick lines are the medians of the groups with first and third quartile, the green band the reference
    range, and a triangle a value known only as above or below a limit. Each kind of mark that is drawn stands
    in the legend below.
    """
    courses = [course for course in courses if len(course.patients)]
    if not courses:
        say_absent(container, absent)
        return
    rows = -(-len(courses) // columns)
    grid = container.subplots(rows, min(columns, len(courses)), squeeze=False)
    for axes in grid.flat[len(courses) :]:
        axes.set_visible(False)
    panels = [_read_panel(course, statistics, config, analysis) for course in courses]
    room = room_for_text(container, grid.shape[1])
    for axes, panel in zip(grid.flat, panels, strict=False):
        _draw_panel(axes, panel, config, room)
    visits = {visit.id: visit for panel in panels for shown in panel.shown.values() for visit in shown.visits}
    groups = [group for group in config.group_ids if any(group in panel.shown for panel in panels)]
    if visits:
        title = "; ".join(day_0_title(unit_of(list(visits.values())), config, groups, _ONE_LINE).split("\n"))
        marks_legend(container, _course_legend(panels, config), columns=3, title=title)


@dataclass(frozen=True)
class _Panel:
    """What one panel shows.

    Attributes:
        course: the quantity with the values of the followed group.
        seen: its rows at visits that are drawn, with their places in column x.
        shown: by group: the summaries; the followed group comes first.
        many: whether the patients are too many for a line each.
    """

    course: Course
    seen: pd.DataFrame
    shown: dict[str, Visits]
    many: bool


def _read_panel(course: Course, statistics: Statistics, config: CohortConfig, analysis: str) -> _Panel:
    first = followed_group(config)
    order = [first, *(group for group in config.group_ids if group != first)]
    shown = {
        group: summarised_visits(statistics, config, group, analyses()[analysis], course.name)
        for group in order
    }
    place = shown[first].place
    seen = course.patients[course.patients["visit"].isin(list(place))]
    shown = {group: visits for group, visits in shown.items() if len(visits.visits) > 1 or group == first}
    shown = {group: visits for group, visits in shown.items() if visits.visits}
    many = seen["patient_id"].nunique() > MOST_LINES
    return _Panel(course, seen.assign(x=seen["visit"].map(place)), shown, many)


def _course_legend(panels: Sequence[_Panel], config: CohortConfig) -> list[Artist]:
    """Return a handle for each kind of mark of these panels: only what is drawn."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    styles = group_styles(config)
    handles: list[Artist] = []
    for group in dict.fromkeys(group for panel in panels for group in panel.shown):
        style, name = styles[group], config.group(group).short_label
        look: dict[str, Any] = {"color": style.colour, "linestyle": style.line, "marker": style.marker}
        handles.append(Line2D([], [], label=f"{name}: median", markersize=3.6, **look))
        handles.append(
            Line2D([], [], color=style.colour, linewidth=2.4, alpha=0.5, label=f"{name}: quartiles")
        )
    handles += patients_handles(
        config, lines=any(not p.many for p in panels), many=any(p.many for p in panels)
    )
    if any(limit == limit for panel in panels for limit in panel.course.reference):
        handles.append(Patch(facecolor=_NORMAL, alpha=0.10, label="Reference range"))
    limited = {qualifier for panel in panels if not panel.many for qualifier in panel.seen["qualifier"]}
    for qualifier, (marker, label) in _LIMITED.items():
        if qualifier in limited:
            handles.append(
                Line2D([], [], linestyle="none", marker=marker, color=GREY, markersize=3, label=label)
            )
    return handles


def patients_handles(config: CohortConfig, *, lines: bool, many: bool) -> list[Artist]:
    """Return the signs of what is drawn of single patients: a line each, or the range of many."""
    from matplotlib.lines import Line2D

    name = config.group(followed_group(config)).short_label
    handles: list[Artist] = []
    if lines:
        handles.append(Line2D([], [], color=FAINT, linewidth=0.8, label=f"{name}: one patient"))
    if many:
        handles.append(Line2D([], [], color=FAINT, linewidth=1.2, label=f"{name}: range"))
    return handles


def _draw_panel(axes: Axes, panel: _Panel, config: CohortConfig, room: float) -> None:
    course, styles = panel.course, group_styles(config)
    _reference_band(axes, course.reference)
    if not panel.shown:
        axes.set_xticks([])
        axes.set_title(course.label)
        return
    first = panel.shown.get(followed_group(config))
    if first is not None and panel.many:
        axes.vlines(
            first.places, first.found["min"], first.found["max"], color=FAINT, linewidth=1.2, zorder=1
        )
    elif first is not None:
        patient_lines(axes, panel.seen)
        _limit_marks(axes, panel.seen)
    for rank, (group, shown) in enumerate(panel.shown.items()):
        axes.vlines(
            shown.places, shown.found["q1"], shown.found["q3"], color=styles[group].colour,
            linewidth=2.4 if rank == 0 else 1.4, alpha=0.5, zorder=3,
        )  # fmt: skip
        median_line(axes, shown, styles[group])
    drawn = _values(panel)
    if course.log:
        _log_axis(axes, drawn)
    axes.set_ylim(*_limits(drawn, log=course.log))
    visits = {visit.day: visit for shown in panel.shown.values() for visit in shown.visits}
    visit_axis(axes, [visits[day] for day in sorted(visits)], room)
    axes.set_title(course.label, pad=above(len(panel.shown)))
    for line, (group, shown) in enumerate(reversed(panel.shown.items())):
        counts_above(axes, shown.places, shown.counts, room, line=line, colour=styles[group].colour)


def _values(panel: _Panel) -> pd.Series:
    """Return all values that the vertical axis has to hold."""
    import pandas as pd

    values = [] if panel.many else list(panel.seen["value"])
    for rank, shown in enumerate(panel.shown.values()):
        names = ("min", "max") if panel.many and rank == 0 else ("median", "q1", "q3")
        values += [value for name in names for value in shown.found[name] if value == value]
    return pd.Series(values, dtype=float)


def _reference_band(axes: Axes, reference: tuple[float, float]) -> None:
    low, high = reference
    if low == low or high == high:
        bottom, top = (low if low == low else -1e9), (high if high == high else 1e9)
        axes.axhspan(bottom, top, color=_NORMAL, alpha=0.10, linewidth=0)


def _limit_marks(axes: Axes, seen: pd.DataFrame) -> None:
    for qualifier, (marker, _) in _LIMITED.items():
        limited = seen[seen["qualifier"] == qualifier]
        if len(limited):
            axes.plot(limited["x"], limited["value"], marker, color=GREY, markersize=3, zorder=2)


def median_line(axes: Axes, shown: Visits, style: GroupStyle) -> None:
    """Draw the medians with the group's line and marker."""
    axes.plot(
        shown.places, shown.found["median"], color=style.colour, linestyle=style.line, marker=style.marker,
        markersize=3.6, zorder=4,
    )  # fmt: skip


def patient_lines(axes: Axes, seen: pd.DataFrame) -> None:
    """Draw a thin line a patient, fainter where there are so many that they would hide each other.

    Args:
        axes: where to draw.
        seen: columns patient_id, x (place), value; one row a visit.
    """
    import numpy as np
    from matplotlib.collections import LineCollection

    ordered = seen.sort_values(["patient_id", "x"])
    starts = np.flatnonzero(ordered["patient_id"].to_numpy()[1:] != ordered["patient_id"].to_numpy()[:-1]) + 1
    paths = np.split(ordered[["x", "value"]].to_numpy(float), starts)
    alpha = min(1.0, max(0.3, _MANY_PATIENTS / max(1, len(paths))))
    axes.add_collection(LineCollection(paths, colors=FAINT, linewidths=0.5, alpha=alpha, zorder=1))


def _log_axis(axes: Axes, values: pd.Series) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    smallest = values[values > 0].min()
    if values.min() <= 0:
        axes.set_yscale("symlog", linthresh=smallest)
    else:
        axes.set_yscale("log")
    span = values.max() / smallest
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if span > 30 else (1.0, 2.0, 5.0), numticks=8))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:g}" if value < 1e4 else f"{value / 1000:g}k")
    )
    axes.yaxis.set_minor_formatter(NullFormatter())


def _limits(values: pd.Series, *, log: bool) -> tuple[float, float]:
    """Return vertical limits that hold the patients' values, whatever the reference band does."""
    low, high = values.min(), values.max()
    if log and low > 0:
        margin = (high / low) ** 0.06 if high > low else 1.5
        return low / margin, high * margin
    margin = 0.06 * (high - low) or 1.0
    return (low - margin if low else low), high + margin
