"""Results of a cohort that means harm, opened as readers open them: nothing is executed, nobody is asked."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import openpyxl
import pytest
from harm import FORMULAS, HARM, MARK, SUM
from nbconvert import HTMLExporter

pytestmark = pytest.mark.slow

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")
# Everything that the words of the cohort try would be noticed here.
TRAP = f"""
    window.trapped = [];
    window.{MARK} = () => window.trapped.push("called");
    window.alert = window.confirm = window.prompt = window.open = () => window.trapped.push("asked");
"""
NAME = "cohort"


@dataclass
class Watched:
    """A browser whose every request, question and error is remembered.

    Attributes:
        context: its window.
        asked: addresses asked for that are no files of this machine.
        shown: questions to the reader.
        errors: errors of scripts.
    """

    context: Any
    asked: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def opened(self, path: Path) -> dict[str, Any]:
        """Open a file, try its links and buttons, and say what became of it."""
        self.asked.clear()
        self.shown.clear()
        self.errors.clear()
        page = self.context.new_page()
        page.on("dialog", lambda dialog: (self.shown.append(dialog.message), dialog.dismiss()))
        page.goto(path.as_uri(), wait_until="load")
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        page.wait_for_timeout(200)
        found = {
            "trapped": page.evaluate("window.trapped ?? []"),
            "title": page.title() == MARK,
            "links": page.evaluate(
                f"""[...document.querySelectorAll('a[href], a[*|href], form, iframe, object, embed')]
                .map(one => one.outerHTML.slice(0, 300))
                .filter(text => /^<[^>]*(href|src|action|data)=["']?(?!#)[^"'>]*{MARK}/.test(text))"""
            ),
            "asked": list(self.asked),
            "shown": list(self.shown),
            "errors": [error for error in self.errors if MARK in error],
        }
        page.close()
        return {key: value for key, value in found.items() if value}


@pytest.fixture(scope="module")
def browser() -> Iterator[Watched]:
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: make browser-test"
    )
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: apt install chromium")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = started.new_context()
        context.set_default_timeout(180_000)
        context.add_init_script(TRAP)
        watched = Watched(context)
        context.on("request", lambda request: None if request.url.startswith(("file:", "data:", "blob:"))
                   else watched.asked.append(request.url))  # fmt: skip
        context.on("weberror", lambda error: watched.errors.append(str(error.error)))
        context.route(re.compile("^https?:"), lambda route: route.abort())
        yield watched
        started.close()


