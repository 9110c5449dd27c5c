"""Evaluation of criteria and scores at patient-visits: verdict, counts, bounds and evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.clinical.definitions import MISSING_POLICIES, Criteria, Need, Score, ScoreItem, load_criteria
from helpers.clinical.errors import ClinicalError, NothingRecordedError
from helpers.clinical.facts import QUALIFIER_SIGNS, BoolArray, Column, Facts, StateArray
from helpers.clinical.rules import (
    CENSORED,
    MET,
    NOT_DONE,
    NOT_MET,
    RELATIVE_UNITS,
    SIDES,
    STATE_NAMES,
    Compare,
    Memo,
    Rule,
    Weighted,
    compare,
)
from helpers.vocabulary.names import normalise_unit

__all__ = [
    "Evaluation",
    "ScoreEvaluation",
    "evaluate",
    "evaluate_score",
    "load_criteria",
    "rule_evidence",
]

VERDICTS = np.array(["not met", "met", "undetermined"], dtype=object)
EVIDENCE_COLUMNS = [
    "patient_id", "visit", "day", "criteria", "item", "label", "state", "rule", "rule_state", "variable",
    "value", "qualifier", "unit", "threshold", "measured_day", "table", "source_row", "baseline_value",
    "baseline_qualifier", "baseline_source_row",
]  # fmt: skip


@dataclass(frozen=True)
class Evaluation:
    """States of every item, and the verdict (1 met, 0 not met, -1 undetermined), by row of facts.

    >>> from helpers.clinical.definitions import load_set
    >>> keys = pd.DataFrame({"patient_id": ["a"], "visit": ["baseline"], "day": [0]})
    >>> facts = (
    ...     Facts(keys, {}).with_column("ferritin", [9000.0], unit="ng/mL").with_column("fever", [1.0])
    ... )
    >>> found = evaluate(load_set("hlh_2004"), facts)
    >>> found.counts((1,)).tolist(), found.frame()["verdict"].tolist()
    ([2], ['undetermined'])
    >>> found.evidence().query("item == 'ferritin'")["value"].tolist()
    [9000.0]
    """

    criteria: Criteria
    facts: Facts
    states: Mapping[str, StateArray]
    verdict: StateArray
    missing: str

    def counts(self, states: tuple[int, ...]) -> npt.NDArray[np.int64]:
        """Count the items in one of the given states in each row.

        Exclusions and items of alternative ways (a molecular diagnosis) are not among the items counted.
        """
        first = self.criteria.needs[0].way
        groups = {
            group
            for need in self.criteria.needs
            if need.way == first and need.at_most is None
            for group in need.among
        }
        counted = [self.states[item.id] for item in self.criteria.items if item.group in groups]
        return np.asarray(np.sum([np.isin(state, states) for state in counted], axis=0))

    def frame(self) -> pd.DataFrame:
        """One row for each patient-visit: verdict, counts of items by state, and the state of each item."""
        result = self.facts.keys.copy()
        result["criteria"] = self.criteria.name
        result["verdict"] = VERDICTS[self.verdict]
        result["n_met"] = self.counts((MET,))
        result["n_not_met"] = self.counts((NOT_MET,))
        result["n_undetermined"] = self.counts((CENSORED,))
        result["n_not_done"] = self.counts((NOT_DONE,))
        result["n_met_lowest"] = result["n_met"]
        result["n_met_highest"] = result["n_met"] + result["n_undetermined"] + result["n_not_done"]
        for name, state in self.states.items():
            result[name] = pd.Categorical(
                _STATES_IN_ORDER[state.astype(np.int64) + 2], list(_STATES_IN_ORDER)
            )
        return result

    def evidence(self, rows: BoolArray | None = None) -> pd.DataFrame:
        """One row for each patient-visit, item and comparison, with the value that decided it."""
        keep = np.ones(len(self.facts), dtype=bool) if rows is None else rows
        parts = [
            rule_evidence(item.rule, self.facts, keep).assign(item=item.id, label=item.label)
            for item in self.criteria.items
        ]
        return pd.concat(parts, ignore_index=True).assign(criteria=self.criteria.name)[EVIDENCE_COLUMNS]


@dataclass(frozen=True)
class ScoreEvaluation:
    """Lowest and highest attainable points of every item, and the verdict at the cut-off, by row of facts."""

    score: Score
    facts: Facts
    low: Mapping[str, npt.NDArray[np.float64]]
    high: Mapping[str, npt.NDArray[np.float64]]
    done: Mapping[str, BoolArray]
    verdict: StateArray

    @property
    def lowest(self) -> npt.NDArray[np.float64]:
        """Sum of the points that are certain: what a clinician adds up when missing items give nothing."""
        return np.asarray(np.sum(list(self.low.values()), axis=0), dtype=float)

    @property
    def highest(self) -> npt.NDArray[np.float64]:
        """Sum if everything unknown gave the most points it can."""
        return np.asarray(np.sum(list(self.high.values()), axis=0), dtype=float)

    @property
    def as_it_stands(self) -> npt.NDArray[np.float64]:
        """The score: the certain points, or of weighted values their sum where nothing is missing, else NaN.

        Points can be left out, a laboratory value in a weighted sum cannot: without it there is no sum.
        """
        if all(item.weighted is None for item in self.score.items):
            return self.lowest
        return np.where(np.isclose(self.lowest, self.highest), self.lowest, np.nan)

    def frame(self) -> pd.DataFrame:
        """One row for each patient-visit: score, attainable range, items present, verdict, item points."""
        result = self.facts.keys.copy()
        result["criteria"] = self.score.name
        result["verdict"] = VERDICTS[self.verdict]
        result["score"] = self.as_it_stands
        result["score_lowest"] = self.lowest
        result["score_highest"] = self.highest
        result["items_present"] = np.sum(list(self.done.values()), axis=0)
        result["items_total"] = len(self.score.items)
        for name, low in self.low.items():
            result[f"points_{name}"] = low
            result[f"points_{name}_highest"] = self.high[name]
        return result

    def evidence(self, rows: BoolArray | None = None) -> pd.DataFrame:
        """One row for each patient-visit, item and comparison, with the value that decided it."""
        keep = np.ones(len(self.facts), dtype=bool) if rows is None else rows
        parts = []
        for item in self.score.items:
            if item.weighted is not None:
                part = _weighted_evidence(item.weighted, self.facts, keep)
                parts.append(part.assign(criteria=self.score.name, item=item.id, label=item.label))
            for points, rule in item.steps:
                part = rule_evidence(rule, self.facts, keep)
                parts.append(
                    part.assign(
                        criteria=self.score.name, item=item.id, label=f"{item.label}: {points:g} points"
                    )
                )
        return pd.concat(parts, ignore_index=True)[EVIDENCE_COLUMNS]


_STATES_IN_ORDER = np.array(
    [STATE_NAMES[state] for state in (NOT_DONE, CENSORED, NOT_MET, MET)], dtype=object
)


def check_variables(parts: Iterable[Rule | Weighted], facts: Facts, name: str) -> list[str]:
    """List the variables that the facts never hold; `NothingRecordedError` if that is all of them.

    >>> from helpers.clinical.definitions import load_set
    >>> facts = Facts(pd.DataFrame({"patient_id": ["a"], "visit": ["baseline"], "day": [0]}), {})
    >>> rules = [item.rule for item in load_set("hlh_2004").items]
    >>> check_variables(rules, facts.with_column("fever", [1.0]), "hlh_2004")[:2]
    ['ferritin', 'fibrinogen']
    """
    used: set[str] = set()
    for part in parts:
        used |= {part.variable} if isinstance(part, Weighted) else {leaf.variable for leaf in part.leaves()}
    absent = sorted(variable for variable in used if variable not in facts.columns)
    if len(absent) == len(used):
        raise NothingRecordedError(
            f"criteria {name}: none of its variables was ever recorded: {', '.join(sorted(used))}"
        )
    return absent


def evaluate(criteria: Criteria, facts: Facts, *, missing: str | None = None) -> Evaluation:
    """Evaluate a criteria set in every row of `facts`.

    `missing` overrides the set's own policy: "undetermined" gives a verdict only where the unknown items
    cannot turn it; "not_met" counts unknown items as not met, as is done at the bedside. An item's own
    policy stands before both.
    """
    policy = _policy(missing or criteria.missing)
    check_variables([item.rule for item in criteria.items], facts, criteria.name)
    memo: Memo = {}
    states = {item.id: item.rule.states(facts, memo) for item in criteria.items}
    settled = {}
    for item in criteria.items:
        state = states[item.id]
        own = item.missing or policy
        settled[item.id] = np.where(state < 0, NOT_MET, state) if own == "not_met" else state
    ways: dict[str, list[StateArray]] = {}
    for need in criteria.needs:
        chosen = [settled[item.id] for item in criteria.items if item.group in need.among]
        ways.setdefault(need.way, []).append(_need_state(chosen, need))
    met = [np.min([_ordered(state) for state in states_], axis=0) for states_ in ways.values()]
    best = np.max(met, axis=0)
    verdict = np.where(best == 2, 1, np.where(best == 0, 0, -1)).astype(np.int8)
    return Evaluation(criteria, facts, states, verdict, policy)


def _policy(value: str) -> str:
    if value not in MISSING_POLICIES:
        raise ClinicalError(f"missing: found '{value}', expected {' or '.join(MISSING_POLICIES)}")
    return value


def _ordered(state: StateArray) -> npt.NDArray[np.int8]:
    """Order states so that minimum is "and", maximum is "or": not met 0, unknown 1, met 2."""
    return np.where(state == MET, 2, np.where(state == NOT_MET, 0, 1)).astype(np.int8)


def _need_state(states: list[StateArray], need: Need) -> StateArray:
    met = np.sum([state == MET for state in states], axis=0)
    possible = np.sum([state != NOT_MET for state in states], axis=0)
    if need.at_most is not None:
        return np.where(
            possible <= need.at_most, MET, np.where(met > need.at_most, NOT_MET, CENSORED)
        ).astype(np.int8)
    return np.where(met >= need.at_least, MET, np.where(possible < need.at_least, NOT_MET, CENSORED)).astype(
        np.int8
    )


def evaluate_score(score: Score, facts: Facts, *, missing: str | None = None) -> ScoreEvaluation:
    """Evaluate a score in every row of `facts`.

    Each item gives the points of its highest step met; unknown steps give a range of points. The verdict at
    the cut-off is met if the lowest sum reaches it, not met if the highest does not, else undetermined; with
    `missing="not_met"` the lowest sum alone decides.
    """
    policy = _policy(missing or score.missing)
    parts = [part for item in score.items for part in _parts(item)]
    check_variables(parts, facts, score.name)
    memo: Memo = {}
    low, high, done = {}, {}, {}
    for item in score.items:
        low[item.id], high[item.id], done[item.id] = _item_points(item, facts, memo)
    bounds = [
        _sum_state(sums, score.cutoff) for sums in (np.sum([*low.values()], 0), np.sum([*high.values()], 0))
    ]
    verdict = (
        bounds[0] if policy == "not_met" else np.where(bounds[0] == bounds[1], bounds[0], -1).astype(np.int8)
    )
    return ScoreEvaluation(score, facts, low, high, done, verdict)


def _parts(item: ScoreItem) -> list[Rule | Weighted]:
    return [item.weighted] if item.weighted is not None else [rule for _, rule in item.steps]


def _item_points(
    item: ScoreItem, facts: Facts, memo: Memo
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], BoolArray]:
    """Lowest and highest points of an item in each row, and whether it was recorded."""
    if item.weighted is not None:
        least, most = item.weighted.points(facts)
        column = facts.columns.get(item.weighted.variable)
        return least, most, np.zeros(len(facts), dtype=bool) if column is None else ~np.isnan(column.value)
    least, most = np.zeros(len(facts)), np.zeros(len(facts))
    present = np.ones(len(facts), dtype=bool)
    for points, rule in item.steps:
        state = rule.states(facts, memo)
        least[state == MET] = points
        most[state != NOT_MET] = points
        present &= state != NOT_DONE
    # A step that is certain settles the item even if a lower or higher one lacks a value.
    return least, most, present | (least == most)


def _sum_state(sums: npt.NDArray[np.float64], cutoff: Compare) -> StateArray:
    holder = Facts(pd.DataFrame(index=range(len(sums))), {}).with_column("score", sums)
    return compare(holder.columns["score"], cutoff.op, cutoff.value)


def rule_evidence(rule: Rule, facts: Facts, rows: BoolArray, memo: Memo | None = None) -> pd.DataFrame:
    """List each comparison of a rule at the chosen rows with the value, day and source row behind it."""
    chosen = np.flatnonzero(rows)
    memo = {} if memo is None else memo
    overall = _state_names(rule.states(facts, memo)[chosen])
    keys = {key: facts.keys[key].to_numpy()[chosen] for key in ("patient_id", "visit", "day")}
    parts = []
    for leaf in dict.fromkeys(rule.leaves()):
        state = _state_names(leaf.states(facts, memo)[chosen])
        parts.append({**keys, "state": overall, "rule_state": state, **_leaf_columns(leaf, facts, chosen)})
    return pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def _state_names(states: StateArray) -> npt.NDArray[np.object_]:
    return np.array([STATE_NAMES[int(code)] for code in states], dtype=object)


def _leaf_columns(leaf: Compare, facts: Facts, rows: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[Any]]:
    """Values behind one comparison at the chosen rows, as recorded where they were compared so."""
    column = facts.column(leaf.variable, leaf.at)
    relative = facts.column(leaf.variable, "baseline") if leaf.unit == "x baseline" else None
    empty = np.full(len(rows), np.nan)
    found = {
        "rule": np.full(len(rows), leaf.text(), dtype=object),
        **_value_columns(leaf.variable, column, rows),
        "threshold": _threshold(leaf, facts, column)[rows],
        "baseline_value": empty if relative is None else relative.value[rows],
        "baseline_qualifier": _texts("", len(rows)) if relative is None else _signs(relative, rows),
        "baseline_source_row": empty if relative is None else relative.source_row[rows],
    }
    if column is not None and not (column.unit or leaf.sign):
        # Values of the patients' table are in the unit kept.
        found["unit"] = _texts(leaf.kept, len(rows))
    if column is not None and column.written is not None:
        for inside, limit in leaf.printed_limits(column):
            here = inside[rows]
            unit = column.written.units[int(column.written.unit[rows[here][0]])] if here.any() else ""
            if here.any() and unit != normalise_unit(column.unit):
                found["value"] = np.where(here, column.written.value[rows], found["value"])
                found["threshold"] = np.where(here, limit, found["threshold"])
                found["unit"] = np.where(here, unit, found["unit"])
    return found


def _value_columns(
    variable: str, column: Column | None, rows: npt.NDArray[np.int64]
) -> dict[str, npt.NDArray[Any]]:
    """The values of a variable at the chosen rows, and where they come from."""
    n = len(rows)
    empty = np.full(n, np.nan)
    return {
        "variable": _texts(variable, n),
        "value": empty if column is None else column.value[rows],
        "qualifier": _texts("", n) if column is None else _signs(column, rows),
        "unit": _texts("" if column is None else column.unit, n),
        "measured_day": empty if column is None else column.day[rows],
        "table": _texts("" if column is None else column.table, n),
        "source_row": empty if column is None else column.source_row[rows],
    }


def _weighted_evidence(part: Weighted, facts: Facts, rows: BoolArray) -> pd.DataFrame:
    """The value of a weighted item at the chosen rows; it is neither met nor not met."""
    chosen = np.flatnonzero(rows)
    column = facts.columns.get(part.variable)
    found = pd.DataFrame(
        {
            **{key: facts.keys[key].to_numpy()[chosen] for key in ("patient_id", "visit", "day")},
            "rule": part.text(),
            **_value_columns(part.variable, column, chosen),
        }
    )
    state = np.where(found["value"].isna(), STATE_NAMES[NOT_DONE], "")
    empty = {"threshold": np.nan, "baseline_value": np.nan, "baseline_source_row": np.nan}
    return found.assign(state=state, rule_state=state, baseline_qualifier="", **empty)


def _texts(text: str, n: int) -> npt.NDArray[np.object_]:
    return np.full(n, text, dtype=object)


def _signs(column: Column, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.object_]:
    return np.array([QUALIFIER_SIGNS[int(code)] for code in column.qualifier[rows]], dtype=object)


def _threshold(leaf: Compare, facts: Facts, column: Column | None) -> npt.NDArray[np.float64]:
    """Number a value was compared with in each row, in the unit the variable is kept in."""
    if leaf.unit == "x baseline":
        baseline = facts.column(leaf.variable, "baseline")
        return np.full(len(facts), np.nan) if baseline is None else leaf.value * baseline.value
    if leaf.unit in RELATIVE_UNITS:
        limit = facts.limit(leaf.variable, SIDES[leaf.unit], column)
        return np.full(len(facts), np.nan) if limit is None else leaf.value * limit
    return np.full(len(facts), leaf.threshold)
