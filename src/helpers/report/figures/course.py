"""Course of measurements over the visits: each patient's line, median and quartiles, n at each visit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.report.figures.common import say_absent
from helpers.report.figures.output.drawings import drawing, drawn_record
from helpers.report.figures.style import (
    FAINT,
    GREY,
    MM_PER_INCH,
    GroupStyle,
    character_mm,
    group_styles,
    text_size,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.cohort.settings import Visit
    from helpers.results.store import Statistics
    from helpers.vocabulary.model import Variable

_LONGEST_LABEL = 24
_LONGEST_ABBREVIATION = 5
_SHOWN_IN_DAYS = 60
_MANY_PATIENTS = 50
_MARGIN = 0.4  # beside the first and last visit, in visits
_SHARE_OF_AXES = 0.75  # of a panel's width; the rest is its vertical axis
_GAP_CHARACTERS = 0.8


@drawn_record
@dataclass(frozen=True)
class Course:
    """One quantity over the visits of one group.

    Attributes:
        name: its name in the statistics.
        label: title of its panel, with the unit.
        patients: columns patient_id, visit, value, qualifier.
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
    """Return the glucocorticoid dose per kilogram as a course; see ``doses_at_visits``."""
    rows = doses[doses["group"] == followed_group(config)]
    patients = rows[["patient_id", "visit"]].assign(value=rows["mg_per_kg"], qualifier="").dropna()
    return [Course("dose", "Prednisone equivalent, mg/kg/d", patients)]


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


