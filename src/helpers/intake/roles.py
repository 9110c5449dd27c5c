"""What a table holds and what each of its columns means: by header, by cells, with score and evidence.

>>> from helpers.vocabulary.reading import shipped_vocabulary
>>> from helpers.intake.grids import Grid
>>> block = Block(
...     Grid("lab.xlsx", "Week 2", []), "", (("id", "ferritin"),), [["R01", "900"]], [2], (1, 2)
... )
>>> sheet_day(block), look_at(block, Lexicon(shipped_vocabulary())).place("id")
(14, None)
"""

import re
from dataclasses import dataclass

from helpers.intake.contents import Contents
from helpers.intake.grids import Block
from helpers.intake.lexicon import Header, Lexicon, visit_day
from helpers.intake.mapping import Column, TableKind
from helpers.intake.personal import kind_of_cells
from helpers.intake.record_columns import MOSTLY, dated, of_records, told

_NEAR = 0.7
_ID_KINDS = ("id", "hospital_id")
# Names of CDISC for days that are counted without a day 0.
_CDISC_DAYS = re.compile(r"^(A|AST|AEN|LB|VS|RS|AE|CM|EX)[A-Z]{0,2}DY$")
_DEATH_PARAMETERS = ("OS", "DEATH", "TTDEATH", "TTD")
_TEXT = 0.5


@dataclass(frozen=True)
class Look:
    """A table as it was understood: its kind, its columns in order, and why."""

    block: Block
    kind: TableKind
    columns: tuple[Column, ...]
    headers: tuple[Header, ...]
    contents: tuple[Contents, ...]
    score: float
    evidence: str

    def place(self, *means: str) -> int | None:
        """Return the place of the first column that means one of these, in their order."""
        for one in means:
            for place, column in enumerate(self.columns):
                if one in (column.means, column.also):
                    return place
        return None


def look_at(block: Block, lexicon: Lexicon) -> Look:
    """Return what a table and its columns mean."""
    headers = tuple(lexicon.read(levels, block.label(n), slips=True) for n, levels in enumerate(block.header))
    contents = tuple(Contents.of(block.column(n), lexicon) for n in range(len(headers)))
    kind, score, evidence = _kind(block, headers, contents)
    patient = _patient_column(headers, contents, len(block.rows))
    columns = [
        _column(block, n, kind, headers[n], contents[n], patient, lexicon) for n in range(len(headers))
    ]
    columns = _one_each(columns, contents)
    return Look(block, kind, tuple(columns), headers, contents, score, evidence)


def _has(headers: tuple[Header, ...], kind: str, name: str) -> int | None:
    return next(
        (n for n, h in enumerate(headers) if any((s.kind, s.name) == (kind, name) for s in h.senses)), None
    )


def _kind(
    block: Block, headers: tuple[Header, ...], contents: tuple[Contents, ...]
) -> tuple[TableKind, float, str]:
    """Tell what the rows of a table are."""
    names = {levels[-1].upper() for levels in block.header}
    if {"PARAMCD", "AVAL", "CNSR"} <= names:
        return "time_to_event", 0.98, "columns PARAMCD, AVAL and CNSR of ADTTE"
    value = _has(headers, "measurements", "value")
    if value is not None and contents[value].responses >= MOSTLY and len(contents[value].distinct) > 1:
        return "responses", 0.97, "values are levels of response"
    variable = next(
        (
            n
            for n, c in enumerate(contents)
            if c.variables >= 0.3
            and _is_text(c)
            and (_sense(headers[n], "measurements", "variable") or c.variables >= MOSTLY)
        ),
        None,
    )
    if variable is not None and value is not None:
        return "measurements", 0.97, "a row is one result: a column of tests and one of values"
    about_drug = any(
        _has(headers, "treatments", name) is not None for name in ("dose", "route", "start_day", "start_date")
    )
    drug = next((n for n, c in enumerate(contents) if c.drugs >= 0.3 and _is_text(c)), None)
    if about_drug and (drug is not None or _has(headers, "treatments", "drug") is not None):
        return "treatments", 0.97, "a column of drugs, with dose, route or days"
    term = next((n for n, c in enumerate(contents) if c.terms >= 0.3 and _is_text(c)), None)
    graded = _has(headers, "events", "grade") is not None or _has(headers, "events", "serious") is not None
    if graded and (term is not None or _has(headers, "events", "term") is not None):
        return "events", 0.97, "a column of adverse events with their grade"
    timed = any(any(s.kind in ("day", "date", "visit") for s in h.senses) for h in headers)
    response = next((n for n, h in enumerate(headers) if h.sense("responses") and h.day is None), None)
    measured = any(h.sense("measured") and not h.sense("patients") for h in headers)
    if response is not None and timed and not measured:
        return "responses", 0.95, "a column of responses with their day"
    known = sum(header.known for header in headers)
    return "records", min(0.95, 0.5 + 0.1 * known), "rows of patients"


def _is_text(contents: Contents) -> bool:
    return contents.share(lambda cell: not re.match(r"^[\d.,<>-]+$", cell)) >= _TEXT


def _sense(header: Header, kind: str, name: str) -> bool:
    return any((sense.kind, sense.name) == (kind, name) for sense in header.senses)


def _patient_column(headers: tuple[Header, ...], contents: tuple[Contents, ...], rows: int) -> int | None:
    """Return the column that names patients: one of the study, else of the hospital, else by name."""
    for kind in _ID_KINDS:
        for n, header in enumerate(headers):
            several = len(contents[n].distinct) > 1 or rows == 1
            if _names_patients(header, kind) and several:
                return n
    for n, header in enumerate(headers):
        if _sense(header, "personal", "name") and contents[n].cells:
            return n
    return None


