"""The same steps on a Dask cluster: a real scheduler and real workers on the loopback interface."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from helpers.cluster.client import cluster_executor
from helpers.cluster.settings import ClusterChoice, ClusterError, slurm_settings
from helpers.project.paths import CohortPaths
from helpers.run.outcomes import RunReport
from helpers.run.progress import RunProgress
from helpers.run.runner import run

distributed = pytest.importorskip("distributed")

PATIENCE = 600.0  # seconds; everything below takes a few of them on a free machine


class LoopbackCluster:
    """A scheduler and workers, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "scheduler.json"
        self.log = (folder / "log").open("w")
        options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(self.file))
        self.scheduler = self._dask("scheduler", *options)
        await_true(self.file.exists)
        self.client = distributed.Client(scheduler_file=str(self.file), set_as_default=False)
        self.address = self.client.scheduler.address
        self.workers: list[subprocess.Popen] = []

    def _dask(self, *arguments: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments], stdout=self.log, stderr=subprocess.STDOUT
        )

    def have(self, number: int, nthreads: int = 1) -> None:
        """Start or end workers until there are so many."""
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        for worker in self.workers[number:]:
            worker.terminate()
            worker.wait()
        for _ in range(number - len(self.workers)):
            options = ("--nthreads", str(nthreads), "--no-nanny", "--no-dashboard")
            self.workers.append(self._dask("worker", self.address, *options))
        await_true(lambda: len(self.client.scheduler_info(n_workers=-1)["workers"]) == number)

    def close(self) -> None:
        self.client.close()
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
        self.log.close()


def await_true(condition) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def loopback(tmp_path_factory) -> Iterator[LoopbackCluster]:
    cluster = LoopbackCluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.close()


@pytest.fixture
def go(project, loopback, monkeypatch, tmp_path):
    """Run into a folder of this name, on so many workers (None: here); `go.said` is what the run told."""

    def go(output: str, on: int | None, *cohorts: str, **options) -> RunReport:
        monkeypatch.setenv("COMPENDIUM_OUTPUT", str(tmp_path / output))
        if on is not None:
            loopback.have(on)
        account = io.StringIO()
        progress = RunProgress(Console(file=account))
        workers = options.pop("workers", None)
        executor = None if on is None else on_cluster(loopback.address, workers, progress.say)
        report = run(cohorts or ["small"], progress=progress, workers=workers, executor=executor, **options)
        go.said = account.getvalue()
        return report

    return go


def silent() -> RunProgress:
    return RunProgress(Console(file=io.StringIO()))


def on_cluster(address: str, workers: int | None = None, say=lambda _: None):
    """An executor on the cluster of this address."""
    return cluster_executor(ClusterChoice(address), workers=workers, say=say)


def files(folder: Path) -> dict[str, bytes]:
    """Everything written for readers, by its place."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for part in ("results", "figures")
        for path in (folder / part).rglob("*")
        if path.is_file()
    }


def statuses(report: RunReport) -> dict[str, str]:
    return {f"{outcome.cohort}/{outcome.step}": outcome.status for outcome in report.outcomes}


def test_a_cluster_gives_the_same_bytes_and_the_second_run_does_nothing(go, project, tmp_path) -> None:
    environment = dict(os.environ)
    assert go("here", None).ok
    assert go("there", 2).ok
    assert "dashboard at http://127.0.0.1" in go.said
    assert files(tmp_path / "here") == files(tmp_path / "there")
    assert len(files(tmp_path / "there")) == 10
    assert set(statuses(go("there", 2)).values()) == {"unchanged"}
    assert not list((tmp_path / "there" / ".compendium").glob("probe*"))
    assert not list((tmp_path / "there" / ".compendium" / "running").rglob("*.json"))
    environment["COMPENDIUM_OUTPUT"] = str(tmp_path / "there")
    assert dict(os.environ) == environment


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 4])
def test_the_number_of_workers_does_not_matter(go, project, tmp_path, workers) -> None:
    project.cohort("second")
    assert go("here", None, "small", "second").ok
    assert go("there", workers, "small", "second").ok
    assert files(tmp_path / "here") == files(tmp_path / "there")


def test_a_failing_notebook_is_reported_as_here_and_blocks_what_needs_it(go, project) -> None:
    (project.root / "notebooks" / "pipeline.toml").write_text(
        """
        [01_first]
        writes = ["data/patients.parquet"]
        [02_second]
        reads = ["data/patients.parquet"]
        writes = ["statistics/02_second.csv"]
        [copy]
        call = "shutil:copyfile"
        arguments = { src = "{folder}/patients.csv", dst = "{results}/copy.csv" }
        writes = ["copy.csv"]
        """
    )
    own = project.code('cohort = "small"', "parameters")
    project.notebook("01_first", own, project.code("# of no use\nraise ValueError('no such value')"))
    here, there = go("here", None), go("there", 2)
    assert statuses(there) == {
        "small/01_first": "failed",
        "small/02_second": "blocked",
        "small/copy": "executed",
    }
    assert statuses(there) == statuses(here)
    assert [outcome.message for outcome in there.of("failed")] == [
        "01_first, cell 3: ValueError: no such value [# of no use]"
    ]
    assert there.of("failed") == here.of("failed")


SLOW_ONCE = """
import os, time
from pathlib import Path

