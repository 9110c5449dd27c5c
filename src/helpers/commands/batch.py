"""``compendium batch``: many cohorts, and one page of what became of all."""

from typing import Annotated

import typer

from helpers.commands.options import Output, Workers, complain, use_output
from helpers.project.paths import shown


def batch(
    patterns: Annotated[
        list[str],
        typer.Argument(
            metavar="FOLDER|PATTERN...",
            help="Folders of cohorts, or patterns such as 'data/cohorts/hospital_*'.",
        ),
    ],
    workers: Workers = None,
    output: Output = None,
) -> None:
    """Bring many cohorts up to date, and write one page and one table of all: results/batch/.

    A cohort that is refused or fails does not stop the others. The exit status is 1 if any did not finish.
    """
    from rich.console import Console

    from helpers.run.batch import cohorts_of, curves, lines_of, usable, write_batch
    from helpers.run.outcomes import RunReport
    from helpers.run.progress import RunProgress
    from helpers.run.runner import run

    use_output(output)
    cohorts, refused = usable(cohorts_of(patterns))
    progress = RunProgress(Console(highlight=False))
    report = run(cohorts, progress=progress, workers=workers) if cohorts else RunReport()
    lines = lines_of(cohorts, report, refused)
    folder = write_batch(lines, curves(lines))
    for line in lines:
        if line.status != "finished":
            complain(f"{line.cohort}: {line.status}: {line.reason}")
    done = sum(line.status == "finished" for line in lines)
    typer.echo(f"{done} of {len(lines)} cohorts finished: {shown(folder / 'index.html')}")
    if done < len(lines):
        raise typer.Exit(1)
