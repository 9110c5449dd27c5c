"""Steps in their order: those whose inputs have changed are executed, several at a time."""

import heapq
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from helpers.faults import in_words
from helpers.project.paths import CohortPaths, shown
from helpers.project.sources import digest_bytes
from helpers.report.text.notebooks import teller
from helpers.results.files import write_whole
from helpers.run.executor import Executor
from helpers.run.inputs import InputDigests, Values
from helpers.run.notebook_text import put_text
from helpers.run.outcomes import Outcome, Status
from helpers.run.plan import PROVENANCE, Step, locate, predecessors
from helpers.run.provenance import Recorder
from helpers.run.staging import failed_notebook, record_seen_by
from helpers.run.state import State, product_digests

if TYPE_CHECKING:
    from helpers.run.progress import RunProgress

_KERNEL_STARTS_WITHIN = 0.5  # seconds
_NOTICES_WITHIN = 0.5
Digests = dict[str, str | None]


@dataclass(frozen=True)
class Job:
    """A cohort to be brought up to date.

    Attributes:
        paths: the cohort.
        values: what is put into each notebook.
        inputs: by step, digests of what is fixed before the run starts. A file edited while the notebook that
            read it still runs keeps the digest of its former content, so that the next run sees the edit.
        state: what is known of the cohort; is kept up to date.
        recorder: makes the record of provenance.
    """

    paths: CohortPaths
    values: Values
    inputs: InputDigests
    state: State
    recorder: Recorder


Task = tuple[str, str]  # cohort and step
_Ended = tuple[Task, "Digests | BaseException"]  # what it has written, or why it failed


@dataclass(order=True)
class _Waiting:
    turn: tuple[int, Task]
    is_notebook: bool = field(compare=False)
    execute: Callable[[], Digests] = field(compare=False)


class Schedule:
    """The steps of some cohorts, and what has become of them.

    Args:
        steps: the plan, every step after those it depends on.
        jobs: the cohorts, with different names.
        force: whether to execute steps that are up to date as well.

    Attributes:
        outcomes: what has become of each step of each cohort.
        products: by cohort, digests of what its steps have written that are up to date.
    """

    def __init__(self, steps: Sequence[Step], jobs: Iterable[Job], *, force: bool) -> None:
        self._jobs = {job.paths.name: job for job in jobs}
        self._steps = {step.name: step for step in steps}
        self._before = {step.name: [other.name for other in predecessors(step, steps)] for step in steps}
        self._force = force
        self.products: dict[str, Digests] = {name: {} for name in self._jobs}
        self.outcomes: dict[Task, Outcome] = {}

    def run(self, executor: Executor, progress: "RunProgress") -> bool:
        """Execute what has to be; returns whether it was interrupted."""
        executor.prepare()
        progress.expect(len(self._jobs) * len(self._steps))
        order = TopologicalSorter[Task](
            {
                (name, step): [(name, other) for other in before]
                for name in self._jobs
                for step, before in self._before.items()
            }
        )
        order.prepare()
        threads = _Threads(executor, self._notebook_followers(), self._chain_lengths())
        with ThreadPoolExecutor(executor.threads, thread_name_prefix="step") as pool:
            try:
                while order.is_active():
                    for task in sorted(order.get_ready()):
                        if self._settled(task):
                            progress.skip()
                            order.done(task)
                        else:
                            execute = self._executing(task, executor, progress, threads)
                            threads.add(task, self._steps[task[1]], execute)
                    threads.begin(pool)
                    for task, ending in threads.ended():
                        self._ended(task, ending)
                        order.done(task)
            except KeyboardInterrupt:
                progress.stop()
                threads.stop(pool)
                return True
        return False

    def _notebook_followers(self) -> dict[str, int]:
        """By step: how many notebooks wait for it."""
        notebooks = [name for name, step in self._steps.items() if step.is_notebook]
        return {name: sum(name in self._before[other] for other in notebooks) for name in self._steps}

    def _chain_lengths(self) -> dict[str, int]:
        """By step: how much it and those that wait for it write, one after another; that tells the time."""
        lengths = {name: len(step.writes) for name, step in self._steps.items()}
        for name in reversed(lengths):
            waiting = [lengths[other] for other, before in self._before.items() if name in before]
            lengths[name] += max(waiting, default=0)
        return lengths

    def _settled(self, task: Task) -> bool:
        """Whether a step need not be executed: one before it failed, or it is up to date."""
        name, step = task
        if any(not self.outcomes[name, other].done for other in self._before[step]):
            self._note(task, "blocked")
            return True
        job, one = self._jobs[name], self._steps[step]
        if self._force:
            return False
        products, reads = product_digests(one, job.paths), self._reads(task)
        if job.state.is_current(one, job.inputs[step], reads, products):
            self.products[name] |= products
            self._note(task, "unchanged")
            return True
        return job.state.only_text_differs(one, job.inputs[step], reads, products) and self._text_put(task)

    def _text_put(self, task: Task) -> bool:
        """Bring the text of an executed notebook up to date; False if it has to be executed after all."""
        job, step = self._jobs[task[0]], self._steps[task[1]]
        executed = locate(f"notebooks/{step.name}.ipynb", job.paths)
        if not put_text(step.source, executed, teller(job.paths.folder, step.name)):
            return False
        self._done(task, product_digests(step, job.paths), "text updated")
        return True

    def _reads(self, task: Task) -> Digests:
        """Digests of what other steps of the run wrote and this one reads."""
        made, step = self.products[task[0]], self._steps[task[1]]
        found = {path: made[path] for path in step.reads if path in made}
        if PROVENANCE in step.reads:
            found[PROVENANCE] = digest_bytes(self._jobs[task[0]].recorder.seen_by(step, made).encode())
        return found

    def _executing(
        self, task: Task, executor: Executor, progress: "RunProgress", threads: "_Threads"
    ) -> Callable[[], Digests]:
        job, step = self._jobs[task[0]], self._steps[task[1]]

        if PROVENANCE in step.reads:
            text = job.recorder.seen_by(step, self.products[task[0]])
            write_whole(record_seen_by(step, job.paths), text.encode())

        def execute() -> Digests:
            with threads.at_work(task), progress.step(f"{job.paths.name}: {step.name}"):
                executor.execute(step, job.paths, job.values[step.name])
            return product_digests(step, job.paths)

        return execute

    def _ended(self, task: Task, ending: Digests | BaseException) -> None:
        job, step = self._jobs[task[0]], self._steps[task[1]]
        if isinstance(ending, BaseException):
            kept = failed_notebook(step, job.paths)
            told = shown(kept) if kept.is_file() else ""
            message = in_words(ending) or str(ending) or type(ending).__name__
            self.outcomes[task] = Outcome(*task, "failed", message, told)
            return
        self._done(task, ending, "executed")

    def _done(self, task: Task, products: Digests, status: Status) -> None:
        """Remember what a step has made of what."""
        job, step = self._jobs[task[0]], self._steps[task[1]]
        reads = self._reads(task)
        self.products[task[0]] |= products
        job.state.note(step, job.inputs[step.name], reads, products)
        job.state.write()
        self._note(task, status)

    def _note(self, task: Task, status: Status) -> None:
        self.outcomes[task] = Outcome(*task, status)


