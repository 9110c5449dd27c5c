"""Units of the variables that criteria speak of, and conversion to the one unit each is kept in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from helpers.clinical.errors import ClinicalError

FloatArray = npt.NDArray[np.float64]

_CELLS: Mapping[str, float] = {"10^9/L": 1.0, "10^3/uL": 1.0, "/uL": 1e-3, "/mm3": 1e-3}
_ENZYME: Mapping[str, float] = {"U/L": 1.0, "IU/L": 1.0}
_SIGN: Mapping[str, float] = {"1": 1.0}

# Factor from each unit to the first one named, which is the unit the variable is kept in.
FACTORS: Final[Mapping[str, Mapping[str, float]]] = {
    "temperature": {"Cel": 1.0},
    "leucocytes": _CELLS,
    "neutrophils": _CELLS,
    "platelets": _CELLS,
    "lymphocytes": _CELLS,
    "hemoglobin": {"g/L": 1.0, "g/dL": 10.0},
    "ast": _ENZYME,
    "alt": _ENZYME,
    "ldh": _ENZYME,
    "fibrinogen": {"g/L": 1.0, "mg/dL": 0.01, "umol/L": 0.34},
    "triglycerides": {"mmol/L": 1.0, "mg/dL": 1 / 88.57},
    "ferritin": {"ng/mL": 1.0, "ug/L": 1.0},
    "crp": {"mg/L": 1.0, "mg/dL": 10.0},
    "esr": {"mm/h": 1.0},
    "scd25": {"U/mL": 1.0, "IU/mL": 1.0, "kU/L": 1.0},
    "bilirubin": {"umol/L": 1.0, "mg/dL": 17.1},
    "creatinine": {"umol/L": 1.0, "mg/dL": 88.4},
    "albumin": {"g/L": 1.0, "g/dL": 10.0},
    "weight_kg": {"kg": 1.0, "g": 1e-3},
    "age": {"year": 1.0, "years": 1.0, "a": 1.0},
    "granulocyte_fraction": {"%": 1.0, "1": 100.0},
    "vas": {"1": 1.0},
}
# Factors taken from memory rather than a source; a study should confirm them before it relies on them.
UNVERIFIED_FACTORS: Final = frozenset(
    {("fibrinogen", "umol/L"), ("crp", "mg/dL"), ("creatinine", "mg/dL"), ("scd25", "kU/L")}
)
_ALIASES: Final[Mapping[str, str]] = {
    "µg/L": "ug/L", "μg/L": "ug/L", "mcg/L": "ug/L", "µmol/L": "umol/L", "μmol/L": "umol/L",
    "10*9/L": "10^9/L", "x10^9/L": "10^9/L", "×10^9/L": "10^9/L", "G/L": "10^9/L", "10*3/uL": "10^3/uL",
    "10^3/µL": "10^3/uL", "K/uL": "10^3/uL", "/µL": "/uL", "°C": "Cel", "C": "Cel",
    "°F": "[degF]", "F": "[degF]", "mm/hr": "mm/h", "ng/ml": "ng/mL", "U/ml": "U/mL",
}  # fmt: skip


def normal_unit(unit: str) -> str:
    """Return the spelling of a unit used here ("µg/L" and "mcg/L" are "ug/L")."""
    return _ALIASES.get(unit.strip(), unit.strip())


def canonical_unit(variable: str) -> str | None:
    """Return the unit a variable is kept in, "1" for a yes/no sign; None for a variable unknown here."""
    return next(iter(FACTORS[variable])) if variable in FACTORS else None


def accepted_units(variable: str) -> list[str]:
    """List the units of a variable that can be converted."""
    extra = ["[degF]"] if variable == "temperature" else []
    return [*FACTORS.get(variable, {}), *extra]


def convert(value: npt.ArrayLike, variable: str, unit: str) -> FloatArray:
    """Convert values of a variable to the unit it is kept in.

    Values of a variable unknown here stay as they are. Raises `ClinicalError` naming variable, unit and the
    accepted units otherwise. Results are rounded to 12 significant digits, so that 9.2 g/dL is 92 g/L
    exactly.
    """
    array = np.asarray(value, dtype=float)
    if variable not in FACTORS:
        return array
    name = normal_unit(unit)
    if variable == "temperature" and name == "[degF]":
        return _round((array - 32.0) / 1.8)
    if name not in FACTORS[variable]:
        raise ClinicalError(
            f"variable {variable}: unit '{unit}' cannot be converted; "
            f"expected {', '.join(accepted_units(variable))}"
        )
    factor = FACTORS[variable][name]
    return array if factor == 1.0 else _round(array * factor)


def _round(array: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        digits = np.where(array == 0, 0, 11 - np.floor(np.log10(np.abs(array))))
    scale = 10.0 ** np.clip(np.nan_to_num(digits, nan=0.0, posinf=0.0, neginf=0.0), -30, 30)
    return np.asarray(np.round(array * scale) / scale, dtype=float)
