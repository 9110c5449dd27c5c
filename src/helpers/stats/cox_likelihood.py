"""Partial likelihoods of the Cox model: Efron and Breslow by risk-set moments, exact (discrete) by
recursion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from helpers.stats.checks import Bools, Floats, Ints

Likelihood = Callable[[Floats], tuple[float, Floats, Floats]]


@dataclass(frozen=True)
class RiskMoments:
    """Per distinct event time: number of events, sum of (covariate - risk-set mean), and summed variance."""

    time: Floats
    weight: Floats
    residual_sums: Floats
    variance: Floats
    log_denominator: Floats


def event_blocks(times: Floats, events: Bools) -> tuple[Floats, Ints, Floats]:
    """Distinct event times, index into them of each event (ordered by subject), and events at each.

    >>> times, index, count = event_blocks(np.array([3.0, 5.0, 5.0]), np.array([True, True, True]))
    >>> times.tolist(), index.tolist(), count.tolist()
    ([3.0, 5.0], [0, 1, 1], [1.0, 2.0])
    """
    at, index = np.unique(times[events], return_inverse=True)
    return at, index.astype(np.int64), np.bincount(index, minlength=at.size).astype(float)


def risk_moments(times: Floats, events: Bools, design: Floats, beta: Floats, ties: str) -> RiskMoments:
    """Risk-set mean and variance of the covariates at each event time under `beta`.

    With Efron's rule the risk set of d tied events is averaged over removing 0/d, 1/d, ... of the tied
    weight.

    >>> one, two = np.array([3.0, 5.0]), np.array([True, False])
    >>> found = risk_moments(one, two, np.array([[0.0], [1.0]]), np.zeros(1), "efron")
    >>> found.residual_sums.tolist(), found.variance.ravel().tolist()  # 0 - 1/2, and 1/4
    ([[-0.5]], [0.25])
    """
    at, index, deaths = event_blocks(times, events)
    eta = design @ beta
    shift = float(eta.max())
    risk = np.exp(eta - shift)
    size = design.shape[1]
    outer = (design[:, :, None] * design[:, None, :]).reshape(-1, size * size)
    stacked = np.column_stack([np.ones(times.size), design, outer]) * risk[:, None]
    order = np.argsort(times, kind="stable")
    below = np.vstack([np.zeros(stacked.shape[1]), np.cumsum(stacked[order][::-1], axis=0)])[::-1]
    total = below[np.searchsorted(times[order], at)]
    tied = np.zeros_like(total)
    np.add.at(tied, index, stacked[events])
    count = deaths.astype(np.int64)
    block = np.repeat(np.arange(at.size), count)
    place = np.arange(block.size) - np.repeat(np.cumsum(count) - count, count)
    part = place / deaths[block] if ties == "efron" else np.zeros(block.size)
    sums = total[block] - part[:, None] * tied[block]
    mean = sums[:, 1 : size + 1] / sums[:, :1]
    second = (sums[:, size + 1 :] / sums[:, :1]).reshape(-1, size, size)
    variance = np.zeros((at.size, size, size))
    np.add.at(variance, block, second - mean[:, :, None] * mean[:, None, :])
    residual = np.zeros((at.size, size))
    np.add.at(residual, index, design[events])
    np.subtract.at(residual, block, mean)
    log_denominator = np.bincount(block, np.log(sums[:, 0]) + shift, at.size).astype(float)
    return RiskMoments(at, deaths, residual, variance, log_denominator)


def moment_likelihood(times: Floats, events: Bools, design: Floats, ties: str) -> Likelihood:
    """Efron or Breslow log partial likelihood with its gradient and information, as a function of beta.

    >>> times, events = np.array([3.0, 5.0]), np.array([True, False])
    >>> value = moment_likelihood(times, events, np.array([[0.0], [1.0]]), "efron")
    >>> round(float(value(np.zeros(1))[0]), 4)  # log(1/2)
    -0.6931
    """
    chosen = design[events].sum(0)

    def likelihood(beta: Floats) -> tuple[float, Floats, Floats]:
        moments = risk_moments(times, events, design, beta, ties)
        value = float(chosen @ beta - moments.log_denominator.sum())
        return value, moments.residual_sums.sum(0), moments.variance.sum(0)

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
