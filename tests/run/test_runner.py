"""What is run again and what is not; kernels are stood in for, so that a run takes a moment."""

from __future__ import annotations

import io
import json
import re
import threading
from contextlib import nullcontext

import pytest
from rich.console import Console

from helpers.project.paths import ProjectError
from helpers.run.executor import LocalExecutor
from helpers.run.outcomes import RunError
from helpers.run.parameters import ParameterError
from helpers.run.progress import RunProgress, tell
from helpers.run.runner import run

ALL = ["small/01_first", "small/02_second", "small/03_third"]


@pytest.fixture
def go(project, fake_kernels):
    """Run and return the steps carried out, in alphabetical order."""

    def go(*cohorts: str, **options) -> list[str]:
        fake_kernels.clear()
        go.report = run(cohorts or ["small"], progress=RunProgress(Console(file=io.StringIO())), **options)
        return sorted(fake_kernels)

    return go


def statuses(report) -> dict[str, str]:
    return {outcome.step: outcome.status for outcome in report.outcomes}


def test_first_run_carries_out_every_step_in_order(go, fake_kernels) -> None:
    assert go() == ALL
    assert fake_kernels[0] == "small/01_first"
    assert go.report.ok
    assert set(statuses(go.report).values()) == {"executed"}


def test_second_run_carries_out_nothing(go) -> None:
    go()
    assert go() == []
    assert set(statuses(go.report).values()) == {"unchanged"}
    assert go.report.ok


def test_a_finished_cohort_is_not_asked_step_by_step_and_the_others_are(go, project, monkeypatch) -> None:
    from helpers.run import runner

    project.cohort("other")
    go("small")
    asked = []
    schedule = runner.Schedule

    def noting(steps, jobs, **options):
        asked.extend(job.paths.name for job in jobs)
        return schedule(steps, jobs, **options)

    monkeypatch.setattr(runner, "Schedule", noting)
    assert go("small", "other") == [step.replace("small", "other") for step in ALL]
    assert asked == ["other"]
    assert [outcome.status for outcome in go.report.outcomes].count("unchanged") == len(ALL)


def test_a_lost_provenance_record_is_written_again(go, project) -> None:
    go()
    record = project.results() / "provenance.json"
    before = record.read_text()
    record.unlink()
    assert go() == []
    assert record.read_text() == before


def test_an_edit_made_while_steps_run_is_seen_by_the_next_run(go, project, monkeypatch) -> None:
    from helpers.run import steps

    raw = project.root / "data" / "cohorts" / "small" / "measurements.csv"
    execute_step = steps.execute_step

    def editing(step, paths, parameters, pool):
        execute_step(step, paths, parameters, pool)
        if step.name == "03_third":
            raw.write_text("patient_id,value\nR01,7\n")

    monkeypatch.setattr(steps, "execute_step", editing)
    go()
    monkeypatch.setattr(steps, "execute_step", execute_step)
    assert go() == ["small/01_first", "small/03_third"]


def test_an_edited_value_reaches_only_what_reads_its_table(go, project) -> None:
    go()
    raw = project.root / "data" / "cohorts" / "small" / "measurements.csv"
    raw.write_text("patient_id,value\nR01,6\n")
    assert go() == ["small/01_first", "small/03_third"]
    assert go() == []


def test_a_touched_file_of_the_same_content_causes_nothing(go, project) -> None:
    go()
    raw = project.root / "data" / "cohorts" / "small" / "measurements.csv"
    raw.write_text(raw.read_text())
    (project.root / "uv.lock").touch()
    assert go() == []


@pytest.mark.parametrize("shared", ["uv.lock", "data/cohorts/small/cohort.toml"])
def test_what_every_step_depends_on_reaches_every_step(go, project, shared) -> None:
    go()
    with (project.root / shared).open("a") as file:
        file.write("# changed\n")
    assert go() == ALL


def test_a_new_raw_table_reaches_every_step_even_if_it_is_empty(go, project) -> None:
    go()
    (project.root / "data" / "cohorts" / "small" / "events.csv").write_text("")
    assert go() == ALL


