"""Settings of a run on SLURM: which jobs to ask for.

They stand in a TOML file: the one named by ``--cluster-settings``, or by the environment variable
``COMPENDIUM_CLUSTER_SETTINGS``, or ``cluster.toml`` in the project's folder::

    [slurm]
    jobs = 20              # how many jobs to ask for
    cores = 1              # processors of a job; it runs as many notebooks at a time
    memory = "2 GB"        # of a job
    walltime = "04:00:00"
    queue = "normal"
    account = "our_group"

``jobs`` is ours; every other key is an argument of ``dask_jobqueue.SLURMCluster`` and means what it means
there. What is not said is taken from dask-jobqueue's own configuration (``jobqueue.slurm``).

>>> "walltime" in known_settings(), "horses" in known_settings()
(True, False)
"""

import difflib
import importlib
import inspect
import os
import signal
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.errors import CompendiumError
from helpers.project.paths import project_root, state_dir

SETTINGS_VARIABLE = "COMPENDIUM_CLUSTER_SETTINGS"
SETTINGS_FILE = "cluster.toml"
DEFAULT_JOBS = 4
DEFAULT_MEMORY = "2 GB"

# Arguments that are of the run itself or of Python code, or that belong into `scheduler_options`.
_NOT_SETTINGS = {"self", "n_workers", "job_cls", "loop", "asynchronous", "scheduler", "scheduler_cls", "name"}
_NOT_SETTINGS |= {"host", "dashboard_address"}
_VARIABLE = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


class ClusterError(CompendiumError):
    """The cluster cannot be used; the message says why and what helps."""


@dataclass(frozen=True)
class ClusterChoice:
    """The cluster asked for.

    Attributes:
        name: address of a Dask scheduler, or ``slurm``.
        settings_file: settings of SLURM, when they are not in the usual place.
    """

    name: str
    settings_file: Path | None = None


@dataclass(frozen=True)
class SlurmSettings:
    """Jobs to ask SLURM for.

    Attributes:
        jobs: how many.
        options: arguments of ``dask_jobqueue.SLURMCluster``.
    """

    jobs: int
    options: dict[str, Any]

    @property
    def notebooks(self) -> int:
        """How many notebooks run at a time once all jobs do."""
        return self.jobs * int(self.options["processes"])


def slurm_settings(named: Path | None, workers: int | None) -> SlurmSettings:
    """Read the settings.

    Args:
        named: file given on the command line.
        workers: how many notebooks shall run at a time; decides the number of jobs, if given.

    Raises:
        ClusterError: the file is missing or malformed, or has keys or values that cannot be used.
    """
    file = _file(named)
    table = _table(file) if file else {}
    where = str(file) if file else "the settings of SLURM"
    problems = [f"{name}: {reason}" for name, reason in _problems(table)]
    if problems:
        raise ClusterError("\n".join(f"{where}, [slurm] {problem}" for problem in problems))
    options = {name: value for name, value in table.items() if name != "jobs"}
    _complete(options)
    jobs = -(-workers // options["processes"]) if workers else int(table.get("jobs", DEFAULT_JOBS))
    return SlurmSettings(jobs, options)


def _file(named: Path | None) -> Path | None:
    chosen = named or (Path(text) if (text := os.environ.get(SETTINGS_VARIABLE)) else None)
    if chosen is not None:
        chosen = chosen.expanduser()
        if not chosen.is_file():
            raise ClusterError(f"The file of cluster settings, {chosen}, is not there.")
        return chosen
    usual = project_root() / SETTINGS_FILE
    return usual if usual.is_file() else None


def _table(file: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ClusterError(f"{file} cannot be read as TOML: {error}") from None
    table = content.get("slurm", {})
    if set(content) - {"slurm"} or not isinstance(table, dict):
        raise ClusterError(f"{file}: found {', '.join(sorted(content))}, expected one table [slurm].")
    return table


def _problems(table: dict[str, Any]) -> list[tuple[str, str]]:
    known = known_settings()
    problems = []
    for name, value in table.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "see dask_jobqueue.SLURMCluster"
            problems.append((name, f"there is no such setting; {hint}"))
        elif name in {"jobs", "cores", "processes"} and (
            not isinstance(value, int) or isinstance(value, bool) or value < 1
        ):
            problems.append((name, f"found {value!r}, expected a whole number from 1"))
        elif name in {"memory", "walltime", "queue", "account"} and not isinstance(value, str):
            problems.append((name, f"found {value!r}, expected text in quotes"))
    return problems


def known_settings() -> set[str]:
    """Names that the table may have."""
    core, slurm = jobqueue("core"), jobqueue("slurm")
    found = {"jobs"}
    for owner in (slurm.SLURMCluster, core.JobQueueCluster, slurm.SLURMJob, core.Job):
        parameters = inspect.signature(owner.__init__).parameters.values()
        found |= {each.name for each in parameters if each.kind not in _VARIABLE}
    return found - _NOT_SETTINGS


def jobqueue(module: str) -> Any:
    """A module of dask-jobqueue, whose import would otherwise have Ctrl-C end the process at once."""
    before = signal.getsignal(signal.SIGINT)
    try:
        return importlib.import_module(f"dask_jobqueue.{module}")
    finally:
        signal.signal(signal.SIGINT, before)


def _complete(options: dict[str, Any]) -> None:
    """Fill in what neither the file nor dask-jobqueue's configuration says."""
    import dask.config

    def otherwise(name: str, default: Any) -> None:
        if options.get(name) is None:
            configured = dask.config.get(f"jobqueue.slurm.{name.replace('_', '-')}", None)
            options[name] = default if configured is None else configured

    otherwise("cores", 1)
    otherwise("processes", options["cores"])  # one thread a process: each runs one notebook at a time
    otherwise("memory", DEFAULT_MEMORY)
    otherwise("python", sys.executable)
    otherwise("job_name", "compendium")
    otherwise("log_directory", str(state_dir() / "cluster"))
    options.setdefault("nanny", options["processes"] > 1)  # one process needs none to look after it
    if options["nanny"]:
        # Kernels are children of the worker, which a daemonic process may not have.
        prologue = list(options.get("job_script_prologue") or [])
        options["job_script_prologue"] = [*prologue, "export DASK_DISTRIBUTED__WORKER__DAEMON=False"]
