"""Bias, coverage and false positives of every method where the truth is known; run in chunks, results in a
file.

python benchmarks/bias/simulate.py [--replicates 500] [--bootstrap 100] [--sizes 41 200 2000]

A chunk (scenario x size) that `results.json` holds already is not computed again.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from generator import SCENARIOS, Cohort, Scenario, ideal_trial, simulate
from methods import METHODS, TARGET, Estimate, attempt, delayed, naive

from helpers.stats.propensity import firth_scores

RESULTS = Path(__file__).parent / "results.json"
LARGE = 1_000_000
SEED = 20240501


def _rng(*parts: object) -> np.random.Generator:
    return np.random.default_rng([SEED, crc32("/".join(map(str, parts)).encode())])


def _scores(cohort: Cohort) -> Any:
    return firth_scores(cohort.severity[:, None], cohort.treated, np.ones((1, cohort.size)))[1][0]


def implied(scenario: Scenario) -> dict[str, float]:
    """What a million patients say: the truth in each population, and what the naive analysis converges to."""
    study = simulate(scenario, LARGE, _rng(scenario.name, "study"))
    trial = ideal_trial(scenario, LARGE, _rng(scenario.name, "trial"))
    # The overlap population among trial patients: those of a severity that both series have.
    score = _scores(study)
    edge = np.quantile(study.severity, np.linspace(0, 1, 201))
    place = np.clip(np.searchsorted(edge, study.severity) - 1, 0, 199)
    mean = np.bincount(place, score, 200) / np.bincount(place, minlength=200)
    own = mean[np.clip(np.searchsorted(edge, trial.severity) - 1, 0, 199)]
    return {
        "naive": naive(study).value,
        "truth": 0.0 if scenario.effect == 0 else delayed(trial).value,
        "truth_ATO": 0.0 if scenario.effect == 0 else delayed(trial, 1 - own).value,
    }


def chunk(scenario: Scenario, size: int, replicates: int, bootstrap: int) -> dict[str, Any]:
    """All methods on `replicates` studies of one size: estimates and limits, summed up by `summary`."""
    found: dict[str, list[Estimate]] = {name: [] for name in METHODS}
    for i in range(replicates):
        cohort = simulate(scenario, size, _rng(scenario.name, size, i))
        for name, method in METHODS.items():
            if name.startswith("exact") and size > 41:
                continue
            if name.startswith("bootstrap") and i >= bootstrap:
                continue
            found[name].append(attempt(method, cohort))
    return {name: rows for name, rows in found.items() if rows}


def summary(rows: list[Estimate], truth: float) -> dict[str, float]:
    """Bias with its Monte Carlo error, coverage, and share of p < 0.05; of those replicates that have
    them."""
    value = np.array([r.value for r in rows])
    lower, upper = np.array([r.lower for r in rows]), np.array([r.upper for r in rows])
    p = np.array([r.p for r in rows])
    finite, known = np.isfinite(value), ~np.isnan(lower) & ~np.isnan(upper)
    error = float(value[finite].std(ddof=1) / np.sqrt(finite.sum())) if finite.sum() > 1 else float("nan")
    return {
        "replicates": len(rows),
        "estimated": int(finite.sum()),
        "mean": float(value[finite].mean()) if finite.any() else float("nan"),
        "median": float(np.median(value[~np.isnan(value)])) if (~np.isnan(value)).any() else float("nan"),
        "bias": float(value[finite].mean() - truth) if finite.any() else float("nan"),
        "error": error,
        "coverage": float(((lower <= truth) & (truth <= upper))[known].mean())
        if known.any()
        else float("nan"),
        "rejected": float((p < 0.05)[~np.isnan(p)].mean()) if (~np.isnan(p)).any() else float("nan"),
    }


def main() -> None:
    """Fill what is missing in the file of results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=500)
    parser.add_argument("--bootstrap", type=int, default=100)
    parser.add_argument("--sizes", type=int, nargs="+", default=[41, 200, 2000])
    parser.add_argument("--output", type=Path, default=RESULTS)
    args = parser.parse_args()
    done = json.loads(args.output.read_text()) if args.output.exists() else {"implied": {}, "chunks": {}}
    for scenario in SCENARIOS:
        if scenario.name not in done["implied"]:
            done["implied"][scenario.name] = implied(scenario)
        truth = done["implied"][scenario.name]
        for size in args.sizes:
            key = f"{scenario.name}/{size}"
            if key in done["chunks"]:
                continue
            begin = time.perf_counter()
            rows = chunk(scenario, size, args.replicates, args.bootstrap)
            done["chunks"][key] = {
                name: summary(r, truth["truth_ATO"] if TARGET.get(name) == "ATO" else truth["truth"])
                for name, r in rows.items()
            } | {"seconds": round(time.perf_counter() - begin, 1)}
            args.output.write_text(json.dumps(done, indent=1, sort_keys=True) + "\n", encoding="utf-8")
            print(key, done["chunks"][key]["seconds"], "s", flush=True)


if __name__ == "__main__":
    main()
