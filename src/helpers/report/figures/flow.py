"""Where patients and values went: flow of patients, and a map of missing values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.figures.common import say_absent
from helpers.report.figures.output.drawings import drawing
from helpers.report.figures.style import GREY, INK, group_styles
from helpers.results.format import format_number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics


_MAP_ROW_MM = 3.9
_MAP_FRAME_MM = 30.0  # title, group names and slanted visits


@drawing
def draw_patient_flow(container: Figure | SubFigure, statistics: Statistics, config: CohortConfig) -> None:
    """Draw the flow of patients: recorded, excluded, analysed by group, alive and dead at the horizon."""
    axes = container.subplots()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_axis_off()
    recorded = statistics["flow.patients.all.baseline.recorded"].value
    excluded = statistics["flow.patients.all.baseline.excluded"].value
    _box(axes, 0.5, 0.9, f"Patients recorded\nn = {recorded:.0f}")
    _box(axes, 0.86, 0.72, f"Excluded\nn = {excluded:.0f}", width=0.24)
    _arrow(axes, (0.5, 0.82), (0.5, 0.63))
    _arrow(axes, (0.5, 0.72), (0.735, 0.72))
    styles = group_styles(config)
    places = [0.5] if len(config.groups) == 1 else [0.26, 0.74]
    if len(places) == 2:
        axes.plot(places, [0.63, 0.63], color=GREY, linewidth=0.8)
    for place, group in zip(places, config.groups, strict=True):
        count = {
            name: statistics[f"flow.patients.{group.id}.{timepoint}.{name}"].value
            for name, timepoint in {
                "analysed": "baseline",
                "alive": "horizon",
                "died": "horizon",
                "censored": "horizon",
            }.items()
        }
        _arrow(axes, (place, 0.63), (place, 0.555))
        _box(axes, place, 0.47, f"{group.label}\nn = {count['analysed']:.0f}", colour=styles[group.id].colour)
        _arrow(axes, (place, 0.385), (place, 0.275))
        days = config.follow_up.horizon_days
        lines = [f"Alive at day {days}: {count['alive']:.0f}", f"Died by day {days}: {count['died']:.0f}"]
        lines.append(f"Follow-up ended earlier: {count['censored']:.0f}")
        _box(axes, place, 0.17, "\n".join(lines), colour=styles[group.id].colour)


def _box(axes: Axes, x: float, y: float, text: str, *, width: float = 0.44, colour: str = INK) -> None:
    from matplotlib.patches import FancyBboxPatch

    height = 0.052 * (text.count("\n") + 1) + 0.06
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - height / 2),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.012",
            facecolor="white",
            edgecolor=colour,
            linewidth=1.0,
        )
    )
    axes.text(x, y, text, ha="center", va="center", linespacing=1.35)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate(
        "",
        end,
        start,
        arrowprops={"arrowstyle": "-|>", "color": GREY, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0},
    )


def missing_map_height(observed: pd.DataFrame) -> float:
    """Return the height (mm) at which every variable of the map can be read."""
    return max(110.0, _MAP_FRAME_MM + _MAP_ROW_MM * len(observed))


@drawing
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
        axes.set_title(group, fontweight="normal")
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
