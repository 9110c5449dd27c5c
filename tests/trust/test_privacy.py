"""`compendium verify --privacy`: what would give a patient away is found in every kind of file, and named."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
from command import ROOT, compendium

from helpers.trust.opened import Grid, opened
from helpers.trust.own_data import OwnData
from helpers.trust.privacy import search_folder
from helpers.trust.small_counts import DERIVABLE, SMALL, of_grid, of_text

NAME = "rdmas_reconstructed"
COHORT = ROOT / "data" / "cohorts" / NAME
# Nobody's: the example of GB 11643, a number of a range that is not given out, names of a textbook.
PERSON, ID, PHONE, HOSPITAL, DAY = "张伟明", "11010519491231002X", "13800138000", "00734112", "2022-02-15"
SECRETS = (PERSON, ID, PHONE, HOSPITAL, DAY, "li_ming")


@pytest.fixture
def sent(shared, tmp_path) -> Path:
    """A copy of the folder that is to be shared."""
    return Path(shutil.copytree(shared, tmp_path / "sent"))


def searched(folder: Path, *more: object) -> tuple[int, str]:
    done = compendium("verify", folder, "--privacy", *more)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def kinds(folder: Path, own: OwnData | None = None) -> set[tuple[str, str]]:
    return {(leak.file, leak.kind) for leak in search_folder(folder, own)}


# --- eight leaks in one folder --------------------------------------------------------------------------


def plant_name(sent: Path) -> str:
    import openpyxl

    book = openpyxl.load_workbook(sent / "tables" / "tables.xlsx")
    book.worksheets[0]["A40"] = f"患者姓名：{PERSON}"
    book.save(sent / "tables" / "tables.xlsx")
    return "tables/tables.xlsx"


def plant_date(sent: Path) -> str:
    path = sent / "figures" / "figure_s3_balance.svg"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("</svg>", f"<!-- first dose {DAY} --></svg>"), encoding="utf-8")
    return "figures/figure_s3_balance.svg"


def plant_national_id(sent: Path) -> str:
    path = sent / "tables" / "table_1.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    record["footnotes"].append(f"checked against {ID}")
    path.write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
    return "tables/table_1.json"


def plant_phone(sent: Path) -> str:
    path = sent / "report.html"
    path.write_text(path.read_text(encoding="utf-8") + f"<p hidden>{PHONE}</p>", encoding="utf-8")
    return "report.html"


def plant_hospital_number(sent: Path) -> str:
    import docx

    word = docx.Document(sent / "manuscript.docx")
    word.core_properties.comments = f"住院号: {HOSPITAL}"
    word.save(sent / "manuscript.docx")
    return "manuscript.docx"


def plant_path(sent: Path) -> str:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    path = sent / "figures" / "figure_s3_balance.png"
    held = PngInfo()
    held.add_text("Source", f"{os.sep}home/li_ming/mas/export.xlsx")
    with Image.open(path) as picture:
        picture.save(path, pnginfo=held)
    return "figures/figure_s3_balance.png"


def plant_row(sent: Path) -> str:
    pd.read_csv(COHORT / "patients.csv", dtype=str).drop(columns="day0_date").head(1).to_parquet(
        sent / "statistics" / "extra.parquet"
    )
    return "statistics/extra.parquet"


def plant_small_count(sent: Path) -> str:
    """The 19 of 20 who lived: with the group's size it tells the one who died."""
    path = sent / "statistics" / "04_survival.csv"
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    value = rows[0].index("value")
    for row in rows:
        if row[0] == "survival.death.ruxolitinib.day_56.alive":
            row[value], row[rows[0].index("qualifier")] = "19", ""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
    return "statistics/04_survival.csv"


PLANTED = {
    "a name": plant_name,
    "a date": plant_date,
    "a national id": plant_national_id,
    "a phone number": plant_phone,
    "a hospital number": plant_hospital_number,
    "an absolute path": plant_path,
    "a patient's row": plant_row,
    DERIVABLE: plant_small_count,
}


def test_a_folder_with_eight_leaks_is_refused_and_each_is_named(sent):
    files = {kind: plant(sent) for kind, plant in PLANTED.items()}
    status, said = searched(sent)
    assert status == 1
    lines = said.splitlines()
    for kind, file in files.items():
        assert any(line.startswith(f"{file}: ") and f": {kind}" in line for line in lines), (kind, said)
    assert {line.partition(": ")[0] for line in lines[:-1]} == set(files.values())
    assert "must not leave" in lines[-1]
    assert not [secret for secret in SECRETS if secret in said]


@pytest.mark.slow
@pytest.mark.parametrize("kind", PLANTED)
def test_each_leak_alone_is_found(sent, kind):
    file = PLANTED[kind](sent)
    assert kinds(sent) == {(file, kind)}


# --- every kind of file ----------------------------------------------------------------------------------


def write_pdf(path: Path, text: str, **properties: str) -> None:
    import matplotlib.pyplot as plt

    figure = plt.figure()
    figure.text(0.1, 0.5, text)
    figure.savefig(path, metadata={"CreationDate": None, **properties})
    plt.close(figure)


def test_a_pdf_is_read_on_its_page_and_in_its_properties(tmp_path):
    write_pdf(tmp_path / "page.pdf", f"call {PHONE}")
    write_pdf(tmp_path / "property.pdf", "nothing", Subject=f"call {PHONE}")
    assert kinds(tmp_path) == {("page.pdf", "a phone number"), ("property.pdf", "a phone number")}


