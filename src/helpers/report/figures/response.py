"""Response figures: share of complete, partial and no response by visit, and each patient's path.

>>> draw_response_shares(container, statistics, config)
>>> len(container.axes)
1
>>> bar = read_bars(statistics, config, "ruxolitinib")[0]
>>> bar.parts, bar.percent(5), bar.bottoms()
({'cr': 0.0, 'pr': 9.0, 'nr': 11.0, 'died': 0.0}, 25.0, {'cr': 0.0, 'pr': 0.0, 'nr': 45.0, 'died': 100.0})
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from helpers.report.figures.common import marks_legend, name_places, room_for_text, say_absent, wrapped
from helpers.report.figures.output.exhibits import figure
from helpers.report.figures.patients import label_patients
from helpers.report.figures.style import (
    GREY,
    level_styles,
)
from helpers.results.catalogue import ResponseRows, ResponseTransitionRows
from helpers.results.format import format_number, format_percent
from helpers.results.store import slug

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.patches import Patch, Rectangle

    from helpers.cohort.config import CohortConfig
    from helpers.report.figures.style import LevelStyle
    from helpers.results.store import Statistics

ABSENT = "No response assessments are recorded in this cohort."
DEAD = "#4a4a4a"  # darker than any level without response
_HATCH = "///"
MOST_LABELLED = 45  # patients up to which each row of tiles carries its name and its letters
_BAND = 0.45  # opacity of a band
BAR_WIDTH = 0.64  # of the distance of two visits; bands of transitions lie between
ONE_LINE = 4.0  # percent of the bar's height from which on a line of text fits
TWO_LINES = 12.0  # percent of the bar's height from which on two lines of text fit
DIED, WITHOUT = "died", "nr"


@figure(
    "figure_1b",
    "single",
    80,
    "Share of patients by level of response and visit",
    needs=ResponseRows,
)
def draw_response_shares(container: Figure | SubFigure, statistics: Statistics, config: CohortConfig) -> None:
    """Draw stacked bars of the levels of response by visit with n (%), and bands for who went where.

    One panel for each group whose response was assessed. Patients who died before the visit have a hatched
    segment of their own on top, unless the configuration leaves them out of the denominator. The count in
    a segment is that of the patients it is drawn for.
    """
    groups = [g for g in config.groups if statistics.select(ResponseRows, group=g.id, variable="class")]
    if not groups:
        say_absent(container, ABSENT)
        return
    colours, inks = _palette(config)
    panels = container.subplots(1, len(groups), sharey=True, squeeze=False)[0]
    room, drawn, bands = room_for_text(container, len(groups)), [], False
    for axes, group in zip(panels, groups, strict=True):
        bars = read_bars(statistics, config, group.id)
        drawn += bars
        width = room / max(1, len(bars))
        for bar in bars:
            _bar(axes, bar, colours, inks, BAR_WIDTH * width)
        for left, right in pairwise(bars):
            bands = _flows(axes, left, right, statistics, colours) or bands
        name_places(axes, [bar.place for bar in bars], [bar.label for bar in bars], width)
        axes.set_ylim(0, 100)
        total = statistics.select(ResponseRows, variable="class", group=group.id)[0].n
        axes.set_title(wrapped(f"{group.label} (n = {total})", int(room)), fontweight="normal")
    panels[0].set_ylabel("Patients (%)")
    marks_legend(container, _legend(drawn, level_styles(config), bands=bands))


@dataclass(frozen=True)
class Bar:
    """The response of one group at one visit.

    Attributes:
        group, visit, label: whose, when, and the visit's label.
        place: where it stands on the horizontal axis.
        n: patients in its denominator.
        parts: count by state from below: the levels, NR without the dead, and died.
    """

    group: str
    visit: str
    label: str
    place: int
    n: int
    parts: dict[str, float]

    def bottoms(self) -> dict[str, float]:
        """Return where each part begins, in percent."""
        found, bottom = {}, 0.0
        for state, count in self.parts.items():
            found[state] = bottom
            bottom += self.percent(count)
        return found

    def percent(self, count: float) -> float:
        """Return a count as a percentage of the denominator."""
        return 100 * count / self.n if self.n else 0.0


def read_bars(statistics: Statistics, config: CohortConfig, group: str) -> list[Bar]:
    """Return the bars of one group from the stored counts, one a visit with assessments."""
    bars: list[Bar] = []
    for visit in config.visits:
        rows = {
            slug(level.id): statistics.find(
                ResponseRows.named(slug(level.id)), "class", group=group, timepoint=visit.id
            )
            for level in config.response_levels
        }
        found = {name: row for name, row in rows.items() if row is not None}
        if not found:
            continue
        dead = statistics.find(ResponseRows.dead, "class", group=group, timepoint=visit.id)
        counted = dead.value if dead is not None and config.response.dead_is == "NR" else 0.0
        shown = {name: row.value for name, row in found.items()}
        parts = shown | ({WITHOUT: shown[WITHOUT] - counted} if WITHOUT in shown else {}) | {DIED: counted}
        n = next(iter(found.values())).n or 0
        bars.append(Bar(group, visit.id, visit.label, len(bars), n, parts))
    return bars


def _bar(axes: Axes, bar: Bar, colours: Mapping[str, str], inks: Mapping[str, str], across: float) -> None:
    """Draw a bar; counts stand with their share where `across`, the characters of its width, let them."""
    bottoms = bar.bottoms()
    for state, count in bar.parts.items():
        axes.bar(
            bar.place, bar.percent(count), BAR_WIDTH, bottom=bottoms[state], color=colours[state],
            edgecolor="white", linewidth=0.8,
        )  # fmt: skip
        if state == DIED and count:
            axes.bar(
                bar.place, bar.percent(count), BAR_WIDTH, bottom=bottoms[state], color="none",
                edgecolor="white", hatch=_HATCH, linewidth=0,
            )  # fmt: skip
    for state, count in bar.parts.items():
        share = bar.percent(count)
        if not count or share < ONE_LINE:
            continue
        words = [format_number(count, 0), f"({format_percent(count / bar.n)})"]
        text = ("\n" if share >= TWO_LINES else " ").join(words)
        fits = max(len(line) for line in text.split("\n")) <= across
        axes.text(
            bar.place, bottoms[state] + share / 2, text if fits else words[0], ha="center", va="center",
            color=inks[state], linespacing=1.05, bbox=_plate(state),
        )  # fmt: skip


def _plate(state: str) -> dict[str, Any] | None:
    """Return what lifts a count off the hatching of the dead; nothing elsewhere."""
    return {"facecolor": DEAD, "edgecolor": "none", "pad": 0.2} if state == DIED else None


def _flows(axes: Axes, left: Bar, right: Bar, statistics: Statistics, colours: Mapping[str, str]) -> bool:
    """Draw a band from each state at a visit to each at the next, as thick as the patients are many.

    Returns whether there is one.
    """
    leaving, entering, found = left.bottoms(), right.bottoms(), False
    start, end = left.place + BAR_WIDTH / 2, right.place - BAR_WIDTH / 2
    # Bands leave from below in the order of where they go, and arrive in the order of where they come from.
    for before in left.parts:
        for after in right.parts:
            row = statistics.find(
                ResponseTransitionRows.named(f"to_{after}"), before, group=left.group, timepoint=right.visit
            )
            if row is None or not left.parts[before] or not right.parts[after]:
                continue
            heights = left.percent(row.value), right.percent(row.value)
            _band(axes, (start, leaving[before]), (end, entering[after]), heights, colours[before])
            leaving[before] += heights[0]
            entering[after] += heights[1]
            found = True
    return found


def _band(
    axes: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    heights: tuple[float, float],
    colour: str,
) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    (x, y), (u, v) = start, end
    middle = (x + u) / 2
    corners = [
        (x, y), (middle, y), (middle, v), (u, v),
        (u, v + heights[1]), (middle, v + heights[1]), (middle, y + heights[0]), (x, y + heights[0]), (x, y),
    ]  # fmt: skip
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    patch = PathPatch(Path(corners, codes), facecolor=colour, edgecolor=GREY, linewidth=0.3, alpha=_BAND)
    patch.set_zorder(0.5)
    axes.add_patch(patch)


def _palette(config: CohortConfig) -> tuple[dict[str, str], dict[str, str]]:
    """Return the fill of each state, and the colour of text on it."""
    styles = level_styles(config)
    colours = {slug(name): style.colour for name, style in styles.items()}
    inks = {slug(name): style.text for name, style in styles.items()}
    return colours | {DIED: DEAD}, inks | {DIED: "white"}


def _legend(bars: Sequence[Bar], styles: Mapping[str, LevelStyle], *, bands: bool) -> list[Patch]:
    """Return a handle for each kind of mark of these bars: only what is drawn."""
    from matplotlib.patches import Patch

    there = {state for bar in bars for state, count in bar.parts.items() if count}
    handles = [
        Patch(facecolor=style.colour, label=style.label)
        for name, style in styles.items()
        if slug(name) in there
    ]
    if DIED in there:
        handles.append(Patch(facecolor=DEAD, edgecolor="white", hatch=_HATCH, linewidth=0, label="Died"))
    if bands:
        look: dict[str, Any] = {"edgecolor": GREY, "linewidth": 0.3, "alpha": _BAND}
        colour = list(styles.values())[min(1, len(styles) - 1)].colour
        handles.append(Patch(facecolor=colour, label="Same patients, next visit", **look))
    return handles


@figure(
    "figure_s5_response_paths",
    "single",
    120,
    "Response of each patient at each visit",
    needs=ResponseRows,
)
def draw_response_paths(
    container: Figure | SubFigure, paths: Mapping[str, pd.DataFrame], config: CohortConfig
) -> None:
    """Draw each patient's response at each visit as a row of tiles, best and earliest responders first.

    Args:
        container: where to draw.
        paths: by group: one row a patient (index patient_id), one column a visit id; a level of response,
            ``died`` or missing.
        config: the cohort's configuration, for labels.

    >>> paths = pd.DataFrame({"week_1": ["PR", "NR"], "week_2": ["CR", "died"]}, index=["a", "b"])
    >>> draw_response_paths(container, {"ruxolitinib": paths}, config)
    >>> len(container.axes)
    1
    """
    if not paths:
        say_absent(container, ABSENT)
        return
    panels, styles = container.subplots(1, len(paths), squeeze=False)[0], level_styles(config)
    room = room_for_text(container, len(paths))
    for axes, (group, table) in zip(panels, paths.items(), strict=True):
        _path_tiles(axes, table, styles, config)
        labels = [config.visit(name).label for name in table.columns]
        name_places(axes, [i + 0.5 for i in range(len(labels))], labels, room / max(1, len(labels)))
        axes.set_title(wrapped(config.group(group).label, int(room)), fontweight="normal")
    marks_legend(container, _path_legend(paths, styles))


def _path_legend(paths: Mapping[str, pd.DataFrame], styles: Mapping[str, LevelStyle]) -> list[Patch]:
    """Return a handle for each state that some patient of some group is in."""
    from matplotlib.patches import Patch

    there = {state for table in paths.values() for state in table.to_numpy().ravel()}
    handles = [
        Patch(facecolor=style.colour, label=f"{style.label} ({name})")
        for name, style in styles.items()
        if name in there
    ]
    if DIED in there:
        hatch = _HATCH if all(len(table) <= MOST_LABELLED for table in paths.values()) else None
        handles.append(Patch(facecolor=DEAD, edgecolor="white", hatch=hatch, linewidth=0, label="Died"))
    if any(table.isna().to_numpy().any() for table in paths.values()):
        handles.append(Patch(facecolor="white", edgecolor=GREY, linewidth=0.5, label="Not assessed"))
    return handles


def _path_tiles(
    axes: Axes, paths: pd.DataFrame, styles: Mapping[str, LevelStyle], config: CohortConfig
) -> None:
    rank = {name: float(place) for place, name in enumerate([*styles, DIED])}
    order = paths.apply(lambda column: column.map(rank)).fillna(rank[DIED] - 0.5)
    paths = paths.loc[order.sort_values(list(order.columns[::-1])).index]
    labelled = len(paths) <= MOST_LABELLED
    if not labelled:
        _path_blocks(axes, paths, styles)
    for row, (_, path) in enumerate(paths.iterrows() if labelled else ()):
        for column, response in enumerate(path):
            if response == DIED:
                axes.add_patch(_tile(column, row, DEAD, hatch=_HATCH))
            elif isinstance(response, str):
                axes.add_patch(_tile(column, row, styles[response].colour))
                colour = styles[response].text
                axes.text(column + 0.5, row + 0.5, response, ha="center", va="center", color=colour)
    axes.set_xlim(0, paths.shape[1])
    axes.set_ylim(len(paths), 0)
    if labelled:
        label_patients(axes, [i + 0.5 for i in range(len(paths))], paths.index, config)
    else:
        axes.set_yticks([])
        axes.set_ylabel(f"{len(paths)} patients, equal courses together")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _path_blocks(axes: Axes, paths: pd.DataFrame, styles: Mapping[str, LevelStyle]) -> None:
    """Draw the tiles of many patients without letters: those of one state that touch are one block."""
    colours = {name: style.colour for name, style in styles.items()} | {DIED: DEAD}
    for column, name in enumerate(paths.columns):
        states = paths[name].fillna("").to_numpy()
        starts = [row for row in range(len(states)) if row == 0 or states[row] != states[row - 1]]
        for start, end in pairwise([*starts, len(states)]):
            if states[start]:
                where = (start, end - start)
                axes.broken_barh([(column + 0.03, 0.94)], where, color=colours[states[start]], linewidth=0)


def _tile(column: int, row: int, colour: str, hatch: str | None = None) -> Rectangle:
    from matplotlib.patches import Rectangle

    return Rectangle(
        (column + 0.03, row + 0.06), 0.94, 0.88, facecolor=colour, edgecolor="white", hatch=hatch
    )
