"""Notebooks in real kernels: few runs, since each kernel takes a second or more to start."""

from __future__ import annotations

import io
import json
from contextlib import closing

import pytest
from rich.console import Console

from helpers.commands.refresh import store_executed
from helpers.kernels.execute import NotebookFailedError, execute_notebook
from helpers.kernels.pool import KernelPool
from helpers.project.paths import CohortPaths
from helpers.run.plan import step_named
from helpers.run.progress import RunProgress
from helpers.run.runner import run
from helpers.run.steps import StepFailedError, execute_step


def test_notebooks_run_in_kernels_and_a_rerun_gives_the_same_bytes(project, tmp_path, monkeypatch) -> None:
    progress = RunProgress(Console(file=io.StringIO()))
    assert run(["small"], progress=progress, workers=2).ok
    first = {path: path.read_bytes() for path in project.results().rglob("*") if path.is_file()}
    statistic = project.results() / "statistics" / "02_second.csv"
    assert statistic.read_text() == "patient_id\nR01\n1\n"
    monkeypatch.setenv("COMPENDIUM_OUTPUT", str(tmp_path / "again"))
    assert run(["small"], progress=progress, workers=2).ok
    again = tmp_path / "again" / "results" / "small"
    assert {path.relative_to(project.results()): content for path, content in first.items()} == {
        path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()
    }

    # Executed with a notebook's own values it is the notebook with its outputs, fit to be stored.
    stored = store_executed("small")
    assert [path.name for path in stored] == ["01_first.ipynb", "02_second.ipynb", "03_third.ipynb"]
    assert store_executed("small") == []
    assert run(["small"], progress=progress).of("executed") == []
    cells = json.loads(stored[1].read_text())["cells"]
    assert [cell.get("execution_count") for cell in cells] == [None, 1, 2]
    assert cells[2]["outputs"] == [{"name": "stdout", "output_type": "stream", "text": ["15 1\n"]}]


@pytest.fixture
def execute(project, tmp_path):
    """Execute a notebook of the given cells; the folder's name has braces, which papermill fills in."""
    folder = tmp_path / "odd {name}"

    def execute(*cells, **parameters):
        source = project.notebook("01_first", *cells)
        target = folder / "results" / "01_first.ipynb"
        failed = folder / "failed" / "01_first.ipynb"
        kernels = KernelPool(None, source.parent, 1, tmp_path / "stages")
        with closing(kernels) as pool, pool.kernel() as kernel:
            execute_notebook(source, target, parameters, failed=failed, kernel=kernel)
        assert list((tmp_path / "stages").iterdir()) == []
        return json.loads(target.read_text())

    execute.folder = folder
    return execute


def test_parameters_are_put_in_after_the_tagged_cell(execute, project) -> None:
    own = project.code('cohort = "small"\ndays = None', "parameters")
    notebook = execute(own, project.code("print(cohort, days)"), cohort="other", days=90)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert ids == ["01-0", "01-1", "injected-parameters", "01-2"]
    assert notebook["cells"][3]["outputs"][0]["text"] == ["other 90\n"]
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert notebook["cells"][3]["metadata"] == {}
    assert not (execute.folder / "failed" / "01_first.ipynb").exists()


def test_a_failing_cell_is_named_as_numbered_in_the_notebook_itself(execute, project) -> None:
    own = project.code("days = None", "parameters")
    count = project.code("count = 0")
    twice = project.code("# a remark\ncount += 1\nif count == 2:\n    raise ValueError('no such\\nvalue')")
    with pytest.raises(NotebookFailedError) as failure:
        execute(own, count, twice, twice, project.code("never = 1"), days=3)
    assert (failure.value.name, failure.value.cell) == ("01_first", 5)
    assert failure.value.reason == "ValueError: no such"
    assert not (execute.folder / "results" / "01_first.ipynb").exists()
    kept = json.loads((execute.folder / "failed" / "01_first.ipynb").read_text())
    assert any(
        output["output_type"] == "error" for cell in kept["cells"] for output in cell.get("outputs", [])
    )


def test_a_failing_cell_is_numbered_alike_without_parameters(execute, project) -> None:
    with pytest.raises(NotebookFailedError, match="01_first, cell 3: NameError"):
        execute(project.code("days = None", "parameters"), project.code("undefined_name"))


def test_a_kernel_that_dies_is_a_failure_like_others(execute, project) -> None:
    with pytest.raises(NotebookFailedError, match=r"01_first: the kernel stopped"):
        execute(project.code("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"))


def test_a_function_step_runs_in_a_process_of_its_own_and_its_last_words_are_reported(project) -> None:
    plan = project.root / "notebooks" / "pipeline.toml"
    step = """
        [numbers]
        call = "shutil:copyfile"
        arguments = {{ src = "{{folder}}/{name}.csv", dst = "{{results}}/copy.csv" }}
        writes = ["copy.csv"]
    """
    paths = CohortPaths.of("small")
    plan.write_text(step.format(name="patients"))
    pool = KernelPool(None, project.root / "notebooks", 1, project.root / ".compendium" / "stages")
    execute_step(step_named("numbers"), paths, {}, pool)
    assert (project.results() / "copy.csv").read_text() == "patient_id\nR01\n"
    plan.write_text(step.format(name="absent"))
    with pytest.raises(StepFailedError, match=r"numbers: FileNotFoundError: .*absent.csv.*numbers.log"):
        execute_step(step_named("numbers"), paths, {}, pool)
    assert (project.results() / "copy.csv").read_text() == "patient_id\nR01\n", "a failure costs nothing"
    log = project.root / ".compendium" / "failed" / "small" / "numbers.log"
    assert "Traceback" in log.read_text()


def test_a_declared_product_that_is_not_written_is_a_failure(project, monkeypatch) -> None:
    def write_nothing(source, target, parameters, *, failed, kernel, told):
        target.write_text("executed")

    monkeypatch.setattr("helpers.kernels.execute.execute_notebook", write_nothing)
    stale = project.results() / "statistics" / "02_second.csv"
    stale.parent.mkdir(parents=True)
    stale.write_text("of an earlier run")
    stages = project.root / ".compendium" / "stages"
    with (
        closing(KernelPool(None, project.root / "notebooks", 1, stages)) as pool,
        pytest.raises(StepFailedError, match=r"02_second did not write statistics/02_second.csv"),
    ):
        execute_step(step_named("02_second"), CohortPaths.of("small"), {}, pool)
    assert stale.read_text() == "of an earlier run"
    assert list(stages.iterdir()) == []


def test_a_product_that_is_not_declared_is_a_failure(project) -> None:
    def run_small():
        return run(["small"], progress=RunProgress(Console(file=io.StringIO())))

    assert run_small().ok
    before = {path: path.read_bytes() for path in project.results().rglob("*.csv")}
    extra = "from helpers.project.paths import CohortPaths\n"
    extra += "(CohortPaths.of(cohort).statistics / 'extra.csv').write_text('1')\nscale = 3"
    path = project.root / "notebooks" / "02_second.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"].insert(2, project.code(extra) | {"id": "02-extra"})
    path.write_text(json.dumps(notebook))
    report = run_small()
    (failed,) = report.of("failed")
    assert failed.step == "02_second"
    assert "results/small/statistics/extra.csv: add it to `writes` of [02_second]" in failed.message
    assert {path: path.read_bytes() for path in project.results().rglob("*.csv")} == before
