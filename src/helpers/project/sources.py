r"""Digests of what a step is made from: its notebook's source, the package's modules it imports, raw files.

A notebook depends on the modules that it imports, directly or through others, so an edit of one room runs
only the notebooks that use it. Imports are found by reading the source, not by running it. Comments compute
nothing: code that differs by them alone has one digest.

>>> import hashlib
>>> (
...     digest_bytes(b"a", b"bc") == digest_bytes(b"ab", b"c"),
...     digest_value({"a": 1, "b": 2}) == digest_value({"b": 2, "a": 1}),
... )
(False, True)
>>> digest_file(folder / "patients.csv") == hashlib.sha256(
...     (folder / "patients.csv").read_bytes()
... ).hexdigest()
True
>>> [path.name for path in files_matching(folder, "p*.csv")]
['patients.csv']
>>> cell_source({"source": ["a = 1\n", "b = 2"]})
'a = 1\nb = 2'
>>> from helpers.project.paths import notebooks_dir
>>> notebook = notebooks_dir() / "04_survival.ipynb"
>>> (
...     len(read_notebook(notebook)["cells"]) == len(notebook_cells(notebook)) > 5,
...     len(notebook_digest(notebook)),
...     "helpers.analysis.survival" in notebook_modules(notebook),
... )
(True, 64, True)
>>> files = source_files(["helpers.stats.ratios"])
>>> sorted(path.name for path in files)[:2], len(source_digest(files)), package_folder().name
(['__init__.py', '__init__.py'], 64, 'helpers')
"""

import hashlib
import importlib.util
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar

from helpers.errors import CompendiumError

PACKAGE = "helpers"
_RESTORE = "Get it back from the repository: git checkout notebooks/{}"

# Reading statements line by line takes a twentieth of the time of parsing every module at every start.
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<base>helpers[\w.]*)[ \t]+import[ \t]+(?P<names>\([^)]*\)|[^\n;]+)"
    r"|import[ \t]+(?P<plain>[^\n;]*\bhelpers\b[^\n;]*))",
    re.MULTILINE,
)

# A literal, in which `#` is a letter like others, or a comment. Every alternative begins with a letter, not
# with a count of it (`'{3}`): places that begin with none of these are passed over three times as fast.
_LITERAL_OR_COMMENT = re.compile(
    r"'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''"
    r'|"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""'
    r"|'[^'\\\n]*(?:\\.[^'\\\n]*)*'"
    r'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
    r"|#[^\n]*",
    re.DOTALL,
)
_T = TypeVar("_T")
_MARK = "\0"  # stands in no source


def digest_bytes(*parts: bytes) -> str:
    """SHA-256 of several byte strings; their lengths count, so that moving a border changes it."""
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return total.hexdigest()


def digest_value(value: object) -> str:
    """SHA-256 of a value made of JSON's types, whatever the order of its keys."""
    return digest_bytes(json.dumps(value, sort_keys=True, ensure_ascii=False).encode())


def digest_file(path: Path) -> str:
    """SHA-256 of a file's bytes, as ``sha256sum`` prints it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of_files(paths: Iterable[Path]) -> str:
    """SHA-256 of files in their order, of which some may be absent; neither places nor comments count."""
    parts = []
    for path in paths:
        parts += [path.name.encode(), _what_counts(path) if path.is_file() else b""]
    return digest_bytes(*parts)


def files_matching(root: Path, pattern: str) -> list[Path]:
    """Files under ``root`` that match a pattern, in the order of their names, hidden files left out."""
    return sorted(
        path
        for path in root.glob(pattern)
        if path.is_file() and not any(part.startswith((".", "~")) for part in path.relative_to(root).parts)
    )


class NotebookFileError(CompendiumError):
    """A file that should be a notebook is none; the message names it."""


def read_notebook(path: Path) -> dict[str, Any]:
    """A notebook as stored (JSON).

    Raises:
        NotebookFileError: the file is not a notebook; the message names it.
    """
    return _parsed(path, _notebook)


def notebook_cells(path: Path) -> Sequence[Mapping[str, Any]]:
    """Cells of a notebook as stored, parsed once for all who look at them: none may be changed.

    Raises:
        NotebookFileError: the file is not a notebook; the message names it.
    """
    return _parsed(path, _cells)


def _parsed(path: Path, parse: Callable[[str], _T]) -> _T:
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NotebookFileError(
            f"{path.name} cannot be read as a notebook: {error}.", remedy=_RESTORE.format(path.name)
        ) from None
    except TypeError as error:
        raise NotebookFileError(
            f"{path.name} is not a notebook: {error}.", remedy=_RESTORE.format(path.name)
        ) from None


@lru_cache(maxsize=32)
def _cells(text: str) -> tuple[Mapping[str, Any], ...]:
    return tuple(_notebook(text)["cells"])


def _notebook(text: str) -> dict[str, Any]:
    notebook = json.loads(text)
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise TypeError("it has no cells")
    return notebook


def cell_source(cell: Mapping[str, Any]) -> str:
    """Source text of a cell, which the format stores as one string or as lines."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def without_comments(source: str) -> str:
    """Python source without its comments and its empty end; a line that holds nothing else goes with it.

    Reading quoted text and comments takes a twentieth of the time of parsing, and reads what only a notebook
    may hold (``%matplotlib``) as well.

    >>> without_comments('a = "#1"  # the first')
    'a = "#1"'
    """
    if "#" not in source:
        return source.rstrip("\n")
    marked = _LITERAL_OR_COMMENT.sub(lambda found: _MARK if found[0][0] == "#" else found[0], source)
    before, *others = marked.split(_MARK)
    kept = []
    for after in others:
        kept.append(before.rstrip(" \t\f"))
        nothing_else = not kept[-1] or kept[-1].endswith("\n")
        before = after.removeprefix("\n") if nothing_else else after
    return "".join((*kept, before)).rstrip("\n")


