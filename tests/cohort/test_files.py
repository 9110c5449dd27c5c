"""However a regular file is read, it is read the same."""

import io
from datetime import datetime
from unittest import mock

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.cohort.files import _irregular, read_records
from helpers.cohort.quick_csv import read_quickly, separator_of

CELL = st.text(alphabet="aA1 .<>é病\u3000\u2028\x0b", max_size=4)


def careful(text):
    return _irregular(text, separator_of(text), "x.csv")


@given(
    table=st.integers(2, 4).flatmap(lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n), min_size=2)),
    separator=st.sampled_from([",", ";", "\t"]),
    newline=st.sampled_from(["\n", "\r\n"]),
    final=st.integers(0, 2),
    mark=st.sampled_from(["", "\ufeff"]),
    quoted=st.sets(st.integers(0, 3)),
)
def test_fast_reading_agrees_with_the_careful_one(table, separator, newline, final, mark, quoted):
    """Columns in quotation marks may hold the separator and marks; the careful reader is Python's own."""
    table[0] = [f"name{place}" for place in range(len(table[0]))]
    lines = [
        separator.join(
            f'"{cell}{separator}"""' if place in quoted else cell for place, cell in enumerate(row)
        )
        for row in table
    ]
    text = newline.join(lines) + newline * final
    quick = read_quickly(io.BytesIO((mark + text).encode()))
    general = careful(text)
    if quick is None:  # a line separator of Unicode before separators of fields
        assert quoted
        assert any(sign in text for sign in "\u2028\x0b")
        return
    header, cells = quick
    assert header == general.header
    assert general.lines.tolist() == list(range(2, len(table) + 1))
    assert cells.to_numpy().tolist() == general.cells.to_numpy().tolist()


@given(
    text=st.text(alphabet='ab1,;\t"\n\r \ufeff\x00\u2028é', max_size=60),
    block=st.sampled_from([1, 7, 1 << 21]),
)
def test_whatever_is_read_fast_is_read_the_same(text, block):
    with mock.patch("helpers.cohort.quick_csv._BLOCK", block):
        quick = read_quickly(io.BytesIO(("a,b\n" + text).encode()))
    if quick is None:
        return
    general = careful("a,b\n" + text)
    assert not general.problems
    assert quick[0] == general.header
    assert quick[1].to_numpy().tolist() == general.cells.to_numpy().tolist()
    assert general.lines.tolist() == list(range(2, len(quick[1]) + 2))


def test_ordinary_files_are_read_fast():
    text = 'a,b\n"R, 1",2\n"5"" tube",\n'
    header, cells = read_quickly(io.BytesIO(text.encode()))
    assert cells.to_numpy().tolist() == [["R, 1", "2"], ['5" tube', ""]]
    assert header == ["a", "b"]


@pytest.mark.parametrize(
    "content",
    [
        b'a,b\n5" tube,2\n', b'a,b\n"1"x,2\n', b'a,b\n"1\n2",2\n', b"a,b\n\n1,2\n", b"a,b\n1\n",
        b"a,b\n1,2,3\n", b"a\n1\n", b"a,b\r1,2\r", b"a,b\n1,\x00\n", b"a,b\n1,\xff\n",
        b"a,b\n\xef\xbb\xbf1,2\n", b"a,b\n", b"", b"\n",
        b'a,b\n"1,2\n',
    ],
)  # fmt: skip
def test_unusual_files_are_left_to_the_careful_reader(content):
    assert read_quickly(io.BytesIO(content)) is None


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
