"""The one conversion of units: every accepted unit of a variable has one factor to the unit it is kept in."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.vocabulary.names import normalise_unit

Floats = NDArray[np.float64]

# Converted values are rounded here so that 9.2 g/dL is 92 g/L exactly and meets a threshold of 92.
_DECIMALS_KEPT = 9


@dataclass(frozen=True)
class Conversion:
    """Linear rule from one accepted unit to the unit kept: value x factor + offset.

    Attributes:
        unit: how the accepted unit is spelled in the vocabulary.
        factor: multiplier; above 0.
        offset: added after multiplying; other than 0 for temperatures only.

    >>> celsius = Conversion("F", 5 / 9, -160 / 9)
    >>> (
    ...     celsius.to_standard(np.array([98.6])).tolist(),
    ...     celsius.from_standard(np.array([37.0])).round(1).tolist(),
    ... )
    ([37.0], [98.6])
    """

    unit: str
    factor: float = 1.0
    offset: float = 0.0

    def to_standard(self, values: Floats) -> Floats:
        """Convert values in the accepted unit to the unit kept, rounded to nine decimals."""
        return np.asarray(np.round(values * self.factor + self.offset, _DECIMALS_KEPT), dtype=np.float64)

    def from_standard(self, values: Floats) -> Floats:
        """Convert values in the unit kept back to the accepted unit."""
        return np.asarray((values - self.offset) / self.factor, dtype=np.float64)


def read_units(coded: str, kept: str) -> dict[str, Conversion]:
    """Read `unit:factor|unit:factor:offset`; the unit kept comes first and has the factor 1.

    Args:
        coded: accepted units as the vocabulary's files write them. A factor may be a quotient (`5/9`); it is
            1 where none is written.
        kept: the unit values are kept in; empty if the variable has none.

    Returns:
        Conversions by normalised spelling (see `normalise_unit`), in order.

    Raises:
        ValueError: a factor is no number above 0, or one unit has two factors.

    Example:
        >>> read_units("g/dL:10", "g/L")["g/dl"].factor
        10.0
    """
    units = {normalise_unit(kept): Conversion(kept)} if kept else {}
    for part in filter(None, coded.split("|")):
        name, *numbers = part.split(":")
        if len(numbers) > 2:
            raise ValueError(f"unit {part!r}: expected unit:factor or unit:factor:offset")
        conversion = Conversion(name.strip(), *(_quotient(number, part) for number in numbers or ["1"]))
        if not (np.isfinite(conversion.factor) and conversion.factor > 0):
            raise ValueError(f"unit {part!r}: expected a factor above 0")
        known = units.setdefault(normalise_unit(name), conversion)
        if (known.factor, known.offset) != (conversion.factor, conversion.offset):
            raise ValueError(f"unit {part!r}: {name} has the factor {known.factor:g} already")
    return units


def _quotient(text: str, part: str) -> float:
    above, _, below = text.partition("/")
    try:
        return float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"unit {part!r}: {text!r} is not a number") from None


def convert_units(
    variable: pd.Series, value: pd.Series, unit: pd.Series, units: Mapping[str, Mapping[str, Conversion]]
) -> tuple[Floats, NDArray[np.object_]]:
    """Convert a long column of values, each in its own unit, to the units kept.

    Args:
        variable, value, unit: aligned row by row: canonical name, number, unit as written.
        units: conversions of each variable by normalised spelling.

    Returns:
        The converted values (NaN where the unit is not accepted) and the vocabulary's spelling of each unit
        (None where it is not accepted). Rows are grouped by distinct (variable, unit), so the cost does not
        grow with Python calls per row.

    >>> units = {"hemoglobin": read_units("g/dL:10", "g/L")}
    >>> rows = pd.DataFrame(
    ...     {"variable": ["hemoglobin"] * 2, "value": [11.5, 9.0], "unit": ["g/dl", "stone"]}
    ... )
    >>> values, spelled = convert_units(rows["variable"], rows["value"], rows["unit"], units)
    >>> values.tolist(), spelled.tolist()
    ([115.0, nan], ['g/dL', None])
    """
    converted, spelled = convert_coded(variable, value, unit, units)
    return converted, np.array([*spelled.categories, None], dtype=object)[spelled.codes]


def convert_coded(
    variable: pd.Series, value: pd.Series, unit: pd.Series, units: Mapping[str, Mapping[str, Conversion]]
) -> tuple[Floats, pd.Categorical]:
    """Do as `convert_units`, and return the spellings as a categorical column, missing where not accepted."""
    numbers = value.to_numpy(dtype=np.float64)
    converted = np.full(len(numbers), np.nan)
    names, written = variable.astype("category").cat, unit.astype("category").cat
    kept: dict[str, int] = {}
    spelled = np.full(len(numbers), -1, dtype=np.int16)
    for place, name in enumerate(names.categories):
        own = np.flatnonzero(names.codes.to_numpy() == place)
        of_own = written.codes.to_numpy()[own]
        for number in np.unique(of_own[of_own >= 0]):
            conversion = units.get(name, {}).get(normalise_unit(written.categories[number]))
            if conversion is not None:
                rows = own[of_own == number]
                converted[rows] = conversion.to_standard(numbers[rows])
                spelled[rows] = kept.setdefault(conversion.unit, len(kept))
    return converted, pd.Categorical.from_codes(spelled, categories=pd.Index(kept, dtype=object))
