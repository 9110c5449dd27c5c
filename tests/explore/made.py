"""Cohorts to explore: the embedded one, and what is left of it when something is taken away."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
EMBEDDED = "rdmas_reconstructed"
NAMES = (EMBEDDED, "nobody_dies", "patients_alone")


def cohort_folder(name: str, parent: Path) -> str:
    """Return name or path of a cohort, written into `parent` where it is none of the project's."""
    if name == EMBEDDED:
        return name
    folder = parent / name
    shutil.copytree(ROOT / "data" / "cohorts" / EMBEDDED, folder)
    settings = (folder / "cohort.toml").read_text(encoding="utf-8").replace('ledger = "rdmas_2025"\n', "")
    if name == "nobody_dies":
        _nobody_dies(folder / "patients.csv")
    else:
        for table in ("measurements", "treatments", "responses", "events"):
            (folder / f"{table}.csv").unlink()
            settings = settings.replace(f'[tables.{table}]\nfile = "{table}.csv"\n\n', "")
        start, end = settings.index("[baseline]"), settings.index("[tests]")
        settings = settings[:start] + settings[end:]
    (folder / "cohort.toml").write_text(settings, encoding="utf-8")
    return str(folder)


def _nobody_dies(file: Path) -> None:
    with file.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    for row in rows:
        if row["death_day"]:
            row |= {"death_day": "", "cause_of_death": "", "last_contact_day": "56"}
    with file.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
