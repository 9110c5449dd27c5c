"""A cohort read fast, its texts kept once, or by Python's own reader with a text in every row: the same."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.cohort.check import Examination, examine
from helpers.cohort.cleaning import derive_tables
from helpers.cohort.texts import is_coded, plain
from helpers.problems import errors

sys.path[:0] = [str(Path(__file__).parents[1] / name) for name in ("mutation", "studies", "cohorts")]
from mutate_data import bases  # noqa: E402
from spoiling import CLASSES  # noqa: E402
from tongji import write_cohort  # noqa: E402

ROOT = Path(__file__).parents[2]
EMBEDDED = ROOT / "data" / "cohorts" / "rdmas_reconstructed"
TONGJI = ROOT / ".." / "shared" / "cohorts" / "tongji_covid"


def carefully(folder: Path) -> Examination:
    """Examine a cohort whose files are all read by the careful reader, with a text in every row."""
    with (
        mock.patch("helpers.cohort.files.read_quickly", return_value=None),
        mock.patch("helpers.cohort.files.as_coded", lambda column: column),
    ):
        examination = examine(folder)
    long = [table.raw.frame for name, table in examination.tables.items() if name != "patients"]
    assert not any(is_coded(frame[column]) for frame in long for column in frame)
    return examination


def same(folder: Path) -> list[str]:
    """Assert that both ways give the same problems, typed tables and analysis tables; return the problems."""
    quick, careful = examine(folder), carefully(folder)
    assert [repr(p) for p in quick.problems] == [repr(p) for p in careful.problems]
    assert quick.tables.keys() == careful.tables.keys()
    for name, table in quick.tables.items():
        one, other = (plain(each.frame) for each in (table, careful.tables[name]))
        one, other = one.where(one.notna(), None), other.where(other.notna(), None)
        pd.testing.assert_frame_equal(one, other, check_dtype=False)
    if not errors(quick.problems):
        one, other = derive_tables(quick), derive_tables(careful)
        for name in one.names():
            pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))
    return [str(problem) for problem in quick.problems]


def test_embedded_cohort():
    assert same(EMBEDDED) == []


@pytest.mark.skipif(not TONGJI.is_dir(), reason="the Tongji samples are not at hand")
def test_hundreds_of_patients_of_a_hospital(tmp_path):
    assert same(write_cohort(TONGJI, tmp_path / "tongji"))


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    return bases(tmp_path_factory.mktemp("bases"))


@pytest.mark.parametrize("kind", sorted(CLASSES))
def test_faults_of_people(kind, cohorts, tmp_path):
    rng = np.random.default_rng([41, sorted(CLASSES).index(kind)])
    said = ""
    while not said:
        spoilt = cohorts[int(rng.integers(len(cohorts)))].copy()
        said = CLASSES[kind](spoilt, rng)
    spoilt.write(tmp_path / "spoilt")
    same(tmp_path / "spoilt")


SLIPS = st.sampled_from(
    [
        b'"', b'""', b",", b";", b"\t", b"\n", b"\r\n", b"\r", b"\n\n", b" ", b"x", b"-", b"<", b">1", b"NA",
        b"1e3", b"2024-02-30", b"\x00", b"\xff", b"\xc3\xa4", b"\xe2\x80\xa8", b"\xe2\x80\x8b",
        b'"a,b"', b'"a\nb"',
    ]
)  # fmt: skip


@pytest.fixture(scope="module")
def copied(tmp_path_factory) -> Path:
    return Path(shutil.copytree(EMBEDDED, tmp_path_factory.mktemp("slips") / "cohort"))


@pytest.mark.slow
@given(
    table=st.sampled_from(["patients", "measurements", "treatments", "responses", "events"]),
    slips=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3), SLIPS), min_size=1, max_size=5),
)
@settings(max_examples=30, deadline=None)
def test_slips_of_bytes(copied, table, slips):
    content = (EMBEDDED / f"{table}.csv").read_bytes()
    for place, cut, slip in slips:
        at = int(place * len(content))
        content = content[:at] + slip + content[at + cut :]
    file = copied / f"{table}.csv"
    try:
        file.write_bytes(content)
        same(copied)
    finally:
        file.write_bytes((EMBEDDED / f"{table}.csv").read_bytes())
