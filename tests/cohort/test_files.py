"""However a regular file is read, it is read the same."""

from datetime import datetime

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.cohort.files import _irregular, _regular, read_records

CELL = st.text(alphabet="aA1 .<>é病\u3000", max_size=4)


@given(
    table=st.integers(2, 4).flatmap(lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n), min_size=1)),
    separator=st.sampled_from([",", ";", "\t"]),
    newline=st.sampled_from(["\n", "\r\n"]),
    final=st.booleans(),
)
def test_fast_reading_agrees_with_the_general_one(table, separator, newline, final):
    text = newline.join(separator.join(cells) for cells in table) + newline * final
    fast, general = _regular(text, separator), _irregular(text, separator, "x.csv")
    assert fast is not None
    assert fast.header == general.header
    assert fast.lines.tolist() == general.lines.tolist() == list(range(2, len(table) + 1))
    expected = [[cell.strip() for cell in cells] for cells in table[1:]]
    assert fast.cells.to_numpy().tolist() == general.cells.to_numpy().tolist() == expected


@pytest.mark.parametrize("text", ['a,b\n"1",2\n', "a,b\n\n1,2\n", "a,b\n1\n", "a,b\n1,2,3\n", "a\n1\n"])
def test_irregular_files_are_left_to_the_general_reader(text):
    assert _regular(text, ",") is None


def test_lone_column_is_read(tmp_path):
    (tmp_path / "x.csv").write_text("a\n1\n\n2\n")
    records = read_records(tmp_path / "x.csv", "events")
    assert (records.header, records.cells[0].tolist(), records.lines.tolist()) == (["a"], ["1", "2"], [2, 4])


def test_a_folder_in_place_of_a_file_is_a_problem(tmp_path):
    assert "cannot be read" in read_records(tmp_path, "events").found


def workbook(path, rows, title="Labs"):
    book = openpyxl.Workbook()
    book.active.title = "Notes"
    sheet = book.create_sheet(title)
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def test_sheet_of_a_workbook_is_read_as_text(tmp_path):
    rows = [
        [],
        ["id", "day", None, "on"],
        ["R1", 7.0, "?", datetime(2024, 7, 31)],
        [],
        ["R2", 0.5, None, True],
    ]
    records = read_records(workbook(tmp_path / "x.xlsx", rows), "events", "Labs")
    assert records.header == ["id", "day", "on"]
    assert records.cells.to_numpy().tolist() == [["R1", "7", "2024-07-31 00:00:00"], ["R2", "0.5", "yes"]]
    assert records.lines.tolist() == [3, 5]


def test_what_is_wrong_with_a_workbook_is_said(tmp_path):
    path = workbook(tmp_path / "x.xlsx", [["a"]])
    assert read_records(path, "events").found == "an empty sheet"
    assert read_records(path, "events", "Lab").found == "the sheets Notes, Labs"
    path.write_bytes(b"PK not a workbook")
    assert read_records(path, "events").found == "a file that is not an Excel workbook"
