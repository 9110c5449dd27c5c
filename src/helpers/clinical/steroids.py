"""Glucocorticoid exposure: prednisone equivalents, the dose of every patient-day, and what is read from it.

Days are integers from day 0 of each patient and courses include both their first and their last day.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.clinical.dose_stretches import first_sustained, plain_ids, stretches_of, weights_of
from helpers.clinical.equivalents import Equivalents, default_equivalents, prednisone_equivalent, refusal
from helpers.clinical.errors import ClinicalError, require_columns

Overlap = Literal["latest", "add", "max"]
AfterLastCourse = Literal["zero", "end"]
DoseRule = Literal["weekly_mean", "last"]
DoseUnit = Literal["mg_per_kg", "prednisone_mg"]
FloatArray = npt.NDArray[np.float64]

__all__ = [
    "DOSE_COLUMNS",
    "Equivalents",
    "courses_outside_follow_up",
    "cumulative_dose",
    "daily_glucocorticoid_dose",
    "default_equivalents",
    "dose_window",
    "percentage_fall",
    "prednisone_equivalent",
    "time_to_dose_at_most",
    "weekly_dose",
]

DOSE_COLUMNS = ["patient_id", "day", "prednisone_mg", "weight_kg", "mg_per_kg"]
_TREATMENT_COLUMNS = ["patient_id", "drug", "start_day", "stop_day", "dose", "unit", "route", "times_per_day"]
# Factor to mg, and whether the dose is per kilogram or per square metre of body surface.
_UNITS: dict[str, tuple[float, str]] = {
    "mg": (1.0, "absolute"),
    "g": (1000.0, "absolute"),
    "mg/kg": (1.0, "per_kg"),
    "g/kg": (1000.0, "per_kg"),
    "mg/m2": (1.0, "per_m2"),
}
# A dose of 35 mg at 70 kg is 0.5 mg/kg: rounding in the last bit must not decide a threshold.
TOLERANCE = 1e-9


def _where(row: int, treatments: pd.DataFrame) -> str:
    line = treatments["source_row"].iloc[row] if "source_row" in treatments else row + 1
    return f"table treatments, row {line}, patient {treatments['patient_id'].iloc[row]}"


def _check_courses(courses: pd.DataFrame, surface: Mapping[str, float]) -> list[str]:
    """List every fault of glucocorticoid rows that would make the dose wrong."""
    problems = []
    start, stop = courses["start_day"].astype("Float64"), courses["stop_day"].astype("Float64")
    checks = (
        (courses["dose"].isna() | (courses["dose"] < 0), "dose", "a dose of 0 or more"),
        (
            courses["times_per_day"].isna() | (courses["times_per_day"] <= 0),
            "times_per_day",
            "a number above 0",
        ),
        (~courses["unit"].isin(list(_UNITS)), "unit", ", ".join(_UNITS)),
        (start.isna(), "start_day", "a day"),
        ((stop < start).fillna(False), "stop_day", "a day not before start_day"),
    )
    for bad, column, expected in checks:
        problems += [
            f"{_where(row, courses)}, column {column}: "
            f"found '{courses[column].iloc[row]}', expected {expected}"
            for row in np.flatnonzero(bad.to_numpy(dtype=bool)).tolist()
        ]
    no_surface = (courses["unit"] == "mg/m2") & ~courses["patient_id"].isin(list(surface))
    problems += [
        f"{_where(row, courses)}, column unit: mg/m2 needs the patient's body surface area, none was given"
        for row in np.flatnonzero(no_surface.to_numpy(dtype=bool)).tolist()
    ]
    return problems


def _glucocorticoid_courses(
    treatments: pd.DataFrame, table: Equivalents, surface: Mapping[str, float], unknown: str
) -> pd.DataFrame:
    """Keep systemic glucocorticoid rows; refuse by name what cannot be converted, all at once."""
    require_columns(treatments, "treatments", _TREATMENT_COLUMNS)
    drug = treatments["drug"].astype(str)
    ignored = drug.map({name: table.adds_nothing(name) for name in drug.unique()}).astype(bool)
    if unknown == "ignore":
        ignored |= ~drug.isin([*table.mg, *table.local_only])
    courses = treatments[~ignored].reset_index(drop=True)
    problems = []
    for row, (name, route) in enumerate(zip(courses["drug"], courses["route"], strict=True)):
        reason = refusal(str(name), str(route), table)
        if reason:
            problems.append(f"{_where(row, courses)}: {reason}")
    problems += _check_courses(courses, surface)
    if problems:
        raise ClinicalError(problems)
    return courses


def _last_days(patients: pd.Series, last_day: Mapping[str, float] | pd.Series | float) -> FloatArray:
    """Last day of follow-up for each row of `patients`."""
    if isinstance(last_day, (int, float)):
        return np.full(len(patients), float(last_day))
    days = patients.map(
        last_day if isinstance(last_day, pd.Series) else pd.Series(dict(last_day), dtype=float)
    )
    values = days.to_numpy(dtype=float, na_value=np.nan)
    missing = sorted(set(patients[np.isnan(values)].astype(str)))
    if missing:
        raise ClinicalError(f"last_day: no last day of follow-up for patient {', '.join(missing)}")
    return values


def _given(
    courses: pd.DataFrame, last: FloatArray, table: Equivalents, surface: Mapping[str, float]
) -> pd.DataFrame:
    """The courses that give something: first and last day, and the daily equivalent in mg and in mg/kg."""
    start = courses["start_day"].to_numpy(dtype=np.int64)
    stop = courses["stop_day"].astype("Float64").to_numpy(dtype=float, na_value=np.inf)
    end = np.minimum(stop, last).astype(np.int64)
    factor = courses["unit"].map({unit: value[0] for unit, value in _UNITS.items()}).to_numpy(dtype=float)
    kind = courses["unit"].map({unit: value[1] for unit, value in _UNITS.items()}).to_numpy(dtype=str)
    per_drug = courses["drug"].map({drug: 5.0 / mg for drug, mg in table.mg.items()}).to_numpy(dtype=float)
    daily = (
        courses["dose"].to_numpy(dtype=float)
        * courses["times_per_day"].to_numpy(dtype=float)
        * factor
        * per_drug
    )
    if (kind == "per_m2").any():
        area = courses["patient_id"].map(dict(surface)).to_numpy(dtype=float, na_value=np.nan)
        daily = np.where(kind == "per_m2", daily * area, daily)
    given = pd.DataFrame(
        {
            "patient_id": courses["patient_id"].to_numpy(),
            "drug": courses["drug"].to_numpy(),
            "route": courses["route"].to_numpy(),
            "first": start,
            "last": end,
            "followed": last.astype(np.int64),
            "mg": np.where(kind == "per_kg", 0.0, daily),
            "mg_kg": np.where(kind == "per_kg", daily, 0.0),
        }
    )
    return given[end >= start].reset_index(drop=True)


def _resolve_overlaps(parts: pd.DataFrame, overlap: Overlap) -> pd.DataFrame:
    """Settle stretches of days in which two courses of one drug by one route are both recorded."""
    if overlap == "add" or parts.empty:
        return parts
    key = ["stretch", "drug", "route"]
    if overlap == "latest":
        newest = parts.groupby(key, sort=False)["first"].transform("max")
        return parts[parts["first"] == newest]
    # A course is ordered either in mg or in mg/kg; among several the largest of each kind stands.
    return parts.groupby(key, sort=False, as_index=False)[["mg", "mg_kg"]].max()


def _known_weights(
    weights: pd.DataFrame | Mapping[str, float] | pd.Series, patients: pd.Index
) -> pd.DataFrame:
    """Weights of some patients: the patient's number, day and weight_kg, by patient and day."""
    if not isinstance(weights, pd.DataFrame):
        own = pd.Series(weights, dtype=float).reindex(patients).to_numpy()
        table = pd.DataFrame({"patient": np.arange(len(patients)), "day": 0, "weight_kg": own})
        return table.dropna(subset=["weight_kg"])
    require_columns(weights, "weights", ["patient_id", "day", "weight_kg"])
    known = weights[["patient_id", "day", "weight_kg"]].dropna()
    known = known.astype({"day": np.int64, "weight_kg": float}).sort_values("day", kind="stable")
    bad = known[known["weight_kg"] <= 0]
    if len(bad):
        raise ClinicalError(
            [f"weights: patient {p}, day {d}: found {w:g} kg" for p, d, w in bad.itertuples(index=False)]
        )
    known = known.assign(patient=patients.get_indexer(pd.Index(known["patient_id"])))
    return known[known["patient"] >= 0].sort_values("patient", kind="stable")


