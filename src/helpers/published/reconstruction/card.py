"""Settings and data card of the reconstructed cohort folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_SEED = 20250626

_TOML = """# Settings of the cohort rebuilt from printed summaries (seed {seed}). These are not patients: see README.md.
title = "Ruxolitinib in refractory rheumatic-disease macrophage activation syndrome (reconstructed)"
description = "Twenty adults given ruxolitinib as salvage therapy and twenty-one historical controls, rebuilt from the printed summaries of the publication so that counts, medians, ranges and p-values are met together."
provenance = "reconstructed"
source = "Rebuilt from Li J, Wang R, Chen J, et al. Front Immunol 2025;16:1604648, doi 10.3389/fimmu.2025.1604648, with seed {seed}"
ledger = "rdmas_2025"

[[group]]
id = "ruxolitinib"
label = "Ruxolitinib"
role = "treated"
day0 = "first dose of ruxolitinib"
enrolment = ["2022-01", "2024-07"]

[[group]]
id = "control"
label = "Historical control"
short_label = "Control"
role = "reference"
day0 = "diagnosis of refractory disease"
enrolment = ["2017-01", "2019-12"]

[follow_up]
horizon_days = 56
data_cutoff = 2024-12-31

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
id = "week_2"
label = "Week 2"
day = 14
window = [11, 17]

[[visit]]
id = "week_3"
label = "Week 3"
day = 21
window = [18, 24]

[[visit]]
id = "week_8"
label = "Week 8"
day = 56
window = [49, 63]

[tables.patients]
file = "patients.csv"

[tables.measurements]
file = "measurements.csv"

[tables.treatments]
file = "treatments.csv"

[tables.responses]
file = "responses.csv"

[tables.events]
file = "events.csv"

# Reporting limits of ferritin stand in the values themselves (">1500", ">15000"), because the limit depended on
# whether the sample had been diluted; one limit for all would be wrong.

[baseline]
variables = [
  "age", "sex", "diagnosis", "fever", "splenomegaly", "hemophagocytosis", "leucocytes", "neutrophils",
  "hemoglobin", "platelets", "ast", "alt", "ldh", "fibrinogen", "triglycerides", "ferritin",
]
prior_therapies = ["iv_glucocorticoid", "ivig", "etoposide", "tocilizumab", "tacrolimus", "ciclosporin"]

[tests]
continuous = "exact"
categorical = "expected_count"

[criteria]
diagnosis = ["hlh_2004", "hscore"]
response = "paper"
toxicity = "ctcae_v5"

[steroids]
dose_summary = "weekly_mean"
threshold_mg_per_kg = 0.5
"""


def cohort_toml(seed: int) -> str:
    """Text of `cohort.toml`."""
    return _TOML.format(seed=seed)


def data_card(seed: int, tables: dict[str, pd.DataFrame]) -> str:
    """Text of the data card: what this is, what was fixed, what was free."""
    sizes = "\n".join(
        f"| `{name}.csv` | {len(table)} | {len(table.columns)} |" for name, table in tables.items()
    )
    return f"# Reconstructed cohort (seed {seed})\n\n| table | rows | columns |\n|---|---|---|\n{sizes}\n"
