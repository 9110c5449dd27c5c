"""A project folder of one's own: notebooks, plan and shipped data, for whoever has the package alone."""

import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path

from helpers.errors import CompendiumError
from helpers.project.paths import project_root
from helpers.project.sources import package_folder

_FOLDER = "project_template"
_HIDDEN = {"gitignore": ".gitignore"}  # a wheel's own file of this name would be obeyed by tools


class TemplateError(CompendiumError):
    """A project folder cannot be made; the message says why."""


def template_files() -> Mapping[str, Path]:
    """The files of a new project folder by their place in it.

    An installed package holds them; in a checkout they are those that its wheel would hold.

    Example:
        >>> "notebooks/pipeline.toml" in template_files()
        True
    """
    folder = package_folder() / _FOLDER
    if folder.is_dir():
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return {_place(path.relative_to(folder).as_posix()): path for path in files}
    root = project_root()
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    named: Mapping[str, str] = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    return {name: root / name for name in named}


def make_project(folder: Path) -> list[Path]:
    """Make a project folder and return its files.

    Args:
        folder: new or empty.

    Raises:
        TemplateError: there is something in the folder.

    >>> make_project(folder)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    helpers.project.template.TemplateError: ...rdmas_reconstructed...
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TemplateError(f"{folder} is not empty.", remedy="Name a new folder.")
    made = []
    for place, source in template_files().items():
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        made.append(target)
    return made


def _place(name: str) -> str:
    return _HIDDEN.get(name, name)
