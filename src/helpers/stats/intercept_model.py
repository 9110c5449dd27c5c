"""The mixed model of statsmodels with one random intercept a subject, its sums over subjects taken at once.

statsmodels solves a system for each subject at each step of the fit: minutes for thousands of them.
With a single intercept the covariance of a subject's rows is the identity and one constant, whose inverse is
known, so that counts and sums by subject are all that is needed (Searle, Casella & McCulloch 1992). The
likelihood, its derivatives and the search for its maximum are those of statsmodels; a test holds them to each
other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams

from helpers.stats.checks import Floats, Ints

_SINGULAR = 1e-10  # ratio of the variances, between to within subjects, that statsmodels calls singular
_FLAT = 1e-4  # slope of the log-likelihood a row at what is taken for its maximum; statsmodels aims at 1e-5
_SEARCHED = (-8.0, 8.0, 65)  # logarithms of the ratio of the standard deviations


class InterceptModel(MixedLM):  # type: ignore[misc]
    """A linear mixed model whose only random effect is an intercept of each subject.

    Args:
        y: values.
        x: design, a column a coefficient.
        subject: number of the subject of each row, from 0 on without gaps.

    Example:
        >>> y, x = np.array([1.0, 2.0, 4.0, 7.0, 3.0, 3.5]), np.array([[1.0, 0.0], [1.0, 1.0]] * 3)
        >>> fit = InterceptModel(y, x, np.array([0, 0, 1, 1, 2, 2])).fit(reml=True)
        >>> fit.fe_params.round(3).tolist()
        [2.667, 1.5]
    """

    def __init__(self, y: Floats, x: Floats, subject: Ints) -> None:
        super().__init__(y, x, groups=subject)
        self._of = subject
        self._size = np.bincount(subject).astype(float)
        self._sums = np.column_stack([np.bincount(subject, column) for column in x.T])
        self._squares = x.T @ x

    def get_fe_params(self, cov_re: Floats, vcomp: Floats, tol: float = _SINGULAR) -> tuple[Floats, bool]:
        """Coefficients by generalised least squares, and whether the intercepts do not vary."""
        del vcomp  # of statsmodels, for other random effects
        singular = bool(cov_re[0, 0] < tol)
        share = 1 / (self._size + (0.0 if singular else 1 / float(cov_re[0, 0])))
        left = self._design(share)
        inverse = np.linalg.pinv(left) if singular else np.linalg.inv(left)
        coefficients: Floats = np.zeros(self.k_fe)
        for _ in range(2):  # the second time mends the last digits of the first
            residual, total = self._residual(coefficients)
            coefficients = coefficients + inverse @ (self.exog.T @ residual - self._sums.T @ (share * total))
        return coefficients, singular

    def loglike(self, params: Any, profile_fe: bool = True) -> float:
        """Log-likelihood, with the variance of the errors profiled out; see statsmodels."""
        params = self._unpacked(params, has_fe=False)
        coefficients = params.fe_params
        if profile_fe:
            coefficients, singular = self.get_fe_params(params.cov_re, params.vcomp)
            self._cov_sing += singular
        precision, singular = _inverse(params.cov_re)
        self._cov_sing += singular
        share = 1 / (self._size + precision)
        residual, total = self._residual(coefficients)
        rest = float(residual @ residual - share @ total**2)
        logdet = np.linalg.slogdet(params.cov_re)[1] * self._size.size + np.log(self._size + precision).sum()
        free = self.n_totobs - (self.k_fe if self.reml else 0)
        value = -logdet / 2 - free * (np.log(rest) + np.log(2 * np.pi) - np.log(free) + 1) / 2
        if self.reml:
            value -= np.linalg.slogdet(self._design(share))[1] / 2
        return float(value)

    def score_full(self, params: Any, calc_fe: bool) -> tuple[Floats, Floats, Floats]:
        """Derivatives by the coefficients and by the variance of the intercepts."""
        precision, singular = _inverse(params.cov_re)
        self._cov_sing += singular
        share = 1 / (self._size + precision)
        kept = 1 - share * self._size  # what the inverse of the covariance leaves of a constant
        residual, total = self._residual(params.fe_params)
        rest = float(residual @ residual - share @ total**2)
        free = self.n_totobs - (self.k_fe if self.reml else 0)
        by_fe = np.zeros(self.k_fe)
        if calc_fe:
            by_fe = free * (self.exog.T @ residual - self._sums.T @ (share * total)) / rest
        by_variance = -0.5 * float(kept @ self._size) + 0.5 * free * float(kept**2 @ total**2) / rest
        if self.reml:
            by_variance += 0.5 * float(np.trace(np.linalg.solve(self._design(share), self._outer(kept**2))))
        return by_fe, np.array([by_variance]), np.zeros(0)

    def hessian(self, params: Any) -> tuple[Floats, bool]:
        """Second derivatives by coefficients and variance of the intercepts, and whether it is singular."""
        params = self._unpacked(params, has_fe=True)
        precision, singular = _inverse(params.cov_re)
        share = 1 / (self._size + precision)
        kept = 1 - share * self._size
        residual, total = self._residual(params.fe_params)
        rest = float(residual @ residual - share @ total**2)
        free = self.n_totobs - (self.k_fe if self.reml else 0)
        design = self._design(share)
        first, second = float(kept**2 @ total**2), 2 * float((kept**3 * self._size) @ total**2)
        by_variance = 0.5 * float((kept * self._size) @ (kept * self._size))
        by_variance -= 0.5 * free * (second / rest - (first / rest) ** 2)
        if self.reml:
            once = np.linalg.solve(design, self._outer(kept**2))
            twice = np.linalg.solve(design, 2 * self._outer(kept**3 * self._size))
            by_variance += 0.5 * float(np.sum(once.T * once) - np.trace(twice))
        both = -free * (self._sums.T @ (kept**2 * total)) / rest
        corner = np.array([[by_variance]])
        return np.block([[-free * design / rest, both[:, None]], [both[None, :], corner]]), singular

    def get_scale(self, fe_params: Floats, cov_re: Floats, vcomp: Floats) -> float:
        """Estimated variance of the errors."""
        del vcomp
        share = 1 / (self._size + _inverse(cov_re)[0])
        residual, total = self._residual(fe_params)
        free = int(self.n_totobs) - (self.k_fe if self.reml else 0)
        return float((residual @ residual - share @ total**2) / free)

    def is_flat(self, ratio: float) -> bool:
        """Tell whether the likelihood is level at a ratio of the variances, between to within subjects.

        Near zero the search of statsmodels may stop, with or without a word, where it still rises.
        """
        return bool(abs(self.score(np.array([np.sqrt(ratio)]))[0]) <= _FLAT * self.n_totobs)

    def by_search(self) -> tuple[Floats, Floats, float, float]:
        """Coefficients, their covariance, and variances between and within, where the likelihood is largest.

        Raises ArithmeticError if it is largest where the variance within subjects vanishes.
        """
        from scipy.optimize import minimize_scalar

        self.reml, self._cov_sing, self.cov_pen, self.fe_pen, self._freepat = True, 0, None, None, None
        grid = np.linspace(*_SEARCHED)
        cost = [-self.loglike(np.array([np.exp(one)])) for one in grid]
        best = int(np.argmin(cost))
        if best == grid.size - 1:
            raise ArithmeticError("the variance within subjects vanishes")
        if best == 0:
            coefficients = np.linalg.solve(self._squares, self.exog.T @ self.endog)
            residual = self._residual(coefficients)[0]
            within = float(residual @ residual) / (self.n_totobs - self.k_fe)
            return coefficients, np.asarray(within * np.linalg.inv(self._squares)), 0.0, within
        found = minimize_scalar(
            lambda one: -self.loglike(np.array([np.exp(one)])), bounds=(grid[best - 1], grid[best + 1]),
            method="bounded", options={"xatol": 1e-9},
        )  # fmt: skip
        params = self._unpacked(np.exp([float(found.x)]), has_fe=False)
        params.fe_params = self.get_fe_params(params.cov_re, params.vcomp)[0]
        within = self.get_scale(params.fe_params, params.cov_re, params.vcomp)
        covariance = np.linalg.inv(-self.hessian(params)[0])[: self.k_fe, : self.k_fe]
        return params.fe_params, np.asarray(covariance), within * float(params.cov_re[0, 0]), within

    def _unpacked(self, params: Any, *, has_fe: bool) -> Any:
        if type(params) is MixedLMParams:
            return params
        return MixedLMParams.from_packed(params, self.k_fe, self.k_re, self.use_sqrt, has_fe=has_fe)

    def _residual(self, coefficients: Floats) -> tuple[Floats, Floats]:
        residual: Floats = self.endog - self.exog @ coefficients
        return residual, np.bincount(self._of, residual).astype(np.float64, copy=False)

    def _design(self, share: Floats) -> Floats:
        """Design times itself through the inverse of the covariance."""
        return np.asarray(self._squares - self._outer(share))

    def _outer(self, weight: Floats) -> Floats:
        return np.asarray(self._sums.T @ (weight[:, None] * self._sums))


def _inverse(variance: Floats) -> tuple[float, bool]:
    """The inverse, or 0 of 0 as a pseudo-inverse has it."""
    value = float(variance[0, 0])
    return (0.0, True) if value == 0 else (1 / value, False)
