r"""How wide a table's columns must be, and whether it needs a page on its side.

>>> from helpers.report.formats.rendered import shown
>>> from helpers.report.tables.content import TableContent
>>> table = TableContent("table_2_response", "Response", ["", "Treated"], [["CR", "6 (30%)"]])
>>> found = measure(shown(table), 9)
>>> len(found.widths), found.landscape, text_width("mm", 9) > text_width("i", 9)
(2, False, True)
>>> from helpers.report.journals.table_themes import Run
>>> unbroken([Run("p = 0.011")])[0].text
'p\xa0=\xa00.011'
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from helpers.report.formats.rendered import Shown, ShownCell
from helpers.report.journals.table_themes import Run

# Widths of signs in parts of the text size, as of Arial and Helvetica; what is not listed is average.
_NARROW, _WIDE = "iljI.,;:'|!()[]/ftr \N{EN SPACE}\N{NO-BREAK SPACE}", "mwMW%@\N{EM DASH}"
_AVERAGE, _SLIM, _BROAD, _CAPITAL, _CJK = 0.556, 0.30, 0.85, 0.69, 1.0
_POINT_MM = 25.4 / 72
_GAP_MM = 3.2  # between the texts of neighbouring columns
_SLACK_MM = 0.8  # by which a gap may shrink
_FEW_LINES = 1.35  # mean number of lines of a row up to which a table stays upright
_BOLD = 1.1  # of headings beside the same text in plain letters
_MARK = 0.7  # of a raised sign
INDENT_MM = 3.5

_Columns = list[list[tuple[float, float]]]
_BREAKS = re.compile(" |(?<=[\N{CJK RADICAL REPEAT}-\N{HALFWIDTH IDEOGRAPHIC FULL STOP}])")
_NO_BREAK = "\N{NO-BREAK SPACE}"
_TIED = re.compile(r"\([^()]{1,24}\)|\b[pPn] [=<>] (?=[\d.<>])|^ [=<>] (?=[\d.])|(?<=[\d)]) (?=\[)")


@dataclass(frozen=True)
class Page:
    """A page's room for text in mm, upright and on its side."""

    portrait: float = 160.0
    landscape: float = 247.0


@dataclass(frozen=True)
class Measure:
    """Widths of the columns in mm, gaps included, and whether the page must lie on its side."""

    widths: tuple[float, ...]
    landscape: bool

    @property
    def total(self) -> float:
        """Width of the table in mm."""
        return sum(self.widths)


@cache
def text_width(text: str, points: float) -> float:
    """Return about how many mm a text takes on one line."""
    return sum(map(_sign_width, text)) * points * _POINT_MM


def _sign_width(sign: str) -> float:
    if sign in _NARROW:
        return _SLIM
    if sign in _WIDE:
        return _BROAD
    if sign >= "\N{CJK RADICAL REPEAT}":
        return _CJK
    return _CAPITAL if sign.isupper() else _AVERAGE


def measure(one: Shown, points: float, page: Page | None = None, *, upright: bool = False) -> Measure:
    """Return the widths at which texts wrap least.

    Every column gets the width of its longest word. What room is left goes to the columns whose texts do not
    fit on one line, the short ones first. A table of which many rows would take several lines upright lies on
    its side; with `upright` only one whose longest words have no room.
    """
    page = page or Page()
    columns = _columns(one, points)
    least, wanted = _least(columns), _wanted(one, columns, points)
    standing = _fit(least, wanted, page.portrait)
    fits = sum(least) <= page.portrait and (upright or _lines(columns, standing) <= _FEW_LINES)
    across = _across(one, points)
    if fits or _whole_lines(wanted, page.portrait):
        return Measure(_widened(standing, min(across, page.portrait)), landscape=False)
    sideways = _fit(least, wanted, page.landscape)
    return Measure(_widened(sideways, min(across, page.landscape)), landscape=True)


def _across(one: Shown, points: float) -> float:
    """Return the width at which every heading and message across the table takes one line."""
    texts = (row.cells[0].text for row in one.rows if row.kind != "body")
    return max((text_width(text, _BOLD * points) + _GAP_MM for text in texts), default=0.0)


