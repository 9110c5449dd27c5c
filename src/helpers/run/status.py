"""What of a cohort's results is up to date, told without running anything and without writing.

>>> paths = remembered("rdmas_reconstructed")
>>> {step.standing for step in cohort_status(paths).steps} <= {"current", "stale", "missing"}
True
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from helpers.errors import CompendiumError
from helpers.project.paths import CohortPaths, shown, split_variant
from helpers.project.raw_files import WORDS
from helpers.project.sources import digest_bytes
from helpers.run.inputs import TEXT, code_digests, cohort_argument, declarations, input_digests, values_of
from helpers.run.plan import PROVENANCE, Step, load_plan, locate, predecessors, transitive_predecessors
from helpers.run.provenance import Recorder, read_record
from helpers.run.staging import half_published
from helpers.run.state import State, product_digests, remembered_cohorts

Standing = Literal["current", "stale", "missing"]
_REASONS = {
    "source": "the notebook or what it calls was edited",
    "helpers": "the code that it uses was edited",
    TEXT: "the notebook's text was edited",
    "parameters": "parameters were changed",
    "files of the cohort": "a raw table came or went",
    "cohort/cohort.toml": "cohort.toml was edited",
    "project/uv.lock": "the installed packages changed",
    **{f"cohort/{name}": f"the cohort's {name} was edited" for name in WORDS},
}


class StaleResultsError(CompendiumError):
    """Results do not belong together, or not to the present data; the message names the steps."""


@dataclass(frozen=True)
class StepStatus:
    """Whether what a step wrote belongs to the present data, code and parameters.

    Attributes:
        step: name of the step.
        standing: ``current``; ``stale``: made from something older, or touched since; ``missing``: never
            made.
        reasons: why it is not current, in words.
    """

    step: str
    standing: Standing
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.step}: {self.standing}" + (f" ({'; '.join(self.reasons)})" if self.reasons else "")


@dataclass
class CohortStatus:
    """Whether the results of a cohort are up to date.

    Attributes:
        name: under which the results are filed.
        steps: one a step, in the order of the plan.
    """

    name: str
    steps: list[StepStatus] = field(default_factory=list)

    @property
    def current(self) -> bool:
        """Whether everything is up to date."""
        return all(step.standing == "current" for step in self.steps)


def remembered(name: str) -> CohortPaths:
    """A cohort that was run before, also one that lies elsewhere, by the name of its results.

    Args:
        name: name under which results are filed, or what ``compendium run`` is told.

    Raises:
        ProjectError: there is no such cohort, or its folder has gone.
    """
    folder = remembered_cohorts().get(name)
    if folder is None:
        return CohortPaths.of(name)
    _, variant = split_variant(name)
    return CohortPaths.of(f"{folder}@{variant}" if variant else folder)


def cohort_status(paths: CohortPaths) -> CohortStatus:
    """Look at the results of a cohort.

    Args:
        paths: the cohort, or a variant of it.

    Raises:
        PlanError: the plan cannot be followed.
    """
    steps = load_plan()
    declared = declarations(steps)
    parameters = _parameters(paths)
    values = values_of(steps, paths, parameters, declared)
    inputs = input_digests(steps, paths, values, code_digests(steps))
    state, recorder = State.read(paths), Recorder(paths, steps, parameters, declared)
    products = {step.name: product_digests(step, paths) for step in steps}
    found: dict[str, StepStatus] = {}
    torn = half_published()
    for step in steps:
        before = [other.name for other in predecessors(step, steps)]
        made = {path: digest for name in before for path, digest in products[name].items()}
        reads: dict[str, str | None] = {path: made[path] for path in step.reads if path in made}
        if PROVENANCE in step.reads:
            earlier = transitive_predecessors(step, steps)
            seen = {path: digest for each in earlier for path, digest in products[each.name].items()}
            reads[PROVENANCE] = digest_bytes(recorder.seen_by(step, seen).encode())
        owed = set(step.writes) != step.optional  # a step may have nothing to write, as without a plan
        if owed and not any(locate(path, paths).is_file() for path in step.writes):
            found[step.name] = StepStatus(step.name, "missing")
            continue
        if torn & {locate(path, paths) for path in step.writes}:
            reasons = ["a run was stopped while it replaced them"]
        else:
            reasons = _reasons(step, inputs[step.name], reads, products[step.name], state)
        if waited := [name for name in before if found[name].standing != "current"]:
            reasons.append(f"{_some(waited)} {'is' if len(waited) == 1 else 'are'} not current")
        found[step.name] = StepStatus(step.name, "stale" if reasons else "current", tuple(reasons))
    return CohortStatus(paths.name, list(found.values()))


def require_current(paths: CohortPaths, product: str) -> None:
    """Refuse to make something of results that do not belong together.

    Args:
        paths: the cohort.
        product: what is to be made, as the plan declares it, for example ``report.html``.

    Raises:
        StaleResultsError: a step before it is stale or missing.
    """
    steps = load_plan()
    step = next(step for step in steps if product in step.writes)
    needed = {each.name for each in transitive_predecessors(step, steps)}
    faulty = [
        each for each in cohort_status(paths).steps if each.step in needed and each.standing != "current"
    ]
    if faulty:
        lines = "\n".join(f"- {each}" for each in faulty)
        raise StaleResultsError(
            f"The results in {shown(paths.results)} are not of one piece:\n{lines}",
            remedy=f"\nBring them up to date first: compendium run {cohort_argument(paths)}",
        )


def _parameters(paths: CohortPaths) -> dict[str, Any]:
    """Parameters that the results were made with; none but those of a variant."""
    if not paths.variant:
        return {}
    stored: Mapping[str, Mapping[str, Any]] = read_record(paths).get("parameters", {})
    return {name: value for values in stored.values() for name, value in values.items()}


def _reasons(
    step: Step,
    inputs: Mapping[str, str],
    reads: Mapping[str, str | None],
    products: Mapping[str, str | None],
    state: State,
) -> list[str]:
    if step.name not in state.steps:
        return ["nothing is known of how they were made"]
    record = state.steps[step.name]
    before: Mapping[str, str] = record.get("inputs", {})
    changed = [name for name in sorted({*before, *inputs}) if before.get(name) != inputs.get(name)]
    if "source" in changed and TEXT in changed:
        changed.remove(TEXT)
    found = [_REASONS.get(name, f"{_file(name)} changed") for name in changed]
    earlier: Mapping[str, str] = record.get("reads", {})
    older = sorted(path for path, digest in reads.items() if earlier.get(path) != digest)
    if older and not changed:
        found.append(f"made from another {_some(older)}")
    if gone := [path for path, digest in products.items() if digest is None]:
        found.append(f"{_some(gone)} {'is' if len(gone) == 1 else 'are'} missing")
    touched = [path for path in state.touched(step, products) if products[path] is not None]
    if touched:
        found.append(f"{_some(touched)} {'was' if len(touched) == 1 else 'were'} edited by hand")
    return list(dict.fromkeys(found))


def _file(name: str) -> str:
    return "a raw table" if name.startswith("cohort/") else name.removeprefix("project/")


def _some(paths: Iterable[str]) -> str:
    names = list(paths)
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
