"""Put the notebooks executed on the default cohort in place of the committed ones."""

from pathlib import Path

from helpers.project.paths import CohortPaths
from helpers.run.plan import load_plan


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
