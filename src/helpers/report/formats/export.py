"""Stored tables written for a journal: Word, LaTeX, workbook, HTML, csv. No notebook is needed.

>>> [table.name for table in chosen_tables(study.results / "tables", [])][:1]
['table_1']
>>> table_format("pages")  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
helpers.report.formats.export.TableExportError: No format 'pages': known are docx, tex, ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from helpers.errors import CompendiumError
from helpers.report.journals.table_themes import Theme, theme_named
from helpers.report.tables.table import Table, TableFormat, stored_tables
from helpers.results.files import write_whole

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig

FORMATS: tuple[TableFormat, ...] = get_args(TableFormat)
_TOGETHER: tuple[TableFormat, ...] = ("docx", "tex", "xlsx")  # what the step writes, all tables in one file


class TableExportError(CompendiumError):
    """A table or format that does not exist; the message lists those that do."""


def table_format(name: str) -> TableFormat:
    """The format of this name.

    Raises:
        TableExportError: there is none.
    """
    for known in FORMATS:
        if known == name:
            return known
    raise TableExportError(f"No format {name!r}: known are {', '.join(FORMATS)}.")


def export_tables(folder: Path, results: Path) -> None:
    """Write ``tables.docx``, ``.tex`` and ``.xlsx`` with all stored tables in the cohort's journal's manner.

    Args:
        folder: the cohort's folder, whose configuration names the journal.
        results: the cohort's results; ``tables/*.json`` is read, ``tables/`` written.
    """
    from helpers.cohort.config import load_config

    config = load_config(folder)
    theme = theme_named(config.report.journal)
    tables = in_report_language(stored_tables(results / "tables"), config)
    for form in _TOGETHER:
        write_together(tables, results / "tables" / f"tables.{form}", form, theme)


def in_report_language(tables: Sequence[Table], config: CohortConfig) -> list[Table]:
    """Return tables in the language of the cohort's report.

    >>> from helpers.report.tables.table import Table
    >>> table = Table("table_2_response", "Response", ["", "Treated"], [["CR", "6 (30%)"]])
    >>> in_report_language([table], config)[0].title
    'Response'
    """
    from helpers.report.tables.language import in_language
    from helpers.report.text.wording import Wording

    wording = Wording.of(config.report.language, config)
    return [in_language(table, wording) for table in tables]


def write_together(tables: Sequence[Table], path: Path, form: TableFormat, theme: Theme) -> Path:
    """Write all tables into one file.

    >>> import tempfile
    >>> from helpers.report.journals.table_themes import theme_named
    >>> from helpers.report.tables.table import Table
    >>> table = Table("table_2_response", "Response", ["", "Treated"], [["CR", "6 (30%)"]])
    >>> write_together(
    ...     [table], Path(tempfile.mkdtemp(), "tables.tex"), table_format("tex"), theme_named()
    ... ).name
    'tables.tex'
    """
    write_whole(path, _WRITERS[form](tables, theme))
    return path


def write_each(tables: Iterable[Table], directory: Path, form: TableFormat, theme: Theme) -> list[Path]:
    """Write each table into a file of its own, named after it.

    >>> import tempfile
    >>> from helpers.report.journals.table_themes import theme_named
    >>> from helpers.report.tables.table import Table
    >>> table = Table("table_2_response", "Response", ["", "Treated"], [["CR", "6 (30%)"]])
    >>> [
    ...     path.name
    ...     for path in write_each(
    ...         [table], Path(tempfile.mkdtemp()), table_format("csv"), theme_named()
    ...     )
    ... ]
    ['table_2_response.csv']
    """
    return [write_together([table], directory / f"{table.name}.{form}", form, theme) for table in tables]


def chosen_tables(directory: Path, wanted: Sequence[str]) -> list[Table]:
    """Return the stored tables of these names, in the order of their numbers; all of them if none is named.

    Raises:
        TableExportError: there is no table of a name, or none at all.
    """
    known = {table.name: table for table in stored_tables(directory)}
    if not known:
        raise TableExportError("No tables are stored yet: run `compendium run` first.")
    absent = [name for name in wanted if name not in known]
    if absent:
        raise TableExportError(f"No table {', '.join(absent)}. There are: {', '.join(known)}.")
    return [table for name, table in known.items() if not wanted or name in wanted]


def _docx(tables: Sequence[Table], theme: Theme) -> bytes:
    from helpers.report.formats.docx import tables_document

    return tables_document(tables, theme)


def _tex(tables: Sequence[Table], theme: Theme) -> bytes:
    from helpers.report.formats.latex import tables_latex

    return tables_latex(tables, theme).encode()


def _xlsx(tables: Sequence[Table], theme: Theme) -> bytes:
    from helpers.report.formats.xlsx import tables_workbook

    return tables_workbook(tables, theme)


def _html(tables: Sequence[Table], theme: Theme) -> bytes:
    from helpers.report.formats.html import page

    return page(tables, theme).encode()


def _csv(tables: Sequence[Table], theme: Theme) -> bytes:
    from helpers.report.formats.text import to_csv

    return "\n".join(to_csv(table, theme) for table in tables).encode()


_WRITERS: dict[TableFormat, Callable[[Sequence[Table], Theme], bytes]] = {
    "docx": _docx, "tex": _tex, "xlsx": _xlsx, "html": _html, "csv": _csv,
}  # fmt: skip
