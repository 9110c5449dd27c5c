"""Figures composed of panels, drawn again from analysis tables and statistics at their final size.

>>> courses = laboratory_courses(tables, config)
>>> draw_figure_1(container, statistics, config, courses)
>>> len(container.subfigs) > 1
True
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.report.figures.common import size_mm, wrapped
from helpers.report.figures.course import Course, dose_courses, draw_courses, laboratory_courses
from helpers.report.figures.dose import draw_dose_ribbon
from helpers.report.figures.flow import draw_patient_flow
from helpers.report.figures.output.drawings import drawing
from helpers.report.figures.output.export import FORMATS
from helpers.report.figures.output.publish import ReportSettings, publish_figure
from helpers.report.figures.output.recipes import Recipe
from helpers.report.figures.response import draw_response_shares
from helpers.report.figures.style import character_mm, panel_letter
from helpers.report.figures.survival import draw_survival, survival_height
from helpers.results.store import Statistics

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

    from helpers.cohort.config import CohortConfig
    from helpers.report.journals.requirements import Journal

HEIGHT_MM = 205
GRAPHICAL_ABSTRACT = "graphical_abstract"


@drawing
def draw_figure_1(
    container: Figure,
    statistics: Statistics,
    config: CohortConfig,
    courses: Sequence[Course],
) -> None:
    """Draw A survival, B response by visit, C course of laboratory values and temperature."""
    upper, lower = container.subfigures(2, 1, height_ratios=[0.8, 1.0], squeeze=False).flat
    left, right = upper.subfigures(1, 2, squeeze=False).flat
    for panel, letter in ((left, "A"), (right, "B"), (lower, "C")):
        panel_letter(panel, letter)
    draw_survival(left, statistics, config)
    draw_response_shares(right, statistics, config)
    draw_courses(lower, courses, statistics, config)


@drawing
def draw_graphical_abstract(
    container: Figure | SubFigure, statistics: Statistics, config: CohortConfig, doses: Sequence[Course]
) -> None:
    """Draw who was studied, and what became of them: flow, survival, response and dose, below the title."""
    width = size_mm(container)[0] / character_mm()
    container.suptitle(wrapped(config.title, int(width)), x=0.01, ha="left", fontweight="bold")
    left, right = container.subfigures(1, 2, squeeze=False).flat
    upper, lower = left.subfigures(2, 1, squeeze=False, height_ratios=[1.0, 1.2]).flat
    draw_patient_flow(upper, statistics, config)
    draw_response_shares(lower, statistics, config)
    upper, lower = right.subfigures(2, 1, squeeze=False, height_ratios=[1.4, 1.0]).flat
    draw_survival(upper, statistics, config)
    draw_dose_ribbon(lower, doses, statistics, config)


def graphical_abstract(folder: Path, results: Path, journal: Journal) -> Recipe:
    """Return what the graphical abstract of a cohort is drawn from, for a journal's size.

    Args:
        folder: the cohort's folder.
        results: the cohort's results, up to date.
        journal: whose height it has.
    """
    from helpers.analysis.steroids import doses_at_visits
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import load_config

    config = load_config(folder)
    notebooks = ["01_data_cleaning", "03_response_dynamics", "04_survival", "05_steroid_sparing"]
    statistics = Statistics.read(results / "statistics", notebooks)
    doses = dose_courses(doses_at_visits(AnalysisTables.read(results / "data"), config), config)
    words = "Graphical abstract: flow of patients, survival, response and dose"
    return Recipe(
        GRAPHICAL_ABSTRACT, "double", journal.abstract_height, words, config.watermark,
        config.report.language, config.report.terms, tuple(config.report.cjk_fonts), draw_graphical_abstract,
        (statistics, config, doses), {},
    )  # fmt: skip


@dataclass(frozen=True)
class _Destination:
    figures: Path
    recipes: Path
    watermark: str
    report: ReportSettings
    figure_formats: Sequence[str] = FORMATS


def compose_figure_1(folder: Path, results: Path, figures: Path) -> None:
    """Save figure 1 of a cohort whose cleaning, response and survival notebooks have run.

    Args:
        folder: the cohort's folder.
        results: the cohort's results.
        figures: the cohort's figures.
    """
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import load_config

    config = load_config(folder)
    statistics = Statistics.read(results / "statistics", ["03_response_dynamics", "04_survival"])
    courses = laboratory_courses(AnalysisTables.read(results / "data"), config)
    description = "Survival, response and course of laboratory values"
    publish_figure(
        _Destination(figures, results / "data" / "recipes", config.watermark, config.report),
        "figure_1",
        "double",
        survival_height(config, HEIGHT_MM),
        description,
        draw_figure_1,
        statistics,
        config,
        courses,
    )
