"""The page of a mapping as it is used: opened from the disk, answered, saved, and given to the command."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from helpers.cohort.check import check_cohort
from helpers.commands.cli import app
from helpers.problems import errors

INTAKE = Path(__file__).parents[1] / "intake"


@pytest.fixture
def shapes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(INTAKE))
    import shapes

    yield shapes
    for name in ("shapes", "invented"):
        sys.modules.pop(name, None)


def taken(tmp_path: Path, shapes: Any, name: str) -> Path:
    from invented import invented

    (tmp_path / "raw").mkdir()
    files = shapes.SHAPES[name].write(invented(6), tmp_path / "raw")
    given = [part for file in files for part in ("--from", str(file))]
    done = CliRunner().invoke(app, ["new", str(tmp_path / "taken"), *given, "--yes"])
    assert done.exit_code == 1, done.output
    return tmp_path / "taken"


def answer(page: Any, key: str, text: str) -> None:
    field = page.locator(f'[data-key="{key}"]')
    if field.evaluate("node => node.tagName") == "SELECT":
        field.select_option(label=text)
    else:
        field.fill(text)


@pytest.mark.parametrize("name", ["xlsx_chinese", "redcap_flat", "csv_english"])
def test_answers_given_on_the_page_make_the_cohort(
    name: str, shapes: Any, page: Any, tmp_path: Path, requests_elsewhere: list[str], faults: list[str]
) -> None:
    folder = taken(tmp_path, shapes, name)
    page.goto((folder / "mapping.html").as_uri(), wait_until="load")
    asked = page.locator("fieldset [data-key]")
    keys = [asked.nth(n).get_attribute("data-key") for n in range(asked.count())]
    assert set(keys) == set(shapes.SHAPES[name].answers)
    for key, text in shapes.SHAPES[name].answers.items():
        answer(page, key, text)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the answers").click()
    saved.value.save_as(tmp_path / "answers.json")
    assert re.search(r"answers saved", page.locator("#saved").inner_text())
    assert json.loads((tmp_path / "answers.json").read_text("utf-8")) == {
        "answers": shapes.SHAPES[name].answers
    }
    done = CliRunner().invoke(app, ["new", str(folder), "--answers", str(tmp_path / "answers.json")])
    assert done.exit_code == 0, done.output
    assert errors(check_cohort(folder)) == []
    page.reload(wait_until="load")
    assert page.get_by_text("Open questions (0)").count() == 1
    assert requests_elsewhere == []
    assert faults == []


def test_a_meaning_corrected_on_the_page_is_replayed(shapes: Any, page: Any, tmp_path: Path) -> None:
    folder = taken(tmp_path, shapes, "csv_decimal_comma")
    page.goto((folder / "mapping.html").as_uri(), wait_until="load")
    for key, text in shapes.SHAPES["csv_decimal_comma"].answers.items():
        answer(page, key, text)
    answer(page, "column.Fever", "patients.rash")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the answers").click()
    saved.value.save_as(tmp_path / "answers.json")
    done = CliRunner().invoke(app, ["new", str(folder), "--answers", str(tmp_path / "answers.json")])
    assert done.exit_code == 0, done.output
    header = (folder / "tables" / "patients.csv").read_text("utf-8").splitlines()[0].split(",")
    assert "rash" in header
    assert "fever" not in header


def test_axe_finds_nothing_and_every_field_is_reached_by_keyboard(
    shapes: Any, page: Any, tmp_path: Path, output: Path
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    folder = taken(tmp_path, shapes, "xlsx_chinese")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto((folder / "mapping.html").as_uri(), wait_until="load")
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []
    count = page.locator("input, select, button").count()
    reached = set()
    for _ in range(count + 12):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    ids = page.locator("input, select, button").evaluate_all("nodes => nodes.map(node => node.id)")
    assert set(ids) <= reached
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.screenshot(path=str(output / f"mapping_{width}.png"), full_page=True)
