"""Characters of figures: a font for Chinese, Japanese and Korean, and which characters no font has.

A character without a font is drawn as a box, and named by the check of a cohort and of the figures' files.

>>> text = container.text(0.5, 0.5, "Day 0")
>>> [one.get_text() for one in figure_texts(container)]
['Day 0']
>>> use_cjk_font(container, ())
>>> installed_font(["No Such Font"]) == installed_font(())
True
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from helpers.report.figures.fonts.chinese import FAMILY as FETCHED
from helpers.report.figures.fonts.chinese import chinese_fonts

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from matplotlib.text import Text

# Kana, ideographs and their extensions, Hangul, and the signs of full width used with them.
_CJK = re.compile(
    "[\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)


@cache
def _register_fetched() -> None:
    from matplotlib.font_manager import fontManager

    for file in chinese_fonts():
        fontManager.addfont(file)


def use_cjk_font(figure: Figure, fonts: Sequence[str]) -> None:
    """Have Chinese, Japanese and Korean text of a drawn figure set in the first of the fonts that is there.

    Args:
        figure: drawn, not yet laid out.
        fonts: names of fonts in order of preference.
    """
    texts = [text for text in figure_texts(figure, _CJK) if _CJK.search(text.get_text())]
    font = installed_font(fonts) if texts else None
    if font is not None:
        for text in texts:
            text.set_fontfamily([*text.get_fontfamily(), font])


def without_a_font(texts: Iterable[str], fonts: Sequence[str]) -> str:
    """Return the characters of texts that figures would show as boxes, each once, in order.

    Args:
        texts: what figures may show.
        fonts: names of fonts for Chinese, Japanese and Korean, in order of preference.

    Example:
        >>> without_a_font(["Age ≥ 18 years"], ())
        ''
    """
    signs = {sign for text in texts for sign in text if sign.isprintable()}
    if all(sign.isascii() for sign in signs):
        return ""
    from fontTools.ttLib import TTFont

    from helpers.report.figures.style import FONTS

    with TTFont(FONTS / "CompendiumSans-Regular.ttf", lazy=True) as font:
        missing = signs - set(map(chr, font.getBestCmap()))
    others = {sign for sign in missing if _CJK.match(sign)}
    if others and (name := installed_font(fonts)):
        missing -= others & _signs_of(name)
    return "".join(sorted(missing))


@cache
def _signs_of(name: str) -> frozenset[str]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(map(chr, get_font(findfont(name)).get_charmap()))


def figure_texts(artist: Artist, ticks: re.Pattern[str] | None = None) -> Iterator[Text]:
    """Return the texts in an artist, but not those of ticks that the formatters of numbers write.

    To ask for all ticks, as ``findobj`` does, makes them: a tenth of the time of drawing.

    Args:
        artist: where to look.
        ticks: found in the labels of an axis, if its ticks are wanted; by default they are.
    """
    from matplotlib.axis import Axis
    from matplotlib.text import Text
    from matplotlib.ticker import LogFormatter, NullFormatter, ScalarFormatter

    if isinstance(artist, Text):
        yield artist
    if isinstance(artist, Axis):
        children: Iterable[Artist] = (artist.label, artist.get_offset_text())
        for minor, formatter in ((False, artist.get_major_formatter()), (True, artist.get_minor_formatter())):
            if isinstance(formatter, (ScalarFormatter, LogFormatter, NullFormatter)):
                continue
            places = [float(place) for place in artist.get_ticklocs(minor=minor)]
            if ticks is None or any(map(ticks.search, formatter.format_ticks(places))):
                yield from artist.get_ticklabels(minor=minor)
    else:
        children = artist.get_children()
    for child in children:
        yield from figure_texts(child, ticks)


def installed_font(fonts: Sequence[str]) -> str | None:
    """Return the first of the fonts that is installed, else the one that set-up fetched, or None."""
    from matplotlib.font_manager import fontManager

    _register_fetched()
    fonts = (*fonts, FETCHED)
    there = set(fontManager.get_font_names())
    return next((font for font in fonts if font in there), None)