def daily_glucocorticoid_dose(
    treatments: pd.DataFrame,
    weights: pd.DataFrame | Mapping[str, float] | pd.Series,
    *,
    last_day: Mapping[str, float] | pd.Series | float,
    overlap: Overlap = "latest",
    after_last_course: AfterLastCourse = "zero",
    unknown_drugs: Literal["refuse", "ignore"] = "refuse",
    body_surface_m2: Mapping[str, float] | None = None,
    equivalents: Equivalents | None = None,
) -> pd.DataFrame:
    """Daily glucocorticoid dose of every patient, in mg of prednisone and in mg/kg.

    `treatments` is the analysis table (dose per administration, `stop_day` empty = ongoing); `weights` has
    patient_id, day, weight_kg, or is one weight per patient; `last_day` is the last day of follow-up (death
    or last contact) of each patient. One row per patient-day from the first recorded glucocorticoid day:
    days between courses have dose 0, days before the first course have no row (the dose then is unknown).
    After the last course the dose is 0 until `last_day` (`after_last_course="zero"`) or the rows end with
    the course ("end").

    Different drugs or routes on one day add. Courses of the same drug by the same route: "latest" lets the
    course that started last replace the older one while it lasts (courses that start together add), "add"
    sums all, "max" takes the largest. The weight of a day is the last one recorded on or before it, else the
    first; without any weight the column that needs it is missing. Rows of drugs that are not glucocorticoids
    are passed over.

    Returns columns patient_id (a categorical), day, prednisone_mg, weight_kg, mg_per_kg, ordered by patient
    and day. Raises
    `ClinicalError` listing every row with an unknown drug, a local or inhaled glucocorticoid, a route that
    is not systemic, an unusable dose, unit or day, or a dose per m2 without body surface area.
    """
    table = equivalents or default_equivalents()
    surface = dict(body_surface_m2 or {})
    courses = _glucocorticoid_courses(treatments, table, surface, unknown_drugs)
    last = _last_days(courses["patient_id"], last_day)
    given = _given(courses, last, table, surface)
    given["patient"], patients = pd.factorize(given["patient_id"], sort=True)
    if given.empty:
        empty = pd.DataFrame(columns=DOSE_COLUMNS, dtype=float)
        return empty.astype({"patient_id": "category", "day": np.int64})
    span = given.groupby("patient", as_index=False).agg(
        first=("first", "min"), last=("last", "max"), followed=("followed", "first")
    )
    if after_last_course == "zero":
        span["last"] = span["followed"]
    stretches = stretches_of(given, span, known := _known_weights(weights, pd.Index(patients)))
    row, stretch = stretches.within(given)
    parts = given.loc[row, ["drug", "route", "first", "mg", "mg_kg"]].assign(stretch=stretch)
    dose = _resolve_overlaps(parts, overlap).groupby("stretch")[["mg", "mg_kg"]].sum()
    dose = dose.reindex(range(stretches.days.size), fill_value=0.0)
    mg, mg_kg, weight = dose["mg"].to_numpy(), dose["mg_kg"].to_numpy(), weights_of(stretches, known)
    values = {
        "prednisone_mg": np.where(mg_kg > 0, mg + mg_kg * weight, mg),
        "weight_kg": weight,
        "mg_per_kg": np.where(mg > 0, mg / weight + mg_kg, mg_kg),
    }
    codes = np.repeat(stretches.patient.astype(np.int32), stretches.days)
    grid = {"patient_id": pd.Categorical.from_codes(codes, pd.Index(patients)), "day": stretches.each_day()}
    daily = {name: np.repeat(value, stretches.days) for name, value in values.items()}
    return pd.DataFrame(grid | daily, columns=DOSE_COLUMNS, copy=False)


