"""A client of kernels that does not wait for silence."""

from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient

SILENCE_SECONDS = 0.02


class QuickClient(AsyncKernelClient):
    """A kernel's client that counts it as ready when it has answered.

    The ordinary one then drops what else arrives, until nothing has come for a fifth of a second: longer than
    a forked kernel takes to start. Nothing is lost by dropping less: replies are known by what they reply to.
    """

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers.

        Raises:
            RuntimeError: it does not in time, or has died.
        """
        channel = self.iopub_channel
        ordinary = channel.get_msg

        def brief(timeout: float | None = None) -> Any:
            return ordinary(timeout=SILENCE_SECONDS if timeout is None else min(timeout, SILENCE_SECONDS))

        channel.get_msg = brief
        try:
            await super()._async_wait_for_ready(timeout)
        finally:
            channel.get_msg = ordinary
