"""A large cohort in memory for the product's own Table 1: 15 numbers, 5 answers, 10 categories."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SEED = 20260101
SETTINGS = """title = "Table 1 of many patients"
provenance = "synthetic"
[[group]]
id = "treated"
label = "Treated"
role = "treated"
day0 = "first dose"
[[group]]
id = "control"
label = "Control"
role = "reference"
day0 = "diagnosis"
[follow_up]
horizon_days = 56
[[visit]]
id = "baseline"
label = "Baseline"
day = 0
window = [-7, 0]
[tests]
continuous = "asymptotic"
categorical = "yates"
levels = "chi_square"
multiplicity = "none"
[baseline]
variables = [{names}]
"""
LEVELS = ("none", "some", "much", "most")
NUMBERS = tuple(f"x{i}" for i in range(15))
ANSWERS = tuple(f"b{i}" for i in range(5))
CATEGORIES = tuple(f"c{i}" for i in range(10))


def table_frame(rows: int = 100_000) -> pd.DataFrame:
    """Patients in two groups; a twentieth of each number and answer is missing."""
    rng = np.random.default_rng(SEED)
    columns: dict[str, Any] = {"group": np.array(["control", "treated"])[rng.integers(0, 2, rows)]}
    for name in NUMBERS:
        values = np.round(np.exp(rng.normal(4, 1, rows)), 1)
        columns[name] = np.where(rng.random(rows) < 0.05, np.nan, values)
    for name in ANSWERS:
        answers = pd.array(rng.random(rows) < 0.3, dtype="boolean")
        answers[rng.random(rows) < 0.05] = pd.NA
        columns[name] = answers
    for number, name in enumerate(CATEGORIES):
        columns[name] = np.array(LEVELS)[rng.integers(0, 3 + number % 2, rows)]
    return pd.DataFrame(columns)


@dataclass(frozen=True)
class TableOne:
    """What `compare_baseline` is called with."""

    tables: Any
    config: Any

    def rows(self) -> Any:
        """The rows that the product stores for its Table 1."""
        from helpers.analysis.baseline import compare_baseline
        from helpers.results.store import StatisticsStore

        with tempfile.TemporaryDirectory() as folder:
            store = StatisticsStore(Path(folder), "02_baseline")
            compare_baseline(self.tables, self.config, store, horizon_days=56, confidence=0.95, seed=1)
        return store.rows()

    def p_values(self) -> dict[str, float]:
        """The p-value of each variable."""
        found = self.rows().select(analysis="baseline", statistic="test")
        return {row.variable: row.p_value for row in found}


def table_one(frame: pd.DataFrame) -> TableOne:
    """A cohort whose patients are the rows of `frame`, its variables declared beside its settings."""
    from helpers.cohort.cleaning import clean_cohort
    from helpers.cohort.config import load_config

    names = (*NUMBERS, *ANSWERS, *CATEGORIES)
    declared = ["name,label,table,type,unit,levels"]
    declared += [f"{name},Number {name},patients,number,u/L," for name in NUMBERS]
    declared += [f"{name},Answer {name},patients,yes_no,," for name in ANSWERS]
    declared += [f"{name},Category {name},patients,category,,{'|'.join(LEVELS)}" for name in CATEGORIES]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        listed = ", ".join(f'"{variable}"' for variable in names)
        (folder / "cohort.toml").write_text(SETTINGS.format(names=listed), encoding="utf-8")
        (folder / "variables.csv").write_text("\n".join(declared) + "\n", encoding="utf-8")
        few = ["patient_id,group,age,sex,last_contact_day,death_day"]
        few += ["a,treated,50,female,60,", "b,control,50,male,60,"]
        (folder / "patients.csv").write_text("\n".join(few) + "\n", encoding="utf-8")
        config, tables = load_config(folder), clean_cohort(folder)
    patients = frame.assign(
        patient_id=[f"p{i:07d}" for i in range(len(frame))], died=False, followup_days=60.0
    )
    return TableOne(replace(tables, patients=patients), config)
