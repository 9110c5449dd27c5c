"""Where steps are executed: on this machine here, on a cluster in :mod:`helpers.cluster`.

>>> kernel_settings()["OMP_NUM_THREADS"]
'1'
>>> with run_environment():
...     pass
>>> with local_executor(1, much_to_do=False) as executor:
...     executor.expect(0), executor.threads
(None, 1)
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from helpers.kernels.fork_server.client import (
    KERNEL_ENVIRONMENT,
    PROVISIONER,
    PROVISIONER_VARIABLE,
    WarmProcess,
)
from helpers.kernels.fork_server.use import forked_kernels, forked_steps
from helpers.project.paths import (
    FORMATS_VARIABLE,
    OUTPUT_VARIABLE,
    PROJECT_VARIABLE,
    CohortPaths,
    notebooks_dir,
    output_root,
    project_root,
    state_dir,
)
from helpers.run.plan import Step

if TYPE_CHECKING:
    from psutil import Process  # type: ignore[import-untyped]

    from helpers.kernels.pool import KernelPool


class Executor(Protocol):
    """Executes steps; every method may be called from several threads.

    Attributes:
        threads: how many steps at a time.
    """

    threads: int

    def prepare(self) -> None:
        """Import what the threads need; called by the main thread, before any other starts."""

    def execute(self, step: Step, paths: CohortPaths, values: Mapping[str, Any]) -> None:
        """Execute a step with what is put into its notebook, and return when it is done."""

    def expect(self, notebooks: int) -> None:
        """Be told how many notebooks will be executed next."""

    def stop(self) -> None:
        """End what is under way."""


class LocalExecutor:
    """This machine, with kernels of its own.

    Args:
        threads: how many steps at a time.
        server: the process that kernels are forked from, if any.

    >>> executor = LocalExecutor(1, None)
    >>> executor.expect(0)
    >>> executor.stop()
    >>> executor.close()
    >>> executor.threads
    1
    """

    def __init__(self, threads: int, server: WarmProcess | None) -> None:
        self.threads = threads
        self._server = server
        self._steps = ExitStack()
        self._pool: KernelPool | None = None
        self._making = Lock()
        self._foreign: set[Process] = set()

    def prepare(self) -> None:
        """Import what the threads need for steps that are no notebooks; a process loads what these use."""
        if self._server is None:
            self._server = self._steps.enter_context(forked_steps())
        from helpers.run import steps  # noqa: F401

        self._foreign = set(_children())

    def execute(self, step: Step, paths: CohortPaths, values: Mapping[str, Any]) -> None:
        """Execute a step here."""
        from helpers.run.steps import execute_step

        execute_step(step, paths, values, self._kernels() if step.is_notebook else None)

    def expect(self, notebooks: int) -> None:
        """Have kernels start ahead; the first time, import what executes notebooks."""
        if notebooks:
            self._kernels().expect(notebooks)
        elif self._pool is not None:
            self._pool.expect(0)

    def _kernels(self) -> "KernelPool":
        """The pool, made when the first notebook is to be executed: often only a document is made anew."""
        with self._making:
            if self._pool is None:
                from helpers.kernels import execute  # noqa: F401
                from helpers.kernels.pool import KernelPool

                self._pool = KernelPool(self._server, notebooks_dir(), self.threads, state_dir() / "stages")
            return self._pool

    def stop(self) -> None:
        """End the kernels and processes under way."""
        from psutil import NoSuchProcess

        from helpers.run.steps import stop_steps

        if self._pool is not None:
            self._pool.stop()
        stop_steps()
        for child in set(_children()) - self._foreign:
            with suppress(NoSuchProcess):  # it has just ended by itself
                child.terminate()

    def close(self) -> None:
        """End the kernels that wait, and the process that steps were forked from."""
        if self._pool is not None:
            self._pool.close()
        self._steps.close()


@contextmanager
def local_executor(workers: int | None, *, much_to_do: bool) -> Iterator[LocalExecutor]:
    """This machine.

    Args:
        workers: how many steps at a time; by default one per processor.
        much_to_do: whether the fork server is to load at once, not with the first kernel.
    """
    with (
        forked_kernels(at_once=much_to_do) as server,
        closing(LocalExecutor(workers or os.cpu_count() or 1, server)) as executor,
    ):
        yield executor


def kernel_settings() -> dict[str, str]:
    """Environment variables that every kernel of a run has."""
    pinned = {
        PROJECT_VARIABLE: str(project_root()),
        OUTPUT_VARIABLE: str(output_root()),
        FORMATS_VARIABLE: "all",
        PROVISIONER_VARIABLE: os.environ.get(PROVISIONER_VARIABLE, PROVISIONER),
    }
    return pinned | KERNEL_ENVIRONMENT


@contextmanager
def run_environment() -> Iterator[None]:
    """Settings that kernels inherit; the caller's own are put back, and so is the import path."""
    before, import_path = dict(os.environ), list(sys.path)
    os.environ.update({k: v for k, v in kernel_settings().items() if k != PROVISIONER_VARIABLE})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        sys.path[:] = import_path


def _children() -> "list[Process]":
    from psutil import Process

    return list(Process().children(recursive=True))
