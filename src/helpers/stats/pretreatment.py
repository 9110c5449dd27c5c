"""Before day 0: slopes of a value, and how much improvement selection at its worst would bring by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from helpers.stats.checks import choice, float_array
from helpers.stats.result import Result, StatisticsError
from helpers.stats.two_group import rank_sum_test

if TYPE_CHECKING:
    import pandas as pd


def individual_slopes(
    subject: Any, time: Any, value: Any, *, last: float = 0.0, scale: Literal["identity", "log"] = "identity"
) -> pd.DataFrame:
    """Least-squares slope of each subject's values up to and at `last` (day 0), per unit of time.

    `scale` log: slope of the natural logarithm, for laboratory values that multiply. Columns: subject,
    slope, n, note (why there is no slope: fewer than two days). Sorted by subject (as text). Raises
    StatisticsError for unequal lengths, or values not above 0 on the log scale.

    >>> found = individual_slopes(["a", "a", "b"], [-4, 0, 0], [100.0, 120.0, 50.0])
    >>> found[["subject", "slope", "n"]].values.tolist()
    [['a', 5.0, 2], ['b', nan, 1]]
    """
    import pandas as pd

    choice(scale, ("identity", "log"), "scale")
    names = np.asarray(subject).astype(str)
    t, x = float_array(time, "time"), float_array(value, "value")
    if not names.size == t.size == x.size:
        raise StatisticsError("subject", f"{names.size} subjects, {t.size} times and {x.size} values")
    used = ~np.isnan(t) & ~np.isnan(x) & (np.nan_to_num(t, nan=np.inf) <= last)
    if scale == "log" and (x[used] <= 0).any():
        raise StatisticsError("value", f"the log scale needs values above 0, found {x[used].min():g}")
    y = np.log(x, out=np.full(x.size, np.nan), where=used & (x > 0)) if scale == "log" else x
    rows = []
    for name in np.unique(names).tolist():
        own = used & (names == name)
        days, values = t[own], y[own]
        row: dict[str, Any] = {"subject": name, "slope": np.nan, "n": int(own.sum()), "note": ""}
        if np.unique(days).size < 2:
            row["note"] = f"values on {np.unique(days).size} day(s) before {last:g}"
        else:
            centred = days - days.mean()
            row["slope"] = float(centred @ values / (centred @ centred))
        rows.append(row)
    return pd.DataFrame(rows)


def compare_slopes(slopes: Any, treated: Any) -> Result:
    """Wilcoxon rank-sum test of the slopes of treated (`treated` 1) and control patients; missing ones left
    out.

    `details`: median slopes and how many of each arm have one. A Result without p that says why, where an arm
    has fewer than two slopes.

    >>> found = compare_slopes([1.0, 2.0, 3.0, -1.0, -2.0, -3.0], [1, 1, 1, 0, 0, 0])
    >>> round(found.p_value, 3)
    0.1
    """
    x = float_array(slopes, "slopes")
    arm = float_array(treated, "treated") == 1
    known = ~np.isnan(x)
    one, none = x[known & arm], x[known & ~arm]
    details = {
        "median_treated": float(np.median(one)) if one.size else float("nan"),
        "median_control": float(np.median(none)) if none.size else float("nan"),
        "n_treated": int(one.size),
        "n_control": int(none.size),
    }
    method = "slopes before day 0, Wilcoxon rank-sum test"
    missing = int((~known).sum())
    if min(one.size, none.size) < 2:
        note = f"slopes are known in {one.size} treated and {none.size} control patients"
        return Result(method=method, n=int(known.sum()), n_missing=missing, note=note, details=details)
    test = rank_sum_test(one, none)
    return Result(
        method=f"slopes before day 0, {test.method}",
        value=details["median_treated"] - details["median_control"],
        p_value=test.p_value,
        n=int(known.sum()),
        n_missing=missing,
        details=details,
    )


def regression_to_the_mean(
    mean: float, sd: float, correlation: float, cutoff: float, *, side: Literal["above", "below"] = "above"
) -> Result:
    """Expected fall (or rise) of a second measurement in those selected beyond a cut-off, without any
    treatment.

    Normal values with population `mean` and `sd`, correlation of two measurements of one patient between 0
    and 1; selected `side` of `cutoff`. sd (1 - correlation) phi(z) / (1 - Phi(z)), where z is
    (cutoff - mean) / sd with the sign of the side. Source: Barnett, van der Pols & Dobson 2005.
    `details["selected_mean"]`: mean of the selected.
    Raises StatisticsError for an `sd` not above 0, a correlation outside 0 to 1, or another side.

    >>> found = regression_to_the_mean(100.0, 20.0, 0.5, 120.0)
    >>> round(found.value, 1), round(found.details["selected_mean"], 1)  # half of the way back
    (15.3, 130.5)
    """
    from scipy.stats import norm

    choice(side, ("above", "below"), "side")
    if not sd > 0:
        raise StatisticsError("sd", f"must be above 0, found {sd!r}")
    if not 0 <= correlation <= 1:
        raise StatisticsError("correlation", f"must lie between 0 and 1, found {correlation!r}")
    sign = 1.0 if side == "above" else -1.0
    z = sign * (cutoff - mean) / sd
    hazard = float(np.exp(norm.logpdf(z) - norm.logsf(z)))
    return Result(
        method=f"regression to the mean of those {side} {cutoff:g}",
        value=sd * (1 - correlation) * hazard,
        options={"mean": mean, "sd": sd, "correlation": correlation, "cutoff": cutoff, "side": side},
        details={"selected_mean": mean + sign * sd * hazard},
    )
