"""Three invented studies of other questions, written as cohort folders: seeded, the same bytes each time.

They have nothing of the embedded study: other drugs, visits, levels of response, endpoints and criteria.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

STUDIES = ("tocilizumab_anakinra", "etoposide_alone", "dep_hlh94")

_TOCILIZUMAB = """title = "Tocilizumab against anakinra in adult-onset Still's disease"
provenance = "synthetic"
study_drug = "tocilizumab"

[[group]]
id = "tocilizumab"
label = "Tocilizumab"
role = "treated"
day0 = "first dose of tocilizumab"

[[group]]
id = "anakinra"
label = "Anakinra"
role = "reference"
day0 = "first dose of anakinra"

[follow_up]
horizon_days = 180

[[visit]]
id = "baseline"
label = "Baseline"
day = 0
window = [-3, 0]

[[visit]]
id = "day_3"
label = "Day 3"
day = 3
window = [2, 5]

[[visit]]
id = "month_1"
label = "Month 1"
day = 30
window = [23, 37]

[[visit]]
id = "month_3"
label = "Month 3"
day = 90
window = [76, 104]

[[visit]]
id = "month_6"
label = "Month 6"
day = 180
window = [160, 200]

[[response.level]]
id = "CR"
[[response.level]]
id = "PR"
[[response.level]]
id = "SD"
[[response.level]]
id = "PD"

[[endpoint]]
id = "relapse"
label = "Relapse"
terms = ["disease relapse"]

[[endpoint]]
id = "relapse_or_death"
label = "Relapse or death"
any_of = ["death", "relapse"]

[[endpoint]]
id = "first_response"
label = "First response"
response = "gain"

[[endpoint]]
id = "loss"
label = "Loss of response"
response = "loss"

[[visit_comparison]]
visit = "month_1"
variables = ["ferritin", "crp", "platelets"]

[[visit_comparison]]
visit = "month_6"
variables = ["ferritin"]
"""

_ETOPOSIDE = """title = "Etoposide in haemophagocytic lymphohistiocytosis of adults"
provenance = "synthetic"
study_drug = "etoposide"

[[group]]
id = "etoposide"
label = "Etoposide"
role = "treated"
day0 = "first dose of etoposide"

[follow_up]
horizon_days = 100

[[visit]]
id = "baseline"
label = "Baseline"
day = 0
window = [-5, 0]

[[visit]]
id = "week_2"
label = "Week 2"
day = 14
window = [11, 17]

[[visit]]
id = "week_4"
label = "Week 4"
day = 28
window = [24, 32]

[criteria]
diagnosis = ["hlh_2024"]

[steroids]
spared = "dexamethasone"
threshold_mg_per_kg = 0.1

[[endpoint]]
id = "transplanted"
label = "Stem cell transplantation"
yes_no = "transplanted"
"""

_DEP = """title = "DEP against HLH-94 in lymphoma-associated haemophagocytic lymphohistiocytosis"
provenance = "synthetic"
study_drug = ["doxorubicin", "etoposide"]

[[group]]
id = "dep"
label = "DEP"
role = "treated"
day0 = "first day of DEP"

[[group]]
id = "hlh94"
label = "HLH-94"
role = "reference"
day0 = "first day of HLH-94"

[follow_up]
horizon_days = 365

[[visit]]
id = "baseline"
label = "Baseline"
day = 0
window = [-7, 0]

[[visit]]
id = "month_1"
label = "Month 1"
day = 30
window = [20, 40]

[[visit]]
id = "month_3"
label = "Month 3"
day = 90
window = [70, 110]

[categories]
diagnosis = ["T/NK-cell lymphoma", "B-cell lymphoma"]

[[endpoint]]
id = "progression"
label = "Progression"
day = "progression_day"

