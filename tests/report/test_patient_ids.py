"""`[report] ids = "none"`: no exhibit that readers see names a patient, no order tells that of the ids."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from command import ROOT, compendium

from helpers.cohort.config import load_config
from helpers.problems import Problem
from helpers.report.figures.patients import order_of_ties
from helpers.report.tables.cleaning import problem_table
from helpers.report.tables.clinical import explanation_table
from helpers.trust.opened import opened

COHORT = ROOT / "data" / "cohorts" / "rdmas_reconstructed"
FIGURES = ROOT / "figures" / "rdmas_reconstructed"
_IDS = re.compile(r"\b([RC]\d\d)\b")
_RENAMED = re.compile(r"XQ[RC]\d\d")  # ids that nothing else is called


def without_ids(config):
    return config.model_copy(update={"report": config.report.model_copy(update={"ids": "none"})})


@pytest.fixture(scope="module")
def config():
    return load_config(COHORT)


def test_ties_stand_in_an_order_that_is_that_of_neither_ids_nor_rows(config):
    ids = [f"R{n:02}" for n in range(1, 21)]
    hidden = without_ids(config)
    turned = ids[::-1]
    by_digest = sorted(ids, key=dict(zip(ids, order_of_ties(ids, hidden), strict=True)).get)
    assert by_digest == sorted(ids, key=dict(zip(turned, order_of_ties(turned, hidden), strict=True)).get)
    assert by_digest not in (ids, turned)
    assert order_of_ties(ids, config) == ids


def test_the_default_shows_the_ids_of_the_study(config):
    assert config.report.ids == "study"
    assert ">R01<" in (FIGURES / "figure_s6_exposure.svg").read_text(encoding="utf-8")


def test_tables_of_single_patients_name_neither_patient_nor_line():
    line = {
        "patient_id": "R07", "question": "response", "answer": "PR", "item": "ferritin", "rule": "x",
        "value": "1", "rule_state": "met", "day": 7.0, "table": "measurements", "source_row": 712.0,
    }  # fmt: skip
    named = explanation_table(pd.DataFrame([line]), watermark="")
    bare = explanation_table(pd.DataFrame([line]), watermark="", ids="none")
    assert "R07" in named.title
    assert "712" in named.to_csv()
    assert "R07" not in bare.title
    assert "712" not in bare.to_csv()
    problem = Problem("patients.csv", 7, "patient_id", "unknown patient 'R77'", "a patient", "mend R77")
    assert "R77" in problem_table([problem], watermark="").to_csv()
    text = problem_table([replace(problem)], watermark="", ids="none").to_csv()
    assert "patients.csv" in text
    assert not re.search(r"R77|\b7\b", text)


@pytest.mark.slow
def test_nothing_that_a_run_makes_for_readers_shows_an_id(tmp_path):
    folder, output = tmp_path / "hidden", tmp_path / "output"
    shutil.copytree(COHORT, folder)
    for path in folder.glob("*.csv"):
        path.write_text(_IDS.sub(r"XQ\1", path.read_text(encoding="utf-8")), encoding="utf-8")
    with (folder / "cohort.toml").open("a", encoding="utf-8") as file:
        file.write('\n[report]\nids = "none"\n')
    assert _RENAMED.search((folder / "patients.csv").read_text(encoding="utf-8"))
    done = compendium("run", folder, "--output", output, figures="svg,png")
    assert done.returncode == 0, done.stderr
    seen = [
        path for part in ("results", "figures") for path in sorted((output / part).rglob("*"))
        if path.is_file() and "data" not in path.relative_to(output).parts and not path.name.startswith(".")
    ]  # fmt: skip
    assert len(seen) > 100
    assert [path.name for path in seen if shows_an_id(path)] == []


def shows_an_id(path: Path) -> bool:
    return any(_RENAMED.search(one.text) for one in opened(path).texts)
