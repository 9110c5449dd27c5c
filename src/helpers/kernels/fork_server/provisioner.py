"""A Jupyter kernel provisioner that takes kernels from a warm process.

Registered as ``fork-provisioner`` and chosen by ``JUPYTER_DEFAULT_PROVISIONER_NAME``, it serves papermill,
nbval and JupyterLab alike; notebooks still ask for ``python3``. Any kernel that it cannot fork starts the
ordinary way, and the reason is said once.
"""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from shutil import rmtree
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from helpers.kernels.fork_server.client import (
    PREFIXES,
    ForkedProcess,
    ForkServerError,
    available,
    fork,
    private_folder,
)
from helpers.kernels.fork_server.use import shared_or_own

_LAUNCHER = "ipykernel_launcher"
_HISTORY = "--HistoryManager.hist_file"
_CONNECTION = "connection.json"
_CHANNELS = 5  # of a kernel: shell, output, input, control, heartbeat
_LISTENS_WITHIN = 2.0  # seconds; after that the client looks for it by itself
_said: set[str] = set()


class ForkProvisioner(LocalProvisioner):
    """Forks kernels from a warm process, where that is possible.

    The warm process is the one that the environment names, else one of this process's own, started with the
    first kernel. No kernel waits for its imports.
    """

    _sockets: Path | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Have kernel and client talk through files that only this user can read, where the system has them.

        Messages hold patients' data, which other users of the machine could read off a TCP port; and kernels
        started at the same moment cannot grab each other's port.
        """
        manager = self.parent
        if (
            os.name == "posix"
            and manager is not None
            and manager.transport == "tcp"
            and not manager.shell_port
        ):
            self._sockets = private_folder(PREFIXES[1])
            manager.transport, manager.ip = "ipc", f"{self._sockets}/socket"
            if not manager.connection_file:  # it would get a place in the common temporary folder
                manager.connection_file = str(self._sockets / _CONNECTION)
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork the kernel, or start it the ordinary way."""
        try:
            self.process = _forked(cmd, kwargs)
        except ForkServerError as error:
            _say_once(f"Kernels start the ordinary, slower way: {error}.")
            return await super().launch_kernel(cmd, **kwargs)
        self.pid, self.pgid = self.process.pid, None  # signals go through the warm process
        self.cwd = kwargs.get("cwd", Path.cwd())
        await self._listening()
        return self.connection_info

    async def _listening(self) -> None:
        """Wait for the kernel's sockets: who connects too early tries again a tenth of a second later."""
        process: Any = self.process
        end = time.monotonic() + _LISTENS_WITHIN
        while self._sockets and time.monotonic() < end and process.poll() is None:
            if len([file for file in self._sockets.iterdir() if file.name != _CONNECTION]) >= _CHANNELS:
                return
            await asyncio.sleep(0.003)

    async def wait(self) -> int | None:
        """Wait for the kernel's end, looking more often than the ordinary ten times a second."""
        process: Any = self.process
        while isinstance(process, ForkedProcess) and process.poll() is None:
            await asyncio.sleep(0.01)
        return await super().wait()

    async def kill(self, restart: bool = False) -> None:
        """End the kernel at once; it is gone when this returns, so that nobody has to look again."""
        await super().kill(restart=restart)
        process: Any = self.process
        while isinstance(process, ForkedProcess) and process.poll() is None:
            await asyncio.sleep(0.005)

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the sockets of a kernel that does not come back."""
        await super().cleanup(restart=restart)
        if self._sockets and not restart:
            rmtree(self._sockets, ignore_errors=True)


def _forked(cmd: list[str], kwargs: dict[str, Any]) -> Any:
    """A forked kernel.

    Raises:
        ForkServerError: kernels cannot be forked.
    """
    if not available():
        raise ForkServerError("they can be forked on Linux only")
    # Interpreters of different environments are links to the same file: their folders tell them apart.
    if _LAUNCHER not in cmd or Path(cmd[0]).absolute().parent != Path(sys.executable).absolute().parent:
        raise ForkServerError(f"the kernel is started by {Path(cmd[0]).name}, not by this project's Python")
    if kwargs.get("independent"):
        raise ForkServerError("the kernel is to outlive this process")
    argv = cmd[cmd.index(_LAUNCHER) + 1 :]
    env = dict(kwargs.get("env") or os.environ)
    remembers = "JPY_SESSION_NAME" in env  # only a person's session is worth it
    if not remembers and not any(word.startswith(_HISTORY) for word in argv):
        argv = [*argv, f"{_HISTORY}=:memory:"]
    output = _descriptor(kwargs.get("stdout"), 1), _descriptor(kwargs.get("stderr"), 2)
    return fork(shared_or_own(), {"argv": argv}, env, str(kwargs.get("cwd") or Path.cwd()), output)


def _descriptor(stream: Any, default: int) -> int:
    if stream is None:
        return default
    if stream == subprocess.DEVNULL:
        return _nothing()
    number = stream if isinstance(stream, int) else stream.fileno()
    if number < 0:
        raise ForkServerError("its output is to be piped")
    return int(number)


def _nothing() -> int:
    global _null
    if _null < 0:
        _null = os.open(os.devnull, os.O_WRONLY)
    return _null


_null = -1


def _say_once(text: str) -> None:
    if text not in _said:
        _said.add(text)
        print(text, file=sys.stderr)
