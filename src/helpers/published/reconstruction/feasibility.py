"""Can all printed values hold at once? If not, which of them clash.

Every printed value is one linear constraint over whole numbers (counts; order statistics of each variable
in units of
the last printed decimal) that holds only if its own literal is true. CP-SAT is asked for a solution under the
assumption that all literals are true. Its answer "infeasible" is a proof; the assumptions it used are then
thinned,
one by one, until none can be left out: what remains is a smallest set of printed values and rules that
cannot all
hold. CP-SAT was chosen over local search for this reason alone: a search that finds nothing proves nothing.

The p-value of a rank-sum test is not linear. For it the smallest and largest statistic that the order
statistics
allow are worked out exactly, and the p-values at and between them are compared with the printed one.

>>> from helpers.published.ledger import read_ledger
>>> ledger = Ledger(read_ledger())
>>> [(kind, number.value) for kind, number in printed_facts(ledger, "R76")]
[('percent', 20.0), ('count', 4.0)]
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from helpers.published.ledger import Number, numbers_in
from helpers.published.reconstruction import bindings
from helpers.published.reconstruction.marginals import InfeasibleError
from helpers.published.reconstruction.samples import (
    ANEMIA_G_PER_L,
    MISSING_CONTROLS,
    NEUTROPENIA,
    NEUTROPHIL_SHARE,
    THROMBOCYTOPENIA,
)
from helpers.published.reconstruction.solver import constraint_solver
from helpers.published.reconstruction.targets import ARMS, TABLE_ROWS, Ledger

_ARM_LETTER = {"ruxolitinib": "r", "control": "c"}
# Body weights considered possible for an adult of the cohort, kg.
LIGHTEST, HEAVIEST = 36, 82
_RULE = "rule: "


@dataclass(frozen=True)
class Clash:
    """A smallest set of printed values and rules that cannot all hold; leaving out a suspect resolves it."""

    ids: tuple[str, ...]
    rules: tuple[str, ...]
    suspects: tuple[str, ...]

    def sentence(self, ledger: Ledger) -> str:
        """The clash in words, with the printed values."""
        shown = "; ".join(f"{i} ({ledger.describe(i)}) prints {ledger.printed(i)!r}" for i in self.ids)
        text = f"These printed values cannot all hold: {shown}."
        if self.rules:
            text += f" Rules involved: {'; '.join(self.rules)}."
        if self.suspects:
            text += f" Leaving out {' or '.join(self.suspects)} alone would resolve every clash found."
        return text


class ContradictionError(InfeasibleError):
    """The printed values contradict each other; `clashes` holds the proofs."""

    def __init__(self, clashes: list[Clash], ledger: Ledger) -> None:
        self.clashes = clashes
        super().__init__("\n".join(c.sentence(ledger) for c in clashes))


class System:
    """The printed values as linear constraints, each under its own literal."""

    def __init__(self, ledger: Ledger) -> None:
        cp_model = constraint_solver()
        self.cp, self.model, self.ledger = cp_model, cp_model.CpModel(), ledger
        self.literals: dict[str, Any] = {}
        self.counts = {name: self.model.new_int_var(0, 400, name) for name in bindings.COUNTS}
        self.order: dict[tuple[str, str], list[Any]] = {}
        self._counted()
        self._rules()
        self._continuous()
        self._doses()
        self._tests()

    def require(self, name: str, constraint: Any) -> None:
        """Let a constraint hold if the literal of `name` (a ledger id or a rule) is true."""
        if name not in self.literals:
            self.literals[name] = self.model.new_bool_var(name)
        self.model.add(constraint).only_enforce_if(self.literals[name])

    def _counted(self) -> None:
        for name, ids in bindings.COUNTS.items():
            whole = self.counts[bindings.DENOMINATORS.get(name, f"patients.{name[-1]}")]
            for identifier in ids:
                for kind, number in printed_facts(self.ledger, identifier):
                    self._one_fact(identifier, self.counts[name], whole, kind, number)

    def _one_fact(self, identifier: str, part: Any, whole: Any, kind: str, number: Number) -> None:
        if kind == "count":
            self.require(identifier, part == int(number.value))
        elif kind == "denominator":
            self.require(identifier, whole == int(number.value))
        else:
            # 100 part / whole rounds to the printed percentage; cleared of fractions.
            unit = 10**number.decimals
            value = round(number.value * unit)
            self.require(identifier, 200 * unit * part >= (2 * value - 1) * whole)
            self.require(identifier, 200 * unit * part <= (2 * value + 1) * whole)

    def _rules(self) -> None:
        for name, terms, relation, constant in bindings.RULES:
            total = sum(factor * self.counts[q] for factor, q in terms)
            self.require(f"rule: {name}", total == constant if relation == "=" else total <= constant)
        for name, part in self.counts.items():
            if not name.startswith("patients"):
                self.require(f"rule: {name[:-2]} within its arm", part <= self.counts[f"patients.{name[-1]}"])

    def sizes(self) -> dict[str, int]:
        """Patients per arm: the size most rows print, so that one wrong row is found out by the others."""
        found = {}
        for arm, letter in _ARM_LETTER.items():
            printed: Counter[int] = Counter()
            for name, ids in bindings.COUNTS.items():
                own = "count" if name == f"patients.{letter}" else "denominator"
                if name.endswith(f".{letter}") and name not in bindings.DENOMINATORS:
                    facts = [fact for i in ids for fact in printed_facts(self.ledger, i)]
                    printed.update(int(number.value) for kind, number in facts if kind == own)
            found[arm] = printed.most_common(1)[0][0]
        return found

    def _continuous(self) -> None:
        for name, first in TABLE_ROWS.items():
            for k, arm in enumerate(ARMS):
                ids: list[tuple[str, ...]] = [(f"T{first + 3 * k + j:03d}",) for j in range(3)]
                if arm == "ruxolitinib" and name in bindings.TEXT_REPEATS:
                    ids = [a + b for a, b in zip(ids, bindings.TEXT_REPEATS[name], strict=True)]
                scale = 10 ** max(self.ledger.number(i).decimals for group in ids for i in group)
                # How many controls have a value is not printed where some have none: median and range only.
                size = 3 if arm == "control" and name in MISSING_CONTROLS else self.sizes()[arm]
                self.order[name, arm] = self._ordered(f"{name}.{arm}", size, ids, scale)
        for identifier in ("T002", "T005"):
            variable = self.order["age", "ruxolitinib" if identifier == "T002" else "control"][0]
            self.require("M03", variable >= int(self.ledger.number("M03").value))
        self._cut("hemoglobin", ANEMIA_G_PER_L, "moderate anaemia.r")
        self._cut("platelets", THROMBOCYTOPENIA, "severe thrombocytopenia.r")
        self._cut("neutrophils", NEUTROPENIA * 100, "severe neutropenia.r")
        self._cut("fibrinogen", self.ledger.number("R34").value * 100, "hypofibrinogenaemia.r", "R34")
        for arm in ARMS:
            for low, high in zip(self.order["neutrophils", arm], self.order["leucocytes", arm], strict=True):
                share = round(100 * NEUTROPHIL_SHARE)
                self.require("rule: neutrophils are part of leucocytes", 100 * low <= share * high)

    def _ordered(self, name: str, size: int, ids: list[tuple[str, ...]], scale: int) -> list[Any]:
        """Order statistics with the printed median, smallest and largest value."""
        x = [self.model.new_int_var(0, 10**7, f"{name}_{i}") for i in range(size)]
        for a, b in pairwise(x):
            self.model.add(a <= b)
        middle = 2 * x[size // 2] if size % 2 else x[size // 2 - 1] + x[size // 2]
        for group, twice in zip(ids, (middle, 2 * x[0], 2 * x[-1]), strict=True):
            for identifier in group:
                number = self.ledger.number(identifier)
                # The mean of two middle values may have been rounded either way.
                value, half = round(2 * number.value * scale), scale // 10**number.decimals
                half = half if twice is middle and size % 2 == 0 else half - 1
                self.require(identifier, twice >= value - half)
                self.require(identifier, twice <= value + half)
        return x

    def _cut(self, variable: str, cut: float, count: str, source: str = "") -> None:
        name = source or f"rule: {count[:-2]} means {variable} below its cut-off"
        below = []
        for i, x in enumerate(self.order[variable, "ruxolitinib"]):
            b = self.model.new_bool_var(f"{variable}_below_{i}")
            self.model.add(x < math.ceil(cut)).only_enforce_if(b)
            self.model.add(x >= math.ceil(cut)).only_enforce_if(~b)
            below.append(b)
        self.require(name, sum(below) == self.counts[count])

    def _doses(self) -> None:
        """Doses per kilogram: ordered, falling as printed, and possible with an adult's weight."""
        found = {}
        for name, ids in bindings.DOSE_PER_KG.items():
            median, low, high = (self.model.new_int_var(0, 10**4, f"dose {name} {k}") for k in range(3))
            self.model.add(low <= median)
            self.model.add(median <= high)
            for variable, group in zip((median, low, high), ids, strict=True):
                for identifier in group:
                    number = self.ledger.number(identifier)
                    self.require(identifier, variable >= round(number.value * 100) - 5)
                    self.require(identifier, variable <= round(number.value * 100) + 5)
            found[name] = (median, low, high)
        before, after = found["before"][0], found["week 8"][0]
        fall = self.ledger.number("R80").value
        # Printed as 81 where 81.5 would round up: truncation is allowed for.
        self.require("R80", 1000 * (before - after) >= round(10 * fall - 5) * before)
        self.require("R80", 1000 * (before - after) <= round(10 * fall + 10) * before)
        dose = self.order["dose", "ruxolitinib"]
        rule = f"rule: body weights of {LIGHTEST} to {HEAVIEST} kg"
        self.require(rule, found["before"][2] * LIGHTEST <= 100 * dose[-1] + 50)
        self.require(rule, found["before"][1] * HEAVIEST >= 100 * dose[0] - 50)
        self.require("M05", found["before"][1] >= round(self.ledger.number("M05").value * 100))

    def _tests(self) -> None:
        r, c = self.sizes()["ruxolitinib"], self.sizes()["control"]
        for identifier, name in bindings.TABLE_P_VALUES.items():
            number = self.ledger.number(identifier)
            pairs = [
                (a, b) for a in range(r + 1) for b in range(c + 1) if number.agrees_with(_table_p(a, r, b, c))
            ]
            self._one_of(identifier, f"{name}.r", f"{name}.c", pairs)
        for identifier in bindings.LOG_RANK_P_VALUES:
            number, day = self.ledger.number(identifier), self.ledger.count("D12")
            horizon = self.ledger.count("R31")
            deaths = [
                d
                for d in range(c + 1)
                if any(number.agrees_with(p) for p in _log_rank_p(r, c, d, day, horizon))
            ]
            others = [(a, b) for a in range(r + 1) if a != 1 for b in range(c + 1)]
            # With other than one treated death the days are not printed and nothing follows.
            self._one_of(identifier, "dead.r", "dead.c", [(1, d) for d in deaths] + others)

    def _one_of(self, identifier: str, first: str, second: str, pairs: list[tuple[int, int]]) -> None:
        chosen = []
        for a, b in pairs:
            pick = self.model.new_bool_var(f"{identifier}_{a}_{b}")
            self.model.add(self.counts[first] == a).only_enforce_if(pick)
            self.model.add(self.counts[second] == b).only_enforce_if(pick)
            chosen.append(pick)
        self.require(identifier, sum(chosen) >= 1)

    def core(self, names: Iterable[str]) -> list[str] | None:
        """None if all of `names` can hold; else some of them that cannot."""
        wanted = list(names)
        self.model.clear_assumptions()
        self.model.add_assumptions([self.literals[n] for n in wanted])
        solver = self.cp.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 1
        solver.parameters.cp_model_presolve = False
        status = solver.solve(self.model)
        if status in (self.cp.OPTIMAL, self.cp.FEASIBLE):
            return None
        used = set(solver.sufficient_assumptions_for_infeasibility())
        found = [n for n in wanted if self.literals[n].index in used]
        return found or wanted


