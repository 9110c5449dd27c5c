"""Cohorts for trials, by small seeded edits of an embedded one: ``make_cohorts.py SOURCE TARGET NUMBER``."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd


def make_cohort(source: Path, target: Path, seed: int) -> None:
    """Copy a cohort; ages move by up to two years and a twentieth of the measurements by up to 2 %."""
    random = np.random.default_rng(seed)
    shutil.copytree(source, target)
    patients = pd.read_csv(target / "patients.csv", dtype=str, keep_default_na=False)
    moved = patients["age"].astype(float) + random.integers(-2, 3, size=len(patients))
    patients["age"] = moved.clip(lower=18).map("{:g}".format)
    patients.to_csv(target / "patients.csv", index=False)
    measurements = pd.read_csv(target / "measurements.csv", dtype=str, keep_default_na=False)
    numbers = pd.to_numeric(measurements["value"], errors="coerce")
    chosen = numbers.notna() & ~numbers.isin([0, 1]) & (random.random(len(numbers)) < 0.05)
    factor = 1 + random.uniform(-0.02, 0.02, size=len(numbers))
    measurements.loc[chosen, "value"] = (numbers * factor)[chosen].map("{:.4g}".format)
    measurements.to_csv(target / "measurements.csv", index=False)


def main() -> None:
    """Make as many as asked for."""
    source, target, number = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    for seed in range(1, number + 1):
        make_cohort(source, target / f"trial_{seed}", seed)


if __name__ == "__main__":
    main()
