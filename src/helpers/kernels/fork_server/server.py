"""The warm process: ``python -P -m helpers.kernels.fork_server.server DESCRIPTOR [steps | SECONDS LOCK]``.

It is given the descriptor of a listening socket, imports the libraries once and forks a process for each
request: a kernel, or one that calls a function. A request is one line of JSON (``env``, ``cwd`` and the
``argv`` of a kernel or the order of a ``call``) with two file descriptors for what the process writes. The
answer is ``{"pid": ...}`` and, when it has ended, ``{"status": ...}`` on the same connection;
``{"signal": ...}`` asks for a signal to it and its children. It lives no longer than its connection, and the
warm process no longer than its standard input, which whoever started it holds open. A request that comes
while libraries are still being imported is not kept waiting; ``{"tell": "loaded"}`` is answered when all that
notebooks use are, ``{"tell": "alive"}`` at once.

With ``steps`` it is to serve a run of which perhaps only documents are made anew: it loads what these need,
and what notebooks use when somebody asks whether that is loaded.

With ``SECONDS`` it is one that outlives commands (:mod:`helpers.kernels.fork_server.kept`): it ends when
nobody has used it for so long, or is told ``{"stop": true}``, and holds the descriptor ``LOCK`` so that there
is one.
"""

import array
import atexit
import contextlib
import gc
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from helpers.kernels.call import call_function
from helpers.kernels.exit import exit_process
from helpers.kernels.fork_server.client import READ_AT_START
from helpers.kernels.fork_server.preload import (
    INLINE,
    PreloadError,
    forget_changed,
    package_files,
    preload,
    preload_commands,
    preload_steps,
    prepare_fork,
)

MAX_REQUEST = 1 << 20


class _Connection:
    """One forked process, from request to end."""

    def __init__(self, stream: socket.socket) -> None:
        self.stream = stream
        self.waiting = b""
        self.descriptors: list[int] = []
        self.pid = 0

    def receive(self) -> list[dict[str, Any]] | None:
        """Messages that have arrived whole; None when the other side has gone."""
        try:
            data, ancillary, _, _ = self.stream.recvmsg(MAX_REQUEST, socket.CMSG_SPACE(2 * 4))
        except OSError:
            return None
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                numbers = array.array("i")
                numbers.frombytes(content[: len(content) - len(content) % numbers.itemsize])
                self.descriptors += list(numbers)
        if not data:
            return None
        *lines, self.waiting = (self.waiting + data).split(b"\n")
        try:
            messages = [json.loads(line) for line in lines]
        except ValueError:  # whoever says such a thing is not heard any further
            return None
        return messages if all(isinstance(message, dict) for message in messages) else None

    def send(self, **message: Any) -> None:
        """Tell the other side; it may have gone."""
        with contextlib.suppress(OSError):
            self.stream.sendall(json.dumps(message).encode() + b"\n")

    def close_descriptors(self) -> None:
        """Close the descriptors that came with the request."""
        while self.descriptors:
            os.close(self.descriptors.pop())


