"""Verdicts from raw files: printed limits, own criteria, ranges by sex, both moments and scales."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers.analysis.clinical import criteria_problems
from helpers.analysis.diagnosis import describe_diagnoses, diagnose, judge_eligibility
from helpers.analysis.explanation import explain_one
from helpers.analysis.response_rules import call_responses
from helpers.analysis.severity import count_severity
from helpers.analysis.toxicity import describe_findings, describe_laboratory_grades, worst_laboratory_grades
from helpers.clinical.explain import as_text
from helpers.cohort.cleaning import clean_cohort
from helpers.cohort.config import load_config

HEAD = """
title = "Invented cohort"
provenance = "synthetic"
[follow_up]
horizon_days = 56
[[group]]
id = "treated"
label = "Treated"
role = "treated"
day0 = "first dose"
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
SEX = {"M": "male", "F": "female"}
PATIENTS = "patient_id,group,age,sex,last_contact_day,death_day"


def write(folder, *, settings="", patients=(), head=PATIENTS, measurements=(), **files):
    """Write a cohort's raw files; returns its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "cohort.toml": HEAD + settings,
        "patients.csv": "\n".join([head, *patients]) + "\n",
        "measurements.csv": "\n".join(["patient_id,day,variable,value,unit", *measurements]) + "\n",
    }
    for name, text in {**texts, **files}.items():
        path = folder / name.replace("__", "/").replace("_csv", ".csv").replace("_toml", ".toml")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def read(folder):
    return clean_cohort(folder), load_config(folder), folder


# --- printed limits -----------------------------------------------------------------------------------

WELL = {
    "leucocytes": ("8", "10^9/L"), "neutrophils": ("5", "10^9/L"), "hemoglobin": ("120", "g/L"),
    "platelets": ("250", "10^9/L"), "ast": ("20", "U/L"), "ferritin": ("300", "ng/mL"),
    "fibrinogen": ("3.5", "g/L"), "triglycerides": ("1.0", "mmol/L"), "temperature": ("37", "Cel"),
    "scd25": ("500", "U/mL"),
}  # fmt: skip
SIGNS = "hepatomegaly,splenomegaly,hemophagocytosis,known_immunosuppression,nk_activity_low"
ON_A_LIMIT = [
    # what was measured, HScore points, whether the triglycerides or fibrinogen item of HLH-2004 is met
    ({"triglycerides": ("265", "mg/dL")}, 44, "met"),
    ({"triglycerides": ("264", "mg/dL")}, 44, "not met"),
    ({"triglycerides": ("3.0", "mmol/L")}, 44, "met"),
    ({"triglycerides": ("2.99", "mmol/L")}, 44, "not met"),
    ({"triglycerides": ("132.7", "mg/dL")}, 44, "not met"),
    ({"triglycerides": ("132.6", "mg/dL")}, 0, "not met"),
    ({"triglycerides": ("354", "mg/dL")}, 44, "met"),
    ({"triglycerides": ("355", "mg/dL")}, 64, "met"),
    ({"temperature": ("101.1", "degF")}, 33, "not met"),
    ({"temperature": ("101.0", "degF")}, 0, "not met"),
    ({"temperature": ("38.4", "Cel")}, 33, "not met"),
    ({"hemoglobin": ("5.71", "mmol/L"), "leucocytes": ("5.0", "10^9/L")}, 24, "not met"),
    ({"hemoglobin": ("5.72", "mmol/L"), "leucocytes": ("5.0", "10^9/L")}, 0, "not met"),
    ({"hemoglobin": ("9.2", "g/dL"), "leucocytes": ("5000", "/uL")}, 24, "not met"),
    ({"fibrinogen": ("150", "mg/dL")}, 30, "met"),
    ({"fibrinogen": ("151", "mg/dL")}, 30, "not met"),
]  # fmt: skip


@pytest.fixture(scope="module")
def on_a_limit(tmp_path_factory):
    rows = [
        f"P{i},0,{variable},{value},{unit}"
        for i, (changes, _, _) in enumerate(ON_A_LIMIT)
        for variable, (value, unit) in {**WELL, **changes}.items()
    ]
    return read(write(
        tmp_path_factory.mktemp("limit") / "c", settings='[criteria]\ndiagnosis = ["hlh_2004", "hscore"]\n',
        head=f"{PATIENTS},{SIGNS}", measurements=rows,
        patients=[f"P{i},treated,40,female,100,,no,no,no,no,no" for i in range(len(ON_A_LIMIT))],
    ))  # fmt: skip


def test_a_value_on_a_printed_limit_counts_in_the_unit_in_which_it_was_measured(on_a_limit):
    found = diagnose(*on_a_limit)
    points = found.scores.set_index("patient_id")["score"]
    items = found.evaluations["hlh_2004"].frame()
    items = items[items["visit"] == "baseline"].set_index("patient_id")["triglycerides_fibrinogen"]
    got = [(points[f"P{i}"], items[f"P{i}"]) for i in range(len(ON_A_LIMIT))]
    assert got == [(score, item) for _, score, item in ON_A_LIMIT]


def test_the_explanation_shows_the_value_as_it_was_measured(on_a_limit):
    text = as_text(explain_one(*on_a_limit, "P0", visits=[]))
    assert "triglycerides >= 3 mmol/L - 265 mg/dL [met], day 0, table measurements row" in text


# --- a cohort's own criteria --------------------------------------------------------------------------

COAG = """
kind = "criteria"
name = "coag"
version = "1"
title = "D-dimer at or above 500 ng/mL and glucose at or above 126 mg/dL"
source = "test"
[[items]]
id = "ddimer"
label = "D-dimer"
rule = {{ variable = "{variable}", op = ">=", value = 500, unit = "{unit}" }}
[[items]]
id = "glucose"
label = "Glucose"
rule = {{ variable = "glucose", op = ">=", value = 126, unit = "mg/dL" }}
[[needs]]
at_least = 2
"""
OWN = '[criteria]\ndiagnosis = ["coag"]\n'


def own_rule(tmp_path, variable="d_dimer", unit="ng/mL", settings=OWN, **more):
    return write(
        tmp_path / "c", settings=settings, patients=["P1,treated,40,female,56,", "P2,treated,40,female,56,"],
        measurements=["P1,0,d_dimer,900,ng/mL", "P1,0,glucose,180,mg/dL", "P2,0,d_dimer,0.4,ug/mL",
                      "P2,0,glucose,7.0,mmol/L"],
        criteria__coag_toml=COAG.format(variable=variable, unit=unit), **more,
    )  # fmt: skip


def test_an_own_rule_speaks_in_any_accepted_unit(tmp_path):
    tables, config, folder = read(own_rule(tmp_path))
    assert criteria_problems(config, folder) == []
    verdicts = diagnose(tables, config, folder).verdicts.set_index("patient_id")["coag"]
    assert verdicts.to_dict() == {"P1": "met", "P2": "not met"}


@pytest.mark.parametrize(
    ("change", "key", "found", "expected", "remedy"),
    [
        ({"variable": "d_dimmer"}, "items[1].rule.variable", "'d_dimmer'", "a variable of the vocabulary",
         "did you mean 'd_dimer'?"),
        ({"unit": "furlongs"}, "items[1].rule.unit", "'furlongs'", "a unit of d_dimer: ug/mL", "mend it"),
        ({"variable": "fever"}, "items[1].rule", "'unit'", 'is = "yes" or "no": fever is a sign', "mend it"),
    ],
)  # fmt: skip
def test_check_lists_the_faults_of_an_own_rule(tmp_path, change, key, found, expected, remedy):
    folder = own_rule(tmp_path, **change)
    problems = criteria_problems(load_config(folder), folder)
    assert [(p.file, p.column, p.found) for p in problems] == [("criteria/coag.toml", key, found)]
    assert problems[0].expected.startswith(expected)
    assert problems[0].remedy.startswith(remedy)


def test_check_lists_every_fault_of_every_own_file_even_of_those_not_applied(tmp_path):
    broken = COAG.format(variable="crpp", unit="mg/L").replace('op = ">=", value = 126', 'op = "=>"')
    folder = own_rule(
        tmp_path, settings="", criteria__other_toml=broken.replace('"coag"', '"other"'),
        criteria__torn_toml="kind = ",
    )  # fmt: skip
    problems = criteria_problems(load_config(folder), folder)
    assert {(p.file, p.column) for p in problems} == {
        ("criteria/other.toml", "items[2].rule.op"),
        ("criteria/other.toml", "items[2].rule.value"),
        ("criteria/torn.toml", ""),
    }


def test_a_criteria_file_of_another_kind_or_none_is_named_with_what_there_is(tmp_path):
    settings = '[criteria]\ndiagnosis = ["hscor", "ctcae_v5"]\ntoxicity = "hscore"\nresponse = "papr"\n'
    folder = own_rule(tmp_path, settings=settings)
    problems = {p.column: p for p in criteria_problems(load_config(folder), folder)}
    assert set(problems) == {"criteria.diagnosis", "criteria.toxicity", "criteria.response"}
    assert "ctcae_v6" in problems["criteria.toxicity"].expected
    assert "did you mean" in problems["criteria.response"].remedy


def test_an_own_variable_and_unit_can_be_named(tmp_path):
    rule = COAG.format(variable="neopterin", unit="ug/L").replace('"glucose"', '"d_dimer"')
    rule = rule.replace("value = 126", "value = 1").replace('unit = "mg/dL"', 'unit = "mg/L"')
    folder = own_rule(
        tmp_path,
        variables_csv="name,label,table,type,unit,units\n"
        "neopterin,Neopterin,measurements,number,nmol/L,ug/L:3.95\n",
    )  # fmt: skip
    (folder / "criteria" / "coag.toml").write_text(rule, encoding="utf-8")
    rows = ["P1,0,neopterin,2000,nmol/L", "P2,0,neopterin,499,ug/L", "P1,0,d_dimer,900,ng/mL"]
    text = "\n".join(["patient_id,day,variable,value,unit", *rows]) + "\n"
    (folder / "measurements.csv").write_text(text, encoding="utf-8")
    tables, config, _ = read(folder)
    assert criteria_problems(config, folder) == []
    items = diagnose(tables, config, folder).evaluations["coag"].frame()
    items = items[items["visit"] == "baseline"].set_index("patient_id")["ddimer"]
    assert items.to_dict() == {"P1": "met", "P2": "not met"}  # 2000 nmol/L are 506 ug/L


# --- eligibility and refractoriness -------------------------------------------------------------------

PAPER = '[criteria]\nrefractoriness = "refractory_mas"\neligibility = "eligibility_paper"\n'
TREATED = (
    "patient_id,drug,start_day,stop_day,dose,unit,route,times_per_day\n"
    + "".join(f"P{i},prednisone,-14,20,100,mg,po,1\n" for i in range(1, 6))
)  # fmt: skip
SICK = {
    "ferritin": "9000", "triglycerides": "5", "hemoglobin": "80", "platelets": "50", "neutrophils": "3",
}  # fmt: skip
UNITS = {"ferritin": "ng/mL", "triglycerides": "mmol/L", "hemoglobin": "g/L"}


def study(tmp_path, settings=PAPER):
    head = f"{PATIENTS},weight_kg,diagnosis,fever,splenomegaly,malignancy,cns_infection,pregnancy"
    rows = [
        f"P{i},0,{name},{value},{UNITS.get(name, '10^9/L')}"
        for i in range(1, 6)
        for name, value in SICK.items()
    ]
    return read(write(
        tmp_path / "c", settings=settings, head=head, measurements=rows, treatments_csv=TREATED,
        patients=["P1,treated,40,female,56,,50,AOSD,yes,yes,yes,no,no",
                  "P2,treated,40,female,56,,50,AOSD,yes,yes,no,no,no",
                  "P3,treated,40,female,56,,50,AOSD,yes,yes,,yes,",
                  "P4,treated,40,female,56,,50,AOSD,yes,yes,,,",
                  "P5,treated,40,female,56,,50,AOSD,yes,yes,no,no,是"],
    ))  # fmt: skip


def test_an_exclusion_that_is_recorded_excludes(tmp_path):
    tables, config, folder = study(tmp_path)
    judged = judge_eligibility(tables, diagnose(tables, config, folder), config, folder)
    assert judged.why_not == ""
    assert (judged.refractory.frame()["verdict"] == "met").all()
    frame = judged.eligible.frame().set_index("patient_id")
    assert frame["verdict"].to_dict() == {
        "P1": "not met", "P2": "met", "P3": "not met", "P4": "met", "P5": "not met",
    }  # fmt: skip
    assert frame["malignancy"].tolist() == ["met", "not met", "not done", "not done", "not met"]


def test_the_refractoriness_rule_is_the_cohorts_choice(tmp_path):
    rows = "patient_id,drug,start_day,stop_day,dose,unit,route,times_per_day\n"
    rows += (
        "P1,prednisone,-3,20,100,mg,po,1\nP2,prednisone,-2,20,100,mg,po,1\nP3,prednisone,-14,20,100,mg,po,1\n"
    )
    verdicts = {}
    for rule in ("refractory_mas", "refractory_emerald"):
        tables, config, folder = study(tmp_path / rule, f'[criteria]\nrefractoriness = "{rule}"\n')
        (folder / "treatments.csv").write_text(rows, encoding="utf-8")
        tables = clean_cohort(folder)
        judged = judge_eligibility(tables, diagnose(tables, config, folder), config, folder)
        assert judged.eligible is None
        verdicts[rule] = judged.refractory.frame()["verdict"].tolist()[:4]
    assert verdicts == {
        "refractory_mas": ["not met", "not met", "met", "undetermined"],
        "refractory_emerald": ["met", "not met", "met", "undetermined"],
    }


def test_no_rule_applies_unless_the_cohort_names_it(tmp_path, store):
    tables, config, folder = study(tmp_path, settings="")
    found = diagnose(tables, config, folder)
    assert found.titles == {}
    judged = judge_eligibility(tables, found, config, folder)
    assert (judged.refractory, judged.eligible) == (None, None)
    assert judged.why_not == "no rule of refractoriness or eligibility is configured"
    assert call_responses(tables, config, folder).why_not == "no response rule is configured"
    count_severity(tables, config, store, confidence=0.95, folder=folder)
    describe_diagnoses(found, config, store, confidence=0.95)
    assert not store.rows()


# --- ranges by sex, and the laboratory's own ----------------------------------------------------------


def test_limits_of_normal_follow_the_sex_and_the_laboratory(tmp_path):
    header = "patient_id,day,variable,value,unit,reference_low,reference_high"
    rows = ["M1,0,hemoglobin,140,g/L,,", "M1,7,hemoglobin,125,g/L,,", "F1,0,hemoglobin,140,g/L,,",
            "F1,7,hemoglobin,125,g/L,,", "F2,0,hemoglobin,140,g/L,,", "F2,7,hemoglobin,110,g/L,,",
            "M2,0,hemoglobin,140,g/L,,", "M2,7,hemoglobin,12.5,g/dL,12.0,16.0",
            "F3,0,hemoglobin,140,g/L,,", "F3,7,hemoglobin,120,g/L,125,160"]  # fmt: skip
    folder = write(
        tmp_path / "c",
        patients=[f"{p},treated,40,{SEX[p[0]]},100," for p in ("M1", "M2", "F1", "F2", "F3")],
        measurements_csv="\n".join([header, *rows]) + "\n",
    )  # fmt: skip
    worst = worst_laboratory_grades(*read(folder), horizon_days=56).set_index("patient_id")
    assert worst["worst_grade"].to_dict() == {"M1": 1, "M2": 0, "F1": 0, "F2": 1, "F3": 1}


def test_a_man_with_anaemia_is_no_complete_response(tmp_path):
    sick = {**SICK, "alt": "500"}
    better = {"ferritin": "100", "triglycerides": "1", "platelets": "200", "neutrophils": "3", "alt": "20"}
    units = {**UNITS, "alt": "U/L"}
    rows = [
        f"{p},{day},{name},{value},{units.get(name, '10^9/L')}"
        for p in ("M", "F") for day, values in ((0, sick), (7, {**better, "hemoglobin": "125"}))
        for name, value in values.items()
    ]  # fmt: skip
    folder = write(
        tmp_path / "c", settings='[criteria]\nresponse = "paper"\n', measurements=rows,
        patients=["M,treated,40,male,56,", "F,treated,40,female,56,"],
    )  # fmt: skip
    calls = call_responses(*read(folder)).calls.set_index("patient_id")["response"]
    assert calls.to_dict() == {"M": "PR", "F": "CR"}


# --- the moment, the scale, the words -----------------------------------------------------------------


@pytest.mark.parametrize(("moment", "first"), [("day0", "baseline"), ("mas_onset", "mas_onset")])
def test_criteria_are_shown_at_the_diagnosis_of_mas_and_on_day_0(tmp_path, store, moment, first):
    rows = ["P1,-20,ferritin,9000,ng/mL", "P1,-17,ferritin,400,ng/mL", "P1,0,ferritin,450,ng/mL",
            "P2,-5,ferritin,200,ng/mL", "P2,0,ferritin,900,ng/mL", "P3,0,ferritin,900,ng/mL"]  # fmt: skip
    own = COAG.format(variable="ferritin", unit="ng/mL").replace("at_least = 2", "at_least = 1")
    folder = write(
        tmp_path / "c", head=f"{PATIENTS},mas_onset_day", measurements=rows,
        settings=f'[criteria]\ndiagnosis = ["coag"]\nevaluate_at = "{moment}"\nonset_window = [-2, 2]\n',
        patients=[f"P{i},treated,40,female,56,,{day}" for i, day in ((1, -20), (2, -10), (3, ""))],
        criteria__coag_toml=own.replace('variable = "glucose"', 'variable = "crp"').replace("mg/dL", "mg/L"),
    )  # fmt: skip
    found = diagnose(*read(folder))
    assert found.moment == first
    by_moment = {
        one.moment: one.verdicts.set_index("patient_id")["coag"].to_dict() for one in (found, found.other)
    }
    assert by_moment == {
        "baseline": {"P1": "undetermined", "P2": "met", "P3": "met"},
        # P1 by the value of the day itself; P2 has none within two days; P3 no day of diagnosis
        "mas_onset": {"P1": "met", "P2": "undetermined"},
    }
    describe_diagnoses(found, load_config(folder), store, confidence=0.95)
    counts = {i: row.value for i, row in store.rows().items() if i.endswith(".met")}
    assert counts == {"diagnosis.coag.treated.baseline.met": 2, "diagnosis.coag.treated.mas_onset.met": 1}


def test_a_second_toxicity_scale_is_shown_beside_the_first(tmp_path, store):
    folder = write(
        tmp_path / "c", settings='[criteria]\ntoxicity_beside = "ctcae_v6"\n',
        patients=["P1,treated,40,female,56,"],
        measurements=["P1,0,neutrophils,3,10^9/L", "P1,7,neutrophils,0.4,10^9/L"],
        events_csv="patient_id,day,term,grade\nP1,7,粒细胞缺乏,4\n",
    )  # fmt: skip
    tables, config, _ = read(folder)
    worst = worst_laboratory_grades(tables, config, folder, horizon_days=56)
    assert dict(zip(worst["term"], worst["worst_grade"], strict=True)) == {
        "neutropenia": 4, "neutropenia_ctcae_v6": 3,
    }  # fmt: skip
    describe_laboratory_grades(worst, tables, config, store, horizon_days=56, confidence=0.95)
    describe_findings(worst, tables, config, folder, store, horizon_days=56)
    rows = store.rows()
    assert rows["laboratory_toxicity.neutropenia.treated.day_56.grade_4"].value == 1
    assert rows["laboratory_toxicity.neutropenia_ctcae_v6.treated.day_56.grade_3"].value == 1
    # the Chinese term is recognised
    assert rows["toxicity_finding.neutropenia.treated.follow_up.both"].value == 1


def test_an_ms_score_without_all_values_has_no_value(tmp_path, store):
    rows = [
        f"{p},0,{name},{value},{unit}"
        for p in ("P1", "P2")
        for name, value, unit in (
            ("platelets", 100, "10^9/L"), ("ldh", 1000, "U/L"), ("ferritin", 10000, "ng/mL"),
            ("fibrinogen", "2", "g/L"),
        )
        if not (p == "P2" and name == "ldh")
    ]  # fmt: skip
    folder = write(
        tmp_path / "c", settings='[criteria]\ndiagnosis = ["ms_score"]\n', measurements=rows,
        head=f"{PATIENTS},cns_involvement,haemorrhage,arthritis",
        patients=["P1,treated,40,female,56,,no,yes,no", "P2,treated,40,female,56,,no,no,yes"],
    )  # fmt: skip
    found = diagnose(*read(folder))
    # 1.54 - 0.3 + 1.0 - 0.8 + 1.0
    scores = found.scored["ms_score"].set_index("patient_id")
    assert scores.loc["P1", "score"] == pytest.approx(2.44)
    assert np.isnan(scores.loc["P2", "score"])
    # P2 without LDH: -1.30 - 0.3 - 0.8 + 1.0 = -1.4 is above the cut-off whatever the LDH
    assert found.verdicts.set_index("patient_id")["ms_score"].to_dict() == {"P1": "met", "P2": "met"}
    describe_diagnoses(found, load_config(folder), store, confidence=0.95)
    row = store.rows()["diagnosis.ms_score_points.treated.baseline.median"]
    assert (row.value, row.n, row.n_missing) == (pytest.approx(2.44), 1, 1)
    assert isinstance(found.verdicts, pd.DataFrame)
