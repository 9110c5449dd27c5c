"""Values and ids that are well formed and most likely not what was measured or meant.

>>> patients, measured = examined.tables["patients"], examined.tables["measurements"]
>>> (
...     ids(patients),
...     zeros(measured, examined.measured, config),
...     bare_ceilings(measured, examined.measured, config),
... )
([], [], [])
>>> stray_quotes(patients.raw)[1]
[]
"""

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.cohort.cells import unquoted
from helpers.cohort.measuring import Measured
from helpers.cohort.parsing import TypedTable
from helpers.cohort.reading import RawTable
from helpers.cohort.settings import CohortConfig
from helpers.cohort.texts import by_text, distinct
from helpers.problems import Problem
from helpers.vocabulary.names import fold

# A heap at the maximum: so many values, and such a share of all, are exactly the largest one.
_HEAP, _SHARE, _VALUES = 4, 0.08, 20
_SCIENTIFIC = re.compile(r"^\d(?:[.,]\d+)?[eE][+-]?\d+$")
_HOSPITAL = re.compile(r"^\d{7,}$|^\d{17}[\dXx]$")
_CHINESE_NAME = re.compile(r"^[\u4e00-\u9fff·]{2,5}$")
_LATIN_NAME = re.compile(r"^[^\W\d_]{2,}(?:,\s*|\s+)[^\W\d_]{2,}(?:\s+[^\W\d_]+)?$")
_QUOTED_COLUMNS = ("patient_id", "group", "variable", "term", "drug", "response")


def bare_ceilings(table: TypedTable, measured: Measured, config: CohortConfig) -> list[Problem]:
    """Warnings where many values of a variable equal its largest: most likely an assay's upper limit.

    A value recorded as 1500 that means ">1500" enters medians and tests as 1500. Scores and percentages end
    by their nature, and variables with a reporting limit in the settings have been thought about.
    """
    recorded = measured.frame["recorded_value"].to_numpy(dtype=float)
    problems = []
    for name, rows in measured.places(measured.frame["qualifier"] == ""):
        variable = config.vocabulary[name]
        if not variable.skewed or name in config.reporting_limits or len(rows) < _VALUES:
            continue
        values, counts = np.unique(recorded[rows], return_counts=True)
        heap, others = int(counts[-1]), counts[-6:-1]
        lonely = heap >= _HEAP and heap >= _SHARE * len(rows) and (not len(others) or heap > 2 * others.max())
        if lonely and len(values) > 1:
            lines = sorted(measured.frame.index[rows[recorded[rows] == values[-1]]].tolist())
            found = f"{heap} of {len(rows)} values of {name} are {values[-1]:g}, the largest"
            remedy = (
                "if it is the assay's upper limit, write '>' before it or give it in cohort.toml as upper "
                f"under [reporting_limits.{name}]"
            )
            problems.append(
                _doubt(table.raw, "value", lines, found, "values that do not heap at the end", remedy)
            )
    return problems


def zeros(table: TypedTable, measured: Measured, config: CohortConfig) -> list[Problem]:
    """Warnings where 0 stands for a concentration that an assay can only report as below a limit."""
    nothing = (measured.frame["qualifier"] == "") & (measured.frame["value"] == 0)
    problems = []
    for name, rows in measured.places(nothing):
        variable = config.vocabulary[name]
        limits = config.reporting_limits.get(name)
        if variable.direction != "high" or not variable.skewed or (limits and limits.lower is not None):
            continue
        lines = sorted(measured.frame.index[rows].tolist())
        found = f"{name} 0 in {len(rows)} {'row' if len(rows) == 1 else 'rows'}"
        remedy = (
            f"write '<' and the assay's limit, give it as [reporting_limits.{name}] lower in cohort.toml, or "
            "leave the field empty if it was not measured"
        )
        problems.append(_doubt(table.raw, "value", lines, found, "a value above 0", remedy))
    return problems


def _doubt(raw: RawTable, column: str, lines: list[int], found: str, expected: str, remedy: str) -> Problem:
    return Problem(
        raw.file, lines[0], raw.header(column), found, expected, remedy, "warning", tuple(lines[1:])
    )


def ids(patients: TypedTable) -> list[Problem]:
    """Say which ids a spreadsheet has changed, and which look like names or hospital numbers.

    Ids that tell who a patient is are not repeated: messages are logged and shown.

    >>> from dataclasses import replace
    >>> patients = examined.tables["patients"]
    >>> named = replace(patients, frame=patients.frame.assign(patient_id="Zhang Wei"))
    >>> ids(named)[0].severity
    'warning'
    """
    text = patients.frame["patient_id"].dropna().astype(str)
    raw, column = patients.raw, "patient_id"
    changed = [
        raw.problem(row, column, repr(text[row]), "a study number",
                    "a spreadsheet has rounded the number; export the ids as text")
        for row in text.index[text.str.match(_SCIENTIFIC)]
    ]  # fmt: skip
    problems = list(changed)
    kinds = {
        "a hospital number": text.str.match(_HOSPITAL),
        "a name": text.str.match(_CHINESE_NAME) | text.str.match(_LATIN_NAME),
    }
    for kind, looks in kinds.items():
        lines = [int(row) for row in text.index[looks]]
        # A word such as "control one" may be an id; several that look like names are names.
        if len(lines) >= max(2, 0.2 * len(text)) or (kind == "a hospital number" and lines):
            found = f"{len(lines)} ids that look like {kind}"
            remedy = "replace them by study numbers, and keep the key elsewhere"
            problems.append(_doubt(raw, column, lines, found, "study numbers", remedy))
    return [*problems, *_ids_alike(raw, text)]


def _ids_alike(raw: RawTable, text: pd.Series) -> list[Problem]:
    """Warnings for two patients whose ids differ in case, blanks, leading zeros or the form of signs only."""
    seen: dict[str, str] = {}
    problems = []
    for row, own in text.items():
        key = re.sub(r"(?<!\d)0+(?=\d)", "", fold(own).replace(" ", "")) or own
        other = seen.setdefault(key, own)
        if other != own:
            problems.append(
                raw.warning(int(str(row)), "patient_id", f"{own!r} beside {other!r}", "distinct ids",
                            "they are two patients; spell them alike if they are one")
            )  # fmt: skip
    return problems


def stray_quotes(raw: RawTable) -> tuple[RawTable, list[Problem]]:
    """Take quotation marks off the ends of names and ids, with a warning: they would make others of them."""
    frame, problems = raw.frame, []
    for column in (name for name in _QUOTED_COLUMNS if name in frame):
        clean = {text: unquoted(text) for text in distinct(frame[column])}
        changed = {text for text, bare in clean.items() if text != bare}
        if changed:
            lines = [int(row) for row in frame.index[frame[column].isin(changed)]]
            found = f"{len(lines)} texts with a quotation mark at an end"
            problems.append(
                _doubt(raw, column, lines, found, "text without stray quotation marks", "they are left out")
            )
            frame = frame.assign(**{column: by_text(frame[column], clean)})
    return replace(raw, frame=frame), problems
