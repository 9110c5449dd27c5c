"""A run whose notebooks are executed by the workers of a Dask cluster.

The sender keeps order, caching, the account of what failed and the record of provenance; it hands each step
to the cluster from a thread of its own and waits there for the answer. Files go through folders that the
workers see under the same path; that, and that they run the same code, is looked at before the first step.
"""

import contextlib
import logging
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from helpers.cluster.settings import (
    ClusterChoice,
    ClusterError,
    SlurmSettings,
    jobqueue,
    slurm_settings,
)
from helpers.cluster.worker import Order, await_files, describe, file_digests, fulfil, probe, stop
from helpers.kernels.fork_server.client import PATIENCE_SECONDS
from helpers.project.paths import CohortPaths, output_root, project_root, state_dir
from helpers.run.executor import kernel_settings
from helpers.run.inputs import input_files
from helpers.run.plan import PROVENANCE, Step, locate
from helpers.run.staging import record_seen_by
from helpers.run.steps import StepFailedError

SLURM = "slurm"
CONNECT_WITHIN = 10.0  # seconds in which a scheduler that is just starting begins to listen
ADVICE = "uv sync --extra cluster"

Say = Callable[[str], None]


class ClusterExecutor:
    """A Dask cluster that executes steps; safe to use from several threads.

    Attributes:
        threads: how many steps to hand out at a time.
    """

    def __init__(self, client: Any, threads: int, settings: Mapping[str, str], say: Say) -> None:
        self.threads = threads
        self._client = client
        self._settings = dict(settings)
        self._say = say
        self._run = uuid.uuid4().hex[:12]
        self._expected: dict[str, Any] = {}
        self._under_way: set[Any] = set()
        self._plugins: list[str] = []
        self._stopped = False

    def check(self) -> None:
        """See that the workers have the same code and packages and share the folders.

        Raises:
            ClusterError: some do not; the message lists what differs on which machines.
        """
        project = str(project_root())
        self._expected = describe(project)
        question = state_dir() / f"probe-{self._run}"
        question.write_text(self._run, encoding="utf-8")
        try:
            order = (probe, self._expected, project, str(question), self._run)
            answers = self._client.run(*order, on_error="return")
            problems: dict[str, set[str]] = {}
            for address, found in answers.items():
                host = found["host"] if isinstance(found, dict) else address
                for problem in _problems(found):
                    problems.setdefault(problem, set()).add(host)
        finally:
            for file in question.parent.glob(f"{question.name}*"):
                file.unlink(missing_ok=True)
        if problems:
            lines = [f"- {text} (on {_some(hosts)})" for text, hosts in problems.items()]
            raise ClusterError("The workers of the cluster cannot be used:\n" + "\n".join(lines))

    def prepare(self) -> None:
        """Have the workers import what their threads need; this process did when it connected."""
        from helpers.cluster.plugin import ImportForThreads

        plugin = ImportForThreads(self._run)
        self._client.register_plugin(plugin)
        self._plugins.append(plugin.name)

    def close(self) -> None:
        """Leave the cluster as it was found."""
        with contextlib.suppress(Exception):  # the cluster may be gone
            for name in self._plugins:
                self._client.unregister_worker_plugin(name)

    def expect(self, notebooks: int) -> None:
        """Nothing: workers start their kernels themselves."""

    def execute(self, step: Step, paths: CohortPaths, values: Mapping[str, Any]) -> None:
        """Have a step executed by some worker, and wait until its files are seen here.

        Raises:
            StepFailedError: it failed there, the workers that tried it died, or the cluster was lost.
        """
        order = Order(
            step=replace(step, arguments=dict(step.arguments)),
            paths=paths,
            values=dict(values),
            settings=self._settings,
            run=self._run,
            expected=self._expected,
            inputs=file_digests(_read_by(step, paths)),
        )
        # Dask's dashboard counts keys by their first part, and shows the whole of it at the task.
        key = (step.name, f"{paths.name}: {step.name}", self._run)
        future = self._client.submit(fulfil, order, key=key, pure=False, retries=0)
        self._under_way.add(future)
        try:
            answer = self._answer(future, step)
        finally:
            self._under_way.discard(future)
        if answer.failure:
            raise StepFailedError(answer.failure)
        if unseen := await_files(answer.products or {}):
            raise StepFailedError(f"{step.name}: files that a worker wrote are not seen here: {unseen}")

    def _answer(self, future: Any, step: Step) -> Any:
        from distributed import KilledWorker

        try:
            return future.result()
        except KilledWorker as error:
            raise StepFailedError(
                f"{step.name}: {error.allowed_failures + 1} workers died over it, the last on "
                f"{error.last_worker.host}; most often they had too little memory."
            ) from None
        except (CancelledError, OSError) as error:
            reason = "the run was interrupted" if self._stopped else "the connection to the cluster was lost"
            raise StepFailedError(f"{step.name}: {reason} ({type(error).__name__})") from None
        except Exception as error:
            raise StepFailedError(f"{step.name}: {type(error).__name__}: {error}") from None

    def stop(self) -> None:
        """Cancel what is under way, and end its kernels on the workers."""
        self._stopped = True
        with contextlib.suppress(Exception):  # the cluster may be gone, and nothing else is to be done
            self._client.cancel(list(self._under_way), force=True)
            self._client.run(stop, self._run, on_error="ignore")


