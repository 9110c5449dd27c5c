"""Draw a cohort's figures again for a journal, from recipes, without the analysis; check the files.

>>> import tempfile
>>> from helpers.report.figures.common import say_absent
>>> from helpers.report.figures.output.recipes import write_recipe
>>> from helpers.report.journals.requirements import journal_named
>>> recipe = Recipe(
...     "figure_1", "single", 60, "Nothing", "", "en", {}, (), say_absent, ("No deaths.",), {}
... )
>>> place = Path(tempfile.mkdtemp())
>>> path = write_recipe(place, recipe)
>>> chosen_figures(place, [])
['figure_1']
>>> redraw_one(place, "figure_1", place, journal_named("frontiers"), check=False).name
'figure_1'
>>> [one.name for one in redraw(place, ["figure_1"], place, journal_named("frontiers"))]
['figure_1']
>>> redraw_recipe(recipe, place, journal_named("frontiers"), check=False).faults
()
>>> with drawing_pool(1) as pool:
...     pool is None
True
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from helpers.report.figures.output.check import Fault, check_file
from helpers.report.figures.output.drawings import RecipeError
from helpers.report.figures.output.export import encoded
from helpers.report.figures.output.pdf_file import PdfFile
from helpers.report.figures.output.pdf_text import read_page
from helpers.report.figures.output.publish import drawn
from helpers.report.figures.output.recipes import SUFFIX, Recipe, read_recipe, recipe_names
from helpers.report.journals.requirements import Journal
from helpers.results.files import write_whole

MANY = 4  # figures from which on a second process pays
PROCESSES = 2
_SUFFIXES = ("pdf", "svg", "png", "tiff", "jpeg")


@dataclass(frozen=True)
class Redrawn:
    """One figure as drawn for a journal: its files and, where asked for, what is wrong with them."""

    name: str
    files: tuple[Path, ...]
    faults: tuple[Fault, ...]


def chosen_figures(recipes: Path, wanted: Sequence[str]) -> list[str]:
    """Return the names of the figures to draw: those wanted, or all that have a recipe.

    Raises:
        RecipeError: a figure wanted has no recipe, or there is none at all; every missing one is named.
    """
    known = recipe_names(recipes)
    missing = [name for name in wanted if name not in known]
    if missing:
        raise RecipeError(
            f"No recipe of {', '.join(missing)}. Figures that can be drawn: {', '.join(known) or 'none'}. "
            "Recipes are written by `compendium run`; a figure of your own gets one by publish_figure."
        )
    if not known:
        raise RecipeError("No recipes of figures: `compendium run --force` of the cohort writes them.")
    return list(dict.fromkeys(wanted)) or known


def redraw(
    recipes: Path,
    names: Sequence[str],
    folder: Path,
    journal: Journal,
    *,
    check: bool = False,
    pool: ProcessPoolExecutor | None = None,
) -> list[Redrawn]:
    """Draw figures for a journal and return them in the order asked for.

    Args:
        recipes: folder of the cohort's recipes.
        names: the figures, as :func:`chosen_figures` returns them.
        folder: where the files go.
        journal: whose sizes and formats are used.
        check: whether the files are opened again and held against the journal's requirements.
        pool: processes to draw in; in this one if left out.

    Raises:
        RecipeError: a figure cannot be drawn.
    """
    if pool is None:
        return [redraw_one(recipes, name, folder, journal, check) for name in names]
    # The largest first, so that no process is left with them at the end.
    order = sorted(names, key=lambda name: -(recipes / f"{name}{SUFFIX}").stat().st_size)
    waiting = {name: pool.submit(redraw_one, recipes, name, folder, journal, check) for name in order}
    return [waiting[name].result() for name in names]


def redraw_one(recipes: Path, name: str, folder: Path, journal: Journal, check: bool) -> Redrawn:
    """Draw one figure for a journal; see :func:`redraw`."""
    return redraw_recipe(read_recipe(recipes / f"{name}{SUFFIX}"), folder, journal, check)


def redraw_recipe(recipe: Recipe, folder: Path, journal: Journal, check: bool) -> Redrawn:
    """Draw what a recipe says for a journal; see :func:`redraw`."""
    name = recipe.name
    extra = ("pdf",) if check and "pdf" not in journal.formats else ()
    with drawn(recipe, journal) as figure:
        contents, _ = encoded(figure, recipe.told, formats=(*journal.formats, *extra), dpi=journal.raster_dpi)
    folder.mkdir(parents=True, exist_ok=True)
    for suffix in _SUFFIXES:
        if suffix not in journal.formats:
            (folder / f"{name}.{suffix}").unlink(missing_ok=True)
    files = tuple(folder / f"{name}.{suffix}" for suffix in journal.formats)
    for file in files:
        write_whole(file, contents[file.suffix.removeprefix(".")])
    # The texts of a file of pixels are looked at in the same drawing as a page.
    page = read_page(PdfFile(contents["pdf"])) if extra else None
    checked = files if check else ()
    faults = [fault for file in checked for fault in check_file(file, journal, recipe.column, page=page)]
    return Redrawn(name, files, tuple(faults))


@contextmanager
def drawing_pool(figures: int) -> Iterator[ProcessPoolExecutor | None]:
    """Start the processes for so many figures, if that pays, while other work goes on; None if not."""
    if figures < MANY:
        yield None
        return
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn"), initializer=_warm_up) as pool:
        for _ in range(PROCESSES):
            pool.submit(_warm_up)
        yield pool


def _warm_up() -> None:
    """Import what drawing needs."""
    import matplotlib.backends.backend_agg
    import matplotlib.backends.backend_pdf
    import matplotlib.backends.backend_svg  # noqa: F401
    import pandas as pd  # noqa: F401

    from helpers.report.figures.style import figure_style

    with figure_style():
        pass
