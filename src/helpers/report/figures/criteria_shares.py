"""Criteria of many patients: counts of verdicts by set and group, and the distribution of the HScore.

>>> scores = pd.DataFrame(
...     {"group": ["control"] * 2, "score": [150.0, 200.0], "score_highest": [180.0, 210.0]}
... )
>>> draw_score_shares(axes, scores, 169.0, ["control"], config)
>>> len(axes.lines) > 0
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.figures.style import GREY, INK, group_styles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from helpers.cohort.config import CohortConfig

_BAR = 0.8
_LEAST = 9.0  # percent of a bar from which on a count fits into its segment


def draw_verdict_shares(
    axes: Axes,
    verdicts: pd.DataFrame,
    titles: Mapping[str, str],
    config: CohortConfig,
    colours: Mapping[str, str],
    hatches: Mapping[str, str],
) -> None:
    """Draw a bar a criteria set and group: the share of each verdict, its count written in it.

    Args:
        axes: where to draw.
        verdicts: column group and one column a set: met, not met, undetermined.
        titles: by set: its short name.
        config: of the cohort.
        colours, hatches: by verdict.
    """
    rows: list[tuple[float, str, str]] = []
    groups = [group for group in config.groups if (verdicts["group"] == group.id).any()]
    for name in titles:
        for group in groups:
            mine = verdicts.loc[verdicts["group"] == group.id, name]
            y, left = len(rows) + len(rows) // len(groups) * 0.5, 0.0
            for state, colour in colours.items():
                count = int((mine == state).sum())
                share = 100 * count / len(mine)
                axes.barh(
                    y,
                    share,
                    _BAR,
                    left=left,
                    color=colour,
                    edgecolor=GREY,
                    linewidth=0.3,
                    hatch=hatches.get(state),
                )
                if share >= _LEAST:
                    axes.text(
                        left + share / 2, y, f"{count}", ha="center", va="center",
                        color="white" if state == "met" else INK, bbox=_behind(colour, state in hatches),
                    )  # fmt: skip
                left += share
            rows.append((y, f"{titles[name]}: {group.short_label}".replace("\n", " "), group.id))
    axes.set_yticks([y for y, _, _ in rows], labels=[words for _, words, _ in rows])
    styles = group_styles(config)
    for tick, (_, _, group_id) in zip(axes.get_yticklabels(), rows, strict=True):
        tick.set_color(styles[group_id].colour)
    axes.set_ylim(rows[-1][0] + 0.7, -0.7)
    axes.set_xlim(0, 100)
    axes.set_xlabel("Patients (%), with counts")
    axes.tick_params(axis="y", length=0)


def _behind(colour: str, hatched: bool) -> dict[str, object] | None:
    """Return a plate that lifts a count off a hatching."""
    return {"facecolor": colour, "edgecolor": "none", "pad": 0.8} if hatched else None


def draw_score_shares(
    axes: Axes, scores: pd.DataFrame, cutoff: float, groups: Sequence[str], config: CohortConfig
) -> None:
    """Draw the share of patients with at least each score: as it stands, and if all open items gave points.

    Args:
        axes: where to draw.
        scores: columns group, score, score_highest; one row a patient.
        cutoff: of the score.
        groups: ids of those drawn.
        config: of the cohort.
    """
    import numpy as np

    styles = group_styles(config)
    for group in groups:
        mine = scores[scores["group"] == group]
        style, name = styles[group], config.group(group).short_label
        drawn = {
            "score": ("as it stands", 1.3, style.line),
            "score_highest": ("highest attainable", 0.8, style.faint_line),
        }
        for column, (words, width, line) in drawn.items():
            values = np.sort(mine[column].dropna().to_numpy(float))
            if len(values):
                share = 100 * np.arange(len(values), 0, -1) / len(values)
                axes.step(
                    np.append(values, values[-1]), np.append(share, 0), where="pre", color=style.colour,
                    linewidth=width, linestyle=line, label=f"{name}: {words}",
                )  # fmt: skip
    axes.axvline(
        cutoff, color=INK, linewidth=0.8, linestyle=(0, (1, 1.5)), label=f"Cut-off of the HScore: {cutoff:g}"
    )
    axes.set_ylim(0, 100)
    axes.set_xlabel("HScore")
    axes.set_ylabel("Patients with at least this score (%)")
