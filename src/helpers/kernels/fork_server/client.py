"""Start a warm process, and ask it for processes."""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

SOCKET_VARIABLE = "COMPENDIUM_FORK_SERVER"
PROVISIONER_VARIABLE = "JUPYTER_DEFAULT_PROVISIONER_NAME"
PROVISIONER = "fork-provisioner"
# One thread per kernel: several kernels share the machine, and sums do not depend on the number of cores.
KERNEL_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
# Read when interpreter and libraries start: a forked kernel has those of the warm process. No result depends
# on the hash seed, so a run leaves it to chance and to whoever sets it.
READ_AT_START = (*KERNEL_ENVIRONMENT, "PYTHONHASHSEED")
# Arrow's allocator would start a thread, which a forked process lacks.
_WITHOUT_THREADS = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}
# A busy machine is slow, not broken. What has died is noticed at once by other means; this only ends waiting
# for what neither works nor dies.
PATIENCE_SECONDS = 1800.0
PREFIXES = ("warm-", "kernel-")
_SERVER_COMMAND = (sys.executable, "-P", "-m", "helpers.kernels.fork_server.server")


class ForkServerError(RuntimeError):
    """No kernel was to be had from the warm process."""


def available() -> bool:
    """Whether kernels can be forked here: forking a process with loaded libraries is safe on Linux only.

    >>> import sys
    >>> available() == sys.platform.startswith("linux")
    True
    """
    return sys.platform == "linux"


def undecided() -> bool:
    """Whether nobody has chosen how kernels start: neither another provisioner nor a process that forks them.

    >>> isinstance(undecided(), bool)
    True
    """
    chosen = os.environ.get(PROVISIONER_VARIABLE, PROVISIONER)
    return chosen == PROVISIONER and not os.environ.get(SOCKET_VARIABLE)


def start_server(
    address: Path,
    *arguments: str,
    stdin: int,
    output: "int | IO[bytes]",
    inherited: Sequence[int] = (),
    cwd: str | None = None,
) -> "subprocess.Popen[bytes]":
    """Start a warm process that takes requests at an address from now on; they wait for its imports.

    Args:
        address: its socket, which must not exist.
        arguments: further arguments of it.
        stdin, output: where it reads and writes, as for :class:`subprocess.Popen`.
        inherited: descriptors that it gets.
        cwd: folder that it runs in; by default the present one.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(address))
        listener.listen(128)
        return subprocess.Popen(
            [*_SERVER_COMMAND, str(listener.fileno()), *arguments],
            stdin=stdin,
            stdout=output,
            stderr=output,
            env=dict(os.environ) | KERNEL_ENVIRONMENT | _WITHOUT_THREADS,
            cwd=cwd,
            pass_fds=[listener.fileno(), *inherited],
            start_new_session=True,
        )


def private_folder(prefix: str) -> Path:
    """Make a folder for sockets, which only this user may look into; its name tells the process.

    >>> made = private_folder("example-")
    >>> oct(made.stat().st_mode & 0o777)
    '0o700'
    >>> made.rmdir()
    """
    return Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", dir=short_folder()))


def short_folder() -> str:
    """Folder for sockets, whose names may have about 100 characters: fewer than some systems' own need."""
    return "/tmp" if Path("/tmp").is_dir() else tempfile.gettempdir()


