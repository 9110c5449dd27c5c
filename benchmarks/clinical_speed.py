"""Time of the response rule and the HScore over one million patient-visits on one core.

Run with `python benchmarks/clinical_speed.py [PATIENT_VISITS]`; the figures are written to
clinical_speed.json beside this file. Missing and censored values are among the data, so that no short cut
is taken. The limit is on the seconds of the one core; the clock on the wall also counts other programs.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.clinical.diagnosis import hscore
from helpers.clinical.fact_tables import facts_from_visits
from helpers.clinical.facts import Facts
from helpers.clinical.response import assess_response
from helpers.clinical.response_rules import load_response_rule
from helpers.vocabulary.reading import shipped_vocabulary

LABS = {
    "ferritin": (7.5, 1.5), "triglycerides": (0.8, 0.6), "hemoglobin": (4.6, 0.2), "platelets": (4.5, 0.8),
    "neutrophils": (0.8, 1.0), "leucocytes": (1.5, 0.7), "alt": (4.8, 1.0), "ast": (4.6, 1.0),
    "fibrinogen": (0.7, 0.5), "scd25": (8.0, 1.0), "temperature": (3.64, 0.02),
}  # fmt: skip
VISIT_DAYS = {"baseline": 0, "week_1": 7, "week_2": 14, "week_3": 21, "week_8": 56}
SEED = 20260101


def visits_table(n_patients: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(SEED)
    names = pd.Categorical([f"P{i:07d}" for i in range(n_patients)])
    n = n_patients * len(VISIT_DAYS)
    parts = []
    for variable, (mean, spread) in LABS.items():
        value = np.exp(rng.normal(mean, spread, n))
        kept = rng.random(n) > 0.1
        high = (variable == "ferritin") & (value > 15000)
        part = pd.DataFrame(
            {
                "patient_id": names.repeat(len(VISIT_DAYS)),
                "visit": pd.Categorical(list(VISIT_DAYS) * n_patients),
                "value": np.where(high, 15000.0, value),
                "qualifier": pd.Categorical(np.where(high, ">", ""), ["", "<", ">"]),
                "day": np.tile(list(VISIT_DAYS.values()), n_patients),
            }
        )
        parts.append(part[kept].assign(variable=variable))
    table = pd.concat(parts, ignore_index=True)
    table["variable"] = table["variable"].astype("category")
    table["source_row"] = np.arange(len(table)) + 2
    death = np.where(rng.random(n_patients) < 0.2, rng.integers(1, 56, n_patients), np.nan)
    patients = pd.DataFrame({"patient_id": names.astype(str), "death_day": death})
    patients["sex"] = rng.choice(["female", "male"], n_patients)
    for sign in ("hepatomegaly", "splenomegaly", "hemophagocytosis", "known_immunosuppression"):
        patients[sign] = pd.array(rng.random(n_patients) < 0.4, dtype="boolean")
    return table, patients


def timed(name: str, figures: dict[str, float], work: Callable[[], Any]) -> Any:
    start, core = time.perf_counter(), time.process_time()
    result = work()
    figures[f"{name}_seconds"] = round(time.perf_counter() - start, 3)
    figures[f"{name}_cpu_seconds"] = round(time.process_time() - core, 3)
    return result


def main(n_visits: int) -> dict[str, object]:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})
    table, patients = visits_table(n_visits // len(VISIT_DAYS))
    ranges = shipped_vocabulary().ranges
    figures: dict[str, float] = {}
    facts: Facts = timed(
        "tables_to_facts",
        figures,
        lambda: facts_from_visits(table, patients, visit_days=VISIT_DAYS, ranges=ranges),
    )
    rule = load_response_rule()
    response = timed("response", figures, lambda: assess_response(facts, patients, rule, with_names=False))
    score = timed("hscore", figures, lambda: hscore(facts))
    for clock in ("seconds", "cpu_seconds"):
        total = figures[f"response_{clock}"] + figures[f"hscore_{clock}"]
        figures[f"response_and_hscore_{clock}"] = round(total, 3)
    return {
        "patient_visits": len(facts),
        "measurements": len(table),
        "cores": 1,
        "limit_seconds": 10,
        **figures,
        "within_limit": figures["response_and_hscore_cpu_seconds"] < 10,
        "responses": response["response"].value_counts().sort_index().to_dict(),
        "hscore_verdicts": score["verdict"].value_counts().sort_index().to_dict(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "pandas": pd.__version__,
    }


if __name__ == "__main__":
    figures = main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
    target = Path(__file__).with_suffix(".json")
    target.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))
    sys.exit(0 if figures["within_limit"] else 1)