product = Path(os.environ["COMPENDIUM_OUTPUT"]) / "results" / "small" / "statistics" / "02_second.csv"
flag = Path(os.environ["COMPENDIUM_PROJECT"]) / "started"
if "COMPENDIUM_WORKER" in os.environ and not flag.exists():
    product.write_text("half a prod")
    flag.with_suffix(".new").write_text(f"{os.environ['COMPENDIUM_WORKER']} {os.getpid()}")
    flag.with_suffix(".new").rename(flag)
    time.sleep(3600)
product.write_text("whole")
"""


@pytest.fixture
def slow_once(project):
    """The second notebook sleeps on a worker, the first time; `.flag` names worker and kernel by then."""
    project.notebook("02_second", project.code('cohort = "small"', "parameters"), project.code(SLOW_ONCE))
    return project.root / "started"


def when(flag: Path, act) -> threading.Thread:
    """Act on what the flag says as soon as it is there."""

    def wait() -> None:
        await_true(flag.exists)
        act(*flag.read_text().split())

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def test_a_killed_worker_loses_nothing(go, slow_once, tmp_path) -> None:
    assert go("here", None).ok
    kernels = []

    def kill(worker: str, kernel: str) -> None:
        kernels.append(int(kernel))
        os.kill(int(worker.split("/")[-2]), signal.SIGKILL)

    killing = when(slow_once, kill)
    report = go("there", 2)
    killing.join()
    assert report.ok
    assert set(statuses(report).values()) == {"executed"}
    assert files(tmp_path / "here") == files(tmp_path / "there")
    await_true(lambda: not psutil.pid_exists(kernels[0]))
    assert not list((tmp_path / "there" / ".compendium" / "running").rglob("*.json"))


def test_an_interrupted_run_ends_the_kernels_of_the_workers(go, slow_once, ctrl_c, tmp_path) -> None:
    kernels = []

    def interrupt(_: str, kernel: str) -> None:
        kernels.append(int(kernel))
        ctrl_c()

    when(slow_once, interrupt)
    report = go("there", 2)
    assert report.interrupted
    await_true(lambda: not psutil.pid_exists(kernels[0]))
    assert go("there", 2).ok
    assert (tmp_path / "there" / "results" / "small" / "statistics" / "02_second.csv").read_text() == "whole"


VARIANT = """
from helpers.project.paths import CohortPaths

