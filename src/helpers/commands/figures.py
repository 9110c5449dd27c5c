"""``compendium figures``: the figures of one cohort for one journal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from helpers.commands.options import COHORT_HELP, JournalName, Output, Workers, complain, use_output
from helpers.commands.run import bring_up_to_date
from helpers.project.paths import DEFAULT_COHORT, CohortPaths, shown

if TYPE_CHECKING:
    from helpers.report.figures.output.check import Fault
    from helpers.report.figures.output.redraw import Redrawn
    from helpers.report.journals.requirements import Journal


def figures(
    cohort: Annotated[str, typer.Argument(metavar="[COHORT]", help=COHORT_HELP)] = DEFAULT_COHORT,
    journal: JournalName = None,
    figure: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only this figure, such as figure_1a or graphical_abstract. May be given repeatedly.",
        ),
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
    running them again, into figures/COHORT/JOURNAL; `--figure graphical_abstract` draws a graphical abstract.
    With --check the exit status is 1 if a file has a fault.
    """
    use_output(output)
    report = draw_for_journal(
        cohort, journal, figure or [], check=check, update=lambda: bring_up_to_date([cohort], workers)
    )
    for line in report.lines:
        typer.echo(line)
    for fault in report.faults:
        complain(str(fault))
    if report.faults:
        raise typer.Exit(1)


@dataclass(frozen=True)
class FigureReport:
    """What was drawn, in words, and the faults found in the files."""

    lines: list[str]
    faults: "list[Fault]"


def draw_for_journal(
    cohort: str, journal: str | None, wanted: Sequence[str], *, check: bool, update: Callable[[], None]
) -> FigureReport:
    """Bring a cohort's results up to date and draw its figures for a journal into ``figures/COHORT/JOURNAL``.

    Args:
        cohort: name or path of the cohort.
        journal: name of the journal; the cohort's own if None.
        wanted: names of the figures; all if empty.
        check: whether the files are checked.
        update: brings the results up to date.

    Raises:
        CompendiumError: no such cohort, journal or figure, or a figure cannot be drawn.
    """
    from helpers.cohort.config import load_config
    from helpers.report.figures.compose import GRAPHICAL_ABSTRACT, graphical_abstract
    from helpers.report.figures.output.redraw import (
        MANY,
        chosen_figures,
        drawing_pool,
        redraw,
        redraw_recipe,
    )
    from helpers.report.journals.requirements import journal_named

    paths = CohortPaths.of(cohort)
    chosen = journal_named(journal or load_config(paths.folder).report.journal)
    # The processes load their libraries while the results are looked at.
    with drawing_pool(len(wanted) or MANY) as pool:
        update()
        numbered = [name for name in wanted if name != GRAPHICAL_ABSTRACT]
        names = chosen_figures(paths.recipes, numbered) if numbered or not wanted else []
        folder = paths.figures / chosen.name
        found = redraw(paths.recipes, names, folder, chosen, check=check, pool=pool)
        if GRAPHICAL_ABSTRACT in wanted:
            abstract = graphical_abstract(paths.folder, paths.results, chosen)
            found.append(redraw_recipe(abstract, folder, chosen, check))
    faults = [fault for figure in found for fault in figure.faults]
    return FigureReport(_words(found, chosen, shown(folder), check, len(faults)), faults)


def _words(found: "list[Redrawn]", journal: "Journal", folder: str, check: bool, faults: int) -> list[str]:
    number = f"{len(found)} figure{'' if len(found) == 1 else 's'}"
    lines = [f"{number} for {journal.title} in {folder}/ ({', '.join(journal.formats)})"]
    if check:
        files = sum(len(figure.files) for figure in found)
        lines.append(f"{files} files checked: {faults or 'no'} fault{'' if faults == 1 else 's'}")
    if journal.source and journal.unverified:
        lines.append(
            f"Not checked at the journal's page: {', '.join(journal.unverified)}; see {journal.source}"
        )
    return lines
