"""What must not be committed: files of another cohort than the shipped one, and notebooks bound to one.

Called with file names, as pre-commit does: ``python -m helpers.project.private FILE ...``.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from helpers.errors import CompendiumError
from helpers.project.paths import DEFAULT_COHORT, SCRATCH, project_root, split_variant
from helpers.project.sources import cell_source, notebook_cells

_RESTORE = "`make refresh` stores the notebooks with the outputs of the shipped cohort"
_UNSTAGE = "leave the file out of the commit: git rm --cached"
_PRINTED = re.compile(r"\b(?:results|figures|cohorts)/([A-Za-z0-9][\w.@=,+-]*)")


def private_content(files: Iterable[Path]) -> list[str]:
    """Why files must not be committed, one text a file and reason; empty if all may.

    Args:
        files: files of the repository; those that do not exist are passed over.

    Example:
        >>> private_content([])
        []
    """
    return [problem for file in files if file.is_file() for problem in _problems(file.absolute())]


def foreign_cohorts(notebook: Path) -> list[str]:
    """Cohorts other than the shipped one that a notebook opens, or that its outputs speak of.

    Raises:
        NotebookFileError: the file is no notebook.

    >>> from helpers.project.paths import notebooks_dir
    >>> foreign_cohorts(notebooks_dir() / "04_survival.ipynb"), main([])
    ([], 0)
    """
    found: list[str] = []
    for cell in notebook_cells(notebook):
        if cell.get("cell_type") == "code":
            found += _opened(cell_source(cell))
            found += (name for text in _texts(cell) for name in _PRINTED.findall(text))
    bases = (split_variant(name.rstrip(".,"))[0] for name in found)
    return [name for name in dict.fromkeys(bases) if name != DEFAULT_COHORT]


def _problems(file: Path) -> Iterator[str]:
    root = project_root()
    parts = file.relative_to(root).parts if file.is_relative_to(root) else file.parts
    shown = "/".join(parts)
    if file.suffix == ".ipynb":
        try:
            foreign = foreign_cohorts(file)
        except CompendiumError as error:
            yield str(error)
            return
        if foreign:
            yield (
                f"{shown}: found the cohort {', '.join(foreign)}, expected {DEFAULT_COHORT} alone, because "
                f"outputs show patients' data. Remedy: {_RESTORE}."
            )
    if file.name == "cohort.toml" and parts[0] != "tests" and file.parent.name != DEFAULT_COHORT:
        yield f"{shown}: found a cohort's file, expected that of {DEFAULT_COHORT} alone. {_UNSTAGE} {shown}"
    written = parts[0] in {"results", "figures"} and len(parts) > 2 and parts[1] != DEFAULT_COHORT
    if written or parts[0] == SCRATCH:
        yield f"{shown}: found results of another cohort or by hand, expected none. {_UNSTAGE} {shown}"


def _opened(source: str) -> Iterator[str]:
    """Cohorts that a cell names: ``cohort = "x"`` and ``open_cohort("x", ...)``."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:  # the check of style says so
        return
    for value in map(_cohort_of, nodes):
        if value is not None and not _is_name(value, "cohort"):
            yield str(value.value) if isinstance(value, ast.Constant) else ast.unparse(value)


def _cohort_of(node: ast.AST) -> ast.expr | None:
    if isinstance(node, ast.Assign):
        return node.value if any(_is_name(target, "cohort") for target in node.targets) else None
    if isinstance(node, ast.AnnAssign):
        return node.value if _is_name(node.target, "cohort") else None
    if isinstance(node, ast.Call) and _is_name(node.func, "open_cohort"):
        return next(iter(node.args), None)
    return None


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _texts(cell: Mapping[str, Any]) -> Iterator[str]:
    """Text of a cell's outputs; pictures are none."""
    for output in cell.get("outputs", []):
        parts = [output.get("text", ""), output.get("traceback", ""), output.get("evalue", "")]
        parts += [part for kind, part in output.get("data", {}).items() if kind.startswith("text/")]
        yield from ("".join(part) if isinstance(part, list) else str(part) for part in parts)


def main(arguments: Iterable[str]) -> int:
    """Tell what must not be committed; returns the exit status."""
    problems = private_content(Path(argument) for argument in arguments)
    for problem in problems:
        print(problem, file=sys.stderr)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
