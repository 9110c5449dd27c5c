from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.project.paths import project_root
from helpers.run.parameters import ParameterError
from helpers.run.workspace import UndeclaredInputError, UnreadableCohortError, open_cohort

COHORT = "rdmas_reconstructed"


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("COMPENDIUM_PROJECT", raising=False)
    monkeypatch.setenv("COMPENDIUM_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setenv("COMPENDIUM_RUN", "1")
    return tmp_path / "output"


@pytest.fixture
def copied(output: Path, tmp_path: Path) -> Path:
    """A copy of the embedded cohort under another name, free to be spoiled."""
    return Path(shutil.copytree(project_root() / "data" / "cohorts" / COHORT, tmp_path / "copied"))


def test_a_notebook_gets_everything_by_one_call(output) -> None:
    study = open_cohort(COHORT, "04_survival", horizon_days=None)
    assert study.cohort == COHORT
    assert study.figures == output / "figures" / COHORT
    assert study.tables_dir == output / "results" / COHORT / "tables"
    assert study.horizon_days == study.config.follow_up.horizon_days
    assert study.watermark
    assert study.figure_formats == ("pdf", "svg", "png", "tiff")
    assert len(study.tables.patients) == 41
    assert (output / "results" / COHORT / "data" / "patients.parquet").is_file()


def test_a_parameter_replaces_the_horizon_of_the_configuration(output) -> None:
    study = open_cohort(f"{COHORT}@horizon_days=90", "04_survival", horizon_days=90)
    assert study.horizon_days == 90
    assert study.paths.results.name == f"{COHORT}@horizon_days=90"


@pytest.mark.parametrize(
    ("name", "days", "expected"), [("", 90, "None"), ("@horizon_days=28", 90, "28"), ("@seed=1", 90, "None")]
)
def test_in_a_run_other_parameters_than_the_name_of_the_results_says_are_refused(
    output, name, days, expected
) -> None:
    with pytest.raises(ParameterError, match=r"04_survival opens its cohort with horizon_days = 90") as error:
        open_cohort(COHORT + name, "04_survival", horizon_days=days)
    assert f"results called {COHORT}{name} are made with {expected}" in str(error.value)
    assert not output.exists()


def test_by_hand_a_name_that_says_other_parameters_is_refused_too(output, monkeypatch) -> None:
    monkeypatch.delenv("COMPENDIUM_RUN")
    with pytest.raises(ParameterError, match=r"horizon_days = None, and .*@horizon_days=28 are made with 28"):
        open_cohort(f"{COHORT}@horizon_days=28", "04_survival", horizon_days=None)


def test_a_notebook_of_the_plan_sees_only_the_tables_it_declares(output) -> None:
    study = open_cohort(COHORT, "04_survival")
    with pytest.raises(UndeclaredInputError, match=r"add it to `reads` of \[04_survival\]"):
        study.tables.visits  # noqa: B018
    assert study.tables.absent == frozenset()
    assert not open_cohort(COHORT, "explore").tables.visits.empty


def test_a_notebook_of_the_plan_reads_only_the_statistics_it_declares(output) -> None:
    study = open_cohort(COHORT, "04_survival")
    with pytest.raises(UndeclaredInputError, match=r"statistics/02_baseline_comparison.csv"):
        study.statistics("02_baseline_comparison")
    study.store.add("survival", "death", "count", value=3)
    study.store.write()
    assert study.statistics()["survival.death.all.follow_up.count"].value == 3


def test_it_works_from_the_notebooks_folder_and_from_elsewhere(output, copied, monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(project_root() / "notebooks")
    assert open_cohort(COHORT, "04_survival").cohort == COHORT
    monkeypatch.chdir(tmp_path)
    assert open_cohort(COHORT, "04_survival").cohort == COHORT
    assert open_cohort("copied", "04_survival").cohort == "copied"


def test_a_faulty_cohort_prints_every_problem_and_raises_one_line(copied, capsys) -> None:
    patients = (copied / "patients.csv").read_text().replace("female", "woman?").split("\n")
    (copied / "patients.csv").write_text("\n".join(patients))
    (copied / "cohort.toml").write_text((copied / "cohort.toml").read_text() + "\n[surprise]\nkey = 1\n")
    with pytest.raises(UnreadableCohortError) as error:
        open_cohort(copied, "04_survival")
    printed = capsys.readouterr().out
    assert "cohort.toml" in printed
    assert "surprise" in printed
    assert "\n" not in str(error.value)
    assert error.value._render_traceback_() == [f"UnreadableCohortError: {error.value}"]


def test_an_unknown_cohort_is_told_in_one_line(output) -> None:
    with pytest.raises(UnreadableCohortError, match=r"No cohort 'absent'.*rdmas_reconstructed"):
        open_cohort("absent", "04_survival")


def test_opening_loads_neither_drawing_nor_testing_libraries(output) -> None:
    lines = (
        "import sys, json",
        "from helpers.run.workspace import open_cohort",
        f"open_cohort({COHORT!r}, 'explore')",
        "heavy = {'matplotlib', 'lifelines', 'statsmodels', 'scipy'} & set(sys.modules)",
        "print(json.dumps(sorted(heavy)))",
    )
    command = [sys.executable, "-c", "\n".join(lines)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
