"""What a run consists of: the steps of ``notebooks/pipeline.toml`` with what each reads and writes.

One table per step. A step is a notebook of the same name, or, with ``call = "module:function"``, a
function that is called with ``arguments``. ``reads`` and ``writes`` are paths whose first part says where
they lie:

================  ======================================
``cohort/``       the cohort's folder of raw tables
``figures/``      ``figures/NAME/``
``project/``      the project's root
anything else     ``results/NAME/``
================  ======================================

``{pdf,svg}`` stands for several paths, ``*`` matches file names: in ``reads`` those that other steps write,
or those that lie in the cohort's folder and the project. A ``?`` at the end of a path written says that the
file is absent for cohorts that lack the data. A step may also read ``provenance.json``. The order of the
steps follows from what they read and write.

>>> steps = load_plan()
>>> steps[0].name, [step.name for step in predecessors(steps[1], steps)]
('01_data_cleaning', ['01_data_cleaning'])
>>> (
...     [step.name for step in transitive_predecessors(steps[1], steps)],
...     step_named("04_survival").is_notebook,
... )
(['01_data_cleaning'], True)
>>> from helpers.project.paths import CohortPaths
>>> locate("statistics/04_survival.csv", CohortPaths.of("rdmas_reconstructed")).name
'04_survival.csv'
"""

import fnmatch
import graphlib
import itertools
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from helpers.errors import CompendiumError
from helpers.project.paths import CohortPaths, notebooks_dir, project_root

PLAN_FILE = "pipeline.toml"
PROVENANCE = (
    "provenance.json"  # written by the run; whoever reads it sees what the steps before it were made from
)
PARAMETERS = "{parameters}"  # an argument that stands for the parameters of all notebooks
_KEYS = {"call", "arguments", "reads", "writes"}
_ALTERNATIVES = re.compile(r"\{([^{}]*)\}")


class PlanError(CompendiumError):
    """``notebooks/pipeline.toml`` cannot be followed; the message says what is wrong where."""


@dataclass(frozen=True)
class Step:
    """One step of a run, for any cohort.

    Attributes:
        name: name of the notebook, or of the step that calls a function.
        reads: paths read, as declared, alternatives and wildcards resolved.
        writes: paths written, as declared.
        optional: those of ``writes`` that may be absent.
        call: ``module:function`` of a step that is no notebook.
        arguments: keyword arguments of that function; ``{results}``, ``{figures}`` and ``{folder}`` at the
            start stand for the cohort's folders (the argument is then a path), ``{cohort}`` for its name,
            ``{parameters}`` alone for the parameters of all notebooks, by their names.
    """

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    optional: frozenset[str] = frozenset()
    call: str | None = None
    arguments: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def is_notebook(self) -> bool:
        """Whether the step is a notebook."""
        return self.call is None

    @property
    def source(self) -> Path:
        """The notebook's file."""
        return notebooks_dir() / f"{self.name}.ipynb"

    @cached_property
    def tables(self) -> frozenset[str]:
        """Names of the analysis tables that the step reads or writes."""
        paths = (Path(path) for path in (*self.reads, *self.writes))
        return frozenset(path.stem for path in paths if path.parts[0] == "data" and path.suffix == ".parquet")


def locate(declared: str, paths: CohortPaths) -> Path:
    """Absolute path of a declared path for one cohort."""
    first, _, rest = declared.partition("/")
    roots = {"cohort": paths.folder, "figures": paths.figures, "project": project_root()}
    return roots[first] / rest if first in roots else paths.results / declared


def load_plan(file: Path | None = None) -> tuple[Step, ...]:
    """Read the steps of a run, every step after those it depends on.

    Args:
        file: the plan; by default ``notebooks/pipeline.toml`` of the project.

    Raises:
        PlanError: the file is missing or malformed, a notebook is missing, two steps write the same file, a
            step reads what no step writes, or steps depend on each other in a circle.
    """
    file = file or notebooks_dir() / PLAN_FILE
    declared = _declared(file)
    steps = [_step(name, entry, file.name) for name, entry in declared.items()]
    writers = _writers(steps, file.name)
    steps = [_resolve_reads(step, writers, file.name) for step in steps]
    _check_sources(steps, file.name)
    return tuple(_in_order(steps, file.name))


