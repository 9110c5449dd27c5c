"""What the results of a cohort were made from: ``results/NAME/provenance.json``.

Written by the run alone, and read by report and manuscript, so that no statement of theirs comes from
elsewhere. Hashes and relative paths only: no time and no machine, so that the same inputs give the same
bytes.

>>> from helpers.project.paths import CohortPaths
>>> read_record(CohortPaths.of("rdmas_reconstructed@horizon_days=1"))  # never made
{}
>>> from helpers.run.plan import load_plan
>>> as_seen_by(load_plan()[0], load_plan(), {})  # doctest: +ELLIPSIS
{'products': {}, 'stale': {}, 'parameters': {}, 'notebooks': {}, 'raw_data': {}, 'missing_steps': [], ...}
"""

import json
import sys
import tomllib
from collections.abc import Iterable, Mapping
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from helpers.project.checkout import commit
from helpers.project.paths import CohortPaths, notebooks_dir, project_root
from helpers.project.raw_files import PROSE, is_prose, raw_files
from helpers.project.sources import (
    digest_file,
    files_matching,
    notebook_digest,
    package_folder,
)
from helpers.results.files import write_whole
from helpers.run.code_digests import package_digest
from helpers.run.parameters import COHORT
from helpers.run.plan import PLAN_FILE, Step, locate, transitive_predecessors
from helpers.run.state import ABSENT

RECORD_VERSION = 2
Products = Mapping[str, str | None]


class Recorder:
    """Makes the record of one cohort, whole or as far as one step sees it.

    What no step of the run writes is looked at once.

    Args:
        paths: the cohort.
        steps: the plan.
        parameters: parameters of the run.
        declared: parameters that each notebook declares, by its name.
    """

    def __init__(
        self,
        paths: CohortPaths,
        steps: Iterable[Step],
        parameters: Mapping[str, Any],
        declared: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self._paths, self._steps = paths, list(steps)
        self._parameters, self._declared = parameters, declared

    def seen_by(self, step: Step, products: Products) -> str:
        """The record as text, of the steps that a step waits for.

        The authors' text is left out where neither step nor those reads any: an edited sentence is nothing to
        them.

        Args:
            step: the step.
            products: digests of what those steps wrote.
        """
        before = transitive_predecessors(step, self._steps)
        record = self._record(before, products, [])
        return _text(record | {"raw_data": _raw_data_of([*before, step], record)})

    def write(self, products: Products, missing: Iterable[str]) -> None:
        """Write the record of the whole run; an unchanged one is not touched.

        Args:
            products: digests of what the steps that are up to date have written.
            missing: steps that failed or did not run; what they wrote earlier is stale.
        """
        record = self._record(self._steps, products, sorted(missing))
        record["checkout"] = commit(project_root())
        text, file = _text(record), self._paths.provenance
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            write_whole(file, text.encode())

    def _record(self, steps: list[Step], products: Products, missing: list[str]) -> dict[str, Any]:
        paths = self._paths
        notebooks = [step for step in steps if step.is_notebook]
        read = {path: digest for step in steps for path, digest in self._read_from_project[step.name].items()}
        return {
            "record_version": RECORD_VERSION,
            "cohort": paths.name,
            "complete": not missing,
            "missing_steps": missing,
            "stale": {
                path: digest_file(file)
                for step in steps
                if step.name in missing
                for path in step.writes
                if (file := locate(path, paths)).is_file()
            },
            "parameters": {
                step.name: {
                    key: self._parameters.get(key, own)
                    for key, own in self._declared.get(step.name, {}).items()
                    if key != COHORT
                }
                for step in notebooks
            },
            "project_files": read | self._used_by_all,
            "notebooks": {f"notebooks/{step.source.name}": self._notebooks[step.name] for step in notebooks},
            **self._fixed,
            "products": {
                path: digest
                for step in steps
                if step.name not in missing
                for path in step.writes
                if (digest := products.get(path)) not in {None, ABSENT}
            },
        }

    @cached_property
    def _fixed(self) -> dict[str, Any]:
        """What is the same of whatever steps the record tells."""
        return {
            "raw_data": {place: digest_file(path) for place, path in raw_files(self._paths.folder).items()},
            "helpers": package_digest(),
            "python": f"{sys.version_info.major}.{sys.version_info.minor}",
            "packages": _packages(project_root()),
        }

    @cached_property
    def _notebooks(self) -> dict[str, str]:
        """By step: digest of its notebook."""
        return {step.name: notebook_digest(step.source) for step in self._steps if step.is_notebook}

    @cached_property
    def _used_by_all(self) -> dict[str, str]:
        """Digests of the project's files that every step uses, by their paths."""
        words = files_matching(package_folder() / "vocabulary", "*.csv")
        return _digests([project_root() / "uv.lock", notebooks_dir() / PLAN_FILE]) | {
            f"src/helpers/vocabulary/{path.name}": digest_file(path) for path in words
        }

    @cached_property
    def _read_from_project(self) -> dict[str, dict[str, str]]:
        """By step: digests of the project's files that it declares to read, by their paths."""
        declared = {
            step.name: sorted(path.partition("/")[2] for path in step.reads if path.startswith("project/"))
            for step in self._steps
        }
        return {
            name: _digests(file for pattern in patterns for file in files_matching(project_root(), pattern))
            for name, patterns in declared.items()
        }


def read_record(paths: CohortPaths) -> dict[str, Any]:
    """The record of a cohort's results; empty if there is none that can be read."""
    try:
        record = json.loads(paths.provenance.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def as_seen_by(step: Step, steps: Iterable[Step], record: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a whole record that ``step`` is shown: that of the steps which it waits for."""
    before = transitive_predecessors(step, list(steps))
    written = {path for each in before for path in each.writes}
    names = {each.name for each in before}
    own = {f"notebooks/{each.source.name}" for each in before if each.is_notebook}
    missing = [name for name in record.get("missing_steps", []) if name in names]
    kept = {"products": written, "stale": written, "parameters": names, "notebooks": own}
    parts = {key: {k: v for k, v in record.get(key, {}).items() if k in which} for key, which in kept.items()}
    parts["raw_data"] = _raw_data_of([*before, step], record)
    return {**record, **parts, "missing_steps": missing, "complete": not missing}


def _raw_data_of(steps: Iterable[Step], record: Mapping[str, Any]) -> dict[str, str]:
    """Digests of the raw data; with those of the authors' text only if one of the steps reads such."""
    reads_text = any(path.endswith(PROSE) for step in steps for path in step.reads)
    raw = record.get("raw_data", {})
    return {place: digest for place, digest in raw.items() if reads_text or not is_prose(place)}


def _text(record: Mapping[str, Any]) -> str:
    return json.dumps(record, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _digests(files: Iterable[Path]) -> dict[str, str]:
    root = project_root()
    return {path.relative_to(root).as_posix(): digest_file(path) for path in files if path.is_file()}


def _packages(root: Path) -> dict[str, str]:
    """Installed versions of the packages that the project names as its dependencies."""
    try:
        settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except OSError:
        return {}
    from packaging.requirements import Requirement

    versions = {}
    for text in settings.get("project", {}).get("dependencies", []):
        name = Requirement(text).name
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    return versions
