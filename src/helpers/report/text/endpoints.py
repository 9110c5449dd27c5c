"""Claims about the endpoints beside death.

>>> [claim.key for claim in endpoints(material)]
['endpoint.events', 'endpoint.not_recorded']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.text.claims import Claim, Items, Material, Row, Slot, Term, direction_of
from helpers.report.text.prose import Declared
from helpers.results.catalogue import EndpointEffectRows, EndpointRows

if TYPE_CHECKING:
    from helpers.cohort.outcomes import Endpoint
    from helpers.results.store import Statistic

# The effect said of an endpoint: the first of these that is estimated; with few events the penalised ones.
_EFFECTS = ("cox_efron", "cox_firth", "odds_ratio_firth", "odds_ratio_exact")
_FEW = 5


def endpoints(material: Material) -> list[Claim]:
    """How many had each endpoint beside death, and the effect with its interval."""
    claims = []
    for endpoint in material.config.endpoints:
        rows = material.statistics.select(EndpointRows.events, variable=endpoint.id)
        known = [row for row in rows if row.value == row.value]
        if known:
            claims += _endpoint(material, endpoint, known)
        for row in rows:
            if row.value != row.value:
                slots: dict[str, Slot] = {"label": _label(endpoint)}
                slots["arm"] = material.arm(material.config.group(row.group))
                claims.append(Claim("endpoint.not_recorded", slots))
    return claims


def _label(endpoint: Endpoint) -> Term:
    return Term(endpoint.label, f"endpoint.{endpoint.id}.label", "in_text")


def _endpoint(material: Material, endpoint: Endpoint, known: list[Statistic]) -> list[Claim]:
    day = Declared(known[0].timepoint.removeprefix("day_"), f"endpoint.{endpoint.id}.horizon")
    parts = tuple(
        Claim("endpoint.group", {"events": Row(row), "arm": material.arm(material.config.group(row.group))})
        for row in known
    )
    slots: dict[str, Slot] = {"label": _label(endpoint), "day": day, "groups": Items(parts)}
    claims = [Claim("endpoint.events", slots)]
    effect = _effect(material, endpoint, few=any(row.value < _FEW for row in known))
    treated, reference = material.config.treated, material.config.reference
    if effect is not None and treated is not None and reference is not None:
        ratio: dict[str, Slot] = {"ratio": Row(effect, 2), "level": material.level}
        ratio |= {"label": _label(endpoint)}
        ratio |= {"treated": material.arm(treated), "reference": material.arm(reference)}
        kind = "hazard" if effect.statistic.startswith("cox") else "odds"
        limits = (effect.lower, effect.upper)
        excluded = None if any(x != x for x in limits) else not effect.lower <= 1 <= effect.upper
        way = direction_of(effect.value, 1.0)
        claims.append(Claim(f"endpoint.{kind}_ratio", ratio, way, excluded, (effect.id,), "", 1.0))
    return claims


def _effect(material: Material, endpoint: Endpoint, *, few: bool) -> Statistic | None:
    names = [name for name in _EFFECTS if not few or "firth" in name or name == "odds_ratio_exact"]
    for name in names:
        for row in material.statistics.select(EndpointEffectRows.named(name), variable=endpoint.id):
            if row.value == row.value:
                return row
    return None
