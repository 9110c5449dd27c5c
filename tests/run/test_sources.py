from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from helpers.project import sources
from helpers.project.sources import (
    NotebookFileError,
    files_matching,
    notebook_digest,
    notebook_modules,
    source_files,
)
from helpers.run import inputs
from helpers.run.plan import step_named


def parsed_imports(path) -> set[str]:
    """What the parser finds, to be told by the quick reading of statements."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: the package imports by full names"
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in found if name.split(".")[0] == "helpers" and sources._module_file(name)}


def test_imports_are_found_as_the_parser_finds_them() -> None:
    files = sorted(sources.package_folder().rglob("*.py"))
    assert len(files) > 40
    for path in files:
        assert set(sources._imports(path.read_text(encoding="utf-8"))) == parsed_imports(path), path


def test_modules_of_a_notebook_include_those_imported_on_several_lines(project) -> None:
    many = "from helpers.run import (\n    grid,  # combinations\n    plan as steps,\n)"
    path = project.notebook(
        "01_first", project.code(many), project.code("%matplotlib inline\nimport helpers.results.store as s")
    )
    assert notebook_modules(path) == {
        "helpers.run",
        "helpers.run.grid",
        "helpers.run.plan",
        "helpers.results.store",
    }


def test_sources_follow_imports_and_take_along_data_of_the_room() -> None:
    names = {path.name for path in source_files({"helpers.clinical.steroids"})}
    assert "steroids.py" in names
    assert any(name.endswith(".toml") for name in names)
    assert not any(
        path.is_relative_to(sources.package_folder() / "stats") for path in source_files({"helpers"})
    )


def test_digest_of_a_notebook_ignores_outputs_and_sees_sources_and_tags(project) -> None:
    path = project.notebook("01_first", project.code("a = 1", "parameters"), project.code("print(a)"))
    before = notebook_digest(path)
    notebook = json.loads(path.read_text())
    notebook["cells"][2]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["1\n"]}]
    notebook["cells"][2]["execution_count"] = 7
    notebook["metadata"]["language_info"] = {"version": "3.13"}
    path.write_text(json.dumps(notebook))
    assert notebook_digest(path) == before
    notebook["cells"][2]["source"] = ["print(a + 1)"]
    path.write_text(json.dumps(notebook))
    assert notebook_digest(path) != before
    project.notebook("01_first", project.code("a = 1"), project.code("print(a)"))
    assert notebook_digest(path) != before


def test_hidden_and_temporary_files_do_not_count(project) -> None:
    folder = project.root / "data" / "cohorts" / "small"
    (folder / ".DS_Store").write_text("x")
    (folder / "~$patients.xlsx").write_text("x")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "a.csv").write_text("x")
    names = [path.name for path in files_matching(folder, "**/*")]
    assert names == ["cohort.toml", "measurements.csv", "patients.csv"]


def test_a_file_that_is_no_notebook_is_named(project) -> None:
    path = project.root / "notebooks" / "01_first.ipynb"
    path.write_text("{")
    with pytest.raises(NotebookFileError, match=r"01_first.ipynb cannot be read as a notebook"):
        notebook_digest(path)


def test_all_code_behind_the_tables_belongs_to_the_step_that_writes_them(monkeypatch):
    # A module that only the digest of the tables counts would leave them older than their code, unseen.
    first = step_named("01_data_cleaning")
    assert first is not None
    assert inputs.TABLES_MARK in first.writes
    behind = inputs._behind_the_tables()
    package = Path(inputs.__file__).parents[1]
    assert {name.split(".")[-1] for name in behind} == {
        path.stem for room in ("cohort", "vocabulary") for path in (package / room).glob("*.py")
    }
    assert "helpers.cohort.reference_page" in behind, "which no notebook imports"
    before = inputs.code_digests([first])
    monkeypatch.setattr(inputs, "_behind_the_tables", set)
    assert inputs.code_digests([first]) != before
