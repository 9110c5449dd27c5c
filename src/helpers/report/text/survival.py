"""Claims about survival: at the horizon, by test, by hazard ratio, by every other method.

>>> [claim.key for claim in survival_at_horizon(material)]
['survival.at_horizon']
>>> [claim.key for claim in deaths(material)]
['survival.deaths']
>>> nobody_died(material)
False
>>> [claim.key for claim in survival_compared(material)]
['survival.compared']
>>> [claim.key for claim in risk_difference(material)]
['survival.risk_difference']
>>> [claim.key for claim in hazard_ratio(material)]
['survival.hazard_ratio']
>>> [claim.key for claim in median_survival(material)]
[]
>>> [claim.key for claim in every_method(statistics)]
['effects.all_below']
>>> survival_test(material).statistic
'logrank'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.text.claims import (
    Claim,
    Direction,
    Items,
    Material,
    Row,
    Slot,
    declared_alpha,
    direction_of,
)
from helpers.report.text.prose import Declared
from helpers.results.catalogue import EffectRows, SurvivalRows
from helpers.results.format import ALPHA
from helpers.results.headline import headline_ratio

if TYPE_CHECKING:
    from helpers.results.store import Statistic, Statistics

# The test that the setting `survival.test` names, in the order to look for it.
_PRIMARY = {
    "logrank": SurvivalRows.logrank,
    "exact": EffectRows.test_logrank_exact,
    "permutation": EffectRows.test_logrank_monte_carlo,
}


def survival_at_horizon(material: Material) -> list[Claim]:
    """Kaplan-Meier survival at the horizon by group."""
    groups = []
    for group in material.config.groups:
        row = material.statistics.find(SurvivalRows.survival, "death", group=group.id, timepoint=material.day)
        if row is None:
            continue
        key = "survival.group" if row.value == row.value else "survival.group_unknown"
        slots: dict[str, Slot] = {"survival": Row(row, 1), "arm": material.arm(group)}
        groups.append(Claim(key, slots | {"level": material.level, "day": material.horizon}))
    if not groups:
        return []
    return [Claim("survival.at_horizon", {"day": material.horizon, "groups": Items(tuple(groups))})]


def deaths(material: Material) -> list[Claim]:
    """How many died by the horizon in each group; that nobody died, where nobody did."""
    rows = [
        (group, row)
        for group in material.config.groups
        if (
            row := material.statistics.find(
                SurvivalRows.deaths, "death", group=group.id, timepoint=material.day
            )
        )
    ]
    if not rows:
        return []
    if not any(row.value for _, row in rows):
        counted = tuple(
            Claim("survival.none_of", {"deaths": Row(row), "arm": material.arm(group)}) for group, row in rows
        )
        return [Claim("survival.no_deaths", {"day": material.horizon, "groups": Items(counted)})]
    counted = tuple(
        Claim("survival.deaths_group", {"deaths": Row(row), "arm": material.arm(group)})
        for group, row in rows
    )
    return [Claim("survival.deaths", {"day": material.horizon, "groups": Items(counted)})]


def nobody_died(material: Material) -> bool:
    """Tell whether no death is recorded up to the horizon."""
    rows = material.statistics.select(SurvivalRows.deaths, timepoint=material.day)
    return not any(row.value for row in rows)


def survival_test(material: Material) -> Statistic | None:
    """Return the row of the configured test; that of the log-rank test where it has no p-value."""
    for key in (_PRIMARY[material.config.survival.test], SurvivalRows.logrank):
        row = material.statistics.find(key, "death", group="both", timepoint=material.day)
        if row is not None and row.p_value == row.p_value:
            return row
    return None


def survival_compared(material: Material) -> list[Claim]:
    """Which group lived longer and whether the test bears it out."""
    treated, reference = material.config.treated, material.config.reference
    test = survival_test(material)
    if treated is None or reference is None:
        return []
    if test is None or nobody_died(material):
        both = material.statistics.find(SurvivalRows.logrank, "death", group="both", timepoint=material.day)
        return [Claim("survival.not_compared")] if both is not None else []
    rows = [
        material.statistics.find(SurvivalRows.survival, "death", group=g.id, timepoint=material.day)
        for g in (treated, reference)
    ]
    slots: dict[str, Slot] = {"treated": material.arm(treated), "reference": material.arm(reference)}
    slots |= {"test": Row(test), "day": material.horizon}
    first, second = rows
    significant = material.significant(test)
    way = direction_of(first.value, second.value) if first is not None and second is not None else ""
    if first is None or second is None or not way or _at_odds(material, way):
        return [Claim("survival.tested", slots, "", significant, (), test.id)]
    return [Claim("survival.compared", slots, way, significant, (first.id, second.id), test.id)]


def _at_odds(material: Material, way: Direction) -> bool:
    """Tell whether the hazard ratio points the other way than survival at the horizon: curves that cross."""
    ratio = material.statistics.find(SurvivalRows.hazard_ratio, "death", group="both", timepoint=material.day)
    return ratio is not None and (direction_of(ratio.value, 1.0), way) in {
        ("lower", "lower"),
        ("higher", "higher"),
    }


def risk_difference(material: Material) -> list[Claim]:
    """By how much the risk of death by the horizon differs, where everybody's fate was known by then."""
    treated, reference = material.config.treated, material.config.reference
    row = material.statistics.find(
        EffectRows.risk_difference_newcombe, "death", group="both", timepoint=material.day
    )
    if row is None or row.value != row.value or treated is None or reference is None:
        return []
    if nobody_died(material):
        return []
    excluded = None if row.lower != row.lower else not row.lower <= 0 <= row.upper
    slots: dict[str, Slot] = {"difference": Row(row, 1), "level": material.level, "day": material.horizon}
    slots |= {"treated": material.arm(treated), "reference": material.arm(reference)}
    way = direction_of(row.value, 0.0)
    return [Claim("survival.risk_difference", slots, way, excluded, (row.id,), "", 0.0)]


