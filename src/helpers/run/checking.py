"""Whether a cohort can be analysed, asked before any kernel starts and remembered until its files change.

>>> from helpers.project.paths import CohortPaths
>>> paths = CohortPaths.of("rdmas_reconstructed")
>>> cohort_problems(paths), criteria_problems(folder)
([], [])
>>> problems_before_run(paths), has_passed(paths)
('', True)
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.project.paths import CohortPaths, state_dir
from helpers.project.raw_files import raw_files
from helpers.project.sources import (
    digest_file,
    digest_value,
)
from helpers.run.code_digests import modules_digest

if TYPE_CHECKING:
    from helpers.problems import Problem

_CHECKS = ["helpers.cohort.check", "helpers.run.checking"]


def cohort_problems(paths: CohortPaths) -> "list[Problem]":
    """Every problem of a cohort's configuration, raw tables and criteria files."""
    from helpers.cohort.check import check_cohort
    from helpers.intake.refresh import located, refresh

    # What a hospital's files are mapped to comes first: the tables are made of them.
    of_mapping = refresh(paths.folder)
    if any(problem.severity == "error" for problem in of_mapping):
        return of_mapping
    of_tables = located(check_cohort(paths.folder), paths.folder)
    return [*of_mapping, *of_tables, *criteria_problems(paths.folder)]


def criteria_problems(folder: Path) -> "list[Problem]":
    """Criteria that the configuration names and that cannot be used, and faulty files of the cohort's own."""
    from helpers.analysis import clinical
    from helpers.cohort.config import CONFIG_FILE, read_config

    if not (folder / CONFIG_FILE).is_file():
        return []
    return clinical.criteria_problems(read_config(folder).config, folder)


def has_passed(paths: CohortPaths) -> bool:
    """Whether a cohort has passed the check, and neither it, the vocabulary nor the check's code changed."""
    try:
        return bool(json.loads(_passed(paths).read_text(encoding="utf-8")) == _digest(paths))
    except (OSError, ValueError):
        return False


def problems_before_run(paths: CohortPaths) -> str:
    """The errors of a cohort as plain text; empty if it can be analysed, which is remembered."""
    from helpers.problems import errors, render

    digest, passed = _digest(paths), _passed(paths)
    found = errors(cohort_problems(paths))
    if found:
        passed.unlink(missing_ok=True)
        return render(found)
    passed.parent.mkdir(parents=True, exist_ok=True)
    passed.write_text(json.dumps(digest), encoding="utf-8")
    return ""


def _passed(paths: CohortPaths) -> Path:
    return state_dir() / "checked" / f"{paths.name}.json"


def _digest(paths: CohortPaths) -> str:
    contents = [[place, digest_file(path)] for place, path in raw_files(paths.folder).items()]
    return digest_value([str(paths.folder), contents, modules_digest(_CHECKS)])
