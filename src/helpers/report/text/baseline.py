"""Claims about the groups before treatment: differences by test, their adjustment, balance, limits.

>>> labels = baseline_labels(material)
>>> labels["age"], [claim.key for claim in baseline_differences(statistics, labels)][:1]
('Age, years', ['baseline.differ'])
>>> [claim.key for claim in under_limits(statistics, labels)][:1]
['limits.depends']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.text.claims import (
    Claim,
    Items,
    Material,
    Row,
    Slot,
    Term,
    arm_term,
    declared_alpha,
    direction_of,
    is_significant,
)
from helpers.results.catalogue import BalanceRows, BaselineRows, ReportingLimitsRows
from helpers.results.format import ALPHA

if TYPE_CHECKING:
    from collections.abc import Mapping

    from helpers.cohort.settings import Group
    from helpers.results.store import Statistic, Statistics

_NO_TEST = "death"  # a result, though it stands in the table


def baseline_labels(material: Material) -> dict[str, str]:
    """Return the labels of the variables of the baseline comparison."""
    from helpers.analysis.variables import variable_label

    names = {row.variable for row in material.statistics.select(BaselineRows)}
    return {name: variable_label(name, material.config) for name in sorted(names)}


def baseline_differences(
    statistics: Statistics,
    labels: Mapping[str, str],
    *,
    alpha: float = ALPHA,
    groups: tuple[Group, Group] | None = None,
) -> list[Claim]:
    """Variables that differ by test, how far the groups are out of balance, what adjustment leaves.

    Args:
        statistics: the stored rows.
        labels: label of each baseline variable.
        alpha: significance level.
        groups: the treated and the reference group, to say which has the higher median or share.
    """
    tests = statistics.select(BaselineRows.test)
    if not tests:
        return [Claim("baseline.one_group")]
    apart = [row for row in tests if row.p_value < alpha and row.variable != _NO_TEST]
    slots: dict[str, Slot] = {"alpha": declared_alpha(alpha)}
    if apart:
        slots["variables"] = Items(tuple(_apart(row, statistics, labels, alpha, groups) for row in apart))
    claims = [Claim("baseline.differ" if apart else "baseline.none_differs", slots)]
    return [*claims, *_balance(statistics, labels), *_adjusted(statistics, labels, alpha)]


def _balance(statistics: Statistics, labels: Mapping[str, str]) -> list[Claim]:
    """Which characteristics differ by more than chance would at this size, by standardised difference."""
    error = statistics.find(
        BalanceRows.standard_error, "standardized_difference", group="both", timepoint="baseline"
    )
    if error is None or error.value != error.value:
        large = BalanceRows.above_0_1.id("standardized_difference", group="both", timepoint="baseline")
        return [Claim("baseline.balance", {"large": Row(statistics[large])})]
    rows = [
        row
        for row in statistics.select(BaselineRows.standardized_difference)
        if abs(row.value) > 2 * error.value and row.variable != _NO_TEST
    ]
    named = tuple(
        Claim("baseline.apart", {"variable": _variable(row.variable, labels), "difference": Row(row, 2)})
        for row in sorted(rows, key=lambda row: -abs(row.value))
    )
    slots: dict[str, Slot] = {"error": Row(error, 2), "variables": Items(named)}
    return [Claim("baseline.beyond" if named else "baseline.none_beyond", slots)]


def _apart(
    row: Statistic,
    stored: Statistics,
    labels: Mapping[str, str],
    alpha: float,
    groups: tuple[Group, Group] | None,
) -> Claim:
    """Name a variable with its p-value and, for two medians or two shares, which group has the higher."""
    slots: dict[str, Slot] = {"variable": _variable(row.variable, labels), "test": Row(row)}
    if groups is None:
        return Claim("baseline.variable", slots)
    for name in ("median", "percent"):
        found = [
            stored.find(BaselineRows.named(name), row.variable, group=group.id, timepoint="baseline")
            for group in groups
        ]
        first, second = found
        if first is None or second is None:
            continue
        way = direction_of(first.value, second.value)
        if way in {"higher", "lower"}:
            slots |= {"first": Row(first), "second": Row(second), "unit": _unit(labels.get(row.variable, ""))}
            slots["arm"] = arm_term(groups[0])
            compared = (first.id, second.id)
            return Claim(
                f"baseline.variable_{name}", slots, way, is_significant(row, alpha), compared, row.id
            )
    return Claim("baseline.variable", slots)


def _variable(name: str, labels: Mapping[str, str]) -> Term:
    return Term(labels.get(name, name), f"variable.{name}.label", "in_text")


def _unit(label: str) -> str:
    """Return the unit as a label prints it, with a space before it; empty where there is none."""
    unit = label.rpartition(", ")[2] if ", " in label else ""
    return f" {unit}" if unit and unit != "years" else ""


def _adjusted(statistics: Statistics, labels: Mapping[str, str], alpha: float) -> list[Claim]:
    rows = statistics.select(BaselineRows.test_adjusted)
    if not rows:
        return []
    left = [row for row in rows if row.p_value < alpha]
    named = tuple(
        Claim("baseline.variable", {"variable": _variable(row.variable, labels), "test": Row(row)})
        for row in left
    )
    slots: dict[str, Slot] = {"method": Row(rows[0]), "alpha": declared_alpha(alpha)}
    if named:
        return [Claim("baseline.adjusted_left", slots | {"variables": Items(named)})]
    return [Claim("baseline.adjusted_none", slots)]


def under_limits(
    statistics: Statistics,
    labels: Mapping[str, str],
    *,
    alpha: float = ALPHA,
    groups: tuple[Group, Group] | None = None,
) -> list[Claim]:
    """Whether a difference survives what values beyond an assay's limit may stand for."""
    claims = []
    named = {group.id: group for group in groups or ()}
    for sure in statistics.select(ReportingLimitsRows.test):
        rows = statistics.select(ReportingLimitsRows, variable=sure.variable, group="both")
        rows = [row for row in rows if row.p_value == row.p_value]
        if not rows:
            continue
        low, high = min(rows, key=lambda r: r.p_value), max(rows, key=lambda r: r.p_value)
        both = low.p_value < alpha <= high.p_value
        beyond = tuple(
            Claim("limits.beyond", {"beyond": Row(row), "arm": arm_term(named[row.group])})
            for row in statistics.select(ReportingLimitsRows.beyond_limit, variable=sure.variable)
            if row.value > 0 and row.group in named
        )
        slots: dict[str, Slot] = {"variable": _variable(sure.variable, labels), "groups": Items(beyond)}
        slots |= {"low": Row(low), "high": Row(high)}
        claims.append(Claim("limits.depends" if both else "limits.stays", slots))
    return claims
