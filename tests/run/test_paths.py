from __future__ import annotations

from pathlib import Path

import pytest

from helpers.project.paths import (
    CohortPaths,
    ProjectError,
    cohort_folder,
    cohort_name,
    output_root,
    project_root,
    shown,
)

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("COMPENDIUM_PROJECT", "COMPENDIUM_OUTPUT"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize("folder", [".", "notebooks", "src/helpers/stats"])
def test_root_is_found_from_any_folder_of_the_project(plain, folder) -> None:
    plain.chdir(CHECKOUT / folder)
    assert project_root() == CHECKOUT


def test_root_is_the_checkout_of_the_package_when_started_elsewhere(plain, tmp_path) -> None:
    plain.chdir(tmp_path)
    assert project_root() == CHECKOUT


def test_nearest_project_wins_and_foreign_projects_are_passed_over(plain, tmp_path) -> None:
    foreign = tmp_path / "compendium" / "foreign"
    foreign.mkdir(parents=True)
    (foreign / "pyproject.toml").write_text('[project]\nname = "other"\n')
    (tmp_path / "compendium" / "pyproject.toml").write_text('[project]\nname = "rdmas-compendium"\n')
    plain.chdir(foreign)
    assert project_root() == tmp_path / "compendium"


def test_environment_variable_names_the_project(plain, tmp_path) -> None:
    plain.setenv("COMPENDIUM_PROJECT", str(tmp_path))
    assert project_root() == tmp_path
    plain.setenv("COMPENDIUM_PROJECT", str(tmp_path / "missing"))
    with pytest.raises(ProjectError, match=r"COMPENDIUM_PROJECT names .*missing"):
        project_root()


def test_output_goes_to_the_project_or_where_the_variable_says(project, monkeypatch, tmp_path) -> None:
    assert output_root() == project.root
    monkeypatch.setenv("COMPENDIUM_OUTPUT", str(tmp_path / "elsewhere"))
    assert CohortPaths.of("small").results == tmp_path / "elsewhere" / "results" / "small"
    monkeypatch.setenv("COMPENDIUM_OUTPUT", "inside")
    assert CohortPaths.of("small").figures == project.root / "inside" / "figures" / "small"


def test_cohort_is_found_by_name_by_path_and_from_the_notebooks_folder(
    project, monkeypatch, tmp_path
) -> None:
    outside = project.cohort("outside", tmp_path / "files" / "outside")
    monkeypatch.chdir(project.root / "notebooks")
    assert cohort_folder("small") == project.root / "data" / "cohorts" / "small"
    assert cohort_folder("data/cohorts/small") == project.root / "data" / "cohorts" / "small"
    assert cohort_folder("../data/cohorts/small/") == project.root / "data" / "cohorts" / "small"
    assert cohort_folder(outside) == outside
    assert cohort_name(outside) == "outside"


def test_a_cohort_beside_its_outputs_is_found_as_it_is_told(project, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("COMPENDIUM_OUTPUT", str(tmp_path / "out"))
    folder = tmp_path / "out" / "raw" / "centre_a"
    folder.mkdir(parents=True)
    assert shown(folder) == "raw/centre_a"
    assert cohort_folder("raw/centre_a") == folder


@pytest.mark.parametrize("wrong", ["smal", "", "data/nowhere", "notebooks/pipeline.toml"])
def test_unknown_cohort_is_refused_with_the_known_names(project, wrong) -> None:
    with pytest.raises(ProjectError, match="Known names: small"):
        cohort_folder(wrong)


def test_cohort_folder_with_a_name_unfit_for_files_is_refused(project, tmp_path) -> None:
    folder = project.cohort("x", tmp_path / "my cohort (new)")
    with pytest.raises(ProjectError, match="Rename it"):
        cohort_name(folder)


def test_paths_are_told_without_the_folders_of_one_machine(project, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("COMPENDIUM_OUTPUT", str(tmp_path / "output"))
    assert shown(project.root / "data" / "cohorts" / "small") == "data/cohorts/small"
    assert shown(tmp_path / "output" / "results" / "small") == "results/small"
    assert shown(tmp_path / "other") == (tmp_path / "other").as_posix()
