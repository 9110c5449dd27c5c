"""Criteria figure: what each patient meets, and the range in which its HScore must lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.report.figures.common import say_absent
from helpers.report.figures.output.drawings import drawing, drawn_record
from helpers.report.figures.style import GREY, INK, group_styles

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from helpers.analysis.diagnosis import Diagnoses
    from helpers.cohort.config import CohortConfig

ABSENT = "Too little is recorded in this cohort for a verdict by any diagnostic criteria."
COLOURS = {"met": "#00517a", "not met": "#d9d9d9", "undetermined": "#f6e8b8"}
HATCHES = {"undetermined": "...."}  # told from "not met" in grey
SHORT = {
    "hlh_2004": "HLH-2004", "hlh_2004_paper": "HLH-2004,\nas changed", "hscore": "HScore",
    "eular_acr_printo_2016": "EULAR/ACR/\nPRINTO", "yamaguchi_1992": "Yamaguchi", "hlh_2024": "HLH-2024",
    "ms_score": "MS score", "ferritin_esr_ratio": "Ferritin\nto ESR", "ohi_2022": "OHI index",
}  # fmt: skip
LABELLED = 60  # patients up to which each row carries its label
ROW_MM, EDGE_MM = 3.6, 45.0


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
    return EDGE_MM + (ROW_MM * n if n <= LABELLED else ROW_MM * LABELLED * 0.6)


@drawing
def draw_criteria(container: Figure | SubFigure, found: CriteriaPicture, config: CohortConfig) -> None:
    """Draw a tile for each patient and criteria set, and beside it the attainable range of the HScore.

    Patients stand by group, those who meet most sets first; a dot is the score with missing items giving no
    points, the line reaches to the highest attainable score. Dotted: the cut-off.
    """
    if found.verdicts.empty or not found.decided:
        say_absent(container, ABSENT)
        return
    table = _ordered(found, config.group_ids)
    wide = len(found.scores) > 0
    ratios = [1.0 + 0.35 * len(found.titles), 2.2] if wide else [1.0]
    panels = container.subplots(1, len(ratios), sharey=True, squeeze=False, width_ratios=ratios)[0]
    _tiles(panels[0], table, list(found.titles))
    _label_patients(panels[0], table, config)
    if wide:
        _scores(panels[1], table, found, config)
    from matplotlib.patches import Patch

    handles = [
        Patch(
            facecolor=COLOURS[name],
            edgecolor=GREY,
            linewidth=0.5,
            hatch=HATCHES.get(name),
            label=name.capitalize(),
        )
        for name in COLOURS
    ]
    container.legend(handles=handles, loc="outside lower center", ncols=3, handlelength=1.2)


def _ordered(found: CriteriaPicture, group_ids: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    names = list(found.titles)
    table = found.verdicts.copy()
    if len(found.scores):
        table = table.merge(found.scores, on="patient_id")
    order = pd.DataFrame(
        {
            "group": table["group"].map({name: i for i, name in enumerate(group_ids)}),
            "met": -(table[names] == "met").sum(axis=1),
            "failed": (table[names] == "not met").sum(axis=1),
            "patient": table["patient_id"],
        }
    )
    return table.loc[order.sort_values(list(order.columns)).index].reset_index(drop=True)


def _tiles(axes: Axes, table: pd.DataFrame, names: list[str]) -> None:
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Rectangle

    codes = table[names].apply(lambda column: column.map({state: i for i, state in enumerate(COLOURS)}))
    axes.pcolormesh(
        codes.to_numpy(dtype=float), cmap=ListedColormap(list(COLOURS.values())), vmin=-0.5, vmax=2.5,
        edgecolors=GREY, linewidth=0.3 if len(table) <= LABELLED else 0,
    )  # fmt: skip
    for row, column in zip(*(codes == list(COLOURS).index("undetermined")).to_numpy().nonzero(), strict=True):
        axes.add_patch(
            Rectangle(
                (column, row),
                1,
                1,
                facecolor="none",
                edgecolor=GREY,
                linewidth=0,
                hatch=HATCHES["undetermined"],
            )
        )
    axes.set_ylim(len(table), 0)
    labels = [SHORT.get(name, name.replace("_", " ")) for name in names]
    axes.set_xticks([i + 0.5 for i in range(len(names))], labels=labels, rotation=40, ha="left")
    axes.xaxis.tick_top()
    axes.tick_params(length=0, pad=1)
    axes.spines[:].set_visible(False)


def _label_patients(axes: Axes, table: pd.DataFrame, config: CohortConfig) -> None:
    if len(table) <= LABELLED:
        axes.set_yticks([i + 0.5 for i in range(len(table))], labels=[str(p) for p in table["patient_id"]])
    else:
        sizes = [int((table["group"] == group).sum()) for group in config.group_ids]
        starts = [sum(sizes[:i]) for i in range(len(sizes))]
        middles = [start + size / 2 for start, size in zip(starts, sizes, strict=True)]
        axes.set_yticks(
            middles, labels=[group.short_label for group in config.groups], rotation=90, va="center"
        )
    styles = group_styles(config)
    for label, group in zip(
        axes.get_yticklabels(), table["group"] if len(table) <= LABELLED else config.group_ids, strict=True
    ):
        label.set_color(styles[group].colour)


def _scores(axes: Axes, table: pd.DataFrame, found: CriteriaPicture, config: CohortConfig) -> None:
    styles = group_styles(config)
    for group in config.groups:
        mine = table[table["group"] == group.id]
        rows, style = mine.index.to_numpy() + 0.5, styles[group.id]
        few = len(table) <= LABELLED
        width, size = (1.0, 3.2) if few else (0.3, 1.2)
        axes.hlines(rows, mine["score"], mine["score_highest"], color=style.colour, linewidth=width)
        axes.plot(
            mine["score"], rows, style.marker, color=style.colour, markersize=size, label=group.short_label
        )
    axes.axvline(found.cutoff, color=INK, linewidth=0.8, linestyle=(0, (1, 1.5)))
    axes.set_xlabel("HScore as it stands (mark),\nup to the highest attainable (line)")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0, labelleft=False)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=2,
        borderaxespad=0.3,
        handlelength=1,
        markerscale=1.0 if len(table) <= LABELLED else 2.7,
    )
