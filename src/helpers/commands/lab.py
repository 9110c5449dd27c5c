"""``compendium lab``: JupyterLab with the libraries loaded."""

import sys

import typer

from helpers.project.paths import notebooks_dir


def lab(context: typer.Context) -> None:
    """Open JupyterLab in the notebooks folder; its own options, such as --no-browser, are passed on.

    New notebooks find the libraries loaded.
    """
    from helpers.kernels.fork_server.client import turn_into

    turn_into([sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={notebooks_dir()}", *context.args])
