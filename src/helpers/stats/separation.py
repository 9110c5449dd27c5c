"""Data on which a Cox model has no finite estimate: no information, or a likelihood that rises for ever.

Whether the partial likelihood has a maximum is a question about inequalities, not about how a fit behaves
(Bryson & Johnson, Biometrics 1981;37:85-99): it has none exactly if some combination of the covariates is
never higher in anybody at risk than in the one who has the event. A threshold on the estimate cannot see that
when one patient stands beside a thousand, for then a long way in the coefficient is a short one per standard
deviation.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.stats.checks import Bools, Floats
from helpers.stats.cox_likelihood import RiskSets

# Differences of standardised covariates below this are rounding.
_ZERO = 1e-9


def without_information(times: Floats, events: Bools, design: Floats) -> bool:
    """Whether some combination of the covariates is the same in all at risk at every event that some survive.

    `design` (subjects x covariates) is standardised. Then no event says who of those at risk is the likelier.

    >>> times, events = np.array([1.0, 2.0]), np.array([True, False])
    >>> (
    ...     without_information(times, events, np.array([[1.0], [1.0]])),
    ...     without_information(times, events, np.array([[1.0], [-1.0]])),
    ... )
    (True, False)
    """
    if _surely_informed(times, events, design):
        return False
    spread = _spread_at_risk(times, events, design)
    return bool(np.linalg.eigvalsh(spread).min() <= _ZERO * max(float(np.trace(spread)), 1.0))


def _surely_informed(times: Floats, events: Bools, design: Floats) -> bool:
    """Whether the risk set of the first event alone has enough spread in every direction.

    The spread of all risk sets is at least this one's, and no more than the number of event times times the
    largest square in each covariate: so most data are known to inform without their other risk sets.
    """
    first = times[events].min()
    at_risk = times >= first
    if at_risk.sum() == (events & (times == first)).sum():  # nobody survives it
        return False
    members = design if at_risk.all() else design[at_risk]
    mean = members.mean(0)
    spread = np.linalg.eigvalsh(members.T @ members / len(members) - np.outer(mean, mean))
    most = float(events.sum()) * design.shape[1] * float(np.abs(design).max()) ** 2
    return bool(spread[0] > 2 * _ZERO * max(most, 1.0) and spread[0] > 1e-8 * spread[-1])


def _spread_at_risk(times: Floats, events: Bools, design: Floats) -> Floats:
    """Covariance of the covariates within the risk sets, summed over event times that somebody survives."""
    sets = RiskSets(times, events, design, "breslow")
    survived = np.where(sets.at_risk > sets.deaths, 1 / sets.deaths, 0.0)
    return np.asarray(sets.moments(np.zeros(design.shape[1]), survived[None, :]).information[0])


def endless_covariates(times: Floats, events: Bools, design: Floats, *, discrete: bool = False) -> list[int]:
    """Indices of the covariates whose coefficient the likelihood drives to infinity; empty if none.

    `design` (subjects x covariates) is standardised and informative (see `without_information`). With
    `discrete` (the discrete likelihood) tied events are not held against each other.

    >>> times, events = np.array([1.0, 2.0, 3.0]), np.array([True, True, False])
    >>> endless_covariates(times, events, np.array([[1.0], [1.0], [-1.0]]))  # the lower one never dies
    [0]
    """
    columns = range(design.shape[1])
    if design.shape[1] == 1:
        x = design[:, 0]
        return [0] if any(_never_higher(times, events, sign * x, discrete) for sign in (1.0, -1.0)) else []
    matrix = _inequalities(times, events, design, discrete)
    return [j for j in columns if any(_reach(matrix, len(columns), j, s) > 1e-6 for s in (1.0, -1.0))]


def _never_higher(times: Floats, events: Bools, x: Floats, discrete: bool) -> bool:
    """Whether at every event nobody at risk has a higher `x` than those who have it."""
    order = np.argsort(-times, kind="stable")
    later, through = (np.searchsorted(-times[order], -times[events], side=s) for s in ("left", "right"))
    if not discrete:
        return bool((x[events] >= np.maximum.accumulate(x[order])[through - 1] - _ZERO).all())
    # Those tied are compared with the rest only: with all who stay longer, and with those censored that day.
    longer = np.concatenate(([-np.inf], np.maximum.accumulate(x[order])))[later]
    survivors = np.where(events[order], -np.inf, x[order])
    same_day = np.array([survivors[a:b].max() for a, b in zip(later, through, strict=True)])
    return bool((x[events] >= np.maximum(longer, same_day) - _ZERO).all())


def _inequalities(times: Floats, events: Bools, design: Floats, discrete: bool) -> Any:
    """Rows a of a @ (coefficients, highest at each event time) <= 0: "nobody at risk is higher".

    One auxiliary unknown an event time, the highest linear predictor among those at risk at it, keeps the
    number of rows proportional to the number of subjects: it is at least that of the next event time and of
    everybody who leaves between the two, and those who have the event reach it.
    """
    from scipy.sparse import csr_array, hstack, vstack

    at = np.unique(times[events])
    last = np.searchsorted(at, times, side="right") - 1
    tied = events & discrete
    watched = (last >= 0) & ~tied
    rows = [hstack([csr_array(design[watched]), _picked(last[watched], at.size, -1.0)])]
    place = np.searchsorted(at, times[events])
    rows.append(hstack([csr_array(-design[events]), _picked(place, at.size, 1.0)]))
    if discrete:
        # Once their time has passed, the tied are below the highest of no later time; before it they are at
        # risk.
        earlier = tied & (last >= 1)
        rows.append(hstack([csr_array(design[earlier]), _picked(last[earlier] - 1, at.size, -1.0)]))
    chain = np.arange(at.size - 1)
    none = csr_array((chain.size, design.shape[1]))
    rows.append(hstack([none, _picked(chain + 1, at.size, 1.0) + _picked(chain, at.size, -1.0)]))
    return vstack(rows, format="csr")


def _picked(columns: Any, width: int, value: float) -> Any:
    from scipy.sparse import csr_array

    count = len(columns)
    return csr_array((np.full(count, value), (np.arange(count), columns)), shape=(count, width))


def _reach(matrix: Any, covariates: int, index: int, sign: float) -> float:
    """How far one coefficient can go in one direction while every inequality holds (all within one)."""
    from scipy.optimize import linprog

    size = matrix.shape[1]
    goal = np.zeros(size)
    goal[index] = -sign
    bounds = [(-1.0, 1.0)] * covariates + [(None, None)] * (size - covariates)
    found = linprog(goal, A_ub=matrix, b_ub=np.zeros(matrix.shape[0]), bounds=bounds, method="highs")
    return abs(float(found.fun or 0.0)) if found.status == 0 else 0.0
