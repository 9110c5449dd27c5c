"""From a drawing function to a saved figure that a notebook shows, and a recipe to draw it anew."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from helpers.report.figures.output.export import SavedFigure, not_drawn, save_figure
from helpers.report.figures.output.fonts import installed_font, use_cjk_font
from helpers.report.figures.output.language import put_into_language
from helpers.report.figures.output.recipes import Recipe, write_recipe
from helpers.report.figures.style import figure_style, new_figure
from helpers.report.journals.requirements import Column, Journal, journal_named

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class ReportSettings(Protocol):
    """How a cohort's figures are drawn."""

    @property
    def journal(self) -> str:
        """Journal whose sizes are used."""

    @property
    def language(self) -> str:
        """Language of the words."""

    @property
    def terms(self) -> Mapping[str, str]:
        """The cohort's own words in that language."""

    @property
    def cjk_fonts(self) -> Sequence[str]:
        """Fonts for Chinese, Japanese or Korean text, in order of preference."""


class Destination(Protocol):
    """Where a cohort's figures go, how they are drawn and what is watermarked on them."""

    @property
    def figures(self) -> Path:
        """Folder of the cohort's figures."""

    @property
    def figure_formats(self) -> Sequence[str]:
        """Formats that figures are saved in; without any, only the recipes are kept and nothing is drawn."""

    @property
    def recipes(self) -> Path:
        """Folder of what is needed to draw them again; private, as it holds the data drawn."""

    @property
    def watermark(self) -> str:
        """Warning for cohorts that are not of real patients; else empty."""

    @property
    def report(self) -> ReportSettings:
        """The cohort's settings of figures."""


def publish_figure(
    study: Destination,
    name: str,
    column: Column,
    height_mm: float,
    description: str,
    draw: Callable[..., None],
    *arguments: Any,
    **options: Any,
) -> SavedFigure:
    """Draw a figure at its final size for the cohort's journal, save it and return it for display.

    What was drawn is kept as a recipe, from which ``compendium figures`` draws it for other journals.

    Args:
        study: says where figures go, for which journal, and what is watermarked on them.
        name: file name without suffix.
        column: how wide: ``single``, ``one_and_a_half`` or ``double``; the journal says how many mm that is.
        height_mm: printed height, cut to the largest that the journal takes.
        description: one sentence for readers who cannot see the figure.
        draw: a function of this room, at the top of its module, that draws into the figure given first.
        arguments, options: passed to ``draw``.

    Raises:
        JournalError: no such journal or column.
    """
    cjk_fonts = tuple(study.report.cjk_fonts)
    recipe = Recipe(
        name, column, float(height_mm), description, study.watermark, study.report.language,
        study.report.terms, cjk_fonts, draw, arguments, options,
    )  # fmt: skip
    journal = journal_named(study.report.journal)
    write_recipe(study.recipes, recipe)
    if not study.figure_formats:
        return not_drawn(study.figures / name, recipe.told)
    with drawn(recipe, journal) as figure:
        return save_figure(
            figure, study.figures / name, recipe.told, formats=study.figure_formats, dpi=journal.dpi
        )


@contextmanager
def drawn(recipe: Recipe, journal: Journal) -> Iterator[Figure]:
    """Draw a figure at its final size for a journal, to be saved inside the ``with`` block.

    Where the figure has to be lower than planned, its text becomes smaller, as far as the journal lets. Where
    no font has the letters of the cohort's language, the figure's own words stay English.

    >>> from helpers.report.figures.common import say_absent
    >>> from helpers.report.figures.output.recipes import Recipe
    >>> from helpers.report.journals.requirements import journal_named
    >>> recipe = Recipe(
    ...     "figure_1", "single", 60, "Nothing", "", "en", {}, (), say_absent, ("No deaths.",), {}
    ... )
    >>> with drawn(recipe, journal_named("frontiers")) as figure:
    ...     round(float(figure.get_figwidth()) * 25.4, 1)
    85.0
    """
    height = min(recipe.height_mm, journal.max_height)
    text_pt = max(journal.min_text, journal.text * height / recipe.height_mm)
    with figure_style(journal, text_pt=text_pt), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)  # the checks name it
        figure, body = new_figure(journal.width(recipe.column), height, watermark=recipe.watermark)
        recipe.draw(body, *recipe.arguments, **recipe.options)
        wording = recipe.wording
        if not wording.eastern or installed_font(recipe.cjk_fonts):
            put_into_language(figure, wording)
        use_cjk_font(figure, recipe.cjk_fonts)
        yield figure
