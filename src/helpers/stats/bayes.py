"""Posterior of an effect under weak, sceptical and enthusiastic priors, and what each prior expected to see.

Everything is on a grid or by quadrature: one effect needs no sampler, and the same input gives the same
bytes. The priors are normal on the log ratio and named by what they say: the sceptic finds a halving of the
hazard unlikely, the enthusiast expects it (Spiegelhalter, Freedman & Parmar 1994; Greenland 2006).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import log
from typing import Any

import numpy as np

from helpers.stats.checks import Floats, confidence_level, event_count, event_flags, turns
from helpers.stats.counting_process import at_risk_sums, records
from helpers.stats.result import Result, StatisticsError

_GRID = np.linspace(-16.0, 16.0, 12_801)
_DEATHS = 300  # whose terms are held at once
# Double exponential quadrature of (0, 1), which powers at the ends do not disturb (Takahasi & Mori 1974).
_STEPS = np.linspace(-3.2, 3.2, 321)
_NODES = np.minimum(1 / (1 + np.exp(-np.pi * np.sinh(_STEPS))), 1 - 2.0**-53)
_NODE_WEIGHTS = 0.02 * np.pi / 4 * np.cosh(_STEPS) / np.cosh(np.pi / 2 * np.sinh(_STEPS)) ** 2
_Z975 = 1.959963984540054


@dataclass(frozen=True)
class NormalPrior:
    """Normal prior of a log ratio."""

    name: str
    mean: float
    sd: float

    @property
    def limits(self) -> tuple[float, float]:
        """The ratio's central 95 % under the prior."""
        half = _Z975 * self.sd
        return float(np.exp(self.mean - half)), float(np.exp(self.mean + half))


def standard_priors(alternative: float = 0.5) -> tuple[NormalPrior, NormalPrior, NormalPrior]:
    """Weak, sceptical and enthusiastic prior around a ratio `alternative` that would matter (not 1).

    Weak: normal(0, 2), a ratio between 1/50 and 50. Sceptical: centred at no effect, with 2.5 % for an
    effect beyond the alternative. Enthusiastic: centred at the alternative, with 2.5 % for no effect or
    harm. Raises StatisticsError for an alternative of 1, or not above 0.

    >>> [round(p.sd, 3) for p in standard_priors()]
    [2.0, 0.354, 0.354]
    """
    if not alternative > 0 or alternative == 1:
        raise StatisticsError("alternative", f"must be above 0 and not 1, found {alternative!r}")
    width = abs(log(alternative)) / _Z975
    return (
        NormalPrior("weak", 0.0, 2.0),
        NormalPrior("sceptical", 0.0, width),
        NormalPrior("enthusiastic", log(alternative), width),
    )


@dataclass(frozen=True)
class Posterior:
    """Posterior density of a log ratio on an even grid (integrates to 1).

    >>> prior = standard_priors()[1]
    >>> found = posterior_odds_ratio(1, 20, 8, 21, prior)
    >>> round(found.probability_below(1.0), 3), round(found.quantile(0.5), 2)
    (0.87, 0.7)
    >>> result = found.result()
    >>> round(result.value, 2), round(result.lower, 2), round(result.upper, 2)
    (0.7, 0.37, 1.3)
    """

    prior: NormalPrior
    kind: str
    grid: Floats
    density: Floats
    n: int

    @cached_property
    def _cumulative(self) -> Any:
        """Distribution function, cubic between the points of the grid, with the density as its slope."""
        from scipy.integrate import cumulative_simpson
        from scipy.interpolate import CubicHermiteSpline

        found = cumulative_simpson(self.density, x=self.grid, initial=0.0)
        return CubicHermiteSpline(self.grid, np.clip(found, 0.0, 1.0), self.density)

    def probability_below(self, ratio: float) -> float:
        """P(ratio < `ratio` | data)."""
        return float(np.clip(self._cumulative(log(ratio)), 0.0, 1.0))

    def quantile(self, q: float) -> float:
        """Posterior quantile of the ratio."""
        from scipy.optimize import brentq

        low, high = float(self.grid[0]), float(self.grid[-1])
        return float(np.exp(brentq(lambda b: float(self._cumulative(b)) - q, low, high, xtol=1e-12)))

    def result(self, *, confidence: float = 0.95, benefit: float = 0.8) -> Result:
        """Median with equal-tailed interval; `details`: P(ratio < 1) and P(ratio < `benefit`), by name.

        Raises StatisticsError for a level that is not between 0 and 1.
        """
        level = confidence_level(confidence)
        return Result(
            method=f"posterior {self.kind}, {self.prior.name} prior "
            f"normal({self.prior.mean:.3g}, {self.prior.sd:.3g})",
            value=self.quantile(0.5),
            lower=self.quantile((1 - level) / 2),
            upper=self.quantile((1 + level) / 2),
            n=self.n,
            confidence=level,
            options={"prior": self.prior.name, "benefit": benefit},
            details={
                "below_1": self.probability_below(1.0),
                "below_benefit": self.probability_below(benefit),
            },
        )


