"""Statistics as Analysis Results Data: one line a number, in the columns of R's package cards.

The columns and their order are those of cards 0.9 (``as_card``, ``tidy_ard_column_order``), and the names of
numbers beside an estimate are those that cards and broom give them (``conf.low``, ``p.value``, ``N_miss``).
After them stand columns of our own: the stored row's identifier, which of its columns the number is, and what
else the row says. Nothing is computed, rounded or left out.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator

from helpers.results.spreadsheet import harmless
from helpers.results.store import EVERYBODY, Statistic, Statistics, stored_text
from helpers.vocabulary.vocabulary import Vocabulary

STANDARD = (
    "group1", "group1_level", "group2", "group2_level", "variable", "variable_level",
    "context", "stat_name", "stat_label", "stat", "fmt_fun", "warning", "error",
)  # fmt: skip
OWN = ("id", "column", "unit", "qualifier", "note")
ARD_COLUMNS = (*STANDARD, *OWN)

# Columns of a stored row that may hold something beside its value: the name in cards, and a label.
_BESIDE = {
    "lower": ("conf.low", "Lower limit"),
    "upper": ("conf.high", "Upper limit"),
    "p_value": ("p.value", "p-value"),
    "n": ("N_nonmiss", "N Non-missing"),
    "n_missing": ("N_miss", "N Missing"),
    "method": ("method", "Method"),
}
_LIMITS = ("lower", "upper")
_IN_UNIT = ("value", *_LIMITS)
_COMPARISON = "both"
_P_DECIMALS, _PERCENT_DECIMALS = 3, 1


def ard_lines(statistics: Iterable[Statistic], vocabulary: Vocabulary) -> Iterator[dict[str, str]]:
    """Return the lines of the data set, those of one stored row together.

    Args:
        statistics: stored rows.
        vocabulary: tells how many decimals a variable is shown with.

    Returns:
        Texts by column. Every row has a line for its value, also where that is empty, and one for each
        limit, p-value, size and method that it has; of an interval with one limit both are listed.
        ``error`` is the stored reason where a number is empty. ``fmt_fun`` is the number of decimals to
        show, where it is known.

    Example:
        >>> from helpers.vocabulary.reading import shipped_vocabulary
        >>> row = Statistic("baseline.age.treated.baseline.median", "baseline", "age", "treated", "baseline",
        ...                 "median", value=37.0, n=20, unit="year")
        >>> [(line["stat_name"], line["stat"]) for line in ard_lines([row], shipped_vocabulary())]
        [('median', '37'), ('N_nonmiss', '20')]
    """
    for row in statistics:
        keys = _keys(row)
        for column in _columns(row):
            name, label = _BESIDE.get(column, (row.statistic, row.statistic.replace("_", " ").capitalize()))
            stat = stored_text(column, getattr(row, column))
            yield keys | {
                "stat_name": name,
                "stat_label": label,
                "stat": stat,
                "fmt_fun": _decimals(row, column, vocabulary),
                "warning": "",
                "error": row.note if not stat else "",
                "id": row.id,
                "column": column,
                "unit": row.unit if column in _IN_UNIT else "",
                "qualifier": row.qualifier if column == "value" else "",
                "note": row.note,
            }


def ard_csv(statistics: Statistics, vocabulary: Vocabulary) -> str:
    """Return the data set as csv; an empty field is NA."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, ARD_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {name: harmless(text) for name, text in line.items()}
        for line in ard_lines(statistics.values(), vocabulary)
    )
    return buffer.getvalue()


def _keys(row: Statistic) -> dict[str, str]:
    """Group, time, variable and analysis: everybody has no group, a comparison a group without a level."""
    everybody = row.group == EVERYBODY
    return {
        "group1": "" if everybody else "group",
        "group1_level": "" if everybody or row.group == _COMPARISON else row.group,
        "group2": "timepoint",
        "group2_level": row.timepoint,
        "variable": row.variable,
        "variable_level": row.level,
        "context": row.analysis,
    }


def _columns(row: Statistic) -> Iterator[str]:
    """The value, and what the row has beside it."""
    yield "value"
    bounded = any(not math.isnan(getattr(row, limit)) for limit in _LIMITS)
    for column in _BESIDE:
        if (column in _LIMITS and bounded) or stored_text(column, getattr(row, column)):
            yield column


def _decimals(row: Statistic, column: str, vocabulary: Vocabulary) -> str:
    if column in ("n", "n_missing") or (column in _IN_UNIT and row.unit == "patients"):
        return "0"
    if column == "p_value":
        return str(_P_DECIMALS)
    if column not in _IN_UNIT or not row.unit:
        return ""
    if row.unit in ("%", "percentage points"):
        return str(_PERCENT_DECIMALS)
    known = vocabulary.get(row.variable)
    return "" if known is None or known.unit != row.unit or known.decimals is None else str(known.decimals)
