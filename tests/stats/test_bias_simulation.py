"""What simulations with a known truth have shown, read from their committed results; a small slice anew."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parents[2] / "benchmarks" / "bias"


@pytest.fixture(scope="module")
def bias():
    """The modules of the benchmark, which import each other by their plain names."""
    names = ("by_size", "claims", "generator", "methods", "simulate")
    sys.path.insert(0, str(HERE))
    try:
        found = {name: importlib.import_module(name) for name in names}
    finally:
        sys.path.remove(str(HERE))
    yield found
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def results(bias):
    frame = bias["claims"].read("results")
    return frame.assign(good=bias["claims"].credited(frame))


def row(results, scenario: str, method: str, size: int = 2000):
    found = results[(results.scenario == scenario) & (results.method == method) & (results.patients == size)]
    return found.iloc[0]


def test_every_method_scenario_and_size_was_tried_as_often_as_said(bias, results):
    sizes, names = set(bias["simulate"].SIZES), [one.name for one in bias["generator"].SCENARIOS]
    for method in bias["methods"].METHODS:
        tried = results[results.method == method]
        wanted = {41} if method.startswith("exact") else sizes
        assert {(s, n) for s in names for n in wanted} == set(
            zip(tried.scenario, tried.patients, strict=True)
        )
        assert set(tried.replicates) == {100 if method.startswith("bootstrap") else 500}
    assert bias["claims"].read("cost")["cpu_seconds"].sum() < 40 * 60


@pytest.fixture(scope="module")
def beside(bias, results):
    claims = bias["claims"]
    return claims.naive_beside_implied(results, claims.read("implied"), claims.read("implied_by_size"))


def test_the_naive_estimate_is_what_the_generator_implies_for_studies_of_its_size(beside):
    assert len(beside) == 18
    assert beside["studies"].tolist() == [23_809, 5_000, 500] * 6
    assert beside["gap_in_errors"].abs().max() < 3
    assert beside["share_gap_in_errors"].abs().max() < 3


def test_a_million_patients_as_one_study_say_what_two_thousand_do(beside):
    assert beside.loc[beside["patients"] == 2000, "large_gap_in_errors"].abs().max() < 3
    # Few deaths take the estimate farther from no effect, which many studies of a size show and a million
    # patients do not.
    few = beside[(beside["scenario"] == "all, with effect") & (beside["patients"] == 200)].iloc[0]
    assert few["implied"] < few["large"] - 0.03
    assert abs(few["large_gap_in_errors"]) > 3 > abs(few["gap_in_errors"])


@pytest.mark.parametrize("size", [41, 200])
def test_studies_dealt_out_are_estimated_as_by_the_method_under_test(bias, size):
    by_size, methods, generator = (bias[name] for name in ("by_size", "methods", "generator"))
    scenario = next(one for one in generator.SCENARIOS if one.name == "all, with effect")
    study = generator.simulate(scenario, 40 * size, bias["simulate"].rng_of("dealt", size))
    found = by_size.log_hazard_ratios(*by_size.dealt(study, size))
    treated, control = (np.flatnonzero(study.treated == code) for code in (True, False))
    names = ("treated", "severity", "start", "death", "rescue")
    for i, value in enumerate(found):
        n1, n0 = size // 2, size - size // 2
        rows = np.concatenate([treated[i * n1 : (i + 1) * n1], control[i * n0 : (i + 1) * n0]])
        one = methods.attempt(methods.naive, generator.Cohort(*(getattr(study, n)[rows] for n in names)))
        if np.isfinite(one.value):
            assert value == pytest.approx(one.value, abs=1e-6)
        else:
            assert np.isnan(value)


def test_delayed_entry_takes_the_lag_away_and_nothing_else(results):
    for size in (41, 200, 2000):
        assert not row(results, "lag only", "naive", size)["good"]
        assert row(results, "lag only", "delayed entry", size)["good"]
    for scenario in ("era only", "severity", "rescue"):
        assert not row(results, scenario, "delayed entry")["good"]


def test_weights_take_measured_confounding_away_and_nothing_else(results):
    for method in ("overlap weights", "ATT weights", "entropy balancing", "bootstrap of overlap weights"):
        assert row(results, "severity", method)["good"]
        for scenario in ("lag only", "era only", "rescue"):
            assert not row(results, scenario, method)["good"]
    assert not row(results, "severity", "naive")["good"]


def test_where_nothing_is_wrong_all_are_right_and_where_all_is_wrong_none(bias, results):
    largest = results[results.patients == 2000]
    assert largest[largest.scenario == "nothing"]["good"].all()
    assert not largest[largest.scenario == "all, with effect"]["good"].any()
    assert not largest[largest.scenario == "era only"]["good"].any()
    chance = results[results.scenario == "nothing"]
    assert (chance["rejected"] <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / chance["with_p"])).all()


def test_right_by_errors_that_cancel_is_not_credited(bias, results):
    changed = results.drop(columns="good").copy()
    lucky = (changed.scenario == "all, with effect") & (changed.method == "naive")
    changed.loc[lucky, "bias"] = 0.0
    changed.loc[lucky, "coverage"] = 0.95
    changed.loc[lucky, "estimated"] = 500
    assert not bias["claims"].credited(changed)[lucky].any()


def test_a_failure_with_many_patients_is_one_with_few(results):
    combined = results[
        (results.scenario == "lag only") & (results.method == "delayed entry, overlap weights")
    ]
    small = combined[combined.patients == 41].iloc[0]
    assert abs(small["bias"]) < 3 * small["error"]
    assert not combined["good"].any()


def test_the_page_is_what_the_files_say(bias):
    claims = bias["claims"]
    written = claims.page(*(claims.read(name) for name in claims.FILES))
    assert (HERE / "results.md").read_text(encoding="utf-8") == written


@pytest.mark.parametrize(
    ("scenario", "wrong", "right"),
    [
        ("lag only", "naive", "delayed entry"),
        ("severity", "naive", "overlap weights"),
        ("era only", "overlap weights", None),
    ],
)
def test_a_slice_of_the_simulations_says_the_same(bias, scenario, wrong, right):
    one = next(s for s in bias["generator"].SCENARIOS if s.name == scenario)
    simulate, methods = bias["simulate"], bias["methods"]
    seeds = [simulate.rng_of("slice", scenario, i) for i in range(30)]
    cohorts = [bias["generator"].simulate(one, 600, seed) for seed in seeds]

    def summed(name: str) -> dict[str, float]:
        rows = [methods.attempt(methods.METHODS[name], cohort) for cohort in cohorts]
        return simulate.summary(rows, 0.0)

    found = summed(wrong)
    assert found["bias"] < -5 * found["error"]
    if right is not None:
        found = summed(right)
        assert abs(found["bias"]) < 3 * found["error"]
        assert found["coverage"] > 0.8
