"""Every number of the stored tables is a stored statistic, and every p-value's test is named beside it."""

import csv
import io
import os
import re
from pathlib import Path

import pytest
from manuscript_numbers import renewed_cell

from helpers.report.formats.export import chosen_tables, export_tables
from helpers.report.formats.html import page
from helpers.report.formats.text import lines, to_csv
from helpers.report.journals.table_themes import theme_named
from helpers.report.tables.cells import Value, sentence, short_method
from helpers.report.tables.table import Table
from helpers.results.store import Statistics

ROOT = Path(os.environ.get("COMPENDIUM_PRODUCED") or Path(__file__).parents[2])
COHORT = "rdmas_reconstructed"
RESULTS = ROOT / "results" / COHORT
STORED = sorted((RESULTS / "tables").glob("table_*.json"))
# Data and the wording of others: raw rows, values of single patients, what the publication prints.
OF_DATA = {
    "table_s1_checks", "table_s2_rows", "table_s9_discordant", "table_s12_explanation",
    "table_s17_published_rows", "table_s18_published_audit", "table_s19_beside_paper",
    "table_s30_published_claims",
    "table_s20_protocol", "table_s27_reporting",
}  # fmt: skip
# Tables that say where something stands.
OF_WORDS = {"table_s27_reporting"}
# Digits that are words: a grade, the time in a method's name.
WORDING = re.compile(r"grade \d|^\d: $|, \d: $|[dD]ay \d+|Table S?\d+|Figure S?\d+")


@pytest.fixture(scope="module")
def statistics():
    return Statistics.read(RESULTS / "statistics")


@pytest.fixture(params=STORED, ids=lambda path: path.stem)
def table(request):
    return Table.from_json(request.param)


def body(table):
    for row in table.rows:
        yield from (row.cells if row.kind != "body" else row.cells[1:])


def test_all_tables_of_the_plan_are_stored():
    written = {path.stem for path in (RESULTS / "tables").glob("table_*.csv")}
    assert len(written) > 25
    assert {path.stem for path in STORED} == written


def test_every_number_is_the_stored_one(table, statistics):
    values = list(table.values)
    if table.name not in {*OF_DATA, *OF_WORDS} and any(row.kind == "body" for row in table.rows):
        assert values
    for value in values:
        for number in value.numbers.values():
            stored = getattr(statistics[number.id], number.column)
            assert number.value == stored or (number.value != number.value and stored != stored), number


def test_printed_texts_are_the_statistics_formatted(table, statistics):
    theme = theme_named()
    printed = list(csv.reader((RESULTS / "tables" / f"{table.name}.csv").open(encoding="utf-8")))
    assert printed == lines(table)
    for number, row in enumerate(table.rows, start=1):
        texts = [theme.text(renewed_cell(cell, statistics)) for cell in row.cells]
        assert printed[number][: len(texts)] == texts


def test_no_number_is_typed_into_a_cell(table, statistics):
    if table.name in OF_DATA:
        return
    notes = {row.note.removeprefix("not estimated: ").lower() for row in statistics.values()} - {""}
    # Names: of methods, and of the stored rows that a line rests on.
    names = {
        i for i, column in enumerate(table.columns) if column.label.parts in (("Method",), ("Row",), ("By",))
    }
    for row in table.rows:
        for i, cell in enumerate(row.cells):
            if row.kind != "body" or i in {0, *names}:
                continue
            for part in cell.parts:
                if isinstance(part, str):
                    said = WORDING.sub("", part).lower()
                    for note in sorted(notes, key=len, reverse=True):  # what a stored row says of itself
                        said = said.replace(note, "")
                    assert not re.search(r"\d", said), part


def test_the_test_of_every_p_value_is_named(table, statistics):
    theme = theme_named()
    for row in table.rows:
        for cell in row.cells:
            values = [part for part in cell.parts if isinstance(part, Value) and part.kind.startswith("p_")]
            notes = " ".join(theme.text(note) for one in (cell, row.cells[0]) for note in one.marks)
            for value in values:
                method = short_method(statistics[value.first.id].method)
                assert method in notes or sentence(method) in notes, (row, method)


def test_missing_and_limited_values_of_table_1_have_footnotes(statistics):
    table = Table.from_json(RESULTS / "tables" / "table_1.json")
    theme = theme_named()
    checked = set()
    for cell in body(table):
        notes = " ".join(theme.text(note) for note in cell.marks)
        for value in (part for part in cell.parts if isinstance(part, Value)):
            row = statistics[value.first.id]
            if value.kind in ("median_spread", "count_percent"):
                assert (f"patients): {row.n_missing}" in notes) == bool(row.n_missing)
                limited = any(one.sign for one in value.numbers.values())
                assert ("assay's limit" in notes) == limited
                checked |= {(bool(row.n_missing), limited)}
    assert checked >= {(True, False), (False, True), (False, False)}


def test_the_step_writes_the_same_files_again(tmp_path):
    from helpers.project.paths import CohortPaths

    folder = tmp_path / "tables"
    folder.mkdir()
    for path in STORED[:4]:
        (folder / path.name).write_bytes(path.read_bytes())
    export_tables(CohortPaths.of(COHORT).folder, tmp_path)
    first = {path.name: path.read_bytes() for path in folder.glob("tables.*")}
    assert set(first) == {"tables.docx", "tables.tex", "tables.xlsx"}
    export_tables(CohortPaths.of(COHORT).folder, tmp_path)
    assert {path.name: path.read_bytes() for path in folder.glob("tables.*")} == first


def test_tables_stand_in_the_order_of_their_numbers():
    labels = [table.label for table in chosen_tables(RESULTS / "tables", [])]
    assert labels[:3] == ["Table 1", "Table 2", "Table 3"]
    assert labels.index("Table 8") < labels.index("Table S1") < labels.index("Table S10")
    assert labels.index("Table S9") < labels.index("Table S10")
    assert len(set(labels)) == len(labels)


def test_stored_html_and_csv_are_those_of_the_stored_table(table):
    folder = RESULTS / "tables"
    assert (folder / f"{table.name}.html").read_text(encoding="utf-8") == page([table])
    with (folder / f"{table.name}.csv").open(encoding="utf-8", newline="") as stored:
        assert io.StringIO(to_csv(table)).read() == stored.read()
