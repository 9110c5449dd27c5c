"""``compendium share``: results that may leave the hospital."""

from pathlib import Path
from typing import Annotated

import typer

from helpers.commands.options import COHORT_HELP, Output, counted, use_output
from helpers.commands.verify import refuse_leaks
from helpers.project.paths import DEFAULT_COHORT, CohortPaths, shown


def share(
    cohort: Annotated[
        str, typer.Argument(metavar="[COHORT]", help=COHORT_HELP, show_default=DEFAULT_COHORT)
    ] = DEFAULT_COHORT,
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Folder to make; it must not exist.", show_default="shared/COHORT"
        ),
    ] = None,
    smallest: Annotated[
        int, typer.Option(metavar="N", min=2, help="The smallest count of patients that is shown.")
    ] = 5,
    output: Output = None,
) -> None:
    """Make a folder of a cohort's results that may leave the hospital.

    Counts below the smallest one, and whatever would give them away, are not shown; what holds rows of single
    patients is left out, and named. The folder is then searched as by `verify --privacy`: the exit status is
    1 if that finds anything.
    """
    from helpers.report.formats.documents import REPORT
    from helpers.run.status import require_current
    from helpers.trust.own_data import OwnData
    from helpers.trust.privacy import search_folder
    from helpers.trust.share import share as made_folder

    use_output(output)
    paths = CohortPaths.of(cohort)
    require_current(paths, REPORT)
    made = made_folder(paths, to or Path("shared") / paths.name, smallest=smallest)
    typer.echo(f"{counted(len(made.files), 'file')} in {shown(made.folder)}")
    typer.echo(f"{len(made.shared.hidden)} of {len(made.shared.statistics)} numbers are not shown")
    for place, why in made.left_out:
        typer.echo(f"  left out: {place}: {why}")
    leaks = search_folder(made.folder, OwnData.of(paths.folder), smallest=smallest)
    refuse_leaks(leaks)
