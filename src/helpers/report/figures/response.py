"""Response figures: share of complete, partial and no response by visit, and each patient's path."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from helpers.report.figures.common import marks_legend, room_for_text, say_absent, wrapped
from helpers.report.figures.style import (
    GREY,
    INK,
    RESPONSE_COLOURS,
    RESPONSE_LABELS,
    RESPONSE_ORDER,
)
from helpers.results.format import format_number, format_percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.patches import Patch, Rectangle

    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics

ABSENT = "No response assessments are recorded in this cohort."
DEAD = "#a0a0a0"
_HATCH = "///"
MOST_LABELLED = 45  # patients up to which each row of tiles carries its name and its letters
_BAND = 0.45  # opacity of a band
BAR_WIDTH = 0.64  # of the distance of two visits; bands of transitions lie between
ONE_LINE = 4.0  # percent of the bar's height from which on a line of text fits
TWO_LINES = 12.0  # percent of the bar's height from which on two lines of text fit
_COLOURS = {"cr": RESPONSE_COLOURS["CR"], "pr": RESPONSE_COLOURS["PR"], "nr": RESPONSE_COLOURS["NR"]}
_COLOURS["died"] = DEAD


def draw_response_shares(container: Figure | SubFigure, statistics: Statistics, config: CohortConfig) -> None:
    """Draw stacked bars of CR, PR and NR by visit with n (%), and bands for who went from where to where.

    One panel for each group whose response was assessed. Patients who died before the visit have a hatched
    segment of their own above NR, unless the configuration leaves them out of the denominator. The count in
    a segment is that of the patients it is drawn for.
    """
    groups = [
        g for g in config.groups if statistics.select(analysis="response", group=g.id, variable="class")
    ]
    if not groups:
        say_absent(container, ABSENT)
        return
    panels = container.subplots(1, len(groups), sharey=True, squeeze=False)[0]
    room, drawn, bands = room_for_text(container, len(groups)), [], False
    for axes, group in zip(panels, groups, strict=True):
        bars = read_bars(statistics, config, group.id)
        drawn += bars
        for bar in bars:
            _bar(axes, bar)
        for left, right in pairwise(bars):
            bands = _flows(axes, left, right, statistics) or bands
        axes.set_xticks(
            [bar.place for bar in bars],
            labels=[wrapped(bar.label, int(room / max(1, len(bars)))) for bar in bars],
        )
        axes.set_ylim(0, 100)
        total = statistics.select(analysis="response", variable="class", group=group.id)[0].n
        axes.set_title(wrapped(f"{group.label} (n = {total})", int(room)), fontweight="normal")
    panels[0].set_ylabel("Patients (%)")
    marks_legend(container, _legend(drawn, bands=bands))


@dataclass(frozen=True)
class Bar:
    """The response of one group at one visit.

    Attributes:
        group, visit, label: whose, when, and the visit's label.
        place: where it stands on the horizontal axis.
        n: patients in its denominator.
        parts: count by state from below: cr, pr, nr (without the dead) and died.
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
            name.lower(): statistics.find("response", "class", name.lower(), group=group, timepoint=visit.id)
            for name in RESPONSE_ORDER
        }
        found = {name: row for name, row in rows.items() if row is not None}
        if not found:
            continue
        dead = statistics.find("response", "class", "dead", group=group, timepoint=visit.id)
        counted = dead.value if dead is not None and config.response.dead_is == "NR" else 0.0
        shown = {name: row.value for name, row in found.items()}
        parts = shown | {"nr": shown.get("nr", 0.0) - counted, "died": counted}
        n = next(iter(found.values())).n or 0
        bars.append(Bar(group, visit.id, visit.label, len(bars), n, parts))
    return bars


def _bar(axes: Axes, bar: Bar) -> None:
    bottoms = bar.bottoms()
    for state, count in bar.parts.items():
        axes.bar(
            bar.place, bar.percent(count), BAR_WIDTH, bottom=bottoms[state], color=_COLOURS[state],
            edgecolor="white", linewidth=0.8,
        )  # fmt: skip
        if state == "died" and count:
            axes.bar(
                bar.place, bar.percent(count), BAR_WIDTH, bottom=bottoms[state], color="none",
                edgecolor="white", hatch=_HATCH, linewidth=0,
            )  # fmt: skip
    for state, count in bar.parts.items():
        share = bar.percent(count)
        if not count or share < ONE_LINE:
            continue
        between = "\n" if share >= TWO_LINES else " "
        axes.text(
            bar.place, bottoms[state] + share / 2,
            f"{format_number(count, 0)}{between}({format_percent(count / bar.n)})", ha="center", va="center",
            color="white" if state == "cr" else INK, linespacing=1.05, bbox=_plate(state),
        )  # fmt: skip


def _plate(state: str) -> dict[str, Any] | None:
    """Return what lifts a count off the hatching of the dead; nothing elsewhere."""
    return {"facecolor": DEAD, "edgecolor": "none", "pad": 0.2} if state == "died" else None


