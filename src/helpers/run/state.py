"""What the last run left of a cohort: digests of what went into each step and of what came out of it.

One file per cohort, ``.compendium/state/NAME.json``, always written whole. One that is missing or damaged
only means that nothing is known, so that all steps run again.

>>> from helpers.project.paths import CohortPaths
>>> from helpers.run.plan import load_plan
>>> state, step = State(CohortPaths.of("rdmas_reconstructed")), load_plan()[0]
>>> state.note(step, {"code": "a"}, {}, {"out.csv": "b"})
>>> (
...     state.is_current(step, {"code": "a"}, {}, {"out.csv": "b"}),
...     state.is_current(step, {"code": "c"}, {}, {"out.csv": "b"}),
... )
(True, False)
>>> state.touched(step, {"out.csv": "z"}), len(product_digests(step, state.paths)) > 0
(['out.csv'], True)
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.project.paths import CohortPaths, state_dir
from helpers.project.sources import digest_file, digest_value
from helpers.results.files import write_whole
from helpers.run.inputs import TEXT, InputDigests
from helpers.run.plan import Step, locate

ABSENT = "absent"  # an optional product that the step did not write

Digests = Mapping[str, str | None]


@dataclass
class State:
    """What is known of one cohort.

    Attributes:
        paths: the cohort.
        steps: by step, digests of its ``inputs``, of the ``reads`` that other steps wrote and of its
            ``products``.
        complete: digest of the whole run if nothing was left undone, else empty.

    >>> from helpers.project.paths import CohortPaths
    >>> (
    ...     State.read(CohortPaths.of("rdmas_reconstructed@horizon_days=1")).steps,
    ...     remembered_cohorts() is not None,
    ... )
    ({}, True)
    """

    paths: CohortPaths
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    complete: str = ""

    @classmethod
    def read(cls, paths: CohortPaths) -> "State":
        """What is known of a cohort."""
        try:
            stored = json.loads(_file(paths).read_text(encoding="utf-8"))
            steps, complete = stored["steps"], stored["complete"]
        except (OSError, ValueError, KeyError, TypeError):
            return cls(paths)
        whole = isinstance(steps, dict) and isinstance(complete, str)
        known = whole and all(isinstance(each, dict) for each in steps.values())
        return cls(paths, steps, complete) if known else cls(paths)

    def write(self) -> None:
        """Store it."""
        known = {"folder": str(self.paths.folder), "steps": self.steps, "complete": self.complete}
        text = json.dumps(known, sort_keys=True, indent=1)
        write_whole(_file(self.paths), text.encode())

    def is_current(self, step: Step, inputs: Mapping[str, str], reads: Digests, products: Digests) -> bool:
        """Whether a step need not be executed: same inputs, and products that nobody has touched."""
        return None not in products.values() and self.steps.get(step.name) == _record(inputs, reads, products)

    def only_text_differs(
        self, step: Step, inputs: Mapping[str, str], reads: Digests, products: Digests
    ) -> bool:
        """Whether a notebook differs from what was executed by its Markdown and comments alone."""
        known = self.steps.get(step.name, {}).get("inputs", {})
        same = isinstance(known, dict) and TEXT in known and TEXT in inputs
        return same and self.is_current(step, {**inputs, TEXT: known[TEXT]}, reads, products)

    def note(self, step: Step, inputs: Mapping[str, str], reads: Digests, products: Digests) -> None:
        """Remember that a step was executed."""
        self.steps[step.name] = _record(inputs, reads, products)

    def touched(self, step: Step, products: Digests) -> list[str]:
        """Products of a step that are not as it wrote them."""
        known = self.steps.get(step.name, {}).get("products", {})
        return [path for path, digest in products.items() if path in known and known[path] != digest]


def remembered_cohorts() -> dict[str, Path]:
    """By the name under which results of earlier runs are filed: the folder of the cohort."""
    found = {}
    for file in sorted((state_dir() / "state").glob("*.json")):
        try:
            found[file.stem] = Path(json.loads(file.read_text(encoding="utf-8"))["folder"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def _file(paths: CohortPaths) -> Path:
    return state_dir() / "state" / f"{paths.name}.json"


def _record(inputs: Mapping[str, str], reads: Digests, products: Digests) -> dict[str, Any]:
    return {"inputs": dict(inputs), "reads": dict(reads), "products": dict(products)}


def product_digests(step: Step, paths: CohortPaths) -> dict[str, str | None]:
    """SHA-256 of each file that a step writes; None for one that is missing."""
    found: dict[str, str | None] = {}
    for declared in step.writes:
        file = locate(declared, paths)
        missing = ABSENT if declared in step.optional else None
        found[declared] = digest_file(file) if file.is_file() else missing
    return found


def run_digest(steps: Iterable[Step], paths: CohortPaths, inputs: InputDigests) -> str:
    """One digest of all that goes into a run and has come out of it, its record of provenance included."""
    products = [locate(path, paths) for step in steps for path in step.writes] + [paths.provenance]
    made = [[str(path), digest_file(path) if path.is_file() else None] for path in products]
    return digest_value([{name: dict(digests) for name, digests in inputs.items()}, made])
