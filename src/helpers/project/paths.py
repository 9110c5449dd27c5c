"""Where things are: the one module that knows the layout of the project's folders.

Notebooks start in different folders (JupyterLab and nbval in the notebook's own, papermill in the
caller's), so nothing elsewhere may build a path from the current folder.

Environment variables:

- ``COMPENDIUM_PROJECT``: root of the project, when it is not to be searched for.
- ``COMPENDIUM_OUTPUT``: folder that receives ``results/`` and ``figures/`` instead of the project; a
  relative one counts from the project's root.
- ``COMPENDIUM_PUBLISHED``: the output folder of a run, told to kernels that write to a stage instead.
- ``COMPENDIUM_RUN``: set by whoever files what a notebook writes; a notebook run by hand lacks it.
- ``COMPENDIUM_FIGURE_FORMATS``: formats that a notebook run by hand saves its figures in, such as
  ``svg,png``; if it is empty they are not drawn. ``compendium run`` saves all.

>>> (
...     project_root().name == folder.parents[2].name,
...     notebooks_dir().name,
...     output_root() == published_root(),
...     state_dir().name,
... )
(True, 'notebooks', True, '.compendium')
>>> cohort_folder("rdmas_reconstructed").name, cohort_name("rdmas_reconstructed")
('rdmas_reconstructed', 'rdmas_reconstructed')
>>> split_variant("rdmas@horizon_days=28"), shown(folder)
(('rdmas', 'horizon_days=28'), 'data/cohorts/rdmas_reconstructed')
>>> paths = CohortPaths.of("rdmas_reconstructed")
>>> paths.filed_as("seed=1").name, paths.statistics.parts[-2:]
('rdmas_reconstructed@seed=1', ('rdmas_reconstructed', 'statistics'))
>>> cohort_folder("no such cohort")  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
helpers.project.paths.ProjectError: No cohort 'no such cohort': neither a name under dat...
"""

import os
import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from helpers.errors import CompendiumError

PROJECT_NAME = "rdmas-compendium"
SCRATCH = "scratch"  # what notebooks run by hand write
DEFAULT_COHORT = "rdmas_reconstructed"
PROJECT_VARIABLE = "COMPENDIUM_PROJECT"
OUTPUT_VARIABLE = "COMPENDIUM_OUTPUT"
PUBLISHED_VARIABLE = "COMPENDIUM_PUBLISHED"
RUN_VARIABLE = "COMPENDIUM_RUN"
FORMATS_VARIABLE = "COMPENDIUM_FIGURE_FORMATS"

LONGEST_NAME = 100  # systems limit a file's name to 255 bytes; variants and temporary files add to it
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_SETTING = r"[A-Za-z_]\w*=[\w.+-]+"
_VARIANT = re.compile(rf"(.+)@({_SETTING}(?:,{_SETTING})*)", re.ASCII)


class ProjectError(CompendiumError):
    """The project or a cohort's folder cannot be found; the message says where it was looked for."""


def _is_project(folder: Path) -> bool:
    file = folder / "pyproject.toml"
    try:
        found = file.stat()
        return _project_name(str(file), found.st_mtime_ns, found.st_size) == PROJECT_NAME
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return False


@lru_cache(maxsize=8)
def _project_name(file: str, _changed: int, _size: int) -> object:
    """Return the project's name in a pyproject.toml, read once unless it changes: every path begins here."""
    project = tomllib.loads(Path(file).read_text(encoding="utf-8")).get("project", {})
    return project.get("name") if isinstance(project, dict) else None


def project_root() -> Path:
    """Root folder of the project, absolute.

    ``COMPENDIUM_PROJECT`` wins; then the nearest folder at or above the current one whose
    ``pyproject.toml`` is this project's; then the checkout that the installed package lies in.

    Raises:
        ProjectError: none of the three is a project folder.
    """
    named = os.environ.get(PROJECT_VARIABLE)
    if named:
        folder = Path(named).expanduser().resolve()
        if not folder.is_dir():
            raise ProjectError(f"{PROJECT_VARIABLE} names {folder}, which is not a folder: mend or unset it.")
        return folder
    here = Path.cwd()
    installed = Path(__file__).resolve().parents[3]
    for folder in (here, *here.parents, installed):
        if _is_project(folder):
            return folder
    raise ProjectError(
        f"No project folder at or above {here}: none has the pyproject.toml of {PROJECT_NAME!r}. "
        f"Change into the project's folder, or set {PROJECT_VARIABLE} to it."
    )


def output_root() -> Path:
    """Folder that holds ``results/`` and ``figures/``: ``COMPENDIUM_OUTPUT``, or the project's root."""
    root = project_root()
    named = os.environ.get(OUTPUT_VARIABLE)
    return (root / Path(named).expanduser()).resolve() if named else root


def published_root() -> Path:
    """Folder that a run publishes to, also as seen from a kernel that writes to its stage."""
    named = os.environ.get(PUBLISHED_VARIABLE)
    return Path(named).resolve() if named else output_root()


def notebooks_dir() -> Path:
    """Folder of the notebooks."""
    return project_root() / "notebooks"


def state_dir() -> Path:
    """Folder of what the pipeline remembers between runs; it belongs to the outputs it describes."""
    return output_root() / ".compendium"


