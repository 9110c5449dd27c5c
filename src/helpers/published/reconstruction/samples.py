"""Baseline values of both arms, variable by variable, before they are given to anyone.

>>> from helpers.published.ledger import read_ledger
>>> from helpers.published.reconstruction.targets import continuous_targets
>>> ledger = Ledger(read_ledger())
>>> targets, sizes = continuous_targets(ledger), {"ruxolitinib": 20, "control": 21}
>>> sorted(counts_below(ledger))[0], sorted(targets)[0]
('fibrinogen', 'age')
"""

from __future__ import annotations

import numpy as np

from helpers.published.ledger import Number
from helpers.published.reconstruction.marginals import (
    ArmSpec,
    InfeasibleError,
    Ints,
    exact_p_value,
    two_samples,
)
from helpers.published.reconstruction.targets import Continuous, Ledger

# Variables whose values spread evenly rather than over orders of magnitude.
_EVEN = ("age", "hemoglobin", "fibrinogen")
# Moderate anaemia and severe cytopenia are printed without a cut-off; these are the cuts that fit the counts.
ANEMIA_G_PER_L, THROMBOCYTOPENIA, NEUTROPENIA = 90.0, 50.0, 1.0
# Controls without a value, at least and fewer than. Triglycerides: the text says that some have none, not
# how many.
# LDH: with all 21 controls no exact rank-sum p near the printed 0.076 exists unless seven or more values
# are equal
# (0.0748 and 0.0770 are the neighbours); with 20 controls and no ties one prints exactly so.
MISSING_CONTROLS = {"triglycerides": (4, 7), "ldh": (1, 2)}
# Largest share of neutrophils among leucocytes.
NEUTROPHIL_SHARE = 0.97

Samples = dict[str, dict[str, Ints]]
Week = tuple[str, tuple[float, ...]]


def counts_below(ledger: Ledger) -> dict[str, tuple[tuple[float, int], ...]]:
    """Printed numbers of treated patients below a cut-off, per variable."""
    return {
        "hemoglobin": ((ANEMIA_G_PER_L, ledger.count("R12")),),
        "platelets": ((THROMBOCYTOPENIA, ledger.count("R17")),),
        "neutrophils": ((NEUTROPENIA, ledger.count("R25")),),
        "fibrinogen": ((ledger.number("R34").value, ledger.count("R36")),),
    }


def arm_specs(target: Continuous, ledger: Ledger, sizes: dict[str, int]) -> dict[str, ArmSpec]:
    """What each arm's values of one variable must meet."""
    below = tuple((round(cut * target.scale), k) for cut, k in counts_below(ledger).get(target.name, ()))
    return {
        arm: ArmSpec(
            size, target.summaries[arm], below if arm == "ruxolitinib" else (), log=target.name not in _EVEN
        )
        for arm, size in sizes.items()
    }


def laboratory_samples(
    targets: dict[str, Continuous], ledger: Ledger, sizes: dict[str, int], rng: np.random.Generator
) -> Samples:
    """Sorted values of age and of every laboratory variable in both arms."""
    found: Samples = {}
    for name, target in targets.items():
        if name == "dose":
            continue
        specs = arm_specs(target, ledger, sizes)
        if name == "neutrophils":
            specs = {a: _under_leucocytes(s, found["leucocytes"][a]) for a, s in specs.items()}
        if name in MISSING_CONTROLS:
            missing = int(rng.integers(*MISSING_CONTROLS[name]))
            specs["control"] = arm_specs(target, ledger, {"control": sizes["control"] - missing})["control"]
        elif name == "ferritin":
            specs["control"] = _with_ceilings(specs["control"], rng)
        try:
            found[name] = two_samples(specs, target.p_value, rng)
        except InfeasibleError as error:
            raise InfeasibleError(f"{name} ({', '.join(target.ids)}): {error}") from error
    return found


def _under_leucocytes(spec: ArmSpec, leucocytes: Ints) -> ArmSpec:
    ceiling = tuple(int(v) for v in np.floor(leucocytes * NEUTROPHIL_SHARE))
    return ArmSpec(spec.size, spec.summary, spec.below, ceiling, log=spec.log)


def _with_ceilings(spec: ArmSpec, rng: np.random.Generator) -> ArmSpec:
    """Control ferritin: many values at the reporting limit, a few at the limit after dilution."""
    half = spec.size // 2
    first = half - int(rng.integers(5, 8))
    last = half + int(rng.integers(1, 4))
    top = spec.size - int(rng.integers(1, 3))
    pinned = [(i, spec.summary.median) for i in range(first, last + 1)]
    pinned += [(i, spec.summary.maximum) for i in range(top, spec.size)]
    return ArmSpec(spec.size, spec.summary, spec.below, None, tuple(pinned), log=True)


