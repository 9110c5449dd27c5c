"""Endpoints read from responses: at a visit, best, first, confirmed, sustained, time to response, agreement.

A responses frame has patient_id, day, response (CR, PR, NR or missing) and usually visit: from a rule
(`response.assess_response`) or the clinician's own calls.

>>> calls = [("a", 7, "NR"), ("a", 14, "PR"), ("a", 28, "CR"), ("b", 7, "PR"), ("b", 14, "NR")]
>>> responses = pd.DataFrame(calls, columns=["patient_id", "day", "response"])
>>> patients = pd.DataFrame(
...     {
...         "patient_id": ["a", "b"],
...         "followup_days": [56.0, 56.0],
...         "death_day": [None, 20.0],
...         "died": [False, True],
...     }
... )
>>> best_response(responses, patients)[["response", "day"]].values.tolist()
[['CR', 28], ['PR', 7]]
>>> first_response(responses, patients)["day"].tolist()
[14, 7]
>>> confirmed_response(responses, patients)[["patient_id", "confirmed"]].values.tolist()
[['a', True], ['b', False]]
>>> sustained_response(responses, patients)["status"].tolist()
['sustained', 'lost']
>>> time_to_response(responses, patients)[["time", "status"]].values.tolist()
[[14.0, 1.0], [7.0, 1.0]]
>>> round(kappa(pd.DataFrame([[20, 5], [10, 15]])), 3)
0.4
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from helpers.clinical.errors import ClinicalError, require_columns

ORDER = {"NR": 0, "PR": 1, "CR": 2}
CATEGORIES = ("CR", "PR", "NR")
Weights = Literal["none", "linear"]


def _checked(responses: pd.DataFrame) -> pd.DataFrame:
    require_columns(responses, "responses", ["patient_id", "day", "response"])
    known = responses[responses["response"].isin([*ORDER])].copy()
    bad = sorted(set(responses["response"].dropna().astype(str)) - {*ORDER, "missing"})
    if bad:
        raise ClinicalError(
            f"table responses, column response: found {', '.join(bad)}, expected CR, PR, NR or missing"
        )
    known["rank"] = known["response"].map(ORDER).astype(int)
    return known.sort_values(["patient_id", "day"], kind="stable")


def best_response(
    responses: pd.DataFrame, patients: pd.DataFrame, *, horizon: int | None = None
) -> pd.DataFrame:
    """Best response of every patient up to `horizon`, and the day it was first reached."""
    known = _checked(responses)
    if horizon is not None:
        known = known[known["day"] <= horizon]
    best = known.sort_values(["patient_id", "rank", "day"], ascending=[True, False, True], kind="stable")
    best = best.drop_duplicates("patient_id").set_index("patient_id").reindex(patients["patient_id"])
    best["response"] = best["response"].fillna("missing")
    return best[["response", "day"]].reset_index()


def first_response(responses: pd.DataFrame, patients: pd.DataFrame, *, at_least: str = "PR") -> pd.DataFrame:
    """First call of PR or better (or CR) of every patient: patient_id, response, day (missing if never)."""
    known = _checked(responses)
    good = known[known["rank"] >= ORDER[at_least]].drop_duplicates("patient_id").set_index("patient_id")
    return good.reindex(patients["patient_id"])[["response", "day"]].reset_index()


def confirmed_response(
    responses: pd.DataFrame, patients: pd.DataFrame, *, at_least: str = "PR", days_apart: int = 7
) -> pd.DataFrame:
    """Response seen again at the next call at least `days_apart` days later, none worse in between.

    Returns patient_id, confirmed, day (of the first call of the confirmed pair), confirmed_day.
    """
    known = _checked(responses)
    worse = known["rank"] < ORDER[at_least]
    ended = worse.groupby(known["patient_id"]).cumsum()  # a worse call ends a run of good ones
    good = known.assign(run=ended)[~worse]
    run = good.groupby(["patient_id", "run"])["day"]
    good = good.assign(start=run.transform("first"), later=run.cumcount() > 0)
    again = good[good["later"] & (good["day"] - good["start"] >= days_apart)]
    pairs = again.drop_duplicates("patient_id").set_index("patient_id")[["start", "day"]]
    pairs = pairs.reindex(patients["patient_id"]).astype(float)
    return pd.DataFrame(
        {
            "patient_id": patients["patient_id"].to_numpy(),
            "confirmed": pairs["day"].notna().to_numpy(),
            "day": pairs["start"].to_numpy(),
            "confirmed_day": pairs["day"].to_numpy(),
        }
    )


def sustained_response(
    responses: pd.DataFrame, patients: pd.DataFrame, *, at_least: str = "PR", horizon: int = 56
) -> pd.DataFrame:
    """Response that, once reached, is not lost up to `horizon`.

    Returns patient_id, first_day, lost_day (first later call below `at_least`, or death), last_call_day
    and status: "sustained", "lost", "died", "not confirmed" (no later call), "never" or "no calls".
    Raises ClinicalError for missing columns.
    """
    require_columns(patients, "patients", ["patient_id", "death_day"])
    known = _checked(responses)
    known = known[known["day"] <= horizon]
    who, rank = patients["patient_id"], ORDER[at_least]
    death = pd.Series(patients["death_day"].astype("Float64").to_numpy(dtype=float, na_value=np.nan), who)
    last = known.groupby("patient_id")["day"].max()
    first = known[known["rank"] >= rank].groupby("patient_id")["day"].min()
    # A call of NR on or after the day of death is the death itself, not a relapse.
    alive = known[~(known["day"] >= known["patient_id"].map(death))]
    after = alive[alive["day"] > alive["patient_id"].map(first)]
    lost = after[after["rank"] < rank].groupby("patient_id")["day"].min()
    days = pd.DataFrame({"first_day": first, "lost_day": lost, "last_call_day": last}, dtype=float)
    days = days.reindex(who)
    status = np.select(
        [
            days["last_call_day"].isna(),
            days["first_day"].isna(),
            days["lost_day"].notna(),
            death <= horizon,
            who.isin(after["patient_id"]),
        ],
        ["no calls", "never", "lost", "died", "sustained"],
        "not confirmed",
    )
    days["lost_day"] = days["lost_day"].mask(status == "died", death)
    return days.rename_axis("patient_id").reset_index().assign(status=status)


def time_to_response(
    responses: pd.DataFrame,
    patients: pd.DataFrame,
    *,
    at_least: str = "PR",
    horizon: int | None = 56,
    confirmed: bool = False,
) -> pd.DataFrame:
    """Time to first (or confirmed) response with death competing: patient_id, time, status.

    status 1 = responded, 2 = died without response, 0 = censored at last contact or `horizon`. The time
    of a response is the day of the call: with visits it lies somewhere in the interval before. Raises
    ClinicalError for missing columns.
    """
    require_columns(patients, "patients", ["patient_id", "followup_days", "died"])
    if confirmed:
        day = confirmed_response(responses, patients, at_least=at_least)["day"].to_numpy(dtype=float)
    else:
        day = first_response(responses, patients, at_least=at_least)["day"].to_numpy(
            dtype=float, na_value=np.nan
        )
    follow = patients["followup_days"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    died = patients["died"].astype("boolean").fillna(False).to_numpy(dtype=bool)
    responded = ~np.isnan(day) & (day <= follow)
    time = np.where(responded, day, follow)
    status = np.where(responded, 1, np.where(died, 2, 0))
    if horizon is not None:
        status = np.where(time > horizon, 0, status)
        time = np.minimum(time, float(horizon))
    return pd.DataFrame({"patient_id": patients["patient_id"].to_numpy(), "time": time, "status": status})


def kappa(table: pd.DataFrame, *, weights: Weights = "none") -> float:
    """Cohen's kappa of a square table of counts (Cohen 1960; with linear weights Cohen 1968).

    NaN when nothing was counted or chance alone would agree completely.
    """
    counts = table.to_numpy(dtype=float)
    n, size = counts.sum(), len(counts)
    if n == 0 or counts.shape != (size, size):
        return float("nan")
    distance = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    penalty = (distance > 0).astype(float) if weights == "none" else distance / max(size - 1, 1)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    by_chance = (penalty * expected).sum()
    return float("nan") if by_chance == 0 else float(1 - (penalty * counts).sum() / by_chance)


def agreement_with_clinician(
    by_rule: pd.DataFrame, by_clinician: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Compare a rule's calls with the clinician's at the same patient and visit.

    Returns three frames: the counts (rows rule, columns clinician, CR PR NR); a summary with one row a
    visit and one for all: n, n_agree, agreement, kappa, kappa_linear, n_not_compared; and the discordant
    calls with what the rule saw (n_improved, improved, reason where the rule gives them). Raises
    ClinicalError for missing columns.

    >>> rule = pd.DataFrame(
    ...     {"patient_id": ["a", "b"], "visit": ["week_1"] * 2, "day": [7, 7], "response": ["PR", "NR"]}
    ... )
    >>> counts, summary, discordant = agreement_with_clinician(rule, rule.assign(response=["PR", "PR"]))
    >>> summary[["n", "n_agree"]].values.tolist(), discordant["patient_id"].tolist()
    ([[2, 1], [2, 1]], ['b'])
    """
    require_columns(by_rule, "by_rule", ["patient_id", "visit", "response"])
    require_columns(by_clinician, "by_clinician", ["patient_id", "visit", "response"])
    own = by_clinician.dropna(subset=["visit"]).drop_duplicates(["patient_id", "visit"], keep="last")
    columns = ["patient_id", "visit", "response", *[c for c in ("day", "source_row") if c in own]]
    both = by_rule.merge(own[columns], on=["patient_id", "visit"], suffixes=("_rule", "_clinician"))
    usable = both["response_rule"].isin(CATEGORIES) & both["response_clinician"].isin(CATEGORIES)
    compared = both[usable]
    counts = _square(compared)
    groups = [
        ("all visits", both),
        *[(str(visit), part) for visit, part in both.groupby("visit", sort=False)],
    ]
    summary = pd.DataFrame([_agreement_row(name, part) for name, part in groups])
    differing = compared[compared["response_rule"] != compared["response_clinician"]]
    wanted = [
        "patient_id",
        "visit",
        "response_rule",
        "response_clinician",
        "reason",
        "n_improved",
        "improved",
    ]
    extra = [c for c in ("response_lowest", "response_highest", "source_row") if c in differing]
    return counts, summary, differing[[c for c in wanted if c in differing] + extra].reset_index(drop=True)


def _square(compared: pd.DataFrame) -> pd.DataFrame:
    table = pd.crosstab(compared["response_rule"], compared["response_clinician"])
    return table.reindex(index=list(CATEGORIES), columns=list(CATEGORIES), fill_value=0)


def _agreement_row(name: str, part: pd.DataFrame) -> dict[str, object]:
    usable = part["response_rule"].isin(CATEGORIES) & part["response_clinician"].isin(CATEGORIES)
    table = _square(part[usable])
    n, agree = int(usable.sum()), int(np.trace(table.to_numpy()))
    return {
        "visit": name,
        "n": n,
        "n_agree": agree,
        "agreement": agree / n if n else float("nan"),
        "kappa": kappa(table),
        "kappa_linear": kappa(table, weights="linear"),
        "n_not_compared": len(part) - n,
    }
