"""Repeated measurements: a mixed model with the visit as a factor, values beyond a limit as censored."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.stats.checks import Bools, Floats, Ints, confidence_level, require_columns
from helpers.stats.ratios import has_finite_ratio
from helpers.stats.result import Result, StatisticsError

if TYPE_CHECKING:
    import pandas as pd

# Reach of the grid over a subject's intercept in standard deviations, and how many points it has.
_REACH, _FEWEST, _MOST = 8.5, 65, 4001
# Below this ratio of the standard deviations the variance between subjects is taken for zero.
_NO_VARIANCE = 1e-3
# Largest gradient of the log-likelihood (of standardised values) at what is taken for its maximum.
_FLAT = 1e-4
_ONLY_LIMITS = "not estimable: every value at this visit is known only as a limit"
_KINDS = {
    True: "ratio, linear mixed model of the logarithm",
    False: "difference, linear mixed model",
}


@dataclass(frozen=True)
class VisitModel:
    """Changes from baseline by a mixed model.

    Attributes:
        changes: by later visit the ratio to baseline, or the difference from it, with Wald interval and p.
        overall: Wald test that no visit differs from baseline; `statistic` is its chi-square, `details` has
            the degrees of freedom.
    """

    changes: dict[str, Result]
    overall: Result


@dataclass(frozen=True)
class _Rows:
    """Values in rows: design with a column a visit, subject, and what a limit says.

    Attributes:
        y: value, or the limit.
        side: 0 for a value, 1 if the true value lies below `y`, -1 if above.
        x: 1 in the first column, then 1 in the column of the row's later visit.
        subject: number of the subject from 0 on.
    """

    y: Floats
    side: Ints
    x: Floats
    subject: Ints


@dataclass(frozen=True)
class _Fit:
    beta: Floats
    covariance: Floats
    between: float


def visit_model(
    frame: pd.DataFrame,
    *,
    value: str,
    id: str,  # noqa: A002  (the field's word)
    visit: str,
    baseline: str,
    logarithm: bool,
    qualifier: str | None = None,
    confidence: float = 0.95,
) -> VisitModel:
    """Linear mixed model with the visit as a factor and a random intercept for each subject.

    `y = mean of the visit + intercept of the subject + error`, both normal, for the value or its logarithm.
    Without limits the fit is by restricted maximum likelihood (`statsmodels` MixedLM; Laird & Ware 1982).
    Values with `<` or `>` in `qualifier` enter as censored there, with the intercepts integrated out, and the
    fit is by maximum likelihood (Hughes 1999). On the logarithm a value of 0 counts as below the least value
    above 0.

    Args:
        frame: one row a subject and visit; rows with a missing value are left out and counted.
        value, id, visit, qualifier: names of columns.
        baseline: the visit that the others are compared with.
        logarithm: whether changes are ratios instead of differences in the unit of the data.
        confidence: of the Wald intervals.

    Raises:
        StatisticsError: no exact value at baseline, no later visit, negative values on the logarithm, values
            that do not vary, nobody with two values, or a fit that does not converge.

    Example:
        >>> import pandas as pd
        >>> rows = [(p, v, x) for p, pair in enumerate([(8, 4), (4, 1), (16, 8)]) for v, x in zip("ab", pair)]
        >>> frame = pd.DataFrame(rows, columns=["id", "visit", "value"])
        >>> fit = visit_model(frame, value="value", id="id", visit="visit", baseline="a", logarithm=True)
        >>> round(fit.changes["b"].value, 3)  # geometric mean of 1/2, 1/4 and 1/2
        0.397
    """
    level = confidence_level(confidence)
    require_columns(
        frame, (("value", value), ("id", id), ("visit", visit), ("qualifier", qualifier or value))
    )
    used = frame[frame[value].notna()]
    y, side = _values(used, value, qualifier, logarithm)
    # Sorted, so that the order of the rows decides not even the last digit.
    order = np.lexsort((side, y, used[visit].astype(str), used[id].astype(str)))
    used, y, side = used.iloc[order], y[order], side[order]
    later, limited = _later_visits(frame, used, visit, baseline, side)
    kept = ~used[visit].isin(limited).to_numpy()
    rows = _rows(used[kept], y[kept], side[kept], id, visit, later)
    fit = _censored(rows) if rows.side.any() else _restricted(rows)
    common: dict[str, Any] = {
        "n": int(kept.sum()), "n_missing": len(frame) - len(used), "options": {"logarithm": logarithm},
    }  # fmt: skip
    how = "maximum likelihood, limits as censored" if rows.side.any() else "REML"
    method = f"{_KINDS[logarithm]}, visit as a factor, random intercept, {how}"
    return _results(fit, later, limited, method, level, logarithm, common)


def _values(used: pd.DataFrame, value: str, qualifier: str | None, logarithm: bool) -> tuple[Floats, Ints]:
    """Values on the scale of the model, and on which side of them the true ones lie."""
    y = used[value].to_numpy(dtype=float)
    side = np.zeros(y.size, dtype=np.int64)
    if qualifier is not None:
        signs = used[qualifier].fillna("").astype(str).to_numpy()
        side = (signs == "<").astype(np.int64) - (signs == ">").astype(np.int64)
    if not y.size:
        raise StatisticsError("value", "no observed value")
    if not logarithm:
        return y, side
    if (y < 0).any():
        raise StatisticsError("value", f"the logarithm needs values of 0 or more, found {y.min():g}")
    if not (y > 0).any():
        raise StatisticsError("value", "not estimable: all values are 0")
    side = np.where(y == 0, 1, side)
    return np.log(np.where(y == 0, y[y > 0].min(), y)), side


def _later_visits(
    frame: pd.DataFrame, used: pd.DataFrame, visit: str, baseline: str, side: Ints
) -> tuple[list[str], list[str]]:
    """Later visits that can be compared, sorted by name, and those with limits only."""
    exact = set(used.loc[side == 0, visit])
    if baseline not in exact:
        found = "every value at baseline is known only as a limit" if baseline in set(used[visit]) else (
            "no value at baseline")  # fmt: skip
        raise StatisticsError("baseline", f"not estimable: {found}")
    seen = [name for name in sorted(frame[visit].unique(), key=str) if name in set(used[visit])]
    limited = [name for name in seen if name not in exact]
    later = [name for name in seen if name != baseline and name not in limited]
    if not later:
        raise StatisticsError("visit", "not estimable: no value after baseline")
    return later, limited


def _rows(
    used: pd.DataFrame, y: Floats, side: Ints, id: str, visit: str, later: list[str]  # noqa: A002
) -> _Rows:  # fmt: skip
    _, subject = np.unique(used[id].astype(str), return_inverse=True)
    names = used[visit].to_numpy()
    x = np.column_stack([np.ones(y.size), *(names == name for name in later)]).astype(float)
    if subject.max() + 1 == y.size:
        raise StatisticsError("frame", "not estimable: nobody has two values")
    if np.ptp(y) == 0:
        raise StatisticsError("frame", "not estimable: the values do not vary")
    return _Rows(y, side, x, subject)


def _results(
    fit: _Fit, later: list[str], limited: list[str], method: str, level: float, logarithm: bool,
    common: dict[str, Any],
) -> VisitModel:  # fmt: skip
    from scipy.stats import chi2, norm

    estimates, covariance = fit.beta[1:], fit.covariance[1:, 1:]
    errors, width = np.sqrt(np.diag(covariance)), float(norm.ppf((1 + level) / 2))
    limits = [estimates - width * errors, estimates, estimates + width * errors]
    if not np.isfinite(errors).all() or (errors <= 0).any() or (
        logarithm and not has_finite_ratio(*np.concatenate(limits))
    ):  # fmt: skip
        raise StatisticsError("frame", "not estimable: the interval of a change has no finite limit")
    lower, middle, upper = (np.exp(one) if logarithm else one for one in limits)
    note = "" if fit.between > 0 else "variance between subjects estimated at zero"
    changes = {
        name: Result(
            method=method, value=float(middle[n]), lower=float(lower[n]), upper=float(upper[n]),
            statistic=float(estimates[n] / errors[n]),
            p_value=float(2 * norm.sf(abs(estimates[n] / errors[n]))),
            confidence=level, note=note, **common,
        )
        for n, name in enumerate(later)
    }  # fmt: skip
    changes |= {name: Result(method=method, value=nan, note=_ONLY_LIMITS, **common) for name in limited}
    wald = float(estimates @ np.linalg.solve(covariance, estimates))
    overall = Result(
        method=f"Wald test that no visit differs from baseline, {method.partition(', ')[2]}",
        statistic=wald, p_value=float(chi2.sf(wald, len(later))), details={"df": len(later)},
        note=note, **common,
    )  # fmt: skip
    return VisitModel(changes, overall)


def _restricted(rows: _Rows) -> _Fit:
    """Restricted maximum likelihood, no value being a limit."""
    import warnings

    from helpers.stats.intercept_model import InterceptModel

    model = InterceptModel(rows.y, rows.x, rows.subject)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fit = model.fit(reml=True)
            between, scale = float(np.asarray(fit.cov_re)[0, 0]), float(fit.scale)
            beta = np.asarray(fit.fe_params)
            covariance = np.asarray(fit.cov_params())[: model.k_fe, : model.k_fe]
            if not fit.converged or not model.is_flat(between / scale):
                beta, covariance, between, scale = model.by_search()
        except (np.linalg.LinAlgError, ValueError, ArithmeticError) as error:
            raise StatisticsError("frame", f"not estimable: the mixed model failed ({error})") from error
        if not (np.diag(covariance) > 0).all():
            raise StatisticsError("frame", "not estimable: the mixed model did not converge")
    return _Fit(beta, covariance, between if between > 1e-8 * scale else 0.0)


# ---- likelihood with censored values -----------------------------------------------------------------------


def _censored(rows: _Rows) -> _Fit:
    """Maximum likelihood where some values are limits, on values of mean 0 and standard deviation 1."""
    from scipy.optimize import minimize

    centre, spread = float(rows.y.mean()), float(rows.y.std())
    scaled = _Rows((rows.y - centre) / spread, rows.side, rows.x, rows.subject)
    first = np.linalg.lstsq(scaled.x, scaled.y, rcond=None)[0]
    rest = max(float((scaled.y - scaled.x @ first).std()), 1e-3)
    start = np.concatenate([first, np.log([rest / np.sqrt(2)] * 2)])

    def cost(theta: Floats) -> tuple[float, Floats]:
        value, gradient = censored_likelihood(theta, scaled.y, scaled.side, scaled.x, scaled.subject)
        return -value, -gradient

    found = minimize(cost, start, jac=True, method="BFGS", options={"gtol": _FLAT / 100, "maxiter": 500})
    if not np.isfinite(found.x).all() or np.abs(found.jac).max() > _FLAT:
        raise StatisticsError("frame", "not estimable: the mixed model did not converge")
    within, between = np.exp(found.x[-2:])
    free = found.x.size - int(between < _NO_VARIANCE * within)  # at zero it is on the edge, and no parameter
    information = _information(cost, found.x)[:free, :free]
    try:
        covariance = np.linalg.inv(information)
    except np.linalg.LinAlgError as error:
        raise StatisticsError("frame", f"not estimable: the mixed model failed ({error})") from error
    size = rows.x.shape[1]
    beta = np.asarray(spread * found.x[:size], dtype=np.float64)
    beta[0] += centre
    scaled_back = np.asarray(spread**2 * covariance[:size, :size], dtype=np.float64)
    return _Fit(beta, scaled_back, float(between) if free == found.x.size else 0.0)


def _information(cost: Any, theta: Floats) -> Floats:
    """Second derivatives from central differences of the gradient."""
    step = 1e-4
    columns = [
        (cost(theta + step * unit)[1] - cost(theta - step * unit)[1]) / (2 * step)
        for unit in np.eye(theta.size)
    ]
    matrix = np.array(columns)
    return np.asarray((matrix + matrix.T) / 2)


def censored_likelihood(
    theta: Floats, y: Floats, side: Ints, x: Floats, subject: Ints
) -> tuple[float, Floats]:
    """Log-likelihood of a random-intercept model with censored values, and its gradient.

    Of the exact values the density is closed; given them the intercept of a subject is normal, and the chance
    of the subject's limits is its mean under that normal, by the trapezoidal rule, whose error falls
    exponentially for such functions. The gradient is the mean of that of the complete data (Fisher's
    identity).

    Args:
        theta: coefficients, logarithms of the standard deviations within and between subjects.
        y, side, x, subject: as in the rows of the model: value or limit; 0 exact, 1 below, -1 above; design;
            number of the subject from 0 on.

    >>> theta, one = np.array([0.0, 0.0, 0.0]), np.zeros(1)
    >>> value, gradient = censored_likelihood(theta, one, np.array([1]), np.ones((1, 1)), np.array([0]))
    >>> round(value, 4)  # a value below its mean: log(1/2)
    -0.6931
    """
    from scipy.special import log_ndtr, logsumexp

    beta, (log_within, log_between) = theta[:-2], theta[-2:]
    within, between = np.exp(log_within), np.exp(log_between)
    residual, count = y - x @ beta, int(subject.max()) + 1
    exact: Bools = side == 0
    size = np.bincount(subject[exact], minlength=count)
    total = np.bincount(subject[exact], residual[exact], minlength=count) / within**2
    squares = np.bincount(subject[exact], residual[exact] ** 2, minlength=count) / within**2
    precision = 1 / between**2 + size / within**2
    density = -0.5 * (
        size * (np.log(2 * np.pi) + 2 * log_within)
        + np.log(precision * between**2) + squares - total**2 / precision
    )  # fmt: skip
    mean, second = total / precision, (total / precision) ** 2 + 1 / precision

    limited, of = np.unique(subject[~exact], return_inverse=True)
    grid = _grid(1 / np.sqrt(precision[limited]), within)
    b = mean[limited, None] + grid / np.sqrt(precision[limited])[:, None]
    z = side[~exact, None] * (residual[~exact, None] - b[of]) / within
    log_chance = log_ndtr(z)
    chances = np.tile(-0.5 * grid**2 - logsumexp(-0.5 * grid**2), (limited.size, 1))
    np.add.at(chances, of, log_chance)
    marginal = logsumexp(chances, axis=1)
    posterior = np.exp(chances - marginal[:, None])
    mean[limited], second[limited] = (posterior * b).sum(1), (posterior * b**2).sum(1)

    hazard = posterior[of] * np.exp(-0.5 * z**2 - 0.5 * np.log(2 * np.pi) - log_chance)
    pull = np.zeros(y.size)  # derivative by the mean of each row
    pull[exact] = (residual[exact] - mean[subject[exact]]) / within**2
    pull[~exact] = -side[~exact] * hazard.sum(1) / within
    spread = (
        residual[exact] ** 2 - 2 * residual[exact] * mean[subject[exact]] + second[subject[exact]]
    ) / within**2 - 1
    by_within = float(spread.sum() - (hazard * z).sum())
    by_between = float((second / between**2 - 1).sum())
    value = float(density.sum() + marginal.sum())
    return value, np.concatenate([x.T @ pull, [by_within, by_between]])


def _grid(spreads: Floats, within: float) -> Floats:
    """Points in standard deviations of the intercepts, no further apart than the limits are sharp."""
    steps = 2 * _REACH * float(spreads.max()) / within
    return np.linspace(-_REACH, _REACH, int(np.clip(np.ceil(steps / 32) * 32 + 1, _FEWEST, _MOST)))