def _steady(drug: str, dose: float) -> tuple[str, tuple[float, ...]]:
    return drug, (dose,) * 7


# Weekly regimens before day 0: mg of the drug on each of days -7 to -1. Equal weekly means come from equal
# regimens only, so that ties between patients are exact. Here (drug, daily dose in mg); dexamethasone 0.75
# mg and methylprednisolone 4 mg equal prednisone 5 mg.
STEADY = [
    ("methylprednisolone", 80.0),
    ("methylprednisolone", 100.0),
    ("dexamethasone", 20.0),
    ("methylprednisolone", 120.0),
    ("dexamethasone", 25.0),
    ("methylprednisolone", 160.0),
    ("dexamethasone", 35.0),
    ("dexamethasone", 40.0),
]
_SHARES = {"ruxolitinib": (2, 3, 9, 4, 2, 3, 1, 2), "control": (4, 5, 3, 4, 2, 3, 1, 2)}
# Weeks with other doses on single days: day -7 is the dose that goes on at day 0.
UNEVEN: list[Week] = [
    ("methylprednisolone", (100.0, 100.0, 100.0, 150.0, 100.0, 100.0, 100.0)),
    ("methylprednisolone", (125.0, 1000.0, 1000.0, 1000.0, 125.0, 125.0, 125.0)),
    ("methylprednisolone", (80.0, 500.0, 500.0, 500.0, 80.0, 80.0, 80.0)),
    ("methylprednisolone", (120.0, 240.0, 240.0, 240.0, 120.0, 120.0, 120.0)),
]
_EQUIVALENT = {"dexamethasone": 5 / 0.75, "methylprednisolone": 5 / 4}


def weekly_mean(week: Week) -> float:
    """Mean daily dose of a week, in mg of prednisone."""
    return sum(week[1]) / 7 * _EQUIVALENT[week[0]]


def _median_prints(weeks: list[Week], number: Number) -> bool:
    return number.agrees_with(float(np.median([weekly_mean(w) for w in weeks])))


def dose_samples(
    target: Continuous, ledger: Ledger, sizes: dict[str, int], rng: np.random.Generator
) -> dict[str, list[Week]]:
    """Glucocorticoid regimens of the week before day 0 whose weekly means meet the printed dose row.

    Raises:
        InfeasibleError: no draw meets medians, ranges and p at once.
    """
    menu = {arm: [_steady(*s) for s in STEADY] + UNEVEN for arm in sizes}
    numbers = {arm: [ledger.number(target.ids[3 * k + j]) for j in range(3)] for k, arm in enumerate(sizes)}
    allowed = {
        arm: [w for w in menu[arm] if _inside(weekly_mean(w), numbers[arm][1], numbers[arm][2])]
        for arm in sizes
    }
    for _ in range(5000):
        drawn = {}
        for arm, size in sizes.items():
            weeks = _draw_weeks(allowed[arm], numbers[arm], size, _SHARES[arm], rng)
            if weeks is None:
                break
            drawn[arm] = weeks
        else:
            means = [np.array([round(weekly_mean(w) * 1e6) for w in drawn[arm]]) for arm in sizes]
            if target.p_value.agrees_with(exact_p_value(*means)):
                return drawn
    raise InfeasibleError(
        f"dose ({', '.join(target.ids)}): no regimens give the printed medians, ranges and p"
    )


def _inside(value: float, low: Number, high: Number) -> bool:
    return (value > low.value or low.agrees_with(value)) and (value < high.value or high.agrees_with(value))


def _draw_weeks(
    menu: list[Week], numbers: list[Number], size: int, shares: tuple[int, ...], rng: np.random.Generator
) -> list[Week] | None:
    median, low, high = numbers
    ends = [[w for w in menu if n.agrees_with(weekly_mean(w))] for n in (low, high)]
    middle = [w for w in menu if median.agrees_with(weekly_mean(w))]
    if not (ends[0] and ends[1] and middle):
        return None
    weights = np.array([*shares, *([0.7] * len(UNEVEN))], dtype=float)
    weight = dict(zip([*(_steady(*s) for s in STEADY), *UNEVEN], weights, strict=True))
    centre = weekly_mean(middle[0])
    # One middle value for an odd number of patients, two equal ones for an even number.
    weeks = [ends[0][0], ends[1][0], *[middle[0]] * (2 - size % 2)]
    for below in (True, False):
        side = [w for w in menu if (weekly_mean(w) <= centre if below else weekly_mean(w) >= centre)]
        share = np.array([weight[w] for w in side])
        picked = rng.choice(len(side), (size - 1) // 2 - 1, p=share / share.sum())
        weeks += [side[i] for i in picked]
    return weeks if _median_prints(weeks, median) else None
