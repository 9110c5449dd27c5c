"""Faults of every class that can be known are said; the campaign of thousands is `mutate_data.py`."""

from __future__ import annotations

import pytest
from mutate_data import bases, cleaned, trial
from spoiling import CLASSES, UNKNOWABLE

from helpers.cohort.check import check_cohort

TRIALS = 5


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    found = bases(tmp_path_factory.mktemp("bases"))
    for cohort in found:
        cohort.before = {str(problem) for problem in check_cohort(cohort.folder)}
        cohort.clean = cleaned(cohort.folder)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(CLASSES))
def test_faults_are_said(kind, cohorts, tmp_path):
    for number in range(TRIALS):
        found = trial(kind, 5, number, cohorts, tmp_path / "spoilt")
        allowed = {"said", "harmless", "silent"} if kind in UNKNOWABLE else {"said", "harmless"}
        assert found["verdict"] in allowed, found


def test_there_are_more_classes_that_can_be_known():
    assert set(CLASSES) > UNKNOWABLE
    assert len(set(CLASSES) - UNKNOWABLE) >= 16
