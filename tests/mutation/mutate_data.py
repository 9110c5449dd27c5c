"""Spoil cohorts in the ways in which people spoil them, and see whether `check` says so.

    python tests/mutation/mutate_data.py --seed 1 --each 100 [--only CLASS ...] [--report FILE]

Each class of faults is tried so many times on three cohorts: the embedded one and two invented studies. What
became of a trial:

    said      an error or a warning more than the unspoilt cohort has
    harmless  nothing is said, and the analysis tables are those of the unspoilt cohort
    silent    nothing is said, and the analysis tables differ
    raised    an exception instead of words
    hung      no answer within 20 s of computing

Classes in UNKNOWABLE are changes into data that may as well be true: nobody could know, and they are counted
apart. In all others nothing may be silent. Ends with status 1 if something was silent there, raised or hung.
"""

from __future__ import annotations

import argparse
import collections
import json
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

import numpy as np
import pandas as pd
from spoiling import CLASSES, UNKNOWABLE, Cohort

sys.path.insert(0, str(Path(__file__).parents[1] / "studies"))
from studies import write_study

from helpers.cohort.check import check_cohort
from helpers.cohort.cleaning import clean_cohort

ROOT = Path(__file__).parents[2]
SECONDS = 20
TABLES = ("patients", "measurements", "treatments", "responses", "events")


class HungError(Exception):
    """No answer in time; the processor's time counts, so that a busy machine is no hang."""


def hung(signum: int, frame: object) -> None:
    raise HungError


def bases(folder: Path) -> list[Cohort]:
    """The cohorts that are spoilt."""
    shutil.copytree(ROOT / "data" / "cohorts" / "rdmas_reconstructed", folder / "embedded")
    for name in ("tocilizumab_anakinra", "dep_hlh94"):
        write_study(name, folder / name)
    return [Cohort.read(path) for path in sorted(folder.iterdir())]


def cleaned(folder: Path) -> dict[str, pd.DataFrame]:
    """The analysis tables of a cohort in an order of their own, without the lines of the raw files."""
    tables = clean_cohort(folder)
    found = {}
    for name in TABLES:
        frame = getattr(tables, name)
        lines = [column for column in frame.columns if column.startswith(("source_row", "day_rank"))]
        frame = frame.drop(columns=lines)
        found[name] = frame.sort_values(list(frame.columns), key=lambda c: c.astype(str), ignore_index=True)
    return found


def same(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> bool:
    return all(one[name].astype(str).equals(other[name].astype(str)) for name in TABLES)


def outcome(folder: Path, before: set[str], clean: dict[str, pd.DataFrame]) -> tuple[str, str]:
    """What became of a spoilt folder, and the first words that were said."""
    signal.signal(signal.SIGPROF, hung)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        problems = check_cohort(folder)
        more = [str(problem) for problem in problems if str(problem) not in before]
        if more:
            return "said", f"{len(more)}: {more[0]}"
        return ("harmless" if same(cleaned(folder), clean) else "silent"), ""
    except HungError:
        return "hung", ""
    except Exception:
        return "raised", traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def trial(kind: str, seed: int, number: int, cohorts: list[Cohort], folder: Path) -> dict[str, object]:
    """Spoil a cohort in one way, drawn by seed, class and number, and check it."""
    rng = np.random.default_rng([seed, sorted(CLASSES).index(kind), number])
    spoilt, said = None, ""
    while not said:  # what a class needs may not be there: another cohort, another place
        spoilt = cohorts[int(rng.integers(len(cohorts)))].copy()
        said = CLASSES[kind](spoilt, rng)
    spoilt.write(folder)
    start = time.monotonic()
    verdict, words = outcome(folder, spoilt.before, spoilt.clean)
    return {"class": kind, "number": number, "cohort": spoilt.name, "change": said, "verdict": verdict,
            "words": words, "seconds": round(time.monotonic() - start, 2)}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=100, help="trials a class")
    parser.add_argument("--first", type=int, default=0, help="number of the first trial of each class")
    parser.add_argument("--only", nargs="*", default=sorted(CLASSES), choices=sorted(CLASSES))
    parser.add_argument("--report", type=Path, help="write one JSON line a trial")
    options = parser.parse_args()
    counts: dict[str, collections.Counter[str]] = {kind: collections.Counter() for kind in options.only}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bases").mkdir()
        cohorts = bases(folder / "bases")
        for cohort in cohorts:
            cohort.before = {str(problem) for problem in check_cohort(cohort.folder)}
            cohort.clean = cleaned(cohort.folder)
        for number in range(options.first, options.first + options.each):
            for kind in options.only:
                row = trial(kind, options.seed, number, cohorts, folder / "spoilt")
                counts[kind][str(row["verdict"])] += 1
                bad = row["verdict"] in ("raised", "hung")
                if bad or (row["verdict"] == "silent" and kind not in UNKNOWABLE):
                    print(f"{kind} {number} {row['cohort']} {row['verdict']}: {row['change']}", row["words"])
                if options.report:
                    with options.report.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(row, ensure_ascii=False) + "\n")
    failed = False
    for kind, found in counts.items():
        apart = " (nobody could know)" if kind in UNKNOWABLE else ""
        print(f"{kind}{apart}: {dict(found)}", flush=True)
        failed |= bool(found["raised"] or found["hung"] or (found["silent"] and kind not in UNKNOWABLE))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
