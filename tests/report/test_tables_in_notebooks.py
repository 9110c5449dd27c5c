"""A notebook's table keeps its look where style sheets are stripped, and says the same as the file."""

from __future__ import annotations

import re

from helpers.report.formats.html import inlined
from helpers.report.tables.content import row
from helpers.report.tables.table import Table

TABLE = Table("table_x", "A title", ["What", "Ruxolitinib"], [row("Age", "42"), row("Sex", "f", level=1)])


def test_no_sheet_is_left_and_every_cell_has_its_own_style() -> None:
    shown = TABLE._repr_html_()
    assert "<style>" not in shown
    cells = re.findall(r"<(?:td|th)\b[^>]*>", shown)
    assert len(cells) == 7
    assert all("text-align" in cell for cell in cells)
    assert re.search(r"<table [^>]*border-top: 2px solid #a8a8a8", shown)


def test_a_cell_keeps_the_style_that_it_has() -> None:
    (cell,) = re.findall(r"<td [^>]*>Sex", TABLE._repr_html_())
    assert cell.count("style=") == 1
    assert cell.rindex("padding-left: 21px") > cell.index("padding: 3px 5px")


def test_nothing_but_style_is_changed() -> None:
    def bare(text: str) -> str:
        return re.sub(r'<style>.*?</style>\s*| style="[^"]*"', "", text, flags=re.DOTALL)

    assert bare(inlined(TABLE.to_html())) == bare(TABLE.to_html())
