"""A warm process that outlives commands: used by those that could be its owner, invisible where it fails."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from helpers.commands import entry
from helpers.kernels.fork_server import kept
from helpers.kernels.fork_server.client import (
    PROVISIONER_VARIABLE,
    SOCKET_VARIABLE,
    ForkServerError,
    available,
    fork,
    told,
)

pytestmark = pytest.mark.skipif(not available(), reason="kernels are forked on Linux only")

ASK = f"import os; print(os.environ.get('{SOCKET_VARIABLE}'))"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project without notebooks, so that little is loaded, and a folder for sockets of the test's own."""
    sockets = Path("/tmp") / f"k{os.getpid()}-{time.monotonic_ns() % 10**6}"
    sockets.mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "rdmas-compendium"\n')
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setenv("COMPENDIUM_PROJECT", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv(SOCKET_VARIABLE, raising=False)
    monkeypatch.setattr(kept, "short_folder", lambda: str(sockets))
    yield sockets
    kept.stop()
    shutil.rmtree(sockets)


def command(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name != SOCKET_VARIABLE} | variables
    line = [sys.executable, "-m", "helpers.commands.cli", "warm", *arguments]
    return subprocess.run(line, env=env, capture_output=True, text=True, check=False)


def pid_of_a_kernel(address: Path, folder: Path) -> int:
    """Have a process forked, and wait for its end; the number of the process that forked it."""
    answer = folder / "answer"
    order = {
        "function": "subprocess:check_call",
        "arguments": {"args": ["/bin/sh", "-c", f"echo $PPID > {answer}"]},
    }
    with Path(os.devnull).open("w") as nothing:
        process = fork(
            str(address), {"call": {**order, "paths": []}}, os.environ, str(folder), (nothing.fileno(),) * 2
        )
        assert process.wait(timeout=60) == 0
    return int(answer.read_text())


def test_from_the_command_to_its_end(tmp_path: Path) -> None:
    """As a user does it; a variable of its own keeps the test apart from a process that is really kept."""
    own = {"PYTHONUSERBASE": str(tmp_path), "CI": ""}
    try:
        assert "Kept until" in command("--keep", "5", **own).stdout
        again = command("--keep", "5", **own)
        assert again.returncode == 1
        assert "compendium warm --stop" in again.stderr
        used = command(sys.executable, "-c", ASK, **own).stdout.strip()
        assert "/compendium-warm-" in used
        assert command(sys.executable, "-c", ASK, **own).stdout.strip() == used
        other = command(sys.executable, "-c", ASK, **own, TZ="Asia/Shanghai").stdout.strip()
        assert other != used, "another time zone would be inherited"
        folder = Path(used).parent
        assert folder.stat().st_mode & 0o777 == 0o700
    finally:
        ended = command("--stop", **own)
    assert ended.stdout == "Ended.\n"
    assert not folder.exists()
    assert command("--stop", **own).stdout == "None is kept running.\n"


def test_it_serves_several_clients(place: Path, tmp_path: Path) -> None:
    kept.keep(30)
    process = kept.kept_process()
    assert process is not None
    assert process.wait_until_loaded()
    assert pid_of_a_kernel(process.socket, tmp_path) > 1
    assert pid_of_a_kernel(process.socket, tmp_path) > 1


def test_a_command_is_carried_out_by_it_and_says_the_same(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(entry, "_something_is_kept", lambda: True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cohort").mkdir()
    words = (["check", "cohort"], ["run", "nowhere"], ["status", "--nonsense"], ["export", "-h"])
    here = [[command_here(*each), capfd.readouterr()] for each in words]
    assert [entry.carried_out_elsewhere(each) for each in words] == [None] * 4, "none is kept"
    kept.keep(30)
    assert kept.kept_process().wait_until_loaded()
    for each, (status, said) in zip(words, here, strict=True):
        assert entry.carried_out_elsewhere(each) == status
        assert capfd.readouterr() == said
    for each in (["new", "a"], ["lab"], ["warm", "true"], ["--version"], []):
        assert entry.carried_out_elsewhere(each) is None
    monkeypatch.setenv(PROVISIONER_VARIABLE, "local-provisioner")
    assert entry.carried_out_elsewhere(words[0]) is None


def command_here(*words: str) -> int:
    """Carry a command out in a new process, which writes where this one does; its exit status."""
    line = [sys.executable, "-c", "from helpers.commands.cli import app; app(prog_name='compendium')", *words]
    return subprocess.run(line, check=False).returncode


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_command_that_it_carries_out_ends_as_whoever_gave_it_says(
    tmp_path: Path, number: int, status: int
) -> None:
    own = {"PYTHONUSERBASE": str(tmp_path), "CI": ""}
    env = {name: value for name, value in os.environ.items() if name != SOCKET_VARIABLE} | own
    line = [sys.executable, "-m", "helpers", "run", "--output", str(tmp_path / "output")]
    try:
        command("--keep", "5", **own)
        with subprocess.Popen(
            line, env=env, stdout=subprocess.PIPE, text=True, preexec_fn=_as_in_the_foreground
        ) as client:
            assert client.stdout is not None
            assert "01_data_cleaning" in client.stdout.readline()
            client.send_signal(number)
            assert client.wait(600) == status
        with (tmp_path / "output" / ".compendium" / "lock").open("w") as lock:
            end = time.monotonic() + 600
            while not _free(lock):
                assert time.monotonic() < end, "the run goes on"
                time.sleep(0.05)
        made = {path.name for path in (tmp_path / "output" / "results").rglob("*.*")}
        assert made <= {"provenance.json"}, "no notebook was let end"
    finally:
        command("--stop", **own)


def _as_in_the_foreground() -> None:
    """Heed Ctrl-C also where these tests run in the background, in which it is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _free(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def test_it_ends_when_nobody_has_used_it(place: Path) -> None:
    """Nothing is asked of it before: on a busy machine it may have ended by then."""
    kept.keep(0.03)
    address = kept._folder() / "socket"
    end = time.monotonic() + 600
    while address.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not address.exists()
    assert kept.kept_process() is None


@pytest.mark.parametrize(
    "message",
    [
        b"no json\n",
        b"[1]\n",
        b"{}\n",
        b'{"env": 1}\n',
        b'{"signal": "x"}\n',
        b'{"env": {}, "cwd": "/", "argv": [1]}\n',
    ],
)
def test_a_bad_message_does_not_end_it(place: Path, tmp_path: Path, message: bytes) -> None:
    kept.keep(30)
    process = kept.kept_process()
    assert process is not None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(str(process.socket))
        client.sendall(message)
    assert pid_of_a_kernel(process.socket, tmp_path) > 1


def test_one_that_was_killed_is_passed_over_and_can_be_started_again(place: Path, tmp_path: Path) -> None:
    kept.keep(30)
    process = kept.kept_process()
    assert process is not None
    number = next(
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if str(os.getpid()) not in path.parts and _serves(path, process.socket)
    )
    os.kill(number, signal.SIGKILL)
    end = time.monotonic() + 30
    while kept.kept_process() is not None and time.monotonic() < end:
        time.sleep(0.02)
    assert process.socket.exists(), "nobody has cleaned up behind it"
    assert kept.kept_process() is None
    with pytest.raises(ForkServerError):
        told(str(process.socket), {"tell": "alive"})
    kept.keep(30)
    assert kept.kept_process() is not None


def test_a_lock_is_waited_for_that_a_killed_one_has_not_yet_let_go(place: Path) -> None:
    folder = kept._folder()
    with _holding_the_lock(folder, "0.5"):
        kept.keep(30)
    assert kept.kept_process() is not None


def test_one_that_holds_the_lock_and_never_answers_is_named(place: Path, monkeypatch) -> None:
    monkeypatch.setattr(kept, "_ANSWERS_WITHIN", 0.2)
    folder = kept._folder()
    with (
        _holding_the_lock(folder, "600"),
        pytest.raises(kept.KeepError, match=rf"does not answer.*{folder}/lock"),
    ):
        kept.keep(30)


def test_a_lock_of_a_folder_that_has_gone_is_none(place: Path, monkeypatch) -> None:
    """One that ends removes its folder: whoever has opened the lock before holds a file that nobody sees."""
    folder = kept._folder()
    opened = os.open

    def removed_meanwhile(path: Path, *arguments: int) -> int:
        number = opened(path, *arguments)
        monkeypatch.setattr(os, "open", opened)
        shutil.rmtree(folder)
        return number

    monkeypatch.setattr(os, "open", removed_meanwhile)
    kept.keep(30)
    assert kept.kept_process() is not None
    assert (folder / "lock").exists()


@contextmanager
def _holding_the_lock(folder: Path, seconds: str) -> Iterator[None]:
    """Another process has the lock of a folder for some time, or until the end of the block."""
    folder.mkdir(mode=0o700)
    code = (
        "import fcntl, sys, time; file = open(sys.argv[1], 'w'); fcntl.flock(file, fcntl.LOCK_EX);"
        "print('held', flush=True); time.sleep(float(sys.argv[2]))"
    )
    line = [sys.executable, "-c", code, str(folder / "lock"), seconds]
    with subprocess.Popen(line, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        try:
            yield
        finally:
            holder.kill()


def _serves(cmdline: Path, address: Path) -> bool:
    """Whether a process is the one that listens there."""
    try:
        words = cmdline.read_bytes().split(b"\0")
        inodes = {str(link.readlink()) for link in (cmdline.parent / "fd").iterdir()}
    except OSError:
        return False
    return b"helpers.kernels.fork_server.server" in words and str(address.parent / "lock") in inodes


@pytest.mark.parametrize("fault", ["open to others", "a link", "a file", "nobody listens", "silent"])
def test_what_cannot_be_trusted_is_passed_over(place: Path, tmp_path: Path, monkeypatch, fault: str) -> None:
    folder = kept._folder()
    assert folder.parent == place
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with listener:
        if fault == "a file":
            folder.write_text("")
        elif fault == "a link":
            (place / "elsewhere").mkdir(mode=0o700)
            folder.symlink_to(place / "elsewhere")
        else:
            folder.mkdir(mode=0o755 if fault == "open to others" else 0o700)
        if fault not in {"a file"}:
            listener.bind(str(folder / "socket"))
        if fault in {"silent", "open to others", "a link"}:
            listener.listen()
        monkeypatch.setattr(kept, "_ANSWERS_WITHIN", 0.2)
        assert kept.kept_process() is None
        if fault in {"open to others", "a link", "a file"}:
            with pytest.raises(kept.KeepError, match="belongs to somebody else"):
                kept.keep(30)


def test_none_is_kept_in_continuous_integration(place: Path, monkeypatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(kept.KeepError, match="continuous integration"):
        kept.keep(30)
    assert kept.kept_process() is None
    assert list(place.iterdir()) == []
