"""``compendium export``: a cohort's statistics for other programs."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from helpers.commands.options import COHORT_HELP, Output, Workers, counted, use_output
from helpers.commands.run import bring_up_to_date
from helpers.errors import CompendiumError
from helpers.project.paths import DEFAULT_COHORT, CohortPaths, shown

FORMATS = ("ard",)


class ExportError(CompendiumError):
    """A form that statistics are not written in."""


def export(
    cohort: Annotated[str, typer.Argument(metavar="[COHORT]", help=COHORT_HELP)] = DEFAULT_COHORT,
    form: Annotated[
        str,
        typer.Option("--format", metavar="FORMAT", help="ard: Analysis Results Data, as R's package cards."),
    ] = "ard",
    workers: Workers = None,
    output: Output = None,
) -> None:
    """Write every number of a cohort for another program, one line each.

    The results are brought up to date first. Analysis Results Data go to results/COHORT/statistics_ard.csv;
    docs/ard.md has the columns and how R reads them.
    """
    use_output(output)
    path, rows, lines = write_statistics(cohort, form, update=lambda: bring_up_to_date([cohort], workers))
    typer.echo(f"{counted(rows, 'statistic')} in {counted(lines, 'line')}: {shown(path)}")


def write_statistics(cohort: str, form: str, *, update: Callable[[], None]) -> tuple[Path, int, int]:
    """Bring a cohort's results up to date and write its statistics.

    Args:
        cohort: name or path of the cohort.
        form: name of the form.
        update: brings the results up to date.

    Returns:
        The file, the number of stored rows and that of the lines made of them.

    Raises:
        CompendiumError: no such cohort or form, or no statistics.
    """
    from helpers.cohort.config import load_config
    from helpers.report.formats.ard import ard_csv, ard_lines
    from helpers.results.files import write_whole
    from helpers.results.store import Statistics

    if form not in FORMATS:
        raise ExportError(f"No format {form!r}: known are {', '.join(FORMATS)}.")
    paths = CohortPaths.of(cohort)
    vocabulary = load_config(paths.folder).vocabulary
    update()
    statistics = Statistics.read(paths.statistics)
    if not statistics:
        raise ExportError("No statistics are stored yet: run `compendium run` first.")
    path = paths.results / "statistics_ard.csv"
    write_whole(path, ard_csv(statistics, vocabulary).encode())
    return path, len(statistics), sum(1 for _ in ard_lines(statistics.values(), vocabulary))
