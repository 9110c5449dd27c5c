"""Glucocorticoid dose over time, and who came down to a low one.

>>> from helpers.explore.study import open_study
>>> steroids(open_study("rdmas_reconstructed")).name
'exploratory_steroids'
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from helpers.analysis.steroid_endpoints import describe_alive_at_low_dose, describe_composite_rank
from helpers.analysis.steroids import (
    describe_cumulative_dose,
    describe_doses,
    describe_fall,
    describe_low_dose,
    doses_at_visits,
)
from helpers.explore.look import Look, Picture, panel
from helpers.explore.parts import EVERYONE, Patients, choose
from helpers.explore.study import ExplorationError, Study
from helpers.report.figures.course import dose_courses
from helpers.report.figures.dose import draw_dose_ribbon
from helpers.report.tables.safety import low_dose_table
from helpers.report.tables.steroids import dose_table
from helpers.results.store import StatisticsStore

DoseSummary = Literal["weekly_mean", "last"]
_HEIGHT = 85.0


@panel
def steroids(
    study: Study,
    *,
    patients: Patients = EVERYONE,
    threshold: float | None = None,
    dose_summary: DoseSummary | None = None,
    horizon_days: int | None = None,
    low_dose: bool = False,
    confidence: float = 0.95,
    journal: str = "generic",
) -> Look:
    """Show the dose in prednisone equivalents by group or part.

    Args:
        study: the cohort.
        patients: whom it is about.
        threshold: low dose in mg/kg/d; None: the cohort's own.
        dose_summary: dose at a visit, the mean of the week that ends at it or that of the day; None: the
            cohort's own.
        horizon_days: last day for reaching a low dose; None: the cohort's own.
        low_dose: whether the table shows who is alive at a low dose instead of the doses.
        confidence: level of the intervals.
        journal: whose sizes and manner are used.

    Raises:
        ExplorationError: it cannot be shown; the message says why.
    """
    if threshold is not None and threshold <= 0:
        raise ExplorationError("A low dose is above 0 mg/kg/d.")
    chosen = choose(study, patients, known_by=float("inf"))
    own = chosen.study.config.steroids
    given = {
        "threshold_mg_per_kg": own.threshold_mg_per_kg if threshold is None else threshold,
        "dose_summary": dose_summary or own.dose_summary,
    }
    config = chosen.study.config.model_copy(update={"steroids": own.model_copy(update=given)})
    view = chosen.study.with_(config, chosen.study.tables)
    horizon = float(config.horizon_days if horizon_days is None else horizon_days)
    store = StatisticsStore(Path(), "explore")
    doses = doses_at_visits(view.tables, config)
    describe_doses(doses, view.tables, config, store)
    describe_fall(doses, view.tables, config, store)
    describe_cumulative_dose(view.tables, config, store, horizon_days=horizon)
    describe_low_dose(view.tables, config, store, horizon_days=horizon, confidence=confidence)
    if low_dose:
        describe_alive_at_low_dose(view.tables, config, store, horizon_days=horizon, confidence=confidence)
        describe_composite_rank(view.tables, config, store, horizon_days=horizon, confidence=confidence)
    rows = store.rows()
    make = low_dose_table if low_dose else dose_table
    table = make(rows, config, watermark=view.watermark)
    picture = Picture(
        draw_dose_ribbon, (dose_courses(doses, config), rows, config), "double", _HEIGHT,
        "Glucocorticoid dose in prednisone equivalents over time: median, middle half and range",
    )  # fmt: skip
    titled = replace(table, name="exploratory_steroids", title=f"Exploratory. {table.title}")
    return Look("exploratory_steroids", view, picture, titled, rows, chosen.notes, journal)
