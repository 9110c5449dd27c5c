"""Spoil a hospital's files in the ways in which people and programs do, and see whether intake says so.

    python tests/mutation/mutate_files.py --seed 1 --number 500 [--only CLASS ...] [--report FILE]

Each trial draws a class of faults, one of six shapes of the invented cohort, and whether the files come for
the first time or replace those of before. What became of it:

    said      a question, an error, a warning or news that the unspoilt files do not bring
    listed    the summary of `compendium new` lists a column as not used or left out that was used before
    harmless  nothing is said, and the analysis tables are those of the unspoilt files
    silent    nothing is said, and the analysis tables differ
    raised    an exception instead of words
    hung      no answer within 20 s of computing

Ends with status 1 if something was silent, raised or hung.
"""

from __future__ import annotations

import argparse
import collections
import json
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from mutate_data import SECONDS, TABLES, HungError, hung, same
from spoiling_files import AGAIN_ONLY, FILE_CLASSES, Files, pick

sys.path.insert(0, str(Path(__file__).parents[1] / "intake"))
from invented import invented
from shapes import SHAPES

from helpers.cohort.check import check_cohort
from helpers.cohort.cleaning import clean_cohort
from helpers.errors import CompendiumError
from helpers.intake.deliver import Delivery, deliver
from helpers.intake.identities import read_key
from helpers.intake.mapping import KEY_FILE
from helpers.problems import errors

# How each shape writes its text.
BASES = {
    "xlsx_merged_header": {},
    "xlsx_chinese": {},
    "redcap_repeating": {},
    "redcap_longitudinal": {},
    "csv_english": {},
    "csv_decimal_comma": {"separator": ";", "encoding": "cp1252"},
}
_LINES = ("source_row", "day_rank", "recorded_unit")


@dataclass
class Base:
    """A shape as it is unspoilt: its files, the folder made of them, and what is said of it."""

    files: Files
    folder: Path
    said: set[str] = field(default_factory=set)
    unused: set[str] = field(default_factory=set)
    clean: dict[str, pd.DataFrame] = field(default_factory=dict)


def bases(folder: Path) -> list[Base]:
    """The shapes that are spoilt, each taken in."""
    found = []
    for name, options in BASES.items():
        (folder / name).mkdir(parents=True)
        paths = SHAPES[name].write(invented(5), folder / name)
        files = Files(name, {path.name: path.read_bytes() for path in paths}, **options)
        base = Base(files, folder / f"{name}_taken")
        delivery = deliver(base.folder, paths, SHAPES[name].answers)
        assert not delivery.mapping.questions, name
        base.said = _told(delivery.problems) | _told(check_cohort(base.folder))
        base.unused = _unused(delivery)
        base.clean = cleaned(base.folder)
        found.append(base)
    return found


def _told(problems: Iterable[object]) -> set[str]:
    """Problems as words, whatever the line."""
    return {re.sub(r"\d+", "#", str(problem)) for problem in problems}


def _unused(delivery: Delivery) -> set[str]:
    """Columns that the summary lists as not used or left out."""
    out = ("unused", "personal", "link", "birth_date")
    return {c.header for t in delivery.mapping.tables for c in t.columns if c.means in out}


def cleaned(folder: Path) -> dict[str, pd.DataFrame]:
    """The analysis tables by the patients' own names, in an order of their own."""
    tables = clean_cohort(folder)
    names = {study: told for told, study in read_key(folder / KEY_FILE).items()}
    found = {}
    for name in TABLES:
        frame = getattr(tables, name)
        kept = sorted(column for column in frame.columns if not column.startswith(_LINES))
        frame = frame[kept]
        frame = frame.assign(patient_id=frame["patient_id"].astype(str).replace(names))
        found[name] = frame.sort_values(list(frame.columns), key=lambda c: c.astype(str), ignore_index=True)
    return found


def outcome(base: Base, files: Files, folder: Path, *, again: bool) -> tuple[str, str]:
    """What became of spoilt files, and the first words that were said."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "raw").mkdir(parents=True)
    for name, content in files.content.items():
        (folder / "raw" / name).write_bytes(content)
    if again:
        shutil.copytree(base.folder, folder / "taken")
        for name in base.files.content.keys() - files.content.keys():
            (folder / "taken" / "source" / name).unlink()
    signal.signal(signal.SIGPROF, hung)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        answers = {} if again else SHAPES[files.shape].answers
        delivery = deliver(folder / "taken", sorted((folder / "raw").iterdir()), answers)
        said = [*delivery.news, *(question.text for question in delivery.mapping.questions)]
        said += sorted(_told(delivery.problems) - base.said)
        if not errors(delivery.problems) and not delivery.mapping.questions:
            said += sorted(_told(check_cohort(folder / "taken")) - base.said)
        if said:
            return "said", f"{len(said)}: {said[0]}"
        if more := _unused(delivery) - base.unused:
            return "listed", f"not used: {', '.join(sorted(more))}"
        return ("harmless" if same(cleaned(folder / "taken"), base.clean) else "silent"), ""
    except HungError:
        return "hung", ""
    except CompendiumError as error:
        return "said", str(error)
    except Exception:
        return "raised", traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def trial(kind: str, seed: int, number: int, known: list[Base], folder: Path) -> dict[str, object]:
    """Spoil the files of a shape in one way, drawn by seed, class and number, and take them in."""
    rng = np.random.default_rng([seed, sorted(FILE_CLASSES).index(kind), number])
    said = ""
    while not said:  # what a class needs may not be there: another shape, another place
        base = pick(rng, known)
        files = replace(base.files, content=dict(base.files.content))
        said = FILE_CLASSES[kind](files, rng)
    again = kind in AGAIN_ONLY or bool(rng.integers(2))
    start = time.monotonic()
    verdict, words = outcome(base, files, folder, again=again)
    return {"class": kind, "number": number, "shape": files.shape, "again": again, "change": said,
            "verdict": verdict, "words": words, "seconds": round(time.monotonic() - start, 2)}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--number", type=int, default=500, help="trials, shared out among the classes")
    parser.add_argument("--first", type=int, default=0, help="number of the first trial")
    parser.add_argument("--only", nargs="*", default=sorted(FILE_CLASSES), choices=sorted(FILE_CLASSES))
    parser.add_argument("--report", type=Path, help="write one JSON line a trial")
    options = parser.parse_args()
    counts: dict[str, collections.Counter[str]] = {kind: collections.Counter() for kind in options.only}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        known = bases(folder / "bases")
        for number in range(options.first, options.first + options.number):
            kind = options.only[number % len(options.only)]
            row = trial(kind, options.seed, number // len(options.only), known, folder / "spoilt")
            counts[kind][str(row["verdict"])] += 1
            if row["verdict"] in ("raised", "hung", "silent"):
                print(json.dumps(row, ensure_ascii=False, indent=1), flush=True)
            if options.report:
                with options.report.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
    for kind, found in counts.items():
        print(f"{kind}: {dict(found)}", flush=True)
    total = sum(counts.values(), collections.Counter())
    print(f"all: {dict(total)}")
    return int(bool(total["raised"] or total["hung"] or total["silent"]))


if __name__ == "__main__":
    sys.exit(main())