def _flows(axes: Axes, left: Bar, right: Bar, statistics: Statistics) -> bool:
    """Draw a band from each state at a visit to each at the next, as thick as the patients are many.

    Returns whether there is one.
    """
    leaving, entering, found = left.bottoms(), right.bottoms(), False
    start, end = left.place + BAR_WIDTH / 2, right.place - BAR_WIDTH / 2
    # Bands leave from below in the order of where they go, and arrive in the order of where they come from.
    for before in left.parts:
        for after in right.parts:
            row = statistics.find(
                "response_transition", before, f"to_{after}", group=left.group, timepoint=right.visit
            )
            if row is None or not left.parts[before] or not right.parts[after]:
                continue
            heights = left.percent(row.value), right.percent(row.value)
            _band(axes, (start, leaving[before]), (end, entering[after]), heights, _COLOURS[before])
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


def _legend(bars: Sequence[Bar], *, bands: bool) -> list[Patch]:
    """Return a handle for each kind of mark of these bars: only what is drawn."""
    from matplotlib.patches import Patch

    there = {state for bar in bars for state, count in bar.parts.items() if count}
    handles = [
        Patch(facecolor=RESPONSE_COLOURS[name], label=RESPONSE_LABELS[name])
        for name in RESPONSE_ORDER
        if name.lower() in there
    ]
    if "died" in there:
        handles.append(Patch(facecolor=DEAD, edgecolor="white", hatch=_HATCH, linewidth=0, label="Died"))
    if bands:
        look: dict[str, Any] = {"edgecolor": GREY, "linewidth": 0.3, "alpha": _BAND}
        handles.append(Patch(facecolor=RESPONSE_COLOURS["PR"], label="Same patients, next visit", **look))
    return handles


def draw_response_paths(
    container: Figure | SubFigure, paths: Mapping[str, pd.DataFrame], config: CohortConfig
) -> None:
    """Draw each patient's response at each visit as a row of tiles, best and earliest responders first.

    Args:
        container: where to draw.
        paths: by group: one row a patient (index patient_id), one column a visit id; CR, PR, NR, ``died`` or
            missing.
        config: the cohort's configuration, for labels.
    """
    if not paths:
        say_absent(container, ABSENT)
        return
    panels = container.subplots(1, len(paths), squeeze=False)[0]
    for axes, (group, table) in zip(panels, paths.items(), strict=True):
        _path_tiles(axes, table, {visit.id: visit.label for visit in config.visits})
        axes.set_title(wrapped(config.group(group).label), fontweight="normal")
    marks_legend(container, _path_legend(paths))


def _path_legend(paths: Mapping[str, pd.DataFrame]) -> list[Patch]:
    """Return a handle for each state that some patient of some group is in."""
    from matplotlib.patches import Patch

    there = {state for table in paths.values() for state in table.to_numpy().ravel()}
    handles = [
        Patch(facecolor=RESPONSE_COLOURS[name], label=f"{RESPONSE_LABELS[name]} ({name})")
        for name in RESPONSE_ORDER
        if name in there
    ]
    if "died" in there:
        hatch = _HATCH if all(len(table) <= MOST_LABELLED for table in paths.values()) else None
        handles.append(Patch(facecolor=DEAD, edgecolor="white", hatch=hatch, linewidth=0, label="Died"))
    if any(table.isna().to_numpy().any() for table in paths.values()):
        handles.append(Patch(facecolor="white", edgecolor=GREY, linewidth=0.5, label="Not assessed"))
    return handles


def _path_tiles(axes: Axes, paths: pd.DataFrame, labels: Mapping[str, str]) -> None:
    rank = {"CR": 0.0, "PR": 1.0, "NR": 2.0, "died": 3.0}
    order = paths.apply(lambda column: column.map(rank)).fillna(2.5)
    paths = paths.loc[order.sort_values(list(order.columns[::-1])).index]
    labelled = len(paths) <= MOST_LABELLED
    if not labelled:
        _path_blocks(axes, paths)
    for row, (_, path) in enumerate(paths.iterrows() if labelled else ()):
        for column, response in enumerate(path):
            if response == "died":
                axes.add_patch(_tile(column, row, DEAD, hatch=_HATCH))
            elif isinstance(response, str):
                axes.add_patch(_tile(column, row, RESPONSE_COLOURS[response]))
                colour = "white" if response == "CR" else INK
                axes.text(column + 0.5, row + 0.5, response, ha="center", va="center", color=colour)
    axes.set_xlim(0, paths.shape[1])
    axes.set_ylim(len(paths), 0)
    axes.set_xticks([i + 0.5 for i in range(paths.shape[1])], labels=[labels[name] for name in paths.columns])
    if labelled:
        axes.set_yticks([i + 0.5 for i in range(len(paths))], labels=list(paths.index))
    else:
        axes.set_yticks([])
        axes.set_ylabel(f"{len(paths)} patients, equal courses together")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _path_blocks(axes: Axes, paths: pd.DataFrame) -> None:
    """Draw the tiles of many patients without letters: those of one state that touch are one block."""
    colours = RESPONSE_COLOURS | {"died": DEAD}
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
