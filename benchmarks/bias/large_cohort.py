"""Write a cohort folder of many made-up patients, to measure notebook 07 with.

    python benchmarks/bias/large_cohort.py FOLDER [--patients 2000] [--seed 1]

Each patient is one of the embedded records with the measurements blurred and another day 0 within the
enrolment of the group: simulated from a reconstruction, so no finding in it means anything.
"""

from __future__ import annotations

import argparse
import csv
import shutil
from datetime import date, timedelta
from pathlib import Path

import numpy as np

EMBEDDED = Path(__file__).parents[2] / "data" / "cohorts" / "rdmas_reconstructed"
TABLES = ("patients", "measurements", "treatments", "responses", "events")
BLUR = 0.08
Row = dict[str, str]


def _read(name: str) -> tuple[list[str], dict[str, list[Row]]]:
    with (EMBEDDED / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        rows: dict[str, list[Row]] = {}
        for row in reader:
            rows.setdefault(row["patient_id"], []).append(row)
        return list(reader.fieldnames or ()), rows


def _blurred(row: Row, rng: np.random.Generator) -> Row:
    """Another value near the first, with as many decimals; a limit, a word or a temperature stays."""
    value = row["value"]
    if row["variable"] == "temperature" or not value.replace(".", "", 1).isdigit():
        return row
    decimals = len(value.partition(".")[2])
    return row | {"value": f"{float(value) * float(np.exp(rng.normal(0, BLUR))):.{decimals}f}"}


def _patient(row: Row, rng: np.random.Generator) -> Row:
    # Earlier, so that the follow-up of the record still ends before the cut-off.
    moved = date.fromisoformat(row["day0_date"]) - timedelta(days=int(rng.integers(0, 41)))
    first = date(2022, 1, 1) if row["group"] == "ruxolitinib" else date(2017, 1, 1)
    weight = float(row["weight_kg"]) + 0.5 * int(rng.integers(-8, 9))
    return row | {"day0_date": max(moved, first).isoformat(), "weight_kg": f"{weight:.1f}"}


def write_cohort(folder: Path, patients: int = 2000, seed: int = 1) -> Path:
    """Write `folder` with cohort.toml and the five raw tables; half of the patients are treated."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    text = (EMBEDDED / "cohort.toml").read_text(encoding="utf-8")
    text = text.replace('ledger = "rdmas_2025"\n', "").replace('"reconstructed"', '"synthetic"')
    (folder / "cohort.toml").write_text(text, encoding="utf-8")
    for own in EMBEDDED.glob("*.csv"):
        if own.stem not in TABLES:
            shutil.copy(own, folder)
    tables = {name: _read(name) for name in TABLES}
    ids = sorted(tables["patients"][1])
    made: dict[str, list[Row]] = {name: [] for name in TABLES}
    for number in range(patients):
        arm = "R" if number < patients // 2 else "C"
        source = str(rng.choice([one for one in ids if one.startswith(arm)]))
        name = f"{arm}{number:05d}"
        for table, (_, rows) in tables.items():
            for row in rows.get(source, []):
                changed = row | {"patient_id": name}
                if table == "measurements":
                    changed = _blurred(changed, rng)
                made[table].append(_patient(changed, rng) if table == "patients" else changed)
    for name, (columns, _) in tables.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(made[name])
    return folder


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    write_cohort(chosen.folder, chosen.patients, chosen.seed)
