"""A grid of parameters: every combination of the values given, each filed under a name of its own.

``--grid horizon_days=28,56 --grid seed=1,2`` gives four combinations. The results of one go to
``results/COHORT@horizon_days=28,seed=1``: names in alphabetical order, so that the same combination is
always found in the same place.

>>> parse_grid(["horizon_days=28,56"])
{'horizon_days': [28, 56]}
>>> check_grid({"horizon_days": [28]}, {}, {"04_survival": {"horizon_days": None}})
>>> [name for name, values in combinations({"horizon_days": [28, 56], "seed": [1, 2]})][:2]
['horizon_days=28,seed=1', 'horizon_days=28,seed=2']
>>> variant_name({"horizon_days": 28, "seed": 1}), variant_values("horizon_days=28,seed=1")
('horizon_days=28,seed=1', {'horizon_days': 28, 'seed': 1})
>>> parse_grid(["horizon_days"])  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
helpers.run.parameters.ParameterError: --grid: found 'horizon_days', expected NAME=VALUE...
"""

import ast
import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any

from helpers.project.sources import digest_bytes
from helpers.run.parameters import COHORT, PARAMETERS, ParameterError, check_parameters, literal

Grid = dict[str, list[Any]]

_LONGEST_NAME = 120  # of a folder's name, which systems limit to 255 bytes
_PLAIN = re.compile(r"[\w.+-]+", re.ASCII)
_OTHER = re.compile(r"[^\w.+-]+", re.ASCII)
_DIGEST = re.compile(r"parameters=[0-9a-f]{12}")  # instead of a name that would be too long
_EXAMPLE = "expected NAME=VALUE,VALUE,..., for example horizon_days=28,56"


def parse_grid(texts: Iterable[str]) -> Grid:
    """Read ``name=value,value,...`` texts; each value is a Python literal or else plain text.

    Raises:
        ParameterError: a text of another form, a name or a value given twice, or ``cohort``.
    """
    grid: Grid = {}
    problems = []
    for text in texts:
        name, sign, values = (part.strip() for part in text.partition("="))
        if not sign or not name.isidentifier() or not name.isascii() or not values:
            problems.append(f"found {text!r}, {_EXAMPLE}")
        elif name == COHORT:
            problems.append("several cohorts are not a --grid: name them after `compendium run`")
        elif name in grid:
            problems.append(f"{name} is given twice: put its values into one list")
        else:
            grid[name] = _values(values)
            labels = [_shown(value) for value in grid[name]]
            problems += [
                f"{name}: {label} is given twice"
                for label in dict.fromkeys(labels)
                if labels.count(label) > 1
            ]
    if problems:
        raise ParameterError("\n".join(f"--grid: {problem}" for problem in problems))
    return grid


def _values(text: str) -> list[Any]:
    """Values between commas; commas inside brackets or quotes belong to a value."""
    try:
        return list(ast.literal_eval(f"[{text}]"))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return [literal(part.strip()) for part in text.split(",")]


def check_grid(
    grid: Mapping[str, list[Any]], fixed: Mapping[str, Any], declared: Mapping[str, Mapping[str, Any]]
) -> None:
    """Refuse names that no notebook knows, values of the wrong kind, and names that are fixed besides.

    Args:
        grid: values of each parameter.
        fixed: parameters that are the same in every combination.
        declared: the parameters of each notebook, by its name.

    Raises:
        ParameterError: lists what is refused.
    """
    both = sorted(set(grid) & set(fixed))
    if both:
        raise ParameterError(f"--grid: {', '.join(both)} is given by --param as well: leave one of them out")
    for name, values in grid.items():
        for value in values:
            check_parameters({name: value}, declared, option="--grid")


def combinations(
    grid: Mapping[str, list[Any]],
    fixed: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> list[tuple[str, dict[str, Any]]]:
    """Every combination with the name of its variant; one that changes nothing has none.

    Args:
        grid: values of each parameter.
        fixed: parameters that are the same in every combination.
        defaults: values of the notebooks' own parameters.
    """
    names = sorted(grid)
    found = []
    for values in itertools.product(*(grid[name] for name in names)):
        chosen = {**(fixed or {}), **dict(zip(names, values, strict=True))}
        tidied = {name: _tidy(name, value) for name, value in chosen.items()}
        found.append((variant_name(tidied, named=names, defaults=defaults), tidied))
    return found


def variant_name(
    values: Mapping[str, Any], *, named: Iterable[str] = (), defaults: Mapping[str, Any] | None = None
) -> str:
    """Name by which results with these parameters are filed: ``horizon_days=28,seed=1``.

    Parameters at their defaults are left out, unless they are ``named``: results without a name are those
    that the cohort's own file says.
    """
    usual = {**(defaults or {}), **{name: known.default for name, known in PARAMETERS.items()}}
    own = {
        name: value
        for name, value in sorted(values.items())
        if name in set(named) or name not in usual or value != usual[name]
    }
    text = ",".join(f"{name}={_shown(value)}" for name, value in own.items())
    if len(text) <= _LONGEST_NAME:
        return text
    return f"parameters={digest_bytes(text.encode())[:12]}"


def variant_values(variant: str) -> dict[str, Any]:
    """The parameters that a variant's name says: the reverse of :func:`variant_name`.

    Raises:
        ParameterError: the name does not say them.
    """
    values = dict(part.split("=", 1) for part in variant.split(","))
    found = {name: _tidy(name, literal(text)) for name, text in values.items()}
    if _DIGEST.fullmatch(variant) or variant_name(found, named=found) != variant:
        raise ParameterError(
            f"@{variant} does not say its parameters: name the cohort alone, and give them by --param."
        )
    return found


def _tidy(name: str, value: Any) -> Any:
    return PARAMETERS[name].tidy(value) if name in PARAMETERS else value


def _shown(value: Any) -> str:
    """A value as part of a folder's name; one with other signs is told apart by a digest."""
    text = str(value)
    if _PLAIN.fullmatch(text):
        return text
    return f"{_OTHER.sub('-', text).strip('-')[:24]}-{digest_bytes(text.encode())[:8]}".lstrip("-")
