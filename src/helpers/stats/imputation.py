"""Multiple imputation within the arms, and Rubin's rules with the degrees of freedom of few patients.

statsmodels draws (chained equations, predictive mean matching); this module keeps the arms apart, so that no
arm lends its values to the other, refuses what the patients cannot carry, and pools. Imputation assumes that
a missing value is like the known ones of the arm with the same predictors. It narrows nothing that the data
do not hold: where most of an arm is unknown, bounds are the honest answer.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.stats.checks import Bools, Floats, confidence_level, event_flags, float_array
from helpers.stats.result import Result, StatisticsError

if TYPE_CHECKING:
    import pandas as pd

# As for a covariate of a model: ten patients who are known before anything is learnt from them.
FEWEST_KNOWN = 10
DONORS = 5
_NO_SPREAD = 1e-4


def pooled(
    estimates: Any, variances: Any, complete_df: float, *, confidence: float = 0.95, n: int = 0
) -> Result:
    """Estimate over completed data sets by Rubin's rules, limits and p by Student's t.

    `estimates` and `variances`, one a data set; `complete_df` the degrees of freedom with nothing missing.
    Degrees of freedom: Barnard & Rubin 1999. `details`: within, between, total variance, df, and
    `missing_information`, the share of the information on the estimate that is missing. Equals R's
    `mice::pool.scalar`. Raises StatisticsError for fewer than two data sets or a variance of 0.

    >>> found = pooled([1.2, 1.5, 0.9, 1.1], [0.20, 0.25, 0.22, 0.18], 39)
    >>> round(found.value, 3), round(found.details["df"], 2), round(found.details["missing_information"], 3)
    (1.175, 16.42, 0.344)
    """
    from scipy.stats import t

    level = confidence_level(confidence)
    q, u = float_array(estimates, "estimates"), float_array(variances, "variances")
    m = q.size
    if m < 2 or u.size != m:
        raise StatisticsError("estimates", f"needs at least two data sets, found {m} and {u.size} variances")
    within, between = float(u.mean()), float(q.var(ddof=1))
    total = within + (1 + 1 / m) * between
    if not within > 0:
        raise StatisticsError("variances", "the completed data do not vary")
    share = max((1 + 1 / m) * between / total, _NO_SPREAD)
    old = (m - 1) / share**2
    observed = (complete_df + 1) / (complete_df + 3) * complete_df * (1 - share)
    df = old * observed / (old + observed)
    increase = (1 + 1 / m) * between / within
    half = float(t.isf((1 - level) / 2, df)) * float(np.sqrt(total))
    value = float(q.mean())
    return Result(
        method=f"multiple imputation within the arms ({m} data sets), Rubin's rules, Barnard-Rubin t",
        value=value,
        lower=value - half,
        upper=value + half,
        p_value=float(2 * t.sf(abs(value) / np.sqrt(total), df)),
        statistic=value / float(np.sqrt(total)),
        n=n,
        confidence=level,
        details={
            "within": within,
            "between": between,
            "total": total,
            "df": df,
            "missing_information": (increase + 2 / (df + 3)) / (increase + 1),
        },
    )


def impute_within_arms(
    target: Any, predictors: pd.DataFrame, treated: Any, ids: Any, *, draws: int = 20, seed: int = 20240501
) -> Floats:
    """Completed values of `target`, shape (draws, patients), each arm imputed from its own known patients.

    `target` is numeric (0 and 1 for yes or no), NaN where missing; `predictors` has numeric columns, of
    which those with gaps in the arm are left out; `treated` is 1 or 0; `ids` settle the order, so that the
    rows' own order does not matter. Predictive mean matching: an imputed value is one of the five known
    values of the arm whose predictions are nearest. Raises StatisticsError, saying which arm, where fewer
    than ten known patients, or known patients who do not vary, would be copied, or no predictor is left.

    >>> known = [float(n) for n in range(1, 13)]
    >>> target = [*known, float("nan"), *known]
    >>> predictors = pd.DataFrame({"age": range(25)})
    >>> found = impute_within_arms(target, predictors, [1] * 13 + [0] * 12, range(25), draws=3)
    >>> found.shape, bool(np.isin(found[:, 12], known).all())  # copied from known patients of the arm
    ((3, 25), True)
    """
    values = float_array(target, "target")
    arm = event_flags(treated, values.size, "treated")
    order = np.argsort(np.asarray(ids).astype(str), kind="stable")
    completed = np.tile(values, (draws, 1))
    for code, name in ((True, "treated"), (False, "control")):
        mine = order[arm[order] == code]
        missing = np.isnan(values[mine])
        if not missing.any():
            continue
        known = values[mine][~missing]
        if known.size < FEWEST_KNOWN:
            raise StatisticsError("target", f"fewer than ten of the {name} patients are known")
        if np.ptp(known) == 0:
            raise StatisticsError("target", f"all known {name} patients are alike")
        columns = _usable(predictors.iloc[mine].to_numpy(dtype=float))
        if columns.shape[1] == 0:
            raise StatisticsError("predictors", f"none is known in, and differs between, the {name} patients")
        generator = np.random.default_rng([seed, int(code)])
        completed[:, mine[missing]] = _draws(values[mine], columns, missing, draws, generator)
    return completed


def _usable(columns: Floats) -> Floats:
    """The columns that everybody has, less those that are combinations of the ones before them."""
    kept = np.ones((len(columns), 1))
    for column in columns.T:
        if np.isfinite(column).all():
            wider = np.column_stack([kept, column])
            kept = wider if np.linalg.matrix_rank(wider) > kept.shape[1] else kept
    return kept[:, 1:]


def _draws(
    values: Floats, columns: Floats, missing: Bools, draws: int, generator: np.random.Generator
) -> Floats:
    """Values of the missing patients of one arm, one row a data set."""
    import pandas as pd
    from statsmodels.imputation.mice import MICEData

    frame = pd.DataFrame({f"x{j}": column for j, column in enumerate(columns.T)} | {"target": values})
    chain = MICEData(frame, k_pmm=min(DONORS, int((~missing).sum())), rng=generator)
    # The predictors are complete and the known do not change: one design serves every round.
    chain.get_fitting_data = cache(chain.get_fitting_data)
    chain.get_split_data = cache(chain.get_split_data)
    found = np.empty((draws, int(missing.sum())))
    for i in range(draws):
        # The predictors are complete, so one round is a draw of its own.
        chain.update("target")
        found[i] = chain.data["target"].to_numpy()[missing]
    return found


def mean_difference(completed: Floats, treated: Any, *, confidence: float = 0.95) -> Result:
    """Difference of means (of shares, for 0 and 1), treated less control, pooled over completed data sets.

    `completed` has shape (draws, patients). Raises StatisticsError for an arm of fewer than two patients.

    >>> completed = np.array([[3.0, 5.0, 1.0, 2.0], [3.0, 7.0, 1.0, 2.0]])
    >>> mean_difference(completed, [1, 1, 0, 0]).value  # mean of 4 - 1.5 and 5 - 1.5
    3.0
    """
    arm = event_flags(treated, completed.shape[1], "treated")
    if min(arm.sum(), (~arm).sum()) < 2:
        raise StatisticsError("treated", "an arm has fewer than two patients")
    sides = [completed[:, mask] for mask in (arm, ~arm)]
    gaps = sides[0].mean(1) - sides[1].mean(1)
    spread = sum(side.var(1, ddof=1) / side.shape[1] for side in sides)
    return pooled(gaps, spread, arm.size - 2, confidence=confidence, n=arm.size)
