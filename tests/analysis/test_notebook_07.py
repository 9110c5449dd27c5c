"""Notebook 07 itself, from raw files: degenerate cohorts, the same bytes, and what its verdict says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from altered_cohorts import (
    CASES,
    EMBEDDED,
    copied,
    only,
    reverse,
)
from notebook_walk import walk

from helpers.results.store import Statistics

# Where no test of survival is significant there is nothing that could be lost.
NOTHING_TO_LOSE = ("no control death", "no death", "three an arm", "one arm")
NEEDED = ("02_baseline_comparison", "04_survival", "07_historical_control")
FIGURES = ("s13_lag", "s14_era", "s15_love", "s16_confounder", "s17_low_dose", "s18_assumptions")


def texts(table: Path) -> str:
    """Everything that a stored table says, in one string."""

    def parts(found: object) -> list[str]:
        if isinstance(found, dict):
            return [text for value in found.values() for text in parts(value)]
        if isinstance(found, list):
            return [text for value in found for text in parts(value)]
        return [str(found)]

    return " ".join(parts(json.loads(table.read_text(encoding="utf-8"))))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_a_degenerate_cohort_gets_reasons_without_noise(case, tmp_path):
    folder = copied(tmp_path / "cohort")
    CASES[case](folder)
    done = walk(folder, tmp_path / "out", NEEDED, formats="png")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    results = tmp_path / "out" / "results" / "cohort"
    statistics = Statistics.read(results / "statistics", ["07_historical_control"])
    assert len(list(statistics)) > 12
    for row in statistics.values():
        assert row.note or any(number == number for number in (row.value, row.p_value)), row
    shown = sorted((results / "tables").glob("table_s2[0-7]*.html"))
    assert len(shown) >= 6
    for table in shown:
        assert not re.search(r"\bnan\b", table.read_text(encoding="utf-8").lower()), table
    verdict = texts(results / "tables" / "table_s21_verdict.json")
    if case in NOTHING_TO_LOSE:
        assert "What is fragile" not in verdict
        assert "Significance is lost" not in verdict
    for name in FIGURES:
        assert (tmp_path / "out" / "figures" / "cohort" / f"figure_{name}.png").stat().st_size > 2000


def run(folder: Path, output: Path, workers: int) -> dict[str, bytes]:
    """What `compendium run` writes of notebook 07, by path."""
    command = [sys.executable, "-m", "helpers.commands.cli", "run", str(folder), "--output", str(output)]
    env = os.environ | {"PYTHONHASHSEED": str(workers)}
    subprocess.run([*command, "--workers", str(workers)], env=env, check=True, capture_output=True)
    patterns = (
        "results/*/statistics/07_*.csv",
        "results/*/tables/table_s2[0-7]_*",
        "figures/*/figure_s1[3-8]_*",
    )
    files = [path for pattern in patterns for path in output.glob(pattern)]
    return {str(path.relative_to(output)): path.read_bytes() for path in sorted(files)}


@pytest.mark.slow
def test_bytes_do_not_depend_on_the_workers_or_on_the_order_of_rows(tmp_path):
    ids = [f"{arm}{number:02d}" for arm in "RC" for number in range(1, 13)]
    folder = only(tmp_path / "few", ids)
    alone = run(folder, tmp_path / "one", 1)
    assert sum(path.endswith(".csv") for path in alone) >= 7
    assert sum("/figure_" in path for path in alone) >= 24
    reverse(folder)
    turned = run(folder, tmp_path / "two", 2)
    different = sorted(path for path in {*alone, *turned} if alone.get(path) != turned.get(path))
    assert different == []


@pytest.fixture(scope="module")
def verdict(tmp_path_factory) -> dict[str, tuple[str, str]]:
    """Kind and finding of each question of the verdict of the embedded cohort, from raw files."""
    from historical_control_questions import put_every_question

    from helpers.analysis.effects import effects_on_survival
    from helpers.analysis.survival import describe_survival, survival_times
    from helpers.cohort.cleaning import clean_cohort
    from helpers.cohort.config import load_config
    from helpers.report.tables.verdict import verdict_lines, verdict_table
    from helpers.results.store import StatisticsStore

    folder, config = tmp_path_factory.mktemp("verdict"), load_config(EMBEDDED)
    times = survival_times(clean_cohort(EMBEDDED), config, 56)
    survival = StatisticsStore(folder, "04_survival")
    describe_survival(times, config, survival, confidence=0.95)
    effects_on_survival(times, config, survival, confidence=0.95, seed=1)
    store = StatisticsStore(folder, "07_historical_control")
    known = Statistics(survival.rows().values())
    recorded = put_every_question(EMBEDDED, store, others=known)
    found = Statistics([*known.values(), *store.rows().values()])
    lines = verdict_lines(found, "day_56", adjusted_for=recorded.chosen_labels)
    kinds = {line.question: line.kind for line in lines}
    table = verdict_table(found, "day_56", adjusted_for=recorded.chosen_labels, watermark="")
    return {row[0]: (kinds[row[0]], row[1]) for row in table.texts if row[0] in kinds}


def test_the_verdict_says_from_which_lag_on_significance_is_lost(verdict):
    kind, text = verdict["Days from eligibility to the drug"]
    assert kind == "fragile"
    assert text.startswith("Significance is lost from a common lag of 13 days on (")


def test_the_verdict_says_that_the_drug_counted_from_its_first_day_is_not_significant(verdict):
    kind, text = verdict["The drug counted from its first day"]
    assert kind == "fragile"
    assert text == "Hazard ratio 0.17 (0.02 to 1.44), p = 0.066."


def test_the_verdict_says_that_one_more_treated_death_takes_significance_away(verdict):
    kind, text = verdict["One death more or less"]
    assert kind == "fragile"
    assert text.startswith("Significance by Fisher's test is lost at 1 more treated death (")


def test_the_verdict_says_that_era_and_severity_cannot_be_told_from_the_drug(verdict):
    kind, text = verdict["Another era"]
    assert kind == "unknown"
    assert text.startswith("The arms lie ")
    assert text.endswith(" years apart: era cannot be told from the drug.")
    kind, text = verdict["Severity"]
    assert kind == "unknown"
    assert text.endswith("severity cannot be told from the drug.")


def test_the_verdict_credits_the_choice_of_the_test_alone_with_nothing_about_the_design(verdict):
    kind, text = verdict["Choice of the test"]
    assert kind == "stands"
    assert text.endswith(" tests of the same data are significant.")
    assert {kind for kind, _ in verdict.values()} == {"stands", "fragile", "unknown"}
