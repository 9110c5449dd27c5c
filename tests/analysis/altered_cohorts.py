"""The embedded cohort with its raw files changed: patients left out, columns set, rows taken away."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

EMBEDDED = Path(__file__).parents[2] / "data" / "cohorts" / "rdmas_reconstructed"
Row = dict[str, str]


def copied(folder: Path) -> Path:
    """Copy the embedded cohort to `folder`, without the ledger that only its own numbers fit."""
    shutil.copytree(EMBEDDED, folder)
    set_text(folder, 'ledger = "rdmas_2025"\n', "")
    return folder


def set_text(folder: Path, old: str, new: str) -> None:
    """Replace a part of cohort.toml, which must be there."""
    path = folder / "cohort.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text, old
    path.write_text(text.replace(old, new), encoding="utf-8")


def rewrite(folder: Path, table: str, change: Callable[[Row], Row | None]) -> None:
    """Change every row of a raw table, or drop it where `change` gives None."""
    path = folder / f"{table}.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        names = list(reader.fieldnames or ())
        rows = [changed for row in reader if (changed := change(row)) is not None]
    if not rows:
        # Nothing recorded of these patients: no table, rather than one that says there was nothing.
        path.unlink()
        set_text(folder, f'[tables.{table}]\nfile = "{table}.csv"\n', "")
        return
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def only(folder: Path, ids: Iterable[str]) -> Path:
    """The embedded cohort with some of its patients alone."""
    kept = set(ids)
    copied(folder)
    for path in sorted(folder.glob("*.csv")):
        rewrite(folder, path.stem, lambda row: row if row["patient_id"] in kept else None)
    return folder


def reverse(folder: Path) -> Path:
    """Turn the order of the rows of every raw table."""
    for path in folder.glob("*.csv"):
        head, *lines = path.read_text(encoding="utf-8").splitlines()
        path.write_text("\n".join([head, *reversed(lines)]) + "\n", encoding="utf-8")
    return folder


def _alive(row: Row) -> Row:
    if row["death_day"]:
        row |= {"death_day": "", "cause_of_death": "", "last_contact_day": "56"}
    return row


def nobody_dies_among(initials: str) -> Callable[[Path], None]:
    """Who died in the arms whose ids begin so is followed to the horizon instead."""

    def change(folder: Path) -> None:
        rewrite(folder, "patients", lambda row: _alive(row) if row["patient_id"][0] in initials else row)

    return change


def all_treated_on_the_day_of_eligibility(folder: Path) -> None:
    """Every course before day 0 is gone and every case is a recurrence, which counts from day 0."""
    rewrite(folder, "treatments", lambda row: row if int(row["start_day"]) >= 0 else None)
    reason = "recurrence while the glucocorticoid was tapered"
    rewrite(folder, "patients", lambda row: row | {"refractory_reason": reason})


def measured_alike(folder: Path) -> None:
    """Platelets, AST, haemoglobin, neutrophils and age are the same in everybody before day 0."""
    alike = {"platelets": "60", "ast": "90", "hemoglobin": "90", "neutrophils": "2.0", "fibrinogen": "2.0"}

    def change(row: Row) -> Row:
        if row["variable"] in alike and int(row["day"]) <= 0:
            row["value"] = alike[row["variable"]]
        return row

    rewrite(folder, "measurements", change)
    rewrite(folder, "patients", lambda row: row | {"age": "40"})


def every_ferritin_beyond_its_limit(folder: Path) -> None:
    """No ferritin is a number."""

    def change(row: Row) -> Row:
        if row["variable"] == "ferritin":
            row["value"] = ">1500"
        return row

    rewrite(folder, "measurements", change)


def one_arm(folder: Path) -> None:
    """The treated alone, and no other group in the settings."""
    for path in sorted(folder.glob("*.csv")):
        rewrite(folder, path.stem, lambda row: row if row["patient_id"].startswith("R") else None)
    path = folder / "cohort.toml"
    text = path.read_text(encoding="utf-8")
    text = re.sub(r'\[\[group\]\]\nid = "control".*?\n\n', "", text, flags=re.DOTALL)
    path.write_text(text, encoding="utf-8")


def three_an_arm(folder: Path) -> None:
    """Six patients, a death in each arm."""
    kept = {"R01", "R02", "R05", "C01", "C04", "C08"}
    for path in sorted(folder.glob("*.csv")):
        rewrite(folder, path.stem, lambda row: row if row["patient_id"] in kept else None)


# Cohorts at the edge by their names: what each does to the folder of a copy.
CASES: dict[str, Callable[[Path], None]] = {
    "no treated death": nobody_dies_among("R"),
    "no control death": nobody_dies_among("C"),
    "no death": nobody_dies_among("RC"),
    "treated on the day of eligibility": all_treated_on_the_day_of_eligibility,
    "covariates alike": measured_alike,
    "ferritin beyond its limit": every_ferritin_beyond_its_limit,
    "three an arm": three_an_arm,
    "one arm": one_arm,
}
