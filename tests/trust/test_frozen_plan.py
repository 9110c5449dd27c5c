"""`compendium freeze`: the plan before the data, and what deviates from it afterwards."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import ROOT, compendium
from docx import Document

EMBEDDED = ROOT / "data" / "cohorts" / "rdmas_reconstructed"
DIGEST = re.compile(r"SHA-256 of the plan: ([0-9a-f]{64})")
TABLES = ("patients", "measurements", "treatments", "responses", "events")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A cohort without data."""
    folder = tmp_path / "study"
    folder.mkdir()
    shutil.copy(EMBEDDED / "cohort.toml", folder)
    return folder


def edit(cohort: Path, old: str, new: str) -> None:
    settings = cohort / "cohort.toml"
    text = settings.read_text(encoding="utf-8")
    assert old in text
    settings.write_text(text.replace(old, new), encoding="utf-8")


def bring_data(cohort: Path) -> None:
    for name in TABLES:
        shutil.copy(EMBEDDED / f"{name}.csv", cohort)


def frozen(cohort: Path, *more: str) -> str:
    """Freeze; returns the digest."""
    done = compendium("freeze", cohort, *more)
    assert done.returncode == 0, done.stderr
    found = DIGEST.search(done.stdout)
    assert found is not None
    return found[1]


def told(cohort: Path, output: Path) -> list[str]:
    """What status says of the plan."""
    lines = compendium("status", cohort, "--output", output).stdout.splitlines()
    return [line.strip() for line in lines if line.startswith("  plan ") or ": frozen " in line]


def said(path: Path) -> str:
    return "\n".join(paragraph.text for paragraph in Document(str(path)).paragraphs)


class TestThePlan:
    def test_it_is_kept_before_there_are_data(self, study):
        done = compendium("freeze", study)
        assert done.returncode == 0, done.stderr
        assert "There were no data in the folder." in done.stdout
        stored = json.loads((study / "analysis_plan.json").read_text(encoding="utf-8"))
        assert stored["settings"]["follow_up.horizon_days"] == 56
        assert stored["parameters"]["04_survival: confidence"] == 0.95
        assert stored["data"] == ""
        assert {"the package", "uv.lock", "notebooks/04_survival.ipynb"} <= set(stored["code"])

    def test_comments_order_names_and_the_way_data_are_read_do_not_count(self, study, tmp_path):
        other = tmp_path / "other"
        shutil.copytree(study, other)
        text = (other / "cohort.toml").read_text(encoding="utf-8")
        head, first, *rest = re.split(r"(?m)^(?=\[\[?)", text)
        tables = [part for part in (first, *rest) if part.startswith("[tables")]
        others = [part for part in (first, *rest) if not part.startswith(("[tables", "[["))]
        arrays = [part for part in (first, *rest) if part.startswith("[[")]
        moved = "# Another order.\n" + head + "\n".join([*reversed(others), *arrays, *reversed(tables)])
        (other / "cohort.toml").write_text(moved.replace("patients.csv", "export.csv"), encoding="utf-8")
        edit(other, 'label = "Week 1"', 'label = "First week"')
        edit(other, "horizon_days = 56", "horizon_days    =   56  # eight weeks")
        assert frozen(study) == frozen(other)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("horizon_days = 56", "horizon_days = 28"),
            ("window = [4, 10]", "window = [3, 10]"),
            ('added_therapies = ["ciclosporin"]', "added_therapies = []"),
        ],
    )
    def test_every_setting_of_the_analysis_counts(self, study, old, new):
        first = frozen(study)
        edit(study, old, new)
        assert frozen(study, "--again") != first

    def test_words_and_criteria_count_but_not_their_order(self, study, tmp_path):
        (study / "criteria").mkdir()
        rows = ["name,type,table,label", "biopsy,yes_no,patients,Biopsy", "stage,text,patients,Stage"]
        (study / "variables.csv").write_text("\n".join(rows), encoding="utf-8")
        frozen(study)
        (study / "variables.csv").write_text("\n".join([rows[0], rows[2], rows[1]]), encoding="utf-8")
        assert told(study, tmp_path)[0].endswith("nothing deviates from it")
        (study / "variables.csv").write_text("\n".join([rows[0], rows[1]]), encoding="utf-8")
        assert told(study, tmp_path)[1] == (
            "variables.csv: stage: frozen label = Stage; name = stage; table = patients; type = text, "
            "now not stated"
        )

    @pytest.mark.parametrize("seed", ["1", "2"])
    def test_the_same_settings_have_the_same_digest_everywhere(self, study, tmp_path, seed):
        other = tmp_path / "Eigene Dateien 研究" / "study"
        shutil.copytree(study, other)
        env = os.environ | {
            "PYTHONHASHSEED": seed,
            "LC_ALL": "C",
            "TZ": "Asia/Shanghai",
            "HOME": str(tmp_path),
        }
        command = [sys.executable, "-m", "helpers.commands.cli", "freeze", str(other)]
        subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True)
        frozen(study)
        assert (study / "analysis_plan.json").read_bytes() == (other / "analysis_plan.json").read_bytes()

    def test_freezing_twice_is_refused_unless_asked_for_and_the_former_is_kept(self, study):
        first = frozen(study)
        kept = (study / "analysis_plan.json").read_bytes()
        again = compendium("freeze", study)
        assert again.returncode == 1
        assert first in again.stderr
        assert "--again" in again.stderr
        assert (study / "analysis_plan.json").read_bytes() == kept
        edit(study, "horizon_days = 56", "horizon_days = 28")
        second = frozen(study, "--again")
        assert second != first
        assert (study / "analysis_plan_1.json").read_bytes() == kept
        frozen(study, "--again")
        stored = json.loads((study / "analysis_plan.json").read_text(encoding="utf-8"))
        assert stored["former"] == [first, second]

    def test_faulty_settings_are_not_frozen(self, study):
        edit(study, "horizon_days = 56", "horizon_days = -1")
        done = compendium("freeze", study)
        assert done.returncode == 1
        assert "follow_up.horizon_days" in done.stderr
        assert not (study / "analysis_plan.json").exists()

    @pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100_000, '{"digest": 1, "settings": 3}'])
    def test_what_is_no_plan_is_said_in_words(self, study, tmp_path, text):
        (study / "analysis_plan.json").write_text(text, encoding="utf-8")
        for done in (
            compendium("freeze", study, "--again"),
            compendium("status", study, "--output", tmp_path),
        ):
            assert done.returncode == 1
            assert "Traceback" not in done.stderr
            assert "analysis_plan.json is no" in done.stdout + done.stderr

    def test_an_altered_plan_is_not_believed(self, study, tmp_path):
        frozen(study)
        file = study / "analysis_plan.json"
        file.write_text(file.read_text(encoding="utf-8").replace(": 56,", ": 28,"), encoding="utf-8")
        assert "altered after it was frozen" in compendium("freeze", study, "--again").stderr
        said = compendium("status", study, "--output", tmp_path).stdout
        assert "analysis_plan.json is not as it was frozen" in said

    def test_data_that_were_there_are_told_and_kept_as_a_digest(self, study, tmp_path):
        bring_data(study)
        done = compendium("freeze", study)
        assert "Data were there already" in done.stdout
        assert "frozen when the data were there already: nothing deviates" in told(study, tmp_path)[0]
        (study / "patients.csv").write_bytes((study / "patients.csv").read_bytes() + b"\n")
        assert "frozen when other data were there already" in told(study, tmp_path)[0]


