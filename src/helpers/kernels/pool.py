"""Kernels started before they are asked for: that of the next notebook beside the notebook that runs.

Starting and ending a forked kernel takes a sixth of a second in which no cell of its notebook runs.
"""

import contextlib
import os
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from helpers.kernels.fork_server.client import PROVISIONER, PROVISIONER_VARIABLE, ForkServer

KERNEL = "python3"
START_OPTIONS = ["--log-level=50"]  # the kernel's own log; what a cell writes is an output
_CLIENT = "helpers.kernels.fork_server.quick.QuickClient"


class KernelPool:
    """Kernels that wait for a notebook of one folder.

    None starts before the warm process has loaded everything: a kernel forked earlier would have to import
    what is missing when its notebook needs it.

    Args:
        warm: the process they are forked from; without one there are none, as ordinary kernels start too
            slowly.
        folder: where they start, that of the notebooks.
        most: how many may wait at a time.
    """

    def __init__(self, warm: ForkServer | None, folder: Path, most: int) -> None:
        self._folder, self._most = folder, most
        self._waiting: deque[Future[Any]] = deque()
        self._expected, self._loaded = 0, False
        self._lock, self._over = threading.Lock(), threading.Event()
        self._pool = ThreadPoolExecutor(max_workers=most + 1, thread_name_prefix="kernels")
        if warm:
            self._pool.submit(self._await_libraries, warm)

    def expect(self, number: int) -> None:
        """Be told how many notebooks will take their kernels next; returns at once."""
        with self._lock:
            self._expected = number
            self._start_missing()

    def take(self, folder: Path) -> Any:
        """The manager of a started kernel; None if there is none for a notebook of this folder."""
        if folder != self._folder:
            return None
        with self._lock:
            taken = self._waiting.popleft() if self._waiting else None
            self._start_missing()
        if (manager := _started(taken)) is None or manager.provisioner.process.poll() is None:
            return manager
        self.end(manager)
        return None

    def end(self, manager: Any) -> None:
        """End a kernel that was taken, called where it was used; returns at once."""
        if manager.given is not None:
            manager.given.stop_channels()
        self._pool.submit(_end, manager)

    def close(self) -> None:
        """End the kernels that nobody took, and wait until all have ended."""
        self._over.set()
        with self._lock:
            self._loaded = False
        for started in self._waiting:
            if manager := _started(started):
                self.end(manager)
        self._pool.shutdown(wait=True)

    def _await_libraries(self, warm: ForkServer) -> None:
        loaded = warm.wait_until_loaded(self._over)
        with self._lock:
            self._loaded = loaded
            self._start_missing()

    def _start_missing(self) -> None:
        missing = min(self._expected, self._most) - len(self._waiting)
        if self._loaded:
            self._waiting += [self._pool.submit(self._start) for _ in range(missing)]

    def _start(self) -> Any:
        import asyncio

        from helpers.kernels.fork_server.quick import PooledKernelManager

        manager = PooledKernelManager(kernel_name=KERNEL, config=manager_settings())

        async def started() -> None:
            await manager.start_kernel(extra_arguments=START_OPTIONS.copy(), cwd=str(self._folder))

        asyncio.run(started())
        return manager


def _started(waiting: Future[Any] | None) -> Any:
    """The manager of a kernel once it has started; None if it could not, of which another start will tell."""
    with contextlib.suppress(Exception):
        return waiting.result() if waiting else None
    return None


def _end(manager: Any) -> None:
    import asyncio

    async def ended() -> None:
        await manager.shutdown_kernel(now=True)

    asyncio.run(ended())


def manager_settings() -> Any:
    """What a kernel's manager is told: which client to give out, and, beside it, how kernels are started."""
    from jupyter_client.provisioning.factory import KernelProvisionerFactory
    from traitlets.config import Config

    # The factory has read the environment once and for all, perhaps before the variable was set.
    provisioner = os.environ.get(PROVISIONER_VARIABLE, PROVISIONER)
    KernelProvisionerFactory.instance().default_provisioner_name = provisioner
    return Config({"AsyncKernelManager": {"client_factory": _CLIENT}})
