from pathlib import Path

import pytest
from raw_constraints import RawCohort

ROOT = Path(__file__).resolve().parents[2]
EMBEDDED = ROOT / "data" / "cohorts" / "rdmas_reconstructed"


@pytest.fixture(scope="session")
def embedded():
    return RawCohort(EMBEDDED)


@pytest.fixture(scope="session")
def other_folder(tmp_path_factory):
    """A cohort made with another seed; slow, so only slow tests ask for it."""
    from helpers.published.reconstruction.cohort import write_cohort

    folder = tmp_path_factory.mktemp("cohort_of_seed_3")
    write_cohort(folder, seed=3)
    return folder


@pytest.fixture(scope="session", params=["embedded", pytest.param("another seed", marks=pytest.mark.slow)])
def cohort(request):
    """The embedded cohort, and in slow runs one from another seed: both meet every constraint."""
    if request.param == "embedded":
        return request.getfixturevalue("embedded")
    return RawCohort(request.getfixturevalue("other_folder"))
