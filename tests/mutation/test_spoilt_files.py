"""Faults of a hospital's files are said; the campaign of hundreds is `mutate_files.py`."""

from __future__ import annotations

import pytest
from mutate_files import bases, trial
from spoiling_files import FILE_CLASSES

TRIALS = 2


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return bases(tmp_path_factory.mktemp("files"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(FILE_CLASSES))
def test_faults_of_files_are_said_or_do_no_harm(kind, known, tmp_path):
    for number in range(TRIALS):
        found = trial(kind, 20, number, known, tmp_path / "spoilt")
        assert found["verdict"] in {"said", "listed", "harmless"}, found