def _widened(widths: tuple[float, ...], total: float) -> tuple[float, ...]:
    """Return the widths stretched to a total that they fall short of."""
    stretch = max(1.0, total / sum(widths))
    return tuple(width * stretch for width in widths)


def _whole_lines(wanted: Sequence[float], room: float) -> bool:
    """Tell whether every text takes one line, the gaps shrunk a little where that is needed."""
    return sum(wanted) <= room + _SLACK_MM * len(wanted)


def _fit(least: Sequence[float], wanted: Sequence[float], room: float) -> tuple[float, ...]:
    if _whole_lines(wanted, room):
        return tuple(width * min(1.0, room / sum(wanted)) for width in wanted)
    return _share(least, wanted, room)


def unbroken(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Return texts with no-break spaces where no line should end: in short brackets, in ``p = 0.011``."""
    return tuple(replace(run, text=_TIED.sub(_tie, run.text)) for run in runs)


def _tie(found: re.Match[str]) -> str:
    return found[0].replace(" ", _NO_BREAK)


def _columns(one: Shown, points: float) -> _Columns:
    """Return of each column, headings first, the width of each cell's text and of its longest word."""
    cells = [[_widths(head, _BOLD * points, 0)] for head in one.heads]
    for row in one.rows:
        if row.kind == "body":
            for i, cell in enumerate(row.cells):
                cells[i].append(_widths(cell, points, row.level if i == 0 else 0))
    return cells


def _widths(cell: ShownCell, points: float, level: int) -> tuple[float, float]:
    """Return the widths of the whole text and of its longest word, indent included.

    Marks belong to the last word. Chinese and Japanese may be broken behind each sign.
    """
    text = "".join(run.text for run in unbroken(cell.runs))
    marks = text_width(",".join(cell.marks), _MARK * points)
    words = [text_width(word, points) for word in _BREAKS.split(text)]
    words[-1] += marks
    indent = INDENT_MM * level
    return indent + text_width(text, points) + marks, indent + max(words)


def _least(columns: _Columns) -> list[float]:
    """Return the width of each column's longest word."""
    return [max(word for _, word in column) + _GAP_MM for column in columns]


def _wanted(one: Shown, columns: _Columns, points: float) -> list[float]:
    """Return the width at which each column's longest text takes one line."""
    widths = [max(whole for whole, _ in column) + _GAP_MM for column in columns]
    for spanner in one.spanners:
        inside = range(spanner.start, spanner.start + spanner.width)
        lack = text_width(spanner.text, _BOLD * points) + _GAP_MM - sum(widths[i] for i in inside)
        for i in inside:
            widths[i] += max(0.0, lack) / spanner.width
    return widths


def _share(least: Sequence[float], wanted: Sequence[float], room: float) -> tuple[float, ...]:
    """Return widths that add up to no more than the room, between the least and the wanted ones."""
    if sum(least) >= room:
        # Numbers may break after a dash or bracket; the words of the labels stay whole as long as they can.
        label = min(least[0], room / 2)
        rest = sum(least[1:])
        return (label, *(width * (room - label) / rest for width in least[1:])) if rest else (room,)
    widths, open_ = list(least), set(range(len(least)))
    while open_:
        left = room - sum(widths)
        lacks = {i: wanted[i] - widths[i] for i in open_ if wanted[i] - widths[i] > 1e-9}
        if left <= 1e-9 or not lacks:
            break
        # Short columns are filled first, so that a long text beside them takes the rest.
        part = left / len(lacks)
        for i, lack in lacks.items():
            widths[i] += min(lack, part)
        open_ = set(lacks)
    return tuple(widths)


def _lines(columns: _Columns, widths: Sequence[float]) -> float:
    """Return the mean number of lines that a body row takes."""
    rows = list(zip(*(cells[1:] for cells in columns), strict=True))
    if not rows:
        return 1.0
    heights = [
        max(
            math.ceil(whole / max(width - _GAP_MM + 0.01, 1.0))
            for (whole, _), width in zip(row, widths, strict=True)
        )
        for row in rows
    ]
    return float(sum(heights)) / len(heights)
