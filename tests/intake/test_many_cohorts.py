"""A batch of which some cohorts are broken, killed midway and taken up again; see `many_cohorts.py`."""

from __future__ import annotations

import pytest
from many_cohorts import BREAKS, campaign, make_cohorts

from helpers.cohort.check import check_cohort
from helpers.problems import errors


def test_each_break_is_another_and_the_others_are_sound(tmp_path):
    expected = make_cohorts(tmp_path / "cohorts", 9, len(BREAKS), 4)
    assert len(expected) == 7
    for folder in sorted((tmp_path / "cohorts").iterdir()):
        found = errors(check_cohort(folder))
        assert bool(found) == (folder.name in expected), (folder.name, list(map(str, found)))


@pytest.mark.slow
def test_a_batch_names_the_broken_and_takes_up_what_a_kill_left(tmp_path):
    assert campaign(tmp_path, number=6, broken=2, each=5, workers=2) == []
