"""A delivery of files taken in: copied, looked at, mapped, and turned into the tables of a cohort."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from helpers.cohort.config import CONFIG_FILE
from helpers.errors import CompendiumError
from helpers.intake.mapping import (
    MAPPING_FILE,
    SOURCE_FOLDER,
    IntakeMapping,
    SourceFile,
    differences,
    read_mapping,
    write_mapping,
)
from helpers.intake.page import PAGE_FILE, write_page
from helpers.intake.propose import propose
from helpers.intake.readers import READERS
from helpers.intake.refresh import lexicon_of, make_tables, open_question
from helpers.intake.settings_text import proposed_settings
from helpers.intake.sources import Sources, read_sources
from helpers.problems import Problem, errors
from helpers.results.files import write_whole


class IntakeError(CompendiumError):
    """Files that cannot be taken in; the message says why."""


@dataclass(frozen=True)
class Delivery:
    """What became of a delivery.

    Attributes:
        mapping: the proposal, with the questions that are open.
        news: what is new since the mapping before, in words.
        problems: of the files and of the tables made of them.
        rows: number of records of each table that was written.
    """

    mapping: IntakeMapping
    news: list[str]
    problems: list[Problem]
    rows: dict[str, int] = field(default_factory=dict)


def deliver(folder: Path, files: Sequence[Path], answers: Mapping[str, str]) -> Delivery:
    r"""Take files into a cohort's folder, or look again at those that are there.

    The files stay as they are; copies of them stand in `source/`. `mapping.toml` keeps what it says and gets
    what is new. Tables and a first `cohort.toml` are written once no question is open.

    Args:
        folder: the cohort's folder; it is made if there is none.
        files: files of the hospital; none to look at the copies again.
        answers: question = answer.

    Raises:
        IntakeError: a file is not there or is of no known kind, or the mapping cannot be read.

    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp())
    >>> (place / "lab.csv").write_text("patient,ferritin\nR01,900\n", encoding="utf-8")
    25
    >>> found = deliver(place / "cohort", [place / "lab.csv"], {})
    >>> len(found.mapping.tables), [question.key for question in found.mapping.questions][:1]
    (1, ['use.group'])
    """
    _copy(folder, files)
    lexicon = lexicon_of(folder)
    before: IntakeMapping | None = None
    if (folder / MAPPING_FILE).is_file():
        found = read_mapping(folder / MAPPING_FILE)
        if isinstance(found, Problem):
            raise IntakeError(str(found))
        before = found
    told = {**(before.answers if before else {}), **answers}
    choices = {one.name: one for one in before.files} if before else {}
    choices |= {
        key.partition(".")[2]: choices.get(key.partition(".")[2], _chosen(key, told))
        for key in told
        if key.startswith("encoding.")
    }
    sources = read_sources(folder / SOURCE_FOLDER, choices, lexicon)
    mapping = propose(sources, told, lexicon, before)
    news = differences(before, mapping) if before and before.tables else []
    write_mapping(mapping, folder / MAPPING_FILE)
    write_page(folder / PAGE_FILE, folder.name, mapping, sources)
    useless = list(_useless(mapping, sources))
    if mapping.questions or errors(sources.problems):
        problems = [open_question(one.key, one.text) for one in mapping.questions]
        return Delivery(mapping, news, [*sources.problems, *useless, *problems])
    done, problems = make_tables(folder, mapping, sources, lexicon)
    problems += useless
    if not (folder / CONFIG_FILE).is_file() and not errors(problems):
        text = proposed_settings(folder.name, mapping, done, lexicon)
        write_whole(folder / CONFIG_FILE, text.encode())
    rows: dict[str, int] = {name: len(records) for name, records in done.records.items() if records}
    return Delivery(mapping, news, problems, rows)


def _useless(mapping: IntakeMapping, sources: Sources) -> Iterator[Problem]:
    """Name files of which nothing was understood: they may be others than they were taken for."""
    used = {table.file for table in mapping.tables} | sources.dictionaries
    for name in sources.notes:
        if name not in used:
            expected, remedy = "a table with known columns", "look whether it is the right file, or remove it"
            yield Problem(name, None, "", "nothing that was understood", expected, remedy, "warning")


def _chosen(key: str, told: Mapping[str, str]) -> SourceFile:
    return SourceFile(name=key.partition(".")[2], encoding=told[key])


def _copy(folder: Path, files: Sequence[Path]) -> None:
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise IntakeError(f"There is no file {missing[0]}.", remedy="Correct the path.")
    strange = [file for file in files if file.suffix.casefold() not in READERS]
    if strange:
        kinds = ", ".join(READERS)
        raise IntakeError(
            f"{strange[0].name} is of no known kind ({kinds}).", remedy="Export it as xlsx or csv."
        )
    source = folder / SOURCE_FOLDER
    source.mkdir(parents=True, exist_ok=True)
    for file in files:
        target = source / file.name
        if file.resolve() != target.resolve():
            shutil.copyfile(file, target)
    if not any(source.iterdir()):
        raise IntakeError("No file was given and none was taken in before.", remedy="Give --from FILE.")
