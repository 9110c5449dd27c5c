"""Many cohorts of which some are broken, each differently; a run that is killed midway and taken up again.

    python tests/intake/many_cohorts.py --cohorts 100 --broken 7 [--each 6] [--workers 2] [--keep FOLDER]

Tried is that all sound cohorts finish, that every broken one is named with its reason, that the summary has
them all and the exit status is 1; then, into another folder, that the same command killed by SIGKILL once
half of the cohorts are done, and given again, leaves the finished ones alone and ends with the same bytes.
Ends with status 1 if anything was otherwise.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from invented import invented, write_canonical
from shapes import BASICS, SHAPES

from helpers.intake.deliver import deliver

ROOT = Path(__file__).parents[2]
PATIENCE = 3 * 3600  # seconds, of a run of all


def _edit(file: str, before: str, after: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        assert re.search(before, text), (file, before)
        (folder / file).write_text(re.sub(before, after, text, count=1), encoding="utf-8")

    return change


def _without_patients(folder: Path) -> None:
    (folder / "patients.csv").unlink()


def _unanswered(folder: Path) -> None:
    """In place of the tables a hospital's file of which no question was answered."""
    for path in folder.iterdir():
        path.unlink()
    (folder / "raw").mkdir()
    files = SHAPES["spss"].write(invented(4), folder / "raw")
    deliver(folder, files, {})


# What is done to a cohort, and what must be said of it.
BREAKS: list[tuple[Callable[[Path], None], str]] = [
    (_without_patients, "patients"),
    (_edit("cohort.toml", r"title = ", "title == "), "cohort.toml"),
    (_edit("measurements.csv", r"(?m)^(\w+,\d+,ferritin,)[^,]+", r"\1high"), "'high'"),
    (_edit("measurements.csv", r"ng/mL", "furlongs"), "furlongs"),
    (_unanswered, "open question"),
    (_edit("patients.csv", r"Ruxolitinib", "Tocilizumab"), "Tocilizumab"),
    (_edit("measurements.csv", r"(?m)^\w+,(\d+,)", r"X99,\1"), "X99"),
]


