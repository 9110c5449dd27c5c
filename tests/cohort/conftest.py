from pathlib import Path

import pytest

CONFIG = """\
title = "Small cohort"
provenance = "synthetic"

[follow_up]
horizon_days = 56

[baseline]
prior_therapies = ["iv_glucocorticoid", "ivig", "etoposide", "tocilizumab"]

[[group]]
id = "ruxolitinib"
label = "Ruxolitinib"
role = "treated"
day0 = "first dose of ruxolitinib"
raw_labels = ["Ruxo"]

[[group]]
id = "control"
label = "Control"
role = "reference"
day0 = "diagnosis of refractory disease"

[[visit]]
id = "baseline"
label = "Baseline"
day = 0
window = [-7, 3]

[[visit]]
id = "week_1"
label = "Week 1"
day = 7
window = [4, 10]

[[visit]]
id = "week_2"
label = "Week 2"
day = 14
window = [11, 17]
"""

PATIENTS = """\
patient_id,group,age,sex,diagnosis,weight_kg,last_contact_day,death_day,fever,splenomegaly
R01,Ruxo,37,female,AOSD,60,120,,yes,no
R02,ruxolitinib,18,male,SLE,70,19,19,yes,
C01,control,29,F,AOSD,50,56,,是,yes
C02,Control,65,female,AOSD,55,8,8,no,no
"""

MEASUREMENTS = """\
patient_id,day,variable,value,unit
R01,-2,ferritin,5982,ng/mL
R01,0,SF,>1500,ug/L
R01,2,ferritin,4000,ng/mL
R01,6,ferritin,3000,ng/mL
R01,8,ferritin,2500,ng/mL
R01,30,ferritin,900,ng/mL
R01,0,hemoglobin,9.4,g/dL
R01,0,temperature,101.3,°F
R02,0,platelets,25,×10⁹/L
R02,7,platelets,30000,/uL
C01,0,triglycerides,265,mg/dL
C01,0,fibrinogen,＜0.5,g/L
C01,1,crp,,mg/L
C01,7,splenomegaly,1,
C02,0,platelets,83,10^9/L
"""

TREATMENTS = """\
patient_id,drug,start_day,stop_day,dose,unit,route,times_per_day,stop_reason
R01,methylprednisolone,-7,-1,80,mg,iv,1,
R01,prednisone,0,,0.5,mg/kg,po,2,
R01,ruxolitinib,0,,5,mg,po,2,
R01,VP-16,-5,-5,100,mg/m2,iv,1,
R02,dexamethasone,-3,10,20,mg,iv,1,
C01,IVIG,-4,-2,0.4,g/kg,iv,1,
C01,prednisone,-10,20,60,mg,po,1,
"""

RESPONSES = """\
patient_id,day,response
R01,3,PR
R01,7,PR
R01,9,NR
R01,14,CR
C01,7,NR
"""

EVENTS = """\
patient_id,day,term,grade,serious
R01,20,CMV infection,2,no
R02,19,organ failure,5,yes
"""

FILES = {
    "cohort.toml": CONFIG,
    "patients.csv": PATIENTS,
    "measurements.csv": MEASUREMENTS,
    "treatments.csv": TREATMENTS,
    "responses.csv": RESPONSES,
    "events.csv": EVENTS,
}


class CohortFolder:
    """A small cohort folder that tests may change before it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        (self.path / name).write_text(text, encoding="utf-8")

    def read(self, name: str) -> str:
        return (self.path / name).read_text(encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        text = self.read(name)
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        self.write(name, text.replace(old, new))

    def append(self, name: str, text: str) -> None:
        self.write(name, self.read(name) + text)


@pytest.fixture(scope="session")
def small_cohort() -> type[CohortFolder]:
    """Make a small cohort in a folder of one's own choice."""
    return CohortFolder


@pytest.fixture
def cohort(tmp_path: Path) -> CohortFolder:
    return CohortFolder(tmp_path / "small")
