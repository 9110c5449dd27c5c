"""How few changed outcomes change the verdict: fragility by Fisher's test and the log-rank test,
leave-one-out.

Fragility counts depend on the p-value alone; they say how many outcomes stand between a result and its
loss, not whether the result is true (Walsh et al. 2014; Bomze et al. 2020).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.stats.checks import Bools, Floats, event_count, event_flags, survival_data
from helpers.stats.contingency import two_by_two_test
from helpers.stats.logrank import logrank_test
from helpers.stats.result import Result, StatisticsError

if TYPE_CHECKING:
    import pandas as pd

_MAX_COMBINATIONS = 2000


def _fisher(e1: int, n1: int, e2: int, n2: int) -> float:
    return two_by_two_test([[e1, n1 - e1], [e2, n2 - e2]], rule="fisher").p_value


def fragility_index(e1: Any, n1: Any, e2: Any, n2: Any, *, alpha: float = 0.05) -> Result:
    """Outcomes to change, in the arm with fewer events, until Fisher's test loses (or gains) significance.

    e1/n1 and e2/n2 are events and patients. Where p < `alpha`, events are added in the arm with fewer of
    them (Walsh 2014); where not, taken away from it, and where it has none left, added in the other arm
    ("reverse fragility", said in `method`). `value` is the count (NaN if no change suffices), `p_value`
    the p after it, `details` the p before and the share of the patients (fragility quotient). Raises
    StatisticsError for counts that cannot be.

    >>> found = fragility_index(1, 20, 8, 21)
    >>> found.value, round(found.p_value, 3)  # one more death among the treated
    (1.0, 0.067)
    """
    a, size_1 = event_count(e1, n1, "e1", "n1")
    b, size_2 = event_count(e2, n2, "e2", "n2")
    before = _fisher(a, size_1, b, size_2)
    if (size_1, a) != (size_2, b) and a / size_1 > b / size_2:
        a, size_1, b, size_2 = b, size_2, a, size_1
    significant = before < alpha
    method = f"{'fragility' if significant else 'reverse fragility'} index, Fisher's test, alpha {alpha:g}"
    details: dict[str, Any] = {"p_before": before}
    steps = _steps(a, size_1, b, size_2, significant)
    for count, table in enumerate(steps, start=1):
        p = _fisher(*table)
        if (p < alpha) != significant:
            details |= {
                "quotient": count / (size_1 + size_2),
                "events_fewer": table[0],
                "events_more": table[2],
            }
            return Result(method=method, value=float(count), p_value=p, n=size_1 + size_2, details=details)
    note = "no change of outcomes in one arm suffices"
    return Result(method=method, p_value=before, n=size_1 + size_2, note=note, details=details)


def _steps(a: int, n1: int, b: int, n2: int, significant: bool) -> Iterable[tuple[int, int, int, int]]:
    if significant:
        return ((x, n1, b, n2) for x in range(a + 1, n1 + 1))
    fewer = [(x, n1, b, n2) for x in range(a - 1, -1, -1)]
    return [*fewer, *((0, n1, y, n2) for y in range(b + 1, n2 + 1))]


def fisher_table_of_changes(
    e1: Any, n1: Any, e2: Any, n2: Any, *, more: int = 3, fewer: int = 3
) -> pd.DataFrame:
    """Fisher's p for 0 to `more` further events in the first arm and 0 to `fewer` less in the second.

    Columns: events_1, events_2, p_value. Shows at one glance what one more treated death, or an era with
    fewer control deaths, would do. Raises StatisticsError for counts that cannot be.

    >>> fisher_table_of_changes(1, 20, 8, 21, more=1, fewer=0).round(3).values.tolist()
    [[1.0, 8.0, 0.02], [2.0, 8.0, 0.067]]
    """
    import pandas as pd

    a, size_1 = event_count(e1, n1, "e1", "n1")
    b, size_2 = event_count(e2, n2, "e2", "n2")
    rows = [
        {"events_1": x, "events_2": y, "p_value": _fisher(x, size_1, y, size_2)}
        for x in range(a, min(a + more, size_1) + 1)
        for y in range(b, max(b - fewer, 0) - 1, -1)
    ]
    return pd.DataFrame(rows)


def logrank_with_more_events(time: Any, event: Any, treated: Any, *, more: int = 1) -> Result:
    """Log-rank p had `more` of the event-free treated had the event: least and largest over when.

    The added events are put, all at once, on every day that makes a difference: before the first event,
    on each day on which one was seen, between two of them, and on the last day of follow-up; they replace
    the longest followed event-free patients (others would leave earlier). `value` is the middle of the
    p-values, `lower` and `upper` their range, `details["days"]` where the range is reached. Raises
    StatisticsError where fewer than `more` treated are free of the event.

    >>> found = logrank_with_more_events([9, 9, 9, 1, 2, 3], [0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0])
    >>> round(found.lower, 3), round(found.upper, 3)
    (0.025, 0.277)
    """
    times, events = survival_data(time, event)
    arm = event_flags(treated, times.size, "treated")
    free = np.flatnonzero(arm & ~events)
    if free.size < more or more < 1:
        raise StatisticsError("more", f"{free.size} treated are free of the event, {more} asked for")
    chosen = free[np.lexsort((free, -times[free]))][:more]
    last = float(times[chosen].min())
    seen = np.unique(times[events])
    between = (np.concatenate(([0.0], seen)) + np.concatenate((seen, [last]))) / 2
    days = np.unique(np.concatenate([seen, between, [last]]))
    days = days[(days > 0) & (days <= last)]
    found = []
    for day in days.tolist():
        moved, flags = times.copy(), events.copy()
        moved[chosen], flags[chosen] = day, True
        found.append(logrank_test(moved, flags, arm.astype(int)).p_value)
    return _range(f"log-rank test with {more} more event(s) among the treated", found, days, times.size)


def logrank_with_fewer_events(time: Any, event: Any, treated: Any, *, fewer: int = 1) -> Result:
    """Log-rank p had `fewer` of the controls with the event been free of it to the end: range over which
    ones.

    Freed controls are followed to the longest follow-up of their arm. All choices are tried up to 2,000,
    then only those of the earliest and the latest. `details["which"]`: positions of those whose change
    gives the largest p. Raises StatisticsError where fewer than `fewer` controls had the event.

    >>> found = logrank_with_fewer_events([9, 9, 9, 1, 2, 3], [0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0])
    >>> round(found.lower, 3), round(found.upper, 3)
    (0.116, 0.116)
    """
    times, events = survival_data(time, event)
    arm = event_flags(treated, times.size, "treated")
    dead = np.flatnonzero(~arm & events)
    if dead.size < fewer or fewer < 1:
        raise StatisticsError("fewer", f"{dead.size} controls had the event, {fewer} asked for")
    ordered = dead[np.argsort(times[dead], kind="stable")].tolist()
    choices: list[tuple[int, ...]] = [tuple(ordered[:fewer]), tuple(ordered[-fewer:])]
    if comb(len(ordered), fewer) <= _MAX_COMBINATIONS:
        choices = list(combinations(ordered, fewer))
    last = float(times[~arm].max())
    # Controls who died on the same day are alike: which of them is freed makes no difference.
    by_days: dict[tuple[float, ...], float] = {}
    found = []
    for chosen in choices:
        days = tuple(times[list(chosen)].tolist())
        if days not in by_days:
            moved, flags = times.copy(), events.copy()
            moved[list(chosen)], flags[list(chosen)] = last, False
            by_days[days] = logrank_test(moved, flags, arm.astype(int)).p_value
        found.append(by_days[days])
    result = _range(
        f"log-rank test with {fewer} fewer event(s) among the controls",
        found,
        np.arange(float(len(choices))),
        times.size,
    )
    if np.isnan(result.value):
        return result
    return Result(
        **{k: getattr(result, k) for k in ("method", "value", "lower", "upper", "n")},
        details={"which": choices[int(np.argmax(found))], "choices": len(choices)},
    )


def _range(method: str, found: list[float], where: Floats, n: int) -> Result:
    p = np.array(found)
    if np.isnan(p).all():
        return Result(method=method, n=n, note="no event is left to compare")
    return Result(
        method=method,
        value=float(np.median(p)),
        lower=float(p.min()),
        upper=float(p.max()),
        n=n,
        details={"days": (float(where[p.argmin()]), float(where[p.argmax()]))},
    )


def leave_one_out(ids: Any, statistic: Callable[[Bools], float], *, alike: Any = None) -> pd.DataFrame:
    """A statistic with each patient left out in turn.

    `statistic` takes a mask of the patients kept and returns a number; where it raises StatisticsError the
    row has no value and the reason. `alike` has one row a patient of all that the statistic looks at: of
    patients with equal rows one is left out for all. Columns: patient_id, value, note; sorted by patient_id
    (as text).

    >>> values = np.array([1.0, 2.0, 6.0])
    >>> leave_one_out(["a", "b", "c"], lambda kept: float(values[kept].mean()))["value"].tolist()
    [4.0, 3.5, 1.5]
    """
    import pandas as pd

    names = np.asarray(ids).astype(str)
    kind = np.arange(names.size)
    if alike is not None:
        kind = np.unique(np.asarray(alike, dtype=float), axis=0, return_inverse=True)[1].ravel()
    known: dict[int, dict[str, Any]] = {}
    rows = []
    for i in np.argsort(names, kind="stable").tolist():
        if kind[i] not in known:
            kept = np.ones(names.size, bool)
            kept[i] = False
            known[kind[i]] = {"value": np.nan, "note": ""}
            try:
                known[kind[i]]["value"] = float(statistic(kept))
            except StatisticsError as error:
                known[kind[i]]["note"] = error.problem
        rows.append({"patient_id": names[i], **known[kind[i]]})
    return pd.DataFrame(rows)
