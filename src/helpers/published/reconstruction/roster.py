"""Who is in the cohort: sex, diagnosis, courses of response, deaths, earlier therapies, calendar.

>>> from helpers.published.ledger import Number, read_ledger
>>> ledger = Ledger(read_ledger())
>>> len(response_courses(ledger)), response_courses(ledger)[0]
(20, 'CR by week 2')
>>> (
...     len(treated_roster(ledger, np.random.default_rng(1))),
...     len(control_roster(ledger, np.random.default_rng(1))),
... )
(20, 21)
>>> control_death_days(21, 8, (20, [19]), Number(0.011, 3), 56, np.random.default_rng(1))[:2]
[5, 9]
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from helpers.published.ledger import Number
from helpers.published.reconstruction.marginals import InfeasibleError
from helpers.published.reconstruction.targets import Ledger
from helpers.stats.logrank import logrank_test

VISIT_DAYS = {"week_1": 7, "week_2": 14, "week_3": 21, "week_8": 56}
CUTOFF = date(2024, 12, 31)

# Response at weeks 1, 2, 3 and 8. One patient is named for each way through; "died" has no call after day 19.
COURSES = {
    "CR by week 2": ("PR", "CR", "CR", "CR"),
    "CR by week 3": ("PR", "PR", "CR", "CR"),
    "CR by week 8": ("PR", "PR", "PR", "CR"),
    "PR by week 1": ("PR", "PR", "PR", "PR"),
    "PR by week 2": ("NR", "PR", "PR", "PR"),
    "PR by week 3": ("NR", "NR", "PR", "PR"),
    "PR by week 8": ("NR", "NR", "NR", "PR"),
    "below PR": ("NR", "NR", "NR", "NR"),
    "switched": ("NR", "NR", "NR", "NR"),
    "died": ("NR", "NR", "NR", "NR"),
}


@dataclass
class Patient:
    """One member of the cohort before any laboratory value is given."""

    patient_id: str
    arm: str
    sex: str
    diagnosis: str
    course: str
    day0: date
    death_day: int | None
    last_contact_day: int
    prior: set[str] = field(default_factory=set)
    ivig: bool = False
    signs: dict[str, str] = field(default_factory=dict)
    baseline: dict[str, float] = field(default_factory=dict)
    weight: float = 60.0
    cause_of_death: str = ""
    refractory_reason: str = ""
    mas_onset_day: int = 0
    early_response: bool = False

    @property
    def calls(self) -> tuple[str, ...]:
        """Response at weeks 1, 2, 3 and 8 (empty for controls)."""
        return COURSES.get(self.course, ())

    @property
    def responder(self) -> bool:
        """Whether the patient is in partial or complete remission at week 8."""
        return bool(self.calls) and self.calls[-1] != "NR"


def response_courses(ledger: Ledger) -> list[str]:
    """Course of every treated patient, from the printed counts of CR and PR at each visit.

    Remission is taken never to be lost (the counts allow it and the text reports no relapse). At week 2 the
    printed 13 and 1 are read as 13 in partial and one further in complete remission.
    """
    size = ledger.count("T157")
    partial = [ledger.count(i) for i in ("R53", "R55", "R58", "R60")]
    complete = [0] + [ledger.count(i) for i in ("R56", "R57", "R61")]
    any_by = [p + c for p, c in zip(partial, complete, strict=True)]
    new_complete = np.diff(complete)
    new_any = np.diff([0, *any_by])
    if (new_complete < 0).any() or (new_any < 0).any() or any_by[-1] > size:
        raise InfeasibleError(f"response counts fall over time: PR {partial}, CR {complete}")
    names = ["CR by week 2"] * int(new_complete[0]) + ["CR by week 3"] * int(new_complete[1])
    names += ["CR by week 8"] * int(new_complete[2])
    # Complete remissions come from those who responded first.
    names += ["PR by week 1"] * (any_by[0] - len(names))
    names += ["PR by week 2"] * int(new_any[1]) + ["PR by week 3"] * int(new_any[2])
    names += ["PR by week 8"] * int(new_any[3])
    deaths, switched = ledger.count("T013"), ledger.count("R66")
    names += ["died"] * deaths + ["switched"] * switched
    return names + ["below PR"] * (size - len(names))


def control_death_days(
    size: int,
    deaths: int,
    treated: tuple[int, list[int]],
    p_value: Number,
    horizon: int,
    rng: np.random.Generator,
) -> list[int]:
    """Distinct days of control deaths whose log-rank p against the treated deaths prints as `p_value`.

    Raises:
        InfeasibleError: no draw gives the printed p.
    """
    treated_size, treated_deaths = treated
    free = [d for d in range(2, horizon - 1) if d not in treated_deaths]
    group = ["treated"] * treated_size + ["control"] * size
    for _ in range(400):
        # Early deaths are likelier than late ones.
        weights = np.exp(-np.array(free) / 22.0)
        days = sorted(int(d) for d in rng.choice(free, deaths, replace=False, p=weights / weights.sum()))
        time = (
            treated_deaths
            + [horizon] * (treated_size - len(treated_deaths))
            + days
            + [horizon] * (size - deaths)
        )
        event = [t < horizon for t in time]
        if p_value.agrees_with(logrank_test(time, event, group).p_value):
            return days
    raise InfeasibleError(
        f"no days of {deaths} control deaths give a log-rank p that prints as {p_value.value}"
    )


def _spread(items: dict[str, int], size: int, rng: np.random.Generator, other: str) -> list[str]:
    labels = [name for name, k in items.items() for _ in range(k)]
    labels += [other] * (size - len(labels))
    return [labels[i] for i in rng.permutation(size)]


def _dates(first: date, last: date, size: int, rng: np.random.Generator) -> list[date]:
    span = (last - first).days
    return [first + timedelta(days=int(d)) for d in np.sort(rng.choice(span, size, replace=False))]


def _prior_treated(ledger: Ledger, size: int, rng: np.random.Generator) -> list[set[str]]:
    both_ec, both_et = ledger.count("T155"), ledger.count("T156")
    e, t, c = ledger.count("T035"), ledger.count("T040"), ledger.count("T050")
    sets: list[set[str]] = [{"etoposide", "ciclosporin"} for _ in range(both_ec)]
    sets += [{"etoposide", "tocilizumab"} for _ in range(both_et)]
    sets += [{"etoposide"} for _ in range(e - both_ec - both_et)]
    sets += [{"tocilizumab"} for _ in range(t - both_et)]
    sets += [{"ciclosporin"} for _ in range(c - both_ec)]
    if len(sets) != ledger.count("R40"):
        raise InfeasibleError(
            f"earlier therapies add up to {len(sets)} patients, printed {ledger.count('R40')}"
        )
    sets += [set() for _ in range(size - len(sets))]
    return [sets[i] for i in rng.permutation(size)]


def _prior_control(ledger: Ledger, size: int, rng: np.random.Generator) -> list[set[str]]:
    counts = {
        "etoposide": ledger.count("T037"),
        "ciclosporin": ledger.count("T052"),
        "tacrolimus": ledger.count("T047"),
    }
    drawn = _spread(counts, size, rng, "")
    return [{d} if d else set() for d in drawn]


def treated_roster(ledger: Ledger, rng: np.random.Generator) -> list[Patient]:
    """The treated arm, in order of enrolment."""
    size = ledger.count("T157")
    courses = response_courses(ledger)
    courses = [courses[i] for i in rng.permutation(size)]
    diagnosis = _spread({"AOSD": ledger.count("T055"), "SLE": ledger.count("T060")}, size, rng, "other CTD")
    sex = _spread({"female": ledger.count("T008")}, size, rng, "male")
    prior = _prior_treated(ledger, size, rng)
    ivig = _spread({"ivig": ledger.count("T030")}, size, rng, "")
    day0 = _dates(date(2022, 1, 4), date(2024, 7, 26), size, rng)
    death_day = ledger.count("D12")
    early = rng.choice([i for i, c in enumerate(courses) if COURSES[c][0] == "PR"])
    roster = []
    for i in range(size):
        died = courses[i] == "died"
        if died:
            last = death_day
        elif COURSES[courses[i]][-1] != "NR":
            last = (CUTOFF - timedelta(days=int(rng.integers(0, 31))) - day0[i]).days
        else:
            last = min(int(rng.integers(63, 180)), (CUTOFF - day0[i]).days)
        roster.append(
            Patient(f"R{i + 1:02d}", "ruxolitinib", sex[i], diagnosis[i], courses[i], day0[i],
                    death_day if died else None, last, prior[i], bool(ivig[i]), early_response=i == early)
        )  # fmt: skip
        if died:
            roster[-1].cause_of_death = "multiple organ dysfunction with lower gastrointestinal haemorrhage"
    return roster


def control_roster(ledger: Ledger, rng: np.random.Generator) -> list[Patient]:
    """The historical controls, in order of enrolment."""
    size, deaths, horizon = ledger.count("T158"), ledger.count("T015"), ledger.count("R31")
    treated = (ledger.count("T157"), [ledger.count("D12")])
    days = control_death_days(size, deaths, treated, ledger.number("R50"), horizon, rng)
    place = set(rng.choice(size, deaths, replace=False).tolist())
    order = iter([days[i] for i in rng.permutation(deaths)])
    diagnosis = _spread({"AOSD": ledger.count("T057"), "SLE": ledger.count("T062")}, size, rng, "other CTD")
    sex = _spread({"female": ledger.count("T010")}, size, rng, "male")
    prior = _prior_control(ledger, size, rng)
    ivig = _spread({"ivig": ledger.count("T032")}, size, rng, "")
    day0 = _dates(date(2017, 1, 5), date(2019, 12, 27), size, rng)
    roster = []
    for i in range(size):
        death = next(order) if i in place else None
        last = death if death is not None else int(rng.integers(75, 900))
        roster.append(
            Patient(f"C{i + 1:02d}", "control", sex[i], diagnosis[i], "died" if death else "alive", day0[i],
                    death, last, prior[i], bool(ivig[i]))
        )  # fmt: skip
    return roster
