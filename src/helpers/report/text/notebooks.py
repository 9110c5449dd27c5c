"""The Markdown of the notebooks in another language, cell by cell, for the copies that a run executes."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from pathlib import Path

_FILE = "notebooks.toml"
_DIGITS = 12


def language_of(folder: Path) -> str:
    """Return the language that a cohort's settings name for its report; empty where they name none."""
    settings = tomllib.loads((folder / "cohort.toml").read_text(encoding="utf-8"))
    return str(settings.get("report", {}).get("language", ""))


def digest_of(markdown: str) -> str:
    """Return what a translation is kept with, so that a change of the English text shows."""
    return hashlib.sha256(markdown.encode()).hexdigest()[:_DIGITS]


def translations(language: str) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Return the translated cells of a language, by notebook and cell; none where it has no such file."""
    path = files("helpers.report.text") / language / _FILE
    return tomllib.loads(path.read_text(encoding="utf-8")) if language and path.is_file() else {}


def told_cells(language: str, notebook: str, cells: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the Markdown of a notebook's cells in a language.

    A cell that the language does not have, or whose English text was changed since, stays as it is.

    Args:
        language: name of the language.
        notebook: file name without ending.
        cells: id and English text of each Markdown cell.

    Returns:
        The translated text by id of the cell.
    """
    known = translations(language).get(notebook, {})
    return {
        name: known[name]["text"]
        for name, text in cells
        if name in known and known[name]["digest"] == digest_of(text)
    }


def teller(folder: Path, notebook: str) -> Callable[[Mapping[str, str]], dict[str, str]]:
    """Return what gives a notebook's Markdown cells, by id, in the language of a cohort's folder."""
    language = language_of(folder)
    return lambda cells: told_cells(language, notebook, cells.items())
