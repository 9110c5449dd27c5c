"""Cox proportional hazards with Efron, Breslow or exact ties, and the check of proportional hazards.

One risk-set routine serves the fit, the score test and the proportionality test, so that all three handle
ties alike; library fits differ in which of these they offer (`ties` is fixed in some, the test of
proportionality departs from the current `cox.zph` in others).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from helpers.stats.checks import (
    Bools,
    Floats,
    choice,
    confidence_level,
    float_array,
    require_columns,
    sorted_rows,
    survival_data,
)
from helpers.stats.cox_likelihood import RiskSets, exact_likelihood, moment_likelihood
from helpers.stats.result import Result, StatisticsError
from helpers.stats.separation import endless_covariates, without_information

if TYPE_CHECKING:
    import pandas as pd

Ties = Literal["efron", "breslow", "exact"]
Likelihood = Callable[[Floats], tuple[float, Floats, Floats]]
_MAX_STEPS = 60


@dataclass(frozen=True)
class CoxFit:
    """A fitted Cox model; coefficients are log hazard ratios per unit of each covariate.

    >>> frame = pd.DataFrame({"day": [1, 2, 3, 4, 5, 6], "died": [1, 1, 1, 1, 1, 0], "treated": [0, 1] * 3})
    >>> fit = cox_regression(frame, time="day", event="died", covariates=["treated"])
    >>> round(fit.result("treated").value, 3), round(fit.test("score").p_value, 3)
    (0.532, 0.486)
    """

    covariates: tuple[str, ...]
    coefficients: Floats
    covariance: Floats
    log_likelihood: float
    log_likelihood_null: float
    score_statistic: float
    n: int
    n_events: int
    ties: str
    confidence: float
    converged: bool
    separated: tuple[str, ...]
    n_missing: int = 0
    data: tuple[Floats, Bools, Floats] = field(
        repr=False, default=(np.empty(0), np.empty(0, bool), np.empty(0))
    )

    @property
    def standard_errors(self) -> Floats:
        """Standard errors of the coefficients; infinite for a separated covariate."""
        variance = np.diag(self.covariance).copy()
        variance[[name in self.separated for name in self.covariates]] = np.inf
        return np.sqrt(variance)

    @property
    def note(self) -> str:
        """What a reader must know before quoting the fit; empty if nothing."""
        if self.separated:
            names = ", ".join(self.separated)
            return (
                f"monotone likelihood for {names}: no finite estimate exists, use the Firth-penalised model"
            )
        return "" if self.converged else "the fit did not converge"

    def test(self, kind: Literal["likelihood_ratio", "wald", "score"] = "likelihood_ratio") -> Result:
        """Overall test that all coefficients are 0, chi-square with one degree of freedom a covariate.

        Raises StatisticsError for another kind.
        """
        from scipy.stats import chi2

        choice(kind, ("likelihood_ratio", "wald", "score"), "kind")
        statistic = {
            "likelihood_ratio": 2 * (self.log_likelihood - self.log_likelihood_null),
            "wald": self._wald(),
            "score": self.score_statistic,
        }[kind]
        return Result(
            method=f"Cox model, {kind.replace('_', ' ')} test, {self.ties} ties",
            statistic=statistic,
            p_value=float(chi2.sf(statistic, len(self.covariates))),
            n=self.n,
            n_missing=self.n_missing,
            note=self.note,
            details={"df": len(self.covariates)},
        )

    def _wald(self) -> float:
        if self.separated:
            return float("nan")
        return float(self.coefficients @ np.linalg.pinv(self.covariance) @ self.coefficients)

    @property
    def table(self) -> pd.DataFrame:
        """One row a covariate: coef, se, hazard_ratio, lower, upper, z, p_value (Wald); NaN if separated."""
        import pandas as pd
        from scipy.stats import norm

        z = float(norm.isf((1 - self.confidence) / 2))
        se = self.standard_errors
        coefficient = np.where(np.isfinite(se), self.coefficients, np.nan)
        se = np.where(np.isfinite(se), se, np.nan)
        with np.errstate(over="ignore"):
            rows = {
                "covariate": list(self.covariates),
                "coef": coefficient,
                "se": se,
                "hazard_ratio": np.exp(coefficient),
                "lower": np.exp(coefficient - z * se),
                "upper": np.exp(coefficient + z * se),
                "z": coefficient / se,
                "p_value": 2 * norm.sf(np.abs(coefficient / se)),
            }
        return pd.DataFrame(rows)

    def result(self, covariate: str) -> Result:
        """Hazard ratio of one covariate with Wald interval and p; NaN, said in `note`, under separation.

        Raises StatisticsError for a covariate that is not in the model.
        """
        if covariate not in self.covariates:
            raise StatisticsError("covariate", f"{covariate!r} is not among {list(self.covariates)}")
        row = self.table.iloc[self.covariates.index(covariate)]
        return Result(
            method=f"Cox hazard ratio, {self.ties} ties, Wald interval",
            value=float(row["hazard_ratio"]),
            lower=float(row["lower"]),
            upper=float(row["upper"]),
            p_value=float(row["p_value"]),
            statistic=float(row["z"]),
            n=self.n,
            n_missing=self.n_missing,
            confidence=self.confidence,
            note=self.note,
            options={"ties": self.ties, "covariates": self.covariates},
            details={"coef": float(row["coef"]), "se": float(row["se"]), "n_events": self.n_events},
        )


def cox_regression(
    frame: pd.DataFrame,
    *,
    time: str,
    event: str,
    covariates: Sequence[str],
    ties: Ties = "efron",
    confidence: float = 0.95,
) -> CoxFit:
    """Fit a Cox model to the columns of `frame` (Newton-Raphson on the partial likelihood).

    `ties`: efron (R's default), breslow (SAS's), exact (discrete logistic likelihood, R's "exact"; its score
    test is the log-rank test). Rows with a missing covariate are left out and counted. Covariates must be
    numeric (0/1 for a group). A covariate whose likelihood keeps rising (for instance no death in one arm, be
    it one patient beside a thousand) is named in `separated` and gets no hazard ratio. Raises StatisticsError
    for unusable columns, no events, a covariate that does not vary, collinear covariates, or covariates that
    no event tells anything about (`helpers.stats.separation`).

    >>> frame = pd.DataFrame({"day": [1, 2, 3], "died": [1, 1, 0], "treated": [0, 1, 0]})
    >>> fit = cox_regression(frame, time="day", event="died", covariates=["treated"])
    >>> round(fit.result("treated").value, 3)  # solves 2 = x**2, from 1/(2 + x) and x/(1 + x)
    1.414
    """
    choice(ties, ("efron", "breslow", "exact"), "ties")
    level = confidence_level(confidence)
    times, events, design, missing = cox_data(frame, time, event, covariates)
    centre, scale = design.mean(0), design.std(0)
    standard = (design - centre) / scale
    likelihood = _likelihood(times, events, standard, ties)
    start = likelihood(np.zeros(standard.shape[1]))
    score = float(start[1] @ np.linalg.solve(start[2], start[1]))
    beta, value, information, converged = newton(likelihood, start)
    endless: list[int] = []
    if not (converged and _certain(information, start[2])):
        endless = endless_covariates(times, events, standard, discrete=ties == "exact")
    separated = tuple(covariates[j] for j in endless)
    return CoxFit(
        covariates=tuple(covariates),
        coefficients=beta / scale,
        covariance=np.linalg.pinv(information) / np.outer(scale, scale),
        log_likelihood=value,
        log_likelihood_null=start[0],
        score_statistic=score,
        n=times.size,
        n_events=int(events.sum()),
        ties=ties,
        confidence=level,
        converged=converged,
        separated=separated,
        n_missing=missing,
        data=(times, events, design),
    )


def cox_data(
    frame: pd.DataFrame, time: str, event: str, covariates: Sequence[str]
) -> tuple[Floats, Bools, Floats, int]:
    """Times, events and design matrix of the complete rows, and how many rows lacked a covariate.

    Arrays of shape (rows,), (rows,) and (rows, covariates). Raises StatisticsError as `cox_regression`.

    >>> frame = pd.DataFrame({"day": [3, 5, 7], "died": [1, 0, 1], "age": [40, None, 50]})
    >>> times, events, design, missing = cox_data(frame, "day", "died", ["age"])
    >>> times.tolist(), design.tolist(), missing
    ([3.0, 7.0], [[40.0], [50.0]], 1)
    """
    if not covariates:
        raise StatisticsError("covariates", "none given")
    require_columns(frame, [("time", time), ("event", event), *(("covariates", c) for c in covariates)])
    times, events = survival_data(frame[time], frame[event])
    columns = [float_array(frame[name], f"covariates[{name!r}]") for name in covariates]
    # One row a covariate, so that each is together in memory.
    rows = np.stack(columns)
    complete = ~np.isnan(rows).any(0)
    missing = int((~complete).sum())
    if missing:
        times, events, rows = times[complete], events[complete], rows[:, complete]
    if times.size == 0:
        raise StatisticsError("covariates", "no row has all of them")
    if not events.any():
        raise StatisticsError("event", "no events among the complete rows")
    for name, column in zip(covariates, rows, strict=True):
        if np.ptp(column) == 0:
            raise StatisticsError("covariates", f"{name!r} does not vary (always {column[0]:g})")
    # Sorted, so that the order of the rows decides not even the last digit; first by what few rows share.
    telling = np.argsort([int((column == column.max()).sum()) for column in rows], kind="stable")
    order = sorted_rows(times, *rows[telling], events)
    times, events, design = times[order], events[order], np.take(rows, order, axis=1).T
    centred = (design - design.mean(0)) / design.std(0)
    if _collinear(centred):
        raise StatisticsError("covariates", f"{list(covariates)} are collinear")
    if without_information(times, events, centred):
        names = ", ".join(covariates)
        raise StatisticsError(
            "covariates",
            f"not estimable: no event at which {names} varied among those at risk, some surviving it",
        )
    return times, events, design, missing


def _collinear(centred: Floats) -> bool:
    """Whether some combination of the columns is constant.

    Of many rows the product of the matrix with itself tells at once that none is; it has the singular values
    squared, so that it can tell no more than that.
    """
    squares = np.linalg.eigvalsh(centred.T @ centred)
    if squares[0] > 1e-8 * squares[-1]:
        return False
    return bool(np.linalg.matrix_rank(centred) < centred.shape[1])


def _likelihood(times: Floats, events: Bools, design: Floats, ties: str) -> Likelihood:
    if ties == "exact":
        return exact_likelihood(times, events, design)
    return moment_likelihood(times, events, design, ties)


def newton(likelihood: Likelihood, start: tuple[float, Floats, Floats]) -> tuple[Floats, float, Floats, bool]:
    """Maximise by Newton-Raphson with step halving: estimate, value, information, whether it converged.

    >>> def parabola(b):
    ...     return -float((b[0] - 3) ** 2), -2 * (b - 3), np.array([[2.0]])
    >>> newton(parabola, parabola(np.zeros(1)))[0].tolist()
    [3.0]
    """
    value, gradient, information = start
    beta = np.zeros(gradient.size)
    for _ in range(_MAX_STEPS):
        step = np.linalg.lstsq(information, gradient, rcond=None)[0]
        step *= min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-300))
        # A last step that changes no digit is taken without looking: information and value are those here.
        if np.abs(step).max() < 1e-10 and abs(float(step @ gradient)) < 1e-10:
            return beta + step, value, information, True
        for _ in range(30):
            # Far out the risks of those at risk may all be 0; such a trial has no value and is halved.
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                trial = likelihood(beta + step)
            if np.isfinite(trial[0]) and trial[0] >= value - 1e-12 * (1 + abs(value)):
                break
            step = step / 2
        beta = beta + step
        value, gradient, information = trial
        if np.abs(beta).max() > 25:
            break
    return beta, value, information, False


def _certain(information: Floats, at_zero: Floats) -> bool:
    """Whether the curvature where the fit stopped is of the size that it has at 0: then it is the maximum."""
    return bool(np.linalg.eigvalsh(information).min() > 1e-3 * np.linalg.eigvalsh(at_zero).min())


def proportional_hazards_test(
    fit: CoxFit, *, transform: Literal["km", "rank", "identity", "log"] = "km"
) -> dict[str, Result]:
    """Score test that each coefficient is constant in time (Grambsch & Therneau 1994; R's `cox.zph` >= 3.0).

    Returns one result a covariate and one for "GLOBAL". The transform of time defaults to the left-continuous
    Kaplan-Meier estimate, as in R. For exact ties the Efron moments are used, said in `method`. NaN, said in
    `note`, where the events tell nothing about a change over time (all at one time) or the fit is separated.
    Raises StatisticsError naming `transform` for the logarithm of an event at time 0.

    >>> frame = pd.DataFrame({"day": [1, 2, 3, 4, 5, 6], "died": [1, 1, 1, 1, 1, 0], "treated": [0, 1] * 3})
    >>> fit = cox_regression(frame, time="day", event="died", covariates=["treated"])
    >>> round(proportional_hazards_test(fit)["GLOBAL"].p_value, 2)
    0.96
    """
    from scipy.stats import chi2

    choice(transform, ("km", "rank", "identity", "log"), "transform")
    times, events, design = fit.data
    ties = "breslow" if fit.ties == "breslow" else "efron"
    sets = RiskSets(times, events, design - design.mean(0), ties)
    method = f"proportional hazards score test, {transform} transform, {ties} ties"
    if fit.separated:
        return _untested(fit, method, fit.note)
    g = _transformed_time(times, events, sets.time, transform)
    g = g - np.average(g, weights=sets.deaths)
    size = len(fit.covariates)
    moments = sets.moments(fit.coefficients, np.stack([np.ones(g.size), g, g**2]))
    score = moments.score[1]
    first, cross, second = moments.information
    results = {}
    for j, name in enumerate((*fit.covariates, "GLOBAL")):
        rows = np.arange(size) if name == "GLOBAL" and j == size else np.array([j])
        full = np.block([[first, cross[:, rows]], [cross[rows], second[np.ix_(rows, rows)]]])
        u = np.concatenate([np.zeros(size), score[rows]])
        if np.linalg.matrix_rank(full, hermitian=True) < full.shape[0]:
            return _untested(fit, method, "not estimable: the events do not tell a change over time")
        statistic = float(u @ np.linalg.solve(full, u))
        results[name] = Result(
            method=method,
            statistic=statistic,
            p_value=float(chi2.sf(statistic, rows.size)),
            n=fit.n,
            details={"df": int(rows.size)},
        )
    return results


def _untested(fit: CoxFit, method: str, note: str) -> dict[str, Result]:
    return {name: Result(method=method, n=fit.n, note=note) for name in (*fit.covariates, "GLOBAL")}


def _transformed_time(times: Floats, events: Bools, at: Floats, transform: str) -> Floats:
    from helpers.stats.kaplan_meier import life_table

    if transform == "identity":
        return at
    if transform == "log":
        if at.min() <= 0:
            raise StatisticsError(
                "transform", "the logarithm of an event at time 0 does not exist; choose km"
            )
        return np.log(at)
    life = life_table(times, events)
    if transform == "km":
        survival = np.cumprod(1 - life.n_event / life.n_risk)
        before = np.concatenate(([1.0], survival[:-1]))
        return np.asarray(1 - before[np.searchsorted(life.time, at)])
    order = np.sort(times)
    low, high = np.searchsorted(order, at), np.searchsorted(order, at, side="right")
    return np.asarray((low + high + 1) / 2)
