"""The figures of the walk: name, size, words and needs of each in one record above its drawing function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from helpers.report.figures.output import publish
from helpers.report.figures.output.drawings import drawing, drawing_name, load_drawings

if TYPE_CHECKING:
    from helpers.report.figures.output.export import SavedFigure
    from helpers.report.figures.output.publish import Destination
    from helpers.report.journals.requirements import Column
    from helpers.results.key import Analysis, Key

Drawing = TypeVar("Drawing", bound=Callable[..., None])
_EXHIBITS: dict[str, Exhibit] = {}


@dataclass(frozen=True)
class Exhibit:
    """One figure of the walk.

    Attributes:
        name: file name without suffix, which gives its number.
        column: how wide: ``single``, ``one_and_a_half`` or ``double``.
        height_mm: printed height, or a function of what is drawn that returns it.
        words: one sentence for readers who cannot see the figure.
        needs: kind or analysis of which a row must be stored for the figure to show anything.
    """

    name: str
    column: Column
    height_mm: float | Callable[..., float]
    words: str
    needs: Key | type[Analysis] | None = None


def figure(
    name: str,
    column: Column,
    height_mm: float | Callable[..., float],
    words: str,
    *,
    needs: Key | type[Analysis] | None = None,
) -> Callable[[Drawing], Drawing]:
    """Register a drawing function as a figure of the walk; arguments as the attributes of `Exhibit`.

    Example:
        >>> @figure("figure_s99_nothing", "single", 60, "Nothing at all")
        ... def draw_nothing_at_all(container):
        ...     container.text(0.5, 0.5, "nothing")
        >>> exhibit_of(draw_nothing_at_all).name
        'figure_s99_nothing'
    """

    def registered(draw: Drawing) -> Drawing:
        drawing(draw)
        _EXHIBITS[drawing_name(draw)] = Exhibit(name, column, height_mm, words, needs)
        return draw

    return registered


def exhibit_of(draw: Callable[..., Any]) -> Exhibit | None:
    """Return the record of a drawing function, None for one that is no figure of the walk.

    >>> exhibit_of(print)
    """
    return _EXHIBITS.get(getattr(draw, "__name__", "").removeprefix("draw_"))


def exhibits() -> dict[str, Exhibit]:
    """Return the figures of the walk by name.

    >>> from helpers.report.figures.output.drawings import load_drawings
    >>> load_drawings()
    >>> exhibits()["figure_1a"].column
    'single'
    """
    load_drawings()
    return {one.name: one for one in _EXHIBITS.values()}


def publish_exhibit(study: Destination, draw: Callable[..., None], *arguments: Any) -> SavedFigure:
    """Draw a figure of the walk for the cohort's journal, save it and return it for display.

    Args:
        study: says where figures go, for which journal, and what is watermarked on them.
        draw: a function with ``@figure`` above it.
        arguments: what it draws.

    Raises:
        TypeError: the function is no figure of the walk.
    """
    exhibit = exhibit_of(draw)
    if exhibit is None:
        raise TypeError(f"{draw.__name__} is no figure of the walk: write @figure above it")
    height = exhibit.height_mm(*arguments) if callable(exhibit.height_mm) else exhibit.height_mm
    return publish.publish_figure(
        study, exhibit.name, exhibit.column, height, exhibit.words, draw, *arguments
    )
