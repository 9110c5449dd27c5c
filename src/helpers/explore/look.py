"""One view: figure, table and numbers, with the code that makes the same again.

A panel is a function of a study and of plain parameters. :func:`panel` calls it and writes the cell from the
very parameters of the call, so that no view can show other code than that which it comes from.
"""

from __future__ import annotations

import ast
import base64
import html
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from helpers.explore.parts import Patients
from helpers.explore.study import ExplorationError, Study
from helpers.report.figures.output.export import FORMATS, encoded
from helpers.report.figures.output.publish import drawn
from helpers.report.figures.output.recipes import Recipe
from helpers.report.formats.export import table_format, write_together
from helpers.report.formats.html import inlined
from helpers.report.journals.requirements import Column, journal_named
from helpers.report.journals.table_themes import theme_named
from helpers.report.tables.content import column
from helpers.results.files import write_whole
from helpers.results.store import COLUMNS, Statistics

if TYPE_CHECKING:
    import pandas as pd

    from helpers.report.tables.table import Table

SCREEN_DPI = 160
_WIDTH = 88  # characters of a line of code


class Panel(Protocol):
    """A panel: a function of a study and of parameters that returns a view."""

    __name__: str
    __module__: str

    def __call__(self, study: Study, **parameters: Any) -> Look:
        """Return the view."""


@dataclass(frozen=True)
class Picture:
    """What a figure is drawn from.

    Attributes:
        draw: function that draws into the figure given first.
        arguments, options: what it takes after the figure.
        column: how wide, in columns of the journal.
        height_mm: printed height.
        description: one sentence for readers who cannot see it.
    """

    draw: Callable[..., None]
    arguments: tuple[Any, ...]
    column: Column
    height_mm: float
    description: str
    options: Mapping[str, Any] | None = None


