"""Complete, partial and no response at visits, by any response rule, with bounds for what is not known.

>>> from helpers.clinical.response_rules import load_response_rule
>>> rule = load_response_rule("response_paper")
>>> keys = pd.DataFrame({"patient_id": ["a", "a"], "visit": ["baseline", "week_1"], "day": [0, 7]})
>>> facts = Facts(keys, {}, baseline_row=np.array([0, 0])).with_column(
...     "ferritin", [9000.0, 4000.0], unit="ug/L"
... )
>>> patients = pd.DataFrame({"patient_id": ["a"], "death_day": [float("nan")]})
>>> assess_response(facts, patients, rule)[["visit", "response", "n_improved"]].values.tolist()
[['week_1', 'NR', 0]]
>>> ferritin = next(marker for marker in rule.markers if marker.id == "ferritin")
>>> marker_states(ferritin, facts, rule, {}).improved.tolist()
[0, -2]
>>> len(response_evidence(facts, rule)) > 0, "visit" in compare_rules(facts, patients)
(True, True)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.clinical.criteria_files import Directory
from helpers.clinical.engine import EVIDENCE_COLUMNS, check_variables, rule_evidence
from helpers.clinical.errors import ClinicalError, require_columns
from helpers.clinical.facts import BoolArray, Facts, StateArray
from helpers.clinical.measures import Measures
from helpers.clinical.response_rules import Marker, ResponseRule, load_response_rule
from helpers.clinical.rules import CENSORED, MET, NOT_DONE, NOT_MET, Memo, Rule

__all__ = [
    "VARIANTS",
    "ResponseRule",
    "assess_response",
    "compare_rules",
    "load_response_rule",
    "marker_states",
    "response_evidence",
    "transfusion_facts",
    "withdrawal_days",
]

RESPONSES = np.array(["NR", "PR", "CR", "missing"], dtype=object)
_NR, _PR, _CR, _MISSING = range(4)
_REASONS = np.array(
    ["rule", "died", "withdrawn", "nothing recorded", "not decided by what is recorded"], dtype=object
)

# One entry for each open choice of the paper's wording: (rule, settings).
VARIANTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "paper": ("response_paper", {}),
    "paper, thresholds added to 25%": ("response_paper", {"marker_thresholds": "add"}),
    "paper, 25% without thresholds": ("response_paper", {"marker_thresholds": "none"}),
    "paper, thresholds only where they apply": ("response_paper", {"outside_threshold": "not_evaluable"}),
    "paper, normal baseline counts": ("response_paper", {"baseline_normal": "counts"}),
    "paper, neutrophil floor 0.5": ("response_paper", {"neutrophil_floor": 0.5}),
    "paper, sCD25 by a third and floor 0.5": (
        "response_paper",
        {"scd25_fall": 100 / 3, "neutrophil_floor": 0.5},
    ),
    "paper, CR without ferritin": ("response_paper", {"cr_exempt": "ferritin"}),
    "paper, CR of all parameters": ("response_paper", {"cr_missing": "all"}),
    "paper, CR within both limits": ("response_paper", {"cr_side": "both"}),
    "paper, missing is NR": ("response_paper", {"missing": "NR"}),
    "paper, dead is missing": ("response_paper", {"dead": "missing"}),
    "paper, withdrawn as observed": ("response_paper", {"withdrawn": "observed"}),
    "Marsh 2013, any two markers by 25%": ("response_marsh_2013", {}),
    "Chinese guideline 2022": ("response_china_2022", {}),
    "EMERALD style": ("response_emerald", {}),
    "EMERALD style, either ferritin limit": ("response_emerald", {"ferritin_limits": 1}),
}


@dataclass(frozen=True)
class MarkerStates:
    """States of one marker at every patient-visit."""

    evaluable: StateArray
    improved: StateArray
    normal: StateArray
    recorded: BoolArray
    threshold: StateArray | None = None


def marker_states(marker: Marker, facts: Facts, rule: ResponseRule, memo: Memo) -> MarkerStates:
    """Work out whether a marker can be judged, improved and is normal.

    `threshold` is the state of the marker's own threshold where the rule asks for it on top of the 25% (None
    otherwise; met where it does not apply).
    """
    n = len(facts)
    general = marker.improved.states(facts, memo)
    abnormal = marker.abnormal.states(facts, memo)
    normal = marker.normal.states(facts, memo)
    recorded = np.zeros(n, dtype=bool)
    for variable in marker.variables:
        column = facts.columns.get(variable)
        if column is not None:
            recorded |= ~np.isnan(column.value)
    evaluable = np.full(n, MET, dtype=np.int8) if rule.setting("baseline_normal") == "counts" else abnormal
    improved, threshold = general, None
    mode = rule.setting("marker_thresholds")
    if marker.specific is not None and mode != "none":
        own = marker.specific.states(facts, memo)
        applies = (
            np.full(n, MET, dtype=np.int8) if marker.applies is None else marker.applies.states(facts, memo)
        )
        if mode == "replace":
            # Unknown applicability (transfusions not recorded, say) leaves the general rule.
            improved = np.where(applies == MET, own, general).astype(np.int8)
            if rule.setting("outside_threshold") == "not_evaluable":
                evaluable = np.where(applies == MET, evaluable, NOT_MET).astype(np.int8)
        else:
            # A marker that was not measured cannot be held to its threshold.
            held = (applies == MET) & (abnormal != NOT_MET) & (own != NOT_DONE)
            threshold = np.where(held, own, MET).astype(np.int8)
    counted = np.where(
        evaluable == NOT_MET, NOT_MET, np.where(improved == NOT_MET, NOT_MET, np.minimum(evaluable, improved))
    )
    return MarkerStates(evaluable, counted.astype(np.int8), normal, recorded, threshold)


@dataclass(frozen=True)
class _Tally:
    """Counts over markers at every patient-visit."""

    improved: npt.NDArray[np.int64]
    unknown: npt.NDArray[np.int64]
    evaluable: npt.NDArray[np.int64]
    recorded: npt.NDArray[np.int64]
    normal: npt.NDArray[np.int64]
    cr_failed: npt.NDArray[np.int64]
    cr_unknown: npt.NDArray[np.int64]
    cr_missing: npt.NDArray[np.int64]
    threshold_failed: BoolArray
    threshold_unknown: BoolArray
    names: npt.NDArray[np.object_] | None


def _tally(facts: Facts, rule: ResponseRule, with_names: bool) -> _Tally:
    n = len(facts)
    memo: Memo = {}
    counts: dict[str, Any] = {
        name: np.zeros(n, dtype=np.int64) for name in _Tally.__dataclass_fields__ if name != "names"
    }
    names = np.full(n, "", dtype=object) if with_names else None
    for marker in rule.markers:
        states = marker_states(marker, facts, rule, memo)
        counts["improved"] += states.improved == MET
        counts["unknown"] += states.improved < 0
        counts["evaluable"] += (states.evaluable == MET) & states.recorded
        counts["recorded"] += states.recorded
        if names is not None:
            names = names + np.where(states.improved == MET, f"{marker.id} ", "").astype(object)
        if states.threshold is not None:
            counts["threshold_failed"] |= states.threshold == NOT_MET
            counts["threshold_unknown"] |= states.threshold < 0
        if marker.id != rule.setting("cr_exempt"):
            counts["normal"] += states.normal == MET
            counts["cr_failed"] += states.normal == NOT_MET
            counts["cr_unknown"] += states.normal == CENSORED
            counts["cr_missing"] += states.normal == NOT_DONE
    for name in ("threshold_failed", "threshold_unknown"):
        counts[name] = counts[name].astype(bool)
    return _Tally(**counts, names=names)


def _complete(tally: _Tally, rule: ResponseRule) -> StateArray:
    """State of "all parameters normal"."""
    unknown = tally.cr_unknown > 0
    if rule.setting("cr_missing") == "all":
        unknown |= tally.cr_missing > 0
    enough = tally.normal >= int(rule.setting("cr_minimum"))
    state = np.where(tally.cr_failed > 0, NOT_MET, np.where(enough & ~unknown, MET, NOT_DONE))
    return state.astype(np.int8)


def _partial(tally: _Tally, rule: ResponseRule) -> StateArray:
    """State of "enough markers improved"."""
    if rule.setting("partial") == "none":
        return np.full(len(tally.improved), NOT_MET, dtype=np.int8)
    needed = int(rule.setting("markers_needed"))
    possible = tally.improved + tally.unknown
    state = np.where(tally.improved >= needed, MET, np.where(possible < needed, NOT_MET, NOT_DONE))
    state = np.where((state == MET) & tally.threshold_unknown, NOT_DONE, state)
    return np.where(tally.threshold_failed, NOT_MET, state).astype(np.int8)


def _unobserved(
    facts: Facts, patients: pd.DataFrame, withdrawal_day: Mapping[str, float] | None
) -> tuple[BoolArray, BoolArray]:
    """Patient-visits on or after death, and on or after withdrawal."""
    require_columns(patients, "patients", ["patient_id", "death_day"])
    day = facts.keys["day"].to_numpy(dtype=float, na_value=np.nan)
    index = pd.Index(patients["patient_id"]).get_indexer(pd.Index(facts.keys["patient_id"]))
    if (index < 0).any():
        raise ClinicalError("response: a patient of the visits is not in table patients")
    death = patients["death_day"].astype("Float64").to_numpy(dtype=float, na_value=np.inf)[index]
    if withdrawal_day is None:
        return day >= death, np.zeros(len(day), dtype=bool)
    left = (
        patients["patient_id"]
        .map(dict(withdrawal_day))
        .astype("Float64")
        .to_numpy(dtype=float, na_value=np.inf)
    )
    return day >= death, day >= left[index]


def assess_response(
    facts: Facts,
    patients: pd.DataFrame,
    rule: ResponseRule,
    *,
    withdrawal_day: Mapping[str, float] | None = None,
    with_names: bool = True,
) -> pd.DataFrame:
    """Response at every patient-visit after baseline.

    `facts` hold the visits and each patient's baseline (`facts_from_visits` with `visit_days`, so that every
    planned visit has its day); `patients` gives death_day; `withdrawal_day` the day a patient left the
    treatment, if any. Who had died by the day of the visit, had withdrawn, or has nothing recorded is called
    as the rule's settings dead, withdrawn and missing say.

    Returns patient_id, visit, day, rule, response (CR, PR, NR, missing), reason (rule, died, withdrawn,
    nothing recorded, or not decided), n_improved, n_evaluable, n_normal, n_recorded, response_lowest and
    response_highest (what the unknown markers could still make of it) and, with names, the markers improved.
    """
    check_variables([one for marker in rule.markers for one in marker.rules()], facts, rule.name)
    tally = _tally(facts, rule, with_names)
    complete, partial = _complete(tally, rule), _partial(tally, rule)
    lowest = np.where(complete == MET, _CR, np.where(partial == MET, _PR, _NR))
    highest = np.where(complete != NOT_MET, _CR, np.where(partial != NOT_MET, _PR, _NR))
    call = lowest.copy()
    reason = np.zeros(len(facts), dtype=np.int64)
    if rule.setting("unknown_markers") == "undetermined":
        open_ = (lowest == _NR) & (partial < 0)
        call[open_], reason[open_] = _MISSING, 4
    empty = tally.recorded == 0
    dead, withdrawn = _unobserved(facts, patients, withdrawal_day)
    withdrawn &= rule.setting("withdrawn") != "observed"
    for mask, code, setting in ((empty, 3, "missing"), (withdrawn, 2, "withdrawn"), (dead, 1, "dead")):
        value = _NR if rule.setting(setting) == "NR" else _MISSING
        call[mask], reason[mask] = value, code
        if code != 3:
            lowest[mask], highest[mask] = value, value
    frame = facts.keys[["patient_id", "visit", "day"]].copy()
    frame["rule"] = rule.name
    frame["response"] = RESPONSES[call]
    frame["reason"] = _REASONS[reason]
    for name in ("improved", "evaluable", "normal", "recorded"):
        frame[f"n_{name}"] = getattr(tally, name)
    frame["response_lowest"] = RESPONSES[lowest]
    frame["response_highest"] = RESPONSES[highest]
    if tally.names is not None:
        frame["improved"] = [text.strip().replace(" ", ", ") for text in tally.names]
    after = np.ones(len(facts), dtype=bool)
    if facts.baseline_row is not None:
        after = facts.baseline_row != np.arange(len(facts))
    return frame[after].reset_index(drop=True)


def response_evidence(facts: Facts, rule: ResponseRule, rows: BoolArray | None = None) -> pd.DataFrame:
    """One row for each patient-visit, marker and comparison, with the value and source row behind it."""
    keep = np.ones(len(facts), dtype=bool) if rows is None else rows
    memo: Memo = {}
    parts = []
    names = {MET: "improved", NOT_MET: "not improved", CENSORED: "undetermined", NOT_DONE: "not done"}
    for marker in rule.markers:
        improved = marker_states(marker, facts, rule, memo).improved[keep]
        verdict = np.array([names[int(code)] for code in improved], dtype=object)
        for what, one in _evidence_rules(marker, rule).items():
            part = rule_evidence(one, facts, keep, memo).assign(
                item=marker.id, label=f"{marker.label}: {what}"
            )
            if what.startswith("improved"):
                part["state"] = np.tile(verdict, len(part) // max(len(verdict), 1))
            parts.append(part)
    return pd.concat(parts, ignore_index=True).assign(criteria=rule.name)[EVIDENCE_COLUMNS]


def _evidence_rules(marker: Marker, rule: ResponseRule) -> dict[str, Rule]:
    """Rules that took part in judging a marker, by what they say."""
    mode = rule.setting("marker_thresholds")
    rules: dict[str, Rule] = {}
    if marker.specific is not None and mode != "none":
        if marker.applies is not None:
            rules["own threshold applies"] = marker.applies
        rules["improved by its own threshold"] = marker.specific
    if marker.specific is None or marker.applies is not None or mode != "replace":
        rules["improved by the general rule"] = marker.improved
    return {**rules, "abnormal at baseline": marker.abnormal, "normal": marker.normal}


def compare_rules(
    facts: Facts,
    patients: pd.DataFrame,
    *,
    variants: Mapping[str, tuple[str, Mapping[str, Any]]] = VARIANTS,
    extra_directories: Iterable[Directory] = (),
    withdrawal_day: Mapping[str, float] | None = None,
    measures: Measures | None = None,
) -> pd.DataFrame:
    """Response by every rule variant side by side: patient_id, visit, day, one column a variant."""
    folders = list(extra_directories)
    result = None
    for label, (name, settings) in variants.items():
        rule = load_response_rule(name, extra_directories=folders, settings=settings, measures=measures)
        frame = assess_response(facts, patients, rule, withdrawal_day=withdrawal_day, with_names=False)
        if result is None:
            result = frame[["patient_id", "visit", "day"]].copy()
        result[label] = frame["response"]
    if result is None:
        raise ClinicalError("variants: none given")
    return result


def withdrawal_days(
    treatments: pd.DataFrame,
    drugs: Collection[str],
    *,
    not_withdrawal: Iterable[str] = ("remission", "response", "completed", "death", "died"),
) -> dict[str, float]:
    """Day from which each patient had left the drugs whose last course ended for want of effect or tolerance.

    A patient has withdrawn when no course of `drugs` is ongoing and the stop_reason of the last one is given
    and holds none of the words of `not_withdrawal`; the day is the one after the last treatment day. A stop
    without a reason is not taken for a withdrawal.

    >>> columns = ["patient_id", "drug", "start_day", "stop_day", "stop_reason"]
    >>> rows = [["a", "ruxolitinib", 0, 20, "no effect"], ["b", "ruxolitinib", 0, 20, "remission"]]
    >>> withdrawal_days(pd.DataFrame(rows, columns=columns), ["ruxolitinib"])
    {'a': 21.0}
    """
    require_columns(treatments, "treatments", ["patient_id", "drug", "stop_day", "stop_reason"])
    courses = treatments[treatments["drug"].isin(list(drugs))]
    ongoing = set(courses.loc[courses["stop_day"].isna(), "patient_id"])
    ended = courses[~courses["patient_id"].isin(ongoing)].sort_values("stop_day", kind="stable")
    last = ended.drop_duplicates("patient_id", keep="last")
    reason = last["stop_reason"].fillna("").astype(str).str.lower()
    words = list(not_withdrawal)
    kept = [bool(text.strip()) and not any(word in text for word in words) for text in reason]
    left = last[np.array(kept, dtype=bool)]
    return {str(who): float(day) + 1 for who, day in zip(left["patient_id"], left["stop_day"], strict=True)}


# Blood products, as the vocabulary calls them, and the sign that one was given.
PRODUCTS: Mapping[str, str] = {
    "red_cells": "red_cell_transfusion", "platelet_concentrate": "platelet_transfusion",
}  # fmt: skip


def transfusion_facts(facts: Facts, treatments: pd.DataFrame, *, lookback_days: int = 7) -> Facts:
    """Add red_cell_transfusion and platelet_transfusion: 1 if given in the days up to the visit, else 0.

    A visit looks back over `lookback_days` days, its own included. What was recorded at a visit stands before
    it. Only of use where transfusions are recorded among the treatments; without any such row in the whole
    table the facts come back unchanged, because nothing recorded is not the same as nothing given.

    >>> keys = pd.DataFrame({"patient_id": ["a", "a"], "visit": ["week_1", "week_2"], "day": [7, 14]})
    >>> given = pd.DataFrame(
    ...     {"patient_id": ["a"], "drug": ["red_cells"], "start_day": [5], "stop_day": [5]}
    ... )
    >>> transfusion_facts(Facts(keys, {}), given).column("red_cell_transfusion").value.tolist()
    [1.0, 0.0]
    """
    if not treatments["drug"].isin(list(PRODUCTS)).any():
        return facts
    day = facts.keys["day"].to_numpy(dtype=float, na_value=np.nan)
    patient = facts.keys["patient_id"].to_numpy()
    for product, variable in PRODUCTS.items():
        given = treatments[treatments["drug"] == product]
        value = np.where(np.isnan(day), np.nan, 0.0)
        source = np.full(len(facts), np.nan)
        stops = given["stop_day"].astype("Float64").fillna(given["start_day"]).to_numpy(dtype=float)
        rows = (
            given["source_row"].to_numpy(dtype=float)
            if "source_row" in given
            else np.full(len(given), np.nan)
        )
        for who, start, stop, row in zip(given["patient_id"], given["start_day"], stops, rows, strict=True):
            during = (patient == who) & (start <= day) & (stop > day - lookback_days)
            value[during], source[during] = 1.0, row
        recorded = facts.columns.get(variable)
        facts = facts.with_column(variable, value, day=day, source_row=source, table="treatments")
        if recorded is not None:
            own = recorded.where(~np.isnan(recorded.value), facts.columns[variable])
            facts = replace(facts, columns={**facts.columns, variable: own})
    return facts
