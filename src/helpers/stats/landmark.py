"""Landmark analyses, and treatment as a covariate that changes on the day it starts.

Both use only what was known at each time: the landmark by waiting until a fixed day and comparing those alive
then, the time-varying covariate by counting each day under the treatment in force (Anderson, Cain & Gelber
1983; van Houwelingen 2007).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.stats.checks import Bools, Floats, event_flags, float_array, survival_data
from helpers.stats.counting_process import Records, counting_process_cox, records
from helpers.stats.result import Result, StatisticsError

if TYPE_CHECKING:
    import pandas as pd


def _starts(start: Any, size: int) -> Floats:
    starts = float_array(start, "start")
    if starts.size != size:
        raise StatisticsError("start", f"has {starts.size} entries, time has {size}")
    return starts


def landmark_analysis(
    time: Any, event: Any, start: Any, *, landmarks: Any, confidence: float = 0.95
) -> pd.DataFrame:
    """Compare, among those alive and followed at each landmark, who had started treatment by then with who
    had not.

    `time` and `event` from eligibility; `start` the day treatment started, NaN if never. Treatment
    started after a landmark counts as not started. Returns one row a landmark: landmark, n, n_treated,
    left_before (died or left by the landmark), switched (started later), n_events, hazard_ratio, lower,
    upper, p_value (score test), note with the reason where nothing can be estimated. Raises
    StatisticsError for unusable times or events.

    >>> found = landmark_analysis(
    ...     [2, 9, 9, 5, 9], [1, 0, 1, 1, 0], [float("nan"), 1, 6, 3, float("nan")], landmarks=[4]
    ... )
    >>> found[["n", "n_treated", "left_before", "switched"]].values.tolist()
    [[4, 2, 1, 1]]
    """
    import pandas as pd

    times, events = survival_data(time, event)
    starts = _starts(start, times.size)
    rows = []
    for day in np.unique(float_array(landmarks, "landmarks")).tolist():
        kept = times > day
        on = kept & (starts <= day)
        row: dict[str, Any] = {"landmark": day, "n": int(kept.sum()), "n_treated": int(on.sum())}
        row |= {"left_before": int((~kept).sum()), "switched": int((kept & (starts > day)).sum())}
        row["n_events"] = int(events[kept].sum())
        rows.append(row | _compared(times[kept] - day, events[kept], on[kept], confidence))
    return pd.DataFrame(rows)


def _compared(time: Floats, event: Bools, treated: Bools, confidence: float) -> dict[str, Any]:
    empty = {"hazard_ratio": np.nan, "lower": np.nan, "upper": np.nan, "p_value": np.nan}
    if treated.all() or not treated.any():
        return empty | {"note": "everybody alive then is in one arm"}
    try:
        data = records(np.zeros(time.size), time, event)
        fit = counting_process_cox(data, treated.astype(float), ["treated"], confidence=confidence)
    except StatisticsError as error:
        return empty | {"note": error.problem}
    found = fit.result("treated")
    row = {"hazard_ratio": found.value, "lower": found.lower, "upper": found.upper}
    return row | {"p_value": fit.score_test().p_value, "note": found.note}


def split_at_start(time: Any, event: Any, start: Any) -> tuple[Records, Floats]:
    """Cut each follow-up at the start of treatment: records before it are untreated, after it treated.

    `start` NaN: never treated; start on or before 0: treated throughout. A start on or after the last day
    of follow-up changes nothing. Returns the records (subjects numbered by position) and the 0/1
    covariate of each. Raises StatisticsError for a follow-up of 0.

    >>> records, under_treatment = split_at_start([9, 5], [1, 0], [4, float("nan")])
    >>> records.start.tolist(), records.stop.tolist(), under_treatment.tolist()
    ([0.0, 0.0, 4.0], [5.0, 4.0, 9.0], [0.0, 0.0, 1.0])
    """
    times, events = survival_data(time, event)
    if (times == 0).any():
        raise StatisticsError("time", "a follow-up of 0 has no day at risk")
    starts = _starts(start, times.size)
    subject = np.arange(times.size)
    cut = (starts > 0) & (starts < times)
    whole = ~cut
    begin = np.concatenate([np.zeros(whole.sum()), np.zeros(cut.sum()), starts[cut]])
    end = np.concatenate([times[whole], starts[cut], times[cut]])
    flag = np.concatenate([events[whole], np.zeros(cut.sum(), bool), events[cut]])
    on = np.concatenate([starts[whole] <= 0, np.zeros(cut.sum(), bool), np.ones(cut.sum(), bool)])
    who = np.concatenate([subject[whole], subject[cut], subject[cut]])
    return records(begin, end, flag, subject=who), on.astype(float)


def time_varying_treatment(time: Any, event: Any, start: Any, *, confidence: float = 0.95) -> Result:
    """Hazard ratio of being under treatment, treatment counted from the day it starts (robust by subject).

    Applies where patients were followed from eligibility whether or not they were treated later. Where the
    treated are known only because they lived to be treated, use delayed entry. Raises StatisticsError if
    nobody, or everybody from the beginning, is treated, or without events.

    >>> found = time_varying_treatment(
    ...     [2, 9, 9, 5, 9], [1, 0, 1, 1, 0], [float("nan"), 1, 6, 3, float("nan")]
    ... )
    >>> round(found.value, 2)
    2.81
    """
    data, on = split_at_start(time, event, start)
    if np.ptp(on) == 0:
        raise StatisticsError("start", "treatment does not vary in time or between patients")
    fit = counting_process_cox(data, on, ["treated"], confidence=confidence)
    found, score = fit.result("treated"), fit.score_test()
    before = float((data.stop - data.start)[on == 0].sum())
    return Result(
        method="Cox hazard ratio of treatment as a time-varying covariate, Efron ties, score test",
        value=found.value,
        lower=found.lower,
        upper=found.upper,
        p_value=score.p_value,
        statistic=score.statistic,
        n=fit.n,
        confidence=fit.confidence,
        note=fit.note,
        details={**found.details, "days_untreated": before},
    )


def person_time_misclassified(time: Any, start: Any, treated: Any) -> Result:
    """Immortal person-time: days between eligibility and treatment that a naive clock gives to the treated.

    `time` from eligibility, `start` the day of treatment. `value` is their sum, `details["share"]` their
    share of the follow-up of the treated. Raises StatisticsError for flags other than 0 and 1.

    >>> found = person_time_misclassified([30, 20, 30], [3, 2, 0], [1, 1, 0])
    >>> found.value, found.details["share"]
    (5.0, 0.1)
    """
    times = float_array(time, "time")
    arm = event_flags(treated, times.size, "treated")
    starts = _starts(start, times.size)
    days = np.minimum(np.maximum(starts, 0), times)[arm]
    known = ~np.isnan(days)
    total = float(times[arm][known].sum())
    share = float(days[known].sum()) / total if total > 0 else float("nan")
    return Result(
        method="person-time between eligibility and treatment, treated arm",
        value=float(days[known].sum()) if known.any() else float("nan"),
        n=int(known.sum()),
        n_missing=int((~known).sum()),
        details={"share": share, "median": float(np.median(days[known])) if known.any() else float("nan")},
    )
