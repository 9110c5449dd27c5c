"""Data of figures as JSON: numbers, texts, tables, statistics, settings and records of drawing functions.

Reading builds these and nothing else, so that a file from elsewhere has nothing executed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from helpers.cohort.settings import CohortConfig
from helpers.report.figures.output.drawings import RecipeError, record_name, record_named
from helpers.results.store import COLUMNS, Statistic, Statistics
from helpers.vocabulary.reading import shipped_vocabulary
from helpers.vocabulary.vocabulary import Vocabulary

# Types of columns that a table may have; "category" carries its levels beside it.
_TYPES = (
    "bool", "boolean", "category", "float64", "Float64", "int8", "int64", "Int64", "object", "string",
)  # fmt: skip
_KIND = "kind"  # tells a value of its own kind from an ordinary JSON object, of which none is written


def to_plain(value: Any) -> Any:
    """Return a value as what JSON can hold.

    Args:
        value: None, a number, a text, a list, tuple or mapping of such, a DataFrame of numbers, texts, yes/no
            and categories, `Statistics`, `CohortConfig`, or a dataclass registered by ``drawn_record``.

    Raises:
        RecipeError: it is, or holds, anything else.

    Example:
        >>> from_plain(to_plain({"days": (0, 7)}))
        {'days': (0, 7)}
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [to_plain(each) for each in value]
    if isinstance(value, tuple):
        return {_KIND: "tuple", "of": [to_plain(each) for each in value]}
    if isinstance(value, pd.DataFrame):
        return {_KIND: "table", **_table(value)}
    if isinstance(value, Statistics):
        rows = [[getattr(row, name) for name in COLUMNS] for row in value.values()]
        return {_KIND: "statistics", "columns": list(COLUMNS), "rows": rows}
    if isinstance(value, CohortConfig):
        return {_KIND: "settings", **_settings(value)}
    if isinstance(value, Mapping):
        return {_KIND: "mapping", "of": [[to_plain(key), to_plain(each)] for key, each in value.items()]}
    name = record_name(value)
    if name is not None:
        return {
            _KIND: "record",
            "of": name,
            "fields": {field.name: to_plain(getattr(value, field.name)) for field in fields(value)},
        }
    raise RecipeError(
        f"{type(value).__name__} cannot be kept for drawing again: draw tables, numbers, texts, statistics, "
        "settings, or a dataclass with @drawn_record above it."
    )


def from_plain(plain: Any) -> Any:
    """Return the value that `to_plain` made this of.

    Raises:
        RecipeError: it was not made by `to_plain`.
    """
    if isinstance(plain, list):
        return [from_plain(each) for each in plain]
    if not isinstance(plain, dict):
        return plain
    reader = _READERS.get(plain.get(_KIND, ""))
    if reader is None:
        raise RecipeError(f"a value of the kind {plain.get(_KIND)!r}, which no figure has")
    return reader(plain)


def _record(plain: Mapping[str, Any]) -> Any:
    kind = record_named(plain["of"])
    return kind(**{name: from_plain(each) for name, each in plain["fields"].items()})


# --- tables -----------------------------------------------------------------------------------------


def _table(table: pd.DataFrame) -> dict[str, Any]:
    ordinary = isinstance(table.index, pd.RangeIndex) and table.index.equals(pd.RangeIndex(len(table)))
    return {
        "names": [to_plain(name) for name in table.columns],
        "name_of_names": to_plain(list(table.columns.names)),
        "columns": [_column(table.iloc[:, i]) for i in range(table.shape[1])],
        "index": None if ordinary else _column(table.index.to_series()),
        "name_of_index": to_plain(table.index.name),
        "length": len(table),
    }


def _column(series: pd.Series) -> dict[str, Any]:
    kind = str(series.dtype)
    if kind not in _TYPES:
        raise RecipeError(f"a column of the type {kind} cannot be kept for drawing again")
    levels: dict[str, Any] = {}
    if isinstance(series.dtype, pd.CategoricalDtype):
        levels["levels"] = [to_plain(level) for level in series.cat.categories]
        levels["ordered"] = bool(series.cat.ordered)
    cells = series.astype(object).tolist()
    return {"type": kind, **levels, "cells": [None if cell is pd.NA else to_plain(cell) for cell in cells]}


def _read_column(plain: Mapping[str, Any]) -> pd.Series:
    kind, cells = plain["type"], [from_plain(cell) for cell in plain["cells"]]
    if kind not in _TYPES:
        raise RecipeError(f"a column of the type {kind!r}, which no figure has")
    if kind == "category":
        levels = pd.CategoricalDtype([from_plain(one) for one in plain["levels"]], plain["ordered"])
        return pd.Series(pd.Categorical(cells, dtype=levels))
    read: pd.Series = pd.Series(cells, dtype=kind)
    return read


def _read_table(plain: Mapping[str, Any]) -> pd.DataFrame:
    names = [from_plain(name) for name in plain["names"]]
    table = pd.concat(
        [_read_column(column) for column in plain["columns"]]
        or [pd.Series(index=pd.RangeIndex(plain["length"]))],
        axis=1,
    )
    if not names:
        table = pd.DataFrame(index=table.index)
    labels = from_plain(plain["name_of_names"])
    if len(labels) > 1:
        table.columns = pd.MultiIndex.from_tuples(names, names=labels)
    elif names:
        table.columns = pd.Index(names, name=labels[0])
    if plain["index"] is not None:
        table.index = pd.Index(_read_column(plain["index"]))
    table.index.name = from_plain(plain["name_of_index"])
    return table


# --- statistics and settings --------------------------------------------------------------------------


def _read_statistics(plain: Mapping[str, Any]) -> Statistics:
    columns = plain.get("columns")
    if columns != list(COLUMNS):
        raise RecipeError(
            f"a figure kept by another version: its statistics have the columns {columns}. "
            "`compendium run --force` of the cohort keeps its figures anew."
        )
    return Statistics(Statistic(**dict(zip(columns, row, strict=True))) for row in plain["rows"])


def _settings(config: CohortConfig) -> dict[str, Any]:
    """Settings, and of the words only those that the cohort brings."""
    known, words = shipped_vocabulary(), config.vocabulary
    own = Vocabulary(*(
        {name: word for name, word in getattr(words, part).items() if getattr(known, part).get(name) != word}
        for part in _PARTS
    ))  # fmt: skip
    return {
        "keys": config.model_dump(mode="json", by_alias=True),
        "words": _words().dump_python(own, mode="json"),
    }


def _read_settings(plain: Mapping[str, Any]) -> CohortConfig:
    known, own = shipped_vocabulary(), _words().validate_python(plain["words"])
    words = Vocabulary(*({**getattr(known, part), **getattr(own, part)} for part in _PARTS))
    return CohortConfig.model_validate(plain["keys"]).with_vocabulary(words)


_PARTS = tuple(field.name for field in fields(Vocabulary))


@cache
def _words() -> TypeAdapter[Vocabulary]:
    return TypeAdapter(Vocabulary)


_READERS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "tuple": lambda plain: tuple(from_plain(each) for each in plain["of"]),
    "mapping": lambda plain: {from_plain(key): from_plain(each) for key, each in plain["of"]},
    "table": _read_table,
    "statistics": _read_statistics,
    "settings": _read_settings,
    "record": _record,
}
