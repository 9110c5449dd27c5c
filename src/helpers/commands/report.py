"""The last steps of a run: manuscript and report of a cohort, and the command that writes them anew.

The report shows what ``provenance.json`` will say. That file is written when all steps are done, so the
record is collected here from the steps before and handed to the report, which knows nothing of the pipeline.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.errors import CompendiumError
from helpers.project.paths import CohortPaths, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from helpers.report.text.material import Study
    from helpers.report.text.wording import Language
    from helpers.run.plan import Step

MANUSCRIPT, REPORT = "manuscript.docx", "report.html"
_NEEDED = "Run `compendium run {name}` first: {what} is not there."


class ReportError(CompendiumError):
    """Manuscript and report cannot be written; the message says what is missing and how to get it."""


def write_manuscript_step(folder: Path, results: Path, figures: Path) -> None:
    """Write ``manuscript.docx`` in the language of the cohort; arguments are the cohort's folders."""
    from helpers.report.formats.manuscript import write_manuscript
    from helpers.report.text.material import Study

    write_manuscript(Study.open(folder, results, figures), results / MANUSCRIPT)


def write_report_step(folder: Path, results: Path, figures: Path) -> None:
    """Write ``report.html`` in the language of the cohort; arguments are the cohort's folders."""
    from helpers.report.formats.page.page import write_report
    from helpers.report.text.material import Study

    study = Study.open(folder, results, figures)
    paths = CohortPaths(results.name, folder, results, figures)
    write_report(study, results / REPORT, _record(study, paths))


def _record(study: Study, paths: CohortPaths) -> dict[str, Any]:
    """Return the record of provenance of all steps that the report waits for."""
    from helpers.run.parameters import COHORT, declared_parameters
    from helpers.run.plan import load_plan
    from helpers.run.provenance import collect

    own = _steps_before(load_plan())
    declared = {step.name: declared_parameters(step.source) for step in own if step.is_notebook}
    # A parameter counts for the notebooks that declare it, with the value that they were executed with.
    executed = {name: value for name, value in study.parameters.items() if name != COHORT}
    return collect(paths, own, executed, declared, [])


def _steps_before(steps: tuple[Step, ...]) -> list[Step]:
    """Return the steps that the report waits for, in the order of the plan; others may run beside it."""
    from helpers.run.plan import predecessors

    waiting = [step for step in steps if REPORT in step.writes]
    found: dict[str, Step] = {}
    while waiting:
        for before in predecessors(waiting.pop(), steps):
            if before.name not in found:
                found[before.name] = before
                waiting.append(before)
    return [step for step in steps if step.name in found]


def write_reports(cohort: str, language: Language | None = None, *, pdf: bool = False) -> list[Path]:
    """Write manuscript and report of a cohort whose notebooks have run.

    Args:
        cohort: name under ``data/cohorts/`` or path to a cohort folder.
        language: ``en`` or ``zh``; by default the cohort's own. Another language than the cohort's goes to
            files of its own, ``report.zh.html``.
        pdf: whether to make a PDF of the report as well.

    Raises:
        ProjectError: there is no such cohort.
        ReportError: the cohort has no results yet, or the program that makes PDFs is not installed.
    """
    from helpers.report.formats.manuscript import write_manuscript
    from helpers.report.formats.page.page import write_report
    from helpers.report.text.material import Study

    paths = CohortPaths.of(cohort)
    for needed in (paths.statistics, paths.tables, paths.figures, paths.notebooks):
        if not needed.is_dir() or not any(needed.iterdir()):
            raise ReportError(_NEEDED.format(name=cohort, what=shown(needed)))
    make_pdf = _pdf_maker() if pdf else None
    study = Study.open(paths.folder, paths.results, paths.figures)
    chosen = language or study.config.report.language
    own = chosen == study.config.report.language
    manuscript, report = (
        paths.results / (name if own else name.replace(".", f".{chosen}.")) for name in (MANUSCRIPT, REPORT)
    )
    record = _record(study, paths)
    written = [write_manuscript(study, manuscript, chosen), write_report(study, report, record, chosen)]
    if make_pdf is not None:
        target = report.with_suffix(".pdf")
        make_pdf(study, chosen, record, target)
        written.append(target)
    return written


def _pdf_maker() -> Any:
    """Return the function that prints a page to a PDF file.

    Raises:
        ReportError: WeasyPrint, or a library of the system that it needs, is not installed.
    """
    try:
        weasyprint = importlib.import_module("weasyprint")
    except ImportError:
        raise ReportError(
            "The PDF is made by WeasyPrint, which is not installed: `uv sync --extra pdf` installs it. "
            "Or open report.html in a browser and print it to a PDF file."
        ) from None
    except OSError as error:
        raise ReportError(
            f"WeasyPrint lacks a library of the system ({error}): install Pango (Debian: libpango-1.0-0 "
            "libpangoft2-1.0-0; macOS: `brew install pango`). Or print report.html from a browser."
        ) from None

    def print_pdf(study: Study, language: Language, record: Mapping[str, Any], target: Path) -> None:
        from helpers.report.formats.page.page import report_markup
        from helpers.report.text.document import build_document
        from helpers.report.text.wording import Wording

        document = build_document(study, Wording.of(language, study.config))
        page = report_markup(document, record, on_paper=True)
        weasyprint.HTML(string=page).write_pdf(str(target))

    return print_pdf
