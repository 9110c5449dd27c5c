"""The embedded cohort, and two made from it by taking something away, opened for exploring."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from made import NAMES, cohort_folder

from helpers.explore.study import Study, open_study


@pytest.fixture(scope="session", autouse=True)
def output(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("output")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("COMPENDIUM_OUTPUT", str(folder))
        yield folder


@pytest.fixture(scope="session")
def study() -> Study:
    return open_study("rdmas_reconstructed")


@pytest.fixture(scope="session", params=NAMES)
def any_study(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(cohort_folder(request.param, tmp_path_factory.mktemp(request.param)))
