"""Find numbers in what a notebook or figure shows and look each up among stored statistics."""

from __future__ import annotations

import json
import re
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from pathlib import Path

from helpers.clinical.criteria_files import available_criteria, find_criteria
from helpers.clinical.response import VARIANTS
from helpers.cohort.config import CohortConfig
from helpers.report.figures.criteria import SHORT
from helpers.report.tables.cells import short_method
from helpers.report.tables.clinical import EVIDENCE_TITLES
from helpers.results.format import format_number
from helpers.results.store import Statistics

_NUMBER = re.compile(r"(?<![\w.])[\N{MINUS SIGN}-]?\d+(?:\.\d+)?")
_TICKS = ("xtick", "ytick", "legend")
# Numbers of the wording itself: an exponent, a confidence level, a limit of the p-value, a test's name.
_WORDING = (
    r"day \d+", r"10⁹", r"95% CI", r"<\s?0\.001", r"at least \d+ days", r"grade \d", r"grade_\d", r"CD25",
    r"\(of 365 days\)", r"exceed 0\.1", r"2 × 2", r"p < 0\.05", r"below 0\.05", r"below 0\.001",
    r"p = 1 by convention", r"IL-\d", r"\b\d+: ?(?=\d)", r"\d days",
    r"95% confidence", r"per 100 patient-years", r"per 100\b", r"[Gg]rade \d or \d", r"\(1 is best\)",
)  # fmt: skip


def shown_in_notebook(path: Path) -> Iterator[str]:
    """Yield the texts that a notebook's outputs show; pictures are looked at as files."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                continue
            for kind in ("text/markdown", "text/plain"):
                if kind in data:
                    text = "".join(data[kind])
                    # Evidence of single patients: values, days and lines of the raw tables, which are data.
                    if not text.startswith(EVIDENCE_TITLES):
                        yield text
                    break
            yield "".join(output.get("text", ""))


def shown_in_figure(path: Path) -> Iterator[str]:
    """Yield the texts of an SVG figure except those of axis ticks and legends."""

    def walk(element: ET.Element) -> Iterator[str]:
        if element.get("id", "").startswith(_TICKS):
            return
        if element.tag.endswith("}text"):
            yield "".join(element.itertext())
        for child in element:
            yield from walk(child)

    yield from walk(ET.parse(path).getroot())


def unknown_numbers(texts: Iterable[str], statistics: Statistics, config: CohortConfig) -> list[str]:
    """Return the numbers that no stored statistic, rounded to the digits shown, accounts for."""
    known = _numbers(statistics)
    labels = sorted([*_labels(config), *_methods(statistics)], key=len, reverse=True)
    unknown = []
    for text in texts:
        bare = text
        for label in labels:
            bare = bare.replace(label, " ")
        for wording in _WORDING:
            bare = re.sub(wording, " ", bare)
        for token in _NUMBER.findall(bare):
            digits = len(token.partition(".")[2])
            shown = token.replace("-", "\N{MINUS SIGN}")
            if not any(format_number(number, digits) == shown for number in known):
                unknown.append(f"{token} in {text[:120]!r}")
    return unknown


def _numbers(statistics: Statistics) -> set[float]:
    found: set[float] = set()
    for row in statistics.values():
        for number in (row.value, row.lower, row.upper):
            if number == number:
                # A share may be shown as a percentage, a fall or imbalance by its size.
                found |= {number, abs(number), *([100 * number] if abs(number) <= 1 else [])}
        found |= {row.p_value} if row.p_value == row.p_value else set()
        found |= {float(count) for count in (row.n, row.n_missing) if count is not None}
    return found


def _methods(statistics: Statistics) -> set[str]:
    """Return the stored names of methods that hold numbers of their own, as they stand in notes."""
    stored = {short_method(row.method) for row in statistics.values() if re.search(r"\d", row.method)}
    return {text for method in stored for text in (method, method[:1].upper() + method[1:])}


def _labels(config: CohortConfig) -> list[str]:
    """Return texts of the configuration and the vocabulary that hold numbers of their own."""
    texts = [config.title, config.data_note, config.watermark]
    texts += [visit.label for visit in config.visits] + [visit.label.lower() for visit in config.visits]
    texts += [group.label for group in config.groups] + [group.day0 for group in config.groups]
    texts += [month for group in config.groups for month in group.enrolment or ()]
    texts += [variable.label for variable in config.vocabulary.variables.values()]
    texts += [*VARIANTS, *_wording_of_criteria()]
    texts += [text[:1].upper() + text[1:] for text in (name.removeprefix("paper, ") for name in VARIANTS)]
    return sorted((text for text in texts if re.search(r"\d", text)), key=len, reverse=True)


def _wording_of_criteria() -> Iterator[str]:
    """Yield the names, titles and item labels of the package's criteria: "HLH-2004", "Aged 18 or older"."""
    for name in available_criteria():
        data = tomllib.loads(find_criteria(name)[1])
        yield name
        yield data["title"]
        yield from (item["label"] for item in data.get("items", []))
    yield from (name.replace("\n", " ") for name in SHORT.values())
    yield from (line for name in SHORT.values() for line in name.split("\n"))
