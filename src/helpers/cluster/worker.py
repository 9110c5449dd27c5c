"""What a worker of a Dask cluster does: execute one step under the settings of the run that sent it.

Everything here runs in the worker's process; the notebook runs in a kernel that this process starts.
Settings hold while a step is under way and are put back afterwards, so a worker serves runs with different
outputs one after the other.
"""

import contextlib
import json
import os
import platform
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import distributions, requires
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from psutil import Error as PsutilError  # type: ignore[import-untyped]
from psutil import Process, process_iter

from helpers.kernels.execute import NotebookFailedError
from helpers.kernels.pool import KernelPool
from helpers.project.paths import PROJECT_NAME, PROJECT_VARIABLE, CohortPaths, notebooks_dir, state_dir
from helpers.project.sources import digest_file, digest_value, files_matching, package_folder, source_files
from helpers.run.plan import Step, locate
from helpers.run.steps import StepFailedError, execute_step

MARK_VARIABLE = "COMPENDIUM_WORKER"
VISIBLE_WITHIN = 300.0  # seconds that a shared folder may take to show a file of another machine

_CODE = ("helpers.cluster.worker",)


@dataclass(frozen=True)
class Order:
    """One step to execute.

    Attributes:
        step: the step; its arguments are a plain dictionary, which can be sent.
        paths: the cohort's folders.
        values: what is put into the notebook.
        settings: environment variables of the kernel.
        run: identifies the run.
        expected: what :func:`describe` must find on the worker.
        inputs: SHA-256 of each file that the step reads, as the sender sees it.
    """

    step: Step
    paths: CohortPaths
    values: Mapping[str, Any]
    settings: dict[str, str]
    run: str
    expected: Mapping[str, Any]
    inputs: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What became of an order: ``failure`` in words, or the SHA-256 of each file written."""

    failure: str = ""
    products: Mapping[str, str] | None = None


def fulfil(order: Order) -> Answer:
    """Execute an order; a failure is an answer, not an exception, which Dask would try to send back."""
    if difference := _unfit(order.expected, order.settings[PROJECT_VARIABLE]):
        return Answer(f"the worker on {_HOST} differs: {'; '.join(difference)}")
    with _settings.hold(order.settings | {MARK_VARIABLE: _MARK}, order.run):
        if unseen := await_files(order.inputs):
            return Answer(f"{_HOST} does not see the files that {order.step.name} reads: {unseen}")
        try:
            pool = KernelPool(None, notebooks_dir(), 1, state_dir() / "stages")
            with _marked(order), closing(pool):
                execute_step(order.step, order.paths, order.values, pool)
        except (NotebookFailedError, StepFailedError) as failure:
            return Answer(str(failure))
        except Exception as error:
            return Answer(f"{order.step.name}: {type(error).__name__}: {error}")
        written = (locate(declared, order.paths) for declared in order.step.writes)
        return Answer(products=file_digests(written))


def file_digests(files: Iterable[Path]) -> dict[str, str]:
    """SHA-256 of each file that is there."""
    return {str(path): digest_file(path) for path in files if path.is_file()}


def await_files(expected: Mapping[str, str], within: float = VISIBLE_WITHIN) -> str:
    """Wait until files have the content given; returns those that still have not, as text.

    A network file system may show another machine's change only after a while. Listing the folder asks the
    server anew.
    """
    end = time.monotonic() + within
    waiting, pause = dict(expected), 0.05
    while True:
        for folder in {Path(path).parent for path in waiting}:
            with contextlib.suppress(OSError):
                os.listdir(folder)  # noqa: PTH208
        waiting = {path: digest for path, digest in waiting.items() if _digest(Path(path)) != digest}
        if not waiting or time.monotonic() > end:
            return ", ".join(f"{p} ({'other content' if Path(p).exists() else 'missing'})" for p in waiting)
        time.sleep(pause)
        pause = min(2 * pause, 2.0)


def _digest(path: Path) -> str | None:
    try:
        return digest_file(path)
    except OSError:
        return None


@contextlib.contextmanager
def _marked(order: Order) -> Iterator[None]:
    """Leave a mark while a step is under way, by which its next attempt knows that this worker died over it.

    The kernel of a worker that was killed lives on for a moment. It writes to a stage that nobody publishes
    any more, but takes a processor and memory.
    """
    mark = state_dir() / "running" / order.paths.name / f"{order.step.name}.json"
    mark.parent.mkdir(parents=True, exist_ok=True)
    if mark.name in os.listdir(mark.parent):  # noqa: PTH208
        _end_former(mark)
    mark.write_text(json.dumps({"host": _HOST, "worker": _MARK}), encoding="utf-8")
    try:
        yield
    finally:
        mark.unlink(missing_ok=True)


def _end_former(mark: Path) -> None:
    """End the kernel of a dead worker of this machine; elsewhere it ends when it notices."""
    with contextlib.suppress(OSError, ValueError):
        former = json.loads(mark.read_text(encoding="utf-8"))
        if former["host"] == _HOST:
            _kill(lambda process: process.environ().get(MARK_VARIABLE) == former["worker"], process_iter())


def _kill(wanted: Callable[[Process], bool], among: Iterable[Process]) -> None:
    for process in among:
        with contextlib.suppress(PsutilError):
            if process.pid != os.getpid() and wanted(process):
                process.kill()


class _Settings:
    """Environment variables that hold while steps of one run are under way in this process.

    The environment belongs to the whole process: steps of the same run share it, others wait. With one
    thread per worker nobody ever waits.
    """

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._held: tuple[dict[str, str], str] | None = None
        self._holders = 0
        self._before: dict[str, str | None] = {}
        self._foreign: set[int] = set()
        self._stopped: set[str] = set()

    @contextlib.contextmanager
    def hold(self, settings: dict[str, str], run: str) -> Iterator[None]:
        """Put settings of a run in force for a block.

        Raises:
            InterruptedError: the run was stopped meanwhile.
        """
        with self._change:
            self._change.wait_for(lambda: self._held is None or self._held == (settings, run))
            if run in self._stopped:
                raise InterruptedError("the run was interrupted")
            if self._held is None:
                self._held = settings, run
                self._before = {name: os.environ.get(name) for name in settings}
                self._foreign = {child.pid for child in _children()}
                os.environ.update(settings)
            self._holders += 1
        try:
            yield
        finally:
            with self._change:
                self._holders -= 1
                if not self._holders:
                    self._put_back()

    def _put_back(self) -> None:
        for name, value in self._before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
        self._held = None
        self._change.notify_all()

    def stop(self, run: str) -> None:
        """End the kernels of a run and refuse its steps from now on."""
        with self._change:
            self._stopped.add(run)
            if self._held is not None and self._held[1] == run:
                _kill(lambda process: process.pid not in self._foreign, _children())


_settings = _Settings()


def stop(run: str) -> None:
    """End what this worker does for a run that was interrupted."""
    _settings.stop(run)


def _children() -> list[Process]:
    return list(Process().children(recursive=True))


# ---- what the worker is -----------------------------------------------------------------------------


def describe(project: str) -> dict[str, Any]:
    """What results depend on beside the cohort: Python, installed packages, lock, source of this package."""
    lock = Path(project) / "uv.lock"
    return {
        "python": platform.python_version(),
        "helpers": _package_digest(),
        "loaded": _LOADED,
        "uv.lock": digest_file(lock) if lock.is_file() else "not seen",
        "packages": _packages(),
        "needed": _needed(),
    }


def differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """What a worker has otherwise than it should, in words, with the remedy."""
    said = []
    if expected["python"] != found["python"]:
        said.append(f"Python is {found['python']} there and {expected['python']} here")
    if expected["uv.lock"] != found["uv.lock"]:
        there = "not to be seen" if found["uv.lock"] == "not seen" else "another one"
        said.append(
            f"uv.lock of the project is {there} there: share the project's folder under the same path"
        )
    if expected["helpers"] != found["helpers"]:
        said.append("the source of the package `helpers` is another there: install the same commit")
    elif expected["loaded"] != found["loaded"]:
        said.append("it was started before the last edit of the pipeline's source: restart it")
    here, there = expected["packages"], found["packages"]
    other = [
        f"{name} {there.get(name, 'missing')} (here {version})"
        for name, version in here.items()
        if there.get(name, version if name not in expected["needed"] else None) != version
    ]
    if other:
        more = f" and {len(other) - 5} more" if len(other) > 5 else ""
        remedy = "run `uv sync --frozen --extra cluster` there and restart the worker"
        said.append(f"other packages are installed there: {', '.join(other[:5])}{more}: {remedy}")
    return said


def _unfit(expected: Mapping[str, Any], project: str) -> list[str]:
    """Differences of this process from what a run expects; each expectation is looked at once."""
    digest = digest_value(expected)
    if digest not in _compared:
        _compared[digest] = differences(expected, describe(project))
    return _compared[digest]


_compared: dict[str, list[str]] = {}


def probe(expected: Mapping[str, Any], project: str, question: str, token: str) -> dict[str, Any]:
    """Say how this worker differs, after writing an answer beside the sender's question, if that is seen."""
    file = Path(question)
    found = {"host": _HOST, "differences": _unfit(expected, project), "answer": ""}
    with contextlib.suppress(OSError):
        os.listdir(file.parent)  # noqa: PTH208
        if file.read_text(encoding="utf-8") == token:
            answer = file.with_name(f"{file.name}.{_HOST}.{os.getpid()}")
            answer.write_text(token, encoding="utf-8")
            found["answer"] = str(answer)
    return found


def _packages() -> dict[str, str]:
    """Version of every installed package; where one is met twice, Python imports the first."""
    found: dict[str, str] = {}
    for item in distributions():
        found.setdefault(canonicalize_name(item.name), item.version)
    return found


def _needed() -> list[str]:
    """Packages that this one cannot do without; those of an extra or for development may be missing."""
    needed = [Requirement(text) for text in requires(PROJECT_NAME) or []]
    return sorted(canonicalize_name(item.name) for item in needed if item.marker is None)


def _package_digest() -> str:
    folder = package_folder()
    files = [path for path in files_matching(folder, "**/*") if path.suffix != ".pyc"]
    return digest_value([[path.relative_to(folder).as_posix(), digest_file(path)] for path in files])


def _code_digest() -> str:
    return digest_value([digest_file(path) for path in source_files(_CODE)])


# Taken at import: what this process will run, whatever is edited afterwards.
_LOADED = _code_digest()
_HOST = socket.gethostname()
_MARK = f"{_HOST}/{os.getpid()}/{time.time_ns()}"  # names this process in the environment of its kernels
