"""One invented cohort, in the project's own tables; the sixteen shapes hold the same patients."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np

SEED = 20_261_127
DAYS = (0, 7, 14, 28)
VISITS = {0: "Baseline", 7: "Week 1", 14: "Week 2", 28: "Week 4"}
# name, unit, geometric middle at day 0, spread, decimals
LABS = (
    ("temperature", "Cel", 38.6, 0.012, 1),
    ("leucocytes", "10^9/L", 5.2, 0.4, 2),
    ("platelets", "10^9/L", 78.0, 0.5, 0),
    ("hemoglobin", "g/L", 94.0, 0.12, 0),
    ("ast", "U/L", 96.0, 0.6, 0),
    ("fibrinogen", "g/L", 1.7, 0.35, 2),
    ("triglycerides", "mmol/L", 2.9, 0.3, 2),
    ("ferritin", "ng/mL", 4200.0, 0.8, 1),
)
Row = dict[str, str]


@dataclass(frozen=True)
class Invented:
    """The tables of the cohort."""

    patients: list[Row]
    measurements: list[Row]
    treatments: list[Row]
    responses: list[Row]
    events: list[Row]

    def value(self, patient: str, day: int, variable: str) -> str:
        """A value as it was recorded; empty if it was not."""
        return self._values.get((patient, str(day), variable), "")

    @cached_property
    def _values(self) -> dict[tuple[str, str, str], str]:
        return {(row["patient_id"], row["day"], row["variable"]): row["value"] for row in self.measurements}

    def response(self, patient: str, day: int) -> str:
        """A clinician's call; empty if there is none."""
        found = [r["response"] for r in self.responses if (r["patient_id"], r["day"]) == (patient, str(day))]
        return found[0] if found else ""


def invented(each: int = 12, seed: int = SEED) -> Invented:
    """Return the cohort: so many patients in each of two groups; other seeds give other patients."""
    rng = np.random.default_rng(seed)
    patients, measurements, treatments, responses, events = [], [], [], [], []
    for number in range(2 * each):
        treated = number < each
        patient = f"{'T' if treated else 'C'}{number % each + 1:02d}"
        zero = date(2022 if treated else 2018, 1, 5) + timedelta(days=int(rng.integers(0, 700)))
        dies = rng.random() < (0.2 if treated else 0.45)
        last = int(rng.integers(10, 60)) if dies else int(rng.integers(60, 400))
        patients.append(
            {
                "patient_id": patient,
                "group": "Ruxolitinib" if treated else "Historical control",
                "age": str(int(rng.integers(18, 75))),
                "sex": ("female", "male")[int(rng.random() < 0.35)],
                "diagnosis": ("AOSD", "SLE", "other CTD")[int(rng.integers(3))],
                "weight_kg": f"{rng.normal(60, 9):.1f}",
                "fever": ("yes", "no")[int(rng.random() < 0.2)],
                "day0_date": zero.isoformat(),
                "last_contact_day": str(last),
                "death_day": str(last) if dies else "",
            }
        )
        for day in (d for d in DAYS if d <= last):
            for name, unit, middle, spread, decimals in LABS:
                better = np.log(1 + day / (20 if treated else 45)) if name in ("ferritin", "ast") else 0
                value = middle * np.exp(rng.normal(0, spread) - better)
                text = f"{value:.{decimals}f}"
                if name == "ferritin" and value > 15_000:
                    text = ">15000"
                if rng.random() > 0.04:
                    measurements.append(
                        {
                            "patient_id": patient,
                            "day": str(day),
                            "variable": name,
                            "value": text,
                            "unit": unit,
                        }
                    )
            if day:
                level = ("CR", "PR", "NR")[
                    int(rng.choice(3, p=[0.3, 0.4, 0.3] if treated else [0.1, 0.3, 0.6]))
                ]
                responses.append({"patient_id": patient, "day": str(day), "response": level})
        dose = int(rng.integers(2, 9)) * 10
        courses = [
            ("methylprednisolone", -9, -1, dose, "iv", "1"),
            ("prednisone", 0, min(last, 20), 40, "po", "1"),
        ]
        courses += [("ruxolitinib", 0, last, 5, "po", "2")] if treated else []
        courses += [("etoposide", -6, -6, 100, "iv", "1")] if rng.random() < 0.4 else []
        treatments += [
            {
                "patient_id": patient,
                "drug": drug,
                "start_day": str(start),
                "stop_day": str(stop),
                "dose": str(amount),
                "unit": "mg",
                "route": route,
                "times_per_day": times,
            }
            for drug, start, stop, amount, route, times in courses
        ]
        if rng.random() < 0.5:
            events.append(
                {
                    "patient_id": patient,
                    "day": str(int(rng.integers(1, min(last, 28)))),
                    "term": ("cytomegalovirus infection", "thrombocytopenia", "anaemia")[
                        int(rng.integers(3))
                    ],
                    "grade": str(int(rng.integers(1, 4))),
                    "serious": ("no", "yes")[int(rng.random() < 0.3)],
                }
            )
    return Invented(patients, measurements, treatments, responses, events)


def write_canonical(cohort: Invented, folder: Path, *, leave_out: tuple[str, ...] = ()) -> None:
    """Write the tables as the project wants them.

    Args:
        cohort: the tables.
        folder: receives patients.csv and so on.
        leave_out: tables, or TABLE.COLUMN, that a shape cannot hold.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("patients", "measurements", "treatments", "responses", "events"):
        rows: list[Row] = getattr(cohort, name)
        if name in leave_out:
            continue
        columns = [column for column in rows[0] if f"{name}.{column}" not in leave_out]
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def on_day(patient: Row, day: str) -> date:
    """The date of a day of a patient."""
    return date.fromisoformat(patient["day0_date"]) + timedelta(days=int(day))
