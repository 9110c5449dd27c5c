"""What a shift may be where values are known only as a limit: the shifts of the least and greatest values."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from math import inf, isclose, isfinite, nan
from typing import Any

import numpy as np

from helpers.stats.checks import Floats, float_array, is_missing
from helpers.stats.result import Result, StatisticsError

TOO_MANY_LIMITS = "not estimable: too many values are known only as a limit"
# What is unbounded stands this many times farther out than the largest known value m. A difference of it and
# a known value is then 63 m or more, the mean of that and a difference of known values (2 m at most) 30 m or
# more, and half way from there to another difference still 14 m: what lies beyond 4 m hangs on it.
_FAR, _BEYOND = 64.0, 4.0


def limit_signs(qualifiers: Any, size: int, argument: str = "values") -> np.ndarray[Any, Any]:
    """Qualifiers as an array of "", "<" and ">"; missing reads as "".

    Raises StatisticsError for another sign or another number of them than `size`.

    >>> limit_signs(["<", None, ">"], 3).tolist()
    ['<', '', '>']
    >>> limit_signs(["~"], 1)
    Traceback (most recent call last):
        ...
    helpers.stats.result.StatisticsError: qualifiers: must be "", "<" or ">", found '~'
    """
    raw = qualifiers.to_numpy() if hasattr(qualifiers, "to_numpy") else np.asarray(qualifiers, dtype=object)
    if raw.shape != (size,):
        raise StatisticsError("qualifiers", f"shape {raw.shape}, {argument} has {(size,)}")
    with contextlib.suppress(TypeError):  # of missing values that are not to be compared
        if raw.tolist().count("") == size:  # as nearly always
            return np.full(size, "")
    signs = np.array(["" if is_missing(q) else str(q).strip() for q in raw.tolist()])
    unknown = ~np.isin(signs, ["", "<", ">"])
    if unknown.any():
        raise StatisticsError("qualifiers", f'must be "", "<" or ">", found {str(signs[unknown][0])!r}')
    return signs


def possible_values(
    values: Any, qualifiers: Any, argument: str = "values", *, smallest: float = -inf
) -> tuple[Floats, Floats]:
    """Least and greatest number that each value may be, in its unit; a missing value is NaN in both.

    `qualifiers` has "<" or ">" where only a limit is known, or is None where every value is known.
    `smallest` is what no value can lie below: 0 for a concentration, so that "<0.5" lies between 0 and
    0.5. Raises StatisticsError as `limit_signs`, and for values that are no numbers.

    Example:
        >>> least, greatest = possible_values([3.0, 0.5, 900.0], ["", "<", ">"], smallest=0.0)
        >>> least.tolist(), greatest.tolist()
        ([3.0, 0.0, 900.0], [3.0, 0.5, inf])
    """
    numbers = float_array(values, argument)
    if qualifiers is None:
        return numbers, numbers
    signs = limit_signs(qualifiers, numbers.size, argument)
    known = ~np.isnan(numbers)
    below = np.where(known & (signs == "<"), np.minimum(smallest, numbers), numbers)
    return below, np.where(known & (signs == ">"), inf, numbers)


def spanning(shift: Callable[[Floats, Floats, bool], Result], x: Bounds, y: Bounds) -> Result:
    """The shift of `x` against `y`, pairs of the least and greatest value that each may be.

    `shift` estimates it, with an interval, from values and whether these are known; where all are, its result
    is returned. Else it must not fall when a value of its first argument rises nor rise when one of
    its second does. The limits are then the lower one of the smallest shift and the upper one of the largest;
    so each lies outside the limit that the true values have. The estimate is given if it is the same for
    both, and as a limit, its sign in `details["qualifier"]`, if it is bounded on one side only. `note` says
    the rest.

    >>> def shift(x, y, known):
    ...     return Result(method="difference", value=float(np.median(x) - np.median(y)))
    >>> x = possible_values([3.0, 0.5], ["", "<"], smallest=0.0)
    >>> y = possible_values([1.0], None)
    >>> spanning(shift, x, y).note
    'known only to lie between 0.5 and 0.75'
    """
    if all(np.array_equal(*pair, equal_nan=True) for pair in (x, y)):
        return shift(x[0], y[0], True)
    largest = max(float(np.abs(part[np.isfinite(part)]).max(initial=0.0)) for part in (*x, *y)) or 1.0
    least = shift(_bounded(x[0], largest), _bounded(y[1], largest), False)
    greatest = shift(_bounded(x[1], largest), _bounded(y[0], largest), False)
    low, high = _unbounded(least.value, largest), _unbounded(greatest.value, largest)
    value, sign, note = _estimate(low, high)
    lower, upper = _unbounded(least.lower, largest), _unbounded(greatest.upper, largest)
    if np.isinf([lower, upper]).any() and np.isfinite([least.lower, greatest.upper]).all():
        note = "; ".join(filter(None, (note, "no finite limit, for values known only as a limit")))
    note = "; ".join(filter(None, (least.note or greatest.note, note)))
    details = {**least.details, "qualifier": sign, "least": low, "greatest": high}
    return replace(least, value=value, lower=lower, upper=upper, note=note, details=details)


Bounds = tuple[Floats, Floats]


def _bounded(values: Floats, largest: float) -> Floats:
    return np.clip(values, -_FAR * largest, _FAR * largest)


def _unbounded(number: float, largest: float) -> float:
    return float(np.copysign(inf, number)) if abs(number) > _BEYOND * largest else number


def _estimate(low: float, high: float) -> tuple[float, str, str]:
    if isfinite(low) and isclose(low, high, rel_tol=1e-9, abs_tol=1e-12):
        return low, "", ""
    if isfinite(low) and isfinite(high):
        return nan, "", f"known only to lie between {low:g} and {high:g}"
    if isfinite(low) or isfinite(high):
        return (low, ">", "") if isfinite(low) else (high, "<", "")
    return nan, "", TOO_MANY_LIMITS
