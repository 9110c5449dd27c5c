"""``compendium run``: bring the results of cohorts up to date."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from helpers.commands.options import COHORT_HELP, Force, Output, Workers, complain, use_output
from helpers.project.paths import DEFAULT_COHORT, CohortPaths, output_root

if TYPE_CHECKING:
    from helpers.report.figures.output.check import Fault

_INTERRUPTED = 130


def run(
    cohorts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COHORT]...", help=COHORT_HELP, show_default=DEFAULT_COHORT),
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
    use_output(output)
    bring_up_to_date(
        cohorts or [DEFAULT_COHORT],
        workers,
        param or [],
        force=force,
        grid=grid or [],
        cluster=(cluster, cluster_settings) if cluster else None,
    )


def bring_up_to_date(
    cohorts: list[str],
    workers: int | None = None,
    assignments: list[str] | None = None,
    *,
    force: bool = False,
    grid: list[str] | None = None,
    cluster: tuple[str, Path | None] | None = None,
) -> None:
    """Run, tell what became of it, and leave with status 1 unless everything was done.

    Args:
        cohorts: names or paths.
        workers: how many notebooks at a time.
        assignments: parameters as ``NAME=VALUE``.
        force: execute every step, changed or not.
        grid: parameters with several values as ``NAME=VALUE,VALUE``.
        cluster: address of a Dask scheduler or ``slurm``, and the file of its settings if it is not in the
            usual place.
    """
    from rich.console import Console

    from helpers.run.grid import parse_grid
    from helpers.run.parameters import parse_assignments
    from helpers.run.progress import RunProgress, tell
    from helpers.run.runner import run

    progress, begun = RunProgress(Console(highlight=False)), time.time()
    executor = None
    if cluster is not None:
        from helpers.cluster.client import cluster_executor
        from helpers.cluster.settings import ClusterChoice

        executor = cluster_executor(ClusterChoice(*cluster), workers=workers, say=progress.say)
    report = run(
        cohorts,
        progress=progress,
        workers=workers,
        parameters=parse_assignments(assignments or []),
        grid=parse_grid(grid or []),
        force=force,
        executor=executor,
    )
    tell(report, progress, Console(stderr=True, highlight=False))
    tell_plans(sorted({outcome.cohort for outcome in report.outcomes}))
    if report.interrupted:
        raise typer.Exit(_INTERRUPTED)
    executed = {outcome.cohort for outcome in report.of("executed")}
    for name in cohorts if executed else ():
        for fault in _figure_faults(name, executed, begun):
            complain(f"{name}: figure {fault}")
    if not report.ok:
        raise typer.Exit(1)


def tell_plans(names: list[str]) -> None:
    """Say how results stand to the frozen plans of their cohorts, as the run has stored it.

    Args:
        names: names under which results are filed; those without a frozen plan are passed over.
    """
    from helpers.run.frozen_plan import stored_standing, told

    for name in names:
        found = stored_standing(output_root() / "results" / name)
        for line in told(found) if found else ():
            typer.echo(f"{name}: {line}")


def _figure_faults(cohort: str, executed: set[str], begun: float) -> "list[Fault]":
    """Return what the cohort's journal would send back of the figures that this run drew."""
    from helpers.cohort.config import read_config
    from helpers.report.figures.output.check import check_file, drawn_since
    from helpers.report.journals.requirements import journal_named

    paths = CohortPaths.of(cohort)
    results = sorted(name for name in executed if name == paths.name or name.startswith(f"{paths.name}@"))
    drawn = [page for name in results for page in drawn_since(paths.figures.with_name(name), begun)]
    reading = read_config(paths.folder)
    if not drawn or reading.problems:
        return []
    journal = journal_named(reading.config.report.journal)
    return [fault for page in drawn for fault in check_file(page, journal, None)]
