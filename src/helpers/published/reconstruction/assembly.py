"""Giving the values to patients: one assignment for all variables at once, by constraint programming.

Each variable's sorted values are matched to patients by 0/1 variables (a permutation), so every requirement
on a
patient - neutrophils within leucocytes, five of eight HLH-2004 criteria or an HScore of at least 169,
baseline
values from which the recorded course of response is possible - is a linear constraint over them. CP-SAT
proves
that all hold or that they cannot; the objective keeps the ranks near a random draw with clinically sensible
correlations, which is what makes two seeds two cohorts. One worker and a limit in deterministic time keep the
answer the same on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.published.reconstruction.marginals import InfeasibleError
from helpers.published.reconstruction.roster import Patient
from helpers.published.reconstruction.samples import NEUTROPHIL_SHARE, Samples
from helpers.published.reconstruction.solver import constraint_solver
from helpers.published.reconstruction.targets import Continuous, Ledger

# Correlation of each variable with severity; AST, ALT and neutrophils follow a partner instead.
_SEVERITY = {
    "hemoglobin": -0.35,
    "platelets": -0.5,
    "leucocytes": -0.2,
    "ast": 0.45,
    "ldh": 0.5,
    "fibrinogen": -0.45,
    "triglycerides": 0.3,
    "ferritin": 0.5,
    "age": 0.15,
}
_PARTNER = {"neutrophils": ("leucocytes", 0.93), "alt": ("ast", 0.93)}
_COURSE_SEVERITY = {
    "died": 1.3,
    "switched": 0.7,
    "below PR": 0.5,
    "PR by week 8": 0.4,
    "PR by week 3": 0.3,
    "CR by week 2": -1.5,
    "CR by week 3": -1.0,
    "CR by week 8": -0.6,
}
# From worse values than these, normal results by the recorded visit would not be believable.
_STARTS: dict[str, dict[str, tuple[float | None, float | None]]] = {
    "CR by week 2": {
        "hemoglobin": (103, None),
        "platelets": (75, None),
        "ferritin": (None, 3500),
        "alt": (None, 250),
        "ast": (None, 200),
        "ldh": (None, 900),
        "triglycerides": (None, 3.5),
        "fibrinogen": (1.2, None),
        "leucocytes": (1.5, 20),
        "neutrophils": (0.8, None),
    },
    "CR by week 3": {
        "hemoglobin": (90, None),
        "platelets": (50, None),
        "ferritin": (None, 7000),
        "alt": (None, 500),
        "ast": (None, 500),
        "ldh": (None, 1500),
        "triglycerides": (None, 5.0),
        "leucocytes": (1.0, None),
    },
    "CR by week 8": {"hemoglobin": (70, None), "ferritin": (None, 20000)},
    "died": {"ast": (150, None), "platelets": (None, 110), "ferritin": (3000, None)},
}
# Share of patients in whom a sign without a printed number is wanted.
_LEANING = {"hot": 0.55, "scd25_high": 0.6, "nk_activity_low": 0.2, "known_immunosuppression": 0.35}
# Furthest a value may move from its aim, in ranks.
_REACH = 5


@dataclass(frozen=True)
class Assembled:
    """Values and signs of one arm, aligned with its roster."""

    values: dict[str, list[float | None]]
    signs: dict[str, list[bool]]


def _desired_order(roster: list[Patient], names: list[str], rng: np.random.Generator) -> dict[str, Any]:
    """A random score per patient and variable; ranks of these scores are what the assignment aims at."""
    severity = np.array([_COURSE_SEVERITY.get(p.course, 0.0) for p in roster])
    severity = severity + 0.7 * rng.standard_normal(len(roster))
    scores: dict[str, Any] = {}
    for name in sorted(names, key=lambda n: n in _PARTNER):
        if name in _PARTNER:
            partner, weight = _PARTNER[name]
            base = scores[partner]
        else:
            weight, base = _SEVERITY.get(name, 0.0), severity
        scores[name] = weight * base + np.sqrt(1 - weight**2) * rng.standard_normal(len(roster))
    return scores


class _Model:
    """CP-SAT model of one arm."""

    def __init__(
        self,
        roster: list[Patient],
        samples: Samples,
        targets: dict[str, Continuous],
        wanted: dict[str, list[int]],
        reach: int,
    ) -> None:
        cp_model = constraint_solver()
        self.cp, self.roster, self.model = cp_model, roster, cp_model.CpModel()
        self.n, arm = len(roster), roster[0].arm
        self.wanted, self.reach = wanted, reach
        self.scale = {name: targets[name].scale for name in samples}
        self.sorted = {name: [int(v) for v in samples[name][arm]] for name in samples}
        self.x: dict[str, list[list[Any]]] = {name: self._permutation(name) for name in samples}
        self.flags: dict[str, list[Any]] = {}

    def _permutation(self, name: str) -> list[list[Any]]:
        values = self.sorted[name]
        x = [[self._entry(name, i, k) for k in range(len(values))] for i in range(self.n)]
        for row in x:
            # With fewer values than patients some patients have none.
            (self.model.add_exactly_one if len(values) == self.n else self.model.add_at_most_one)(row)
        for k in range(len(values)):
            self.model.add_exactly_one(row[k] for row in x)
        return x

    def _entry(self, name: str, patient: int, k: int) -> Any:
        """Whether the patient has the k-th value; 0 where that is further than `reach` ranks from the aim."""
        aim = self.wanted[name][patient]
        if aim >= 0 and abs(aim - k) > self.reach:
            return 0
        b = self.model.new_bool_var(f"{name}_{patient}_{k}")
        self.model.add_hint(b, int(aim == k))
        return b

    def sum_where(self, name: str, patient: int, predicate: Any) -> Any:
        """1 if the patient's value meets the predicate (on the value in the variable's unit), else 0."""
        row = zip(self.x[name][patient], self.sorted[name], strict=True)
        return sum(b for b, v in row if predicate(v / self.scale[name]))

    def value(self, name: str, patient: int) -> Any:
        """The patient's value in grid units as a linear expression."""
        return sum(b * v for b, v in zip(self.x[name][patient], self.sorted[name], strict=True))

    def flag(self, name: str, count: int | None) -> None:
        """A yes/no sign per patient, with the printed number of yes if there is one."""
        self.flags[name] = [self.model.new_bool_var(f"{name}_{i}") for i in range(self.n)]
        if count is not None:
            self.model.add(sum(self.flags[name]) == count)

    def bounds(self, patient: int, limits: dict[str, tuple[float | None, float | None]]) -> None:
        """Keep a patient's values within limits."""
        for name, (low, high) in limits.items():
            outside = self.sum_where(
                name, patient, lambda v, a=low, b=high: (a is not None and v < a) or (b is not None and v > b)
            )
            self.model.add(outside == 0)


