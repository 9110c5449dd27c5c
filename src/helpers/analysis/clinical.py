"""What the clinical rules are evaluated on: known values, limits of normal, a site's own criteria files."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.clinical.criteria_files import available_criteria
from helpers.clinical.errors import ClinicalError
from helpers.clinical.facts import Facts, ReferenceRange, facts_from_visits

if TYPE_CHECKING:
    import pandas as pd

    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig

CRITERIA_FOLDER = "criteria"


def reference_ranges(config: CohortConfig) -> dict[str, ReferenceRange]:
    """Return the limits of normal by variable: the dictionary's, replaced by those of the cohort."""
    found = {}
    for name, rows in config.vocabulary.ranges.items():
        limits = {
            f"{side}_{row.sex}".rstrip("_"): getattr(row, side) for row in rows for side in ("low", "high")
        }
        found[name] = ReferenceRange(**limits)
    return found


def clinical_facts(tables: AnalysisTables, config: CohortConfig) -> Facts:
    """Return what is known of every patient at every planned visit, with the limits of normal.

    A cohort without a visit on day 0 has no baseline: rules that look back to it then stay undecided.
    """
    first = config.baseline_visit
    return facts_from_visits(
        tables.visits,
        tables.patients,
        baseline_visit=first.id if first else "",
        visit_days={visit.id: visit.day for visit in config.visits},
        ranges=reference_ranges(config),
    )


def own_folders(folder: Path) -> list[Path]:
    """Return the site's own folder of criteria files as a list: empty where the cohort has none."""
    own = Path(folder) / CRITERIA_FOLDER
    return [own] if own.is_dir() else []


def own_criteria(folder: Path, kinds: tuple[str, ...]) -> list[str]:
    """Return the names of the criteria files of these kinds in the cohort's own folder, in order of name.

    Args:
        folder: the cohort's folder; its criteria files are ``criteria/NAME.toml``.
        kinds: ``criteria``, ``score``, ``response`` or ``toxicity``.

    Raises:
        ClinicalError: a file there is not TOML.
    """
    names = []
    for path in sorted(path for own in own_folders(folder) for path in own.glob("*.toml")):
        try:
            kind = tomllib.loads(path.read_text(encoding="utf-8-sig")).get("kind")
        except tomllib.TOMLDecodeError as error:
            raise ClinicalError(
                f"criteria file {CRITERIA_FOLDER}/{path.name}: not readable as TOML: {error}"
            ) from None
        if kind in kinds:
            names.append(path.stem)
    return names


def response_rule_name(config: CohortConfig, folder: Path) -> str:
    """Return the file name of the configured response rule: ``paper`` stands for ``response_paper``."""
    name = config.criteria.response
    full = f"response_{name}"
    return full if full in available_criteria(own_folders(folder)) else name


def by_group(frame: pd.DataFrame, tables: AnalysisTables) -> pd.DataFrame:
    """Add each patient's group to a frame with a column patient_id."""
    groups = tables.patients.set_index("patient_id")["group"]
    return frame.assign(group=frame["patient_id"].map(groups))
