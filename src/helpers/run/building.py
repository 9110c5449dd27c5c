"""Steps handed to pytask, which carries out those whose inputs have changed, several at a time."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from helpers.project.paths import CohortPaths, state_dir
from helpers.run.inputs import InputDigests, Values
from helpers.run.outcomes import Outcome, RunError, RunReport, Status
from helpers.run.plan import Step, predecessors

if TYPE_CHECKING:
    from pytask import Session

    from helpers.run.progress import RunProgress
    from helpers.run.tasks import StepTask


_KERNEL_STARTS_WITHIN = 0.5  # seconds


@dataclass(frozen=True)
class Place:
    """Where steps are carried out.

    Attributes:
        threads: how many at a time.
        carry_out: carries out one step, and returns when it is done.
        stop: ends what is under way.
        expect: is told how many notebooks will be carried out next.
    """

    threads: int
    carry_out: Callable[[Step, CohortPaths, Mapping[str, Any]], None]
    stop: Callable[[], None]
    expect: Callable[[int], None] = lambda _: None


def build(
    steps: tuple[Step, ...],
    jobs: Sequence[tuple[CohortPaths, Values]],
    given: Mapping[str, InputDigests],
    progress: "RunProgress",
    place: Place,
    force: bool,
    report: RunReport,
) -> None:
    """Carry out the steps whose inputs have changed, and note in the report what became of all.

    Args:
        steps: the plan.
        jobs: the cohorts, each with what is put into its notebooks.
        given: digests of what is fixed before the run starts, by cohort and step.
        progress: is told what happens.
        place: where steps are carried out.
        force: carry out every step.
        report: receives the outcomes.

    Raises:
        RunError: the steps cannot be put in order.
    """
    from helpers.run.tasks import build_tasks

    notebooks = [step for step in steps if step.is_notebook]
    followers = Counter(before.name for step in notebooks for before in predecessors(step, steps))

    def action(step: Step, cohort: CohortPaths, values: Mapping[str, Any]) -> None:
        with progress.step(f"{cohort.name}: {step.name}"):
            executor.waiting.discard((cohort.name, step.name))
            place.expect(len(executor.waiting) + followers[step.name])
            place.carry_out(step, cohort, values)

    tasks = build_tasks(steps, jobs, given, action)
    executor = _Executor(place, progress)
    with progress.showing():
        session = _pytask(tasks, executor, force)
    report.outcomes += _outcomes(session)
    report.interrupted = len(session.execution_reports) < len(tasks)


class _Sleeper:
    """How pytask-parallel waits between two looks: here until a step has ended, not for up to a second."""

    _ended = threading.Event()
    _under_way: ClassVar[set["Future[Any]"]] = set()

    @classmethod
    def watch(cls, future: "Future[Any]") -> None:
        """Wake up when this step ends."""

        def wake(ended: "Future[Any]") -> None:
            cls._under_way.discard(ended)
            cls._ended.set()

        cls._under_way.add(future)
        future.add_done_callback(wake)

    def reset(self) -> None:
        """Called when steps were handed out."""

    def increment(self) -> None:
        """Called when there were none to hand out."""

    def sleep(self) -> None:
        """Wait for the end of a step, whichever; with none under way there is nothing to wait for."""
        if self._under_way:
            self._ended.wait(timeout=1)
        self._ended.clear()


class _Executor(ThreadPoolExecutor):
    """Threads that, once the run is interrupted, drop what is waiting and stop the kernels under way.

    Attributes:
        waiting: cohort and name of the notebooks handed over that no thread has begun.
    """

    def __init__(self, place: Place, progress: "RunProgress") -> None:
        super().__init__(max_workers=place.threads, thread_name_prefix="step")
        self._place = place
        self._progress = progress
        self._given: list[Future[Any]] = []
        self.waiting: set[tuple[str, str]] = set()

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        task: StepTask = kwargs["task"]
        if task.step.is_notebook:
            self.waiting.add((task.cohort.name, task.step.name))
            self._place.expect(len(self.waiting))
        future = super().submit(fn, *args, **kwargs)
        self._given.append(future)
        _Sleeper.watch(future)
        return future

    def __exit__(self, *_: object) -> None:
        # pytask leaves its loop with work undone only when it is interrupted.
        interrupted = any(not future.done() for future in self._given)
        self.shutdown(wait=False, cancel_futures=True)
        if interrupted:
            self._progress.stop()
            self._place.stop()
            under_way = [future for future in self._given if not future.done()]
            while wait(under_way, _KERNEL_STARTS_WITHIN).not_done:
                self._place.stop()  # there was no kernel yet when it was first asked to stop
        self.shutdown(wait=True)


def _pytask(tasks: "list[StepTask]", executor: _Executor, force: bool) -> "Session":
    """Hand the tasks to pytask, silently.

    The plugin hands out only as many tasks as it believes there are workers, then sleeps between looks;
    told a number that covers all tasks, it fills the executor's queue and no worker waits for the next
    look.
    """
    import pytask
    from pytask_parallel import ParallelBackend, WorkerType, execute, registry

    def builder(n_workers: int) -> _Executor:  # noqa: ARG001
        return executor

    registry.register_parallel_backend(ParallelBackend.CUSTOM, builder, worker_type=WorkerType.THREADS)
    execute._Sleeper = _Sleeper  # type: ignore[assignment, misc]
    quiet, pytask.console.quiet = pytask.console.quiet, True
    try:
        session = pytask.build(
            tasks=tasks,
            config=_state_file(),
            database_url="sqlite://",  # in memory: the lock file beside the configuration is what lasts
            capture="no",
            force=force,
            verbose=0,
            show_traceback=False,
            n_workers=len(tasks) + 1,
            parallel_backend=ParallelBackend.CUSTOM,
        )
    finally:
        pytask.console.quiet = quiet
    if session.exit_code not in {pytask.ExitCode.OK, pytask.ExitCode.FAILED}:
        raise RunError(f"The steps could not be put in order ({session.exit_code.name.lower()}).")
    return session


def _state_file() -> Path:
    """Configuration file of pytask; it keeps what it remembers in the folder of this file."""
    file = state_dir() / "pytask.toml"
    if not file.exists():
        file.write_text("[tool.pytask.ini_options]\n", encoding="utf-8")
    return file


def _outcomes(session: "Session") -> list[Outcome]:
    import pytask

    kinds: dict[pytask.TaskOutcome, Status] = {
        pytask.TaskOutcome.SUCCESS: "executed",
        pytask.TaskOutcome.SKIP_UNCHANGED: "unchanged",
        pytask.TaskOutcome.SKIP_PREVIOUS_FAILED: "blocked",
    }
    outcomes = []
    for report in session.execution_reports:
        task: Any = report.task
        status = kinds.get(report.outcome, "failed")
        message = str(report.exc_info[1]) if status == "failed" and report.exc_info else ""
        outcomes.append(Outcome(task.cohort.name, task.step.name, status, message))
    return outcomes
