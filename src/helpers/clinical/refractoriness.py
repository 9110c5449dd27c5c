"""Refractoriness on day 0: dose and duration of glucocorticoids, pulses, recurrence on tapering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from helpers.clinical.criteria_schema import RunNode
from helpers.clinical.definitions import Criteria
from helpers.clinical.dose_stretches import plain_ids
from helpers.clinical.engine import Evaluation, evaluate
from helpers.clinical.equivalents import Equivalents, default_equivalents
from helpers.clinical.errors import require_columns
from helpers.clinical.facts import Facts, FloatArray
from helpers.clinical.steroids import TOLERANCE, daily_glucocorticoid_dose

# Parts of a reason for calling a patient refractory that tell of a recurrence.
_RECURRENCE = "taper|recur|relaps|flare|复发|减量"


@dataclass(frozen=True)
class TreatmentHistory:
    """What is known of the treatment of each patient before day 0.

    Attributes:
        patients: patient_id, followup_days, and refractory_reason where it was recorded.
        treatments: the analysis table.
        doses: daily glucocorticoid doses of all routes (`daily_glucocorticoid_dose`).
        weights: weight in kg of each patient, or rows of patient_id, day and weight_kg.
        prior_response: whether each patient had responded before day 0; None if never recorded.
        record_complete: whether a run that begins with the first recorded day began then. If not, its length
            is only a lower limit.
        body_surface_m2: body surface by patient, for doses by square metre.
        equivalents: the glucocorticoids and their equivalents.

    >>> columns = ["patient_id", "drug", "route", "start_day"]
    >>> treatments = pd.DataFrame(
    ...     [["a", "prednisone", "oral", -9], ["a", "etoposide", "iv", -2]], columns=columns
    ... )
    >>> doses = pd.DataFrame(
    ...     {"patient_id": ["a"], "day": [-1], "prednisone_mg": [60.0], "mg_per_kg": [1.0]}
    ... )
    >>> history = TreatmentHistory(pd.DataFrame({"patient_id": ["a"]}), treatments, doses, {"a": 60.0})
    >>> history.glucocorticoids(())["drug"].tolist(), len(history.doses_by(()))
    (['prednisone'], 1)
    """

    patients: pd.DataFrame
    treatments: pd.DataFrame
    doses: pd.DataFrame
    weights: pd.DataFrame | Mapping[str, float] | pd.Series
    prior_response: Mapping[str, bool] | None = None
    record_complete: bool = True
    body_surface_m2: Mapping[str, float] | None = None
    equivalents: Equivalents = field(default_factory=default_equivalents)

    def doses_by(self, routes: tuple[str, ...]) -> pd.DataFrame:
        """Return the daily doses given by some routes until day 0; all doses if none is named."""
        if not routes:
            return self.doses
        followed = self.patients.set_index("patient_id")["followup_days"]
        return daily_glucocorticoid_dose(
            self.treatments[self.treatments["route"].isin(routes)],
            self.weights,
            last_day=followed.clip(upper=0),  # years of follow-up are not written out for nothing
            overlap="add",
            unknown_drugs="ignore",
            body_surface_m2=self.body_surface_m2,
            equivalents=self.equivalents,
        )

    def glucocorticoids(self, routes: tuple[str, ...]) -> pd.DataFrame:
        """Return the rows of glucocorticoids given by some routes; by any if none is named."""
        rows = self.treatments[self.treatments["drug"].isin(list(self.equivalents.mg))]
        return rows[rows["route"].isin(routes)] if routes else rows


def longest_runs(doses: pd.DataFrame, column: str, at_least: float, *, before_day: int = 0) -> pd.DataFrame:
    """Longest run of consecutive days before `before_day` with a dose of at least `at_least`.

    Returns one row for each patient with a dose row before that day: patient_id, run_days (0 if none),
    first_day, last_day and lowest (smallest dose in the run).

    >>> doses = pd.DataFrame(
    ...     {"patient_id": ["a"] * 4, "day": [-5, -3, -2, -1], "mg_per_kg": [2.0, 2.0, 2.0, 0.5]}
    ... )
    >>> longest_runs(doses, "mg_per_kg", 1.0)[["run_days", "first_day", "last_day"]].values.tolist()
    [[2.0, -3.0, -2.0]]
    """
    before = plain_ids(doses[doses["day"] < before_day]).sort_values(["patient_id", "day"])
    high = before[before[column] >= at_least - TOLERANCE * max(1.0, at_least)]
    patient, day = high["patient_id"].to_numpy(), high["day"].to_numpy()
    begins = np.ones(len(high), dtype=bool)
    begins[1:] = (patient[1:] != patient[:-1]) | (np.diff(day) != 1)
    runs = (
        pd.DataFrame({"patient_id": patient, "day": day, "dose": high[column].to_numpy()})
        .groupby(np.cumsum(begins))
        .agg(
            patient_id=("patient_id", "first"),
            run_days=("day", "size"),
            first_day=("day", "first"),
            last_day=("day", "last"),
            lowest=("dose", "min"),
        )
    )
    # The latest of equally long runs: it is the one closest to the decision on day 0.
    longest = runs.sort_values(["run_days", "first_day"], kind="stable").drop_duplicates(
        "patient_id", keep="last"
    )
    found = longest.set_index("patient_id").reindex(
        pd.Index(before["patient_id"].unique(), name="patient_id")
    )
    found["run_days"] = found["run_days"].fillna(0).astype("int64")
    return found.reset_index().astype(dict.fromkeys(["first_day", "last_day", "lowest"], float))


def refractoriness(history: TreatmentHistory, criteria: Criteria) -> tuple[Evaluation, pd.DataFrame]:
    """Judge refractoriness on day 0 by a criteria set that speaks of runs of days on a dose.

    Raises ClinicalError for missing columns.

    Args:
        history: what is known of the patients' treatment. A patient without any dose before day 0 is not
            done; a reason that names a taper, recurrence, relapse or flare counts as recurrence.
        criteria: a set whose ``[runs]`` define its runs, such as ``refractory_mas``.

    Returns:
        The evaluation, one row a patient, and the runs behind it: patient_id, kind, run_days, first_day,
        last_day, lowest, source_rows of the treatments given during the run.
    """
    patients = history.patients
    require_columns(patients, "patients", ["patient_id", "followup_days"])
    found = {name: _longest(history, run) for name, run in criteria.runs.items()}
    facts = Facts(patients[["patient_id"]].assign(visit=None, day=0.0).reset_index(drop=True), {})
    for name, runs in found.items():
        facts = _with_run(facts, name, runs, history)
    facts = facts.with_column("recurrence_on_taper", _recurrence(patients), table="patients")
    if history.prior_response is not None:
        earlier = patients["patient_id"].map(dict(history.prior_response)).astype("Float64")
        value = earlier.to_numpy(dtype=float, na_value=np.nan)
        facts = facts.with_column("prior_response", value, table="responses")
    for name in ("recurrence_on_taper", "prior_response"):
        facts = _as_entered(facts, name, patients)
    labels = {name: run.label or name for name, run in criteria.runs.items()}
    return evaluate(criteria, facts), _with_source_rows({labels[name]: runs for name, runs in found.items()})


@dataclass(frozen=True)
class _Runs:
    """Each patient's longest run of one kind, and the treatments that it may come from."""

    longest: pd.DataFrame
    treatments: Mapping[Any, list[tuple[float, float, int]]]


