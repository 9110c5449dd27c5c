"""Which files in a cohort's folder an analysis may read; what else lies there is nobody's input.

A protocol, a lock file of Excel or yesterday's export may lie beside the tables without making the results
stale. A file counts by its name, or because ``cohort.toml`` or ``mapping.toml`` names it.

>>> sorted(raw_files(folder))[:2], is_prose("notes.md"), is_prose("patients.csv")
(['README.md', 'cohort.toml'], True, False)
"""

import re
from pathlib import Path

from helpers.project.sources import files_matching

TABLES = ("patients", "measurements", "treatments", "responses", "events")
SUFFIXES = (".csv", ".xlsx", ".parquet")
WORDS = ("variables.csv", "drugs.csv", "terms.csv", "ranges.csv")
FOLDERS = ("tables", "source", "criteria")  # tables made by a mapping, what they are made of, criteria
SETTINGS = ("cohort.toml", "mapping.toml")
PROSE = (".md", ".bib", ".numbers.json")  # the authors' text, which no analysis reads
PLANS = re.compile(r"analysis_plan(_\d+)?\.json")  # frozen: the present one and former ones

_KNOWN = {*(table + suffix for table in TABLES for suffix in SUFFIXES), *WORDS, *SETTINGS}


def raw_files(folder: Path) -> dict[str, Path]:
    """Files of a cohort's folder that an analysis or its text may read, by their place in it, in order.

    Args:
        folder: the cohort's folder; one that is not there has no files.
    """
    files = {path.relative_to(folder).as_posix(): path for path in files_matching(folder, "**/*")}
    settings = "\n".join(
        files[name].read_text(encoding="utf-8", errors="replace") for name in SETTINGS if name in files
    )
    return {place: path for place, path in files.items() if _counts(place, settings)}


def is_prose(place: str) -> bool:
    """Whether a file of the cohort holds the authors' text or a frozen plan, which no analysis reads."""
    return place.endswith(PROSE) or PLANS.fullmatch(place) is not None


def _counts(place: str, settings: str) -> bool:
    first, _, rest = place.partition("/")
    return place in _KNOWN or bool(rest and first in FOLDERS) or is_prose(place) or place in settings
