"""The plan as tasks of pytask: what each step depends on, by content, and what it produces."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytask import PathNode, TaskWithoutPath

from helpers.pipeline.parameters import injected
from helpers.pipeline.paths import CohortPaths, project_root, shown
from helpers.pipeline.plan import Step, locate
from helpers.pipeline.sources import (
    digest_bytes,
    digest_file,
    digest_value,
    files_matching,
    notebook_digest,
    notebook_modules,
    source_digest,
    source_files,
)

# Every step opens the cohort's settings and the dictionary, and runs with the locked packages.
ALWAYS_READ = ("cohort/cohort.toml", "project/data/dictionary.csv", "project/uv.lock")
EXECUTION = ("helpers.pipeline.kernels", "helpers.pipeline.steps")

Action = Callable[[Step, CohortPaths, Mapping[str, Any]], None]


@dataclass(kw_only=True)
class GivenNode:
    """Something that is fixed before the run starts: its digest is taken once.

    A file edited while the notebook that read it still runs keeps the digest of the former content, so
    the next run sees the edit.
    """

    name: str
    digest: str
    attributes: dict[Any, Any] = field(default_factory=dict)

    @property
    def signature(self) -> str:
        """Identifier of the node in the graph."""
        return digest_bytes(self.name.encode())

    def state(self) -> str | None:
        """The digest."""
        return self.digest

    def load(self, is_product: bool = False) -> Any:
        """Nothing: tasks know their files themselves."""

    def save(self, value: Any) -> None:
        """Given nodes are never products."""
        raise NotImplementedError(f"{self.name} is not written by a step")


@dataclass(kw_only=True)
class ProductNode(PathNode):
    """A file that a step writes, known by its content; an optional one may be absent."""

    optional: bool = False

    def state(self) -> str | None:
        """SHA-256 of the content; ``absent`` for an optional file that is not there, None for others."""
        return super().state() or ("absent" if self.optional else None)


@dataclass(kw_only=True)
class StepTask(TaskWithoutPath):
    """One step for one cohort."""

    step: Step
    cohort: CohortPaths

    def state(self) -> str | None:
        """Constant: the code that carries out steps is one of their inputs."""
        return "1"


def build_tasks(
    steps: Iterable[Step],
    jobs: Iterable[tuple[CohortPaths, Mapping[str, Any]]],
    declared: Mapping[str, Mapping[str, Any]],
    action: Action,
) -> list[StepTask]:
    """Tasks for all steps of all cohorts.

    Args:
        steps: the plan.
        jobs: the cohorts, with different names, each with the parameters it is run with.
        declared: parameters that each notebook declares, by its name.
        action: carries out one step of one cohort with the parameters to be put into its notebook.
    """
    steps = list(steps)
    code = {step.name: _code(step) for step in steps}
    optional = {path for step in steps for path in step.optional}
    tasks = []
    for cohort, parameters in jobs:
        nodes = {
            path: ProductNode(
                name=f"{cohort.name}/{path}", path=locate(path, cohort), optional=path in optional
            )
            for step in steps
            for path in step.writes
        }
        for step in steps:
            values = injected(parameters, declared.get(step.name, {}), cohort_argument(cohort))
            given = {**code[step.name], "parameters": digest_value(values), **_files(step, cohort)}
            # Which tables a cohort has decides what can be analysed, even where they are empty.
            given["files of the cohort"] = digest_value(raw_names(cohort))
            name = f"{cohort.name}/{step.name}"
            inputs = [GivenNode(name=f"{name}: {key}", digest=digest) for key, digest in given.items()]
            tasks.append(
                StepTask(
                    name=name,
                    function=_bind(action, step, cohort, values),
                    depends_on={"inputs": [*inputs, *(nodes[path] for path in step.reads if path in nodes)]},
                    produces={"outputs": [nodes[path] for path in step.writes]},
                    step=step,
                    cohort=cohort,
                )
            )
    return tasks


def cohort_argument(cohort: CohortPaths) -> str:
    """The cohort as told to a notebook: its name, or for a folder elsewhere its path; ``@VARIANT`` if any."""
    embedded = project_root() / "data" / "cohorts" / cohort.base
    told = cohort.base if cohort.folder == embedded.resolve() else shown(cohort.folder)
    return f"{told}@{cohort.variant}" if cohort.variant else told


def raw_names(cohort: CohortPaths) -> list[str]:
    """Names of the files in a cohort's folder."""
    return [path.relative_to(cohort.folder).as_posix() for path in files_matching(cohort.folder, "**/*")]


def _bind(action: Action, step: Step, cohort: CohortPaths, values: Mapping[str, Any]) -> Callable[..., None]:
    def function(**_: Any) -> None:
        action(step, cohort, values)

    return function


def _code(step: Step) -> dict[str, str]:
    modules = set(EXECUTION)
    if step.call is None:
        modules |= notebook_modules(step.source)
        source = notebook_digest(step.source)
    else:
        modules.add(step.call.partition(":")[0])
        source = digest_value([step.call, dict(step.arguments)])
    return {"source": source, "helpers": source_digest(source_files(modules))}


def _files(step: Step, cohort: CohortPaths) -> dict[str, str]:
    roots = {"cohort": cohort.folder, "project": project_root()}
    digests = {}
    for pattern in dict.fromkeys((*ALWAYS_READ, *step.reads)):
        first, _, rest = pattern.partition("/")
        if first in roots:
            files = files_matching(roots[first], rest)
            digests[pattern] = digest_value(
                [[path.relative_to(roots[first]).as_posix(), digest_file(path)] for path in files]
            )
    return digests