class Server:
    """Forks kernels on request.

    Args:
        listener: where requests come in.
        idle_seconds: ends when it has not been used for so long; by default when standard input ends.
        inherited: descriptors that the forked processes must not have.
        steps_first: load what notebooks use only when somebody asks for it.
    """

    def __init__(
        self,
        listener: socket.socket,
        idle_seconds: float | None = None,
        inherited: Sequence[int] = (),
        *,
        steps_first: bool = False,
    ) -> None:
        self._listener = listener
        self._idle_seconds, self._inherited = idle_seconds, inherited
        self._steps_first, self._notebooks_wanted = steps_first, not steps_first
        self._used, self._over = time.monotonic(), False
        self._selector = selectors.DefaultSelector()
        self._connections: set[_Connection] = set()
        self._curious: list[_Connection] = []
        self._files = package_files()
        self._loaded = self._idle = False

    def serve(self) -> None:
        """Import the libraries, and answer requests as they come."""
        awake, wake = os.pipe()
        os.set_blocking(awake, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        owner = [sys.stdin] if self._idle_seconds is None else []
        for each in (self._listener, awake, *owner):
            self._selector.register(each, selectors.EVENT_READ)
        loading = self._loading()
        while not self._over:
            ready = self._selector.select(self._patience() if self._idle else 0)
            if not ready and not self._idle:
                self._idle = next(loading, True)
            self._over = not ready and self._idle and self._patience() == 0
            for key, _ in ready:
                if key.fileobj is sys.stdin:
                    self._end_all()
                    return
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj == awake:
                    with contextlib.suppress(BlockingIOError):
                        os.read(awake, 4096)
                    self._reap()
                else:
                    self._attend(key.data)

    def _patience(self) -> float | None:
        """Seconds to wait for a request before the end; None: for ever."""
        if self._idle_seconds is None:
            return None
        if any(connection.pid for connection in self._connections):
            self._used = time.monotonic()
        return max(0.0, self._used + self._idle_seconds - time.monotonic())

    def _loading(self) -> Iterator[bool]:
        """Load everything, a module at a time; yields whether there is nothing to do for the moment."""
        if self._steps_first:
            for _ in preload_steps():
                yield False
        while not self._notebooks_wanted:
            yield True
        for _ in preload():
            yield False
        self._loaded = True
        self._tell_curious()
        if not self._steps_first:
            for _ in preload_steps():
                yield False
        if self._idle_seconds is not None:
            for _ in preload_commands():
                yield False

    def _tell_curious(self) -> None:
        while self._curious:
            connection = self._curious.pop()
            connection.send(loaded=True)
            self._drop(connection)

    def _accept(self) -> None:
        self._used = time.monotonic()
        connection = _Connection(self._listener.accept()[0])
        self._connections.add(connection)
        self._selector.register(connection.stream, selectors.EVENT_READ, connection)

    def _attend(self, connection: _Connection) -> None:
        messages = connection.receive()
        if messages is None:
            self._signal(connection, signal.SIGKILL)
            self._drop(connection)
            return
        for message in messages:
            if "signal" in message:
                with contextlib.suppress(TypeError, ValueError, OSError):  # no number of a signal
                    self._signal(connection, signal.Signals(message["signal"]))
            elif message.get("tell") == "alive":
                connection.send(alive=True)
            elif "stop" in message and self._idle_seconds is not None:
                self._over = True
                self._end_all()
            elif "tell" in message:
                self._curious.append(connection)
                if self._loaded:
                    self._tell_curious()
                elif not self._notebooks_wanted:
                    self._notebooks_wanted, self._idle = True, False
            else:
                self._fork(connection, message)

    def _fork(self, connection: _Connection, request: dict[str, Any]) -> None:
        if reason := _unsuitable(request):
            connection.close_descriptors()
            connection.send(refused=reason)
            return
        server = os.getpid()
        connection.pid = os.fork()
        if not connection.pid:
            descriptors = connection.descriptors
            self._selector.close()
            signal.set_wakeup_fd(-1)
            for other in self._connections:
                other.stream.close()
            self._listener.close()
            for number in self._inherited:
                os.close(number)
            _become(request, descriptors, server, self._files)
        connection.close_descriptors()
        connection.send(pid=connection.pid)

    def _signal(self, connection: _Connection, number: int) -> None:
        """Signal the kernel's process group; a process not yet reaped keeps its number to itself."""
        if not connection.pid:
            return
        try:
            os.killpg(connection.pid, number)
        except ProcessLookupError:  # just forked, it has not made its group yet
            with contextlib.suppress(ProcessLookupError):
                os.kill(connection.pid, number)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            for connection in [each for each in self._connections if each.pid == pid]:
                connection.pid = 0
                connection.send(status=os.waitstatus_to_exitcode(status))
                self._drop(connection)

    def _drop(self, connection: _Connection) -> None:
        if connection in self._connections:
            self._connections.discard(connection)
            self._selector.unregister(connection.stream)
            connection.close_descriptors()
            connection.stream.close()

    def _end_all(self) -> None:
        for connection in self._connections:
            self._signal(connection, signal.SIGKILL)


def _unsuitable(request: dict[str, Any]) -> str:
    """Why this process cannot give the kernel that is asked for; empty if it can."""
    if not _is_whole(request):
        return "the request is not whole"
    for name in READ_AT_START:
        wanted, own = request["env"].get(name), os.environ.get(name)
        if wanted is not None and wanted != own:
            return f"{name} is {wanted}, in the warm process {own}"
    try:
        prepare_fork()
    except PreloadError as error:
        return str(error)
    return ""


def _is_whole(request: dict[str, Any]) -> bool:
    env, argv, call = request.get("env"), request.get("argv"), request.get("call")
    texts = isinstance(env, dict) and all(isinstance(value, str) for value in env.values())
    asked = isinstance(call, dict) or (isinstance(argv, list) and all(isinstance(each, str) for each in argv))
    return texts and asked and isinstance(request.get("cwd"), str)


def _become(request: dict[str, Any], output: list[int], server: int, files: dict[str, float]) -> None:
    """Turn the forked process into what was asked for; does not return."""
    status = 1
    try:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL if number != signal.SIGINT else signal.default_int_handler)
        _redirect(output)
        fixed = {name: os.environ[name] for name in READ_AT_START if name in os.environ}
        os.environ.clear()
        os.environ.update(request["env"] | fixed | {"JPY_PARENT_PID": str(server)})
        os.environ.setdefault("MPLBACKEND", f"module://{INLINE}")
        sys.path[:0] = [path for path in _python_path() if path not in sys.path]
        os.chdir(request["cwd"])
        gc.enable()  # libraries may still be loading, without
        forget_changed(files)
        if "call" in request:
            sys.stdout.reconfigure(line_buffering=sys.stdout.isatty())  # type: ignore[union-attr]
            call_function(request["call"])
        else:
            _run_kernel(request["argv"], server)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc(file=sys.__stderr__)  # a kernel has put its own in place of the other
    finally:
        exit_process(status)


def _python_path() -> list[str]:
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]


def _redirect(output: list[int]) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in zip((nothing, *output), (0, 1, 2), strict=True):
        os.dup2(source, target)
    for descriptor in (nothing, *output):
        if descriptor > 2:
            os.close(descriptor)


def _run_kernel(argv: list[str], server: int) -> None:
    import numpy as np
    from ipykernel.kernelapp import IPKernelApp

    np.random.seed()  # noqa: NPY002  # as in a fresh process; notebooks that need a seed set it
    sys.argv = ["ipykernel_launcher", *argv]
    application = IPKernelApp.instance(parent_handle=server)
    application.initialize(argv)
    application.start()
    # At its end it would join a thread that now and then waits for it in turn; the process ends either way.
    atexit.unregister(application.close)


def main() -> None:
    """Serve at the listening socket whose file descriptor is the argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started it
    listener = socket.socket(fileno=int(sys.argv[1]))
    path = Path(listener.getsockname())
    steps_first = sys.argv[2:] == ["steps"]
    idle, *lock = sys.argv[2:] if sys.argv[2:] and not steps_first else (None,)
    seconds, inherited = None if idle is None else float(idle), [int(number) for number in lock]
    try:
        Server(listener, seconds, inherited, steps_first=steps_first).serve()
    finally:
        shutil.rmtree(path.parent, ignore_errors=True)
    exit_process(0)


if __name__ == "__main__":
    main()
