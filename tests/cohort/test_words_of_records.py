"""How a cohort's way of writing is read: drugs, days, day 0, ranges, units; from raw files."""

from pathlib import Path

import pytest

from helpers.cohort.check import check_cohort
from helpers.cohort.cleaning import clean_cohort
from helpers.cohort.config import load_config, read_config
from helpers.problems import errors

NAN = float("nan")

CONFIG = """\
title = "Invented cohort"
provenance = "synthetic"

[[group]]
id = "treated"
label = "Treated"
role = "treated"
day0 = "first dose"

[[group]]
id = "control"
label = "Control"
role = "reference"
day0 = "diagnosis of refractory disease"

[follow_up]
horizon_days = 56

[[visit]]
id = "baseline"
label = "Baseline"
day = 0
window = [-7, 0]

[[visit]]
id = "week_1"
label = "Week 1"
day = 7
window = [4, 10]
"""
PATIENTS = """\
patient_id,group,age,sex,weight_kg,last_contact_day,death_day
T1,treated,41,male,60,100,
T2,treated,42,female,60,100,
C1,control,43,male,60,100,
C2,control,44,female,60,100,
"""


@pytest.fixture
def cohort(tmp_path: Path):
    def write(**texts: str) -> Path:
        for name, text in {"cohort.toml": CONFIG, "patients.csv": PATIENTS, **texts}.items():
            file = name if "." in name else f"{name}.csv"
            (tmp_path / file).write_text(text, encoding="utf-8")
        return tmp_path

    return write


def selected(folder: Path) -> list[tuple]:
    rows = clean_cohort(folder).visits
    return list(rows[["patient_id", "visit", "day", "value"]].itertuples(index=False, name=None))


# --- days ---------------------------------------------------------------------------------------------

CDISC = """\
USUBJID,param,AVAL,AVALU,ADY
T1,Ferritin,900,ng/mL,-1
T2,Ferritin,1000,ng/mL,1
T1,Ferritin,100,ng/mL,8
"""


def test_days_of_cdisc_have_no_day_0(cohort):
    assert selected(cohort(measurements=CDISC)) == [
        ("T1", "baseline", -1, 900),
        ("T2", "baseline", 0, 1000),
        ("T1", "week_1", 7, 100),
    ]


def test_a_day_0_under_a_cdisc_name_is_an_error(cohort):
    (problem,) = check_cohort(cohort(measurements=CDISC.replace("ng/mL,8", "ng/mL,0")))
    assert (problem.row, problem.column, problem.found) == (4, "ADY", "day 0 in ADY")
    assert "first_day = 0" in problem.remedy


@pytest.mark.parametrize(
    ("header", "setting", "days"),
    [
        ("ADY", "", [-1, 0, 7]),
        ("ADY", "first_day = 0", [-1, 1, 8]),
        ("day", "", [-1, 1, 8]),
        ("day", "first_day = 1", [-1, 0, 7]),
        ("研究日", "first_day = 1", [-1, 0, 7]),
    ],
)
def test_what_day_0_is_called_can_be_said(cohort, header, setting, days):
    toml = CONFIG + f"[tables.measurements]\n{setting}\n"
    folder = cohort(**{"cohort.toml": toml, "measurements": CDISC.replace("ADY", header)})
    assert clean_cohort(folder).measurements["day"].tolist() == days


def test_days_of_treatments_and_events_under_cdisc_names(cohort):
    folder = cohort(
        treatments="USUBJID,CMDECOD,ASTDY,AENDY,CMDOSE,AVALU,CMROUTE,times_per_day\n"
        "T1,prednisone,-3,-1,60,mg,po,1\nT1,prednisone,1,5,30,mg,po,1\n",
        events="USUBJID,ASTDY,AENDY,AEDECOD,ATOXGR\nT1,1,3,rash,1\n",
    )
    tables = clean_cohort(folder)
    days = tables.treatments[["start_day", "stop_day"]].to_numpy(dtype=float).tolist()
    assert days == [[-3, -1], [0, 4]]
    assert tables.events[["day", "stop_day"]].to_numpy(dtype=float).tolist() == [[0, 2]]
    assert tables.doses["day"].tolist()[:4] == [-3, -2, -1, 0]


DATED = """\
patient_id,group,age,sex,last_contact_date,death_date,入院日期,首次用药日期
T1,treated,21,female,2022-06-12,,2022-04-03,2022-04-15
C1,control,28,female,2018-08-11,2018-08-11,2018-07-30,2018-07-30
"""
DATED_VALUES = "patient_id,variable,value,unit,date\nT1,ferritin,785,ng/mL,2022-04-15\n"


