"""A place for figures of a test."""

from dataclasses import dataclass, field
from pathlib import Path

from helpers.cohort.report_settings import Report
from helpers.report.figures.output.export import FORMATS


@dataclass
class Place:
    folder: Path
    watermark: str = ""
    report: Report = field(default_factory=Report)
    figure_formats: tuple[str, ...] = FORMATS

    @property
    def figures(self):
        return self.folder / "figures"

    @property
    def recipes(self):
        return self.folder / "results" / "cohort" / "data" / "recipes"