@pytest.mark.browser
class TestInABrowser:
    def test_the_trap_notices_each_kind(self, browser, tmp_path, canary):
        bad = tmp_path / "bad.html"
        bad.write_text(
            f"<body>{HARM['title']}{HARM['label']}<img src={canary.address}/x>"
            f"<a href='javascript:{MARK}()'>x</a><script>alert(1)</script>",
            encoding="utf-8",
        )
        found = browser.opened(bad)
        assert set(found["trapped"]) == {"called", "asked"}
        assert found["title"]
        assert found["asked"] == [f"{canary.address}/x"]
        assert len(found["links"]) == 1

    def test_report_and_tables(self, hostile, browser, canary):
        pages = sorted(hostile.rglob("*.html"))
        assert len(pages) > 30
        assert {page.name: found for page in pages if (found := browser.opened(page))} == {}
        assert canary.asked == []

    def test_pictures(self, hostile, browser, canary):
        pictures = sorted((hostile / "figures" / NAME).glob("*.svg"))
        assert len(pictures) > 20
        assert {one.name: found for one in pictures if (found := browser.opened(one))} == {}
        assert canary.asked == []

    def test_notebooks_as_nbconvert_makes_pages_of_them(self, hostile, browser, canary, tmp_path):
        """The pages of nbconvert itself ask for scripts; those of the cohort ask for nothing more."""
        empty, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook())
        (tmp_path / "empty.html").write_text(empty, encoding="utf-8")
        usual = browser.opened(tmp_path / "empty.html").get("asked", [])
        notebooks = sorted((hostile / "results" / NAME / "notebooks").glob("*.ipynb"))
        assert len(notebooks) == 9
        for notebook in notebooks:
            page, _ = HTMLExporter().from_notebook_node(nbformat.read(notebook, as_version=4))
            made = tmp_path / f"{notebook.stem}.html"
            made.write_text(page, encoding="utf-8")
            found = browser.opened(made)
            assert set(found.pop("asked", [])) <= set(usual), notebook.name
            assert found == {}, notebook.name
        assert canary.asked == []


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Converts files by LibreOffice, with a profile of its own, and returns what came of them."""
    if SOFFICE is None:
        pytest.skip("LibreOffice is not installed: apt install libreoffice")
    profile = tmp_path_factory.mktemp("profile")

    def convert(kind: str, folder: Path, *files: Path) -> list[Path]:
        command = [SOFFICE, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to", kind]
        subprocess.run(
            [*command, "--outdir", str(folder), *map(str, files)],
            check=True,
            capture_output=True,
            timeout=500,
        )
        made = [folder / f"{file.stem}.{kind.partition(':')[0]}" for file in files]
        assert all(file.is_file() for file in made)
        return made

    return convert


class TestInLibreOffice:
    def test_it_computes_what_is_a_formula(self, office, tmp_path):
        """The check can fail: a workbook with the same words as formulas shows the sum."""
        book = openpyxl.Workbook()
        book.active["A1"] = SUM
        book.save(tmp_path / "formula.xlsx")
        (made,) = office("csv", tmp_path, tmp_path / "formula.xlsx")
        assert made.read_text(encoding="utf-8").strip() == "42"
        (tmp_path / "bare.csv").write_text(f"{SUM}\n", encoding="utf-8")
        (made,) = office("xlsx", tmp_path, tmp_path / "bare.csv")
        assert openpyxl.load_workbook(made).active["A1"].data_type == "f"

    def test_the_workbook_shows_words_and_computes_nothing(self, hostile, office, tmp_path, canary):
        source = hostile / "results" / NAME / "tables" / "tables.xlsx"
        (made,) = office("xlsx", tmp_path, source)
        found = self._cells(made)
        assert [cell.value for cell in found if cell.data_type == "f" or cell.hyperlink] == []
        shown = [str(cell.value) for cell in found]
        assert any(HARM["term"] in text for text in shown)
        assert sum(any(words in text for text in shown) for words in FORMULAS) >= 2
        assert canary.asked == []

    def test_no_table_as_csv_becomes_a_formula(self, hostile, office, tmp_path, canary):
        tables = sorted((hostile / "results" / NAME).rglob("*.csv"))
        assert len(tables) > 30
        folder = tmp_path / "tables"
        folder.mkdir()
        copies = [Path(shutil.copy(table, folder / f"{place}.csv")) for place, table in enumerate(tables)]
        said = ""
        for table, made in zip(tables, office("xlsx", tmp_path, *copies), strict=True):
            found = self._cells(made)
            assert [cell.value for cell in found if cell.data_type == "f" or cell.hyperlink] == [], table.name
            said += "\n".join(str(cell.value) for cell in found)
        assert HARM["term"] in said
        assert sum(words in said for words in FORMULAS) >= 2
        assert canary.asked == []

    @pytest.mark.parametrize("kind", ["txt:Text (encoded):UTF8", "pdf"])
    def test_documents_ask_for_nothing(self, hostile, office, tmp_path, canary, kind):
        folder = hostile / "results" / NAME
        documents = [
            folder / "manuscript.docx",
            folder / "supplement.docx",
            folder / "tables" / "tables.docx",
        ]
        made = office(kind, tmp_path, *documents)
        if kind != "pdf":
            said = "\n".join(file.read_text(encoding="utf-8-sig") for file in made)
            assert HARM["term"] in said
            assert sum(words in said for words in FORMULAS) >= 2
        assert canary.asked == []

    def test_pages_and_pictures_ask_for_nothing(self, hostile, office, tmp_path, canary):
        office("pdf", tmp_path, hostile / "results" / NAME / "tables" / "table_6_adverse_events.html")
        pictures = sorted((hostile / "figures" / NAME).glob("*.svg"))[:5]
        office("png", tmp_path, *pictures)
        assert canary.asked == []

    @staticmethod
    def _cells(path: Path) -> list[Any]:
        book = openpyxl.load_workbook(path)
        return [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
