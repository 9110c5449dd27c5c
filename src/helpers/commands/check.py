"""``compendium check``: everything that is wrong with raw tables."""

from typing import Annotated

import typer

from helpers.commands.options import COHORT_HELP, complain, counted
from helpers.project.paths import CohortPaths, ProjectError, shown


def check(cohorts: Annotated[list[str], typer.Argument(metavar="COHORT...", help=COHORT_HELP)]) -> None:
    """List everything that is wrong with the raw tables of cohorts, without analysing them.

    Each problem names the file, the row, the column, what was found, what was expected and how to mend
    it. The exit status is 1 if anything must be mended before the cohort can be analysed; warnings alone
    do not count.
    """
    if not all([_is_fit(cohort) for cohort in cohorts]):  # noqa: C419  # every cohort is looked at
        raise typer.Exit(1)


def _is_fit(cohort: str) -> bool:
    """Tell what is wrong with a cohort; whether it can be analysed."""
    from helpers.run.checking import cohort_problems

    try:
        paths = CohortPaths.of(cohort)
    except ProjectError as error:
        complain(str(error))
        return False
    from helpers.problems import fold_by_cause

    problems = cohort_problems(paths)
    for problem in fold_by_cause(problems):
        complain(str(problem))
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    typer.echo(f"{shown(paths.folder)}: {counted(errors, 'error')}, {counted(warnings, 'warning')}")
    return not errors
