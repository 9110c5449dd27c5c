"""Grids of parameters: notation, names of the combinations, and where their results go."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from helpers.project.paths import CohortPaths, split_variant
from helpers.run.grid import check_grid, combinations, parse_grid, variant_name, variant_values
from helpers.run.outcomes import RunError
from helpers.run.parameters import ParameterError
from helpers.run.progress import RunProgress
from helpers.run.runner import run


def test_values_are_literals_or_text() -> None:
    assert parse_grid(["days=28,56", "rule=weekly_mean, last", "limits=[1,2],[3]", "end=None,90"]) == {
        "days": [28, 56],
        "rule": ["weekly_mean", "last"],
        "limits": [[1, 2], [3]],
        "end": [None, 90],
    }


def test_everything_that_is_no_grid_is_named() -> None:
    with pytest.raises(ParameterError) as refused:
        parse_grid(["days", "1x=3", "cohort=a,b", "a=1", "a=2", "b=3,3", "c="])
    lines = str(refused.value).split("\n")
    assert all(line.startswith("--grid: ") for line in lines)
    assert len(lines) == 6
    assert "--grid: a is given twice: put its values into one list" in lines
    assert "--grid: b: 3 is given twice" in lines


def test_combinations_have_the_same_name_in_whatever_order_they_are_asked_for() -> None:
    names = [name for name, _ in combinations({"days": [28, 56], "confidence": [0.9]})]
    assert names == ["confidence=0.9,days=28", "confidence=0.9,days=56"]
    assert names == [name for name, _ in combinations({"confidence": [0.9], "days": [28, 56]})]
    assert combinations({}) == [("", {})]


def test_values_that_make_no_file_name_are_told_apart() -> None:
    names = [name for name, _ in combinations({"path": ["a/b", "a-b", "a b"], "limits": [[1, 2]]})]
    assert len(set(names)) == 3
    assert all("/" not in name and " " not in name for name in names)
    assert all(split_variant(f"small@{name}") == ("small", name) for name in names)


def test_values_of_the_wrong_kind_and_names_fixed_besides_are_refused() -> None:
    declared = {"02_second": {"cohort": "small", "days": 90}}
    with pytest.raises(ParameterError, match="--grid: unknown parameter 'dyas'; the notebooks know days"):
        check_grid({"dyas": [1]}, {}, declared)
    with pytest.raises(ParameterError, match="--grid: days: found 'x', expected a number"):
        check_grid({"days": [28, "x"]}, {}, declared)
    with pytest.raises(ParameterError, match="--grid: days is given by --param as well"):
        check_grid({"days": [28]}, {"days": 90}, declared)
    check_grid({"days": [28, 56]}, {}, declared)


def test_a_cohort_with_a_variant_has_the_raw_tables_of_the_cohort(project) -> None:
    plain, variant = CohortPaths.of("small"), CohortPaths.of("small@days=28,rule=last")
    assert variant.folder == plain.folder
    assert (variant.name, variant.base) == ("small@days=28,rule=last", "small")
    assert variant.results == plain.results.parent / "small@days=28,rule=last"
    assert variant.figures.name == "small@days=28,rule=last"
    assert plain.filed_as("days=28,rule=last") == variant
    elsewhere = CohortPaths.of(f"{project.cohort('outside', project.root / 'a@b' / 'outside')}@days=28")
    assert (elsewhere.base, elsewhere.folder.parent.name) == ("outside", "a@b")


@pytest.fixture
def go(project, fake_kernels):
    def go(*cohorts: str, **options):
        fake_kernels.clear()
        progress = RunProgress(Console(file=io.StringIO()))
        return run(cohorts or ["small"], progress=progress, workers=2, **options)

    return go


def test_each_combination_is_run_once_and_again_only_when_something_changed(
    go, project, fake_kernels
) -> None:
    assert go(grid={"scale": [2, 3]}).ok
    assert len(fake_kernels) == 6
    for scale in (2, 3):
        folder = project.root / "results" / f"small@scale={scale}"
        text = (folder / "statistics" / "02_second.csv").read_text()
        assert f"'scale': {scale}" in text
        assert f"'cohort': 'small@scale={scale}'" in text
        record = json.loads((folder / "provenance.json").read_text())
        assert record["parameters"]["02_second"] == {"scale": scale}
        assert (project.root / "figures" / f"small@scale={scale}" / "panel.svg").is_file()
    assert not (project.root / "results" / "small").exists()
    assert go(grid={"scale": [3, 2, 4]}).ok
    assert {name.split("/")[0] for name in fake_kernels} == {"small@scale=4"}


def test_a_faulty_cohort_is_reported_once_for_all_combinations(go, fake_kernels, monkeypatch) -> None:
    from helpers.problems import Problem

    problem = Problem("patients.csv", 3, "sex", "'x'", "female or male", "correct it")
    monkeypatch.setattr("helpers.run.checking.cohort_problems", lambda _: [problem])
    assert go(grid={"scale": [2, 3]}).refused == {"small": str(problem)}
    assert fake_kernels == []


def test_a_combination_is_run_by_its_name_too(go, project, fake_kernels) -> None:
    assert go("small@scale=2").ok
    assert {name.split("/")[0] for name in fake_kernels} == {"small@scale=2"}
    fake_kernels.clear()
    assert go("small", "small@scale=2", "small@scale=3").ok
    assert {name.split("/")[0] for name in fake_kernels} == {"small", "small@scale=3"}
    fake_kernels.clear()
    assert go(grid={"scale": [2, 3]}).ok
    assert fake_kernels == []


def test_the_name_of_a_combination_says_its_parameters_alone(go) -> None:
    with pytest.raises(RunError, match=r"small@scale=2 says its parameters: leave --param and --grid out"):
        go("small@scale=2", parameters={"scale": 3})
    with pytest.raises(ParameterError, match=r"@horizon_days=abc: unknown parameter 'horizon_days'"):
        go("small@horizon_days=abc")
    with pytest.raises(ParameterError, match=r"@parameters=0123456789ab does not say its parameters"):
        go("small@parameters=0123456789ab")


def test_a_name_and_its_values_are_each_other_s_reverse() -> None:
    for values in ({"horizon_days": 28}, {"confidence": 0.9, "seed": 1}, {"scale": -2.5}):
        assert variant_values(variant_name(values)) == values