def hazard_ratio(material: Material) -> list[Claim]:
    """The hazard ratio with its interval, and whether the interval holds 1."""
    row = headline_ratio(material.statistics, material.day)
    if row is None:
        return []
    limits = (row.lower, row.upper)
    treated, reference = material.config.treated, material.config.reference
    if treated is None or reference is None:
        return []
    excluded = None if any(x != x for x in limits) else not row.lower <= 1 <= row.upper
    slots: dict[str, Slot] = {"ratio": Row(row, 2), "level": material.level}
    slots |= {"treated": material.arm(treated), "reference": material.arm(reference)}
    way = direction_of(row.value, 1.0)
    return [Claim("survival.hazard_ratio", slots, way, excluded, (row.id,), "", 1.0)]


def median_survival(material: Material) -> list[Claim]:
    """Median survival of the groups whose curve reaches one half."""
    claims = []
    for group in material.config.groups:
        row = material.statistics.find(SurvivalRows.median, "death", group=group.id)
        if row is not None and row.value == row.value:
            slots: dict[str, Slot] = {"median": Row(row, 0), "level": material.level}
            open_ended = row.lower == row.lower and row.upper != row.upper
            key = "survival.median_open" if open_ended else "survival.median"
            claims.append(Claim(key, slots | {"arm": material.arm(group)}))
    return claims


def every_method(statistics: Statistics, *, alpha: float = ALPHA) -> list[Claim]:
    """How far the p-values of the methods spread and on which side of the significance level they lie."""
    rows = [row for row in statistics.select(EffectRows) if row.p_value == row.p_value]
    if not rows:
        return []
    rows.sort(key=lambda row: row.p_value)
    low, high = rows[0], rows[-1]
    below = sum(row.p_value < alpha for row in rows)
    key = {0: "effects.none_below", len(rows): "effects.all_below"}.get(below, "effects.split")
    slots: dict[str, Slot] = {"low": Row(low), "high": Row(high), "alpha": declared_alpha(alpha)}
    slots["methods"] = Declared(str(len(rows)), "rows.effect")
    slots["below"] = Declared(str(below), "rows.effect.below")
    slots["above"] = Declared(str(len(rows) - below), "rows.effect.above")
    return [Claim(key, slots)]
