"""Contenders that do the same work in turn, each in seconds of its own processor time, one thread each.

What is measured in this process is a function; R and packages that are no dependency of this project answer
from processes of their own, which wait while another contender works. A contender that is not installed is
recorded as such.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
NOT_INSTALLED = "not installed"
# Relative difference up to which results are equal.
EQUAL = 1e-8
Work = Callable[[], Sequence[float]]

R_SERVE = """
suppressPackageStartupMessages(for (p in c("jsonlite", PACKAGES)) library(p, character.only = TRUE))
cat("ready\\n"); flush(stdout())
numbers <- function(name) {
  path <- file.path(commandArgs(TRUE)[1], name); readBin(path, "double", file.size(path) / 8)
}
serve <- function(work) {
  cpu <- function() sum(proc.time()[1:2])
  asked <- file("stdin", "r")
  while (length(readLines(asked, 1))) {
    gc(); start <- cpu(); values <- work(); seconds <- cpu() - start
    cat(toJSON(list(seconds = seconds, values = I(unname(values))), auto_unbox = TRUE, digits = I(17)),
        "\\n", sep = "")
    flush(stdout())
  }
}
"""
PYTHON_SERVE = """
import gc, json, sys, warnings
from time import process_time
from pathlib import Path
warnings.filterwarnings("ignore")
import numpy as np
IMPORTS
print("ready", flush=True)
folder = Path(sys.argv[1])
def numbers(name):
    return np.fromfile(folder / name)
def serve(work):
    for _ in sys.stdin:
        gc.collect()
        start = process_time()
        values = work()
        seconds = process_time() - start
        print(json.dumps({"seconds": seconds, "values": [float(v) for v in values]}), flush=True)
"""


def on_one_thread() -> None:
    """Start this process again with one thread to its linear algebra, unless it has one already."""
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | ONE_THREAD)


def timed(work: Work) -> tuple[float, list[float]]:
    """Processor seconds of a function, and what it returned."""
    gc.collect()
    start = time.process_time()
    values = work()
    return time.process_time() - start, [float(value) for value in values]


class Apart:
    """A contender in a process of its own, started by a `Task` and asked by `run`."""

    def __init__(self, command: Sequence[str], script: str, suffix: str, folder: Path) -> None:
        path = folder / f"task_{len(list(folder.glob('task_*')))}{suffix}"
        path.write_text(script, encoding="utf-8")
        self._process = None
        if shutil.which(command[0]):
            self._process = subprocess.Popen(
                [*command, str(path), str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | ONE_THREAD,
            )
        self.installed = self._process is not None and self._line() == "ready"

    def _line(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def run(self) -> tuple[float, list[float]]:
        """Processor seconds of one run, and its values; raises if it could not be run."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write("run\n")
        self._process.stdin.flush()
        answer = self._line()
        if not answer:
            raise RuntimeError("a contender in a process of its own ended without an answer")
        found = json.loads(answer)
        return float(found["seconds"]), [float(value) for value in found["values"]]

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.communicate()


class Task:
    """One piece of work: a folder with its data, and the contenders that read them there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.apart: dict[str, Apart] = {}

    def put(self, **columns: Any) -> None:
        """Store columns of numbers, each in a file of its name."""
        for name, values in columns.items():
            np.asarray(values, dtype=np.float64).tofile(self.folder / name)

    def r(self, name: str, script: str, *packages: str) -> None:
        """Let R do it; the script calls `serve` with a function of no arguments that returns numbers."""
        quoted = ", ".join(f'"{package}"' for package in packages)
        prelude = R_SERVE.replace("PACKAGES", f"c({quoted})")
        self.apart[name] = Apart(["Rscript"], prelude + script, ".R", self.folder)

    def python(self, name: str, imports: str, script: str, *requirements: str, interpreter: str = "") -> None:
        """Let Python do it in an environment that uv keeps apart, or that of another interpreter."""
        uv = [str(Path(sys.executable).with_name("uv")), "run", "--no-project", "--quiet"]
        command = [*uv, *(part for needed in requirements for part in ("--with", needed)), "python"]
        script = PYTHON_SERVE.replace("IMPORTS", imports) + script
        self.apart[name] = Apart([interpreter] if interpreter else command, script, ".py", self.folder)

    def results(
        self,
        ours: Work,
        here: Mapping[str, Work] | None = None,
        *,
        runs: int = 5,
        equal: Mapping[str, float] | None = None,
        difference: Callable[[Sequence[float], Sequence[float]], float] | None = None,
    ) -> dict[str, Any]:
        """Medians of so many runs in turn, after one run that is not counted, and whether results agree.

        `equal` names the largest difference allowed to a contender, 1e-8 unless given.
        """
        contenders: dict[str, Callable[[], tuple[float, list[float]]]]
        contenders = {name: partial(timed, work) for name, work in {"": ours, **(here or {})}.items()}
        contenders |= {name: peer.run for name, peer in self.apart.items() if peer.installed}
        seconds: dict[str, list[float]] = {name: [] for name in contenders}
        values = {}
        for _ in range(runs + 1):
            for name, run in contenders.items():
                used, values[name] = run()
                seconds[name].append(used)
        medians = {name: median(used[1:]) for name, used in seconds.items()}
        part: dict[str, Any] = {"runs": runs, "seconds": medians.pop("")}
        for name, used in medians.items():
            part |= {f"{name}_seconds": used, f"times_faster_than_{name}": used / part["seconds"]}
            if values[name]:
                gap, allowed = (
                    (difference or relative)(values[""], values[name]),
                    (equal or {}).get(name, EQUAL),
                )
                part |= {f"{name}_difference": gap, f"{name}_equal_within": allowed}
                part[f"{name}_equal"] = gap <= allowed
        part |= {name: NOT_INSTALLED for name, peer in self.apart.items() if not peer.installed}
        if medians:
            fastest = min(medians, key=lambda name: medians[name])
            part |= {"fastest": fastest, "times_faster": medians[fastest] / part["seconds"]}
        return part


def relative(first: Sequence[float], second: Sequence[float]) -> float:
    """Largest relative difference of the values that both have."""
    size = min(len(first), len(second))
    a, b = np.asarray(first[:size]), np.asarray(second[:size])
    if size == 0:
        return 0.0
    scale = np.maximum(np.maximum(np.abs(a), np.abs(b)), 1e-300)
    return float((np.abs(a - b) / scale).max())


@contextmanager
def task(**columns: Any) -> Iterator[Task]:
    """A piece of work with its data stored; ends the processes of its contenders."""
    with tempfile.TemporaryDirectory() as name:
        made = Task(Path(name))
        made.put(**columns)
        try:
            yield made
        finally:
            for peer in made.apart.values():
                peer.close()
