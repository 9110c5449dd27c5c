"""Execute one step of the plan for one cohort: its notebook, or a function.

What executes notebooks takes half a second to import: whoever executes one imports it before any thread does.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.errors import CompendiumError
from helpers.kernels.fork_server.client import SOCKET_VARIABLE, ForkedProcess, ForkServerError, fork
from helpers.project.paths import CohortPaths, shown, state_dir
from helpers.report.text.notebooks import teller
from helpers.run.plan import PARAMETERS, Step, locate
from helpers.run.staging import Stage, UndeclaredOutputError, failed_notebook

if TYPE_CHECKING:
    from helpers.kernels.fork_server.quick import PooledKernelManager
    from helpers.kernels.pool import KernelPool

_forked: set[ForkedProcess] = set()  # functions under way
_FOLDERS = ("{results}", "{figures}", "{folder}")


class StepFailedError(CompendiumError):
    """A step that is no notebook failed, or a step did not write what it declares."""


def execute_step(step: Step, paths: CohortPaths, values: Mapping[str, Any], pool: KernelPool | None) -> None:
    """Execute a step; its products replace their predecessors when it has succeeded.

    Args:
        step: the step.
        paths: the cohort.
        values: values put into a notebook, or the parameters that a function is told.
        pool: gives the kernel of a notebook; no other step needs one.

    Raises:
        NotebookFailedError: a cell of the notebook failed.
        StepFailedError: the function failed, a declared file was not written, or one that is not declared
            was.
    """
    with _stage(step, paths, pool) as (stage, kernel):
        stage.furnish(step)
        if kernel is not None:
            from helpers.kernels.execute import execute_notebook

            target = locate(f"notebooks/{step.name}.ipynb", stage.paths)
            kept = failed_notebook(step, paths)
            told = teller(paths.folder, step.name)
            execute_notebook(step.source, target, values, failed=kept, kernel=kernel, told=told)
        else:
            _call(step, stage, values, state_dir() / "failed" / paths.name / f"{step.name}.log")
        if missing := stage.missing(step):
            raise StepFailedError(f"{step.name} did not write {', '.join(missing)}")
        try:
            stage.publish(step)
        except UndeclaredOutputError as error:
            raise StepFailedError(str(error)) from None


@contextlib.contextmanager
def _stage(
    step: Step, paths: CohortPaths, pool: KernelPool | None
) -> Iterator[tuple[Stage, PooledKernelManager | None]]:
    """A folder to write to, that of the kernel if the step is a notebook."""
    if step.is_notebook:
        assert pool is not None, "a notebook needs a kernel"
        with pool.kernel() as kernel:
            yield Stage(kernel.stage, paths), kernel
        return
    root = state_dir() / "stages" / f"{os.getpid()}-{paths.name}-{step.name}"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    try:
        yield Stage(root, paths), None
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _call(step: Step, stage: Stage, values: Mapping[str, Any], log: Path) -> None:
    paths = stage.paths
    folders = {"results": str(paths.results), "figures": str(paths.figures), "folder": str(paths.folder)}
    order = {
        "function": step.call,
        "arguments": {
            name: dict(values) if value == PARAMETERS else _filled(value, paths.name, folders)
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


def _filled(value: object, cohort: str, folders: Mapping[str, str]) -> object:
    return value.format(cohort=cohort, **folders) if isinstance(value, str) else value


def stop_steps() -> None:
    """Have the functions end that a warm process carries out; a kept one is no child of this process.

    >>> stop_steps()  # none is under way
    """
    for forked in list(_forked):
        forked.terminate()


def _in_own_process(order: Mapping[str, Any], output: int) -> int:
    """Carry out an order in a process forked from a warm one, or in a new one; returns its exit status."""
    address = os.environ.get(SOCKET_VARIABLE)
    if address:
        with contextlib.suppress(ForkServerError):
            forked = fork(address, {"call": order}, os.environ, str(Path.cwd()), (output, output))
            _forked.add(forked)
            try:
                return forked.wait()
            finally:
                _forked.discard(forked)
    done = subprocess.run(
        [sys.executable, "-m", "helpers.kernels.call"],
        input=json.dumps(order).encode(),
        stdout=output,
        stderr=output,
        check=False,
    )
    return done.returncode
