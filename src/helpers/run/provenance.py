"""What the results of a cohort were made from: ``results/NAME/provenance.json``.

Hashes and relative paths only: no time, no machine, no commit, so that the same inputs give the same bytes.
"""

import json
import sys
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from helpers.project.paths import CohortPaths, project_root
from helpers.project.sources import (
    digest_file,
    files_matching,
    notebook_digest,
    package_folder,
    source_digest,
)
from helpers.run.parameters import COHORT
from helpers.run.plan import Step, locate

RECORD_VERSION = 1


def write_provenance(
    paths: CohortPaths,
    steps: Iterable[Step],
    parameters: Mapping[str, Any],
    declared: Mapping[str, Mapping[str, Any]],
    missing: Iterable[str] = (),
) -> Path:
    """Write the record of a cohort's results; an unchanged record is not touched.

    Args:
        paths: the cohort.
        steps: the steps of the run.
        parameters: parameters of the run.
        declared: parameters that each notebook declares, by its name.
        missing: steps that failed or did not run, whose results are missing.
    """
    record = collect(paths, list(steps), parameters, declared, sorted(missing))
    text = json.dumps(record, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    if not paths.provenance.is_file() or paths.provenance.read_text(encoding="utf-8") != text:
        paths.provenance.parent.mkdir(parents=True, exist_ok=True)
        paths.provenance.write_text(text, encoding="utf-8")
    return paths.provenance


def collect(
    paths: CohortPaths,
    steps: list[Step],
    parameters: Mapping[str, Any],
    declared: Mapping[str, Mapping[str, Any]],
    missing: list[str],
) -> dict[str, Any]:
    """The record as values of JSON's types; arguments as in :func:`write_provenance`."""
    root = project_root()
    raw = files_matching(paths.folder, "**/*")
    project = [root / "data" / "dictionary.csv", root / "uv.lock", *_project_files(steps)]
    return {
        "record_version": RECORD_VERSION,
        "cohort": paths.name,
        "complete": not missing,
        "missing_steps": missing,
        "parameters": {
            name: {key: parameters.get(key, own) for key, own in values.items() if key != COHORT}
            for name, values in declared.items()
        },
        "raw_data": {path.relative_to(paths.folder).as_posix(): digest_file(path) for path in raw},
        "project_files": {
            path.relative_to(root).as_posix(): digest_file(path) for path in project if path.is_file()
        },
        "notebooks": {
            f"notebooks/{step.source.name}": notebook_digest(step.source)
            for step in steps
            if step.is_notebook
        },
        "helpers": source_digest(files_matching(package_folder(), "**/*.py")),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "packages": _packages(root),
        "products": {
            declared_path: digest_file(file)
            for step in steps
            for declared_path in step.writes
            if (file := locate(declared_path, paths)).is_file()
        },
    }


def _project_files(steps: Iterable[Step]) -> list[Path]:
    patterns = {
        path.partition("/")[2] for step in steps for path in step.reads if path.startswith("project/")
    }
    return [file for pattern in sorted(patterns) for file in files_matching(project_root(), pattern)]


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
