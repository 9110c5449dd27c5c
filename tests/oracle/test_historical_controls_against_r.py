"""Every number of `historical_controls/*.json`, computed with R by its script, against this project's."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.stats import bayes, design_error, multistate, pretreatment
from helpers.stats.balance import balance_table
from helpers.stats.balancing import entropy_balance
from helpers.stats.counting_process import counting_process_cox, records
from helpers.stats.delayed_entry import delayed_kaplan_meier, lag_tipping_point
from helpers.stats.exact_logrank_interval import exact_logrank_interval
from helpers.stats.imputation import pooled
from helpers.stats.landmark import landmark_analysis, time_varying_treatment
from helpers.stats.propensity import propensity_scores, propensity_weights
from helpers.stats.weighted_survival import effective_sample_size, weighted_effects, weighted_kaplan_meier
from helpers.stats.win_statistics import hierarchy, time_level, value_level, win_statistics

FOLDER = Path(__file__).parent / "historical_controls"
TOPICS = sorted(FOLDER.glob("*.json"))
TOLERANCE = {"closed": 1e-8, "iterative": 1e-6}
Case = Callable[[pd.DataFrame, dict[str, Any]], dict[str, Any]]


@cache
def topic(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


CASES = [
    pytest.param(path.stem, i, id=f"{path.stem}-{i}-{check['call']}")
    for path in TOPICS
    for i, check in enumerate(topic(path.stem)["checks"])
]


def counting_cox_case(d: pd.DataFrame, args: dict[str, Any]) -> dict[str, Any]:
    data = records(
        d["entry"],
        d["stop"],
        d["event"],
        d["w"] if args["weighted"] else None,
        d["id"] if args["clustered"] else None,
    )
    fit = counting_process_cox(data, d[args["terms"]], args["terms"], ties=args["ties"])
    return {
        "coef": fit.coefficients,
        "se": np.sqrt(np.diag(fit.covariance)),
        "robust_se": np.sqrt(np.diag(fit.robust_covariance)),
        "score": fit.score_statistic,
        "robust_score": fit.robust_score_statistic,
        "log_likelihood": fit.log_likelihood,
    }


def delayed_curve_case(d: pd.DataFrame, args: dict[str, Any]) -> dict[str, Any]:
    curve = delayed_kaplan_meier(d["entry"], d["stop"], d["event"], interval=args["interval"])
    table = curve.table[curve.survival > 0]
    return {k: table[k].to_numpy() for k in ("time", "n_risk", "survival", "std_err", "lower", "upper")}


def delayed_rmst_case(d: pd.DataFrame, args: dict[str, Any]) -> dict[str, Any]:
    found = delayed_kaplan_meier(d["entry"], d["stop"], d["event"]).rmst(args["tau"])
    return {"value": found.value, "std_err": found.details["std_err"]}


def lag_case(d: pd.DataFrame, args: dict[str, Any]) -> dict[str, Any]:
    frame, _ = lag_tipping_point(d["time"], d["event"], d["treated"], lags=[args["lag"]])
    return {"value": frame[["hazard_ratio", "lower", "upper"]].to_numpy()[0], "p": frame["p_value"].item()}


def landmark_case(d: pd.DataFrame, args: dict[str, Any]) -> dict[str, Any]:
    start = d["entry"].where(d["treated"] == 1)
    row = landmark_analysis(d["stop"], d["event"], start, landmarks=[args["landmark"]])
    return {
        "n": row[["n", "n_treated", "n_events"]].to_numpy()[0],
        "value": row[["hazard_ratio", "lower", "upper"]].to_numpy()[0],
        "p": row["p_value"].item(),
    }


def time_varying_case(d: pd.DataFrame, _: dict[str, Any]) -> dict[str, Any]:
    found = time_varying_treatment(d["stop"], d["event"], d["entry"].where(d["treated"] == 1))
    return {"value": [found.value, found.lower, found.upper], "p": found.p_value}


def weighted_curve_case(d: pd.DataFrame, _: dict[str, Any]) -> dict[str, Any]:
    table = weighted_kaplan_meier(d["time"], d["event"], d["w"]).table
    return {k: table[k].to_numpy() for k in ("time", "survival", "std_err", "n_risk")}


def weighted_effects_case(d: pd.DataFrame, args: dict[str, Any]) -> dict[str, Any]:
    found = weighted_effects(d["time"], d["event"], d["treated"], d["w"], args["tau"])
    ratio = found["hazard_ratio"].details
    return {
        "risk": [found["risk_difference"].value, found["risk_difference"].details["std_err"]],
        "rmst": [found["rmst_difference"].value, found["rmst_difference"].details["std_err"]],
        "log_hr": ratio["coef"],
        "robust_se": ratio["se"],
        "robust_score": found["logrank"].statistic,
        "survey_log_hr": ratio["coef"],
        "survey_se": ratio["se"],
    }


def propensity_case(d: pd.DataFrame, _: dict[str, Any]) -> dict[str, Any]:
    fit = propensity_scores(d, treated="treated", covariates=["age", "severe"])
    ato, att = fit.weights("ATO"), propensity_weights(fit.scores, d["treated"], "ATT")
    on = (d["treated"] == 1).to_numpy()
    smd = {
        k: balance_table(d, treated="treated", covariates=["age", "severe"], weights=w)["smd"].to_numpy()
        for k, w in (("ATO", ato), ("ATT", att), ("none", None))
    }
    return {
        "coef": fit.coefficients,
        "scores": fit.scores[[0, 6, 19, 29, 40]],
        "ato": ato[[0, 29]],
        "att": att[[0, 29]],
        "ess": [effective_sample_size(w) for w in (ato[on], ato[~on], att[~on])],
        "smd": [smd["ATO"][0], smd["ATO"][1], smd["ATT"][0], smd["none"][0]],
    }


def entropy_case(d: pd.DataFrame, _: dict[str, Any]) -> dict[str, Any]:
    on = d["treated"] == 1
    columns = d[["age", "severe"]]
    return {"weights": entropy_balance(columns[~on], columns[on].mean()).weights}


def win_case(d: pd.DataFrame, _: dict[str, Any]) -> dict[str, Any]:
    death = time_level("death", d["day"].fillna(56), d["dead"])
    scores = hierarchy([death, value_level("dose", d["dose"], better="low")])
    found = win_statistics(scores, d["treated"])
    return {
        "counts": [found.wins, found.losses, found.ties],
        "win_ratio": found.win_ratio.value,
        "win_ratio_limits": [found.win_ratio.lower, found.win_ratio.upper],
        "net": found.net_benefit.value,
        "net_se": found.net_benefit.details["std_err"],
        "odds": found.win_odds.value,
        "p": found.test.p_value,
    }


def exact_interval_case(d: pd.DataFrame, _: dict[str, Any]) -> dict[str, Any]:
    found = exact_logrank_interval(d["time"], d["event"], d["treated"])
    return {
        "statistic": found.statistic,
        "p_less": found.details["p_less"],
        "p_greater": found.details["p_greater"],
        "upper": found.upper,
        "lower": found.lower,
    }


def _prior(name: str) -> bayes.NormalPrior:
    return {p.name: p for p in bayes.standard_priors()}[name]


def _posterior(found: bayes.Posterior) -> dict[str, Any]:
    result = found.result()
    return {
        "quantiles": [result.value, result.lower, result.upper],
        "below": [result.details["below_1"], result.details["below_benefit"]],
    }


def posterior_hr_case(d: pd.DataFrame, args: dict[str, Any]) -> dict[str, Any]:
    time, entry = (d["stop"], d["entry"]) if args["delayed"] else (d["time"], None)
    prior = _prior(args["prior"])
    return _posterior(bayes.posterior_hazard_ratio(time, d["event"], d["treated"], prior, entry=entry))


def posterior_or_case(_: pd.DataFrame, args: dict[str, Any]) -> dict[str, Any]:
    return _posterior(bayes.posterior_odds_ratio(*args["counts"], _prior(args["prior"])))


def discounted_case(_: pd.DataFrame, args: dict[str, Any]) -> dict[str, Any]:
    found = bayes.discounted_controls(*args["counts"], discount=args["discount"])
    return {"value": found.value, "limits": [found.lower, found.upper], "below": found.details["below_0"]}


def multistate_case(d: pd.DataFrame, args: dict[str, Any]) -> dict[str, Any]:
    states = ["NR", "PR", "CR", "death"]
    data = multistate.moves(d["id"], d["start"], d["stop"], d["source"], d["target"], states)
    table = multistate.occupancy_table(data, args["at"])
    probability = table["probability"].to_numpy()
    days = multistate.expected_days(data, args["tau"])[0]
    return {"probability": probability, "days": days, "etm": probability}


def retrodesign_case(_: pd.DataFrame, args: dict[str, Any]) -> dict[str, Any]:
    found = design_error.retrodesign(args["effect"], args["se"])
    return {"value": found.value} | {k: found.details[k] for k in ("type_s", "type_m")}


def fisher_design_case(_: pd.DataFrame, args: dict[str, Any]) -> dict[str, Any]:
    (p1, p2), (n1, n2) = args["p"], args["n"]
    found = design_error.fisher_design_error(p1, n1, p2, n2)
    return {"value": found.value} | {k: found.details[k] for k in ("type_s", "type_m")}


def regression_case(_: pd.DataFrame, args: dict[str, Any]) -> dict[str, Any]:
    found = pretreatment.regression_to_the_mean(*args["a"], side=args["side"])
    return {"value": found.value, "selected": found.details["selected_mean"]}


def slopes_case(d: pd.DataFrame, _: dict[str, Any]) -> dict[str, Any]:
    return {
        "slope": pretreatment.individual_slopes(d["id"], d["day"], d["x"], scale="log")["slope"].to_numpy()
    }


def pooled_case(_: pd.DataFrame, args: dict[str, Any]) -> dict[str, Any]:
    found = pooled(args["q"], args["u"], args["df"])
    names = ("within", "between", "total", "df", "missing_information")
    return {"value": found.value, "limits": [found.lower, found.upper]} | {
        name: found.details[name] for name in names
    }


ADAPTERS: dict[str, Case] = {k.removesuffix("_case"): v for k, v in globals().items() if k.endswith("_case")}


def numbers(value: Any) -> np.ndarray:
    items = value if isinstance(value, list) else [value]
    special = {"Inf": inf, "-Inf": -inf}
    return np.array(
        [np.nan if v is None else special.get(v, v) if isinstance(v, str) else v for v in items], float
    )


@pytest.mark.parametrize(("name", "index"), CASES)
def test_equals_r(name: str, index: int) -> None:
    check = topic(name)["checks"][index]
    frame = pd.DataFrame(check["data"] if check["data"] else {})
    ours = ADAPTERS[check["call"]](frame, check["args"] if isinstance(check["args"], dict) else {})
    tolerance = TOLERANCE[check["kind"]]
    assert set(ours) == set(check["expect"])
    for key, expected in check["expect"].items():
        mine = np.atleast_1d(np.asarray(ours[key], dtype=float))
        theirs = numbers(expected)
        assert mine.shape == theirs.shape, key
        assert mine == pytest.approx(theirs, rel=tolerance, abs=tolerance * 1e-2, nan_ok=True), key


def test_enough_is_compared(record_property: Callable[[str, object], None]) -> None:
    """At least 150 quantities; `-s` shows how many."""
    count = sum(
        numbers(value).size
        for path in TOPICS
        for c in topic(path.stem)["checks"]
        for value in c["expect"].values()
    )
    record_property("quantities", count)
    print(f"{count} quantities of {len(CASES)} checks against R")
    assert count >= 150
    assert {c["call"] for path in TOPICS for c in topic(path.stem)["checks"]} == set(ADAPTERS)
    assert all({"R", "survival", "survey", "etm", "coin"} <= set(topic(p.stem)["made_with"]) for p in TOPICS)
    assert "mice" in topic("imputation")["made_with"]
