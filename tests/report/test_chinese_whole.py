"""Whole cohorts in Chinese, from raw files to report: what is left in Latin letters stands on a list."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from latin import LIST, allowed, left_in
from shown_texts import shown_texts

from helpers.report.figures.fonts.chinese import chinese_fonts
from helpers.report.text.notebooks import digest_of, told_cells, translations
from helpers.report.text.phrases import PHRASE_FILES
from helpers.report.text.wording import language_file
from helpers.run.notebook_text import put_text

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("0[1-9]_*.ipynb"))
# Words of the studies' own settings, which their authors give in Chinese.
TERMS = {
    "etoposide_alone": {
        "Etoposide in haemophagocytic lymphohistiocytosis of adults": "依托泊苷治疗成人噬血细胞综合征",
        "Stem cell transplantation": "造血干细胞移植",
    },
}


def _markdown(notebook: Path) -> list[tuple[str, str]]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [(cell["id"], "".join(cell["source"])) for cell in cells if cell["cell_type"] == "markdown"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_markdown_cell_has_its_translation(notebook):
    """A changed English cell fails here until its translation is looked at and its new digest is stored."""
    kept = translations("zh")[notebook.stem]
    changed = {
        name: digest_of(text)
        for name, text in _markdown(notebook)
        if kept.get(name, {}).get("digest") != digest_of(text)
    }
    assert changed == {}, "look at the translation in report/text/zh/notebooks.toml, then store these digests"
    assert set(kept) == {name for name, _ in _markdown(notebook)}  # none of a cell that is gone
    prose = {name: " ".join(cell["text"].split("`")[::2]) for name, cell in kept.items()}
    assert {name: words for name, text in prose.items() if (words := left_in(text))} == {}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_translated_cells_keep_pieces_of_code_headings_and_links(notebook):
    kept = translations("zh")[notebook.stem]
    for name, text in _markdown(notebook):
        told = kept[name]["text"]
        for sign in ("`", "](", "**", "\n## ", "\n\n"):
            assert told.count(sign) == text.count(sign), (name, sign)
        assert told.split("`")[1::2] == text.split("`")[1::2]


def test_a_cell_that_was_changed_stays_english():
    name, text = _markdown(NOTEBOOKS[0])[0]
    assert set(told_cells("zh", NOTEBOOKS[0].stem, [(name, text)])) == {name}
    assert told_cells("zh", NOTEBOOKS[0].stem, [(name, text + " And more.")]) == {}
    assert told_cells("en", NOTEBOOKS[0].stem, [(name, text)]) == {}
    assert told_cells("zh", "a_notebook_of_ones_own", [(name, text)]) == {}


def test_every_kind_of_word_has_its_reason():
    kinds = tomllib.loads(LIST.read_text(encoding="utf-8"))
    assert all(kind["reason"].endswith(".") for kind in kinds.values())
    assert left_in("Kaplan-Meier法，log-rank检验，published_comparison.csv，10 mg/kg") == set()
    assert left_in("生存率 at day 56") == {"at", "day"}
    assert len(allowed()[0]) < 250  # a list of names, no dictionary


def test_no_phrase_stands_in_two_files():
    seen: dict[str, str] = {}
    for file in PHRASE_FILES:
        for part in ("phrases", "patterns"):
            for text in language_file("zh", file).get(part, {}):
                assert f"{part}: {text}" not in seen, (file, text)
                seen[f"{part}: {text}"] = file


def _cohort(name: str, folder: Path) -> Path:
    if name == "embedded":
        shutil.copytree(ROOT / "data" / "cohorts" / "rdmas_reconstructed", folder)
    else:
        sys.path.insert(0, str(ROOT / "tests" / "studies"))
        try:
            from studies import write_study
        finally:
            sys.path.pop(0)
        write_study(name, folder)
    settings = folder / "cohort.toml"
    terms = "".join(f'"{english}" = "{chinese}"\n' for english, chinese in TERMS.get(name, {}).items())
    text = settings.read_text(encoding="utf-8")
    assert "[report" not in text
    settings.write_text(f'{text}\n[report]\nlanguage = "zh"\n\n[report.terms]\n{terms}', encoding="utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.skipif(not chinese_fonts(), reason="figures stay English without a Chinese font")
@pytest.mark.parametrize("name", ["embedded", *TERMS])
def test_a_whole_cohort_is_told_in_chinese(name, tmp_path):
    folder = _cohort(name, tmp_path / f"{name}_zh")
    command = [sys.executable, "-m", "helpers.commands.cli", "run", str(folder), "--output", str(tmp_path)]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("COMPENDIUM_")}
    done = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    results, figures = tmp_path / "results" / folder.name, tmp_path / "figures" / folder.name
    texts = list(shown_texts(results, figures))
    kinds = {Path(place).suffix for place, _ in texts}
    assert kinds == {".docx", ".xlsx", ".html", ".ipynb", ".svg"}
    assert len(texts) > 3000
    left = {(place, text): words for place, text in texts if (words := left_in(text))}
    assert left == {}


def test_text_put_into_an_executed_notebook_is_told_too(tmp_path):
    """An edit of text alone executes nothing, and the Chinese copy keeps its Chinese."""
    source, executed = NOTEBOOKS[0], tmp_path / NOTEBOOKS[0].name
    shutil.copyfile(source, executed)
    assert put_text(source, executed, lambda cells: told_cells("zh", source.stem, cells.items()))
    kept = translations("zh")[source.stem]
    assert dict(_markdown(executed)) == {name: cell["text"] for name, cell in kept.items()}
    assert put_text(source, executed)
    assert _markdown(executed) == _markdown(source)
