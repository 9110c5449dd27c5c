"""Whatever shape a cohort has: what passes `check` runs to the end, and what is no number is not shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from cohorts import write_shape
from design import FACTORS, Shape, large_shapes, shapes
from matplotlib import font_manager
from running import faults_of

from helpers.cohort.check import check_cohort
from helpers.cohort.report_settings import Report
from helpers.problems import errors

NUMBER, CHUNKS = 400, 40
DRAWN = 8  # figures of every so many shapes are drawn as well, which takes as long as the rest

# One patient beside one, nobody dies, nothing recorded; all dead on one day, everything limited; one group.
_NAMES = tuple(FACTORS)
EXTREMES: tuple[Shape, ...] = tuple(
    dict(zip(_NAMES, levels, strict=True))
    for levels in (
        ("1", "1", "none", "absent", "absent", "absent", "absent", "absent", "absent", "no baseline visit",
         "one letter", "absent", "en"),
        ("3", "2", "same day", "all limited", "constant", "all against none", "outside windows", "ungraded",
         "no study drug", "no values at baseline", "markup", "usual", "zh"),
        ("2", "0", "all", "one value", "baseline only", "one arm", "one level", "colliding", "one arm",
         "usual", "long", "usual", "en"),
    )
)  # fmt: skip


def _has_chinese_font() -> bool:
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return bool(installed & set(Report().cjk_fonts))


def checked(shape: Shape, folder: Path, *, draw: bool) -> list[str]:
    """Return what is wrong with a shape's results, each with the shape."""
    cohort = write_shape(shape, folder / "shape")  # refused by notebook 01 where the check finds an error
    found = faults_of(cohort, folder / "output", draw=draw, languages=[shape["language"]])
    return [f"{fault}\n    {dict(shape)}" for fault in found]


def test_the_design_holds_every_pair_of_conditions():
    levels = sum(len(levels) for levels in FACTORS.values())
    pairs = {((a, shape[a]), (b, shape[b])) for shape in shapes(1) for a in FACTORS for b in FACTORS if a < b}
    squares = sum(len(found) ** 2 for found in FACTORS.values())
    assert len(pairs) == (levels**2 - squares) // 2 - 1, "all but a cohort of nobody"


@pytest.mark.parametrize("place", range(len(EXTREMES)))
def test_extremes(place, tmp_path):
    assert checked(EXTREMES[place], tmp_path, draw=False) == []


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_shape(chunk, tmp_path):
    every = shapes(NUMBER)
    assert len(every) >= NUMBER
    faults = []
    for place in range(chunk, len(every), CHUNKS):
        shape = every[place]
        draw = (place // CHUNKS) % DRAWN == 0 and (shape["labels"] != "chinese" or _has_chinese_font())
        faults += checked(shape, tmp_path / str(place), draw=draw)
    assert not faults, "\n".join(faults)


@pytest.mark.slow
@pytest.mark.parametrize("place", range(len(large_shapes())))
def test_an_arm_of_two_thousand(place, tmp_path):
    shape = large_shapes()[place]
    draw = shape["labels"] != "chinese" or _has_chinese_font()
    assert checked(shape, tmp_path, draw=draw) == []


def test_a_cohort_of_nobody_is_refused(tmp_path):
    nobody = write_shape({**EXTREMES[0], "treated": "0", "control": "0"}, tmp_path / "shape")
    faults = [str(problem) for problem in errors(check_cohort(nobody))]
    assert any("found no patient" in fault for fault in faults)
    assert not any("Error" in fault for fault in faults)
