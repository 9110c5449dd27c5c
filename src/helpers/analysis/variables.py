"""The baseline variables of a cohort: which they are, of what kind, and each patient's value.

>>> found = {one.name: one for one in baseline_variables(tables, config, 56)}
>>> found["age"].kind, found["sex"].level, levels_of(found["diagnosis"])[0]
('continuous', 'female', 'AOSD')
>>> level_name(found["diagnosis"], levels_of(found["diagnosis"])[0])
'diagnosis_aosd'
>>> variable_label("age", config), therapy_label("etoposide", config), labels_of([found["age"]])
('Age, years', 'Etoposide', {'age': 'Age, years'})
>>> arms_of = comparison(config)
>>> (
...     [len(values) for values in by_group(found["age"].values, tables, arms_of)],
...     as_float(pd.Series([1, None])).tolist(),
... )
([20, 21], [1.0, nan])
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from helpers.results.store import slug

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig

Kind = Literal["continuous", "binary", "categorical"]

PRIOR_DOSE = "glucocorticoid_week_before"
PRIOR_DOSE_PER_KG = "glucocorticoid_week_before_per_kg"
DEATH = "death"
# Columns of the patients' table that are known only after day 0: no characteristic of the baseline.
OUTCOMES = ("died",)
PRIOR_PREFIX = "prior_"
_DERIVED = {
    PRIOR_DOSE: (
        "Prednisone equivalent, week before, mg/d",
        "mg/d",
    ),
    PRIOR_DOSE_PER_KG: (
        "Prednisone equivalent, week before, mg/kg/d",
        "mg/kg/d",
    ),
}


@dataclass(frozen=True)
class BaselineVariable:
    """One characteristic of the patients at baseline.

    Attributes:
        name: its name in the statistics.
        label: how it is called in tables.
        kind: continuous, binary (one level counts) or categorical (several levels).
        values: by patient_id; floats, or nullable booleans, or texts; missing where not recorded.
        qualifiers: ``<`` or ``>`` for values known only to lie beyond an assay's limit, else empty.
        unit: unit of a continuous variable.
        digits: decimals shown.
        skewed: compare on the log scale.
        level: the level that a binary variable counts, where it is not plainly yes.
    """

    name: str
    label: str
    kind: Kind
    values: pd.Series
    qualifiers: pd.Series
    unit: str = ""
    digits: int = 0
    skewed: bool = False
    level: str = ""


def baseline_variables(
    tables: AnalysisTables, config: CohortConfig, horizon_days: float, *, also: Iterable[str] = ()
) -> list[BaselineVariable]:
    """Return the variables of the baseline comparison, in the order that the configuration gives.

    Without a list in the configuration these are all patient-level variables, earlier therapies and
    measurements of the baseline visit that the cohort holds. Those in `also` follow if they are not among
    them.
    """
    names = list(config.baseline.variables or _all_names(tables, config))
    names += [name for name in also if name not in names]
    found = (_variable(name, tables, config, horizon_days) for name in names)
    return [variable for variable in found if variable is not None and variable.values.notna().any()]


def _all_names(tables: AnalysisTables, config: CohortConfig) -> Iterator[str]:
    known = config.vocabulary.variables
    for name in tables.patients.columns:
        described = name in known and known[name].type in ("number", "yes_no", "category")
        if name.startswith(PRIOR_PREFIX) or (described and name not in OUTCOMES):
            yield name
    present = set(_at_baseline(tables, config)["variable"])
    yield from (name for name in known if name in present and name not in tables.patients.columns)


def _at_baseline(tables: AnalysisTables, config: CohortConfig) -> pd.DataFrame:
    visit = config.baseline_visit
    return tables.visits[tables.visits["visit"] == (visit.id if visit else "")]


def _variable(
    name: str, tables: AnalysisTables, config: CohortConfig, horizon_days: float
) -> BaselineVariable | None:
    patients = tables.by_patient
    plain = pd.Series("", index=patients.index)
    if name == DEATH:
        died = (patients["died"] & (patients["followup_days"] <= horizon_days)).astype("boolean")
        return BaselineVariable(name, f"Death by day {horizon_days:g}", "binary", died, plain)
    if name in _DERIVED:
        label, unit = _DERIVED[name]
        doses = _dose_before(tables, "mg_per_kg" if name == PRIOR_DOSE_PER_KG else "prednisone_mg")
        digits = 1 if name == PRIOR_DOSE_PER_KG else 0
        return BaselineVariable(
            name, label, "continuous", doses.reindex(patients.index), plain, unit, digits, skewed=True
        )
    if name in patients.columns:
        return _patient_variable(name, patients[name], plain, config)
    return _measured_variable(name, tables, config, patients.index)


def _dose_before(tables: AnalysisTables, column: str) -> pd.Series:
    from helpers.clinical.steroids import weekly_dose

    doses = weekly_dose(tables.doses, 0)
    return doses.set_index("patient_id")[column]


def _patient_variable(
    name: str, values: pd.Series, plain: pd.Series, config: CohortConfig
) -> BaselineVariable:
    known = config.vocabulary.get(name)
    label = known.label if known else therapy_label(name, config)
    if pd.api.types.is_bool_dtype(values.dtype):
        return BaselineVariable(name, label, "binary", values.astype("boolean"), plain)
    if pd.api.types.is_numeric_dtype(values.dtype):
        unit, digits, skewed = (known.unit, known.decimals or 0, known.skewed) if known else ("", 1, False)
        return BaselineVariable(name, label, "continuous", values.astype(float), plain, unit, digits, skewed)
    texts = values.astype("string")
    if name == "sex":
        female = (texts == "female").astype("boolean")
        return BaselineVariable(name, f"{label}, female", "binary", female, plain, level="female")
    return BaselineVariable(name, label, "categorical", texts, plain)


def variable_label(name: str, config: CohortConfig) -> str:
    """Return the label of a baseline variable by its name alone, also where no patient has it."""
    if name in _DERIVED:
        return _DERIVED[name][0]
    known = config.vocabulary.get(name)
    return known.label if known else therapy_label(name, config)


def therapy_label(name: str, config: CohortConfig) -> str:
    """Return the label of an earlier therapy, given with or without ``prior_``."""
    therapy = name.removeprefix(PRIOR_PREFIX)
    group = config.vocabulary.get(f"{PRIOR_PREFIX}{therapy}")
    if group is not None:
        text = group.label.removeprefix("Prior ")
        return text[:1].upper() + text[1:]
    return config.vocabulary.drug_label(therapy)


def _measured_variable(
    name: str, tables: AnalysisTables, config: CohortConfig, index: pd.Index
) -> BaselineVariable | None:
    known = config.vocabulary.get(name)
    baseline = _at_baseline(tables, config)
    rows = baseline[baseline["variable"] == name].set_index("patient_id")
    if known is None or rows.empty:
        return None
    values = rows["value"].reindex(index).astype(float)
    qualifiers = rows["qualifier"].reindex(index).fillna("")
    return BaselineVariable(
        name, known.label, "continuous", values, qualifiers, known.unit, known.decimals or 0, known.skewed
    )


def levels_of(variable: BaselineVariable) -> list[str]:
    """Return the levels of a categorical variable, the most frequent first, ties by name."""
    counts = variable.values.dropna().value_counts()
    return sorted(counts.index, key=lambda level: (-counts[level], level))


def level_name(variable: BaselineVariable, level: str) -> str:
    """Return the name of one level in the statistics: ``diagnosis_aosd``."""
    return f"{variable.name}_{slug(level)}"


def labels_of(variables: Iterable[BaselineVariable]) -> dict[str, str]:
    """Return the label of every name under which these variables are stored, levels included."""
    labels = {}
    for variable in variables:
        labels[variable.name] = variable.label
        if variable.kind == "categorical":
            for level in levels_of(variable):
                labels[level_name(variable, level)] = f"{variable.label}: {level}"
    return labels


def by_group(values: pd.Series, tables: AnalysisTables, groups: Iterable[str]) -> list[pd.Series]:
    """Split values by group, one series a group."""
    patients = tables.by_patient
    if values.index.equals(patients.index):
        return [values.iloc[tables.rows_of_groups.get(name, [])] for name in groups]
    group = patients["group"].reindex(values.index)
    return [values[group == name] for name in groups]


def comparison(config: CohortConfig) -> list[str]:
    """Return the ids of the treated and the reference group; only one where the cohort has one."""
    return [group.id for group in (config.treated, config.reference) if group is not None]


def as_float(values: pd.Series) -> np.ndarray:
    """Return values as a float array with NaN where missing."""
    if values.dtype == np.float64:
        return values.to_numpy(copy=True)
    return values.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
