"""Values that are worked out rather than entered, and that rules speak of like any other variable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from helpers.clinical.facts import Column, Facts, FloatArray, StateArray


@dataclass(frozen=True)
class Derived:
    """A derived variable: its unit ("1" for a sign), and in words what it is worked out from."""

    unit: str
    origin: str
    sign: bool = False


DERIVED: Final[Mapping[str, Derived]] = {
    "granulocyte_fraction": Derived("%", "neutrophils of leucocytes"),
    "ferritin_esr_ratio": Derived("1", "ferritin (ng/mL) by erythrocyte sedimentation rate (mm/h)"),
    "recurrence_on_taper": Derived("1", "the reason why a patient is called refractory", sign=True),
    "prior_response": Derived("1", "responses before day 0", sign=True),
    "rheumatic_disease": Derived("1", "the underlying disease", sign=True),
    "refractory": Derived("1", "the cohort's rule of refractoriness", sign=True),
    "score": Derived("1", "the points of a score"),
}


def with_derived(facts: Facts) -> Facts:
    """Add the values that follow from others of the same patient-visit, where none was entered.

    >>> keys = pd.DataFrame({"patient_id": ["a"], "visit": ["baseline"], "day": [0]})
    >>> facts = (
    ...     Facts(keys, {})
    ...     .with_column("ferritin", [9000.0], unit="ng/mL")
    ...     .with_column("esr", [30.0], unit="mm/h")
    ... )
    >>> with_derived(facts).column("ferritin_esr_ratio").value.tolist()
    [300.0]
    """
    for name, upper, lower, scale, unit in (
        ("granulocyte_fraction", "neutrophils", "leucocytes", 100.0, "%"),
        ("ferritin_esr_ratio", "ferritin", "esr", 1.0, "1"),
    ):
        top, bottom = facts.columns.get(upper), facts.columns.get(lower)
        if name not in facts.columns and top is not None and bottom is not None:
            value, qualifier = ratio(top, bottom, scale)
            facts = facts.with_column(
                name, value, unit=unit, qualifier=qualifier, day=top.day, source_row=top.source_row
            )
    return facts


def ratio(top: Column, bottom: Column, scale: float = 1.0) -> tuple[FloatArray, StateArray]:
    """Return `scale` x top / bottom with its qualifier; NaN where the two together say nothing of it.

    A ratio of a value beyond a limit is beyond the ratio of the limits, if both lie on the side that moves it
    the same way: ">1500" by "<20" is above 75, ">1500" by ">20" may be anything.

    >>> def column(value, qualifier):
    ...     return Column(np.array([value]), np.array([qualifier]), "U/L", np.array([0.0]), np.array([0.0]))
    >>> value, qualifier = ratio(column(1500.0, 1), column(20.0, -1))
    >>> value.tolist(), qualifier.tolist()  # >1500 by <20 is above 75
    ([75.0], [1])
    """
    value = np.full(len(top.value), np.nan)
    np.divide(scale * top.value, bottom.value, out=value, where=bottom.value > 0)
    pull = -bottom.qualifier.astype(np.int8)
    agree = (top.qualifier == 0) | (pull == 0) | (top.qualifier == pull)
    qualifier = np.where(top.qualifier != 0, top.qualifier, pull).astype(np.int8)
    value[~agree] = np.nan
    qualifier[np.isnan(value)] = 0
    return value, qualifier