def test_an_edited_notebook_is_run_again_alone_and_stored_outputs_are_no_edit(go, project) -> None:
    go()
    path = project.root / "notebooks" / "02_second.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "stored"}]
    path.write_text(json.dumps(notebook))
    assert go() == []
    notebook["cells"][2]["source"] += "\n# another line"
    path.write_text(json.dumps(notebook))
    assert go() == ["small/02_second"]


def test_edited_source_of_the_package_reaches_the_notebooks_that_import_it(go, project, monkeypatch) -> None:
    second = project.root / "notebooks" / "02_second.ipynb"
    notebook = json.loads(second.read_text())
    notebook["cells"][2]["source"] = "from helpers.results import format\n" + notebook["cells"][2]["source"]
    second.write_text(json.dumps(notebook))
    go()
    from helpers.project import sources
    from helpers.run import code_digests

    unedited = sources._file_digest

    def edited(path):
        return "edited" if path.name == "format.py" else unedited(path)

    monkeypatch.setattr(sources, "_file_digest", edited)
    assert go() == [], "what this process has found out is not asked again"
    monkeypatch.setattr(code_digests, "_package", lambda: "edited")
    code_digests._known.cache_clear()
    assert go() == ["small/02_second"]
    code_digests._known.cache_clear()


def test_another_value_of_a_parameter_has_results_of_its_own(go, project) -> None:
    go()
    before = {path: path.read_bytes() for path in project.results().rglob("*") if path.is_file()}
    assert go(parameters={"scale": 2}) == [step.replace("small", "small@scale=2") for step in ALL]
    assert go(parameters={"scale": 2}) == []
    assert go() == []
    assert {path: path.read_bytes() for path in project.results().rglob("*") if path.is_file()} == before


def test_a_lost_or_altered_product_is_made_again(go, project) -> None:
    go()
    (project.root / "figures" / "small" / "panel.svg").unlink()
    assert go() == ["small/03_third"]
    (project.results() / "data" / "patients.parquet").write_text("tampered with")
    assert go() == ["small/01_first"]


def test_force_runs_everything(go) -> None:
    go()
    assert go(force=True) == ALL


def test_unknown_parameter_is_refused_before_anything_runs(go, fake_kernels, project) -> None:
    with pytest.raises(ParameterError, match="unknown parameter 'scael'"):
        go(parameters={"scael": 2})
    assert fake_kernels == []
    assert not (project.root / "results").exists()


def test_unknown_cohort_is_refused_before_anything_runs(go, fake_kernels) -> None:
    with pytest.raises(ProjectError, match="No cohort 'smal'"):
        go("small", "smal")
    assert fake_kernels == []


def test_cohorts_keep_their_results_apart(go, project) -> None:
    project.cohort("second")
    assert len(go("small", "second")) == 6
    assert go("second") == []
    assert go("small") == []
    raw = project.root / "data" / "cohorts" / "second" / "patients.csv"
    raw.write_text("patient_id\nR02\n")
    assert go("small", "second") == ["second/01_first", "second/02_second"]


def test_a_cohort_that_fails_the_check_is_reported_and_the_others_go_on(go, project, monkeypatch) -> None:
    from helpers.problems import Problem

    project.cohort("faulty")
    problem = Problem("patients.csv", 3, "sex", "'x'", "female or male", "correct it")

    def check(paths):
        return [problem] if paths.name == "faulty" else []

    monkeypatch.setattr("helpers.run.checking.cohort_problems", check)
    assert go("faulty", "small") == ALL
    assert not go.report.ok
    assert go.report.refused == {"faulty": str(problem)}
    errors = io.StringIO()
    tell(go.report, RunProgress(Console(file=io.StringIO())), Console(file=errors))
    assert "faulty was not analysed" in errors.getvalue()
    assert "patients.csv:3 sex: found 'x', expected female or male; correct it" in errors.getvalue()


def test_warnings_do_not_stop_a_cohort(go, monkeypatch) -> None:
    from helpers.problems import Problem

    warning = Problem("patients.csv", 3, "sex", "'x'", "y", "z", severity="warning")
    monkeypatch.setattr("helpers.run.checking.cohort_problems", lambda _: [warning])
    assert go() == ALL


