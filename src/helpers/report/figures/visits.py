"""Visits on an axis of true time: their summaries, their short names, and counts above the axes.

>>> above()
16.5
>>> near_limit(config)
63
>>> from helpers.results.catalogue import LaboratoryRows
>>> found = summarised_visits(statistics, config, "ruxolitinib", LaboratoryRows, "platelets")
>>> found.places, found.found["median"][:2]
([0.0, 7.0, 14.0, 21.0, 56.0], [115.0, 144.5])
>>> unit_of(found.visits), visit_names(found.visits), short_visit(found.visits[-1])
('Weeks', ['0', '1', '2', '3', '8'], '8w')
>>> visit_axis(axes, found.visits, 60)
>>> counts_above(axes, found.places, ["20"] * len(found.places), 60)
>>> len(axes.texts) > 3
True
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from helpers.report.figures.common import spaced
from helpers.report.figures.style import CHARACTER, GREY, text_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from helpers.cohort.config import CohortConfig
    from helpers.cohort.settings import Visit
    from helpers.results.catalogue import Analysis
    from helpers.results.store import Statistics

WEEK = 7
_SHOWN_IN_WEEKS = 26 * WEEK
_SHOWN_IN_DAYS = 60
_UNITS = {"d": "d: days", "w": "w: weeks", "m": "m: months", "y": "y: years"}
_MARGIN = 0.06  # beside the first and last visit, in shares of the time between them
_ALONE_DAYS = 1.0  # margin of a single visit
_HALF_DIGIT = 0.6  # of a digit with the air beside it, in mean characters
_OVERHANG = 0.5  # mean characters by which a count may reach over the end of its axes
_LINE = 1.15  # of lines of counts above each other, in text sizes
SUMMARIES = ("median", "q1", "q3", "min", "max", "n")


@dataclass(frozen=True)
class Visits:
    """The visits of one quantity in one group with their summaries.

    Attributes:
        visits: those with a stored median, in order of time.
        places: where they stand on the horizontal axis: their days.
        found: by name of the statistic (median, q1, q3, min, max, n): one value a visit.
    """

    visits: list[Visit]
    places: list[float]
    found: dict[str, list[float]]

    @property
    def place(self) -> dict[str, float]:
        """Place by the visit's id."""
        return {visit.id: place for visit, place in zip(self.visits, self.places, strict=True)}

    @property
    def counts(self) -> list[str]:
        """Number of patients at each visit, as it is written."""
        return [f"{count:.0f}" if count == count else "" for count in self.found["n"]]


def summarised_visits(
    statistics: Statistics, config: CohortConfig, group: str, analysis: type[Analysis], name: str
) -> Visits:
    """Return the visits at which a quantity has a stored summary, each at its day.

    Args:
        statistics, config: of the cohort.
        group, analysis, name: whose summary is meant.
    """

    def stored(statistic: str, visit: Visit) -> float:
        row = statistics.find(analysis.named(statistic), name, group=group, timepoint=visit.id)
        return row.value if row is not None else float("nan")

    visits = [visit for visit in config.visits if stored("median", visit) == stored("median", visit)]
    found = {statistic: [stored(statistic, visit) for visit in visits] for statistic in SUMMARIES}
    return Visits(visits, [float(visit.day) for visit in visits], found)


def unit_of(visits: Sequence[Visit]) -> str:
    """Return the unit in which these visits are counted: weeks where all are, a mixture otherwise."""
    weeks = all(visit.day % WEEK == 0 and visit.day <= _SHOWN_IN_WEEKS for visit in visits)
    if weeks:
        return "Weeks"
    used = {short_visit(visit)[-1] for visit in visits}
    return f"Time ({', '.join(words for sign, words in _UNITS.items() if sign in used)})"


def visit_names(visits: Sequence[Visit]) -> list[str]:
    """Return the visits' labels on an axis: whole weeks alone where all are, else with their units."""
    if unit_of(visits) == "Weeks":
        return [f"{visit.day // WEEK}" for visit in visits]
    return [short_visit(visit) for visit in visits]


def short_visit(visit: object) -> str:
    """Return a visit's label short enough for a narrow panel: ``0``, ``1w``, ``8w``."""
    day = visit.day  # type: ignore[attr-defined]
    if day % WEEK == 0 and day <= _SHOWN_IN_WEEKS:
        return f"{day // WEEK}w" if day else "0"
    if day < _SHOWN_IN_DAYS:
        return f"{day}d"
    years = round(day / 365.25, 1)
    return f"{years:g}y" if years >= 1 else f"{day / 30.44:.0f}m"


def visit_axis(axes: Axes, visits: Sequence[Visit], room: float) -> None:
    """Put a tick at the day of each visit and, where there is room, its name below.

    Args:
        axes: whose horizontal axis it is.
        visits: in order of time.
        room: characters that fit along the axis.
    """
    places = [float(visit.day) for visit in visits]
    span = places[-1] - places[0]
    margin = _MARGIN * span or _ALONE_DAYS
    axes.set_xlim(places[0] - margin, places[-1] + margin)
    names = visit_names(visits)
    kept = set(spaced(places, names, room / (1 + 2 * _MARGIN)))
    axes.set_xticks(places, labels=[name if i in kept else "" for i, name in enumerate(names)])


def counts_above(
    axes: Axes,
    places: Sequence[float],
    counts: Sequence[str],
    room: float,
    *,
    line: int = 0,
    colour: str = GREY,
    named: bool = True,
) -> None:
    """Write counts of patients above the axes, each over its place where there is room, after an ``n``.

    Args:
        axes: where they stand.
        places: in order, in data units.
        counts: one a place.
        room: characters that fit along the axes.
        line: lines that stand below this one.
        colour: of the letters.
        named: whether the ``n`` is written; once is enough for panels that stand close in a row.
    """
    # The title above makes their room: that they need not be measured halves the time of the layout.
    look: dict[str, Any] = {
        "textcoords": "offset points",
        "va": "bottom",
        "color": colour,
        "in_layout": False,
    }
    height = 2 + _LINE * line * text_size()
    left, right = axes.get_xlim()
    character = (right - left) / room
    # A count of many digits over the first or last place would reach into the next panel or off the page.
    inside = [(_HALF_DIGIT * len(count) - _OVERHANG) * character for count in counts]
    centres = [min(max(place, left + by), right - by) for place, by in zip(places, inside, strict=True)]
    if named:
        n_left = _n_left((centres[0] - left) / character, counts[0])
        axes.annotate("n", (0, 1), xycoords="axes fraction", xytext=(n_left, height), ha="right", **look)
    for i in spaced(centres, counts, room * (centres[-1] - centres[0]) / (right - left)):
        axes.annotate(
            counts[i],
            (centres[i], 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, height),
            ha="center",
            **look,
        )


def _n_left(centre: float, first: str) -> float:
    """Return how far (points) from the left end of the axes the sign ``n`` clears the first count."""
    return min(-4.0, (centre - _HALF_DIGIT * len(first)) * CHARACTER * text_size() - 3)


def above(lines: int = 1) -> float:
    """Return how far (points) a title stands above so many lines of counts."""
    return 0.5 * text_size() + _LINE * lines * text_size()


def near_limit(config: CohortConfig) -> int:
    """Return the last day of the panel of the first weeks: the end of the last window of its visits.

    A visit planned for the last day is held some days later in part of the patients.
    """
    horizon = config.horizon_days
    ends = [visit.window[1] for visit in config.visits if visit.day <= horizon]
    return max(horizon, *ends) if ends else horizon
