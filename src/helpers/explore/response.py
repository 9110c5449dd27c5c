"""Response by visit: as the clinicians called it, or by any rule and variant; and who was in which class.

>>> from helpers.explore.study import open_study
>>> response(open_study("rdmas_reconstructed")).name
'exploratory_response'
>>> from helpers.explore.study import open_study
>>> (
...     callers(open_study("rdmas_reconstructed"))[:1],
...     levels_at_visits(open_study("rdmas_reconstructed"))[0][:1],
... )
(['clinicians'], ['week_1'])
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pandas as pd

from helpers.analysis.clinical import own_criteria
from helpers.analysis.response import DIED, count_responses, response_paths
from helpers.analysis.response_rules import call_responses
from helpers.clinical.response import VARIANTS, assess_response
from helpers.cohort.analysis_tables import shaped
from helpers.explore.look import Look, Picture, panel
from helpers.explore.parts import EVERYONE, Patients, choose
from helpers.explore.study import ExplorationError, Study
from helpers.report.figures.response import MOST_LABELLED, draw_response_paths, draw_response_shares
from helpers.report.tables.cells import Cell
from helpers.report.tables.content import Row, message, row
from helpers.report.tables.response import response_table
from helpers.report.tables.table import Table
from helpers.results.store import StatisticsStore

CLINICIANS, OWN_RULE = "clinicians", "rule of the cohort"
ShownAs = Literal["shares", "patients"]
_SHARES_MM, _EDGE_MM, _TILE_MM = 80.0, 34.0, 4.2
_SEEN = ("rule", "withdrawn")  # reasons of a call that something was recorded for


@panel
def response(
    study: Study,
    *,
    called_by: str = CLINICIANS,
    patients: Patients = EVERYONE,
    shown_as: ShownAs = "shares",
    visit: str = "",
    level: str = "",
    at_no_other_visit: bool = False,
    confidence: float = 0.95,
    journal: str = "generic",
) -> Look:
    """Show the levels of response by visit, or each patient's path; list who had one level at one visit.

    Args:
        study: the cohort.
        called_by: ``clinicians``, ``rule of the cohort``, or the name of a rule's variant.
        patients: whom it is about.
        shown_as: bars of ``shares``, or a row of tiles for each of the ``patients``.
        visit, level: the patients who had this level at this visit are listed instead of the counts.
        at_no_other_visit: list only those who had it at no other visit.
        confidence: level of the intervals.
        journal: whose sizes and manner are used.

    Raises:
        ExplorationError: it cannot be shown; the message says why.
    """
    chosen = choose(study, patients, known_by=float("inf"))
    view = chosen.study if called_by == CLINICIANS else _called(chosen.study, called_by)
    store = StatisticsStore(Path(), "explore")
    paths = count_responses(view.tables, view.config, store, confidence=confidence)
    rows = store.rows()
    table: Table = response_table(rows, view.config, watermark=view.watermark)
    if visit or level:
        table = _listed(view, paths, visit, level, alone=at_no_other_visit)
    else:
        table = replace(table, title=f"Exploratory. {table.title}, called by {called_by}")
    if shown_as == "patients":
        most = max((min(len(one), MOST_LABELLED) for one in paths.values()), default=10)
        picture = Picture(
            draw_response_paths, (paths, view.config), "double", _EDGE_MM + _TILE_MM * most,
            f"Response of each patient at each visit, called by {called_by}",
        )  # fmt: skip
    else:
        picture = Picture(
            draw_response_shares, (rows, view.config), "double", _SHARES_MM,
            f"Share of patients at each level of response by visit, called by {called_by}",
        )  # fmt: skip
    named = replace(table, name="exploratory_response")
    return Look("exploratory_response", view, picture, named, rows, chosen.notes, journal)


def callers(study: Study) -> list[str]:
    """Return who or what can call responses in this cohort: clinicians, its rule, variants, its own files."""
    own = [OWN_RULE] if study.config.criteria.response else []
    return [CLINICIANS, *own, *VARIANTS, *own_criteria(study.paths.folder, ("response",))]


def _called(study: Study, called_by: str) -> Study:
    """Return the study whose recorded responses are the calls of a rule."""
    if called_by not in callers(study):
        raise ExplorationError(
            f"Nothing called {called_by!r} calls responses.",
            remedy=f"There are: {', '.join(callers(study))}.",
        )
    found = call_responses(study.tables, study.config, study.paths.folder)
    if called_by == OWN_RULE:
        rule = found.rule
        if found.why_not or rule is None:
            raise ExplorationError(f"No response by rule: {found.why_not}.")
    else:
        name, given = VARIANTS.get(called_by, (called_by, {}))
        rule = found.rules.response(name, {**found.settings, **given})
    if study.config.baseline_visit is None:
        raise ExplorationError("No response by rule: the cohort has no visit on day 0.")
    calls = assess_response(
        found.facts, study.tables.patients, rule, withdrawal_day=found.withdrawn, with_names=False
    )
    seen = calls[calls["reason"].isin(_SEEN) & calls["response"].isin(["CR", "PR", "NR"])]
    made = pd.DataFrame(
        {
            "patient_id": seen["patient_id"], "visit": seen["visit"], "day": seen["day"],
            "response": seen["response"], "selected": True, "role": "selected", "source_row": 0,
        }
    )  # fmt: skip
    config = study.config
    levels = config.response.model_copy(update={"levels": ()})
    categories = {name: one for name, one in config.categories.items() if name != "response"}
    plain = config.model_copy(update={"response": levels, "categories": categories})
    return study.with_(plain, replace(study.tables, responses=shaped("responses", made)))


def _listed(study: Study, paths: dict[str, pd.DataFrame], visit: str, level: str, *, alone: bool) -> Table:
    """Return the patients with a level at a visit, each with the calls of all visits."""
    config = study.config
    known = [one.id for one in config.visits if any(one.id in table for table in paths.values())]
    levels = [*(one.id for one in config.response_levels), DIED]
    if visit not in known or level not in levels:
        raise ExplorationError(
            f"No visit {visit!r} with a level {level!r}.",
            remedy=f"Visits: {', '.join(known)}; levels: {', '.join(levels)}.",
        )
    rows: list[Row] = []
    for group, table in paths.items():
        table = table.reindex(columns=known)
        found = table[table[visit] == level]
        if alone:
            found = found[(found == level).sum(axis=1) == 1]
        for patient, calls in sorted(found.iterrows()):
            cells: list[Cell | str] = [
                "not assessed" if pd.isna(call) else str(call) for call in calls.to_list()
            ]
            rows.append(row(str(patient), config.group(group).label, *cells))
    when = config.visit(visit).label
    columns = ["Patient", "Group", *[config.visit(name).label for name in known]]
    only = " and at no other visit" if alone else ""
    title = f"Exploratory. {level} at {when.lower()}{only}: {len(rows)} patients"
    nothing = [message("None of the patients.")]
    return Table("exploratory_response", title, columns, rows or nothing, (), study.watermark)


def levels_at_visits(study: Study) -> tuple[list[str], list[str]]:
    """Return the visits at which anybody was assessed, and the levels of response."""
    tables = [response_paths(study.tables, study.config, group) for group in study.config.group_ids]
    visits = [one.id for one in study.config.visits if any(one.id in table for table in tables)]
    return visits, [*(one.id for one in study.config.response_levels), DIED]