def _posterior(prior: NormalPrior, log_likelihood: Floats, kind: str, n: int) -> Posterior:
    from scipy.integrate import simpson

    log_density = log_likelihood - (_GRID - prior.mean) ** 2 / (2 * prior.sd**2)
    density = np.exp(log_density - log_density.max())
    return Posterior(prior, kind, _GRID, density / float(simpson(density, x=_GRID)), n)


def posterior_hazard_ratio(
    time: Any, event: Any, treated: Any, prior: NormalPrior, *, entry: Any = None
) -> Posterior:
    """Posterior of the hazard ratio from the Cox partial likelihood (Efron ties), with delayed `entry` if
    given.

    The partial likelihood stands for the likelihood, the baseline hazard being left free (Kalbfleisch 1978).
    Arms without events are no obstacle. Raises StatisticsError without events.

    >>> weak = standard_priors()[0]
    >>> found = posterior_hazard_ratio([5, 9, 30, 30], [1, 1, 0, 0], [0, 0, 1, 1], weak)
    >>> found.n, found.probability_below(1.0) > 0.9
    (4, True)
    """
    size = np.size(time)
    data = records(np.zeros(size) if entry is None else entry, time, event)
    arm = event_flags(treated, data.stop.size, "treated")
    if not data.event.any():
        raise StatisticsError("event", "no events")
    at, index, count = np.unique(data.stop[data.event], return_inverse=True, return_counts=True)
    member = np.column_stack([arm, ~arm]).astype(float)
    risk = at_risk_sums(member, data.start, data.stop, at)
    tied = np.zeros_like(risk)
    np.add.at(tied, index, member[data.event])
    block = np.repeat(np.arange(at.size), count)
    part = turns(count) / count[block]
    left = risk[block] - part[:, None] * tied[block]
    ratio, terms = np.exp(_GRID), np.zeros(_GRID.size)
    for start in range(0, len(left), _DEATHS):
        own = left[start : start + _DEATHS]
        terms += np.log(own[:, :1] * ratio + own[:, 1:]).sum(0)
    likelihood = float((arm & data.event).sum()) * _GRID - terms
    return _posterior(prior, likelihood, "hazard ratio", int(data.stop.size))


def posterior_odds_ratio(e1: Any, n1: Any, e2: Any, n2: Any, prior: NormalPrior) -> Posterior:
    """Posterior of the odds ratio of e1/n1 (treated) v e2/n2, Jeffreys prior of the control risk.

    `e1`, `e2` are events, `n1`, `n2` patients. Raises StatisticsError for counts that cannot be.

    >>> weak = standard_priors()[0]
    >>> round(posterior_odds_ratio(5, 20, 5, 20, weak).probability_below(1.0), 2)  # equal arms
    0.53
    """
    a, size_1 = event_count(e1, n1, "e1", "n1")
    b, size_2 = event_count(e2, n2, "e2", "n2")
    eta = np.linspace(-18.0, 18.0, 1201)
    # Beta(1/2, 1/2) on the logit scale, with the likelihood of the controls.
    control = (b + 0.5) * eta - (size_2 + 1) * np.logaddexp(0, eta)
    shifted = eta[None, :] + _GRID[:, None]
    joint = control + a * shifted - size_1 * np.logaddexp(0, shifted)
    top = joint.max(1, keepdims=True)
    likelihood = top[:, 0] + np.log(np.exp(joint - top).sum(1))
    return _posterior(prior, likelihood, "odds ratio", size_1 + size_2)


