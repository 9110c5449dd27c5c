"""``compendium check``: everything that is wrong with raw tables."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from helpers.commands.options import COHORT_HELP, complain, counted
from helpers.project.paths import CohortPaths, ProjectError, shown

if TYPE_CHECKING:
    from helpers.problems import Problem


def check(
    cohorts: Annotated[list[str], typer.Argument(metavar="COHORT...", help=COHORT_HELP)],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print every problem as JSON, for other programs.")
    ] = False,
    page: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", dir_okay=False, help="Write the problems as a page as well."),
    ] = None,
) -> None:
    """List everything that is wrong with the raw tables of cohorts, without analysing them.

    Each problem names the file, the row, the column, what was found, what was expected and how to mend
    it. The exit status is 1 if anything must be mended before the cohort can be analysed; warnings alone
    do not count.
    """
    found = {cohort: _problems(cohort) for cohort in cohorts}
    if as_json:
        listed = [{"cohort": name, "problems": [asdict(p) for p in each]} for name, each in found.items()]
        typer.echo(json.dumps(listed, ensure_ascii=False, indent=1))
    else:
        for cohort, problems in found.items():
            _tell(cohort, problems)
    if page is not None:
        from helpers.run.check_page import check_page

        page.write_text(check_page(found), encoding="utf-8")
    if any(problem.severity == "error" for each in found.values() for problem in each):
        raise typer.Exit(1)


def _problems(cohort: str) -> "list[Problem]":
    """Return what is wrong with a cohort; a folder that is not there is a problem too."""
    from helpers.problems import Problem
    from helpers.run.checking import cohort_problems
    from helpers.run.letters import letter_problems

    try:
        paths = CohortPaths.of(cohort)
        return [*cohort_problems(paths), *letter_problems(paths.folder)]
    except ProjectError as error:
        return [Problem(cohort, None, "", "no cohort", "a cohort's folder", str(error))]


def _tell(cohort: str, problems: "list[Problem]") -> None:
    from helpers.problems import fold_by_cause

    try:
        folder = shown(CohortPaths.of(cohort).folder)
    except ProjectError as error:
        complain(str(error))
        return
    for problem in fold_by_cause(problems):
        complain(str(problem))
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    typer.echo(f"{folder}: {counted(errors, 'error')}, {counted(warnings, 'warning')}")
