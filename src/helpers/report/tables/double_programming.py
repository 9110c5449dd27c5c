"""Main numbers beside those that another library finds in the same records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor, isfinite, log10
from typing import TYPE_CHECKING

from helpers.analysis.double_programming import ANALYSIS, EQUAL, UNEXPLAINED, Checked
from helpers.analysis.variables import variable_label
from helpers.report.tables.cells import Cell, number, verbatim
from helpers.report.tables.content import Column, Row, column, message, row
from helpers.report.tables.table import Table
from helpers.report.text.narrative import Narrative
from helpers.results.format import NOT_ESTIMABLE

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistic, Statistics

NOTHING = "None of the numbers of this cohort has a counterpart in another library."
_COLUMNS = {"value": "", "lower": ", lower limit", "upper": ", upper limit", "p_value": ", p"}
_WORDS = {
    "survival": "Survival", "median": "Median survival, days", "alive_share": "Share alive",
    "logrank": "Log-rank chi-square", "hazard_ratio": "Hazard ratio (Efron)",
    "ratio_per_week": "ratio a week", "incidence": "cumulative incidence",
}  # fmt: skip


def double_programming_table(
    checked: Sequence[Checked], labels: Mapping[str, str], config: CohortConfig, *, watermark: str
) -> Table:
    """Return each number that was computed twice: here, by the library, and whether they are equal.

    Args:
        checked: what was computed twice.
        labels: labels of variables and endpoints by name.
        config: the cohort's settings.
        watermark: warning that stands below the table.
    """
    rows: list[Row] = []
    for one in checked:
        stored, part, second = one.stored, one.column, one.second
        agreement = second.note if second.note in (EQUAL, UNEXPLAINED) else f"differs: {second.note}"
        cells = (_cell(stored, part), _cell(second, "value"), second.method, agreement)
        rows.append(row(_label(stored, part, labels, config), *cells))
    heads: list[Column | str] = [
        column("Number", left=True),
        "Here",
        "Library",
        "Which library",
        column("Agreement", left=True),
    ]
    notes = [
        "Six digits are shown; equal means equal to 1e-8 of the number, of iterated fits to 1e-5.",
        f"{NOT_ESTIMABLE}: not estimable.",
    ]
    title = "Main numbers computed a second time by an independent library"
    return Table("table_s26_computed_twice", title, heads, rows or [message(NOTHING)], notes, watermark)


def _label(stored: Statistic, part: str, labels: Mapping[str, str], config: CohortConfig) -> str:
    endpoints = {endpoint.id: endpoint.label for endpoint in config.endpoints}
    known = {**endpoints, **labels}
    what = known.get(stored.variable) or variable_label(stored.variable, config)
    if stored.analysis == "survival":
        what = _WORDS[stored.statistic]
        if stored.timepoint.startswith("day_"):
            what += f" at day {stored.timepoint.removeprefix('day_')}"
    elif stored.statistic in _WORDS:
        what += f", {_WORDS[stored.statistic]}"
    elif stored.statistic in ("test", "change_test"):
        test = stored.method.partition(" (")[0].partition(",")[0]
        what += f", {test}"
    groups = {group.id: group.label for group in config.groups}
    arm = f", {groups[stored.group]}" if stored.group in groups else ""
    return f"{what}{_COLUMNS[part] if part != 'value' or 'rank-sum' not in stored.method else ', U'}{arm}"


def _cell(stored: Statistic, part: str) -> Cell:
    found = getattr(stored, part)
    if not isfinite(found):
        return verbatim(NOT_ESTIMABLE)
    decimals = 6 if found == 0 else min(10, max(0, 5 - floor(log10(abs(found)))))
    return number(stored, decimals, column=part)


def double_programming_narrative(statistics: Statistics) -> Narrative:
    """Say how many numbers were computed twice and how many of them differ, with and without a reason."""
    found = statistics.select(analysis=ANALYSIS)
    equal = sum(row.note == EQUAL for row in found)
    open_ = sum(row.note == UNEXPLAINED for row in found)
    if not found:
        return Narrative(NOTHING)
    text = (
        f"{len(found)} numbers were computed twice: {equal} are equal, {len(found) - equal - open_} differ "
        f"for the reason that stands beside them, {open_} differ without one."
    )
    return Narrative(text + (" Something is wrong there." if open_ else ""))
