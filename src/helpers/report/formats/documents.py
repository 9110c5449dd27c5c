"""Manuscript and report of a cohort, as steps of a run write them."""

from __future__ import annotations

import json
from pathlib import Path

MANUSCRIPT, SUPPLEMENT, REPORT = "manuscript.docx", "supplement.docx", "report.html"


def manuscript_step(folder: Path, results: Path, figures: Path) -> None:
    """Write manuscript, supplement and the list of changed numbers; arguments are the cohort's folders."""
    from helpers.report.formats.manuscript import write_manuscript, write_supplement
    from helpers.report.text.accepted import CHANGES, write_changes
    from helpers.report.text.material import Study

    study = Study.open(folder, results, figures)
    write_manuscript(study, results / MANUSCRIPT)
    write_supplement(study, results / SUPPLEMENT)
    write_changes(study, results / CHANGES)


def report_step(folder: Path, results: Path, figures: Path) -> None:
    """Write ``report.html`` in the language of the cohort; arguments are the cohort's folders.

    What the results were made from is read in ``provenance.json``, which the run has written.
    """
    from helpers.report.formats.page.page import write_report
    from helpers.report.text.material import Study

    record = json.loads((results / "provenance.json").read_text(encoding="utf-8"))
    write_report(Study.open(folder, results, figures), results / REPORT, record)
