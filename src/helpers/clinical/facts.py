"""What is known of each patient at each time point: the table that every clinical rule is evaluated on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.clinical.errors import ClinicalError, require_columns
from helpers.clinical.units import canonical_unit, convert, normal_unit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
StateArray = npt.NDArray[np.int8]

_QUALIFIERS = {"": 0, "<": -1, ">": 1}
QUALIFIER_SIGNS = {-1: "<", 0: "", 1: ">"}
# Findings that, once recorded for a patient, hold at every later visit; the others describe baseline only.
LASTING_SIGNS = ("known_immunosuppression", "ana_or_rf_positive", "molecular_diagnosis", "age")


@dataclass(frozen=True)
class Column:
    """Values of one variable, one for each row of `Facts`; NaN = not done.

    `qualifier` is -1 for "<value", 1 for ">value", 0 for a plain value; yes/no signs are 1 and 0.
    """

    value: FloatArray
    qualifier: StateArray
    unit: str
    day: FloatArray
    source_row: FloatArray
    table: str = "measurements"

    def take(self, rows: IntArray) -> Column:
        """Values at `rows`; a row of -1 gives a missing value."""
        gone = rows < 0
        value = np.where(gone, np.nan, self.value[rows])
        return replace(
            self,
            value=value,
            qualifier=np.where(gone, 0, self.qualifier[rows]).astype(np.int8),
            day=np.where(gone, np.nan, self.day[rows]),
            source_row=np.where(gone, np.nan, self.source_row[rows]),
        )


@dataclass(frozen=True)
class ReferenceRange:
    """Lower and upper limit of normal; by sex where they differ. A missing limit is NaN."""

    low: float = np.nan
    high: float = np.nan
    low_female: float = np.nan
    high_female: float = np.nan
    low_male: float = np.nan
    high_male: float = np.nan

    def limits(self, side: str, sex: npt.NDArray[np.object_] | None, n: int) -> FloatArray:
        """Limit of each of `n` rows ("low" or "high"); without a recorded sex the common limit stands."""
        result = np.full(n, getattr(self, side), dtype=float)
        if sex is None:
            return result
        for name in ("female", "male"):
            limit = getattr(self, f"{side}_{name}")
            if not np.isnan(limit):
                result[sex == name] = limit
        return result


def ranges_from_frame(
    frame: pd.DataFrame, *, name: str = "name", low: str = "reference_low", high: str = "reference_high"
) -> dict[str, ReferenceRange]:
    """Reference ranges from a table with one row a variable; variables without either limit are left out."""
    require_columns(frame, "reference ranges", [name, low, high])
    table = frame.dropna(subset=[low, high], how="all")
    rows = zip(table[name], table[low].astype(float), table[high].astype(float), strict=True)
    return {str(variable): ReferenceRange(low=lower, high=upper) for variable, lower, upper in rows}


@dataclass(frozen=True)
class Facts:
    """Known values at patient-visits: `keys` (patient_id, visit, day) and one `Column` a variable.

    `baseline_row` gives for each row the row of the same patient's baseline (-1: none); `sex` and `ranges`
    serve rules that speak of the limits of normal.
    """

    keys: pd.DataFrame
    columns: Mapping[str, Column]
    baseline_row: IntArray | None = None
    sex: npt.NDArray[np.object_] | None = None
    ranges: Mapping[str, ReferenceRange] = field(default_factory=dict)
    _baseline: dict[str, Column] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.keys)

    def column(self, variable: str, at: str = "visit") -> Column | None:
        """Values of a variable at the visit or at the patient's baseline; None if it was never recorded."""
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

    def limit(self, variable: str, side: str) -> FloatArray | None:
        """Limit of normal of each row ("low" or "high"); None for a variable without reference range."""
        known = self.ranges.get(variable)
        return None if known is None else known.limits(side, self.sex, len(self))

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


def _codes(qualifiers: pd.Series) -> StateArray:
    texts = qualifiers.fillna("").astype("category")
    unknown = sorted(set(texts.cat.categories) - set(_QUALIFIERS))
    if unknown:
        raise ClinicalError(f"qualifier: found {', '.join(map(repr, unknown))}, expected '<', '>' or empty")
    lookup = np.array([_QUALIFIERS[name] for name in texts.cat.categories] or [0], dtype=np.int8)
    return lookup[texts.cat.codes.to_numpy()]


def _scatter(table: pd.DataFrame, position: IntArray, n: int) -> dict[str, Column]:
    """One `Column` for each variable of a long table whose rows belong to `position` among `n`."""
    value = table["value"].to_numpy(dtype=float)
    qualifier = _codes(table["qualifier"]) if "qualifier" in table else np.zeros(len(table), dtype=np.int8)
    day = table["day"].to_numpy(dtype=float, na_value=np.nan)
    source = (
        table["source_row"].to_numpy(dtype=float, na_value=np.nan)
        if "source_row" in table
        else np.full(len(table), np.nan)
    )
    codes, names = pd.factorize(table["variable"])
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(len(names) + 1))
    columns = {}
    for index, name in enumerate(names):
        rows = order[edges[index] : edges[index + 1]]
        where = position[rows]
        signs = np.zeros(n, dtype=np.int8)
        signs[where] = qualifier[rows]
        arrays = [_placed(data, rows, where, n) for data in (value, day, source)]
        columns[str(name)] = Column(arrays[0], signs, canonical_unit(str(name)) or "", arrays[1], arrays[2])
    return columns


