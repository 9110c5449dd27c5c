"""Main numbers beside those that another library finds in the same records.

>>> double_programming_narrative(statistics).text[:70]
'65 numbers were computed twice: 53 are equal, 12 differ for the reason'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor, isfinite, log10
from typing import TYPE_CHECKING

from helpers.analysis.double_programming import EQUAL, UNEXPLAINED, Checked
from helpers.analysis.variables import variable_label
from helpers.report.tables.cells import Cell, number, verbatim
from helpers.report.tables.content import Column, Row, column, message, row
from helpers.report.tables.table import Table
from helpers.report.text.claims import Claim
from helpers.report.text.claims import Row as Stored
from helpers.report.text.narrative import Narrative, brief
from helpers.results.catalogue import ComputedTwiceRows, TrendRows
from helpers.results.format import NOT_ESTIMABLE

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistic, Statistics

NOTHING = "None of the numbers of this cohort has a counterpart in another library."
_COLUMNS = {"value": "", "lower": ", lower limit", "upper": ", upper limit", "p_value": ", p"}
_WORDS = {
    "survival": "Survival", "median": "Median survival, days", "alive_share": "Share alive",
    "logrank": "Log-rank chi-square", "hazard_ratio": "Hazard ratio (Efron)",
    "incidence": "cumulative incidence",
}  # fmt: skip


def double_programming_table(
    checked: Sequence[Checked],
    statistics: Statistics,
    labels: Mapping[str, str],
    config: CohortConfig,
    *,
    watermark: str,
) -> Table:
    """Return each number that was computed twice: here, by the library, and whether they are equal.

    Args:
        checked: what was computed twice.
        statistics: rows of the other notebooks and of the second computation.
        labels: labels of variables and endpoints by name.
        config: the cohort's settings.
        watermark: warning that stands below the table.
    """
    rows: list[Row] = []
    for one in checked:
        stored, part, second = statistics[one.stored], one.column, statistics[one.second]
        agreement = second.note if second.note in (EQUAL, UNEXPLAINED) else f"differs: {second.note}"
        cells = (_cell(stored, part), _cell(second, "value"), second.method.split()[0], agreement)
        rows.append(row(_label(stored, part, labels, config), *cells))
    heads: list[Column | str] = [
        column("Number", left=True),
        "Here",
        "Library",
        "By",
        column("Agreement", left=True),
    ]
    notes = [
        "Equal: to eight digits, of iterated fits to five. The versions of the libraries are stored.",
        f"{NOT_ESTIMABLE}: not estimable.",
    ]
    title = "Main numbers computed a second time by an independent library"
    return Table("table_s28_computed_twice", title, heads, rows or [message(NOTHING)], notes, watermark)


def _label(stored: Statistic, part: str, labels: Mapping[str, str], config: CohortConfig) -> str:
    endpoints = {endpoint.id: endpoint.label for endpoint in config.endpoints}
    known = {**endpoints, **labels}
    what = known.get(stored.variable) or variable_label(stored.variable, config)
    if stored.analysis == "survival":
        what = _WORDS[stored.statistic]
        if stored.timepoint.startswith("day_"):
            what += f" at day {stored.timepoint.removeprefix('day_')}"
    elif stored.analysis == TrendRows.name:
        change = "ratio to baseline" if stored.statistic == "ratio" else "difference from baseline"
        what += f", {change}, {config.visit(stored.timepoint).label}"
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


def double_programming_narrative(statistics: Statistics, config: CohortConfig | None = None) -> Narrative:
    """Say how many numbers were computed twice and how many of them differ, with and without a reason."""
    names = ("compared", "equal", "explained", "unexplained")
    rows = {name: statistics[ComputedTwiceRows.named(name).id("numbers")] for name in names}
    if not rows["compared"].value:
        return brief([], "computed_twice.none", config)
    claims = [Claim("computed_twice.numbers", {name: Stored(row, 0) for name, row in rows.items()})]
    if rows["unexplained"].value:
        claims.append(Claim("computed_twice.unexplained"))
    return brief(claims, "", config)
