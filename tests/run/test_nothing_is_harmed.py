"""No run, no what-if and no failure harms a published result; each fault is a real one."""

from __future__ import annotations

import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import warm_process
from typer.testing import CliRunner

from helpers.commands.cli import app
from helpers.kernels.fork_server.client import SOCKET_VARIABLE
from helpers.project.paths import CohortPaths, project_root
from helpers.run.parameters import PARAMETERS
from helpers.run.status import StaleResultsError, cohort_status, require_current
from helpers.run.workspace import open_cohort

COHORT = "rdmas_reconstructed"
# The small project's tables are no real cohort: they always pass the check.
COMMAND = """
from helpers.commands.cli import main
from helpers.run import checking

checking.cohort_problems = lambda _: []
main()
"""
REPORT = """
[report]
call = "shutil:copyfile"
arguments = { src = "{results}/statistics/02_second.csv", dst = "{results}/report.html" }
reads = ["statistics/02_second.csv", "statistics/03_third.csv", "provenance.json"]
writes = ["report.html"]
"""


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of everything below the results and figures of a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for part in ("results", "figures")
        for path in (folder / part).rglob("*")
        if path.is_file() and "@" not in path.as_posix()
    }


def compendium(*arguments: str, limit: int | None = None, code: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, with a limit of the size of files or code run before it."""

    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = f"{code}\n{COMMAND}"
    shared = {} if limit or code else {SOCKET_VARIABLE: str(warm_process().socket)}
    return subprocess.run(
        [sys.executable, "-c", command, *arguments],
        env=os.environ | shared,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limited,
    )


def told(done: subprocess.CompletedProcess[str]) -> str:
    """What a command said; never a traceback."""
    text = done.stdout + done.stderr
    assert "Traceback" not in text, text
    return text


@pytest.fixture(scope="module")
def complete(tmp_path_factory, make_project) -> Path:
    """The small project with a report, after a complete run."""
    project = make_project(tmp_path_factory.mktemp("complete") / "project")
    plan = project.root / "notebooks" / "pipeline.toml"
    plan.write_text(plan.read_text() + REPORT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPENDIUM_PROJECT", str(project.root))
        patch.delenv("COMPENDIUM_OUTPUT", raising=False)
        done = compendium("run", "small")
    assert done.returncode == 0, told(done)
    return project.root


@pytest.fixture
def ran(project, complete) -> dict[str, str]:
    """The small project after a complete run; the hashes of its results."""
    shutil.rmtree(project.root)
    shutil.copytree(complete, project.root)
    return published(project)


def published(project) -> dict[str, str]:
    return {name: digest for name, digest in hashes(project.root).items() if "provenance" not in name}


def edit_raw(project, text: str = "patient_id\nR02\n") -> None:
    (project.root / "data" / "cohorts" / "small" / "patients.csv").write_text(text)


def break_notebook(project, name: str, source: str) -> Path:
    path = project.root / "notebooks" / f"{name}.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"][2]["source"] = source
    path.write_text(json.dumps(notebook))
    return path


# ---- parameters ------------------------------------------------------------------------------------------


WRONG = {
    "horizon_days": ("abc", "True", "-5", "28.5", "100000", "1e400", "0"),
    "confidence": ("95", "0.5", "1", "None"),
    "seed": ("-1", "nan", "1.5"),
}


@pytest.mark.parametrize("wrong", [f"{name}={value}" for name, values in WRONG.items() for value in values])
def test_a_parameter_out_of_bounds_is_refused_before_any_kernel(wrong, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("COMPENDIUM_OUTPUT", str(tmp_path))
    for arguments in (["--param", wrong], ["--grid", wrong]):
        done = CliRunner().invoke(app, ["run", COHORT, *arguments])
        name = wrong.partition("=")[0]
        assert done.exit_code == 1
        assert f"{name}: found" in done.output
        assert f"expected {PARAMETERS[name].expected}" in done.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value"), [("horizon_days", "abc"), ("horizon_days", -5), ("confidence", 95)]
)
def test_a_notebook_run_by_hand_refuses_it_too(name, value, tmp_path, monkeypatch) -> None:
    from helpers.run.parameters import ParameterError

    monkeypatch.setenv("COMPENDIUM_OUTPUT", str(tmp_path))
    with pytest.raises(ParameterError, match=f"{name}: found {value!r}, expected a") as error:
        open_cohort(COHORT, "04_survival", **{name: value})
    assert error.value._render_traceback_() == [f"ParameterError: {error.value}"]
    assert list(tmp_path.iterdir()) == []


def test_values_that_change_nothing_have_no_name_of_their_own(ran, project) -> None:
    assert compendium("run", "small", "--param", "scale=1").returncode == 0
    assert not list((project.root / "results").glob("*@*"))
    assert compendium("run", "small", "--param", "scale=2").returncode == 0
    assert (project.root / "results" / "small@scale=2" / "statistics" / "02_second.csv").is_file()
    assert published(project) == ran


def test_a_saved_edit_of_the_parameters_is_refused_with_the_remedy(project) -> None:
    own = project.code('cohort = "small"\nhorizon_days = 28', "parameters")
    project.notebook("02_second", own, project.code("1"))
    done = CliRunner().invoke(app, ["run", "small"])
    assert done.exit_code == 1
    assert (
        "02_second.ipynb: the cell of parameters was saved with horizon_days = 28, expected None"
        in done.output
    )
    assert "compendium run COHORT --param horizon_days=28" in done.output
    assert not (project.root / "results").exists()


# ---- by hand ---------------------------------------------------------------------------------------------


@pytest.fixture
def output(tmp_path, monkeypatch) -> Path:
    """An output folder with published statistics of the embedded cohort."""
    monkeypatch.delenv("COMPENDIUM_PROJECT", raising=False)
    monkeypatch.setenv("COMPENDIUM_OUTPUT", str(tmp_path))
    committed = project_root() / "results" / COHORT / "statistics"
    shutil.copytree(committed, tmp_path / "results" / COHORT / "statistics")
    return tmp_path


@pytest.mark.parametrize(("days", "name"), [(None, COHORT), (28, f"{COHORT}@horizon_days=28")])
def test_a_notebook_run_by_hand_writes_elsewhere_and_says_where(days, name, output, capsys) -> None:
    before = hashes(output)
    study = open_cohort(COHORT, "04_survival", horizon_days=days, confidence=0.95)
    assert f"goes to scratch/results/{name}; the published results" in capsys.readouterr().out
    study.store.add("survival", "death", "count", value=3)
    study.store.write()
    assert study.paths.results == output / "scratch" / "results" / name
    assert (study.paths.statistics / "04_survival.csv").is_file()
    assert len(study.tables.patients) == 41
    assert hashes(output) == before


def test_what_others_published_may_be_read_by_hand_until_it_is_made_there(output) -> None:
    shared = output / "results" / COHORT / "statistics" / "03_response_dynamics.csv"
    study = open_cohort(COHORT, "08_published_comparison")
    study.store.add("x", "y", "z", value=1)
    study.store.write()
    read = study.statistics("03_response_dynamics")
    assert read.select(analysis="response")
    own = study.paths.statistics / shared.name
    assert own.is_symlink()
    earlier = open_cohort(COHORT, "03_response_dynamics")
    earlier.store.add("response", "class", "cr", value=1)
    earlier.store.write()
    assert not own.is_symlink()
    open_cohort(COHORT, "08_published_comparison")
    assert not own.is_symlink()
    assert "," in shared.read_text()


# ---- failures --------------------------------------------------------------------------------------------


def test_a_failure_costs_nothing_and_says_what_is_stale(ran, project) -> None:
    whole = (project.root / "notebooks" / "02_second.ipynb").read_text()
    break_notebook(project, "02_second", "raise ValueError('no such value')")
    edit_raw(project)
    done = compendium("run", "small")
    text = told(done)
    assert done.returncode == 1
    assert "small: 02_second, cell 3: ValueError: no such value" in text
    kept = project.root / ".compendium" / "failed" / "small" / "02_second.ipynb"
    assert "the notebook as far as it came: .compendium/failed/small/02_second.ipynb" in text
    assert kept.is_file()
    assert "small: what 02_second, report wrote earlier is stale" in text
    after = published(project)
    assert set(after) == set(ran)
    changed = {name for name in ran if after[name] != ran[name]}
    assert (
        changed == {"results/small/data/patients.parquet", "results/small/notebooks/01_first.ipynb"} & changed
    )
    assert "results/small/report.html" not in changed
    record = json.loads((project.results() / "provenance.json").read_text())
    assert record["missing_steps"] == ["02_second", "report"]
    assert "report.html" in record["stale"]
    assert "report.html" not in record["products"]

    status = CliRunner().invoke(app, ["status", "small"])
    assert status.exit_code == 1
    assert "small: 2 of 4 steps up to date" in status.output
    assert "02_second: stale (the notebook or what it calls was edited" in status.output
    assert "report: stale (" in status.output

    (project.root / "notebooks" / "02_second.ipynb").write_text(whole)
    assert compendium("run", "small").returncode == 0
    assert not kept.exists()
    assert CliRunner().invoke(app, ["status"]).exit_code == 0


def test_a_kernel_that_lacks_memory_or_a_package_is_told_in_words(ran, project) -> None:
    break_notebook(project, "02_second", "bytearray(10**15)")
    break_notebook(project, "03_third", "import a_package_that_is_not_there")
    text = told(compendium("run", "small"))
    assert (
        "02_second, cell 3: The memory is used up. Published results stay as they were. Remedy: close" in text
    )
    assert "03_third, cell 3: The package 'a_package_that_is_not_there' is not installed." in text
    assert published(project) == ran


@pytest.mark.slow
def test_a_limit_of_the_size_of_files_leaves_everything_as_it_was(ran, project) -> None:
    edit_raw(project, "patient_id\n" + "".join(f"R{i:05d}\n" for i in range(20_000)))
    before = hashes(project.root)
    done = compendium("run", "small", limit=60_000)
    text = told(done)
    assert done.returncode == 1
    assert "A file would become larger than is allowed here." in text
    assert {k: v for k, v in hashes(project.root).items() if "provenance" not in k} == {
        k: v for k, v in before.items() if "provenance" not in k
    }
    assert list((project.root / ".compendium" / "stages").iterdir()) == []
    assert compendium("run", "small").returncode == 0


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A disk of its own that can be filled and made read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


def test_a_full_disk_leaves_everything_as_it_was(project, small_disk) -> None:
    output = ("--output", str(small_disk))
    assert compendium("run", "small", *output).returncode == 0
    before = {k: v for k, v in hashes(small_disk).items() if "provenance" not in k}
    edit_raw(project, "patient_id\n" + "".join(f"R{i:05d}\n" for i in range(80_000)))
    done = compendium("run", "small", *output)
    assert done.returncode == 1
    assert "The disk is full." in told(done)
    assert {k: v for k, v in hashes(small_disk).items() if "provenance" not in k} == before
    edit_raw(project)
    assert compendium("run", "small", *output).returncode == 0


def test_a_read_only_disk_is_named_and_does_no_harm_with_nothing_to_do(project, small_disk) -> None:
    output = ("--output", str(small_disk))
    assert compendium("run", "small", *output).returncode == 0
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    done = compendium("run", "small", *output)
    assert done.returncode == 0, told(done)
    assert "3 unchanged" in told(done)
    assert compendium("status", "small", *output).returncode == 0
    edit_raw(project)
    done = compendium("run", "small", *output)
    assert done.returncode == 1
    assert "the folder is on a read-only disk" in told(done)


# ---- state, notebooks, names -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    ["half", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("empty", "nonsense", "list"))],
)
def test_damaged_files_of_state_only_mean_that_nothing_is_known(ran, project, damage) -> None:
    for file in (project.root / ".compendium").rglob("*.json"):
        text = file.read_text()
        file.write_text(
            {"empty": "", "half": text[: len(text) // 2], "nonsense": "\0\1", "list": "[]"}[damage]
        )
    stage = project.root / ".compendium" / "stages" / "left"
    stage.mkdir()
    (stage / "moves.json").write_text("{")
    done = compendium("run", "small")
    assert done.returncode == 0, told(done)
    assert published(project) == ran
    assert not stage.exists()


def test_a_file_in_the_place_of_the_state_is_named(project) -> None:
    (project.root / ".compendium").write_text("")
    done = compendium("run", "small")
    assert done.returncode == 1
    assert ".compendium" in told(done)
    assert "a file stands where a folder is needed" in told(done)


@pytest.mark.parametrize("content", [b'{"cells": [', b"\xff\xfe\x00", b"", b'{"cells": 3}', b"[]"])
def test_a_notebook_that_is_none_is_named_with_the_remedy(project, content) -> None:
    (project.root / "notebooks" / "02_second.ipynb").write_bytes(content)
    for command in ("run", "status"):
        done = CliRunner().invoke(app, [command, "small"])
        assert done.exit_code == 1
        assert "02_second.ipynb" in done.output
        assert "git checkout notebooks/02_second.ipynb" in done.output


def test_a_package_that_is_missing_is_named(project) -> None:
    done = compendium("run", "small", code="import sys; sys.modules['papermill'] = None")
    assert done.returncode == 1
    assert "The package 'papermill' is not installed" in told(done)


def test_names_beyond_the_limits_are_refused(project, tmp_path) -> None:
    folder = project.cohort("x", tmp_path / ("n" * 120))
    done = CliRunner().invoke(app, ["run", str(folder)])
    assert done.exit_code == 1
    assert "has 120 signs, at most 100 are possible" in done.output
    values = ",".join(f"'{i}{'v' * 90}'" for i in range(2))
    for name in ("02_second", "03_third"):
        break_notebook(project, name, "1")
    done = CliRunner().invoke(app, ["run", "small", "--grid", f"scale={values}"])
    assert "found '0vvv" in done.output, "a text is no number"


# ---- what the report is made from ------------------------------------------------------------------------


def test_a_statistic_edited_by_hand_is_refused_by_name(ran, project) -> None:
    require_current(CohortPaths.of("small"), "report.html")
    statistic = project.results() / "statistics" / "02_second.csv"
    statistic.write_text(statistic.read_text().replace("1", "2"))
    with pytest.raises(
        StaleResultsError, match=r"02_second: stale \(statistics/02_second.csv was edited by hand\)"
    ):
        require_current(CohortPaths.of("small"), "report.html")
    (project.root / "results" / "small" / "tables").mkdir()
    (project.root / "results" / "small" / "tables" / "t.json").write_text("{}")
    done = CliRunner().invoke(app, ["report", "small"])
    assert done.exit_code == 1
    assert "02_second.csv was edited by hand" in done.output
    assert "compendium run small" in done.output


def test_a_statistic_of_another_parameter_is_refused_by_name(ran, project) -> None:
    assert compendium("run", "small", "--param", "scale=2").returncode == 0
    foreign = project.root / "results" / "small@scale=2" / "statistics" / "03_third.csv"
    shutil.copyfile(foreign, project.results() / "statistics" / "03_third.csv")
    with pytest.raises(
        StaleResultsError, match=r"03_third: stale \(statistics/03_third.csv was edited by hand"
    ):
        require_current(CohortPaths.of("small"), "report.html")
    assert cohort_status(CohortPaths.of("small@scale=2")).current


def test_results_older_than_the_data_are_refused_by_name(ran, project) -> None:
    edit_raw(project)
    with pytest.raises(StaleResultsError, match=r"01_first: stale \(a raw table changed"):
        require_current(CohortPaths.of("small"), "report.html")


# ---- the repository --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "place",
    ["here", *(pytest.param(far, marks=pytest.mark.slow) for far in ("data/hospital/export", "notebooks/x"))],
)
def test_the_repository_stays_clean_after_a_run_of_a_cohort_anywhere_in_it(project, place) -> None:
    def git(*arguments: str) -> str:
        who = ("-c", "user.name=x", "-c", "user.email=x@y.z")
        command = ["git", "-C", str(project.root), *who, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    rules = (project_root_of_tests() / ".gitignore").read_text()
    (project.root / ".gitignore").write_text(rules)
    git("init", "-q")
    git("add", "-A", "-f")
    git("commit", "-qm", "all")
    folder = project.cohort("own", project.root / place)
    output = project.root / "elsewhere"
    for options in ((), ("--output", str(output))):
        done = compendium("run", str(folder), *options)
        assert done.returncode == 0, told(done)
        assert git("status", "--porcelain") == ""
    record = json.loads((project.root / "results" / folder.name / "provenance.json").read_text())
    assert record["checkout"] == {"commit": git("rev-parse", "HEAD").strip(), "clean": True}


def project_root_of_tests() -> Path:
    return Path(__file__).parents[2]


# ---- kills -----------------------------------------------------------------------------------------------


def kill_at_random(project, seed: int, times: int) -> None:
    """Runs killed at random moments, each after an edit; then a run ends as if nothing had been."""
    chance, killed = random.Random(seed), list[int]()
    temporary = project.root.parent / "temporary"
    temporary.mkdir()
    for number in range(times):
        edit_raw(project, f"patient_id\nR{number:02d}\n")
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "run", "small"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | {"TMPDIR": str(temporary)},
        )
        killed.append(process.pid)
        time.sleep(chance.uniform(0.3, 6))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        status = CliRunner().invoke(app, ["status", "small"])
        assert "Traceback" not in status.output
    edit_raw(project)
    done = compendium("run", "small")
    assert done.returncode == 0, told(done)
    disturbed = hashes(project.root)
    shutil.rmtree(project.root / "results")
    shutil.rmtree(project.root / "figures")
    shutil.rmtree(project.root / ".compendium")
    assert compendium("run", "small").returncode == 0
    assert hashes(project.root) == disturbed
    assert list((project.root / ".compendium" / "stages").iterdir()) == []
    assert list(temporary.iterdir()) == []
    sockets = [path.name for pid in killed for path in Path("/tmp").glob(f"*-{pid}-*")]
    assert sockets == []


def test_a_run_after_a_kill_ends_as_if_undisturbed(project) -> None:
    kill_at_random(project, seed=1, times=1)


@pytest.mark.slow
def test_a_run_after_forty_kills_ends_as_if_undisturbed(project) -> None:
    kill_at_random(project, seed=2, times=40)
