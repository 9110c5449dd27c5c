"""Clients of kernels that do not wait for silence, and a manager that remembers the one it gave out.

The ordinary ones count a kernel as ready when it has answered, but then drop what else arrives until nothing
has come for a fifth of a second: longer than a forked kernel takes to start. Nothing is lost by dropping
less: replies are known by what they reply to.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import AsyncKernelManager

from helpers.kernels.fork_server.client import PATIENCE_SECONDS

SILENCE_SECONDS = 0.002


class QuickClient(AsyncKernelClient):
    """The client that papermill awaits."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers.

        Raises:
            RuntimeError: it does not in time, or has died.
        """
        with _brief_silence(self.iopub_channel):
            await super()._async_wait_for_ready(timeout)


class QuickBlockingClient(BlockingKernelClient):
    """The client that nbval waits for.

    nbval gives up when the outputs of a cell are five seconds late, as on a busy machine: here they are
    awaited for as long as the kernel lives.
    """

    def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers.

        Raises:
            RuntimeError: it does not in time, or has died.
        """
        with _brief_silence(self.iopub_channel):
            super().wait_for_ready(timeout)

    def get_iopub_msg(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The next message of what a cell puts out.

        Raises:
            Empty: there is none in time, and the kernel has died or has been silent for too long.
        """
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                message: dict[str, Any] = super().get_iopub_msg(*args, **kwargs)
                return message
            except Empty:
                if not self.is_alive() or time.monotonic() > end:
                    raise


class PooledKernelManager(AsyncKernelManager):
    """Manager of a kernel that others use: they leave their client to whoever ends the kernel.

    Attributes:
        given: the last client given out.
        stage: folder that the kernel takes for the output folder.
    """

    given: Any = None
    stage: Path

    def client(self, **kwargs: Any) -> Any:
        """A client, not yet connected."""
        self.given = super().client(**kwargs)
        return self.given


@contextmanager
def _brief_silence(channel: Any) -> Iterator[None]:
    ordinary = channel.get_msg

    def brief(timeout: float | None = None) -> Any:
        return ordinary(timeout=SILENCE_SECONDS if timeout is None else min(timeout, SILENCE_SECONDS))

    channel.get_msg = brief
    try:
        yield
    finally:
        channel.get_msg = ordinary
