"""Commands that read a folder of results, on one that somebody sent and that means harm.

The whole output folder came, what the run remembers with it, and its memory says that all is as it was made:
digests are those of what was planted.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from command import ROOT, compendium
from harm import FORMULAS, HARM, MARK
from openpyxl import load_workbook

from helpers.cohort.config import load_config
from helpers.report.formats.page import notebooks
from helpers.report.text.wording import Wording

NAME = "rdmas_reconstructed"
JOURNAL = "frontiers"
# Executed by whoever unpickles it.
PICKLE = b"cposix\nsystem\n(S'touch %s'\ntR."
PICKLES = (
    "results/{0}/data/patients.pkl",
    "results/{0}/data/recipes/figure_1b.pkl",
    "results/{0}/statistics/04_survival.pkl",
    ".compendium/state/{0}.pkl",
    ".compendium/pages/{0}/04_survival.pkl",
    ".compendium/code.pkl",
)
LINKS = (
    "figures/{0}/" + JOURNAL,
    "results/{0}/tables/" + JOURNAL,
    "results/{0}/manuscript.docx",
    "results/{0}/report.html",
    ".compendium/pages/{0}/01_data_cleaning.en-GB.html",
    ".compendium/records/{0}",
)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Planted:
    """A folder of results with what was planted there.

    Attributes:
        output: the folder.
        outside: what its links lead to.
        touched: a file that is there if something was executed.
    """

    output: Path
    outside: Path
    touched: Path

    @property
    def results(self) -> Path:
        return self.output / "results" / NAME

    def put(self, place: str, content: bytes) -> None:
        """Put a file in the place of another, and let all that is remembered of it agree."""
        path = self.output / place
        old, new = digest(path.read_bytes()), digest(content)
        path.write_bytes(content)
        for memory in (
            f"results/{NAME}/provenance.json",
            f"results/{NAME}/ro-crate-metadata.json",
            f".compendium/state/{NAME}.json",
        ):
            text = (self.output / memory).read_bytes()
            if old.encode() in text and memory != place:
                replaced = text.replace(old.encode(), new.encode())
                if memory.startswith("."):
                    (self.output / memory).write_bytes(replaced)
                else:
                    self.put(memory, replaced)

    def link(self, place: str) -> None:
        """Put a link to something outside in the place of a file or folder."""
        path = self.output / place
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = not path.suffix
        path.symlink_to(self.outside if folder else self.outside / "kept.txt", target_is_directory=folder)

    def run(self, *words: str) -> str:
        """Carry out a command on it: what it says. Nothing may be executed, nothing written outside."""
        done = compendium(*words, "--output", self.output, figures="svg")
        said = done.stdout + done.stderr
        assert "Traceback" not in said, said
        assert not self.touched.exists(), f"{words} executed what was planted"
        kept = {path.name: path.read_bytes() for path in self.outside.iterdir()}
        assert kept == {"kept.txt": b"mine\n"}
        return said


@pytest.fixture
def planted(made: Path, tmp_path: Path) -> Planted:
    shutil.copytree(made, tmp_path / "sent", symlinks=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept.txt").write_text("mine\n")
    sent = Planted(tmp_path / "sent", tmp_path / "outside", tmp_path / "touched")
    for place in PICKLES:
        (sent.output / place.format(NAME)).write_bytes(PICKLE % os.fsencode(sent.touched))
    return sent


def plant_recipe(sent: Planted, **changes: object) -> None:
    place = f"results/{NAME}/data/recipes/figure_1b.json"
    recipe = json.loads((sent.output / place).read_bytes())
    sent.put(place, json.dumps(recipe | changes).encode())


def test_the_memory_that_lies_is_believed(planted: Planted) -> None:
    """Otherwise the tests below would look at what a run has made anew."""
    plant_recipe(planted, description="Everybody lived.")
    said = planted.run("status", NAME)
    stale = [line.split(":")[0].strip() for line in said.splitlines()[1:]]
    assert stale == ["plan", "manuscript", "report", "crate"], said  # what the record of provenance enters


class TestFigures:
    def drawn(self, sent: Planted) -> str:
        return sent.run("figures", NAME, "--figure", "figure_1b", "--journal", JOURNAL)

    @pytest.mark.parametrize(
        "draw", ["os.system", "posix:system", "subprocess.run", "builtins.eval", "../../x", "__import__"]
    )
    def test_a_function_that_draws_nothing_is_named(self, planted: Planted, draw: str) -> None:
        plant_recipe(planted, draw=draw, arguments=[f"touch {planted.touched}"])
        assert f"no drawing function {draw!r}" in self.drawn(planted)

    def test_data_of_another_kind_are_named(self, planted: Planted) -> None:
        harm = {"kind": "subprocess.Popen", "of": [f"touch {planted.touched}"]}
        plant_recipe(planted, arguments={"kind": "tuple", "of": [harm]})
        assert "figure_1b.json cannot be read" in self.drawn(planted)

    @pytest.mark.parametrize("name", ["../../../outside/figure", "/figure_1b", "kept\x00", "a/b"])
    def test_a_name_that_leads_elsewhere_is_refused(self, planted: Planted, name: str) -> None:
        plant_recipe(planted, name=name)
        assert "figure_1b.json cannot be read: it is the recipe of another figure" in self.drawn(planted)

    def test_a_folder_that_is_a_link_is_refused(self, planted: Planted) -> None:
        planted.link(f"figures/{NAME}/{JOURNAL}")
        assert "link" in self.drawn(planted)


class TestTables:
    def test_words_stay_words(self, planted: Planted) -> None:
        place = f"results/{NAME}/tables/table_2_response.json"
        table = json.loads((planted.output / place).read_bytes())
        text = json.dumps(table)
        assert "Response by visit" in text
        text = text.replace("Response by visit", json.dumps(HARM["term"])[1:-1]).replace(
            '"Visit"', json.dumps(FORMULAS[0])
        )
        planted.put(place, text.encode())
        planted.run("tables", NAME, "--format", "xlsx", "--journal", JOURNAL)
        book = load_workbook(planted.results / "tables" / JOURNAL / "tables.xlsx")
        cells = [cell for sheet in book for row in sheet for cell in row if cell.value is not None]
        told = " ".join(str(cell.value) for cell in cells)
        assert HARM["term"] in told
        assert FORMULAS[0] in told
        assert {cell.data_type for cell in cells} <= {"s", "n"}

    def test_a_folder_that_is_a_link_is_refused(self, planted: Planted) -> None:
        planted.link(f"results/{NAME}/tables/{JOURNAL}")
        assert "link" in planted.run("tables", NAME, "--journal", JOURNAL)


class TestReport:
    @pytest.mark.parametrize("kept", [False, True], ids=["the notebook", "its page that is kept"])
    def test_a_notebook_that_fetches_and_executes(self, planted: Planted, canary, kept: bool) -> None:
        place = f"results/{NAME}/notebooks/04_survival.ipynb"
        notebook = json.loads((planted.output / place).read_bytes())
        harm = f"<script>{MARK}()</script><img alt='' src='{canary.address}/{{}}' onerror='{MARK}()'>"
        outputs = [one for cell in notebook["cells"] for one in cell.get("outputs", []) if "data" in one]
        outputs[0]["data"] = {"text/html": harm.format("notebook")}
        content = json.dumps(notebook).encode()
        planted.put(place, content)
        words = Wording.of("en", load_config(ROOT / "data" / "cohorts" / NAME)).words("report.toml")
        page = planted.output / ".compendium" / "pages" / NAME / f"04_survival.{words['lang']}.html"
        key = notebooks._digest(content, str(words["lang"]), str(words["picture"]))
        page.write_text(f"{key if kept else ''}\n<p>{harm.format('page')}</p>", encoding="utf-8")
        assert "report done" in planted.run("run", NAME)
        assert "report.html written" in planted.run("report", NAME)
        report = (planted.results / "report.html").read_text(encoding="utf-8")
        frames = report.count("<iframe ")
        assert frames == report.count('sandbox srcdoc="') == 9
        assert f"{canary.address}/{'page' if kept else 'notebook'}" in report  # text of a frame: nothing runs
        assert f"<script>{MARK}" not in report
        policy = report.partition('http-equiv="Content-Security-Policy" content="')[2].partition('"')[0]
        assert policy.startswith("default-src 'none'; img-src data:;")
        assert canary.asked == []

    @pytest.mark.parametrize("link", LINKS[2:])
    def test_nothing_is_written_through_a_link(self, planted: Planted, link: str) -> None:
        planted.link(link.format(NAME))
        planted.run("report", NAME)


@pytest.mark.parametrize("words", [("status", NAME), ("export", NAME), ("run", NAME)])
def test_what_else_reads_it(planted: Planted, words: tuple[str, ...], canary) -> None:
    plant_recipe(planted, draw="os.system", arguments=[f"touch {planted.touched}"])
    for link in LINKS:
        planted.link(link.format(NAME))
    planted.run(*words)
    assert canary.asked == []


def test_the_plants_are_harmful(planted: Planted) -> None:
    """A pickle that nobody reads would prove nothing if it did nothing when read."""
    code = f"import pickle; pickle.load(open({str(planted.results / 'data' / 'patients.pkl')!r}, 'rb'))"
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", code]) == 0
    assert planted.touched.exists()
