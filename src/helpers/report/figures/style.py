"""The look shared by all figures: sizes in millimetres, one palette, text legible at the printed size.

Colours are Okabe and Ito's, told apart by readers with any colour vision and different in grey; a group keeps
its colour, line style and marker in every figure.

>>> text_size()
10.0
>>> character_mm()
1.9402777777777778
>>> (
...     {group: style.marker for group, style in group_styles(config).items()},
...     list(level_styles(config)),
... )
({'ruxolitinib': 'o', 'control': 's'}, ['CR', 'PR', 'NR'])
>>> from helpers.report.journals.requirements import journal_named
>>> with figure_style(journal_named("generic")):
...     current_journal().name
'generic'
>>> figure, part = new_figure(85, 80, watermark="Reconstructed")
>>> round(float(figure.get_figwidth()) * 25.4, 1)
85.0
>>> panel_letter(container, "a")
>>> container.texts[0].get_text()
'A'
"""

from __future__ import annotations

import gc
import textwrap
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.cohort.installed import GENERIC
from helpers.report.journals.requirements import Journal, journal_named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure, SubFigure

    from helpers.cohort.config import CohortConfig

FONTS = Path(__file__).parent / "fonts"
MM_PER_INCH = 25.4
POINTS_PER_INCH = 72.0
DPI = 300
TEXT_PT = 8.0
CHARACTER = 0.55  # mean width of a character in units of the text size

# Levels of response from best to worst: those that respond in blue, the others in grey.
RESPONDING_COLOURS = ("#00517a", "#7fb8da", "#c3dfee")
OTHER_COLOURS = ("#d9d9d9", "#a3a3a3", "#6e6e6e")
RESPONSE_MARKERS = ("o", "D", "s", "^", "v", "P")
INK = "#222222"
GREY = "#767676"
FAINT = "#bdbdbd"

RC: dict[Any, Any] = {
    "text.parse_math": False,  # a dollar sign in a label is one
    # Signs that the first font lacks are taken from the second, which Matplotlib brings.
    "font.family": ["Compendium Sans", "DejaVu Sans"],
    # Unhinted letters have one width in all formats, so that a layout made in one holds in the others.
    "text.hinting": "none",
    "font.size": TEXT_PT,
    "axes.labelsize": TEXT_PT,
    "axes.titlesize": TEXT_PT,
    "axes.titleweight": "normal",
    "axes.titlelocation": "left",
    "xtick.labelsize": TEXT_PT,
    "ytick.labelsize": TEXT_PT,
    "legend.fontsize": TEXT_PT,
    "legend.title_fontsize": TEXT_PT,
    "figure.titlesize": TEXT_PT,
    "figure.titleweight": "normal",
    "figure.labelsize": TEXT_PT,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "lines.linewidth": 1.3,
    "hatch.linewidth": 0.6,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "figure.dpi": 110,
    "savefig.dpi": DPI,
}


@dataclass(frozen=True)
class GroupStyle:
    """Colour, line, marker and hatch of bars of one study group, told apart in grey too."""

    colour: str
    line: str
    marker: str
    hatch: str = ""
    faint_line: Any = (0, (1, 1.2))


_BY_ROLE = {
    "treated": GroupStyle("#0072B2", "-", "o"),
    "reference": GroupStyle(
        "#D55E00",
        (0, (4, 1.5)),  # type: ignore[arg-type]
        "s",
        "////",
        (0, (3, 1, 1, 1)),
    ),
}


# Of further groups of one role: the parts of a split.
_FURTHER = (
    GroupStyle("#009E73", "-.", "D", "...."),
    GroupStyle("#CC79A7", ":", "^", "xxxx"),
    GroupStyle("#222222", (0, (6, 1, 1, 1)), "v", "----"),  # type: ignore[arg-type]
    GroupStyle("#56B4E9", (0, (2, 1)), "P", "||||"),  # type: ignore[arg-type]
)


def group_styles(config: CohortConfig) -> dict[str, GroupStyle]:
    """Return the style of each of the cohort's groups by its role; further ones of a role have their own."""
    styles: dict[str, GroupStyle] = {}
    further = iter(_FURTHER)
    for group in config.groups:
        style = _BY_ROLE[group.role]
        styles[group.id] = next(further, style) if style in styles.values() else style
    return styles


@cache
def _register_fonts() -> None:
    from matplotlib.font_manager import fontManager

    for file in sorted(FONTS.glob("*.ttf")):
        fontManager.addfont(file)


