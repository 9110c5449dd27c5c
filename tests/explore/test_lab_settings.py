"""JupyterLab's start page, copies for one cohort, and files that say nothing of one machine."""

from __future__ import annotations

import json
import os
import re
from copy import deepcopy
from pathlib import Path

import pytest

from helpers.commands import lab
from helpers.explore.contents import DISPLAY_NAME, as_read, as_stored
from helpers.explore.start import bind_notebooks, start_page
from helpers.run.parameters import declared_parameters

ROOT = Path(__file__).parents[2]


def test_every_link_of_the_start_page_leads_to_a_file() -> None:
    folder = ROOT / "scratch"
    links = re.findall(r"\]\(([^)]+)\)", start_page(folder))
    assert len(links) > 12
    assert [link for link in links if not Path(os.path.normpath(folder / link)).is_file()] == []


def test_the_start_page_names_cohorts_with_their_state() -> None:
    assert re.search(
        r"\| rdmas_reconstructed \| (up to date|\d+ of \d+ steps up to date) \|", start_page(ROOT)
    )


def test_copies_are_bound_to_their_cohort_and_left_alone_afterwards(output: Path, tmp_path: Path) -> None:
    cohort = tmp_path / "my cohort's".replace(" ", "_").replace("'", "")
    cohort.mkdir()
    folder, made = bind_notebooks(str(cohort))
    assert folder == output / "scratch" / "notebooks" / cohort.name
    assert {path.name for path in made} == {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    for path in made:
        assert declared_parameters(path)["cohort"] == cohort.as_posix()
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert not any(cell.get("outputs") for cell in cells)
    made[0].write_text("worked on", encoding="utf-8")
    assert bind_notebooks(str(cohort)) == (folder, [])
    assert made[0].read_text(encoding="utf-8") == "worked on"


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.name)
def test_opening_and_saving_a_notebook_changes_nothing(path: Path) -> None:
    stored = json.loads(path.read_text(encoding="utf-8"))
    opened = deepcopy(stored) | {"metadata": as_read(stored["metadata"])}
    assert opened["metadata"]["language_info"]["version"]
    assert as_stored(opened) == stored


def test_views_of_widgets_and_times_are_not_stored() -> None:
    view = {"output_type": "display_data", "data": {"application/vnd.jupyter.widget-view+json": {}}}
    text = {"output_type": "stream", "text": "1"}
    cell = {"cell_type": "code", "metadata": {"execution": {}, "tags": ["a"]}, "outputs": [view, text]}
    stored = as_stored({"metadata": {"widgets": {}}, "cells": [cell]})
    assert stored["cells"][0]["outputs"] == [text]
    assert stored["cells"][0]["metadata"] == {"tags": ["a"]}
    assert stored["metadata"] == {}


def test_settings_ask_nobody_for_news_or_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "elsewhere")
    monkeypatch.setenv("JUPYTER_PATH", "elsewhere")
    lab.use_settings()
    assert os.environ["JUPYTER_CONFIG_PATH"] == os.pathsep.join([str(lab.JUPYTER), "elsewhere"])
    settings = json.loads((lab.JUPYTER / "labconfig" / "default_setting_overrides.json").read_text())
    told = settings["@jupyterlab/apputils-extension:notification"]
    assert told == {"checkForUpdates": False, "fetchNews": "false"}
    kernel = json.loads((lab.JUPYTER / "kernels" / "python3" / "kernel.json").read_text())
    assert kernel["display_name"] == DISPLAY_NAME
