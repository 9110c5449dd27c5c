"""A cohort folder from the blood samples of the patients of Tongji Hospital, Wuhan (COVID-19, early 2020).

Yan L, Zhang HT, Goncalves J, et al. Nat Mach Intell 2020;2:283-288, doi 10.1038/s42256-020-0180-7; data in
the repository HAIRLAB/Pre_Surv_COVID_19 under the MIT licence (copyright 2020 Huazhong Artificial
Intelligence Lab). They are not part of this project. `python tongji.py SOURCE FOLDER` makes the folder for
`compendium run FOLDER`.
"""

import csv
import shutil
import sys
from pathlib import Path

CONFIG = Path(__file__).parent / "tongji" / "cohort.toml"
PATIENTS, LABS = "patients.csv", "labs_long.csv"
SEX = "gender_code_1m_2f"


def write_cohort(source: Path, folder: Path) -> Path:
    """Write the cohort folder from `patients.csv` and `labs_long.csv` of `source`; return it.

    Both stay as they are, but for one more column of the patients: sex stands for the group as well, and one
    column of a file cannot be two columns of a table.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(CONFIG, folder / CONFIG.name)
    shutil.copyfile(source / LABS, folder / LABS)
    with (source / PATIENTS).open(encoding="utf-8", newline="") as file:
        rows = [{**row, "group": row[SEX]} for row in csv.DictReader(file)]
    with (folder / PATIENTS).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


if __name__ == "__main__":
    write_cohort(Path(sys.argv[1]), Path(sys.argv[2]))
