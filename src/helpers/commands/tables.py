"""``compendium tables``: the tables of one cohort for one journal."""

from collections.abc import Callable, Sequence

from helpers.errors import CompendiumError
from helpers.project.paths import CohortPaths, ProjectError, shown


class TablesError(CompendiumError):
    """The tables cannot be written; the message says why and what to do."""


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
        TablesError: no such cohort, journal, format or table.
    """
    from helpers.cohort.config import load_config
    from helpers.cohort.problems import CohortError
    from helpers.report.formats.export import (
        FORMATS,
        TableExportError,
        chosen_tables,
        write_each,
        write_together,
    )
    from helpers.report.journals.requirements import JournalError
    from helpers.report.journals.table_themes import theme_named

    try:
        paths = CohortPaths.of(cohort)
        theme = theme_named(journal or load_config(paths.folder).report.journal)
        kind = next((known for known in FORMATS if known == form), None)
        if kind is None:
            raise TablesError(f"No format {form!r}: known are {', '.join(FORMATS)}.")
        update()
        tables = chosen_tables(paths.tables, wanted)
        folder = paths.tables / theme.name
        if wanted:
            files = write_each(tables, folder, kind, theme)
        else:
            files = [write_together(tables, folder / f"tables.{kind}", kind, theme)]
    except (CohortError, ProjectError, JournalError, TableExportError) as error:
        raise TablesError(str(error)) from None
    number = f"{len(tables)} table{'' if len(tables) == 1 else 's'}"
    lines = [f"{number} in the manner of {theme.name}:", *(f"  {shown(path)}" for path in files)]
    if theme.unverified and theme.name != "generic":
        lines.append(f"Not checked at the journal's page: {', '.join(theme.unverified)}.")
    return lines
