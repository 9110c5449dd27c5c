"""Claims about what the comparison with historical controls can and cannot show.

>>> [claim.key for claim in methods(material)][:2]
['methods.control_entry', 'methods.control_lag']
>>> [claim.key for claim in fragility(material)][:2]
['control.lag', 'control.delayed_entry']
>>> [claim.key for claim in not_known(material)][:2]
['control.era', 'control.better_era']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.text.claims import Claim, Row
from helpers.report.text.prose import Declared
from helpers.results.catalogue import (
    CoInterventionRows,
    ControlEraRows,
    ControlTimeRows,
    FewEventsRows,
    FragilityRows,
    Key,
    MissingBoundsRows,
    SpecificationRows,
    UnmeasuredConfounderRows,
    WeightedEffectRows,
    WinStatisticsRows,
)

if TYPE_CHECKING:
    from helpers.report.text.claims import Material, Slot
    from helpers.results.store import Statistic


def _find(material: Material, key: Key, variable: str = "death") -> Statistic | None:
    return material.statistics.find(key, variable, group="both", timepoint=material.day)


def _result_to_lose(material: Material) -> bool:
    found = _find(material, SpecificationRows.significant, "analytic")
    return found is not None and found.value > 0


def methods(material: Material) -> list[Claim]:
    """How the doubts about the design were asked: one sentence for each question that has an answer."""

    def answered(key: Key, variable: str = "death") -> Statistic | None:
        found = _find(material, key, variable)
        known = found is not None and (found.value == found.value or found.p_value == found.p_value)
        return found if known else None

    claims = []
    if answered(ControlTimeRows.delayed_entry):
        claims.append(Claim("methods.control_entry"))
    if answered(ControlTimeRows.named("lag_1")):
        claims.append(Claim("methods.control_lag"))
    weights, budget = (
        answered(WeightedEffectRows.hazard_ratio, "ato"),
        answered(WeightedEffectRows.budget, "model"),
    )
    draws = material.parameters.get("bootstrap_draws")
    if weights is not None and budget is not None and draws is not None:
        slots: dict[str, Slot] = {"budget": Row(budget, 0)}
        slots["draws"] = Declared(str(draws), "parameters.bootstrap_draws")
        claims.append(Claim("methods.control_weights", slots))
    if answered(UnmeasuredConfounderRows.e_value):
        claims.append(Claim("methods.control_unmeasured"))
    if answered(FragilityRows.fisher_index):
        claims.append(Claim("methods.control_fragility"))
    if answered(FewEventsRows.exact_logrank_interval) or answered(FewEventsRows.posterior_weak):
        claims.append(Claim("methods.control_few"))
    if any(row.p_value == row.p_value for row in material.statistics.select(WinStatisticsRows.test)):
        claims.append(Claim("methods.control_wins"))
    if answered(MissingBoundsRows.difference, "response"):
        claims.append(Claim("methods.control_missing"))
    return claims


def fragility(material: Material) -> list[Claim]:
    """From which lag on, and after how many changed outcomes, significance is lost."""
    if not _result_to_lose(material):
        return []
    claims = []
    lag = _find(material, ControlTimeRows.lag_tipping_point)
    if lag is not None and lag.value > 0:
        claims.append(Claim("control.lag", {"lag": Row(lag, 0)}))
    elif lag is not None and lag.value != lag.value and lag.p_value == lag.p_value:
        claims.append(Claim("control.lag_stays"))
    entry = _find(material, ControlTimeRows.delayed_entry)
    if entry is not None and entry.value == entry.value:
        slots: dict[str, Slot] = {"ratio": Row(entry, 2), "level": material.level}
        claims.append(Claim("control.delayed_entry", slots))
    index = _find(material, FragilityRows.fisher_index)
    if index is not None and index.value > 0 and index.p_value >= material.alpha:
        key = "control.fragility_one" if index.value == 1 else "control.fragility"
        claims.append(Claim(key, {"index": Row(index, 0)}))
    confounder = _find(material, UnmeasuredConfounderRows.e_value)
    if confounder is not None and confounder.lower > 1:
        claims.append(Claim("control.e_value", {"e_value": Row(confounder, 1)}))
    return claims


def not_known(material: Material) -> list[Claim]:
    """What cannot be told from the treatment: era, other drugs, severity."""
    claims = []
    overlap, gap = (
        _find(material, ControlEraRows.named(name)) for name in ("calendar_overlap", "calendar_gap")
    )
    if overlap is not None and gap is not None and overlap.value == 0:
        claims.append(Claim("control.era", {"gap": Row(gap, 1)}))
    better = _find(material, ControlEraRows.tipping_point)
    if better is not None and better.value == better.value:
        claims.append(Claim("control.better_era", {"points": Row(better, 1)}))
    added = [
        _find(material, CoInterventionRows.named(f"begun_{arm}"), "any") for arm in ("treated", "reference")
    ]
    treated, reference = material.config.treated, material.config.reference
    if treated is not None and reference is not None and added[0] is not None and added[1] is not None:
        slots: dict[str, Slot] = {"treated": material.arm(treated), "reference": material.arm(reference)}
        slots |= {"one": Row(added[0], 0), "none": Row(added[1], 0)}
        claims.append(Claim("control.added", slots))
    budget = _find(material, WeightedEffectRows.budget, "model")
    if budget is not None and budget.n and budget.value < budget.n:
        claims.append(Claim("control.severity", {"budget": Row(budget, 0)}))
    return claims
