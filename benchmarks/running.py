"""How fast notebooks run beside the stock papermill command, nbval and JupyterLab's kernels.

Each figure is a ratio of medians over paired runs: both sides are measured in turn, on one machine.
The functions return parts; ``bench.py`` runs them and writes the results.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
COHORT = "rdmas_reconstructed"
COHORTS = 40  # of a batch
LIMIT_SECONDS = 0.5  # that a notebook may cost beside its cells
WARM = {"JUPYTER_DEFAULT_PROVISIONER_NAME", "COMPENDIUM_FORK_SERVER"}


def notebooks(project: Path) -> list[Path]:
    """Notebooks of the plan in the order of their names, which is an order they can run in."""
    plan = tomllib.loads((project / "notebooks" / "pipeline.toml").read_text(encoding="utf-8"))
    return [
        project / "notebooks" / f"{name}.ipynb" for name, step in sorted(plan.items()) if "call" not in step
    ]


@contextmanager
def project_of_notebooks(cohorts: int = 0) -> Iterator[Path]:
    """A copy of the project whose plan has the notebooks alone, with copies of the cohort."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for file in ("pyproject.toml", "uv.lock"):
            shutil.copy2(ROOT / file, root / file)
        for folder in ("notebooks", "data"):
            shutil.copytree(ROOT / folder, root / folder)
        plan = root / "notebooks" / "pipeline.toml"
        sections = plan.read_text(encoding="utf-8").split("\n[")
        plan.write_text("\n[".join(part for part in sections if "\ncall = " not in part), encoding="utf-8")
        for number in range(cohorts):
            shutil.copytree(root / "data/cohorts" / COHORT, root / "data/cohorts" / f"copy_{number:02d}")
        yield root


def timed(command: list[str | Path], project: Path, output: Path, **variables: str) -> float:
    """Wall time of a command in seconds; raises if it fails."""
    env = {name: value for name, value in os.environ.items() if name not in WARM}
    env |= {"COMPENDIUM_PROJECT": str(project), "COMPENDIUM_OUTPUT": str(output)} | variables
    begin = time.perf_counter()
    done = subprocess.run(
        [str(word) for word in command],
        cwd=project / "notebooks",
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stderr.decode()[-2000:]}")
    return time.perf_counter() - begin


def by_papermill(project: Path, output: Path) -> float:
    """All notebooks by the papermill command, one after another."""
    (output / "executed").mkdir(parents=True)
    return sum(
        timed([BIN / "papermill", path, output / "executed" / path.name], project, output)
        for path in notebooks(project)
    )


def by_compendium(project: Path, output: Path, *arguments: str) -> float:
    """All notebooks by this project's command."""
    return timed([BIN / "compendium", "run", *arguments], project, output)


