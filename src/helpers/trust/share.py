"""A folder that may leave the hospital: statistics, tables, figures and documents without small counts."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.errors import CompendiumError
from helpers.results.disclosure import ExhibitClass, exhibit_class
from helpers.results.files import write_whole
from helpers.results.spreadsheet import harmless
from helpers.results.store import Statistics, write_rows
from helpers.results.suppression import SMALLEST, Shared, suppressed

if TYPE_CHECKING:
    from helpers.project.paths import CohortPaths
    from helpers.report.text.material import Study
    from helpers.report.text.wording import Wording

NOTE = "README.md"
LIST = "left_out.csv"
_OWN = ("python", "packages", "parameters")  # of the record: nothing of raw data, files or the checkout
_WHY: dict[ExhibitClass, str] = {
    "patients": "it shows rows, courses or points of single patients",
    "untraced": "its numbers do not say of which statistic they are, so nobody can tell which may be shown",
    "verdict": "its words follow from numbers that are not shown",
}
_NEVER = (
    ("data/", "analysis tables: rows of single patients"),
    ("notebooks/", "executed notebooks: their outputs hold every number"),
    ("provenance.json", "digests of the raw data and names of files"),
    ("published_comparison.csv", "recomputed values beside printed ones, which are not stored statistics"),
    ("manuscript_changes.csv", "numbers as they were before"),
)


class ShareError(CompendiumError):
    """A folder to share cannot be made; the message says why and how to mend it."""


@dataclass
class SharedFolder:
    """What was put into a folder to share.

    Attributes:
        folder: the folder.
        shared: the rows as they may be shared.
        files: what was written, relative to it.
        left_out: figures, tables and files that were left out, with the reason.
    """

    folder: Path
    shared: Shared
    files: list[str] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)


def share(paths: CohortPaths, folder: Path, *, smallest: int = SMALLEST) -> SharedFolder:
    """Make a folder of a cohort's results that may leave the hospital; the same bytes each time.

    Args:
        paths: the cohort, whose results are current.
        folder: the folder to make; it must not exist, or be empty.
        smallest: the smallest count of patients that is shown, 2 or more.

    Raises:
        ShareError: the folder holds something, or the smallest count is below 2.
        StatisticsStoreError: the cohort has no results.
    """
    from helpers.report.text.material import Study

    if smallest < 2:
        raise ShareError(f"--smallest is {smallest}, which hides nothing.", remedy="Give 2 or more.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ShareError(f"{folder} is not empty.", remedy="Name a folder that does not exist yet.")
    study = Study.open(paths.folder, paths.results, paths.figures)
    made = SharedFolder(folder, suppressed(study.statistics, smallest))
    _write_statistics(made, paths)
    _write_tables(made, paths, study)
    _write_figures(made, paths, study)
    _write_documents(made, paths, study)
    made.left_out += [(place, why) for place, why in _NEVER if (paths.results / place).exists()]
    write_whole(folder / LIST, _list(made).encode())
    write_whole(folder / NOTE, _note(made, study).encode())
    made.files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return made


def _write_statistics(made: SharedFolder, paths: CohortPaths) -> None:
    for path in sorted(paths.statistics.glob("*.csv")):
        names = [
            name for name in Statistics.read(paths.statistics, [path.stem]) if name in made.shared.statistics
        ]
        write_rows(made.folder / "statistics" / path.name, (made.shared.statistics[name] for name in names))


def _write_tables(made: SharedFolder, paths: CohortPaths, study: Study) -> None:
    from helpers.report.formats.export import export_tables
    from helpers.report.tables.table import stored_tables
    from helpers.report.text.wording import Wording
    from helpers.trust.shared_tables import SharedTable

    wording = Wording.of(study.config.report.language, study.config)
    for table in stored_tables(paths.tables):
        kind, one = exhibit_class(table.name), SharedTable(table, made.shared)
        if kind in ("patients", "untraced") or (kind == "verdict" and one.hidden):
            made.left_out.append((f"tables/{table.name}", _WHY[kind]))
        elif one.hidden and not one.shown:
            made.left_out.append((f"tables/{table.name}", "none of its numbers may be shown"))
        else:
            one.table.save(made.folder / "tables", wording)
    export_tables(paths.folder, made.folder)


def _write_figures(made: SharedFolder, paths: CohortPaths, study: Study) -> None:
    from helpers.report.figures.output.recipes import SUFFIX, recipe_names
    from helpers.report.journals.requirements import journal_named
    from helpers.trust.shared_figures import share_figure

    journal = journal_named(study.config.report.journal)
    for name in recipe_names(paths.recipes):
        kind = exhibit_class(name)
        why = _WHY.get(kind) or share_figure(
            paths.recipes / f"{name}{SUFFIX}", made.folder / "figures", made.shared, journal,
            marks=kind == "marks",
        )  # fmt: skip
        if why:
            made.left_out.append((f"figures/{name}", why))


def _write_documents(made: SharedFolder, paths: CohortPaths, study: Study) -> None:
    """Write manuscript, supplement and report from what is in the folder already."""
    from helpers.report.formats.documents import MANUSCRIPT, REPORT, SUPPLEMENT
    from helpers.report.formats.manuscript import write_manuscript, write_supplement
    from helpers.report.formats.page.page import report_markup
    from helpers.report.text.document import build_report
    from helpers.report.text.wording import Wording

    wording = Wording.of(study.config.report.language, study.config)
    config = study.config.model_copy(update={"data_note": _said(made, study, wording)})
    shared = replace(
        study, results=made.folder, figures_folder=made.folder / "figures", config=config,
        statistics=made.shared.statistics, unabridged=_unabridged(study.statistics, made.shared),
    )  # fmt: skip
    write_manuscript(shared, made.folder / MANUSCRIPT)
    write_supplement(shared, made.folder / SUPPLEMENT)
    page = report_markup(build_report(shared, wording, row_level=False), _record(paths), on_paper=True)
    write_whole(made.folder / REPORT, page.encode())


def _unabridged(statistics: Statistics, shared: Shared) -> Statistics:
    """All rows; those shown as they are shown, so that they do not differ by a method's words."""
    hides = {*shared.hidden, *shared.without_n}
    return Statistics(row if row.id in hides else shared.statistics[row.id] for row in statistics.values())


