"""What is told of results without running; kernels are stood in for."""

from __future__ import annotations

import json
import shutil

import pytest
from typer.testing import CliRunner

from helpers.commands.cli import app
from helpers.project.paths import CohortPaths, ProjectError
from helpers.run.plan import load_plan, locate
from helpers.run.status import StaleResultsError, cohort_status, remembered, require_current


def run(*arguments: str) -> None:
    done = CliRunner().invoke(app, ["run", *arguments])
    assert done.exit_code == 0, done.output


def told(*arguments: str, status: int) -> str:
    done = CliRunner().invoke(app, ["status", *arguments])
    assert done.exit_code == status, done.output
    return done.output


def test_cohorts_elsewhere_and_combinations_are_known_by_the_names_of_their_results(
    project, fake_kernels, tmp_path
) -> None:
    elsewhere = project.cohort("far", tmp_path / "hospital" / "far")
    run(str(elsewhere), "small")
    run(str(elsewhere), "--grid", "scale=2")
    text = told(status=0)
    assert [line.split(":")[0] for line in text.splitlines()] == ["far", "far@scale=2", "small"]
    assert told("far", "far@scale=2", str(elsewhere), status=0).count("3 of 3 steps up to date") == 3
    assert remembered("far@scale=2") == CohortPaths.of(f"{elsewhere}@scale=2")
    (elsewhere / "patients.csv").write_text("patient_id\nR09\n")
    assert "01_first: stale (a raw table changed)" in told("far@scale=2", status=1)
    shutil.rmtree(elsewhere)
    text = told(status=1)
    assert "far: No cohort" in text
    assert "small: 3 of 3 steps up to date" in text
    with pytest.raises(ProjectError):
        remembered("unheard_of")


def test_every_raw_file_parameter_source_and_product_is_seen(project, fake_kernels) -> None:
    run("small")
    paths = CohortPaths.of("small")
    assert cohort_status(paths).current
    sources = [paths.folder / "patients.csv", paths.folder / "cohort.toml", project.root / "uv.lock"]
    products = [locate(path, paths) for step in load_plan() for path in step.writes]
    for file in [*sources, *(file for file in products if file.is_file())]:
        content = file.read_bytes()
        edited = content.replace(b'"title"', b'"Title"') if file.suffix == ".ipynb" else content + b"\n"
        file.write_bytes(edited + b"\n")
        assert not cohort_status(paths).current, file
        file.write_bytes(content)
        assert cohort_status(paths).current, file


def test_results_of_which_nothing_is_known_are_stale_and_none_are_missing(project, fake_kernels) -> None:
    assert "01_first: missing" in told("small", status=1)
    run("small")
    (project.root / ".compendium" / "state" / "small.json").unlink()
    text = told("small", status=1)
    assert "01_first: stale (nothing is known of how they were made)" in text
    assert "missing" not in text


def test_a_run_stopped_while_it_replaced_files_is_told_and_nobody_is_accused(project, fake_kernels) -> None:
    run("small")
    statistic = project.results() / "statistics" / "02_second.csv"
    stage = project.root / ".compendium" / "stages" / "left"
    stage.mkdir(parents=True)
    (stage / "moves.json").write_text(
        json.dumps({"moves": [[str(stage / "new.csv"), str(statistic)]], "gone": []})
    )
    (stage / "new.csv").write_text("new")
    assert "02_second: stale (a run was stopped while it replaced them)" in told("small", status=1)
    run("small")
    assert not stage.exists()
    assert statistic.read_text() != "new", "the step was not known to have ended, so it was executed again"
    assert told("small", status=0)


def test_the_remedy_names_what_the_run_is_to_be_told(project, fake_kernels, tmp_path) -> None:
    elsewhere = project.cohort("far", tmp_path / "far")
    run(str(elsewhere), "--param", "scale=2")
    paths = CohortPaths.of(f"{elsewhere}@scale=2")
    locate("data/patients.parquet", paths).write_text("edited")
    with pytest.raises(StaleResultsError, match=f"compendium run {elsewhere}@scale=2") as error:
        require_current(paths, "statistics/02_second.csv")
    command = str(error.value).rpartition("compendium ")[2].split()
    assert CliRunner().invoke(app, command).exit_code == 0
    require_current(paths, "statistics/02_second.csv")


def test_a_refused_cohort_is_counted_and_its_results_are_called_stale(
    project, fake_kernels, monkeypatch
) -> None:
    from helpers.problems import Problem

    project.cohort("other")
    run("small")
    problem = Problem("patients.csv", 3, "sex", "'x'", "female or male", "correct it")
    (CohortPaths.of("small").folder / "patients.csv").write_text("patient_id\nx\n")
    monkeypatch.setattr(
        "helpers.run.checking.cohort_problems", lambda paths: [problem] if paths.name == "small" else []
    )
    done = CliRunner().invoke(app, ["run", "small", "other"])
    assert done.exit_code == 1
    assert "3 steps: 3 executed; 1 cohort refused" in done.output
    assert "small: what 01_first, 02_second, 03_third wrote earlier is stale" in done.output
    assert "01_first: stale" in told("small", status=1)