def test_tiff_docx_xlsx_and_notebooks_are_read_where_nobody_looks(tmp_path):
    import docx
    import openpyxl
    from openpyxl.comments import Comment
    from PIL import Image

    Image.new("L", (4, 4)).save(tmp_path / "a.tiff", tiffinfo={270: f"scan of {ID}"})
    word = docx.Document()
    run = word.add_paragraph("text").runs[0]
    word.add_comment(run, text=f"ring {PHONE}", author="A")
    word.core_properties.created = word.core_properties.modified
    word.save(tmp_path / "b.docx")
    book = openpyxl.Workbook()
    book.active["A1"] = "n"
    book.active["A1"].comment = Comment(f"MRN: {HOSPITAL}", "B")
    book.create_sheet("hidden").sheet_state = "hidden"
    book["hidden"]["B2"] = ID
    book.save(tmp_path / "c.xlsx")
    cell = {"cell_type": "code", "source": "df", "outputs": [{"data": {"text/plain": f"x {DAY}"}}]}
    (tmp_path / "d.ipynb").write_text(json.dumps({"cells": [cell]}), encoding="utf-8")
    found = kinds(tmp_path)
    assert {
        ("a.tiff", "a national id"), ("b.docx", "a phone number"), ("c.xlsx", "a hospital number"),
        ("c.xlsx", "a national id"), ("d.ipynb", "a date"),
    } <= found  # fmt: skip


def test_a_picture_in_a_notebook_is_opened_and_its_letters_are_not_read_as_text(tmp_path):
    import base64

    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    held, content = PngInfo(), io.BytesIO()
    held.add_text("Comment", f"ring {PHONE}")
    Image.new("L", (2, 2)).save(content, "png", pnginfo=held)
    picture = {"image/png": base64.b64encode(content.getvalue()).decode()}
    (tmp_path / "a.ipynb").write_text(json.dumps({"outputs": [{"data": picture}]}), encoding="utf-8")
    assert kinds(tmp_path) == {("a.ipynb", "a phone number")}


def test_a_picture_in_a_page_is_opened(tmp_path):
    import base64

    picture = base64.b64encode(f"<svg><text>{DAY}</text></svg>".encode()).decode()
    (tmp_path / "a.html").write_text(f'<img src="data:image/svg+xml;base64,{picture}">', encoding="utf-8")
    assert kinds(tmp_path) == {("a.html", "a date")}


def test_what_cannot_be_searched_is_refused(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04")
    (tmp_path / "b.docx").write_bytes(b"no document")
    (tmp_path / "c.csv").symlink_to(COHORT / "patients.csv")
    assert kinds(tmp_path) == {
        ("a.zip", "a file that cannot be searched"), ("b.docx", "a file that cannot be searched"),
        ("c.csv", "a link"),
    }  # fmt: skip


def test_a_folder_that_is_not_there_is_told_in_words(tmp_path):
    status, said = searched(tmp_path / "nowhere")
    assert status == 1
    assert "is no folder" in said


# --- the cohort's own data -------------------------------------------------------------------------------


def test_ids_dates_and_rows_of_the_cohort_are_found_without_any_heading(tmp_path):
    own = OwnData.of(COHORT)
    first = pd.read_csv(COHORT / "patients.csv", dtype=str).iloc[0]
    assert first["patient_id"] in own.ids
    (tmp_path / "a.md").write_text(f"as in {first['patient_id']}\n", encoding="utf-8")
    values = pd.read_csv(COHORT / "measurements.csv", dtype=str).query("patient_id == 'R01'")["value"]
    (tmp_path / "b.csv").write_text("x\n" + ",".join(values.drop_duplicates()) + "\n", encoding="utf-8")
    assert kinds(tmp_path) == set()
    assert kinds(tmp_path, own) == {("a.md", "the id of a patient"), ("b.csv", "a patient's row")}


# --- numbers that are none of all this -------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "p = 0.0138001380004, doi:10.3389/fimmu.2025.1604648", "10.1002/ehf2.12-2020", "1234567890123456789",
        "0.110105194912310021", "5 of 8 criteria", "/data-statistic", "12 of 24 patients",
        "week 8 (day 56; 49 to 63)",
        "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "median 37 (18-71)", "10 (50%)",
    ],
)  # fmt: skip
def test_ordinary_text_is_no_leak(tmp_path, text):
    (tmp_path / "a.md").write_text(text + "\n", encoding="utf-8")
    assert kinds(tmp_path) == set()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1 of 20 patients died", SMALL), ("19 of 20 patients lived", DERIVABLE), ("4 (20%)", SMALL),
        ("17 (85%)", DERIVABLE), ("20例患者", None), ("3/20 patients", SMALL), ("10 of 20 patients", None),
    ],
)  # fmt: skip
def test_small_counts_in_sentences(text, kind):
    assert [found for found, _ in of_text(text, 5)] == ([kind] if kind else [])


def test_a_suppressed_cell_beside_a_total_is_found_along_rows_and_columns():
    along = [["", "treated", "control", "total"], ["died", "<5", "9", "10"]]
    down = [["", "n"], ["CR", "8"], ["PR", "not shown"], ["NR", "9"], ["total", "20"]]
    safe = [["", "treated", "control", "total"], ["died", "<5", "not shown", "10"]]
    assert [kind for _, kind, _ in of_grid(Grid("", along), 5)] == [DERIVABLE]
    assert [kind for _, kind, _ in of_grid(Grid("", down), 5)] == [DERIVABLE]
    assert list(of_grid(Grid("", safe), 5)) == []


def test_opening_executes_nothing_and_fetches_nothing(tmp_path):
    (tmp_path / "a.svg").write_text(
        '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/hostname">]><svg><text>&x;</text></svg>',
        encoding="utf-8",
    )
    texts = [one.text for one in opened(tmp_path / "a.svg").texts]
    assert not any(Path("/etc/hostname").read_text(encoding="utf-8").strip() in text for text in texts)
