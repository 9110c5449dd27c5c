"""JupyterLab as `compendium lab` opens it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from driving import Driven

ROOT = Path(__file__).parents[2]


@pytest.fixture
def notebook() -> Iterator[Path]:
    """A copy of the explorer's notebook within the project, which JupyterLab shows."""
    folder = ROOT / "scratch" / "browser_test"
    folder.mkdir(parents=True, exist_ok=True)
    yield Path(shutil.copy(ROOT / "notebooks" / "explore.ipynb", folder / "explore.ipynb"))
    shutil.rmtree(folder, ignore_errors=True)


def opened(page: Any, address: str, path: Path) -> None:
    page.goto(f"{address}/lab/tree/{path.relative_to(ROOT).as_posix()}?reset", wait_until="commit")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.get_by_text("RD-MAS compendium | Idle").wait_for()


def run_all(page: Any, entry: str = "Run All Cells") -> None:
    menu = "Kernel" if "Restart" in entry else "Run"
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.get_by_text(re.compile(f"^{entry}")).first.click()
    if "Restart" in entry:
        page.get_by_role("button", name=re.compile("Restart")).last.click()


def test_it_opens_on_the_start_page_and_asks_for_nothing(
    page: Any, lab_address: str, requests_elsewhere: list[str], faults: list[str]
) -> None:
    page.goto(lab_address, wait_until="commit")
    page.get_by_role("heading", name="Cohorts").wait_for()
    page.wait_for_timeout(5000)
    assert page.get_by_text("rdmas_reconstructed").count()
    assert page.locator(".Toastify__toast").count() == 0
    assert requests_elsewhere == []
    assert faults == []
    page.get_by_text("open the explorer").click()
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")


def test_a_notebook_is_not_dirty_on_opening_and_has_the_kernel_of_the_project(
    page: Any, lab_address: str, notebook: Path
) -> None:
    opened(page, lab_address, notebook)
    page.wait_for_timeout(4000)
    assert page.locator(".jp-mod-dirty").count() == 0


def test_the_explorer_runs_inserts_its_code_and_the_cell_shows_the_same(
    page: Any, lab_address: str, notebook: Path, faults: list[str]
) -> None:
    opened(page, lab_address, notebook)
    run_all(page)
    driven = Driven(page)
    driven.wait_until_shown()
    driven.choose("Split by", "Sex")
    cells, figure = page.locator(".jp-Notebook .jp-CodeCell").count(), driven.figure
    page.get_by_role("button", name="Insert code below").click()
    page.wait_for_function(f"document.querySelectorAll('.jp-Notebook .jp-CodeCell').length > {cells}")
    page.wait_for_timeout(1000)
    page.keyboard.press("Shift+Enter")
    inserted = page.locator(".jp-OutputArea-output img[src^='data:image/png']")
    page.wait_for_function(
        'document.querySelectorAll(".jp-Cell-outputWrapper .jp-RenderedHTMLCommon > img").length > 0'
        ' || document.querySelectorAll(".jp-OutputArea-output img").length > 1'
    )
    sources = {str(one.get_attribute("src")) for one in inserted.all()}
    shown = str(page.locator(".explorer-figure img").first.get_attribute("src"))
    assert shown in sources
    assert len([one for one in inserted.all() if one.get_attribute("src") == shown]) > 1
    assert figure == driven.figure
    assert faults == []


def test_a_second_run_of_all_cells_gives_the_same_file(page: Any, lab_address: str, notebook: Path) -> None:
    saved = []
    opened(page, lab_address, notebook)
    for _ in range(2):
        run_all(page, "Restart Kernel and Run All Cells")
        page.wait_for_timeout(3000)
        page.get_by_text("RD-MAS compendium | Idle").wait_for()
        page.wait_for_selector(".explorer-figure img")
        page.wait_for_timeout(8000)
        page.keyboard.press("Control+s")
        page.wait_for_timeout(3000)
        saved.append(notebook.read_bytes())
    assert saved[0] == saved[1]
    stored = json.loads(saved[0])
    assert stored["metadata"]["language_info"] == {"name": "python"}
    outputs = [out for cell in stored["cells"] if cell["cell_type"] == "code" for out in cell["outputs"]]
    assert outputs