def test_a_cohort_is_checked_again_only_after_a_change(go, project, monkeypatch) -> None:
    checked = []

    def check(paths):
        checked.append(paths.name)
        return []

    monkeypatch.setattr("helpers.run.checking.cohort_problems", check)
    go()
    go()
    assert checked == ["small"]
    (project.root / "data" / "cohorts" / "small" / "patients.csv").write_text("patient_id\nR03\n")
    go()
    assert checked == ["small", "small"]


def test_a_failure_blocks_what_needs_it_and_nothing_else(go, project, monkeypatch) -> None:
    (project.root / "notebooks" / "pipeline.toml").write_text(
        """
        [01_first]
        writes = ["data/patients.parquet"]
        [02_second]
        reads = ["data/patients.parquet"]
        writes = ["statistics/02_second.csv"]
        [03_third]
        writes = ["statistics/03_third.csv"]
        """
    )
    broken = True

    def execute_step(step, paths, parameters, pool):
        if step.name == "01_first" and broken:
            raise RuntimeError("01_first, cell 3: ValueError: no")
        for declared in step.writes:
            (paths.results / declared).parent.mkdir(parents=True, exist_ok=True)
            (paths.results / declared).write_text(step.name)

    monkeypatch.setattr("helpers.run.steps.execute_step", execute_step)
    go()
    assert statuses(go.report) == {"01_first": "failed", "02_second": "blocked", "03_third": "executed"}
    assert not go.report.ok
    record = json.loads((project.results() / "provenance.json").read_text())
    assert (record["complete"], record["missing_steps"]) == (False, ["01_first", "02_second"])
    errors = io.StringIO()
    tell(go.report, RunProgress(Console(file=io.StringIO())), Console(file=errors))
    assert "small: 01_first, cell 3: ValueError: no" in errors.getvalue()
    assert "small: 02_second was not run: a step that it needs failed" in errors.getvalue()
    broken = False
    go()
    assert statuses(go.report) == {"01_first": "executed", "02_second": "executed", "03_third": "unchanged"}
    assert json.loads((project.results() / "provenance.json").read_text())["complete"] is True


class NotingExecutor(LocalExecutor):
    """Notes what it is told, and stands in for kernels."""

    def __init__(self) -> None:
        super().__init__(1, None)
        self.told: list[int] = []

    def expect(self, notebooks: int) -> None:
        self.told.append(notebooks)


def test_who_executes_steps_is_told_how_many_notebooks_follow(go) -> None:
    executor = NotingExecutor()
    assert go(executor=nullcontext(executor)) == ALL
    first_waits, first_begun, both_others_wait, *_, last_begun = executor.told
    assert (first_waits, first_begun, both_others_wait, last_begun) == (1, 2, 2, 0)


CHAINS = """
[00_alone]
reads = ["cohort/*.csv"]
writes = ["statistics/00_alone.csv", "tables/alone.csv"]

[01_first]
reads = ["cohort/*.csv"]
writes = ["data/patients.parquet"]

[02_second]
reads = ["data/patients.parquet"]
writes = ["statistics/02_second.csv"]

[03_third]
reads = ["statistics/02_second.csv"]
writes = ["statistics/03_third.csv"]
"""


def test_what_starts_the_longest_chain_is_begun_first_also_if_others_wait_already(
    go, project, fake_kernels
) -> None:
    (project.root / "notebooks" / "pipeline.toml").write_text(CHAINS, encoding="utf-8")
    project.notebook("00_alone", project.code('cohort = "small"', "parameters"))
    go(workers=1)
    # "Alone" came before the second; the third starts no longer chain than "alone".
    assert fake_kernels == [f"small/{name}" for name in ("01_first", "02_second", "00_alone", "03_third")]


def test_the_libraries_are_loaded_at_once_where_much_is_to_be_done(go, project, monkeypatch) -> None:
    from helpers.run import runner

    told: list[bool] = []
    local = runner.local_executor

    def noting(workers, *, much_to_do):
        told.append(much_to_do)
        return local(workers, much_to_do=much_to_do)

    monkeypatch.setattr(runner, "local_executor", noting)
    go()  # nothing is there
    go()
    project.notebook("02_second", project.code("cohort = 'small'", "parameters"), project.code("1"))
    go()  # one notebook
    (project.root / "data" / "cohorts" / "small" / "patients.csv").write_text("patient_id\nR02\n")
    go()  # other data
    go(force=True)
    assert told == [True, False, False, True, True]