def printed_facts(ledger: Ledger, identifier: str) -> list[tuple[str, Number]]:
    """What a row of counts says: count, percent, denominator (`30% (6/20)` says all three)."""
    text, numbers = ledger.printed(identifier), numbers_in(ledger.printed(identifier))
    facts: list[tuple[str, Number]] = []
    fraction = re.search(r"(\d+)\s*(?:/|of)\s*(\d+)", text)
    if fraction:
        facts += [("count", Number(float(fraction[1]), 0)), ("denominator", Number(float(fraction[2]), 0))]
    percent = re.search(r"(\d+(?:\.\d+)?)\s*%", text)
    if percent or ledger.unit(identifier) == "%":
        facts.append(("percent", numbers_in(percent[1])[0] if percent else numbers[0]))
    if not fraction and ledger.unit(identifier) != "%":
        facts.append(("count", Number(float(ledger.whole(identifier)), 0)))
    return facts


@cache
def _table_p(a: int, n: int, b: int, m: int) -> float:
    from helpers.stats.contingency import two_by_two_test

    return two_by_two_test([[a, n - a], [b, m - b]], rule="expected_count").p_value


@cache
def _log_rank_p(r: int, c: int, deaths: int, day: int, horizon: int) -> tuple[float, ...]:
    """Log-rank p with one treated death on `day`, by the number of control deaths before it."""
    from helpers.stats.logrank import logrank_test

    found = []
    for before in range(min(deaths, day - 1) + 1):
        after = deaths - before
        if after > horizon - 1 - day:
            continue
        days = [*range(1, before + 1), *range(day + 1, day + 1 + after)]
        time = [day] + [horizon] * (r - 1) + days + [horizon] * (c - deaths)
        event = [t < horizon for t in time]
        found.append(logrank_test(time, event, ["r"] * r + ["c"] * c).p_value)
    return tuple(found)


