"""Swimmer plot: each treated patient's exposure, responses, stop, death and last contact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.figures.common import say_absent
from helpers.report.style import GREY, INK, RESPONSE_COLOURS, RESPONSE_LABELS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure, SubFigure

    from helpers.cohort.config import CohortConfig


def _drug_label(config: CohortConfig) -> str:
    """Return the study drug as readers know it: the treated group's label where the group bears its name."""
    treated = config.treated
    if treated is not None and config.study_drug == treated.id:
        return treated.label
    return config.study_drug or "study drug"


def draw_exposure(
    container: Figure | SubFigure,
    exposure: pd.DataFrame,
    responses: pd.DataFrame,
    config: CohortConfig,
) -> None:
    """Draw one bar a patient from first to last dose, with responses, deaths and patients still followed.

    Args:
        container: where to draw.
        exposure: columns patient_id, start_day, stop_day, last_day, died, ongoing.
        responses: columns patient_id, day, response; empty where none are recorded.
        config: the cohort's configuration, for the study drug.
    """
    drug = _drug_label(config)
    if exposure.empty:
        say_absent(container, f"No treatment with {drug} is recorded in this cohort.")
        return
    table = exposure.sort_values(["last_day", "patient_id"], ascending=[True, False]).reset_index(drop=True)
    place = dict(zip(table["patient_id"], table.index, strict=True))
    axes = container.subplots()
    axes.hlines(
        table.index, 0, table["last_day"], color="#dddddd", linewidth=1.2, zorder=1, label="Follow-up"
    )
    axes.barh(
        table.index,
        table["stop_day"] - table["start_day"],
        left=table["start_day"],
        height=0.62,
        color="#b3d4e8",
        zorder=2,
        label=drug[:1].upper() + drug[1:],
    )
    for name, label in RESPONSE_LABELS.items():
        shown = responses[(responses["response"] == name) & responses["patient_id"].isin(place)]
        axes.plot(
            shown["day"],
            shown["patient_id"].map(place),
            "o",
            color=RESPONSE_COLOURS[name],
            zorder=3,
            markersize=4.5,
            markeredgecolor=INK,
            markeredgewidth=0.4,
            linestyle="none",
            label=label,
        )
    dead = table[table["died"]]
    axes.plot(
        dead["last_day"],
        dead.index,
        "X",
        color="#b2182b",
        markersize=7,
        zorder=4,
        linestyle="none",
        label="Died",
    )
    alive = table[~table["died"]]
    axes.plot(
        alive["last_day"],
        alive.index,
        ">",
        color=GREY,
        markersize=4,
        zorder=1,
        linestyle="none",
        label="Alive at last contact",
    )
    axes.set_yticks(table.index, labels=table["patient_id"])
    axes.set_ylim(-0.7, len(table) - 0.3)
    axes.set_xlim(left=min(0.0, table["start_day"].min()))
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("Days since day 0")
    container.legend(loc="outside lower center", ncols=3, handletextpad=0.5, columnspacing=1.4)
