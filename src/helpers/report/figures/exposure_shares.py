"""Exposure of many patients: shares by daily dose on each day, and what became of the others."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from helpers.report.figures.style import FAINT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

_POINTS = 200  # days at which the shares of a panel are counted, at the most
_OFF, _ENDED, _DIED = "#e6e6e6", "#ffffff", "#a0a0a0"
Dose = tuple[float, str]


def dose_key(dose: Any, unit: Any) -> Dose:
    """Return what tells doses apart; an unknown dose is one like any other."""
    return (float(dose) if dose == dose else math.nan, str(unit))


def known_doses(courses: pd.DataFrame) -> list[Dose]:
    """Return the daily doses with their units, from the lowest to the highest and the unknown one last."""
    pairs = zip(courses["daily_dose"], courses["unit"], strict=True)
    return sorted({dose_key(*pair) for pair in pairs}, key=lambda key: (math.isnan(key[0]), *key))


def daily_states(
    exposure: pd.DataFrame, courses: pd.DataFrame, limit: float
) -> tuple[np.ndarray, dict[Any, np.ndarray]]:
    """Return days and, by state, how many patients are in it on each of them.

    A state is a daily dose with its unit, ``"off"`` (alive and followed, without the drug), ``"ended"`` (not
    followed any more) or ``"died"``. The counts of a day add up to all patients.

    Args:
        exposure: columns patient_id, last_day, died; one row a patient.
        courses: columns patient_id, start_day, stop_day, daily_dose, unit; one row a dose. The later of two
            that overlap counts.
        limit: last day.
    """
    import numpy as np

    days = np.unique(np.linspace(0, limit, min(_POINTS, int(limit) + 1)).round()).astype(int)
    doses = known_doses(courses)
    code = {dose: number for number, dose in enumerate(doses)}
    state = np.full((len(exposure), len(days)), len(doses))
    place = {patient: row for row, patient in enumerate(exposure["patient_id"])}
    ordered = courses.sort_values(["patient_id", "start_day"])
    firsts = np.searchsorted(days, ordered["start_day"].to_numpy(float))
    ends = np.searchsorted(days, ordered["stop_day"].to_numpy(float))
    keys = zip(ordered["daily_dose"], ordered["unit"], strict=True)
    for patient, first, end, key in zip(ordered["patient_id"], firsts, ends, keys, strict=True):
        if patient in place:
            state[place[patient], first:end] = code[dose_key(*key)]
    last, died = exposure["last_day"].to_numpy(float)[:, None], exposure["died"].to_numpy(bool)[:, None]
    state = np.where(~died & (days > last), len(doses) + 1, state)
    state = np.where(died & (days >= last), len(doses) + 2, state)
    names: list[Any] = [*doses, "off", "ended", "died"]
    return days, {name: (state == number).sum(axis=0) for number, name in enumerate(names)}


def draw_shares(
    axes: Axes, exposure: pd.DataFrame, courses: pd.DataFrame, shades: Mapping[Dose, str], limit: float
) -> None:
    """Draw the states of all patients by day as areas on each other, the highest dose below."""
    days, counts = daily_states(exposure, courses, limit)
    doses = list(shades)[::-1]
    order = [*doses, "off", "ended", "died"]
    colours = [*(shades[dose] for dose in doses), _OFF, _ENDED, _DIED]
    shares = [100 * counts[name] / len(exposure) for name in order]
    axes.stackplot(days, shares, colors=colours, edgecolor=FAINT, linewidth=0.3, step="post")
    axes.set_ylim(0, 100)


def share_handles() -> Sequence[Patch]:
    """Return the signs of the states without the drug."""
    from matplotlib.patches import Patch

    words = {"Followed, drug not taken": _OFF, "Follow-up ended": _ENDED, "Died": _DIED}
    return [
        Patch(facecolor=colour, edgecolor=FAINT, linewidth=0.5, label=label)
        for label, colour in words.items()
    ]