def _diagnosis(m: _Model, ceiling: float | None) -> None:
    """Five of eight HLH-2004 criteria as modified, or HScore at least 169; unknown items count as absent."""

    def hidden(value: float) -> bool:
        """Whether a value at the reporting limit stands for "above": it cannot be scored."""
        return ceiling is not None and value == ceiling

    for i in range(m.n):
        cytopenias = (
            m.sum_where("hemoglobin", i, lambda v: v < 90)
            + m.sum_where("platelets", i, lambda v: v < 100)
            + m.sum_where("neutrophils", i, lambda v: v < 1.0)
        )
        two = m.model.new_bool_var(f"bicytopenia_{i}")
        m.model.add(cytopenias >= 2).only_enforce_if(two)
        lipid = m.model.new_bool_var(f"lipid_or_fibrinogen_{i}")
        m.model.add(
            m.sum_where("triglycerides", i, lambda v: v >= 3.0)
            + m.sum_where("fibrinogen", i, lambda v: v <= 1.5)
            >= 1
        ).only_enforce_if(lipid)
        hlh = (
            1
            + m.flags["splenomegaly"][i]
            + two
            + lipid
            + m.flags["hemophagocytosis"][i]
            + m.flags["scd25_high"][i]
            + m.flags["nk_activity_low"][i]
            + m.sum_where("ferritin", i, lambda v: v >= 3000)
        )
        lines = (
            m.sum_where("hemoglobin", i, lambda v: v <= 92)
            + m.sum_where("leucocytes", i, lambda v: v <= 5.0)
            + m.sum_where("platelets", i, lambda v: v <= 110)
        )
        two_lines, three_lines = m.model.new_bool_var(f"two_{i}"), m.model.new_bool_var(f"three_{i}")
        m.model.add(lines >= 2).only_enforce_if(two_lines)
        m.model.add(lines >= 3).only_enforce_if(three_lines)
        score = (
            18 * m.flags["known_immunosuppression"][i]
            + 33
            + 16 * m.flags["hot"][i]
            + 23 * m.flags["splenomegaly"][i]
            + 35 * m.flags["hemophagocytosis"][i]
            + 24 * two_lines
            + 10 * three_lines
            + 35 * m.sum_where("ferritin", i, lambda v: v >= 2000 and not hidden(v))
            + 15 * m.sum_where("ferritin", i, lambda v: v > 6000 and not hidden(v))
            + 44 * m.sum_where("triglycerides", i, lambda v: v >= 1.5)
            + 20 * m.sum_where("triglycerides", i, lambda v: v > 4)
            + 30 * m.sum_where("fibrinogen", i, lambda v: v <= 2.5)
            + 19 * m.sum_where("ast", i, lambda v: v >= 30)
        )
        m.model.add(three_lines <= two_lines)
        by_criteria, by_score = m.model.new_bool_var(f"hlh_{i}"), m.model.new_bool_var(f"hscore_{i}")
        m.model.add(hlh >= 5).only_enforce_if(by_criteria)
        m.model.add(score >= 169).only_enforce_if(by_score)
        m.model.add_bool_or(by_criteria, by_score)


