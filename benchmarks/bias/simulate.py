"""Bias, coverage and false positives of every method where the truth is known, into `results.csv`.

    python benchmarks/bias/simulate.py [--replicates 500] [--bootstrap 100] [--sizes 41 200 2000] [--fresh]
        [--scenarios NAME ...]

A chunk (scenario and size) that the file holds already is not computed again: an interrupted run resumes.
`implied.csv` has what the generator implies, from a million patients; `cost.csv` the processor time.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd
from generator import HORIZON, SCENARIOS, Cohort, Floats, Scenario, ideal_trial, simulate
from methods import METHODS, TARGET, Estimate, attempt, delayed

from helpers.stats.fractional_bootstrap import effects_by_weights, sorted_survival
from helpers.stats.propensity import firth_scores

HERE = Path(__file__).parent
LARGE = 1_000_000
SIZES = (41, 200, 2000)
SEED = 20240501
LEVEL = 0.05


def rng_of(*parts: object) -> np.random.Generator:
    """A generator of its own for every scenario, size and replicate."""
    return np.random.default_rng([SEED, crc32("/".join(map(str, parts)).encode())])


def _scores(cohort: Cohort) -> Floats:
    scores: Floats = firth_scores(cohort.severity[:, None], cohort.treated, np.ones((1, cohort.size)))[1][0]
    return scores


def implied(scenario: Scenario, size: int = LARGE) -> dict[str, float]:
    """What `size` patients say: the truth in each population, and what the naive analysis converges to."""
    study = simulate(scenario, size, rng_of(scenario.name, "study"))
    found = {"naive": _large_naive(study), "truth": Estimate(0.0), "truth_ATO": Estimate(0.0)}
    if scenario.effect:
        trial = ideal_trial(scenario, size, rng_of(scenario.name, "trial"))
        found |= {
            "truth": delayed(trial),
            "truth_ATO": delayed(trial, 1 - _scores_of_others(study, trial)),
        }
    errors = {f"{name}_error": _error(one) for name, one in found.items()}
    return {name: one.value for name, one in found.items()} | errors


def _large_naive(study: Cohort) -> Estimate:
    """`naive` by the routine that is made for many patients: the same root of the same score."""
    time_, event = study.recorded()
    data = sorted_survival(time_, event, study.treated, HORIZON)
    value = float(effects_by_weights(data, np.ones((1, study.size)))["log_hazard_ratio"][0])
    half = 1.959964 * np.sqrt(1 / event[study.treated].sum() + 1 / event[~study.treated].sum())
    return Estimate(value, value - half, value + half)


def _scores_of_others(study: Cohort, trial: Cohort) -> Floats:
    """Propensity scores of the study at the severities of the trial's patients."""
    order = np.argsort(study.severity)
    return np.asarray(np.interp(trial.severity, study.severity[order], _scores(study)[order]))


def _error(one: Estimate) -> float:
    return 0.0 if np.isnan(one.upper) else (one.upper - one.lower) / (2 * 1.959964)


def estimates(
    scenario: Scenario, size: int, replicates: int, bootstrap: int
) -> dict[str, tuple[list[Estimate], float]]:
    """Each method's estimates on `replicates` studies of one size (`bootstrap` for those that draw), and the
    processor seconds that they took."""
    found: dict[str, tuple[list[Estimate], float]] = {}
    cohorts = [simulate(scenario, size, rng_of(scenario.name, size, i)) for i in range(replicates)]
    for name, method in METHODS.items():
        if name.startswith("exact") and size > SIZES[0]:
            continue
        begin = time.process_time()
        mine = cohorts[:bootstrap] if name.startswith("bootstrap") else cohorts
        rows = [attempt(method, cohort) for cohort in mine]
        found[name] = rows, time.process_time() - begin
    return found


def summary(rows: list[Estimate], truth: float, truth_error: float = 0.0) -> dict[str, float]:
    """Bias with its Monte Carlo error, coverage, and share of p < 0.05; each of the replicates that have it.

    `estimated` counts finite estimates; without one the interval may still have a limit, and the test a p.
    """
    value, lower, upper, p = (np.array([getattr(r, n) for r in rows]) for n in Estimate.__annotations__)
    finite, known, tested = np.isfinite(value), ~np.isnan(lower) & ~np.isnan(upper), ~np.isnan(p)
    spread = value[finite].std(ddof=1) / np.sqrt(finite.sum()) if finite.sum() > 1 else np.nan
    covered = (lower <= truth) & (truth <= upper)
    return {
        "replicates": len(rows),
        "estimated": int(finite.sum()),
        "truth": truth,
        "bias": value[finite].mean() - truth if finite.any() else np.nan,
        "error": float(np.hypot(spread, truth_error)),
        "coverage": covered[known].mean() if known.any() else np.nan,
        "rejected": (p < LEVEL)[tested].mean() if tested.any() else np.nan,
        "with_interval": int(known.sum()),
        "with_p": int(tested.sum()),
    }


def chunk(
    scenario: Scenario, size: int, truths: dict[str, float], replicates: int, bootstrap: int
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Rows of `results.csv` and `cost.csv` of one scenario and size."""
    results: list[dict[str, object]] = []
    costs: list[dict[str, object]] = []
    for name, (rows, seconds) in estimates(scenario, size, replicates, bootstrap).items():
        key = "truth_ATO" if TARGET.get(name) == "ATO" else "truth"
        label: dict[str, object] = {"scenario": scenario.name, "patients": size, "method": name}
        results.append(label | summary(rows, truths[key], truths[f"{key}_error"]))
        costs.append(label | {"cpu_seconds": round(seconds, 2)})
    return results, costs


def save(rows: list[dict[str, object]], path: Path) -> list[dict[str, object]]:
    """Write rows to a CSV file, and return them."""
    pd.DataFrame(rows).to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
    return rows


def _stored(path: Path) -> list[dict[str, object]]:
    return pd.read_csv(path).to_dict("records") if path.exists() else []  # type: ignore[return-value]


def main() -> None:
    """Fill what is missing in the files of results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=500)
    parser.add_argument("--bootstrap", type=int, default=100)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--scenarios", nargs="+", default=[one.name for one in SCENARIOS])
    parser.add_argument("--output", type=Path, default=HERE)
    parser.add_argument("--fresh", action="store_true")
    args = parser.parse_args()
    files = {name: args.output / f"{name}.csv" for name in ("implied", "results", "cost")}
    if args.fresh:
        for path in files.values():
            path.unlink(missing_ok=True)
    known, rows, costs = (_stored(path) for path in files.values())
    for scenario in (one for one in SCENARIOS if one.name in args.scenarios):
        if scenario.name not in {one["scenario"] for one in known}:
            begin = time.process_time()
            known.append({"scenario": scenario.name, **implied(scenario)})
            save(known, files["implied"])
            spent = round(time.process_time() - begin, 2)
            costs.append(
                {"scenario": scenario.name, "patients": LARGE, "method": "implied", "cpu_seconds": spent}
            )
        truths = next(one for one in known if one["scenario"] == scenario.name)
        for size in args.sizes:
            if any(one["scenario"] == scenario.name and one["patients"] == size for one in rows):
                continue
            found, spent_on = chunk(scenario, size, truths, args.replicates, args.bootstrap)  # type: ignore[arg-type]
            rows, costs = save(rows + found, files["results"]), save(costs + spent_on, files["cost"])
            print(scenario.name, size, sum(float(str(c["cpu_seconds"])) for c in spent_on), "s", flush=True)


if __name__ == "__main__":
    main()
