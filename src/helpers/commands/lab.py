"""``compendium lab``: JupyterLab on a start page, with the libraries loaded; or the explorer as a page."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from helpers.commands.options import COHORT_HELP, counted
from helpers.project.paths import notebooks_dir, output_root, project_root, shown

JUPYTER = Path(__file__).with_name("jupyter")  # settings, the kernel's name, and the page's template


def lab(
    context: typer.Context,
    cohort: Annotated[
        str | None,
        typer.Option(metavar="COHORT", help=f"Open copies of the notebooks for this cohort. {COHORT_HELP}"),
    ] = None,
    page: Annotated[
        bool, typer.Option("--page", help="Show the explorer as a page of its own, without cells (voila).")
    ] = False,
) -> None:
    """Open JupyterLab on a start page; its own options, such as --no-browser, are passed on.

    New notebooks find the libraries loaded. Nothing is fetched from elsewhere: no news, no look for updates.
    """
    from helpers.explore.start import EXPLORE, bind_notebooks, write_start_page
    from helpers.kernels.fork_server.use import turn_into

    start = write_start_page()
    notebook = notebooks_dir() / EXPLORE
    if cohort is not None:
        folder, made = bind_notebooks(cohort)
        typer.echo(
            f"{counted(len(made), 'notebook')} copied to {shown(folder)}; those there stay as they are."
        )
        start = notebook = folder / EXPLORE
    root = project_root() if start.is_relative_to(project_root()) else output_root()
    use_settings()
    if page:
        command = ["voila", str(notebook), "--template=compendium"]
    else:
        # What inserts code below a view speaks to the page of JupyterLab.
        command = [
            "jupyterlab", f"--ServerApp.root_dir={root}", "--LabApp.expose_app_in_browser=True",
            "--ServerApp.contents_manager_class=helpers.explore.contents.ProjectContents",
            "--LabApp.extension_manager=readonly", "--LabApp.news_url=None",
            f"--LabApp.default_url=/lab/tree/{start.relative_to(root).as_posix()}",
        ]  # fmt: skip
    turn_into([sys.executable, "-m", *command, *context.args])


def use_settings() -> None:
    """Have JupyterLab and voila find the project's settings, before those of the user and the machine.

    Kernels learn that somebody watches them.
    """
    from helpers.run.cell_watch import PROGRESS_VARIABLE

    os.environ[PROGRESS_VARIABLE] = "1"
    for variable in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH"):
        former = os.environ.get(variable)
        os.environ[variable] = os.pathsep.join([str(JUPYTER), *([former] if former else [])])