def _courses(m: _Model) -> None:
    """Baseline values from which the recorded course is possible."""
    for i, patient in enumerate(m.roster):
        if patient.arm == "ruxolitinib":
            m.bounds(i, _STARTS.get(patient.course, {}))
            if not patient.responder:
                m.model.add(m.flags["splenomegaly"][i] == 0)
            else:
                # Beside ferritin a second response marker must have room to improve.
                second = m.flags["scd25_high"][i] + m.sum_where("triglycerides", i, lambda v: v >= 2.0)
                m.model.add(second + m.sum_where("alt", i, lambda v: v > 400) >= 1)
        if patient.prior & {"ciclosporin", "tacrolimus"}:
            m.model.add(m.flags["known_immunosuppression"][i] == 1)


def _aims(
    roster: list[Patient], samples: Samples, targets: dict[str, Continuous], rng: np.random.Generator
) -> dict[str, list[int]]:
    """The order statistic each patient would have if every variable stood alone (-1: none)."""
    from scipy.optimize import linear_sum_assignment

    arm, n = roster[0].arm, len(roster)
    scores = _desired_order(roster, list(samples), rng)
    aims = {}
    for name, score in scores.items():
        values = samples[name][arm] / targets[name].scale
        rank = np.argsort(np.argsort(score)) * len(values) / n
        cost = (rank[:, None] - np.arange(len(values))[None, :]) ** 2
        for i, patient in enumerate(roster):
            low, high = (
                _STARTS.get(patient.course, {}).get(name, (None, None))
                if arm == "ruxolitinib"
                else (None, None)
            )
            cost[i, values < (-np.inf if low is None else low)] += 1e4
            cost[i, values > (np.inf if high is None else high)] += 1e4
        who, which = linear_sum_assignment(cost)
        found = {int(i): int(k) for i, k in zip(who, which, strict=True)}
        aims[name] = [found.get(i, -1) for i in range(n)]
    return aims


def _objective(m: _Model, rng: np.random.Generator) -> Any:
    cost: list[Any] = []
    for name, x in m.x.items():
        for row, aim in zip(x, m.wanted[name], strict=True):
            cost += [(4 if aim < 0 else (aim - k) ** 2) * b for k, b in enumerate(row)]
    for name, flags in m.flags.items():
        lean = _LEANING.get(name, 0.5)
        cost += [(-12 if rng.random() < lean else 12) * b for b in flags]
    return sum(cost)


def assemble(
    roster: list[Patient],
    samples: Samples,
    targets: dict[str, Continuous],
    ledger: Ledger,
    rng: np.random.Generator,
) -> Assembled:
    """Assign every value of one arm to a patient.

    Raises:
        InfeasibleError: CP-SAT proves that no assignment meets all requirements, or finds none in its time.
    """
    arm = roster[0].arm
    aims = _aims(roster, samples, targets, rng)
    m = _Model(roster, samples, targets, aims, _REACH)
    treated = arm == "ruxolitinib"
    m.flag("splenomegaly", ledger.count("T075" if treated else "T077"))
    m.flag("hemophagocytosis", ledger.count("T080" if treated else "T082"))
    for name in ("scd25_high", "nk_activity_low", "known_immunosuppression", "hot"):
        m.flag(name, None)
    if not treated:
        # The assay was rarely done in the controls' years.
        m.model.add(sum(m.flags["scd25_high"]) <= 8)
    m.model.add(sum(m.flags["nk_activity_low"]) <= 6)
    for i in range(m.n):
        m.model.add(
            m.value("neutrophils", i) * 100 <= m.value("leucocytes", i) * round(100 * NEUTROPHIL_SHARE)
        )
    _diagnosis(m, None if treated else targets["ferritin"].summaries["control"].median)
    _courses(m)
    m.model.minimize(_objective(m, rng))
    solver = m.cp.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = int(rng.integers(1 << 30))
    solver.parameters.max_deterministic_time = 4
    status = solver.solve(m.model)
    if status not in (m.cp.OPTIMAL, m.cp.FEASIBLE):
        raise InfeasibleError(f"{arm}: no assignment of values to patients ({solver.status_name(status)})")
    values: dict[str, list[float | None]] = {}
    for name in samples:
        values[name] = [
            next(
                (v / m.scale[name] for b, v in zip(row, m.sorted[name], strict=True) if solver.value(b)), None
            )
            for row in m.x[name]
        ]
    return Assembled(values, {name: [bool(solver.value(b)) for b in row] for name, row in m.flags.items()})
