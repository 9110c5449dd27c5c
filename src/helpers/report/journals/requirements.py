"""What journals ask of a figure: widths, height, resolution, text sizes, file formats (a file a journal).

>>> (
...     journal_named("frontiers").width("single"),
...     "generic" in journals(),
...     sorted(journal_file("generic"))[:1],
... )
(85.0, True, ['figures'])
>>> journal_named("The Daily")  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
helpers.report.journals.requirements.JournalError: No journal 'The Daily': known are gen...
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from helpers.cohort.installed import JOURNALS, journal_names
from helpers.errors import CompendiumError
from helpers.problems import closest

Column = Literal["single", "one_and_a_half", "double"]
COLUMNS: tuple[Column, ...] = ("single", "one_and_a_half", "double")
Format = Literal["pdf", "svg", "png", "tiff", "jpeg", "eps"]
UNCHECKED = (
    "abstract_height",
    "title",
    "formats",
    "text",
    "source",
    "verified",
    "note",
    "panel_letter",
    "panel_case",
)


class JournalError(CompendiumError):
    """A journal or column that is not known; the message lists those that are."""


class Journal(BaseModel):
    """The requirements of one journal, or of none in particular. Lengths in mm, text in points."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="Name by which it is chosen.")
    title: str = Field(description="Name in words.")
    single: float = Field(gt=0, description="Width of one column.")
    one_and_a_half: float | None = Field(default=None, gt=0, description="Width between one and two columns.")
    double: float = Field(gt=0, description="Width of two columns, or of the page.")
    max_height: float = Field(gt=0, description="Largest height.")
    dpi: int = Field(ge=72, description="Least resolution of raster files at final size.")
    max_dpi: int | None = Field(default=None, description="Largest resolution that is taken.")
    line_art_dpi: int | None = Field(default=None, description="Least resolution of raster line art.")
    min_text: float = Field(gt=0, description="Smallest text.")
    max_text: float | None = Field(default=None, description="Largest text, panel letters apart.")
    text: float = Field(gt=0, description="Size at which text is drawn.")
    panel_letter: float = Field(gt=0, description="Size of the letters of panels.")
    panel_case: Literal["upper", "lower"] = Field(description="Case of the letters of panels.")
    formats: tuple[Format, ...] = Field(min_length=1, description="Formats that are written.")
    accepted: tuple[Format, ...] = Field(default=(), description="Formats that are taken besides.")
    abstract_height: float = Field(
        default=150, gt=0, description="Height of a graphical abstract, which is as wide as two columns."
    )
    colour: Literal["RGB", "CMYK", "L"] = Field(description="Colour mode of raster files.")
    compression: Literal["lzw", "none"] = Field(description="Compression of TIFF files.")
    source: str = Field(description="Page on which the requirements stand.")
    verified: tuple[str, ...] = Field(description="Values that were read on that page.")
    note: str = Field(default="", description="What else is to be known.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.min_text <= self.text <= (self.max_text or self.text):
            raise ValueError("text between min_text and max_text")
        if not self.single <= (self.one_and_a_half or self.single) <= self.double:
            raise ValueError("widths in order: single, one_and_a_half, double")
        unknown = set(self.verified) - set(type(self).model_fields)
        if unknown:
            raise ValueError(f"verified names values of the journal, not {', '.join(sorted(unknown))}")
        return self

    def width(self, column: Column) -> float:
        """Return the width in mm of a column; the double width where there is none between.

        Raises:
            JournalError: no such column.
        """
        if column not in COLUMNS:
            raise JournalError(f"there is no column {column!r}; columns are {', '.join(COLUMNS)}")
        found = {"single": self.single, "one_and_a_half": self.one_and_a_half, "double": self.double}[column]
        return found or self.double

    @property
    def raster_dpi(self) -> int:
        """Resolution at which raster files are written: that of line art where the journal asks for more."""
        return max(self.dpi, self.line_art_dpi or 0)

    @property
    def unverified(self) -> tuple[str, ...]:
        """Values given that were not read on the journal's page."""
        given = (name for name in type(self).model_fields if getattr(self, name) is not None)
        return tuple(name for name in given if name not in {*self.verified, *UNCHECKED, "name"})


@cache
def journals() -> dict[str, Journal]:
    """Return all journals by name: one for each file of this folder."""
    return {name: Journal(name=name, **journal_file(name)["figures"]) for name in journal_names()}


@cache
def journal_file(name: str) -> Mapping[str, Any]:
    """Return what the file of a journal says, by section."""
    return tomllib.loads((JOURNALS / f"{name}.toml").read_text(encoding="utf-8"))


def journal_named(name: str) -> Journal:
    """Return a journal by name.

    Raises:
        JournalError: there is none; the known ones are listed.
    """
    known = journals()
    if name not in known:
        near = closest(name, tuple(known))
        hint = f" Did you mean {near!r}?" if near else ""
        raise JournalError(f"No journal {name!r}: known are {', '.join(known)}.{hint}")
    return known[name]
