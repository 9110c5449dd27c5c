"""What a historical control can and cannot show: the days before day 0, and another era, as stored rows.

>>> found = describe_lag(arms, store, lag=recorded.lag, lags=[0, 7], landmarks=[14])
>>> found["hazard_ratio"].round(3).tolist()
[0.109, 0.12]
>>> len(describe_era(arms, store, years=recorded.years)) > 0
True
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.analysis.robustness import DAYS, POINTS, RATIO, Study, attempt, keep, refuse, rows_of
from helpers.results.store import slug
from helpers.stats.delayed_entry import hazard_ratio_from_eligibility, lag_tipping_point
from helpers.stats.era import calendar_overlap, calendar_trend, era_tipping_point
from helpers.stats.landmark import landmark_analysis
from helpers.stats.result import Result, StatisticsError

if TYPE_CHECKING:
    from helpers.results.store import StatisticsStore

TIME, ERA = "control_time", "control_era"


def describe_lag(
    study: Study,
    store: StatisticsStore,
    *,
    lag: pd.Series | None,
    lags: Sequence[float],
    landmarks: Sequence[float],
) -> pd.DataFrame:
    """Store the hazard ratio with delayed entry, landmarks, and what one common lag would do; return the
    last.

    Args:
        study, store: the comparison, and where the rows go.
        lag: days from eligibility to day 0 by patient_id, or None where nobody knows them.
        lags: common lags of the treated to be tried, in days.
        landmarks: days from eligibility.
    """
    if study.one_arm:
        refuse(store, study, TIME, {"delayed_entry": RATIO, "lag_tipping_point": DAYS})
        return pd.DataFrame()
    _delayed_entry(study, store, lag, landmarks)
    time, event, treated = study.columns
    frame, tipping = lag_tipping_point(
        time, event, treated, lags=lags, horizon=study.horizon, confidence=study.confidence
    )
    keep(store, study, TIME, "lag_tipping_point", tipping, unit=DAYS)
    for row in rows_of(frame):
        result = Result(
            "Cox hazard ratio, one common lag of the treated, score test",
            row.hazard_ratio,
            row.lower,
            row.upper,
            row.p_value,
            n=len(study.frame),
            note=row.note or "",
        )
        keep(store, study, TIME, f"lag_{slug(f'{row.lag:g}')}", result, unit=RATIO)
    return frame


def _delayed_entry(
    study: Study, store: StatisticsStore, lag: pd.Series | None, landmarks: Sequence[float]
) -> None:
    """Store the hazard ratio with delayed entry, median lags and landmarks, or why there are none."""
    time, event, treated = study.columns
    own = None if lag is None else study.frame["patient_id"].map(lag).astype(float)
    if own is None or own.isna().all():
        note = "not estimated: the day of eligibility is not recorded"
        keep(store, study, TIME, "delayed_entry", Result("delayed entry", note=note), unit=RATIO)
        return
    known = own.notna()
    entry, stop = own[known], (own + time)[known]
    found = attempt(
        lambda: hazard_ratio_from_eligibility(
            entry, time[known], event[known], treated[known], horizon=study.horizon,
            confidence=study.confidence,
        ),
        "Cox hazard ratio with delayed entry",
        int(known.sum()),
    )  # fmt: skip
    keep(
        store,
        study,
        TIME,
        "delayed_entry",
        found,
        unit=RATIO,
        n_missing=found.n_missing + int((~known).sum()),
    )
    for arm, name in ((1, "treated"), (0, "reference")):
        part = own[known & (treated == arm)]
        if len(part):
            middle = Result("median lag from eligibility to day 0", value=float(part.median()), n=len(part))
            keep(store, study, TIME, f"lag_{name}", middle, unit=DAYS)
    start = entry.where(treated[known] == 1)
    table = landmark_analysis(stop, event[known], start, landmarks=landmarks, confidence=study.confidence)
    for row in rows_of(table):
        result = Result("landmark analysis, Cox hazard ratio, score test", row.hazard_ratio, row.lower,
                        row.upper, row.p_value, n=row.n, note=row.note)  # fmt: skip
        keep(store, study, TIME, f"landmark_{slug(f'{row.landmark:g}')}", result, unit=RATIO)


def describe_era(study: Study, store: StatisticsStore, *, years: pd.Series | None) -> pd.DataFrame:
    """Store overlap in calendar time, the trend among the controls, and the era tipping point; return its
    steps.

    `years`: calendar time of day 0 as a number by patient_id, None where dates are not recorded.
    """
    if study.one_arm:
        refuse(
            store, study, ERA, {"calendar_overlap": POINTS, "control_trend": RATIO, "tipping_point": POINTS}
        )
        return pd.DataFrame()
    _, event, treated = study.columns
    n = len(study.frame)
    when = None if years is None else study.frame["patient_id"].map(years).astype(float)
    if when is None:
        for name in ("calendar_overlap", "control_trend"):
            keep(store, study, ERA, name, Result(name, n=n, note="not estimated: dates are not recorded"))
    else:
        control = treated == 0
        overlap = attempt(lambda: calendar_overlap(when, treated), "calendar overlap", n)
        keep(store, study, ERA, "calendar_overlap", overlap, unit=POINTS)
        gap = Result(
            "years between the last patient of the earlier and the first of the later arm",
            value=max(0.0, overlap.details.get("gap", np.nan)),
            n=overlap.n,
            n_missing=overlap.n_missing,
            note=overlap.note,
        )
        keep(store, study, ERA, "calendar_gap", gap, unit="years")
        trend = attempt(
            lambda: calendar_trend(when[control], event[control], confidence=study.confidence),
            "odds ratio of death a calendar year among the controls",
            int(control.sum()),
        )
        keep(store, study, ERA, "control_trend", trend, unit=RATIO)
    try:
        frame, tipping = era_tipping_point(*study.counts(), confidence=study.confidence)
    except StatisticsError as error:
        frame = pd.DataFrame()
        tipping = Result("era tipping point", n=n, note=f"not estimated: {error.problem}")
    keep(store, study, ERA, "tipping_point", tipping, unit="percentage points of survival")
    for row in rows_of(frame):
        result = Result("Fisher's test and Newcombe interval with fewer control deaths", row.difference,
                        row.lower, row.upper, row.p_value, n=n)  # fmt: skip
        keep(store, study, ERA, f"control_deaths_{row.control_events}", result, unit=POINTS)
    return frame
