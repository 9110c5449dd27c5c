"""A planted name, national id, phone and hospital number reach no file of a whole run, of any format."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from command import compendium
from invented import invented
from shapes import SHAPES, chinese_names, national_id

from helpers.intake.deliver import deliver

# Planted in free texts of the file, one of each kind, and what must not be found of any.
NAME, LATIN, PHONE, HOSPITAL = "欧阳建国", "Zbigniew Kwiatkowski", "13987654321", "00990417"
NATIONAL = national_id(7)
PLANTED = (NAME, LATIN, "Kwiatkowski", PHONE, HOSPITAL, NATIONAL)


def spoilt(file: Path) -> Path:
    """Add a patient's names to the sheet of patients, and remarks that hold all of it to three sheets."""
    book = openpyxl.load_workbook(file)
    basics, drugs, events = book["基本信息"], book["用药"], book["不良事件"]
    basics.cell(2, 14, "联系人")
    basics.cell(2, 15, "死亡原因")
    for row in range(3, basics.max_row + 1):
        basics.cell(row, 14, LATIN if row == 3 else NAME)
        if basics.cell(row, 13).value:
            basics.cell(row, 15, f"感染, 家属{NAME} {PHONE}")
    basics.cell(3, 2, HOSPITAL)
    basics.cell(3, 3, NATIONAL)
    drugs.cell(1, 9, "停药原因")
    drugs.cell(2, 9, f"{LATIN} 来电 {PHONE}, 住院号 {HOSPITAL}")
    drugs.cell(3, 9, f"身份证 {NATIONAL}")
    events.cell(1, 6, "转归")
    events.cell(2, 6, f"{NAME}好转")
    book.save(file)
    return file


def texts(name: str, content: bytes) -> Iterator[tuple[str, str]]:
    """All that can be read in a file: its bytes, members of archives, streams of PDF, columns of Parquet."""
    yield name, content.decode("utf-8", "replace")
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                told = archive.read(member)
                yield f"{name}/{member}", told.decode("utf-8", "replace")
                yield f"{name}/{member} (text)", re.sub(r"<[^>]*>", "", told.decode("utf-8", "replace"))
    if name.endswith(".pdf"):
        for stream in re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
            try:
                yield f"{name} (stream)", zlib.decompress(stream).decode("latin-1")
            except zlib.error:
                continue
    if name.endswith(".png"):
        for chunk in re.findall(rb"(?:tEXt|iTXt|zTXt)(.{0,2000})", content, re.DOTALL):
            yield f"{name} (text)", chunk.decode("utf-8", "replace")
    if name.endswith(".parquet"):
        frame = pd.read_parquet(io.BytesIO(content))
        yield f"{name} (cells)", frame.astype(str).to_csv()
    if name.endswith((".svg", ".html", ".xml")):
        yield f"{name} (text)", re.sub(r"<[^>]*>", "", content.decode("utf-8", "replace"))


def found_in(folder: Path, words: tuple[str, ...]) -> list[tuple[str, str]]:
    """Which words stand where below a folder, also with their signs written as in JSON or XML."""
    hits = []
    forms = {
        form: word
        for word in words
        for form in (word, word.encode("unicode_escape").decode(), "".join(f"&#{ord(c)};" for c in word))
    }
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            for place, text in texts(name, path.read_bytes()):
                hits += [(place, forms[form]) for form in forms if form in text]
    return hits


def test_what_is_looked_for_is_found_where_it_stands(tmp_path):
    pd.DataFrame({"a": [PHONE]}).to_parquet(tmp_path / "a.parquet")
    book = openpyxl.Workbook()
    book.active.append([NAME])
    book.save(tmp_path / "b.xlsx")
    (tmp_path / "c.pdf").write_bytes(b"stream\n" + zlib.compress(HOSPITAL.encode()) + b"endstream")
    (tmp_path / "d.svg").write_text(f"<text>{NATIONAL[:9]}<tspan/>{NATIONAL[9:]}</text>", encoding="utf-8")
    (tmp_path / "e.json").write_text(f'"{NAME.encode("unicode_escape").decode()}"', encoding="utf-8")
    assert {(place.split(" ")[0].split("/")[0], word) for place, word in found_in(tmp_path, PLANTED)} == {
        ("a.parquet", PHONE), ("b.xlsx", NAME), ("c.pdf", HOSPITAL), ("d.svg", NATIONAL), ("e.json", NAME),
    }  # fmt: skip


def test_names_within_remarks_are_on_no_page_and_in_no_table(tmp_path):
    shape, cohort = SHAPES["xlsx_chinese"], invented(5)
    file = spoilt(shape.write(cohort, tmp_path)[0])
    for answers in ({}, shape.answers):  # before and after the questions are answered
        deliver(tmp_path / "taken", [file], answers)
        page = (tmp_path / "taken" / "mapping.html").read_text(encoding="utf-8")
        assert [word for word in (*PLANTED, *chinese_names(cohort).values()) if word in page] == []
    assert found_in(tmp_path / "taken" / "tables", PLANTED) == []


@pytest.mark.slow
def test_personal_data_reach_no_file_of_a_whole_run(tmp_path):
    cohort = invented(5)
    (tmp_path / "raw").mkdir()
    shape = SHAPES["xlsx_chinese"]
    file = spoilt(shape.write(cohort, tmp_path / "raw")[0])
    told = [part for key, answer in shape.answers.items() for part in ("--answer", f"{key}={answer}")]
    taken = tmp_path / "taken"
    made = compendium("new", taken, "--from", file, *told, "--yes")
    assert made.returncode == 0, made.stdout + made.stderr
    done = compendium("run", taken, "--output", tmp_path / "output")
    assert done.returncode == 0, done.stdout + done.stderr
    own = [*chinese_names(cohort).values(), *(national_id(n) for n in range(10))]
    own += [f"00{731_000 + 7 * n}" for n in range(10)]
    private = (*PLANTED, *own)
    written = {path.suffix for path in (tmp_path / "output").rglob("*") if path.is_file()}
    assert written >= {".docx", ".xlsx", ".parquet", ".png", ".pdf", ".svg", ".html", ".ipynb", ".csv"}
    assert found_in(tmp_path / "output" / "results", private) == []
    assert found_in(tmp_path / "output" / "figures", private) == []
    assert found_in(taken / "tables", private) == []
    for text in (made.stdout, made.stderr, done.stdout, done.stderr):
        assert [word for word in private if word in text] == []
    page = (taken / "mapping.html").read_text(encoding="utf-8")
    assert [word for word in private if word in page] == []
