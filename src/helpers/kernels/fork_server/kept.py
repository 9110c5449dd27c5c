"""A warm process that outlives commands: started and ended by hand, and used by all that could be its owner.

It serves only those who would have given it the same things to inherit: interpreter, packages, project,
locale, limits of the system. One that does not answer is passed over, and commands start their own.
"""

import contextlib
import hashlib
import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

from helpers.errors import CompendiumError
from helpers.kernels.fork_server.client import (
    KERNEL_ENVIRONMENT,
    ForkServerError,
    WarmProcess,
    answer,
    available,
    short_folder,
    start_server,
    told,
)
from helpers.kernels.fork_server.settings import KEPT_PREFIX
from helpers.project.paths import project_root
from helpers.project.sources import package_folder

_ANSWERS_WITHIN = 10.0  # seconds; while it loads it answers between two modules
_INHERITED = ("LANG", "LANGUAGE", "TZ")
_READ_AT_START = ("LC_", "PYTHON", "MPL")  # by the interpreter or a library


class KeepError(CompendiumError):
    """No warm process can be kept here; the message says why."""


def kept_process() -> WarmProcess | None:
    """The warm process that is kept for such a process as this one; None if there is none that answers."""
    if not available() or os.environ.get("CI"):
        return None
    folder = _folder()
    if not _is_private(folder) or not (folder / "socket").is_socket():
        return None
    process = WarmProcess(folder / "socket")
    return process if _answers(process) else None


def keep(minutes: float) -> None:
    """Start a warm process that ends when nobody has used it for some time.

    Args:
        minutes: that time.

    Raises:
        KeepError: there is one already, or it may not be kept here.
    """
    if not available():
        raise KeepError("A warm process is kept on Linux only; elsewhere kernels start the ordinary way.")
    if os.environ.get("CI"):
        raise KeepError("No warm process is kept in continuous integration: each job starts from nothing.")
    folder = _folder()
    lock = _lock(folder)
    try:
        (folder / "socket").unlink(missing_ok=True)  # of one that was killed
        _start(folder, lock, minutes)
    finally:
        os.close(lock)  # the process holds it from now on


def stop() -> bool:
    """End the warm process that is kept; whether there was one."""
    process = kept_process()
    if process is None:
        return False
    with contextlib.suppress(ForkServerError), told(str(process.socket), {"stop": True}):
        end = time.monotonic() + _ANSWERS_WITHIN
        while process.socket.exists() and time.monotonic() < end:
            time.sleep(0.02)
    return True


def _lock(folder: Path) -> int:
    """Descriptor of the lock that says that one is running here.

    One that has ended, or was killed, lets go of it a little after it has stopped to answer.
    """
    end = time.monotonic() + _ANSWERS_WITHIN
    while (lock := _lock_now(folder)) is None:
        if kept_process():
            raise KeepError("One is running already. To end it: compendium warm --stop")
        if time.monotonic() > end:
            raise KeepError(f"One is running that does not answer: end the process that holds {folder}/lock.")
        time.sleep(0.02)
    return lock


def _lock_now(folder: Path) -> int | None:
    """Take the lock; None while another process has it, or has just removed it with its folder."""
    import fcntl

    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if not _is_private(folder):
        if not os.path.lexists(folder):
            return None
        raise KeepError(f"{folder} belongs to somebody else, or others may look into it: remove it.")
    path = folder / "lock"
    with contextlib.suppress(FileNotFoundError):
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        with contextlib.suppress(BlockingIOError, FileNotFoundError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.stat().st_ino == os.fstat(lock).st_ino:
                return lock
        os.close(lock)
    return None


def _start(folder: Path, lock: int, minutes: float) -> None:
    with (folder / "log").open("wb") as log:
        start_server(
            folder / "socket",
            str(60 * minutes),
            str(lock),
            stdin=subprocess.DEVNULL,
            output=log,
            inherited=[lock],
            cwd="/",
        )


def _answers(process: WarmProcess) -> bool:
    try:
        with told(str(process.socket), {"tell": "alive"}, within=_ANSWERS_WITHIN) as connection:
            return bool(answer(connection).get("alive"))
    except ForkServerError:
        return False


def _is_private(folder: Path) -> bool:
    """Whether a folder is this user's alone, and no link to another one."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def _folder() -> Path:
    """Folder of the warm process for such a process as this one."""
    import resource

    root = project_root()
    packages = [path for path in map(Path, sys.path) if path.is_dir()]
    lock = root / "uv.lock"
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in _INHERITED or (name.startswith(_READ_AT_START) and name not in KERNEL_ENVIRONMENT)
    }
    inherited = {
        "interpreter": [sys.executable, sys.version, sys.prefix],
        "places": [str(root), str(package_folder())],
        "packages": [[str(path), path.stat().st_mtime_ns] for path in packages],
        "lock": hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else "",
        "environment": environment,
        "limits": [resource.getrlimit(number) for number in range(16)],
        "priority": os.getpriority(os.PRIO_PROCESS, 0),
        "umask": _umask(),
    }
    key = hashlib.sha256(json.dumps(inherited, sort_keys=True).encode()).hexdigest()[:16]
    return Path(short_folder()) / f"{KEPT_PREFIX}{os.getuid()}-{key}"


def _umask() -> str:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next((line for line in lines if line.startswith("Umask:")), "")