def _placed(data: FloatArray, rows: IntArray, where: IntArray, n: int) -> FloatArray:
    result = np.full(n, np.nan)
    result[where] = data[rows]
    return result


def _patient_signs(
    patients: pd.DataFrame, index: IntArray, baseline: npt.NDArray[np.bool_], present: Mapping[str, Column]
) -> dict[str, Column]:
    """Patient-level findings: at baseline rows, lasting ones everywhere; measured values stand first."""
    columns = {}
    source = (
        patients["source_row"].to_numpy(dtype=float, na_value=np.nan)
        if "source_row" in patients
        else np.full(len(patients), np.nan)
    )
    for name in patients.columns:
        series = patients[name]
        if not (pd.api.types.is_bool_dtype(series) or pd.api.types.is_numeric_dtype(series)):
            continue
        if name in {"source_row", "death_day", "last_contact_day", "followup_days", "died"}:
            continue
        values = series.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        known = baseline | (name in LASTING_SIGNS)
        value = np.where(known, values[index], np.nan)
        row = np.where(np.isnan(value), np.nan, source[index])
        measured = present.get(str(name))
        zeros = np.zeros(len(index), dtype=np.int8)
        nowhere = np.full(len(index), np.nan)
        sign = Column(value, zeros, canonical_unit(str(name)) or "1", nowhere, row, "patients")
        columns[str(name)] = sign if measured is None else _prefer(measured, sign)
    return columns


def _prefer(first: Column, second: Column) -> Column:
    gap = np.isnan(first.value)
    return replace(
        first,
        value=np.where(gap, second.value, first.value),
        source_row=np.where(gap, second.source_row, first.source_row),
    )


def facts_from_visits(
    visits: pd.DataFrame,
    patients: pd.DataFrame | None = None,
    *,
    baseline_visit: str = "baseline",
    visit_days: Mapping[str, int] | None = None,
    ranges: Mapping[str, ReferenceRange] | None = None,
) -> Facts:
    """Build facts from the analysis table `visits` (one row for each patient, visit and variable).

    Values must be in the unit the variable is kept in, as in the analysis tables. Rows are every patient at
    every visit named in `visits` or `visit_days`, whether anything was recorded or not. Patient-level signs
    (from `patients`) hold at the baseline visit, a few (`LASTING_SIGNS`) at every visit; a value measured at
    the visit stands before them. `day` in the keys is the nominal day of `visit_days`, else the last day
    measured at that visit.
    """
    require_columns(visits, "visits", ["patient_id", "visit", "variable", "value", "day"])
    patient_names = pd.Index(pd.unique(visits["patient_id"] if patients is None else patients["patient_id"]))
    planned = list(visit_days or {})
    visit_names = pd.Index(planned + [v for v in pd.unique(visits["visit"].dropna()) if v not in planned])
    table = visits[visits["visit"].notna()]
    who = patient_names.get_indexer(pd.Index(table["patient_id"]))
    if (who < 0).any():
        lost = sorted(set(table.loc[who < 0, "patient_id"].astype(str)))
        raise ClinicalError(f"table visits: patient {', '.join(lost)} not found in table patients")
    n_visits, n = len(visit_names), len(patient_names) * len(visit_names)
    position = who * n_visits + visit_names.get_indexer(pd.Index(table["visit"]))
    columns = _scatter(table, position, n)
    index = np.repeat(np.arange(len(patient_names)), n_visits)
    keys = pd.DataFrame(
        {
            "patient_id": patient_names.to_numpy()[index],
            "visit": np.tile(visit_names.to_numpy(), len(patient_names)),
        }
    )
    keys["day"] = _visit_days(keys["visit"], columns, visit_days)
    at_baseline = keys["visit"].to_numpy() == baseline_visit
    row = np.full(len(patient_names), -1, dtype=np.int64)
    row[index[at_baseline]] = np.flatnonzero(at_baseline)
    sex = None
    if patients is not None:
        columns |= _patient_signs(patients, index, at_baseline, columns)
        if "sex" in patients:
            sex = patients["sex"].fillna("").astype(str).to_numpy()[index]
    return Facts(keys, columns, row[index], sex, dict(ranges or {}))


def _visit_days(
    visits: pd.Series, columns: Mapping[str, Column], visit_days: Mapping[str, int] | None
) -> FloatArray:
    last = np.full(len(visits), -np.inf)
    for column in columns.values():
        last = np.fmax(last, column.day)
    last[np.isinf(last)] = np.nan
    if visit_days is None:
        return last
    nominal = visits.map(dict(visit_days)).to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isnan(nominal), last, nominal)


