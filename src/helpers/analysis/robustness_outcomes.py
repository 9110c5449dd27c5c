"""What a historical control can and cannot show: values before day 0, the dead, days in response, as rows.

>>> describe_immortal_time(arms, store, lag=recorded.lag)
>>> store.rows()["control_time.death.both.day_56.immortal_days"].unit
'days'
>>> describe_slopes(arms, tables.measurements, [], store)
>>> describe_dose_and_death(arms, store, dose=recorded.dose, unit="mg/kg/d")
>>> describe_discounted_controls(arms, store)
>>> sorted({row.analysis for row in store.rows().values()})
['control_time', 'discounted_controls', 'slope_before_day_0', 'truncation_by_death']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.analysis.robustness import DAYS, POINTS, Study, attempt, keep, refuse
from helpers.analysis.survival import TREATED
from helpers.results.store import slug
from helpers.stats.bayes import discounted_controls
from helpers.stats.checks import Floats
from helpers.stats.fractional_bootstrap import fractional_weights
from helpers.stats.landmark import person_time_misclassified
from helpers.stats.multistate import Moves, expected_days_result, moves, occupancy_result
from helpers.stats.pretreatment import compare_slopes, individual_slopes
from helpers.stats.result import Result, StatisticsError
from helpers.stats.truncation import composite_quantile, survivor_effect_bounds

if TYPE_CHECKING:
    from helpers.results.store import StatisticsStore

SLOPES, DEAD, STATES, BORROWED, IMMORTAL = (
    "slope_before_day_0", "truncation_by_death", "state_occupancy", "discounted_controls", "control_time",
)  # fmt: skip
ARMS = {"treated": 1.0, "reference": 0.0}
DISCOUNTS = (0.1, 0.5, 1.0)
NO_RESPONSE, RESPONSE, DIED = "no response", "response", "death"


def describe_immortal_time(study: Study, store: StatisticsStore, *, lag: pd.Series | None) -> None:
    """Store the days between eligibility and day 0 that a clock started at eligibility would give the
    treated."""
    if study.one_arm or lag is None:
        reason = study.one_arm or "the day of eligibility is not recorded"
        refuse(store, study, IMMORTAL, {"immortal_days": DAYS}, reason=reason)
        return
    own = study.frame["patient_id"].map(lag).astype(float)
    if own[study.frame[TREATED] == 1].isna().all():
        reason = "the day of eligibility of no treated patient is recorded"
        refuse(store, study, IMMORTAL, {"immortal_days": DAYS, "immortal_share": POINTS}, reason=reason)
        return
    time = own.fillna(0.0) + study.frame["time"]
    found = attempt(
        lambda: person_time_misclassified(time, own, study.frame[TREATED]), "immortal person-time"
    )
    keep(store, study, IMMORTAL, "immortal_days", found, unit=DAYS)
    share = Result(
        f"share of the follow-up from eligibility, {found.method}",
        found.details.get("share", np.nan),
        n=found.n,
        n_missing=found.n_missing,
        note=found.note,
    )
    keep(store, study, IMMORTAL, "immortal_share", share, unit=POINTS)


def describe_slopes(
    study: Study, measurements: pd.DataFrame, skewed: Sequence[str], store: StatisticsStore
) -> None:
    """Store, for every variable measured before day 0, the slopes of both arms up to day 0 and their
    comparison.

    Who enters at the worst would improve without treatment; slopes towards the worse in one arm alone say so.
    `skewed` variables are taken on the log scale. A variable without two values before day 0 is a row with
    that reason.
    """
    if study.one_arm:
        refuse(store, study, SLOPES, {"slope": ""}, variable="all")
        return
    arm = study.frame.set_index("patient_id")[TREATED]
    rows = measurements[measurements["patient_id"].isin(arm.index) & (measurements["day"] <= 0)]
    rows = rows[rows["value"].notna() & ~rows["qualifier"].isin(["<", ">"])]
    early = rows.groupby(["variable", "patient_id"])["day"].nunique()
    names = sorted({str(key[0]) for key, days in early.items() if days > 1})  # type: ignore[index]
    if not names:
        reason = "nothing was measured on two days up to day 0"
        refuse(store, study, SLOPES, {"slope": ""}, variable="all", reason=reason)
    for name in names:
        mine = rows[rows["variable"] == name]
        scale = "log" if name in skewed and (mine["value"] > 0).all() else "identity"
        slopes = individual_slopes(mine["patient_id"], mine["day"], mine["value"], scale=scale)  # type: ignore[arg-type]
        found = compare_slopes(slopes["slope"], arm.reindex(slopes["subject"]).to_numpy())
        keep(store, study, SLOPES, "slope", found, variable=slug(name), timepoint="baseline",
             unit=f"{'log ' if scale == 'log' else ''}units a day")  # fmt: skip


def describe_dose_and_death(
    study: Study, store: StatisticsStore, *, dose: pd.Series | None, unit: str
) -> None:
    """Store the median dose with death as the worst value, and bounds for those who would survive either
    way."""
    if study.one_arm or dose is None:
        reason = study.one_arm or "glucocorticoid doses are not recorded"
        refuse(store, study, DEAD, {"survivors_difference": unit}, variable="dose", reason=reason)
        return
    _, event, treated = study.columns
    values = study.frame["patient_id"].map(dose).astype(float)
    common: dict[str, Any] = {"variable": "dose", "unit": unit}
    for arm, code in ARMS.items():
        mine = treated == code
        found = attempt(lambda m=mine: composite_quantile(values[m], event[m]), "median dose")  # type: ignore[misc]
        keep(store, study, DEAD, f"median_{arm}", found, **common)
        alive = found.details.get("survivors", np.nan)
        living_only = Result(
            "median of the survivors",
            alive,
            n=int(values[mine].notna().sum()),
            note="" if alive == alive else "not estimated: nobody survived with a value",
        )
        keep(store, study, DEAD, f"survivors_median_{arm}", living_only, **common)
    on = treated == 1
    living = [values[mask & ~event] for mask in (on, ~on)]
    bounds = attempt(
        lambda: survivor_effect_bounds(living[0], int(on.sum()), living[1], int((~on).sum())),
        "survivor average effect",
        len(values),
    )
    keep(store, study, DEAD, "survivors_difference", bounds, **common)


def describe_discounted_controls(study: Study, store: StatisticsStore) -> None:
    """Store the posterior risk difference when a historical control counts as a part of a patient."""
    if study.one_arm:
        refuse(store, study, BORROWED, {"risk_difference": POINTS})
        return
    for share in DISCOUNTS:
        found = attempt(
            lambda a=share: discounted_controls(*study.counts(), discount=a, confidence=study.confidence),  # type: ignore[misc]
            "discounted controls",
            len(study.frame),
        )
        keep(store, study, BORROWED, f"risk_difference_{slug(f'{share:g}')}", found, unit=POINTS)


def describe_days_in_response(
    study: Study, calls: pd.DataFrame, store: StatisticsStore, *, draws: int, seed: int
) -> None:
    """Store by arm the expected days in response to the horizon (Aalen-Johansen), by the rule's calls at
    visits.

    `calls`: patient_id, day, responded (missing where the rule could not tell, and then the last state
    holds). A state is taken to begin on the day of the visit at which it was seen.

    >>> calls = recorded.calls.assign(responded=recorded.calls["rank"] > 0)
    >>> describe_days_in_response(arms, calls, store, draws=50, seed=1)
    >>> len(store.rows())
    8
    """
    if study.one_arm or calls.empty:
        reason = study.one_arm or "the response rule can call nobody"
        refuse(store, study, STATES, {"days_in_response": DAYS}, variable="response", reason=reason)
        return
    for arm, code in ARMS.items():
        mine = study.frame[study.frame[TREATED] == code]
        found = attempt(
            lambda m=mine: _days(study, m, calls, draws, seed),  # type: ignore[misc]
            "expected days in response",
            len(mine),
        )
        keep(store, study, STATES, f"days_in_response_{arm}", found, variable="response", unit=DAYS)
        _on_visits(study, mine, calls, arm, store, draws, seed)


def _on_visits(
    study: Study,
    patients: pd.DataFrame,
    calls: pd.DataFrame,
    arm: str,
    store: StatisticsStore,
    draws: int,
    seed: int,
) -> None:
    """Store the probability of being alive in response on each day of a visit up to the horizon."""
    try:
        data, weights = _moves(patients, calls, draws, seed)
    except StatisticsError:  # said with the days in response
        return
    for visit, day in _visits(calls, study.horizon):
        found = attempt(
            lambda d=day: occupancy_result(data, d, [RESPONSE], weights, confidence=study.confidence),  # type: ignore[misc]
            "probability of being in response",
            len(patients),
        )
        name = f"in_response_{slug(visit)}_{arm}"
        keep(store, study, STATES, name, found, variable="response", unit=POINTS)


def _visits(calls: pd.DataFrame, horizon: int) -> list[tuple[str, float]]:
    """Visits between day 0 and the horizon, each with the day by which the last patient was seen.

    At the horizon itself a state has only begun: what was seen there is the table of responses.
    """
    later = calls[(calls["day"] > 0) & (calls["day"] < horizon)]
    last = later.groupby("visit")["day"].max().astype(float)
    return sorted(((str(visit), day) for visit, day in last.items()), key=lambda pair: pair[1])


def _moves(patients: pd.DataFrame, calls: pd.DataFrame, draws: int, seed: int) -> tuple[Moves, Floats]:
    if not calls["patient_id"].isin(patients["patient_id"]).any():
        raise StatisticsError("calls", "the response rule can call nobody of this group")
    told = calls[calls["responded"].notna() & (calls["day"] > 0)].sort_values("day")
    seen: dict[str, list[tuple[float, bool]]] = {}
    for patient, day, good in zip(told["patient_id"], told["day"], told["responded"], strict=True):
        seen.setdefault(str(patient), []).append((float(day), bool(good)))
    moved = [move for row in patients.itertuples(index=False) for move in _history(row, seen)]
    frame = pd.DataFrame(moved, columns=["id", "start", "stop", "source", "target"])
    data = moves(frame["id"], frame["start"], frame["stop"], frame["source"], frame["target"],
                 [NO_RESPONSE, RESPONSE, DIED])  # fmt: skip
    return data, fractional_weights(data.ids, np.zeros(len(data.ids)), draws=draws, seed=seed)


def _days(study: Study, patients: pd.DataFrame, calls: pd.DataFrame, draws: int, seed: int) -> Result:
    data, weights = _moves(patients, calls, draws, seed)
    return expected_days_result(data, float(study.horizon), [RESPONSE], weights, confidence=study.confidence)


def _history(
    patient: Any, seen: Mapping[str, list[tuple[float, bool]]]
) -> list[tuple[str, float, float, str, str]]:
    """Moves of one patient (id, start, stop, from, to): no response, then as called, death at the end.

    `seen` has what was called of each patient, by rising day after day 0.
    """
    early = [(day, good) for day, good in seen.get(patient.patient_id, []) if day < patient.time]
    states = [NO_RESPONSE, *(RESPONSE if good else NO_RESPONSE for _, good in early)]
    cuts = [0.0, *(day for day, _ in early), float(patient.time)]
    ends = ["" if b == a else b for a, b in pairwise(states)]
    targets = [*ends, DIED if patient.event else ""]
    return [
        (patient.patient_id, start, stop, source, target)
        for start, stop, source, target in zip(cuts[:-1], cuts[1:], states, targets, strict=True)
    ]
