"""The mapping replayed: files of a hospital in, canonical tables of a cohort out, each row with its place."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from helpers.cohort.written import parse_times
from helpers.intake.grids import Block
from helpers.intake.identities import Identities
from helpers.intake.lexicon import Lexicon, visit_day
from helpers.intake.mapping import Column, IntakeMapping, SourceFile, TableMap
from helpers.intake.matching import matched, namesakes
from helpers.intake.personal import Scrubber
from helpers.intake.prescriptions import plain_times, prescription
from helpers.intake.roles import sheet_day
from helpers.intake.values import age_at, plain_code, plain_date, plain_number
from helpers.problems import Problem
from helpers.vocabulary.model import TABLE_NAMES, TableName
from helpers.vocabulary.names import fold

Record = dict[str, str]

_LONG: dict[str, TableName] = {
    "measurements": "measurements",
    "treatments": "treatments",
    "responses": "responses",
    "events": "events",
}
_DAYS = ("day", "start_day", "stop_day")
_DATES = ("date", "start_date", "stop_date")


@dataclass(frozen=True)
class Place:
    """Where in a source file a record came from."""

    file: str
    sheet: str
    line: int
    column: int

    def __str__(self) -> str:
        sheet = f" [{self.sheet}]" if self.sheet else ""
        return f"{self.file}{sheet}:{self.line}"


@dataclass
class Replayed:
    """Canonical tables as records, the place of each, and what is wrong.

    >>> done = Replayed()
    >>> done.add("patients", {"patient_id": "R01"}, Place("lab.csv", "", 2, 1))
    >>> done.records["patients"], done.places["patients"][0].line
    ([{'patient_id': 'R01'}], 2)
    """

    records: dict[TableName, list[Record]] = field(default_factory=lambda: {name: [] for name in TABLE_NAMES})
    places: dict[TableName, list[Place]] = field(default_factory=lambda: {name: [] for name in TABLE_NAMES})
    problems: list[Problem] = field(default_factory=list)

    def add(self, table: TableName, record: Record, place: Place) -> None:
        """Add one record."""
        self.records[table].append(record)
        self.places[table].append(place)


@dataclass(frozen=True)
class _Row:
    """One row of a source table with what its context says."""

    block: Block
    table: TableMap
    columns: tuple[Column | None, ...]
    cells: tuple[str, ...]
    line: int
    patient: str
    file: SourceFile

    def place(self, n: int) -> Place:
        grid = self.block.grid
        return Place(grid.file, grid.sheet, self.line, self.block.columns[n] if n >= 0 else 0)

    def each(self, *prefixes: str) -> Iterator[tuple[int, Column, str, str]]:
        """Columns that mean something of these kinds, with the name and the cell."""
        for n, column in enumerate(self.columns):
            if column is None:
                continue
            for means in filter(None, (column.means, column.also)):
                kind, dot, name = means.partition(".")
                if (kind if dot else means) in prefixes:
                    yield n, column, name or means, self.cells[n]

    def number(self, text: str) -> str:
        return plain_number(text, "," if self.file.decimal == "," else ".")

    def date(self, text: str) -> str:
        order = self.file.date_order or None
        return plain_date(text, order, serials=True) or text


def replay(mapping: IntakeMapping, blocks: list[Block], identities: Identities, lexicon: Lexicon) -> Replayed:
    """Return the canonical tables that the mapping makes of the tables of the source files.

    Args:
        mapping: what each column means.
        blocks: tables of all files.
        identities: patients by every name they go by; new ones are added.
        lexicon: words by which names of tests in rows are read.
    """
    done = Replayed()
    pairs, done.problems = matched(mapping, blocks)
    identities.link(pairs)
    done.problems += namesakes(pairs, identities)
    scrub = Scrubber(identities.names)
    for block, table in pairs:
        if table.kind == "unused":
            continue
        for row in _rows(block, table, mapping, identities, done):
            _WRITERS[table.kind](row, mapping, lexicon, done)
    _one_row_a_patient(done, mapping)
    _scrub(done, scrub, lexicon)
    return done


def _rows(
    block: Block, table: TableMap, mapping: IntakeMapping, identities: Identities, done: Replayed
) -> Iterator[_Row]:
    by_header = {column.header: column for column in table.columns}
    columns = tuple(by_header.get(name) for name in block.names)
    file = mapping.file(block.grid.file)
    previous = ""
    for cells, line in zip(block.rows, block.lines, strict=True):
        told = identities.named_in(block, table, columns, cells)
        if not told and table.fill_down:
            told = previous
        previous = told
        meant = tuple(
            column.values.get(cell, column.values.get(plain_code(cell), cell)) if column else cell
            for column, cell in zip(columns, cells, strict=True)
        )
        if not told:
            if any(
                column and column.means not in ("unused", "personal") and cell
                for column, cell in zip(columns, cells, strict=True)
            ):
                expected = "the patient the row belongs to"
                remedy = "fill it in, or remove the row"
                done.problems.append(
                    Problem(block.grid.place, line, "", "a row without a patient", expected, remedy)
                )
            continue
        yield _Row(block, table, columns, meant, line, identities.study_id(told), file)


# --- rows of patients -----------------------------------------------------------------------------------


def _write_records(row: _Row, mapping: IntakeMapping, _lexicon: Lexicon, done: Replayed) -> None:
    day, date = _moment_of(row)
    patient: Record = {}
    first = -1
    for n, column, name, cell in row.each("patients", "birth_date"):
        if cell:
            patient[name] = _of_patient(row, column, name, cell, mapping)
            first = n if first < 0 else first
    if row.table.group_from:
        label = row.block.grid.sheet if row.table.group_from == "sheet" else row.file.name.rpartition(".")[0]
        patient.setdefault("group", mapping.groups.get(label, label))
    if patient:
        done.add("patients", {"patient_id": row.patient, **patient}, row.place(first))
    dates = {column.day: row.date(cell) for _, column, _, cell in row.each("date") if column.day is not None}
    undated = row.table.day_from == "baseline" and mapping.answers.get("baseline") == "no"
    for n, column, name, cell in row.each("measured"):
        if cell and not undated:
            moment = _when(column, dates, day, date)
            unit = column.unit or mapping.units.get(name, "")
            record = {
                "patient_id": row.patient,
                **moment,
                "variable": name,
                "value": row.number(cell),
                "unit": unit,
            }
            done.add("measurements", record, row.place(n))
    for n, column, _, cell in row.each("response"):
        if cell:
            moment = _when(column, dates, day, date)
            done.add("responses", {"patient_id": row.patient, **moment, "response": cell}, row.place(n))


def _when(column: Column, dates: Mapping[int, str], day: str, date: str) -> Record:
    """Day and date of a value: those of its own visit stand before those of its row."""
    if column.day is None:
        return {"day": "" if date else day or "0", "date": date}
    known = dates.get(column.day, "")
    return {"day": "" if known else str(column.day), "date": known}


def _moment_of(row: _Row) -> tuple[str, str]:
    """Return the day and the date that a row says of itself, or that its sheet says of all rows."""
    days = [_from_zero(cell, column) for _, column, _, cell in row.each("day") if cell and column.day is None]
    dates = [row.date(cell) for _, column, _, cell in row.each("date") if cell and column.day is None]
    visits = [day for _, _, _, cell in row.each("visit") if (day := visit_day(cell)) is not None]
    told = days[0] if days else str(visits[0]) if visits else ""
    if not told and not dates and row.table.day_from == "sheet":
        of_sheet = sheet_day(row.block)
        told = "" if of_sheet is None else str(of_sheet)
    return told, "" if days else dates[0] if dates else ""


def _from_zero(text: str, column: Column) -> str:
    """Return a day counted from 0, where day 1 is the first one; texts that are no number stay."""
    if column.first_day == 0:
        return text
    try:
        number = int(float(text))
    except ValueError:
        return text
    return str(number - 1) if number > 0 else str(number) if number < 0 else "day 0 of days without a day 0"


def _of_patient(row: _Row, column: Column, name: str, cell: str, mapping: IntakeMapping) -> str:
    if name == "group":
        return mapping.groups.get(cell, cell)
    if name.endswith("_date"):
        return row.date(cell)
    if name.endswith("_day"):
        return _from_zero(row.number(cell), column)
    return row.number(cell)


# --- long tables ----------------------------------------------------------------------------------------


def _write_long(row: _Row, mapping: IntakeMapping, lexicon: Lexicon, done: Replayed) -> None:
    table = _LONG[row.table.kind]
    record: Record = {"patient_id": row.patient}
    for _, column, name, cell in row.each(*lexicon.vocabulary.columns(table)):
        if name in _DAYS:
            record[name] = _from_zero(row.number(cell), column)
        elif name in _DATES:
            record[name] = row.date(cell)
        elif name in ("value", "dose", "grade", "reference_low", "reference_high"):
            record[name] = row.number(cell)
        elif name == "times_per_day":
            record[name] = plain_times(row.number(cell))
        else:
            record[name] = cell
        if name in ("value", "dose") and column.unit:
            record.setdefault("unit", column.unit)
    if table in ("measurements", "responses", "events") and not record.get("day"):
        day, date = _moment_of(row)
        record |= {"day": "" if date else day, "date": date}
    if table == "treatments":
        _write_dose(row, record, row.place(0), lexicon, done)
    if table == "measurements":
        _name_the_test(record, mapping, lexicon)
    if len({key for key, cell in record.items() if cell}) > 1:
        done.add(table, record, row.place(0))


def _write_dose(row: _Row, record: Record, place: Place, lexicon: Lexicon, done: Replayed) -> None:
    """Part a dose that names its unit, route and times a day, where no column tells them otherwise."""
    levels = lexicon.vocabulary["route"].levels
    routes = {fold(spelling): level for spelling, level in levels.items()}
    routes |= {level: level for level in levels.values()}
    parts = prescription(record.get("dose", ""), routes)
    if parts is None:
        return
    for name in ("unit", "route", "times_per_day"):
        own, told = record.get(name, ""), parts[name]
        alike = fold(own) == fold(told) or (name == "route" and routes.get(fold(own)) == told)
        alike = alike or (name == "times_per_day" and parse_times(own) == parse_times(told))
        if own and told and not alike:
            found = f"{told!r} in {record['dose']!r}, and {own!r} beside it"
            expected, remedy = f"one {name.replace('_', ' ')}", "correct one of them"
            where = row.block.grid.place
            done.problems.append(Problem(where, place.line, name, found, expected, remedy))
    record |= {name: text for name, text in parts.items() if text}


def _name_the_test(record: Record, mapping: IntakeMapping, lexicon: Lexicon) -> None:
    """Put the vocabulary's name for a test, and its unit where the row has none."""
    header = lexicon.read((record.get("variable", ""),))
    sense = header.sense("measured")
    if sense is None or sense.score <= 0.7:
        return
    record["variable"] = sense.name
    if not record.get("unit"):
        record["unit"] = header.unit or mapping.units.get(sense.name, "")