def in_one_process(project: Path, output: Path) -> float:
    """The cells alone, in one process with the libraries loaded; the process tells its time."""
    env = os.environ | {"COMPENDIUM_PROJECT": str(project), "COMPENDIUM_OUTPUT": str(output)}
    env |= {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    env["JE_ARROW_MALLOC_CONF"] = "background_thread:false"
    code = [sys.executable, str(Path(__file__).with_name("cells.py")), *map(str, notebooks(project))]
    done = subprocess.run(
        code, cwd=project / "notebooks", env=env, capture_output=True, text=True, check=True
    )
    return float(done.stderr.split()[-1])


def in_turn(sides: dict[str, Callable[[Path], float]], runs: int) -> dict[str, list[float]]:
    """Seconds of each side, measured one after the other ``runs`` times, each in an empty folder."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(runs):
        for name, side in sides.items():
            with tempfile.TemporaryDirectory() as folder:
                seconds[name].append(side(Path(folder)))
        print(turn + 1, {name: round(values[-1], 2) for name, values in seconds.items()}, flush=True)
    return seconds


def ratio(above: list[float], below: list[float], target: float, **parts: Any) -> dict[str, Any]:
    """A result: how many times ``below`` goes into ``above``, by their medians."""
    return {"ratio": median(above) / median(below), "target": target, "parts": parts, "runs": len(above)}


def full_run(runs: int) -> dict[str, dict[str, Any]]:
    """A cohort from nothing by papermill, by this project on two workers and on one, and its cells alone.

    One worker is also measured without the seconds that the warm process needs to load, which are those of
    the libraries and fall to each side that has none.
    """
    with project_of_notebooks() as project, tempfile.TemporaryDirectory() as kept:
        done = Path(kept)
        by_compendium(project, done)
        took = in_turn(
            {
                "papermill": lambda output: by_papermill(project, output),
                "compendium": lambda output: by_compendium(project, output),
                "one_worker": lambda output: by_compendium(project, output, "--workers", "1"),
                "cells": lambda output: in_one_process(project, output),
                "loading": lambda _: loading(),
                "unchanged": lambda _: by_compendium(project, done),
            },
            runs,
        )
    number = len(notebooks(ROOT))
    beside = (median(took["one_worker"]) - median(took["cells"])) / number
    without = [whole - loaded for whole, loaded in zip(took["one_worker"], took["loading"], strict=True)]
    return {
        "run_beside_papermill": ratio(
            took["papermill"], took["compendium"], 6, **_seconds(took, "papermill", "compendium")
        ),
        "one_worker_beside_cells_alone": ratio(
            without,
            took["cells"],
            1.25,
            **_seconds(took, "one_worker", "cells", "loading"),
            seconds_beside_cells_per_notebook=beside,
            lower_is_better=True,
        ),
        "unchanged_beside_full_run": ratio(
            took["compendium"],
            took["unchanged"],
            10,
            **_seconds(took, "compendium", "unchanged"),
            limit_seconds=0.3,
        ),
    }


@contextmanager
def loaded_process() -> Iterator[tuple[Path, float]]:
    """The socket of a warm process, and the seconds in which it has loaded what notebooks use."""
    from helpers.kernels.fork_server.client import ForkServer

    process = ForkServer()
    begin = time.perf_counter()
    try:
        process.wait_until_loaded()
        yield process.socket, time.perf_counter() - begin
    finally:
        process.close()


def loading() -> float:
    """Seconds that a warm process needs to load what notebooks use."""
    with loaded_process() as (_, seconds):
        return seconds


def _seconds(took: dict[str, list[float]], *sides: str) -> dict[str, list[float]]:
    return {f"{side}_seconds": took[side] for side in sides}


def batch(runs: int) -> dict[str, dict[str, Any]]:
    """A batch of cohorts by this project, and by papermill, whose cohorts do not share anything.

    The papermill command runs one notebook and ends, so that forty cohorts take forty times as long as one:
    it is measured on one, each time beside a whole batch.
    """
    copies = [f"copy_{number:02d}" for number in range(COHORTS)]
    with project_of_notebooks(COHORTS) as project:
        took = in_turn(
            {
                "papermill": lambda output: by_papermill(project, output),
                "batch": lambda output: by_compendium(project, output, *copies),
            },
            runs,
        )
    per_cohort = [seconds / COHORTS for seconds in took["batch"]]
    return {
        "batch_beside_papermill": ratio(
            took["papermill"],
            per_cohort,
            9,
            papermill_seconds_per_cohort=took["papermill"],
            compendium_seconds_per_cohort=per_cohort,
        )
    }


def nbval(runs: int) -> dict[str, dict[str, Any]]:
    """The notebooks against their stored outputs, as in `make test`, with and without a warm process.

    There the warm process loads while the quick tests run. Here nothing else runs meanwhile, so its seconds
    are measured apart and stand beside.
    """
    from helpers.kernels.fork_server.client import PROVISIONER, PROVISIONER_VARIABLE, SOCKET_VARIABLE

    command: list[str | Path] = ["make", "-C", ROOT, "--no-print-directory", "nbval"]
    loaded_in: list[float] = []

    def stock(output: Path) -> float:
        return timed(command, ROOT, output, **{PROVISIONER_VARIABLE: "local-provisioner"})

    def warm(output: Path) -> float:
        with loaded_process() as (address, seconds):
            loaded_in.append(seconds)
            chosen = {PROVISIONER_VARIABLE: PROVISIONER, SOCKET_VARIABLE: str(address)}
            return timed(command, ROOT, output, **chosen)

    took = in_turn({"stock": stock, "warm": warm}, runs)
    parts = _seconds(took, "stock", "warm") | {"warm_process_loading_seconds": loaded_in}
    return {"nbval_beside_stock_kernels": ratio(took["stock"], took["warm"], 2.5, **parts)}


READY = """
import matplotlib.pyplot, numpy, pandas, pyarrow.parquet, scipy.stats, seaborn, statsmodels.formula.api
from helpers.analysis.survival import compare_survival
from helpers.run.workspace import open_cohort
from helpers.report.figures.output.publish import publish_figure
from helpers.report.tables.survival import survival_table
"""


def lab(runs: int) -> dict[str, dict[str, Any]]:
    """From asking for a kernel, as JupyterLab does, to the libraries imported in it."""
    from jupyter_client.manager import start_new_kernel
    from jupyter_client.provisioning.factory import KernelProvisionerFactory

    from helpers.kernels.fork_server.client import PROVISIONER
    from helpers.kernels.fork_server.use import forked_kernels

    def ready(provisioner: str) -> float:
        KernelProvisionerFactory.instance().default_provisioner_name = provisioner
        begin = time.perf_counter()
        manager, client = start_new_kernel(kernel_name="python3")
        client.execute_interactive(READY, timeout=120)
        took = time.perf_counter() - begin
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        return took

    with forked_kernels() as process:
        assert process is not None
        process.wait_until_loaded()  # JupyterLab is open by the time a notebook is
        ready(PROVISIONER)
        took = in_turn(
            {"stock": lambda _: ready("local-provisioner"), "warm": lambda _: ready(PROVISIONER)}, runs
        )
    return {
        "new_kernel_beside_stock": ratio(took["stock"], took["warm"], 4, **_seconds(took, "stock", "warm"))
    }


def idle_notebook(runs: int) -> dict[str, dict[str, Any]]:
    """A notebook of sixteen idle cells by a loaded warm process or stock kernels.

    It is executed as the first of a run is, whose kernel nobody has started ahead.
    """
    import nbformat

    from helpers.kernels.execute import execute_notebook
    from helpers.kernels.fork_server.client import PROVISIONER, PROVISIONER_VARIABLE
    from helpers.kernels.fork_server.use import forked_kernels
    from helpers.kernels.pool import KernelPool

    with tempfile.TemporaryDirectory() as folder, forked_kernels() as process:
        assert process is not None
        process.wait_until_loaded()
        source = Path(folder) / "empty.ipynb"
        cells = [nbformat.v4.new_code_cell("pass", id=f"cell-{number:02d}") for number in range(16)]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), source)

        def executed(provisioner: str) -> Callable[[Path], float]:
            def side(output: Path) -> float:
                os.environ[PROVISIONER_VARIABLE] = provisioner
                target, failed = output / "executed.ipynb", output / "failed.ipynb"
                begin = time.perf_counter()
                pool = KernelPool(None, Path(folder), 1, output / "stages")
                with closing(pool), pool.kernel() as kernel:
                    execute_notebook(source, target, {}, failed=failed, kernel=kernel)
                return time.perf_counter() - begin

            return side

        sides = {"stock": executed("local-provisioner"), "warm": executed(PROVISIONER)}
        in_turn(sides, 1)  # what papermill itself imports
        took = in_turn(sides, runs)
    parts = _seconds(took, "stock", "warm") | {"limit_seconds": LIMIT_SECONDS, "lower_is_better": True}
    return {"idle_notebook_beside_limit": ratio(took["warm"], [LIMIT_SECONDS], 1, **parts)}


def memory(number: int) -> dict[str, dict[str, Any]]:
    """Memory of forked kernels beside the warm process, over ``number`` notebooks on two workers.

    Every notebook of the plan runs once, for the largest; the shortest of them all the other times.
    Proportional set size (each shared page divided by those who share it) from /proc, looked at ten times a
    second; of each kernel the largest value.
    """
    from concurrent.futures import ThreadPoolExecutor

    from helpers.kernels.execute import execute_notebook
    from helpers.kernels.fork_server.client import KERNEL_ENVIRONMENT, ForkServer
    from helpers.kernels.fork_server.use import forked_kernels
    from helpers.kernels.pool import KernelPool

    most: dict[int, float] = {}
    parent: list[float] = []
    with project_of_notebooks() as project, tempfile.TemporaryDirectory() as folder:
        os.environ.update(KERNEL_ENVIRONMENT)
        os.environ.update({"COMPENDIUM_PROJECT": str(project), "COMPENDIUM_OUTPUT": folder})
        by_compendium(project, Path(folder))
        paths = notebooks(project)
        shortest = next(path for path in paths if path.name.startswith("05"))
        paths += [shortest] * (number - len(paths))
        with (
            forked_kernels() as warm,
            closing(KernelPool(warm, project / "notebooks", 2, Path(folder) / "stages")) as kernels,
            ThreadPoolExecutor(2) as pool,
        ):
            assert isinstance(warm, ForkServer)
            kernels.expect(2)  # as in a run, where kernels wait for the notebooks that follow
            over = threading.Event()
            watching = threading.Thread(target=_watch, args=(warm.pid, most, parent, over))
            watching.start()

            def execute(turn: int, path: Path) -> None:
                name = f"{turn}.ipynb"
                with kernels.kernel() as kernel:
                    # The stage shows what an earlier run published, as in a run.
                    shutil.copytree(Path(folder) / "results", kernel.stage / "results")
                    target, failed = Path(folder) / "executed" / name, Path(folder) / "failed" / name
                    execute_notebook(path, target, {}, failed=failed, kernel=kernel)

            ended = [pool.submit(execute, turn, path) for turn, path in enumerate(paths)]
            for future in ended:
                future.result()
            over.set()
            watching.join()
    sizes = list(most.values())
    alike = sizes[10:]  # the notebook that runs again and again
    tenth = max(1, len(alike) // 10)
    return {
        "kernel_memory_late_beside_early": {
            "ratio": median(alike[-tenth:]) / median(alike[:tenth]),
            "target": 1.1,
            "parts": {
                "largest_kernel_mib": max(sizes),
                "median_kernel_mib": median(alike),
                "warm_process_first_mib": parent[0],
                "warm_process_last_mib": parent[-1],
                "limit_mib": 400,
                "lower_is_better": True,
            },
            "runs": number,
        }
    }


def _watch(warm: int, most: dict[int, float], parent: list[float], over: threading.Event) -> None:
    from psutil import NoSuchProcess, Process  # type: ignore[import-untyped]

    while not over.wait(0.1):
        for kernel in Process(warm).children():
            try:
                size = _proportional_mib(kernel.pid)
            except (OSError, NoSuchProcess):
                continue
            most[kernel.pid] = max(most.get(kernel.pid, 0.0), size)
        parent.append(_proportional_mib(warm))


def _proportional_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().split("\n"):
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0
