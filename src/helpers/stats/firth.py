"""Firth-penalised Cox and logistic models: finite estimates when an arm has no event or groups are separated.

Penalised likelihood-ratio tests and profile limits throughout: Wald limits mislead where these models are
needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.stats.checks import Floats, confidence_level, float_array, require_columns
from helpers.stats.cox import cox_data
from helpers.stats.firth_likelihood import (
    Penalised,
    cox_penalised,
    logistic_penalised,
    maximise,
    profile_limits,
)
from helpers.stats.result import Result, StatisticsError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class FirthFit:
    """A penalised fit; `lower` and `upper` are profile penalised-likelihood limits of the coefficients.

    >>> frame = pd.DataFrame({"died": [0, 0, 0, 0, 1, 1, 0, 1], "treated": [1, 1, 1, 1, 0, 0, 0, 0]})
    >>> fit = firth_logistic(frame, outcome="died", covariates=["treated"])
    >>> round(fit.result("treated").value, 4)  # (0.5 / 4.5) / (3.5 / 1.5): half an event added to each cell
    0.0476
    >>> fit.separated, fit.terms
    (True, ('treated', 'intercept'))
    """

    kind: str
    terms: tuple[str, ...]
    coefficients: Floats
    standard_errors: Floats
    lower: Floats
    upper: Floats
    p_values: Floats
    log_likelihood: float
    n: int
    n_events: int
    n_missing: int
    confidence: float
    separated: bool

    @property
    def note(self) -> str:
        """Says when the unpenalised model has no finite estimate."""
        return "the unpenalised model is separated; penalised estimates are finite" if self.separated else ""

    @property
    def table(self) -> pd.DataFrame:
        """One row a term: coef, se, ratio with profile limits, p_value of the penalised likelihood-ratio
        test."""
        import pandas as pd

        with np.errstate(over="ignore"):
            return pd.DataFrame(
                {
                    "term": list(self.terms),
                    "coef": self.coefficients,
                    "se": self.standard_errors,
                    "ratio": np.exp(self.coefficients),
                    "lower": np.exp(self.lower),
                    "upper": np.exp(self.upper),
                    "p_value": self.p_values,
                }
            )

    def result(self, term: str) -> Result:
        """Hazard or odds ratio of one term with profile interval and penalised likelihood-ratio p.

        Raises StatisticsError for a term that is not in the model.
        """
        if term not in self.terms:
            raise StatisticsError("term", f"{term!r} is not among {list(self.terms)}")
        row = self.table.iloc[self.terms.index(term)]
        ratio = "hazard ratio" if self.kind == "cox" else "odds ratio"
        return Result(
            method=f"Firth-penalised {ratio}, profile likelihood interval, penalised likelihood-ratio test",
            value=float(row["ratio"]),
            lower=float(row["lower"]),
            upper=float(row["upper"]),
            p_value=float(row["p_value"]),
            n=self.n,
            n_missing=self.n_missing,
            confidence=self.confidence,
            note=self.note,
            options={"terms": self.terms},
            details={"coef": float(row["coef"]), "se": float(row["se"]), "n_events": self.n_events},
        )


def firth_cox(
    frame: pd.DataFrame, *, time: str, event: str, covariates: Sequence[str], confidence: float = 0.95
) -> FirthFit:
    """Cox model with Firth's penalty (Heinze & Schemper 2001), Breslow ties as R's `coxphf`.

    Columns as in `cox_regression`; rows with a missing covariate are left out and counted. Raises
    StatisticsError for unusable columns or when a fit or limit does not converge.

    >>> frame = pd.DataFrame({"day": [2, 4, 9, 9], "died": [1, 1, 0, 0], "treated": [0, 0, 1, 1]})
    >>> found = firth_cox(frame, time="day", event="died", covariates=["treated"]).result("treated")
    >>> 0 < found.value < 1, found.upper > 1
    (True, True)
    """
    from helpers.stats.cox import cox_regression

    level = confidence_level(confidence)
    times, events, design, missing = cox_data(frame, time, event, covariates)
    scale = design.std(0)
    ordinary = cox_regression(frame, time=time, event=event, covariates=covariates, ties="breslow")
    penalised = cox_penalised(times, events, (design - design.mean(0)) / scale)
    return FirthFit(
        kind="cox",
        terms=tuple(covariates),
        n=times.size,
        n_events=int(events.sum()),
        n_missing=missing,
        confidence=level,
        separated=bool(ordinary.separated),
        **_fit(penalised, scale, level),
    )


def firth_logistic(
    frame: pd.DataFrame, *, outcome: str, covariates: Sequence[str], confidence: float = 0.95
) -> FirthFit:
    """Logistic regression with Firth's penalty (Heinze & Schemper 2002), as R's `logistf`.

    `outcome` is 0/1. Rows with a missing outcome or covariate are left out and counted. The intercept is
    fitted and reported last, as term "intercept". Raises StatisticsError for other codes, an outcome that
    does not vary, or a fit that does not converge.

    >>> frame = pd.DataFrame({"died": [0, 0, 1, 1], "treated": [1, 1, 0, 0]})
    >>> fit = firth_logistic(frame, outcome="died", covariates=["treated"])
    >>> round(fit.result("treated").value, 3)  # (0.5 / 2.5) / (2.5 / 0.5)
    0.04
    """
    level = confidence_level(confidence)
    y, design, missing = _logistic_data(frame, outcome, covariates)
    # Scaled but not centred: centring would change the intercept.
    scale = np.append(design.std(0), 1.0)
    penalised = logistic_penalised(y, np.column_stack([design, np.ones(y.size)]) / scale)
    return FirthFit(
        kind="logistic",
        terms=(*covariates, "intercept"),
        n=y.size,
        n_events=int(y.sum()),
        n_missing=missing,
        confidence=level,
        separated=_is_separated(design, y),
        **_fit(penalised, scale, level),
    )


def _logistic_data(
    frame: pd.DataFrame, outcome: str, covariates: Sequence[str]
) -> tuple[Floats, Floats, int]:
    require_columns(frame, [("outcome", outcome), *(("covariates", c) for c in covariates)])
    y = float_array(frame[outcome], "outcome")
    wrong = ~np.isnan(y) & (y != 0) & (y != 1)
    if wrong.any():
        raise StatisticsError("outcome", f"must be 0 or 1, found {y[wrong][0]:g}")
    if not covariates:
        raise StatisticsError("covariates", "none given")
    design = np.column_stack([float_array(frame[c], f"covariates[{c!r}]") for c in covariates])
    complete = ~np.isnan(design).any(1) & ~np.isnan(y)
    # Sorted, so that the order of the rows decides not even the last digit.
    kept = np.flatnonzero(complete)
    kept = kept[np.lexsort((*design[kept].T, y[kept]))]
    y, design = y[kept], design[kept]
    if y.size == 0 or np.ptp(y) == 0:
        raise StatisticsError("outcome", "does not vary among the complete rows")
    for name, column in zip(covariates, design.T, strict=True):
        if np.ptp(column) == 0:
            raise StatisticsError("covariates", f"{name!r} does not vary (always {column[0]:g})")
    if np.linalg.matrix_rank(np.column_stack([np.ones(y.size), design])) <= design.shape[1]:
        raise StatisticsError("covariates", f"{list(covariates)} are collinear")
    return y, design, int((~complete).sum())


def _is_separated(design: Floats, y: Floats) -> bool:
    from firthmodels import detect_separation

    return bool(detect_separation(design, y.astype(int)).separation)


def _fit(penalised: Penalised, scale: Floats, level: float) -> dict[str, Any]:
    """Estimates, profile limits and likelihood-ratio p-values, returned in the units of the covariates."""
    from scipy.stats import chi2

    size = scale.size
    best, peak, converged = maximise(penalised, np.zeros(size))
    if not converged:
        raise StatisticsError("frame", "the penalised fit did not converge; use fewer covariates")
    drop = float(chi2.ppf(level, 1)) / 2
    limits = np.array([profile_limits(penalised, best, peak, j, drop) for j in range(size)])
    p_values = np.empty(size)
    for j in range(size):
        start = best.copy()
        start[j] = 0.0
        p_values[j] = chi2.sf(max(2 * (peak - maximise(penalised, start, j)[1]), 0.0), 1)
    information = penalised(best)[2]
    if np.linalg.matrix_rank(information, hermitian=True) < size:
        raise StatisticsError("frame", "the penalised fit carries no information; use fewer covariates")
    return {
        "coefficients": best / scale,
        "standard_errors": np.sqrt(np.diag(np.linalg.inv(information))) / scale,
        "lower": limits[:, 0] / scale,
        "upper": limits[:, 1] / scale,
        "p_values": p_values,
        # The determinant of the information carries the scale of the covariates.
        "log_likelihood": peak + float(np.log(scale).sum()),
    }