class InterruptedExecutor(NotingExecutor):
    """Is interrupted once a step is under way, whose kernel ends only when asked a second time."""

    def __init__(self, interrupt) -> None:
        super().__init__()
        self.interrupt = interrupt
        self.ended = threading.Event()
        self.begun: list[str] = []
        self.asked = 0

    def execute(self, step, paths, values) -> None:  # noqa: ARG002
        self.begun.append(paths.name)
        self.interrupt()
        assert self.ended.wait(30)
        raise RuntimeError("the kernel was stopped")

    def stop(self) -> None:
        self.asked += 1
        if self.asked == 2:
            self.ended.set()


def test_an_interrupt_also_ends_a_kernel_that_was_only_starting(go, project, ctrl_c) -> None:
    project.cohort("other")
    executor = InterruptedExecutor(ctrl_c)
    go("small", "other", executor=nullcontext(executor))
    assert executor.ended.is_set()
    assert executor.begun == ["other"], "what no thread has begun is dropped"
    assert go.report.interrupted
    assert not go.report.ok
    assert set(go("small", "other")) == {*ALL, *(step.replace("small", "other") for step in ALL)}


def test_a_cohort_folder_elsewhere_gives_results_under_its_name(go, project, tmp_path) -> None:
    folder = project.cohort("outside", tmp_path / "files" / "outside")
    assert go(str(folder)) == [step.replace("small", "outside") for step in ALL]
    assert (project.results("outside") / "statistics" / "02_second.csv").is_file()


def test_two_cohorts_of_one_name_are_refused(go, project, tmp_path) -> None:
    other = project.cohort("small", tmp_path / "files" / "small")
    with pytest.raises(RunError, match="Two cohorts are called 'small'"):
        go("small", str(other))
    with pytest.raises(RunError, match="Two cohorts are called 'small'"):
        go(str(other))


def test_a_namesake_may_be_run_into_another_folder(go, project, monkeypatch, tmp_path) -> None:
    other = project.cohort("small", tmp_path / "files" / "small")
    monkeypatch.setenv("COMPENDIUM_OUTPUT", str(tmp_path / "output"))
    assert go(str(other)) == ALL
    assert (tmp_path / "output" / "results" / "small" / "provenance.json").is_file()
    assert not (project.root / "results").exists()


def test_a_second_run_into_the_same_folder_waits_for_nobody(go, project) -> None:
    fcntl = pytest.importorskip("fcntl")
    go()
    with (project.root / ".compendium" / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(RunError, match="Another run is writing"):
            go()


def test_a_run_leaves_environment_and_import_path_as_they_were(go) -> None:
    import os
    import sys

    before = dict(os.environ), list(sys.path)
    go()
    assert (dict(os.environ), sys.path) == before


class TestProvenance:
    def test_same_inputs_give_the_same_bytes(self, go, project) -> None:
        go()
        record = (project.results() / "provenance.json").read_bytes()
        go(force=True)
        assert (project.results() / "provenance.json").read_bytes() == record

    def test_holds_hashes_relative_paths_and_parameters(self, go, project, tmp_path) -> None:
        go(parameters={"scale": 3})
        text = (project.results("small@scale=3") / "provenance.json").read_text()
        record = json.loads(text)
        assert str(tmp_path) not in text
        assert set(record["raw_data"]) == {"cohort.toml", "measurements.csv", "patients.csv"}
        words = {path for path in record["project_files"] if path.startswith("src/helpers/vocabulary/")}
        assert len(words) >= 5  # the package's words, wherever the package lies
        assert set(record["project_files"]) - words == {"uv.lock", "notebooks/pipeline.toml"}
        assert record["parameters"]["02_second"] == {"scale": 3}
        assert "figures/panel.svg" in record["products"]
        assert "data/events.parquet" not in record["products"]
        assert all(re.fullmatch("[0-9a-f]{64}", value) for value in record["products"].values())

    def test_hashes_are_those_that_sha256sum_prints(self, go, project) -> None:
        import hashlib

        go()
        record = json.loads((project.results() / "provenance.json").read_text())
        raw = (project.root / "data" / "cohorts" / "small" / "patients.csv").read_bytes()
        assert record["raw_data"]["patients.csv"] == hashlib.sha256(raw).hexdigest()
