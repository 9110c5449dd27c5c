"""The plan as tasks of pytask: what each step depends on, by content, and what it produces."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytask import Mark, PathNode, TaskWithoutPath

from helpers.project.paths import CohortPaths
from helpers.project.sources import digest_bytes
from helpers.run.inputs import InputDigests, Values
from helpers.run.plan import Step, locate

Action = Callable[[Step, CohortPaths, Mapping[str, Any]], None]
Job = tuple[CohortPaths, Values]


# What writes most takes longest: begun first, nothing waits for it in the end. The mark says the contrary,
# since pytask sorts for a list emptied from its end, and pytask-parallel hands it out from its beginning.
_BEGUN_FIRST = Mark("try_last", (), {})


@dataclass(kw_only=True)
class InputNode:
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
    steps: Iterable[Step], jobs: Iterable[Job], given: Mapping[str, InputDigests], action: Action
) -> list[StepTask]:
    """Tasks for all steps of all cohorts.

    Args:
        steps: the plan.
        jobs: the cohorts, with different names, each with what is put into its notebooks.
        given: digests of what is fixed before the run starts, by cohort and step.
        action: carries out one step of one cohort with the parameters to be put into its notebook.
    """
    steps = list(steps)
    most = max(len(step.writes) for step in steps)
    optional = {path for step in steps for path in step.optional}
    tasks = []
    for cohort, values in jobs:
        nodes = {
            path: ProductNode(
                name=f"{cohort.name}/{path}", path=locate(path, cohort), optional=path in optional
            )
            for step in steps
            for path in step.writes
        }
        for step in steps:
            name = f"{cohort.name}/{step.name}"
            digests = given[cohort.name][step.name]
            inputs = [InputNode(name=f"{name}: {key}", digest=digest) for key, digest in digests.items()]
            tasks.append(
                StepTask(
                    name=name,
                    function=_bind(action, step, cohort, values[step.name]),
                    depends_on={"inputs": [*inputs, *(nodes[path] for path in step.reads if path in nodes)]},
                    produces={"outputs": [nodes[path] for path in step.writes]},
                    markers=[_BEGUN_FIRST] if len(step.writes) > most / 2 else [],
                    step=step,
                    cohort=cohort,
                )
            )
    return tasks


def _bind(action: Action, step: Step, cohort: CohortPaths, values: Mapping[str, Any]) -> Callable[..., None]:
    def function(**_: Any) -> None:
        action(step, cohort, values)

    return function
