"""The cohort that is explored: opened without writing to its published results.

>>> "rdmas_reconstructed" in known_cohorts(), told(folder)
(True, 'data/cohorts/rdmas_reconstructed')
>>> seen = open_study("rdmas_reconstructed")
>>> seen.with_(seen.config, seen.tables).cohort
'rdmas_reconstructed'
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from helpers.cohort.cleaning import inputs_digest, load_or_clean
from helpers.cohort.config import load_config
from helpers.errors import CompendiumError
from helpers.problems import CohortError
from helpers.project.paths import CohortPaths, project_root, shown

if TYPE_CHECKING:
    from pathlib import Path

    from helpers.analysis.variables import BaselineVariable
    from helpers.cohort.analysis_tables import AnalysisTables
    from helpers.cohort.config import CohortConfig

EXPLORATORY = "Exploratory: not a planned analysis"
_OUTCOME_COLUMNS = {"died"}  # what `death` by the horizon says


class ExplorationError(CompendiumError):
    """Something that cannot be shown; the message says why and what can be chosen instead."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows instead of a traceback."""
        return [str(self)]


@dataclass(frozen=True, eq=False)
class Study:
    """One cohort as it is explored.

    Attributes:
        cohort: as it was opened, by name or path.
        paths: its folders.
        config: its settings.
        tables: its analysis tables.
    """

    cohort: str
    paths: CohortPaths
    config: CohortConfig
    tables: AnalysisTables

    @property
    def watermark(self) -> str:
        """What stands on every figure and table: that it is exploratory, and what the data are."""
        return ". ".join(text for text in (EXPLORATORY, self.config.watermark) if text)

    @property
    def folder(self) -> Path:
        """Folder that receives figures and tables that are saved: apart from all results."""
        return self.paths.by_hand.results.parents[1] / "exploratory" / self.paths.name

    @property
    def patients(self) -> list[str]:
        """Ids of the patients, in order."""
        return sorted(str(one) for one in self.tables.patients["patient_id"])

    @cached_property
    def variables(self) -> dict[str, BaselineVariable]:
        """Characteristics at baseline that the cohort holds, by name."""
        from helpers.analysis.variables import baseline_variables

        baseline = self.config.baseline.model_copy(update={"variables": None})
        everything = self.config.model_copy(update={"baseline": baseline})
        horizon = self.config.horizon_days
        found = [
            *baseline_variables(self.tables, self.config, horizon),
            *baseline_variables(self.tables, everything, horizon),
        ]
        return {variable.name: variable for variable in found if variable.name not in _OUTCOME_COLUMNS}

    def with_(self, config: CohortConfig, tables: AnalysisTables) -> Study:
        """Return the same cohort seen with other settings or fewer patients."""
        return replace(self, config=config, tables=tables)


def open_study(cohort: str | os.PathLike[str]) -> Study:
    """Open a cohort for looking at it.

    Analysis tables that a run has made are read where they are current; otherwise they are made anew in the
    folder of what is done by hand, and the published results stay as they are.

    Args:
        cohort: name under ``data/cohorts/`` or path to a cohort folder.

    Raises:
        ExplorationError: there is no such cohort, or its files have faults, all of which are listed.

    Example:
        >>> open_study("rdmas_reconstructed").config.horizon_days
        56
    """
    from helpers.cohort.analysis_tables import AnalysisTables

    try:
        paths = CohortPaths.of(cohort)
        config = load_config(paths.folder)
        if AnalysisTables.stored_digest(paths.data) == inputs_digest(paths.folder):
            tables = AnalysisTables.read(paths.data)
        else:
            tables = load_or_clean(paths.folder, paths.by_hand.data)
    except CohortError as error:
        raise ExplorationError(f"{error}\nThe cohort cannot be looked at before these are mended.") from None
    except CompendiumError as error:
        raise ExplorationError(str(error)) from None
    return Study(os.fspath(cohort), paths, config, tables)


def known_cohorts() -> list[str]:
    """Return the names of the cohorts under ``data/cohorts/`` that have settings, in order."""
    folder = project_root() / "data" / "cohorts"
    return sorted(path.parent.name for path in folder.glob("*/cohort.toml"))


def told(path: Path) -> str:
    """Return a path as readers are told it."""
    return shown(path)
