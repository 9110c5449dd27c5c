"""Numbers in the authors' own manuscript: as they were accepted, as they are now, and what changed between.

The authors' prose stands in ``manuscript.md`` beside ``cohort.toml``. ``compendium report --accept`` keeps
the numbers that it shows in ``manuscript.numbers.json`` there; every later run lists those that differ.

>>> changes(study), shown_numbers(study)  # the authors have no manuscript of their own here
([], {})
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.report.text.document import manuscript_template, own_template
from helpers.report.text.inline import PLACEHOLDER, filled_placeholder, is_placeholder_of_a_number
from helpers.report.text.wording import Wording
from helpers.results.files import write_whole

if TYPE_CHECKING:
    from helpers.report.text.material import Study

RECORD, CHANGES = "manuscript.numbers.json", "manuscript_changes.csv"


@dataclass(frozen=True)
class Change:
    """A number of the manuscript that is no longer what was accepted; a new or a lost one is empty there."""

    line: int
    placeholder: str
    accepted: str
    now: str


def shown_numbers(study: Study) -> dict[str, tuple[int, str]]:
    """Return the placeholders of the cohort's own manuscript, each with its first line and its text.

    The manuscript is the one in the cohort's language.

    Raises:
        TemplateError, PartError, UnknownStatisticError: a placeholder that cannot be filled.
    """
    wording = Wording.of(study.config.report.language, study.config)
    if own_template("manuscript", study, wording) is None:
        return {}
    found: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(manuscript_template(study, wording).splitlines(), start=1):
        for match in PLACEHOLDER.finditer(line):
            if is_placeholder_of_a_number(match[1]) and match[1] not in found:
                found[match[1]] = (number, filled_placeholder(match[1], study.material, wording))
    return found


def accept_numbers(study: Study) -> Path | None:
    """Keep the numbers of the cohort's own manuscript as accepted; nothing where it has none."""
    now = shown_numbers(study)
    if not now:
        return None
    record = {placeholder: text for placeholder, (_, text) in now.items()}
    path = study.folder / RECORD
    write_whole(path, (json.dumps(record, ensure_ascii=False, indent=1) + "\n").encode())
    return path


def changes(study: Study) -> list[Change]:
    """Return what changed since the numbers were accepted, in order of the text; nothing before they were."""
    path = study.folder / RECORD
    if not path.is_file():
        return []
    accepted: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    now = shown_numbers(study)
    found = [
        Change(line, placeholder, accepted.get(placeholder, ""), text)
        for placeholder, (line, text) in now.items()
        if accepted.get(placeholder) != text
    ]
    lost = [Change(0, asked, text, "") for asked, text in accepted.items() if asked not in now]
    return [*found, *lost]


def write_changes(study: Study, path: Path) -> list[Change]:
    """Write the list of changes, its head alone where nothing changed, and return it."""
    found = changes(study)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(Change)])
    writer.writerows(astuple(one) for one in found)
    write_whole(path, text.getvalue().encode())
    return found
