"""Partial likelihoods of the Cox model: Efron and Breslow by risk-set moments, exact by recursion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from helpers.stats.checks import Bools, Floats, Ints

Likelihood = Callable[[Floats], tuple[float, Floats, Floats]]


# Numbers of the design taken at once: a block stays in the processor's cache, whatever the number of rows.
_CELLS = 200_000


def event_blocks(times: Floats, events: Bools) -> tuple[Floats, Ints, Floats]:
    """Distinct event times, index into them of each event (ordered by subject), and events at each.

    >>> times, index, count = event_blocks(np.array([3.0, 5.0, 5.0]), np.array([True, True, True]))
    >>> times.tolist(), index.tolist(), count.tolist()
    ([3.0, 5.0], [0, 1, 1], [1.0, 2.0])
    """
    at, index = np.unique(times[events], return_inverse=True)
    return at, index.astype(np.int64), np.bincount(index, minlength=at.size).astype(float)


@dataclass(frozen=True)
class RiskMoments:
    """Moments of the covariates over the risk sets, per distinct event time, the latest first.

    Attributes:
        log_denominator: sum over all events of the logarithm of the risk set's total risk.
        residual_sums: of each event time (rows) the sum over its events of covariate less risk-set mean.
        information: variance of the covariates within the risk sets summed over the events, one matrix for
            each row of the weights asked for.
    """

    log_denominator: float
    residual_sums: Floats
    information: Floats


class RiskSets:
    """Who is at risk at each event time, ready for the moments of any coefficients.

    With Efron's rule the risk set of d tied events is averaged over removing 0/d, 1/d, ... of the tied
    weight; Breslow's removes none.

    The variances within the risk sets are never built. Their sum is the second moments' less that of the
    squared means, and a subject's square stands in the second moments of all risk sets that it belongs to: so
    one product of matrices gives their sum, each subject weighted by its risk times the hazard summed over
    the event times that it reaches. That takes time in proportion to subjects x covariates squared and memory
    in proportion to subjects x covariates.

    Attributes:
        time: distinct event times, the latest first.
        deaths: number of events at each.
        at_risk: number at risk at each.

    >>> sets = RiskSets(np.array([3.0, 5.0]), np.array([True, False]), np.array([[0.0], [1.0]]), "efron")
    >>> found = sets.moments(np.zeros(1))
    >>> found.residual_sums.tolist(), found.information.ravel().tolist()  # 0 - 1/2, and 1/4
    ([[-0.5]], [0.25])
    """

    def __init__(self, times: Floats, events: Bools, design: Floats, ties: str) -> None:
        order = np.argsort(-times, kind="stable")
        self._x = np.ascontiguousarray(design[order].T)
        backwards = -times[order]
        rising, deaths = np.unique(times[events], return_counts=True)
        self.time, self.deaths = rising[::-1], deaths[::-1]
        self.at_risk = np.searchsorted(backwards, -self.time, side="right")
        # Of each subject the latest event time that it is at risk at.
        self._reach = np.searchsorted(self.at_risk, np.arange(times.size), side="right")
        self._rows = np.flatnonzero(events[order])
        self._starts = np.cumsum(self.deaths) - self.deaths
        self._chosen = np.add.reduceat(self._x[:, self._rows], self._starts, axis=1)
        self._tied = ties == "efron" and bool((self.deaths > 1).any())
        self._block, self._part, self._count = np.arange(rising.size), np.zeros(1), self.deaths.astype(float)
        if self._tied:
            self._block = np.repeat(self._block, self.deaths)
            self._part = (np.arange(self._block.size) - self._starts[self._block]) / self.deaths[self._block]
            self._count = np.ones(self._block.size)

    def moments(self, beta: Floats, weights: Floats | None = None) -> RiskMoments:
        """Moments under the coefficients `beta`; `weights` (rows x event times) default to one row of 1."""
        eta = beta @ self._x
        shift = float(eta.max())
        risk = np.exp(eta - shift)
        total, sums = np.cumsum(risk)[self.at_risk - 1][self._block], self._sums_at_risk(risk)
        if self._tied:
            own = risk[self._rows]
            tied = np.add.reduceat(self._x[:, self._rows] * own, self._starts, axis=1)
            total = total - self._part * np.add.reduceat(own, self._starts)[self._block]
            sums = sums[:, self._block] - self._part * tied[:, self._block]
        mean = sums / total
        asked = np.ones((1, self.time.size)) if weights is None else weights
        return RiskMoments(
            log_denominator=float(self._count @ np.log(total)) + shift * self._rows.size,
            residual_sums=(self._chosen - self._over_events(mean * self._count)).T,
            information=np.stack([self._information(risk, total, mean, row) for row in asked]),
        )

    def _over_events(self, values: Floats) -> Floats:
        """Sums over the events of each time."""
        return np.add.reduceat(values, self._starts, axis=-1) if self._tied else values

    def _blocks(self, width: int) -> list[slice]:
        step = max(1, _CELLS // self._x.shape[0])
        return [slice(start, min(start + step, width)) for start in range(0, width, step)]

    def _sums_at_risk(self, risk: Floats) -> Floats:
        """Sum of risk times covariate over those at risk at each event time, covariates x event times."""
        found = np.empty((self._x.shape[0], self.time.size))
        carried = np.zeros((self._x.shape[0], 1))
        for rows in self._blocks(risk.size):
            running = np.cumsum(self._x[:, rows] * risk[rows], axis=1)
            running += carried
            carried = running[:, -1:]
            here = slice(*np.searchsorted(self.at_risk, [rows.start, rows.stop], side="right"))
            found[:, here] = running[:, self.at_risk[here] - rows.start - 1]
        return found

    def _information(self, risk: Floats, total: Floats, mean: Floats, weight: Floats) -> Floats:
        hazard = weight[self._block] * self._count / total
        # Summed from the earliest event time on, so that a subject finds what it has lived through.
        lived = np.append(np.cumsum(self._over_events(hazard)[::-1])[::-1], 0.0)
        share = risk * lived[self._reach]
        if self._tied:
            removed = np.add.reduceat(self._part * hazard, self._starts)
            share[self._rows] -= risk[self._rows] * np.repeat(removed, self.deaths)
        spread = np.zeros((self._x.shape[0], self._x.shape[0]))
        for rows in self._blocks(risk.size):
            spread += (self._x[:, rows] * share[rows]) @ self._x[:, rows].T
        times_mean = weight[self._block] * self._count
        for rows in self._blocks(total.size):
            spread -= (mean[:, rows] * times_mean[rows]) @ mean[:, rows].T
        return (spread + spread.T) / 2


def moment_likelihood(times: Floats, events: Bools, design: Floats, ties: str) -> Likelihood:
    """Efron or Breslow log partial likelihood with its gradient and information, as a function of beta.

    >>> times, events = np.array([3.0, 5.0]), np.array([True, False])
    >>> value = moment_likelihood(times, events, np.array([[0.0], [1.0]]), "efron")
    >>> round(float(value(np.zeros(1))[0]), 4)  # log(1/2)
    -0.6931
    """
    chosen = design[events].sum(0)
    sets = RiskSets(times, events, design, ties)

    def likelihood(beta: Floats) -> tuple[float, Floats, Floats]:
        moments = sets.moments(beta)
        value = float(chosen @ beta) - moments.log_denominator
        return value, moments.residual_sums.sum(0), moments.information[0]

    return likelihood


def exact_likelihood(times: Floats, events: Bools, design: Floats) -> Likelihood:
    """Discrete logistic ("exact") log partial likelihood with gradient and information.

    At each event time with d events among n at risk the denominator is the elementary symmetric polynomial of
    order d of the risks, built by the recursion of Gail, Lubin & Rubinstein (1981); its first two derivatives
    in beta are carried along in the same recursion.

    >>> times, events = np.array([3.0, 3.0, 5.0]), np.array([True, True, False])
    >>> value = exact_likelihood(times, events, np.array([[0.0], [1.0], [0.0]]))
    >>> round(float(value(np.zeros(1))[0]), 4)  # one of three pairs: log(1/3)
    -1.0986
    """
    at, _, deaths = event_blocks(times, events)
    sets = [
        (design[times >= t], int(d), design[events & (times == t)].sum(0))
        for t, d in zip(at, deaths, strict=True)
    ]

    def likelihood(beta: Floats) -> tuple[float, Floats, Floats]:
        size = beta.size
        value, gradient, information = 0.0, np.zeros(size), np.zeros((size, size))
        for members, count, chosen in sets:
            log_sum, mean, spread = _symmetric_moments(members, count, beta)
            value += float(chosen @ beta) - log_sum
            gradient += chosen - mean
            information += spread
        return value, gradient, information

    return likelihood


def _symmetric_moments(members: Floats, count: int, beta: Floats) -> tuple[float, Floats, Floats]:
    """Log of the order-`count` elementary symmetric polynomial of the risks, and mean and variance of the
    sum."""
    eta = members @ beta
    shift = float(eta.max())
    risk = np.exp(eta - shift)
    size = beta.size
    if count == 1:
        total = float(risk.sum())
        centre = risk @ members / total
        return (
            float(np.log(total)) + shift,
            centre,
            (members * risk[:, None]).T @ members / total - np.outer(centre, centre),
        )
    zeroth = np.zeros(count + 1)
    first = np.zeros((count + 1, size))
    second = np.zeros((count + 1, size, size))
    zeroth[0] = 1.0
    log_scale = 0.0
    for r, x in zip(risk, members, strict=True):
        xx = np.outer(x, x)
        moved = first[:-1, :, None] * x
        second[1:] += r * (second[:-1] + moved + moved.transpose(0, 2, 1) + zeroth[:-1, None, None] * xx)
        first[1:] += r * (first[:-1] + zeroth[:-1, None] * x)
        zeroth[1:] += r * zeroth[:-1]
        largest = float(zeroth.max())
        if largest > 1e100:
            zeroth, first, second = zeroth / largest, first / largest, second / largest
            log_scale += float(np.log(largest))
    mean = first[count] / zeroth[count]
    spread = second[count] / zeroth[count] - np.outer(mean, mean)
    return float(np.log(zeroth[count])) + log_scale + count * shift, mean, spread
