"""Examples in docstrings: which public functions have one, and the names that all of them may use."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "helpers"
NAME = "rdmas_reconstructed"
FOLDER = ROOT / "data" / "cohorts" / NAME
# Attributes in all but name, and hooks of other libraries. Left out besides: methods of protocols, which do
# nothing, and commands, whose example is their line in the manual.
NO_FUNCTIONS = ("property", "hookimpl", "overload")
_PROMPT = re.compile(r"^\s*(?:>>>|\.\.\.) ?(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Public:
    """A public function or method, and whether a running example calls it."""

    room: str
    module: str
    name: str
    shown: bool  # by its own docstring, or by that of its class or module
    own: bool  # by its own docstring


def public_functions(source: Path = SOURCE) -> Iterator[Public]:
    """Functions of modules and methods of classes whose names do not begin with an underscore."""
    for path in sorted(source.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        yield from _of_body(path.relative_to(source), tree, "", lines_of(tree))


def lines_of(node: Any) -> str:
    """Lines of code in the examples of a docstring."""
    return "\n".join(_PROMPT.findall(ast.get_docstring(node) or ""))


def _of_body(path: Path, node: Any, prefix: str, around: str) -> Iterator[Public]:
    for each in node.body:
        if isinstance(each, ast.ClassDef) and "Protocol" in map(ast.unparse, each.bases):
            continue
        if isinstance(each, ast.ClassDef) and not each.name.startswith("_"):
            yield from _of_body(path, each, f"{each.name}.", f"{around}\n{lines_of(each)}")
        if not isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) or each.name.startswith(
            ("_", "pytest_")
        ):
            continue
        if any(no in ast.unparse(mark) for mark in each.decorator_list for no in NO_FUNCTIONS):
            continue
        if path.parts[0] == "commands" and each.name == path.stem:
            continue
        own = bool(lines_of(each))
        called = re.search(rf"(?<!\w){re.escape(each.name)}\b", around)
        yield Public(path.parts[0], path.as_posix(), prefix + each.name, own or bool(called), own)


def names_for(source: str) -> dict[str, Any]:
    """Names that examples use without an import, as far as `source` uses them.

    `np` and `pd`; of the embedded cohort its `folder`, its `config`, its raw data as `examined`, the analysis
    `tables` made from them, what is `recorded` for the comparison of its `arms`, and what is stored of its
    analysis: `study`, `statistics` and `material`. `store` takes rows, `container` is a figure to draw into
    and `axes` are axes of one; these are new in each docstring.
    """
    return {name: make() for name, make in _NAMES.items() if re.search(rf"\b{name}\b", source)}


@cache
def _study() -> Any:
    from helpers.report.text.material import Study

    return Study.open(FOLDER, ROOT / "results" / NAME, ROOT / "figures" / NAME)


@cache
def _examined() -> Any:
    from helpers.cohort.check import examine

    return examine(FOLDER)


@cache
def _tables() -> Any:
    from helpers.cohort.cleaning import derive_tables

    return derive_tables(_examined())


@cache
def _recorded() -> Any:
    from helpers.analysis.historical_control import what_is_recorded

    return what_is_recorded(_tables(), _study().config, FOLDER, horizon_days=56, confidence=0.95)


def _store() -> Any:
    from helpers.results.store import StatisticsStore

    return StatisticsStore(Path("statistics"), "example")


def _container() -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(7, 5))


def _numpy() -> Any:
    import numpy as np

    return np


def _pandas() -> Any:
    import pandas as pd

    return pd


_NAMES = {
    "np": _numpy,
    "pd": _pandas,
    "folder": lambda: FOLDER,
    "examined": _examined,
    "tables": _tables,
    "recorded": _recorded,
    "arms": lambda: _recorded().study,
    "store": _store,
    "container": _container,
    "axes": lambda: _container().add_subplot(),
    "study": _study,
    "config": lambda: _study().config,
    "statistics": lambda: _study().statistics,
    "material": lambda: _study().material,
}
