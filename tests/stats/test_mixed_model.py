"""Mixed model with the visit as a factor: what it finds, what limits do to it, and what it refuses."""

from __future__ import annotations

from math import isnan, nan

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from helpers.stats.mixed_model import censored_likelihood, visit_model
from helpers.stats.result import StatisticsError

OPTIONS = {"value": "value", "id": "id", "visit": "visit", "baseline": "w0", "logarithm": True}


def course(seed=8, patients=30, factors=(1, 0.5, 0.25, 0.25), within=0.1):
    """Values that fall by known factors from visit to visit."""
    rng = np.random.default_rng(seed)
    rows = []
    for patient in range(patients):
        level = np.exp(rng.normal(6, 1))
        rows += [(patient, f"w{w}", level * f * np.exp(rng.normal(0, within))) for w, f in enumerate(factors)]
    return pd.DataFrame(rows, columns=["id", "visit", "value"])


def test_known_factors_are_found():
    frame = pd.concat([course(), pd.DataFrame({"id": [99], "visit": ["w0"], "value": [nan]})])
    fit = visit_model(frame, **OPTIONS)
    for name, factor in {"w1": 0.5, "w2": 0.25, "w3": 0.25}.items():
        assert fit.changes[name].lower < factor < fit.changes[name].upper
        assert fit.changes[name].value == pytest.approx(factor, rel=0.05)
    assert (fit.changes["w1"].n, fit.changes["w1"].n_missing) == (120, 1)
    assert fit.overall.details == {"df": 3}
    assert fit.overall.p_value < 1e-12


def test_balanced_data_give_the_paired_differences():
    frame = course(within=0.5)
    wide = np.log(frame.pivot(index="id", columns="visit", values="value"))
    fit = visit_model(frame, **OPTIONS)
    for name in ("w1", "w2", "w3"):
        assert fit.changes[name].value == pytest.approx(np.exp((wide[name] - wide["w0"]).mean()), rel=1e-6)


def test_values_at_a_ceiling_are_censored_and_not_taken_for_values():
    frame = course(patients=200)
    ceiling = float(np.quantile(frame.loc[frame["visit"] == "w0", "value"], 0.5))
    beyond = frame["value"] > ceiling
    cut = frame.assign(value=frame["value"].clip(upper=ceiling), sign=np.where(beyond, ">", ""))
    naive = visit_model(cut, **OPTIONS).changes["w2"]
    known = visit_model(cut, qualifier="sign", **OPTIONS).changes["w2"]
    assert known.value == pytest.approx(0.25, rel=0.04)
    assert known.lower < 0.25 < known.upper
    assert naive.lower > 0.3  # half of the patients begin at the ceiling: the fall is lost
    assert "limits as censored" in known.method


def test_zeros_count_as_below_the_least_value():
    frame = course(patients=12)
    low = frame["value"] < frame["value"].quantile(0.1)
    least = frame.loc[~low, "value"].min()
    zeros = visit_model(frame.assign(value=frame["value"].where(~low, 0)), **OPTIONS)
    signs = frame.assign(value=frame["value"].where(~low, least), sign=np.where(low, "<", ""))
    assert zeros == visit_model(signs, qualifier="sign", **OPTIONS)


def test_the_likelihood_is_that_of_brute_force():
    rng = np.random.default_rng(3)
    subject = np.repeat(np.arange(4), 3)
    x = np.column_stack([np.ones(12), np.tile([0, 1, 0], 4), np.tile([0, 0, 1], 4)]).astype(float)
    y, side = rng.normal(size=12), np.array([0, 1, 0, 0, -1, 0, 1, 1, -1, 0, 0, 0])
    theta = np.array([0.2, -0.4, 0.1, np.log(0.7), np.log(0.9)])

    def brute(theta):
        beta, within, between = theta[:3], np.exp(theta[3]), np.exp(theta[4])
        total = 0.0
        for one in range(4):
            rows = subject == one

            def given(b, rows=rows):
                z = (y[rows] - x[rows] @ beta - b) / within
                parts = np.where(side[rows] == 0, norm.pdf(z) / within, norm.cdf(side[rows] * z))
                return float(np.prod(parts)) * norm.pdf(b, scale=between)

            total += np.log(quad(given, -9, 9, epsabs=1e-14, epsrel=1e-12)[0])
        return total

    value, gradient = censored_likelihood(theta, y, side, x, subject)
    assert value == pytest.approx(brute(theta), rel=1e-10)
    for n, unit in enumerate(np.eye(5)):
        slope = (brute(theta + 1e-4 * unit) - brute(theta - 1e-4 * unit)) / 2e-4
        assert gradient[n] == pytest.approx(slope, rel=1e-5, abs=1e-6)


def test_a_visit_of_limits_only_has_no_change():
    frame = course(patients=8)
    signs = frame.assign(sign=np.where(frame["visit"] == "w3", "<", ""))
    fit = visit_model(signs, qualifier="sign", **OPTIONS)
    assert isnan(fit.changes["w3"].value)
    assert "known only as a limit" in fit.changes["w3"].note
    assert fit.changes["w2"] == visit_model(frame[frame["visit"] != "w3"], **OPTIONS).changes["w2"]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([(1, "w0", 2.0, ""), (2, "w1", 3.0, ""), (3, "w2", 5.0, "")], "nobody has two values"),
        ([(1, "w0", 2.0, ""), (1, "w1", 2.0, ""), (2, "w0", 2.0, ""), (2, "w1", 2.0, "")], "do not vary"),
        ([(1, "w0", 2.0, ""), (1, "w0", 2.5, ""), (2, "w0", 3.0, ""), (2, "w0", 2.0, "")], "after baseline"),
        ([(1, "w1", 2.0, ""), (1, "w2", 2.5, ""), (2, "w1", 3.0, "")], "no value at baseline"),
        ([(1, "w0", 2, ">"), (1, "w1", 1.5, ""), (2, "w0", 2, ">"), (2, "w1", 1, "")], "baseline is known"),
        ([(1, "w0", 0.0, ""), (1, "w1", 0.0, "")], "all values are 0"),
        ([(1, "w0", nan, ""), (1, "w1", nan, "")], "no observed value"),
        ([(p, v, x, "") for p, last in enumerate((1e3, 1e4, 1e5))
          for v, x in (("w0", 1e-300), ("w1", 1e300 / last))], "no finite limit"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("error", "ignore::ResourceWarning")
def test_models_that_cannot_be_fitted_say_why(rows, reason):
    frame = pd.DataFrame(rows, columns=["id", "visit", "value", "sign"])
    with pytest.raises(StatisticsError, match=reason):
        visit_model(frame, qualifier="sign", **OPTIONS)
