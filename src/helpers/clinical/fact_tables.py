"""Facts built from the analysis tables: at the visits, on any day, or on every day with a measurement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.clinical.errors import ClinicalError, require_columns
from helpers.clinical.facts import (
    Column,
    Facts,
    FloatArray,
    IntArray,
    Ranges,
    StateArray,
    Written,
)

_QUALIFIERS = {"": 0, "<": -1, ">": 1}
# Columns of the analysis tables beside value and unit: as it was recorded, and the laboratory's own range.
VALUE_RECORDED, UNIT_RECORDED = "recorded_value", "recorded_unit"
LIMIT_COLUMNS = {"low": "reference_low", "high": "reference_high"}
# Findings that, once recorded for a patient, hold at every later visit; the others describe baseline only.
LASTING_SIGNS = ("known_immunosuppression", "ana_or_rf_positive", "molecular_diagnosis", "age")


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
    limits = {side: _numbers(table, column) for side, column in LIMIT_COLUMNS.items() if column in table}
    units = table["unit"].fillna("").to_numpy(dtype=object) if "unit" in table else None
    recorded = _recorded(table)
    columns = {}
    for index, name in enumerate(names):
        rows = order[edges[index] : edges[index + 1]]
        where = position[rows]
        signs = np.zeros(n, dtype=np.int8)
        signs[where] = qualifier[rows]
        arrays = [_placed(data, rows, where, n) for data in (value, day, source)]
        own = {side: _placed(data, rows, where, n) for side, data in limits.items()}
        own = {side: data for side, data in own.items() if not np.isnan(data).all()}
        columns[str(name)] = Column(
            arrays[0], signs, "" if units is None else str(units[rows[0]]), arrays[1], arrays[2],
            written=_written(recorded, rows, where, n),
            low=own.get("low"),
            high=own.get("high"),
        )  # fmt: skip
    return columns


def _recorded(table: pd.DataFrame) -> tuple[FloatArray, IntArray, tuple[str, ...]] | None:
    """Values as recorded, the number of each one's unit, and the units; None where the table has none."""
    if not {VALUE_RECORDED, UNIT_RECORDED} <= set(table.columns):
        return None
    codes, spellings = pd.factorize(table[UNIT_RECORDED].fillna(""))
    return _numbers(table, VALUE_RECORDED), codes.astype(np.int64), tuple(map(str, spellings))


def _written(
    recorded: tuple[FloatArray, IntArray, tuple[str, ...]] | None, rows: IntArray, where: IntArray, n: int
) -> Written | None:
    if recorded is None:
        return None
    value, unit, units = recorded
    codes = np.full(n, -1, dtype=np.int64)
    codes[where] = unit[rows]
    return Written(_placed(value, rows, where, n), codes, units)


def _numbers(table: pd.DataFrame, column: str) -> FloatArray:
    return table[column].to_numpy(dtype=float, na_value=np.nan)


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
        sign = Column(value, zeros, "", nowhere, row, "patients")
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
    ranges: Ranges | None = None,
) -> Facts:
    """Build facts from the analysis table `visits` (one row for each patient, visit and variable).

    Values must be in the unit the variable is kept in, as in the analysis tables. Rows are every patient at
    every visit named in `visits` or `visit_days`, whether anything was recorded or not. Patient-level signs
    (from `patients`) hold at the baseline visit, a few (`LASTING_SIGNS`) at every visit; a value measured at
    the visit stands before them. `day` in the keys is the nominal day of `visit_days`, else the last day
    measured at that visit.

    >>> columns = ["patient_id", "visit", "variable", "value", "unit", "qualifier", "day", "source_row"]
    >>> rows = [
    ...     ["a", "baseline", "ferritin", 9000.0, "ug/L", "", 0, 2],
    ...     ["a", "week_1", "ferritin", 900.0, "ug/L", "", 7, 3],
    ... ]
    >>> facts = facts_from_visits(pd.DataFrame(rows, columns=columns))
    >>> (
    ...     facts.keys["visit"].tolist(),
    ...     facts.column("ferritin").value.tolist(),
    ...     facts.column("ferritin", "baseline").value.tolist(),
    ... )
    (['baseline', 'week_1'], [9000.0, 900.0], [9000.0, 9000.0])
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
    if patients is not None:
        columns |= _patient_signs(patients, index, at_baseline, columns)
    return Facts(keys, columns, row[index], *_sex_and_age(patients, index), dict(ranges or {}))


def _sex_and_age(
    patients: pd.DataFrame | None, index: IntArray
) -> tuple[npt.NDArray[np.object_] | None, FloatArray | None]:
    """Sex and age of the patient of each row, None where they were not recorded for anybody."""
    sex: npt.NDArray[np.object_] | None = None
    age: FloatArray | None = None
    if patients is not None and "sex" in patients:
        sex = np.asarray(patients["sex"].fillna("").astype(str), dtype=object)[index]
    if patients is not None and "age" in patients:
        age = np.asarray(patients["age"].astype("Float64"), dtype=np.float64)[index]
    return sex, age


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
    window: tuple[int, int] = (-7, 0),
    baseline_day: int = 0,
    variables: Iterable[str] | None = None,
    ranges: Ranges | None = None,
) -> Facts:
    """Build facts for any patient-days (`keys`: patient_id, day) from the analysis table `measurements`.

    Each value is the one measured nearest to the day inside `window` (first and last day from it), the
    earlier of two as near; of one day the last row. Patient-level signs are known on `baseline_day` and
    before. The baseline of a row is the same patient's row on `baseline_day`, if there is one.

    >>> columns = ["patient_id", "day", "variable", "value", "unit", "qualifier", "source_row"]
    >>> measured = pd.DataFrame([["a", -3, "ferritin", 9000.0, "ug/L", "", 2]], columns=columns)
    >>> keys = pd.DataFrame({"patient_id": ["a", "a"], "day": [0, 30]})
    >>> facts_from_measurements(measured, keys).column("ferritin").value.tolist()  # too long ago on day 30
    [9000.0, nan]
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
    table = table.astype({"day": float}).sort_values("day", kind="stable")
    left = rows.reset_index(names="position").sort_values("day", kind="stable")
    columns: dict[str, Column] = {}
    for _, part in table.groupby("variable", sort=True):
        nearest = _nearest(left[["position", "patient_id", "day"]], part, window)
        columns |= _scatter(nearest, nearest["position"].to_numpy(), len(rows)) if len(nearest) else {}
    index = np.zeros(len(rows), dtype=np.int64)
    early = rows["day"].to_numpy() <= baseline_day
    if patients is not None:
        index = pd.Index(patients["patient_id"]).get_indexer(pd.Index(rows["patient_id"]))
        if (index < 0).any():
            lost = sorted(set(rows.loc[index < 0, "patient_id"].astype(str)))
            raise ClinicalError(f"keys: patient {', '.join(lost)} not found in table patients")
        columns |= _patient_signs(patients, index, early, columns)
    first = rows[rows["day"] == baseline_day].drop_duplicates("patient_id")
    row = rows["patient_id"].map(dict(zip(first["patient_id"], first.index, strict=True))).fillna(-1)
    return Facts(
        rows, columns, row.to_numpy(dtype=np.int64), *_sex_and_age(patients, index), dict(ranges or {})
    )


