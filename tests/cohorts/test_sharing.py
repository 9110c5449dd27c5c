"""A large trial as it may be shared: no suppressed count is determined, and the search finds nothing."""

from __future__ import annotations

import pytest
from command import compendium
from disclosed import determined
from pbc import write_cohort

from helpers.results.store import Statistics


@pytest.fixture(scope="module")
def run(tmp_path_factory, analysed):
    return analysed(write_cohort(tmp_path_factory.mktemp("cohorts") / "pbc"))


@pytest.mark.slow
def test_no_suppressed_count_is_determined(run):
    assert determined(Statistics.read(run.results / "statistics")) == []


@pytest.mark.slow
def test_the_shared_folder_passes_the_search_with_the_cohorts_own_data(run, tmp_path):
    done = compendium("share", run.folder, "--to", tmp_path / "shared", "--output", run.output)
    assert done.returncode == 0, done.stderr
    again = compendium("verify", tmp_path / "shared", "--privacy", "--cohort", run.folder)
    assert again.returncode == 0, again.stderr