def prior_predictive_events(
    prior: NormalPrior, observed: Any, n_treated: Any, control_events: Any, n_control: Any
) -> Result:
    """What the prior, given the controls, expected of the treated: mean events, 95 % range and tail
    probability.

    The control risk r has its Jeffreys posterior, the treated risk is 1 - (1 - r)^HR, the number of
    events binomial (Box 1980). `value` is the expected number, `lower` and `upper` the central 95 % of
    counts, `p_value` the probability of a count no more probable than the observed one: small, if prior
    and data disagree. `details["probabilities"]` has the whole distribution from 0 to n. Raises
    StatisticsError for counts that cannot be.

    >>> sceptical = standard_priors()[1]
    >>> found = prior_predictive_events(sceptical, 1, 20, 8, 21)
    >>> round(found.value, 1), found.lower, found.upper
    (7.9, 2.0, 15.0)
    """
    from scipy.special import gammaln
    from scipy.stats import beta

    seen, size = event_count(observed, n_treated, "observed", "n_treated")
    events, controls = event_count(control_events, n_control, "control_events", "n_control")
    nodes, weights = np.polynomial.legendre.leggauss(200)
    risk = beta.ppf((nodes + 1) / 2, events + 0.5, controls - events + 0.5)
    z, z_weights = np.polynomial.hermite_e.hermegauss(80)
    ratio = np.exp(prior.mean + prior.sd * z)
    spared = ratio[:, None] * np.log1p(-np.minimum(risk, 1 - 1e-15))[None, :]
    # A risk too small to be told from 0 has no logarithm; its events have probability 0 either way.
    struck = np.log(np.maximum(-np.expm1(spared), 1e-300))
    joint = (z_weights / z_weights.sum())[:, None] * (weights / 2)[None, :]
    counts = np.arange(size + 1)
    ways = gammaln(size + 1) - gammaln(counts + 1) - gammaln(size - counts + 1)
    probability = np.array(
        [
            float((joint * np.exp(log_ways + k * struck + (size - k) * spared)).sum())
            for k, log_ways in zip(counts.tolist(), ways.tolist(), strict=True)
        ]
    )
    probability /= probability.sum()
    cumulative = np.cumsum(probability)
    return Result(
        method=f"prior predictive number of events, {prior.name} prior",
        value=float(counts @ probability),
        lower=float(np.searchsorted(cumulative, 0.025)),
        upper=float(np.searchsorted(cumulative, 0.975)),
        p_value=min(1.0, float(probability[probability <= probability[seen] * (1 + 1e-9)].sum())),
        n=size,
        details={"probabilities": probability.tolist(), "observed": seen},
    )


def discounted_controls(
    e1: Any, n1: Any, e2: Any, n2: Any, *, discount: float, confidence: float = 0.95
) -> Result:
    """Risk difference (treated less control) when a historical control counts as `discount` of a patient.

    Power prior with fixed power (Ibrahim & Chen 2000): the control risk has Beta(1/2 + a e2, 1/2 + a (n2
    - e2)), a = `discount` between 0 and 1, the treated Beta(1/2 + e1, 1/2 + n1 - e1). `value` is the
    posterior mean, the interval is equal-tailed, `details["below_0"]` is P(treated risk < control risk),
    `details["effective_controls"]` how many controls remain. By quadrature. Raises StatisticsError for a
    discount that is not between 0 and 1, or counts that cannot be.

    >>> found = discounted_controls(1, 20, 8, 21, discount=0.5)
    >>> round(found.value, 2), round(found.details["effective_controls"], 1)
    (-0.32, 10.5)
    """
    from scipy.optimize import brentq
    from scipy.stats import beta

    level = confidence_level(confidence)
    a, size_1 = event_count(e1, n1, "e1", "n1")
    b, size_2 = event_count(e2, n2, "e2", "n2")
    if not 0 <= discount <= 1:
        raise StatisticsError("discount", f"must lie between 0 and 1, found {discount!r}")
    one = beta(a + 0.5, size_1 - a + 0.5)
    none = beta(discount * b + 0.5, discount * (size_2 - b) + 0.5)

    def below(gap: float) -> float:
        # The treated risk is below 1 between these control risks; above them it is below for certain.
        low, high = max(0.0, -gap), min(1.0, 1.0 - gap)
        if high <= low:
            return float(none.sf(high))
        control = np.clip(low + (high - low) * _NODES, 1e-300, 1 - 2.0**-53)
        inside = (high - low) * float(_NODE_WEIGHTS @ (none.pdf(control) * one.cdf(control + gap)))
        return inside + float(none.sf(high))

    tails = [(1 - level) / 2, (1 + level) / 2]
    limits = [float(brentq(lambda g, t=t: below(g) - t, -1.0, 1.0, xtol=1e-12)) for t in tails]
    return Result(
        method=f"posterior risk difference, controls discounted to {discount:g} (power prior)",
        value=float(one.mean() - none.mean()),
        lower=limits[0],
        upper=limits[1],
        n=size_1 + size_2,
        confidence=level,
        options={"discount": discount},
        details={"below_0": below(0.0), "effective_controls": discount * size_2},
    )