def courses_outside_follow_up(
    treatments: pd.DataFrame, last_day: Mapping[str, float] | pd.Series | float
) -> pd.DataFrame:
    """Return the rows of `treatments` that start after the last day of follow-up and so add to no dose."""
    require_columns(treatments, "treatments", _TREATMENT_COLUMNS)
    late = treatments["start_day"].to_numpy(dtype=float) > _last_days(treatments["patient_id"], last_day)
    return treatments[late]


def dose_window(day: int, rule: DoseRule = "weekly_mean") -> tuple[int, int]:
    """First and last day averaged at a visit.

    Weekly mean: days -7 to -1 for baseline (day 0), else the 7 days that end on the visit day (week 8: 50
    to 56). Last: the visit day alone. Raises ClinicalError for another rule.

    >>> dose_window(0), dose_window(56), dose_window(56, "last")
    ((-7, -1), (50, 56), (56, 56))
    """
    if rule == "last":
        return day, day
    if rule != "weekly_mean":
        raise ClinicalError(f"rule: found '{rule}', expected weekly_mean or last")
    return (-7, -1) if day == 0 else (day - 6, day)


def weekly_dose(
    doses: pd.DataFrame, day: int, *, rule: DoseRule = "weekly_mean", minimum_days: int = 1
) -> pd.DataFrame:
    """Glucocorticoid dose of each patient at a visit, by the window of `dose_window`.

    Returns one row for each patient in `doses`: patient_id, day, first_day, last_day (the window), n_days
    (days with a dose in it), prednisone_mg, mg_per_kg (means over those days) and status: "observed", or
    "not followed" when the patient has no row on the window's last day (died, left, or the record had not
    begun), or "too few days" when fewer than `minimum_days` days are known. The doses are missing unless the
    status is "observed".
    """
    require_columns(doses, "doses", DOSE_COLUMNS)
    first, last = dose_window(day, rule)
    inside = plain_ids(doses[doses["day"].between(first, last)])
    grouped = inside.groupby("patient_id")
    index = pd.Index(sorted(doses["patient_id"].unique()), name="patient_id")
    result = grouped[["prednisone_mg", "mg_per_kg"]].mean().reindex(index)
    n_days = grouped.size().reindex(index, fill_value=0)
    followed = index.isin(inside.loc[inside["day"] == last, "patient_id"])
    status = np.where(~followed, "not followed", np.where(n_days < minimum_days, "too few days", "observed"))
    result.loc[status != "observed"] = np.nan
    # A mean over days of which one has no known dose would be a mean of other days.
    unknown = inside[["prednisone_mg", "mg_per_kg"]].isna().groupby(inside["patient_id"]).any()
    result = result.mask(unknown.reindex(index, fill_value=False))
    result.insert(0, "day", day)
    result.insert(1, "first_day", first)
    result.insert(2, "last_day", last)
    result.insert(3, "n_days", n_days)
    result["status"] = status
    return result.reset_index()


