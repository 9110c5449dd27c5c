"""Values that the dead do not have: survivors only, death as the worst value, bounds for those who would
survive either way, and the share of patients alive below each threshold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from helpers.stats.checks import (
    Bools,
    Floats,
    choice,
    confidence_level,
    event_flags,
    float_array,
    observed_values,
    whole_number,
)
from helpers.stats.contingency import two_by_two_test
from helpers.stats.proportions import proportion_difference
from helpers.stats.result import Result, StatisticsError

if TYPE_CHECKING:
    import pandas as pd


def _values_and_deaths(values: Any, died: Any) -> tuple[Floats, Bools]:
    x = float_array(values, "values")
    dead = event_flags(died, x.size, "died")
    return np.where(dead, np.nan, x), dead


def composite_quantile(
    values: Any, died: Any, q: float = 0.5, *, better: Literal["low", "high"] = "low"
) -> Result:
    """Quantile of a value in all patients, death being worse than every value (Lachin 1999).

    `died` is 1 for patients dead when the value was due; their values are ignored. Survivors without a
    value are left out and counted. The lower of two middle values is taken on the better side, so that
    the quantile is a patient's value; NaN with a note where it is death. `details["survivors"]` has the
    same quantile among survivors. Raises StatisticsError for a `q` not between 0 and 1, or where neither
    value nor death is known.

    >>> found = composite_quantile([5.0, 10.0, 20.0, None], [0, 0, 0, 1])
    >>> found.value, found.details["survivors"]  # death ranks worst
    (10.0, 10.0)
    """
    choice(better, ("low", "high"), "better")
    if not 0 < q < 1:
        raise StatisticsError("q", f"must lie between 0 and 1, found {q!r}")
    x, dead = _values_and_deaths(values, died)
    known = np.sort(x[~np.isnan(x)])
    known = known if better == "low" else known[::-1]
    total = known.size + int(dead.sum())
    if total == 0:
        raise StatisticsError("values", "no value and no death is known")
    rank = max(int(np.ceil(q * total - 1e-9)), 1)
    alive = max(int(np.ceil(q * known.size - 1e-9)), 1)
    return Result(
        method=f"quantile {q:g} in all patients, death as the worst value",
        value=float(known[rank - 1]) if rank <= known.size else float("nan"),
        n=total,
        n_missing=int((np.isnan(x) & ~dead).sum()),
        note="" if rank <= known.size else "the quantile is death",
        details={
            "survivors": float(known[alive - 1]) if known.size else float("nan"),
            "deaths": int(dead.sum()),
        },
    )


def survivor_effect_bounds(
    treated_values: Any, n_treated: Any, control_values: Any, n_control: Any, *, monotone: bool = True
) -> Result:
    """Bounds of the difference of means among patients who would survive under either treatment.

    `..._values` are those of the survivors (missing ones are left out and counted), `n_...` all patients of
    the arm, dead ones included. With `monotone`, treatment kills nobody whom control would have saved: the
    control survivors are those patients, and among the treated survivors they are the share S0/S1, lowest or
    highest. Without it their share among all is at least S1 + S0 - 1, and both arms are trimmed. Source:
    Zhang & Rubin 2003. `value` is the plain difference among survivors. Raises StatisticsError where S0 > S1
    contradicts monotonicity.

    >>> found = survivor_effect_bounds([5.0, 7.0, 9.0, 11.0], 4, [10.0, 12.0], 4)
    >>> found.value, found.lower, found.upper  # half of the treated survivors: 5 and 7, or 9 and 11
    (-3.0, -5.0, -1.0)
    """
    one, lost_1 = observed_values(treated_values, "treated_values")
    none, lost_0 = observed_values(control_values, "control_values")
    sizes = whole_number(n_treated, "n_treated"), whole_number(n_control, "n_control")
    alive = one.size + lost_1, none.size + lost_0
    if alive[0] > sizes[0] or alive[1] > sizes[1]:
        raise StatisticsError("n_treated", "fewer patients than survivors")
    s1, s0 = alive[0] / sizes[0], alive[1] / sizes[1]
    plain = float(one.mean() - none.mean())
    method = f"survivor average effect, bounds {'under' if monotone else 'without'} monotone survival"
    details = {"survival_treated": s1, "survival_control": s0}
    if monotone and s0 > s1 + 1e-12:
        raise StatisticsError("monotone", f"more controls ({s0:.3g}) than treated ({s1:.3g}) survived")
    both = s0 if monotone else s1 + s0 - 1
    if both <= 0:
        note = "nobody need have survived under both: no bounds"
        return Result(method=method, value=plain, n=sum(sizes), note=note, details=details)
    shares = both / s1, both / s0
    low = _trimmed(one, shares[0], lowest=True) - _trimmed(none, shares[1], lowest=False)
    high = _trimmed(one, shares[0], lowest=False) - _trimmed(none, shares[1], lowest=True)
    return Result(
        method=method,
        value=plain,
        lower=low,
        upper=high,
        n=sum(sizes),
        n_missing=lost_1 + lost_0,
        details={**details, "always_survivors": both},
    )


def _trimmed(values: Floats, share: float, *, lowest: bool) -> float:
    """Mean of the lowest (or highest) `share` of the values, the last one counted in part."""
    ordered = np.sort(values) if lowest else np.sort(values)[::-1]
    room = min(share, 1.0) * ordered.size
    weights = np.clip(room - np.arange(ordered.size), 0.0, 1.0)
    return float(weights @ ordered / weights.sum())


def threshold_curve(
    values: Any, died: Any, treated: Any, thresholds: Any, *, confidence: float = 0.95
) -> pd.DataFrame:
    """Patients alive with a value at or below each threshold, both arms, so that no one threshold is chosen.

    `values`, `died` (1 dead when the value was due), `treated` (1 or 0), one a patient. Columns:
    threshold, treated, control (counts), n_treated, n_control (all patients less those alive without a
    value), missing_treated, missing_control, difference (treated less control) with Newcombe limits lower
    and upper, p_value (Fisher). Raises StatisticsError where no outcome of an arm is known.

    >>> found = threshold_curve(
    ...     [5, 20, None, 8, 30, 40], [0, 0, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0], [10, 30]
    ... )
    >>> found[["threshold", "treated", "control"]].values.tolist()
    [[10.0, 1.0, 1.0], [30.0, 2.0, 2.0]]
    """
    import pandas as pd

    level = confidence_level(confidence)
    x, dead = _values_and_deaths(values, died)
    arm = event_flags(treated, x.size, "treated")
    known = dead | ~np.isnan(x)
    sizes = int((known & arm).sum()), int((known & ~arm).sum())
    if min(sizes) == 0:
        raise StatisticsError("values", "no outcome is known in one arm")
    rows = []
    for limit in np.unique(float_array(thresholds, "thresholds")).tolist():
        with np.errstate(invalid="ignore"):
            well = ~dead & (x <= limit)
        counts = int((well & arm).sum()), int((well & ~arm).sum())
        gap = proportion_difference(counts[0], sizes[0], counts[1], sizes[1], confidence=level)
        table = [[counts[0], sizes[0] - counts[0]], [counts[1], sizes[1] - counts[1]]]
        row: dict[str, Any] = {"threshold": limit, "treated": counts[0], "control": counts[1]}
        row |= {"n_treated": sizes[0], "n_control": sizes[1]}
        row |= {"missing_treated": int((~known & arm).sum()), "missing_control": int((~known & ~arm).sum())}
        row |= {"difference": gap.value, "lower": gap.lower, "upper": gap.upper}
        rows.append(row | {"p_value": two_by_two_test(table, rule="fisher").p_value})
    return pd.DataFrame(rows)
