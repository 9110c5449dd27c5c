"""Settings and data card of the reconstructed cohort folder.

>>> cohort_toml(1).splitlines()[0][:40]
'# Settings of the cohort rebuilt from pr'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_SEED = 20250626

_TOML = """# Settings of the cohort rebuilt from printed summaries (seed {seed}). Not patients: see README.md.
title = "Ruxolitinib in refractory rheumatic-disease MAS (reconstructed cohort)"
description = "Twenty treated adults and twenty-one historical controls, rebuilt from printed summaries."
provenance = "reconstructed"
source = "Rebuilt (seed {seed}) from Li J, et al. Front Immunol 2025;16:1604648, 10.3389/fimmu.2025.1604648"
ledger = "rdmas_2025"
added_therapies = ["ciclosporin"]

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

# Reporting limits of ferritin stand in the values themselves (">1500", ">15000"), because the limit
# depended on
# whether the sample had been diluted; one limit for all would be wrong.

[baseline]
variables = [
  "age", "sex", "death", "prior_iv_glucocorticoid", "glucocorticoid_week_before", "prior_ivig",
  "prior_etoposide", "prior_tocilizumab", "prior_tacrolimus", "prior_ciclosporin", "diagnosis", "fever",
  "splenomegaly", "hemophagocytosis", "leucocytes", "neutrophils", "hemoglobin", "platelets", "ast", "alt",
  "ldh", "fibrinogen", "triglycerides", "ferritin",
]
prior_therapies = ["iv_glucocorticoid", "ivig", "etoposide", "tocilizumab", "tacrolimus", "ciclosporin"]

[tests]
continuous = "exact"
categorical = "expected_count"

[criteria]
diagnosis = ["hlh_2004", "hlh_2004_paper", "hscore", "eular_acr_printo_2016"]
response = "paper"
refractoriness = "refractory_mas"
eligibility = "eligibility_paper"
severity = "baseline_severity"
toxicity = "ctcae_v5"

[[endpoint]]
id = "complete_response"
label = "Complete response"
level = "CR"

[steroids]
dose_summary = "weekly_mean"
threshold_mg_per_kg = 0.5

[publication]
license = "CC-BY-4.0"
day = 2026-11-28
"""


def cohort_toml(seed: int) -> str:
    """Text of `cohort.toml`."""
    return _TOML.format(seed=seed)


_CARD = """# Reconstructed cohort: ruxolitinib in refractory rheumatic-disease macrophage activation syndrome

**These are not patients.** Nobody in these files ever lived. The 20 treated and 21 control records were
made by a program (seed {seed}) so that together they have the counts, medians, ranges and p-values
printed in the publication named in `cohort.toml`. Agreement between an analysis of these files and the
publication shows that the program and the printed numbers are consistent. It does not show that the
printed numbers are true, that ruxolitinib works, or anything about any person. Do not pool these
records with real ones and do not quote results from them as findings.

Use them to see the whole analysis run before your own data are in the same five tables.

| table | rows | columns |
|---|---|---|
{sizes}

Days count from day 0 of each record: first dose of ruxolitinib, or diagnosis of refractory disease in
the controls. Units stand beside the values. A value with `>` in front stopped at the assay's reporting
limit.

## What was fixed by the printed numbers

- Group sizes, sex, diagnoses, splenomegaly, hemophagocytosis, fever, earlier therapies and their
  overlaps.
- Median, smallest and largest value of age, of the glucocorticoid dose before day 0 and of ten
  laboratory values in each group, to the last printed decimal, and the p-value of each comparison:
  exact rank-sum test with ties for numbers; chi-square with Yates' correction when an expected count is
  below 5, else without, for counts.
- Numbers of treated patients with moderate anaemia, severe thrombocytopenia, severe neutropenia and low
  fibrinogen.
- Deaths (1 of 20, on day 19; 8 of 21) and the log-rank p-value. With distinct days it asks for five
  control deaths before day 19.
- Responses at weeks 1, 2, 3 and 8, the first partial remission on day 3, four patients without response
  at week 8 (one dead, one changed to other therapy, two improved too little), all enlarged spleens
  normal by week 8.
- Glucocorticoid dose per kilogram before day 0 and at week 8 (median, smallest, largest).
- Cytomegalovirus infection in four, grade 1 or 2; ciclosporin begun in six responders two to four weeks
  after remission; median duration of ruxolitinib; everyone in remission alive in December 2024.
- Every record meets the publication's own rules: age, diagnosis (five of eight HLH-2004 criteria as
  modified, or HScore of 169 or more), refractoriness, and a response that its laboratory values bear
  out.

## What was free, and drawn at random

Which value belongs to which record; body weights; calendar days inside the enrolment periods; days of
the control deaths within what the log-rank p-value allows; every value after baseline; temperature,
CRP, ESR and soluble CD25; NK-cell activity and known immunosuppression; doses and days of treatments;
why a record counts as refractory; causes of death in controls (left empty); follow-up beyond week 8.

## How unclear passages were read

- Age range: Table 1 (18-71), not the text (23-52).
- Week 2: thirteen in partial remission and one more in complete remission.
- Remission, once reached, is not lost; complete remissions come out of those who responded by week 1.
- The patient who died counts as without response at weeks 3 and 8 and has no row in `responses.csv`
  there.
- Moderate anaemia is haemoglobin below 90 g/L, severe thrombocytopenia platelets below 50, severe
  neutropenia neutrophils below 1.0 (10^9/L): the cut-offs are not printed, these fit the counts.
- The overlaps of earlier therapies in the footnote belong to the treated group; controls have none.
- Triglycerides are missing in {missing_tg} controls and LDH in {missing_ldh}. The publication admits
  missing triglycerides without a number. For LDH, 21 values cannot give the printed p-value unless
  seven or more are equal; 20 can.
- Control ferritin of 1500 and 15000 is taken as a reporting limit and written `>1500`, `>15000`.
  Analyses that use the limit as the value give the printed median and p-value.
- Fibrinogen 0.00 g/L is kept as printed; it must have been below the assay's limit.
- All ruxolitinib courses but one stop as planned, at death or on change of therapy; one stops for
  complete remission.
- Only cytomegalovirus infections are adverse events; the death is in `patients.csv`.

## Rebuilding

`python -m helpers.published.reconstruction --seed {seed} --output FOLDER` writes the same bytes again;
another seed writes another cohort that meets the same constraints. Licence: as the project. No personal
data.
"""


def data_card(seed: int, tables: dict[str, pd.DataFrame]) -> str:
    """Text of the data card: what this is, what was fixed, what was free."""
    sizes = "\n".join(
        f"| `{name}.csv` | {len(table)} | {len(table.columns)} |" for name, table in tables.items()
    )
    patients, rows = tables["patients"], tables["measurements"]
    controls = set(patients.loc[patients["group"] == "control", "patient_id"])
    early = rows[rows["patient_id"].isin(controls) & (rows["day"].astype(int) <= 0)]
    missing = {
        name: len(controls) - early.loc[early["variable"] == name, "patient_id"].nunique()
        for name in ("triglycerides", "ldh")
    }
    return _CARD.format(
        seed=seed, sizes=sizes, missing_tg=missing["triglycerides"], missing_ldh=missing["ldh"]
    )