def percentage_fall(
    doses: pd.DataFrame, day: int, *, rule: DoseRule = "weekly_mean", unit: DoseUnit = "mg_per_kg"
) -> pd.DataFrame:
    """Percentage by which each dose fell from baseline to `day`: 100 x (baseline - dose) / baseline.

    Returns patient_id, day, baseline, dose, fall_percent; missing when either dose is missing or the
    baseline is 0. Patients who died before `day` have no dose on it: a summary of this column describes
    survivors.
    """
    before = weekly_dose(doses, 0, rule=rule).set_index("patient_id")[unit]
    after = weekly_dose(doses, day, rule=rule).set_index("patient_id")[unit]
    fall = 100.0 * (before - after) / before.where(before > 0)
    frame = pd.DataFrame({"day": day, "baseline": before, "dose": after, "fall_percent": fall})
    return frame.reset_index()


def time_to_dose_at_most(
    doses: pd.DataFrame,
    patients: pd.DataFrame,
    threshold: float,
    *,
    unit: DoseUnit = "mg_per_kg",
    hold_days: int = 3,
    start_day: int = 0,
    horizon: int | None = None,
) -> pd.DataFrame:
    """Days until the daily dose is at or below `threshold` and stays there for `hold_days` consecutive days.

    `patients` gives patient_id, followup_days and died. Returns one row for each of them: patient_id, time,
    status (1 reached, 2 died first, 0 censored: end of follow-up or `horizon`). The time is the first day of
    the lasting run, counted from day 0; a run cut short by death or end of follow-up has not lasted. Death
    is a competing event: hand the frame to a cumulative incidence function, not to one minus Kaplan-Meier.
    """
    require_columns(doses, "doses", DOSE_COLUMNS)
    require_columns(patients, "patients", ["patient_id", "followup_days", "died"])
    if hold_days < 1:
        raise ClinicalError(f"hold_days: found {hold_days}, expected 1 or more")
    low = doses[unit].to_numpy(dtype=float) <= threshold + TOLERANCE * max(1.0, abs(threshold))
    reached = first_sustained(doses, low & (doses["day"] >= start_day).to_numpy(), hold_days)
    day = patients["patient_id"].map(reached).to_numpy(dtype=float, na_value=np.nan)
    follow = patients["followup_days"].to_numpy(dtype=float, na_value=np.nan)
    died = patients["died"].fillna(False).to_numpy(dtype=bool)
    time = np.where(np.isnan(day), follow, day)
    status = np.where(~np.isnan(day), 1, np.where(died, 2, 0))
    if horizon is not None:
        status = np.where(time > horizon, 0, status)
        time = np.minimum(time, float(horizon))
    return pd.DataFrame({"patient_id": patients["patient_id"].to_numpy(), "time": time, "status": status})


def cumulative_dose(doses: pd.DataFrame, *, days: int = 56, first_day: int = 0) -> pd.DataFrame:
    """Sum of the daily dose over `days` days from `first_day` (56 days from day 0 are days 0 to 55).

    Returns patient_id, prednisone_mg, mg_per_kg, n_days (days with a known dose) and complete (all days
    known). The sum of a patient who died or left is over the days lived: lower for that reason alone when
    not complete.
    """
    require_columns(doses, "doses", DOSE_COLUMNS)
    inside = plain_ids(doses[doses["day"].between(first_day, first_day + days - 1)])
    index = pd.Index(sorted(doses["patient_id"].unique()), name="patient_id")
    total = inside.groupby("patient_id")[["prednisone_mg", "mg_per_kg"]].sum(min_count=1).reindex(index)
    total["n_days"] = (
        inside.dropna(subset="prednisone_mg").groupby("patient_id").size().reindex(index, fill_value=0)
    )
    total["complete"] = total["n_days"] == days
    return total.reset_index()
