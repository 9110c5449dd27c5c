"""The words of a drawn figure in another language: texts, legends, and the labels of ticks that are words.

>>> from helpers.report.text.wording import Wording
>>> text = container.text(0.5, 0.5, "Number at risk")
>>> put_into_language(container, Wording("zh"))
>>> text.get_text()
'在险人数'
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from helpers.report.figures.output.fonts import figure_texts
from helpers.report.text.phrases import exhibit_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from helpers.report.text.wording import Wording


_CJK = "\N{CJK RADICAL REPEAT}"
# A word that was left in English, not a unit or a name.
_WORD = re.compile(r"(?<![/A-Za-z-])[a-z]{3,}(?![/a-z-])")
# The same, or a name that may be half of a phrase.
_WORD_OR_NAME = re.compile(r"(?<![/A-Za-z-])[A-Za-z][a-z]{2,}(?![/a-z-])|[A-Z]-[a-z]{3,}")
_LETTER = re.compile(r"[A-Za-z]")
_NEVER_FIRST = "，。；：）、"
# A word in Latin letters with the blanks behind it, or one sign.
_PIECE = re.compile(r"[!-~]+ *|.")


def put_into_language(figure: Figure, wording: Wording) -> None:
    """Put every text of a drawn figure into a language, before it is laid out.

    Lines that were broken to fit are joined where only together they have words. Numbers, names and what the
    language does not have stay.
    """
    if wording.as_written:
        return

    def said(text: str) -> str:
        lines = text.split("\n")
        if len(lines) == 1 or not _LETTER.search(text):
            return exhibit_text(text, wording)
        width = max(map(_width, lines))
        return "\n".join(_broken(part, width) for part in _joined(lines, wording))

    for axis in _axes(figure):
        for setter, formatter in (
            (axis.set_major_formatter, axis.get_major_formatter()),
            (axis.set_minor_formatter, axis.get_minor_formatter()),
        ):
            changed = _formatter(formatter, said)
            if changed is not None:
                setter(changed)
    for text in figure_texts(figure):
        old = text.get_text()
        new = said(old)
        if new != old:
            text.set_text(new)


def _joined(lines: list[str], wording: Wording) -> list[str]:
    """Return lines in a language, those joined that only together have words in it."""
    found, start = [], 0
    while start < len(lines):
        told = {
            end: exhibit_text(" ".join(lines[start:end]), wording) for end in range(len(lines), start, -1)
        }
        # As few lines as have words together; else as many as leave no word in English.
        whole = [
            end for end in sorted(told)
            if not _WORD_OR_NAME.search(told[end]) and not (end < len(lines) and lines[end - 1].endswith(","))
        ]  # fmt: skip
        almost = [end for end in told if end == start + 1 or not _WORD.search(told[end])]
        end = (whole or almost)[0]
        found.append(told[end])
        start = end
    return found


def _broken(text: str, width: int) -> str:
    """Return a text broken to lines alike, of so many letters at most, of which a Chinese sign takes two."""
    whole = _width(text)
    width = min(width, math.ceil(whole / math.ceil(whole / width)) + 1)
    lines, room = [""], width
    for piece in _PIECE.findall(text):
        takes = _width(piece.rstrip())
        if takes > room and lines[-1] and piece not in _NEVER_FIRST:
            lines.append("")
            room = width
        lines[-1] += piece
        room -= _width(piece)
    return "\n".join(line.rstrip() for line in lines)


def _width(text: str) -> int:
    return sum(2 if sign >= _CJK else 1 for sign in text)


def _axes(figure: Figure) -> list[Any]:
    """Return both axes of every panel."""
    return [axis for axes in figure.get_axes() for axis in (axes.xaxis, axes.yaxis)]


def _formatter(formatter: Any, said: Callable[[str], str]) -> Any:
    """Return a formatter of words in the language; None for one of numbers, which stays."""
    from matplotlib.ticker import FixedFormatter, FuncFormatter

    if isinstance(formatter, FixedFormatter):
        return FixedFormatter([said(str(text)) for text in formatter.seq])
    if isinstance(formatter, FuncFormatter):
        return FuncFormatter(lambda value, place: said(str(formatter.func(value, place))))
    return None
