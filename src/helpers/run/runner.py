"""A run: check the cohorts, then execute every step whose inputs have changed, several at a time."""

import errno
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.kernels.fork_server.client import sweep_private_folders
from helpers.project.checkout import keep_out
from helpers.project.paths import CohortPaths, output_root, project_root, shown, state_dir
from helpers.run.checking import has_passed, problems_before_run
from helpers.run.code_digests import remember_digests
from helpers.run.executor import Executor, local_executor, run_environment
from helpers.run.grid import check_grid, combinations, variant_values
from helpers.run.inputs import code_digests, declarations, input_digests, values_of
from helpers.run.outcomes import Outcome, RunError, RunReport
from helpers.run.parameters import check_parameters, check_saved
from helpers.run.plan import Step, load_plan, locate
from helpers.run.provenance import Recorder
from helpers.run.schedule import Job, Schedule
from helpers.run.staging import finish_interrupted, linked_folders, sweep
from helpers.run.state import State, run_digest

if TYPE_CHECKING:
    from helpers.run.progress import RunProgress

Declared = Mapping[str, Mapping[str, Any]]


def run(
    cohorts: Iterable[str],
    *,
    progress: "RunProgress",
    workers: int | None = None,
    parameters: Mapping[str, Any] | None = None,
    grid: Mapping[str, list[Any]] | None = None,
    force: bool = False,
    executor: AbstractContextManager[Executor] | None = None,
) -> RunReport:
    """Bring the results of cohorts up to date.

    Args:
        cohorts: names under ``data/cohorts/`` or paths to cohort folders.
        progress: is told what happens.
        workers: how many notebooks run at a time on this machine; by default one per processor.
        parameters: values put in place of the notebooks' own; the results are filed under a name that says
            so.
        grid: values of further parameters, each combination of which is run and filed by itself.
        force: execute every step, changed or not.
        executor: executes the steps; by default this machine.

    Raises:
        ProjectError: a cohort's folder is not found.
        PlanError: the plan cannot be followed.
        ParameterError: a parameter is unknown to every notebook, or of the wrong kind.
        RunError: two cohorts of one name, or another run is writing to the same place.
        ClusterError: the cluster cannot be used.
    """
    parameters, grid = dict(parameters or {}), grid or {}
    steps = load_plan()
    declared = declarations(steps)
    check_saved(declared)
    check_parameters(parameters, declared)
    check_grid(grid, parameters, declared)
    folders = _distinct([CohortPaths.of(cohort) for cohort in cohorts])
    wanted = {paths.name: _wanted(paths, grid, parameters, declared) for paths in folders}
    with run_environment(), _sole_run():
        finish_interrupted()
        sweep_private_folders()
        changed = [paths for paths in folders if not has_passed(paths)]
        much_to_do = force or bool(changed) or _many_notebooks_missing(steps, folders)
        with executor or local_executor(workers, much_to_do=much_to_do) as ready:
            report = RunReport(refused=_refused(folders, changed))
            jobs = [
                _job(paths.filed_as(variant) if variant else paths, steps, values, declared)
                for paths in folders
                if paths.name not in report.refused
                for variant, values in wanted[paths.name]
            ]
            remember_digests()
            _bring_up_to_date(steps, jobs, ready, progress, force, report)
    for paths in folders:
        if paths.name in report.refused and (left := _with_products(steps, paths)):
            report.stale[paths.name] = left
    return report


def _wanted(
    paths: CohortPaths, grid: Mapping[str, list[Any]], parameters: dict[str, Any], declared: Declared
) -> list[tuple[str, dict[str, Any]]]:
    """Every combination of parameters that is asked for, with the name of its variant."""
    if not paths.variant:
        defaults = {name: value for own in declared.values() for name, value in own.items()}
        return combinations(grid, parameters, defaults)
    if grid or parameters:
        raise RunError(f"{paths.name} says its parameters: leave --param and --grid out, or the @ behind it.")
    values = variant_values(paths.variant)
    check_parameters(values, declared, option=f"@{paths.variant}")
    return [(paths.variant, values)]


def _job(paths: CohortPaths, steps: tuple[Step, ...], parameters: dict[str, Any], declared: Declared) -> Job:
    values = values_of(steps, paths, parameters, declared)
    inputs = input_digests(steps, paths, values, code_digests(steps))
    return Job(paths, values, inputs, State.read(paths), Recorder(paths, steps, parameters, declared))


