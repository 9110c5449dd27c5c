"""The embedded cohort, and two made from it by taking something away, opened for exploring."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from made import NAMES, cohort_folder

from helpers.explore.study import Study, open_study


@pytest.fixture(scope="session", autouse=True)
def output(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("output")
    former = os.environ.get("COMPENDIUM_OUTPUT")
    os.environ["COMPENDIUM_OUTPUT"] = str(folder)
    yield folder
    if former is None:
        del os.environ["COMPENDIUM_OUTPUT"]
    else:
        os.environ["COMPENDIUM_OUTPUT"] = former


@pytest.fixture(scope="session")
def study() -> Study:
    return open_study("rdmas_reconstructed")


@pytest.fixture(scope="session", params=NAMES)
def any_study(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(cohort_folder(request.param, tmp_path_factory.mktemp(request.param)))