@pytest.mark.slow
class TestARunOfIt:
    def test_deviations_stand_in_run_status_manuscript_supplement_and_report(self, study, tmp_path):
        output = tmp_path / "output"
        digest = frozen(study)
        bring_data(study)
        edit(study, "horizon_days = 56", "horizon_days = 42")
        line = "follow_up.horizon_days: frozen 56, now 42"
        done = compendium("run", study, "--output", output, figures="svg")
        assert done.returncode == 0, done.stderr
        head = f"plan {digest[:12]}, frozen before there were data: 1 deviation"
        assert head in done.stdout
        assert line in done.stdout
        results = output / "results" / "study"
        manuscript = said(results / "manuscript.docx")
        sentence = f"frozen before any data lay in the folder of the cohort (SHA-256 {digest})."
        assert sentence in manuscript
        assert "Deviations from it: 1; the supplement lists each" in manuscript
        supplement = said(results / "supplement.docx")
        assert "Deviations from the frozen analysis plan" in supplement
        assert "Setting follow_up.horizon_days: frozen 56, now 42." in supplement
        report = (results / "report.html").read_text(encoding="utf-8")
        plain = re.sub(r"<[^>]*>", "", report)
        assert sentence in plain
        assert "Setting follow_up.horizon_days: frozen 56, now 42." in plain
        assert told(study, output) == [head, line]
        chinese = compendium("report", study, "--output", output, "--language", "zh")
        assert chinese.returncode == 0, chinese.stderr
        assert line in chinese.stdout
        assert f"尚无任何数据时已冻结（SHA-256 {digest}）" in said(results / "manuscript.zh.docx")
        assert "设置项follow_up.horizon_days：冻结时为56，现为42。" in said(results / "supplement.zh.docx")
        # Frozen anew with the data, which is said; no notebook runs again for it.
        frozen(study, "--again")
        done = compendium("run", study, "--output", output, figures="svg")
        assert "steps: 4 executed" in done.stdout, done.stdout
        manuscript = said(results / "manuscript.docx")
        assert "frozen when the data that are analysed here were already present" in manuscript
        assert "Plans frozen and replaced before it: 1." in manuscript
        assert "Neither settings nor code deviate from it." in manuscript
        assert "Deviations from the frozen" not in said(results / "supplement.docx")
        # Without a plan nothing is claimed.
        for path in study.glob("analysis_plan*.json"):
            path.unlink()
        done = compendium("run", study, "--output", output, figures="svg")
        assert "plan" not in done.stdout.replace("plan done", "").replace("plan ...", "")
        assert not (results / "plan_deviations.json").exists()
        assert "frozen" not in said(results / "manuscript.docx")
        assert "frozen" not in said(results / "supplement.docx")

    def test_another_value_of_a_parameter_deviates(self, study, tmp_path):
        bring_data(study)
        frozen(study)
        done = compendium("run", study, "--param", "horizon_days=28", "--output", tmp_path, figures="svg")
        assert done.returncode == 0, done.stderr
        assert "04_survival: horizon_days: frozen as cohort.toml says, now 28" in done.stdout
