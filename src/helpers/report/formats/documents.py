"""Manuscript and report of a cohort, as steps of a run write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MANUSCRIPT, SUPPLEMENT, REPORT = "manuscript.docx", "supplement.docx", "report.html"


def manuscript_step(folder: Path, results: Path, figures: Path, parameters: Mapping[str, Any]) -> None:
    """Write manuscript, supplement and the list of changed numbers.

    Args:
        folder, results, figures: the cohort's folders.
        parameters: parameters of the notebooks.
    """
    from helpers.report.formats.manuscript import write_manuscript, write_supplement
    from helpers.report.text.accepted import CHANGES, write_changes
    from helpers.report.text.material import Study

    study = Study.open(folder, results, figures, parameters)
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