def _bring_up_to_date(
    steps: tuple[Step, ...],
    jobs: list[Job],
    executor: Executor,
    progress: "RunProgress",
    force: bool,
    report: RunReport,
) -> None:
    """Execute what is not up to date, and note in the report what became of all."""
    for job in jobs:
        sweep(job.paths)
    changed = [job for job in jobs if force or not _is_complete(job, steps)]
    names = {job.paths.name for job in changed}
    finished = sorted(job.paths.name for job in jobs if job.paths.name not in names)
    report.outcomes += [Outcome(name, step.name, "unchanged") for name in finished for step in steps]
    if not changed:
        return
    for job in changed:
        if job.state.complete:
            job.state.complete = ""
            job.state.write()
    for job in changed:
        _keep_private(job.paths)
    schedule = Schedule(steps, changed, force=force)
    with progress.showing():
        report.interrupted = schedule.run(executor, progress)
    order = [(job.paths.name, step.name) for job in changed for step in steps]
    report.outcomes += [schedule.outcomes[task] for task in order if task in schedule.outcomes]
    for job in changed:
        _conclude(job, steps, schedule, report)


def _keep_private(paths: CohortPaths) -> None:
    """Have a repository that cohort or results lie in ignore them, unless they are shipped with it."""
    if output_root() != project_root():
        keep_out(output_root())
    for folder in (paths.folder, paths.results, paths.figures, state_dir()):
        keep_out(folder)


def _is_complete(job: Job, steps: tuple[Step, ...]) -> bool:
    """Whether inputs, results and provenance are those of the last complete run; spares asking each step."""
    return bool(job.state.complete) and job.state.complete == run_digest(steps, job.paths, job.inputs)


def _conclude(job: Job, steps: tuple[Step, ...], schedule: Schedule, report: RunReport) -> None:
    """Write what the results were made from, and whether they are complete."""
    name = job.paths.name
    done = {step for (cohort, step), outcome in schedule.outcomes.items() if cohort == name and outcome.done}
    missing = [step.name for step in steps if step.name not in done]
    if stale := _with_products([step for step in steps if step.name in missing], job.paths):
        report.stale[name] = stale
    job.recorder.write(schedule.products[name], missing)
    if not missing:
        job.state.complete = run_digest(steps, job.paths, job.inputs)
        job.state.write()


def _with_products(steps: Iterable[Step], paths: CohortPaths) -> list[str]:
    """Names of the steps of which earlier results are there."""
    return [step.name for step in steps if any(locate(path, paths).is_file() for path in step.writes)]


def _many_notebooks_missing(steps: tuple[Step, ...], folders: list[CohortPaths]) -> bool:
    """Whether several notebooks will surely run, so that loading what they use beforehand pays."""
    missing = (
        not locate(path, paths).is_file()
        for paths in folders
        for step in steps
        if step.is_notebook
        for path in step.writes[:1]
    )
    return sum(missing) > 1


def _distinct(folders: list[CohortPaths]) -> list[CohortPaths]:
    by_base: dict[str, Path] = {}
    for paths in folders:
        other = by_base.setdefault(paths.base, paths.folder)
        embedded = project_root() / "data" / "cohorts" / paths.base
        if other == paths.folder and embedded.is_dir() and output_root() == project_root():
            other = embedded.resolve()
        if other != paths.folder:
            raise RunError(
                f"Two cohorts are called {paths.base!r}: {other} and {paths.folder}. "
                "Results are filed by this name: rename one folder, or give --output."
            )
    return list({paths.name: paths for paths in folders}.values())


def _refused(folders: Iterable[CohortPaths], changed: list[CohortPaths]) -> dict[str, str]:
    """By cohort why it cannot be analysed; the check tells it of those that have changed."""
    found = {paths.name: problems_before_run(paths) for paths in changed}
    return {paths.name: text for paths in folders if (text := found.get(paths.name, "") or _linked(paths))}


def _linked(paths: CohortPaths) -> str:
    """Why nothing may be written among the results of a cohort; empty if it may."""
    found = [shown(path.parent) + "/" + path.name for path in linked_folders(paths)]
    if not found:
        return ""
    noun = "is a link" if len(found) == 1 else "are links"
    return f"{', '.join(found)} {noun} to another place, where a run would write: remove it, or the results."


@contextmanager
def _sole_run() -> Iterator[None]:
    """Hold the place that the run writes to; the system lets go of it when the process ends."""
    try:
        import fcntl
    except ImportError:  # no such lock on Windows
        yield
        return
    try:
        state_dir().mkdir(parents=True, exist_ok=True)
        lock = (state_dir() / "lock").open("w")
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        yield  # with nothing to do nothing is written; else the first step will say so
        return
    with lock as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(
                f"Another run is writing to {output_root()}. Wait for it, or give --output."
            ) from None
        except OSError:  # some shared file systems have no locks
            pass
        yield
