"""A cohort and a results folder that mean harm: nothing is executed, and nothing is written elsewhere."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import openpyxl
import pytest
from command import ROOT, compendium
from harm import HARM, MARK
from nbconvert import HTMLExporter

from helpers.cohort.config import load_config
from helpers.report.text.narrative import Narrative, answer, cohort_narrative
from helpers.report.text.prose import Number, Prose, as_markdown
from helpers.run.staging import finish_interrupted


class Active(HTMLParser):
    """Finds what a browser would execute or load: scripts, events, addresses; marks in text are none."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.found, self.open = [], ""

    def handle_starttag(self, tag, attrs):
        self.open = tag
        for name, value in attrs:
            risky = name.startswith("on") or name in ("src", "href", "action", "formaction", "style")
            if MARK in (value or "") and name == "srcdoc":
                sandboxed = dict(attrs).get("sandbox", "allow-scripts")
                inner = Active()
                inner.feed(value)
                self.found += inner.found + ([f"frame may run scripts: {sandboxed}"] if sandboxed else [])
            elif MARK in (value or "") and risky and not value.startswith("#"):
                self.found.append(f"<{tag} {name}={value}>")

    def handle_endtag(self, _tag):
        self.open = ""

    def handle_data(self, data):
        if self.open in ("script", "style") and MARK in data:
            self.found.append(f"<{self.open}> {data[:80]}")


def active(text: str) -> list[str]:
    parser = Active()
    parser.feed(text)
    return parser.found


@pytest.mark.slow
class TestAHostileCohort:
    def test_pages_hold_its_words_as_text_alone(self, hostile):
        pages = sorted(hostile.rglob("*.html"))
        assert len(pages) > 30
        assert any(MARK in page.read_text(encoding="utf-8") for page in pages)
        assert [(page.name, active(page.read_text(encoding="utf-8"))) for page in pages
                if active(page.read_text(encoding="utf-8"))] == []  # fmt: skip

    def test_notebooks_given_to_nbconvert_too(self, hostile):
        notebooks = sorted((hostile / "results" / "cohort" / "notebooks").glob("*.ipynb"))
        assert len(notebooks) == 9
        for path in notebooks:
            page, _ = HTMLExporter().from_notebook_node(nbformat.read(path, as_version=4))
            assert MARK in page
            assert active(page) == []

    def test_workbooks_and_csv_hold_no_formula(self, hostile):
        book = openpyxl.load_workbook(hostile / "results" / "cohort" / "tables" / "tables.xlsx")
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        assert any(MARK in str(cell.value) for cell in cells)
        assert [cell.coordinate for cell in cells if cell.data_type == "f" or cell.hyperlink] == []
        for path in (hostile / "results" / "cohort" / "tables").glob("*.csv"):
            with path.open(encoding="utf-8", newline="") as file:
                found = [
                    cell for row in csv.reader(file) for cell in row if MARK in cell and cell[0] in "=@+-"
                ]
            assert found == [], path.name

    def test_documents_hold_no_field_macro_or_address_of_it(self, hostile):
        for path in sorted(hostile.rglob("*.docx")):
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    part = archive.read(name)
                    assert not name.endswith((".bin", ".vml")), name
                    if not name.endswith((".xml", ".rels")):
                        continue
                    root = ElementTree.fromstring(part)
                    risky = [
                        value for element in root.iter() for key, value in element.attrib.items()
                        if MARK in value and key.rpartition("}")[2] in ("instr", "Target")
                    ]  # fmt: skip
                    fields = [element.text for element in root.iter() if element.tag.endswith("instrText")]
                    assert risky + [text for text in fields if MARK in (text or "")] == [], path.name

    def test_latex_holds_no_command_of_it(self, hostile):
        text = (hostile / "results" / "cohort" / "tables" / "tables.tex").read_text(encoding="utf-8")
        assert MARK in text
        assert re.search(r"\\(write18|href|input|frac)\b", text) is None
        assert "$\\frac" not in text

    def test_pictures_hold_its_words_as_letters(self, hostile):
        pictures = sorted((hostile / "figures" / "cohort").glob("*.svg"))
        said = ""
        for path in pictures:
            root = ElementTree.fromstring(
                path.read_text(encoding="utf-8")
            )  # a comment cannot be broken out of
            names = {element.tag.rpartition("}")[2] for element in root.iter()}
            assert not names & {"script", "foreignObject", "iframe", "a"}, path.name
            assert not [key for element in root.iter() for key in element.attrib if key.startswith("on")]
            said += "".join(root.itertext())
        assert "$\\frac{1}{2}$" in said, "a formula would have been drawn"


