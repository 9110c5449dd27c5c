"""Rules of the house, read off the files: floor plan, notebooks, tracked files."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from helpers.results.catalogue import analyses
from helpers.run.parameters import declared_parameters
from helpers.run.plan import load_plan, predecessors
from helpers.run.validation import read_by

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "helpers"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# A room may import rooms of lower floors only.
FLOORS = (
    {"project", "stats", "results", "vocabulary"},
    {"clinical"},
    {"cohort"},
    {"analysis", "intake", "published"},
    {"report"},
    {"kernels"},
    {"run"},
    {"cluster"},
    {"explore", "trust"},
    {"commands"},
)
GROUND = {"errors", "faults", "problems"}  # modules that every room may import
LONGEST_FUNCTION, LONGEST_MODULE, MOST_COMPLEX = 60, 400, 20
LARGEST_FILE = 1_500_000
FOREIGN_PATH = re.compile(r"(?<![\w.:/])/(?:work|root|home|Users|tmp)/\w")
TEXT = {".py", ".ipynb", ".md", ".toml", ".csv", ".json", ".yml", ".yaml", ".cff", ".html", ".svg"}


def floor(room: str) -> int:
    return next(level for level, rooms in enumerate(FLOORS) if room in rooms)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def edges() -> set[tuple[str, str, str]]:
    """Room, imported room and file, for every import from one room into another."""
    found = set()
    for path in SOURCE.glob("*/**/*.py"):
        room = path.relative_to(SOURCE).parts[0]
        for module in imports(path):
            parts = module.split(".")
            if parts[0] == "helpers" and len(parts) > 1 and parts[1] not in {room, *GROUND}:
                found.add((room, parts[1], path.relative_to(ROOT).as_posix()))
    return found


def tracked() -> list[Path]:
    """Files that the repository holds; where there is no repository (a downloaded archive) there are none."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout
    return [path for name in listed.decode().split("\0") if name and (path := ROOT / name).is_file()]


