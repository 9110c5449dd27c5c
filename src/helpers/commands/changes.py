"""``compendium changes``: what changed since the last data."""

from typing import Annotated

import typer

from helpers.commands.options import COHORT_HELP, Output, counted, use_output
from helpers.errors import CompendiumError
from helpers.project.paths import CohortPaths


def changes(
    cohort: Annotated[str, typer.Argument(metavar="COHORT", help=COHORT_HELP)], output: Output = None
) -> None:
    """Say number by number what changed since the data before.

    `compendium new` keeps the statistics whenever files are taken in again; after the next run they are
    compared.
    """
    from helpers.run.changes import changes as compare
    from helpers.run.changes import kept_before

    use_output(output)
    paths = CohortPaths.of(cohort)
    before = kept_before(paths)
    if not before.is_dir():
        remedy = "They are kept when `compendium new` takes files in again."
        raise CompendiumError(f"No statistics of earlier data are kept of {paths.name}.", remedy=remedy)
    found = compare(before, paths.statistics)
    for one in found:
        typer.echo(str(one))
    typer.echo(f"{paths.name}: {counted(len(found), 'number')} changed since the data before")
