"""Where figures and tables stand, and what they are called: main text, supplement, or the report only.

>>> from helpers.report.tables.table import Table
>>> from helpers.report.text.wording import Wording
>>> table = Table("table_s2_rows", "Rows", [""], [["used"]])
>>> (
...     table_room(table),
...     table_label(table, Wording()),
...     figure_label("figure_2", Wording()),
...     report_only_columns("table_s2_rows"),
... )
('report', 'Table S2', 'Figure 2', ())
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from helpers.report.text.blocks import Room
from helpers.report.text.legends import exhibit_words

if TYPE_CHECKING:
    from helpers.report.tables.table import Table
    from helpers.report.text.wording import Wording

TARGET = "target"  # the checklist that is a table of notebook 07
_TARGET_TABLE = "table_s27_reporting"
_FIGURE = re.compile(r"figure_(s?)(\d+)([a-z]?)(?:_|$)")


@cache
def _exhibits() -> Mapping[str, Any]:
    text = (files("helpers.report.text") / "exhibits.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def figure_room(name: str) -> Room:
    """Return where a figure stands, from its file name.

    >>> figure_room("figure_1a"), figure_room("figure_s1_flow"), figure_room("figure_s6_exposure")
    ('main', 'supplementary', 'report')
    """
    if name in _exhibits()["report_only"]:
        return "report"
    found = _FIGURE.match(name)
    return "supplementary" if not found or found[1] else "main"


def table_room(table: Table, checklists: Collection[str] = ()) -> Room:
    """Return where a table stands; that of the TARGET statement in the supplement where it is chosen."""
    chosen = table.name == _TARGET_TABLE and TARGET in checklists
    if table.name in _exhibits()["report_only"] and not chosen:
        return "report"
    return "supplementary" if table.order[0] else "main"


def report_only_columns(table: str) -> Collection[str]:
    """Return the headings of a table's columns that stand in the report only."""
    columns: Mapping[str, Collection[str]] = _exhibits()["report_only_columns"]
    return columns.get(table, ())


def figure_label(name: str, wording: Wording) -> str:
    """Return ``Figure 2`` or ``Figure S3`` from a figure's file name; its name where it has no number."""
    found = _FIGURE.match(name)
    words = exhibit_words(wording)
    if not found:
        return name
    supplement = words["supplement"] if found[1] else ""
    return f"{words['figure']}{supplement}{found[2]}{found[3].upper()}"


def table_label(table: Table, wording: Wording) -> str:
    """Return ``Table 2`` or ``Table S4`` in the document's language."""
    return str(exhibit_words(wording)["table"]) + table.label.removeprefix("Table ")