@contextmanager
def cluster_executor(choice: ClusterChoice, *, workers: int | None, say: Say) -> Iterator[ClusterExecutor]:
    """Connect to a Dask scheduler, or have SLURM start workers, for as long as the block runs.

    Args:
        choice: address of a scheduler (``tcp://host:8786``), or ``slurm`` with its settings.
        workers: how many notebooks at a time; by default as many as the cluster has threads.
        say: is told where the dashboard is.

    Raises:
        ClusterError: the libraries are missing, there is no such cluster, it has no workers, or they cannot
            be used.
    """
    name = choice.name
    check_name(name)
    _check_installed()
    with _quiet(), contextlib.ExitStack() as stack:
        if name == SLURM:
            wanted = slurm_settings(choice.settings_file, workers)
            client = stack.enter_context(_slurm_client(wanted))
            threads = wanted.notebooks
        else:
            client = stack.enter_context(_client(name))
            threads = 0
        say(f"Dask: {_dashboard(client)}")
        if name == SLURM:
            say(f"Waiting for the first of {wanted.jobs} SLURM jobs; `squeue` shows them")
            client.wait_for_workers(1)
        present = _threads(client, say)
        if not present:
            raise ClusterError(
                f"The Dask scheduler at {name} has no workers. Start some: `dask worker {name} "
                "--nthreads 1 --no-nanny`, with this project's environment."
            )
        cluster = ClusterExecutor(client, threads or workers or present, kernel_settings(), say)
        stack.callback(cluster.close)
        cluster.check()
        yield cluster


def check_name(name: str) -> None:
    """Refuse what is neither an address nor the name of a batch system.

    Raises:
        ClusterError: it is neither.

    >>> check_name("login1")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    helpers.cluster.settings.ClusterError: --cluster: found 'login1', expected slurm or ...
    """
    scheme, sign, host = name.partition("://")
    if name != SLURM and not (sign and scheme in {"tcp", "tls", "ucx", "ws", "wss"} and ":" in host):
        raise ClusterError(
            f"--cluster: found {name!r}, expected slurm or a Dask scheduler's address, for example "
            "tcp://login1:8786"
        )


def _check_installed() -> None:
    missing = [name for name in ("distributed", "dask_jobqueue") if find_spec(name) is None]
    if missing:
        raise ClusterError(
            f"--cluster needs packages that are not installed ({', '.join(missing)}): `{ADVICE}`"
        )


