"""The drawing functions of this room by name: a kept figure names one and holds the data that it takes.

>>> load_drawings()
>>> drawing_named("survival").__name__, drawing_name(drawing_named("survival")), record_name(3)
('draw_survival', 'survival', None)
>>> record_named("Course").__name__
'Course'
>>> drawing_named("horses")  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
helpers.report.figures.output.drawings.RecipeError: There is no drawing function 'horses...
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import is_dataclass
from functools import cache
from typing import Any, TypeVar

from helpers.errors import CompendiumError

FIGURES = "helpers.report.figures"
Drawing = TypeVar("Drawing", bound=Callable[..., None])
Record = TypeVar("Record", bound=type)

_DRAWINGS: dict[str, Callable[..., None]] = {}
_RECORDS: dict[str, type[Any]] = {}


class RecipeError(CompendiumError):
    """A recipe that is missing, cannot be written or cannot be used; the message says how to get it."""


def drawing(function: Drawing) -> Drawing:
    """Register a function that draws into the figure given first, under its name without ``draw_``.

    Example:
        >>> @drawing
        ... def draw_empty(container):
        ...     container.text(0.5, 0.5, "nothing")
        >>> drawing_named("empty") is draw_empty
        True
    """
    _register(_DRAWINGS, function.__name__.removeprefix("draw_"), function)
    return function


def drawn_record(kind: Record) -> Record:
    """Register a dataclass that drawing functions take, so that a recipe may hold it.

    Raises:
        TypeError: the class is no dataclass.

    >>> drawn_record(int)
    Traceback (most recent call last):
        ...
    TypeError: int is no dataclass
    """
    if not is_dataclass(kind):
        raise TypeError(f"{kind.__name__} is no dataclass")
    _register(_RECORDS, kind.__name__, kind)
    return kind


def drawing_name(function: Callable[..., None]) -> str:
    """Return the name of a registered function.

    Raises:
        RecipeError: it is not registered.
    """
    name = function.__name__.removeprefix("draw_")
    if _DRAWINGS.get(name) is not function:
        raise RecipeError(
            f"{function.__name__} cannot be kept for drawing again: it is no registered drawing function. "
            f"Put it into a module of {FIGURES} and write @drawing above it."
        )
    return name


def drawing_named(name: str) -> Callable[..., None]:
    """Return the drawing function registered under a name.

    Raises:
        RecipeError: there is none.
    """
    found: Callable[..., None] = _found(_DRAWINGS, name, "drawing function")
    return found


def record_named(name: str) -> type[Any]:
    """Return the dataclass registered under a name.

    Raises:
        RecipeError: there is none.
    """
    found: type[Any] = _found(_RECORDS, name, "kind of data")
    return found


def record_name(value: object) -> str | None:
    """Return the name under which the class of a value is registered, or None."""
    name = type(value).__name__
    return name if _RECORDS.get(name) is type(value) else None


@cache
def load_drawings() -> None:
    """Import every module of this room, so that all it draws is registered."""
    package = importlib.import_module(FIGURES)
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{FIGURES}.{module.name}")


def _register(known: dict[str, Any], name: str, what: Any) -> None:
    before = known.setdefault(name, what)
    if before.__module__ != what.__module__:
        raise ValueError(f"two figures draw by {name}: {before.__module__} and {what.__module__}")
    known[name] = what  # a module that is loaded again brings its functions again


def _found(known: dict[str, Any], name: str, what: str) -> Any:
    if name not in known:
        load_drawings()
    if name not in known:
        raise RecipeError(
            f"There is no {what} {name!r}; known: {', '.join(sorted(known))}. "
            "`compendium run --force` of the cohort keeps its figures anew."
        )
    return known[name]
