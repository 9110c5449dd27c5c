"""A proposal for a whole delivery of files: what each table is, and what must be asked."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from helpers.intake.contents import unit_by_values
from helpers.intake.grids import Block
from helpers.intake.lexicon import Lexicon
from helpers.intake.mapping import IntakeMapping, SourceFile, TableMap, counterpart
from helpers.intake.marks import decide_marks
from helpers.intake.personal import needs_new_ids
from helpers.intake.questions import ask
from helpers.intake.roles import Look, look_at, sheet_day
from helpers.intake.sources import Sources


def propose(
    sources: Sources, answers: Mapping[str, str], lexicon: Lexicon, before: IntakeMapping | None = None
) -> IntakeMapping:
    """Return what files are taken for, and the questions that remain.

    What stood in the mapping before stays, changed by hand or not; only answers that are new change it.

    Args:
        sources: tables of all files.
        answers: by key of the question.
        lexicon: words of the vocabulary and of hospital files.
        before: the mapping as it was, None at the first time.
    """
    old = before or IntakeMapping()
    looks = [look_at(block, lexicon) for block in sources.blocks]
    looks = [look for look in looks if any(column.means != "unused" for column in look.columns)]
    fresh = {key: answer for key, answer in answers.items() if old.answers.get(key) != answer}
    looks = [_answered(_as_before(look, old), fresh) for look in looks]
    files = decide_marks(looks, answers, sources.notes) | {one.name: one for one in old.files}
    tables = [_kept(table, old) for table in _tables(looks)]
    ids = [
        cell for look in looks if (place := look.place("id")) is not None for cell in look.block.column(place)
    ]
    reason = needs_new_ids(list(dict.fromkeys(ids)))
    reason = reason or next(
        (
            f"the ids are {c.evidence.partition('; ')[2]}"
            for t in tables
            for c in t.columns
            if c.means == "id" and "; " in c.evidence
        ),
        "",
    )
    by_hospital = [
        c for t in tables for c in t.columns if c.means == "id" and _names_hospital(c.header, lexicon)
    ]
    reason = reason or ("the ids are those of the hospital" if by_hospital else "")
    if before is not None and before.tables:
        reason = before.new_ids_because if before.new_ids else ""
    units, asked = _units(looks, files, lexicon)
    known = {column.header for table in old.tables for column in table.columns}
    mapping = IntakeMapping(
        new_ids=bool(reason),
        new_ids_because=reason,
        units={**units, **old.units},
        answers=dict(answers),
        file=tuple(files[name] for name in sorted(files) if name in sources.notes),
        table=tuple(tables),
    )
    asked = [one for one in asked if one[0] not in old.units]
    asked_of = ask(mapping, looks, asked, lexicon, settled=known)
    return asked_of.model_copy(update={"groups": {**asked_of.groups, **_still(old.groups, asked_of.groups)}})


def _still(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Groups of the mapping before, as far as the files still have them."""
    return {label: group for label, group in old.items() if label in new}


def _as_before(look: Look, old: IntakeMapping) -> Look:
    """Give every column the entry that it had in the mapping before."""
    grid, names = look.block.grid, look.block.names
    known = counterpart(grid.file, (grid.sheet,), names, old.tables)
    if known is None:
        return look
    columns = tuple(known.of(column.header) or column for column in look.columns)
    return replace(look, kind=known.kind, columns=columns, score=known.score, evidence=known.evidence)


def _kept(table: TableMap, old: IntakeMapping) -> TableMap:
    """Give a table what its entry in the mapping before said about patients, days and groups."""
    known = counterpart(table.file, table.sheets, [column.header for column in table.columns], old.tables)
    if known is None:
        return table
    kept = {name: getattr(known, name) for name in ("id_from", "fill_down", "day_from", "group_from")}
    return table.model_copy(update=kept)


def _names_hospital(header: str, lexicon: Lexicon) -> bool:
    read = lexicon.read(tuple(header.split(" | ")))
    return read.sense("hospital_id", "personal") is not None and read.sense("id") is None


def _answered(look: Look, answers: Mapping[str, str]) -> Look:
    """Apply the answers that say what a column means, or what its codes mean."""
    columns = list(look.columns)
    for n, column in enumerate(columns):
        for key, answer in answers.items():
            kind, _, name = key.partition(".")
            if kind == "column" and column.header == name:
                columns[n] = column.model_copy(update={"means": answer, "score": 1.0, "evidence": "answered"})
            elif kind == "use" and column.header == answer:
                wanted = _wanted(name, look.contents[n].serials)
                taken = column.means not in ("unused", "personal", wanted)
                update = {"also": wanted} if taken else {"means": wanted}
                columns[n] = column.model_copy(update={**update, "score": 1.0, "evidence": "answered"})
            elif kind == "values" and column.header == name:
                columns[n] = columns[n].model_copy(update={"values": {**column.values, **codes_of(answer)}})
    return replace(look, columns=tuple(columns))


def _wanted(name: str, dates: float) -> str:
    """Return what a column means that was named for something; days may be told by dates."""
    if name == "patient_id":
        return "id"
    dated = name.endswith("_day") and dates >= 0.6
    return f"patients.{name.removesuffix('_day')}_date" if dated else f"patients.{name}"