@drawing
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
    """Draw one small panel a quantity; visits are evenly spaced, n stands above each.

    Where there are more visits than their labels have room, every second one or fewer are labelled. Without
    any value `absent` is said instead.

    Thin lines are patients of the treated group, the thick line is the median with first and third quartile,
    the green band the reference range, and a triangle a value known only as above or below a limit.
    """
    group = followed_group(config)
    courses = [course for course in courses if len(course.patients)]
    if not courses:
        say_absent(container, absent)
        return
    rows = -(-len(courses) // columns)
    grid = container.subplots(rows, min(columns, len(courses)), squeeze=False)
    for axes in grid.flat[len(courses) :]:
        axes.set_visible(False)
    room = room_for_text(container, grid.shape[1])
    for axes, course in zip(grid.flat, courses, strict=False):
        _panel(axes, course, statistics, config, group, analysis, room)


@dataclass(frozen=True)
class Visits:
    """The visits of one panel with their summaries.

    Attributes:
        visits: those with a stored median, in order of time.
        places: where they stand on the horizontal axis.
        found: by name of the statistic (median, q1, q3, min, max, n): one value a visit.
    """

    visits: list[Visit]
    places: list[float]
    found: dict[str, list[float]]

    @property
    def place(self) -> dict[str, float]:
        """Place by the visit's id."""
        return {visit.id: place for visit, place in zip(self.visits, self.places, strict=True)}


def summarised_visits(
    statistics: Statistics, config: CohortConfig, group: str, analysis: str, name: str, *, to_scale: bool
) -> Visits:
    """Return the visits at which a quantity has a stored summary.

    Args:
        statistics, config: of the cohort.
        group, analysis, name: whose summary is meant.
        to_scale: whether visits stand at their days; else they are evenly spaced.
    """
    stem = {"group": group}
    visits = [
        visit
        for visit in config.visits
        if statistics.find(analysis, name, "median", timepoint=visit.id, **stem)
    ]
    found: dict[str, list[float]] = {}
    for statistic in ("median", "q1", "q3", "min", "max", "n"):
        rows = [statistics.find(analysis, name, statistic, timepoint=v.id, **stem) for v in visits]
        found[statistic] = [row.value if row is not None else float("nan") for row in rows]
    places = [float(visit.day) if to_scale else float(i) for i, visit in enumerate(visits)]
    return Visits(visits, places, found)


def _panel(
    axes: Axes,
    course: Course,
    statistics: Statistics,
    config: CohortConfig,
    group: str,
    analysis: str,
    room: float,
) -> None:
    style = group_styles(config)[group]
    shown = summarised_visits(statistics, config, group, analysis, course.name, to_scale=False)
    _reference_band(axes, course.reference)
    seen = course.patients[course.patients["visit"].isin(list(shown.place))]
    _patient_lines(axes, seen, shown.place)
    _limit_marks(axes, seen, shown.place)
    axes.vlines(
        shown.places,
        shown.found["q1"],
        shown.found["q3"],
        color=style.colour,
        linewidth=2.4,
        alpha=0.5,
        zorder=3,
    )
    median_line(axes, shown, style)
    if course.log:
        _log_axis(axes, seen["value"])
    axes.set_ylim(*_limits(seen["value"], log=course.log))
    axes.set_xlim(-_MARGIN, max(len(shown.visits) - 1 + _MARGIN, 0.6))
    names = [short_visit(visit) for visit in shown.visits]
    counts = [f"{int(count)}" for count in shown.found["n"]]
    every = label_every(names + counts, len(names), room)
    axes.set_xticks(shown.places, labels=["" if i % every else name for i, name in enumerate(names)])
    axes.set_title(course.label, pad=above())
    n_above(axes, _left_of_first(counts[0], len(names), room))
    counts_above(axes, list(zip(shown.places, counts, strict=True))[::every])


def above() -> float:
    """Return how far (points) a title stands above a line of counts."""
    return 1.65 * text_size()


def _reference_band(axes: Axes, reference: tuple[float, float]) -> None:
    low, high = reference
    if low == low or high == high:
        bottom, top = (low if low == low else -1e9), (high if high == high else 1e9)
        axes.axhspan(bottom, top, color="#009E73", alpha=0.10, linewidth=0)


def _limit_marks(axes: Axes, seen: pd.DataFrame, place: Mapping[str, float]) -> None:
    for qualifier, marker in {">": "^", "<": "v"}.items():
        limited = seen[seen["qualifier"] == qualifier]
        axes.plot(limited["visit"].map(place), limited["value"], marker, color=GREY, markersize=3, zorder=2)


def median_line(axes: Axes, shown: Visits, style: GroupStyle) -> None:
    """Draw the medians with the group's line and marker."""
    axes.plot(
        shown.places, shown.found["median"], color=style.colour, linestyle=style.line, marker=style.marker,
        markersize=3.6, zorder=4,
    )  # fmt: skip


def counts_above(axes: Axes, counts: Sequence[tuple[float, str]]) -> None:
    """Write counts above the axes, each at its place."""
    for place, count in counts:
        axes.annotate(
            count, (place, 1), xycoords=("data", "axes fraction"), xytext=(0, 2), textcoords="offset points",
            ha="center", va="bottom", color=GREY,
        )  # fmt: skip


def n_above(axes: Axes, left: float) -> None:
    """Write the sign n above the axes, so many points right of their left end."""
    axes.annotate(
        "n", (0, 1), xycoords="axes fraction", xytext=(left, 2), textcoords="offset points", ha="right",
        va="bottom", color=GREY,
    )  # fmt: skip


def short_visit(visit: object) -> str:
    """Return a visit's label short enough for a narrow panel: ``0``, ``1w``, ``8w``."""
    day = visit.day  # type: ignore[attr-defined]
    if day % 7 == 0 and day <= 7 * 26:
        return f"{day // 7}w" if day else "0"
    if day < _SHOWN_IN_DAYS:
        return f"{day}d"
    years = round(day / 365.25, 1)
    return f"{years:g}y" if years >= 1 else f"{day / 30.44:.0f}m"


def room_for_text(container: Figure | SubFigure, panels: int) -> float:
    """Return how many characters fit side by side under one of `panels` equal panels."""
    figure = container.get_figure(root=True)
    assert figure is not None
    width_mm = container.bbox.width / figure.dpi * MM_PER_INCH
    return float(_SHARE_OF_AXES * width_mm / panels / character_mm())


def label_every(labels: Sequence[str], places: int, room: float) -> int:
    """Return 1 if labels at all places fit into `room` characters, 2 if at every second one, and so on."""
    longest = max((len(label) for label in labels), default=0)
    fitting = max(1, int(room / (longest + _GAP_CHARACTERS)))
    return max(1, -(-places // fitting))


def _left_of_first(count: str, places: int, room: float) -> float:
    """Return how far (points) from the left end of the axes the sign ``n`` clears the first count."""
    character = character_mm() / MM_PER_INCH * 72
    centre = _MARGIN / (places - 1 + 2 * _MARGIN) * room * character
    return min(-4.0, centre - len(count) * character * 0.6 - 3)


def _patient_lines(axes: Axes, seen: pd.DataFrame, place: Mapping[str, float]) -> None:
    """Draw a thin line a patient, fainter where there are so many that they would hide each other."""
    import numpy as np
    from matplotlib.collections import LineCollection

    ordered = seen.assign(x=seen["visit"].map(place)).sort_values(["patient_id", "x"])
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
        margin = (high / low) ** 0.06
        return low / margin, high * margin
    margin = 0.06 * (high - low) or 1.0
    return (low - margin if low else low), high + margin