def notebook_code_digest(path: Path) -> str:
    """SHA-256 of what a notebook does: code, ids and tags of its code cells, without comments."""
    code = [cell for cell in notebook_cells(path) if cell.get("cell_type") == "code"]
    return digest_value([[cell_tags(cell), cell.get("id"), _code(cell_source(cell))] for cell in code])


def _code(source: str) -> str:
    # In a cell of another language `#` may be anything.
    return source if source.lstrip().startswith("%%") else without_comments(source)


def notebook_digest(path: Path) -> str:
    """SHA-256 of a notebook's cells, their kinds, ids and tags; outputs and execution counts do not count."""
    cells = notebook_cells(path)
    return digest_value(
        [
            [cell_tags(cell) for cell in cells],
            [(cell.get("cell_type"), cell.get("id"), cell_source(cell)) for cell in cells],
        ]
    )


def cell_tags(cell: Mapping[str, Any]) -> list[str]:
    """Tags of a cell."""
    return list(cell.get("metadata", {}).get("tags", []))


def notebook_modules(path: Path) -> set[str]:
    """Modules of the package that a notebook's code imports by name."""
    cells = notebook_cells(path)
    return {
        module for cell in cells if cell.get("cell_type") == "code" for module in _imports(cell_source(cell))
    }


def source_files(modules: Iterable[str]) -> list[Path]:
    """Source files of modules of the package and of all they import from it, with their rooms' data files."""
    waiting, seen = list(modules), set[str]()
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting += _module_imports(module)
    files = {path for module in seen if (path := _module_file(module)) is not None}
    return sorted(files | {data for path in files for data in _data_files(path.parent)})


def source_digest(files: Iterable[Path]) -> str:
    """SHA-256 over the package's files, each with its place in the package; comments do not count."""
    root = package_folder()
    return digest_value([[path.relative_to(root).as_posix(), _file_digest(path)] for path in files])


@cache
def package_folder() -> Path:
    """Folder of the package."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"The package {PACKAGE!r} is not installed.")
    return Path(spec.origin).parent


def _imports(source: str) -> Iterator[str]:
    """Modules of the package imported anywhere in a source, also inside functions."""
    for found in _IMPORT.finditer(source):
        base, names, plain = found.group("base", "names", "plain")
        if plain:
            candidates = [text.split()[0] for text in plain.split(",") if text.strip()]
        else:
            words = [line.partition("#")[0] for line in names.strip("()").split("\n")]
            parts = [text.split()[0] for text in ",".join(words).split(",") if text.strip()]
            candidates = [base, *(f"{base}.{part}" for part in parts)]
        yield from (name for name in candidates if name.split(".")[0] == PACKAGE and _module_file(name))


@cache
def _module_imports(module: str) -> tuple[str, ...]:
    file = _module_file(module)
    parents = module.split(".")
    above = tuple(".".join(parents[:n]) for n in range(1, len(parents)))
    return above if file is None else (*above, *_imports(file.read_text(encoding="utf-8")))


@cache
def _module_file(module: str) -> Path | None:
    stem = package_folder().joinpath(*module.split(".")[1:])
    return next((path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()), None)


@cache
def _data_files(folder: Path) -> tuple[Path, ...]:
    if folder == package_folder():
        return ()
    return tuple(path for path in files_matching(folder, "**/*") if path.suffix not in {".py", ".pyc"})


@cache
def _file_digest(path: Path) -> str:
    return digest_bytes(_what_counts(path))


def _what_counts(path: Path) -> bytes:
    content = path.read_bytes()
    return without_comments(content.decode()).encode() if path.suffix == ".py" else content