def _said(made: SharedFolder, study: Study, wording: Wording) -> str:
    words = wording.words("report.toml")
    said = str(words["shared"]).format(smallest=made.shared.smallest, hidden=len(made.shared.hidden))
    return " ".join(text for text in (wording.term(study.config.data_note), said) if text)


def _record(paths: CohortPaths) -> dict[str, Any]:
    record = json.loads((paths.results / "provenance.json").read_text(encoding="utf-8"))
    return {name: record[name] for name in _OWN if name in record}


def _list(made: SharedFolder) -> str:
    rows: Iterable[tuple[str, str]] = [*made.left_out]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerows([harmless(text) for text in row] for row in [("left_out", "why"), *rows])
    return buffer.getvalue()


def _note(made: SharedFolder, study: Study) -> str:
    smallest, shared = made.shared.smallest, made.shared
    reasons = "\n".join(f"| {number} | {why} |" for why, number in shared.reasons().items())
    watermark = f"**{study.config.watermark}**\n\n" if study.config.watermark else ""
    return (
        f"# {study.config.title}: results to share\n\n{watermark}"
        f"Counts below {smallest} are not shown, zero included, nor is any number that would give one away. "
        f"In their place stands `<{smallest}` or `not shown`; the statistics have no value there and say so "
        f"in the column `qualifier`. Of {len(shared.statistics)} numbers {len(shared.hidden)} are not shown, "
        f"and of {len(shared.without_n)} shown the number of patients is not:\n\n"
        f"| numbers | not shown |\n|---:|---|\n{reasons}\n\n"
        f"Figures, tables and files that were left out stand in `{LIST}`, each with the reason. A sentence "
        "stands in manuscript and report only if it is the same with and without what is not shown.\n"
    )
