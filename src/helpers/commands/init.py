"""``compendium init``: a project folder for whoever has installed the package alone."""

from pathlib import Path
from typing import Annotated

import typer


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder; new or empty.")],
) -> None:
    """Make a project folder: notebooks, their plan, and the shipped cohort; a checkout is one already.

    Commands that are given in the folder, or below it, use it: `compendium new`, `check`, `run`, `lab`.
    """
    from helpers.project.template import make_project

    made = make_project(folder)
    typer.echo(f"{folder}: {len(made)} files. Go on there: cd {folder}")
    typer.echo("  compendium run                   the shipped cohort, to see what comes of it")
    typer.echo("  compendium new NAME --template   a cohort of your own")
