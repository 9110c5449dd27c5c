"""Write `keys_of_rows.csv`: the catalogue's key of every stored row of the embedded cohort.

Run from the project's root: ``.venv/bin/python docs/write_keys_of_rows.py``.
"""

from __future__ import annotations

import csv
from pathlib import Path

from helpers.results.catalogue import analyses

ROOT = Path(__file__).parents[1]
STORED = ROOT / "results" / "rdmas_reconstructed" / "statistics"
TABLE = ROOT / "docs" / "keys_of_rows.csv"
HEAD = ("id", "key", "variable", "level", "group", "timepoint")


def keys_of_rows() -> list[tuple[str, ...]]:
    """Return for each stored row its identifier, its key as code writes it, and the other parts."""
    known, found = analyses(), []
    for path in sorted(STORED.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as handle:
            for row in csv.DictReader(handle):
                one = known[row["analysis"]]
                listed = row["statistic"] in one.kinds()
                key = row["statistic"] if listed else f'named("{row["statistic"]}")'
                parts = (row["variable"], row["level"], row["group"], row["timepoint"])
                found.append((row["id"], f"{one.__name__}.{key}", *parts))
    return found


if __name__ == "__main__":
    with TABLE.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target, lineterminator="\n")
        writer.writerows([HEAD, *keys_of_rows()])