def cohort_folder(cohort: str | os.PathLike[str]) -> Path:
    """Folder of a cohort, absolute.

    Args:
        cohort: a name under ``data/cohorts/``, or a path to a folder (absolute, or relative to the current
            folder, to the project's root or, as :func:`shown` tells it, to the output folder).

    Raises:
        ProjectError: there is no such folder; the message lists the embedded cohorts.
    """
    root = project_root()
    text = os.fspath(cohort)
    embedded = root / "data" / "cohorts"
    is_name = _SAFE_NAME.fullmatch(text) is not None
    given = Path(text).expanduser()
    candidates = [embedded / text] if is_name else []
    candidates += [Path.cwd() / given, root / given, published_root() / given]
    for folder in candidates:
        if text and folder.is_dir():
            return folder.resolve()
    known = sorted(path.name for path in embedded.glob("*") if path.is_dir()) if embedded.is_dir() else []
    raise ProjectError(
        f"No cohort {text!r}: neither a name under {embedded.relative_to(root)} nor a path to a folder. "
        f"Known names: {', '.join(known) or 'none'}."
    )


def cohort_name(cohort: str | os.PathLike[str]) -> str:
    """Name of a cohort, by which its results and figures are filed: the last part of its folder.

    Raises:
        ProjectError: no such folder, or its name has signs that do not fit a file name on every system.
    """
    name = cohort_folder(cohort).name
    if len(name) > LONGEST_NAME:
        raise ProjectError(
            f"The name of the cohort folder {name[:40]}... has {len(name)} signs, at most {LONGEST_NAME} are "
            "possible: rename the folder, because results/ and figures/ are filed under this name."
        )
    if _SAFE_NAME.fullmatch(name) is None:
        raise ProjectError(
            f"The cohort folder is called {name!r}. Rename it: letters, digits, '_', '-' and '.' only, "
            "because results/ and figures/ are filed under this name."
        )
    return name


def split_variant(cohort: str | os.PathLike[str]) -> tuple[str, str]:
    """A cohort and its variant: ``("NAME", "horizon_days=28")`` of ``NAME@horizon_days=28``.

    The variant of a grid's combination says which parameters its results were made with; an ordinary
    cohort's is empty.
    """
    text = os.fspath(cohort)
    found = _VARIANT.fullmatch(text)
    return (found.group(1), found.group(2)) if found else (text, "")


@dataclass(frozen=True)
class CohortPaths:
    """Every folder of one cohort, or of one combination of a grid of parameters on it.

    Attributes:
        name: name under which results are filed: the cohort's, followed by ``@`` and the variant if any.
        folder: its raw tables and ``cohort.toml``.
        results: ``results/NAME``.
        figures: ``figures/NAME``.
        variant: parameters of a grid's combination, such as ``horizon_days=28``; empty otherwise.
    """

    name: str
    folder: Path
    results: Path
    figures: Path
    variant: str = ""

    @classmethod
    def of(cls, cohort: str | os.PathLike[str]) -> "CohortPaths":
        """Folders of a cohort given by name or path, with ``@VARIANT`` behind it or not; creates none."""
        given, variant = split_variant(cohort)
        name, output = cohort_name(given), output_root()
        plain = cls(name, cohort_folder(given), output / "results" / name, output / "figures" / name)
        return plain.filed_as(variant) if variant else plain

    def filed_as(self, variant: str) -> "CohortPaths":
        """The same cohort with results of its own for a variant."""
        name = f"{self.base}@{variant}"
        return CohortPaths(
            name, self.folder, self.results.with_name(name), self.figures.with_name(name), variant
        )

    @property
    def base(self) -> str:
        """The cohort's own name, without a variant."""
        return self.name.removesuffix(f"@{self.variant}") if self.variant else self.name

    @property
    def by_hand(self) -> "CohortPaths":
        """Folders that receive what a notebook run by hand writes, apart from the published results."""
        root = output_root() / SCRATCH
        results, figures = root / "results" / self.name, root / "figures" / self.name
        return CohortPaths(self.name, self.folder, results, figures, self.variant)

    @property
    def data(self) -> Path:
        """Analysis tables (parquet)."""
        return self.results / "data"

    @property
    def recipes(self) -> Path:
        """What figures are drawn from, for drawing them again."""
        return self.data / "recipes"

    @property
    def statistics(self) -> Path:
        """One file of statistics per notebook."""
        return self.results / "statistics"

    @property
    def tables(self) -> Path:
        """Manuscript tables."""
        return self.results / "tables"

    @property
    def notebooks(self) -> Path:
        """Notebooks as executed on this cohort."""
        return self.results / "notebooks"

    @property
    def provenance(self) -> Path:
        """Record of what the results were made from."""
        return self.results / "provenance.json"


def shown(path: str | os.PathLike[str]) -> str:
    """A path as told to readers: relative to the project or the output folder where it lies in one of them.

    Keeps the folder names of one machine out of notebooks and records.
    """
    absolute = Path(path).resolve()
    for root in (project_root(), output_root(), published_root()):
        if absolute.is_relative_to(root):
            return absolute.relative_to(root).as_posix()
    return absolute.as_posix()
