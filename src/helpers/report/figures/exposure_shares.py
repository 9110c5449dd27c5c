"""Exposure of many patients: shares by daily dose on each day, and what became of the others.

>>> courses = pd.DataFrame({"patient_id": ["a"], "start_day": [0], "stop_day": [2]})
>>> courses["daily_dose"], courses["unit"] = 10.0, "mg"
>>> shades = pd.DataFrame({"label": ["10 mg"], "rank": [0], "lane": [0], "colour": ["grey"]})
>>> exposure = pd.DataFrame({"patient_id": ["a"], "last_day": [4], "died": [True]})
>>> days, counts = daily_states(exposure, courses, shades, 5)
>>> counts["10 mg"].tolist(), counts["died"].tolist()
([1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1])
>>> known_doses(courses), dose_key(10.0, "mg"), len(share_handles())
([(10.0, 'mg')], (10.0, 'mg'), 3)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from helpers.report.figures.style import FAINT

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

_POINTS = 200  # days at which the shares of a panel are counted, at the most
_TOGETHER = ("#6a51a3", "#54278f", "#9e9ac8", "#3f007d")  # of drugs taken together
_OFF, _ENDED, _DIED = "#e6e6e6", "#ffffff", "#a0a0a0"
Shade = tuple[float, str]  # a daily dose with its unit


def dose_key(dose: Any, unit: Any) -> Shade:
    """Return what tells doses apart; an unknown dose is one like any other."""
    return (float(dose) if dose == dose else math.nan, str(unit))


def known_doses(courses: pd.DataFrame) -> list[Shade]:
    """Return the daily doses with their units, from the lowest to the highest and the unknown one last."""
    pairs = zip(courses["daily_dose"], courses["unit"], strict=True)
    return sorted({dose_key(*pair) for pair in pairs}, key=lambda key: (math.isnan(key[0]), *key))


def daily_states(
    exposure: pd.DataFrame, courses: pd.DataFrame, shades: pd.DataFrame, limit: float
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return days and, by state, how many patients are in it on each of them.

    A state is the words of a course's shade, those of several drugs taken together joined by `` + ``,
    ``"off"`` (alive and followed, without a drug), ``"ended"`` (not followed any more) or ``"died"``. The
    counts of a day add up to all patients.

    Args:
        exposure: columns patient_id, last_day, died; one row a patient.
        courses: columns patient_id, start_day, stop_day; one row a dose. The later of two that overlap in one
            lane counts.
        shades: columns label, rank, lane of every course.
        limit: last day.
    """
    import numpy as np

    days = np.unique(np.linspace(0, limit, min(_POINTS, int(limit) + 1)).round()).astype(int)
    labels = list(shades.sort_values("rank")["label"].unique())
    code = {label: number + 1 for number, label in enumerate(labels)}
    lanes = int(shades["lane"].max()) + 1
    taken = np.zeros((lanes, len(exposure), len(days)), dtype=int)
    place = {patient: row for row, patient in enumerate(exposure["patient_id"])}
    ordered = courses.join(shades).sort_values(["patient_id", "start_day"])
    firsts = np.searchsorted(days, ordered["start_day"].to_numpy(float))
    ends = np.searchsorted(days, ordered["stop_day"].to_numpy(float))
    rows = zip(ordered["patient_id"], ordered["label"], ordered["lane"], firsts, ends, strict=True)
    for patient, label, lane, first, end in rows:
        if patient in place:
            taken[lane, place[patient], first:end] = code[label]
    together = {tuple(kind) for kind in np.unique(taken.reshape(lanes, -1), axis=1).T.tolist() if any(kind)}
    together |= {tuple(code[label] if lane == at else 0 for at in range(lanes))
                 for label, lane in zip(shades["label"], shades["lane"], strict=True)}  # fmt: skip
    kinds = sorted(together, key=lambda kind: (sum(map(bool, kind)), kind))
    last, died = exposure["last_day"].to_numpy(float)[:, None], exposure["died"].to_numpy(bool)[:, None]
    gone = (~died & (days > last)) | (died & (days >= last))
    counts = {
        " + ".join(labels[number - 1] for number in kind if number): (
            (taken == np.array(kind)[:, None, None]).all(axis=0) & ~gone
        ).sum(axis=0)
        for kind in kinds
    }
    counts["off"] = ((taken == 0).all(axis=0) & ~gone).sum(axis=0)
    counts["ended"] = (~died & (days > last)).sum(axis=0)
    counts["died"] = (died & (days >= last)).sum(axis=0)
    return days, counts


def draw_shares(
    axes: Axes, exposure: pd.DataFrame, courses: pd.DataFrame, shades: pd.DataFrame, limit: float
) -> list[Patch]:
    """Draw the states of all patients by day as areas on each other, the highest dose below.

    Returns the signs of all states that are drawn.

    >>> courses = pd.DataFrame(
    ...     {"patient_id": ["a"], "start_day": [0], "stop_day": [2], "daily_dose": [10.0]}
    ... )
    >>> shades = pd.DataFrame({"label": ["10 mg"], "rank": [0], "lane": [0], "colour": ["grey"]})
    >>> exposure = pd.DataFrame({"patient_id": ["a"], "last_day": [4], "died": [True]})
    >>> [patch.get_label() for patch in draw_shares(axes, exposure, courses, shades, 5)]
    ['10 mg']
    """
    from matplotlib.patches import Patch

    days, counts = daily_states(exposure, courses, shades, limit)
    colours = dict(zip(shades["label"], shades["colour"], strict=True))
    ends = {"off": _OFF, "ended": _ENDED, "died": _DIED}
    drugs = [name for name in counts if name not in ends]
    mixed = iter(_TOGETHER * len(drugs))
    shown = {name: colours.get(name) or next(mixed) for name in drugs}
    order = [*drugs[::-1], *ends]
    fills = [(shown | ends)[name] for name in order]
    axes.stackplot(
        days, [100 * counts[name] / len(exposure) for name in order],
        colors=fills, edgecolor=FAINT, linewidth=0.3, step="post",
    )  # fmt: skip
    axes.set_ylim(0, 100)
    there = {name: colour for name, colour in shown.items() if counts[name].any()}
    return [Patch(facecolor=colour, label=name) for name, colour in there.items()]


def share_handles() -> Sequence[Patch]:
    """Return the signs of the states without the drug."""
    from matplotlib.patches import Patch

    words = {"Followed, drug not taken": _OFF, "Follow-up ended": _ENDED, "Died": _DIED}
    return [
        Patch(facecolor=colour, edgecolor=FAINT, linewidth=0.5, label=label)
        for label, colour in words.items()
    ]