def code_cells(path: Path) -> list[dict[str, Any]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def test_every_room_has_its_floor() -> None:
    rooms = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert rooms == set().union(*FLOORS)


def test_imports_run_down_the_floors() -> None:
    assert [edge for edge in edges() if floor(edge[1]) >= floor(edge[0])] == []


def test_no_two_rooms_import_each_other() -> None:
    pairs = {edge[:2] for edge in edges()}
    assert [pair for pair in pairs if pair[::-1] in pairs] == []


def module_imports() -> dict[str, set[str]]:
    """Modules of the package that each of them imports, anywhere in its text."""
    modules = {
        ".".join(("helpers", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__"): path
        for path in SOURCE.rglob("*.py")
    }
    found: dict[str, set[str]] = {}
    for name, path in modules.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            else:
                continue
            found.setdefault(name, set()).update(each for each in names if each in modules)
    return found


def test_no_modules_import_each_other_in_a_circle() -> None:
    imported = module_imports()
    tuple(TopologicalSorter({name: others - {name} for name, others in imported.items()}).static_order())


def test_functions_and_modules_are_short() -> None:
    long = []
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > LONGEST_MODULE:
            long.append(path.name)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                long += [f"{path.name}: {node.name}"] if lines > LONGEST_FUNCTION else []
    assert long == []


def test_no_function_is_too_complex() -> None:
    limit = f"lint.mccabe.max-complexity={MOST_COMPLEX}"
    command = [sys.executable, "-m", "ruff", "check", "--select", "C901", "--config", limit, str(SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_rooms_with_folders_have_no_modules_beside_them() -> None:
    for room in (path for path in SOURCE.iterdir() if path.is_dir()):
        folders = [path for path in room.iterdir() if (path / "__init__.py").is_file()]
        modules = [path.stem for path in room.glob("*.py") if path.stem != "__init__"]
        if len(folders) > 1:
            assert modules == [], f"{room.name} has folders: where do {modules} belong?"


def test_rooms_export_nothing_of_their_own_in_their_init() -> None:
    for path in SOURCE.rglob("__init__.py"):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        assert [type(node) for node in body] == [ast.Expr], f"{path} holds more than a docstring"


def test_importing_the_package_loads_no_heavy_library() -> None:
    code = "import sys, helpers; print(sorted({'numpy', 'pandas', 'matplotlib', 'scipy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
class TestNotebook:
    def test_defines_no_function_or_class_and_has_no_loop(self, path: Path) -> None:
        forbidden = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While)
        for number, cell in enumerate(code_cells(path), start=1):
            found = [type(node).__name__ for node in ast.walk(ast.parse(source(cell)))]
            names = {kind.__name__ for kind in forbidden}
            assert not names & set(found), f"code cell {number}"

    def test_stores_no_error_and_no_warning(self, path: Path) -> None:
        outputs = [output for cell in code_cells(path) for output in cell["outputs"]]
        assert [output for output in outputs if output["output_type"] == "error"] == []
        assert [output for output in outputs if output.get("name") == "stderr"] == []

    def test_was_executed_from_top_to_bottom(self, path: Path) -> None:
        if not path.stem[0].isdigit():
            pytest.skip("not part of the run")
        counts = [cell["execution_count"] for cell in code_cells(path)]
        assert counts == list(range(1, len(counts) + 1))

    def test_holds_no_times_and_no_injected_parameters(self, path: Path) -> None:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        keys = {key for part in (notebook, *notebook["cells"]) for key in part["metadata"]}
        assert not keys & {"papermill", "execution", "ExecuteTime"}
        assert not any(
            "injected-parameters" in cell["metadata"].get("tags", []) for cell in notebook["cells"]
        )

    def test_cell_ids_are_unique(self, path: Path) -> None:
        ids = [cell["id"] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
        assert len(ids) == len(set(ids))

    def test_opens_with_a_question(self, path: Path) -> None:
        first = json.loads(path.read_text(encoding="utf-8"))["cells"][0]
        assert first["cell_type"] == "markdown"
        assert "?" in source(first)


def test_notebooks_of_the_plan_share_the_values_of_their_parameters() -> None:
    values: dict[str, Any] = {}
    for step in load_plan(ROOT / "notebooks" / "pipeline.toml"):
        for name, value in (declared_parameters(step.source) if step.is_notebook else {}).items():
            assert values.setdefault(name, value) == value, f"{step.name}: {name} = {value!r}"


def test_every_numbered_notebook_is_in_the_plan() -> None:
    planned = {step.name for step in load_plan(ROOT / "notebooks" / "pipeline.toml")}
    assert {path.stem for path in NOTEBOOKS if path.stem[0].isdigit()} <= planned


def test_tracked_results_are_products_of_the_plan() -> None:
    planned = {path for step in load_plan(ROOT / "notebooks" / "pipeline.toml") for path in step.writes}
    planned |= {"provenance.json"}
    stray = []
    for path in tracked():
        parts = path.relative_to(ROOT).parts
        if parts[0] in {"results", "figures"} and len(parts) > 2:
            inside = "/".join(parts[2:])
            name = f"figures/{inside}" if parts[0] == "figures" else inside
            if name not in planned:
                stray.append("/".join(parts))
    assert stray == []


def test_tracked_files_name_no_folder_of_one_machine() -> None:
    guilty = [
        path.relative_to(ROOT).as_posix()
        for path in tracked()
        if path.suffix in TEXT and FOREIGN_PATH.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert guilty == []


def test_tracked_files_are_small() -> None:
    large = [path.name for path in tracked() if path.stat().st_size > LARGEST_FILE]
    assert large == []


def test_changelog_names_the_present_version_or_unreleased_work() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[(.+?)\]", text, re.M)
    assert headings[0] == "Unreleased"
    released = [tuple(map(int, heading.split("."))) for heading in headings[1:]]
    assert all(later > earlier for later, earlier in pairwise(released))


def test_notebooks_compared_side_by_side_wait_for_those_they_need() -> None:
    steps = {step.name: step for step in load_plan(ROOT / "notebooks" / "pipeline.toml") if step.is_notebook}
    cleaning = {name for name in steps if name.startswith("01_")}  # which each can do for itself
    for name, step in steps.items():
        needed = {other.name for other in predecessors(step, steps.values())}
        assert needed - cleaning <= read_by(name), f"{name} needs {needed - read_by(name)}"
    assert any(map(read_by, steps))


def test_scripts_outside_the_package_import_what_there_is() -> None:
    """Benchmarks and scripts of the documentation run seldom: a name that is gone would be found late."""
    scripts = [*(ROOT / "benchmarks").rglob("*.py"), *(ROOT / "docs").rglob("*.py")]
    assert len(scripts) > 8
    gone = []
    for script in scripts:
        for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("helpers"):
                try:
                    exec(ast.unparse(node), {})
                except ImportError as error:
                    gone.append(f"{script.name}: {error}")
    assert gone == []


def test_tests_of_any_folders_can_be_selected_together() -> None:
    # Every folder has a conftest, and the name `conftest` is that of the one loaded last.
    files = [*(ROOT / "tests").rglob("*.py")]
    assert [
        file.name for file in files if re.search(r"^(from|import) conftest\b", file.read_text(), re.M)
    ] == []


def test_no_module_reads_or_writes_pickles():
    """Whatever comes with a cohort or with results is data; a pickle would be executed on reading."""
    modules = r"^\s*(import|from) (pickle|cloudpickle|joblib|shelve|marshal)\b"
    wanted = re.compile(rf"{modules}|\.(read|to)_pickle\(|allow_pickle=True", re.MULTILINE)
    paths = sorted((ROOT / "src").rglob("*.py"))
    assert len(paths) > 200
    assert [path.name for path in paths if wanted.search(path.read_text(encoding="utf-8"))] == []


def test_no_test_module_changes_the_environment_of_the_others():
    # What one module sets while it is imported, kernels that another module starts would inherit.
    changing = re.compile(r"^os\.(environ|putenv|chdir|umask)\b", re.MULTILINE)
    files = sorted((ROOT / "tests").rglob("*.py"))
    assert len(files) > 100
    assert [file.name for file in files if changing.search(file.read_text(encoding="utf-8"))] == []


# Look-ups by words: find("survival", ...), select(analysis="..."), f"survival.death.{group}...".
_IDENTIFIER = re.compile(r"^[a-z0-9_]+(\.[a-z0-9_{}]+){3,4}$")


def looked_up_by_words(path: Path) -> list[str]:
    """Lines of a module that ask the statistics by words instead of the catalogue's keys."""
    names = set(analyses())
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        text = ""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            first = node.args[0] if node.args else None
            if node.func.attr == "find" and isinstance(first, ast.Constant) and first.value in names:
                text = str(first.value)
            for keyword in node.keywords if node.func.attr == "select" else ():
                if keyword.arg in ("analysis", "statistic") and isinstance(keyword.value, ast.Constant):
                    text = str(keyword.value.value)
        elif isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            text = "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        identifier = _IDENTIFIER.match(text) and text.split(".")[0] in names
        if identifier or (text in names and isinstance(node, ast.Call)):
            found.append(f"{path.name}:{node.lineno} {text}")
    return found


def test_statistics_are_asked_for_by_keys_of_the_catalogue():
    paths = [path for path in (ROOT / "src" / "helpers").rglob("*.py") if "reconstruction" not in path.parts]
    assert len(analyses()) > 50
    assert [line for path in paths for line in looked_up_by_words(path)] == []


def test_a_look_up_by_words_is_found(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(
        'a = stored.find("survival", "death", "deaths")\n'
        'b = stored.select(analysis="baseline", statistic=name)\n'
        'c = stored[f"survival.death.{group}.day_56.deaths"]\n'
        'd = stored["flow.rows.all.baseline.used"]\n'
        'e = stored.find(SurvivalRows.deaths, "death")\n',
        encoding="utf-8",
    )
    lines = [int(re.search(r":(\d+) ", one)[1]) for one in looked_up_by_words(path)]
    assert sorted(set(lines)) == [1, 2, 3, 4]
