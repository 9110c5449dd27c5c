"""Firth logistic regression against the estimates that logistf's documentation prints."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.stats.firth import firth_logistic

PUBLISHED = json.loads((Path(__file__).parent / "published" / "firth_sex2.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def fit():
    patterns = pd.DataFrame(PUBLISHED["patterns"], columns=PUBLISHED["columns"])
    women = patterns.loc[patterns.index.repeat(patterns["n"])].reset_index(drop=True)
    assert len(women) == 239
    covariates = [name for name in PUBLISHED["columns"] if name not in ("case", "n")]
    return firth_logistic(women, outcome="case", covariates=covariates)


@pytest.mark.parametrize("term", PUBLISHED["published"])
def test_equals_logistf(fit, term):
    coefficient, lower, upper, p_value = PUBLISHED["published"][term]
    row = fit.table.set_index("term").loc[term]
    # logistf ends its iteration at a change of 1e-5, ours at 1e-10: hence the absolute tolerance.
    assert row["coef"] == pytest.approx(coefficient, abs=2e-6)
    assert np.log([row["lower"], row["upper"]]) == pytest.approx([lower, upper], abs=2e-4)
    assert row["p_value"] == pytest.approx(p_value, rel=2e-5)


def test_the_separated_covariate_has_a_finite_estimate(fit):
    assert fit.separated
    assert np.isfinite([fit.lower, fit.upper]).all()
