"""Criteria figure: what each patient meets, and the range in which its HScore must lie.

>>> from helpers.analysis.diagnosis import diagnose
>>> found = criteria_picture(diagnose(tables, config, folder))
>>> found.cutoff, criteria_height(found)
(169.0, 192.6)
>>> draw_criteria(container, found, config)
>>> len(container.axes)
2
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from helpers.report.figures.common import marks_legend, room_for_text, say_absent
from helpers.report.figures.criteria_shares import draw_score_shares, draw_verdict_shares
from helpers.report.figures.output.drawings import drawn_record
from helpers.report.figures.output.exhibits import figure
from helpers.report.figures.patients import label_patients, order_of_ties
from helpers.report.figures.style import GREY, INK, group_styles
from helpers.results.catalogue import DiagnosisRows

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from helpers.analysis.diagnosis import Diagnoses
    from helpers.cohort.config import CohortConfig

ABSENT = "Too little is recorded in this cohort for a verdict by any diagnostic criteria."
COLOURS = {"met": "#00517a", "not met": "#d9d9d9", "undetermined": "#f6e8b8"}
HATCHES = {"undetermined": "///"}  # told from "not met" in grey; of few strokes
SHORT = {
    "hlh_2004": "HLH-2004", "hlh_2004_paper": "HLH-2004,\nas changed", "hscore": "HScore",
    "eular_acr_printo_2016": "EULAR/ACR/\nPRINTO", "yamaguchi_1992": "Yamaguchi", "hlh_2024": "HLH-2024",
    "ms_score": "MS score", "ferritin_esr_ratio": "Ferritin\nto ESR", "ohi_2022": "OHI index",
}  # fmt: skip
LABELLED = 60  # patients up to which each row carries its label
ROW_MM, BAR_MM, EDGE_MM = 3.6, 7.0, 45.0


@drawn_record
@dataclass(frozen=True)
class CriteriaPicture:
    """What the criteria figure shows.

    Attributes:
        titles: title of each criteria set, by name.
        decided: names of the sets that give at least one patient a verdict.
        verdicts: patient_id, group, one column a criteria set: met, not met, undetermined.
        scores: patient_id, score and score_highest of the HScore; empty where it was not evaluated.
        cutoff: HScore from which the syndrome is assumed; NaN where it was not evaluated.
    """

    titles: Mapping[str, str]
    decided: Sequence[str]
    verdicts: pd.DataFrame
    scores: pd.DataFrame
    cutoff: float


def criteria_picture(found: Diagnoses) -> CriteriaPicture:
    """Return what the criteria figure shows of these verdicts."""
    columns = ["patient_id", "score", "score_highest"]
    scores = found.scores[columns] if len(found.scores) else found.scores
    return CriteriaPicture(found.titles, found.decided, found.verdicts, scores, float(found.cutoff))


def criteria_height(found: CriteriaPicture) -> float:
    """Return the height in millimetres at which the rows of all patients can be told apart."""
    n = len(found.verdicts)
    if not n or not found.decided:
        return 60.0
    if n <= LABELLED:
        return EDGE_MM + ROW_MM * n
    return EDGE_MM + BAR_MM * len(found.titles) * found.verdicts["group"].nunique()


@figure(
    "figure_s8_criteria",
    "double",
    lambda picture, _config: criteria_height(picture),
    "Diagnostic criteria that each patient meets, and the range of the HScore",
    needs=DiagnosisRows,
)
def draw_criteria(container: Figure | SubFigure, found: CriteriaPicture, config: CohortConfig) -> None:
    """Draw a tile for each patient and criteria set, and beside it the attainable range of the HScore.

    Patients stand by group, those who meet most sets first; a dot is the score with missing items giving no
    points, the line reaches to the highest attainable score. Dotted: the cut-off. Of more patients than
    :data:`LABELLED` the counts of verdicts and the distribution of the score are drawn.
    """
    if found.verdicts.empty or not found.decided:
        say_absent(container, ABSENT)
        return
    table = _ordered(found, config)
    wide = len(found.scores) > 0
    ratios = [1.0 + 0.35 * len(found.titles), 2.2] if wide else [1.0]
    many = len(table) > LABELLED
    panels = container.subplots(1, len(ratios), sharey=not many, squeeze=False, width_ratios=ratios)[0]
    names = {name: SHORT.get(name, name.replace("_", " ")) for name in found.titles}
    handles = _verdict_handles(table, list(names))
    if many:
        draw_verdict_shares(panels[0], table, names, config, COLOURS, HATCHES)
    else:
        room = room_for_text(container, 1) * ratios[0] / sum(ratios) / len(names)
        _tiles(panels[0], table, names, room)
        _label_patients(panels[0], table, config)
    if wide and many:
        draw_score_shares(panels[1], table, found.cutoff, config.group_ids, config)
    elif wide:
        _scores(panels[1], table, found, config)
    if wide:
        handles += panels[1].get_legend_handles_labels()[0]
    marks_legend(container, handles, columns=3)


def _verdict_handles(table: pd.DataFrame, names: list[str]) -> list[Artist]:
    """Return the sign of each verdict that some patient has."""
    from matplotlib.patches import Patch

    there = set(table[names].to_numpy().ravel())
    look: dict[str, Any] = {"edgecolor": GREY, "linewidth": 0.5}
    return [
        Patch(facecolor=colour, hatch=HATCHES.get(name), label=name.capitalize(), **look)
        for name, colour in COLOURS.items()
        if name in there
    ]


def _ordered(found: CriteriaPicture, config: CohortConfig) -> pd.DataFrame:
    import pandas as pd

    names = list(found.titles)
    table = found.verdicts.copy()
    if len(found.scores):
        table = table.merge(found.scores, on="patient_id")
    order = pd.DataFrame(
        {
            "group": table["group"].map({name: i for i, name in enumerate(config.group_ids)}),
            "met": -(table[names] == "met").sum(axis=1),
            "failed": (table[names] == "not met").sum(axis=1),
            "patient": order_of_ties(table["patient_id"], config),
        }
    )
    return table.loc[order.sort_values(list(order.columns)).index].reset_index(drop=True)


def _tiles(axes: Axes, table: pd.DataFrame, names: Mapping[str, str], room: float) -> None:
    """Draw a tile a patient and set; names of the sets stand level where they have room, else slanted."""
    from matplotlib.patches import Rectangle

    for column, name in enumerate(names):
        for row, state in enumerate(table[name]):
            axes.add_patch(
                Rectangle(
                    (column, row), 1, 1, facecolor=COLOURS[state], edgecolor=GREY, linewidth=0.3,
                    hatch=HATCHES.get(state),
                )
            )  # fmt: skip
    axes.set_xlim(0, len(names))
    axes.set_ylim(len(table), 0)
    level = max(len(line) for name in names.values() for line in name.split("\n")) < room
    axes.set_xticks(
        [i + 0.5 for i in range(len(names))], labels=list(names.values()), rotation=0 if level else 40,
        ha="center" if level else "left",
    )  # fmt: skip
    axes.xaxis.tick_top()
    axes.tick_params(length=0, pad=2)
    axes.spines[:].set_visible(False)


def _label_patients(axes: Axes, table: pd.DataFrame, config: CohortConfig) -> None:
    label_patients(axes, [i + 0.5 for i in range(len(table))], table["patient_id"], config)
    if config.report.ids == "none":
        return
    styles = group_styles(config)
    for label, group in zip(axes.get_yticklabels(), table["group"], strict=True):
        label.set_color(styles[group].colour)


def _scores(axes: Axes, table: pd.DataFrame, found: CriteriaPicture, config: CohortConfig) -> None:
    styles = group_styles(config)
    for group in config.groups:
        mine = table[table["group"] == group.id]
        rows, style = mine.index.to_numpy() + 0.5, styles[group.id]
        if len(mine):
            axes.hlines(rows, mine["score"], mine["score_highest"], color=style.colour, linewidth=1.0)
            look: dict[str, Any] = {"marker": style.marker, "color": style.colour, "markersize": 3.2}
            axes.plot(mine["score"], rows, linestyle="none", label=f"{group.short_label}: HScore", **look)
    axes.axvline(
        found.cutoff, color=INK, linewidth=0.8, linestyle=(0, (1, 1.5)),
        label=f"Cut-off of the HScore: {found.cutoff:g}",
    )  # fmt: skip
    axes.set_xlabel("HScore as it stands (mark),\nup to the highest attainable (line)")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0, labelleft=False)
