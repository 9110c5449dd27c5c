"""Ratios from their logarithms."""

from __future__ import annotations

from math import inf, log
from sys import float_info
from typing import TypedDict

import numpy as np

_LARGEST = log(float_info.max)


class Ratio(TypedDict):
    """A ratio with its limits, as :class:`Result` names them."""

    value: float
    lower: float
    upper: float


def ratio_of_log(value: float, half: float) -> Ratio:
    """Return a ratio with its limits from its logarithm and half the width of the interval of that.

    >>> {name: round(found, 3) for name, found in ratio_of_log(log(2), log(4)).items()}
    {'value': 2.0, 'lower': 0.5, 'upper': 8.0}
    """
    return {"value": antilog(value), "lower": antilog(value - half), "upper": antilog(value + half)}


def antilog(x: float) -> float:
    """Return exp(x); infinite where that is larger than any number a computer holds.

    >>> antilog(0.0), antilog(1000.0), antilog(-1000.0)
    (1.0, inf, 0.0)
    """
    return float(np.exp(x)) if not x > _LARGEST else inf


def has_finite_ratio(*logs: float) -> bool:
    """Whether the ratios of these logarithms, and their inverses, are numbers that a computer holds.

    >>> has_finite_ratio(0.0, -3.0), has_finite_ratio(1000.0)
    (True, False)
    """
    return all(abs(one) < _LARGEST for one in logs)
