"""What is known of each patient at each time point: the table that every clinical rule is evaluated on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.clinical.errors import ClinicalError
from helpers.vocabulary.model import ReferenceRange, limits
from helpers.vocabulary.names import normalise_unit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
StateArray = npt.NDArray[np.int8]
BoolArray = npt.NDArray[np.bool_]
Ranges = Mapping[str, tuple[ReferenceRange, ...]]
Side = Literal["low", "high"]

QUALIFIER_SIGNS = {-1: "<", 0: "", 1: ">"}


@dataclass(frozen=True)
class Written:
    """Values as they were recorded, each in its own unit, beside the same values in the kept unit.

    `unit` numbers the units by their place in `units`, as they are spelled; -1 where there is no value.

    >>> written = Written(np.array([265.0, np.nan]), np.array([0, -1]), ("mg/dl",))
    >>> written.rows_in("mg/dl").tolist(), written.rows_in("mmol/l") is None
    ([True, False], True)
    >>> written.take(np.array([0]), np.array([False])).value.tolist()
    [265.0]
    """

    value: FloatArray
    unit: IntArray
    units: tuple[str, ...]

    def rows_in(self, unit: str) -> BoolArray | None:
        """Return which values were recorded in a unit (normalised spelling); None if none was."""
        places = [i for i, spelling in enumerate(self.units) if normalise_unit(spelling) == unit]
        return np.isin(self.unit, places) if places else None

    def take(self, rows: IntArray, gone: BoolArray) -> Written:
        """Values at `rows`, none where `gone`."""
        value = np.where(gone, np.nan, self.value[rows])
        return replace(self, value=value, unit=np.where(gone, -1, self.unit[rows]))


@dataclass(frozen=True)
class Column:
    """Values of one variable, one for each row of `Facts`; NaN = not done.

    `qualifier` is -1 for "<value", 1 for ">value", 0 for a plain value; yes/no signs are 1 and 0. `written`
    holds the values as recorded; `low` and `high` the laboratory's own limits of normal where it gave them.

    >>> def of(values):
    ...     none = np.zeros(len(values))
    ...     return Column(np.array(values), none.astype(int), "ng/mL", none, none)
    >>> of([1.0, 2.0]).where(np.array([True, False]), of([5.0, 6.0])).value.tolist()
    [1.0, 6.0]
    >>> of([1.0]).take(np.array([-1])).value.tolist(), of([1.0]).written_in("ug/l")
    ([nan], None)
    >>> of([1.0, 2.0]).as_written(np.array([False, True])).value.tolist()
    [2.0]
    """

    value: FloatArray
    qualifier: StateArray
    unit: str
    day: FloatArray
    source_row: FloatArray
    table: str = "measurements"
    written: Written | None = None
    low: FloatArray | None = None
    high: FloatArray | None = None

    def take(self, rows: IntArray) -> Column:
        """Values at `rows`; a row of -1 gives a missing value."""
        gone = rows < 0

        def at(array: FloatArray) -> FloatArray:
            return np.where(gone, np.nan, array[rows])

        return replace(
            self,
            value=at(self.value),
            qualifier=np.where(gone, 0, self.qualifier[rows]).astype(np.int8),
            day=at(self.day),
            source_row=at(self.source_row),
            written=None if self.written is None else self.written.take(rows, gone),
            low=None if self.low is None else at(self.low),
            high=None if self.high is None else at(self.high),
        )

    def where(self, mask: BoolArray, other: Column) -> Column:
        """These values where `mask` holds, those of `other` elsewhere."""
        rows = np.where(mask, np.arange(len(mask)), np.arange(len(mask)) + len(mask))
        return stacked(self, other).take(rows)

    def written_in(self, unit: str) -> BoolArray | None:
        """Return which values were recorded in a unit (normalised spelling); None if none was.

        Without a record of how they were written all were, as far as is known, in the kept unit.
        """
        if self.written is not None:
            return self.written.rows_in(unit)
        return np.ones(len(self.value), dtype=bool) if normalise_unit(self.unit) == unit else None

    def as_written(self, rows: BoolArray) -> Column:
        """Return the values of some rows as they were recorded."""
        value = self.value if self.written is None else self.written.value
        empty = np.full(int(rows.sum()), np.nan)
        return Column(value[rows], self.qualifier[rows], "", empty, empty)


def stacked(first: Column, second: Column) -> Column:
    """Return the values of two columns of one variable, one below the other.

    >>> def of(values):
    ...     none = np.zeros(len(values))
    ...     return Column(np.array(values), none.astype(int), "ng/mL", none, none)
    >>> stacked(of([1.0]), of([2.0])).value.tolist()
    [1.0, 2.0]
    """
    n, m = len(first.value), len(second.value)

    def both(one: FloatArray | None, other: FloatArray | None) -> FloatArray | None:
        if one is None and other is None:
            return None
        parts = [np.full(size, np.nan) if part is None else part for part, size in ((one, n), (other, m))]
        return np.concatenate(parts)

    return replace(
        first,
        value=np.concatenate([first.value, second.value]),
        qualifier=np.concatenate([first.qualifier, second.qualifier]),
        day=np.concatenate([first.day, second.day]),
        source_row=np.concatenate([first.source_row, second.source_row]),
        written=_written_below(first, second),
        low=both(first.low, second.low),
        high=both(first.high, second.high),
    )


def _written_below(first: Column, second: Column) -> Written | None:
    if first.written is None and second.written is None:
        return None
    nothing = [Written(np.full(len(c.value), np.nan), np.full(len(c.value), -1), ()) for c in (first, second)]
    a, b = first.written or nothing[0], second.written or nothing[1]
    units = tuple(dict.fromkeys((*a.units, *b.units)))
    places = [np.array([*(units.index(unit) for unit in part.units), -1]) for part in (a, b)]
    codes = np.concatenate([places[0][a.unit], places[1][b.unit]])
    return Written(np.concatenate([a.value, b.value]), codes, units)


@dataclass(frozen=True)
class Facts:
    """Known values at patient-visits: `keys` (patient_id, visit, day) and one `Column` a variable.

    `baseline_row` gives for each row the row of the same patient's baseline (-1: none); `sex`, `age` (years)
    and `ranges` (limits of normal of each variable) serve rules that speak of the limits of normal.

    >>> keys = pd.DataFrame({"patient_id": ["a", "b"], "visit": ["baseline"] * 2, "day": [0, 0]})
    >>> facts = Facts(keys, {}).with_column("fever", [1.0, np.nan])
    >>> fever = facts.column("fever")
    >>> fever.value.tolist(), facts.column("ferritin") is None, facts.limit("fever", "high") is None
    ([1.0, nan], True, True)
    >>> (
    ...     fever.take(np.array([0, -1])).value.tolist(),
    ...     facts.take(np.array([1])).keys["patient_id"].tolist(),
    ... )
    ([1.0, nan], ['b'])
    """

    keys: pd.DataFrame
    columns: Mapping[str, Column]
    baseline_row: IntArray | None = None
    sex: npt.NDArray[np.object_] | None = None
    age: FloatArray | None = None
    ranges: Ranges = field(default_factory=dict)
    _baseline: dict[str, Column] = field(default_factory=dict, init=False, repr=False, compare=False)
    _limits: dict[tuple[str, str], FloatArray] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __len__(self) -> int:
        return len(self.keys)

    def column(self, variable: str, at: str = "visit") -> Column | None:
        """Values of a variable at the visit or at the patient's baseline; None if it was never recorded.

        Raises ClinicalError where a baseline is asked for and none was given.
        """
        column = self.columns.get(variable)
        if column is None or at == "visit":
            return column
        if variable in self._baseline:
            return self._baseline[variable]
        if self.baseline_row is None:
            raise ClinicalError(
                f"variable {variable}: the rule needs baseline values, but no baseline visit was given"
            )
        self._baseline[variable] = column.take(self.baseline_row)
        return self._baseline[variable]

    def limit(self, variable: str, side: Side, column: Column | None = None) -> FloatArray | None:
        """Limit of normal of each row ("low" or "high"); None for a variable without one.

        The laboratory's own limit, given with a value of `column`, stands before the range of the variable,
        which may depend on sex and age.
        """
        own = None if column is None else (column.low if side == "low" else column.high)
        known = self.ranges.get(variable)
        if not known:
            return own
        if (variable, side) not in self._limits:
            unknown = np.full(len(self), np.nan)
            sex = unknown if self.sex is None else self.sex
            age = unknown if self.age is None else self.age
            self._limits[(variable, side)] = limits(known, side, sex, age)
        common = self._limits[(variable, side)]
        return common if own is None else np.where(np.isnan(own), common, own)

    def take(self, rows: IntArray) -> Facts:
        """Return some rows, each of which is its own baseline."""
        return Facts(
            self.keys.iloc[rows].reset_index(drop=True),
            {name: column.take(rows) for name, column in self.columns.items()},
            np.arange(len(rows)),
            None if self.sex is None else self.sex[rows],
            None if self.age is None else self.age[rows],
            self.ranges,
        )

    def with_column(self, variable: str, value: npt.ArrayLike, *, unit: str = "1", **given: Any) -> Facts:
        """Add a variable derived elsewhere (a score, a run of days, a sign); NaN = not done."""
        array = np.asarray(value, dtype=float)
        n = len(self)
        column = Column(
            value=array,
            qualifier=np.asarray(given.get("qualifier", np.zeros(n)), dtype=np.int8),
            unit=unit,
            day=np.asarray(given.get("day", np.full(n, np.nan)), dtype=float),
            source_row=np.asarray(given.get("source_row", np.full(n, np.nan)), dtype=float),
            table=str(given.get("table", "derived")),
        )
        return replace(self, columns={**self.columns, variable: column})
