"""How single patients are named and ordered in figures: by the study's ids, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from helpers.cohort.config import CohortConfig


def label_patients(axes: Axes, places: Iterable[float], ids: Iterable[object], config: CohortConfig) -> None:
    """Name the rows of a figure by the ids of their patients, unless the cohort's report shows none.

    No running numbers stand in their place: they would be the place in the figure, or link the rows of one
    patient in several figures, which tells more than either.

    Args:
        axes: where the rows stand.
        places: height of each row.
        ids: id of the patient of each row.
        config: the cohort's configuration.
    """
    if config.report.ids == "none":
        axes.set_yticks([])
        axes.set_ylabel("One row a patient")
    else:
        axes.set_yticks(list(places), labels=[str(one) for one in ids])


def order_of_ties(ids: Iterable[object], config: CohortConfig) -> list[str]:
    """Return what patients who are alike are ordered by: their ids, or where none are shown their digests.

    The order of digests is the same each time and tells neither the order of the ids nor that of the rows.

    Args:
        ids: ids of patients.
        config: the cohort's configuration.
    """
    names = [str(one) for one in ids]
    if config.report.ids == "study":
        return names
    return [hashlib.sha256(name.encode()).hexdigest() for name in names]
