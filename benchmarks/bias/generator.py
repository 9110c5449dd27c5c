"""Cohorts with a known truth: a treated series beside historical controls, each distortion switched on by
name.

Time is days from eligibility. Death has a Weibull hazard (shape 0.6: most deaths come early), multiplied by
severity, by the era of the treated, by the drug from the day it starts, and by rescue from the day it starts.
A treated patient who dies before the drug starts never enters the series: that is how lag distorts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
HORIZON = 56.0
SHAPE, SCALE = 0.6, 150.0
SEVERITY_EFFECT = 0.7
RESCUE_EFFECT = np.log(0.4)


@dataclass(frozen=True)
class Scenario:
    """Distortions: `lag` days at most from eligibility to drug, log hazard ratios of era and drug, severity
    shift."""

    name: str
    lag: float = 0.0
    era: float = 0.0
    severity: float = 0.0
    rescue: tuple[float, float] = (0.0, 0.0)
    effect: float = 0.0

    def ideal(self) -> Scenario:
        """The same patients and the same drug, without era and rescue: what the study would like to know."""
        return replace(self, era=0.0, rescue=(0.0, 0.0))


SCENARIOS = (
    Scenario("nothing"),
    Scenario("lag only", lag=14.0),
    Scenario("era only", era=float(np.log(0.6))),
    Scenario("severity", severity=-0.8),
    Scenario("rescue", rescue=(0.05, 0.40)),
    Scenario(
        "all, with effect",
        lag=14.0,
        era=float(np.log(0.6)),
        severity=-0.8,
        rescue=(0.05, 0.40),
        effect=float(np.log(0.5)),
    ),
)


@dataclass(frozen=True)
class Cohort:
    """One simulated study; arrays one entry a patient, times in days from eligibility."""

    treated: NDArray[np.bool_]
    severity: Floats
    start: Floats
    death: Floats
    rescue: Floats

    @property
    def size(self) -> int:
        return int(self.treated.size)

    def recorded(self) -> tuple[Floats, NDArray[np.bool_]]:
        """What a naive analysis sees: days from the recorded day 0 (drug, or eligibility), cut at the
        horizon."""
        time = self.death - self.start
        return np.minimum(time, HORIZON), time <= HORIZON

    def from_eligibility(self) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Entry, time and event from eligibility, cut at the horizon."""
        return self.start, np.minimum(self.death, HORIZON), self.death <= HORIZON


def _hazard(days: Floats) -> Floats:
    return np.asarray((days / SCALE) ** SHAPE)


def _death_days(
    rng: np.random.Generator, risk: Floats, start: Floats, effect: float, rescue: Floats
) -> Floats:
    """Day of death by inversion of the cumulative hazard, which changes its slope at drug and rescue."""
    needed = rng.standard_exponential(risk.size) / risk
    first, second = np.minimum(start, rescue), np.maximum(start, rescue)
    drug_first = start <= rescue
    slope_1 = np.where(drug_first, np.exp(effect), np.exp(RESCUE_EFFECT))
    slope_2 = np.exp(effect) * np.exp(RESCUE_EFFECT)
    h1, h2 = _hazard(np.minimum(first, 1e9)), _hazard(np.minimum(second, 1e9))
    at_2 = h1 + (h2 - h1) * slope_1
    base = np.where(
        needed <= h1,
        needed,
        np.where(needed <= at_2, h1 + (needed - h1) / slope_1, h2 + (needed - at_2) / slope_2),
    )
    return np.asarray(SCALE * base ** (1 / SHAPE))


def _arm(rng: np.random.Generator, scenario: Scenario, size: int, treated: bool, drug: bool) -> Cohort:
    severity = rng.normal(scenario.severity if treated else 0.0, 1.0, size)
    start = rng.uniform(0.0, scenario.lag, size) if treated and scenario.lag else np.zeros(size)
    share = scenario.rescue[0 if treated else 1]
    when = rng.uniform(2.0, 20.0, size)
    rescue = np.where(rng.random(size) < share, when, np.inf)
    risk = np.exp(SEVERITY_EFFECT * severity + (scenario.era if treated else 0.0))
    begin = start if drug else np.full(size, np.inf)
    death = _death_days(rng, risk, begin, scenario.effect if drug else 0.0, rescue)
    rescue = np.where(rescue < death, rescue, np.inf)
    return Cohort(np.full(size, treated), severity, start, death, rescue)


def _joined(parts: list[Cohort]) -> Cohort:
    names = ("treated", "severity", "start", "death", "rescue")
    return Cohort(*(np.concatenate([getattr(p, n) for p in parts]) for n in names))


def _first(cohort: Cohort, size: int) -> Cohort:
    kept = np.flatnonzero(cohort.death > cohort.start)[:size]
    return Cohort(*(getattr(cohort, n)[kept] for n in ("treated", "severity", "start", "death", "rescue")))


def simulate(scenario: Scenario, size: int, rng: np.random.Generator) -> Cohort:
    """One study of `size` patients, half of them treated; the treated are those who lived to receive the
    drug."""
    n1 = size // 2
    candidates = _first(_arm(rng, scenario, int(n1 * 1.6) + 40, treated=True, drug=True), n1)
    return _joined([candidates, _arm(rng, scenario, size - n1, treated=False, drug=False)])


def ideal_trial(scenario: Scenario, size: int, rng: np.random.Generator) -> Cohort:
    """A randomised trial in the population of the treated: both arms enter on the same days, in the same era.

    The controls are patients like the treated who lived to the day on which the drug would have started.
    """
    ideal = scenario.ideal()
    n1 = size // 2
    one = _first(_arm(rng, ideal, int(n1 * 1.6) + 40, treated=True, drug=True), n1)
    none = _first(_arm(rng, ideal, int((size - n1) * 1.6) + 40, treated=True, drug=False), size - n1)
    return _joined([one, replace(none, treated=np.zeros(none.size, bool))])
