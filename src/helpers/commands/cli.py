"""The command ``compendium``: gathers the commands, one module each."""

from typing import Annotated

import typer

from helpers.commands.batch import batch
from helpers.commands.changes import changes
from helpers.commands.check import check
from helpers.commands.explain import explain
from helpers.commands.export import export
from helpers.commands.figures import figures
from helpers.commands.freeze import freeze
from helpers.commands.init import init
from helpers.commands.lab import lab
from helpers.commands.new import new
from helpers.commands.options import CompendiumGroup
from helpers.commands.refresh import refresh
from helpers.commands.report import report
from helpers.commands.run import run
from helpers.commands.share import share
from helpers.commands.status import status
from helpers.commands.tables import tables
from helpers.commands.verify import verify
from helpers.commands.warm import warm
from helpers.kernels.exit import exit_process

app = typer.Typer(
    name="compendium",
    cls=CompendiumGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"compendium {version('rdmas-compendium')}")
        raise typer.Exit


@app.callback()
def compendium(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version and end.")
    ] = False,
) -> None:
    """Analyse small treated cohorts with historical controls: from raw tables to statistics and figures."""


_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
app.command()(init)
app.command()(new)
app.command()(run)
app.command()(check)
app.command()(freeze)
app.command()(batch)
app.command()(changes)
app.command()(status)
app.command()(verify)
app.command()(explain)
app.command()(figures)
app.command()(tables)
app.command()(export)
app.command(context_settings=_PASSED_ON)(lab)
app.command(context_settings=_PASSED_ON | {"allow_interspersed_args": False})(warm)
app.command()(report)
app.command()(share)
app.command()(refresh)


def main() -> None:
    """Entry point of the command."""
    try:
        app()
    except SystemExit as end:
        exit_process(end.code if isinstance(end.code, int) else int(end.code is not None))


if __name__ == "__main__":
    main()
