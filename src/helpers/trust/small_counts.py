"""Small counts in files to be shared: such as stand there, and such as follow by difference."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from helpers.results.disclosure import disclosure_of
from helpers.results.store import COLUMNS, Statistics, StatisticsStoreError
from helpers.results.suppression import NOT_SHOWN, Shared, suppressed
from helpers.trust.opened import Grid

SMALL, DERIVABLE = "a small count", "a small count that follows by difference"
_PEOPLE = r"(?:patients?|participants?|persons?|subjects?|controls?|men|women|deaths?|died|例|名|人)"
_OF = re.compile(rf"\b(\d+) ?(?:of|/|out of) ?(?:the )?(\d+) {_PEOPLE}")
_PERCENT = re.compile(r"(?<![\d.,])(\d+)(?:/(\d+))? ?\((\d+(?:[.·,]\d+)?) ?%?\)")
_TOTAL = re.compile(r"^(?:total|all|sum|overall|both|everybody|合计|总计|总数)\b", re.I)
_WHOLE = re.compile(r"^\d+$")
_HIDDEN = re.compile(r"^(?:<\s?\d+|not shown|suppressed|hidden|\*|不予显示|未显示)$", re.I)
_PERMITTED_WITHOUT_N = ("average", "quartile", "compared", "setting")


def of_statistics(path: Path, may: Shared) -> Iterator[tuple[str, str, str]]:
    """Yield place, kind and value of what rows of a statistics file show and may not.

    Args:
        path: the file.
        may: what of all rows of the folder may be shown, since a count may follow from another file's rows.
    """
    for row in Statistics.read(path.parent, [path.stem]).values():
        kind = disclosure_of(row.analysis, row.statistic)
        if row.value == row.value and row.id in may.hidden and kind not in _PERMITTED_WITHOUT_N:
            small = kind == "count" and 0 <= row.value < may.smallest
            yield row.id, SMALL if small else _other(kind), f"{row.value:g}"
        shown = row.n is not None and row.id in may.without_n and row.id not in may.hidden
        if shown and kind != "setting":
            yield f"{row.id} (n)", DERIVABLE, str(row.n)


def _other(kind: str | None) -> str:
    if kind == "extreme":
        return "the value of a single patient"
    return "a step of a curve" if kind == "step" else DERIVABLE


def shared_of(folder: Path, smallest: int) -> Shared | None:
    """Return what of all rows of a folder may be shown; None where it holds none that can be read."""
    try:
        return suppressed(Statistics.read(folder), smallest)
    except (StatisticsStoreError, OSError, ValueError):
        return None


def is_statistics(content: bytes) -> bool:
    """Return whether a file begins as statistics files do."""
    return content.startswith((",".join(COLUMNS) + "\n").encode())


def of_text(text: str, smallest: int) -> Iterator[tuple[str, str]]:
    """Yield kind and words of counts of patients in a text that are too small, or leave too few.

    Example:
        >>> list(of_text("1 of 20 patients died", 5))
        [('a small count', '1 of 20 patients')]
    """
    for found in _OF.finditer(text):
        yield from _judged(int(found[1]), int(found[2]), found[0], smallest)
    for found in _PERCENT.finditer(text):
        count, share = int(found[1]), float(re.sub("[·,]", ".", found[3]))
        whole = int(found[2]) if found[2] else round(100 * count / share) if share > 0 else None
        if share <= 100 and (found[2] or "%" in found[0]):
            yield from _judged(count, whole, found[0], smallest)


def _judged(count: int, whole: int | None, words: str, smallest: int) -> Iterator[tuple[str, str]]:
    if count < smallest:
        yield SMALL, words
    elif whole is not None and 0 <= whole - count < smallest:
        yield DERIVABLE, words


def of_grid(grid: Grid, smallest: int) -> Iterator[tuple[str, str, str]]:
    """Yield place, kind and value of suppressed cells of a table that follow from a total.

    Example:
        >>> rows = [["", "treated", "control", "total"], ["died", "<5", "9", "10"]]
        >>> [kind for _, kind, _ in of_grid(Grid("", rows), 5)]
        ['a small count that follows by difference']
    """
    width = max(map(len, grid.rows), default=0)
    rows = [[*row, *[""] * (width - len(row))] for row in grid.rows]
    if not rows:
        return
    columns = [list(column) for column in zip(*rows, strict=True)]
    for lines, labels, word in ((rows[1:], rows[0], "row"), (columns[1:], columns[0], "column")):
        totals = [i for i, label in enumerate(labels) if i and _TOTAL.match(label.strip())]
        for number, line in enumerate(lines, start=2):
            cells = [cell.strip() for cell in line]
            hidden = [i for i, cell in enumerate(cells) if i and i not in totals and _HIDDEN.match(cell)]
            known = [
                int(cell) for i, cell in enumerate(cells) if i and i not in totals and _WHOLE.match(cell)
            ]
            whole = [int(cells[i]) for i in totals if _WHOLE.match(cells[i])]
            if len(hidden) == 1 and known and whole and 0 <= whole[0] - sum(known) < smallest:
                place = f"{word} {number}, {NOT_SHOWN} beside a total"
                yield place, DERIVABLE, str(whole[0] - sum(known))
