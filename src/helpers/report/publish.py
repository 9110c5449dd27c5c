"""From a drawing function to a saved figure that a notebook shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from helpers.report.export import SavedFigure, save_figure
from helpers.report.style import figure_style, new_figure


class Destination(Protocol):
    """Where a cohort's figures go and what is stamped on them."""

    @property
    def figures(self) -> Path:
        """Folder of the cohort's figures."""

    @property
    def stamp(self) -> str:
        """Warning for cohorts that are not of real patients; else empty."""


def publish_figure(
    study: Destination,
    name: str,
    width_mm: float,
    height_mm: float,
    description: str,
    draw: Callable[..., None],
    *arguments: Any,
    **options: Any,
) -> SavedFigure:
    """Draw a figure of exactly this size, save it in all formats and return it for display.

    Args:
        study: says where figures go and what is stamped on them.
        name: file name without suffix.
        width_mm, height_mm: printed size.
        description: one sentence for readers who cannot see the figure.
        draw: a function of this room that draws into the figure given first.
        arguments, options: passed to ``draw``.
    """
    with figure_style():
        figure, body = new_figure(width_mm, height_mm, stamp=study.stamp)
        draw(body, *arguments, **options)
        return save_figure(figure, study.figures / name, description)
