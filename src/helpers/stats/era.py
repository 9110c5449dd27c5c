"""Another era: trend of deaths within the control years, and how much better a later era would have to be.

With all treated patients after all controls, calendar time and treatment are one and the same; no model
separates them. What can be said is whether deaths were already falling among the controls, and how many fewer
control deaths would take the result away (Pocock 1976).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.stats.checks import event_count, event_flags, float_array
from helpers.stats.contingency import two_by_two_test
from helpers.stats.firth import firth_logistic
from helpers.stats.proportions import proportion_difference
from helpers.stats.result import Result, StatisticsError

if TYPE_CHECKING:
    import pandas as pd


def calendar_overlap(years: Any, treated: Any) -> Result:
    """Share of patients whose calendar time lies in the range that both arms have; 0: era and treatment are
    one.

    `years` is a date as a number (years), missing dates are left out and counted; `treated` 1 or 0.
    `details["gap"]`: years between the last patient of the earlier and the first of the later arm
    (negative where they overlap). Raises StatisticsError where no date of an arm is known.

    >>> found = calendar_overlap([2015.0, 2016.5, 2016.0, 2018.0], [0, 0, 1, 1])
    >>> found.value, found.details["gap"]
    (0.5, -0.5)
    """
    when = float_array(years, "years")
    arm = event_flags(treated, when.size, "treated")
    known = ~np.isnan(when)
    one, none = when[known & arm], when[known & ~arm]
    if min(one.size, none.size) == 0:
        raise StatisticsError("years", "no date is known in one arm")
    low, high = max(one.min(), none.min()), min(one.max(), none.max())
    inside = (when[known] >= low) & (when[known] <= high)
    return Result(
        method="share of patients within the calendar range of both arms",
        value=float(inside.mean()),
        n=int(known.sum()),
        n_missing=int((~known).sum()),
        note="no common calendar time: era cannot be told from treatment" if low > high else "",
        details={"gap": float(low - high)},
    )


def calendar_trend(years: Any, event: Any, *, confidence: float = 0.95) -> Result:
    """Odds ratio of the event per calendar year within one arm, Firth's logistic model with profile limits.

    `years` is a date as a number (years), missing ones left out and counted; `event` 1 or 0. A wide
    interval means that a trend cannot be seen, not that there is none. Raises StatisticsError where no
    date is known, and as `firth_logistic`.

    >>> found = calendar_trend([2012, 2013, 2014, 2015, 2016, 2017], [1, 1, 0, 1, 0, 0])
    >>> round(found.value, 2), found.lower < 1 < found.upper
    (0.51, True)
    """
    import pandas as pd

    when = float_array(years, "years")
    flags = event_flags(event, when.size)
    if np.isnan(when).all():
        raise StatisticsError("years", "no date is known")
    # A slope is the same whatever year counts as 0; far from 0 the penalised fit has no footing.
    frame = pd.DataFrame({"years": when - np.nanmean(when), "event": flags.astype(float)})
    return firth_logistic(frame, outcome="event", covariates=["years"], confidence=confidence).result("years")


def era_tipping_point(
    e1: Any, n1: Any, e2: Any, n2: Any, *, alpha: float = 0.05, confidence: float = 0.95
) -> tuple[pd.DataFrame, Result]:
    """Take control deaths away one by one, as a better era would have: when is the result gone?

    e1/n1 are events and patients of the treated, e2/n2 of the controls. Columns: control_events, points
    (how many percentage points better control survival would have been), difference (treated less
    control) with Newcombe limits lower and upper, p_value (Fisher). The Result is the least number of
    percentage points from which on p >= `alpha` (NaN with a note if the result is not significant to
    begin with, or stays so because the treated fared worse). Raises StatisticsError for counts that
    cannot be.

    >>> table, least = era_tipping_point(1, 20, 8, 21)
    >>> table["control_events"].head(3).tolist(), round(least.value, 1)
    ([8, 7, 6], 9.5)
    """
    import pandas as pd

    a, size_1 = event_count(e1, n1, "e1", "n1")
    b, size_2 = event_count(e2, n2, "e2", "n2")
    rows = []
    for events in range(b, -1, -1):
        p = two_by_two_test([[a, size_1 - a], [events, size_2 - events]], rule="fisher").p_value
        gap = proportion_difference(a, size_1, events, size_2, confidence=confidence)
        row: dict[str, Any] = {"control_events": events, "points": 100 * (b - events) / size_2}
        row |= {"difference": gap.value, "lower": gap.lower, "upper": gap.upper}
        rows.append(row | {"p_value": p})
    frame = pd.DataFrame(rows)
    method = f"points by which control survival would have to be better for Fisher's p >= {alpha:g}"
    if not frame["p_value"].iloc[0] < alpha:
        return frame, Result(method=method, n=size_1 + size_2, note=f"p is {alpha:g} or more as it stands")
    above = frame[frame["p_value"] >= alpha]
    if above.empty:
        return frame, Result(
            method=method, n=size_1 + size_2, note=f"p stays below {alpha:g} without any death"
        )
    lost = above.iloc[0]
    result = Result(
        method=method,
        value=float(lost["points"]),
        p_value=float(lost["p_value"]),
        n=size_1 + size_2,
        details={"control_events": int(lost["control_events"]), "fewer": b - int(lost["control_events"])},
    )
    return frame, result