[[endpoint]]
id = "pfs"
label = "Progression or death"
any_of = ["death", "progression"]
"""


def write_study(name: str, folder: Path) -> Path:
    """Write one study into `folder` and return it."""
    folder.mkdir(parents=True)
    tables, settings = _BUILDERS[name](np.random.default_rng(STUDIES.index(name) + 11))
    (folder / "cohort.toml").write_text(settings, encoding="utf-8")
    for file, rows in tables.items():
        pd.DataFrame(rows).to_csv(folder / f"{file}.csv", index=False, lineterminator="\n")
    return folder


def _people(
    rng: np.random.Generator, sizes: dict[str, int], hazards: dict[str, float], last: int
) -> list[dict[str, Any]]:
    people = []
    for group, size in sizes.items():
        for i in range(size):
            death = int(rng.exponential(1 / hazards[group])) + 1
            followed = int(rng.integers(last, 2 * last))
            people.append({
                "patient_id": f"{group[:2].upper()}{i + 1:02d}", "group": group,
                "age": int(rng.integers(19, 76)), "sex": rng.choice(["female", "male"]),
                "weight_kg": float(rng.integers(45, 90)), "height_cm": float(rng.integers(150, 188)),
                "last_contact_day": min(death, followed), "death_day": death if death <= followed else None,
                "fever": rng.choice(["yes", "no"], p=[0.8, 0.2]),
                "splenomegaly": rng.choice(["yes", "no"]),
            })  # fmt: skip
    return people


def _values(
    rng: np.random.Generator, people: list[dict[str, Any]], days: list[int], fall: dict[str, float]
) -> list[dict[str, Any]]:
    start = {"ferritin": (4000, "ng/mL"), "crp": (90, "mg/L"), "platelets": (110, "10^9/L"),
             "hemoglobin": (95, "g/L"), "neutrophils": (4.0, "10^9/L"), "alt": (80, "U/L"),
             "triglycerides": (3.1, "mmol/L"), "fibrinogen": (2.0, "g/L")}  # fmt: skip
    rows = []
    for person in people:
        for day in days:
            if person["death_day"] is not None and day > person["death_day"]:
                continue
            for variable, (level, unit) in start.items():
                down = variable in ("ferritin", "crp", "alt", "triglycerides")
                change = fall[person["group"]] ** (day / days[-1])
                value = level * (change if down else 1 + (1 - change) / 3) * rng.lognormal(0, 0.15)
                rows.append({"patient_id": person["patient_id"], "day": day, "variable": variable,
                             "value": round(float(value), 2), "unit": unit})  # fmt: skip
    return rows


def _calls(
    rng: np.random.Generator, people: list[dict[str, Any]], days: list[int], levels: list[str],
    good: dict[str, float],
) -> list[dict[str, Any]]:  # fmt: skip
    rows = []
    for person in people:
        for day in days:
            if person["death_day"] is None or day <= person["death_day"]:
                worse = (1 - good[person["group"]]) / (len(levels) - 2)
                shares = [good[person["group"]] / 2] * 2 + [worse] * (len(levels) - 2)
                call = rng.choice(levels, p=shares)
                rows.append({"patient_id": person["patient_id"], "day": day, "response": call})
    return rows


def _courses(people: list[dict[str, Any]], drugs: dict[str, list[tuple[Any, ...]]]) -> list[dict[str, Any]]:
    names = ("drug", "start_day", "stop_day", "dose", "unit", "route", "times_per_day")
    return [
        {"patient_id": person["patient_id"]}
        | dict(zip(names, given, strict=True))
        | {"stop_day": min(given[2], person["last_contact_day"])}
        for person in people
        for given in drugs[person["group"]]
        if given[1] <= person["last_contact_day"]
    ]


def _own(name: str, label: str, kind: str) -> dict[str, str]:
    return {"name": name, "label": label, "table": "patients", "type": kind}


def _tocilizumab(rng: np.random.Generator) -> tuple[dict[str, Any], str]:
    people = _people(
        rng, {"tocilizumab": 22, "anakinra": 19}, {"tocilizumab": 0.0006, "anakinra": 0.002}, 180
    )
    for person in people:
        person["diagnosis"] = "AOSD"
    relapse = {"tocilizumab": 0.003, "anakinra": 0.007}
    events = []
    for person in people:
        day = int(rng.exponential(1 / relapse[person["group"]])) + 5
        if day <= person["last_contact_day"]:
            events.append(
                {"patient_id": person["patient_id"], "day": day, "term": "disease relapse", "grade": 2}
            )
        if rng.random() < 0.3:
            events.append({"patient_id": person["patient_id"], "day": 4, "term": "neutropenia", "grade": 1})
    drugs = {
        "tocilizumab": [
            ("tocilizumab", 0, 150, 8, "mg/kg", "iv", 0.0357),
            ("prednisone", -10, 120, 30, "mg", "po", 1),
        ],
        "anakinra": [("anakinra", 0, 150, 100, "mg", "sc", 1), ("prednisone", -10, 150, 40, "mg", "po", 1)],
    }
    good = {"tocilizumab": 0.7, "anakinra": 0.5}
    days = [0, 3, 30, 90, 180]
    tables = {
        "patients": people,
        "measurements": _values(rng, people, days, {"tocilizumab": 0.05, "anakinra": 0.15}),
        "responses": _calls(rng, people, days[1:], ["CR", "PR", "SD", "PD"], good),
        "events": events,
        "treatments": _courses(people, drugs),
    }  # fmt: skip
    return tables, _TOCILIZUMAB


def _etoposide(rng: np.random.Generator) -> tuple[dict[str, Any], str]:
    people = _people(rng, {"etoposide": 18}, {"etoposide": 0.004}, 100)
    for person in people:
        person["transplanted"] = rng.choice(["yes", "no", ""], p=[0.3, 0.6, 0.1])
        person["hemophagocytosis"] = rng.choice(["yes", "no"])
    drugs = {
        "etoposide": [
            ("etoposide", 0, 0, 100, "mg/m2", "iv", 1), ("etoposide", 7, 7, 100, "mg/m2", "iv", 1),
            ("dexamethasone", 0, 13, 10, "mg", "iv", 1), ("dexamethasone", 14, 28, 5, "mg", "po", 1),
        ],
    }  # fmt: skip
    days = [0, 14, 28]
    tables = {
        "patients": people, "measurements": _values(rng, people, days, {"etoposide": 0.2}),
        "responses": _calls(rng, people, days[1:], ["CR", "PR", "NR"], {"etoposide": 0.6}),
        "treatments": _courses(people, drugs),
        "variables": [_own("transplanted", "Stem cell transplantation", "yes_no")],
    }  # fmt: skip
    return tables, _ETOPOSIDE


def _dep(rng: np.random.Generator) -> tuple[dict[str, Any], str]:
    people = _people(rng, {"dep": 24, "hlh94": 26}, {"dep": 0.002, "hlh94": 0.004}, 365)
    for person in people:
        day = int(rng.exponential(300 if person["group"] == "dep" else 150)) + 10
        person["progression_day"] = day if day <= person["last_contact_day"] else None
        person["diagnosis"] = rng.choice(["T/NK-cell lymphoma", "B-cell lymphoma"])
    drugs = {
        "dep": [("doxorubicin", 0, 0, 25, "mg/m2", "iv", 1), ("etoposide", 0, 0, 100, "mg/m2", "iv", 1),
                ("methylprednisolone", 0, 2, 120, "mg", "iv", 1)],
        "hlh94": [("etoposide", 0, 0, 150, "mg/m2", "iv", 1), ("dexamethasone", 0, 13, 15, "mg", "po", 1)],
    }  # fmt: skip
    days = [0, 30, 90]
    tables = {
        "patients": people, "measurements": _values(rng, people, days, {"dep": 0.1, "hlh94": 0.3}),
        "responses": _calls(rng, people, days[1:], ["CR", "PR", "NR"], {"dep": 0.7, "hlh94": 0.4}),
        "treatments": _courses(people, drugs),
        "variables": [_own("progression_day", "Day of progression", "day")],
    }  # fmt: skip
    return tables, _DEP


_BUILDERS = {"tocilizumab_anakinra": _tocilizumab, "etoposide_alone": _etoposide, "dep_hlh94": _dep}
