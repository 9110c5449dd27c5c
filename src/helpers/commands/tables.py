"""``compendium tables``: the tables of one cohort for one journal."""

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from helpers.commands.options import COHORT_HELP, JournalName, Output, Workers, use_output
from helpers.commands.run import bring_up_to_date
from helpers.project.paths import DEFAULT_COHORT, CohortPaths, shown


def tables(
    cohort: Annotated[str, typer.Argument(metavar="[COHORT]", help=COHORT_HELP)] = DEFAULT_COHORT,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="docx, tex, xlsx, html or csv.")
    ] = "docx",
    journal: JournalName = None,
    table: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this table, such as table_1. May be given repeatedly."),
    ] = None,
    workers: Workers = None,
    output: Output = None,
) -> None:
    """Write a cohort's tables as a journal prints numbers: p-values, decimal points, medians, counts.

    The results are brought up to date first; the tables are then written from what the notebooks stored,
    without running them again, into results/COHORT/tables/JOURNAL: all in one file, or those named each in a
    file of its own.
    """
    use_output(output)
    lines = write_for_journal(
        cohort, journal, form, table or [], update=lambda: bring_up_to_date([cohort], workers)
    )
    for line in lines:
        typer.echo(line)


def write_for_journal(
    cohort: str,
    journal: str | None,
    form: str,
    wanted: Sequence[str],
    *,
    update: Callable[[], None],
) -> list[str]:
    """Bring a cohort's results up to date and write its tables into ``results/COHORT/tables/JOURNAL``.

    Args:
        cohort: name or path of the cohort.
        journal: name of the journal; the cohort's own if None.
        form: format, which is the ending of the files.
        wanted: names of the tables, each of which gets its own file; all of them in one file if empty.
        update: brings the results up to date.

    Returns:
        What was done, in words.

    Raises:
        CompendiumError: no such cohort, journal, format or table.
    """
    from helpers.cohort.config import load_config
    from helpers.report.formats.export import (
        chosen_tables,
        in_report_language,
        table_format,
        write_each,
        write_together,
    )
    from helpers.report.journals.table_themes import theme_named

    paths = CohortPaths.of(cohort)
    config = load_config(paths.folder)
    theme = theme_named(journal or config.report.journal)
    kind = table_format(form)
    update()
    tables = in_report_language(chosen_tables(paths.tables, wanted), config)
    folder = paths.tables / theme.name
    if wanted:
        files = write_each(tables, folder, kind, theme)
    else:
        files = [write_together(tables, folder / f"tables.{kind}", kind, theme)]
    number = f"{len(tables)} table{'' if len(tables) == 1 else 's'}"
    lines = [f"{number} in the manner of {theme.name}:", *(f"  {shown(path)}" for path in files)]
    if theme.unverified and theme.name != "generic":
        lines.append(f"Not checked at the journal's page: {', '.join(theme.unverified)}.")
    return lines