def codes_of(answer: str) -> dict[str, str]:
    """Return codes with their meanings of an answer.

    Example:
        >>> codes_of("0=no, 1=no; 2=yes")
        {'0': 'no', '1': 'no', '2': 'yes'}
    """
    parts = [part.partition("=") for part in re.split(r"[,;，；]", answer)]
    return {code.strip(): meaning.strip() for code, sign, meaning in parts if sign}


def _tables(looks: list[Look]) -> list[TableMap]:
    """Join tables of one layout: sheets with the same columns share one entry."""
    tables: dict[tuple[object, ...], TableMap] = {}
    sheets_with_ids = {
        (look.block.grid.file, look.block.grid.sheet) for look in looks if look.place("id") is not None
    }
    for look in looks:
        grid = look.block.grid
        table = TableMap(
            file=grid.file,
            sheets=(grid.sheet,),
            kind=look.kind,
            id_from=_id_from(look, (grid.file, grid.sheet) in sheets_with_ids),
            fill_down=_filled_below(look.block, look.place("id")),
            day_from=_day_from(look),
            rows=len(look.block.rows),
            column=look.columns,
            score=round(look.score, 2),
            evidence=look.evidence,
        )
        key = (grid.file, look.kind, table.id_from, tuple(column.header for column in look.columns))
        known = tables.get(key)
        tables[key] = table if known is None else _with_sheet(known, table)
    return list(tables.values())


def _with_sheet(known: TableMap, table: TableMap) -> TableMap:
    columns = [
        mine if mine.means != "unused" or other.means == "unused" else other
        for mine, other in zip(known.columns, table.columns, strict=True)
    ]
    sheets = tuple(dict.fromkeys((*known.sheets, *table.sheets)))
    rows = known.rows + table.rows
    return known.model_copy(update={"sheets": sheets, "columns": tuple(columns), "rows": rows})


def _id_from(look: Look, beside: bool) -> str:
    if look.place("id") is not None:
        return "column"
    return "beside" if beside else "sheet"


def _filled_below(block: Block, place: int | None) -> bool:
    """Whether ids stand in the first of several rows only."""
    if place is None or not block.rows or not block.rows[0][place]:
        return False
    empty = [row for row in block.rows if not row[place]]
    return bool(empty) and sum(any(row) for row in empty) >= 0.2 * len(block.rows)


def _day_from(look: Look) -> str:
    if look.place("day", "date", "visit") is not None and any(
        c.means in ("day", "date", "visit") and c.day is None for c in look.columns
    ):
        return "column"
    if any(column.day is not None for column in look.columns):
        return "header"
    return "baseline" if sheet_day(look.block) is None else "sheet"


def _units(
    looks: list[Look], files: Mapping[str, SourceFile], lexicon: Lexicon
) -> tuple[dict[str, str], list[tuple[str, str, str]]]:
    """Decide by their values on the units of variables that come without one.

    Returns:
        The units that nothing else fits, and (variable, unit, reason) of those to be confirmed.
    """
    numbers: dict[str, list[float]] = {}
    given: Counter[str] = Counter()
    for look in looks:
        mark = files[look.block.grid.file].decimal or "."
        for n, column in enumerate(look.columns):
            kind, _, name = column.means.partition(".")
            if kind == "measured":
                numbers.setdefault(name, []).extend(look.contents[n].numbers(mark))
                given[name] += bool(column.unit)
        if look.kind == "measurements" and look.place("unit") is None:
            for name, found in _long_numbers(look, lexicon).items():
                numbers.setdefault(name, []).extend(found)
    sure: dict[str, str] = {}
    asked: list[tuple[str, str, str]] = []
    for name, found in numbers.items():
        variable = lexicon.vocabulary[name]
        if variable.type != "number" or variable.unit in ("", "1") or given[name]:
            continue
        unit, certain, why = unit_by_values(variable, found, _middle(lexicon, name))
        if certain:
            sure[name] = unit
        else:
            asked.append((name, unit, why))
    return sure, asked


def _long_numbers(look: Look, lexicon: Lexicon) -> dict[str, list[float]]:
    variable, value = look.place("variable"), look.place("value")
    found: dict[str, list[float]] = {}
    if variable is None or value is None:
        return found
    known = {text: lexicon.read((text,)) for text in look.contents[variable].distinct}
    for row in look.block.rows:
        header = known.get(row[variable])
        sense = header.sense("measured") if header else None
        if sense is not None and header is not None and not header.unit:
            try:
                found.setdefault(sense.name, []).append(float(row[value].lstrip("<>≤≥ ")))
            except ValueError:
                continue
    return found


def _middle(lexicon: Lexicon, name: str) -> float | None:
    """Geometric middle of the limits of normal of a variable, in the unit kept."""
    limits = [
        limit for one in lexicon.vocabulary.ranges.get(name, ()) for limit in (one.low, one.high) if limit
    ]
    return float(np.exp(np.mean(np.log(limits)))) if limits else None
