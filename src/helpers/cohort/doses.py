"""The dose of every patient-day: of glucocorticoids, and of the drugs that the cohort wants to spare.

>>> from helpers.clinical.equivalents import equivalents_of
>>> known = equivalents_of(config.vocabulary)
>>> found = daily_doses(tables.treatments, tables.patients, tables.measurements, known)
>>> (
...     len(found) == len(tables.doses),
...     spared_unit(config),
...     spared_doses(tables, config).columns.tolist(),
... )
(True, 'mg/kg/d prednisone equivalent', ['patient_id', 'day', 'prednisone_mg', 'weight_kg', 'mg_per_kg'])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from helpers.clinical.equivalents import Equivalents
from helpers.clinical.steroids import daily_glucocorticoid_dose
from helpers.cohort.analysis_tables import AnalysisTables, empty_frame, shaped
from helpers.cohort.crosschecks import body_surface

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig


def daily_doses(
    treatments: pd.DataFrame, people: pd.DataFrame, measurements: pd.DataFrame, equivalents: Equivalents
) -> pd.DataFrame:
    """Return the table `doses`; weights are those measured, with the patient's own at day 0.

    Args:
        treatments, people, measurements: analysis tables.
        equivalents: which drugs count, and by which factor.
    """
    if treatments.empty:
        return empty_frame("doses")
    measured = measurements[measurements["variable"] == "weight_kg"].rename(columns={"value": "weight_kg"})
    own = people.reindex(columns=["patient_id", "weight_kg"]).assign(day=0)
    weights = pd.concat([f[["patient_id", "day", "weight_kg"]] for f in (own, measured) if len(f)])
    weights = weights.astype({"weight_kg": "float64"}).dropna(subset=["weight_kg"])
    weights = weights.drop_duplicates(["patient_id", "day"], keep="last")
    followed = pd.Series(people["followup_days"].to_numpy(), index=people["patient_id"].to_numpy())
    doses = daily_glucocorticoid_dose(
        treatments.reset_index(drop=True),
        weights,
        last_day=followed,
        overlap="add",
        unknown_drugs="ignore",
        equivalents=equivalents,
        body_surface_m2=body_surface(people.set_index("patient_id")),
    )
    return shaped("doses", doses)


def spared_doses(tables: AnalysisTables, config: CohortConfig) -> pd.DataFrame:
    """Return the dose of every patient-day of the drugs that the cohort wants to spare.

    Glucocorticoids are those of the table `doses`, in prednisone equivalents; any other drug counts in mg of
    itself, in the same columns, by whatever route it is given.
    """
    if config.steroids.converted:
        return tables.doses
    names = config.vocabulary.drugs_of(config.steroids.spared)
    routes = frozenset(tables.treatments["route"].dropna())
    unconverted = Equivalents(mg=dict.fromkeys(names, 5.0), standing={}, systemic_routes=routes)
    return daily_doses(tables.treatments, tables.patients, tables.measurements, unconverted)


def spared_unit(config: CohortConfig, per: str = "mg/kg/d") -> str:
    """Return the unit of the doses to be spared: ``mg/kg/d prednisone equivalent``, or ``mg/kg/d``."""
    return f"{per} prednisone equivalent" if config.steroids.converted else per
