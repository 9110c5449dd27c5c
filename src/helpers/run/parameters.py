"""Parameters: what each may be, read from the command line, checked against those that the notebooks declare.

This is the one place that says of which kind a parameter is and within which limits. A run looks at it before
any kernel starts, a notebook run by hand when it opens its cohort.

>>> (
...     PARAMETERS["horizon_days"].allows(28),
...     PARAMETERS["horizon_days"].allows(0.5),
...     PARAMETERS["confidence"].allows(1.0),
... )
(True, False, False)
>>> PARAMETERS["horizon_days"].tidy(28.0), own_values({"horizon_days": 28, "confidence": 0.95})
(28, {'horizon_days': 28})
>>> (
...     parse_assignments(["horizon_days=28", "cohort_note=new"]),
...     literal("None"),
...     literal("[1]"),
...     literal("new"),
... )
({'horizon_days': 28, 'cohort_note': 'new'}, None, [1], 'new')
>>> check_values({"confidence": 0.9})
>>> check_saved({"04_survival": {"confidence": 0.95}})
>>> check_parameters({"horizon_days": 28}, {"04_survival": {"horizon_days": None}})
>>> injected({"horizon_days": 28}, {"cohort": "a", "horizon_days": None}, "a")
{'horizon_days': 28}
>>> check_values({"confidence": 95})  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
helpers.run.parameters.ParameterError: confidence: found 95, expected a number, above ...
"""

import ast
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.errors import CompendiumError
from helpers.project.sources import cell_source, notebook_cells

COHORT = "cohort"


class ParameterError(CompendiumError):
    """Parameters of a run or of a notebook that cannot be used; the message lists every one."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback."""
        return [f"{type(self).__name__}: {self}"]


@dataclass(frozen=True)
class Parameter:
    """What a parameter may be.

    Attributes:
        default: value in the committed notebooks; the results of a cohort are made with it.
        whole: whether only whole numbers count.
        low, high: limits; ``inside`` says that they themselves are not allowed.
        absent: whether None is allowed, which stands for the cohort's own setting.
        unit: of the value, for messages.
        words: what it is, for readers of a notebook.
    """

    default: Any
    low: float
    high: float
    whole: bool = True
    inside: bool = False
    absent: bool = False
    unit: str = ""
    words: str = ""

    @property
    def expected(self) -> str:
        """What it may be, in words."""
        kind = "a whole number" if self.whole else "a number"
        unit = f" of {self.unit}" if self.unit else ""
        ends = ("above", "and below") if self.inside else ("from", "to")
        limits = f"{ends[0]} {self.low:.12g} {ends[1]} {self.high:.12g}"
        return f"{kind}{unit}, {limits}" + (", or None for the cohort's own" if self.absent else "")

    def allows(self, value: Any) -> bool:
        """Whether it may have this value."""
        if value is None:
            return self.absent
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if not math.isfinite(value) or (self.whole and value != int(value)):
            return False
        return self.low < value < self.high if self.inside else self.low <= value <= self.high

    def tidy(self, value: Any) -> Any:
        """The value as it is stored and named: 28.0 days are 28."""
        return int(value) if self.whole and isinstance(value, float) else value


PARAMETERS: Mapping[str, Parameter] = {
    "horizon_days": Parameter(None, 1, 36_500, absent=True, unit="days", words="last day of the analysis"),
    "confidence": Parameter(0.95, 0.5, 1, whole=False, inside=True, words="level of all intervals"),
    "seed": Parameter(20250626, 0, 2**32 - 1, words="of every random draw"),
    "bootstrap_draws": Parameter(200, 50, 20_000, unit="draws", words="sets of weights of the bootstrap"),
}


def own_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters that differ from their defaults, by which results are filed apart; the cohort is none.

    Raises:
        ParameterError: lists every value that is not allowed.
    """
    check_values(values)
    return {
        name: PARAMETERS[name].tidy(value)
        for name, value in values.items()
        if name in PARAMETERS and value != PARAMETERS[name].default
    }


def told_values(values: Mapping[str, Any], said: Callable[[str], str] = str) -> str:
    """Return parameters as a table in Markdown: name, value with its unit, what it is.

    Args:
        values: parameters by name.
        said: puts words into a language.

    >>> print(told_values({"horizon_days": 56.0}))
    | parameter | value | what it is |
    |---|---|---|
    | `horizon_days` | 56 days | last day of the analysis |
    """
    heads = map(said, ("parameter", "value", "what it is"))
    lines = [f"| {' | '.join(heads)} |", "|---|---|---|"]
    for name, value in values.items():
        known = PARAMETERS.get(name)
        unit = f" {said(known.unit)}" if known and known.unit else ""
        shown = known.tidy(value) if known else value
        lines.append(f"| `{name}` | {shown}{unit} | {said(known.words) if known else ''} |")
    return "\n".join(lines)


def check_values(values: Mapping[str, Any], option: str = "") -> None:
    """Refuse values that are not allowed.

    Args:
        values: parameters by name; those that only a notebook knows are passed over.
        option: of the command line that they were given with.

    Raises:
        ParameterError: lists every value refused.
    """
    lead = f"{option}: " if option else ""
    problems = [
        f"{lead}{name}: found {value!r}, expected {PARAMETERS[name].expected}"
        for name, value in values.items()
        if name in PARAMETERS and not PARAMETERS[name].allows(value)
    ]
    if problems:
        raise ParameterError("\n".join(problems))


def check_saved(declared: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse notebooks whose cell of parameters was edited and saved: results are what the cohort's file
    says.

    Args:
        declared: the parameters of each notebook, by its name.

    Raises:
        ParameterError: names every edit, with what to do.
    """
    edits = [
        f"notebooks/{notebook}.ipynb: the cell of parameters was saved with {name} = {value!r}, expected "
        f"{PARAMETERS[name].default!r}. Put that back and save; for results with the other value, apart from "
        f"the published ones: compendium run COHORT --param {name}={value}"
        for notebook, values in declared.items()
        for name, value in values.items()
        if name in PARAMETERS and (value != PARAMETERS[name].default or isinstance(value, bool))
    ]
    if edits:
        raise ParameterError("\n".join(edits))


