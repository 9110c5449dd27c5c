"""Cohorts made from the embedded one by taking something away: nobody dies, one group only, no doses."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Callable
from pathlib import Path

EMBEDDED = Path(__file__).parents[2] / "data" / "cohorts" / "rdmas_reconstructed"
Row = dict[str, str]


def _rewrite(file: Path, change: Callable[[Row], Row | None]) -> None:
    with file.open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        columns = list(reader.fieldnames or ())
        rows = [changed for row in reader if (changed := change(row)) is not None]
    with file.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _forget_ledger(folder: Path) -> str:
    text = (folder / "cohort.toml").read_text(encoding="utf-8")
    return text.replace('ledger = "rdmas_2025"\n', "")


def nobody_dies(folder: Path) -> None:
    """Take every death away: who died is followed to the horizon instead."""

    def alive(row: Row) -> Row:
        if row["death_day"]:
            row |= {"death_day": "", "cause_of_death": "", "last_contact_day": "56"}
        return row

    _rewrite(folder / "patients.csv", alive)


def one_group(folder: Path) -> None:
    """Leave the treated group alone."""
    ids = {"R"}
    for file in folder.glob("*.csv"):
        _rewrite(file, lambda row: row if row["patient_id"][0] in ids else None)
    text = (folder / "cohort.toml").read_text(encoding="utf-8")
    text = re.sub(r'\[\[group\]\]\nid = "control".*?\n\n', "", text, flags=re.DOTALL)
    (folder / "cohort.toml").write_text(text, encoding="utf-8")


def no_doses(folder: Path) -> None:
    """Take the table of treatments away."""
    (folder / "treatments.csv").unlink()
    text = (folder / "cohort.toml").read_text(encoding="utf-8")
    text = text.replace('[tables.treatments]\nfile = "treatments.csv"\n\n', "")
    kept = (line for line in text.split("\n") if "prior_" not in line or "prior_therapies" in line)
    text = re.sub(r"\[baseline\]\nvariables = \[.*?\n\]\n", "[baseline]\n", "\n".join(kept), flags=re.DOTALL)
    (folder / "cohort.toml").write_text(text, encoding="utf-8")


VARIANTS: dict[str, Callable[[Path], None]] = {
    "nobody_dies": nobody_dies,
    "one_group": one_group,
    "no_doses": no_doses,
}


def write_variant(name: str, parent: Path) -> Path:
    """Write the cohort folder ``parent/name`` and return it."""
    folder = parent / name
    shutil.copytree(EMBEDDED, folder)
    (folder / "cohort.toml").write_text(_forget_ledger(folder), encoding="utf-8")
    VARIANTS[name](folder)
    return folder
