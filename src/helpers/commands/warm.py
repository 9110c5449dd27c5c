"""``compendium warm``: any command, whose notebooks find the libraries loaded."""

from typing import Annotated

import typer

from helpers.commands.options import complain


def warm(
    context: typer.Context,
    keep: Annotated[
        float | None,
        typer.Option(
            "--keep",
            metavar="MINUTES",
            min=0.01,
            help="Leave a process with loaded libraries running, which later commands use, until nobody has "
            "used it for so long.",
        ),
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="End the process that is kept running.")] = False,
) -> None:
    """Run any command, such as papermill or pytest --nbval, whose notebooks find the libraries loaded.

    With --keep there need be no command: the libraries stay loaded for those that follow.
    """
    if stop:
        from helpers.kernels.fork_server.kept import stop as end

        typer.echo("Ended." if end() else "None is kept running.")
        return
    if keep is not None:
        from helpers.kernels.fork_server.kept import keep as leave_running

        leave_running(keep)
        if not context.args:
            typer.echo(f"Kept until it has not been used for {keep:g} minutes, or: compendium warm --stop")
            return
    _run(context.args)


def _run(command: list[str]) -> None:
    from helpers.kernels.fork_server.use import turn_into

    if not command:
        complain("Name the command to run, for example: compendium warm papermill in.ipynb out.ipynb")
        raise typer.Exit(2)
    try:
        turn_into(command)
    except OSError as error:
        complain(f"{command[0]} cannot be run: {error.strerror}")
        raise typer.Exit(1) from None
