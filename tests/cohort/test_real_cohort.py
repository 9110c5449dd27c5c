"""The published Tongji blood samples: a real export with real traps; skipped where they are not at hand."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from helpers.cohort.check import check_cohort
from helpers.cohort.cleaning import clean_cohort
from helpers.cohort.guide import skeleton_config

SOURCE = Path(__file__).resolve().parents[3] / "shared" / "cohorts" / "tongji_covid"

pytestmark = pytest.mark.skipif(not SOURCE.is_dir(), reason="the Tongji samples are not at hand")

UNITS = {
    "g/L": "hemoglobin albumin total_protein fibrinogen",
    "10^9/L": "leucocytes neutrophils lymphocytes platelets",
    "U/L": "ast alt ldh alkaline_phosphatase ggt",
    "umol/L": "bilirubin direct_bilirubin creatinine",
    "mmol/L": "urea potassium sodium glucose cholesterol",
    "mg/L": "crp",
    "mm/h": "esr",
    "ng/mL": "ferritin procalcitonin",
    "ug/mL": "d_dimer",
    "s": "prothrombin_time aptt",
    "U/mL": "scd25",
    "pg/mL": "interleukin_6 interleukin_10",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("tongji")
    for name in ("patients.csv", "labs_long.csv"):
        shutil.copyfile(SOURCE / name, path / name)
    settings = {
        "title": "Tongji",
        "unmapped_variables": "exclude",
        "group": [{"id": "all", "label": "All", "role": "treated", "day0": "admission"}],
        "tables": {
            "measurements": {"file": "labs_long.csv"},
            "patients": {
                "columns": {"sex": "gender_code_1m_2f", "day0_date": "admission"},
                "values": {"sex": {"1": "male", "2": "female"}},
            },
        },
        "units": {name: unit for unit, names in UNITS.items() for name in names.split()},
        "missing_codes": {"platelets": [-1]},
        "implausible": {"action": "exclude"},
        "reporting_limits": {"ldh": {"upper": 1867.0}, "crp": {"upper": 320.0}},
    }
    (path / "cohort.toml").write_text(skeleton_config(settings), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def tables(folder):
    return clean_cohort(folder)


def test_all_patients_and_deaths_are_read(tables):
    assert len(tables.patients) == 375
    assert int(tables.patients["died"].sum()) == 174
    assert tables.patients["age"].mean() == pytest.approx(58.83, abs=0.005)
    assert (tables.patients["sex"] == "male").mean() == pytest.approx(0.597, abs=0.0005)


def test_every_one_of_the_raw_rows_is_accounted_for(tables):
    account = tables.dispositions[tables.dispositions["table"] == "measurements"]
    assert sorted(account["source_row"]) == list(range(2, 55_733))
    excluded = account[account["disposition"] == "excluded"]["reason"].value_counts()
    assert set(excluded.index) == {
        "variable not in the vocabulary",
        "outside plausible range",
        "missing code",
        "after death",
    }
    assert excluded["missing code"] == 4


def test_known_traps_are_met(tables):
    values = tables.measurements
    assert values.loc[values["variable"] == "platelets", "value"].min() > 0
    assert values.loc[values["variable"] == "leucocytes", "value"].max() < 500
    signs = values[values["qualifier"] == ">"].groupby("variable").size()
    raw = pd.read_csv(SOURCE / "labs_long.csv")
    capped = raw[(raw["test"] == "Lactate dehydrogenase") & (raw["value"] >= 1867)]
    assert 0 < signs["ldh"] <= len(capped) == 15
    assert signs["crp"] == 6


def test_a_test_name_mapped_to_the_wrong_unit_is_found(folder, tmp_path):
    copy = tmp_path / "wrong"
    shutil.copytree(folder, copy)
    text = (copy / "cohort.toml").read_text(encoding="utf-8")
    (copy / "cohort.toml").write_text(text.replace('albumin = "g/L"', 'albumin = "g/dL"'), encoding="utf-8")
    found = [p for p in check_cohort(copy) if "albumin" in p.found]
    assert found
    assert "g/L (would be" in found[0].remedy