def test_no_date_is_taken_for_day_0_unasked(cohort):
    found = errors(check_cohort(cohort(patients=DATED, measurements=DATED_VALUES)))
    assert {p.found for p in found} == {"dates without any day 0"}
    for problem in found:
        assert "day0_date = '入院日期' or day0_date = '首次用药日期'" in problem.remedy


def test_the_date_named_in_the_settings_is_day_0(cohort):
    toml = CONFIG + '[tables.patients.columns]\nday0_date = "首次用药日期"\n'
    folder = cohort(**{"cohort.toml": toml, "patients": DATED, "measurements": DATED_VALUES})
    assert selected(folder) == [("T1", "baseline", 0, 785)]
    assert clean_cohort(folder).patients["followup_days"].tolist() == [58, 12]


# --- drugs --------------------------------------------------------------------------------------------


def test_drugs_of_the_field_and_others_are_kept(cohort):
    folder = cohort(
        treatments="patient_id,drug,start_day,stop_day,dose,unit,route,times_per_day\n"
        "T1,methotrexate,-90,-20,10,mg,po,0.1429\nT2,cyclophosphamide,-30,-30,800,mg,iv,1\n"
        "C1,baricitinib,1,20,4,mg,po,1\nC2,red cells,3,3,2,units,iv,1\nC2,血浆置换,4,4,,,,\n"
    )
    assert check_cohort(folder) == []
    treatments = clean_cohort(folder).treatments.sort_values("source_row")
    assert treatments["drug"].tolist() == [
        "methotrexate", "cyclophosphamide", "baricitinib", "red_cells", "plasma_exchange",
    ]  # fmt: skip
    assert treatments["unit"].tolist() == ["mg", "mg", "mg", "units", None]


def test_the_doses_of_glucocorticoids_and_the_study_drug_are_needed(cohort):
    toml = 'study_drug = "ruxolitinib"\n' + CONFIG
    folder = cohort(
        **{
            "cohort.toml": toml,
            "treatments": "patient_id,drug,start_day,stop_day,dose,unit,route,times_per_day\n"
            "T1,ruxolitinib,0,20,,mg,po,2\nT1,prednisone,0,20,20,tablets,po,1\nT1,etoposide,0,20,,,,\n",
        }
    )
    assert [(p.row, p.column) for p in check_cohort(folder)] == [(2, "dose"), (3, "unit")]


@pytest.mark.parametrize("drug", ["cyclophosphamid", "tofacitinb", "prednislone"])
def test_a_hint_names_no_drug_of_another_role(cohort, drug):
    folder = cohort(
        treatments="patient_id,drug,start_day,stop_day,dose,unit,route,times_per_day\n"
        f"T1,{drug},0,20,10,mg,po,1\n"
    )
    (problem,) = check_cohort(folder)
    steroid = drug.startswith("pred")
    assert problem.severity == ("error" if steroid else "warning")
    hints = {
        "cyclophosphamid": "cyclophosphamide",
        "tofacitinb": "tofacitinib",
        "prednislone": "prednisolone",
    }
    assert f"did you mean {hints[drug]!r}?" in problem.remedy


def test_a_therapy_of_the_settings_that_nothing_knows_is_an_error(cohort):
    toml = CONFIG + '[baseline]\nprior_therapies = ["iron infusion", "herbal tea", "biologic"]\n'
    folder = cohort(
        **{
            "cohort.toml": toml,
            "treatments": "patient_id,drug,start_day,stop_day,dose,unit,route,times_per_day\n"
            "T1,Herbal tea,-9,-5,,,,\n",
        }
    )
    (problem,) = errors(check_cohort(folder))
    assert (problem.file, problem.column, problem.found) == (
        "cohort.toml", "baseline.prior_therapies", "'iron infusion'",
    )  # fmt: skip


# --- values, units, ranges ----------------------------------------------------------------------------


def test_a_small_value_is_as_implausible_as_a_large_one(cohort):
    folder = cohort(
        measurements="patient_id,day,variable,value,unit\nT1,0,platelets,150,/uL\nT1,0,leucocytes,4.2,/uL\n"
        "T2,0,platelets,160,10^9/L\n"
    )
    first, second = check_cohort(folder)
    assert (first.row, first.column, first.severity) == (2, "value", "error")
    assert first.found == "platelets 150 /uL (= 0.15 10^9/L)"
    assert "10^9/L (would be 150 10^9/L)" in first.remedy
    assert (second.row, second.found) == (3, "leucocytes 4.2 /uL (= 0.0042 10^9/L)")