@dataclass(frozen=True, repr=False)
class Look:
    """One view of a cohort; a notebook shows its notes, its figure and its table.

    Attributes:
        name: of its files, without ending; begins with ``exploratory_``.
        study: the cohort with the patients of the view.
        picture: what the figure is drawn from; None where there is only a table.
        table: the numbers for readers.
        statistics: every number, a row each.
        notes: what is to be said of the view, above the figure.
        journal: whose sizes and manner are used.
        code: a cell that makes the same view.
    """

    name: str
    study: Study
    picture: Picture | None
    table: Table
    statistics: Statistics
    notes: tuple[str, ...] = ()
    journal: str = "generic"
    code: str = ""

    @property
    def tests(self) -> int:
        """Number of p-values that the table shows."""
        shown = [one.numbers["p_value"].value for one in self.table.values if "p_value" in one.numbers]
        return sum(value == value for value in shown)

    @property
    def numbers(self) -> pd.DataFrame:
        """Every number of the view: a row each, columns of a statistics file."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.statistics.values()], columns=list(COLUMNS))

    @cached_property
    def png(self) -> bytes:
        """The figure for the screen; empty where there is none."""
        return self._encoded(("png",), SCREEN_DPI).get("png", b"")

    def _encoded(self, formats: Sequence[str], dpi: int) -> Mapping[str, bytes]:
        if self.picture is None:
            return {}
        picture, config = self.picture, self.study.config
        recipe = Recipe(
            self.name, picture.column, picture.height_mm, picture.description, self.study.watermark,
            config.report.language, config.report.terms, tuple(config.report.cjk_fonts),
            picture.draw, picture.arguments, picture.options or {},
        )  # fmt: skip
        with drawn(recipe, journal_named(self.journal)) as figure:
            return encoded(figure, picture.description, formats=formats, dpi=dpi)[0]

    def save_figure(self, formats: Sequence[str] = FORMATS) -> list[Path]:
        """Write the figure at its printed size into the folder of exploratory files and return the paths.

        Raises:
            ExplorationError: the view has no figure.
        """
        if self.picture is None:
            raise ExplorationError("This view has no figure.")
        dpi = journal_named(self.journal).raster_dpi
        paths = []
        for suffix, content in self._encoded(formats, dpi).items():
            paths.append(self._path(suffix))
            write_whole(paths[-1], content)
        return paths

    def save_table(self, form: str = "docx") -> Path:
        """Write the table for the journal as ``docx``, ``csv``, ``xlsx``, ``html`` or ``tex``."""
        path = self._path(form)
        path.parent.mkdir(parents=True, exist_ok=True)
        return write_together([self.table], path, table_format(form), theme_named(self.journal))

    def _path(self, suffix: str) -> Path:
        self.study.folder.mkdir(parents=True, exist_ok=True)
        return self.study.folder / f"{self.name}.{suffix}"

    @property
    def image(self) -> str:
        """The figure as an element of a page, with the sentence for readers who cannot see it."""
        if self.picture is None:
            return ""
        data = base64.b64encode(self.png).decode()
        words = html.escape(self.picture.description, quote=True)
        return f'<img alt="{words}" style="max-width: 100%" src="data:image/png;base64,{data}">'

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        return f"{notes}{self.image}{inlined(self.table.to_html(self.journal))}"

    def __repr__(self) -> str:
        """Return the notes and the table as text."""
        return "\n".join([*self.notes, repr(self.table)])


def panel(show: Callable[..., Look]) -> Panel:
    """Make a panel of a function: its view carries the code of the call, written from its parameters."""
    signature = inspect.signature(show)

    @wraps(show)
    def look(study: Study, **parameters: Any) -> Look:
        bound = signature.bind(study, **parameters)
        bound.apply_defaults()
        values = {name: value for name, value in bound.arguments.items() if name != "study"}
        code = code_of(look, study.cohort, values)
        found = show(study, **values)
        return replace(found, code=code, table=_headed(found.table))

    return look


def _headed(table: Table) -> Table:
    """Return a table whose first column has a heading, which is read out where none can be seen."""
    first, *others = table.columns
    if isinstance(first, str) or first.label:
        return table
    return replace(table, columns=[column("Quantity", left=first.left), *others])


def code_of(show: Panel, cohort: str, values: Mapping[str, Any]) -> str:
    """Return a cell that opens the cohort and calls a panel with these parameters.

    Parameters that are as usual are left out.

    Raises:
        ExplorationError: a value cannot be written down as code.
    """
    usual = {name: one.default for name, one in inspect.signature(show).parameters.items()}
    named = {name: value for name, value in values.items() if value != usual.get(name, inspect.Parameter)}
    lines = [f"    {name}={_literal(name, value)}," for name, value in named.items()]
    imports = [
        f"from {show.__module__} import {show.__name__}",
        f"from {open_study_module()} import open_study",
    ]
    if any(isinstance(value, Patients) for value in named.values()):
        imports.append(f"from {Patients.__module__} import Patients")
    call = [f"{show.__name__}(study)"] if not lines else [f"{show.__name__}(", "    study,", *lines, ")"]
    head = [*sorted(imports), "", f"study = open_study({cohort!r})"]
    return "\n".join([*head, f"look = {call[0]}", *call[1:], "look"]) + "\n"


def open_study_module() -> str:
    """Return the module from which a cell opens a cohort.

    >>> open_study_module()
    'helpers.explore.study'
    """
    return "helpers.explore.study"


def _literal(name: str, value: Any) -> str:
    """Return a value as code that evaluates to it."""
    if isinstance(value, Patients):
        return _wrapped(repr(value))
    text = repr(value)
    try:
        same = ast.literal_eval(text) == value
    except (ValueError, SyntaxError):
        same = False
    if not same:
        raise ExplorationError(f"{name} = {text} cannot be written down as code.")
    return text


def _wrapped(call: str) -> str:
    """Return a call on as many lines as it needs."""
    if len(call) <= _WIDTH:
        return call
    tree = ast.parse(call, mode="eval").body
    assert isinstance(tree, ast.Call)
    arguments = [f"        {one.arg}={ast.unparse(one.value)}," for one in tree.keywords]
    return "\n".join([f"{ast.unparse(tree.func)}(", *arguments, "    )"])
