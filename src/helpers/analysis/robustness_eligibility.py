"""What a historical control can and cannot show: time counted from eligibility, as stored rows.

Continues `robustness_time`: on what the days of eligibility rest, survival of both arms from that day, the
drug as something that begins later, and whether strategies can be compared by cloning.

>>> describe_eligibility(arms, store, lag=recorded.lag, evidence=recorded.evidence)
>>> store.rows()["control_time.death.both.day_56.evidence_pulse_treated"].value
6.0
>>> describe_cloning(arms, store, years=recorded.years)
>>> store.rows()["control_time.death.both.day_56.clone_censor_weight"].value
nan
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.analysis.robustness import DAYS, PATIENTS, POINTS, RATIO, TIME, Study, attempt, keep, refuse
from helpers.analysis.survival import TREATED
from helpers.results.store import slug
from helpers.stats.delayed_entry import DelayedCurve, delayed_kaplan_meier, delayed_rmst_difference
from helpers.stats.era import calendar_overlap
from helpers.stats.landmark import time_varying_treatment
from helpers.stats.result import Result, StatisticsError

if TYPE_CHECKING:
    from helpers.results.store import StatisticsStore

ARMS = {"treated": 1, "reference": 0}
# What a day of eligibility can rest on, in the words of the rule; the empty kind is a day that is not known.
EVIDENCE = {
    "high dose": "two weeks of high-dose glucocorticoid",
    "pulse": "three days of intravenous pulses",
    "recurrence": "recurrence on tapering, counted from day 0",
    "": "no failed treatment complete by day 0",
}
_UNITS = {
    **{f"survival_from_eligibility_{arm}": POINTS for arm in ARMS},
    **{f"rmst_from_eligibility_{arm}": DAYS for arm in ARMS},
    "rmst_difference_from_eligibility": DAYS,
    "time_varying": RATIO,
}
_UNSEEN = "the day of eligibility is not recorded"


def describe_eligibility(
    study: Study, store: StatisticsStore, *, lag: pd.Series | None, evidence: pd.Series | None
) -> None:
    """Store on what the days of eligibility rest, and both arms' survival from that day to the horizon.

    `lag` (days from eligibility to day 0, missing where unknown) and `evidence` (what the day rests on) by
    patient_id; None where nobody's is known. A patient counts from day 0 on, when a death would have been
    seen (delayed entry); who lies beyond the horizon by then is left out.
    """
    own = None if lag is None else study.frame["patient_id"].map(lag).astype(float)
    if study.one_arm or own is None or own.isna().all():
        refuse(store, study, TIME, _UNITS, reason=study.one_arm or _UNSEEN)
        return
    if evidence is not None:
        _evidence(study, evidence, store)
    time, event, treated = study.columns
    stop = own + time
    died, end = event & (stop <= study.horizon), stop.clip(upper=study.horizon)
    curves = {}
    for arm, code in ARMS.items():
        seen = (treated == code) & (own < end)
        try:
            curves[arm] = delayed_kaplan_meier(own[seen], end[seen], died[seen], confidence=study.confidence)
        except StatisticsError as error:
            units = {name: unit for name, unit in _UNITS.items() if name.endswith(arm)}
            refuse(store, study, TIME, units, reason=error.problem)
    _survival(study, curves, store)
    known = own.notna()
    start = own.where(treated == 1)[known]
    found = attempt(
        lambda: time_varying_treatment(end[known], died[known], start, confidence=study.confidence),
        "Cox hazard ratio of treatment as a time-varying covariate",
        int(known.sum()),
    )
    said = "days before the drug count as untreated, as if whoever died in them were among the controls"
    keep(store, study, TIME, "time_varying", found, unit=RATIO, note=found.note or said,
         n_missing=int((~known).sum()))  # fmt: skip


def _evidence(study: Study, evidence: pd.Series, store: StatisticsStore) -> None:
    kinds = study.frame["patient_id"].map(evidence).fillna("")
    for arm, code in ARMS.items():
        mine = kinds[study.frame[TREATED] == code]
        for kind, told in EVIDENCE.items():
            found = Result(f"eligible by: {told}", value=float((mine == kind).sum()), n=len(mine))
            keep(store, study, TIME, f"evidence_{slug(kind or 'not known')}_{arm}", found, unit=PATIENTS)


def _survival(study: Study, curves: dict[str, DelayedCurve], store: StatisticsStore) -> None:
    horizon = float(study.horizon)
    for arm, curve in curves.items():
        n = curve.n
        alive = attempt(lambda c=curve: c.at(horizon), "survival from eligibility", n)  # type: ignore[misc]
        keep(store, study, TIME, f"survival_from_eligibility_{arm}", alive, unit=POINTS)
        mean = attempt(lambda c=curve: c.rmst(horizon), "mean survival from eligibility", n)  # type: ignore[misc]
        keep(store, study, TIME, f"rmst_from_eligibility_{arm}", mean, unit=DAYS)
    name = "rmst_difference_from_eligibility"
    if len(curves) < len(ARMS):
        refuse(store, study, TIME, {name: DAYS}, reason="nobody of one arm is under observation")
        return
    gap = attempt(
        lambda: delayed_rmst_difference(curves["treated"], curves["reference"], horizon),
        "difference of restricted means with delayed entry",
        sum(curve.n for curve in curves.values()),
    )
    keep(store, study, TIME, name, gap, unit=DAYS)


def describe_cloning(study: Study, store: StatisticsStore, *, years: pd.Series | None) -> None:
    """Store why strategies are not compared by cloning, censoring and weighting (Hernan 2018).

    Each patient would be counted under both strategies until one is departed from: which needs a time in
    which both were open, and everybody who was eligible in it. `years`: calendar time of day 0 by patient_id.
    """
    refuse(store, study, TIME, {"clone_censor_weight": RATIO}, reason=_why_not_cloned(study, years))


def _why_not_cloned(study: Study, years: pd.Series | None) -> str:
    if study.one_arm:
        return study.one_arm
    if years is None:
        return "dates are not recorded, so that nobody knows when both strategies were open"
    when = study.frame["patient_id"].map(years).astype(float)
    try:
        shared = calendar_overlap(when, study.frame[TREATED]).value
    except StatisticsError as error:
        return error.problem
    if shared == 0:
        return "in the calendar time of one arm the strategy of the other was not open"
    if np.isclose(shared, 1):
        return "the arms are known by what they were given, not everybody who was eligible whatever followed"
    return f"both strategies were open for {100 * shared:.0f} % of the patients alone"