def _names_patients(header: Header, kind: str) -> bool:
    own = any(sense.kind == kind and sense.score > _NEAR for sense in header.senses)
    by_vocabulary = any(sense.name == "patient_id" and sense.score > _NEAR for sense in header.senses)
    return own or (kind == "id" and by_vocabulary and header.sense("hospital_id") is None)


_KINDS: dict[TableKind, tuple[str, ...]] = {
    "measurements": ("measurements",),
    "treatments": ("treatments",),
    "responses": ("responses", "measurements"),
    "events": ("events",),
    "time_to_event": (),
}


def _column(
    block: Block,
    n: int,
    kind: TableKind,
    header: Header,
    contents: Contents,
    patient: int | None,
    lexicon: Lexicon,
) -> Column:
    """Return what one column means."""
    name = block.names[n]
    values = _meanings(block, n)
    personal = _personal(header, contents, is_id=n == patient)
    if n == patient:
        told = "names the patients" + (f"; {personal}" if personal else "")
        return Column(header=name, means="id", score=0.97, evidence=told)
    if personal:
        link = header.sense("hospital_id") is not None or _sense(header, "personal", "name")
        return Column(header=name, means="link" if link else "personal", score=0.97, evidence=personal)
    if header.sense("birth_date"):
        return Column(
            header=name,
            means="birth_date",
            score=0.97,
            evidence="left out; gives the age where none is recorded",
        )
    if kind == "records":
        column = of_records(block, n, header, contents, patient, lexicon)
    elif kind == "time_to_event":
        column = _of_time_to_event(block, n)
    else:
        column = _of_long(kind, header, contents)
    first_day = 1 if _CDISC_DAYS.match(block.header[n][-1]) else 0
    return column.model_copy(update={"header": name, "values": values, "first_day": first_day})


def _meanings(block: Block, n: int) -> dict[str, str]:
    return block.grid.values.get(block.header[n][-1], {}) if len(block.header[n]) == 1 else {}


def _personal(header: Header, contents: Contents, *, is_id: bool) -> str:
    """Return why a column is personal data, in words; empty if it is not."""
    if header.sense("hospital_id") and not is_id:
        return "a hospital's number by its header"
    known = header.sense("patients", "measured", "treatments", "events", "responses", "measurements")
    private = header.sense("personal")
    if private is not None and (known is None or known.score < 1):
        return f"{private.name.replace('_', ' ')} by its header"
    if known is not None and not is_id:
        return ""
    found = kind_of_cells(contents.cells)
    return f"{found} by its cells" if found else ""


def _of_long(kind: TableKind, header: Header, contents: Contents) -> Column:
    for wanted in _KINDS[kind]:
        sense = header.sense(wanted)
        if sense is not None and sense.name != "patient_id":
            name = dated(_long_name(kind, sense.name), contents)
            return Column(
                header="",
                means=name,
                unit=header.unit if name in ("value", "dose") else "",
                score=sense.score,
                evidence=told(sense, header),
            )
    for role in ("day", "date", "visit"):
        sense = header.sense(role)
        if sense is not None:
            return Column(header="", means=role, score=sense.score, evidence=told(sense, header))
    shares = {
        "treatments": ("drug", contents.drugs),
        "events": ("term", contents.terms),
        "measurements": ("variable", contents.variables),
        "responses": ("response", contents.responses),
    }
    name, share = shares[kind]
    if share >= MOSTLY and _is_text(contents):
        return Column(header="", means=name, score=0.9, evidence=f"{share:.0%} of its cells are known")
    return Column(header="", evidence="not known")


def _long_name(kind: TableKind, name: str) -> str:
    return "response" if kind == "responses" and name == "value" else name


def _of_time_to_event(block: Block, n: int) -> Column:
    name = block.header[n][-1].upper()
    means = {"PARAMCD": "variable", "AVAL": "value", "CNSR": "censored", "AVALU": "unit"}.get(name, "unused")
    return Column(header="", means=means, evidence="name of ADaM")


def _one_each(columns: list[Column], contents: tuple[Contents, ...]) -> list[Column]:
    """Leave one column a meaning: the one of the better score, of values the one with signs of limits."""
    kept: dict[tuple[str, int | None], int] = {}
    for n, column in enumerate(columns):
        if column.means in ("unused", "personal", "link", "birth_date"):
            continue
        key = (column.means, column.day)
        other = kept.setdefault(key, n)
        if other == n:
            continue
        better = max((other, n), key=lambda place: _merit(columns[place], contents[place], -place))
        worse = n if better == other else other
        kept[key] = better
        told = f"{columns[better].header!r} already says {column.means}"
        columns[worse] = columns[worse].model_copy(update={"means": "unused", "score": 0.9, "evidence": told})
    return columns


def _merit(column: Column, contents: Contents, order: int) -> tuple[float, ...]:
    limits = contents.share(lambda cell: cell[:1] in "<>≤≥＜＞")
    known = contents.variables if column.means == "variable" else 0.0
    return (bool(contents.cells), known, limits > 0, column.score, len(contents.cells), order)


def sheet_day(block: Block) -> int | None:
    """Return the day that the name of a sheet or the title of a table tells."""
    day = visit_day(block.grid.sheet)
    return visit_day(block.title) if day is None and block.title else day
