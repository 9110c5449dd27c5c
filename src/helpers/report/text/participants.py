"""Claims about who is in the analysis: flow, follow-up, criteria, eligibility."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.text.claims import Claim, Items, Material, Row, Slot, Term
from helpers.results.store import slug

if TYPE_CHECKING:
    from collections.abc import Mapping

_REASONS = ("high_dose", "pulse", "recurrence")


def patient_flow(material: Material) -> list[Claim]:
    """How many patients were recorded, excluded and analysed."""
    stored = material.statistics
    groups = tuple(
        Claim(
            "flow.group",
            {"n": Row(stored[f"flow.patients.{g.id}.baseline.analysed"]), "arm": material.arm(g)},
        )
        for g in material.config.groups
    )
    recorded = stored["flow.patients.all.baseline.recorded"]
    excluded = stored["flow.patients.all.baseline.excluded"]
    slots: dict[str, Slot] = {"recorded": Row(recorded), "excluded": Row(excluded), "groups": Items(groups)}
    return [Claim("flow.patients", slots)]


def row_flow(material: Material) -> list[Claim]:
    """How many raw rows were used."""
    return [Claim("flow.rows", {"used": Row(material.statistics["flow.rows.all.baseline.used"])})]


def follow_up(material: Material) -> list[Claim]:
    """Median time in the analysis of each group."""
    found = []
    for group in material.config.groups:
        row = material.statistics.find("survival", "death", "follow_up", group=group.id)
        if row is not None and row.value == row.value:
            found.append(Claim("follow_up.group", {"days": Row(row), "arm": material.arm(group)}))
    return [Claim("follow_up.median", {"groups": Items(tuple(found))})] if found else []


def criteria_met(
    material: Material, titles: Mapping[str, str], decided: frozenset[str] | None = None
) -> list[Claim]:
    """How many patients meet each criteria set, and whether what was not measured leaves verdicts open.

    Args:
        material: statistics and settings.
        titles: name of each criteria set and its title.
        decided: sets with a verdict in at least one patient; by default worked out from the statistics.
    """
    claims = []
    for name, title in titles.items():
        moment = material.config.criteria.moment
        if f"diagnosis.{slug(name)}.{material.config.group_ids[0]}.{moment}.met" not in material.statistics:
            moment = "baseline"  # nobody's day of diagnosis was recorded
        stems = [f"diagnosis.{slug(name)}.{group.id}.{moment}" for group in material.config.groups]
        if any(f"{stem}.met" not in material.statistics for stem in stems):
            continue
        rows = [material.statistics[f"{stem}.met"] for stem in stems]
        open_ = [material.statistics[f"{stem}.undetermined"] for stem in stems]
        with_verdict = any(row.value < (row.n or 0) for row in open_)
        term = Term(title, f"criteria.{name}.title", "plain")
        if not (name in decided if decided is not None else with_verdict):
            claims.append(Claim("criteria.no_verdict", {"title": term}))
            continue
        groups = tuple(
            Claim("criteria.group", {"met": Row(row), "arm": material.arm(group)})
            for row, group in zip(rows, material.config.groups, strict=True)
        )
        key = "criteria.met_open" if sum(row.value for row in open_) else "criteria.met"
        claims.append(Claim(key, {"title": term, "groups": Items(groups)}))
    return claims


def eligibility(material: Material) -> list[Claim]:
    """How many patients were refractory, by which item, and how many were eligible by the rules."""
    stored, claims = material.statistics, []
    for group in material.config.groups:
        refractory = stored.find("refractoriness", "verdict", "met", group=group.id, timepoint="baseline")
        if refractory is None:
            continue
        reasons = tuple(
            Claim(
                f"eligibility.{name}", {"met": Row(stored[f"refractoriness.{name}.{group.id}.baseline.met"])}
            )
            for name in _REASONS
            if f"refractoriness.{name}.{group.id}.baseline.met" in stored
        )
        slots: dict[str, Slot] = {
            "arm": material.arm(group),
            "met": Row(refractory),
            "reasons": Items(reasons, "commas"),
        }
        eligible = stored.find("eligibility", "verdict", "met", group=group.id, timepoint="baseline")
        if eligible is None:
            claims.append(Claim("eligibility.refractory", slots))
        else:
            claims.append(Claim("eligibility.refractory_eligible", slots | {"eligible": Row(eligible)}))
    return claims
