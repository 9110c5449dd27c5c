"""Where the tables of a sheet stand: titles above, headers of several rows, notes below, sheets turned."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from helpers.intake.grids import Block, Grid
from helpers.intake.lexicon import Lexicon, visit_day
from helpers.intake.values import plain_date

_FIRST_ROWS = 12
_KNOWN_SHARE = 0.6
_MOST_LEVELS = 3
_NOTE = re.compile(
    r"^(注|备注|说明|数据|导出|来源|note|notes|source|exported|remark|footnote|legend|\*|#|†|‡)", re.I
)
_NUMBER = re.compile(r"^[<>≤≥]?\s*[+-]?[\d.,]+\s*[↑↓]?$")
_LONG = 40


@dataclass(frozen=True)
class _Run:
    """Rows between two empty ones."""

    start: int
    rows: list[list[str]]


def blocks_of(grid: Grid, lexicon: Lexicon) -> list[Block]:
    """Return the tables of a grid, from its top to its bottom.

    A title is a row with one text above a header, a note such a row below the data. Cells merged over
    columns are levels of a header; cells merged over rows hold for each of them.

    >>> from helpers.vocabulary.reading import shipped_vocabulary
    >>> grid = Grid(
    ...     "lab.xlsx", "1", [["Laboratory", ""], ["id", "ferritin"], ["R01", "900"], ["R02", "80"]]
    ... )
    >>> [
    ...     (block.title, block.names, len(block.rows))
    ...     for block in blocks_of(grid, Lexicon(shipped_vocabulary()))
    ... ]
    [('Laboratory', ('id', 'ferritin'), 2)]
    """
    if grid.regular:
        return [_regular(grid)] if grid.cells else []
    cells = _filled(grid)
    blocks: list[Block] = []
    title = ""
    for run in _runs(cells):
        above, start = _leading_texts(run)
        title = " ".join(filter(None, (title, *above)))
        body = _Run(run.start + start, run.rows[start:])
        if not body.rows:
            continue
        paired = _pairs(grid, body, title, lexicon)
        if paired is not None:
            blocks.append(paired)
            title = ""
            continue
        block = _table(grid, body, title, lexicon, after=blocks[-1] if blocks else None)
        if block is None:
            continue
        if blocks and block.header == blocks[-1].header and not title:
            previous = blocks.pop()
            block = _joined(previous, block)
        blocks.append(block)
        title = ""
    return [_turned(block, lexicon) for block in blocks if block.rows]


def _regular(grid: Grid) -> Block:
    header = tuple((name,) for name in grid.cells[0])
    lines = [grid.line(row) for row in range(1, len(grid.cells))]
    return Block(grid, "", header, grid.cells[1:], lines, tuple(range(1, len(header) + 1)), grid.labels)


def _filled(grid: Grid) -> list[list[str]]:
    cells = [list(row) for row in grid.cells]
    width = max(map(len, cells), default=0)
    for row in cells:
        row += [""] * (width - len(row))
    for top, left, bottom, right in grid.merged:
        text = cells[top][left] if top < len(cells) and left < width else ""
        for line in cells[top : bottom + 1]:
            line[left : right + 1] = [text] * len(line[left : right + 1])
    return cells


def _runs(cells: Sequence[list[str]]) -> list[_Run]:
    runs: list[_Run] = []
    fresh = True
    for line, row in enumerate(cells):
        if not any(row):
            fresh = True
        elif fresh:
            runs.append(_Run(line, [row]))
            fresh = False
        else:
            runs[-1].rows.append(row)
    return runs


def _leading_texts(run: _Run) -> tuple[list[str], int]:
    """Return the titles that a run begins with, and how many rows they take."""
    texts: list[str] = []
    for place, row in enumerate(run.rows):
        distinct = {text for text in row if text}
        wider = any(len({t for t in other if t}) > 1 for other in run.rows[place + 1 :])
        rest = run.rows[place + 1 :]
        only_texts = place + 1 < len(run.rows) and all(_is_note(row, 3) for row in rest)
        lone = len(distinct) == 1 and (wider or not rest or only_texts)
        if not lone:
            return texts, place
        texts += distinct
    return texts, len(run.rows)


def _known(row: Sequence[str], lexicon: Lexicon) -> int:
    return sum(lexicon.read((text,)).known for text in row if text and not _NUMBER.match(text))


def _table(grid: Grid, run: _Run, title: str, lexicon: Lexicon, after: Block | None) -> Block | None:
    first, levels = _header_rows(grid, run, lexicon, after)
    if first is None:
        if after is None:
            return None
        # Rows below an empty one without a header of their own go on with the table above.
        header, top = after.header, 0
        places = [column - 1 for column in after.columns]
    else:
        top = first + levels
        rows = [_rightwards(row) if n < levels - 1 else row for n, row in enumerate(run.rows[first:top])]
        places = [place for place in range(len(run.rows[0])) if _used(run.rows, first, levels, place)]
        header = tuple(_names(rows, place) for place in places)
        title = " ".join(filter(None, [title, *(" ".join(filter(None, row)) for row in run.rows[:first])]))
    bottom = len(run.rows)
    while bottom > top and _is_note(run.rows[bottom - 1], len(places)):
        bottom -= 1
    body = run.rows[top:bottom]
    lines = [grid.line(run.start + top + n) for n in range(len(body))]
    kept = [[row[place] for place in places] for row in body]
    labels = tuple(grid.labels[place] for place in places) if grid.labels else ()
    return Block(grid, title, header, kept, lines, tuple(place + 1 for place in places), labels)


def _used(rows: Sequence[list[str]], first: int, levels: int, place: int) -> bool:
    """Whether a column has a name of its own below a merged one, or anything in it."""
    return bool(rows[first + levels - 1][place]) or any(row[place] for row in rows[first + levels :])


def _names(rows: Sequence[Sequence[str]], place: int) -> tuple[str, ...]:
    """Return the name of a column, a text a level; of one without a name where it stands."""
    names = tuple(row[place] for row in rows)
    return names if any(names) else (*names[:-1], f"column {place + 1} without a name")


def _goes_on(row: Sequence[str], above: Block) -> bool:
    """Whether a cell repeats one of its column in the table above: rows, not names, do."""
    return any(
        row[column - 1] and row[column - 1] in {line[place] for line in above.rows}
        for place, column in enumerate(above.columns)
        if column <= len(row)
    )


def _header_rows(grid: Grid, run: _Run, lexicon: Lexicon, after: Block | None) -> tuple[int | None, int]:
    """Return the first row of the header within a run and the number of its rows; None if there is none."""
    scores = [_known(row, lexicon) for row in run.rows[:_FIRST_ROWS]]
    best = max(scores, default=0)
    if best < 2:
        first = 0
        row = run.rows[0]
        if run.start and (any(map(_NUMBER.match, row)) or (after is not None and _goes_on(row, after))):
            return None, 0
    else:
        first = next(place for place, score in enumerate(scores) if score >= 0.5 * best)
    levels = 1
    while levels < _MOST_LEVELS and first + levels < len(run.rows):
        if not _continues(grid, run, first + levels - 1, lexicon):
            break
        levels += 1
    return first, levels


def _continues(grid: Grid, run: _Run, place: int, lexicon: Lexicon) -> bool:
    """Whether the row below a row of the header belongs to the header as well."""
    row, below = run.rows[place], run.rows[place + 1]
    texts = [text for text in below if text]
    if not texts:
        return False
    if any(
        top == run.start + place and bottom == top and right > left
        for top, left, bottom, right in grid.merged
    ):
        return True
    if sum(map(lexicon.is_unit, texts)) >= _KNOWN_SHARE * len(texts):
        return True
    gaps = any(not upper and lower for upper, lower in zip(row, below, strict=True))
    numbers = any(_NUMBER.match(text) for text in texts)
    return gaps and not numbers and _known(below, lexicon) >= max(2, _KNOWN_SHARE * len(set(texts)))


def _rightwards(row: Sequence[str]) -> list[str]:
    filled, last = [], ""
    for text in row:
        last = text or last
        filled.append(last)
    return filled


def _is_note(row: Sequence[str], width: int) -> bool:
    texts = {text for text in row if text}
    if len(texts) != 1 or width < 3:
        return False
    text = next(iter(texts))
    return bool(_NOTE.match(text)) or len(text) > _LONG


def _pairs(grid: Grid, run: _Run, title: str, lexicon: Lexicon) -> Block | None:
    """Read names with their values beside them, two columns a pair, as a table of one row."""
    width = max((place + 1 for row in run.rows for place, text in enumerate(row) if text), default=0)
    if width < 2 or width % 2 or len(run.rows) < 2:
        return None
    names: list[str] = []
    values: list[str] = []
    for row in run.rows:
        for place in range(0, width, 2):
            if row[place]:
                names.append(row[place])
                values.append(row[place + 1])
    known = sum(_of_patient(name, lexicon) for name in names)
    if (
        len(names) < 2
        or known < max(2, _KNOWN_SHARE * len(names))
        or _known(values, lexicon) > 0.3 * len(names)
    ):
        return None
    header = tuple((name.rstrip(":： "),) for name in names)
    return Block(
        grid, title, header, [values], [grid.line(run.start)], tuple(range(1, len(names) + 1)), (), "pairs"
    )


def _of_patient(name: str, lexicon: Lexicon) -> bool:
    kinds = ("patients", "id", "hospital_id", "personal", "birth_date")
    return lexicon.read((name.rstrip(":： "),)).sense(*kinds) is not None


def _joined(above: Block, below: Block) -> Block:
    return Block(
        above.grid,
        above.title,
        above.header,
        [*above.rows, *below.rows],
        [*above.lines, *below.lines],
        above.columns,
        above.labels,
        above.turn,
    )


def _turned(block: Block, lexicon: Lexicon) -> Block:
    """Turn a table whose rows are variables and whose columns are visits or dates."""
    names = block.column(0)
    if block.turn or len(block.header[0]) != 1 or len(set(names)) < len(names):
        return block
    known = sum(lexicon.read((name,)).sense("measured") is not None for name in names if name)
    if not names or known < _KNOWN_SHARE * len(names):
        return block
    units = next((n for n, (name,) in enumerate(block.header) if n and _is_units(name, lexicon)), None)
    ranges = {n for n, (name,) in enumerate(block.header) if n and _is_range(name, lexicon)}
    places = [n for n in range(1, len(block.header)) if n != units and n not in ranges]
    moments = [block.header[n][0] for n in places]
    days = sum(visit_day(text) is not None for text in moments)
    dates = sum(plain_date(text, "dmy", serials=True) is not None for text in moments)
    if not places or max(days, dates) < 0.8 * len(places):
        return block
    header: list[tuple[str, ...]] = [("visit" if days >= dates else "date",)]
    header += [
        (name, row[units]) if units is not None else (name,)
        for name, row in zip(names, block.rows, strict=True)
    ]
    rows = [[moment, *(row[n] for row in block.rows)] for n, moment in zip(places, moments, strict=True)]
    # What was a row is a column now: the place told is the line of the header.
    lines = [block.lines[0] - 1] * len(rows)
    return Block(block.grid, block.title, tuple(header), rows, lines, (1, *block.lines), (), "turned")


def _is_units(name: str, lexicon: Lexicon) -> bool:
    sense = lexicon.read((name,)).sense("measurements")
    return sense is not None and sense.name == "unit"


def _is_range(name: str, lexicon: Lexicon) -> bool:
    sense = lexicon.read((name,)).sense("measurements")
    return (
        (sense is not None and sense.name.startswith("reference"))
        or "参考" in name
        or "range" in name.casefold()
    )
