"""The order of a file decides nothing: rows and columns shuffled give every statistic again."""

from __future__ import annotations

import math
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
from running import faults_of

from helpers.results.store import Statistics

os.environ.setdefault("MPLBACKEND", "agg")
ROOT = Path(__file__).parents[2]
NAME = "rdmas_reconstructed"
NUMBERS = ("value", "lower", "upper", "p_value")


def shuffled(cohort: Path, folder: Path, seed: int) -> Path:
    """A copy of a cohort's folder with the rows and columns of every table in another order."""
    shutil.copytree(cohort, folder)
    for path in sorted(folder.glob("*.csv")):
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        table = table.sample(frac=1, random_state=seed).sample(frac=1, random_state=seed, axis=1)
        table.to_csv(path, index=False, lineterminator="\n")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_all_statistics_are_those_of_the_file_in_order(seed, tmp_path):
    cohort = shuffled(ROOT / "data" / "cohorts" / NAME, tmp_path / NAME, seed)
    assert faults_of(cohort, tmp_path / "output", draw=False) == []
    found = Statistics.read(tmp_path / "output" / "results" / NAME / "statistics")
    stored = Statistics.read(ROOT / "results" / NAME / "statistics")
    assert set(found) == set(stored)
    different = [
        f"{row.id} {column}: {getattr(row, column)} instead of {getattr(stored[row.id], column)}"
        for row in found.values()
        for column in NUMBERS
        if not _equal(getattr(row, column), getattr(stored[row.id], column))
    ]
    assert not different, "\n".join(different[:20])
    texts = [row.id for row in found.values() if (row.note, row.n) != (stored[row.id].note, stored[row.id].n)]
    assert texts == []


def _equal(one: float, other: float) -> bool:
    return (math.isnan(one) and math.isnan(other)) or math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
