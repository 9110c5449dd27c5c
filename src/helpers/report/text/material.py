"""What manuscript and report read of one cohort: settings, statistics, parameters, tables, figures."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.report.text.claims import Material

if TYPE_CHECKING:
    from helpers.analysis.clinical import Rulebook
    from helpers.cohort.config import CohortConfig
    from helpers.report.tables.table import Table
    from helpers.results.store import Statistics

_PARAMETER_TAGS = {"parameters", "injected-parameters"}
_NUMBER = re.compile(r"figure_(s?)(\d+)([a-z]?)")


@dataclass(frozen=True)
class Study:
    """One cohort's results, for whoever writes about them.

    Attributes:
        folder: the cohort's folder.
        results: its results.
        figures_folder: its figures.
        config: its configuration.
        statistics: all rows written.
        parameters: parameters of the notebooks as really executed.
        unabridged: all rows, where ``statistics`` holds them as they may be shared; a document then says only
            what is the same with both.

    >>> found = Study.open(study.folder, study.results, study.figures_folder)
    >>> found.config.horizon_days, executed_parameters(study.folder)
    (56, {})
    """

    folder: Path
    results: Path
    figures_folder: Path
    config: CohortConfig
    statistics: Statistics
    parameters: Mapping[str, Any] = field(default_factory=dict)
    unabridged: Statistics | None = None

    @cached_property
    def whole(self) -> Study | None:
        """The same study with all its rows; None where none is hidden."""
        if self.unabridged is None:
            return None
        return replace(self, statistics=self.unabridged, unabridged=None)

    @classmethod
    def open(
        cls, folder: Path, results: Path, figures: Path, parameters: Mapping[str, Any] | None = None
    ) -> Study:
        """Read a cohort whose notebooks have run.

        Args:
            folder: the cohort's folder.
            results: the cohort's results.
            figures: the cohort's figures.
            parameters: parameters of the notebooks; by default as the executed notebooks have them.
        """
        from helpers.cohort.config import load_config
        from helpers.results.store import Statistics

        statistics = Statistics.read(results / "statistics")
        if parameters is None:
            parameters = executed_parameters(results / "notebooks")
        return cls(folder, results, figures, load_config(folder), statistics, parameters)

    @cached_property
    def material(self) -> Material:
        """What claims are made from."""
        given = self.parameters.get("horizon_days")
        days = float(self.config.horizon_days if given is None else given)
        confidence = float(self.parameters.get("confidence") or 0.95)
        return Material(self.statistics, self.config, days, confidence, self.parameters)

    @cached_property
    def tables(self) -> list[Table]:
        """The stored tables: those of the text first, then the supplementary ones, each by number."""
        from helpers.report.tables.table import stored_tables

        return stored_tables(self.results / "tables")

    @cached_property
    def figures(self) -> list[Path]:
        """Figures as paths without suffix, by number, without panels that stand in a composed figure."""
        stems = {path.with_suffix("") for path in self.figures_folder.glob("figure_*.svg")}
        names = {stem.name for stem in stems}
        return sorted((stem for stem in stems if not _is_panel(stem.name, names)), key=_figure_order)

    @cached_property
    def frozen_plan(self) -> Mapping[str, Any]:
        """How the results stand to the frozen plan, as the run has stored it; empty where none is frozen."""
        path = self.results / "plan_deviations.json"
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return found if isinstance(found, dict) else {}

    @cached_property
    def diagnostic(self) -> list[str]:
        """Names of the diagnostic criteria that were evaluated: the configured ones, then the site's own."""
        from helpers.analysis.clinical import diagnostic_names

        return diagnostic_names(self.config, self.folder)

    @cached_property
    def titles(self) -> dict[str, str]:
        """Title of each criteria file that the analysis applies, by its name."""
        from helpers.analysis.clinical import title_of

        return {name: title_of(name, self._rules) for name in self._applied}

    @cached_property
    def works(self) -> dict[str, tuple[str, ...]]:
        """Keys of the works that each criteria file names as its source, by its name."""
        from helpers.analysis.clinical import works_of

        return {name: works_of(name, self._rules) for name in self._applied}

    @cached_property
    def _rules(self) -> Rulebook:
        from helpers.analysis.clinical import Rulebook

        return Rulebook.of(self.config, self.folder)

    @cached_property
    def _applied(self) -> list[str]:
        """Names of the criteria files that the analysis applies."""
        chosen = self.config.criteria
        names = [*self.diagnostic, chosen.toxicity]
        if chosen.response:
            names.append(self._rules.response_name(chosen.response))
        return [name for name in names if name]


def executed_parameters(folder: Path) -> dict[str, Any]:
    """Return the parameters of executed notebooks, those injected by the run over the declared ones."""
    values: dict[str, Any] = {}
    for path in sorted(folder.glob("*.ipynb")):
        own: dict[str, Any] = {}
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            tags = cell.get("metadata", {}).get("tags", [])
            if cell["cell_type"] == "code" and _PARAMETER_TAGS & set(tags):
                own |= _literals("".join(cell["source"]))
        for name, value in own.items():
            values.setdefault(name, value)
    values.pop("cohort", None)
    return values


def _literals(source: str) -> dict[str, Any]:
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = ast.literal_eval(node.value)
    return found


def _is_panel(name: str, names: set[str]) -> bool:
    found = re.fullmatch(r"(figure_s?\d+)[a-z]", name)
    return found is not None and found[1] in names


def _figure_order(stem: Path) -> tuple[bool, int, str]:
    found = _NUMBER.match(stem.name)
    return (bool(found[1]), int(found[2]), stem.name) if found else (True, 10**6, stem.name)
