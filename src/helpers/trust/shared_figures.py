"""Figures as they may be shared: drawn by the same functions from the shared rows, or left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from helpers.report.figures.output.drawings import RecipeError
from helpers.report.figures.output.export import encoded
from helpers.report.figures.output.publish import drawn
from helpers.report.figures.output.recipes import Recipe, read_recipe
from helpers.report.journals.requirements import Journal
from helpers.results.files import write_whole
from helpers.results.key import Analysis, Key
from helpers.results.store import Statistic, Statistics
from helpers.results.suppression import Shared

FORMATS = ("svg", "png", "pdf")
_CANNOT = "it cannot be drawn without the numbers that are not shown"


class _Watched(Statistics):
    """Shared rows that remember which hidden ones a drawing looked at."""

    def __init__(self, shared: Shared, ids: set[str]) -> None:
        super().__init__(row for row in shared.statistics.values() if row.id in ids)
        self._shared = shared
        self.hidden: set[str] = set()

    def _seen(self, row: Any) -> Any:
        if isinstance(row, Statistic) and (row.id in self._shared.hidden or row.id in self._shared.without_n):
            self.hidden.add(row.id)
        return row

    def __getitem__(self, identifier: str) -> Statistic:
        found: Statistic = self._seen(super().__getitem__(identifier))
        return found

    def get(self, identifier: str, default: Any = None) -> Any:
        return self._seen(super().get(identifier, default))

    def select(self, what: Key | type[Analysis] | None = None, **parts: str) -> list[Statistic]:
        return [self._seen(row) for row in super().select(what, **parts)]

    def find(
        self, key: Key, variable: str, *, group: str = "all", timepoint: str = "follow_up"
    ) -> Statistic | None:
        found: Statistic | None = self._seen(super().find(key, variable, group=group, timepoint=timepoint))
        return found


def share_figure(path: Path, folder: Path, shared: Shared, journal: Journal, *, marks: bool = False) -> str:
    """Draw a figure from shared rows into a folder; returns why it was left out, empty if it was drawn.

    A figure with a mark for each number is drawn without those that are not shown; how many is returned.

    Args:
        path: its recipe.
        folder: where the files go.
        shared: the rows as they may be shared.
        journal: whose sizes are used.
        marks: whether each number is a mark of its own.
    """
    try:
        recipe = read_recipe(path)
    except RecipeError as error:
        return f"it cannot be drawn again: {error}"
    watched: list[_Watched] = []
    arguments = tuple(_replaced(one, shared, watched) for one in recipe.arguments)
    options = {name: _replaced(one, shared, watched) for name, one in recipe.options.items()}
    if marks:
        return _marks(replace(recipe, arguments=arguments, options=options), folder, shared, journal, watched)
    if not watched:
        return "it is not drawn from stored statistics"
    contents, cannot = _drawn(replace(recipe, arguments=arguments, options=options), journal)
    hidden = set().union(*(one.hidden for one in watched))
    if hidden:
        return f"{len(hidden)} of the numbers that it shows are not shown"
    if cannot:
        return _CANNOT
    _write(contents, folder, path.stem)
    return ""


def _marks(recipe: Recipe, folder: Path, shared: Shared, journal: Journal, watched: list[_Watched]) -> str:
    _drawn(recipe, journal)  # tells which numbers it looks at
    absent = {name for one in watched for name in one.hidden}
    drawable = tuple(
        Statistics(row for name, row in one.items() if name not in shared.hidden)
        if isinstance(one, Statistics) else one for one in recipe.arguments
    )  # fmt: skip
    contents, cannot = _drawn(replace(recipe, arguments=drawable), journal)
    if cannot:
        return _CANNOT
    _write(contents, folder, recipe.name)
    return f"drawn without {len(absent)} of its marks, which are not shown" if absent else ""


def _write(contents: Mapping[str, bytes], folder: Path, name: str) -> None:
    for suffix, content in contents.items():
        write_whole(folder / f"{name}.{suffix}", content)


def _drawn(recipe: Recipe, journal: Journal) -> tuple[Mapping[str, bytes], bool]:
    try:
        with drawn(recipe, journal) as figure:
            contents, _ = encoded(figure, recipe.description, formats=FORMATS, dpi=journal.raster_dpi)
    except Exception:  # a hidden number is none; what a drawing does without it is not known
        return {}, True
    return contents, False


def _replaced(argument: Any, shared: Shared, watched: list[_Watched]) -> Any:
    if isinstance(argument, Statistics):
        watched.append(_Watched(shared, set(argument)))
        return watched[-1]
    return argument
