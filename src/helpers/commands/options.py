"""Options and arguments that several commands share, and how commands end."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from helpers.errors import CompendiumError
from helpers.faults import in_words
from helpers.project.paths import OUTPUT_VARIABLE

COHORT_HELP = "Name of a folder under data/cohorts/, or path to a cohort folder anywhere."

Output = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        file_okay=False,
        help="Folder that receives results/ and figures/ instead of the project's own.",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="How many notebooks run at the same time.", show_default="one per processor"
    ),
]
JournalName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="generic, frontiers, nature, lancet, nejm, jama or plos.",
        show_default="the cohort's own",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Run every notebook, whether anything changed or not.")]


class CompendiumGroup(TyperGroup):
    """Commands whose errors are told in words: a fault that the user can mend never shows a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; the exit status is 1 if it raises an error of the compendium."""
        try:
            return super().invoke(ctx)
        except CompendiumError as error:
            complain(str(error))
        except (OSError, MemoryError, ModuleNotFoundError) as error:
            if not (said := in_words(error)):
                raise
            complain(said)
        raise typer.Exit(1)


def complain(text: str) -> None:
    """Write to standard error."""
    typer.echo(text, err=True)


def counted(number: int, noun: str) -> str:
    """A number with its noun: ``1 error``, ``2 errors``.

    >>> counted(1, "cohort"), counted(2, "cohort")
    ('1 cohort', '2 cohorts')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


def use_output(output: Path | None) -> None:
    """Have everything go to another output folder, for this process and those that it starts."""
    if output is not None:
        os.environ[OUTPUT_VARIABLE] = str(output.expanduser().absolute())