def _longest(history: TreatmentHistory, run: RunNode) -> _Runs:
    doses = history.doses_by(run.routes)
    return _Runs(
        longest_runs(doses, run.dose, run.at_least), _by_patient(history.glucocorticoids(run.routes))
    )


def _with_source_rows(found: Mapping[str, _Runs]) -> pd.DataFrame:
    """All runs, each with its kind and the rows of the treatments given during it."""
    kinds = [runs.longest.assign(kind=kind) for kind, runs in found.items()]
    known = [table for table in kinds if len(table)]
    if not kinds:
        return pd.DataFrame()
    table = pd.concat(known, ignore_index=True) if known else kinds[0]
    table["source_rows"] = [_rows_during(run, found[str(run.kind)].treatments) for run in table.itertuples()]
    return table


def _with_run(facts: Facts, variable: str, runs: _Runs, history: TreatmentHistory) -> Facts:
    """Add the length of each patient's longest run."""
    patients, doses = facts.keys["patient_id"], history.doses
    indexed = runs.longest.set_index("patient_id").reindex(patients)
    # No dose on record before day 0 is not the same as no glucocorticoid.
    known = patients.isin(set(doses.loc[doses["day"] < 0, "patient_id"].unique())).to_numpy()
    days = np.where(known, np.nan_to_num(indexed["run_days"].to_numpy(dtype=float)), np.nan)
    begin = doses.groupby("patient_id", observed=True)["day"].min().reindex(patients).to_numpy(dtype=float)
    cut = (indexed["first_day"].to_numpy(dtype=float) == begin) & (not history.record_complete)
    return facts.with_column(
        variable, days, unit="d", qualifier=cut.astype(np.int8), table="treatments",
        day=indexed["last_day"].to_numpy(dtype=float), source_row=_first_rows(indexed, runs.treatments),
    )  # fmt: skip


def _as_entered(facts: Facts, name: str, patients: pd.DataFrame) -> Facts:
    """Put what was entered for the patients in the place of what was worked out."""
    if name not in patients:
        return facts
    entered = patients[name].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    derived = facts.columns.get(name)
    other = np.full(len(facts), np.nan) if derived is None else derived.value
    return facts.with_column(name, np.where(np.isnan(entered), other, entered), table="patients")


def _by_patient(treatments: pd.DataFrame) -> dict[Any, list[tuple[float, float, int]]]:
    """First day, last day (without end: infinite) and source row of each patient's treatments."""
    if "source_row" not in treatments:
        return {}
    start = treatments["start_day"].to_numpy(dtype=float)
    stop = treatments["stop_day"].astype("Float64").fillna(np.inf).to_numpy(dtype=float)
    found: dict[Any, list[tuple[float, float, int]]] = {}
    for patient, first, last, row in zip(
        treatments["patient_id"], start, stop, treatments["source_row"], strict=True
    ):
        found.setdefault(patient, []).append((float(first), float(last), int(row)))
    return found


def _rows_during(run: Any, treatments: Mapping[Any, list[tuple[float, float, int]]]) -> str:
    if np.isnan(run.first_day):
        return ""
    given = treatments.get(run.patient_id, [])
    rows = sorted(row for first, last, row in given if first <= run.last_day and last >= run.first_day)
    return ", ".join(map(str, rows))


def _first_rows(runs: pd.DataFrame, treatments: Mapping[Any, list[tuple[float, float, int]]]) -> FloatArray:
    rows = [_rows_during(run, treatments) for run in runs.reset_index().itertuples()]
    return np.array([float(text.split(",")[0]) if text else np.nan for text in rows])


def _recurrence(patients: pd.DataFrame) -> FloatArray:
    if "refractory_reason" not in patients:
        return np.full(len(patients), np.nan)
    reason = patients["refractory_reason"].fillna("").astype(str).str.lower()
    found = reason.str.contains(_RECURRENCE).to_numpy(dtype=float)
    return np.where(reason == "", np.nan, found)
