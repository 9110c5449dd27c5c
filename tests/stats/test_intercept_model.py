"""The mixed model with sums by subject, beside statsmodels, which goes through the subjects one by one."""

import warnings

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM

from helpers.stats.intercept_model import InterceptModel
from helpers.stats.mixed_model import visit_model

SHAPES = [(3, 2, 1.0), (12, 4, 1.0), (25, 5, 0.7), (40, 3, 0.4), (9, 6, 0.5)]


def rows(subjects, visits, share, seed, between=1.5):
    """Values in rows, of which a share is kept: subjects have from one visit to all of them."""
    rng = np.random.default_rng(seed)
    subject, visit = np.repeat(np.arange(subjects), visits), np.tile(np.arange(visits), subjects)
    kept = rng.random(subject.size) < share
    kept[::visits] = kept[1::visits] = True
    subject, visit = subject[kept], visit[kept]
    y = rng.normal(0, between, subjects)[subject] + 0.3 * visit + rng.normal(0, 1, subject.size)
    seen = [visit == one for one in range(1, visits) if (visit == one).any()]
    return y, np.column_stack([np.ones(y.size), *seen]).astype(float), subject


def fitted(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(reml=True)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_likelihood_and_derivatives_are_those_of_statsmodels(shape, seed):
    y, x, subject = rows(*shape, seed)
    ours, theirs = InterceptModel(y, x, subject), MixedLM(y, x, groups=subject)
    mine, other = fitted(ours), fitted(theirs)
    for ratio in (1e-6, 0.3, 1.0, 20.0):
        one = np.array([ratio])
        assert ours.loglike(one) == pytest.approx(theirs.loglike(one), rel=1e-10)
        assert ours.score(one) == pytest.approx(theirs.score(one), rel=1e-7, abs=1e-9)
    assert ours.score(one, profile_fe=True).shape == (1,)
    hessian, _ = ours.hessian(other.params_object)
    assert hessian == pytest.approx(theirs.hessian(other.params_object)[0], rel=1e-8, abs=1e-9)
    if other.cov_re[0, 0] > 1e-3 * other.scale:
        assert mine.fe_params == pytest.approx(other.fe_params, rel=1e-9)
        assert mine.cov_params() == pytest.approx(other.cov_params(), rel=1e-7, abs=1e-12)
        assert mine.scale == pytest.approx(other.scale, rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_the_search_finds_what_the_fit_finds(seed):
    y, x, subject = rows(25, 4, 0.8, seed)
    model = InterceptModel(y, x, subject)
    fit = fitted(model)
    coefficients, covariance, between, within = model.by_search()
    assert coefficients == pytest.approx(fit.fe_params, rel=1e-6, abs=1e-6)
    assert covariance == pytest.approx(fit.cov_params()[: x.shape[1], : x.shape[1]], rel=1e-4)
    assert between / within == pytest.approx(fit.cov_re[0, 0] / fit.scale, rel=1e-4)


def test_subjects_that_do_not_differ_leave_least_squares():
    y, x, subject = rows(20, 4, 1.0, 1, between=0.0)
    y = y - (np.bincount(subject, y) / np.bincount(subject))[subject]  # every subject has the mean 0
    frame = pd.DataFrame({"id": subject, "visit": [f"w{n % 4}" for n in range(y.size)], "value": y})
    fit = visit_model(frame, value="value", id="id", visit="visit", baseline="w0", logarithm=False)
    coefficients, rest, *_ = np.linalg.lstsq(x, y, rcond=None)
    errors = np.sqrt(rest[0] / (y.size - 4) * np.diag(np.linalg.inv(x.T @ x)))
    for place, name in enumerate(["w1", "w2", "w3"], start=1):
        assert fit.changes[name].value == pytest.approx(coefficients[place], rel=1e-6)
        assert fit.changes[name].statistic == pytest.approx(coefficients[place] / errors[place], rel=1e-4)
        assert fit.changes[name].note == "variance between subjects estimated at zero"


def test_a_fit_of_many_subjects_needs_no_step_for_each():
    y, x, subject = rows(3000, 5, 0.8, 2)
    fit = fitted(InterceptModel(y, x, subject))
    assert fit.converged
    assert fit.fe_params[1:] == pytest.approx(0.3 * np.arange(1, 5), abs=0.15)