paths = CohortPaths.of(cohort)
(paths.statistics / "02_second.csv").write_text(f"{paths.base} {scale} {other}")
"""


def test_a_grid_is_run_on_the_cluster_each_combination_filed_by_itself(go, project, tmp_path) -> None:
    plan = '[02_second]\nwrites = ["statistics/02_second.csv"]'
    (project.root / "notebooks" / "pipeline.toml").write_text(plan)
    own = project.code('cohort = "small"\nscale = 1\nother = 0', "parameters")
    project.notebook("02_second", own, project.code(VARIANT))
    grid = {"scale": [1, 2], "other": [0, 5]}
    report = go("there", 2, grid=grid)
    assert report.ok
    found = {path.parts[-3]: path.read_text() for path in (tmp_path / "there").rglob("02_second.csv")}
    assert found == {
        f"small@other={other},scale={scale}": f"small {scale} {other}" for scale in (1, 2) for other in (0, 5)
    }
    assert set(statuses(go("there", None, grid=grid)).values()) == {"unchanged"}


def test_a_scheduler_that_does_not_answer_is_named(go, project, monkeypatch) -> None:
    monkeypatch.setattr("helpers.cluster.client.CONNECT_WITHIN", 1.0)
    with pytest.raises(
        ClusterError, match=r"No Dask scheduler answers at tcp://127.0.0.1:9: .*dask scheduler"
    ):
        run(["small"], progress=silent(), executor=on_cluster("tcp://127.0.0.1:9"))
    assert not (project.root / "results").exists()


def test_a_scheduler_without_workers_is_refused(go) -> None:
    with pytest.raises(ClusterError, match=r"has no workers\. Start some: `dask worker tcp://"):
        go("there", 0)


@pytest.mark.parametrize("name", ["pbs", "login1", "tcp://login1", "http://login1:80"])
def test_an_address_of_another_form_is_refused(project, name) -> None:
    with pytest.raises(ClusterError, match=f"--cluster: found '{name}', expected slurm or a Dask scheduler"):
        run(["small"], progress=silent(), executor=on_cluster(name))


def test_without_the_library_it_is_said_how_to_install_it(project, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match="uv sync --extra cluster"):
        run(["small"], progress=silent(), executor=on_cluster("tcp://a:1"))


class TestWorkersThatDiffer:
    """What is looked at before a run, and again by each worker before its first step."""

    @pytest.fixture
    def here(self, project) -> dict:
        from helpers.cluster.worker import describe

        return describe(str(project.root))

    def differences(self, here: dict, **changed) -> str:
        from helpers.cluster.worker import differences

        return "; ".join(differences(here, here | changed))

    def test_the_same_is_accepted(self, here) -> None:
        assert self.differences(here) == ""
        more = here["packages"] | {"only-there": "1"}
        assert self.differences(here, packages=more) == ""
        without_tools = {name: version for name, version in here["packages"].items() if name != "ruff"}
        assert self.differences(here, packages=without_tools) == ""

    def test_every_difference_is_named_with_its_remedy(self, here) -> None:
        assert "Python is 3.9.1 there" in self.differences(here, python="3.9.1")
        assert "not to be seen there: share" in self.differences(here, **{"uv.lock": "not seen"})
        assert "install the same commit" in self.differences(here, helpers="0")
        assert "restart it" in self.differences(here, loaded="0")
        older = here["packages"] | {"pandas": "1.0"}
        assert f"pandas 1.0 (here {here['packages']['pandas']})" in self.differences(here, packages=older)
        lacking = {name: version for name, version in here["packages"].items() if name != "pandas"}
        assert "pandas missing" in self.differences(here, packages=lacking)

    def test_a_worker_that_sees_another_folder_is_refused_before_anything_runs(self, tmp_path) -> None:
        from helpers.cluster.client import _problems
        from helpers.cluster.worker import describe, probe

        question = tmp_path / "question"
        question.write_text("token")
        here = describe(str(tmp_path))
        assert _problems(probe(here, str(tmp_path), str(question), "token")) == []
        question.write_text("another token")
        (problem,) = _problems(probe(here, str(tmp_path), str(question), "token"))
        assert "is not the same folder there" in problem

    def test_a_worker_that_joins_later_looks_itself(self, project, here) -> None:
        from helpers.cluster.worker import Order, fulfil
        from helpers.run.plan import step_named

        order = Order(
            step=step_named("02_second"),
            paths=CohortPaths.of("small"),
            values={},
            settings={"COMPENDIUM_PROJECT": str(project.root)},
            run="run",
            expected=here | {"python": "3.9.1"},
            inputs={},
        )
        assert "Python is" in fulfil(order).failure
        assert not (project.root / "results").exists()

    def test_inputs_that_a_worker_does_not_see_are_named(self, tmp_path) -> None:
        from helpers.cluster.worker import await_files, file_digests

        file = tmp_path / "table"
        file.write_text("a")
        expected = file_digests([file, tmp_path / "absent"])
        assert list(expected) == [str(file)]
        assert await_files(expected, within=0) == ""
        file.write_text("b")
        assert await_files(expected | {str(tmp_path / "lost"): "0"}, within=0) == (
            f"{file} (other content), {tmp_path / 'lost'} (missing)"
        )


@pytest.mark.usefixtures("project")
class TestSlurmSettings:
    def settings(self, project, text: str, workers: int | None = None):
        (project.root / "cluster.toml").write_text(text)
        return slurm_settings(None, workers)

    def test_one_notebook_a_processor_unless_said_otherwise(self, project) -> None:
        found = self.settings(project, '[slurm]\njobs = 3\ncores = 8\nqueue = "fat"\nmemory = "16 GB"')
        assert (found.jobs, found.notebooks) == (3, 24)
        assert (found.options["processes"], found.options["nanny"]) == (8, True)
        assert (found.options["queue"], found.options["memory"]) == ("fat", "16 GB")
        assert self.settings(project, "[slurm]\ncores = 8", workers=20).jobs == 3

    def test_without_a_file_one_processor_a_job(self) -> None:
        found = slurm_settings(None, None)
        assert (found.notebooks, found.options["nanny"]) == (found.jobs, False)

    def test_what_the_file_does_not_say_is_taken_from_the_configuration_of_dask_jobqueue(
        self, project
    ) -> None:
        import dask.config

        with dask.config.set({"jobqueue.slurm.memory": "5 GB", "jobqueue.slurm.cores": 2}):
            found = self.settings(project, "[slurm]\njobs = 1")
        assert (found.options["memory"], found.notebooks) == ("5 GB", 2)

    def test_reading_them_leaves_ctrl_c_as_it_was(self) -> None:
        code = (
            # A process started in the background inherits that Ctrl-C is ignored.
            "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
            "from helpers.cluster.settings import known_settings; known_settings(); "
            "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler"
        )
        subprocess.run([sys.executable, "-c", code], check=True)

    def test_faulty_settings_are_all_named(self, project) -> None:
        with pytest.raises(ClusterError) as refused:
            self.settings(project, "[slurm]\nwaltime = '1:00'\njobs = 0\nmemory = 5")
        assert "waltime: there is no such setting; did you mean walltime?" in str(refused.value)
        assert "jobs: found 0, expected a whole number from 1" in str(refused.value)
        assert "memory: found 5, expected text" in str(refused.value)

    def test_a_file_that_is_not_there_or_no_toml_is_named(self, project, monkeypatch) -> None:
        monkeypatch.setenv("COMPENDIUM_CLUSTER_SETTINGS", str(project.root / "absent.toml"))
        with pytest.raises(ClusterError, match=r"absent.toml, is not there"):
            slurm_settings(None, None)
        monkeypatch.delenv("COMPENDIUM_CLUSTER_SETTINGS")
        with pytest.raises(ClusterError, match="cannot be read as TOML"):
            self.settings(project, "jobs 3")
        with pytest.raises(ClusterError, match=r"found jobs, expected one table \[slurm\]"):
            self.settings(project, "jobs = 3")


@pytest.mark.slow
def test_the_embedded_cohort_has_the_same_bytes_from_the_cluster(loopback, tmp_path, monkeypatch) -> None:
    """Every statistic, figure, table and executed notebook of the real plan."""
    loopback.have(2)
    executors = {"here": None, "there": on_cluster(loopback.address, 2)}
    for name, executor in executors.items():
        monkeypatch.setenv("COMPENDIUM_OUTPUT", str(tmp_path / name))
        assert run(["rdmas_reconstructed"], progress=silent(), workers=2, executor=executor).ok
    here, there = files(tmp_path / "here"), files(tmp_path / "there")
    assert sum(name.endswith(".csv") and "/statistics/" in name for name in here) >= 7
    assert sum(name.startswith("figures/") for name in here) >= 40
    assert [name for name in here if here[name] != there.get(name)] == []
    assert set(there) == set(here)
