"""Claims about who is in the analysis: flow, follow-up, criteria, eligibility.

>>> [claim.key for claim in patient_flow(material)][:2]
['flow.patients']
>>> [claim.key for claim in row_flow(material)][:2]
['flow.rows']
>>> [claim.key for claim in follow_up(material)][:2]
['follow_up.median']
>>> [claim.key for claim in eligibility(material)][:2]
['eligibility.refractory_eligible', 'eligibility.more_than_once']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.text.claims import Claim, Items, Material, Row, Slot, Term
from helpers.results.catalogue import (
    DiagnosisRows,
    EligibilityRows,
    FlowRows,
    RefractorinessRows,
    SurvivalRows,
)
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
            {
                "n": Row(stored[FlowRows.analysed.id("patients", group=g.id, timepoint="baseline")]),
                "arm": material.arm(g),
            },
        )
        for g in material.config.groups
    )
    recorded = stored[FlowRows.recorded.id("patients", timepoint="baseline")]
    excluded = stored[FlowRows.excluded.id("patients", timepoint="baseline")]
    slots: dict[str, Slot] = {"recorded": Row(recorded), "excluded": Row(excluded), "groups": Items(groups)}
    return [Claim("flow.patients", slots)]


def row_flow(material: Material) -> list[Claim]:
    """How many raw rows were used."""
    return [
        Claim("flow.rows", {"used": Row(material.statistics[FlowRows.used.id("rows", timepoint="baseline")])})
    ]


def follow_up(material: Material) -> list[Claim]:
    """Median time in the analysis of each group."""
    found = []
    for group in material.config.groups:
        row = material.statistics.find(SurvivalRows.follow_up, "death", group=group.id)
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

    >>> [claim.key for claim in criteria_met(material, {"hlh_2004": "HLH-2004"})][:1]
    ['criteria.met']
    """
    claims = []
    for name, title in titles.items():
        moment = material.config.criteria.moment
        if (
            DiagnosisRows.met.id(slug(name), group=material.config.group_ids[0], timepoint=moment)
            not in material.statistics
        ):
            moment = "baseline"  # nobody's day of diagnosis was recorded
        stems = [
            DiagnosisRows.stem(slug(name), group=group.id, timepoint=moment)
            for group in material.config.groups
        ]
        if any(DiagnosisRows.met.at(stem) not in material.statistics for stem in stems):
            continue
        rows = [material.statistics[DiagnosisRows.met.at(stem)] for stem in stems]
        open_ = [material.statistics[DiagnosisRows.undetermined.at(stem)] for stem in stems]
        with_verdict = any(row.value < (row.n or 0) for row in open_)
        term = Term(title, f"criteria.{name}.title", "plain")
        if not (name in decided if decided is not None else with_verdict):
            claims.append(Claim("criteria.no_verdict", {"title": term}))
            continue
        undecided = bool(sum(row.value for row in open_))
        not_met = [material.statistics[DiagnosisRows.not_met.at(stem)] for stem in stems]
        groups = tuple(
            Claim(
                "criteria.group_open" if undecided else "criteria.group",
                {"met": Row(row), "not_met": Row(no), "open": Row(left), "arm": material.arm(group)},
            )
            for row, no, left, group in zip(rows, not_met, open_, material.config.groups, strict=True)
        )
        found = Items(groups, "semicolons" if undecided else "list")
        claims.append(Claim("criteria.met", {"title": term, "groups": found}))
    return claims


def eligibility(material: Material) -> list[Claim]:
    """How many patients were refractory, by which item, and how many were eligible by the rules."""
    stored, claims = material.statistics, []
    for group in material.config.groups:
        refractory = stored.find(RefractorinessRows.met, "verdict", group=group.id, timepoint="baseline")
        if refractory is None:
            continue
        reasons = tuple(
            Claim(
                f"eligibility.{name}",
                {"met": Row(stored[RefractorinessRows.met.id(name, group=group.id, timepoint="baseline")])},
            )
            for name in _REASONS
            if RefractorinessRows.met.id(name, group=group.id, timepoint="baseline") in stored
        )
        slots: dict[str, Slot] = {
            "arm": material.arm(group),
            "met": Row(refractory),
            "reasons": Items(reasons, "commas"),
        }
        eligible = stored.find(EligibilityRows.met, "verdict", group=group.id, timepoint="baseline")
        if eligible is None:
            claims.append(Claim("eligibility.refractory", slots))
        else:
            claims.append(Claim("eligibility.refractory_eligible", slots | {"eligible": Row(eligible)}))
        if len(reasons) > 1:
            claims.append(Claim("eligibility.more_than_once"))
    return claims
