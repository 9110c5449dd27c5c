"""Checks of input shared by the room: every refusal names the argument and says what was found.

Missing-value policy of the room: values (ages, laboratory values) may be missing, are left out and counted in
`n_missing`; times, event flags and group labels may not be missing, because guessing any of them would
change who is compared with whom.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from helpers.stats.result import StatisticsError

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# Values closer than this share of the largest are one value: 0.1 + 0.2 and 0.3, or one laboratory value that
# two hospitals report in two units, differ in the last bits of floating point only.
SAME_VALUE = 1e-12
# For times the tolerance of R's `survfit` (its `timefix`), relative to the mean distinct time.
SAME_TIME = float(np.sqrt(np.finfo(float).eps))
# Whole numbers within such a range are counted, not sorted.
_FEW_NUMBERS = 100


def tied_values(values: Floats) -> Floats:
    """Values in which those that differ by the rounding of floating point only are equal.

    >>> tied_values(np.array([0.1 + 0.2, 0.3, 0.4])).tolist()
    [0.3, 0.3, 0.4]
    """
    distinct = np.unique(values)
    finite = distinct[np.isfinite(distinct)]
    return _merged(values, distinct, SAME_VALUE * float(np.abs(finite).max(initial=0.0)))


def _merged(values: Floats, distinct: Floats, tolerance: float) -> Floats:
    """Values, each that is at most `tolerance` above the next lower one made equal to it."""
    apart = np.diff(distinct) > tolerance
    if apart.all():
        return values
    kept = np.concatenate(([True], apart))
    first, gone = distinct[kept], distinct[~kept]
    # Few are made equal to others as a rule: only these are looked up.
    rows = np.flatnonzero(gone[np.minimum(np.searchsorted(gone, values), gone.size - 1)] == values)
    merged = values.copy()
    merged[rows] = first[np.searchsorted(first, values[rows], side="right") - 1]
    return merged


def float_array(values: Any, argument: str) -> Floats:
    """One-dimensional float array; missing entries become NaN. Raises for text, infinities, other shapes.

    >>> float_array([1, None, 3], "values").tolist()
    [1.0, nan, 3.0]
    >>> float_array(["high"], "values")
    Traceback (most recent call last):
        ...
    helpers.stats.result.StatisticsError: values: expected numbers, found ['high']
    """
    try:
        if hasattr(values, "to_numpy"):
            array = np.asarray(values.to_numpy(dtype=float, na_value=np.nan), dtype=float)
        else:
            raw = np.asarray(values)
            if raw.dtype == object:
                raw = np.array([np.nan if is_missing(v) else v for v in raw.ravel()], dtype=float).reshape(
                    raw.shape
                )
            array = raw.astype(float)
    except (TypeError, ValueError) as error:
        raise StatisticsError(argument, f"expected numbers, found {_sample(values)}") from error
    if array.ndim != 1:
        raise StatisticsError(argument, f"expected one dimension, found shape {array.shape}")
    if np.isinf(array).any():
        raise StatisticsError(
            argument, f"infinite value at position {int(np.flatnonzero(np.isinf(array))[0])}"
        )
    return array


def is_missing(value: Any) -> bool:
    """Whether one entry is None, NaN, NaT or pandas' NA.

    >>> is_missing(None), is_missing(float("nan")), is_missing(0)
    (True, True, False)
    """
    return value is None or type(value).__name__ in {"NAType", "NaTType"} or value != value


def _sample(values: Any) -> str:
    text = repr(values)
    return text if len(text) < 80 else text[:77] + "..."


def observed_values(values: Any, argument: str, minimum: int = 1) -> tuple[Floats, int]:
    """Values without the missing ones, and how many were missing. Raises if fewer than `minimum` remain.

    >>> values, missing = observed_values([1.0, None, 3.0], "values")
    >>> values.tolist(), missing
    ([1.0, 3.0], 1)
    """
    array = float_array(values, argument)
    kept = array[~np.isnan(array)]
    if kept.size < minimum:
        found = f"{kept.size} observed of {array.size}"
        raise StatisticsError(argument, f"needs at least {minimum} observed value(s), found {found}")
    return kept, int(array.size - kept.size)


def survival_times(time: Any, argument: str = "time") -> Floats:
    """Follow-up times: finite, not negative, none missing, at least one; equal up to rounding is equal.

    >>> survival_times([3, 56]).tolist()
    [3.0, 56.0]
    >>> survival_times([3, -1])
    Traceback (most recent call last):
        ...
    helpers.stats.result.StatisticsError: time: negative time -1 at position 1
    """
    array = _checked_times(time, argument)
    return same_times(array, np.unique(array))


def _checked_times(time: Any, argument: str = "time") -> Floats:
    array = float_array(time, argument)
    if array.size == 0:
        raise StatisticsError(argument, "no subjects")
    if np.isnan(array).any():
        raise StatisticsError(argument, f"missing at position {int(np.flatnonzero(np.isnan(array))[0])}")
    if (array < 0).any():
        where = int(np.flatnonzero(array < 0)[0])
        raise StatisticsError(argument, f"negative time {array[where]:g} at position {where}")
    return array


def same_times(times: Floats, distinct: Floats) -> Floats:
    """Times made equal that differ by rounding only; `distinct` are theirs in order.

    >>> same_times(np.array([0.1 + 0.2, 0.3]), np.array([0.3, 0.1 + 0.2])).tolist()
    [0.3, 0.3]
    """
    return _merged(times, distinct, SAME_TIME * float(distinct.mean()))


def event_flags(event: Any, size: int, argument: str = "event") -> Bools:
    """Event indicator: 1/True = event, 0/False = censored; anything else is refused.

    >>> event_flags([1, 0], 2).tolist()
    [True, False]
    >>> event_flags([1, 2], 2)
    Traceback (most recent call last):
        ...
    helpers.stats.result.StatisticsError: event: must be 0 or 1, found 2 at position 1
    """
    if isinstance(event, np.ndarray) and event.shape == (size,) and event.dtype.kind in "bi":
        flags = event.astype(bool)
        if (event == flags).all():
            return flags
    array = float_array(event, argument)
    if array.size != size:
        raise StatisticsError(argument, f"has {array.size} entries, time has {size}")
    if np.isnan(array).any():
        raise StatisticsError(argument, f"missing at position {int(np.flatnonzero(np.isnan(array))[0])}")
    wrong = (array != 0) & (array != 1)
    if wrong.any():
        where = int(np.flatnonzero(wrong)[0])
        raise StatisticsError(argument, f"must be 0 or 1, found {array[where]:g} at position {where}")
    return np.asarray(array == 1, dtype=bool)


def survival_data(time: Any, event: Any) -> tuple[Floats, Bools]:
    """Checked follow-up times and event flags of equal length.

    Raises StatisticsError as `survival_times` and `event_flags`.

    >>> times, events = survival_data([3, 56], [1, 0])
    >>> times.tolist(), events.tolist()
    ([3.0, 56.0], [True, False])
    """
    times = survival_times(time)
    return times, event_flags(event, times.size)


def raw_survival_data(time: Any, event: Any) -> tuple[Floats, Bools]:
    """The same with times as they are: for those who sort them anyway, and then make equal what is.

    >>> raw_survival_data([0.1 + 0.2, 0.3], [1, 0])[0].tolist()
    [0.30000000000000004, 0.3]
    """
    times = _checked_times(time)
    return times, event_flags(event, times.size)


@dataclass(frozen=True)
class Groups:
    """Group membership as codes 0..k-1 into `labels` (sorted by their text)."""

    labels: tuple[Any, ...]
    codes: Ints

    @property
    def count(self) -> int:
        """Number of groups."""
        return len(self.labels)


def group_codes(group: Any, size: int, argument: str = "group", minimum: int = 2) -> Groups:
    """Codes of group labels. Raises if a label is missing or fewer than `minimum` groups are present.

    >>> found = group_codes(["b", "a", "b"], 3)
    >>> found.labels, found.codes.tolist(), found.count
    (('a', 'b'), [1, 0, 1], 2)
    """
    raw = np.asarray(group.to_numpy() if hasattr(group, "to_numpy") else group)
    if raw.dtype.kind in "US" and not isinstance(group, np.ndarray):
        # A list of text and NaN would turn NaN into the label "nan".
        raw = np.array(group, dtype=object)
    if raw.ndim != 1 or raw.size != size:
        raise StatisticsError(argument, f"expected {size} labels, found shape {raw.shape}")
    if raw.dtype.kind in "iu" and raw.size and int(raw.max()) - int(raw.min()) < _FEW_NUMBERS:
        low = raw.min()
        place = (raw - low if low else raw).astype(np.intp, copy=False)
        used = np.bincount(place) > 0
        found = tuple((np.flatnonzero(used) + int(low)).tolist())
        codes = (np.cumsum(used) - 1)[place]
    elif raw.dtype.kind in "biu":
        import pandas as pd

        codes, labels = pd.factorize(raw, sort=True)
        found = tuple(labels.tolist())
    else:
        found, codes = _codes_of_objects(raw, argument)
    if len(found) < minimum:
        raise StatisticsError(argument, f"needs at least {minimum} groups, found {len(found)}: {list(found)}")
    return Groups(found, np.asarray(codes, dtype=np.int64))


def _codes_of_objects(raw: NDArray[Any], argument: str) -> tuple[tuple[Any, ...], Ints]:
    import pandas as pd

    codes, distinct = pd.factorize(raw.astype(object))
    if (codes < 0).any():
        raise StatisticsError(argument, f"label missing at position {int(np.flatnonzero(codes < 0)[0])}")
    labels = distinct.tolist()
    order = sorted(range(len(labels)), key=lambda i: (type(labels[i]).__name__, str(labels[i])))
    rank = np.empty(len(labels), dtype=np.int64)
    rank[order] = np.arange(len(labels))
    return tuple(labels[i] for i in order), rank[codes] if codes.size else rank


def treated_mask(group: Any, treated: Any, size: int, argument: str = "group") -> tuple[Bools, Any, Any]:
    """Mask of the treated arm, its label and the reference label. Raises unless there are exactly two arms.

    With `treated=None` the second label in sorted order is taken as treated; only tests whose result does
    not depend on direction should allow that.

    >>> mask, treated, reference = treated_mask(["drug", "none", "drug"], "drug", 3)
    >>> mask.tolist(), treated, reference
    ([True, False, True], 'drug', 'none')
    """
    groups = group_codes(group, size, argument)
    if groups.count != 2:
        raise StatisticsError(argument, f"expected two groups, found {groups.count}: {list(groups.labels)}")
    if treated is None:
        code = 1
    elif treated in groups.labels:
        code = groups.labels.index(treated)
    else:
        raise StatisticsError("treated", f"{treated!r} is not among the groups {list(groups.labels)}")
    return groups.codes == code, groups.labels[code], groups.labels[1 - code]


def confidence_level(confidence: float) -> float:
    """Confidence level strictly between 0 and 1.

    >>> confidence_level(0.95)
    0.95
    >>> confidence_level(95)
    Traceback (most recent call last):
        ...
    helpers.stats.result.StatisticsError: confidence: must lie between 0 and 1, found 95
    """
    if not 0 < confidence < 1:
        raise StatisticsError("confidence", f"must lie between 0 and 1, found {confidence!r}")
    return float(confidence)


def require_columns(frame: pd.DataFrame, named: Iterable[tuple[str, str]]) -> None:
    """Refuse the first column that is not there; `named` gives each with the argument that asks for it.

    >>> require_columns(pd.DataFrame({"age": [40]}), [("days", "time")])
    Traceback (most recent call last):
        ...
    helpers.stats.result.StatisticsError: days: no column 'time'; the frame has ['age']
    """
    for argument, column in named:
        if column not in frame.columns:
            raise StatisticsError(argument, f"no column {column!r}; the frame has {list(frame.columns)}")


def choice(value: str, allowed: Sequence[str], argument: str) -> str:
    """A named option, refused with the list of allowed names if unknown.

    >>> choice("mid", ("exact", "mid_p"), "method")
    Traceback (most recent call last):
        ...
    helpers.stats.result.StatisticsError: method: 'mid' is unknown; choose from exact, mid_p
    """
    if value not in allowed:
        raise StatisticsError(argument, f"{value!r} is unknown; choose from {', '.join(allowed)}")
    return value


def event_count(events: Any, n: Any, events_name: str = "events", n_name: str = "n") -> tuple[int, int]:
    """A count out of n as integers, 0 <= events <= n and n >= 1.

    >>> event_count(3, 20)
    (3, 20)
    >>> event_count(21, 20)
    Traceback (most recent call last):
        ...
    helpers.stats.result.StatisticsError: events: 21 exceeds n = 20
    """
    size, count = whole_number(n, n_name), whole_number(events, events_name)
    if size < 1:
        raise StatisticsError(n_name, "empty group (n = 0)")
    if count > size:
        raise StatisticsError(events_name, f"{count} exceeds {n_name} = {size}")
    return count, size


def whole_number(value: Any, argument: str) -> int:
    """A non-negative integer.

    >>> whole_number(20.0, "n")
    20
    >>> whole_number(20.5, "n")
    Traceback (most recent call last):
        ...
    helpers.stats.result.StatisticsError: n: expected a whole number >= 0, found 20.5
    """
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise StatisticsError(argument, f"expected a count, found {value!r}") from error
    if not np.isfinite(number) or number != round(number) or number < 0:
        raise StatisticsError(argument, f"expected a whole number >= 0, found {value!r}")
    return int(number)


def turns(lengths: Ints) -> Ints:
    """0, 1, 2 ... within each of runs of these lengths, one run after another.

    >>> turns(np.array([2, 0, 3])).tolist()
    [0, 1, 0, 1, 2]
    """
    begins: Ints = np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.arange(begins.size) - begins


def sorted_rows(*columns: Any) -> Ints:
    """Order of the rows by the first column, those equal in it by the second, and so on.

    The same as `numpy.lexsort` of the columns in reverse, which sorts all rows by every column; here only
    rows that are still tied are looked at again.

    >>> sorted_rows(np.array([2, 1, 2]), np.array([5, 0, 4])).tolist()
    [1, 2, 0]
    """
    order = np.argsort(columns[0])
    tied = _tied_neighbours(columns[0][order])
    # The number of the row comes last, so that the sorts themselves need not keep the order of equal values.
    for column in (*columns[1:], np.arange(order.size)):
        rows = np.flatnonzero(tied | np.append(tied[1:], False))
        if rows.size == 0:
            break
        block = np.cumsum(~tied[rows])
        # Small whole numbers are sorted by counting.
        block = block.astype(np.uint16) if block[-1] < 2**16 else block
        inner = np.argsort(column[order[rows]])
        order[rows] = order[rows][inner[np.argsort(block[inner], kind="stable")]]
        tied[rows] &= _tied_neighbours(column[order[rows]])
    return order.astype(np.int64)


def _tied_neighbours(values: Any) -> Bools:
    """Whether each value equals its predecessor."""
    return np.concatenate(([False], values[1:] == values[:-1]))