def find_clashes(ledger: Ledger) -> list[Clash]:
    """All clashes found: smallest sets, each disjoint from those before it. Empty if everything can hold."""
    system = System(ledger)
    every = sorted(n for n in system.literals if n not in bindings.SET_ASIDE)
    clashes = [_clash(core, system, every) for core in _disjoint_cores(system, every)]
    return clashes or _rank_sum_clashes(ledger, system)


def _disjoint_cores(system: System, names: list[str]) -> list[list[str]]:
    """Smallest sets that cannot all hold, each without the printed values of those before it."""
    cores, left = [], names
    while (core := system.core(left)) is not None:
        core = _thinned(system, core)
        cores.append(core)
        used = _printed(core) or core
        left = [n for n in left if n not in used]
    return cores


def _clash(core: list[str], system: System, every: list[str]) -> Clash:
    """A core as values, rules, and those values of which each alone would resolve everything."""
    printed = _printed(core)
    suspects = tuple(n for n in printed if system.core(m for m in every if m != n) is None)
    rules = tuple(n.removeprefix(_RULE) for n in core if n.startswith(_RULE))
    return Clash(tuple(printed), rules, suspects)


def _printed(core: list[str]) -> list[str]:
    return [name for name in core if not name.startswith(_RULE)]


def _thinned(system: System, core: list[str]) -> list[str]:
    """Leave out one member after another as long as the rest still clashes."""
    for name in list(core):
        smaller = system.core(n for n in core if n != name)
        if smaller is not None:
            core = [n for n in core if n in smaller]
    return core


