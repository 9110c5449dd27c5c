"""The data dictionary: every variable's name, unit, accepted units, plausible range and aliases.

It is one CSV file, `data/dictionary.csv`, one row a variable. Reading, validation, labels and
`data/README.md` all follow it.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.errors import CompendiumError

TableName = Literal["patients", "measurements", "treatments", "responses", "events"]
TABLE_NAMES: tuple[TableName, ...] = get_args(TableName)
DICTIONARY_PATH = Path(__file__).resolve().parents[3] / "data" / "dictionary.csv"

# Columns of the long table of measurements; every other variable of that table is a value in `variable`.
MEASUREMENT_COLUMNS = ("patient_id", "day", "date", "variable", "value", "unit")

# Converted values are rounded here so that 9.2 g/dL is 92 g/L exactly and meets a threshold of 92.
_DECIMALS_KEPT = 9

Floats = NDArray[np.float64]


class DictionaryError(CompendiumError):
    """The dictionary file itself is faulty; the message names its line and column."""


@dataclass(frozen=True)
class Conversion:
    """Linear rule from one accepted unit to the dictionary's unit: value x factor + offset."""

    factor: float
    offset: float = 0.0

    def to_standard(self, values: Floats) -> Floats:
        """Convert values in the accepted unit to the dictionary's unit."""
        return np.asarray(np.round(values * self.factor + self.offset, _DECIMALS_KEPT), dtype=np.float64)


@dataclass(frozen=True)
class Variable:
    """One row of the dictionary.

    `type` is one of id, number, yes_no, category, text, day, date, drug. `units` maps every accepted
    spelling of a unit (see `normalise_unit`) to its conversion; `levels` maps every accepted spelling of a
    category (case folded) to the level stored. `direction` says which side the disease pushes the value to.
    """

    name: str
    label: str
    label_zh: str
    tables: tuple[str, ...]
    type: str
    unit: str
    units: Mapping[str, Conversion]
    unit_names: tuple[str, ...]
    levels: Mapping[str, str]
    plausible_low: float | None
    plausible_high: float | None
    reference_low: float | None
    reference_high: float | None
    direction: str
    decimals: int | None
    skewed: bool
    aliases: tuple[str, ...]
    adam: str
    source: str

    def conversion(self, unit: str) -> Conversion | None:
        """Return the conversion from `unit` to the dictionary's unit, or None if it is not accepted."""
        return self.units.get(normalise_unit(unit))

    def convert(self, values: Floats, unit: str) -> Floats:
        """Convert an array of values in `unit` to the dictionary's unit; ValueError if not accepted."""
        conversion = self.conversion(unit)
        if conversion is None:
            raise ValueError(f"{self.name}: unit {unit!r} is not accepted; accepted: {self.accepted_units()}")
        return conversion.to_standard(np.asarray(values, dtype=np.float64))

    def accepted_units(self) -> str:
        """Return the accepted units as a list in words."""
        return ", ".join(self.unit_names)

    def plausible(self, values: Floats) -> NDArray[np.bool_]:
        """Return whether each value (dictionary's unit) is inside the plausible range, bounds included."""
        low = -np.inf if self.plausible_low is None else self.plausible_low
        high = np.inf if self.plausible_high is None else self.plausible_high
        return np.asarray((values >= low) & (values <= high))

    def plausible_range(self) -> str:
        """Return the plausible range in words, with its unit."""
        unit = f" {self.unit}" if self.unit not in ("", "1") else ""
        low = "" if self.plausible_low is None else f"{self.plausible_low:g}"
        high = "" if self.plausible_high is None else f"{self.plausible_high:g}"
        if low and high:
            return f"{low} to {high}{unit}"
        return f"at least {low}{unit}" if low else f"at most {high}{unit}"


@dataclass(frozen=True)
class Dictionary:
    """All variables by name, with look-up by alias."""

    variables: Mapping[str, Variable]

    def __getitem__(self, name: str) -> Variable:
        return self.variables[name]

    def __contains__(self, name: object) -> bool:
        return name in self.variables

    def get(self, name: object) -> Variable | None:
        """Return a variable by name, or None."""
        return self.variables.get(name) if isinstance(name, str) else None

    def of_table(self, table: str) -> list[Variable]:
        """Return the variables (columns and long-form variables) of one raw table, in dictionary order."""
        return [v for v in self.variables.values() if table in v.tables]

    @cached_property
    def measured(self) -> tuple[str, ...]:
        """Names of the variables that may stand in the measurements' `variable` column."""
        rows = self.of_table("measurements")
        return tuple(v.name for v in rows if v.name not in MEASUREMENT_COLUMNS)

    @cached_property
    def drugs(self) -> tuple[str, ...]:
        """Names of the drugs that may stand in the treatments' `drug` column."""
        return tuple(v.name for v in self.variables.values() if v.type == "drug")

    def columns(self, table: str) -> tuple[str, ...]:
        """Names of the columns a raw table may have."""
        if table == "measurements":
            return MEASUREMENT_COLUMNS
        return tuple(v.name for v in self.of_table(table) if v.type != "drug")

    def resolve(self, raw: str, names: Iterable[str]) -> str | None:
        """Return which of the variables `names` is spelled `raw` (name or alias, case ignored), or None."""
        return self.spellings(tuple(names)).get(fold(raw))

    def spellings(self, names: tuple[str, ...]) -> dict[str, str]:
        """Return folded spelling -> name over the names and aliases of the variables `names`."""
        found: dict[str, str] = {}
        for name in names:
            for alias in self.variables[name].aliases:
                found.setdefault(fold(alias), name)
        # A variable's own name always wins over another's alias.
        found.update({fold(name): name for name in names})
        return found


