"""The tables of a mapped cohort kept as its files have them, and faults told where they stand.

>>> lexicon_of(folder).find("ferritin")[0].name, refresh(folder), located([], folder)
('ferritin', [], [])
>>> open_question("day0", "What is day 0?").found
'an open question: What is day 0?'
"""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd

from helpers.cohort.reading import DERIVED
from helpers.intake.identities import Identities, key_text, read_key
from helpers.intake.lexicon import WORDS_FILE, Lexicon
from helpers.intake.mapping import KEY_FILE, MAPPING_FILE, SOURCE_FOLDER, IntakeMapping, read_mapping
from helpers.intake.replay import Replayed, replay
from helpers.intake.sources import Sources, read_sources, source_files
from helpers.problems import Problem, errors
from helpers.project.sources import digest_of_files
from helpers.results.files import write_whole
from helpers.vocabulary.model import TABLE_NAMES, TableName
from helpers.vocabulary.reading import FILES, SHIPPED_FOLDER, cohort_texts, read_texts

PLACES_FILE = "places.parquet"
_STAMP_FILE = "made_from.json"
# Columns that a table has even if they are empty: nothing was recorded, or nobody died.
_ALWAYS: dict[TableName, tuple[str, ...]] = {
    "patients": ("age", "sex", "death_day"),
    "measurements": (),
    "treatments": ("dose", "unit", "route", "times_per_day"),
    "responses": (),
    "events": ("grade",),
}


def lexicon_of(folder: Path) -> Lexicon:
    """Return the words by which the files of a cohort are read: the project's and the cohort's own."""
    return Lexicon(read_texts(cohort_texts(folder)).vocabulary)


def refresh(folder: Path) -> list[Problem]:
    """Make the tables of a mapped cohort anew if its files or its mapping have changed; return what is wrong.

    A cohort without a mapping has its tables as they are. Nothing is written while a question is open or
    a file cannot be read.
    """
    if not (folder / MAPPING_FILE).is_file():
        return []
    mapping = read_mapping(folder / MAPPING_FILE)
    if isinstance(mapping, Problem):
        return [mapping]
    if mapping.questions:
        return [open_question(question.key, question.text) for question in mapping.questions]
    digest = _digest(folder)
    stored = _stored(folder / DERIVED / _STAMP_FILE)
    if stored is not None and stored[0] == digest:
        return stored[1]
    lexicon = lexicon_of(folder)
    sources = read_sources(folder / SOURCE_FOLDER, {one.name: one for one in mapping.files}, lexicon)
    done, problems = make_tables(folder, mapping, sources, lexicon)
    del done
    return problems


def open_question(key: str, text: str) -> Problem:
    """Return the fault that a question has no answer yet."""
    remedy = f"answer it: compendium new NAME --answer '{key}=...', or in mapping.html"
    return Problem(MAPPING_FILE, None, key, f"an open question: {text}", "an answer", remedy)


def make_tables(
    folder: Path, mapping: IntakeMapping, sources: Sources, lexicon: Lexicon
) -> tuple[Replayed, list[Problem]]:
    """Replay a mapping and write the tables, unless something is wrong; return both."""
    identities = Identities(replaced=mapping.new_ids, key=read_key(folder / KEY_FILE))
    done = replay(mapping, sources.blocks, identities, lexicon)
    problems = [*sources.problems, *done.problems]
    if not errors(problems):
        write_tables(folder, done, problems)
        if mapping.new_ids:
            write_whole(folder / KEY_FILE, key_text(identities.key).encode())
            (folder / KEY_FILE).chmod(0o600)
    return done, problems


def write_tables(folder: Path, done: Replayed, problems: list[Problem]) -> None:
    """Write every table that has records, where each came from, and what they were made from."""
    target = folder / DERIVED
    target.mkdir(exist_ok=True)
    places = []
    for name in TABLE_NAMES:
        file = target / f"{name}.csv"
        if not done.records[name]:
            file.unlink(missing_ok=True)
            continue
        write_whole(file, _csv(done.records[name], _ALWAYS[name]))
        places += [
            (name, line, place.file, place.sheet, place.line, place.column)
            for line, place in enumerate(done.places[name], start=2)
        ]
    frame = pd.DataFrame(places, columns=["table", "line", "file", "sheet", "source_line", "source_column"])
    content = io.BytesIO()
    frame.to_parquet(content, index=False)
    write_whole(target / PLACES_FILE, content.getvalue())
    stamp = {"digest": _digest(folder), "problems": [asdict(problem) for problem in problems]}
    write_whole(target / _STAMP_FILE, json.dumps(stamp, ensure_ascii=False, indent=1).encode())


def _csv(records: list[dict[str, str]], always: tuple[str, ...]) -> bytes:
    columns = list(dict.fromkeys(name for record in records for name in record))
    dated = {name for name in columns if name.endswith("_date") and any(r.get(name) for r in records)}
    used = [name for name in columns if name in always or any(record.get(name) for record in records)]
    used = [
        name
        for name in used
        if name != "death_day" or "death_date" not in dated or any(r.get(name) for r in records)
    ]
    used += [name for name in always if name not in columns and name != "death_day"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(used)
    writer.writerows([record.get(name, "") for name in used] for record in records)
    return text.getvalue().encode()


def _digest(folder: Path) -> str:
    """Return the digest of all that the tables follow from: files, mapping, words and this code."""
    code = sorted(Path(__file__).parent.glob("*.py"))
    words = [*(SHIPPED_FOLDER / name for name in FILES), *(folder / name for name in FILES), WORDS_FILE]
    return digest_of_files([folder / MAPPING_FILE, *source_files(folder / SOURCE_FOLDER), *words, *code])


def _stored(file: Path) -> tuple[str, list[Problem]] | None:
    try:
        stamp = json.loads(file.read_text(encoding="utf-8"))
        known = [Problem(**{**one, "more_rows": tuple(one["more_rows"])}) for one in stamp["problems"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(stamp["digest"]), known


def located(problems: Iterable[Problem], folder: Path) -> list[Problem]:
    """Return problems of the tables with file, sheet and line of the source files in their place."""
    problems = list(problems)
    file = folder / DERIVED / PLACES_FILE
    if not (folder / MAPPING_FILE).is_file() or not file.is_file():
        return problems
    frame = pd.read_parquet(file)
    keys = zip(frame["table"] + ".csv", frame["line"], strict=True)
    shown = frame["file"].where(frame["sheet"] == "", frame["file"] + " [" + frame["sheet"] + "]")
    places = dict(zip(keys, zip(shown, frame["source_line"], strict=True), strict=True))
    return [one for problem in problems for one in _located(problem, places)]


def _located(problem: Problem, places: dict[tuple[str, int], tuple[str, int]]) -> list[Problem]:
    if problem.row is None:
        return [problem]
    by_file: dict[str, list[int]] = {}
    for row in (problem.row, *problem.more_rows):
        known = places.get((problem.file, row))
        if known is None:
            return [problem]
        by_file.setdefault(known[0], []).append(int(known[1]))
    return [
        replace(problem, file=name, row=min(lines), more_rows=tuple(sorted(set(lines) - {min(lines)})))
        for name, lines in by_file.items()
    ]
