"""The command ``compendium``."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from helpers.kernels.exit import leave
from helpers.project.paths import DEFAULT_COHORT, OUTPUT_VARIABLE, CohortPaths, ProjectError, shown

if TYPE_CHECKING:
    from helpers.cluster.settings import ClusterChoice

app = typer.Typer(
    name="compendium",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Analyse small treated cohorts with historical controls: from raw tables to statistics and figures.",
)

_COHORT_HELP = "Name of a folder under data/cohorts/, or path to a cohort folder anywhere."
_INTERRUPTED = 130

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


@app.command()
def run(
    cohorts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COHORT]...", help=_COHORT_HELP, show_default=DEFAULT_COHORT),
    ] = None,
    workers: Workers = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Set a parameter of the notebooks, for example horizon_days=90. May be given repeatedly.",
        ),
    ] = None,
    grid: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE,...",
            help="Run once with each value, for example horizon_days=28,56,90; given repeatedly, with each "
            "combination. Results go to results/COHORT@NAME=VALUE.",
        ),
    ] = None,
    force: Force = False,
    output: Output = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS|slurm",
            help="Have a Dask cluster run the notebooks: address of its scheduler (tcp://login1:8786), or "
            "slurm for jobs of its own. See docs/scale.md.",
        ),
    ] = None,
    cluster_settings: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", dir_okay=False, help="Settings of the SLURM jobs.", show_default="cluster.toml"
        ),
    ] = None,
) -> None:
    """Bring the results of cohorts up to date.

    Runs those notebooks whose data, code or parameters have changed since the last run, several at a
    time, and leaves the others alone. Results go to results/COHORT and figures/COHORT. A notebook that
    fails does not stop those that do not need it. The exit status is 0 only if everything asked for was
    done.
    """
    from helpers.cluster.settings import ClusterChoice

    _use_output(output)
    choice = ClusterChoice(cluster, cluster_settings) if cluster else None
    _run(cohorts or [DEFAULT_COHORT], workers, param or [], force, grid or [], choice)


@app.command()
def check(cohorts: Annotated[list[str], typer.Argument(metavar="COHORT...", help=_COHORT_HELP)]) -> None:
    """List everything that is wrong with the raw tables of cohorts, without analysing them.

    Each problem names the file, the row, the column, what was found, what was expected and how to mend
    it. The exit status is 1 if anything must be mended before the cohort can be analysed; warnings alone
    do not count.
    """
    from helpers.run.checking import cohort_problems

    faulty = False
    for cohort in cohorts:
        try:
            paths = CohortPaths.of(cohort)
        except ProjectError as error:
            _complain(str(error))
            faulty = True
            continue
        problems = cohort_problems(paths)
        errors = [problem for problem in problems if problem.severity == "error"]
        for problem in problems:
            typer.echo(str(problem), err=True)
        warnings = len(problems) - len(errors)
        typer.echo(f"{shown(paths.folder)}: {_count(len(errors), 'error')}, {_count(warnings, 'warning')}")
        faulty = faulty or bool(errors)
    if faulty:
        raise typer.Exit(1)


@app.command()
def explain(
    cohort: Annotated[str, typer.Argument(metavar="COHORT", help=_COHORT_HELP)],
    patient: Annotated[str, typer.Argument(metavar="PATIENT", help="Patient as written in the data.")],
    week: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Explain the response and dose of this week's visit only.",
            show_default="every visit",
        ),
    ] = None,
) -> None:
    """Say why a patient meets the criteria, is refractory and is called a responder.

    Every item is printed with its rule, the value with unit and day, and the line of the raw table that it
    comes from. Nothing is written. The exit status is 1 if there is no such cohort, patient or visit.
    """
    from helpers.commands.explain import ExplanationError, explanation

    try:
        typer.echo(explanation(cohort, patient, week), nl=False)
    except ExplanationError as error:
        _complain(str(error))
        raise typer.Exit(1) from None


@app.command()
def figures(
    cohort: Annotated[str, typer.Argument(metavar="[COHORT]", help=_COHORT_HELP)] = DEFAULT_COHORT,
    journal: JournalName = None,
    figure: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this figure, such as figure_1a. May be given repeatedly."),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Open each file written and list what the journal would send back."),
    ] = False,
    workers: Workers = None,
    output: Output = None,
) -> None:
    """Draw a cohort's figures for a journal: its column widths, text sizes, largest height and formats.

    The results are brought up to date first; the figures are then drawn from what the notebooks drew, without
    running them again, into figures/COHORT/JOURNAL. With --check the exit status is 1 if a file has a fault.
    """
    from helpers.commands.figures import FigureError, draw_for_journal

    _use_output(output)
    try:
        report = draw_for_journal(
            cohort, journal, figure or [], check=check, update=lambda: _run([cohort], workers, [], False)
        )
    except FigureError as error:
        _complain(str(error))
        raise typer.Exit(1) from None
    for line in report.lines:
        typer.echo(line)
    for fault in report.faults:
        _complain(str(fault))
    if report.faults:
        raise typer.Exit(1)


@app.command()
def tables(
    cohort: Annotated[str, typer.Argument(metavar="[COHORT]", help=_COHORT_HELP)] = DEFAULT_COHORT,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="docx, tex, xlsx, html or csv.")
    ] = "docx",
    journal: JournalName = None,
    table: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this table, such as table_1. May be given repeatedly."),
    ] = None,
    workers: Workers = None,
    output: Output = None,
) -> None:
    """Write a cohort's tables as a journal prints numbers: p-values, decimal points, medians, counts.

    The results are brought up to date first; the tables are then written from what the notebooks stored,
    without running them again, into results/COHORT/tables/JOURNAL: all in one file, or those named each in a
    file of its own.
    """
    from helpers.commands.tables import TablesError, write_for_journal

    _use_output(output)
    try:
        lines = write_for_journal(
            cohort, journal, form, table or [], update=lambda: _run([cohort], workers, [], False)
        )
    except TablesError as error:
        _complain(str(error))
        raise typer.Exit(1) from None
    for line in lines:
        typer.echo(line)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context) -> None:
    """Open JupyterLab in the notebooks folder; its own options, such as --no-browser, are passed on.

    New notebooks find the libraries loaded.
    """
    from helpers.kernels.fork_server.client import turn_into
    from helpers.project.paths import notebooks_dir

    turn_into([sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={notebooks_dir()}", *context.args])


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def warm(context: typer.Context) -> None:
    """Run any command, such as papermill or pytest --nbval, whose notebooks find the libraries loaded."""
    from helpers.kernels.fork_server.client import turn_into

    if not context.args:
        _complain("Name the command to run, for example: compendium warm papermill in.ipynb out.ipynb")
        raise typer.Exit(2)
    try:
        turn_into(context.args)
    except OSError as error:
        _complain(f"{context.args[0]} cannot be run: {error.strerror}")
        raise typer.Exit(1) from None


@app.command()
def report(
    cohort: Annotated[
        str, typer.Argument(metavar="[COHORT]", help=_COHORT_HELP, show_default=DEFAULT_COHORT)
    ] = DEFAULT_COHORT,
    language: Annotated[
        str | None,
        typer.Option(
            metavar="en|zh",
            help="Language of the text; another than the cohort's own goes to files of its own.",
            show_default="the cohort's own",
        ),
    ] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Make a PDF of the report as well.")] = False,
    output: Output = None,
) -> None:
    """Write manuscript.docx and report.html of a cohort whose notebooks have run.

    `compendium run` writes both by itself; this writes them again, for example in the other language. The
    exit status is 1 if the cohort has no results yet, or if something that is needed is not installed.
    """
    from helpers.commands.report import ReportError, write_reports
    from helpers.report.text.wording import LANGUAGES

    _use_output(output)
    if language is not None and language not in LANGUAGES:
        _complain(f"--language: found {language!r}, expected one of {', '.join(LANGUAGES)}")
        raise typer.Exit(1)
    chosen = next((known for known in LANGUAGES if known == language), None)
    try:
        for path in write_reports(cohort, chosen, pdf=pdf):
            typer.echo(f"{shown(path)} written")
    except (ProjectError, ReportError, ValueError) as error:
        _complain(str(error))
        raise typer.Exit(1) from None


@app.command()
def refresh(workers: Workers = None, force: Force = False) -> None:
    """Store the notebooks with the outputs of the default cohort, as they are committed.

    Brings the default cohort up to date with the notebooks' own parameters and puts the executed notebooks in
    place of those in notebooks/, without times, paths or random ids.
    """
    from helpers.commands.refresh import store_executed

    _run([DEFAULT_COHORT], workers, [], force)
    for path in store_executed(DEFAULT_COHORT):
        typer.echo(f"{shown(path)} stored with its outputs")


def _use_output(output: Path | None) -> None:
    if output is not None:
        os.environ[OUTPUT_VARIABLE] = str(output.expanduser().absolute())


def _run(
    cohorts: list[str],
    workers: int | None,
    assignments: list[str],
    force: bool,
    grid: list[str] | None = None,
    cluster: "ClusterChoice | None" = None,
) -> None:
    """Run, tell what became of it, and leave with status 1 unless everything was done."""
    from rich.console import Console

    from helpers.cluster.settings import ClusterError
    from helpers.run.grid import parse_grid
    from helpers.run.outcomes import RunError
    from helpers.run.parameters import ParameterError, parse_assignments
    from helpers.run.plan import PlanError
    from helpers.run.progress import RunProgress, tell
    from helpers.run.runner import run

    progress = RunProgress(Console(highlight=False))
    try:
        report = run(
            cohorts,
            progress=progress,
            workers=workers,
            parameters=parse_assignments(assignments),
            grid=parse_grid(grid or []),
            force=force,
            cluster=cluster,
        )
    except (ClusterError, ParameterError, PlanError, ProjectError, RunError) as error:
        _complain(str(error))
        raise typer.Exit(1) from None
    tell(report, progress, Console(stderr=True, highlight=False))
    if report.interrupted:
        raise typer.Exit(_INTERRUPTED)
    if not report.ok:
        raise typer.Exit(1)


def _complain(text: str) -> None:
    typer.echo(text, err=True)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def main() -> None:
    """Entry point of the command."""
    try:
        app()
    except SystemExit as end:
        leave(end.code if isinstance(end.code, int) else int(end.code is not None))


if __name__ == "__main__":
    main()
