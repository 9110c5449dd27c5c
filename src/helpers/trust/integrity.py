"""Is a folder of results what its record says? Told from its files alone: nothing is run, nothing written."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from helpers.errors import CompendiumError
from helpers.project.paths import project_root
from helpers.project.raw_files import raw_files
from helpers.project.sources import (
    cell_source,
    digest_file,
    files_matching,
    notebook_cells,
    notebook_digest,
    package_folder,
    source_digest,
)
from helpers.results.store import COUNTS, NUMBERS, Statistics, StatisticsStoreError
from helpers.run.crate import CRATE
from helpers.run.plan import PROVENANCE
from helpers.trust.crate import contradictions
from helpers.trust.received import FIGURES, Received, received

Kind = Literal[
    "missing", "changed", "stale", "not recorded", "link", "other data", "other code", "contradiction"
]
# What commands write beside a run: documents in another language or as PDF, figures and tables for a journal,
# statistics for other programs.
_ASIDE = re.compile(
    r"(manuscript|supplement|report)(\.[A-Za-z-]{2,8})?\.(docx|html|pdf)|figures/\w+/\w+\.(pdf|svg|png|tiff)"
    r"|tables/\w+/\w+\.(docx|tex|xlsx|html|csv)|statistics_ard\.csv"
)
_RELATIVE = 1e-9


@dataclass(frozen=True)
class Finding:
    """One thing about a folder that is not as its record says.

    Attributes:
        kind: what is wrong.
        place: the file, as the record names it, or what else it is about.
        text: what was found and what was expected.
    """

    kind: Kind
    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.kind}: {self.text}"


@dataclass(frozen=True)
class Verification:
    """What was found about a folder.

    Attributes:
        name: the cohort, as the record names it.
        files: how many files are as recorded.
        findings: what is not as the record says.
        remarks: what could not be compared and why, and files that stand beside the record.
    """

    name: str
    files: int
    findings: list[Finding]
    remarks: list[str]


def verify(folder: Path, data: Path | None = None) -> Verification:
    """Hold a folder of results against its record, its own numbers, this project and the raw data.

    Files are read and nothing of them is executed; links are named and not followed.

    Args:
        folder: ``results/NAME``, of this project or a copy.
        data: the cohort's folder; by default that of the same name in this project.

    Raises:
        RecordError: the folder has no record that can be believed.

    >>> verify(folder)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    helpers.trust.received.RecordError: ...provenance.json...
    """
    here = received(folder)
    remarks: list[str] = []
    files = _against_record(here, remarks)
    findings = list(files.findings)
    sound = files.sound
    findings += _numbers(here, sound, remarks)
    findings += _notebooks(here, sound)
    others = [*_code(here, remarks), *_raw_data(here, data, remarks)]
    cohort = _cohort_folder(here, data)
    settings = cohort if cohort.is_dir() and not others else None
    findings += [Finding("contradiction", CRATE, text) for text in contradictions(here, sound, settings)]
    findings += others
    return Verification(here.record.cohort, len(sound), findings, remarks)


@dataclass(frozen=True)
class _Files:
    findings: list[Finding]
    sound: frozenset[str]


def _against_record(here: Received, remarks: list[str]) -> _Files:
    record, findings = here.record, list[Finding]()
    found = {file.place: file for file in here.files()}
    findings += [Finding("link", place, "a link; it was not followed") for place, file in found.items()
                 if file.link]  # fmt: skip
    sound = set()
    if here.figures is None and any(place.startswith(FIGURES) for place in record.products):
        findings.append(Finding("missing", "figures", f"no folder figures/{here.results.name} beside it"))
    for place, digest in sorted(record.products.items()):
        file = found.get(place)
        if file is None:
            if not place.startswith(FIGURES) or here.figures is not None:
                findings.append(Finding("missing", place, "the record names it"))
        elif not file.link:
            if digest_file(file.path) == digest:
                sound.add(place)
            else:
                findings.append(Finding("changed", place, "edited by hand, damaged or replaced"))
    for place in sorted(set(record.stale) & set(found)):
        findings.append(Finding("stale", place, "its step failed or did not run; it is of an earlier run"))
    for step in record.missing_steps:
        findings.append(Finding("stale", step, "this step failed or did not run"))
    known = {*record.products, *record.stale, PROVENANCE}
    for place in sorted(set(found) - known):
        if found[place].link:
            continue
        if _ASIDE.fullmatch(place):
            remarks.append(f"{place} was made beside the run: the record cannot vouch for it")
        else:
            findings.append(Finding("not recorded", place, "nobody can say what it was made from"))
    return _Files(findings, frozenset(sound))


def _numbers(here: Received, sound: frozenset[str], remarks: list[str]) -> Iterator[Finding]:
    """Numbers of tables that are not those of the statistics: a file was replaced, and the record with it."""
    stored = {place for place in here.record.products if place.startswith("statistics/")}
    if not stored <= sound:
        remarks.append("the numbers of tables were not compared: statistics are not as recorded")
        return
    try:  # only what the record names is opened
        statistics = Statistics.read(here.results / "statistics", [Path(place).stem for place in stored])
    except (StatisticsStoreError, OSError, ValueError) as error:
        yield Finding("changed", "statistics", f"cannot be read: {error}")
        return
    for place in sorted(sound):
        if not (place.startswith("tables/") and place.endswith(".json")):
            continue
        try:
            stored = json.loads((here.results / place).read_text(encoding="utf-8"))
        except (ValueError, RecursionError):
            yield Finding("changed", place, "no JSON")
            continue
        for number in _numbers_in(stored):
            fault = _fault_of(number, statistics)
            if fault:
                yield Finding("contradiction", place, fault)
                break


def _numbers_in(stored: Any) -> Iterator[list[Any]]:
    waiting = [stored]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            numbers = part.get("numbers")
            if isinstance(numbers, dict):
                yield from (one for one in numbers.values() if isinstance(one, list))
            waiting += [value for key, value in part.items() if key != "numbers"]
        elif isinstance(part, list):
            waiting += part


def _fault_of(number: list[Any], statistics: Statistics) -> str:
    """Why a number of a table is not the statistic that it names, in words; empty if it is."""
    if len(number) != 4 or not all(isinstance(part, str) for part in number[1:]):
        return "a number without the statistic that it is"
    value, identifier, column = number[0], number[1], number[2]
    row = statistics.get(identifier)
    if row is None or column not in (*NUMBERS, *COUNTS):
        return f"{identifier} ({column}) is no statistic"
    own = getattr(row, column)
    shown, stored = _float(value), math.nan if own is None else float(own)
    same = shown == stored or (math.isnan(shown) and math.isnan(stored))
    if same or math.isclose(shown, stored, rel_tol=_RELATIVE, abs_tol=0.0):
        return ""
    return f"shows {value} as {identifier}, the statistics say {stored:.12g}"


def _float(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.inf


def _notebooks(here: Received, sound: frozenset[str]) -> Iterator[Finding]:
    """Executed notebooks whose code is not that of the notebook which the record names."""
    root = project_root()
    for place, digest in here.record.notebooks.items():
        own = root / place
        if place not in sound or not own.is_file() or notebook_digest(own) != digest:
            continue
        try:
            executed = _code_of(here.results / place)
        except CompendiumError as error:
            yield Finding("changed", place, str(error))
            continue
        cells = _code_of(own)
        missing = sum(cell not in executed for cell in cells)
        extra = len(executed) - len(cells) - 1  # one more: its parameters
        if missing:
            yield Finding("contradiction", place, f"{missing} of its cells are not those of {own.name}")
        elif extra > 0:
            yield Finding("contradiction", place, f"{extra} cells more than {own.name} has")


def _code_of(path: Path) -> list[str]:
    cells = notebook_cells(path)
    return [cell_source(cell) for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]


def _code(here: Received, remarks: list[str]) -> Iterator[Finding]:
    record = here.record
    other = [
        place for place, digest in {**record.notebooks, **record.project_files}.items()
        if not _of_project(place).is_file() or _digest_of(_of_project(place)) != digest
    ]  # fmt: skip
    if source_digest(files_matching(package_folder(), "**/*.py")) != record.helpers:
        other.append("the package")
    for place in other:
        yield Finding("other code", place, "not the version that the results were made with")
    if other:
        remarks.append("`compendium run` with this version makes the results anew")


def _of_project(place: str) -> Path:
    """Where a file of the project lies; the package's may be installed elsewhere."""
    inside = place.removeprefix("src/helpers/")
    return project_root() / place if inside == place else package_folder() / inside


def _digest_of(path: Path) -> str:
    return notebook_digest(path) if path.suffix == ".ipynb" else digest_file(path)


def _cohort_folder(here: Received, data: Path | None) -> Path:
    return data or project_root() / "data" / "cohorts" / here.record.cohort.partition("@")[0]


def _raw_data(here: Received, data: Path | None, remarks: list[str]) -> Iterator[Finding]:
    folder = _cohort_folder(here, data)
    if not folder.is_dir():
        remarks.append(f"the raw data are not in {folder}: not compared")
        return
    now = raw_files(folder)
    recorded: Mapping[str, str] = here.record.raw_data
    for place in sorted({*now, *recorded}):
        if place not in now:
            yield Finding("other data", place, "the results were made from it, and it is gone")
        elif place not in recorded:
            yield Finding("other data", place, "it was not there when the results were made")
        elif digest_file(now[place]) != recorded[place]:
            yield Finding("other data", place, "edited since the results were made")
