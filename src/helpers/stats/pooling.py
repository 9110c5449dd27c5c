"""Pooling of estimates from multiply imputed data (Rubin 1987; degrees of freedom of Barnard & Rubin
1999)."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.stats.checks import confidence_level, float_array
from helpers.stats.result import Result, StatisticsError


def pool_imputations(
    estimates: Any, variances: Any, *, complete_df: float = float("inf"), confidence: float = 0.95
) -> Result:
    """One estimate and t interval from m >= 2 imputed data sets.

    `estimates` and `variances` (squared standard errors), one an imputation; `complete_df` are the degrees of
    freedom had nothing been missing. `details`: std_err, df, within, between, the relative increase in
    variance (riv), lambda (share of the variance due to missing values) and fmi. Equals R's
    `mice::pool.scalar`.
    """
    from scipy.stats import t

    level = confidence_level(confidence)
    q, u = float_array(estimates, "estimates"), float_array(variances, "variances")
    m = q.size
    if m < 2 or u.size != m:
        raise StatisticsError("estimates", f"needs two or more with a variance each, found {m} and {u.size}")
    if np.isnan(q).any() or np.isnan(u).any() or (u < 0).any():
        raise StatisticsError("variances", "an estimate is missing or a variance negative")
    within, between = float(u.mean()), float(q.var(ddof=1))
    extra = (1 + 1 / m) * between
    total = within + extra
    if total == 0:
        raise StatisticsError("variances", "no variance within or between imputations")
    share = extra / total
    old = (m - 1) / share**2 if share > 0 else float("inf")
    observed = complete_df
    if np.isfinite(complete_df):
        observed = (complete_df + 1) / (complete_df + 3) * complete_df * (1 - share)
    df = 1 / (1 / old + (1 / observed if observed > 0 else float("inf")))
    riv = extra / within if within > 0 else float("inf")
    se = float(np.sqrt(total))
    mean = float(q.mean())
    half = float(t.isf((1 - level) / 2, df)) * se
    return Result(
        method=f"pooled over {m} imputations (Rubin), Barnard-Rubin degrees of freedom",
        value=mean,
        lower=mean - half,
        upper=mean + half,
        p_value=float(2 * t.sf(abs(mean) / se, df)),
        statistic=mean / se,
        confidence=level,
        details={
            "std_err": se,
            "df": df,
            "within": within,
            "between": between,
            "riv": riv,
            "lambda": share,
            "fmi": (riv + 2 / (df + 3)) / (riv + 1) if np.isfinite(riv) else 1.0,
        },
    )
