"""``compendium warm``: any command, whose notebooks find the libraries loaded."""

import typer

from helpers.commands.options import complain


def warm(context: typer.Context) -> None:
    """Run any command, such as papermill or pytest --nbval, whose notebooks find the libraries loaded."""
    from helpers.kernels.fork_server.client import turn_into

    if not context.args:
        complain("Name the command to run, for example: compendium warm papermill in.ipynb out.ipynb")
        raise typer.Exit(2)
    try:
        turn_into(context.args)
    except OSError as error:
        complain(f"{context.args[0]} cannot be run: {error.strerror}")
        raise typer.Exit(1) from None
