"""Response figures: share of complete, partial and no response by visit, and each patient's path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.figures.common import say_absent
from helpers.report.style import (
    GREY,
    INK,
    RESPONSE_COLOURS,
    RESPONSE_LABELS,
    RESPONSE_ORDER,
)
from helpers.results.format import format_count_percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.patches import Rectangle

    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics

ABSENT = "No response assessments are recorded in this cohort."


def draw_response_shares(container: Figure | SubFigure, statistics: Statistics, config: CohortConfig) -> None:
    """Draw stacked bars of CR, PR and NR by visit with n (%), for each group whose response was assessed.

    Patients who died before the visit are part of NR and hatched.
    """
    groups = [
        g for g in config.groups if statistics.select(analysis="response", group=g.id, variable="class")
    ]
    if not groups:
        say_absent(container, ABSENT)
        return
    panels = container.subplots(1, len(groups), sharey=True, squeeze=False)[0]
    for axes, group in zip(panels, groups, strict=True):
        _share_bars(axes, statistics, config, group.id)
        total = statistics.select(analysis="response", variable="class", group=group.id)[0].n
        axes.set_title(f"{group.label} (n = {total})", fontweight="normal")
    panels[0].set_ylabel("Patients (%)")
    handles, labels = panels[0].get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda i: [*RESPONSE_LABELS.values(), "Died"].index(labels[i]))
    container.legend(
        [handles[i] for i in order],
        [labels[i] for i in order],
        loc="outside lower center",
        ncols=2,
        handlelength=1.2,
        columnspacing=1.2,
    )


def _share_bars(axes: Axes, statistics: Statistics, config: CohortConfig, group: str) -> None:
    visits = [
        visit
        for visit in config.visits
        if statistics.find("response", "class", "cr", group=group, timepoint=visit.id)
    ]
    seen: set[str] = set()
    for position, visit in enumerate(visits):
        bottom = 0.0
        for name in RESPONSE_ORDER:
            row = statistics[f"response.class.{group}.{visit.id}.{name.lower()}"]
            share = 100 * row.value / row.n if row.n else 0.0
            label = RESPONSE_LABELS[name]
            axes.bar(
                position,
                share,
                0.86,
                bottom=bottom,
                color=RESPONSE_COLOURS[name],
                edgecolor="white",
                linewidth=0.8,
                label=None if label in seen else label,
            )
            seen.add(label)
            if share >= 7:
                colour = "white" if name == "CR" else INK
                text = format_count_percent(row.value, row.n or 0)
                axes.text(position, bottom + share / 2, text, ha="center", va="center", color=colour)
            elif row.value:
                axes.text(
                    position,
                    bottom + share / 2,
                    str(int(row.value)),
                    ha="center",
                    va="center",
                    color="white" if name == "CR" else INK,
                )
            bottom += share
        dead = statistics[f"response.class.{group}.{visit.id}.dead"]
        if dead.value:
            share = 100 * dead.value / (dead.n or 1)
            axes.bar(
                position,
                share,
                0.86,
                bottom=100 - share,
                color="none",
                edgecolor=GREY,
                hatch="////",
                linewidth=0,
                label=None if "Died" in seen else "Died",
            )
            seen.add("Died")
    axes.set_xticks(range(len(visits)), labels=[visit.label for visit in visits])
    axes.set_ylim(0, 100)


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
        axes.set_title(config.group(group).label, fontweight="normal")
    container.supxlabel(
        "CR, PR, NR: complete, partial, no response;\nhatched: died; blank: not assessed"
    )


def _path_tiles(axes: Axes, paths: pd.DataFrame, labels: Mapping[str, str]) -> None:
    rank = {"CR": 0.0, "PR": 1.0, "NR": 2.0, "died": 3.0}
    order = paths.apply(lambda column: column.map(rank)).fillna(2.5)
    paths = paths.loc[order.sort_values(list(order.columns[::-1])).index]
    for row, (_, path) in enumerate(paths.iterrows()):
        for column, response in enumerate(path):
            if response == "died":
                axes.add_patch(_tile(column, row, "#8c8c8c", hatch="////"))
            elif isinstance(response, str):
                axes.add_patch(_tile(column, row, RESPONSE_COLOURS[response]))
                colour = "white" if response == "CR" else INK
                axes.text(column + 0.5, row + 0.5, response, ha="center", va="center", color=colour)
    axes.set_xlim(0, paths.shape[1])
    axes.set_ylim(len(paths), 0)
    axes.set_xticks([i + 0.5 for i in range(paths.shape[1])], labels=[labels[name] for name in paths.columns])
    axes.set_yticks([i + 0.5 for i in range(len(paths))], labels=list(paths.index))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _tile(column: int, row: int, colour: str, hatch: str | None = None) -> Rectangle:
    from matplotlib.patches import Rectangle

    return Rectangle(
        (column + 0.03, row + 0.06), 0.94, 0.88, facecolor=colour, edgecolor="white", hatch=hatch
    )