class _Threads:
    """Steps under way, and those that no thread has begun; of notebooks among them the executor is told.

    A free thread begins the step that starts the longest chain of steps: begun last, all would wait for it in
    the end.
    """

    def __init__(
        self, executor: Executor, followers: Mapping[str, int], chain_lengths: Mapping[str, int]
    ) -> None:
        self._executor, self._followers, self._chain_lengths = executor, followers, chain_lengths
        self._under_way: set[Future[_Ended]] = set()
        self._waiting: list[_Waiting] = []
        self._change = threading.Condition()
        self._busy = 0

    def add(self, task: Task, step: Step, execute: Callable[[], Digests]) -> None:
        """Have a step wait for its turn."""
        waiting = _Waiting((-self._chain_lengths[task[1]], task), step.is_notebook, execute)
        with self._change:
            heapq.heappush(self._waiting, waiting)

    def begin(self, pool: ThreadPoolExecutor) -> None:
        """Hand steps whose turn it is to threads that are free."""
        with self._change:  # what is told last must be what is true last
            self._executor.expect(self._notebooks_waiting())
            while self._waiting and len(self._under_way) < self._executor.threads:
                self._under_way.add(pool.submit(self._execute, heapq.heappop(self._waiting)))

    @staticmethod
    def _execute(waiting: _Waiting) -> "_Ended":
        task = waiting.turn[1]
        try:
            return task, waiting.execute()
        except BaseException as error:
            return task, error

    def _notebooks_waiting(self) -> int:
        return sum(waiting.is_notebook for waiting in self._waiting)

    @contextmanager
    def at_work(self, task: Task) -> Iterator[None]:
        """The block in which a thread executes a step."""
        with self._change:
            self._busy += 1
            self._executor.expect(self._notebooks_waiting() + self._followers[task[1]])
        try:
            yield
        finally:
            with self._change:
                self._busy -= 1
                self._change.notify_all()

    def ended(self) -> "list[_Ended]":
        """Wait until a step has ended; those that have. None if none is under way."""
        if not self._under_way:
            return []
        # An interrupt that comes just before the waiting begins is noticed only when the waiting ends.
        while not (done := wait(self._under_way, _NOTICES_WITHIN, FIRST_COMPLETED).done):
            pass
        self._under_way -= done
        return sorted((future.result() for future in done), key=lambda ended: ended[0])

    def stop(self, pool: ThreadPoolExecutor) -> None:
        """Drop what no thread has begun and end what is under way."""
        pool.shutdown(wait=False, cancel_futures=True)
        with self._change:
            while self._busy:
                self._executor.stop()
                # There may have been no kernel yet: it is asked again until every thread has ended.
                self._change.wait(_KERNEL_STARTS_WITHIN)