def fold(text: str) -> str:
    """Return a name in the form in which spellings are compared: case, spaces, hyphens and _ ignored."""
    return re.sub(r"[\s_\-]+", " ", str(text).strip().casefold().replace("（", "(").replace("）", ")"))


def normalise_unit(unit: str) -> str:
    """Return a unit in the form in which spellings are compared.

    Case, blanks and the typography of powers of ten and of micro are ignored:
    `×10⁹/L`, `10*9/L`, `10E9/l` and `10^9/L` are one unit.
    """
    text = str(unit).strip().replace("µ", "u").replace("μ", "u").replace("／", "/").casefold()
    for sign, power in (("²", "^2"), ("³", "^3"), ("⁶", "^6"), ("⁹", "^9")):
        text = text.replace(sign, power)
    text = re.sub(r"\s+", "", text)
    text = re.sub(r"^[×x*]+(?=10)", "", text)
    text = re.sub(r"^10(?:\*|e|\*\*)(?=\d)", "10^", text)
    return text.replace("mm3", "mm^3").replace("m^2", "m2").replace("mcg", "ug")


@lru_cache(maxsize=8)
def load_dictionary(path: Path = DICTIONARY_PATH) -> Dictionary:
    """Read the dictionary (cached). DictionaryError names the line of a faulty row."""
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    variables: dict[str, Variable] = {}
    for line, row in enumerate(rows, start=2):
        try:
            variable = _variable(row)
        except (ValueError, KeyError, ZeroDivisionError) as error:
            raise DictionaryError(f"{path.name}:{line} {row.get('name')}: {error}") from error
        if variable.name in variables:
            raise DictionaryError(f"{path.name}:{line} {variable.name}: the name stands twice")
        variables[variable.name] = variable
    return Dictionary(variables)


def _variable(row: Mapping[str, str]) -> Variable:
    coded = [part for part in row["accepted_units"].split("|") if part]
    is_level = row["type"] in ("category", "yes_no")
    units = {} if is_level else _units(coded)
    names = tuple(part.split(":")[0] for part in coded) if not is_level else ()
    own = row["unit"]
    if own:
        units[normalise_unit(own)] = Conversion(1.0)
        names = (own, *(name for name in names if name != own))
    return Variable(
        name=row["name"],
        label=row["label"],
        label_zh=row["label_zh"],
        tables=tuple(_known_tables(row["table"])),
        type=row["type"],
        unit=own,
        units=units,
        unit_names=names,
        levels=_levels(coded) if is_level else {},
        plausible_low=_number(row["plausible_low"]),
        plausible_high=_number(row["plausible_high"]),
        reference_low=_number(row["reference_low"]),
        reference_high=_number(row["reference_high"]),
        direction=row["direction"],
        decimals=int(row["decimals"]) if row["decimals"] else None,
        skewed=row["skewed"] == "yes",
        aliases=tuple(part for part in row["aliases"].split("|") if part),
        adam=row["adam"],
        source=row["source"],
    )


def _known_tables(text: str) -> list[str]:
    tables = text.split("|")
    unknown = [table for table in tables if table not in TABLE_NAMES]
    if unknown:
        raise ValueError(f"unknown table {unknown[0]!r}")
    return tables


def _number(text: str) -> float | None:
    return float(text) if text else None


def _units(coded: Iterable[str]) -> dict[str, Conversion]:
    """Read `unit:factor` and `unit:factor:offset`; factors may be fractions such as 5/9."""
    units = {}
    for part in coded:
        name, *numbers = part.split(":")
        units[normalise_unit(name)] = Conversion(*(float(Fraction(number)) for number in numbers or ["1"]))
    return units


def _levels(coded: Iterable[str]) -> dict[str, str]:
    """Read levels `CR` and further spellings `complete remission:CR`; keys are case folded."""
    levels = {}
    for part in coded:
        spelling, _, level = part.partition(":")
        levels[spelling.casefold()] = level or spelling
    return levels


def convert_units(
    variable: pd.Series, value: pd.Series, unit: pd.Series, dictionary: Dictionary
) -> tuple[Floats, NDArray[np.bool_]]:
    """Convert a long column of values, each in its own unit, to the dictionary's units.

    The three series are aligned row by row: canonical variable name, number, unit as written. Returns the
    converted values and a mask that is False where the unit is not accepted (its value is then NaN).
    Rows are grouped by distinct (variable, unit), so the cost does not grow with Python calls per row.
    """
    numbers = value.to_numpy(dtype=np.float64)
    converted = np.full(len(numbers), np.nan)
    known = np.zeros(len(numbers), dtype=bool)
    pairs = pd.DataFrame({"variable": variable.to_numpy(), "unit": unit.to_numpy()})
    codes = pairs.groupby(["variable", "unit"], sort=False)
    for pair, rows in codes.indices.items():
        name, written = cast("tuple[str, str]", pair)
        conversion = dictionary[name].conversion(written) if name in dictionary else None
        if conversion is not None:
            converted[rows] = conversion.to_standard(numbers[rows])
            known[rows] = True
    return converted, known
