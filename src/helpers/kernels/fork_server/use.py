"""Which warm process a command uses: one that is kept running, or one of its own."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from helpers.kernels.fork_server.client import (
    PROVISIONER,
    PROVISIONER_VARIABLE,
    SOCKET_VARIABLE,
    ForkServer,
    WarmProcess,
    available,
    undecided,
)
from helpers.kernels.fork_server.kept import kept_process


@contextmanager
def forked_kernels(*, at_once: bool = True) -> Iterator[WarmProcess | None]:
    """Have the kernels that this process and its children start forked from a warm process.

    That is the one which the environment names, or which ``compendium warm --keep`` has left running, if any;
    otherwise one of its own.

    Where that is not possible the block runs all the same, with ordinary kernels; so it does if another
    provisioner has been chosen by ``JUPYTER_DEFAULT_PROVISIONER_NAME``.

    Args:
        at_once: start the warm process now; otherwise with the first kernel.
    """
    if not undecided():
        named = Path(os.environ.get(SOCKET_VARIABLE, os.devnull))
        ours = os.environ.get(PROVISIONER_VARIABLE, PROVISIONER) == PROVISIONER
        yield WarmProcess(named) if ours and named.is_socket() else None
        return
    process = kept_process() or (ForkServer() if at_once and available() else None)
    changed = {PROVISIONER_VARIABLE: PROVISIONER} | (
        {SOCKET_VARIABLE: str(process.socket)} if process else {}
    )
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield process
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        close_own()
        if process:
            process.close()


@contextmanager
def forked_steps() -> Iterator[WarmProcess | None]:
    """Have the functions of a run, and kernels if it needs any, forked from a warm process of this process.

    It loads beside what this process does, so there is none on a machine with one processor; nor where
    :func:`forked_kernels` would start none, or has given one already.
    """
    if not undecided() or not available() or os.cpu_count() == 1:
        yield None
        return
    process = ForkServer(steps_first=True)
    os.environ[SOCKET_VARIABLE] = str(process.socket)
    try:
        yield process
    finally:
        os.environ.pop(SOCKET_VARIABLE, None)
        process.close()


def turn_into(command: list[str]) -> NoReturn:
    """Replace this process by a command whose kernels, and those of its children, are forked.

    The warm process ends with the command, unless it is a kept one.

    Raises:
        OSError: the command cannot be started.
    """
    os.environ.setdefault(PROVISIONER_VARIABLE, PROVISIONER)
    process: WarmProcess | None = None
    if available() and undecided():
        process = kept_process()
        if process is None:
            process = own = ForkServer()
            own.hand_over()
        os.environ[SOCKET_VARIABLE] = str(process.socket)
    sys.stdout.flush()
    try:
        os.execvp(command[0], command)
    except OSError:
        if process:
            process.close()
        raise


def shared_or_own() -> str:
    """Address of the warm process that the environment names, or of one of this process's own."""
    global _own
    shared = os.environ.get(SOCKET_VARIABLE)
    if shared and Path(shared).exists():
        return shared
    with _lock:
        if _own is None or not _own.alive():
            _own = ForkServer()
        return str(_own.socket)


def close_own() -> None:
    """End the warm process that :func:`shared_or_own` has started, if any.

    >>> close_own()
    """
    global _own
    with _lock:
        if _own is not None:
            _own.close()
            _own = None


_own: ForkServer | None = None
_lock = threading.Lock()
