"""Kernels for notebooks, started before they are asked for where that pays.

Starting and ending a forked kernel takes a sixth of a second in which no cell of its notebook runs: the
kernel of the next notebook starts beside the notebook that runs. Every kernel has a stage, a folder of its
own that it takes for the output folder, so that what it writes is published only when its notebook has
succeeded.
"""

import asyncio
import contextlib
import itertools
import os
import shutil
import socket
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from traitlets.config import Config

from helpers.kernels.fork_server import provisioner  # noqa: F401  # else imported by a thread
from helpers.kernels.fork_server.client import PROVISIONER, PROVISIONER_VARIABLE, WarmProcess
from helpers.kernels.fork_server.quick import PooledKernelManager
from helpers.kernels.stored import KERNEL
from helpers.project import web_addresses  # noqa: F401  # before nbformat
from helpers.project.paths import OUTPUT_VARIABLE, PUBLISHED_VARIABLE, RUN_VARIABLE

import nbformat  # isort: skip

START_OPTIONS = ["--log-level=50"]  # the kernel's own log; what a cell writes is an output
_CLIENT = "helpers.kernels.fork_server.quick.QuickClient"
_HOST = socket.gethostname()  # workers of a cluster share the folder of stages
_numbers = itertools.count(1)


class KernelPool:
    """Kernels for the notebooks of one folder.

    None starts ahead before the fork server has loaded everything: a kernel forked earlier would have to
    import what is missing when its notebook needs it.

    Args:
        server: the process they are forked from; without one none starts ahead, as ordinary kernels start too
            slowly.
        folder: where they start, that of the notebooks.
        most: how many may wait at a time.
        stages: folder that receives their stages.
    """

    def __init__(self, server: WarmProcess | None, folder: Path, most: int, stages: Path) -> None:
        import_for_threads()
        self._folder, self._most, self._stages = folder, most, stages
        self._waiting: deque[Future[Any]] = deque()
        self._used: set[Any] = set()
        self._expected, self._loaded = 0, False
        self._lock, self._over = threading.Lock(), threading.Event()
        self._pool = ThreadPoolExecutor(max_workers=most + 1, thread_name_prefix="kernels")
        if server:
            self._pool.submit(self._await_libraries, server)

    def expect(self, number: int) -> None:
        """Be told how many notebooks will take their kernels next; returns at once."""
        with self._lock:
            self._expected = number
            self._start_missing()

    @contextmanager
    def kernel(self) -> Iterator[PooledKernelManager]:
        """The manager of a started kernel; its ``stage`` and, soon after, the kernel end with the block."""
        manager = self.take() or self._start()
        self._used.add(manager)
        try:
            yield manager
        finally:
            self._used.discard(manager)
            self.end(manager)

    def stop(self) -> None:
        """Have the kernels end that are used; those of a kept process are no children of this one."""
        for manager in list(self._used):
            if process := manager.provisioner.process:
                process.terminate()

    def take(self) -> Any:
        """The manager of a kernel that has started ahead; None if there is none."""
        with self._lock:
            taken = self._waiting.popleft() if self._waiting else None
            self._start_missing()
        if (manager := _started(taken)) is None or manager.provisioner.process.poll() is None:
            return manager
        self.end(manager)
        return None

    def end(self, manager: Any) -> None:
        """End a kernel, called where it was used; returns at once."""
        if manager.given is not None:
            manager.given.stop_channels()
        self._pool.submit(_end, manager)

    def close(self) -> None:
        """End the kernels that nobody took, and wait until all have ended."""
        with self._lock:
            self._over.set()  # from now on none starts
        for started in self._waiting:
            if manager := _started(started):
                self.end(manager)
        self._pool.shutdown(wait=True)

    def _await_libraries(self, server: WarmProcess) -> None:
        loaded = server.wait_until_loaded(self._over)
        with self._lock:
            self._loaded = loaded
            self._start_missing()

    def _start_missing(self) -> None:
        missing = min(self._expected, self._most) - len(self._waiting)
        if self._loaded and not self._over.is_set():
            self._waiting += [self._pool.submit(self._start) for _ in range(missing)]

    def _start(self) -> Any:
        manager = PooledKernelManager(kernel_name=KERNEL, config=manager_settings())
        manager.stage = self._stages / f"{_HOST}-{os.getpid()}-{next(_numbers)}"
        manager.stage.mkdir(parents=True)
        published = os.environ.get(OUTPUT_VARIABLE, "")
        here = {OUTPUT_VARIABLE: str(manager.stage), PUBLISHED_VARIABLE: published, RUN_VARIABLE: "1"}

        async def started() -> None:
            await manager.start_kernel(
                extra_arguments=START_OPTIONS.copy(), cwd=str(self._folder), env=dict(os.environ) | here
            )

        asyncio.run(started())
        return manager


def import_for_threads() -> None:
    """Have libraries import now what they otherwise import when first used.

    Two threads that import at the same time what imports each other break one another's imports. So whoever
    starts threads makes a pool before, and threads find everything imported.

    >>> import_for_threads()
    """
    with contextlib.suppress(NoSuchKernel):  # whoever starts a kernel will be told
        KernelSpecManager().get_kernel_spec(KERNEL)
    nbformat.validate(nbformat.v4.new_notebook())


def _started(waiting: Future[Any] | None) -> Any:
    """The manager of a kernel once it has started; None if it could not, of which another start will tell."""
    with contextlib.suppress(Exception):
        return waiting.result() if waiting else None
    return None


def _end(manager: Any) -> None:
    async def ended() -> None:
        await manager.shutdown_kernel(now=True)

    try:
        asyncio.run(ended())
    finally:
        shutil.rmtree(manager.stage, ignore_errors=True)


def manager_settings() -> Any:
    """What a kernel's manager is told: which client to give out, and, beside it, how kernels are started."""
    # The factory has read the environment once and for all, perhaps before the variable was set.
    chosen = os.environ.get(PROVISIONER_VARIABLE, PROVISIONER)
    KernelProvisionerFactory.instance().default_provisioner_name = chosen
    return Config({"AsyncKernelManager": {"client_factory": _CLIENT}})