def facts_from_measurements(
    measurements: pd.DataFrame,
    keys: pd.DataFrame,
    patients: pd.DataFrame | None = None,
    *,
    lookback_days: int = 7,
    baseline_day: int = 0,
    variables: Iterable[str] | None = None,
    ranges: Mapping[str, ReferenceRange] | None = None,
) -> Facts:
    """Build facts for any patient-days (`keys`: patient_id, day) from the analysis table `measurements`.

    Each value is the last one measured in the `lookback_days` days up to and including the day. A unit other
    than the kept one is converted. Patient-level signs are known on `baseline_day` and before. The baseline
    of a row is the same patient's row on `baseline_day`, if there is one.
    """
    require_columns(measurements, "measurements", ["patient_id", "day", "variable", "value"])
    require_columns(keys, "keys", ["patient_id", "day"])
    rows = (
        keys[["patient_id", "day"]].reset_index(drop=True).assign(visit=None)[["patient_id", "visit", "day"]]
    )
    rows["day"] = rows["day"].astype(float)
    table = measurements.dropna(subset=["value"])
    if variables is not None:
        table = table[table["variable"].isin(list(variables))]
    table = _in_kept_units(table).astype({"day": float}).sort_values("day", kind="stable")
    left = rows.reset_index(names="position").sort_values("day", kind="stable")
    columns: dict[str, Column] = {}
    for name, part in table.groupby("variable", sort=True):
        right = part.assign(measured=part["day"])
        merged = pd.merge_asof(
            left[["position", "patient_id", "day"]],
            right,
            on="day",
            by="patient_id",
            tolerance=lookback_days,
        ).dropna(subset=["value"])
        merged = merged.assign(day=merged["measured"])
        columns |= _scatter(merged, merged["position"].to_numpy(), len(rows)) if len(merged) else {}
        if str(name) in columns and columns[str(name)].unit == "" and "unit" in part:
            columns[str(name)] = replace(columns[str(name)], unit=str(part["unit"].iloc[0]))
    sex = None
    early = rows["day"].to_numpy() <= baseline_day
    if patients is not None:
        index = pd.Index(patients["patient_id"]).get_indexer(pd.Index(rows["patient_id"]))
        if (index < 0).any():
            lost = sorted(set(rows.loc[index < 0, "patient_id"].astype(str)))
            raise ClinicalError(f"keys: patient {', '.join(lost)} not found in table patients")
        columns |= _patient_signs(patients, index, early, columns)
        if "sex" in patients:
            sex = patients["sex"].fillna("").astype(str).to_numpy()[index]
    first = rows[rows["day"] == baseline_day].drop_duplicates("patient_id")
    row = rows["patient_id"].map(dict(zip(first["patient_id"], first.index, strict=True))).fillna(-1)
    return Facts(rows, columns, row.to_numpy(dtype=np.int64), sex, dict(ranges or {}))


def facts_on_measured_days(
    measurements: pd.DataFrame,
    patients: pd.DataFrame,
    *,
    baseline_lookback_days: int = 7,
    ranges: Mapping[str, ReferenceRange] | None = None,
) -> Facts:
    """Build facts for every day on which anything was measured, and for day 0 as each patient's baseline.

    A day holds what was measured on that day alone; day 0 holds the last value of the
    `baseline_lookback_days` days up to and including it, which is the baseline of all days of the patient.
    """
    require_columns(measurements, "measurements", ["patient_id", "day", "variable", "value"])
    measured = measurements.dropna(subset=["value"])[["patient_id", "day"]]
    start = pd.DataFrame({"patient_id": patients["patient_id"].to_numpy(), "day": 0})
    keys = pd.concat([start, measured], ignore_index=True).astype({"day": int}).drop_duplicates()
    keys = keys.sort_values(["patient_id", "day"], kind="stable").reset_index(drop=True)
    daily = facts_from_measurements(measurements, keys, patients, lookback_days=0, ranges=ranges)
    first = facts_from_measurements(
        measurements, keys, patients, lookback_days=baseline_lookback_days, ranges=ranges
    )
    at_baseline = keys["day"].to_numpy() == 0
    columns = {}
    for name, column in first.columns.items():
        own = daily.columns.get(name)
        rows = np.where(at_baseline, np.arange(len(keys)), -1)
        columns[name] = column.take(rows) if own is None else _where(at_baseline, column, own)
    return replace(daily, columns=columns)


def _where(mask: npt.NDArray[np.bool_], first: Column, second: Column) -> Column:
    return replace(
        first,
        value=np.where(mask, first.value, second.value),
        qualifier=np.where(mask, first.qualifier, second.qualifier).astype(np.int8),
        day=np.where(mask, first.day, second.day),
        source_row=np.where(mask, first.source_row, second.source_row),
    )


def _in_kept_units(table: pd.DataFrame) -> pd.DataFrame:
    """Convert values whose unit is not the one the variable is kept in."""
    if "unit" not in table:
        return table
    table = table.copy()
    for (variable, unit), part in table.groupby(["variable", "unit"], dropna=True):
        kept = canonical_unit(str(variable))
        if kept is not None and normal_unit(str(unit)) != kept:
            table.loc[part.index, "value"] = convert(
                part["value"].to_numpy(dtype=float), str(variable), str(unit)
            )
            table.loc[part.index, "unit"] = kept
    return table