def sweep_private_folders(prefixes: Sequence[str] = PREFIXES) -> None:
    """Remove folders of processes of this user that were killed before they could do so.

    >>> left = private_folder("example-")
    >>> sweep_private_folders(["example-"])
    >>> left.is_dir()  # this process lives
    True
    >>> left.rmdir()
    """
    for prefix in prefixes:
        for folder in Path(short_folder()).glob(f"{prefix}*-*"):
            number = folder.name.removeprefix(prefix).partition("-")[0]
            with contextlib.suppress(OSError):
                if number.isdigit() and folder.stat().st_uid == os.getuid() and not _runs(int(number)):
                    shutil.rmtree(folder, ignore_errors=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class WarmProcess:
    """A process that has the libraries loaded, or is loading them.

    Attributes:
        socket: where it takes requests.
    """

    def __init__(self, socket: Path) -> None:
        self.socket = socket

    def wait_until_loaded(self, given_up: threading.Event | None = None) -> bool:
        """Wait for the end of the imports; returns False if ``given_up`` is set before.

        Raises:
            ForkServerError: it does not answer.
        """
        end = time.monotonic() + PATIENCE_SECONDS
        with told(str(self.socket), {"tell": "loaded"}) as connection:
            while not select.select([connection], [], [], 0.1)[0]:
                if given_up and given_up.is_set():
                    return False
                if time.monotonic() > end:
                    raise ForkServerError("the warm process does not answer (it is still loading)")
            answer(connection)
        return True

    def close(self) -> None:
        """End it, if it ends with its user."""


class ForkServer(WarmProcess):
    """A warm process that ends with its owner.

    Starting it returns at once. The imports go on meanwhile, and a kernel asked for before they are done has
    those that are: it makes up for the others when it needs them.

    Args:
        steps_first: whether it is to load what the functions of a run need, and what notebooks use only when
            it is asked for.
    """

    def __init__(self, *, steps_first: bool = False) -> None:
        self._folder = private_folder(PREFIXES[0])
        super().__init__(self._folder / "socket")
        first = ["steps"] if steps_first else []
        self._process = start_server(self.socket, *first, stdin=subprocess.PIPE, output=subprocess.DEVNULL)

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def hand_over(self) -> None:
        """Let it live as long as this process and the programme that this process turns into."""
        assert self._process.stdin is not None
        os.set_inheritable(self._process.stdin.fileno(), True)

    def close(self) -> None:
        """End it and the kernels that it forked."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]
        try:
            self._process.wait(timeout=0.2)  # it may still be importing, and has nothing to lose
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


class ForkedProcess:
    """A process forked by a warm one; has what Jupyter uses of :class:`subprocess.Popen`."""

    stdin: IO[bytes] | None = None
    stdout: IO[bytes] | None = None
    stderr: IO[bytes] | None = None

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self._connection = connection
        self._received = b""
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Exit status, or None while it runs."""
        if self.returncode is None:
            self._look(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Exit status, once it has ended.

        Raises:
            subprocess.TimeoutExpired: it runs still after ``timeout`` seconds.
        """
        while self.returncode is None:
            if not self._look(timeout):
                raise subprocess.TimeoutExpired("forked process", timeout or 0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Signal it and its children."""
        if self.poll() is None:
            with contextlib.suppress(OSError):
                self._connection.sendall(json.dumps({"signal": int(number)}).encode() + b"\n")

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def _look(self, timeout: float | None) -> bool:
        """Take in what the warm process has said; whether it said anything in time."""
        if not select.select([self._connection], [], [], timeout)[0]:
            return False
        try:
            data = self._connection.recv(4096)
        except OSError:
            data = b""
        self._received += data
        if b"\n" in self._received:
            self.returncode = int(json.loads(self._received.split(b"\n")[0])["status"])
        elif not data:  # the warm process has gone, and its kernels with it
            self.returncode = -int(signal.SIGKILL)
        if self.returncode is not None:
            self._connection.close()
        return True


def fork(
    address: str, task: Mapping[str, Any], env: Mapping[str, str], cwd: str, output: tuple[int, int]
) -> ForkedProcess:
    """Ask the warm process at ``address`` for a process.

    Args:
        address: its socket.
        task: ``argv`` of a kernel, or the order of a ``call`` (see :mod:`helpers.kernels.call`).
        env: its environment.
        cwd: folder that it starts in.
        output: file descriptors for its standard output and errors.

    Raises:
        ForkServerError: the warm process does not answer, or cannot give such a process.
    """
    connection = told(address, {**task, "env": dict(env), "cwd": cwd}, output)
    said = answer(connection)
    if "pid" not in said:
        connection.close()
        raise ForkServerError(said.get("refused", "no process was forked"))
    connection.settimeout(None)
    return ForkedProcess(connection, int(said["pid"]))


def told(
    address: str,
    message: Mapping[str, Any],
    descriptors: Sequence[int] = (),
    within: float = PATIENCE_SECONDS,
) -> socket.socket:
    """A connection to a warm process that has been sent a message; it may keep silent for so many seconds.

    Raises:
        ForkServerError: it is not there.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(within)
    with _closed_unless_answered(connection):
        connection.connect(address)
        line = json.dumps(message).encode() + b"\n"
        sent = socket.send_fds(connection, [line], list(descriptors))
        if sent < len(line):  # it may have answered and hung up already
            connection.sendall(line[sent:])
    return connection


def answer(connection: socket.socket) -> dict[str, Any]:
    """What the warm process says to a message; the connection is closed if it says nothing.

    Raises:
        ForkServerError: it does not answer.
    """
    with _closed_unless_answered(connection):
        return _line(connection)


@contextmanager
def _closed_unless_answered(connection: socket.socket) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        connection.close()
        raise ForkServerError(f"the warm process does not answer ({error})") from None


def _line(connection: socket.socket) -> dict[str, Any]:
    received = b""
    while not received.endswith(b"\n"):
        byte = connection.recv(1)  # no further: what comes after the line is the kernel's end
        if not byte:
            raise ValueError("it has ended")
        received += byte
    answer: dict[str, Any] = json.loads(received)
    return answer
