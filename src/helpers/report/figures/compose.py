"""Figures composed of panels, drawn again from analysis tables and statistics at their final size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.report.figures.course import Course, draw_courses, laboratory_courses
from helpers.report.figures.output.drawings import drawing
from helpers.report.figures.output.export import FORMATS
from helpers.report.figures.output.publish import ReportSettings, publish_figure
from helpers.report.figures.response import draw_response_shares
from helpers.report.figures.style import panel_letter
from helpers.report.figures.survival import draw_survival, survival_height
from helpers.results.store import Statistics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from helpers.cohort.config import CohortConfig

HEIGHT_MM = 205


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
