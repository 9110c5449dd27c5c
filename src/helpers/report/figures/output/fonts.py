"""Chinese, Japanese and Korean text in figures: a font asked for by name, or word that none is there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from helpers.errors import CompendiumError
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


class MissingFontError(CompendiumError):
    """A figure has text for which no font is installed; the message says which would serve."""


def use_cjk_font(figure: Figure, fonts: Sequence[str], name: str) -> None:
    """Have Chinese, Japanese and Korean text of a drawn figure set in the first of the fonts that is there.

    Args:
        figure: drawn, not yet laid out.
        fonts: names of fonts in order of preference.
        name: the figure's name, for the message.

    Raises:
        MissingFontError: there is such text and none of the fonts is installed.
    """
    texts = [text for text in figure_texts(figure) if _CJK.search(text.get_text())]
    if not texts:
        return
    font = installed_font(fonts)
    if font is None:
        raise MissingFontError(
            f"{name} has the text {texts[0].get_text()!r}, and none of the fonts for it is installed: "
            f"{', '.join(fonts) or 'none is named'}. `make chinese-font` brings one; or install one "
            "(Debian and Ubuntu: fonts-noto-cjk) or name one that you have under [report] cjk_fonts in "
            "cohort.toml."
        )
    for text in texts:
        text.set_fontfamily([*text.get_fontfamily(), font])


def figure_texts(artist: Artist) -> Iterator[Text]:
    """Return the texts in an artist, but not those of ticks that the formatters of numbers write.

    To ask for all ticks, as ``findobj`` does, makes them: a tenth of the time of drawing.
    """
    from matplotlib.axis import Axis
    from matplotlib.text import Text
    from matplotlib.ticker import LogFormatter, NullFormatter, ScalarFormatter

    if isinstance(artist, Text):
        yield artist
    if isinstance(artist, Axis):
        children: Iterable[Artist] = (artist.label, artist.get_offset_text())
        for minor, formatter in ((False, artist.get_major_formatter()), (True, artist.get_minor_formatter())):
            if not isinstance(formatter, (ScalarFormatter, LogFormatter, NullFormatter)):
                yield from artist.get_ticklabels(minor=minor)
    else:
        children = artist.get_children()
    for child in children:
        yield from figure_texts(child)


def installed_font(fonts: Sequence[str]) -> str | None:
    """Return the first of the fonts that is installed, else the one that set-up fetched, or None."""
    from matplotlib.font_manager import fontManager

    _register_fetched()
    fonts = (*fonts, FETCHED)
    there = set(fontManager.get_font_names())
    return next((font for font in fonts if font in there), None)