def test_values_are_kept_as_recorded_and_in_the_unit_kept(cohort):
    folder = cohort(measurements="patient_id,day,variable,value,unit\nT1,0,TG,265,mg/dl\nT2,0,Hb,<9.2,g/dL\n")
    rows = clean_cohort(folder).visits
    columns = ["value", "unit", "recorded_value", "recorded_unit", "qualifier"]
    assert rows[columns].to_numpy().tolist() == [
        [pytest.approx(265 / 88.57, abs=1e-9), "mmol/L", 265, "mg/dL", ""],
        [92.0, "g/L", 9.2, "g/dL", "<"],
    ]


def test_the_range_of_a_row_is_kept_in_the_unit_of_the_variable(cohort):
    folder = cohort(
        measurements="patient_id,day,variable,value,unit,ref_low,ANRHI\n"
        "T1,0,Hb,12,g/dL,13,17.5\nT2,0,Hb,120,g/L,,\nC1,0,ferritin,300,ng/mL,,400\n"
    )
    visits = clean_cohort(folder).visits
    assert visits["reference_low"].to_numpy(dtype=float) == pytest.approx([130, NAN, NAN], nan_ok=True)
    assert visits["reference_high"].to_numpy(dtype=float) == pytest.approx([175, NAN, 400], nan_ok=True)


def test_a_range_of_a_row_must_be_in_order(cohort):
    folder = cohort(
        measurements="patient_id,day,variable,value,unit,reference_low,reference_high\nT1,0,Hb,120,g/L,175,130\n"
    )
    (problem,) = check_cohort(folder)
    assert (problem.row, problem.column, problem.found) == (2, "reference_high", "a range from 175 to 130")


def test_ranges_of_the_settings_may_differ_by_sex(cohort):
    toml = CONFIG + "[reference_ranges.hemoglobin]\nlow_female = 110\nlow_male = 125\nhigh = 180\n"
    ranges = load_config(cohort(**{"cohort.toml": toml})).vocabulary.ranges["hemoglobin"]
    assert [(row.sex, row.low, row.high) for row in ranges] == [("female", 110, 180), ("male", 125, 180)]


def test_every_variable_of_a_rule_reaches_the_tables(cohort):
    added = [",malignancy,pregnancy,cns infection", ",yes,no,", ",否,,无", ",,,", ",no,no,yes"]
    people = "\n".join(line + more for line, more in zip(PATIENTS.splitlines(), added, strict=True))
    folder = cohort(
        patients=people + "\n",
        measurements="patient_id,day,variable,value,unit\nT1,0,RBC transfusion,yes,\nT1,0,pga,45,mm\n",
    )
    assert check_cohort(folder) == []
    tables = clean_cohort(folder)
    malignancy = tables.patients["malignancy"].astype(object)
    assert malignancy.where(malignancy.notna(), None).tolist() == [True, False, None, False]
    assert tables.visits[["variable", "value"]].to_numpy().tolist() == [
        ["red_cell_transfusion", 1.0],
        ["vas", 4.5],
    ]


# --- settings -----------------------------------------------------------------------------------------


def test_no_criteria_apply_unless_they_are_named(cohort):
    criteria = load_config(cohort()).criteria
    assert (criteria.diagnosis, criteria.eligibility, criteria.refractoriness) == ((), "", "")
    assert (criteria.response, criteria.severity, criteria.evaluate_at) == ("", "", "day0")


def test_settings_are_read_once_until_a_file_changes(cohort, monkeypatch):
    folder = cohort()
    first = read_config(folder).config

    def forbidden(*_: object) -> None:
        raise AssertionError("read again")

    with monkeypatch.context() as patch:
        patch.setattr("helpers.cohort.config._validated", forbidden)
        again = read_config(folder).config
    assert again == first
    cohort(**{"cohort.toml": CONFIG.replace("Invented", "Changed")})
    assert read_config(folder).config.title == "Changed cohort"
    cohort(**{"drugs.csv": "name,class\nfilapixant,other\n"})
    assert read_config(folder).config.vocabulary.drug_class("filapixant") == "other"


def test_a_table_may_have_the_name_of_a_file_of_words(cohort):
    toml = CONFIG + '[tables.treatments]\nfile = "drugs.csv"\n'
    folder = cohort(
        **{
            "cohort.toml": toml,
            "drugs.csv": "patient_id,drug,start_day,stop_day,dose,unit,route,times_per_day\n"
            "T1,prednisone,0,5,20,mg,po,1\n",
        }
    )
    assert check_cohort(folder) == []
    assert len(clean_cohort(folder).treatments) == 1