_DEATH_PARAMETERS = ("OS", "DEATH", "TTDEATH", "TTD")


def _write_time_to_event(row: _Row, _mapping: IntakeMapping, _lexicon: Lexicon, done: Replayed) -> None:
    cells = {column.means: cell for column, cell in zip(row.columns, row.cells, strict=True) if column}
    if cells.get("variable", "").upper() not in _DEATH_PARAMETERS:
        return
    # ADaM counts the day of the start as day 1 (ADT - STARTDT + 1).
    day = _from_zero(cells.get("value", ""), Column(header="", first_day=1))
    died = {"0": "yes", "1": "no"}.get(cells.get("censored", "").removesuffix(".0"), "")
    done.add("patients", {"patient_id": row.patient, "last_contact_day": day, "died": died}, row.place(0))


_WRITERS: dict[str, Callable[[_Row, IntakeMapping, Lexicon, Replayed], None]] = {
    "records": _write_records,
    "measurements": _write_long,
    "treatments": _write_long,
    "responses": _write_long,
    "events": _write_long,
    "time_to_event": _write_time_to_event,
}


# --- all rows together ----------------------------------------------------------------------------------


def _one_row_a_patient(done: Replayed, mapping: IntakeMapping) -> None:
    """Join what several tables and visits say of a patient; two different values are a fault."""
    joined: dict[str, Record] = {}
    places: dict[str, Place] = {}
    for record, place in zip(done.records["patients"], done.places["patients"], strict=True):
        patient = record["patient_id"]
        known = joined.setdefault(patient, {})
        places.setdefault(patient, place)
        for name, cell in record.items():
            if not cell or known.get(name) == cell:
                continue
            if known.get(name):
                found = f"two different values of {name} of one patient"
                expected = f"one value, as in {places[patient]}"
                remedy = "correct one of them; the first one is used"
                problem = Problem(place.file, place.line, name, found, expected, remedy, "warning")
                done.problems.append(problem)
            else:
                known[name] = cell
    for record in joined.values():
        born, day0 = record.pop("birth_date", ""), record.get("day0_date", "")
        if born and day0 and not record.get("age"):
            written, zero = plain_date(born, serials=True), plain_date(day0)
            record["age"] = age_at(written, zero) if written and zero else ""
        if not record.get("group") and len(mapping.groups) == 1:
            record["group"] = next(iter(mapping.groups.values()))
        if mapping.answers.get("use.died") == "none":
            record.setdefault("died", "no")
        for name in ("age", "sex", *(("death_day",) if _tells_deaths(mapping) else ())):
            record.setdefault(name, "")
    done.records["patients"] = list(joined.values())
    done.places["patients"] = [places[patient] for patient in joined]


def _tells_deaths(mapping: IntakeMapping) -> bool:
    """Whether a column tells when patients died, so that an empty cell says that one lives."""
    told = {column.means for table in mapping.tables for column in table.columns}
    return bool(told & {"patients.death_day", "patients.death_date"})


def _scrub(done: Replayed, scrub: Scrubber, lexicon: Lexicon) -> None:
    """Take personal data out of free text."""
    for table, records in done.records.items():
        free = {v.name for v in lexicon.vocabulary.of_table(table) if v.type == "text"} - {"group", "value"}
        for n, record in enumerate(records):
            for name in free & record.keys():
                clean = scrub.clean(record[name])
                if clean != record[name]:
                    record[name] = clean
                    place = done.places[table][n]
                    found, remedy = "personal data within a text", "it is taken out; remove it from the file"
                    done.problems.append(
                        Problem(
                            f"{place.file} [{place.sheet}]" if place.sheet else place.file,
                            place.line,
                            name,
                            found,
                            "text without names, numbers or addresses",
                            remedy,
                            "warning",
                        )
                    )
