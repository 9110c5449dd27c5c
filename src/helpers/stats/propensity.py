"""Propensity scores for few patients: Firth's logistic model, a budget of covariates, overlap and ATT
weights.

Where no drug existed in the control years, the score is not the chance of having been treated. It is the
chance that a patient with these covariates belongs to the treated series, which is what weighting for
measured covariates needs; nothing here can adjust for the era itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from helpers.stats.checks import Bools, Floats, choice, event_flags, float_array, require_columns
from helpers.stats.result import Result, StatisticsError

if TYPE_CHECKING:
    import pandas as pd

Estimand = Literal["ATO", "ATT", "ATE"]
PATIENTS_PER_COVARIATE = 10
_MAX_STEPS = 200


def covariate_budget(n_treated: int, n_control: int) -> int:
    """Most covariates that a propensity model may have: one for each ten patients of the smaller arm.

    The rule of ten events per variable (Peduzzi et al. 1996), the smaller arm being the events.

    >>> covariate_budget(20, 21)
    2
    """
    return min(int(n_treated), int(n_control)) // PATIENTS_PER_COVARIATE


@dataclass(frozen=True)
class Propensity:
    """Fitted scores of the complete rows (`used`), in the order of the input.

    >>> frame = pd.DataFrame({"drug": [1, 1, 0, 0, 1, 0], "age": [30, 40, 50, 60, 55, 35]})
    >>> found = propensity_scores(frame, treated="drug", covariates=["age"], budget=1)
    >>> round(float(found.scores.sum()), 6), found.weights("ATT")[:2].tolist(), found.positivity().n
    (3.0, [1.0, 1.0], 6)
    """

    terms: tuple[str, ...]
    coefficients: Floats
    scores: Floats
    treated: Bools
    used: Bools
    n_missing: int

    def weights(self, estimand: Estimand = "ATO") -> Floats:
        """Weights of the complete rows; see `propensity_weights`."""
        return propensity_weights(self.scores, self.treated, estimand)

    def positivity(self) -> Result:
        """How far the scores of the arms overlap: `value` is the share of patients outside the common range.

        `details`: `lower` and `upper` end of the common range, and `c_statistic`, the probability that a
        treated patient has the higher score (0.5 no separation, 1 complete).
        """
        return positivity(self.scores, self.treated)


def propensity_scores(
    frame: pd.DataFrame, *, treated: str, covariates: Sequence[str], budget: int | None = None
) -> Propensity:
    """Firth-penalised logistic model of `treated` (1 or 0) on numeric covariates, intercept corrected.

    Firth's penalty pulls the predicted probabilities towards one half; the intercept is therefore fitted
    anew so that they sum to the number treated (FLIC; Puhr et al. 2017). Rows with a missing covariate are
    left out and counted. `coefficients` are per unit, the intercept last. Raises StatisticsError where
    there are more covariates than `budget` (default `covariate_budget`), where one does not vary or is a
    combination of others, or where an arm is empty.

    >>> frame = pd.DataFrame({"drug": [1, 1, 0, 0], "age": [30, 40, 50, 60], "crp": [1, 5, 2, 9]})
    >>> propensity_scores(frame, treated="drug", covariates=["age", "crp"])
    Traceback (most recent call last):
        ...
    helpers.stats.result.StatisticsError: covariates: 2 given, but 2 patients in the smaller arm carry 0
    """
    require_columns(frame, [("covariates", name) for name in (treated, *covariates)])
    if not covariates:
        raise StatisticsError("covariates", "none given")
    arm = event_flags(frame[treated], len(frame), "treated")
    columns = np.column_stack([float_array(frame[c], f"covariates[{c!r}]") for c in covariates])
    used = np.asarray(~np.isnan(columns).any(1), dtype=bool)
    arm, columns = arm[used], columns[used]
    allowed = covariate_budget(int(arm.sum()), int((~arm).sum())) if budget is None else budget
    if len(covariates) > allowed:
        smaller = min(int(arm.sum()), int((~arm).sum()))
        raise StatisticsError(
            "covariates",
            f"{len(covariates)} given, but {smaller} patients in the smaller arm carry {allowed}",
        )
    for name, column in zip(covariates, columns.T, strict=True):
        if column.size == 0 or np.ptp(column) == 0:
            raise StatisticsError("covariates", f"{name!r} does not vary among the complete rows")
    if arm.all() or not arm.any():
        raise StatisticsError("treated", "all complete rows are in one arm")
    coefficients, scores = firth_scores(columns, arm, np.ones((1, arm.size)))
    return Propensity((*covariates, "intercept"), coefficients[0], scores[0], arm, used, int((~used).sum()))


def firth_scores(columns: Floats, treated: Bools, case_weights: Floats) -> tuple[Floats, Floats]:
    """Coefficients (draws, p + 1; intercept last) and scores (draws, n) of one model a row of `case_weights`.

    All rows are fitted at once by Fisher scoring with Firth's modified score (Firth 1993; Heinze & Schemper
    2002), then the intercept is refitted without penalty. Raises StatisticsError for collinear columns or a
    fit that does not converge.

    >>> columns, treated = (
    ...     np.array([[-1.0], [1.0], [-1.0], [1.0]]),
    ...     np.array([True, True, False, False]),
    ... )
    >>> coefficients, scores = firth_scores(columns, treated, np.ones((1, 4)))
    >>> scores.round(3).tolist()
    [[0.5, 0.5, 0.5, 0.5]]
    """
    centre, scale = columns.mean(0), columns.std(0)
    design = np.column_stack([(columns - centre) / scale, np.ones(len(columns))])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise StatisticsError("covariates", "one is a combination of the others")
    size = design.shape[1]
    outer = (design[:, :, None] * design[:, None, :]).reshape(-1, size * size)
    y = treated.astype(float)
    beta = np.zeros((len(case_weights), size))
    for _ in range(_MAX_STEPS):
        p = _expit(beta @ design.T)
        w = case_weights * p * (1 - p)
        inverse = np.linalg.inv((w @ outer).reshape(-1, size, size))
        leverage = w * (inverse.reshape(-1, size * size) @ outer.T)
        gradient = (case_weights * (y - p) + leverage * (0.5 - p)) @ design
        step = np.einsum("dpq,dq->dp", inverse, gradient)
        step *= np.minimum(1.0, 2.0 / np.maximum(np.abs(step).max(1, keepdims=True), 1e-300))
        beta = beta + step
        if np.abs(step).max() < 1e-11 * (1 + np.abs(beta).max()):
            break
    else:
        raise StatisticsError("covariates", "the propensity model did not converge; use fewer covariates")
    beta[:, -1] = _intercept(beta[:, :-1] @ design[:, :-1].T, beta[:, -1], y, case_weights)
    scores = _expit(beta @ design.T)
    slopes = beta[:, :-1] / scale
    return np.column_stack([slopes, beta[:, -1] - slopes @ centre]), scores


def _expit(eta: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(eta / 2)))


def _intercept(linear: Floats, start: Floats, y: Floats, case_weights: Floats) -> Floats:
    """Intercept with which the weighted scores of each row sum to the weight of the treated."""
    found, target = start.copy(), case_weights @ y
    for _ in range(_MAX_STEPS):
        p = _expit(linear + found[:, None])
        gap = target - (case_weights * p).sum(1)
        step = np.clip(gap / (case_weights * p * (1 - p)).sum(1), -2.0, 2.0)
        found = found + step
        if np.abs(step).max() < 1e-12 * (1 + np.abs(found).max()):
            break
    return found


def propensity_weights(scores: Any, treated: Any, estimand: Estimand = "ATO") -> Floats:
    """Weights from scores e: ATO (overlap; 1 - e treated, e control), ATT (1; e/(1 - e)), ATE (1/e; 1/(1 -
    e)).

    ATO weights are bounded and describe the patients who could have belonged to either series (Li, Morgan
    & Zaslavsky 2018); ATT weights make the controls resemble the treated. `scores` of shape (n,) or
    (draws, n). Raises StatisticsError for scores not strictly between 0 and 1, or another estimand.

    >>> propensity_weights([0.25, 0.25], [1, 0]).tolist()
    [0.75, 0.25]
    >>> propensity_weights([0.25, 0.25], [1, 0], "ATE").round(3).tolist()
    [4.0, 1.333]
    """
    choice(estimand, ("ATO", "ATT", "ATE"), "estimand")
    e = np.asarray(scores, dtype=float)
    if not ((e > 0) & (e < 1)).all():
        raise StatisticsError("scores", "must lie strictly between 0 and 1")
    arm = event_flags(treated, e.shape[-1], "treated")
    if estimand == "ATO":
        return np.where(arm, 1 - e, e)
    if estimand == "ATT":
        return np.where(arm, 1.0, e / (1 - e))
    return np.where(arm, 1 / e, 1 / (1 - e))


def positivity(scores: Any, treated: Any) -> Result:
    """Share of patients whose score lies outside the range that both arms have; see
    `Propensity.positivity`.

    Raises StatisticsError where an arm is empty.

    >>> positivity([0.2, 0.5, 0.4, 0.9], [0, 0, 1, 1]).value
    0.5
    """
    from scipy.stats import rankdata

    e = float_array(scores, "scores")
    arm = event_flags(treated, e.size, "treated")
    if arm.all() or not arm.any():
        raise StatisticsError("treated", "one arm is empty")
    low = max(float(e[arm].min()), float(e[~arm].min()))
    high = min(float(e[arm].max()), float(e[~arm].max()))
    outside = (e < low) | (e > high)
    ranks, n1, n0 = rankdata(e), int(arm.sum()), int((~arm).sum())
    c = (float(ranks[arm].sum()) - n1 * (n1 + 1) / 2) / (n1 * n0)
    return Result(
        method="share of patients outside the common range of the propensity score",
        value=float(outside.mean()),
        n=e.size,
        note="no common range: the arms are separated" if low > high else "",
        details={"lower": low, "upper": high, "c_statistic": c, "n_outside": int(outside.sum())},
    )
