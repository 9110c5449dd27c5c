"""The committed results are those that the notebooks produce now."""

import csv
import math
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COHORT = "rdmas_reconstructed"
PRODUCED = os.environ.get("COMPENDIUM_PRODUCED")

pytestmark = pytest.mark.skipif(not PRODUCED, reason="COMPENDIUM_PRODUCED names no folder of fresh results")


def _files(root: str | Path, pattern: str) -> dict[str, Path]:
    return {path.name: path for path in sorted((Path(root) / "results" / COHORT).glob(pattern))}


def _same(stored: str, fresh: str) -> bool:
    """Compare two cells; numbers may differ in the last of their digits between machines."""
    try:
        return math.isclose(float(stored), float(fresh), rel_tol=1e-9, abs_tol=1e-12)
    except ValueError:
        return stored == fresh


@pytest.mark.parametrize("pattern", ["statistics/*.csv", "tables/*.csv"])
def test_committed_results_equal_fresh_ones(pattern):
    stored, fresh = _files(ROOT, pattern), _files(PRODUCED, pattern)
    assert list(stored) == list(fresh)
    different = []
    for name in stored:
        rows = [list(csv.reader(files[name].open(encoding="utf-8"))) for files in (stored, fresh)]
        assert len(rows[0]) == len(rows[1]), f"{name}: the number of rows differs"
        for number, (old, new) in enumerate(zip(*rows, strict=True), start=1):
            if len(old) != len(new) or not all(map(_same, old, new)):
                different.append(f"{name}:{number} stored {old}, produced {new}")
    assert not different, "run `make refresh` and commit:\n" + "\n".join(different[:20])
