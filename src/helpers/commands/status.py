"""``compendium status``: what is up to date, told without running."""

from typing import Annotated

import typer

from helpers.commands.options import COHORT_HELP, Output, complain, use_output
from helpers.project.paths import DEFAULT_COHORT, ProjectError


def status(
    cohorts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COHORT]...", help=COHORT_HELP, show_default="all that were run"),
    ] = None,
    output: Output = None,
) -> None:
    """Say which results are up to date, which are stale and why, and what deviates from a frozen plan.

    Nothing is run and nothing is written. The exit status is 0 if everything is up to date, 1 if something
    is stale or missing.
    """
    from helpers.run.frozen_plan import frozen_plan_status
    from helpers.run.state import remembered_cohorts
    from helpers.run.status import cohort_status, remembered

    use_output(output)
    fine = True
    for cohort in cohorts or list(remembered_cohorts()) or [DEFAULT_COHORT]:
        try:
            paths = remembered(cohort)
            found = cohort_status(paths)
        except ProjectError as error:  # the others are told all the same
            complain(f"{cohort}: {error}")
            fine = False
            continue
        done = sum(step.standing == "current" for step in found.steps)
        typer.echo(f"{found.name}: {done} of {len(found.steps)} steps up to date")
        for step in found.steps:
            if step.standing != "current":
                typer.echo(f"  {step}")
        for line in frozen_plan_status(paths):
            typer.echo(f"  {line}")
        fine = fine and found.current
    if not fine:
        raise typer.Exit(1)
