"""Every number that a committed notebook or figure shows is a row of the statistics."""

import ast
import html
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from helpers.cohort.config import load_config
from helpers.project.paths import CohortPaths
from helpers.published.audit import published_findings
from helpers.published.claims import answer_claims, read_claims
from helpers.published.comparison import open_ledger
from helpers.results.store import Statistics

sys.path.insert(0, str(Path(__file__).parent))
from numbers_shown import shown_in_figure, shown_in_notebook, unknown_numbers

ROOT = Path(__file__).parents[2]
COHORT = "rdmas_reconstructed"
STATISTICS = ROOT / "results" / COHORT / "statistics"
FIGURES = {
    "figure_1": ["03_response_dynamics", "04_survival"],
    "figure_1a": ["04_survival"],
    "figure_1b": ["03_response_dynamics"],
    "figure_1c": ["03_response_dynamics"],
    "figure_2": ["05_steroid_sparing"],
    "figure_3_published": ["08_published_comparison"],
    "figure_s1_flow": ["01_data_cleaning"],
    "figure_s2_missing": ["01_data_cleaning"],
    "figure_s3_balance": ["02_baseline_comparison"],
    "figure_s4_prior_therapies": ["02_baseline_comparison"],
    "figure_s5_response_paths": ["03_response_dynamics"],
    "figure_s6_exposure": ["06_safety"],
    "figure_s7_effects": ["04_survival"],
    "figure_s8_criteria": ["01_data_cleaning"],
    "figure_s9_rule_variants": ["03_response_dynamics"],
    "figure_s10_time_to_response": ["03_response_dynamics"],
    "figure_s11_survival": ["04_survival"],
    "figure_s12_endpoints": ["04_survival"],
    "figure_s13_lag": ["07_historical_control"],
    "figure_s14_era": ["07_historical_control"],
    "figure_s15_love": ["07_historical_control"],
    "figure_s16_confounder": ["07_historical_control"],
    "figure_s17_low_dose": ["07_historical_control"],
    "figure_s18_assumptions": ["04_survival", "07_historical_control"],
}
COMPARISON = "08_published_comparison"
# A notebook that shows numbers of others beside its own.
BESIDE = {"09_double_programming": ["02_baseline_comparison", "03_response_dynamics", "04_survival"]}
NOTEBOOKS = sorted(path.stem for path in STATISTICS.glob("*.csv"))


@pytest.fixture(scope="module")
def config():
    return load_config(CohortPaths.of(COHORT).folder)


def test_there_is_something_to_look_at():
    assert len(NOTEBOOKS) >= 6
    assert {path.stem for path in (ROOT / "figures" / COHORT).glob("*.svg")} == set(FIGURES)


def without_printed_values(text, ledger_name):
    """Leave out table lines of printed values, which are no statistics, once seen to be the ledger's.

    A line of the comparison shows the ledger's text and the value recomputed from statistics of the other
    notebooks, in the form and to the digits of the ledger; both must be those of published_comparison.csv.
    A line of the audit speaks of printed numbers alone; it must be what the audit of the ledger says. A claim
    without a number stands beside what the stored statistics answer, computed here again.
    """
    ledger = open_ledger(ledger_name).set_index("id")
    path = STATISTICS.parent / "published_comparison.csv"
    compared = pd.read_csv(path, dtype=str, keep_default_na=False).set_index("id")
    assert compared["printed"].to_dict() == ledger["printed"].to_dict()
    marked = compared["verdict"].where(compared["mark"] == "", compared["verdict"] + ", " + compared["mark"])
    compared = compared.assign(verdict=marked)
    columns = ["quantity", "group", "printed", "recomputed", "verdict", "reason"]
    findings = set(published_findings(ledger.reset_index())[["kind", "ids", "text"]].itertuples(index=False))
    known = {(name, *row) for name, row in zip(compared.index, compared[columns].to_numpy(), strict=True)}
    known |= {tuple(finding) for finding in findings}
    answers = answer_claims(Statistics.read(STATISTICS), read_claims(ledger_name))
    told = answers["answer"].where(answers["mark"] == "", answers["answer"] + ", " + answers["mark"])
    shown = answers.assign(answer=told)[["id", "section", "claim", "found", "answer", "reason"]]
    known |= set(shown.itertuples(index=False, name=None))
    return "\n".join(line for line in text.split("\n") if tuple(line.split("\t")) not in known)


def without_parameters(text, notebook):
    """Leave out the lines of the table of parameters that say what the notebook's own cell says."""
    cells = nbformat.read(ROOT / "notebooks" / f"{notebook}.ipynb", as_version=4).cells
    source = next(cell.source for cell in cells if "parameters" in cell.metadata.get("tags", ()))
    given = {
        line.targets[0].id: ast.literal_eval(line.value)
        for line in ast.parse(source).body
        if isinstance(line, ast.Assign)
    }
    lines = tuple(f"| `{name}` | {value} " for name, value in given.items())
    return "\n".join(line for line in text.split("\n") if not line.startswith(lines))


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_numbers_in_notebooks(notebook, config):
    statistics = Statistics.read(STATISTICS, [notebook, *BESIDE.get(notebook, ())])
    texts = list(shown_in_notebook(ROOT / "notebooks" / f"{notebook}.ipynb"))
    texts = [html.unescape(without_parameters(text, notebook)) for text in texts]
    assert any(any(sign.isdigit() for sign in text) for text in texts)
    if notebook == COMPARISON:
        texts = [without_printed_values(text, config.ledger) for text in texts]
    assert unknown_numbers(texts, statistics, config) == []


@pytest.mark.parametrize("figure", FIGURES)
def test_numbers_in_figures(figure, config):
    statistics = Statistics.read(STATISTICS, FIGURES[figure])
    texts = list(shown_in_figure(ROOT / "figures" / COHORT / f"{figure}.svg"))
    assert texts
    assert unknown_numbers(texts, statistics, config) == []


def test_a_number_typed_by_hand_is_found(config):
    statistics = Statistics.read(STATISTICS, ["04_survival"])
    texts = ["Survival at day 56 was 95.0% (95% CI 69.5% to 99.4%)", "log-rank p = 0.998"]
    assert [found.split()[0] for found in unknown_numbers(texts, statistics, config)] == ["99.4", "0.998"]
