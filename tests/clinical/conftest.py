"""Hand-built patients: each spec names a patient, the values at its visits and its signs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.clinical.fact_tables import facts_from_visits
from helpers.clinical.facts import Facts
from helpers.vocabulary.model import ReferenceRange
from helpers.vocabulary.reading import shipped_vocabulary

VISIT_DAYS = {"baseline": 0, "week_1": 7, "week_2": 14, "week_3": 21, "week_8": 56}
RANGES = {
    "ferritin": (ReferenceRange(high=300),),
    "triglycerides": (ReferenceRange(high=1.7),),
    "scd25": (ReferenceRange(high=1000),),
    "alt": (ReferenceRange(high=40),),
    "ast": (ReferenceRange(high=40),),
    "ldh": (ReferenceRange(high=250),),
    "bilirubin": (ReferenceRange(high=20),),
    "creatinine": (ReferenceRange(low=40, high=100),),
    "albumin": (ReferenceRange(low=40),),
    "crp": (ReferenceRange(high=8),),
    "fibrinogen": (ReferenceRange(low=2.0, high=4.0),),
    "hemoglobin": (ReferenceRange(115, 150, "female"), ReferenceRange(130, 175, "male")),
    "platelets": (ReferenceRange(low=125, high=350),),
    "neutrophils": (ReferenceRange(low=1.8, high=6.3),),
    "leucocytes": (ReferenceRange(low=3.5, high=9.5),),
    "lymphocytes": (ReferenceRange(low=1.1, high=3.2),),
    "temperature": (ReferenceRange(high=37.3),),
    "ggt": (ReferenceRange(high=60),),
    "alkaline_phosphatase": (ReferenceRange(high=100),),
    "inr": (ReferenceRange(high=1.2),),
    "aptt": (ReferenceRange(high=40),),
    "cholesterol": (ReferenceRange(high=5.2),),
}


def split(value: Any) -> tuple[float, str]:
    """Split "<5" or ">1500" into value and qualifier."""
    text = str(value)
    return (float(text[1:]), text[0]) if text[0] in "<>" else (float(text), "")


def unit_of(variable: str) -> str:
    """Unit in which the vocabulary keeps a variable."""
    known = shipped_vocabulary().get(variable)
    return "" if known is None else known.unit


def make_facts(
    visits: Mapping[str, Mapping[str, Any]],
    signs: Mapping[str, Any] | None = None,
    **patient: Any,
) -> tuple[Facts, pd.DataFrame]:
    """One patient "P" with values by visit and patient-level signs; returns its facts and patients table."""
    rows = []
    for visit, values in visits.items():
        for variable, text in values.items():
            value, qualifier = split(text)
            unit = unit_of(variable)
            rows.append(["P", visit, variable, value, qualifier, unit, VISIT_DAYS[visit], len(rows) + 2])
    columns = ["patient_id", "visit", "variable", "value", "qualifier", "unit", "day", "source_row"]
    table = pd.DataFrame(rows, columns=columns)
    record = {
        "patient_id": "P",
        "sex": "female",
        "diagnosis": "AOSD",
        "death_day": np.nan,
        "followup_days": 56.0,
    }
    record |= {"died": False, "group": "ruxolitinib", "source_row": 2, **patient}
    patients = pd.DataFrame([record])
    for name, sign in (signs or {}).items():
        patients[name] = pd.array([sign], dtype="Float64" if name == "age" else "boolean")
    return facts_from_visits(table, patients, visit_days=VISIT_DAYS, ranges=RANGES), patients


@pytest.fixture
def build():
    return make_facts
