"""``compendium report``: manuscript and report of a cohort written anew."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from helpers.commands.options import COHORT_HELP, Output, complain, use_output
from helpers.commands.run import tell_plans
from helpers.errors import CompendiumError
from helpers.project.paths import DEFAULT_COHORT, CohortPaths, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from helpers.report.text.material import Study
    from helpers.report.text.wording import Language

_NEEDED = "Run `compendium run {name}` first: {what} is not there."


class ReportError(CompendiumError):
    """Manuscript and report cannot be written; the message says what is missing and how to get it."""


def report(
    cohort: Annotated[
        str, typer.Argument(metavar="[COHORT]", help=COHORT_HELP, show_default=DEFAULT_COHORT)
    ] = DEFAULT_COHORT,
    language: Annotated[
        str | None,
        typer.Option(
            metavar="en|en-US|zh|...",
            help="Language of the text; another than the cohort's own goes to files of its own.",
            show_default="the cohort's own",
        ),
    ] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Make a PDF of the report as well.")] = False,
    accept: Annotated[
        bool,
        typer.Option("--accept", help="Keep the numbers of your manuscript.md: later changes are listed."),
    ] = False,
    output: Output = None,
) -> None:
    """Write manuscript.docx, supplement.docx and report.html of a cohort whose notebooks have run.

    `compendium run` writes them by itself; this writes them again, for example in the other language. The
    exit status is 1 if the cohort has no results yet, or if something that is needed is not installed.
    """
    from helpers.report.text.accepted import RECORD
    from helpers.report.text.wording import LANGUAGE_TAGS

    use_output(output)
    if language is not None and language not in LANGUAGE_TAGS:
        complain(f"--language: found {language!r}, expected one of {', '.join(LANGUAGE_TAGS)}")
        raise typer.Exit(1)
    written = write_reports(cohort, language, pdf=pdf, keep_numbers=accept)
    tell_plans([CohortPaths.of(cohort).name])
    for path in written:
        typer.echo(f"{shown(path)} written")
    if accept and written[-1].name != RECORD:
        typer.echo("There is no manuscript.md of your own to accept.")


def write_reports(
    cohort: str, language: Language | None = None, *, pdf: bool = False, keep_numbers: bool = False
) -> list[Path]:
    """Write manuscript and report of a cohort whose notebooks have run.

    Args:
        cohort: name under ``data/cohorts/`` or path to a cohort folder.
        language: name of the language (``en``, ``en-US``, ``zh``); by default the cohort's own. Another
            language than the cohort's goes to files of its own, ``report.zh.html``.
        pdf: whether to make a PDF of the report as well.
        keep_numbers: whether the numbers of the cohort's own manuscript are kept as accepted.

    Raises:
        ProjectError: there is no such cohort.
        ReportError: the cohort has no results yet, or the program that makes PDFs is not installed.
        StaleResultsError: what they are made from is stale, mixed or edited by hand.
    """
    from helpers.report.formats.documents import MANUSCRIPT, REPORT, SUPPLEMENT
    from helpers.report.formats.manuscript import write_manuscript, write_supplement
    from helpers.report.formats.page.page import write_report
    from helpers.report.text.accepted import accept_numbers
    from helpers.report.text.material import Study
    from helpers.run.status import require_current

    paths = CohortPaths.of(cohort)
    for needed in (paths.statistics, paths.tables, paths.figures, paths.notebooks):
        if not needed.is_dir() or not any(needed.iterdir()):
            raise ReportError(_NEEDED.format(name=cohort, what=shown(needed)))
    require_current(paths, REPORT)
    make_pdf = _pdf_maker() if pdf else None
    study = Study.open(paths.folder, paths.results, paths.figures)
    chosen = language or study.config.report.language
    own = chosen == study.config.report.language
    manuscript, supplement, report = (
        paths.results / (name if own else name.replace(".", f".{chosen}."))
        for name in (MANUSCRIPT, SUPPLEMENT, REPORT)
    )
    record = _record(paths)
    written = [write_manuscript(study, manuscript, chosen), write_supplement(study, supplement, chosen)]
    written.append(write_report(study, report, record, chosen))
    if make_pdf is not None:
        target = report.with_suffix(".pdf")
        make_pdf(study, chosen, record, target)
        written.append(target)
    if keep_numbers and (kept := accept_numbers(study)):
        written.append(kept)
    return written


def _record(paths: CohortPaths) -> dict[str, Any]:
    """What the results were made from, as the step of the run that writes the report is told."""
    from helpers.report.formats.documents import REPORT
    from helpers.run.plan import load_plan
    from helpers.run.provenance import as_seen_by, read_record

    steps = load_plan()
    step = next(step for step in steps if REPORT in step.writes)
    return as_seen_by(step, steps, read_record(paths))


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
        from helpers.report.text.document import build_report
        from helpers.report.text.wording import Wording

        document = build_report(study, Wording.of(language, study.config), row_level=False)
        page = report_markup(document, record, on_paper=True)
        weasyprint.HTML(string=page).write_pdf(str(target))

    return print_pdf
