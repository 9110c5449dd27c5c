"""A table for readers: rows, footnotes and stamp, shown in notebooks and saved as HTML and csv."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

INDENT = "\N{EM SPACE}"


@dataclass(frozen=True)
class Table:
    """A finished table of texts.

    Attributes:
        name: file name without suffix.
        title: what the table shows.
        columns: headings; the first column holds the row labels.
        rows: one sequence of texts a row; a row of a single text is a heading across the table.
        footnotes: notes below the table.
        stamp: warning for cohorts that are not of real patients.
    """

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    footnotes: Sequence[str] = ()
    stamp: str = ""
    align_left: Sequence[str] = field(default=())

    def __repr__(self) -> str:
        """Return the table as tab-separated text."""
        lines = [self.title, "\t".join(self.columns), *("\t".join(row) for row in self.rows), *self.footnotes]
        return "\n".join([*lines, self.stamp] if self.stamp else lines)

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_html(self) -> str:
        """Return the table as an HTML fragment with its own style."""
        return self._html

    @cached_property
    def _html(self) -> str:
        """Let great_tables make heading, column heads, notes and style; fill in the rows here.

        Its own rows cost a data frame look-up or two a cell, most of the time of a table.
        """
        import pandas as pd
        from great_tables import GT

        left = [self.columns[0], *self.align_left]
        frame = pd.DataFrame([[""] * len(self.columns)], columns=list(self.columns))
        table = GT(frame, id=self.name).tab_header(title=self.title)
        table = table.cols_align("left", columns=left)
        table = table.cols_align("center", columns=[name for name in self.columns if name not in left])
        for note in [*self.footnotes, *([self.stamp] if self.stamp else [])]:
            table = table.tab_source_note(note)
        table = table.tab_options(table_font_size="13px", data_row_padding="3px", heading_align="left")
        before, mark, rest = str(table.as_raw_html()).partition('<tbody class="gt_table_body">')
        sides = ["left" if name in left else "center" for name in self.columns]
        rows = "\n".join(_html_row(row, sides) for row in self.rows)
        return f"{before}{mark}\n{rows}\n{rest[rest.index('</tbody>') :]}"

    def to_csv(self) -> str:
        """Return the table as csv, notes and stamp in rows of their own below it."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerows([self.columns, *([cell.strip(INDENT) for cell in row] for row in self.rows)])
        writer.writerows([[note] for note in [*self.footnotes, *([self.stamp] if self.stamp else [])]])
        return buffer.getvalue()

    def save(self, directory: Path) -> Table:
        """Write ``name.csv`` and ``name.html`` and return the table, so that a notebook shows it."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{self.name}.csv").write_text(self.to_csv(), encoding="utf-8")
        page = f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{self.title}</title>\n'
        (directory / f"{self.name}.html").write_text(f"{page}{self.to_html()}\n</html>\n", encoding="utf-8")
        return self


def _html_row(row: Sequence[str], sides: Sequence[str]) -> str:
    """Return a row in great_tables' classes; a single text is a heading across the table."""
    if len(row) == 1:
        text = html.escape(row[0])
        return f'  <tr><td class="gt_row gt_left" colspan="{len(sides)}"><strong>{text}</strong></td></tr>'
    cells = [
        f'    <td class="gt_row gt_{side}">{html.escape(text)}</td>'
        for text, side in zip(row, sides, strict=True)
    ]
    return "\n".join(["  <tr>", *cells, "  </tr>"])
