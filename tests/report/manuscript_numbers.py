"""Find the numbers of a manuscript or report that neither a statistic nor a setting accounts for."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.metadata import version

from helpers.report.formats.rendered import theme_of
from helpers.report.tables.cells import Cell, Number, Value
from helpers.report.tables.content import Row as TableRow
from helpers.report.tables.table import Table
from helpers.report.text.claims import Row
from helpers.report.text.methods import SOFTWARE
from helpers.report.text.settings import setting_text
from helpers.report.text.wording import LANGUAGES, Wording
from helpers.results.store import Statistics
from helpers.vocabulary.reading import shipped_vocabulary

_DECLARED: dict[str, set[str]] = {}
_NUMBER = re.compile(r"\d+(?:[.\-]\d+)*")
# Numbers of the wording: conventions and names, not results.
_WORDING = (
    r"day 0", r"第0天", r"grade \d or \d", r"grade \d", r"\d级或\d级", r"\d级", r"exceeded 0\.1", r"超过0\.1",
    r"per 100", r"每100", r"(above|below|holds) 1\b", r"1之[上下]", r"包含1", r"(Figure|Table) S?\d+[a-z]?",
    r"[图表]S?\d+[a-z]?", r"HLH-2004", r"2016 EULAR", r"2016年EULAR", r"Li 2025", r"CD25", r"SHA-256",
    r"one group", r"interleukin \d+", r"白介素\d+",
)  # fmt: skip


def declared_numbers(study) -> set[str]:
    """Every number that settings, parameters and software declare."""
    config, material = study.config, study.material
    known = _DECLARED.get(str(study.results))
    if known is not None:
        return known
    rows = [row for row in study.statistics.select(analysis="effect") if row.p_value == row.p_value]
    below = sum(row.p_value < material.alpha for row in rows)
    texts = [
        f"{material.horizon_days:g}", f"{100 * material.confidence:g}", f"{material.alpha:g}",
        f"{config.steroids.threshold_mg_per_kg:g}", str(config.follow_up.data_cutoff), config.source,
        str(len(config.exclusions)), *map(str, study.parameters.values()), config.title, config.data_note,
        str(len(rows)), str(below), str(len(rows) - below), "3.11", "3.12", "3.13",
        *(version(name) for name in SOFTWARE), *(f"{visit.label} {visit.day}" for visit in config.visits),
        *(f"{group.label} {group.day0} {group.enrolment}" for group in config.groups),
        *dates_written_out(config), setting_text("rows.effect.methods", material),
    ]  # fmt: skip
    return _DECLARED.setdefault(
        str(study.results), {number for text in texts for number in _NUMBER.findall(text)}
    )


def dates_written_out(config) -> list[str]:
    """The days and months of the settings as each language writes them."""
    dates = [month for group in config.groups for month in group.enrolment or ()]
    if config.follow_up.data_cutoff is not None:
        dates.append(config.follow_up.data_cutoff.isoformat())
    return [Wording(language).date(date) for date in dates for language in LANGUAGES]


def strays(text: str, study) -> list[str]:
    """Return the numbers of a text, its links to statistics taken out, that nothing declares."""
    for variable in shipped_vocabulary().variables.values():
        for label in (variable.label, variable.label_zh):
            text = text.replace(label, " ") if re.search(r"\d", label) else text
    for wording in _WORDING:
        text = re.sub(wording, " ", text)
    known = declared_numbers(study)
    return [number for number in _NUMBER.findall(text) if number not in known]


def part_spellings(statistics: Statistics, identifier: str, part: str, language: str) -> set[str]:
    """Every way in which one part of a stored row can be printed."""
    row = statistics[identifier]
    return {str(Wording(language).number(Row(row, digits), part)) for digits in (*range(5), None)}


def renewed_cell(cell: Cell, statistics: Statistics) -> Cell:
    """A cell with its numbers taken from the statistics anew."""

    def renewed(part):
        if not isinstance(part, Value):
            return part
        numbers = {
            role: Number(float(getattr(statistics[one.id], one.column)), one.id, one.column, one.sign)
            for role, one in part.numbers.items()
        }
        return replace(part, numbers=numbers)

    return replace(cell, parts=tuple(map(renewed, cell.parts)))


def looked_up(table: Table, statistics: Statistics, journal: str) -> list[list[str]]:
    """The texts of a table's rows, each number taken from the statistics anew."""
    theme = theme_of(table, journal)
    rows = [row for row in table.rows if isinstance(row, TableRow)]
    return [[theme.text(renewed_cell(cell, statistics)) for cell in row.cells] for row in rows]
