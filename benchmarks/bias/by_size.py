"""What the generator implies for studies of one size: a million patients, dealt out into such studies.

    python benchmarks/bias/by_size.py

A Cox estimate from few deaths is not centred on what a million patients say: it is too far from no effect,
and where nobody of an arm has died there is none. What 500 studies of 41 should give on average is therefore
what many other studies of 41 give. The patients are those of `implied`, with random numbers of their own; the
estimate is found by bisection of the partial score of two groups, in all studies at once, and shares no code
with the method under test. Written to `implied_by_size.csv`.
"""

from __future__ import annotations

import numpy as np
from generator import SCENARIOS, Cohort, Floats, Scenario, simulate
from numpy.typing import NDArray
from simulate import HERE, LARGE, SIZES, rng_of, save

_FARTHEST = 30.0  # log hazard ratio, beyond which there is no estimate
_HALVINGS = 60


def dealt(study: Cohort, size: int) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """Time, event and treated of as many studies of `size` patients as the patients make; one row a study."""
    time, event = study.recorded()
    sizes = size // 2, size - size // 2
    arms = [np.flatnonzero(study.treated == code) for code in (True, False)]
    studies = min(arm.size // own for arm, own in zip(arms, sizes, strict=True))
    rows = np.hstack(
        [arm[: studies * own].reshape(studies, own) for arm, own in zip(arms, sizes, strict=True)]
    )
    return time[rows], event[rows], study.treated[rows]


def log_hazard_ratios(time: Floats, event: NDArray[np.bool_], treated: NDArray[np.bool_]) -> Floats:
    """Root of the partial score of each row, treated v control; NaN where it has none.

    Death times are continuous, so that no two are equal; those censored at the horizon come last.
    """
    order = np.lexsort((event, time), axis=-1)
    event, treated = (np.take_along_axis(each, order, axis=1) for each in (event, treated))
    one = np.cumsum(treated[:, ::-1], axis=1)[:, ::-1]
    none = np.cumsum(~treated[:, ::-1], axis=1)[:, ::-1]
    seen = (treated & event).sum(axis=1)
    low, high = np.full(len(time), -_FARTHEST), np.full(len(time), _FARTHEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        ratio = np.exp(middle)[:, None]
        expected = np.where(event, ratio * one / (ratio * one + none), 0.0).sum(axis=1)
        fewer = expected < seen
        low, high = np.where(fewer, middle, low), np.where(fewer, high, middle)
    found = (low + high) / 2
    return np.where(np.abs(found) < 0.9 * _FARTHEST, found, np.nan)


def implied_by_size(scenario: Scenario, size: int, patients: int = LARGE) -> dict[str, object]:
    """Mean naive log hazard ratio of the studies that have one, its Monte Carlo error, and how many have."""
    study = simulate(scenario, patients, rng_of(scenario.name, "study"))
    found = log_hazard_ratios(*dealt(study, size))
    known = found[np.isfinite(found)]
    return {
        "scenario": scenario.name,
        "patients": size,
        "studies": found.size,
        "estimated": known.size,
        "implied": known.mean(),
        "implied_error": known.std(ddof=1) / np.sqrt(known.size),
    }


if __name__ == "__main__":
    save(
        [implied_by_size(scenario, size) for scenario in SCENARIOS for size in SIZES],
        HERE / "implied_by_size.csv",
    )
