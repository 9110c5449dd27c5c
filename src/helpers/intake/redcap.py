"""Exports of REDCap: the data dictionary gives labels and meanings, repeating instruments are tables.

>>> from helpers.intake.grids import Grid
>>> grid = Grid("lab.csv", "", [["record_id", "ferritin"], ["1", "900"]], regular=True)
>>> is_dictionary(grid), [one.file for one in with_dictionary([grid])]
(False, ['lab.csv'])
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from helpers.intake.grids import Grid
from helpers.vocabulary.names import fold

_FIELD, _LABEL, _CHOICES, _KIND = "variable / field name", "field label", "choices", "field type"
_REPEAT, _EVENT = "redcap_repeat_instrument", "redcap_event_name"
_OWN = ("redcap_repeat_instance", "redcap_survey_identifier", "redcap_data_access_group")
_CHECKBOX = re.compile(r"^(?P<field>.+)___(?P<code>\w+)$")
_PRIOR = re.compile(r"prior|previous|earlier|history of treatment|既往", re.I)
_TICKS = {"1": "yes", "0": "no", "Checked": "yes", "Unchecked": "no"}


def with_dictionary(grids: Sequence[Grid]) -> list[Grid]:
    """Return the grids of data with what a data dictionary among them says; the dictionary is not data.

    Codes stand under their meaning in `values`, field labels in `labels`. Rows of a repeating instrument
    become a grid of their own.
    """
    fields: dict[str, dict[str, str]] = {}
    data: list[Grid] = []
    for grid in grids:
        told = _dictionary(grid)
        if told is None:
            data.append(grid)
        else:
            fields |= told
    return [part for grid in data for part in _parts(_described(grid, fields))]


def is_dictionary(grid: Grid) -> bool:
    """Return whether a grid is a data dictionary, which describes other files and is no data itself."""
    return _dictionary(grid) is not None


def _dictionary(grid: Grid) -> dict[str, dict[str, str]] | None:
    if not grid.cells:
        return None
    header = [fold(name) for name in grid.cells[0]]
    if fold(_FIELD) not in header or _LABEL not in header:
        return None
    places = {
        key: next((n for n, name in enumerate(header) if name.startswith(fold(key))), None)
        for key in (_FIELD, _LABEL, _CHOICES, _KIND)
    }
    return {
        row[places[_FIELD] or 0]: {key: row[place] for key, place in places.items() if place is not None}
        for row in grid.cells[1:]
    }


def _described(grid: Grid, fields: dict[str, dict[str, str]]) -> Grid:
    header = grid.cells[0] if grid.cells else []
    is_export = _EVENT in header or _REPEAT in header or any(map(_CHECKBOX.match, header))
    known = sum(
        name in fields or ((m := _CHECKBOX.match(name)) is not None and m["field"] in fields)
        for name in header
    )
    if not is_export and known < 0.5 * max(len(header), 1):
        return grid
    labels, values = [], {}
    for name in header:
        box = _CHECKBOX.match(name)
        field = fields.get(box["field"] if box else name, {})
        choices = _choices(field)
        if box:
            labels.append(_box_label(field.get(_LABEL, box["field"]), choices.get(box["code"], box["code"])))
            values[name] = _TICKS
        else:
            labels.append(field.get(_LABEL, ""))
            if choices and field.get(_KIND, "radio") != "calc":
                values[name] = choices
    return replace(grid, labels=tuple(labels), values=values, regular=True)


def _choices(field: dict[str, str]) -> dict[str, str]:
    parts = [part.partition(",") for part in field.get(_CHOICES, "").split("|")]
    found = {code.strip(): text.strip() for code, comma, text in parts if comma}
    return found or ({"1": "yes", "0": "no"} if field.get(_KIND) in ("yesno", "truefalse") else {})


def _box_label(field: str, choice: str) -> str:
    return f"prior {choice}" if _PRIOR.search(field) else choice


def _parts(grid: Grid) -> list[Grid]:
    """Part the rows of each repeating instrument from the others, without columns that are empty there."""
    header = grid.cells[0] if grid.cells else []
    if _REPEAT not in header:
        return [grid]
    place = header.index(_REPEAT)
    instruments = list(dict.fromkeys(row[place] for row in grid.cells[1:]))
    return [_part(grid, place, instrument) for instrument in instruments]


def _part(grid: Grid, place: int, instrument: str) -> Grid:
    rows = [n for n, row in enumerate(grid.cells) if n and row[place] == instrument]
    kept = [
        n
        for n, name in enumerate(grid.cells[0])
        if n != place and name not in _OWN and any(grid.cells[row][n] for row in rows)
    ]
    cells = [[grid.cells[row][n] for n in kept] for row in (0, *rows)]
    lines = tuple(grid.line(row) for row in (0, *rows))
    labels = tuple(grid.labels[n] for n in kept) if grid.labels else ()
    return replace(grid, sheet=instrument, cells=cells, lines=lines, labels=labels)
