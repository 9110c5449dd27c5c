"""The authors' prose is kept, its numbers follow the data, and what changed is listed."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import docx
import pytest
from analysed import NAME, analysed
from command import compendium

from helpers.report.text.accepted import Change, accept_numbers, changes
from helpers.report.text.document import build_document
from helpers.report.text.inline import TemplateError
from helpers.report.text.wording import Wording

ROOT = Path(__file__).parents[2]
DEATHS = "survival.death.control.day_{horizon}.deaths | of"
AGE = "baseline.age.control.baseline.median | value:1"
PROSE = f"""# Our own title

## Results

We, the authors, counted {{{{ {DEATHS} }}}} deaths among controls
of a median age of {{{{ {AGE} }}}} years[@kaplan1958].

## References

{{{{ references }}}}
"""


def own_study(tmp_path, text):
    (tmp_path / "manuscript.md").write_text(text, encoding="utf-8")
    return replace(analysed(NAME), folder=tmp_path)


def test_numbers_are_accepted_and_those_that_differ_are_listed(tmp_path):
    study = own_study(tmp_path, PROSE)
    assert changes(study) == [], "nothing was accepted yet"
    path = accept_numbers(study)
    assert json.loads(path.read_text("utf-8"))[DEATHS] == "8/21"
    assert changes(study) == []
    path.write_text(json.dumps({DEATHS: "7/21", "a.b.c.d.lost | n": "3"}), encoding="utf-8")
    found = changes(study)
    assert found[0] == Change(5, DEATHS, "7/21", "8/21")
    assert (found[1].line, found[1].placeholder, found[1].accepted) == (6, AGE, "")
    assert found[2] == Change(0, "a.b.c.d.lost | n", "3", "")


def test_a_cohort_without_prose_of_its_own_has_nothing_to_accept(tmp_path):
    study = replace(analysed(NAME), folder=tmp_path)
    assert accept_numbers(study) is None
    assert changes(study) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Deaths: {{ survival.death.control.day_56.deths | of }}", "survival.death.control.day_56.deaths"),
        ("Deaths: {{ survival.death.control.day_56.deaths | off }}", "there is no part 'off'"),
        ("Deaths: {{ deaths }}", "found neither the identifier"),
        ("{{ text: results.cost }}", "no text 'results.cost'"),
    ],
)
def test_a_reference_that_does_not_exist_is_an_error_with_its_line(tmp_path, line, words):
    before = "Ours.\n\n" if line.startswith("{{") else "## Results\n\nA sentence of ours.\n"
    study = own_study(tmp_path, f"# Title\n\n{before}{line}\n")
    at = f"# Title\n\n{before}".count("\n") + 1
    with pytest.raises(TemplateError, match=rf"^manuscript\.md line {at}: ") as raised:
        build_document(study, Wording())
    assert words in str(raised.value)


@pytest.mark.slow
def test_prose_is_kept_and_its_numbers_follow_a_changed_value(tmp_path):
    cohort, output = tmp_path / "ours", tmp_path / "output"
    shutil.copytree(ROOT / "data" / "cohorts" / NAME, cohort)
    (cohort / "manuscript.md").write_text(PROSE, encoding="utf-8")
    results = output / "results" / "ours"

    def run():
        done = compendium("run", cohort, "--output", output, figures="svg,png")
        assert done.returncode == 0, done.stdout + done.stderr
        paragraphs = [p.text for p in docx.Document(str(results / "manuscript.docx")).paragraphs]
        listed = list(csv.DictReader((results / "manuscript_changes.csv").open(encoding="utf-8")))
        return next(text for text in paragraphs if "We, the authors" in text), listed, done.stdout

    before, listed, _ = run()
    assert "counted 8/21 deaths among controls" in before
    assert "(1)" in before
    assert listed == []
    accepted = compendium("report", cohort, "--accept", "--output", output)
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
    # The youngest control becomes the oldest: the median moves, the deaths do not.
    rows = list(csv.DictReader((cohort / "patients.csv").open(encoding="utf-8")))
    youngest = min((row for row in rows if row["group"] == "control"), key=lambda row: float(row["age"]))
    youngest["age"] = "79"
    with (cohort / "patients.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    (cohort / "manuscript.md").write_text(PROSE.replace("We, the authors,", "We, the authors, now"), "utf-8")
    after, listed, _ = run()
    assert after.startswith("We, the authors, now counted 8/21 deaths")
    assert [one["placeholder"] for one in listed] == [AGE]
    assert listed[0]["accepted"] in before
    assert listed[0]["now"] in after
    assert listed[0]["accepted"] != listed[0]["now"]
    assert listed[0]["line"] == "6"
    # One sentence more is one step more.
    (cohort / "manuscript.md").write_text(PROSE + "\nA last sentence.\n", "utf-8")
    _, _, said = run()
    assert "15 steps: 3 executed, 12 unchanged" in said
