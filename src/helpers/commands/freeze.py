"""``compendium freeze``: keep the analysis plan as it is before the data come in."""

from typing import Annotated

import typer

from helpers.commands.options import COHORT_HELP, counted


def freeze(
    cohort: Annotated[str, typer.Argument(metavar="COHORT", help=COHORT_HELP)],
    again: Annotated[
        bool, typer.Option("--again", help="Freeze anew; the former plan is kept beside it and counted.")
    ] = False,
) -> None:
    """Keep the analysis plan of a cohort, best before its data are there.

    Settings, own words and criteria, parameters of the notebooks and digests of the code go to
    analysis_plan.json beside cohort.toml, with one digest of all to commit or register. From then on run,
    status, report and manuscript say what deviates from it. Whether data were there is stored with it.
    """
    from helpers.project.paths import CohortPaths, shown
    from helpers.run.frozen_plan import FROZEN
    from helpers.run.frozen_plan import freeze as frozen

    paths = CohortPaths.of(cohort)
    plan = frozen(paths, again=again)
    typer.echo(shown(paths.folder / FROZEN))
    typer.echo(f"SHA-256 of the plan: {plan.digest}")
    if plan.data:
        typer.echo(
            f"Data were there already; manuscript and report will say so. SHA-256 of them: {plan.data}"
        )
    else:
        typer.echo("There were no data in the folder.")
    if plan.former:
        typer.echo(f"It replaces {counted(len(plan.former), 'former plan')}, kept beside it.")
    typer.echo("Commit the file (git add -f) or register the digest: only that shows when it was frozen.")
