"""May a folder leave the hospital? Every file is opened and searched for what would give a patient away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from helpers.errors import CompendiumError
from helpers.intake.lexicon import header_words
from helpers.intake.personal import kind_of_cells, looks_like_name, masked, needs_new_ids, personal_data_in
from helpers.results.suppression import SMALLEST, Shared
from helpers.trust import small_counts
from helpers.trust.opened import Grid, Opened, OpenError, Text, is_stamp, opened
from helpers.trust.own_data import OwnData

MEND: dict[str, str] = {
    "a name": "take it out, or put the study's number in its place",
    "a date": "give days from day 0, or the year",
    "a national id": "take it out",
    "a phone number": "take it out",
    "a social security number": "take it out",
    "a mail address": "take it out",
    "a hospital number": "put the study's number in its place",
    "an absolute path": "name the file without the folders of a machine",
    "a patient's row": "leave the table out; share counts and averages",
    "the id of a patient": 'leave it out, or share with `ids = "none"`',
    small_counts.SMALL: "make the folder by `compendium share`, which does not show it",
    small_counts.DERIVABLE: "make the folder by `compendium share`, which hides a second number",
    "the value of a single patient": "leave minimum and maximum out",
    "a step of a curve": "leave curves of few events out",
    "a link": "put the file itself there, or nothing",
    "a file that cannot be searched": "leave it out, or save it as csv, docx, xlsx, html, pdf or png",
}
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_YEAR = r"(?:19|20)\d{2}"
_DATES = re.compile(
    rf"(?<![\d./-])(?:{_YEAR}([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])(?!\d)"
    rf"|(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|1[0-2])\2{_YEAR}(?!\d)"
    rf"|(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12]\d|3[01])/{_YEAR}(?!\d))"
    rf"|{_YEAR}年\d{{1,2}}月\d{{1,2}}日"
    rf"|\b\d{{1,2}} (?:{_MONTHS})[a-z]* {_YEAR}\b|\b(?:{_MONTHS})[a-z]* \d{{1,2}}, {_YEAR}\b"
)
_PATH = re.compile(
    r"(?<![\w.:/<-])/(?:home|Users|root|mnt|media|data|srv|var|tmp|opt|private|Volumes|share|nfs|scratch)/[\w.-]+"
    r"|(?<!\w)[A-Za-z]:\\[\w.-]+|(?<![\\\w])\\\\[\w.-]+\\[\w.$-]+|file:///?[\w.-]+"
)
_TITLED = re.compile(r"[\u4e00-\u9fff]{1,3}(?:先生|女士)|\b(?:Mrs?|Ms|Dr)\.? [A-Z][a-z]+ [A-Z][a-z]+\b")
_ZEROS = re.compile(r"0\d{5,11}")
_SHOWN = 24
_MOST = 10  # leaks of one kind named for one file


@dataclass(frozen=True)
class Leak:
    """One thing in a folder that would give a patient away.

    Attributes:
        file: the file, relative to the folder.
        place: where in it.
        kind: what it is; a key of `MEND`.
        form: its form alone, letters and digits masked.
    """

    file: str
    place: str
    kind: str
    form: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.place}" if self.place else self.file
        form = f" ({self.form})" if self.form else ""
        return f"{where}: {self.kind}{form}: {MEND[self.kind]}"


class PrivacyError(CompendiumError):
    """There is no folder to search."""


def search_folder(folder: Path, own: OwnData | None = None, *, smallest: int = SMALLEST) -> list[Leak]:
    """Search every file of a folder; returns what would give a patient away, by file.

    Args:
        folder: the folder; links in it are named and not followed.
        own: ids, dates and rows of the cohort, which are searched for too.
        smallest: the smallest count of patients that may be shown.

    Raises:
        PrivacyError: there is no such folder.
    """
    if not folder.is_dir():
        raise PrivacyError(f"{folder} is no folder.", remedy="Name the folder that is to be shared.")
    found: list[Leak] = []
    stored: dict[Path, Shared | None] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found.append(Leak(name, "", "a link", ""))
        elif path.is_file():
            leaks = {
                (one.kind, one.place, one.form): one for one in _of_file(path, name, own, smallest, stored)
            }
            found += leaks.values()
    return found


def named(leaks: list[Leak]) -> Iterator[str]:
    """Yield a line for each leak; of many of one kind in one file the first, and how many more there are."""
    groups: dict[tuple[str, str], list[Leak]] = {}
    for leak in leaks:
        groups.setdefault((leak.file, leak.kind), []).append(leak)
    for (file, kind), alike in groups.items():
        yield from map(str, alike[:_MOST])
        if len(alike) > _MOST:
            yield f"{file}: {kind}: {len(alike) - _MOST} more"


def _of_file(
    path: Path, name: str, own: OwnData | None, smallest: int, stored: dict[Path, Shared | None]
) -> Iterator[Leak]:
    for kind, form in _words(path.name):
        yield Leak(name, "its name", kind, form)
    try:
        held = opened(path)
    except OpenError as error:
        yield Leak(name, str(error), "a file that cannot be searched", "")
        return
    for text in held.texts:
        yield from _of_text(name, text, own, smallest)
    for grid in held.grids:
        yield from _of_grid(name, grid, own, smallest)
    yield from _of_names(name, held)
    if path.suffix == ".csv" and small_counts.is_statistics(path.read_bytes()):
        if path.parent not in stored:
            stored[path.parent] = small_counts.shared_of(path.parent, smallest)
        may = stored[path.parent]
        if may is not None:
            for place, kind, value in small_counts.of_statistics(path, may):
                yield Leak(name, place, kind, masked(value))


def _words(text: str) -> Iterator[tuple[str, str]]:
    """Yield kind and form of what patterns and labels tell."""
    for kind, words in personal_data_in(text):
        yield kind, _form(words)
    for kind, pattern in (("an absolute path", _PATH), ("a name", _TITLED), *_LABELLED):
        for found in pattern.finditer(text):
            yield kind, _form(found[0])


def _of_text(file: str, text: Text, own: OwnData | None, smallest: int) -> Iterator[Leak]:
    for kind, form in _words(text.text):
        yield Leak(file, text.place, kind, form)
    if not is_stamp(text.name):
        for found in _DATES.finditer(text.text):
            yield Leak(file, text.place, "a date", _form(found[0]))
    for kind, words in small_counts.of_text(text.text, smallest):
        yield Leak(file, text.place, kind, _form(words))
    if own is not None:
        for kind, words in own.found_in(text.text):
            yield Leak(file, text.place, kind, _form(words))


def _of_grid(file: str, grid: Grid, own: OwnData | None, smallest: int) -> Iterator[Leak]:
    before = f"{grid.place}, " if grid.place else ""
    header, rows = (grid.rows[0], grid.rows[1:]) if grid.rows else ([], [])
    for n, title in enumerate(header):
        cells = [row[n] for row in rows if n < len(row) and row[n].strip()]
        kind = _of_column(title, cells)
        if kind:
            number = next(i for i, row in enumerate(rows, start=2) if n < len(row) and row[n].strip())
            yield Leak(file, f"{before}row {number}, column {n + 1}", kind, _form(cells[0]))
    for number, row in enumerate(grid.rows, start=1):
        if own is not None and own.is_row(row):
            yield Leak(file, f"{before}row {number}", "a patient's row", "")
        for n, cell in enumerate(row, start=1):
            if _ZEROS.fullmatch(cell.strip()):
                yield Leak(file, f"{before}row {number}, column {n}", "a hospital number", _form(cell))
    for place, kind, value in small_counts.of_grid(grid, smallest):
        yield Leak(file, before + place, kind, masked(value))


def _of_column(title: str, cells: list[str]) -> str:
    """Return what the cells of a column give away, told by its title or by most of them; empty if nothing."""
    if not cells:
        return ""
    folded = re.sub(r"[\s_]+", " ", title).strip().lower()
    if folded in _IDS:
        why = needs_new_ids(cells)
        return "a hospital number" if "hospital" in why else "a patient's row"
    if folded in header_words("hospital_id", "id"):
        return "a hospital number"
    if folded in _NAMES and any(re.search(r"[^\W\d_]{2}", cell) for cell in cells) and folded != "name":
        return "a name"
    return "a name" if kind_of_cells(cells) == "a name" else ""


def _of_names(file: str, held: Opened) -> Iterator[Leak]:
    """Cells that look like Chinese names, in tables that are otherwise not Chinese."""
    for grid in held.grids:
        cells = [(r, n, cell) for r, row in enumerate(grid.rows, 1) for n, cell in enumerate(row, 1) if cell]
        chinese = [one for one in cells if re.search(r"[\u4e00-\u9fff]", one[2])]
        if len(chinese) <= 0.1 * len(cells) or len(chinese) == 1:
            for row, column, cell in chinese:
                if looks_like_name(cell.strip()):
                    yield Leak(file, f"row {row}, column {column}", "a name", _form(cell))


def _form(text: str) -> str:
    form = masked(text.strip())
    return form if len(form) <= _SHOWN else f"{form[:_SHOWN]}..."


def _labels(words: tuple[str, ...], value: str) -> re.Pattern[str]:
    spelled = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(rf"(?<![\w])(?:{spelled})\s*[:：=]\s*(?:{value})", re.I)


_NAMES = frozenset(header_words("personal", "name"))
_IDS = frozenset(
    {"patient", "patient id", "patient no", "subject", "subject id", "usubjid", "患者编号", "病人编号"}
)
_LABELLED = (
    ("a name", _labels(tuple(word for word in _NAMES if word != "name"), r"[^\W\d_]{2,}(?: [^\W\d_]+)*")),
    ("a hospital number", _labels(header_words("hospital_id", "id"), r"[A-Z]{0,3}-?\d{4,}")),
)
