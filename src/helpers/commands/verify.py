"""``compendium verify``: is a folder of results what its record says?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from helpers.commands.options import complain, counted
from helpers.errors import CompendiumError

if TYPE_CHECKING:
    from helpers.trust.privacy import Leak


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
    privacy: Annotated[
        bool,
        typer.Option("--privacy", help="Instead, say what in FOLDER would give a patient away."),
    ] = False,
    cohort: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="With --privacy: search for this cohort's ids, dates and rows too."
        ),
    ] = None,
    smallest: Annotated[
        int, typer.Option(metavar="N", min=2, help="With --privacy: the smallest count that may be shown.")
    ] = 5,
) -> None:
    """Say what of a folder of results is missing, changed, stale, of other data or code, or not recorded.

    Nothing is run and nothing is written; links are named and not followed. The exit status is 1 if anything
    is not as the record says.

    With --privacy every file of any folder is searched for names, dates, numbers of persons and hospitals,
    paths, rows of patients and small counts, also such as follow by difference.
    """
    if privacy:
        _search(folder, cohort, smallest)
        return
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


def _search(folder: Path, cohort: str | None, smallest: int) -> None:
    from helpers.project.paths import cohort_folder
    from helpers.trust.own_data import OwnData
    from helpers.trust.privacy import search_folder

    own = None if cohort is None else OwnData.of(cohort_folder(cohort))
    refuse_leaks(search_folder(folder, own, smallest=smallest))
    files = sum(path.is_file() for path in folder.rglob("*"))
    typer.echo(f"{counted(files, 'file')} searched: nothing found that would give a patient away")


def refuse_leaks(leaks: "list[Leak]") -> None:
    """Name what would give a patient away, and leave with status 1 if there is anything."""
    from helpers.trust.privacy import named

    for line in named(leaks):
        complain(line)
    if leaks:
        complain(f"{counted(len(leaks), 'leak')}: this folder must not leave the hospital.")
        raise typer.Exit(1)
