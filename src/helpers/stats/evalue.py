"""How strong an unmeasured confounder would have to be: E-values, bounding factor, and a grid of one
confounder.

The E-value alone is hard to judge at the bedside. The grid asks in clinical terms: had organ failure been
present in so many controls and so many treated, and had it multiplied deaths by so much, what would be
left?
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, nan, sqrt
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from helpers.stats.checks import choice, float_array
from helpers.stats.result import Result, StatisticsError

if TYPE_CHECKING:
    import pandas as pd

Measure = Literal["risk_ratio", "odds_ratio", "hazard_ratio"]


def to_risk_ratio(value: float, measure: Measure, *, common: bool) -> float:
    """Risk ratio that a ratio stands for (VanderWeele & Ding 2017, table 2).

    A common outcome (more than 15 % by the end of follow-up): odds ratio to its square root, hazard ratio
    to (1 - 0.5^sqrt(HR)) / (1 - 0.5^sqrt(1/HR)). A rare one: unchanged. NaN stays NaN, 0 stays 0. Raises
    StatisticsError for a negative ratio or another measure.

    >>> to_risk_ratio(4.0, "odds_ratio", common=True), to_risk_ratio(4.0, "odds_ratio", common=False)
    (2.0, 4.0)
    """
    choice(measure, ("risk_ratio", "odds_ratio", "hazard_ratio"), "measure")
    if value != value or value == 0:
        return value
    if value < 0:
        raise StatisticsError("value", f"a ratio cannot be negative, found {value:g}")
    if not common or measure == "risk_ratio":
        return float(value)
    if measure == "odds_ratio":
        return sqrt(value)
    return float((1 - 0.5 ** sqrt(value)) / (1 - 0.5 ** sqrt(1 / value)))


def _e(ratio: float) -> float:
    if ratio != ratio:
        return nan
    above = ratio if ratio >= 1 else (1 / ratio if ratio > 0 else float("inf"))
    return above + sqrt(above * (above - 1)) if isfinite(above) else above


def e_value(
    value: float,
    lower: float = nan,
    upper: float = nan,
    *,
    measure: Measure = "risk_ratio",
    common: bool = False,
) -> Result:
    """E-value of an estimate and of the confidence limit nearer to no effect (VanderWeele & Ding 2017).

    The least strength, as a risk ratio, that an unmeasured confounder must have with both treatment and
    outcome to explain the estimate away. `value` is that of the estimate, `lower` that of the limit (1 if
    the interval includes no effect, NaN if it is not known). `common` as in `to_risk_ratio`.

    >>> round(e_value(3.9, 1.8, 8.7).value, 2)
    7.26
    """
    ratios = [to_risk_ratio(v, measure, common=common) for v in (value, lower, upper)]
    near = ratios[1] if ratios[0] >= 1 else ratios[2]
    if near != near:
        limit = nan
    else:
        crosses = near <= 1 if ratios[0] >= 1 else near >= 1
        limit = 1.0 if crosses else _e(near)
    name = measure.replace("_", " ")
    return Result(
        method=f"E-value of a {name}{', common outcome' if common and measure != 'risk_ratio' else ''}",
        value=_e(ratios[0]),
        lower=limit,
        options={"measure": measure, "common": common},
        details={"risk_ratio": ratios[0]},
    )


def bounding_factor(with_treatment: Any, with_outcome: Any) -> Any:
    """Largest bias a confounder can cause: RR_EU RR_UD / (RR_EU + RR_UD - 1) (Ding & VanderWeele 2016).

    `with_treatment` and `with_outcome` are risk ratios of at least 1, numbers or arrays. Raises
    StatisticsError for ratios below 1.

    >>> round(bounding_factor(2.0, 2.0), 3)  # 4 / 3
    1.333
    """
    a, b = np.asarray(with_treatment, dtype=float), np.asarray(with_outcome, dtype=float)
    if (a < 1).any() or (b < 1).any():
        raise StatisticsError("with_treatment", "risk ratios must be 1 or more; invert those below")
    found = a * b / (a + b - 1)
    return float(found) if found.ndim == 0 else found


def confounder_bias(prevalence_treated: Any, prevalence_control: Any, effect: Any) -> Any:
    """Factor by which one binary confounder multiplies a risk ratio: (p1 (RR - 1) + 1) / (p0 (RR - 1) + 1).

    `effect` is the confounder's risk ratio for the outcome, the same in both arms, the prevalences lie
    between 0 and 1. Source: Bross 1966, Schneeweiss 2006. Numbers or arrays. Raises StatisticsError for
    prevalences outside 0 to 1 or an effect not above 0.

    >>> round(confounder_bias(0.5, 0.25, 3.0), 3)  # 2 / 1.5
    1.333
    """
    p1, p0 = np.asarray(prevalence_treated, dtype=float), np.asarray(prevalence_control, dtype=float)
    strength = np.asarray(effect, dtype=float)
    if ((p1 < 0) | (p1 > 1)).any() or ((p0 < 0) | (p0 > 1)).any():
        raise StatisticsError("prevalence_treated", "prevalences must lie between 0 and 1")
    if (strength <= 0).any():
        raise StatisticsError("effect", "a risk ratio must be above 0")
    found = (p1 * (strength - 1) + 1) / (p0 * (strength - 1) + 1)
    return float(found) if found.ndim == 0 else found


def confounder_grid(
    value: float,
    lower: float,
    upper: float,
    *,
    prevalence_treated: Sequence[float],
    prevalence_control: Sequence[float],
    effects: Sequence[float],
) -> pd.DataFrame:
    """The estimate and its limits, corrected for one binary confounder under every combination.

    `value`, `lower`, `upper`: a risk ratio (or a hazard or odds ratio taken as one). Columns:
    prevalence_treated, prevalence_control, effect, bias, ratio, lower, upper, conclusion: "holds" (the
    interval excludes 1 on the side of the estimate), "inconclusive" (it includes 1), "reversed". The grid
    is deterministic; the limits carry no uncertainty about the confounder itself. Raises StatisticsError
    for a ratio not above 0, and as `confounder_bias`.

    >>> found = confounder_grid(
    ...     0.5, 0.3, 0.9, prevalence_treated=[0.2], prevalence_control=[0.6], effects=[1.0, 3.0]
    ... )
    >>> found[["effect", "ratio", "conclusion"]].round(2).values.tolist()
    [[1.0, 0.5, 'holds'], [3.0, 0.79, 'inconclusive']]
    """
    import pandas as pd

    if not value > 0:
        raise StatisticsError("value", f"needs a ratio above 0, found {value!r}")
    axes = [float_array(list(a), "grid") for a in (prevalence_treated, prevalence_control, effects)]
    p1, p0, effect = (mesh.ravel() for mesh in np.meshgrid(*axes, indexing="ij"))
    bias = np.asarray(confounder_bias(p1, p0, effect))
    low, high, ratio = lower / bias, upper / bias, value / bias
    same = ratio < 1 if value < 1 else ratio > 1
    excludes = (high < 1) | (low > 1)
    conclusion = np.where(~excludes, "inconclusive", np.where(same, "holds", "reversed"))
    columns = {"prevalence_treated": p1, "prevalence_control": p0, "effect": effect, "bias": bias}
    columns |= {"ratio": ratio, "lower": low, "upper": high, "conclusion": conclusion}
    return pd.DataFrame(columns)


def confounder_tipping_effect(upper: float, prevalence_treated: float, prevalence_control: float) -> Result:
    """Least effect (risk ratio on the outcome) with which a confounder of these prevalences takes the
    interval to 1.

    For a protective estimate with upper limit `upper` below 1 the confounder is commoner in the controls.
    Solves bias = upper. NaN with a note where no strength suffices (the bias never passes p1/p0) or none
    is needed. Raises StatisticsError for a limit not above 0, and as `confounder_bias`.

    >>> round(confounder_tipping_effect(0.8, 0.2, 0.6).value, 2)
    1.71
    """
    method = "least effect of one binary confounder with which the limit reaches 1"
    options = {"prevalence_treated": prevalence_treated, "prevalence_control": prevalence_control}
    confounder_bias(prevalence_treated, prevalence_control, 1.0)
    if not upper > 0:
        raise StatisticsError("upper", f"needs a limit above 0, found {upper!r}")
    if upper >= 1:
        return Result(method=method, value=1.0, note="the interval includes 1 already", options=options)
    slope = upper * prevalence_control - prevalence_treated
    if slope <= 0:
        return Result(method=method, note="no strength suffices with these prevalences", options=options)
    return Result(method=method, value=1 + (1 - upper) / slope, options=options)
