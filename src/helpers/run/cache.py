"""Cohorts whose results are complete and up to date, known without asking each step.

A run of which all steps were done leaves one digest of all that went in and came out. While it holds, nothing
needs to be looked at step by step, which takes longer to load than to do.
"""

from collections.abc import Iterable
from pathlib import Path

from helpers.project.paths import CohortPaths, state_dir
from helpers.project.sources import digest_file, digest_value
from helpers.run.inputs import InputDigests
from helpers.run.plan import Step, locate


def is_finished(steps: Iterable[Step], cohort: CohortPaths, given: InputDigests) -> bool:
    """Whether inputs, results and provenance are those of the last complete run."""
    try:
        return _mark(cohort).read_text(encoding="utf-8") == _digest(steps, cohort, given)
    except OSError:
        return False


def mark_finished(steps: Iterable[Step], cohort: CohortPaths, given: InputDigests) -> None:
    """Note that a run is complete.

    Args:
        steps: the plan.
        cohort: the cohort.
        given: digests as they were before the run, so that an edit made meanwhile is seen by the next one.
    """
    _mark(cohort).parent.mkdir(parents=True, exist_ok=True)
    _mark(cohort).write_text(_digest(steps, cohort, given), encoding="utf-8")


def forget_finished(cohort: CohortPaths) -> None:
    """Note that results are about to change."""
    _mark(cohort).unlink(missing_ok=True)


def _mark(cohort: CohortPaths) -> Path:
    return state_dir() / "finished" / cohort.name


def _digest(steps: Iterable[Step], cohort: CohortPaths, given: InputDigests) -> str:
    products = [locate(path, cohort) for step in steps for path in step.writes] + [cohort.provenance]
    made = [[str(path), digest_file(path) if path.is_file() else None] for path in products]
    return digest_value([{name: dict(digests) for name, digests in given.items()}, made])
