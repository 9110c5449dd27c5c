"""Recipes: what a figure was drawn from, kept so that it can be drawn again at another size.

A recipe is JSON: the name of a registered drawing function and the data that it takes. It holds records of
single patients, and so stays in the cohort's private folder of analysis tables.

>>> import tempfile
>>> from helpers.report.figures.common import say_absent
>>> recipe = Recipe(
...     "figure_1", "single", 60, "Nothing", "", "en", {}, (), say_absent, ("No deaths.",), {}
... )
>>> path = write_recipe(Path(tempfile.mkdtemp()), recipe)
>>> read_recipe(path).arguments, recipe_names(path.parent)
(('No deaths.',), ['figure_1'])
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.report.figures.output.drawings import RecipeError, drawing_name, drawing_named
from helpers.report.figures.output.plain import from_plain, to_plain
from helpers.report.journals.requirements import Column
from helpers.report.text.phrases import exhibit_text
from helpers.report.text.wording import Wording
from helpers.results.files import write_whole

SUFFIX = ".json"


@dataclass(frozen=True)
class Recipe:
    """One figure before it has a size.

    Attributes:
        name: file name without suffix.
        column: how wide, in the journal's columns.
        height_mm: height as planned for text of 8 points.
        description: one sentence for readers who cannot see the figure.
        watermark: warning for cohorts that are not of real patients; else empty.
        language, terms: of its words; the cohort's own words by the English ones.
        cjk_fonts: fonts for Chinese, Japanese or Korean text, in order of preference.
        draw: the drawing function, a registered one.
        arguments, options: what it is called with after the figure.
    """

    name: str
    column: Column
    height_mm: float
    description: str
    watermark: str
    language: str
    terms: Mapping[str, str]
    cjk_fonts: tuple[str, ...]
    draw: Callable[..., None]
    arguments: tuple[Any, ...]
    options: Mapping[str, Any]

    @property
    def wording(self) -> Wording:
        """The language of its words."""
        return Wording.tagged(self.language, self.terms)

    @property
    def told(self) -> str:
        """The description in that language."""
        return exhibit_text(self.description, self.wording)


def write_recipe(folder: Path, recipe: Recipe) -> Path:
    """Write a recipe into the folder, whole or not at all, and return its path.

    Raises:
        RecipeError: the drawing function is not registered, or something drawn is no data.
    """
    kept = {
        "name": recipe.name,
        "draw": drawing_name(recipe.draw),
        "column": recipe.column,
        "height_mm": recipe.height_mm,
        "description": recipe.description,
        "watermark": recipe.watermark,
        "language": recipe.language,
        "terms": dict(recipe.terms),
        "cjk_fonts": to_plain(recipe.cjk_fonts),
        "arguments": to_plain(recipe.arguments),
        "options": to_plain(recipe.options),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{recipe.name}{SUFFIX}"
    write_whole(path, json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode())
    return path


def read_recipe(path: Path) -> Recipe:
    """Read a recipe. Nothing in it is executed.

    Raises:
        RecipeError: there is none, it is damaged, or another version of the package wrote it.
    """
    again = "`compendium run --force` of the cohort writes it anew"
    try:
        kept = json.loads(path.read_bytes())
        if kept["name"] != path.stem:  # files are named by it
            raise RecipeError(f"it is the recipe of another figure: {again}.")
        return Recipe(
            path.stem,
            kept["column"],
            kept["height_mm"],
            kept["description"],
            kept["watermark"],
            kept["language"],
            kept["terms"],
            from_plain(kept["cjk_fonts"]),
            drawing_named(kept["draw"]),
            from_plain(kept["arguments"]),
            from_plain(kept["options"]),
        )
    except FileNotFoundError:
        raise RecipeError(f"{path.stem} has no recipe ({path.name}): {again}.") from None
    except RecipeError as error:
        raise RecipeError(f"{path.name} cannot be read: {error}") from None
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise RecipeError(f"{path.name} cannot be read ({type(error).__name__}): {again}.") from None


def recipe_names(folder: Path) -> list[str]:
    """Return the names of the figures that have a recipe, in order."""
    return sorted(path.stem for path in folder.glob(f"*{SUFFIX}"))
