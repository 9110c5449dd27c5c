from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from helpers.commands.cli import app
from helpers.problems import Problem


@pytest.fixture
def compendium(project):
    """Call the command in this process; the answer has `exit_code`, `stdout` and `stderr`."""

    def call(*arguments: str):
        return CliRunner().invoke(app, list(arguments))

    return call


@pytest.fixture
def faulty(monkeypatch):
    """The check finds an error in every cohort but `small`, and a warning in that."""
    error = Problem("patients.csv", 3, "sex", "'x'", "female or male", "correct it")
    warning = Problem("events.csv", 2, "grade", "6", "1 to 5", "it is left out", severity="warning")

    def check(paths):
        return [warning] if paths.name == "small" else [error, warning]

    monkeypatch.setattr("helpers.run.checking.cohort_problems", check)


def test_run_says_what_it_did_and_leaves_with_zero(compendium, fake_kernels) -> None:
    first, second = compendium("run", "small"), compendium("run", "small")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "small: 02_second done" in first.stdout
    assert "3 steps: 3 executed" in first.stdout
    assert second.stdout.strip() == "3 steps: 3 unchanged"


def test_run_hands_on_parameters_and_output(compendium, fake_kernels, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("COMPENDIUM_OUTPUT", str(tmp_path / "overridden"))
    out = tmp_path / "out"
    assert compendium("run", "small", "--param", "scale=4", "--output", str(out)).exit_code == 0
    assert "'scale': 4}" in (out / "results" / "small@scale=4" / "statistics" / "02_second.csv").read_text()
    assert not (tmp_path / "overridden").exists()


def test_run_refuses_unknown_parameters_in_one_line(compendium, fake_kernels) -> None:
    answer = compendium("run", "small", "--param", "sclae=4", "--param", "scale")
    assert answer.exit_code == 1
    assert answer.stderr == "--param: found 'scale', expected NAME=VALUE, for example horizon_days=90\n"
    answer = compendium("run", "small", "--param", "sclae=4")
    assert answer.stderr == "--param: unknown parameter 'sclae'; the notebooks know scale\n"
    assert fake_kernels == []


def test_run_names_the_failed_notebook_on_standard_error(compendium, monkeypatch) -> None:
    from helpers.kernels.execute import NotebookFailedError

    def execute_step(step, paths, parameters, pool):
        raise NotebookFailedError(step.name, 4, "ValueError: no such value", "value = table.loc['x']")

    monkeypatch.setattr("helpers.run.steps.execute_step", execute_step)
    answer = compendium("run", "small")
    assert answer.exit_code == 1
    assert "small: 01_first, cell 4: ValueError: no such value [value = table.loc['x']]" in answer.stderr
    assert "small: 03_third was not run" in answer.stderr
    assert "Traceback" not in answer.stdout + answer.stderr


def test_run_reports_a_faulty_cohort_and_goes_on_with_the_other(
    compendium, project, faulty, fake_kernels
) -> None:
    project.cohort("second")
    answer = compendium("run", "second", "small")
    assert answer.exit_code == 1
    assert "patients.csv:3 sex: found 'x', expected female or male; correct it" in answer.stderr
    assert {name.split("/")[0] for name in fake_kernels} == {"small"}


def test_check_lists_every_problem_and_counts(compendium, project, faulty) -> None:
    project.cohort("second")
    answer = compendium("check", "small")
    assert (answer.exit_code, answer.stdout) == (0, "data/cohorts/small: 0 errors, 1 warning\n")
    answer = compendium("check", "small", "second", "absent")
    assert answer.exit_code == 1
    assert "data/cohorts/second: 1 error, 1 warning" in answer.stdout
    assert "patients.csv:3 sex: found 'x'" in answer.stderr
    assert "No cohort 'absent'" in answer.stderr


@pytest.mark.parametrize("command", ["run", "check", "lab", "refresh", "export"])
def test_help_describes_every_command(compendium, command) -> None:
    answer = compendium(command, "--help")
    assert answer.exit_code == 0
    assert f"compendium {command}" in answer.stdout
    assert command in compendium("--help").stdout


def test_starting_loads_no_heavy_library() -> None:
    code = (
        "import sys, helpers.commands.cli; "
        "print(sorted({'pandas', 'numpy', 'pytask', 'papermill', 'nbformat'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