_CURRENT: ContextVar[Journal | None] = ContextVar("journal", default=None)
_SIZES = tuple(name for name, value in RC.items() if name.endswith("size") and value == TEXT_PT)


@contextmanager
def figure_style(journal: Journal | None = None, *, text_pt: float | None = None) -> Iterator[None]:
    """Apply the shared look inside a ``with`` block.

    Args:
        journal: whose text sizes are used; by default those of no journal in particular.
        text_pt: size of the text instead of the journal's own.
    """
    import matplotlib as mpl

    journal = journal or journal_named(GENERIC)
    _register_fonts()
    token = _CURRENT.set(journal)
    try:
        with (
            mpl.rc_context(RC | dict.fromkeys(_SIZES, text_pt or journal.text)),
            _fonts_found_once(),
            _nothing_collected(),
        ):
            yield
    finally:
        _CURRENT.reset(token)


@contextmanager
def _fonts_found_once() -> Iterator[None]:
    """Look each font up once while the settings stay the same.

    Matplotlib remembers what it found but collects all settings of fonts for each text and size anew.
    """
    from matplotlib.font_manager import fontManager

    if "findfont" in vars(fontManager):  # within another block
        yield
        return
    vars(fontManager)["findfont"] = cache(fontManager.findfont)
    try:
        yield
    finally:
        del vars(fontManager)["findfont"]


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Leave what is no longer used until the block ends: to look for it takes a tenth of the drawing."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def current_journal() -> Journal:
    """Return the journal that is drawn for."""
    return _CURRENT.get() or journal_named(GENERIC)


def text_size() -> float:
    """Return the size (points) of the text that is being drawn."""
    import matplotlib as mpl

    return float(mpl.rcParams["font.size"])


def character_mm() -> float:
    """Return the mean width (mm) of a character of the text that is being drawn."""
    return CHARACTER * text_size() / POINTS_PER_INCH * MM_PER_INCH


def panel_letter(container: Figure | SubFigure, letter: str) -> None:
    """Put the letter of a panel into its upper left corner, as the journal wants it."""
    journal = current_journal()
    shown = letter.upper() if journal.panel_case == "upper" else letter.lower()
    container.suptitle(shown, x=0.01, ha="left", fontsize=journal.panel_letter, fontweight="bold")


def new_figure(
    width_mm: float, height_mm: float, *, watermark: str = ""
) -> tuple[Figure, Figure | SubFigure]:
    """Return an empty figure of exactly this size and the part of it to draw into.

    Args:
        width_mm, height_mm: printed size; nothing is cropped or scaled afterwards.
        watermark: what must stand on every output of a cohort that is not of real patients; it gets a band
            of its own at the foot, which nothing else reaches.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_mm / MM_PER_INCH, height_mm / MM_PER_INCH), layout="constrained")
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.set(w_pad=0.03, h_pad=0.03, wspace=0.02, hspace=0.02)  # type: ignore[call-arg]
    if not watermark:
        return figure, figure
    lines = textwrap.wrap(watermark, int(width_mm / character_mm()))
    band = 1.5 + 3.4 * len(lines) * text_size() / TEXT_PT
    body, foot = figure.subfigures(2, 1, height_ratios=[height_mm - band, band], squeeze=False).flat
    foot.text(0.5, 0.5, "\n".join(lines), ha="center", va="center", color=GREY, style="italic")
    return figure, body


@dataclass(frozen=True)
class LevelStyle:
    """How one level of response is drawn: its fill, the colour of text on it, and its mark."""

    label: str
    colour: str
    text: str
    marker: str


def level_styles(config: CohortConfig) -> dict[str, LevelStyle]:
    """Return the style of each level of response by id, best first; the last colour serves all beyond."""
    styles: dict[str, LevelStyle] = {}
    used = {True: 0, False: 0}
    for place, level in enumerate(config.response_levels):
        palette = RESPONDING_COLOURS if level.responds else OTHER_COLOURS
        colour = palette[min(used[level.responds], len(palette) - 1)]
        used[level.responds] += 1
        dark = colour in (RESPONDING_COLOURS[0], OTHER_COLOURS[-1])
        marker = RESPONSE_MARKERS[place % len(RESPONSE_MARKERS)]
        styles[level.id] = LevelStyle(level.label, colour, "white" if dark else INK, marker)
    return styles
