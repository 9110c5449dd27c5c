"""The committed results are those that the notebooks produce now."""

import csv
import math
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COHORT = "rdmas_reconstructed"
PRODUCED = os.environ.get("COMPENDIUM_PRODUCED")

pytestmark = pytest.mark.skipif(not PRODUCED, reason="COMPENDIUM_PRODUCED names no folder of fresh results")


COMPOSED = {"figure_1.svg"}  # by a step of its own, from the panels' functions
NUMBER = re.compile(r"-?\d+\.\d+|-?\d+")


def _files(root: str | Path, pattern: str, kind: str = "results") -> dict[str, Path]:
    return {path.name: path for path in sorted((Path(root) / kind / COHORT).glob(pattern))}


def _same(stored: str, fresh: str) -> bool:
    """Compare two cells; numbers may differ in the last of their twelve digits between machines."""
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


def _same_drawing(stored: str, fresh: str) -> bool:
    """Compare two SVG files; coordinates may differ by a hundredth of a point between machines."""
    if NUMBER.split(stored) != NUMBER.split(fresh):
        return False
    pairs = zip(NUMBER.findall(stored), NUMBER.findall(fresh), strict=True)
    return all(old == new or math.isclose(float(old), float(new), abs_tol=0.01) for old, new in pairs)


def test_committed_figures_equal_fresh_ones():
    stored, fresh = _files(ROOT, "*.svg", "figures"), _files(PRODUCED, "*.svg", "figures")
    assert set(stored) - COMPOSED == set(fresh) - COMPOSED
    different = [
        name
        for name in sorted(set(stored) - COMPOSED)
        if not _same_drawing(
            stored[name].read_text(encoding="utf-8"), fresh[name].read_text(encoding="utf-8")
        )
    ]
    assert not different, "run `make refresh` and commit: " + ", ".join(different)


def test_a_moved_mark_and_a_changed_word_are_differences():
    drawn = '<text x="10.25">HR 0.31</text>'
    assert _same_drawing(drawn, '<text x="10.254">HR 0.31</text>')
    assert not _same_drawing(drawn, '<text x="10.35">HR 0.31</text>')
    assert not _same_drawing(drawn, '<text x="10.25">RR 0.31</text>')
