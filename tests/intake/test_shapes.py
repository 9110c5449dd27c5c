"""From a hospital's file to the tables of a cohort: the same patients in every shape."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
import pytest
from invented import Invented, invented, write_canonical
from pandas.testing import assert_frame_equal
from shapes import SHAPES, Shape, chinese_names

from helpers.cohort.cleaning import AnalysisTables, clean_cohort
from helpers.intake.deliver import Delivery, deliver
from helpers.intake.identities import read_key

# How a value was written is no part of what it says.
AS_WRITTEN = ["source_row", "recorded_unit"]
QUICK = ("csv_decimal_comma", "xlsx_chinese", "redcap_repeating")
TABLES = ("patients", "measurements", "visits", "treatments", "doses", "responses", "events")


@pytest.fixture(scope="module")
def cohort() -> Invented:
    return invented()


@dataclass
class Taken:
    """A shape taken in, and the same patients in the project's own tables with the same settings."""

    folder: Path
    canonical: Path
    delivery: Delivery

    @cached_property
    def cleaned(self) -> tuple[AnalysisTables, AnalysisTables]:
        return clean_cohort(self.folder), clean_cohort(self.canonical)

    def tables(self, name: str, own_ids: dict[str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
        """One analysis table both ways, rows in one order."""
        taken, wanted = (getattr(t, name).drop(columns=AS_WRITTEN, errors="ignore") for t in self.cleaned)
        # Ids are sorted as words, not in the order of a category's codes.
        taken, wanted = (frame.astype({"patient_id": object}) for frame in (taken, wanted))
        if own_ids:
            taken = taken.assign(patient_id=taken["patient_id"].map(own_ids))
        order = list(wanted.columns)
        key = [
            column
            for column in ("patient_id", "variable", "drug", "term", "day", "start_day")
            if column in order
        ]
        return tuple(
            frame[order].sort_values(key, kind="stable").reset_index(drop=True) for frame in (taken, wanted)
        )


def take(shape: Shape, cohort: Invented, folder: Path) -> Taken:
    raw = folder / "raw"
    raw.mkdir()
    delivery = deliver(folder / "taken", shape.write(cohort, raw), shape.answers)
    assert delivery.mapping.questions == ()
    canonical = folder / "canonical"
    write_canonical(cohort, canonical, leave_out=shape.leave_out)
    settings = (folder / "taken" / "cohort.toml").read_text(encoding="utf-8")
    (canonical / "cohort.toml").write_text(with_own_labels(settings), encoding="utf-8")
    return Taken(folder / "taken", canonical, delivery)


def with_own_labels(settings: str) -> str:
    """The settings with the labels that the canonical tables have for the groups."""
    labels = iter(("Ruxolitinib", "Historical control"))
    return re.sub(
        r'^(label = )"(?:Ruxolitinib|Historical control|Control)"$',
        lambda match: f'{match[1]}"{next(labels)}"',
        settings,
        flags=re.MULTILINE,
    )


def own_ids(cohort: Invented, folder: Path) -> dict[str, str]:
    """Id of the study -> id in the canonical tables, by the hospital's number of the Chinese workbook."""
    numbers = {f"00{731_000 + 7 * n}": p["patient_id"] for n, p in enumerate(cohort.patients)}
    return {study: numbers[found] for found, study in read_key(folder / "key.csv").items()}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in SHAPES]
)
def test_a_shape_gives_the_tables_that_the_canonical_ones_give(name, cohort, tmp_path):
    shape = SHAPES[name]
    taken = take(shape, cohort, tmp_path)
    ids = own_ids(cohort, taken.folder)
    for table in TABLES:
        ours, wanted = taken.tables(table, ids)
        assert_frame_equal(ours, wanted, check_exact=True)


def test_there_are_sixteen_shapes_and_none_needs_more_than_five_answers():
    assert len(SHAPES) == 16
    assert max(len(shape.answers) for shape in SHAPES.values()) <= 5


def test_day_0_and_groups_are_asked_for_and_nothing_runs_before_they_are_told(cohort, tmp_path):
    files = SHAPES["spss"].write(cohort, tmp_path)
    delivery = deliver(tmp_path / "taken", files, {})
    keys = {question.key for question in delivery.mapping.questions}
    assert {"group.treated", "day0.ruxolitinib", "day0.control"} <= keys
    assert not (tmp_path / "taken" / "cohort.toml").exists()
    assert not (tmp_path / "taken" / "tables").exists()


def test_personal_data_reach_no_table(cohort, tmp_path):
    taken = take(SHAPES["xlsx_chinese"], cohort, tmp_path)
    written = "".join(p.read_text("utf-8") for p in (taken.folder / "tables").glob("*.csv"))
    for name in chinese_names(cohort).values():
        assert name not in written
    assert not re.search(r"00731\d{3}|138\d{8}|110105\d{12}", written)
    with (taken.folder / "key.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(cohort.patients)


def test_a_file_that_changed_keeps_what_was_changed_by_hand_and_tells_what_is_new(cohort, tmp_path):
    shape = SHAPES["csv_decimal_comma"]
    (file,) = shape.write(cohort, tmp_path)
    deliver(tmp_path / "taken", [file], shape.answers)
    mapping = tmp_path / "taken" / "mapping.toml"
    by_hand = mapping.read_text("utf-8").replace('means = "patients.fever"', 'means = "patients.rash"')
    mapping.write_text(by_hand, encoding="utf-8")
    lines = file.read_text("cp1252").splitlines()
    extended = [
        f"{lines[0]};Bilirubin Tag 0 (umol/L)",
        *(f"{line};{20 + n}" for n, line in enumerate(lines[1:])),
    ]
    file.write_text("\n".join(extended), encoding="cp1252")
    delivery = deliver(tmp_path / "taken", [file], {})
    assert any("Bilirubin" in line for line in delivery.news)
    tables = tmp_path / "taken" / "tables"
    assert "rash" in (tables / "patients.csv").read_text("utf-8").splitlines()[0]
    assert (tables / "measurements.csv").read_text("utf-8").count("bilirubin") == len(cohort.patients)


def rows_of(folder: Path, table: str) -> int:
    return len(getattr(clean_cohort(folder), table))


def test_a_row_below_an_empty_one_goes_on_with_the_table_and_a_column_without_a_name_is_told(
    cohort, tmp_path
):
    """Neither is dropped in silence: the last row of words alone, and a column whose name was deleted."""
    shape = SHAPES["csv_english"]
    raw = tmp_path / "raw"
    raw.mkdir()
    paths = shape.write(cohort, raw)
    whole = deliver(tmp_path / "whole", paths, shape.answers)
    assert not whole.mapping.questions
    responses = raw / "response.csv"
    lines = responses.read_text(encoding="utf-8").splitlines()
    responses.write_text("\n".join([*lines[:-1], ",,", lines[-1]]) + "\n", encoding="utf-8")
    people = raw / "demographics.csv"
    text = people.read_text(encoding="utf-8")
    assert "Age (years)" in text
    people.write_text(text.replace("Age (years)", "", 1), encoding="utf-8")
    spoilt = deliver(tmp_path / "spoilt", paths, shape.answers)
    assert rows_of(tmp_path / "spoilt", "responses") == rows_of(tmp_path / "whole", "responses")
    nameless = {
        c.header: c.means for t in spoilt.mapping.tables for c in t.columns if "without a name" in c.header
    }
    assert nameless == {"column 3 without a name": "unused"}
