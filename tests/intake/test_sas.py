"""A data set of SAS as SAS keeps it; how the sample was made stands in samples/write_sas7bdat.c."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from shapes import BASICS

from helpers.cohort.cleaning import clean_cohort
from helpers.intake.deliver import deliver
from helpers.intake.readers import read_file

SAMPLE = Path(__file__).parent / "samples" / "study.sas7bdat"


def test_names_labels_numbers_and_dates_are_read():
    (grid,) = read_file(SAMPLE)
    header, first, second, *_ = grid.cells
    assert len(grid.cells) == 7
    assert dict(zip(header, grid.labels, strict=True))["FERR_D7"] == "Ferritin day 7 (ug/L)"
    assert dict(zip(header, first, strict=True))["DAY0DT"] == "2022-01-15"
    assert dict(zip(header, first, strict=True))["DTHDT"] == ""
    assert dict(zip(header, second, strict=True))["DTHDT"] == "2022-02-23"


def test_a_data_set_becomes_a_cohort(tmp_path):
    delivery = deliver(tmp_path / "taken", [SAMPLE], BASICS)
    assert delivery.mapping.questions == ()
    tables = clean_cohort(tmp_path / "taken")
    assert tables.patients["death_day"].isna().sum() == 3
    people = tables.patients.set_index("patient_id")
    assert (
        people.loc["A02", "followup_days"] == (pd.Timestamp("2022-02-23") - pd.Timestamp("2022-01-26")).days
    )
    values = tables.measurements.set_index(["patient_id", "day"])["value"]
    assert values["A03", 0] == 880.4
    assert len(values) == 11


def test_a_damaged_data_set_is_a_fault_in_words(tmp_path):
    (tmp_path / "cut.sas7bdat").write_bytes(SAMPLE.read_bytes()[:5000])
    problem = read_file(tmp_path / "cut.sas7bdat")
    assert "cannot be read" in problem.found
