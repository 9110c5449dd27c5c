"""Columns of text that keep each distinct text once, and what is worked out once for each of them.

A long table repeats few texts: forty patients, fourteen variables, four units. A coded column (pandas
`category`) holds each text once and a small number a row. The functions here take coded columns and plain
ones (`object`) alike, and answer the same.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_FEW = 1 << 20  # whole numbers within such a span number themselves


def is_coded(column: pd.Series) -> bool:
    """Tell whether a column keeps each distinct text once."""
    return isinstance(column.dtype, pd.CategoricalDtype)


def coded(codes: NDArray[np.integer[Any]], texts: Iterable[str | None]) -> pd.Categorical:
    """Return a column of texts by number; several numbers may have one text, None and -1 have none.

    Texts are kept in their order, so that sorting and grouping a column orders it as words.

    Example:
        >>> coded(np.array([1, 0, 2, -1]), ["b", "a", "b"]).tolist()
        ['a', 'b', 'b', nan]
    """
    listed = list(texts)
    kept = sorted({text for text in listed if text is not None})
    place = {text: number for number, text in enumerate(kept)}
    moved = np.array([*(place[t] if t is not None else -1 for t in listed), -1], dtype=_smallest(len(kept)))
    return pd.Categorical.from_codes(moved[codes], categories=pd.Index(kept, dtype=object), validate=False)


def _smallest(number: int) -> type[np.signedinteger[Any]]:
    """Return the smallest type of numbers from -1 to `number`, as pandas has them."""
    return next(kind for kind in (np.int8, np.int16, np.int32) if number <= np.iinfo(kind).max)


def as_coded(column: pd.Series) -> pd.Series:
    """Return a column of texts in the form that keeps each of them once."""
    if is_coded(column):
        return column
    codes, texts = pd.factorize(column)
    return pd.Series(coded(codes, texts), index=column.index, name=column.name)


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with its texts row by row, None where there is none."""
    columns = {}
    for name in frame.columns:
        column = frame[name]
        if is_coded(column):
            texts = np.array([*column.cat.categories, None], dtype=object)
            column = pd.Series(texts[column.cat.codes.to_numpy()], index=frame.index, dtype=object)
        columns[name] = column
    return pd.DataFrame(columns, index=frame.index, copy=False)


def distinct(column: pd.Series, rows: "pd.Series[bool] | None" = None) -> list[Any]:
    """Return the texts that occur, in the order in which they first do; where there is none, that too.

    Args:
        column: texts.
        rows: mask of the rows that are looked at; all of them if None.

    Example:
        >>> distinct(pd.Series(["b", "a", "b"], dtype="category"))
        ['b', 'a']
    """
    if not is_coded(column):
        return list(pd.unique(column if rows is None else column[rows]))
    codes = column.cat.codes.to_numpy()
    texts = np.array([*column.cat.categories, None], dtype=object)
    return list(texts[pd.unique(codes if rows is None else codes[rows.to_numpy(dtype=bool)])])


def by_text(column: pd.Series, meaning: Mapping[str, Any] | Callable[[str], Any]) -> pd.Series:
    """Return what each text means, worked out once for each; nothing where there is no text or no meaning.

    Meanings that are texts make a column of texts, coded if the first one was; others have the type that
    pandas gives them.

    Args:
        column: texts.
        meaning: text -> meaning, or a function.
    """
    if not is_coded(column):
        return column.map(dict(meaning) if isinstance(meaning, Mapping) else meaning)
    codes = column.cat.codes.to_numpy()
    # Texts that no row has any more are not asked about.
    there = np.zeros(len(column.cat.categories) + 1, dtype=bool)
    there[codes] = True
    ask = meaning.get if isinstance(meaning, Mapping) else meaning
    found = [ask(t) if known else None for t, known in zip(column.cat.categories, there, strict=False)]
    known = [value for value in found if value is not None]
    if all(isinstance(value, str) for value in known):
        return pd.Series(coded(codes, found), index=column.index, name=column.name)
    values = pd.Series([*found, None]).to_numpy()
    return pd.Series(values[codes], index=column.index, name=column.name)


def looked_up(ids: pd.Series, values: pd.Series) -> pd.Series:
    """Return the value of each row's patient from a column by patient, missing for one who is not in it.

    Args:
        ids: patients row by row.
        values: by patient, each once.
    """
    if not is_coded(ids):
        return ids.map(values)
    own = values.reindex(pd.Index([*ids.cat.categories, None], dtype=object))
    return pd.Series(own.array.take(ids.cat.codes.to_numpy()), index=ids.index)


def repeated(frame: pd.DataFrame, keep: Literal["first", False] = "first") -> "pd.Series[bool]":
    """Return the mask of rows that repeat others in all columns, as `DataFrame.duplicated` does.

    Columns are combined to one number a row, and nothing is kept of the rows where no two are alike.

    Args:
        frame: coded columns and others.
        keep: "first" leaves the first of several rows unmarked, False marks all of them.
    """
    keys, size = np.zeros(len(frame), dtype=np.int64), 1
    for name in frame:
        codes, number = _numbered(frame[name])
        if size * number >= 1 << 62:
            keys, texts = pd.factorize(keys)
            size = len(texts)
        keys *= number
        keys += codes
        size *= number
    order = np.sort(keys)
    if not (order[1:] == order[:-1]).any():
        return pd.Series(False, index=frame.index)
    return pd.Series(keys, index=frame.index).duplicated(keep=keep)


def _numbered(column: pd.Series) -> tuple[NDArray[np.integer[Any]], int]:
    """Return a number from 0 on for each row, alike where the values are, and how many there may be."""
    if is_coded(column):
        return column.cat.codes.to_numpy().astype(np.int32) + 1, len(column.cat.categories) + 1
    if column.dtype == np.float64:  # most often days
        numbers, low, high = column.to_numpy(), column.min(), column.max()
        if high - low < _FEW and not (numbers % 1 > 0).any():
            return np.where(np.isnan(numbers), 0, numbers - low + 1).astype(np.int32), int(high - low) + 2
    codes, values = pd.factorize(column)
    return codes.astype(np.int32) + 1, len(values) + 1