def _rank_sum_clashes(ledger: Ledger, system: System) -> list[Clash]:
    from helpers.published.reconstruction.marginals import order_box
    from helpers.published.reconstruction.samples import arm_specs
    from helpers.published.reconstruction.targets import continuous_targets

    clashes = []
    for name, target in continuous_targets(ledger).items():
        if name in MISSING_CONTROLS:
            continue
        boxes = [
            order_box(s, np.random.default_rng(0)) for s in arm_specs(target, ledger, system.sizes()).values()
        ]
        smallest, largest = attainable_p_values(boxes)
        if target.p_value.sign == "<":
            wrong = smallest >= target.p_value.value
        else:
            half = 0.5 * 10.0**-target.p_value.decimals
            wrong = target.p_value.value + half < smallest or target.p_value.value - half > largest
        if wrong:
            rule = f"medians and ranges leave rank-sum p-values between {smallest:.3g} and {largest:.3g}"
            clashes.append(Clash(target.ids, (rule,), (target.ids[-1],)))
    return clashes


def attainable_p_values(boxes: list[Any]) -> tuple[float, float]:
    """Smallest and largest two-sided rank-sum p that order statistics within the boxes can give.

    The statistic is largest with the first sample at its upper and the second at its lower bounds, and the
    reverse; what lies between is reached step by step. The p-values are those of the normal approximation
    without
    ties and continuity correction, widened by a tenth for ties and for the exact distribution.
    """
    from scipy.stats import norm

    x, y = boxes
    n, m = len(x.low), len(y.low)
    low, high = _u(x.low, y.high), _u(x.high, y.low)
    centre, spread = n * m / 2, math.sqrt(n * m * (n + m + 1) / 12)
    nearest = 0.0 if low <= centre <= high else min(abs(low - centre), abs(high - centre))
    farthest = max(abs(low - centre), abs(high - centre))
    largest = 1.0 if nearest == 0 else float(2 * norm.sf(nearest / spread / 1.1))
    return float(2 * norm.sf(1.1 * farthest / spread)), min(largest, 1.0)


def _u(x: Any, y: Any) -> float:
    difference = np.asarray(x)[:, None] - np.asarray(y)[None, :]
    return float((difference > 0).sum() + 0.5 * (difference == 0).sum())


def require_feasible(ledger: Ledger) -> None:
    """Raise ContradictionError, naming the clashing values, unless all printed values can hold at once."""
    clashes = find_clashes(ledger)
    if clashes:
        raise ContradictionError(clashes, ledger)
