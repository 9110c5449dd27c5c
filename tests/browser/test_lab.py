"""JupyterLab as `compendium lab` opens it."""

from __future__ import annotations

import json
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from driving import Driven

ROOT = Path(__file__).parents[2]
SEEN = ".jp-NotebookPanel:not(.lm-mod-hidden)"  # the notebook in front
IDLE = "RD-MAS compendium | Idle"
ALL_RUN = """() => window.jupyterapp.shell.currentWidget.content.widgets
    .filter(one => one.model.type === 'code')
    .every(one => one.model.executionCount && one.model.executionState !== 'running')"""


@pytest.fixture
def copied() -> Iterator[Callable[[str], Path]]:
    """Copies of notebooks within the project, which JupyterLab shows; nobody has signed them."""
    folder = ROOT / "scratch" / f"browser_test_{uuid.uuid4().hex[:8]}"
    folder.mkdir(parents=True)
    yield lambda name: Path(shutil.copy(ROOT / "notebooks" / f"{name}.ipynb", folder))
    shutil.rmtree(folder, ignore_errors=True)


def opened(page: Any, address: str, path: Path) -> None:
    page.goto(f"{address}/lab/tree/{path.relative_to(ROOT).as_posix()}?reset", wait_until="commit")
    page.locator(f"{SEEN} .jp-CodeCell").first.wait_for()
    page.get_by_text(IDLE).wait_for()


def run_all(page: Any, entry: str = "Run All Cells") -> None:
    menu = "Kernel" if "Restart" in entry else "Run"
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.get_by_text(re.compile(f"^{entry}")).first.click()
    if "Restart" in entry:
        page.locator(".jp-Dialog .jp-mod-accept").click()


def test_it_opens_on_the_start_page_and_asks_for_nothing(
    page: Any, lab_address: str, output: Path, requests_elsewhere: list[str]
) -> None:
    page.goto(lab_address, wait_until="commit")
    page.get_by_role("heading", name="Cohorts").wait_for()
    page.wait_for_timeout(5000)
    assert page.get_by_text("rdmas_reconstructed").count()
    assert page.locator(".Toastify__toast").count() == 0
    for width, height in ((1920, 1080), (1280, 900)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(500)
        page.screenshot(path=str(output / f"start_{width}.png"))
    page.get_by_text("open the explorer").click()
    page.locator(f"{SEEN} .jp-CodeCell").first.wait_for()
    assert requests_elsewhere == []


def test_notebooks_are_not_dirty_on_opening_and_their_figures_have_words(
    page: Any, lab_address: str, copied: Callable[[str], Path]
) -> None:
    names = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
    paths = [copied(name) for name in names]
    opened(page, lab_address, paths[0])
    for path in paths:
        page.evaluate(
            "async path => { await window.jupyterapp.commands.execute('docmanager:open', {path}); }",
            path.relative_to(ROOT).as_posix(),
        )
        shown = page.locator(SEEN)
        shown.locator(".jp-CodeCell").first.wait_for()
        page.get_by_text("Mode: Command").first.wait_for()
        page.get_by_text(IDLE).wait_for()
        page.wait_for_timeout(1500)
        assert page.locator(".jp-mod-dirty").count() == 0, path.name
        without = shown.locator(".jp-RenderedImage img:not([alt]), .jp-RenderedHTMLCommon img:not([alt])")
        assert without.count() == 0, path.name
        edges = shown.locator("table.gt_table").evaluate_all(
            "tables => tables.map(one => getComputedStyle(one).borderTopStyle)"
        )
        assert set(edges) <= {"solid"}, path.name
        page.evaluate("async () => { await window.jupyterapp.commands.execute('application:close'); }")


def test_the_explorer_runs_inserts_its_code_and_the_cell_shows_the_same(
    page: Any, lab_address: str, output: Path, copied: Callable[[str], Path]
) -> None:
    opened(page, lab_address, copied("explore"))
    run_all(page)
    driven = Driven(page)
    driven.wait_until_shown()
    driven.choose("Split by", "Sex")
    for width, height in ((1920, 1080), (1280, 900)):
        page.set_viewport_size({"width": width, "height": height})
        page.locator(".explorer").scroll_into_view_if_needed()
        page.wait_for_timeout(800)
        page.screenshot(path=str(output / f"explorer_in_lab_{width}.png"))
    cells = page.locator(".jp-Notebook .jp-CodeCell").count()
    shown = str(page.locator(".explorer-figure img").first.get_attribute("src"))
    page.get_by_role("button", name="Insert code below").click()
    page.wait_for_function(f"document.querySelectorAll('.jp-Notebook .jp-CodeCell').length > {cells}")
    page.wait_for_timeout(1000)
    page.keyboard.press("Shift+Enter")
    page.wait_for_function(
        "shown => [...document.querySelectorAll('.jp-OutputArea-output img')]"
        ".filter(one => one.src === shown).length > 1",
        arg=shown,
    )


@pytest.mark.parametrize("name", ["explore", "04_survival"])
def test_a_second_run_of_all_cells_gives_the_same_file(
    page: Any, lab_address: str, copied: Callable[[str], Path], name: str
) -> None:
    notebook, saved = copied(name), []
    opened(page, lab_address, notebook)
    for _ in range(2):
        clear = "window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')"
        page.evaluate(f"async () => {{ await {clear}; }}")
        run_all(page, "Restart Kernel and Run All Cells")
        page.wait_for_function(ALL_RUN)
        page.get_by_text(IDLE).wait_for()
        page.wait_for_timeout(1500)
        page.keyboard.press("Control+s")
        page.wait_for_timeout(2500)
        saved.append(notebook.read_bytes())
    assert saved[0] == saved[1]
    stored = json.loads(saved[0])
    assert stored["metadata"]["language_info"] == {"name": "python"}
    outputs = [out for cell in stored["cells"] if cell["cell_type"] == "code" for out in cell["outputs"]]
    assert outputs
    assert [out for out in outputs if out["output_type"] == "error"] == []
