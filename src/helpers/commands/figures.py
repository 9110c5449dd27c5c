"""``compendium figures``: the figures of one cohort for one journal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.errors import CompendiumError
from helpers.project.paths import CohortPaths, ProjectError, shown

if TYPE_CHECKING:
    from helpers.report.figures.output.check import Fault
    from helpers.report.figures.output.redraw import Redrawn
    from helpers.report.journals.requirements import Journal


class FigureError(CompendiumError):
    """The figures cannot be drawn; the message says why and what to do."""


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
        FigureError: no such cohort, journal or figure, or a figure cannot be drawn.
    """
    from helpers.cohort.config import load_config
    from helpers.cohort.problems import CohortError
    from helpers.report.figures.output.fonts import MissingFontError
    from helpers.report.figures.output.recipes import RecipeError
    from helpers.report.figures.output.redraw import MANY, chosen_figures, drawing_pool, redraw
    from helpers.report.journals.requirements import JournalError, journal_named

    try:
        paths = CohortPaths.of(cohort)
        chosen = journal_named(journal or load_config(paths.folder).report.journal)
        # The processes load their libraries while the results are looked at.
        with drawing_pool(len(wanted) or MANY) as pool:
            update()
            names = chosen_figures(paths.recipes, wanted)
            folder = paths.figures / chosen.name
            found = redraw(paths.recipes, names, folder, chosen, check=check, pool=pool)
    except (CohortError, ProjectError, JournalError, RecipeError, MissingFontError) as error:
        raise FigureError(str(error)) from None
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
