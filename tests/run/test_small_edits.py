"""What a small edit costs: comments and text run nothing, a file that nothing names is no input."""

from __future__ import annotations

import ast
import json
import shutil
from pathlib import Path

import pytest
from command import compendium
from hypothesis import given
from hypothesis import strategies as st

from helpers.cohort.files import SUFFIXES
from helpers.intake.mapping import MAPPING_FILE, SOURCE_FOLDER
from helpers.project import raw_files as raw
from helpers.project.paths import CohortPaths, notebooks_dir
from helpers.project.sources import digest_of_files, notebook_code_digest, package_folder, without_comments
from helpers.report.formats.page.notebooks import notebook_pages
from helpers.run.plan import PROVENANCE, load_plan
from helpers.run.provenance import Recorder, as_seen_by
from helpers.vocabulary.model import TABLE_NAMES
from helpers.vocabulary.reading import FILES

ROOT = Path(__file__).parents[2]
PIECES = [
    "a = 1\n",
    'b = "# no comment"\n',
    "c = '''\n# nor this\n\n'''\n",
    'if a:\n    d = f"{a}#{b!r}"\n',
    "e = (1,\n     2)\n",
    'g = "\\"#"\n',
    "h = r'\\n#'\n",
]
WORDS = {"lang": "en", "picture": "Figure"}
COMMENTS = ["# it's \"quoted\n", "    # deeper '''\n", "#\n"]


