"""``compendium status``: what is up to date, told without running."""

from typing import Annotated

import typer

from helpers.commands.options import COHORT_HELP, Output, use_output
from helpers.project.paths import DEFAULT_COHORT, CohortPaths


def status(
    cohorts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COHORT]...", help=COHORT_HELP, show_default="all that were run"),
    ] = None,
    output: Output = None,
) -> None:
    """Say which results are up to date, which are stale and why, without running anything.

    Nothing is written. The exit status is 0 if everything is up to date, 1 if something is stale or missing.
    """
    from helpers.run.status import cohort_status, known_cohorts

    use_output(output)
    fine = True
    for cohort in cohorts or known_cohorts() or [DEFAULT_COHORT]:
        found = cohort_status(CohortPaths.of(cohort))
        done = sum(step.standing == "current" for step in found.steps)
        typer.echo(f"{found.name}: {done} of {len(found.steps)} steps up to date")
        for step in found.steps:
            if step.standing != "current":
                typer.echo(f"  {step}")
        fine = fine and found.current
    if not fine:
        raise typer.Exit(1)