def make_cohorts(folder: Path, number: int, broken: int, each: int) -> dict[str, str]:
    """Write the cohorts into folders of one; return what must be said of each broken one, by its name."""
    expected = {}
    first = folder.parent / "first"
    first.mkdir()
    (source,) = SHAPES["spss"].write(invented(each), first)
    deliver(first / "taken", [source], BASICS)
    settings = (first / "taken" / "cohort.toml").read_text(encoding="utf-8")
    # The tables know drugs and doses, which that file had not.
    settings = (
        settings.replace("# study_drug", "study_drug", 1) if "\nstudy_drug" not in settings else settings
    )
    for n in range(number):
        target = folder / f"hospital_{n + 1:03d}"
        write_canonical(invented(each, seed=n), target)
        (target / "cohort.toml").write_text(settings, encoding="utf-8")
    step = max(number // broken, 1) if broken else 1
    for n in range(broken):
        name = f"hospital_{n * step + 1:03d}"
        change, words = BREAKS[n % len(BREAKS)]
        change(folder / name)
        expected[name] = words
    return expected


def command(folder: Path, output: Path, workers: int) -> list[str]:
    told = [sys.executable, "-m", "helpers.commands.cli", "batch", str(folder), "--output", str(output)]
    return [*told, "--workers", str(workers)]


def environment() -> dict[str, str]:
    """The caller's, without settings of this project; figures in one format, to spare time."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COMPENDIUM_")}
    return clean | {"COMPENDIUM_FIGURE_FORMATS": "svg"}


def hashes(output: Path) -> dict[str, str]:
    """SHA-256 of all results and figures but the accounts of the runs."""
    return {
        path.relative_to(output).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for part in ("results", "figures")
        for path in sorted((output / part).rglob("*"))
        if path.is_file() and "provenance" not in path.name
    }


def finished(output: Path) -> set[str]:
    """Cohorts whose last product is there."""
    return {path.parent.name for path in (output / "results").glob("*/report.html")}


def judged(output: Path, expected: dict[str, str], number: int, exit_status: int) -> list[str]:
    """Return in words what of a finished batch is not as it must be."""
    wrong = []
    with (output / "results" / "batch" / "summary.csv").open(encoding="utf-8", newline="") as file:
        lines = {row["cohort"]: row for row in csv.DictReader(file)}
    page = (output / "results" / "batch" / "index.html").read_text(encoding="utf-8")
    done = {name for name, row in lines.items() if row["status"] == "finished"}
    wrong += [f"exit status {exit_status}"] if exit_status != int(bool(expected)) else []
    wrong += [f"{len(lines)} of {number} in the summary"] if len(lines) != number else []
    wrong += [f"{len(done)} finished"] if len(done) != number - len(expected) else []
    for name, words in expected.items():
        row = lines.get(name, {"status": "missing", "reason": ""})
        if row["status"] == "finished" or words not in row["reason"]:
            wrong.append(f"{name}: {row['status']}: {row['reason']!r} does not name {words!r}")
    wrong += [f"{name} is not on the page" for name in lines if name not in page]
    wrong += [f"{name} has no estimate" for name in done if not lines[name]["n"]]
    return wrong


def killed_midway(folder: Path, output: Path, workers: int, enough: int) -> set[str]:
    """Start the batch and kill it once so many cohorts are finished; return those."""
    process = subprocess.Popen(
        command(folder, output, workers), cwd=ROOT, env=environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end and len(finished(output)) < enough:
        time.sleep(0.2)
    assert process.poll() is None, "the batch ended before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return finished(output)


def campaign(root: Path, number: int, broken: int, each: int, workers: int) -> list[str]:
    """Make the cohorts, run them undisturbed and killed midway; return in words what went wrong."""
    folder = root / "cohorts"
    folder.mkdir(parents=True)
    expected = make_cohorts(folder, number, broken, each)
    outputs = root / "undisturbed", root / "killed"
    start = time.monotonic()
    done = subprocess.run(
        command(folder, outputs[0], workers), cwd=ROOT, env=environment(), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    print(f"undisturbed: {time.monotonic() - start:.0f} s, exit status {done.returncode}", flush=True)
    print(done.stderr[-2000:], flush=True)
    wrong = judged(outputs[0], expected, number, done.returncode)
    wrong += ["a traceback"] if "Traceback" in done.stdout + done.stderr else []
    before = killed_midway(folder, outputs[1], workers, (number - broken) // 2)
    times = {
        path: path.stat().st_mtime_ns
        for name in sorted(before)
        for path in (outputs[1] / "results" / name / "statistics").glob("*.csv")
    }
    print(f"killed when {len(before)} were finished", flush=True)
    again = subprocess.run(
        command(folder, outputs[1], workers), cwd=ROOT, env=environment(), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    wrong += judged(outputs[1], expected, number, again.returncode)
    moved = {path.parent.parent.name for path, when in times.items() if path.stat().st_mtime_ns != when}
    wrong += [f"run again although finished: {', '.join(sorted(moved))}"] if moved else []
    one, other = (hashes(output) for output in outputs)
    differ = [name for name in one | other if one.get(name) != other.get(name)]
    wrong += [f"other bytes after the kill: {', '.join(differ[:8])} ({len(differ)})"] if differ else []
    print(f"{len(one)} files compared, {len(differ)} differ", flush=True)
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohorts", type=int, default=100)
    parser.add_argument("--broken", type=int, default=7)
    parser.add_argument("--each", type=int, default=6, help="patients a group")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="an empty folder for cohorts and results, which stay there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = options.keep or Path(name)
        wrong = campaign(root, options.cohorts, options.broken, options.each, options.workers)
    print("\n".join(wrong) or "all as it must be")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
