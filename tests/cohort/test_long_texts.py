"""Texts of a megabyte and signs that nobody sees are named by file, line and column."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from helpers.cohort.cells import LONGEST_CELL
from helpers.cohort.check import check_cohort

EMBEDDED = Path(__file__).parents[2] / "data" / "cohorts" / "rdmas_reconstructed"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EMBEDDED, tmp_path / "cohort"))


def spoil(folder: Path, old: str, new: str) -> int:
    """Put another term into a row of the events; its line."""
    file = folder / "events.csv"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    number = next(number for number, line in enumerate(lines, start=1) if old in line)
    lines[number - 1] = lines[number - 1].replace(old, new)
    file.write_text("".join(lines), encoding="utf-8")
    return number


def term_of(folder: Path) -> str:
    head, first = (folder / "events.csv").read_text(encoding="utf-8").splitlines()[:2]
    return first.split(",")[head.split(",").index("term")]


@pytest.mark.parametrize("length", [LONGEST_CELL + 1, 1_000_000])
def test_a_cell_that_holds_a_document_is_named_and_not_echoed(folder: Path, length: int) -> None:
    line = spoil(folder, term_of(folder), "x" * length)
    (found,) = [problem for problem in check_cohort(folder) if problem.severity == "error"]
    assert (found.file, found.row, found.column) == ("events.csv", line, "term")
    assert str(length) in found.found
    assert len(str(found)) < 1000


def test_a_long_text_within_the_limit_is_no_error(folder: Path) -> None:
    spoil(folder, term_of(folder), "x" * LONGEST_CELL)
    assert not [problem for problem in check_cohort(folder) if problem.severity == "error"]


@pytest.mark.parametrize("sign", ["\x07", "\x1b", "\u200b"])
def test_signs_that_nobody_sees_are_dropped_from_cells_and_the_line_is_named(folder: Path, sign: str) -> None:
    term = term_of(folder)
    line = spoil(folder, term, term[:2] + sign + term[2:])
    named = [problem for problem in check_cohort(folder) if problem.file == "events.csv"]
    if sign == "\u200b":
        assert not [problem for problem in named if problem.severity == "error"]
        return
    assert [(problem.row, problem.column, problem.severity) for problem in named] == [
        (line, "term", "warning")
    ]


@pytest.mark.parametrize("sign", ["\x07", "\x1b"])
def test_a_control_character_in_the_settings_is_named_by_its_key(folder: Path, sign: str) -> None:
    file = folder / "cohort.toml"
    text = file.read_text(encoding="utf-8")
    title = next(line for line in text.splitlines() if line.startswith("title = "))
    escaped = f"\\u{ord(sign):04x}"
    file.write_text(text.replace(title, f'title = "A{escaped}B"'), encoding="utf-8")
    found = [problem for problem in check_cohort(folder) if problem.severity == "error"]
    assert [(problem.file, problem.column) for problem in found] == [("cohort.toml", "title")]


def test_a_setting_of_a_megabyte_is_named_and_not_echoed(folder: Path) -> None:
    file = folder / "cohort.toml"
    text = file.read_text(encoding="utf-8")
    title = next(line for line in text.splitlines() if line.startswith("title = "))
    file.write_text(text.replace(title, f'title = "{"A" * 1_000_000}"'), encoding="utf-8")
    found = [problem for problem in check_cohort(folder) if problem.severity == "error"]
    assert [(problem.file, problem.column) for problem in found] == [("cohort.toml", "title")]
    assert len(str(found[0])) < 1500
