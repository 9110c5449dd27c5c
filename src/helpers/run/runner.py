"""A run: check the cohorts, then carry out every step whose inputs have changed, several at a time."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from helpers.kernels.fork_server.client import (
    KERNEL_ENVIRONMENT,
    PROVISIONER,
    PROVISIONER_VARIABLE,
    forked_kernels,
)
from helpers.kernels.pool import KernelPool
from helpers.project.paths import (
    FORMATS_VARIABLE,
    OUTPUT_VARIABLE,
    PROJECT_VARIABLE,
    CohortPaths,
    notebooks_dir,
    output_root,
    project_root,
    state_dir,
)
from helpers.run.building import Place, build
from helpers.run.cache import forget_finished, is_finished, mark_finished
from helpers.run.grid import check_grid, combinations
from helpers.run.inputs import code_digests, input_digests, values_of
from helpers.run.outcomes import Outcome, RunError, RunReport
from helpers.run.parameters import check_parameters, declared_parameters
from helpers.run.plan import Step, load_plan, locate
from helpers.run.provenance import write_provenance
from helpers.run.steps import carry_out

if TYPE_CHECKING:
    from psutil import Process  # type: ignore[import-untyped]

    from helpers.cluster.settings import ClusterChoice
    from helpers.run.progress import RunProgress

Job = tuple[CohortPaths, dict[str, Any]]  # a cohort, and the parameters it is run with


def run(
    cohorts: Iterable[str],
    *,
    progress: "RunProgress",
    workers: int | None = None,
    parameters: Mapping[str, Any] | None = None,
    grid: Mapping[str, list[Any]] | None = None,
    force: bool = False,
    cluster: "ClusterChoice | None" = None,
) -> RunReport:
    """Bring the results of cohorts up to date.

    Args:
        cohorts: names under ``data/cohorts/`` or paths to cohort folders.
        progress: is told what happens.
        workers: how many notebooks run at a time; by default one per processor, here or of the cluster.
        parameters: values put in place of the notebooks' own.
        grid: values of further parameters, each combination of which is run and filed by itself.
        force: carry out every step, changed or not.
        cluster: the cluster that carries out the steps; by default this machine.

    Raises:
        ProjectError: a cohort's folder is not found.
        PlanError: the plan cannot be followed.
        ParameterError: a parameter is unknown to every notebook, or of the wrong kind.
        RunError: two cohorts of one name, or another run is writing to the same place.
        ClusterError: the cluster cannot be used.
    """
    parameters, grid = dict(parameters or {}), grid or {}
    steps = load_plan()
    declared = {step.name: declared_parameters(step.source) for step in steps if step.is_notebook}
    check_parameters(parameters, declared)
    check_grid(grid, parameters, declared)
    folders = _distinct([CohortPaths.of(cohort) for cohort in cohorts])
    with _environment(), _sole_run(), _place(cluster, steps, folders, workers, force, progress) as place:
        refused = _refused(folders)
        jobs: list[Job] = [
            (paths.filed_as(variant) if variant else paths, parameters | values)
            for paths in folders
            if paths.name not in refused
            for variant, values in combinations(grid)
        ]
        report = RunReport(refused=refused)
        _bring_up_to_date(steps, jobs, declared, progress, place, force, report)
    return report


def _bring_up_to_date(
    steps: tuple[Step, ...],
    jobs: list[Job],
    declared: Mapping[str, Mapping[str, Any]],
    progress: "RunProgress",
    place: Place,
    force: bool,
    report: RunReport,
) -> None:
    code = code_digests(steps)
    values = {paths.name: values_of(steps, paths, own, declared) for paths, own in jobs}
    given = {paths.name: input_digests(steps, paths, values[paths.name], code) for paths, _ in jobs}
    finished = {paths.name for paths, _ in jobs if not force and is_finished(steps, paths, given[paths.name])}
    report.outcomes += [Outcome(name, step.name, "unchanged") for name in sorted(finished) for step in steps]
    waiting = [(paths, own) for paths, own in jobs if paths.name not in finished]
    for paths, _ in waiting:
        forget_finished(paths)
    if waiting:
        tasks = [(paths, values[paths.name]) for paths, _ in waiting]
        build(steps, tasks, given, progress, place, force, report)
    done = {(outcome.cohort, outcome.step) for outcome in report.outcomes if outcome.done}
    for paths, own in waiting:
        missing = [step.name for step in steps if (paths.name, step.name) not in done]
        write_provenance(paths, steps, own, declared, missing)
        if not missing:
            mark_finished(steps, paths, given[paths.name])


@contextmanager
def _place(
    cluster: "ClusterChoice | None",
    steps: tuple[Step, ...],
    folders: list[CohortPaths],
    workers: int | None,
    force: bool,
    progress: "RunProgress",
) -> Iterator[Place]:
    """This machine with kernels of its own, or a cluster."""
    if cluster is None:
        threads = workers or os.cpu_count() or 1
        with (
            forked_kernels(at_once=_much_to_do(steps, folders, force)) as warm,
            closing(KernelPool(warm, notebooks_dir(), threads)) as pool,
        ):
            foreign = set(_children())

            def stop() -> None:
                for child in set(_children()) - foreign:
                    child.terminate()

            def execute_here(step: Step, paths: CohortPaths, own: Mapping[str, Any]) -> None:
                carry_out(step, paths, own, pool)

            yield Place(threads, execute_here, stop, pool.expect)
        return
    from helpers.cluster.client import open_cluster

    kernels = _settings() | {PROVISIONER_VARIABLE: os.environ.get(PROVISIONER_VARIABLE, PROVISIONER)}
    with open_cluster(cluster, workers=workers, settings=kernels, say=progress.say) as remote:
        yield Place(remote.threads, remote.carry_out, remote.stop)


def _much_to_do(steps: tuple[Step, ...], folders: list[CohortPaths], force: bool) -> bool:
    """Whether several notebooks will surely run, so that loading a warm process beforehand pays."""
    missing = (
        not locate(path, paths).is_file()
        for paths in folders
        for step in steps
        if step.is_notebook
        for path in step.writes[:1]
    )
    return force or sum(missing) > 1


def _distinct(folders: list[CohortPaths]) -> list[CohortPaths]:
    if variants := [paths.name for paths in folders if paths.variant]:
        raise RunError(
            f"{variants[0]} is a result of a grid: name the cohort, and give the values by --grid."
        )
    by_name: dict[str, CohortPaths] = {}
    for paths in folders:
        other = by_name.setdefault(paths.name, paths)
        embedded = project_root() / "data" / "cohorts" / paths.name
        if other.folder == paths.folder and embedded.is_dir() and output_root() == project_root():
            other = CohortPaths(paths.name, embedded.resolve(), paths.results, paths.figures)
        if other.folder != paths.folder:
            raise RunError(
                f"Two cohorts are called {paths.name!r}: {other.folder} and {paths.folder}. "
                "Results are filed by this name: rename one folder, or give --output."
            )
    return list(by_name.values())


def _refused(folders: Iterable[CohortPaths]) -> dict[str, str]:
    from helpers.run.checking import problems_before_run

    return {paths.name: text for paths in folders if (text := problems_before_run(paths))}


@contextmanager
def _environment() -> Iterator[None]:
    """Settings that kernels inherit; the caller's own are put back, and so is the import path."""
    before, import_path = dict(os.environ), list(sys.path)
    os.environ.update(_settings())
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        sys.path[:] = import_path


def _settings() -> dict[str, str]:
    pinned = {
        PROJECT_VARIABLE: str(project_root()),
        OUTPUT_VARIABLE: str(output_root()),
        FORMATS_VARIABLE: "all",
    }
    return pinned | KERNEL_ENVIRONMENT


@contextmanager
def _sole_run() -> Iterator[None]:
    """Hold the place that the run writes to; the system lets go of it when the process ends."""
    try:
        import fcntl
    except ImportError:  # no such lock on Windows
        yield
        return
    state_dir().mkdir(parents=True, exist_ok=True)
    with (state_dir() / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(
                f"Another run is writing to {output_root()}. Wait for it, or give --output."
            ) from None
        except OSError:  # some shared file systems have no locks
            pass
        yield


def _children() -> "list[Process]":
    from psutil import Process

    return list(Process().children(recursive=True))
