"""Three-valued rules: comparisons with a threshold and their combination.

A rule's state at a patient-visit is MET, NOT_MET, CENSORED (a value beyond a reporting limit does not decide
it) or NOT_DONE (a value is missing). Combinations follow Kleene's logic: a rule is unknown only if what is
unknown could turn it.

>>> keys = pd.DataFrame(
...     {"patient_id": ["a", "b", "c"], "visit": ["baseline"] * 3, "day": [0, 0, 0]}
... )
>>> facts = (
...     Facts(keys, {})
...     .with_column("fever", [1.0, 0.0, np.nan])
...     .with_column("rash", [0.0, 0.0, 1.0])
... )
>>> fever = Compare("fever", "==", 1.0, "1", sign=True, threshold=1.0)
>>> rash = Compare("rash", "==", 1.0, "1", sign=True, threshold=1.0)
>>> fever.states(facts).tolist(), Not(fever).states(facts).tolist()
([1, 0, -2], [0, 1, -2])
>>> both = AtLeast(2, (fever, rash))
>>> both.text(), both.states(facts).tolist(), [leaf.variable for leaf in both.leaves()]
('fever present and rash present', [0, 0, -2], ['fever', 'rash'])
>>> at_least_states([np.array([1, 0, -1]), np.array([0, 0, 1])], 1).tolist()
[1, 0, 1]
>>> compare(facts.column("fever"), ">=", 1.0).tolist()
[1, 0, -2]
>>> compare_to_baseline(facts.column("fever"), facts.column("rash"), "<=", 0.75).tolist()
[0, 0, -2]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from helpers.clinical.facts import BoolArray, Column, Facts, FloatArray, Side, StateArray

MET: Final = 1
NOT_MET: Final = 0
CENSORED: Final = -1
NOT_DONE: Final = -2
STATE_NAMES: Final = {MET: "met", NOT_MET: "not met", CENSORED: "undetermined", NOT_DONE: "not done"}

OPERATORS: Final = (">", ">=", "<", "<=", "=")
RELATIVE_UNITS: Final = ("x ULN", "x LLN", "x baseline")
SIDES: Final[Mapping[str, Side]] = {"x ULN": "high", "x LLN": "low"}
# Rounding in the last bits of a product such as 0.75 x baseline must not decide a threshold.
TOLERANCE: Final = 1e-9
Memo = dict["Rule", StateArray]


@dataclass(frozen=True)
class Rule:
    """A clinical statement that is met, not met or unknown at each patient-visit."""

    def states(self, facts: Facts, memo: Memo | None = None) -> StateArray:
        """State of the rule in every row of `facts`; `memo` keeps states of rules already worked out."""
        memo = {} if memo is None else memo
        if self not in memo:
            memo[self] = self._states(facts, memo)
        return memo[self]

    def _states(self, facts: Facts, memo: Memo) -> StateArray:
        raise NotImplementedError

    def leaves(self) -> Iterator[Compare]:
        """Yield the comparisons the rule is made of."""
        raise NotImplementedError

    def text(self) -> str:
        """Return the rule in words and signs."""
        raise NotImplementedError


def _exact(op: str, value: FloatArray, threshold: FloatArray | float) -> BoolArray:
    slack = TOLERANCE * np.maximum(1.0, np.abs(threshold))
    if op == ">":
        result = value > threshold + slack
    elif op == ">=":
        result = value >= threshold - slack
    elif op == "<":
        result = value < threshold - slack
    elif op == "<=":
        result = value <= threshold + slack
    else:
        result = np.abs(value - threshold) <= slack
    return np.asarray(result, dtype=bool)


def compare(column: Column, op: str, threshold: FloatArray | float) -> StateArray:
    """State of `value op threshold`, where "<v" and ">v" stand for every value beyond the limit v."""
    limit = np.asarray(threshold, dtype=float)
    value, qualifier = column.value, column.qualifier
    state = _exact(op, value, limit).astype(np.int8)
    if qualifier.any():
        above = (qualifier > 0) & _exact(">=", value, limit)
        below = (qualifier < 0) & _exact("<=", value, limit)
        state[qualifier != 0] = CENSORED
        state[above] = MET if op in (">", ">=") else NOT_MET
        state[below] = MET if op in ("<", "<=") else NOT_MET
    state[np.isnan(value) | np.isnan(limit)] = NOT_DONE
    return state


def _ratio_bounds(now: Column, baseline: Column) -> tuple[FloatArray, FloatArray, BoolArray, BoolArray]:
    """Bounds of value / baseline and whether each bound is open, with censored values read as ranges."""
    low = np.where(now.qualifier < 0, 0.0, now.value)
    high = np.where(now.qualifier > 0, np.inf, now.value)
    base_low = np.where(baseline.qualifier < 0, 0.0, baseline.value)
    base_high = np.where(baseline.qualifier > 0, np.inf, baseline.value)
    with np.errstate(divide="ignore", invalid="ignore"):
        smallest = np.where(np.isinf(base_high), 0.0, low / base_high)
        largest = high / base_low
    # 0 / 0: a value that was and stayed 0 did not change.
    smallest = np.where((low == 0) & (base_high == 0), 1.0, smallest)
    largest = np.where((high == 0) & (base_low == 0), 1.0, largest)
    open_low = (now.qualifier > 0) | (baseline.qualifier > 0)
    open_high = (now.qualifier < 0) | (baseline.qualifier < 0)
    return smallest, largest, open_low, open_high


def compare_to_baseline(now: Column, baseline: Column, op: str, factor: float) -> StateArray:
    """State of `value op factor x baseline`; a censored value or baseline gives only what it can prove.

    ">1500" falling to 1400 proves no fall of 25%, falling to 1000 does.
    """
    if not (now.qualifier.any() or baseline.qualifier.any()):
        # Compared as a product: any rise from 0 is a rise by every factor, 0 to 0 is none.
        state = _exact(op, now.value, factor * baseline.value).astype(np.int8)
        if (op == ">=" and factor > 1) or (op == "<=" and factor < 1):
            state[(baseline.value == 0) & (now.value == 0)] = NOT_MET
    else:
        smallest, largest, open_low, open_high = _ratio_bounds(now, baseline)
        state = np.full(len(now.value), CENSORED, dtype=np.int8)
        if op in (">", ">="):
            met = _exact(op, smallest, factor) | (open_low & _exact(">=", smallest, factor))
            never = ~_exact(op, largest, factor) | (open_high & ~_exact(">", largest, factor))
        elif op in ("<", "<="):
            met = _exact(op, largest, factor) | (open_high & _exact("<=", largest, factor))
            never = ~_exact(op, smallest, factor) | (open_low & ~_exact("<", smallest, factor))
        else:
            exact = ~(open_low | open_high)
            met, never = exact & _exact("=", smallest, factor), exact & ~_exact("=", smallest, factor)
        state[never] = NOT_MET
        state[met] = MET
    state[np.isnan(now.value) | np.isnan(baseline.value)] = NOT_DONE
    return state


@dataclass(frozen=True)
class Compare(Rule):
    """`variable op value unit`: a limit in a unit, or relative to ULN, LLN or baseline.

    Attributes:
        variable, op, value, unit: as printed in the criteria; a sign is compared with 1 (present) or 0.
        at: ``visit``, or ``baseline`` for the patient's value at baseline.
        kept: unit in which the analysis tables keep the variable.
        threshold: the limit in that unit; a multiple has none.
        limits: the limit as it is printed for each spelling of a unit. A value that was recorded in one of
            them is compared there, as it was written: 265 mg/dL of triglycerides is the printed limit, while
            converted it is 2.99 mmol/L and would miss the 3.0 printed beside it.
        sign: whether the variable is a sign.
    """

    variable: str
    op: str
    value: float
    unit: str
    at: str = "visit"
    kept: str = ""
    threshold: float = float("nan")
    limits: tuple[tuple[str, float], ...] = ()
    sign: bool = False

    def _states(self, facts: Facts, memo: Memo) -> StateArray:  # noqa: ARG002
        column = facts.column(self.variable, self.at)
        missing = np.full(len(facts), NOT_DONE, dtype=np.int8)
        if column is None:
            return missing
        if self.unit == "x baseline":
            baseline = facts.column(self.variable, "baseline")
            return missing if baseline is None else compare_to_baseline(column, baseline, self.op, self.value)
        if self.unit in RELATIVE_UNITS:
            normal = facts.limit(self.variable, SIDES[self.unit], column)
            return missing if normal is None else compare(column, self.op, self.value * normal)
        state = compare(column, self.op, self.threshold)
        for rows, limit in self.printed_limits(column):
            state[rows] = compare(column.as_written(rows), self.op, limit)
        return state

    def printed_limits(self, column: Column) -> Iterator[tuple[BoolArray, float]]:
        """Yield the rows whose value was recorded in a unit in which the limit is printed, and that limit."""
        for unit, limit in self.limits:
            rows = column.written_in(unit)
            if rows is not None:
                yield rows, limit

    def leaves(self) -> Iterator[Compare]:
        """Yield this comparison."""
        yield self

    def text(self) -> str:
        """Return for example "ferritin >= 3000 ng/mL" or "fever present"."""
        when = " at baseline" if self.at == "baseline" else ""
        if self.sign:
            return f"{self.variable} {'present' if self.value else 'absent'}{when}"
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f"{self.variable}{when} {self.op} {self.value:g}{unit}"


def _unknown(states: list[StateArray]) -> StateArray:
    """State of a combination that is not decided: CENSORED if a censored value is among its parts."""
    censored = np.zeros(len(states[0]), dtype=bool)
    for state in states:
        censored |= state == CENSORED
    return np.where(censored, CENSORED, NOT_DONE).astype(np.int8)


def at_least_states(states: list[StateArray], needed: int) -> StateArray:
    """State of "at least `needed` of these are met"."""
    met = np.zeros(len(states[0]), dtype=np.int16)
    possible = np.zeros(len(states[0]), dtype=np.int16)
    for state in states:
        met += state == MET
        possible += state != NOT_MET
    result = np.where(met >= needed, MET, np.where(possible < needed, NOT_MET, _unknown(states)))
    return result.astype(np.int8)


@dataclass(frozen=True)
class AtLeast(Rule):
    """At least `needed` of the rules are met; all of them or any one of them are the ends of this."""

    needed: int
    rules: tuple[Rule, ...]

    def _states(self, facts: Facts, memo: Memo) -> StateArray:
        return at_least_states([rule.states(facts, memo) for rule in self.rules], self.needed)

    def leaves(self) -> Iterator[Compare]:
        """Yield the comparisons of every part."""
        for rule in self.rules:
            yield from rule.leaves()

    def text(self) -> str:
        """Return the rules joined by "or" or "and", or counted."""
        parts = [f"({rule.text()})" if isinstance(rule, AtLeast) else rule.text() for rule in self.rules]
        if self.needed == len(self.rules):
            return " and ".join(parts)
        if self.needed == 1:
            return " or ".join(parts)
        return f"at least {self.needed} of: {'; '.join(parts)}"


@dataclass(frozen=True)
class AnyKnown(Rule):
    """Several records of one finding: met if any says so, not met if any is known and none says so."""

    rules: tuple[Rule, ...]

    def _states(self, facts: Facts, memo: Memo) -> StateArray:
        states = [rule.states(facts, memo) for rule in self.rules]
        best = np.max(states, axis=0)
        return np.where(best >= 0, best, _unknown(states)).astype(np.int8)

    def leaves(self) -> Iterator[Compare]:
        """Yield the comparisons of every record."""
        for rule in self.rules:
            yield from rule.leaves()

    def text(self) -> str:
        """Return the records joined by "or"."""
        return " or ".join(rule.text() for rule in self.rules)


@dataclass(frozen=True)
class Not(Rule):
    """The rule is not met; unknown stays unknown."""

    rule: Rule

    def _states(self, facts: Facts, memo: Memo) -> StateArray:
        state = self.rule.states(facts, memo)
        return np.where(state >= 0, 1 - state, state).astype(np.int8)

    def leaves(self) -> Iterator[Compare]:
        """Yield the comparisons of the rule that is negated."""
        yield from self.rule.leaves()

    def text(self) -> str:
        """Return "not (...)"."""
        return f"not ({self.rule.text()})"


@dataclass(frozen=True)
class When(Rule):
    """If `condition` then `then`, else `otherwise`; with an unknown condition what both agree on.

    `assume` "then" or "otherwise" names the branch taken when the condition is unknown.
    """

    condition: Rule
    then: Rule
    otherwise: Rule
    assume: str = ""

    def _states(self, facts: Facts, memo: Memo) -> StateArray:
        condition = self.condition.states(facts, memo)
        then, otherwise = self.then.states(facts, memo), self.otherwise.states(facts, memo)
        if self.assume:
            unknown = then if self.assume == "then" else otherwise
        else:
            undecided = np.minimum(_unknown([then, otherwise]), np.where(condition < 0, condition, 0))
            unknown = np.where((then == otherwise) & (then >= 0), then, undecided)
        result = np.where(condition == MET, then, np.where(condition == NOT_MET, otherwise, unknown))
        return result.astype(np.int8)

    def leaves(self) -> Iterator[Compare]:
        """Yield the comparisons of every part."""
        for rule in (self.condition, self.then, self.otherwise):
            yield from rule.leaves()

    def text(self) -> str:
        """Return "if ... then ... else ..."."""
        return f"if {self.condition.text()}: {self.then.text()}; else {self.otherwise.text()}"


@dataclass(frozen=True)
class Weighted:
    """A value in `unit`, multiplied by a coefficient; a sign is 1 or 0.

    `kept_per_unit` and `kept_at_nought` are one of that unit, and none of it, in the unit of the variable.

    >>> keys = pd.DataFrame({"patient_id": ["a", "b"], "visit": ["baseline"] * 2, "day": [0, 0]})
    >>> facts = Facts(keys, {}).with_column("ferritin", [1000.0, np.nan], unit="ug/L")
    >>> low, high = Weighted("ferritin", 0.001, "ug/L").points(facts)
    >>> low.tolist(), high.tolist()
    ([1.0, 0.0], [1.0, inf])
    """

    variable: str
    coefficient: float
    unit: str
    kept_per_unit: float = 1.0
    kept_at_nought: float = 0.0
    sign: bool = False

    def text(self) -> str:
        """Return for example "ferritin (ng/mL) x 0.0001"."""
        unit = "" if self.unit in ("", "1") else f" ({self.unit})"
        return f"{self.variable}{unit} x {self.coefficient:g}"

    def points(self, facts: Facts) -> tuple[FloatArray, FloatArray]:
        """Return the lowest and the highest points that the values of `facts` allow.

        A value beyond a limit may be anything beyond it, but not below zero; one that is missing may be
        anything, a missing sign absent or present.
        """
        column = facts.columns.get(self.variable)
        least, most = (0.0, 1.0) if self.sign else (0.0, np.inf)
        low, high = np.full(len(facts), least), np.full(len(facts), most)
        if column is not None:
            known = ~np.isnan(column.value)
            low = np.where(known & (column.qualifier >= 0), column.value, low)
            high = np.where(known, np.where(column.qualifier > 0, np.inf, column.value), high)
        ends = (np.stack([low, high]) - self.kept_at_nought) * (self.coefficient / self.kept_per_unit)
        return np.asarray(ends.min(axis=0)), np.asarray(ends.max(axis=0))
