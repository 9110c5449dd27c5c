"""Repeat what a newcomer tries first, on a machine that has other things to do: does it ever fail by chance?

    make soak ARGS="--runs 20 --starts 60 --tests 2"

Runs of a small cohort, starts of a plan of two notebooks with slow imports, and the tests of the run, each
repeated without hogs and beside as many processes that only use a processor as there are processors, and
four times as many: half of all repetitions have hogs. `--at-once` has several repetitions load one another.
Failures are counted by kind; the exit status is 1 if there are any. `--project` measures another checkout,
with the environment that it has.
"""

import argparse
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
EMBEDDED = "data/cohorts/rdmas_reconstructed"
PATIENTS_OF_A_GROUP = 8
# Two of four repetitions on a free machine, one beside one hog a processor, one beside four.
HOGS_PER_PROCESSOR = (0, 1, 0, 4)
HANGS_AFTER = 1800  # seconds
# Share of the modules that wait, longest wait in seconds, and whose modules: what the threads of a run and
# the process that forks its kernels use.
SLOW_IMPORTS = (
    "0.5 0.1 jupyter_client jupyter_core nbclient nbformat papermill traitlets zmq "
    "IPython debugpy ipykernel prompt_toolkit tornado"
)
PLAN = """
[01_first]
reads = ["cohort/*.csv"]
writes = ["data/patients.parquet"]

[02_second]
reads = ["data/patients.parquet"]
writes = ["statistics/02_second.csv"]
"""
COPY = """
import os
from pathlib import Path
folder = Path(os.environ["COMPENDIUM_OUTPUT"]) / "results" / "small"
source = {source}
(folder / "{target}").write_bytes(source.read_bytes())
"""
RAW = 'Path(os.environ["COMPENDIUM_PROJECT"]) / "data" / "cohorts" / "small" / "patients.csv"'
CLEANED = 'folder / "data" / "patients.parquet"'
# What differs between two failures of one kind.
_VARYING = re.compile(r"0x[0-9a-f]+|/[\w./@-]+|\d+")


@dataclass(frozen=True)
class Repetition:
    """What became of one repetition; `failure` is empty if nothing went wrong."""

    what: str
    hogs: int
    seconds: float
    failure: str


@contextmanager
def hogs(number: int) -> Iterator[None]:
    """Processes that only use a processor."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(number)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def carry_out(command: list[str], env: Mapping[str, str], folder: Path) -> tuple[int | None, str]:
    """Exit status, None if it hangs, and all that the command said."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        process = subprocess.Popen(
            command, env=dict(env), cwd=folder, stdout=said, stderr=said, start_new_session=True
        )
        try:
            status: int | None = process.wait(timeout=HANGS_AFTER)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            status = None
        said.seek(0)
        return status, said.read()


def failure_kind(status: int | None, said: str) -> str:
    """A failure in a line without what differs each time."""
    if status is None:
        return "hangs"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    told = [line for line in lines if re.search(r"FAILED|^ERROR |Error\b", line)] or lines[-1:]
    return f"status {status}: " + _VARYING.sub("_", told[0] if told else "")[:200]


class Soak:
    """The commands of one checkout, in a folder that is thrown away."""

    def __init__(self, project: Path, folder: Path, seed: int) -> None:
        self.project, self.folder, self.seed = project, folder, seed
        self.bin = project / ".venv" / "bin"
        self._numbers = itertools.count()
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("COMPENDIUM_", "JUPYTER_"))}
        self.cohort = folder / "soaked"
        write_cohort(project / EMBEDDED, self.cohort)
        self.small = folder / "project"
        write_project(project, self.small, self.cohort)

    def run(self) -> str:
        """All steps for a small cohort."""
        with self._output() as output:
            command = [str(self.bin / "compendium"), "run", str(self.cohort), "--output", str(output)]
            return self._failure(command, self.env, r"^(\d+) steps: \1 executed$")

    def start(self) -> str:
        """Two notebooks, and imports that take their time."""
        with self._output() as output:
            env = self.env | {
                "COMPENDIUM_PROJECT": str(self.small),
                "COMPENDIUM_SOAK_IMPORTS": f"{self.seed}-{output.name} {SLOW_IMPORTS}",
                "PYTHONPATH": str(HERE / "slow_imports"),
            }
            command = [
                str(self.bin / "compendium"),
                "run",
                "small",
                "--output",
                str(output),
                "--workers",
                "2",
            ]
            return self._failure(command, env, r"^2 steps: 2 executed$")

    def tests(self) -> str:
        """The tests that runs decide."""
        room = "run" if (self.project / "tests" / "run").is_dir() else "pipeline"
        command = [str(self.bin / "pytest"), "-q", "-n", "2", "-m", "not slow", "-p", "no:cacheprovider"]
        return self._failure([*command, f"tests/{room}", "tests/cohorts"], self.env, r"\d+ passed")

    @contextmanager
    def _output(self) -> Iterator[Path]:
        output = self.folder / f"output-{next(self._numbers)}"
        yield output
        shutil.rmtree(output, ignore_errors=True)

    def _failure(self, command: list[str], env: Mapping[str, str], expected: str) -> str:
        status, said = carry_out(command, env, self.project)
        if status == 0 and re.search(expected, said, re.MULTILINE):
            return ""
        print(said, file=sys.stderr)
        return failure_kind(status, said)


