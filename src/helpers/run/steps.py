"""Carry out one step of the plan for one cohort: execute its notebook, or call its function."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from helpers.errors import CompendiumError
from helpers.kernels.execute import execute_notebook
from helpers.kernels.fork_server.client import SOCKET_VARIABLE, ForkServerError, fork
from helpers.kernels.pool import KernelPool
from helpers.project.paths import CohortPaths, shown, state_dir
from helpers.run.plan import Step, locate

_FOLDERS = ("{results}", "{figures}", "{folder}")


class StepFailedError(CompendiumError):
    """A step that is no notebook failed, or a step did not write what it declares."""


def carry_out(
    step: Step, paths: CohortPaths, parameters: Mapping[str, Any], pool: KernelPool | None = None
) -> None:
    """Carry out a step.

    What it wrote before is removed first, so that no result of former data outlives a failure and a file
    that is declared but no longer written is noticed.

    Args:
        step: the step.
        paths: the cohort.
        parameters: values put into a notebook.
        pool: kernels that have been started already.

    Raises:
        NotebookFailedError: a cell of the notebook failed.
        StepFailedError: the function failed, or a declared file was not written.
    """
    products = {declared: locate(declared, paths) for declared in step.writes}
    for path in products.values():
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
    failed = state_dir() / "failed" / paths.name
    if step.is_notebook:
        target = products[f"notebooks/{step.name}.ipynb"]
        kept = failed / f"{step.name}.ipynb"
        execute_notebook(step.source, target, parameters, failed=kept, pool=pool)
    else:
        _call(step, paths, failed / f"{step.name}.log")
    missing = [name for name, path in products.items() if name not in step.optional and not path.is_file()]
    if missing:
        raise StepFailedError(f"{step.name} did not write {', '.join(missing)}")


def _call(step: Step, paths: CohortPaths, log: Path) -> None:
    folders = {"results": str(paths.results), "figures": str(paths.figures), "folder": str(paths.folder)}
    order = {
        "function": step.call,
        "arguments": {
            name: value.format(cohort=paths.name, **folders) if isinstance(value, str) else value
            for name, value in step.arguments.items()
        },
        "paths": [name for name, value in step.arguments.items() if str(value).startswith(_FOLDERS)],
    }
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w+b") as output:
        status = _in_own_process(order, output.fileno())
    if status:
        said = [line for line in log.read_text(encoding="utf-8").split("\n") if line.strip()]
        last = said[-1] if said else f"exit status {status}"
        raise StepFailedError(f"{step.name}: {last} (all it said: {shown(log)})")
    log.unlink()


def _in_own_process(order: Mapping[str, Any], output: int) -> int:
    """Carry out an order in a process forked from a warm one, or in a new one; returns its exit status."""
    address = os.environ.get(SOCKET_VARIABLE)
    if address:
        with contextlib.suppress(ForkServerError):
            return fork(address, {"call": order}, os.environ, str(Path.cwd()), (output, output)).wait()
    done = subprocess.run(
        [sys.executable, "-m", "helpers.kernels.call"],
        input=json.dumps(order).encode(),
        stdout=output,
        stderr=output,
        check=False,
    )
    return done.returncode
