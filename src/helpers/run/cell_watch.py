"""Which step of a cell is at work, shown below cells that take longer than a second.

Nobody writes steps down for it: they are the statements of the cell. The line is empty when the cell has
ended, and JupyterLab as the project sets it up leaves it out of what is saved.
"""

from __future__ import annotations

import ast
import contextvars
import os
import sys
import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

PROGRESS_VARIABLE = "COMPENDIUM_PROGRESS"  # set where somebody watches: by `compendium lab`
MARK = "compendium_progress"  # in the metadata of its output
PATIENCE_SECONDS, PACE_SECONDS = 1.0, 0.5
_LONGEST = 90  # characters of a step that are shown


def watch_cells() -> bool:
    """Show the progress of the cells to come in this notebook; returns whether anybody watches."""
    if not os.environ.get(PROGRESS_VARIABLE):
        return False
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel") or hasattr(shell, MARK):
        return False
    setattr(shell, MARK, CellWatch(shell))
    return True


def step_at(source: str, line: int) -> str:
    """Return which statement of a cell stands at a line, in words.

    Args:
        source: code of the cell.
        line: number of the line, from 1.

    Example:
        >>> step_at("a = 1\\nb = fit(\\n    a,\\n)\\nb", 3)
        'Step 2 of 3: b = fit('
    """
    try:
        steps = ast.parse(source).body
    except SyntaxError:
        return ""
    place = sum(one.lineno <= line for one in steps)
    if not place:
        return ""
    words = source.splitlines()[steps[place - 1].lineno - 1].strip()
    words = words if len(words) <= _LONGEST else f"{words[:_LONGEST]} ..."
    return f"Step {place} of {len(steps)}: {words}"


@dataclass
class CellWatch:
    """Watches the cells of a kernel, one at a time.

    Args:
        shell: the kernel's shell.
    """

    shell: Any
    _source: str = ""
    _main: int = field(default_factory=threading.get_ident)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        self.shell.events.register("pre_run_cell", self.begin)
        self.shell.events.register("post_run_cell", self.end)

    def begin(self, info: Any) -> None:
        """Begin to watch a cell."""
        self._source, self._ended = str(info.raw_cell or ""), threading.Event()
        # What is shown belongs to this cell: its message is known by the context of the thread that runs it.
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._watch, self._ended), daemon=True)
        self._thread.start()

    def end(self, _: Any = None) -> None:
        """End watching, with nothing left to be seen."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _watch(self, ended: threading.Event) -> None:
        if ended.wait(PATIENCE_SECONDS):
            return
        name, shown = uuid.uuid4().hex, ""
        while not ended.is_set():
            words = self._words()
            if words and words != shown:
                self._show(words, name, update=bool(shown))
                shown = words
            ended.wait(PACE_SECONDS)
        if shown:
            self._show("", name, update=True)

    def _words(self) -> str:
        """Return the step at work, by the innermost line of the cell on the stack."""
        frame: FrameType | None = sys._current_frames().get(self._main)
        while frame is not None:
            if frame.f_globals is self.shell.user_ns and frame.f_code.co_name == "<module>":
                return step_at(self._source, frame.f_lineno)
            frame = frame.f_back
        return ""

    def _show(self, words: str, name: str, *, update: bool) -> None:
        self.shell.display_pub.publish(
            {"text/plain": words}, {MARK: True}, transient={"display_id": name}, update=update
        )
