"""Cohorts to explore: the embedded one, and what is left of it when something is taken away."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
EMBEDDED = "rdmas_reconstructed"
NAMES = (EMBEDDED, "nobody_dies", "patients_alone", "one_arm")
_TABLES = ("measurements", "treatments", "responses", "events")


def cohort_folder(name: str, parent: Path) -> str:
    """Return name or path of a cohort, written into `parent` where it is none of the project's."""
    if name == EMBEDDED:
        return name
    folder = parent / name
    shutil.copytree(ROOT / "data" / "cohorts" / EMBEDDED, folder)
    settings = (folder / "cohort.toml").read_text(encoding="utf-8").replace('ledger = "rdmas_2025"\n', "")
    if name == "nobody_dies":
        _rewritten(folder / "patients.csv", _survivor)
    elif name == "one_arm":
        for file in ("patients", *_TABLES):
            _rewritten(folder / f"{file}.csv", _of_the_treated)
        settings = re.sub(r'\[\[group\]\]\nid = "control".*?\n\n', "", settings, flags=re.DOTALL)
    else:
        for table in _TABLES:
            (folder / f"{table}.csv").unlink()
            settings = settings.replace(f'[tables.{table}]\nfile = "{table}.csv"\n\n', "")
        start, end = settings.index("[baseline]"), settings.index("[tests]")
        settings = settings[:start] + settings[end:]
    (folder / "cohort.toml").write_text(settings, encoding="utf-8")
    return str(folder)


def _survivor(row: dict[str, str]) -> dict[str, str]:
    return (
        row | {"death_day": "", "cause_of_death": "", "last_contact_day": "56"} if row["death_day"] else row
    )


def _of_the_treated(row: dict[str, str]) -> dict[str, str] | None:
    return row if row["patient_id"].startswith("R") else None


def _rewritten(file: Path, change: Callable[[dict[str, str]], dict[str, str] | None]) -> None:
    """Write a table whose rows are changed, or left out where nothing comes back."""
    with file.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    kept = [changed for row in rows if (changed := change(row)) is not None]
    with file.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)