def parse_assignments(texts: Iterable[str]) -> dict[str, Any]:
    """Read ``name=value`` texts; a value is a Python literal (``90``, ``None``, ``[1]``) or else plain text.

    Raises:
        ParameterError: a text without ``=``, a name that is none, a name given twice, or ``cohort``.
    """
    values: dict[str, Any] = {}
    problems = []
    for text in texts:
        name, sign, value = text.partition("=")
        name = name.strip()
        if not sign or not name.isidentifier():
            problems.append(f"found {text!r}, expected NAME=VALUE, for example horizon_days=90")
        elif name == COHORT:
            problems.append("the cohort is not a --param: name it after `compendium run`")
        elif name in values:
            problems.append(f"{name} is given twice")
        else:
            values[name] = literal(value.strip())
    if problems:
        raise ParameterError("\n".join(f"--param: {problem}" for problem in problems))
    return values


def literal(text: str) -> Any:
    """A value as written on the command line: a Python literal, or else plain text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def declared_parameters(notebook: Path) -> dict[str, Any]:
    """Names and values of a notebook's cell tagged ``parameters``.

    Raises:
        ParameterError: there is no such cell, or more than one, or it holds anything but ``name = literal``.

    >>> from helpers.project.paths import notebooks_dir
    >>> declared_parameters(notebooks_dir() / "04_survival.ipynb")["confidence"]
    0.95
    """
    cells = [
        cell
        for cell in notebook_cells(notebook)
        if cell.get("cell_type") == "code" and "parameters" in cell.get("metadata", {}).get("tags", [])
    ]
    if len(cells) != 1:
        raise ParameterError(f"{notebook.name}: found {len(cells)} cells tagged 'parameters', expected one.")
    values: dict[str, Any] = {}
    try:
        for node in ast.parse(cell_source(cells[0])).body:
            name, value = _assignment(node)
            values[name] = ast.literal_eval(value)
    except (SyntaxError, ValueError) as error:
        raise ParameterError(
            f"{notebook.name}: the cell tagged 'parameters' may hold only lines like days = 90 ({error})."
        ) from None
    return values


def _assignment(node: ast.stmt) -> tuple[str, ast.expr]:
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id, node.value
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        return node.target.id, node.value
    raise ValueError(f"line {node.lineno} is not of this form")


def check_parameters(
    given: Mapping[str, Any], declared: Mapping[str, Mapping[str, Any]], *, option: str = "--param"
) -> None:
    """Refuse parameters that no notebook knows, and values of another kind than the notebooks' own.

    Args:
        given: the run's parameters.
        declared: the parameters of each notebook, by its name.
        option: of the command line that they were given with.

    Raises:
        ParameterError: lists every parameter refused, with the known names.
    """
    known = {name for values in declared.values() for name in values} - {COHORT}
    problems = [
        f"unknown parameter {name!r}; the notebooks know {', '.join(sorted(known)) or 'none'}"
        for name in given
        if name not in known
    ]
    problems += [
        f"{name}: found {value!r}, expected {PARAMETERS[name].expected}"
        for name, value in given.items()
        if name in PARAMETERS and name in known and not PARAMETERS[name].allows(value)
    ]
    for notebook, values in declared.items():
        problems += [
            f"{name}: found {given[name]!r}, expected {_kind(own)} (it is {own!r} in {notebook})"
            for name, own in values.items()
            if name in given and name not in PARAMETERS and not _same_kind(given[name], own)
        ]
    if problems:
        raise ParameterError("\n".join(f"{option}: {problem}" for problem in problems))


def _same_kind(value: Any, default: Any) -> bool:
    if value is None or default is None:
        return True
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, int | float):
        return isinstance(value, int | float)
    return isinstance(value, type(default)) or {type(value), type(default)} == {list, tuple}


def _kind(default: Any) -> str:
    if isinstance(default, bool):
        return "True or False"
    return "a number" if isinstance(default, int | float) else f"a {type(default).__name__}"


def injected(given: Mapping[str, Any], declared: Mapping[str, Any], cohort: str) -> dict[str, Any]:
    """What has to be put into one notebook: parameters it declares whose value differs from its own."""
    wanted = {**given, COHORT: cohort}
    return {
        name: wanted[name]
        for name, own in declared.items()
        if name in wanted and not (wanted[name] == own and type(wanted[name]) is type(own))
    }