def test_sources_without_comments_are_the_same_programme() -> None:
    files = sorted(package_folder().rglob("*.py"))
    sources = [path.read_text(encoding="utf-8") for path in files]
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    cells = [cell for path in notebooks for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    sources += ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert len(sources) > 500
    for source in sources:
        stripped = without_comments(source)
        assert ast.dump(ast.parse(stripped)) == ast.dump(ast.parse(source))
        assert len(stripped) == len(source.rstrip("\n")) or "#" in source


@given(st.lists(st.sampled_from(PIECES), min_size=1), st.data())
def test_comments_added_anywhere_change_nothing_and_code_does(pieces: list[str], data: st.DataObject) -> None:
    commented = []
    for piece in pieces:
        commented += data.draw(st.lists(st.sampled_from(COMMENTS), max_size=2))
        line, end = piece[:-1], piece[-1]
        commented.append(line + data.draw(st.sampled_from(["", "  # why", " # it's"])) + end)
    plain = "".join(pieces)
    assert without_comments("".join(commented)) == without_comments(plain)
    assert without_comments(plain + "z = 1\n") != without_comments(plain)
    same = without_comments(plain.replace("no comment", "another")) == without_comments(plain)
    assert same == ("no comment" not in plain)


def test_a_comment_in_a_module_is_no_change_and_in_a_table_it_is(tmp_path: Path) -> None:
    module, table = tmp_path / "a.py", tmp_path / "a.csv"
    module.write_text("x = 1\n")
    table.write_text("x,y\n")
    before = digest_of_files([module]), digest_of_files([table])
    module.write_text("# why\nx = 1  # so\n")
    table.write_text("# why\nx,y\n")
    assert digest_of_files([module]) == before[0]
    assert digest_of_files([table]) != before[1]


def test_a_cell_of_another_language_counts_with_its_signs(project) -> None:
    path = project.notebook("01_first", project.code("%%bash\necho $# # one"))
    before = notebook_code_digest(path)
    project.notebook("01_first", project.code("%%bash\necho $# # two"))
    assert notebook_code_digest(path) != before


def edit(path: Path, cell: int, text: str) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    source = notebook["cells"][cell]["source"]
    notebook["cells"][cell]["source"] = "".join(source) + text
    path.write_text(json.dumps(notebook), encoding="utf-8")


def test_text_and_comments_are_put_into_the_executed_notebook_as_an_execution_would(project) -> None:
    """By the command and real kernels: the same bytes as those of a notebook executed anew."""
    embedded = ROOT / "data" / "cohorts" / "rdmas_reconstructed"
    shutil.copytree(embedded, project.root / "data" / "cohorts" / "small", dirs_exist_ok=True)
    source = project.root / "notebooks" / "02_second.ipynb"

    def run(*options: str) -> str:
        done = compendium("run", "small", "--param", "scale=2", *options, project=project.root)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip().splitlines()[-1]

    executed = project.results("small@scale=2") / "notebooks" / "02_second.ipynb"
    assert run() == "3 steps: 3 executed"
    edit(source, 0, "\n\nMore *words*.")
    edit(source, 1, "  # as agreed")
    edit(source, 2, "\n# the end")
    assert run() == "3 steps: 1 text updated, 2 unchanged"
    put = executed.read_bytes()
    assert b"More *words*." in put
    assert b"as agreed" in put
    assert run() == "3 steps: 3 unchanged"
    run("--force")
    assert executed.read_bytes() == put
    edit(source, 2, "\nprint(3)")
    assert run() == "3 steps: 1 executed, 2 unchanged"


@pytest.mark.parametrize("output", ["stderr", "error"])
def test_a_notebook_whose_outputs_may_name_lines_is_executed_anew(project, tmp_path, output: str) -> None:
    from helpers.run.notebook_text import put_text

    source = project.root / "notebooks" / "02_second.ipynb"
    executed = tmp_path / "02_second.ipynb"
    content = json.loads(source.read_text(encoding="utf-8"))
    kind = {"output_type": "error"} if output == "error" else {"output_type": "stream", "name": "stderr"}
    content["cells"][2]["outputs"] = [kind]
    executed.write_text(json.dumps(content), encoding="utf-8")
    before = executed.read_bytes()
    assert not put_text(source, executed)
    assert executed.read_bytes() == before


def test_names_of_raw_files_are_those_that_others_read() -> None:
    assert raw.TABLES == TABLE_NAMES
    assert raw.SUFFIXES == SUFFIXES
    assert set(raw.WORDS) == set(FILES)
    assert MAPPING_FILE in raw.SETTINGS
    assert SOURCE_FOLDER in raw.FOLDERS


def test_a_file_that_nothing_names_is_no_input(project, fake_kernels) -> None:
    from helpers.run.inputs import raw_names

    folder = project.root / "data" / "cohorts" / "small"
    paths = CohortPaths.of("small")
    before = raw_names(paths)
    for name in ("protocol.pdf", "patients_old.csv", "notes.txt", "backup/patients.csv"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")
    assert raw_names(paths) == before
    (folder / "criteria").mkdir()
    (folder / "criteria" / "own.toml").write_text("")
    (folder / "events.xlsx").write_text("x")
    assert set(raw_names(paths)) - set(before) == {"criteria/own.toml", "events.xlsx"}
    settings = folder / "cohort.toml"
    settings.write_text(settings.read_text() + '[tables.events]\nfile = "patients_old.csv"\n')
    assert "patients_old.csv" in raw_names(paths)


def test_an_edited_sentence_concerns_the_steps_that_read_or_list_it(tmp_path: Path) -> None:
    cohort = tmp_path / "ours"
    shutil.copytree(ROOT / "data" / "cohorts" / "rdmas_reconstructed", cohort)
    paths, steps = CohortPaths.of(cohort), load_plan()
    seen = []
    for text in ("One sentence.", "Another."):
        (cohort / "manuscript.md").write_text(text, encoding="utf-8")
        recorder = Recorder(paths, steps, {}, {})
        seen.append({step.name: recorder.seen_by(step, {}) for step in steps if PROVENANCE in step.reads})
    assert [name for name in seen[0] if seen[0][name] != seen[1][name]] == ["report", "crate"]
    assert "plan" in seen[0]
    for step in (step for step in steps if PROVENANCE in step.reads):
        whole = json.loads(recorder.seen_by(steps[-1], {}))
        assert as_seen_by(step, steps, whole)["raw_data"] == json.loads(seen[1][step.name])["raw_data"]


def test_only_pages_of_changed_notebooks_are_made_anew(tmp_path: Path, monkeypatch) -> None:
    from helpers.report.formats.page import notebooks as pages

    monkeypatch.setenv("COMPENDIUM_OUTPUT", str(tmp_path))
    folder = tmp_path / "results" / "small" / "notebooks"
    folder.mkdir(parents=True)
    cell = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "One **word**"}
    for name in ("01_first", "02_second"):
        text = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
        (folder / f"{name}.ipynb").write_text(text)
    first = list(notebook_pages(folder, WORDS))
    assert all("<strong>word</strong>" in page.page for page in first)
    made: list[str] = []
    page = pages._page
    monkeypatch.setattr(pages, "_page", lambda name, *rest: made.append(name) or page(name, *rest))
    assert list(notebook_pages(folder, WORDS)) == first
    assert made == []
    changed = folder / "02_second.ipynb"
    changed.write_text(changed.read_text().replace("word", "other"))
    assert "<strong>other</strong>" in list(notebook_pages(folder, WORDS))[1].page
    assert made == ["02_second"]
    kept = tmp_path / ".compendium" / "pages" / "small" / f"01_first.{WORDS['lang']}.html"
    kept.write_text("<script>damaged</script>")
    assert next(notebook_pages(folder, WORDS)) == first[0]
    assert made == ["02_second", "01_first"]
    chinese = list(notebook_pages(folder, WORDS | {"lang": "zh"}))
    assert 'lang="zh"' in chinese[0].page
    assert made[2:] == ["01_first", "02_second"]
    assert next(iter(notebook_pages(folder, WORDS))) == first[0]
    assert made[4:] == [], "the pages in the one language are kept beside those in the other"


def test_a_page_is_what_nbconvert_makes_but_for_the_words_of_pictures() -> None:
    import nbformat
    from bs4 import BeautifulSoup

    from helpers.report.formats.page import notebooks as pages

    exporter, seen = pages._exporter(), 0
    for path in sorted(notebooks_dir().glob("0*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        ours, theirs = (
            BeautifulSoup(text, "html.parser")
            for text in (pages._body(exporter, notebook), exporter.from_notebook_node(notebook)[0])
        )
        for picture in theirs.select("img"):
            seen += picture.attrs.pop("alt") != ""
        for picture in ours.select("img"):
            picture.attrs.pop("alt", None)
        assert [(tag.name, dict(tag.attrs)) for tag in ours.find_all(True)] == [
            (tag.name, dict(tag.attrs)) for tag in theirs.find_all(True)
        ]
        assert ours.get_text() == theirs.get_text()
    assert seen > 10


def test_digests_of_code_are_remembered_until_the_package_changes(tmp_path: Path, monkeypatch) -> None:
    from helpers.run import code_digests

    monkeypatch.setenv("COMPENDIUM_OUTPUT", str(tmp_path))
    modules = {"helpers.run.plan", "helpers.stats.balance"}
    asked: list[str] = []
    found = code_digests.source_digest
    monkeypatch.setattr(code_digests, "source_digest", lambda files: asked.append("") or found(files))

    def new_process() -> None:
        code_digests._known.cache_clear()
        code_digests._package.cache_clear()

    new_process()
    first, whole = code_digests.modules_digest(modules), code_digests.package_digest()
    code_digests.remember_digests()
    asked.clear()
    new_process()
    assert code_digests.modules_digest(sorted(modules, reverse=True)) == first
    assert code_digests.package_digest() == whole
    assert not asked
    monkeypatch.setattr(code_digests, "_package", lambda: "another package")
    code_digests._known.cache_clear()
    assert code_digests.modules_digest(modules) == first
    assert len(asked) == 1
    (tmp_path / ".compendium" / "code.json").write_text("[]")
    code_digests._known.cache_clear()
    assert code_digests.modules_digest(modules) == first