def write_cohort(source: Path, folder: Path) -> None:
    """Some patients of each group of the embedded cohort."""
    folder.mkdir(parents=True)
    patients = pd.read_csv(source / "patients.csv", dtype=str, keep_default_na=False)
    kept = patients.groupby("group", sort=False).head(PATIENTS_OF_A_GROUP)["patient_id"]
    for file in sorted(source.glob("*.csv")):
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
        if "patient_id" in table:
            table = table[table["patient_id"].isin(kept)]
        table.to_csv(folder / file.name, index=False, lineterminator="\n")
    shutil.copyfile(source / "cohort.toml", folder / "cohort.toml")


def write_project(project: Path, root: Path, cohort: Path) -> None:
    """A project of two notebooks, the second of which waits for the first."""
    (root / "notebooks").mkdir(parents=True)
    shutil.copytree(cohort, root / "data" / "cohorts" / "small")
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copyfile(project / name, root / name)
    (root / "notebooks" / "pipeline.toml").write_text(PLAN, encoding="utf-8")
    write_notebook(root, "01_first", COPY.format(source=RAW, target="data/patients.parquet"))
    write_notebook(root, "02_second", COPY.format(source=CLEANED, target="statistics/02_second.csv"))


def write_notebook(root: Path, name: str, code: str) -> None:
    """A notebook of the cell of parameters and one more."""
    sources = {"title": f"# {name}", "parameters": 'cohort = "small"', "work": code.strip()}
    cells: list[dict[str, object]] = []
    for key, source in sources.items():
        cell: dict[str, object] = {"cell_type": "markdown", "id": key, "metadata": {}, "source": source}
        if key != "title":
            cell |= {"cell_type": "code", "outputs": [], "execution_count": None}
        if key == "parameters":
            cell["metadata"] = {"tags": [key]}
        cells.append(cell)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    content = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (root / "notebooks" / f"{name}.ipynb").write_text(json.dumps(content, indent=1), encoding="utf-8")


def repeat(
    what: str, once: Callable[[], str], times: int, loads: list[int], at_once: int
) -> Iterator[Repetition]:
    """Repeat, the loads in turn, under each of them some at once."""

    def timed(load: int) -> Repetition:
        begin = time.monotonic()
        failure = once()
        return Repetition(what, load, round(time.monotonic() - begin, 1), failure)

    with ThreadPoolExecutor(at_once) as pool:
        turns = [loads[number % len(loads)] for number in range(times)]
        for load in sorted(set(turns)):
            here = load * (os.cpu_count() or 1)
            with hogs(here):
                yield from pool.map(timed, [here] * turns.count(load))


def summary(done: list[Repetition]) -> Iterator[str]:
    """Repetitions, failures and durations by what and beside how many hogs; then failures by kind."""
    for (what, load), group in itertools.groupby(
        sorted(done, key=lambda each: (each.what, each.hogs)), key=lambda each: (each.what, each.hogs)
    ):
        each = list(group)
        failed = sum(bool(one.failure) for one in each)
        seconds = sorted(one.seconds for one in each)
        took = f"median {seconds[len(seconds) // 2]} s, longest {seconds[-1]} s"
        yield f"{what}, {load} hogs: {failed} of {len(each)} failed; {took}"
    for kind, count in Counter(each.failure for each in done if each.failure).most_common():
        yield f"{count} x {kind}"


def main() -> int:
    """Repeat what the arguments ask for, and tell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=0, help="of a small cohort")
    parser.add_argument("--starts", type=int, default=0, help="of two notebooks, with slow imports")
    parser.add_argument("--tests", type=int, default=0, help="of the run and of other cohorts")
    parser.add_argument(
        "--hogs", type=int, nargs="+", default=HOGS_PER_PROCESSOR, help="a processor, in turn"
    )
    parser.add_argument("--at-once", type=int, default=1, help="repetitions beside one another")
    parser.add_argument("--seed", type=int, default=1, help="of the waits in imports")
    parser.add_argument("--project", type=Path, default=HERE.parents[1], help="a checkout with its .venv")
    parser.add_argument("--log", type=Path, help="gets a line of JSON for each repetition")
    chosen = parser.parse_args()
    done: list[Repetition] = []
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        soak = Soak(chosen.project.absolute(), Path(folder), chosen.seed)
        plan = {"run": (soak.run, chosen.runs), "start": (soak.start, chosen.starts)}
        plan["tests"] = (soak.tests, chosen.tests)
        for what, (once, times) in plan.items():
            for each in repeat(what, once, times, list(chosen.hogs), chosen.at_once):
                done.append(each)
                print(f"{what}, {each.hogs} hogs: {each.failure or 'passed'} ({each.seconds} s)", flush=True)
                if chosen.log:
                    with chosen.log.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(asdict(each)) + "\n")
    print(*summary(done), sep="\n")
    return int(any(each.failure for each in done))


if __name__ == "__main__":
    sys.exit(main())
