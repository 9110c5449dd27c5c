"""Reading the vocabulary: the project's own files, and those that a cohort puts beside its `cohort.toml`.

Both have the same columns. A row of a cohort's file that names something known adds to it: further aliases,
units and levels, and other texts and numbers where its fields are filled in.

>>> "hemoglobin" in shipped_vocabulary().variables, cohort_texts(folder)
(True, {})
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from helpers.errors import CompendiumError
from helpers.problems import Problem, fields_of, gather, suggestion
from helpers.vocabulary import rows
from helpers.vocabulary.model import Drug, ReferenceRange, Term, Variable, prior_therapies
from helpers.vocabulary.names import fold
from helpers.vocabulary.vocabulary import Vocabulary

SHIPPED_FOLDER = Path(__file__).parent
Word = TypeVar("Word", Variable, Drug, Term)

FILES = ("variables.csv", "drugs.csv", "terms.csv", "ranges.csv")

_REQUIRED: dict[str, tuple[str, ...]] = {
    "variables.csv": ("name",),
    "drugs.csv": ("name",),
    "terms.csv": ("name",),
    "ranges.csv": ("variable",),
}
_COLUMNS: dict[str, tuple[str, ...]] = {
    "variables.csv": rows.VARIABLE_COLUMNS,
    "drugs.csv": rows.DRUG_COLUMNS,
    "terms.csv": rows.TERM_COLUMNS,
    "ranges.csv": rows.RANGE_COLUMNS,
}
_KEEP = "keep the columns of this file as data/README.md gives them"


@dataclass(frozen=True)
class VocabularyReading:
    """A vocabulary as far as it could be read, and what is wrong with the files; faulty rows are left out."""

    vocabulary: Vocabulary
    problems: list[Problem]


@dataclass
class _Sheet:
    """One file: its rows by line, and the faults found in it."""

    file: str
    lines: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@lru_cache(maxsize=1)
def shipped_vocabulary() -> Vocabulary:
    """Return the words that come with the project (read once).

    Raises:
        CompendiumError: one of the project's own files is faulty; the message names file, line and column.
    """
    texts = {name: (SHIPPED_FOLDER / name).read_bytes() for name in FILES}
    reading = read_texts(texts, Vocabulary({}), own=False)
    if reading.problems:
        raise CompendiumError("\n".join(str(problem) for problem in reading.problems))
    return reading.vocabulary


def cohort_texts(folder: Path, taken: Iterable[str] = ()) -> dict[str, bytes]:
    """Return the content of a cohort's own vocabulary files by name.

    Args:
        folder: the cohort's folder.
        taken: names of files that `cohort.toml` gives to raw tables: they are no vocabulary.
    """
    paths = [folder / name for name in FILES if name not in set(taken)]
    return {path.name: path.read_bytes() for path in paths if path.is_file()}


def read_texts(
    texts: Mapping[str, bytes], known: Vocabulary | None = None, *, own: bool = True
) -> VocabularyReading:
    """Add the rows of vocabulary files to a vocabulary.

    Args:
        texts: content by file name (one of `FILES`); CSV in UTF-8, separated by commas.
        known: what is there already; the shipped vocabulary if left out.
        own: whether the rows are a cohort's own.

    Returns:
        The vocabulary with every faultless row, and a `Problem` for each fault: file, line, column, what was
        found and expected, and how to mend it.

    Example:
        >>> text = "name,class\\nfilapixant,other\\n".encode()
        >>> read_texts({"drugs.csv": text}).vocabulary.drug_class("filapixant")
        'other'
    """
    base = shipped_vocabulary() if known is None else known
    sheets = {name: _sheet(name, content) for name, content in texts.items()}
    variables = _merged(sheets.get("variables.csv"), base.variables, rows.variable, own)
    drugs = _merged(sheets.get("drugs.csv"), base.drugs, rows.drug, own)
    terms = _merged(sheets.get("terms.csv"), base.terms, rows.term, own)
    ranges = _with_ranges(sheets.get("ranges.csv"), base.ranges, variables)
    prior = prior_therapies(drugs.values(), rows.YES_NO)
    written = {name: word for name, word in variables.items() if word.own or name not in prior}
    vocabulary = Vocabulary(
        {**written, **{n: w for n, w in prior.items() if n not in written}}, drugs, terms, ranges
    )
    problems = [problem for sheet in sheets.values() for problem in sheet.problems]
    problems += _ambiguous(sheets, vocabulary)
    return VocabularyReading(vocabulary, gather(problems))


def _sheet(name: str, content: bytes) -> _Sheet:
    sheet = _Sheet(name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        sheet.problems.append(
            Problem(name, None, "", "text that is not UTF-8", "a CSV file in UTF-8", "save it as CSV UTF-8")
        )
        return sheet
    reader = csv.reader(io.StringIO(text, newline=""))
    header: list[str] = []
    start = 1
    for cells in reader:
        line, start = start, reader.line_num + 1
        if not any(cell.strip() for cell in cells):
            continue
        if not header:
            header = [cell.strip() for cell in cells]
            sheet.problems += _header_faults(name, line, header)
        elif len(cells) != len(header):
            found, expected = fields_of(len(cells)), f"{fields_of(len(header))} as in the header"
            remedy = "put a field that itself holds a comma into quotation marks"
            sheet.problems.append(Problem(name, line, "", found, expected, remedy))
        else:
            sheet.lines.append((line, dict(zip(header, (cell.strip() for cell in cells), strict=True))))
    if not header:
        sheet.problems.append(Problem(name, None, "", "an empty file", "a header line and rows", _KEEP))
    return sheet


def _header_faults(name: str, line: int, header: list[str]) -> list[Problem]:
    known = _COLUMNS[name]
    faults = []
    for column in header:
        if column not in known:
            remedy = suggestion(column, known) or "remove the column"
            expected = f"columns among {', '.join(known)}"
            faults.append(Problem(name, line, column, "an unknown column", expected, remedy))
        elif header.count(column) > 1:
            faults.append(Problem(name, line, column, "the column twice", "every column once", "remove one"))
    faults += [
        Problem(name, line, column, "no such column", f"the column {column}", _KEEP)
        for column in _REQUIRED[name]
        if column not in header
    ]
    return faults


def _merged(
    sheet: _Sheet | None,
    known: Mapping[str, Word],
    build: Callable[[Mapping[str, str], Word | None, bool], Word],
    own: bool,
) -> dict[str, Word]:
    """Add every row of a file to the words known; a name may stand once in a file."""
    words = dict(known)
    if sheet is None:
        return words
    lines: dict[str, int] = {}
    for line, cells in sheet.lines:
        name = cells.get("name", "")
        if name in lines:
            found = f"{name!r} a second time (first in line {lines[name]})"
            sheet.problems.append(
                Problem(sheet.file, line, "name", found, "every name once", "join the two rows")
            )
            continue
        lines[name] = line
        try:
            words[name] = build(cells, known.get(name), own)
        except rows.RowError as faults:
            sheet.problems += [Problem(sheet.file, line, *fault) for fault in faults.faults]
    return words


def _with_ranges(
    sheet: _Sheet | None, known: Mapping[str, tuple[ReferenceRange, ...]], variables: Mapping[str, Variable]
) -> dict[str, tuple[ReferenceRange, ...]]:
    """Add the limits of normal; the rows of a file replace all that was known of a variable."""
    found: dict[str, list[ReferenceRange]] = {}
    for line, cells in sheet.lines if sheet else ():
        try:
            name, limits = rows.reference_range(cells, variables)
        except rows.RowError as faults:
            if sheet is not None:
                sheet.problems += [Problem(sheet.file, line, *fault) for fault in faults.faults]
            continue
        found.setdefault(name, []).append(limits)
    return {**known, **{name: tuple(given) for name, given in found.items()}}


def _ambiguous(sheets: Mapping[str, _Sheet], vocabulary: Vocabulary) -> list[Problem]:
    """Spellings that would mean two things at once, reported where a file of `sheets` brought one of them."""
    problems = []
    groups: dict[str, list[tuple[str, list[tuple[str, tuple[str, ...]]]]]] = {
        "variables.csv": [
            (f"of the table {table}", [(n, _spellings(vocabulary.variables[n])) for n in names])
            for table, names in (
                *((t, vocabulary.columns(t)) for t in ("patients", "treatments", "responses", "events")),
                ("measurements", vocabulary.measured),
            )
        ],
        "drugs.csv": [("drug", [(d.name, _spellings(d)) for d in vocabulary.drugs.values()])],
        "terms.csv": [("event term", [(t.name, _spellings(t)) for t in vocabulary.terms.values()])],
    }
    for file, kinds in groups.items():
        lines = {cells.get("name", ""): line for line, cells in sheets[file].lines} if file in sheets else {}
        for _, words in kinds if lines else ():
            seen: dict[str, str] = {}
            for name, spellings in words:
                for spelling in dict.fromkeys(map(fold, spellings)):
                    other = seen.setdefault(spelling, name)
                    if other != name and (name in lines or other in lines):
                        line = lines.get(name, lines.get(other))
                        found = f"the spelling {spelling!r} of {other} and of {name}"
                        expected = "every spelling of one thing only"
                        problems.append(Problem(file, line, "aliases", found, expected, "remove it from one"))
    return problems


def _spellings(word: Variable | Drug | Term) -> tuple[str, ...]:
    if isinstance(word, Variable):
        return (word.name, *word.aliases, *word.cdisc)
    # Event terms are written in words, in either language; their name is only an identifier.
    texts = (word.label, word.label_zh) if isinstance(word, Term) else (word.name, word.label)
    return tuple(text for text in (*texts, *word.aliases) if text)
