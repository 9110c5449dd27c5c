"""``compendium refresh``: the notebooks executed on the default cohort in place of the committed ones."""

from pathlib import Path

import typer

from helpers.commands.options import Force, Workers
from helpers.commands.run import bring_up_to_date
from helpers.project.paths import DEFAULT_COHORT, CohortPaths, shown
from helpers.run.plan import load_plan


def refresh(workers: Workers = None, force: Force = False) -> None:
    """Store the notebooks with the outputs of the default cohort, as they are committed.

    Brings the default cohort up to date with the notebooks' own parameters and puts the executed notebooks in
    place of those in notebooks/, without times, paths or random ids.
    """
    bring_up_to_date([DEFAULT_COHORT], workers, force=force)
    for path in store_executed(DEFAULT_COHORT):
        typer.echo(f"{shown(path)} stored with its outputs")


def store_executed(cohort: str) -> list[Path]:
    """Copy the executed notebooks of a cohort over their sources; returns those that changed.

    With the cohort and the parameters that a notebook names itself nothing is injected into it, so the
    executed file is the source with its outputs. Sources are known by their cells alone, so storing
    outputs causes no run.
    """
    paths = CohortPaths.of(cohort)
    changed = []
    for step in load_plan():
        executed = paths.notebooks / f"{step.name}.ipynb"
        if step.is_notebook and executed.read_bytes() != step.source.read_bytes():
            step.source.write_bytes(executed.read_bytes())
            changed.append(step.source)
    return changed