def step_named(name: str) -> Step | None:
    """The step of this name as declared, wildcards not resolved; None if there is none, or no plan.

    Raises:
        PlanError: the plan is malformed.
    """
    file = notebooks_dir() / PLAN_FILE
    declared = _declared(file) if file.is_file() else {}
    return _step(name, declared[name], file.name) if name in declared else None


def predecessors(step: Step, steps: Iterable[Step]) -> list[Step]:
    """The steps that write something which ``step`` reads."""
    return [other for other in steps if other is not step and set(other.writes) & set(step.reads)]


def transitive_predecessors(step: Step, steps: Iterable[Step]) -> list[Step]:
    """The steps that must have been executed before ``step``, in the order of ``steps``."""
    steps = list(steps)
    waiting, found = [step], set[str]()
    while waiting:
        for before in predecessors(waiting.pop(), steps):
            if before.name not in found:
                found.add(before.name)
                waiting.append(before)
    return [each for each in steps if each.name in found]


def _declared(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PlanError(f"{file} is missing; it lists the notebooks, what they read and write.") from None
    except tomllib.TOMLDecodeError as error:
        raise PlanError(f"{file.name}: not valid TOML: {error}") from None


def _step(name: str, entry: object, where: str) -> Step:
    if not isinstance(entry, dict) or set(entry) - _KEYS:
        extra = sorted(set(entry) - _KEYS) if isinstance(entry, dict) else repr(entry)
        raise PlanError(f"{where}, step {name!r}: found {extra}, expected only {', '.join(sorted(_KEYS))}.")
    for key in ("reads", "writes"):
        values = entry.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
            raise PlanError(f"{where}, step {name!r}: {key} must be a list of paths, found {values!r}.")
    call, arguments = entry.get("call"), entry.get("arguments", {})
    if (call is None and arguments) or (call is not None and not re.fullmatch(r"[\w.]+:\w+", str(call))):
        raise PlanError(f"{where}, step {name!r}: call must read 'module:function', found {call!r}.")
    written = list(_alternatives(entry.get("writes", [])))
    optional = frozenset(path.removesuffix("?") for path in written if path.endswith("?"))
    writes = [path.removesuffix("?") for path in written]
    if call is None:
        writes.append(f"notebooks/{name}.ipynb")
    reads = tuple(_alternatives(entry.get("reads", [])))
    return Step(name, reads, tuple(writes), optional, call, MappingProxyType(dict(arguments)))


def _alternatives(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        parts = _ALTERNATIVES.split(path)
        choices = [part.split(",") if i % 2 else [part] for i, part in enumerate(parts)]
        yield from ("".join(combination) for combination in itertools.product(*choices))


def _writers(steps: Iterable[Step], where: str) -> dict[str, str]:
    writers: dict[str, str] = {}
    for step in steps:
        for path in step.writes:
            if path in writers:
                raise PlanError(f"{where}: {path} is written by both {writers[path]!r} and {step.name!r}.")
            if path.startswith(("cohort/", "project/")):
                raise PlanError(f"{where}, step {step.name!r}: {path} lies outside results/ and figures/.")
            writers[path] = step.name
    return writers


def _resolve_reads(step: Step, writers: Mapping[str, str], where: str) -> Step:
    reads: list[str] = []
    for path in step.reads:
        if path == PROVENANCE or path.startswith(("cohort/", "project/")):
            reads.append(path)
            continue
        found = [p for p, name in writers.items() if name != step.name and fnmatch.fnmatchcase(p, path)]
        if not found:
            raise PlanError(f"{where}, step {step.name!r} reads {path}, which no other step writes.")
        reads += found
    return Step(step.name, tuple(dict.fromkeys(reads)), step.writes, step.optional, step.call, step.arguments)


def _check_sources(steps: Iterable[Step], where: str) -> None:
    missing = [step.name for step in steps if step.is_notebook and not step.source.is_file()]
    if missing:
        raise PlanError(f"{where} names notebooks that are not there: {', '.join(missing)}.")


def _in_order(steps: list[Step], where: str) -> Iterator[Step]:
    by_name = {step.name: step for step in steps}
    graph = {step.name: [other.name for other in predecessors(step, steps)] for step in steps}
    try:
        yield from (by_name[name] for name in graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        raise PlanError(f"{where}: these steps wait for each other: {' <- '.join(error.args[1])}.") from None
