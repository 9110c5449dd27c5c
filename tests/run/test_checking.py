"""Criteria that a cohort names are checked before anything runs."""

import shutil

import pytest

from helpers.project.paths import cohort_folder
from helpers.run.checking import criteria_problems


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(cohort_folder("rdmas_reconstructed"), tmp_path / "cohort")


def change(folder, old, new):
    file = folder / "cohort.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_the_embedded_cohort_names_usable_criteria(folder):
    assert criteria_problems(folder) == []


def test_misspelt_criteria_are_all_listed_with_the_closest_name(folder):
    change(folder, '"hscore", "eular', '"hscor", "eular')
    change(folder, 'response = "paper"', 'response = "nothing_like_it"')
    problems = criteria_problems(folder)
    assert [(p.column, p.found) for p in problems] == [
        ("criteria.diagnosis", "'hscor'"),
        ("criteria.response", "'nothing_like_it'"),
    ]
    assert "'hscore'" in problems[0].remedy


@pytest.mark.parametrize("text", ["not TOML at all [", 'kind = "criteria"\nname = "ours"\n'])
def test_a_faulty_file_of_the_site_is_a_problem_and_no_traceback(folder, text):
    (folder / "criteria").mkdir()
    (folder / "criteria" / "ours.toml").write_text(text, encoding="utf-8")
    problems = criteria_problems(folder)
    assert problems
    assert {problem.file for problem in problems} == {"criteria/ours.toml"}


def test_without_a_configuration_there_is_nothing_to_look_up(tmp_path):
    assert criteria_problems(tmp_path) == []
