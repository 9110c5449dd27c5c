"""The workbook to fill in, the page of the mapping, problems for programs, batches and changes."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pytest
from invented import invented
from shapes import SHAPES, chinese_names
from typer.testing import CliRunner

from helpers.cohort.reference_page import PAGE_PATH, SCHEMA_PATH, json_schema, reference_page
from helpers.commands.cli import app
from helpers.intake.deliver import deliver
from helpers.intake.page import read_answers
from helpers.intake.refresh import refresh
from helpers.intake.template import write_template
from helpers.project.paths import OUTPUT_VARIABLE
from helpers.run.batch import Line, cohorts_of, write_batch
from helpers.run.changes import changes


def test_page_and_schema_of_the_settings_are_current():
    told = "run: python -m helpers.cohort.reference_page"
    assert PAGE_PATH.read_text(encoding="utf-8") == reference_page(), told
    assert SCHEMA_PATH.read_text(encoding="utf-8") == json_schema(), told


def test_a_filled_template_is_a_cohort(tmp_path):
    path = tmp_path / "template.xlsx"
    write_template(path)
    book = openpyxl.load_workbook(path)
    assert book["measurements"]["C1"].comment is not None
    assert len(book["treatments"].data_validations.dataValidation) >= 2
    for number, group in enumerate(["Ruxolitinib", "Ruxolitinib", "Control", "Control"], start=1):
        row = [
            f"R{number}",
            group,
            40,
            "female",
            "AOSD",
            60,
            "2023-01-01",
            "2023-03-01",
            None,
            None,
            "yes",
            "no",
        ]
        book["patients"].append(row)
        book["measurements"].append([f"R{number}", "2023-01-01", "ferritin", 1500 + number, "ng/mL"])
    book.save(path)
    answers = {"group.treated": "Ruxolitinib", "day0.ruxolitinib": "first dose", "day0.control": "diagnosis"}
    delivery = deliver(tmp_path / "taken", [path], answers)
    assert delivery.mapping.questions == ()
    assert delivery.rows == {"patients": 4, "measurements": 4}


def test_the_page_of_the_mapping_shows_no_personal_data(tmp_path):
    cohort = invented()
    deliver(tmp_path / "taken", SHAPES["xlsx_chinese"].write(cohort, tmp_path), {})
    page = (tmp_path / "taken" / "mapping.html").read_text(encoding="utf-8")
    assert "data-key='group.treated'" in page
    assert not [name for name in chinese_names(cohort).values() if name in page]
    assert "0073" not in page
    assert "http" not in page


def test_answers_of_the_page_are_read_and_others_refused(tmp_path):
    file = tmp_path / "answers.json"
    file.write_text('{"answers": {"group.treated": "A"}}', encoding="utf-8")
    assert read_answers(file) == {"group.treated": "A"}
    file.write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match="no answers"):
        read_answers(file)


def test_open_questions_are_listed_and_end_with_status_1(tmp_path):
    (file,) = SHAPES["spss"].write(invented(), tmp_path)
    done = CliRunner().invoke(app, ["new", str(tmp_path / "taken"), "--from", str(file), "--yes"])
    assert done.exit_code == 1
    assert "--answer 'day0.control=" in done.output
    listed = CliRunner().invoke(app, ["check", str(tmp_path / "taken"), "--json"])
    assert listed.exit_code == 1
    (found,) = json.loads(listed.stdout)
    assert {problem["column"] for problem in found["problems"]} >= {"group.treated", "day0.control"}


def test_a_folder_of_cohorts_is_all_of_them(tmp_path):
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cohort.toml").touch()
    assert [Path(one).name for one in cohorts_of([str(tmp_path)])] == ["a", "b"]
    assert [Path(one).name for one in cohorts_of([str(tmp_path / "*")])] == ["a", "b"]


def test_a_batch_names_every_cohort_and_its_reason(tmp_path, monkeypatch):
    monkeypatch.setenv(OUTPUT_VARIABLE, str(tmp_path))
    lines = [
        Line("a", "finished", n="2/2", hazard_ratio="0.5"),
        Line("b", "refused", "patients.csv: <no> file"),
    ]
    folder = write_batch(lines, {"a": "../../figures/a/figure_1a.svg"})
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "1 of 2 cohorts finished" in page
    assert "&lt;no&gt; file" in page
    assert (folder / "summary.csv").read_text(encoding="utf-8").count("\n") == 3


def test_changes_name_every_number_that_differs(tmp_path):
    header = "id,analysis,variable,level,group,timepoint,statistic,value,lower,upper,p_value,"
    header += "n,n_missing,qualifier,unit,method,note\n"
    row = "survival.death.both.day_56.logrank,survival,death,,both,day_56,logrank,{},,,{},41,,,,log-rank,\n"
    for name, values in (("before", ("3.5", "0.06")), ("now", ("4.5", "0.06"))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "04_survival.csv").write_text(header + row.format(*values), encoding="utf-8")
    (found,) = changes(tmp_path / "before", tmp_path / "now")
    assert (found.column, found.before, found.now) == ("value", 3.5, 4.5)
    assert changes(tmp_path / "now", tmp_path / "now") == []


def test_a_file_of_which_nothing_is_understood_is_named(tmp_path):
    (file,) = SHAPES["xlsx_merged_header"].write(invented(), tmp_path)
    page = tmp_path / "events.csv"
    page.write_text("<html><body>log in</body></html>", encoding="utf-8")
    delivery = deliver(tmp_path / "taken", [file, page], SHAPES["xlsx_merged_header"].answers)
    (problem,) = [one for one in delivery.problems if one.file == "events.csv"]
    assert (problem.severity, problem.found) == ("warning", "nothing that was understood")


def test_cells_whose_formula_failed_are_named(tmp_path):
    (file,) = SHAPES["xlsx_merged_header"].write(invented(), tmp_path)
    book = openpyxl.load_workbook(file)
    book.worksheets[0]["M6"] = "#REF!"
    book.save(file)
    delivery = deliver(tmp_path / "taken", [file], SHAPES["xlsx_merged_header"].answers)
    (problem,) = delivery.problems
    assert (problem.row, problem.column, problem.found) == (6, "M", "#REF!")


def test_a_text_that_was_cut_off_is_named(tmp_path):
    (file,) = SHAPES["csv_decimal_comma"].write(invented(), tmp_path)
    whole = file.read_bytes()
    for kept, width in ((len(whole) // 2, None), (whole.rfind(b"\n", 0, -2) + 3, 1)):
        file.write_bytes(whole[:kept])
        delivery = deliver(tmp_path / f"taken_{kept}", [file], SHAPES["csv_decimal_comma"].answers)
        (problem,) = [one for one in delivery.problems if "field" in one.found]
        assert problem.severity == "warning"
        assert problem.row == whole[:kept].count(b"\n") + 1
        assert width is None or problem.found == f"{width} field"
    file.write_bytes(whole)
    assert deliver(tmp_path / "whole", [file], SHAPES["csv_decimal_comma"].answers).problems == []


def test_files_with_fewer_rows_than_before_are_named(tmp_path):
    files = SHAPES["csv_english"].write(invented(), tmp_path)
    folder = tmp_path / "taken"
    answers = SHAPES["csv_english"].answers
    assert deliver(folder, files, answers).problems == []
    events = next(file for file in files if file.name == "adverse_events.csv")
    lines = events.read_bytes().splitlines(keepends=True)
    events.write_bytes(b"".join(lines[:3]))
    (folder / "source" / events.name).write_bytes(events.read_bytes())
    (problem,) = refresh(folder)
    assert (problem.file, problem.found, problem.severity) == (events.name, "2 rows", "warning")
    assert f"at least {len(lines) - 1}" in problem.expected
    again = deliver(folder, [events], answers)
    assert again.news == [f"{events.name}: 2 rows, {len(lines) - 1} before"]
    assert refresh(folder) == []
    events.write_bytes(b"".join(lines[:1]) + lines[1][:1])  # ends within the first field
    found = [problem.found for problem in deliver(folder, [events], answers).problems]
    assert "1 field" in found
