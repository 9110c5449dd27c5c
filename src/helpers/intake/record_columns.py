"""What a column means in a table whose rows are patients, or patients at visits.

>>> told(Sense("measured", "ferritin", 1.0), Header())
'the name itself'
"""

import re

from helpers.intake.contents import Contents
from helpers.intake.grids import Block
from helpers.intake.lexicon import Header, Lexicon, Sense
from helpers.intake.mapping import Column
from helpers.vocabulary.names import fold

MOSTLY = 0.6


_OF_TREATMENT = re.compile(r"^(treatments?|therap(y|ies)|drugs?|使用|应用|治疗|用药)")


_PRIOR = re.compile(r"^(prior|previous|earlier|既往|之前|曾用)", re.I)


def told(sense: Sense, header: Header) -> str:
    """Return why a header means something, in words."""
    words = {1.0: "the name itself", 0.97: "a known name", 0.7: "spelled almost so"}
    day = f", day {header.day}" if header.day is not None else ""
    return f"{words.get(sense.score, 'a known name')}{day}{f', in {header.unit}' if header.unit else ''}"


def dated(name: str, contents: Contents) -> str:
    """Return the column of dates for one of days that holds dates, and of days for one that holds numbers.

    >>> from helpers.vocabulary.reading import shipped_vocabulary
    >>> found = Contents.of(["2023-05-03"], Lexicon(shipped_vocabulary()))
    >>> dated("death_day", found)
    'death_date'
    """
    if (name == "day" or name.endswith("_day")) and contents.cells and contents.dates >= MOSTLY:
        return f"{name.removesuffix('day')}date"
    numbers = contents.share(lambda cell: re.fullmatch(r"-?\d{1,4}(\.0)?", cell))
    if (name == "date" or name.endswith("_date")) and contents.cells and numbers >= MOSTLY:
        return f"{name.removesuffix('date')}day"
    return name


def of_records(
    block: Block, n: int, header: Header, contents: Contents, patient: int | None, lexicon: Lexicon
) -> Column:
    """Return what a column of a table of patients, or of patients at visits, means.

    Args:
        block, n: the table, and the place of the column in it.
        header, contents: what its name and its cells tell.
        patient: place of the column that names the patients, None if there is none.
        lexicon: words of the vocabulary and of hospital files.
    """
    if header.only_visit:
        return _only_visit(block, header, contents, lexicon)
    prior = _prior(block, n, lexicon)
    if prior:
        return Column(header="", means=f"patients.prior_{prior}", score=0.97, evidence="an earlier therapy")
    exact = next((s for s in header.senses if s.kind in ("visit", "day", "date")), None)
    repeats = patient is not None and _repeats(block, patient)
    patients, measured = header.sense("patients"), header.sense("measured")
    if exact and header.day is not None and exact.kind == "date":
        return _taken("date", exact, header)
    if exact and not measured and not (patients and patients.name not in ("date", "day")):
        if exact.kind == "visit" and contents.visits < MOSTLY:
            return Column(header="", evidence="visits whose days are not known")
        return _taken(exact.kind, exact, header)
    of_visits = header.day is not None or (repeats and _varies(block, n, patient))
    response = header.sense("responses")
    if response and response.name == "response" and not measured:
        return _taken("response", response, header)
    if patients and patients.name != "patient_id" and not (measured and of_visits):
        return _of_patients(patients, header, contents)
    if measured:
        return _taken(f"measured.{measured.name}", measured, header)
    dates = contents.cells and contents.dates >= MOSTLY
    return Column(header="", evidence="dates, not used" if dates else "not known")


def _taken(means: str, sense: Sense, header: Header) -> Column:
    return Column(
        header="",
        means=means,
        day=header.day,
        unit=header.unit,
        score=sense.score,
        evidence=told(sense, header),
    )


def _of_patients(sense: Sense, header: Header, contents: Contents) -> Column:
    """A column of the table of patients; days may be told by dates, and dates by days."""
    name = dated(sense.name, contents) if sense.name != "day0_date" else sense.name
    if name.endswith("_date") and contents.cells and contents.serials < MOSTLY:
        return Column(header="", evidence="a date by its name, but its cells are none")
    column = _taken(f"patients.{name}", sense, header).model_copy(update={"day": None})
    return column.model_copy(update={"unit": ""}) if name.endswith(("_day", "_date")) else column


def _only_visit(block: Block, header: Header, contents: Contents, lexicon: Lexicon) -> Column:
    """A header that names a visit alone: the sheet or the title says of which variable."""
    for text in (block.grid.sheet, block.title):
        sense = lexicon.read((text,)) if text else Header()
        measured = sense.sense("measured")
        if measured:
            return Column(
                header="",
                means=f"measured.{measured.name}",
                day=header.day,
                unit=sense.unit,
                score=0.95,
                evidence=f"the variable by {text!r}, the day by the header",
            )
    if header.day == 0 and contents.cells and contents.dates >= MOSTLY:
        return Column(
            header="",
            means="patients.day0_date",
            score=0.95,
            evidence="called day 0, and its cells are dates",
        )
    if contents.cells and contents.responses >= MOSTLY:
        return Column(
            header="",
            means="response",
            day=header.day,
            score=0.9,
            evidence="its cells are levels of response",
        )
    return Column(header="", day=header.day, evidence="a visit of which nothing is said")


def _prior(block: Block, n: int, lexicon: Lexicon) -> str:
    """Return the drug or class of which a column says that it was given before; empty if it says none."""
    levels = [*block.header[n], block.label(n)]
    whole = " ".join(filter(None, levels))
    vocabulary = lexicon.vocabulary
    if not any(_PRIOR.match(text) for text in (*levels, whole)):
        return ""
    for text in (block.header[n][-1], whole, block.label(n)):
        rest = _OF_TREATMENT.sub("", fold(_PRIOR.sub("", text))).strip(" :：|")
        drug = vocabulary.drug_spellings.get(rest, rest.replace(" ", "_"))
        if f"prior_{drug}" in vocabulary:
            return drug
    return ""


def _repeats(block: Block, patient: int) -> bool:
    ids = [row[patient] for row in block.rows if row[patient]]
    return len(set(ids)) < len(block.rows)


def _varies(block: Block, n: int, patient: int | None) -> bool:
    """Whether a column has different values of one patient."""
    seen: dict[str, str] = {}
    last = ""
    for row in block.rows:
        last = row[patient] if patient is not None and row[patient] else last
        if row[n] and seen.setdefault(last, row[n]) != row[n]:
            return True
    return False