def _nearest(left: pd.DataFrame, measured: pd.DataFrame, window: tuple[int, int]) -> pd.DataFrame:
    """The row of one variable nearest to each patient-day inside the window; `day` is that of the row."""
    right = measured.assign(measured=measured["day"])
    found = []
    directions: tuple[tuple[Literal["backward", "forward"], int], ...] = (
        ("backward", -window[0]),
        ("forward", window[1]),
    )
    for direction, days in directions:
        if days > 0 or (days == 0 and direction == "backward"):
            merged = pd.merge_asof(
                left, right, on="day", by="patient_id", tolerance=days, direction=direction,
                allow_exact_matches=direction == "backward",
            )  # fmt: skip
            distance = (merged["measured"] - merged["day"]).abs()
            found.append(merged.assign(distance=distance).dropna(subset=["value"]))
    every = pd.concat(found).sort_values("distance", kind="stable")
    nearest = every.drop_duplicates("position").sort_values("position")
    return nearest.assign(day=nearest["measured"]).drop(columns=["measured", "distance"])


def facts_on_measured_days(
    measurements: pd.DataFrame,
    patients: pd.DataFrame,
    *,
    baseline_lookback_days: int = 7,
    ranges: Ranges | None = None,
) -> Facts:
    """Build facts for every day on which anything was measured, and for day 0 as each patient's baseline.

    A day holds what was measured on that day alone; day 0 holds the last value of the
    `baseline_lookback_days` days up to and including it, which is the baseline of all days of the
    patient. Raises ClinicalError for missing columns.

    >>> columns = ["patient_id", "day", "variable", "value", "unit", "qualifier", "source_row"]
    >>> measured = pd.DataFrame([["a", 5, "ferritin", 900.0, "ug/L", "", 2]], columns=columns)
    >>> facts_on_measured_days(measured, pd.DataFrame({"patient_id": ["a"]})).keys["day"].tolist()
    [0.0, 5.0]
    """
    require_columns(measurements, "measurements", ["patient_id", "day", "variable", "value"])
    measured = measurements.dropna(subset=["value"])[["patient_id", "day"]]
    start = pd.DataFrame({"patient_id": patients["patient_id"].to_numpy(), "day": 0})
    keys = pd.concat([start, measured], ignore_index=True).astype({"day": int}).drop_duplicates()
    keys = keys.sort_values(["patient_id", "day"], kind="stable").reset_index(drop=True)
    daily = facts_from_measurements(measurements, keys, patients, window=(0, 0), ranges=ranges)
    first = facts_from_measurements(
        measurements, keys, patients, window=(-baseline_lookback_days, 0), ranges=ranges
    )
    at_baseline = keys["day"].to_numpy() == 0
    columns = {}
    for name, column in first.columns.items():
        own = daily.columns.get(name)
        rows = np.where(at_baseline, np.arange(len(keys)), -1)
        columns[name] = column.take(rows) if own is None else column.where(at_baseline, own)
    return replace(daily, columns=columns)
