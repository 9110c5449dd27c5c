"""Which row stands for a visit: the row nearest to the visit's day, inside its window."""

import numpy as np
import pandas as pd

from helpers.cohort.sections import Visit
from helpers.cohort.settings import CohortConfig

SELECTED = "selected"
NOT_NEAREST = "not nearest to the visit"
OUTSIDE_WINDOWS = "outside visit windows"
AFTER_DAY0 = "after day 0, not used as baseline"


def assign_visits(
    frame: pd.DataFrame, config: CohortConfig, *, by: list[str], visits: tuple[Visit, ...] | None = None
) -> pd.DataFrame:
    """Return `visit`, `selected` and `role` of every row, aligned to the index of `frame`.

    `frame` has `day`, the columns `by` (one row is selected for each of their combinations and visit), and
    may have `day_rank` (place among the rows of its day, 0 first). `visit` is the visit in whose window the
    day lies, None outside all windows. Selected is the row nearest to the visit's day; of two equally near
    days the earlier or the later, as [windowing] tie says, and of one day the row with the lowest `day_rank`.
    At baseline (day 0)
    rows on or before day 0 come first; rows after it count only if `baseline_after_day0` is set and there is
    none before.

    >>> rows = pd.DataFrame({"patient_id": ["a", "a", "a"], "day": [-2, 6, 8]})
    >>> assign_visits(rows, config, by=["patient_id"])[["visit", "selected"]].values.tolist()
    [['baseline', True], ['week_1', True], ['week_1', False]]
    """
    plan = config.visits if visits is None else visits
    day = frame["day"].to_numpy(dtype=np.float64)
    place = np.full(len(frame), -1)
    for number, visit in enumerate(plan):
        place[(day >= visit.window[0]) & (day <= visit.window[1])] = number
    nominal = np.array([visit.day for visit in plan], dtype=np.float64)
    ids = np.array([visit.id for visit in plan], dtype=object)
    inside = place >= 0
    baseline_late = inside & (nominal[place] == 0) & (day > 0)
    candidate = inside if config.windowing.baseline_after_day0 else inside & ~baseline_late
    chosen = _nearest(frame, candidate, place, day - nominal[place], baseline_late, config, by)
    role = np.where(inside, NOT_NEAREST, OUTSIDE_WINDOWS).astype(object)
    role[inside & ~candidate] = AFTER_DAY0
    role[chosen] = SELECTED
    visit_id = np.where(inside, ids[place], None)
    return pd.DataFrame({"visit": visit_id, "selected": chosen, "role": role}, index=frame.index)


def _nearest(
    frame: pd.DataFrame,
    candidate: np.ndarray,
    place: np.ndarray,
    offset: np.ndarray,
    late: np.ndarray,
    config: CohortConfig,
    by: list[str],
) -> np.ndarray:
    """Return the mask of the selected rows."""
    sign = 1.0 if config.windowing.tie == "earlier" else -1.0
    rank = frame["day_rank"].to_numpy(dtype=np.float64) if "day_rank" in frame else np.zeros(len(frame))
    keys = (
        frame[by]
        .reset_index(drop=True)
        .assign(
            _visit=place,
            _late=late,
            _distance=np.abs(offset),
            _offset=sign * offset,
            _rank=rank,
        )
    )
    order = keys[candidate].sort_values(["_late", "_distance", "_offset", "_rank"], kind="stable")
    first = order.drop_duplicates([*by, "_visit"], keep="first").index.to_numpy()
    chosen = np.zeros(len(frame), dtype=bool)
    chosen[first] = True
    return chosen