class TestWordsAsMarkdown:
    def test_every_sign_that_means_something_is_a_reference(self):
        for harm in HARM.values():
            shown = as_markdown(harm)
            assert not set(shown) & set("<>[]`*_\\$|")
            assert active(shown) == []
        assert as_markdown("# 1\n- 2") == "&#35; 1\n&#45; 2"

    def test_paragraphs_show_it_where_only_ours_is_bold(self):
        text = Narrative("5 < 6", "Answer <b>.", "> note", "| ours |")._repr_markdown_()
        assert text == "**Answer &#60;b&#62;.** 5 &#60; 6\n\n> &#62; note\n\n| ours |"
        assert answer(Narrative("*a*"))._repr_markdown_() == "**Answer.** &#42;a&#42;"
        assert Prose.of("<i>", Number("1", "a.b.c.d.e"))._repr_markdown_() == "&#60;i&#62;1"
        embedded = load_config(ROOT / "data" / "cohorts" / "rdmas_reconstructed")
        shown = cohort_narrative(embedded.model_copy(update={"title": HARM["title"]}))._repr_markdown_()
        assert "**&#60;script&#62;" in shown
        assert active(shown) == []


@pytest.mark.parametrize("folder", ["tables", "notebooks", "figures"])
def test_a_run_writes_through_no_link(tmp_path, folder):
    elsewhere, output = tmp_path / "elsewhere", tmp_path / "output"
    elsewhere.mkdir()
    parent = output / ("figures" if folder == "figures" else "results") / "rdmas_reconstructed"
    parent.mkdir(parents=True)
    link: Path = parent / folder
    link.symlink_to(elsewhere)
    done = compendium("run", "rdmas_reconstructed", "--output", output)
    assert done.returncode == 1
    assert f"{link.name} is a link to another place" in done.stderr
    assert list(elsewhere.iterdir()) == []


def test_moves_that_came_with_a_folder_touch_no_other_file(tmp_path, monkeypatch):
    """A killed run leaves a list of moves; somebody's folder may bring one that names any file."""
    output, thesis = tmp_path / "output", tmp_path / "thesis.docx"
    published = output / "results" / "study" / "tables"
    stage = output / ".compendium" / "stages" / "planted"
    published.mkdir(parents=True)
    stage.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (published.parent / "linked").symlink_to(tmp_path / "elsewhere")
    monkeypatch.setenv("COMPENDIUM_OUTPUT", str(output))
    harm = [
        {"moves": [], "gone": [str(thesis)]},
        {"moves": [[str(thesis), str(published / "table_1.csv")]], "gone": []},
        {"moves": [[str(stage / "new"), str(thesis)]], "gone": []},
        {
            "moves": [[str(stage / "new"), str(published / ".." / ".." / ".." / ".." / "thesis.docx")]],
            "gone": [],
        },
        {"moves": [[str(stage / "new"), str(published.parent / "linked" / "x")]], "gone": []},
        {
            "moves": [[str(stage / ".." / ".." / ".." / ".." / "thesis.docx"), str(published / "x")]],
            "gone": [],
        },
    ]
    for moves in harm:
        thesis.write_text("mine", encoding="utf-8")
        stage.mkdir(parents=True, exist_ok=True)
        (stage / "new").write_text("theirs", encoding="utf-8")
        (stage / "moves.json").write_text(json.dumps(moves), encoding="utf-8")
        finish_interrupted()
        assert thesis.read_text(encoding="utf-8") == "mine"
        assert list(published.iterdir()) == list((tmp_path / "elsewhere").iterdir()) == []
        assert not stage.exists()


def test_moves_of_a_killed_run_are_finished(tmp_path, monkeypatch):
    output = tmp_path / "output"
    published = output / "results" / "study" / "tables"
    stage = output / ".compendium" / "stages" / "of_a_run"
    published.mkdir(parents=True)
    stage.mkdir(parents=True)
    monkeypatch.setenv("COMPENDIUM_OUTPUT", str(output))
    (stage / "table_1.csv").write_text("new", encoding="utf-8")
    (published / ".table_2.csv.77").write_text("new", encoding="utf-8")
    (published / "table_3.csv").write_text("old", encoding="utf-8")
    moves = [[str(stage / "table_1.csv"), str(published / "table_1.csv")],
             [str(published / ".table_2.csv.77"), str(published / "table_2.csv")]]  # fmt: skip
    text = json.dumps({"moves": moves, "gone": [str(published / "table_3.csv")]})
    (stage / "moves.json").write_text(text, encoding="utf-8")
    finish_interrupted()
    assert {path.name: path.read_text() for path in published.iterdir()} == {
        "table_1.csv": "new", "table_2.csv": "new",
    }  # fmt: skip
