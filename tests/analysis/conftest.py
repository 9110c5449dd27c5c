"""A cohort of seven hand-made patients whose every number can be checked by eye."""

import pytest

from helpers.cohort.cleaning import clean_cohort
from helpers.cohort.config import load_config
from helpers.results.store import StatisticsStore

CONFIG = """
title = "Seven patients"
provenance = "synthetic"
added_therapies = ["ciclosporin"]
study_drug = "ruxolitinib"
[follow_up]
horizon_days = 56
[[group]]
id = "treated"
label = "Treated"
role = "treated"
day0 = "first dose"
[[group]]
id = "control"
label = "Control"
role = "reference"
day0 = "diagnosis"
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
[[visit]]
id = "week_8"
label = "Week 8"
day = 56
window = [49, 63]
[baseline]
prior_therapies = ["iv_glucocorticoid", "ivig", "etoposide", "tocilizumab", "tacrolimus", "ciclosporin"]
[tests]
categorical = "expected_count"
[criteria]
diagnosis = ["hlh_2004", "hscore"]
refractoriness = "refractory_mas"
eligibility = "eligibility_paper"
response = "paper"
"""

PATIENTS = """patient_id,group,age,sex,diagnosis,weight_kg,last_contact_day,death_day,fever
T1,treated,30,female,AOSD,50,200,,yes
T2,treated,40,female,SLE,50,60,60,yes
T3,treated,50,male,AOSD,50,10,10,
T4,treated,60,female,AOSD,50,30,,no
C1,control,35,female,AOSD,50,100,,yes
C2,control,45,male,AOSD,50,56,56,no
C3,control,55,female,SLE,50,7,7,yes
"""

MEASUREMENTS = """patient_id,day,variable,value,unit
T1,0,ferritin,>1500,ng/mL
T2,0,ferritin,>1500,ng/mL
T3,0,ferritin,900,ng/mL
T4,0,ferritin,1200,ng/mL
T1,7,ferritin,600,ng/mL
T2,7,ferritin,>1500,ng/mL
T4,7,ferritin,300,ng/mL
C1,0,ferritin,800,ng/mL
C2,0,ferritin,700,ng/mL
C3,0,ferritin,500,ng/mL
T1,0,splenomegaly,1,
T2,0,splenomegaly,1,
T3,0,splenomegaly,1,
T4,0,splenomegaly,0,
T1,7,splenomegaly,1,
T1,56,splenomegaly,0,
T2,56,splenomegaly,1,
"""

TREATMENTS = """patient_id,drug,start_day,stop_day,dose,unit,route,times_per_day,stop_reason
T1,prednisone,-7,-1,100,mg,po,1,
T1,prednisone,0,39,50,mg,po,1,
T1,prednisone,40,200,25,mg,po,1,
T2,prednisone,-7,-1,150,mg,po,1,
T2,prednisone,0,60,50,mg,po,1,
T3,prednisone,-7,10,100,mg,po,1,
T4,prednisone,-7,30,100,mg,po,1,
C1,prednisone,-7,100,50,mg,po,1,
T1,ruxolitinib,0,91,5,mg,po,2,complete response
T2,ruxolitinib,0,,10,mg,po,2,
T1,etoposide,-9,-9,100,mg,iv,1,
T1,ivig,-9,-8,20,g,iv,1,
C1,etoposide,-9,-9,100,mg,iv,1,
T1,ciclosporin,21,90,75,mg,po,2,
"""

RESPONSES = """patient_id,day,response
T1,3,PR
T1,7,PR
T1,56,CR
T2,7,NR
T2,56,PR
T3,7,NR
T4,7,PR
"""

EVENTS = """patient_id,day,term,grade,serious
T1,5,CMV infection,1,no
T1,20,CMV infection,2,no
T2,9,CMV infection,3,yes
T2,70,rash,1,no
"""


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("cohorts") / "seven"
    path.mkdir()
    texts = {"cohort.toml": CONFIG, "patients.csv": PATIENTS, "measurements.csv": MEASUREMENTS}
    texts |= {"treatments.csv": TREATMENTS, "responses.csv": RESPONSES, "events.csv": EVENTS}
    for name, text in texts.items():
        (path / name).write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def config(folder):
    return load_config(folder)


@pytest.fixture(scope="session")
def tables(folder):
    return clean_cohort(folder)


@pytest.fixture
def store(tmp_path):
    return StatisticsStore(tmp_path, "test")


@pytest.fixture(scope="session")
def bare(tmp_path_factory):
    """The same patients with nothing but the required table."""
    path = tmp_path_factory.mktemp("cohorts") / "bare"
    path.mkdir()
    (path / "cohort.toml").write_text(CONFIG, encoding="utf-8")
    (path / "patients.csv").write_text(PATIENTS, encoding="utf-8")
    return load_config(path), clean_cohort(path)