@contextmanager
def _client(address: str) -> Iterator[Any]:
    from distributed import Client

    try:
        _await_listener(address)
        client = Client(address, timeout=PATIENCE_SECONDS, set_as_default=False, name="compendium")
    except (OSError, ValueError, TimeoutError) as error:
        raise ClusterError(
            f"No Dask scheduler answers at {address}: {_cause(error)}. Is it running (`dask scheduler`), and "
            "may this machine connect to it?"
        ) from None
    try:
        yield client
    finally:
        with contextlib.suppress(TimeoutError):  # the run is over, with or without its farewell
            client.close(timeout=CONNECT_WITHIN)


def _await_listener(address: str) -> None:
    """Wait until something listens at an address: it does so at once, however busy its machine is.

    Raises:
        OSError: nothing does.
        ValueError: it is not an address.
    """
    from distributed.comm.addressing import get_address_host_port

    end = time.monotonic() + CONNECT_WITHIN
    while True:
        try:
            socket.create_connection(get_address_host_port(address), timeout=CONNECT_WITHIN).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
        else:
            return


@contextmanager
def _slurm_client(wanted: SlurmSettings) -> Iterator[Any]:
    from distributed import Client

    SLURMCluster = jobqueue("slurm").SLURMCluster  # noqa: N806

    Path(wanted.options["log_directory"]).mkdir(parents=True, exist_ok=True)
    try:
        cluster = SLURMCluster(**wanted.options)
    except Exception as error:
        raise ClusterError(f"SLURM's workers cannot be set up: {_cause(error)}") from None
    with cluster:
        try:
            # A job that ends before the run does, say at its time limit, is asked for anew.
            cluster.adapt(minimum_jobs=wanted.jobs, maximum_jobs=wanted.jobs)
            with Client(cluster, set_as_default=False, name="compendium") as client:
                yield client
        finally:
            cluster.scale(0)


def _threads(client: Any, say: Say) -> int:
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    several = [worker for worker in workers if worker["nthreads"] > 1]
    if several:
        say(
            f"{len(several)} of {len(workers)} workers run several notebooks in one process: "
            "better start them with --nthreads 1"
        )
    return sum(worker["nthreads"] for worker in workers)


def _dashboard(client: Any) -> str:
    try:
        return f"dashboard at {client.dashboard_link}"
    except KeyError:
        return "the scheduler has no dashboard"


def _problems(found: Any) -> list[str]:
    """What is wrong with one worker, from its answer to the probe."""
    if isinstance(found, ModuleNotFoundError):
        return [f"the package {found.name!r} is not installed there: `uv sync --frozen --extra cluster`"]
    if not isinstance(found, dict):
        return [f"a worker does not answer: {type(found).__name__}: {found}"]
    problems = list(found["differences"])
    if not found["answer"]:
        problems.insert(
            0,
            f"{output_root()} is not the same folder there, or not writable: results go through it, so share "
            "it under the same path, or give --output a folder that is shared",
        )
    elif not Path(found["answer"]).is_file():
        _list(Path(found["answer"]).parent)
        if not Path(found["answer"]).is_file():
            problems.append(f"a file written there does not appear in {output_root()} here")
    return problems


def _list(folder: Path) -> None:
    """Ask a network file system for the folder anew."""
    with contextlib.suppress(OSError):
        os.listdir(folder)  # noqa: PTH208


def _read_by(step: Step, paths: CohortPaths) -> Iterable[Path]:
    """Files that a step reads, as they lie here."""
    fixed = input_files(step, paths)
    for files in fixed.values():
        yield from files.values()
    yield from (locate(path, paths) for path in step.reads if path not in fixed and path != PROVENANCE)
    if PROVENANCE in step.reads:
        yield record_seen_by(step, paths)


def _some(hosts: Iterable[str]) -> str:
    names = sorted(hosts)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _cause(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's own log from mixing with the run's account; failures are told by the run."""
    logger = logging.getLogger("distributed")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
