"""What a notebook opens first: its cohort's configuration, tables, statistics and folders, by one call."""

import fnmatch
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from helpers.errors import CompendiumError
from helpers.project.checkout import keep_out
from helpers.project.paths import FORMATS_VARIABLE, RUN_VARIABLE, CohortPaths, ProjectError, shown
from helpers.run.cell_watch import watch_cells
from helpers.run.grid import variant_name, variant_values
from helpers.run.parameters import PARAMETERS, ParameterError, own_values, told_values
from helpers.run.plan import PLAN_FILE, Step, locate, step_named
from helpers.run.staging import link_files

if TYPE_CHECKING:
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.report_settings import Report
    from helpers.cohort.settings import CohortConfig
    from helpers.report.text.narrative import Narrative
    from helpers.report.text.wording import Wording
    from helpers.results.store import Statistics, StatisticsStore

# On a slow machine whose user has no cache of fonts yet, Matplotlib would say so in the notebook's outputs.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)


class UnreadableCohortError(CompendiumError):
    """The cohort cannot be read; its problems were printed. A notebook shows one line and no traceback."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class UndeclaredInputError(CompendiumError):
    """A notebook reads something that ``notebooks/pipeline.toml`` does not say it reads.

    It would not be run again when that changes.
    """


class DeclaredTables:
    """The analysis tables, of which a notebook of the plan may look at those it declares.

    Has the attributes of :class:`helpers.cohort.analysis_tables.AnalysisTables`.
    """

    def __init__(self, tables: "AnalysisTables", step: Step | None) -> None:
        self._tables = tables
        self._step = step

    def __getattr__(self, name: str) -> Any:
        if self._step is not None and name in self._tables.names() and name not in self._step.tables:
            raise UndeclaredInputError(_undeclared(self._step.name, f"data/{name}.parquet"))
        return getattr(self._tables, name)


def _undeclared(notebook: str, path: str) -> str:
    return f"{notebook} reads {path}: add it to `reads` of [{notebook}] in notebooks/{PLAN_FILE}."


@dataclass(frozen=True)
class Workspace:
    """One notebook's view of one cohort.

    Attributes:
        paths: every folder of the cohort.
        notebook: name of the notebook, under which its statistics are filed.
        config: the cohort's configuration.
        tables: the cohort's analysis tables; a notebook of the plan has those that it declares.
        store: receives the statistics that the notebook adds.
        parameters: what the notebook passed to :func:`open_cohort` beside the cohort.
    """

    paths: CohortPaths
    notebook: str
    config: "CohortConfig"
    tables: "AnalysisTables"
    store: "StatisticsStore"
    parameters: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def cohort(self) -> str:
        """Name of the cohort."""
        return self.paths.name

    @property
    def figures(self) -> Path:
        """Folder for the cohort's figures."""
        return self.paths.figures

    @cached_property
    def figure_formats(self) -> tuple[str, ...]:
        """Formats that figures are saved in: those that ``COMPENDIUM_FIGURE_FORMATS`` names, else all.

        Raises:
            ValueError: it names an unknown one.
        """
        from helpers.report.figures.output.export import chosen_formats

        return chosen_formats(os.environ.get(FORMATS_VARIABLE, "all"))

    @property
    def recipes(self) -> Path:
        """Folder of what the cohort's figures are drawn from."""
        return self.paths.recipes

    @property
    def report(self) -> "Report":
        """The cohort's settings of figures and report."""
        return self.config.report

    @property
    def tables_dir(self) -> Path:
        """Folder for the cohort's manuscript tables."""
        return self.paths.tables

    @property
    def watermark(self) -> str:
        """Short warning that stands on every figure and table; empty for real patients."""
        return self.config.watermark

    @property
    def narrative(self) -> "Narrative":
        """Which cohort is open, in words, with the notebook's parameters in a table."""
        from helpers.report.text.narrative import cohort_narrative
        from helpers.report.text.phrases import exhibit_text

        horizon = {"horizon_days": self.horizon_days} if "horizon_days" in self.parameters else {}
        values = told_values(dict(self.parameters) | horizon, lambda word: exhibit_text(word, self._wording))
        return replace(cohort_narrative(self.config), below=values)

    def show(self, exhibit: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Publish a figure or table of the walk and return it for display.

        Args:
            exhibit: a drawing function with ``@figure`` above it, or a function that returns a table.
            arguments, options: what it takes; a table's watermark is the cohort's.
        """
        from helpers.report.figures.output.exhibits import exhibit_of, publish_exhibit

        if exhibit_of(exhibit) is not None:
            return publish_exhibit(self, exhibit, *arguments)
        table = exhibit(*arguments, watermark=self.watermark, **options)
        return table.save(self.tables_dir, self._wording)

    @cached_property
    def _wording(self) -> "Wording":
        """Language of the exhibits."""
        from helpers.report.text.wording import Wording

        return Wording.of(self.config.report.language, self.config)

    @cached_property
    def horizon_days(self) -> float:
        """Last day of the analysis: the notebook's parameter, or the configuration's when that is None."""
        given = self.parameters.get("horizon_days")
        return float(self.config.follow_up.horizon_days if given is None else given)

    def statistics(self, *others: str) -> "Statistics":
        """Statistics that this notebook has written, with those of the other notebooks named.

        Raises:
            StatisticsStoreError: one of them has not been run on this cohort.
            UndeclaredInputError: the notebook is of the plan and does not declare one of the others.
        """
        from helpers.results.store import Statistics

        step = step_named(self.notebook)
        for other in others:
            path = f"statistics/{other}.csv"
            if step is not None and not any(fnmatch.fnmatchcase(path, pattern) for pattern in step.reads):
                raise UndeclaredInputError(_undeclared(self.notebook, path))
        return Statistics.read(self.paths.statistics, [self.notebook, *others])


def open_cohort(cohort: str | os.PathLike[str], notebook: str, **parameters: Any) -> Workspace:
    """Open a cohort for a notebook; its raw tables are cleaned first where that has not been done yet.

    A notebook that ``compendium run`` executes writes to the cohort's results. Run by hand, in JupyterLab or
    by papermill, it writes to a folder of its own and says which; results of other notebooks are read there,
    or else as they are published.

    Args:
        cohort: name under ``data/cohorts/`` or path to a cohort folder.
        notebook: the notebook's file name without ending, e.g. ``"02_baseline_comparison"``.
        **parameters: the notebook's other parameters; ``horizon_days`` (days or None) is looked at here.

    Raises:
        ParameterError: a parameter has a value that it may not have.
        UnreadableCohortError: the cohort cannot be found or read. Every problem has been printed.
    """
    from helpers.problems import CohortError

    own = own_values(parameters)
    try:
        paths = CohortPaths.of(cohort)
        by_hand = not os.environ.get(RUN_VARIABLE)
        if paths.variant or not by_hand:
            _check_name(paths, notebook, parameters)
        if by_hand:
            paths = _apart(paths, own, notebook)
        return _open(paths, notebook, parameters)
    except ProjectError as error:
        raise UnreadableCohortError(str(error)) from None
    except CohortError as error:
        print(error)
        raise UnreadableCohortError(
            f"{shown(paths.folder)} cannot be analysed before the problems listed above are mended."
        ) from None


def _check_name(paths: CohortPaths, notebook: str, parameters: Mapping[str, Any]) -> None:
    """Refuse parameters other than those that the name of the results says.

    Raises:
        ParameterError: lists them.
    """
    try:
        said = variant_values(paths.variant) if paths.variant else {}
    except ParameterError:  # too long a name to say them
        return
    problems = [
        f"{notebook} opens its cohort with {name} = {value!r}, and results called {paths.name} are made with "
        f"{expected!r}. Take it out of the notebook's code, and give --param instead."
        for name, value in parameters.items()
        if name in PARAMETERS and value != (expected := said.get(name, PARAMETERS[name].default))
    ]
    if problems:
        raise ParameterError("\n".join(problems))


def _apart(published: CohortPaths, own: Mapping[str, Any], notebook: str) -> CohortPaths:
    """Folders for a notebook run by hand, in which links stand for published results that it may read."""
    if own and not published.variant:
        published = published.filed_as(variant_name(own))
    paths = published.by_hand
    step = step_named(notebook)
    written = {locate(path, paths) for path in step.writes} if step else set()
    for source, target in (
        (CohortPaths.of(published.folder).data, paths.data),
        (published.statistics, paths.statistics),
        (published.notebooks, paths.notebooks),
    ):
        link_files(source, target, without=written)
    for folder in (published.folder, paths.results, paths.figures):
        keep_out(folder)
    print(
        f"Run by hand: what this notebook writes goes to {shown(paths.results)}; the published results in "
        f"{shown(published.results)} stay as they are."
    )
    watch_cells()
    return paths


def _open(paths: CohortPaths, notebook: str, parameters: Mapping[str, Any]) -> Workspace:
    from helpers.cohort.cleaning import load_or_clean
    from helpers.cohort.config import load_config
    from helpers.results.store import StatisticsStore

    config = load_config(paths.folder)
    step = step_named(notebook)
    tables = load_or_clean(paths.folder, paths.data, None if step is None else step.tables)
    return Workspace(
        paths=paths,
        notebook=notebook,
        config=config,
        tables=cast("AnalysisTables", DeclaredTables(tables, step)),
        store=StatisticsStore(directory=paths.statistics, notebook=notebook),
        parameters=MappingProxyType(dict(parameters)),
    )
