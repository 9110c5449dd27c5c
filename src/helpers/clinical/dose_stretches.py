"""Stretches of days on which nothing about a patient's doses changes: no course and no weight begins or ends.

A daily dose is worked out once a stretch and then said for each of its days, so that years of follow-up cost
hardly more than weeks.

>>> courses = pd.DataFrame({"patient": [0, 0], "first": [0, 5], "last": [9, 6]})
>>> found = stretches_of(courses, pd.DataFrame({"patient": [0], "first": [0], "last": [11]}))
>>> found.first.tolist(), found.days.tolist()
([0, 5, 7, 10], [5, 2, 3, 2])
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Stretches:
    """Consecutive stretches of days, by patient and first day.

    Attributes:
        patient: number of the patient of each stretch.
        first: its first day.
        days: how many days it has.

    Example:
        >>> one = Stretches(np.array([0]), np.array([-2]), np.array([3]))
        >>> one.each_day().tolist()
        [-2, -1, 0]
    """

    patient: IntArray
    first: IntArray
    days: IntArray

    def each_day(self) -> IntArray:
        """Return the day of every patient-day, in order."""
        before = np.cumsum(self.days) - self.days
        return np.asarray(np.arange(self.days.sum()) + np.repeat(self.first - before, self.days))

    def within(self, courses: pd.DataFrame) -> tuple[IntArray, IntArray]:
        """Return pairs of a course (its row) and a stretch that it covers, in the order of the courses.

        Args:
            courses: patient, first and last day (whole numbers) of courses given to :func:`stretches_of`.
        """
        patient = courses["patient"].to_numpy()
        key, low, width = _keys(self.patient, self.first)
        # Days before all stretches, or behind them, are looked up at the edges of the patient.
        reach = [
            patient * width + np.clip(courses[name].to_numpy() + more - low, 0, width - 1)
            for name, more in (("first", 0), ("last", 1))
        ]
        begin, end = (np.searchsorted(key, one) for one in reach)
        count = end - begin
        row = np.repeat(np.arange(len(courses)), count)
        return row, np.arange(count.sum()) + np.repeat(begin - (np.cumsum(count) - count), count)


def stretches_of(courses: pd.DataFrame, span: pd.DataFrame, changes: pd.DataFrame | None = None) -> Stretches:
    """Cut the days of each patient where a course begins or has ended, or where something else changes.

    Args:
        courses: patient (a number), first and last day, whole numbers.
        span: the same columns, one row a patient in their order: the days that are wanted.
        changes: patient and day of further cuts.
    """
    patient, first, last = (span[name].to_numpy(dtype=np.int64) for name in ("patient", "first", "last"))
    start = np.full(int(patient.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    end = np.full(start.size, np.iinfo(np.int64).min)
    start[patient], end[patient] = first, last
    owner, day = courses["patient"].to_numpy(dtype=np.int64), courses["first"].to_numpy(dtype=np.int64)
    after = courses["last"].to_numpy(dtype=np.int64) + 1
    parts = [(patient, first), (owner, day), (owner, after)]
    if changes is not None:
        parts.append((changes["patient"].to_numpy(dtype=np.int64), changes["day"].to_numpy(dtype=np.int64)))
    owner, day = (np.concatenate(each) for each in zip(*parts, strict=True))
    inside = (day >= start[owner]) & (day <= end[owner])
    owner, day = owner[inside], day[inside]
    key, low, width = _keys(owner, day)
    key = np.unique(key)
    owner, day = key // width, key % width + low
    follows = np.append(owner[1:] == owner[:-1], False)
    until = np.where(follows, np.append(day[1:], 0), end[owner] + 1)
    return Stretches(owner, day, until - day)


def weights_of(stretches: Stretches, known: pd.DataFrame) -> FloatArray:
    """Return the weight of each stretch: the last one on or before its first day, else the first one.

    Args:
        stretches: none of them begins before a change of weight and ends after it.
        known: patient (a number), day and weight_kg, by patient and day; of a day the last row counts.
    """
    weight = np.full(stretches.patient.size, np.nan)
    if known.empty:
        return weight
    owner, day = known["patient"].to_numpy(dtype=np.int64), known["day"].to_numpy(dtype=np.int64)
    low = min(int(day.min()), int(stretches.first.min(initial=0)))
    width = max(int(day.max()), int(stretches.first.max(initial=0))) - low + 1
    place = np.searchsorted(
        owner * width + day - low, stretches.patient * width + stretches.first - low, side="right"
    )
    earlier = np.maximum(place - 1, 0)
    later = np.minimum(place, owner.size - 1)
    values = known["weight_kg"].to_numpy(dtype=float)
    weight = np.where(owner[later] == stretches.patient, values[later], weight)
    return np.where((place > 0) & (owner[earlier] == stretches.patient), values[earlier], weight)


def plain_ids(doses: pd.DataFrame) -> pd.DataFrame:
    """Return some rows of daily doses with their ids as objects: patients without a row are no groups then.

    >>> frame = pd.DataFrame({"patient_id": pd.Categorical(["a"], ["a", "b"])})
    >>> len(plain_ids(frame).groupby("patient_id").size())
    1
    """
    return doses.assign(patient_id=doses["patient_id"].astype(object))


def first_sustained(doses: pd.DataFrame, low: BoolArray, hold_days: int) -> dict[str, float]:
    """Return the first day of each patient's first run of days on which `low` holds, of those who have one.

    Args:
        doses: patient_id and day, in any order.
        low: whether it holds in each row.
        hold_days: how many consecutive days a run has at least.

    >>> frame = pd.DataFrame({"patient_id": ["a"] * 4, "day": [0, 2, 3, 4]})
    >>> first_sustained(frame, np.ones(4, dtype=bool), 3)
    {'a': 2.0}
    """
    codes, names = pd.factorize(doses["patient_id"])
    day = doses["day"].to_numpy()
    rows = np.flatnonzero(low & (codes >= 0))
    patient, day = codes[rows], day[rows]
    order = np.lexsort((day, patient))
    if not (np.diff(order) == 1).all():
        patient, day = patient[order], day[order]
    begins = np.flatnonzero(np.append(True, (np.diff(patient) != 0) | (np.diff(day) > 1))[: rows.size])
    long = np.diff(np.append(begins, rows.size)) >= hold_days
    first = begins[long]
    owner, place = np.unique(patient[first], return_index=True)
    return {str(names[code]): float(day[row]) for code, row in zip(owner, first[place], strict=True)}


def _keys(patient: IntArray, day: IntArray) -> tuple[IntArray, int, int]:
    """One number for a patient and day, in their order; with the least day and the numbers of a patient."""
    low = int(day.min(initial=0))
    width = int(day.max(initial=0)) - low + 2
    return patient * width + (day - low), low, width
