"""Recipes: what a figure was drawn from, kept so that it can be drawn again at another size.

A recipe holds the data drawn, records of single patients among them, and so stays in the cohort's private
folder of analysis tables. It is a pickle: read only recipes of your own runs.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.errors import CompendiumError
from helpers.report.journals.requirements import Column
from helpers.results.files import write_whole

SUFFIX = ".pickle"


class RecipeError(CompendiumError):
    """A recipe that is missing or cannot be used; the message says how to get it."""


@dataclass(frozen=True)
class Recipe:
    """One figure before it has a size.

    Attributes:
        name: file name without suffix.
        column: how wide, in the journal's columns.
        height_mm: height as planned for text of 8 points.
        description: one sentence for readers who cannot see the figure.
        watermark: warning for cohorts that are not of real patients; else empty.
        cjk_fonts: fonts for Chinese, Japanese or Korean text, in order of preference.
        draw: the drawing function, stored by its name.
        arguments, options: what it is called with after the figure.
    """

    name: str
    column: Column
    height_mm: float
    description: str
    watermark: str
    cjk_fonts: tuple[str, ...]
    draw: Callable[..., None]
    arguments: tuple[Any, ...]
    options: Mapping[str, Any]


def write_recipe(folder: Path, recipe: Recipe) -> Path:
    """Write a recipe into the folder, whole or not at all, and return its path.

    Raises:
        RecipeError: the drawing function or something drawn cannot be stored, such as a function defined in a
            notebook.
    """
    try:
        content = pickle.dumps(recipe, protocol=5)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise RecipeError(
            f"{recipe.name} cannot be kept for drawing again: {error}. "
            "Draw it by a function of a module, with tables, numbers and texts."
        ) from None
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{recipe.name}{SUFFIX}"
    write_whole(path, content)
    return path


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        RecipeError: there is none, or it was written by another version of the package.
    """
    again = "`compendium run --force` of the cohort writes it anew"
    try:
        found = pickle.loads(path.read_bytes())
    except FileNotFoundError:
        raise RecipeError(f"{path.stem} has no recipe ({path.name}): {again}.") from None
    except Exception as error:
        # Whatever an older or broken pickle raises on loading.
        raise RecipeError(f"{path.name} cannot be read ({type(error).__name__}): {again}.") from None
    if not isinstance(found, Recipe):
        raise RecipeError(f"{path.name} holds {type(found).__name__} instead of a recipe: {again}.")
    return found


def recipe_names(folder: Path) -> list[str]:
    """Return the names of the figures that have a recipe, in order."""
    return sorted(path.stem for path in folder.glob(f"*{SUFFIX}"))
