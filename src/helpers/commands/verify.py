"""``compendium verify``: is a folder of results what its record says?"""

from pathlib import Path
from typing import Annotated

import typer

from helpers.commands.options import complain, counted
from helpers.errors import CompendiumError


def verify(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="results/NAME, or a folder that holds results/.")
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="The cohort's raw data.", show_default="data/cohorts/NAME of this project"
        ),
    ] = None,
) -> None:
    """Say what of a folder of results is missing, changed, stale, of other data or code, or not recorded.

    Nothing is run and nothing is written; links are named and not followed. The exit status is 1 if anything
    is not as the record says.
    """
    from helpers.trust.integrity import verify as verified
    from helpers.trust.received import result_folders

    fine = True
    for one in result_folders(folder):
        try:
            found = verified(one, data)
        except CompendiumError as error:  # the others are told all the same
            complain(str(error))
            fine = False
            continue
        typer.echo(f"{found.name}: {counted(found.files, 'file')} as recorded")
        for remark in found.remarks:
            typer.echo(f"  {remark}")
        for finding in found.findings:
            complain(f"  {finding}")
        fine = fine and not found.findings
    if not fine:
        raise typer.Exit(1)
