"""Entropy balancing: weights, as even as possible, under which an arm has exactly the wanted means.

The wanted means are those of the treated (Hainmueller 2012, the estimand is the ATT) or those of a
published table (matching-adjusted indirect comparison, Signorovitch et al. 2010): one problem, one routine.
Weights exist only if the wanted means lie inside the convex hull of the patients; where they do not, that
is the finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.stats.checks import Floats
from helpers.stats.counting_process import checked_weights
from helpers.stats.result import StatisticsError
from helpers.stats.weighted_survival import effective_sample_size

_TOLERANCE = 1e-10
_NO_WEIGHT = 1e-9  # of a weight among weights that add to 1


@dataclass(frozen=True)
class Balancing:
    """Weights that sum to 1, or none and the `reason`; `largest_gap` is the worst moment left, in SDs."""

    weights: Floats | None
    effective_n: float
    largest_gap: float
    reason: str

    @property
    def feasible(self) -> bool:
        """Whether weights exist."""
        return self.weights is not None


def entropy_balance(values: Any, targets: Any, *, base_weights: Any = None, names: Any = None) -> Balancing:
    """Weights of the rows of `values` (patients, moments) under which each column has the mean `targets`.

    Minimises the relative entropy to `base_weights` (default equal) by Newton steps on the dual. To
    balance a variance too, give the square as a further column. Moments are met to 1e-10 of a standard
    deviation, or `weights` is None and `reason` says which column cannot reach its target, or that the
    targets lie on or outside the edge of what the patients can represent together. Raises StatisticsError
    where targets do not fit the columns, or values, targets or weights are missing.

    >>> found = entropy_balance([[30.0], [40.0], [50.0]], [45.0])
    >>> found.weights.round(3).tolist(), round(float(found.weights @ [30, 40, 50]), 6)
    ([0.116, 0.268, 0.616], 45.0)
    >>> entropy_balance([[30.0], [40.0]], [45.0]).weights is None
    True
    """
    x = np.asarray(values, dtype=float)
    x = x[:, None] if x.ndim == 1 else x
    goal = np.atleast_1d(np.asarray(targets, dtype=float))
    if x.ndim != 2 or x.shape[1] != goal.size or not len(x):
        raise StatisticsError("targets", f"expected {x.shape[-1]} targets, found {goal.size}")
    if not np.isfinite(x).all() or not np.isfinite(goal).all():
        raise StatisticsError("values", "missing or infinite values or targets")
    labels = [f"column {j + 1}" for j in range(goal.size)] if names is None else [str(n) for n in names]
    base = checked_weights(base_weights, len(x), "base_weights")
    spread = x.std(0)
    constant = np.ptp(x, axis=0) == 0
    off = constant & (np.abs(x[0] - goal) > _TOLERANCE * np.maximum(1, np.abs(goal)))
    if off.any():
        where = int(np.flatnonzero(off)[0])
        text = f"{labels[where]} is {x[0, where]:g} in every patient, the target is {goal[where]:g}"
        return Balancing(None, 0.0, float("inf"), text)
    standard = (x - goal)[:, ~constant] / spread[~constant]
    weights, gap = _dual_newton(standard, base / base.sum())
    # Towards the edge of the hull the weights of some patients tend to 0 while the moments are met.
    if gap <= _TOLERANCE and (weights.min() > _NO_WEIGHT or (_smallest_weight(standard) or 0.0) > _NO_WEIGHT):
        return Balancing(weights, effective_sample_size(weights), gap, "")
    kept = [name for name, fixed in zip(labels, constant, strict=True) if not fixed]
    return Balancing(None, 0.0, gap, _why_infeasible(standard, kept, goal[~constant], x[:, ~constant]))


def _dual_newton(standard: Floats, base: Floats) -> tuple[Floats, float]:
    """Weights at the minimum of log sum base exp(standard @ b), and the largest moment left."""
    b = np.zeros(standard.shape[1])

    def at(b: Floats) -> tuple[float, Floats]:
        eta = standard @ b
        top = float(eta.max(initial=0.0))
        raw = base * np.exp(eta - top)
        total = float(raw.sum())
        return np.log(total) + top, raw / total

    value, weights = at(b)
    for _ in range(200):
        moments = weights @ standard
        if np.abs(moments).max(initial=0.0) <= 1e-13 or np.abs(b).max(initial=0.0) > 500:
            break
        curvature = (standard * weights[:, None]).T @ standard - np.outer(moments, moments)
        step = -np.linalg.lstsq(curvature, moments, rcond=1e-12)[0]
        size = min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-300))
        for _ in range(40):
            new_value, new_weights = at(b + size * step)
            if new_value <= value + 1e-15 * abs(value):
                break
            # Close to the minimum the values differ by rounding alone, the moments do not.
            gap = np.abs(new_weights @ standard).max(initial=0.0)
            if new_value - value < 1e-12 and gap < np.abs(moments).max(initial=0.0):
                break
            size /= 2
        stalled = abs(value - new_value) <= 1e-16 and np.abs(new_weights - weights).max() < 1e-16
        b, value, weights = b + size * step, new_value, new_weights
        if stalled:
            break
    return weights, float(np.abs(weights @ standard).max(initial=0.0))


def _why_infeasible(standard: Floats, names: list[str], goal: Floats, x: Floats) -> str:
    for j, name in enumerate(names):
        low, high = float(x[:, j].min()), float(x[:, j].max())
        if not low < goal[j] < high:
            return (
                f"{name}: the target {goal[j]:g} is not inside the range {low:g} to {high:g} of the patients"
            )
    inside = _smallest_weight(standard)
    if inside is None:
        return "no weighting of these patients has all the wanted means at once (outside their convex hull)"
    return (
        "the wanted means lie on the edge of the convex hull: some patients would need a weight of 0"
        if inside <= _NO_WEIGHT
        else "the weights exist but were not found to the tolerance"
    )


def _smallest_weight(standard: Floats) -> float | None:
    """Largest possible smallest weight among all that meet the moments; None if no weights meet them."""
    from scipy.optimize import linprog

    n, k = standard.shape
    equal = np.vstack([np.column_stack([standard.T, standard.sum(0)]), np.append(np.ones(n), float(n))])
    # The weight of patient i is q_i + t with q_i, t >= 0, and t is to be as large as it can.
    found = linprog(
        np.append(np.zeros(n), -1.0), A_eq=equal, b_eq=np.append(np.zeros(k), 1.0), method="highs"
    )
    return None if found.x is None else float(found.x[-1])


def maic_weights(values: Any, means: Any, *, sds: Any = None, names: Any = None) -> Balancing:
    """Weights that give individual patients the means (and, given `sds`, the standard deviations) of a
    published table.

    `values` (patients, covariates), `means` and `sds` one a covariate; standard deviations are matched
    through the second moment, sd^2 + mean^2. Source: Signorovitch et al. 2010, NICE TSD 18. The
    comparison is then in the population of the publication. Raises StatisticsError as `entropy_balance`,
    and for standard deviations that are negative or too few.

    >>> found = maic_weights([[30.0], [40.0], [50.0], [60.0]], [42.0])
    >>> round(float(found.weights @ [30, 40, 50, 60]), 6), round(found.effective_n, 2)
    (42.0, 3.73)
    """
    x = np.asarray(values, dtype=float)
    x = x[:, None] if x.ndim == 1 else x
    centre = np.atleast_1d(np.asarray(means, dtype=float))
    if sds is None:
        return entropy_balance(x, centre, names=names)
    spread = np.atleast_1d(np.asarray(sds, dtype=float))
    if spread.shape != centre.shape or (spread < 0).any():
        raise StatisticsError("sds", f"expected {centre.size} standard deviations >= 0")
    labels = None if names is None else [*names, *(f"{n} (variance)" for n in names)]
    # Centred squares: the same constraint, without the rounding of large squares.
    return entropy_balance(
        np.column_stack([x, (x - centre) ** 2]), np.concatenate([centre, spread**2]), names=labels
    )
