"""What a run tells while it goes: one line per finished step, and on a terminal the steps under way.

>>> import io
>>> from rich.console import Console
>>> told = io.StringIO()
>>> progress = RunProgress(Console(file=told))
>>> progress.expect(2)
>>> with progress.showing(), progress.step("rdmas/04_survival"):
...     progress.skip()
>>> progress.say("done")
>>> progress.stop()
>>> told.getvalue().splitlines()[-1]
'done'
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from rich.progress import Progress

    from helpers.run.outcomes import RunReport, Status

KINDS: tuple["Status", ...] = ("executed", "text updated", "unchanged", "failed", "blocked")


class RunProgress:
    """Live account of a run; safe to call from several threads.

    Args:
        console: where to write; on anything but a terminal only plain lines are written.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.steps = 0
        self._ended, self._begun = 0, time.perf_counter()
        self._live: Progress | None = None
        self._lock = threading.Lock()
        self._stopped = False

    def expect(self, steps: int) -> None:
        """Be told how many steps will be executed at most from now on."""
        self.steps, self._ended, self._begun = steps, 0, time.perf_counter()

    def skip(self) -> None:
        """A step need not be executed."""
        with self._lock:
            self.steps -= 1

    def stop(self) -> None:
        """Tell nothing of steps that end from now on: the run is interrupted."""
        self._stopped = True

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Show the steps under way for as long as the block runs."""
        if not self.console.is_terminal:
            yield
            return
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as self._live:
            yield
        self._live = None

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Account for one step; an error is told and passed on."""
        begin = time.perf_counter()
        if self._live is not None:
            row = self._live.add_task(name, total=None)
        else:
            self.say(f"{name} ...")
        try:
            yield
        except BaseException as error:
            self._end(name, begin, f"FAILED: {error}", "red")
            raise
        else:
            self._end(name, begin, "done", "green")
        finally:
            if self._live is not None:
                self._live.remove_task(row)

    def _end(self, name: str, begin: float, verdict: str, style: str) -> None:
        if self._stopped:
            return
        now = time.perf_counter()
        with self._lock:
            self._ended += 1
            count = f" [{self._ended} of {self.steps}{self._left(now)}]" if self.steps else ""
        self.say(f"{name} {verdict} ({now - begin:.1f} s){count}", style)

    def _left(self, now: float) -> str:
        """How long the rest will take if it goes on as so far."""
        rest = self.steps - self._ended
        seconds = (now - self._begun) / self._ended * rest
        if rest <= 0:
            return ""
        return f", about {seconds:.0f} s left" if seconds < 90 else f", about {seconds / 60:.0f} min left"

    def say(self, line: str, style: str = "") -> None:
        """Write a line."""
        with self._lock:
            self.console.print(Text(line, style=style), soft_wrap=True)


def tell(report: "RunReport", progress: RunProgress, errors: Console) -> None:
    """Sum up a run: what was done on standard output, what was not and why on standard error."""
    for cohort, problems in report.refused.items():
        errors.print(Text(f"{cohort} was not analysed.\n{problems}"), soft_wrap=True)
    for outcome in report.of("failed"):
        errors.print(Text(f"{outcome.cohort}: {outcome.message}", style="red"), soft_wrap=True)
        if outcome.kept:
            errors.print(Text(f"  the notebook as far as it came: {outcome.kept}"), soft_wrap=True)
    for outcome in report.of("blocked"):
        text = f"{outcome.cohort}: {outcome.step} was not run: a step that it needs failed"
        errors.print(Text(text), soft_wrap=True)
    counts = [f"{len(found)} {kind}" for kind in KINDS if (found := report.of(kind))]
    told = [f"{len(report.outcomes)} steps: {', '.join(counts)}"] if counts else []
    if report.refused:
        told.append(f"{len(report.refused)} cohort{'' if len(report.refused) == 1 else 's'} refused")
    if told:
        progress.console.print(Text("; ".join(told)), soft_wrap=True)
    for name, steps in report.stale.items():
        some = [*steps[:2], f"{len(steps) - 2} more"] if len(steps) > 3 else steps
        text = f"{name}: what {', '.join(some)} wrote earlier is stale; `compendium status {name}` says why"
        errors.print(Text(text), soft_wrap=True)
    if report.interrupted:
        errors.print("Interrupted; what was finished is kept.")
