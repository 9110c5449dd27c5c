"""Balance of covariates with its sampling error: what a love plot shows.

With 20 and 21 patients a standardised difference has a standard error of about 0.31 under perfect balance, so
three quarters of all covariates exceed the customary 0.1 by chance. A count of those above 0.1 is therefore
printed beside the number expected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.stats.checks import Bools, Floats, confidence_level, event_flags, float_array
from helpers.stats.counting_process import checked_weights
from helpers.stats.result import Result, StatisticsError
from helpers.stats.weighted_survival import effective_sample_size

if TYPE_CHECKING:
    import pandas as pd

_BALANCED = 1e-10


def smd_standard_error(difference: float, n_treated: float, n_control: float) -> float:
    """Standard error of a standardised mean difference (Hedges & Olkin 1985); sizes may be effective ones.

    >>> round(smd_standard_error(0.0, 20, 21), 2)
    0.31
    """
    return float(np.sqrt(1 / n_treated + 1 / n_control + difference**2 / (2 * (n_treated + n_control))))


def expected_above(n_treated: float, n_control: float, count: int, *, limit: float = 0.1) -> Result:
    """How many of `count` absolute standardised differences exceed `limit` under perfect balance.

    `value` is the expected number, `details["probability"]` the chance of one (normal approximation).

    >>> found = expected_above(20, 21, 10)
    >>> round(found.value, 1), round(found.details["probability"], 2)
    (7.5, 0.75)
    """
    from scipy.stats import norm

    probability = float(2 * norm.sf(limit / smd_standard_error(0.0, n_treated, n_control)))
    return Result(
        method=f"expected number of {count} absolute standardised differences above {limit:g} by chance",
        value=count * probability,
        n=count,
        details={"probability": probability},
    )


def balance_table(
    frame: pd.DataFrame,
    *,
    treated: str,
    covariates: Sequence[str],
    weights: Any = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Standardised mean difference of each numeric covariate, treated less control, under `weights`.

    The denominator is the unweighted pooled standard deviation (Austin 2009), the same before and after
    weighting, so that a change is a change of the means. Columns: covariate, mean_treated, mean_control, smd,
    std_err, lower, upper, n, n_missing, ess_treated, ess_control, note. Standard errors use Kish's effective
    sizes. A covariate without variation, or missing in an arm, has no smd and a note.

    >>> frame = pd.DataFrame({"arm": [1, 1, 1, 0, 0, 0], "age": [30, 40, 50, 40, 50, 60]})
    >>> found = balance_table(frame, treated="arm", covariates=["age"])
    >>> found[["mean_treated", "mean_control", "smd"]].values.tolist()
    [[40.0, 50.0, -1.0]]
    """
    import pandas as pd
    from scipy.stats import norm

    z = float(norm.isf((1 - confidence_level(confidence)) / 2))
    arm = event_flags(frame[treated], len(frame), "treated")
    if arm.all() or not arm.any():
        raise StatisticsError("treated", "one arm is empty")
    w = checked_weights(weights, len(frame))
    rows = [_row(name, float_array(frame[name], name), arm, w, z) for name in covariates]
    return pd.DataFrame(rows)


def _row(name: str, values: Floats, arm: Bools, weights: Floats, z: float) -> dict[str, Any]:
    known = ~np.isnan(values) & (weights > 0)
    row: dict[str, Any] = {"covariate": name, "n": int(known.sum())}
    row["n_missing"] = int(np.isnan(values).sum())
    parts = [(values[known & m], weights[known & m]) for m in (arm, ~arm)]
    empty = dict.fromkeys(("mean_treated", "mean_control", "smd", "std_err", "lower", "upper"), np.nan)
    empty |= {"ess_treated": np.nan, "ess_control": np.nan}
    if min(x.size for x, _ in parts) < 2:
        return row | empty | {"note": "fewer than two known values in an arm"}
    means = [float(np.average(x, weights=w)) for x, w in parts]
    ess = [effective_sample_size(w) for _, w in parts]
    row |= {"mean_treated": means[0], "mean_control": means[1]}
    row |= {"ess_treated": ess[0], "ess_control": ess[1]}
    pooled = float(np.sqrt(sum(np.var(x, ddof=1) for x, _ in parts) / 2))
    # Values that are all alike may have a variance of rounding.
    if pooled == 0 or all(np.ptp(x) == 0 for x, _ in parts):
        return empty | row | {"note": "does not vary within the arms"}
    smd = (means[0] - means[1]) / pooled
    # Balanced exactly, up to the rounding of sums, which differs between machines.
    smd = 0.0 if abs(smd) < _BALANCED else smd
    se = smd_standard_error(smd, *ess)
    return row | {"smd": smd, "std_err": se, "lower": smd - z * se, "upper": smd + z * se, "note": ""}
